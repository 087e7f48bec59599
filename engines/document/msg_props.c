#include "document/msg_props.h"

#include <stdio.h>
#include <time.h>

#include "document/bytes.h"
#include "document/charset.h"
#include "document/rtf_in.h"

typedef enum MsgType {
    TYPE_INT = 0x0003,
    TYPE_OBJECT = 0x000D,
    TYPE_TEXT8 = 0x001E,
    TYPE_TEXT16 = 0x001F,
    TYPE_TIME = 0x0040,
    TYPE_BINARY = 0x0102,
} MsgType;

enum { ROW_SIZE = 16 };

MsgProps msg_props(const Ole *ole, Arena *a, int storage, size_t header, const char *charset)
{
    MsgProps p = {.ole = ole, .arena = a, .storage = storage, .charset = charset};
    Str rows = ole_read(ole, ole_find(ole, storage, "__properties_version1.0"), a, 1 << 20);
    p.fixed = rows.ptr != NULL ? str_slice(rows, header, rows.len) : STR("");
    return p;
}

static int find_stream(const MsgProps *p, unsigned id, unsigned type)
{
    char name[40];
    snprintf(name, sizeof name, "__substg1.0_%04X%04X", id, type);
    return ole_find(p->ole, p->storage, name);
}

static Str stream(const MsgProps *p, unsigned id, unsigned type)
{
    Str s = ole_read(p->ole, find_stream(p, id, type), p->arena, MSG_STREAM_MAX);
    return s.ptr != NULL ? s : STR("");
}

static bool row_of(const MsgProps *p, unsigned id, unsigned type, uint64_t *value)
{
    for (size_t at = 0; at + ROW_SIZE <= p->fixed.len; at += ROW_SIZE)
        if (le16(p->fixed, at) == type && le16(p->fixed, at + 2) == id) {
            *value = le64(p->fixed, at + 8);
            return true;
        }
    return false;
}

int64_t msg_int(const MsgProps *p, MsgProp id, int64_t otherwise)
{
    uint64_t value;
    return row_of(p, id, TYPE_INT, &value) ? (int64_t)(value & 0xFFFFFFFF) : otherwise;
}

/* A locale's usual code page: by its primary language. */
static int64_t codepage_of_locale(int64_t locale)
{
    static const struct {
        int64_t language, page;
    } pages[] = {
        {0x01, 1256}, {0x02, 1251}, {0x04, 936},  {0x05, 1250}, {0x08, 1253}, {0x0D, 1255},
        {0x0E, 1250}, {0x11, 932},  {0x12, 949},  {0x15, 1250}, {0x18, 1250}, {0x19, 1251},
        {0x1A, 1250}, {0x1B, 1250}, {0x1E, 874},  {0x1F, 1254}, {0x22, 1251}, {0x23, 1251},
        {0x24, 1250}, {0x25, 1257}, {0x26, 1257}, {0x27, 1257}, {0x29, 1256}, {0x2A, 1258},
    };
    if (locale == 0x0404 || locale == 0x0C04)
        return 950;
    for (size_t i = 0; i < COUNT_OF(pages); i++)
        if ((locale & 0x3FF) == pages[i].language)
            return pages[i].page;
    return locale != 0 ? 1252 : 0;
}

const char *msg_props_charset(const MsgProps *p)
{
    int64_t page = msg_int(p, MSG_CODEPAGE, 0);
    if (page == 0)
        page = msg_int(p, MSG_CODEPAGE_INTERNET, 0);
    if (page == 0)
        page = codepage_of_locale(msg_int(p, MSG_LOCALE, 0));
    return page != 0 ? rtf_charset_of_codepage(page) : NULL;
}

static Str without_zeros(Str s)
{
    while (s.len > 0 && s.ptr[s.len - 1] == 0)
        s.len--;
    return s;
}

Str msg_text(const MsgProps *p, MsgProp id)
{
    Str bytes = stream(p, id, TYPE_TEXT16), text = STR("");
    Err ignored = {0};
    const char *used = NULL;
    if (bytes.len > 0)
        return charset_decode(p->arena, bytes, "UTF-16LE", &text, &ignored) == OK
                   ? without_zeros(text)
                   : STR("");
    bytes = without_zeros(stream(p, id, TYPE_TEXT8));
    if (bytes.len == 0)
        return STR("");
    return charset_to_utf8(p->arena, bytes, str_from_c(p->charset), &text, &used, &ignored) == OK
               ? text
               : STR("");
}

Str msg_binary(const MsgProps *p, MsgProp id)
{
    return stream(p, id, TYPE_BINARY);
}

int msg_object(const MsgProps *p, MsgProp id)
{
    int e = find_stream(p, id, TYPE_OBJECT);
    return e >= 0 && p->ole->entries[e].kind == OLE_STORAGE ? e : -1;
}

/* Tenths of microseconds since 1601. */
Str msg_time(const MsgProps *p, MsgProp id)
{
    uint64_t value;
    if (!row_of(p, id, TYPE_TIME, &value) || value < 116444736000000000u)
        return STR("");
    time_t seconds = (time_t)((value - 116444736000000000u) / 10000000u);
    struct tm tm;
    char text[32];
    if (gmtime_r(&seconds, &tm) == NULL || tm.tm_year > 8000 ||
        strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
        return STR("");
    Str s = str_copy(p->arena, str_from_c(text));
    return s.ptr != NULL ? s : STR("");
}

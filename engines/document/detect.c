#include "document/detect.h"

#include "document/charset.h"
#include "document/detect_in.h"
#include "document/ole.h"

#include <string.h>

enum { TEXT_HEAD = 64 << 10 };

static TypeId by_bytes(Arena *a, Str s, TypeFlags *flags)
{
    if (str_find(str_slice(s, 0, 1024), STR("%PDF-")) != STR_NONE) {
        detect_pdf(a, s, flags);
        return TYPE_PDF;
    }
    if (str_starts(s, STR("PK\x03\x04")) || str_starts(s, STR("PK\x05\x06")) ||
        str_starts(s, STR("PK00PK")))
        return detect_zip(a, s, flags);
    if (ole_is(s))
        return detect_ole(a, s, flags);
    TypeId t = detect_magic(s);
    flags->encrypted = detect_archive_encrypted(t, s);
    return t;
}

typedef struct TypeRow {
    FileType type;
    const char *others;
} TypeRow;

static const TypeRow types[TYPE_COUNT] = {
#define TYPE(id, media, ext, human, group, more)                                                   \
    [TYPE_##id] = {{.media_type = media, .extension = ext, .name = human, .family = group}, more},
#include "document/types.def"
#undef TYPE
};

/* Text has no control characters to speak of. */
static bool looks_like_text(Str utf8)
{
    size_t odd = 0, seen = 0;
    for (size_t at = 0; at < utf8.len; seen++) {
        uint32_t cp = str_next_utf8(utf8, &at);
        odd += (cp < 0x20 && cp != '\t' && cp != '\n' && cp != '\r' && cp != '\f' && cp != 0x1B) ||
               cp == 0x7F || (cp >= 0x80 && cp < 0xA0 && cp != 0x85) || cp == 0xFFFD;
    }
    return seen > 0 && odd * 50 <= seen;
}

/* Some programs pad text with zeros, or leave holes in it: long runs of them go. One to three in a
 * row are part of UTF-16 and UTF-32. */
static Str without_holes(Arena *a, Str s)
{
    enum { HOLE_MIN = 16 };
    if (memmem(s.ptr, s.len, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", HOLE_MIN) == NULL)
        return s;
    Buf b = buf_init(a, s.len + 1);
    for (size_t i = 0; i < s.len;) {
        size_t end = i;
        while (end < s.len && s.ptr[end] == 0)
            end++;
        if (end - i < HOLE_MIN)
            buf_add(&b, str_slice(s, i, end));
        i = end;
        while (end < s.len && s.ptr[end] != 0)
            end++;
        buf_add(&b, str_slice(s, i, end));
        i = end;
    }
    return b.failed ? s : buf_str(&b);
}

/* A text whose head is ASCII may say more further on. */
static ErrCode look_further(Arena *a, Str bytes, size_t head, const char **used, Err *err)
{
    enum { BEFORE = 4096 };
    size_t at = head;
    while (at < bytes.len && (unsigned char)bytes.ptr[at] < 0x80)
        at++;
    if (at == bytes.len)
        return OK;
    size_t from = at - BEFORE, to = at + TEXT_HEAD < bytes.len ? at + TEXT_HEAD : bytes.len;
    while (to < bytes.len && to > at + 1 && ((unsigned char)bytes.ptr[to] & 0xC0) == 0x80)
        to--;
    Str ignored;
    return charset_to_utf8(a, str_slice(bytes, from, to), STR(""), &ignored, used, err);
}

ErrCode detect_type(Arena *a, Str bytes, FileType *out, Err *err)
{
    TypeFlags flags = {0};
    TypeId id = by_bytes(a, bytes, &flags);
    const char *charset = NULL;
    if (id == TYPE_UNKNOWN || id == TYPE_RTF) {
        /* cut at a character's end, so that the cut itself does not look like damage */
        size_t head = bytes.len < TEXT_HEAD ? bytes.len : TEXT_HEAD;
        while (head < bytes.len && head > TEXT_HEAD - 4 &&
               ((unsigned char)bytes.ptr[head] & 0xC0) == 0x80)
            head--;
        Str start = without_holes(a, str_slice(bytes, 0, head)), text;
        const char *used = NULL;
        ErrCode rc = charset_to_utf8(a, start, charset_declared(a, start), &text, &used, err);
        if (rc != OK)
            return rc;
        if (id == TYPE_UNKNOWN && looks_like_text(text))
            id = detect_text(text);
        if (head < bytes.len && strcmp(used, "US-ASCII") == 0)
            rc = look_further(a, bytes, head, &used, err);
        if (rc != OK)
            return rc;
        detect_text_flags(id, text, bytes, &flags);
        if (id != TYPE_UNKNOWN)
            charset = used;
    }
    *out = types[id].type;
    out->encrypted = flags.encrypted;
    out->macros = flags.macros;
    out->javascript = flags.javascript;
    out->embedded = flags.embedded;
    out->strict = flags.strict;
    out->charset = charset;
    return OK;
}

/* --- names */

static Str extension_of(Str name)
{
    size_t slash = str_rfind_char(name, '/');
    if (slash != STR_NONE)
        name = str_slice(name, slash + 1, name.len);
    size_t dot = str_rfind_char(name, '.');
    return dot != STR_NONE && dot > 0 ? str_slice(name, dot + 1, name.len) : STR("");
}

static bool row_has(const TypeRow *r, Str ext)
{
    Str rest = str_from_c(r->others), one;
    if (str_eq_nocase(ext, str_from_c(r->type.extension)))
        return true;
    while (str_next(&rest, ' ', &one))
        if (one.len > 0 && str_eq_nocase(ext, one))
            return true;
    return false;
}

static const TypeRow *row_of(const FileType *t)
{
    for (size_t i = 0; i < COUNT_OF(types); i++)
        if (types[i].type.media_type == t->media_type)
            return &types[i];
    return &types[TYPE_UNKNOWN];
}

static bool known_elsewhere(Str ext)
{
    for (size_t i = 0; i < COUNT_OF(types); i++)
        if (row_has(&types[i], ext) && strcmp(types[i].type.family, "text") != 0)
            return true;
    return false;
}

bool detect_name_fits(const FileType *t, Str name)
{
    Str ext = extension_of(name);
    const TypeRow *r = row_of(t);
    if (ext.len == 0 || row_has(r, ext))
        return true;
    if (r == &types[TYPE_UNKNOWN])
        return !known_elsewhere(
            ext); /* bytes of a kind we have no name for may be called anything new */
    return strcmp(t->family, "text") == 0 &&
           !known_elsewhere(ext); /* source code, logs, settings … */
}

void detect_refine(FileType *t, Str name)
{
    static const TypeId by_name[] = {TYPE_CSV,  TYPE_TSV,  TYPE_MARKDOWN, TYPE_TEXT,
                                     TYPE_HTML, TYPE_YAML, TYPE_TEX};
    static const TypeId by_shape[] = {TYPE_TEXT,     TYPE_CSV,  TYPE_TSV,
                                      TYPE_MARKDOWN, TYPE_YAML, TYPE_TEX};
    Str ext = extension_of(name);
    bool weak = false;
    for (size_t i = 0; i < COUNT_OF(by_shape); i++)
        weak = weak || t->media_type == types[by_shape[i]].type.media_type;
    if (!weak || ext.len == 0)
        return;
    TypeId named = TYPE_UNKNOWN;
    for (size_t i = 0; i < COUNT_OF(by_name) && named == TYPE_UNKNOWN; i++)
        if (str_eq_nocase(ext, str_from_c(types[by_name[i]].type.extension)))
            named = by_name[i];
    for (size_t i = 0; i < COUNT_OF(by_name) && named == TYPE_UNKNOWN; i++)
        if (by_name[i] != TYPE_TEXT && row_has(&types[by_name[i]], ext))
            named = by_name[i];
    /* A ".csv" that is tab-separated stays what it is; names of source code make it plain text. */
    if (named == TYPE_CSV && t->media_type == types[TYPE_TSV].type.media_type)
        return;
    if (named == TYPE_UNKNOWN && known_elsewhere(ext))
        return;
    const char *charset = t->charset;
    *t = types[named == TYPE_UNKNOWN ? TYPE_TEXT : named].type;
    t->charset = charset;
}

Str detect_better_name(Arena *a, const FileType *t, Str name)
{
    Str ext = extension_of(name);
    Str stem = str_slice(name, 0, ext.len > 0 ? name.len - ext.len - 1 : name.len);
    return str_printf(a, STR_FMT ".%s", STR_ARG(stem), t->extension);
}

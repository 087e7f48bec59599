/* rtf.c: objects, templates and fields of RTF, found the way Word finds them: control words in any
 * disguise, hexadecimal data with whatever stands between the digits. */
#include "security/scan.h"

#include "document/ole.h"

#include <ctype.h>
#include <string.h>

enum { OBJECTS_MAX = 200, WORD_MAX = 32, FIELD_MAX = 600, FIELD_SPAN = 16 * 1024 };

typedef struct Rtf {
    Scan *s;
    const ScanObject *o;
    Str text;
    size_t at;
    int objects;
    bool update;
} Rtf;

static int hex(char ch)
{
    return ch >= '0' && ch <= '9'   ? ch - '0'
           : ch >= 'a' && ch <= 'f' ? ch - 'a' + 10
           : ch >= 'A' && ch <= 'F' ? ch - 'A' + 10
                                    : -1;
}

/* The control word at `at` (behind its backslash), and the number behind it. */
static Str control_word(Str t, size_t *at, int64_t *number)
{
    size_t from = *at;
    while (*at < t.len && isalpha((unsigned char)t.ptr[*at]) && *at - from < WORD_MAX)
        (*at)++;
    Str word = str_slice(t, from, *at);
    size_t digits = *at;
    if (*at < t.len && t.ptr[*at] == '-')
        (*at)++;
    while (*at < t.len && isdigit((unsigned char)t.ptr[*at]))
        (*at)++;
    if (!str_to_i64(str_slice(t, digits, *at), number))
        *number = 0;
    if (*at < t.len && t.ptr[*at] == ' ')
        (*at)++;
    return word;
}

/* Hexadecimal digits up to the end of the group; words, groups and anything else between them are
 * passed over, as Word does; \bin brings bytes as they are. */
static Str read_data(Rtf *r)
{
    Str t = r->text;
    Buf b = buf_init(r->s->arena, t.len + 16);
    int depth = 0, high = -1;
    while (r->at < t.len) {
        char ch = t.ptr[r->at];
        if (ch == '}' && depth == 0)
            break;
        r->at++;
        if (ch == '{') {
            depth++;
        } else if (ch == '}') {
            depth--;
        } else if (ch == '\\') {
            int64_t number = 0;
            if (r->at < t.len && !isalpha((unsigned char)t.ptr[r->at])) {
                r->at += r->at + 2 < t.len && t.ptr[r->at] == '\'' ? 3 : 1;
                continue;
            }
            Str word = control_word(t, &r->at, &number);
            if (str_eq_c(word, "bin") && number > 0 && (uint64_t)number <= t.len - r->at) {
                buf_add(&b, str_slice(t, r->at, r->at + (size_t)number));
                r->at += (size_t)number;
            }
        } else if (hex(ch) >= 0) {
            if (high >= 0)
                buf_add_char(&b, (char)(high << 4 | hex(ch)));
            high = high >= 0 ? -1 : hex(ch);
        }
    }
    return b.failed ? (Str){0} : buf_str(&b);
}

static Str counted(Str s, size_t *at)
{
    size_t len = scan_u32(s, *at);
    Str text = str_slice(s, *at + 4, *at + 4 + len);
    *at += 4 + len;
    while (text.len > 0 && text.ptr[text.len - 1] == 0)
        text.len--;
    return text;
}

/* OLE 1: version, format (1 link, 2 embedded), class, topic, item, data. */
static void scan_object(Rtf *r, Str data)
{
    Scan *s = r->s;
    uint32_t format = scan_u32(data, 4);
    size_t at = 8;
    ScanObject part = scan_part(s, r->o, STR("object"));
    Str kind = counted(data, &at), topic = counted(data, &at), item = counted(data, &at);
    (void)item;
    if (scan_find_nocase(kind, "equation") == 0)
        scan_report(s, FINDING_EQUATION, &part, "class \"" STR_FMT "\" in RTF",
                    STR_ARG(scan_printable(s->arena, kind, 40)));
    if (format == 1 || scan_find_nocase(kind, "OLE2Link") == 0)
        scan_report(s, FINDING_OLE_LINK, &part, "class \"" STR_FMT "\", \"" STR_FMT "\"",
                    STR_ARG(scan_printable(s->arena, kind, 40)),
                    STR_ARG(scan_printable(s->arena, topic, 100)));
    size_t size = scan_u32(data, at);
    Str native = str_slice(data, at + 4, at + 4 + size);
    if (scan_find_nocase(kind, "package") == 0 && native.len > 4) {
        Str with_size = str_slice(data, at, at + 4 + size);
        package_scan(s, &part, with_size);
    } else if (native.len > 0) {
        scan_inside(s, r->o, native, STR("object"), AROUND_DOCUMENT);
    }
    /* The head may lie about everything: Word looks for the compound file, too. */
    size_t ole = str_find(data, (Str){"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", 8});
    if (ole != STR_NONE && (native.len == 0 || !ole_is(native)))
        scan_inside(s, r->o, str_slice(data, ole, data.len), STR("object"), AROUND_DOCUMENT);
}

static void found_data(Rtf *r)
{
    ArenaMark mark = arena_mark(r->s->arena);
    if (r->objects++ < OBJECTS_MAX) {
        Str data = read_data(r);
        if (data.len > 8)
            scan_object(r, data);
    }
    arena_rewind(r->s->arena, mark);
}

/* The text of the group that has begun, control words left out. A group that does not end is not
 * followed to the end of the file, or a thousand of them would take for ever. */
static Str group_text(Rtf *r)
{
    Buf b = buf_init(r->s->arena, FIELD_MAX + 8);
    Str t = str_slice(r->text, 0, r->at + FIELD_SPAN);
    size_t at = r->at;
    for (int depth = 0; at < t.len && b.len < FIELD_MAX; at++) {
        char ch = t.ptr[at];
        if (ch == '}' && depth-- == 0)
            break;
        if (ch == '{')
            depth++;
        else if (ch == '\\') {
            int64_t number = 0;
            at++;
            if (at + 2 < t.len && t.ptr[at] == '\'' && hex(t.ptr[at + 1]) >= 0 &&
                hex(t.ptr[at + 2]) >= 0) {
                buf_add_char(&b, (char)(hex(t.ptr[at + 1]) << 4 | hex(t.ptr[at + 2])));
                at += 2;
            } else if (at < t.len && isalpha((unsigned char)t.ptr[at])) {
                (void)control_word(t, &at, &number);
                at--;
            } else if (at < t.len && strchr("\\{}", t.ptr[at]) != NULL) {
                buf_add_char(&b, t.ptr[at]);
            }
        } else if (ch != '}' && ch != '\r' && ch != '\n')
            buf_add_char(&b, ch);
    }
    return b.failed ? (Str){0} : buf_str(&b);
}

static void found_template(Rtf *r)
{
    Str target = str_trim(group_text(r));
    if (scan_find_words(target, "http:\nhttps:\nftp:\n\\\\\nfile://").len > 0)
        scan_report(r->s, FINDING_TEMPLATE_REMOTE, r->o, "\"" STR_FMT "\"",
                    STR_ARG(scan_printable(r->s->arena, target, 140)));
}

static void found_word(Rtf *r, Str word, int64_t number)
{
    ArenaMark mark = arena_mark(r->s->arena);
    if (str_eq_c(word, "objdata"))
        found_data(r);
    else if (str_eq_c(word, "fldinst"))
        dde_check(r->s, r->o, group_text(r));
    else if (str_eq_c(word, "template"))
        found_template(r);
    else if (str_eq_c(word, "objupdate"))
        r->update = true;
    else if (str_eq_c(word, "bin") && number > 0 && (uint64_t)number <= r->text.len - r->at)
        r->at += (size_t)number;
    arena_rewind(r->s->arena, mark);
}

void rtf_scan(Scan *s, const ScanObject *o)
{
    Rtf r = {.s = s, .o = o, .text = o->bytes};
    if (!str_starts(o->bytes, STR("{\\rt")))
        return;
    if (!str_starts(o->bytes, STR("{\\rtf")))
        scan_report(s, FINDING_RTF_BROKEN_HEAD, o, "it begins with {\\rt and no f");
    while (r.at < r.text.len && !s->bomb) {
        const char *next = memchr(r.text.ptr + r.at, '\\', r.text.len - r.at);
        int64_t number = 0;
        if (next == NULL)
            break;
        r.at = (size_t)(next - r.text.ptr) + 1;
        if (r.at < r.text.len && isalpha((unsigned char)r.text.ptr[r.at])) {
            Str word = control_word(r.text, &r.at, &number);
            found_word(&r, word, number);
        } else if (r.at < r.text.len) {
            r.at++;
        }
    }
    if (r.update && r.objects > 0)
        scan_report(s, FINDING_OBJECT_UPDATE, o, "objupdate");
}

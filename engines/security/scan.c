/* scan.c: the walk through a file and what lies inside it. */
#include "security/scan.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { DOCUMENTS_DEEP = 3 };

static const struct {
    const char *name;
    Severity severity;
    const char *meaning, *remedy;
} rows[FINDING_COUNT] = {
#define FINDING(code, severity, meaning, remedy)                                                   \
    [FINDING_##code] = {#code, SEVERITY_##severity, meaning, remedy},
#include "security/findings.def"
#undef FINDING
};

const char *finding_name(FindingCode code, char out[32])
{
    size_t i = 0;
    for (const char *p = rows[code].name; *p != 0 && i < 31; p++)
        out[i++] = (char)tolower((unsigned char)*p);
    out[i] = 0;
    return out;
}

Severity finding_severity(FindingCode code)
{
    return rows[code].severity;
}

const char *finding_meaning(FindingCode code)
{
    return rows[code].meaning;
}

const char *finding_remedy(FindingCode code)
{
    return rows[code].remedy;
}

const char *severity_name(Severity s)
{
    return s == SEVERITY_MALICIOUS    ? "malicious"
           : s == SEVERITY_SUSPICIOUS ? "suspicious"
                                      : "clean";
}

/* Whole characters only. */
static void put_cut(char *out, size_t size, Str s)
{
    size_t len = s.len < size - 1 ? s.len : size - 1;
    while (len > 0 && len < s.len && (s.ptr[len] & 0xC0) == 0x80)
        len--;
    if (len > 0)
        memcpy(out, s.ptr, len);
    out[len] = 0;
}

void scan_report(Scan *s, FindingCode code, const ScanObject *o, const char *fmt, ...)
{
    Finding f = {.code = code};
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(f.text, sizeof f.text, fmt, args);
    va_end(args);
    put_cut(f.where, sizeof f.where, o->where);
    for (size_t i = 0; i < s->findings_len; i++)
        if (s->findings[i].code == code && strcmp(s->findings[i].where, f.where) == 0 &&
            strcmp(s->findings[i].text, f.text) == 0)
            return;
    if (rows[code].severity > s->verdict)
        s->verdict = rows[code].severity;
    if (s->counts[code]++ < SCAN_SAME_MAX && s->findings_len < SCAN_FINDINGS_MAX)
        s->findings[s->findings_len++] = f;
}

bool scan_is(const ScanObject *o, const char *extensions)
{
    Str rest = str_from_c(extensions), one;
    while (rest.len > 0 && str_next(&rest, ' ', &one))
        if (str_eq_c(one, o->type.extension))
            return true;
    return false;
}

static void stop(Scan *s, const ScanObject *o, const char *why)
{
    if (s->complete)
        scan_report(s, FINDING_NOT_ALL, o, "%s", why);
    s->complete = false;
}

bool scan_allow(Scan *s, const ScanObject *o, int64_t bytes)
{
    if (s->bomb)
        return false;
    if (bytes > SCAN_INNER_MAX || s->bytes + bytes > SCAN_TOTAL_MAX) {
        stop(s, o, "more bytes lie inside than are looked at");
        return false;
    }
    return true;
}

void scan_init(Scan *s, StepCtx *c)
{
    *s = (Scan){.step = c, .arena = c->arena, .complete = true};
}

static void look_at(Scan *s, ScanObject *o)
{
    Err ignored = {0};
    if (detect_type(s->arena, o->bytes, &o->type, &ignored) != OK)
        return;
    names_check(s, o);
    eicar_check(s, o);
    program_check(s, o);
    polyglot_check(s, o);
    archive_scan(s, o);
    ole_scan(s, o);
    rtf_scan(s, o);
    pdf_scan(s, o);
    markup_scan(s, o);
    mail_scan(s, o);
}

void scan_file(Scan *s, Str bytes, Str name)
{
    ScanObject o = {.bytes = bytes, .name = name};
    look_at(s, &o);
}

static bool is_document(const ScanObject *o)
{
    return str_eq_c(STR("document"), o->type.family) && !scan_is(o, "eml mbox msg");
}

ScanObject scan_part(Scan *s, const ScanObject *o, Str name)
{
    ScanObject part = *o;
    Str shown = scan_printable(s->arena, name, 100);
    part.where = o->where.len > 0
                     ? str_printf(s->arena, STR_FMT "/" STR_FMT, STR_ARG(o->where), STR_ARG(shown))
                     : shown;
    part.name = name;
    part.outer = o;
    return part;
}

void scan_inside(Scan *s, const ScanObject *o, Str bytes, Str name, Around around)
{
    if (bytes.len == 0 || s->bomb)
        return;
    if (s->objects >= SCAN_OBJECTS_MAX) {
        stop(s, o, "more objects lie inside than are looked at");
        return;
    }
    if (!scan_allow(s, o, (int64_t)bytes.len))
        return;
    ArenaMark mark = arena_mark(s->arena);
    ScanObject inner = scan_part(s, o, name);
    inner.bytes = bytes;
    inner.depth = o->depth + 1;
    inner.around = around;
    inner.documents = o->documents + is_document(o);
    inner.type = (FileType){0};
    s->objects++;
    s->bytes += (int64_t)bytes.len;
    for (const ScanObject *up = o; up != NULL; up = up->outer)
        if (str_eq(up->bytes, bytes)) {
            scan_report(s, FINDING_SELF_REPRODUCING, &inner, "it holds itself");
            arena_rewind(s->arena, mark);
            return;
        }
    if (inner.depth > SCAN_DEPTH_MAX)
        scan_report(s, FINDING_NESTED_DEEP, &inner, "%d levels", inner.depth);
    else
        look_at(s, &inner);
    if (inner.documents >= DOCUMENTS_DEEP && inner.type.family != NULL && is_document(&inner))
        scan_report(s, FINDING_NESTED_DEEP, &inner, "a document within %d documents",
                    inner.documents);
    arena_rewind(s->arena, mark);
}

size_t scan_find_nocase(Str s, const char *needle)
{
    size_t n = strlen(needle);
    int low = tolower((unsigned char)needle[0]), up = toupper((unsigned char)needle[0]);
    for (size_t i = 0; n > 0 && i + n <= s.len; i++) {
        if (s.ptr[i] != low && s.ptr[i] != up)
            continue;
        if (str_eq_nocase(str_slice(s, i, i + n), (Str){needle, n}))
            return i;
    }
    return STR_NONE;
}

Str scan_find_words(Str s, const char *words)
{
    Str rest = str_from_c(words), word;
    char text[80];
    while (rest.len > 0 && str_next(&rest, '\n', &word)) {
        if (word.len == 0 || word.len >= sizeof text)
            continue;
        memcpy(text, word.ptr, word.len);
        text[word.len] = 0;
        if (scan_find_nocase(s, text) != STR_NONE)
            return word;
    }
    return STR("");
}

Str scan_printable(Arena *a, Str s, size_t max)
{
    Buf b = buf_init(a, max + 8);
    for (size_t at = 0; at < s.len && b.len < max;) {
        uint32_t cp = str_next_utf8(s, &at);
        bool turns = (cp >= 0x202A && cp <= 0x202E) || (cp >= 0x2066 && cp <= 0x2069);
        buf_add_utf8(&b, cp < 0x20 || cp == 0x7f || turns ? '.' : cp);
    }
    return b.failed ? STR("") : buf_str(&b);
}

Str scan_utf16(Arena *a, Str s)
{
    Buf b = buf_init(a, s.len * 2 + 8);
    for (size_t i = 0; i + 1 < s.len; i += 2) {
        uint32_t u = scan_u16(s, i);
        if (u >= 0xD800 && u < 0xDC00 && i + 3 < s.len) {
            uint32_t low = scan_u16(s, i + 2);
            if (low >= 0xDC00 && low < 0xE000) {
                u = 0x10000 + ((u - 0xD800) << 10) + (low - 0xDC00);
                i += 2;
            }
        }
        if (u != 0)
            buf_add_utf8(&b, u >= 0xD800 && u < 0xE000 ? 0xFFFD : u);
    }
    return b.failed ? STR("") : buf_str(&b);
}

uint32_t scan_u16(Str s, size_t at)
{
    if (at > s.len || s.len - at < 2)
        return 0;
    const unsigned char *b = (const unsigned char *)s.ptr + at;
    return (uint32_t)b[0] | (uint32_t)b[1] << 8;
}

uint32_t scan_u32(Str s, size_t at)
{
    return at > s.len || s.len - at < 4 ? 0 : scan_u16(s, at) | scan_u16(s, at + 2) << 16;
}

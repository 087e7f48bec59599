#include "base/str.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

Str str_from_c(const char *s)
{
    return s != NULL ? (Str){s, strlen(s)} : STR("");
}

Str str_copy(Arena *a, Str s)
{
    char *p = arena_alloc_raw(a, s.len);
    if (p == NULL)
        return (Str){0};
    if (s.len > 0)
        memcpy(p, s.ptr, s.len);
    return (Str){p, s.len};
}

char *str_to_c(Arena *a, Str s)
{
    char *p = arena_alloc_raw(a, s.len + 1);
    if (p == NULL)
        return NULL;
    if (s.len > 0)
        memcpy(p, s.ptr, s.len);
    p[s.len] = 0;
    return p;
}

Str str_printf(Arena *a, const char *fmt, ...)
{
    va_list ap, again;
    va_start(ap, fmt);
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    char *p = n >= 0 ? arena_alloc_raw(a, (size_t)n + 1) : NULL;
    if (p != NULL)
        vsnprintf(p, (size_t)n + 1, fmt, again);
    va_end(again);
    return p != NULL ? (Str){p, (size_t)n} : (Str){0};
}

bool str_eq(Str a, Str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

bool str_eq_c(Str a, const char *b)
{
    return str_eq(a, str_from_c(b));
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool str_eq_nocase(Str a, Str b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++)
        if (lower(a.ptr[i]) != lower(b.ptr[i]))
            return false;
    return true;
}

int str_cmp(Str a, Str b)
{
    size_t n = a.len < b.len ? a.len : b.len;
    int d = n > 0 ? memcmp(a.ptr, b.ptr, n) : 0;
    return d != 0 ? d : (a.len > b.len) - (a.len < b.len);
}

bool str_starts(Str s, Str prefix)
{
    return s.len >= prefix.len && str_eq(str_slice(s, 0, prefix.len), prefix);
}

bool str_ends(Str s, Str suffix)
{
    return s.len >= suffix.len && str_eq(str_slice(s, s.len - suffix.len, s.len), suffix);
}

bool str_ends_nocase(Str s, Str suffix)
{
    return s.len >= suffix.len && str_eq_nocase(str_slice(s, s.len - suffix.len, s.len), suffix);
}

Str str_slice(Str s, size_t from, size_t to)
{
    if (to > s.len)
        to = s.len;
    if (from > to)
        from = to;
    return (Str){s.ptr != NULL ? s.ptr + from : NULL, to - from};
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

Str str_trim(Str s)
{
    size_t from = 0, to = s.len;
    while (from < to && is_blank(s.ptr[from]))
        from++;
    while (to > from && is_blank(s.ptr[to - 1]))
        to--;
    return str_slice(s, from, to);
}

size_t str_find(Str s, Str needle)
{
    if (needle.len == 0)
        return 0;
    const char *p = s.len > 0 ? memmem(s.ptr, s.len, needle.ptr, needle.len) : NULL;
    return p != NULL ? (size_t)(p - s.ptr) : STR_NONE;
}

size_t str_find_char(Str s, char c)
{
    const char *p = s.len > 0 ? memchr(s.ptr, c, s.len) : NULL;
    return p != NULL ? (size_t)(p - s.ptr) : STR_NONE;
}

size_t str_rfind_char(Str s, char c)
{
    const char *p = s.len > 0 ? memrchr(s.ptr, c, s.len) : NULL;
    return p != NULL ? (size_t)(p - s.ptr) : STR_NONE;
}

bool str_next(Str *rest, char sep, Str *part)
{
    if (rest->ptr == NULL)
        return false;
    size_t at = str_find_char(*rest, sep);
    if (at == STR_NONE) {
        *part = *rest;
        *rest = (Str){0};
        return true;
    }
    *part = str_slice(*rest, 0, at);
    *rest = str_slice(*rest, at + 1, rest->len);
    return true;
}

bool str_to_i64(Str s, int64_t *out)
{
    char text[24];
    if (s.len == 0 || s.len >= sizeof text)
        return false;
    size_t digits_from = s.ptr[0] == '-' ? 1 : 0;
    if (digits_from == s.len)
        return false;
    for (size_t i = digits_from; i < s.len; i++)
        if (s.ptr[i] < '0' || s.ptr[i] > '9')
            return false;
    memcpy(text, s.ptr, s.len);
    text[s.len] = 0;
    errno = 0;
    long long v = strtoll(text, NULL, 10);
    if (errno != 0)
        return false;
    *out = v;
    return true;
}

/* The JSON spelling of a number: what strtod takes beyond it (hex, inf, nan, spaces) is refused. */
static bool looks_decimal(Str s)
{
    bool digit = false;
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        if (c >= '0' && c <= '9')
            digit = true;
        else if (c != '-' && c != '+' && c != '.' && c != 'e' && c != 'E')
            return false;
    }
    return digit;
}

bool str_to_double(Str s, double *out)
{
    char text[400];
    if (s.len == 0 || s.len >= sizeof text || !looks_decimal(s))
        return false;
    memcpy(text, s.ptr, s.len);
    text[s.len] = 0;
    char *end = NULL;
    double v = strtod(text, &end);
    if (*end != 0 || v - v != 0) /* infinite */
        return false;
    *out = v;
    return true;
}

Str str_lower(Arena *a, Str s)
{
    char *p = arena_alloc_raw(a, s.len);
    if (p == NULL)
        return (Str){0};
    for (size_t i = 0; i < s.len; i++)
        p[i] = lower(s.ptr[i]);
    return (Str){p, s.len};
}

/* Length of a well-formed sequence at s[at] (RFC 3629: no overlong forms, no surrogates), or 0. */
static size_t utf8_length(Str s, size_t at)
{
    const unsigned char *p = (const unsigned char *)s.ptr + at;
    size_t left = s.len - at;
    unsigned char lo = 0x80, hi = 0xBF;
    size_t n;
    if (p[0] < 0x80)
        return 1;
    if (p[0] >= 0xC2 && p[0] <= 0xDF) {
        n = 2;
    } else if (p[0] >= 0xE0 && p[0] <= 0xEF) {
        n = 3;
        lo = p[0] == 0xE0 ? 0xA0 : 0x80;
        hi = p[0] == 0xED ? 0x9F : 0xBF;
    } else if (p[0] >= 0xF0 && p[0] <= 0xF4) {
        n = 4;
        lo = p[0] == 0xF0 ? 0x90 : 0x80;
        hi = p[0] == 0xF4 ? 0x8F : 0xBF;
    } else {
        return 0;
    }
    if (left < n || p[1] < lo || p[1] > hi)
        return 0;
    for (size_t i = 2; i < n; i++)
        if (p[i] < 0x80 || p[i] > 0xBF)
            return 0;
    return n;
}

uint32_t str_next_utf8(Str s, size_t *at)
{
    static const unsigned char first_mask[] = {0, 0x7F, 0x1F, 0x0F, 0x07};
    size_t n = utf8_length(s, *at);
    if (n == 0) {
        *at += 1;
        return 0xFFFD;
    }
    uint32_t cp = (unsigned char)s.ptr[*at] & first_mask[n];
    for (size_t i = 1; i < n; i++)
        cp = cp << 6 | ((unsigned char)s.ptr[*at + i] & 0x3F);
    *at += n;
    return cp;
}

/* How many bytes from `at` on are ASCII, in steps of eight: text is mostly that. */
static size_t ascii_run(Str s, size_t at)
{
    size_t from = at;
    for (uint64_t eight; s.len - at >= sizeof eight; at += sizeof eight) {
        memcpy(&eight, s.ptr + at, sizeof eight);
        if ((eight & UINT64_C(0x8080808080808080)) != 0)
            break;
    }
    return at - from;
}

bool str_is_utf8(Str s)
{
    for (size_t at = ascii_run(s, 0); at < s.len; at += ascii_run(s, at)) {
        size_t n = utf8_length(s, at);
        if (n == 0)
            return false;
        at += n;
    }
    return true;
}

size_t str_put_utf8(char out[4], uint32_t cp)
{
    if (cp < 0x80) {
        out[0] = (char)cp;
        return 1;
    }
    if (cp < 0x800) {
        out[0] = (char)(0xC0 | cp >> 6);
        out[1] = (char)(0x80 | (cp & 0x3F));
        return 2;
    }
    if (cp > 0x10FFFF || (cp >= 0xD800 && cp <= 0xDFFF))
        cp = 0xFFFD;
    if (cp < 0x10000) {
        out[0] = (char)(0xE0 | cp >> 12);
        out[1] = (char)(0x80 | (cp >> 6 & 0x3F));
        out[2] = (char)(0x80 | (cp & 0x3F));
        return 3;
    }
    out[0] = (char)(0xF0 | cp >> 18);
    out[1] = (char)(0x80 | (cp >> 12 & 0x3F));
    out[2] = (char)(0x80 | (cp >> 6 & 0x3F));
    out[3] = (char)(0x80 | (cp & 0x3F));
    return 4;
}

size_t str_count_utf8(Str s)
{
    size_t n = 0;
    for (size_t at = 0; at < s.len; n++)
        str_next_utf8(s, &at);
    return n;
}

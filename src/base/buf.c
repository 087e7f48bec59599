#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { FIRST_CAP = 256 };

Buf buf_init(Arena *a, size_t ceiling_bytes)
{
    return (Buf){.arena = a, .ceiling = ceiling_bytes};
}

char *buf_room(Buf *b, size_t n)
{
    if (b->failed)
        return NULL;
    if (n <= b->cap - b->len)
        return b->ptr + b->len;
    if (n > b->ceiling - b->len) {
        b->failed = b->over = true;
        return NULL;
    }
    size_t cap = b->cap > 0 ? b->cap * 2 : FIRST_CAP;
    if (cap < b->len + n)
        cap = b->len + n;
    if (cap > b->ceiling)
        cap = b->ceiling;
    char *p = arena_grow(b->arena, b->ptr, b->cap, cap);
    if (p == NULL) {
        b->failed = true;
        return NULL;
    }
    b->ptr = p;
    b->cap = cap;
    return b->ptr + b->len;
}

void buf_wrote(Buf *b, size_t n)
{
    b->len += n;
}

void buf_add(Buf *b, Str s)
{
    if (s.len == 0)
        return;
    char *p = buf_room(b, s.len);
    if (p == NULL)
        return;
    memcpy(p, s.ptr, s.len);
    b->len += s.len;
}

void buf_add_c(Buf *b, const char *s)
{
    buf_add(b, str_from_c(s));
}

void buf_add_char(Buf *b, char c)
{
    buf_add(b, (Str){&c, 1});
}

void buf_addf(Buf *b, const char *fmt, ...)
{
    va_list ap, again;
    va_start(ap, fmt);
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    char *p = n >= 0 ? buf_room(b, (size_t)n + 1) : NULL;
    if (p != NULL) {
        vsnprintf(p, (size_t)n + 1, fmt, again);
        b->len += (size_t)n;
    } else {
        b->failed = true;
    }
    va_end(again);
}

void buf_add_int(Buf *b, int64_t v)
{
    char digits[24];
    size_t at = sizeof digits;
    uint64_t u = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
    do {
        digits[--at] = (char)('0' + u % 10);
        u /= 10;
    } while (u > 0);
    if (v < 0)
        digits[--at] = '-';
    buf_add(b, (Str){digits + at, sizeof digits - at});
}

void buf_add_utf8(Buf *b, uint32_t cp)
{
    char bytes[4];
    buf_add(b, (Str){bytes, str_put_utf8(bytes, cp)});
}

static Str html_escape(char c)
{
    switch (c) {
    case '&':
        return STR("&amp;");
    case '<':
        return STR("&lt;");
    case '>':
        return STR("&gt;");
    case '"':
        return STR("&quot;");
    case '\'':
        return STR("&#39;");
    default:
        return (Str){0};
    }
}

void buf_add_html(Buf *b, Str s)
{
    size_t from = 0;
    for (size_t i = 0; i < s.len; i++) {
        Str escaped = html_escape(s.ptr[i]);
        if (escaped.ptr == NULL)
            continue;
        buf_add(b, str_slice(s, from, i));
        buf_add(b, escaped);
        from = i + 1;
    }
    buf_add(b, str_slice(s, from, s.len));
}

static bool url_plain(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

void buf_add_url(Buf *b, Str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (url_plain(s.ptr[i]))
            buf_add_char(b, s.ptr[i]);
        else
            buf_addf(b, "%%%02X", (unsigned char)s.ptr[i]);
}

void buf_clear(Buf *b)
{
    b->len = 0;
    b->failed = b->over = false;
}

Str buf_str(const Buf *b)
{
    return (Str){b->ptr != NULL ? b->ptr : "", b->len};
}

const char *buf_c(Buf *b)
{
    char *end = buf_room(b, 1);
    if (end == NULL)
        return "";
    *end = 0;
    return b->ptr;
}

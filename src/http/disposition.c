/* disposition.c: parameters of header values, and the file names in them (RFC 6266, RFC 7578, RFC
 * 8187). */
#include "http/multipart_in.h"
#include "http/parse_in.h"

#include <string.h>

typedef struct ParamOut {
    char *bytes;
    size_t len, size;
    bool full;
} ParamOut;

static void put(ParamOut *o, char c)
{
    if (o->len < o->size)
        o->bytes[o->len++] = c;
    else
        o->full = true;
}

static size_t skip_blanks(Str s, size_t at)
{
    while (at < s.len && (s.ptr[at] == ' ' || s.ptr[at] == '\t'))
        at++;
    return at;
}

/* From the opening quote at `at` to behind the closing one; STR_NONE when there is none. A
 * backslash escapes a quote or a backslash; before anything else it stays, as some programs send
 * whole Windows paths. */
static size_t quoted(Str s, size_t at, ParamOut *o)
{
    for (at++; at < s.len; at++) {
        char c = s.ptr[at];
        if (c == '"')
            return at + 1;
        if (c == '\\' && at + 1 < s.len && (s.ptr[at + 1] == '"' || s.ptr[at + 1] == '\\'))
            c = s.ptr[++at];
        put(o, c);
    }
    return STR_NONE;
}

static size_t unquoted(Str s, size_t at, ParamOut *o)
{
    for (; at < s.len && s.ptr[at] != ';' && s.ptr[at] != ' ' && s.ptr[at] != '\t'; at++)
        put(o, s.ptr[at]);
    return at;
}

/* One `; name=value` at *at. False: no further, or not well-formed. */
static bool next_param(Str s, size_t *at, Str *name, ParamOut *o)
{
    size_t i = skip_blanks(s, *at);
    if (i >= s.len || s.ptr[i] != ';')
        return false;
    i = skip_blanks(s, i + 1);
    size_t from = i;
    while (i < s.len && http_token_char((unsigned char)s.ptr[i]))
        i++;
    *name = str_slice(s, from, i);
    if (i >= s.len || s.ptr[i] != '=' || name->len == 0)
        return false;
    i++;
    i = i < s.len && s.ptr[i] == '"' ? quoted(s, i, o) : unquoted(s, i, o);
    *at = i;
    return i != STR_NONE;
}

bool http_params_valid(Str value)
{
    size_t at = str_find_char(value, ';');
    Str name;
    if (at == STR_NONE)
        return true;
    while (next_param(value, &at, &name, &(ParamOut){0}))
        ;
    if (at == STR_NONE)
        return false;
    at = skip_blanks(value, at);
    return at == value.len || (value.ptr[at] == ';' && skip_blanks(value, at + 1) == value.len);
}

bool http_param(Str value, const char *want, char *out, size_t size, Str *found)
{
    size_t at = 0;
    while (at < value.len && value.ptr[at] != ';')
        at++;
    for (;;) {
        ParamOut o = {.bytes = out, .size = size};
        Str name;
        if (!next_param(value, &at, &name, &o))
            return false;
        if (!str_eq_nocase(name, str_from_c(want)))
            continue;
        *found = (Str){out, o.len};
        return !o.full;
    }
}

/* Base name, in place: no folders, no control characters, UTF-8 only, short. */
static Str clean_name(char *text, size_t len)
{
    Str s = {text, len};
    for (size_t i = len; i-- > 0;)
        if (text[i] == '/' || text[i] == '\\') {
            s = str_slice(s, i + 1, len);
            break;
        }
    size_t n = 0;
    char copy[MULTIPART_NAME_MAX];
    for (size_t at = 0; at < s.len;) {
        char bytes[4];
        uint32_t cp = str_next_utf8(s, &at);
        size_t k = str_put_utf8(bytes, cp);
        if (cp < 0x20 || (cp >= 0x7f && cp < 0xa0))
            continue;
        if (n + k > sizeof copy)
            break;
        memcpy(copy + n, bytes, k);
        n += k;
    }
    Str clean = {text, n};
    memcpy(text, copy, n);
    if (str_eq(clean, STR(".")) || str_eq(clean, STR("..")))
        clean.len = 0;
    return clean;
}

/* UTF-8''na%20me, in place. False: another charset, or not well-formed. */
static bool decode_extended(char *text, size_t *len)
{
    Str s = {text, *len};
    size_t first = str_find_char(s, '\'');
    if (first == STR_NONE || !str_eq_nocase(str_slice(s, 0, first), STR("utf-8")))
        return false;
    Str rest = str_slice(s, first + 1, s.len);
    size_t second = str_find_char(rest, '\'');
    if (second == STR_NONE)
        return false;
    rest = str_slice(rest, second + 1, rest.len);
    size_t n = 0;
    for (size_t i = 0; i < rest.len; i++) {
        char c = rest.ptr[i];
        if (c == '%') {
            if (rest.len - i < 3 || http_hex(rest.ptr[i + 1]) < 0 || http_hex(rest.ptr[i + 2]) < 0)
                return false;
            c = (char)(http_hex(rest.ptr[i + 1]) << 4 | http_hex(rest.ptr[i + 2]));
            i += 2;
        }
        text[n++] = c;
    }
    *len = n;
    return str_is_utf8((Str){text, n});
}

/* Browsers send a quote in a name as %22 (and nothing else that way that a clean name could hold).
 */
static size_t decode_quotes(char *text, size_t len)
{
    size_t n = 0;
    for (size_t i = 0; i < len; i++)
        if (len - i >= 3 && memcmp(text + i, "%22", 3) == 0) {
            text[n++] = '"';
            i += 2;
        } else {
            text[n++] = text[i];
        }
    return n;
}

bool http_disposition_filename(Str value, char *out, Str *found)
{
    enum { SIZE = MULTIPART_NAME_MAX * 4 };
    Str raw;
    if (http_param(value, "filename*", out, SIZE, &raw)) {
        size_t len = raw.len;
        if (decode_extended(out, &len)) {
            *found = clean_name(out, len);
            return true;
        }
    }
    if (!http_param(value, "filename", out, SIZE, &raw))
        return false;
    *found = clean_name(out, decode_quotes(out, raw.len));
    return true;
}

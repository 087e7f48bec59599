/* target.c: the request target: its form, its path, percent-encoding. */
#include "http/parse_in.h"

#include <string.h>

static HttpParsed bad(HttpParse *p, const char *why)
{
    return http_parse_bad(p, 400, ERR_BAD_REQUEST, why);
}

/* Every % is followed by two hex digits, and none of it is NUL. */
static bool escapes_valid(Str s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] != '%')
            continue;
        if (s.len - i < 3 || http_hex(s.ptr[i + 1]) < 0 || http_hex(s.ptr[i + 2]) < 0)
            return false;
        if (s.ptr[i + 1] == '0' && s.ptr[i + 2] == '0')
            return false;
    }
    return true;
}

static void split_query(HttpParse *p, Str path, uint32_t from)
{
    size_t question = str_find_char(path, '?');
    uint32_t end = from + (uint32_t)path.len;
    uint32_t cut = question == STR_NONE ? end : from + (uint32_t)question;
    p->path = (HttpSpan){from, cut};
    p->query = (HttpSpan){cut < end ? cut + 1 : end, end};
}

/* "http://host/path": the host in it counts, whatever the Host header says (RFC 9112, 3.2.2). */
static HttpParsed absolute(HttpParse *p, Str target)
{
    Str scheme = p->tls ? STR("https://") : STR("http://");
    if (target.len < scheme.len || !str_eq_nocase(str_slice(target, 0, scheme.len), scheme))
        return bad(p, "the target is neither a path nor of this server's scheme");
    Str rest = str_slice(target, scheme.len, target.len);
    size_t slash = str_find_char(rest, '/');
    if (slash == STR_NONE)
        return bad(p, "the target has no path");
    if (!http_host_valid(str_slice(rest, 0, slash)))
        return bad(p, "the host in the target is not well-formed");
    uint32_t from = p->target.from + (uint32_t)scheme.len;
    HttpSpan named = p->host, host = {from, from + (uint32_t)slash};
    p->host = host;
    for (uint32_t i = 0; i < p->headers_len; i++)
        if (p->headers[i].value.from == named.from && named.to > named.from)
            p->headers[i].value = host;
    split_query(p, str_slice(rest, slash, rest.len), from + (uint32_t)slash);
    return PARSE_DONE;
}

HttpParsed http_parse_target(HttpParse *p, const char *head)
{
    Str target = http_span(head, p->target);
    if (str_eq(target, STR("*"))) {
        if (p->method != HTTP_OPTIONS)
            return bad(p, "the target * goes with OPTIONS only");
        p->asterisk = true;
        p->path = p->target;
        return PARSE_DONE;
    }
    if (target.ptr[0] == '/')
        split_query(p, target, p->target.from);
    else if (absolute(p, target) == PARSE_BAD)
        return PARSE_BAD;
    if (!escapes_valid(http_span(head, p->path)) || !escapes_valid(http_span(head, p->query)))
        return bad(p, "the target's percent-encoding is not well-formed");
    return PARSE_DONE;
}

/* One decoded byte of a path. False: a byte that would make the path mean something else to
 * somebody else. */
static bool path_byte(Str raw, size_t *at, char *out)
{
    char c = raw.ptr[*at];
    if (c != '%') {
        *out = c;
        *at += 1;
        return c != '[' && c != ']' && c != '{' && c != '}' && c != '^' && c != '`' && c != '|';
    }
    unsigned byte =
        (unsigned)http_hex(raw.ptr[*at + 1]) << 4 | (unsigned)http_hex(raw.ptr[*at + 2]);
    *out = (char)byte;
    *at += 3;
    return byte >= 0x20 && byte != 0x7f && byte != '/' && byte != '\\';
}

/* No segment is empty (but the last), "." or "..". */
static bool segments_plain(Str path)
{
    Str rest = str_slice(path, 1, path.len), part;
    while (str_next(&rest, '/', &part)) {
        bool last = rest.ptr == NULL;
        if ((part.len == 0 && !last) || str_eq(part, STR(".")) || str_eq(part, STR("..")))
            return false;
    }
    return true;
}

size_t http_decode_path(Str raw, char *out, const char **why)
{
    size_t len = 0;
    for (size_t at = 0; at < raw.len;)
        if (!path_byte(raw, &at, &out[len++])) {
            *why = "the path holds a byte that is not allowed";
            return 0;
        }
    Str path = {out, len};
    if (!segments_plain(path))
        *why = "the path holds an empty or dot segment";
    else if (!str_is_utf8(path))
        *why = "the path is not UTF-8";
    else
        return len;
    return 0;
}

size_t http_decode_form(Str raw, char *out)
{
    size_t len = 0;
    for (size_t i = 0; i < raw.len; i++) {
        char c = raw.ptr[i];
        if (c == '%' && raw.len - i >= 3 && http_hex(raw.ptr[i + 1]) >= 0 &&
            http_hex(raw.ptr[i + 2]) >= 0) {
            c = (char)(http_hex(raw.ptr[i + 1]) << 4 | http_hex(raw.ptr[i + 2]));
            i += 2;
        } else if (c == '+') {
            c = ' ';
        }
        out[len++] = c;
    }
    return len;
}

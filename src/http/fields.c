/* fields.c: what the header fields say about the message itself: length, coding, host, connection.
 */
#include "http/parse_in.h"

#include <string.h>

enum { LENGTH_DIGITS_MAX = 18 }; /* fits int64_t */

int http_hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

bool http_list_has(Str list, const char *token)
{
    Str part;
    while (str_next(&list, ',', &part))
        if (str_eq_nocase(str_trim(part), str_from_c(token)))
            return true;
    return false;
}

static bool digits(Str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] < '0' || s.ptr[i] > '9')
            return false;
    return s.len > 0;
}

static bool ip_literal(Str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (http_hex(s.ptr[i]) < 0 && s.ptr[i] != ':' && s.ptr[i] != '.')
            return false;
    return s.len >= 2;
}

static bool reg_name(Str s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        bool fits = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                    c == '-' || c == '.' || c == '_' || c == '~';
        if (!fits)
            return false;
    }
    return s.len > 0 && s.len <= 255;
}

/* host [":" port]. Percent-encoded names and sub-delimiters are allowed by RFC 3986 but are no host
 * we could be. */
bool http_host_valid(Str host)
{
    size_t end = host.len;
    bool literal = host.len > 0 && host.ptr[0] == '[';
    size_t close = literal ? str_find_char(host, ']') : STR_NONE;
    if (literal && close == STR_NONE)
        return false;
    size_t colon = str_rfind_char(host, ':');
    if (colon != STR_NONE && (!literal || colon > close)) {
        Str port = str_slice(host, colon + 1, host.len);
        int64_t n = 0;
        if (port.len > 0 && (!digits(port) || port.len > 5 || !str_to_i64(port, &n) || n > 65535))
            return false;
        end = colon;
    }
    if (!literal)
        return reg_name(str_slice(host, 0, end));
    return close == end - 1 && ip_literal(str_slice(host, 1, close));
}

typedef struct Seen {
    int hosts, lengths, codings;
    bool close;
} Seen;

static HttpParsed bad(HttpParse *p, const char *why)
{
    return http_parse_bad(p, 400, ERR_BAD_REQUEST, why);
}

static HttpParsed take_host(HttpParse *p, HttpSpan value, Str text, Seen *seen)
{
    if (seen->hosts++ > 0)
        return bad(p, "more than one Host");
    if (!http_host_valid(text))
        return bad(p, "Host is not well-formed");
    p->host = value;
    return PARSE_DONE;
}

static HttpParsed take_length(HttpParse *p, Str text, Seen *seen)
{
    if (seen->lengths++ > 0)
        return bad(p, "more than one Content-Length");
    if (!digits(text) || text.len > LENGTH_DIGITS_MAX || !str_to_i64(text, &p->content_length))
        return bad(p, "Content-Length is not a plain number");
    return PARSE_DONE;
}

/* Only "chunked", once. A list that ends in chunked is a coding we do not know; anything else has
 * no clear end. */
static HttpParsed take_coding(HttpParse *p, Str text, Seen *seen)
{
    if (seen->codings++ > 0)
        return bad(p, "more than one Transfer-Encoding");
    if (str_eq_nocase(text, STR("chunked"))) {
        p->chunked = true;
        return PARSE_DONE;
    }
    size_t comma = str_rfind_char(text, ',');
    if (comma != STR_NONE && !http_list_has(str_slice(text, 0, comma), "chunked") &&
        str_eq_nocase(str_trim(str_slice(text, comma + 1, text.len)), STR("chunked")))
        return http_parse_bad(p, 501, ERR_BAD_REQUEST, "only the transfer coding chunked is known");
    return bad(p, "Transfer-Encoding is not chunked");
}

static HttpParsed take_connection(HttpParse *p, Str text, Seen *seen)
{
    seen->close |= http_list_has(text, "close");
    p->keep_alive |= http_list_has(text, "keep-alive");
    p->keep_alive &= !seen->close;
    p->upgrade |= http_list_has(text, "upgrade");
    return PARSE_DONE;
}

static HttpParsed take_expect(HttpParse *p, Str text)
{
    if (!str_eq_nocase(text, STR("100-continue")))
        return http_parse_bad(p, 417, ERR_BAD_REQUEST, "the expectation is not 100-continue");
    p->expect_continue = p->minor > 0;
    return PARSE_DONE;
}

static HttpParsed take_field(HttpParse *p, const char *head, uint32_t i, Seen *seen)
{
    Str name = http_span(head, p->headers[i].name);
    HttpSpan span = p->headers[i].value;
    Str value = http_span(head, span);
    switch (name.len) {
    case 4:
        return str_eq_nocase(name, STR("host")) ? take_host(p, span, value, seen) : PARSE_DONE;
    case 6:
        return str_eq_nocase(name, STR("expect")) ? take_expect(p, value) : PARSE_DONE;
    case 10:
        return str_eq_nocase(name, STR("connection")) ? take_connection(p, value, seen)
                                                      : PARSE_DONE;
    case 14:
        return str_eq_nocase(name, STR("content-length")) ? take_length(p, value, seen)
                                                          : PARSE_DONE;
    case 17:
        return str_eq_nocase(name, STR("transfer-encoding")) ? take_coding(p, value, seen)
                                                             : PARSE_DONE;
    default:
        return PARSE_DONE;
    }
}

HttpParsed http_parse_fields(HttpParse *p, const char *head)
{
    Seen seen = {0};
    p->keep_alive = p->minor > 0;
    for (uint32_t i = 0; i < p->headers_len; i++)
        if (take_field(p, head, i, &seen) == PARSE_BAD)
            return PARSE_BAD;
    if (seen.hosts == 0 && p->minor > 0)
        return bad(p, "there is no Host");
    if (seen.lengths > 0 && seen.codings > 0)
        return bad(p, "both Content-Length and Transfer-Encoding");
    if (seen.codings > 0 && p->minor == 0)
        return bad(p, "Transfer-Encoding in HTTP/1.0");
    if (!p->method_known)
        return http_parse_bad(p, 501, ERR_METHOD_NOT_ALLOWED, "the method is not known");
    return http_parse_target(p, head);
}

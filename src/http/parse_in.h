/* parse_in.h: the head of a request, strictly by RFC 9112, from bytes to fields. Pure: no memory,
 * no I/O.
 *
 *   HttpParse p;
 *   http_parse_init(&p, head_max, tls);
 *   for (;;) { … more bytes at the end of `head` …
 *       switch (http_parse(&p, head, len)) { PARSE_MORE: read on; PARSE_DONE: p says it all;
 * PARSE_BAD: p.err } }
 *
 * `head` always begins at the first byte of the request and only grows; the pointer may move
 * between calls. Every byte is looked at once, so what comes out does not depend on how the bytes
 * were cut. Spans are offsets into `head`. */
#ifndef PLATEN_HTTP_PARSE_IN_H
#define PLATEN_HTTP_PARSE_IN_H

#include "http/http.h"

typedef struct HttpSpan {
    uint32_t from, to;
} HttpSpan;

typedef enum HttpParsed { PARSE_MORE, PARSE_DONE, PARSE_BAD } HttpParsed;

typedef struct HttpParse {
    /* how far it is */
    uint32_t at, mark, head_max;
    uint8_t state;
    bool tls;

    /* the request line and the fields, as sent */
    HttpSpan method_text, target, path, query, host;
    struct {
        HttpSpan name, value;
    } headers[HTTP_HEADERS_MAX];
    uint32_t headers_len;

    /* what they mean */
    HttpMethod method;
    bool method_known, asterisk;
    int minor;              /* HTTP/1.minor */
    int64_t content_length; /* -1: none */
    bool chunked, keep_alive, upgrade, expect_continue;

    /* PARSE_BAD */
    int status;
    ErrCode err;
    const char *why;
} HttpParse;

void http_parse_init(HttpParse *p, size_t head_max, bool tls);
HttpParsed http_parse(HttpParse *p, const char *head, size_t len);
/* What the fields mean together: lengths, host, connection. Called by http_parse at the end of the
 * head (fields.c). */
HttpParsed http_parse_fields(HttpParse *p, const char *head);
/* Form of the target: origin, absolute, asterisk; finds path and query (target.c). */
HttpParsed http_parse_target(HttpParse *p, const char *head);
HttpParsed http_parse_bad(HttpParse *p, int status, ErrCode err, const char *why);

static inline Str http_span(const char *head, HttpSpan s)
{
    return (Str){head + s.from, s.to - s.from};
}

/* Percent-decoded path of an HttpParse into `out` (at least path.len bytes); 0 and *why when it
 * holds what no path may: NUL, control bytes, an encoded slash, "//", "." or ".." segments, bad
 * UTF-8. Returns the length. */
size_t http_decode_path(Str raw, char *out, const char **why);
/* Form decoding ("+" is a space). `out` needs raw.len bytes; returns the length. Bad escapes stay
 * as they are. */
size_t http_decode_form(Str raw, char *out);
bool http_host_valid(Str host);
bool http_token_char(unsigned char c);
/* True when the comma-separated list holds `token`, whatever the case. */
bool http_list_has(Str list, const char *token);
int http_hex(char c); /* -1: not a hex digit */

#endif

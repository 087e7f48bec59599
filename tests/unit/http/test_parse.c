/* Every case goes in whole and byte by byte; what comes out is one line: "METHOD path?query [cl=N]
 * [chunked:body] [close]", or the status of the refusal. "more" means that the request is not at
 * its end. */
#include "http/chunk_in.h"
#include "http/parse_in.h"
#include "http/route_in.h"
#include "unit/harness.h"

enum { HEAD_MAX = 1024, OUT = 512 };

typedef struct Case {
    const char *why, *bytes, *want;
} Case;

#define HOST "Host: a\r\n"

static const Case heads[] = {
    /* well-formed */
    {"plain", "GET / HTTP/1.1\r\n" HOST "\r\n", "GET /"},
    {"query", "GET /a/b?c=d&e HTTP/1.1\r\n" HOST "\r\n", "GET /a/b?c=d&e"},
    {"escapes are decoded in the path only", "GET /a%20b?c%20 HTTP/1.1\r\n" HOST "\r\n",
     "GET /a b?c%20"},
    {"UTF-8 in the path", "GET /%C3%A9 HTTP/1.1\r\n" HOST "\r\n", "GET /\xc3\xa9"},
    {"trailing slash", "GET /a/ HTTP/1.1\r\n" HOST "\r\n", "GET /a/"},
    {"empty query", "GET /a? HTTP/1.1\r\n" HOST "\r\n", "GET /a"},
    {"one empty line before", "\r\nGET / HTTP/1.1\r\n" HOST "\r\n", "GET /"},
    {"blanks around a value", "GET / HTTP/1.1\r\nHost: \t a \t\r\n\r\n", "GET /"},
    {"empty value", "GET / HTTP/1.1\r\nX:\r\n" HOST "\r\n", "GET /"},
    {"obs-text in a value", "GET / HTTP/1.1\r\nX: \xe9\r\n" HOST "\r\n", "GET /"},
    {"length", "POST / HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\n", "POST / cl=5"},
    {"length with zeros", "POST / HTTP/1.1\r\n" HOST "Content-Length: 0005\r\n\r\n", "POST / cl=5"},
    {"host with port", "GET / HTTP/1.1\r\nHost: a.b-c:8080\r\n\r\n", "GET /"},
    {"host with empty port", "GET / HTTP/1.1\r\nHost: a:\r\n\r\n", "GET /"},
    {"IPv6 host", "GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", "GET /"},
    {"close", "GET / HTTP/1.1\r\n" HOST "Connection: x, Close\r\n\r\n", "GET / close"},
    {"HTTP/1.0 closes", "GET / HTTP/1.0\r\n\r\n", "GET / close"},
    {"HTTP/1.0 keep-alive", "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "GET /"},
    {"close wins", "GET / HTTP/1.0\r\nConnection: close\r\nConnection: keep-alive\r\n\r\n",
     "GET / close"},
    {"HTTP/1.2 is HTTP/1.1", "GET / HTTP/1.2\r\n" HOST "\r\n", "GET /"},
    {"absolute-form", "GET http://b.c/d?e HTTP/1.1\r\n" HOST "\r\n", "GET /d?e"},
    {"absolute-form, scheme in capitals", "GET HTTP://b/ HTTP/1.1\r\n" HOST "\r\n", "GET /"},
    {"asterisk-form", "OPTIONS * HTTP/1.1\r\n" HOST "\r\n", "OPTIONS *"},
    {"not at its end", "GET / HTTP/1.1\r\n" HOST "\r", "more"},
    {"nothing", "", "more"},

    /* smuggling */
    {"length and chunked",
     "POST / HTTP/1.1\r\n" HOST "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", "400"},
    {"chunked and length",
     "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n", "400"},
    {"two lengths, same",
     "POST / HTTP/1.1\r\n" HOST "Content-Length: 5\r\nContent-Length: 5\r\n\r\n", "400"},
    {"two lengths, different",
     "POST / HTTP/1.1\r\n" HOST "Content-Length: 5\r\nContent-Length: 6\r\n\r\n", "400"},
    {"list of lengths", "POST / HTTP/1.1\r\n" HOST "Content-Length: 5, 5\r\n\r\n", "400"},
    {"length with plus", "POST / HTTP/1.1\r\n" HOST "Content-Length: +5\r\n\r\n", "400"},
    {"length with minus", "POST / HTTP/1.1\r\n" HOST "Content-Length: -5\r\n\r\n", "400"},
    {"length with space inside", "POST / HTTP/1.1\r\n" HOST "Content-Length: 5 5\r\n\r\n", "400"},
    {"length in hex", "POST / HTTP/1.1\r\n" HOST "Content-Length: 0x5\r\n\r\n", "400"},
    {"empty length", "POST / HTTP/1.1\r\n" HOST "Content-Length:\r\n\r\n", "400"},
    {"length overflows", "POST / HTTP/1.1\r\n" HOST "Content-Length: 18446744073709551621\r\n\r\n",
     "400"},
    {"chunked twice in a list",
     "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked, chunked\r\n\r\n", "400"},
    {"chunked in two fields",
     "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
     "400"},
    {"identity", "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: identity\r\n\r\n", "400"},
    {"xchunked", "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: xchunked\r\n\r\n", "400"},
    {"chunked, gzip", "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked, gzip\r\n\r\n", "400"},
    {"gzip, chunked", "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip, chunked\r\n\r\n", "501"},
    {"quoted chunked", "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: \"chunked\"\r\n\r\n", "400"},
    {"chunked with parameter", "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked;a=b\r\n\r\n",
     "400"},
    {"empty coding", "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding:\r\n\r\n", "400"},
    {"vertical tab before chunked",
     "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: \vchunked\r\n\r\n", "400"},
    {"chunked in HTTP/1.0", "POST / HTTP/1.0\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n", "400"},

    /* lines */
    {"bare CR in the request line", "GET / HTTP/1.1\r" HOST "\r\n", "400"},
    {"bare CR in a value", "GET / HTTP/1.1\r\nX: a\rb\r\n" HOST "\r\n", "400"},
    {"bare LF after the request line", "GET / HTTP/1.1\n" HOST "\r\n", "400"},
    {"bare LF after a field", "GET / HTTP/1.1\r\nHost: a\n\r\n", "400"},
    {"bare LF at the end", "GET / HTTP/1.1\r\n" HOST "\n", "400"},
    {"two empty lines before", "\r\n\r\nGET / HTTP/1.1\r\n" HOST "\r\n", "400"},
    {"bare LF before", "\nGET / HTTP/1.1\r\n" HOST "\r\n", "400"},
    {"obs-fold", "GET / HTTP/1.1\r\n" HOST "X: a\r\n b\r\n\r\n", "400"},
    {"obs-fold with tab", "GET / HTTP/1.1\r\n" HOST "X: a\r\n\tb\r\n\r\n", "400"},
    {"blank before the first field", "GET / HTTP/1.1\r\n X: a\r\n" HOST "\r\n", "400"},
    {"space before the colon", "GET / HTTP/1.1\r\nHost : a\r\n\r\n", "400"},
    {"tab before the colon", "GET / HTTP/1.1\r\nHost\t: a\r\n\r\n", "400"},
    {"no name", "GET / HTTP/1.1\r\n: a\r\n" HOST "\r\n", "400"},
    {"no colon", "GET / HTTP/1.1\r\nHost\r\n\r\n", "400"},
    {"control byte in a name", "GET / HTTP/1.1\r\nX\x01: a\r\n" HOST "\r\n", "400"},
    {"parenthesis in a name", "GET / HTTP/1.1\r\nX(: a\r\n" HOST "\r\n", "400"},
    {"control byte in a value", "GET / HTTP/1.1\r\nX: a\x01\r\n" HOST "\r\n", "400"},
    {"DEL in a value", "GET / HTTP/1.1\r\nX: a\x7f\r\n" HOST "\r\n", "400"},
    {"obs-text in a name", "GET / HTTP/1.1\r\n\xe9: a\r\n" HOST "\r\n", "400"},

    /* host */
    {"no host", "GET / HTTP/1.1\r\n\r\n", "400"},
    {"two hosts", "GET / HTTP/1.1\r\n" HOST HOST "\r\n", "400"},
    {"empty host", "GET / HTTP/1.1\r\nHost:\r\n\r\n", "400"},
    {"host with user", "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", "400"},
    {"host with path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", "400"},
    {"host with two ports", "GET / HTTP/1.1\r\nHost: a:1:2\r\n\r\n", "400"},
    {"port too large", "GET / HTTP/1.1\r\nHost: a:65536\r\n\r\n", "400"},
    {"port not a number", "GET / HTTP/1.1\r\nHost: a:b\r\n\r\n", "400"},
    {"open bracket", "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", "400"},
    {"text behind the bracket", "GET / HTTP/1.1\r\nHost: [::1]x\r\n\r\n", "400"},
    {"empty brackets", "GET / HTTP/1.1\r\nHost: []\r\n\r\n", "400"},

    /* request line */
    {"HTTP/2.0", "GET / HTTP/2.0\r\n" HOST "\r\n", "505"},
    {"HTTP/0.9 with version", "GET / HTTP/0.9\r\n" HOST "\r\n", "505"},
    {"HTTP/0.9 without", "GET /\r\n", "400"},
    {"version in lower case", "GET / http/1.1\r\n" HOST "\r\n", "400"},
    {"version with two digits", "GET / HTTP/1.10\r\n" HOST "\r\n", "400"},
    {"space after the version", "GET / HTTP/1.1 \r\n" HOST "\r\n", "400"},
    {"method in lower case", "get / HTTP/1.1\r\n" HOST "\r\n", "501"},
    {"unknown method", "BREW / HTTP/1.1\r\n" HOST "\r\n", "501"},
    {"TRACE", "TRACE / HTTP/1.1\r\n" HOST "\r\n", "501"},
    {"CONNECT", "CONNECT a:80 HTTP/1.1\r\n" HOST "\r\n", "501"},
    {"long method", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA / HTTP/1.1\r\n" HOST "\r\n",
     "400"},
    {"no method", " / HTTP/1.1\r\n" HOST "\r\n", "400"},
    {"two spaces", "GET  / HTTP/1.1\r\n" HOST "\r\n", "400"},
    {"tab for space", "GET\t/ HTTP/1.1\r\n" HOST "\r\n", "400"},
    {"preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "505"},
    {"TLS on a plain port", "\x16\x03\x01\x02", "400"},

    /* target */
    {"another scheme", "GET ftp://a/ HTTP/1.1\r\n" HOST "\r\n", "400"},
    {"https on a plain port", "GET https://a/ HTTP/1.1\r\n" HOST "\r\n", "400"},
    {"absolute-form without path", "GET http://a HTTP/1.1\r\n" HOST "\r\n", "400"},
    {"absolute-form, bad host", "GET http://u@a/ HTTP/1.1\r\n" HOST "\r\n", "400"},
    {"authority-form", "GET a:80 HTTP/1.1\r\n" HOST "\r\n", "400"},
    {"asterisk with GET", "GET * HTTP/1.1\r\n" HOST "\r\n", "400"},
    {"no slash", "GET a HTTP/1.1\r\n" HOST "\r\n", "400"},
    {"fragment", "GET /a#b HTTP/1.1\r\n" HOST "\r\n", "400"},
    {"raw UTF-8", "GET /\xc3\xa9 HTTP/1.1\r\n" HOST "\r\n", "400"},
    {"quote", "GET /\" HTTP/1.1\r\n" HOST "\r\n", "400"},
    {"backslash", "GET /a\\b HTTP/1.1\r\n" HOST "\r\n", "400"},
    {"percent and nothing", "GET /a% HTTP/1.1\r\n" HOST "\r\n", "400"},
    {"percent and one digit", "GET /a%2 HTTP/1.1\r\n" HOST "\r\n", "400"},
    {"percent and no hex", "GET /a%zz HTTP/1.1\r\n" HOST "\r\n", "400"},
    {"bad percent in the query", "GET /a?b=%z1 HTTP/1.1\r\n" HOST "\r\n", "400"},
    {"%00 in the path", "GET /a%00 HTTP/1.1\r\n" HOST "\r\n", "400"},
    {"%00 in the query", "GET /a?b=%00 HTTP/1.1\r\n" HOST "\r\n", "400"},
    {"%0a in the path", "GET /a%0a HTTP/1.1\r\n" HOST "\r\n", "400"},
    {"encoded slash", "GET /a%2Fb HTTP/1.1\r\n" HOST "\r\n", "400"},
    {"encoded backslash", "GET /a%5Cb HTTP/1.1\r\n" HOST "\r\n", "400"},
    {"dot segment", "GET /a/./b HTTP/1.1\r\n" HOST "\r\n", "400"},
    {"two dots", "GET /a/../b HTTP/1.1\r\n" HOST "\r\n", "400"},
    {"two dots at the end", "GET /a/.. HTTP/1.1\r\n" HOST "\r\n", "400"},
    {"encoded dots", "GET /%2e%2e/b HTTP/1.1\r\n" HOST "\r\n", "400"},
    {"double encoding stays single", "GET /%252e%252e/b HTTP/1.1\r\n" HOST "\r\n", "GET /%2e%2e/b"},
    {"three dots are a name", "GET /... HTTP/1.1\r\n" HOST "\r\n", "GET /..."},
    {"empty segment", "GET /a//b HTTP/1.1\r\n" HOST "\r\n", "400"},
    {"two slashes at the start", "GET //b HTTP/1.1\r\n" HOST "\r\n", "400"},
    {"not UTF-8", "GET /%ff HTTP/1.1\r\n" HOST "\r\n", "400"},
    {"overlong UTF-8", "GET /%c0%af HTTP/1.1\r\n" HOST "\r\n", "400"},

    /* expectations */
    {"100-continue", "POST / HTTP/1.1\r\n" HOST "Expect: 100-Continue\r\nContent-Length: 1\r\n\r\n",
     "POST / cl=1 continue"},
    {"100-continue means nothing in HTTP/1.0",
     "POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n", "POST / cl=1 close"},
    {"another expectation", "POST / HTTP/1.1\r\n" HOST "Expect: 200-ok\r\n\r\n", "417"},
};

#define CHUNKED "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: Chunked\r\n\r\n"

static const Case bodies[] = {
    {"one chunk", CHUNKED "5\r\nhello\r\n0\r\n\r\n", "POST / chunked:hello"},
    {"several", CHUNKED "1\r\na\r\n0002\r\nbc\r\n0\r\n\r\n", "POST / chunked:abc"},
    {"hex in both cases", CHUNKED "a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n",
     "POST / chunked:01234567890123456789"},
    {"empty", CHUNKED "0\r\n\r\n", "POST / chunked:"},
    {"extension", CHUNKED "1;a\r\nx\r\n0;b=c;d=\"e\\\" f\"\r\n\r\n", "POST / chunked:x"},
    {"trailers", CHUNKED "1\r\nx\r\n0\r\nA: b\r\nC:\r\n\r\n", "POST / chunked:x"},
    {"data looks like a chunk", CHUNKED "5\r\n0\r\n\r\n\r\n0\r\n\r\n", "POST / chunked:0\r\n\r\n"},
    {"the next request follows", CHUNKED "1\r\nx\r\n0\r\n\r\nGET", "POST / chunked:x +3"},
    {"not at its end", CHUNKED "5\r\nhell", "more"},
    {"final CRLF missing", CHUNKED "0\r\n", "more"},
    {"no size", CHUNKED "\r\nx\r\n", "400"},
    {"not hex", CHUNKED "g\r\n", "400"},
    {"0x", CHUNKED "0x1\r\nx\r\n", "400"},
    {"minus", CHUNKED "-1\r\nx\r\n", "400"},
    {"plus", CHUNKED "+1\r\nx\r\n", "400"},
    {"space before the size", CHUNKED " 1\r\nx\r\n", "400"},
    {"space after the size", CHUNKED "1 \r\nx\r\n", "400"},
    {"size overflows", CHUNKED "10000000000000001\r\nx\r\n", "400"},
    {"too many zeros", CHUNKED "00000000000000001\r\nx\r\n", "400"},
    {"bare LF after the size", CHUNKED "1\nx\r\n", "400"},
    {"bare CR after the size", CHUNKED "1\rx\r\n", "400"},
    {"no CRLF after the data", CHUNKED "1\r\nxx\r\n", "400"},
    {"bare LF after the data", CHUNKED "1\r\nx\n0\r\n\r\n", "400"},
    {"data longer than said", CHUNKED "1\r\nxy\r\n0\r\n\r\n", "400"},
    {"extension without name", CHUNKED "1;\r\nx\r\n", "400"},
    {"extension without value", CHUNKED "1;a=\r\nx\r\n", "400"},
    {"space in an extension", CHUNKED "1; a\r\nx\r\n", "400"},
    {"bare LF in an extension", CHUNKED "1;a\nx\r\n", "400"},
    {"line end in a quoted extension", CHUNKED "1;a=\"\r\n\"\r\nx\r\n", "400"},
    {"text behind a quoted extension", CHUNKED "1;a=\"b\"c\r\nx\r\n", "400"},
    {"trailer without colon", CHUNKED "0\r\nA\r\n\r\n", "400"},
    {"trailer without name", CHUNKED "0\r\n: a\r\n\r\n", "400"},
    {"folded trailer", CHUNKED "0\r\nA: b\r\n c\r\n\r\n", "400"},
    {"control byte in a trailer", CHUNKED "0\r\nA: \x01\r\n\r\n", "400"},
    {"bare LF in a trailer", CHUNKED "0\r\nA: b\n\r\n", "400"},
};

static void describe(const HttpParse *p, const char *head, char *out)
{
    char path[HEAD_MAX];
    const char *why = NULL;
    size_t len = p->asterisk ? 1 : http_decode_path(http_span(head, p->path), path, &why);
    if (p->asterisk)
        path[0] = '*';
    if (len == 0) {
        assert_non_null(why);
        snprintf(out, OUT, "400");
        return;
    }
    Str query = http_span(head, p->query);
    char length[32] = "";
    if (p->content_length >= 0)
        snprintf(length, sizeof length, " cl=%" PRId64, p->content_length);
    snprintf(out, OUT, "%s %.*s%s" STR_FMT "%s%s%s", http_method_name(p->method), (int)len, path,
             query.len > 0 ? "?" : "", STR_ARG(query), length, p->keep_alive ? "" : " close",
             p->expect_continue ? " continue" : "");
}

/* The chunked body behind the head, in pieces of `step` bytes. */
static void describe_chunks(Str rest, size_t step, char *out)
{
    HttpChunk c = {0};
    char body[OUT / 2] = "";
    size_t len = 0, at = 0;
    HttpChunked r = CHUNK_MORE;
    Str in = {rest.ptr, 0}, data;
    while (r != CHUNK_END && r != CHUNK_BAD && (in.len > 0 || at < rest.len)) {
        if (in.len == 0) {
            in = str_slice(rest, at, at + step);
            at += in.len;
        }
        r = http_chunk(&c, &in, &data);
        if (r == CHUNK_DATA) {
            memcpy(body + len, data.ptr, data.len);
            len += data.len;
        }
    }
    size_t after = rest.len - at + in.len;
    size_t end = strlen(out);
    if (r == CHUNK_BAD)
        snprintf(out, OUT, "400");
    else if (r != CHUNK_END)
        snprintf(out, OUT, "more");
    else
        snprintf(out + end, OUT - end, " chunked:%.*s", (int)len, body);
    if (r == CHUNK_END && after > 0)
        snprintf(out + strlen(out), OUT - strlen(out), " +%zu", after);
    if (r == CHUNK_BAD)
        assert_non_null(c.why);
}

/* The head as the server sees it: the bytes so far at an address that may change, `step` more at a
 * time. */
static void outcome(Str bytes, size_t step, char *out)
{
    HttpParse p;
    http_parse_init(&p, HEAD_MAX, false);
    HttpParsed r = PARSE_MORE;
    char *copy = NULL;
    for (size_t len = 0; r == PARSE_MORE && len < bytes.len;) {
        len = len + step < bytes.len ? len + step : bytes.len;
        free(copy);
        copy = malloc(len); /* exactly: a sanitizer sees a read too far */
        memcpy(copy, bytes.ptr, len);
        r = http_parse(&p, copy, len);
    }
    if (r == PARSE_MORE)
        snprintf(out, OUT, "more");
    else if (r == PARSE_BAD)
        snprintf(out, OUT, "%d", p.status);
    else
        describe(&p, copy, out);
    if (r == PARSE_BAD)
        assert_true(p.why != NULL && p.err != OK);
    if (r == PARSE_DONE && p.chunked)
        describe_chunks(str_slice(bytes, p.at, bytes.len), step, out);
    free(copy);
}

static void check(const char *why, Str bytes, const char *want)
{
    static const size_t steps[] = {100000, 1, 2, 3, 7};
    for (size_t i = 0; i < COUNT_OF(steps); i++) {
        char got[OUT];
        outcome(bytes, steps[i], got);
        if (strcmp(got, want) != 0)
            fail_msg("%s, %zu bytes at a time: got \"%s\", want \"%s\"", why, steps[i], got, want);
    }
}

TEST(heads_are_read_strictly)
{
    for (size_t i = 0; i < COUNT_OF(heads); i++)
        check(heads[i].why, str_from_c(heads[i].bytes), heads[i].want);
}

TEST(chunks_are_read_strictly)
{
    for (size_t i = 0; i < COUNT_OF(bodies); i++)
        check(bodies[i].why, str_from_c(bodies[i].bytes), bodies[i].want);
}

TEST(nul_is_refused_everywhere)
{
    static const char head[] = "GET /a?b HTTP/1.1\r\nHost: a\r\nX: y\r\n\r\n";
    for (size_t i = 0; i < sizeof head - 1; i++) {
        char bytes[sizeof head];
        memcpy(bytes, head, sizeof head);
        bytes[i] = 0;
        check("NUL", (Str){bytes, sizeof head - 1}, "400");
    }
}

TEST(heads_have_a_largest_size)
{
    char bytes[HEAD_MAX + 64];
    int n = snprintf(bytes, sizeof bytes, "GET / HTTP/1.1\r\nHost: a\r\nX: ");
    memset(bytes + n, 'x', sizeof bytes - (size_t)n);
    memcpy(bytes + HEAD_MAX - 4, "\r\n\r\n", 4);
    check("just fits", (Str){bytes, HEAD_MAX}, "GET /");
    memset(bytes + HEAD_MAX - 4, 'x', 5);
    memcpy(bytes + HEAD_MAX - 3, "\r\n\r\n", 4);
    check("one too many", (Str){bytes, HEAD_MAX + 1}, "431");
    memset(bytes, 'A', sizeof bytes);
    memcpy(bytes, "GET /", 5);
    check("endless target", (Str){bytes, sizeof bytes}, "431");
}

static Str with_headers(char *bytes, size_t size, int count)
{
    size_t n = (size_t)snprintf(bytes, size, "GET / HTTP/1.1\r\nHost: a\r\n");
    for (int i = 1; i < count; i++)
        n += (size_t)snprintf(bytes + n, size - n, "X:\r\n");
    n += (size_t)snprintf(bytes + n, size - n, "\r\n");
    return (Str){bytes, n};
}

TEST(headers_have_a_largest_number)
{
    char bytes[HEAD_MAX];
    check("as many as allowed", with_headers(bytes, sizeof bytes, HTTP_HEADERS_MAX), "GET /");
    check("one more", with_headers(bytes, sizeof bytes, HTTP_HEADERS_MAX + 1), "431");
}

TEST(trailers_and_extensions_have_a_largest_size)
{
    char *bytes = malloc(64 * 1024);
    size_t n = (size_t)snprintf(bytes, 256, CHUNKED "0\r\nA: ");
    memset(bytes + n, 'x', 60 * 1024);
    check("trailer", (Str){bytes, n + 60 * 1024}, "400");
    n = (size_t)snprintf(bytes, 256, CHUNKED "1;a=");
    memset(bytes + n, 'x', 60 * 1024);
    check("extension", (Str){bytes, n + 60 * 1024}, "400");
    free(bytes);
}

TEST(the_host_of_the_target_wins)
{
    static const char head[] = "GET http://right/ HTTP/1.1\r\nX: wrong\r\nHost: wrong\r\n\r\n";
    HttpParse p;
    http_parse_init(&p, HEAD_MAX, false);
    assert_int_equal(http_parse(&p, head, sizeof head - 1), PARSE_DONE);
    assert_str_equal(http_span(head, p.host), "right");
    assert_str_equal(http_span(head, p.headers[1].value), "right");
    assert_str_equal(http_span(head, p.headers[0].value), "wrong");
    http_parse_init(&p, HEAD_MAX, true);
    assert_int_equal(http_parse(&p, head, sizeof head - 1), PARSE_BAD);
}

TEST(forms_are_decoded)
{
    static const char *const cases[][2] = {
        {"a+b", "a b"}, {"%41%62", "Ab"}, {"%", "%"},       {"%4", "%4"},
        {"%zz", "%zz"}, {"", ""},         {"a%2Bb", "a+b"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char out[16];
        size_t n = http_decode_form(str_from_c(cases[i][0]), out);
        assert_str_equal(((Str){out, n}), cases[i][1]);
    }
}

TEST_MAIN(heads_are_read_strictly, chunks_are_read_strictly, nul_is_refused_everywhere,
          heads_have_a_largest_size, headers_have_a_largest_number,
          trailers_and_extensions_have_a_largest_size, the_host_of_the_target_wins,
          forms_are_decoded)

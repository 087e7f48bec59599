#include "http/parse_in.h"

#include <string.h>

/* One state per place in the head. Every byte moves the machine once; there is no looking back. */
enum State {
    BEFORE, /* one empty line before the request is allowed (RFC 9112, 2.2) */
    BEFORE_LF,
    METHOD,
    TARGET,
    VERSION,
    LINE_LF,
    FIELD_START,
    NAME,
    VALUE_START,
    VALUE,
    VALUE_LF,
    END_LF,
    DONE,
    BAD,
};

enum { METHOD_LEN_MAX = 32, VERSION_LEN = 8 };

/* Bits of the classes a byte belongs to. */
enum { TOKEN = 1, TARGET_CHAR = 2, VALUE_CHAR = 4 };
#define ALNUM (TOKEN | TARGET_CHAR | VALUE_CHAR)
static const unsigned char classes[256] = {
    [' '] = VALUE_CHAR,
    ['\t'] = VALUE_CHAR,
    ['!'] = ALNUM,
    ['"'] = VALUE_CHAR,
    ['#'] = TOKEN | VALUE_CHAR,
    ['$' ... '\''] = ALNUM,
    ['(' ... ')'] = TARGET_CHAR | VALUE_CHAR,
    ['*' ... '+'] = ALNUM,
    [','] = TARGET_CHAR | VALUE_CHAR,
    ['-' ... '.'] = ALNUM,
    ['/'] = TARGET_CHAR | VALUE_CHAR,
    ['0' ... '9'] = ALNUM,
    [':' ... ';'] = TARGET_CHAR | VALUE_CHAR,
    ['<'] = VALUE_CHAR,
    ['='] = TARGET_CHAR | VALUE_CHAR,
    ['>'] = VALUE_CHAR,
    ['?' ... '@'] = TARGET_CHAR | VALUE_CHAR,
    ['A' ... 'Z'] = ALNUM,
    ['['] = TARGET_CHAR | VALUE_CHAR,
    ['\\'] = VALUE_CHAR,
    [']'] = TARGET_CHAR | VALUE_CHAR,
    ['^' ... '`'] = ALNUM,
    ['a' ... 'z'] = ALNUM,
    ['{'] = TARGET_CHAR | VALUE_CHAR,
    ['|'] = ALNUM,
    ['}'] = TARGET_CHAR | VALUE_CHAR,
    ['~'] = ALNUM,
    [0x80 ... 0xff] = VALUE_CHAR,
};

static bool is(unsigned char c, int class)
{
    return (classes[c] & class) != 0;
}

bool http_token_char(unsigned char c)
{
    return is(c, TOKEN);
}

void http_parse_init(HttpParse *p, size_t head_max, bool tls)
{
    memset(p, 0, offsetof(HttpParse, headers));
    memset(&p->headers_len, 0, sizeof *p - offsetof(HttpParse, headers_len));
    p->head_max = (uint32_t)head_max;
    p->tls = tls;
    p->content_length = -1;
}

HttpParsed http_parse_bad(HttpParse *p, int status, ErrCode err, const char *why)
{
    p->state = BAD;
    p->status = status;
    p->err = err;
    p->why = why;
    return PARSE_BAD;
}

static HttpParsed bad(HttpParse *p, const char *why)
{
    return http_parse_bad(p, 400, ERR_BAD_REQUEST, why);
}

static HttpParsed to(HttpParse *p, enum State next)
{
    p->at++;
    p->state = (uint8_t)next;
    return PARSE_MORE;
}

static HttpParsed expect_lf(HttpParse *p, char c, enum State next)
{
    return c == '\n' ? to(p, next) : bad(p, "CR without LF");
}

static HttpParsed before_byte(HttpParse *p, char c)
{
    if (c == '\r' && p->at == 0)
        return to(p, BEFORE_LF);
    if (!is((unsigned char)c, TOKEN))
        return bad(p, c == '\n' ? "bare LF" : "the request does not begin with a method");
    p->mark = p->at;
    return to(p, METHOD);
}

static const struct {
    const char *name;
    HttpMethod method;
} methods[] = {
    {"GET", HTTP_GET},       {"POST", HTTP_POST},   {"HEAD", HTTP_HEAD},       {"PUT", HTTP_PUT},
    {"DELETE", HTTP_DELETE}, {"PATCH", HTTP_PATCH}, {"OPTIONS", HTTP_OPTIONS},
};

static void find_method(HttpParse *p, Str text)
{
    for (size_t i = 0; i < COUNT_OF(methods) && !p->method_known; i++)
        if (str_eq_c(text, methods[i].name)) {
            p->method = methods[i].method;
            p->method_known = true;
        }
}

static HttpParsed method_byte(HttpParse *p, const char *head, char c)
{
    if (is((unsigned char)c, TOKEN))
        return p->at - p->mark < METHOD_LEN_MAX ? to(p, METHOD) : bad(p, "the method is too long");
    if (c != ' ')
        return bad(p, "the method holds a byte that is not allowed");
    p->method_text = (HttpSpan){p->mark, p->at};
    find_method(p, http_span(head, p->method_text));
    p->mark = p->at + 1;
    return to(p, TARGET);
}

static HttpParsed target_byte(HttpParse *p, char c)
{
    if (is((unsigned char)c, TARGET_CHAR))
        return to(p, TARGET);
    if (c != ' ')
        return bad(p, "the target holds a byte that is not allowed");
    if (p->at == p->mark)
        return bad(p, "more than one space before the target");
    p->target = (HttpSpan){p->mark, p->at};
    p->mark = p->at + 1;
    return to(p, VERSION);
}

/* Exactly "HTTP/" digit "." digit, judged byte by byte. */
static HttpParsed version_byte(HttpParse *p, const char *head, char c)
{
    static const char want[] = "HTTP/";
    uint32_t i = p->at - p->mark;
    bool digit = c >= '0' && c <= '9';
    bool fits = i < 5 ? c == want[i] : i == 5 || i == 7 ? digit : i == 6 ? c == '.' : c == '\r';
    if (!fits)
        return bad(p, "the version is not well-formed");
    if (i < VERSION_LEN)
        return to(p, VERSION);
    if (head[p->mark + 5] != '1')
        return http_parse_bad(p, 505, ERR_BAD_REQUEST,
                              "only HTTP/1.1 and HTTP/1.0 are spoken here");
    p->minor = head[p->mark + 7] - '0';
    return to(p, LINE_LF);
}

static HttpParsed field_start_byte(HttpParse *p, char c)
{
    if (c == '\r')
        return to(p, END_LF);
    if (c == ' ' || c == '\t')
        return bad(p, "a header is folded over two lines");
    if (c == ':')
        return bad(p, "a header has no name");
    if (!is((unsigned char)c, TOKEN))
        return bad(p, c == '\n' ? "bare LF" : "a header's name holds a byte that is not allowed");
    if (p->headers_len == HTTP_HEADERS_MAX)
        return http_parse_bad(p, 431, ERR_HEAD_TOO_LARGE, "too many headers");
    p->mark = p->at;
    return to(p, NAME);
}

static HttpParsed name_byte(HttpParse *p, char c)
{
    if (is((unsigned char)c, TOKEN))
        return to(p, NAME);
    if (c != ':')
        return bad(p, c == ' ' || c == '\t' ? "space before a header's colon"
                                            : "a header's name holds a byte that is not allowed");
    p->headers[p->headers_len].name = (HttpSpan){p->mark, p->at};
    p->mark = p->at + 1;
    return to(p, VALUE_START);
}

static HttpParsed value_byte(HttpParse *p, const char *head, char c)
{
    if (c != '\r')
        return is((unsigned char)c, VALUE_CHAR)
                   ? to(p, VALUE)
                   : bad(p, c == '\n' ? "bare LF" : "a header's value holds a control byte");
    uint32_t end = p->at;
    while (end > p->mark && (head[end - 1] == ' ' || head[end - 1] == '\t'))
        end--;
    p->headers[p->headers_len++].value = (HttpSpan){p->mark, end};
    return to(p, VALUE_LF);
}

static HttpParsed value_start_byte(HttpParse *p, const char *head, char c)
{
    if (c != ' ' && c != '\t') {
        p->mark = p->at;
        return value_byte(p, head, c);
    }
    p->mark = p->at + 1;
    return to(p, VALUE_START);
}

static HttpParsed end_byte(HttpParse *p, const char *head, char c)
{
    if (c != '\n')
        return bad(p, "CR without LF");
    to(p, DONE);
    return http_parse_fields(p, head);
}

static HttpParsed step(HttpParse *p, const char *head, char c)
{
    switch ((enum State)p->state) {
    case BEFORE:
        return before_byte(p, c);
    case BEFORE_LF:
        return expect_lf(p, c, BEFORE);
    case METHOD:
        return method_byte(p, head, c);
    case TARGET:
        return target_byte(p, c);
    case VERSION:
        return version_byte(p, head, c);
    case LINE_LF:
    case VALUE_LF:
        return expect_lf(p, c, FIELD_START);
    case FIELD_START:
        return field_start_byte(p, c);
    case NAME:
        return name_byte(p, c);
    case VALUE_START:
        return value_start_byte(p, head, c);
    case VALUE:
        return value_byte(p, head, c);
    case END_LF:
        return end_byte(p, head, c);
    case DONE:
    case BAD:
        break;
    }
    return PARSE_BAD;
}

/* The long runs of a head (target, names, values) without a call per byte. */
static void skip_run(HttpParse *p, const char *head, uint32_t end)
{
    static const unsigned char runs[] = {
        [TARGET] = TARGET_CHAR, [NAME] = TOKEN, [VALUE] = VALUE_CHAR, [BAD] = 0};
    int class = runs[p->state];
    if (class == 0)
        return;
    while (p->at < end && is((unsigned char)head[p->at], class))
        p->at++;
}

HttpParsed http_parse(HttpParse *p, const char *head, size_t len)
{
    uint32_t end = len < p->head_max ? (uint32_t)len : p->head_max;
    while (p->state != DONE && p->state != BAD) {
        skip_run(p, head, end);
        if (p->at >= end)
            return p->at < p->head_max
                       ? PARSE_MORE
                       : http_parse_bad(p, 431, ERR_HEAD_TOO_LARGE, "the head is too large");
        HttpParsed r = step(p, head, head[p->at]);
        if (r != PARSE_MORE)
            return r;
    }
    return p->state == DONE ? PARSE_DONE : PARSE_BAD;
}

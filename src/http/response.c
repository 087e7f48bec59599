/* response.c: the head of an answer, and what handlers say in it. */
#include "base/fd.h"
#include "http/http_in.h"
#include "http/trace_in.h"

#include <string.h>

const char *http_status_text(int status)
{
    static const struct {
        int status;
        const char *text;
    } texts[] = {
        {200, "OK"},
        {201, "Created"},
        {202, "Accepted"},
        {204, "No Content"},
        {206, "Partial Content"},
        {301, "Moved Permanently"},
        {302, "Found"},
        {303, "See Other"},
        {304, "Not Modified"},
        {307, "Temporary Redirect"},
        {308, "Permanent Redirect"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {402, "Payment Required"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {406, "Not Acceptable"},
        {408, "Request Timeout"},
        {409, "Conflict"},
        {410, "Gone"},
        {411, "Length Required"},
        {412, "Precondition Failed"},
        {413, "Content Too Large"},
        {415, "Unsupported Media Type"},
        {416, "Range Not Satisfiable"},
        {417, "Expectation Failed"},
        {422, "Unprocessable Content"},
        {426, "Upgrade Required"},
        {428, "Precondition Required"},
        {429, "Too Many Requests"},
        {431, "Request Header Fields Too Large"},
        {500, "Internal Server Error"},
        {501, "Not Implemented"},
        {502, "Bad Gateway"},
        {503, "Service Unavailable"},
        {504, "Gateway Timeout"},
        {505, "HTTP Version Not Supported"},
        {507, "Insufficient Storage"},
        {101, "Switching Protocols"},
    };
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        if (texts[i].status == status)
            return texts[i].text;
    return "Unknown";
}

/* --- what handlers say --- */

static bool repeats(const char *name)
{
    return str_eq_nocase(str_from_c(name), STR("Set-Cookie")) ||
           str_eq_nocase(str_from_c(name), STR("Link"));
}

void http_set_header(HttpRequest *req, const char *name, Str value)
{
    HttpResponse *res = &req->res;
    Str key = str_from_c(name);
    size_t i = repeats(name) ? res->headers_len : 0;
    while (i < res->headers_len && !str_eq_nocase(res->headers[i].name, key))
        i++;
    if (i == COUNT_OF(res->headers))
        return;
    res->headers[i] = (HttpHeader){key, value};
    if (i == res->headers_len)
        res->headers_len++;
}

void http_answer_text(HttpRequest *req, int status, const char *type, Str body)
{
    fd_close(&req->res.file_fd); /* an answer that took another's place */
    req->res.status = status;
    req->res.body = body;
    http_set_header(req, "Content-Type", str_from_c(type));
}

void http_answer_json(HttpRequest *req, int status, Str json)
{
    http_answer_text(req, status, "application/json", json);
}

/* --- the head --- */

/* What every answer says unless its handler says otherwise. */
static const HttpHeader defaults[] = {
    {{"X-Content-Type-Options", 22}, {"nosniff", 7}},
    {{"Referrer-Policy", 15}, {"no-referrer", 11}},
    {{"Cross-Origin-Opener-Policy", 26}, {"same-origin", 11}},
    {{"X-Frame-Options", 15}, {"DENY", 4}},
    {{"Content-Security-Policy", 23}, {"default-src 'none'; frame-ancestors 'none'", 42}},
    {{"Cache-Control", 13}, {"no-store", 8}},
};

/* The server alone says these. */
static bool ours(Str name)
{
    switch (name.len) {
    case 4:
        return str_eq_nocase(name, STR("Date"));
    case 10:
        return str_eq_nocase(name, STR("Connection"));
    case 14:
        return str_eq_nocase(name, STR("Content-Length"));
    case 17:
        return str_eq_nocase(name, STR("Transfer-Encoding"));
    default:
        return false;
    }
}

/* A value with a line end in it would be another header, or another answer. */
static bool value_plain(Str v)
{
    for (size_t i = 0; i < v.len; i++)
        if (((unsigned char)v.ptr[i] < 0x20 && v.ptr[i] != '\t') || v.ptr[i] == 0x7f)
            return false;
    return true;
}

static void add(Buf *b, Str name, Str value)
{
    char *p = buf_room(b, name.len + value.len + 4);
    if (p == NULL)
        return;
    memcpy(p, name.ptr, name.len);
    p += name.len;
    memcpy(p, ": ", 2);
    if (value.len > 0)
        memcpy(p + 2, value.ptr, value.len);
    memcpy(p + 2 + value.len, "\r\n", 2);
    buf_wrote(b, name.len + value.len + 4);
}

bool http_res_has(const HttpResponse *res, Str name)
{
    for (size_t i = 0; i < res->headers_len; i++)
        if (res->headers[i].name.len == name.len && str_eq_nocase(res->headers[i].name, name))
            return true;
    return false;
}

static void add_headers(const HttpResponse *res, Buf *b)
{
    for (size_t i = 0; i < res->headers_len; i++)
        if (!ours(res->headers[i].name) && value_plain(res->headers[i].value))
            add(b, res->headers[i].name, res->headers[i].value);
    for (size_t i = 0; i < COUNT_OF(defaults); i++)
        if (!http_res_has(res, defaults[i].name))
            add(b, defaults[i].name, defaults[i].value);
}

static void add_trace(HttpLoop *l, const HttpExchange *ex, Buf *b)
{
    Str trace = str_from_c(ex->req.trace);
    add(b, STR("X-Trace-Id"), trace);
    if (!ex->has_traceparent)
        return;
    char value[56] = "00-", *at = value + 3;
    memcpy(at, trace.ptr, 32);
    at[32] = '-';
    http_trace_hex(http_random(l) | 1, at + 33);
    memcpy(at + 49, "-01", 3);
    add(b, STR("traceparent"), (Str){value, 55});
}

static void add_framing(const HttpExchange *ex, Buf *b)
{
    const HttpResponse *res = &ex->req.res;
    if (res->status == 101) {
        add(b, STR("Connection"), STR("Upgrade"));
        return;
    }
    if (ex->becomes == BECOMES_ANSWER && res->status != 204 && res->status != 304) {
        buf_add(b, STR("Content-Length: "));
        buf_add_int(b, res->file_fd >= 0 ? res->file_size : (int64_t)res->body.len);
        buf_add(b, STR("\r\n"));
    }
    if (!ex->keep_alive)
        add(b, STR("Connection"), STR("close"));
    else if (ex->parse.minor == 0)
        add(b, STR("Connection"), STR("keep-alive"));
}

void http_head_text(HttpLoop *l, HttpExchange *ex, Buf *b)
{
    const HttpResponse *res = &ex->req.res;
    buf_add(b, STR("HTTP/1.1 "));
    buf_add_int(b, res->status);
    buf_add_char(b, ' ');
    buf_add_c(b, http_status_text(res->status));
    buf_add(b, STR("\r\n"));
    add(b, STR("Date"), (Str){l->date, 29});
    add_headers(res, b);
    if (l->server->tls != NULL && !http_res_has(res, STR("Strict-Transport-Security")))
        add(b, STR("Strict-Transport-Security"), STR("max-age=31536000"));
    add_trace(l, ex, b);
    add_framing(ex, b);
    buf_add(b, STR("\r\n"));
}

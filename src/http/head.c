/* head.c: a head has arrived: make the request of it, find its route, decide about its body. */
#include "base/fault.h"
#include "http/http_in.h"
#include "http/trace_in.h"

#include <string.h>

/* --- from parsed head to HttpRequest --- */

static bool copy_headers(HttpExchange *ex, const char *head)
{
    const HttpParse *p = &ex->parse;
    HttpHeader *headers = arena_alloc_raw(ex->req.arena, sizeof *headers * p->headers_len + 1);
    if (headers == NULL)
        return false;
    for (uint32_t i = 0; i < p->headers_len; i++)
        headers[i] =
            (HttpHeader){http_span(head, p->headers[i].name), http_span(head, p->headers[i].value)};
    ex->req.headers = headers;
    ex->req.headers_len = p->headers_len;
    return true;
}

/* NULL, or why the path is refused. */
static const char *copy_path(HttpExchange *ex, const char *head)
{
    Str raw = http_span(head, ex->parse.path);
    char *path = arena_alloc_raw(ex->req.arena, raw.len + 1);
    const char *why = "no memory";
    size_t len = path == NULL ? 0 : ex->parse.asterisk ? 1 : http_decode_path(raw, path, &why);
    if (len == 0)
        return why;
    if (ex->parse.asterisk)
        path[0] = '*';
    ex->req.path = (Str){path, len};
    return NULL;
}

/* The head moves into the request's arena; the bytes behind it stay in c->in. NULL, or why it is
 * refused. */
static const char *fill_request(HttpLoop *l, HttpConn *c)
{
    HttpExchange *ex = c->ex;
    HttpRequest *req = &ex->req;
    size_t len = ex->parse.at;
    char *head = fault_hit("http.head") ? NULL : arena_alloc_raw(req->arena, len);
    if (head == NULL)
        return "no memory";
    memcpy(head, c->in.ptr, len);
    http_input_used(c, len);
    ex->keep_alive = ex->parse.keep_alive;
    req->method = ex->parse.method;
    req->query = http_span(head, ex->parse.query);
    req->tls = c->tls != NULL;
    memcpy(req->peer, c->peer, sizeof c->peer);
    if (!copy_headers(ex, head))
        return "no memory";
    ex->has_traceparent = http_trace_from(http_header(req, "traceparent"), req->trace);
    if (!ex->has_traceparent)
        http_trace_new(l, req->trace);
    return copy_path(ex, head);
}

/* --- from request to what happens with it --- */

static void answer_here(HttpLoop *l, HttpConn *c)
{
    c->ex->unread_body = c->ex->parse.chunked || c->ex->parse.content_length > 0;
    http_respond(l, c);
}

static void answer_allow(HttpLoop *l, HttpConn *c, unsigned allow)
{
    HttpRequest *req = &c->ex->req;
    char text[64];
    http_allow_text(allow, text, sizeof text);
    Str value = str_copy(req->arena, str_from_c(text));
    if (req->method == HTTP_OPTIONS) {
        req->res.status = 204;
    } else {
        Err err = {0};
        err_set(&err, ERR_METHOD_NOT_ALLOWED, "this path takes %s", text);
        http_answer_err(req, &err, (Str){0});
    }
    http_set_header(req, "Allow", value);
    answer_here(l, c);
}

static void answer_not_found(HttpRequest *req)
{
    Err err = {0};
    err_set(&err, ERR_NOT_FOUND, "there is nothing at \"" STR_FMT "\"",
            (int)(req->path.len < 128 ? req->path.len : 128), req->path.ptr);
    http_answer_err(req, &err, (Str){0});
}

static bool is_json(const HttpRequest *req)
{
    Str type = http_header(req, "Content-Type");
    return str_eq_nocase(str_trim(str_slice(type, 0, str_find_char(type, ';'))),
                         STR("application/json"));
}

/* A body of 0 bytes is a body when its type says so: an empty file is not the same as no file. */
bool http_upload_wanted(const HttpExchange *ex)
{
    if (ex->route->body != BODY_UPLOAD || is_json(&ex->req))
        return false;
    Str type = http_header(&ex->req, "Content-Type");
    bool typed = type.len > 0 && !str_eq_nocase(type, STR("application/x-www-form-urlencoded"));
    return ex->parse.chunked || ex->parse.content_length > 0 ||
           (ex->parse.content_length == 0 && typed);
}

static void begin_upload(HttpLoop *l, HttpConn *c)
{
    HttpExchange *ex = c->ex;
    if (ex->parse.content_length > l->server->o.upload_max) {
        http_refuse(l, c, 413, ERR_INPUT_TOO_LARGE, "the body is larger than an upload may be");
    } else if (ex->route->guard != NULL) {
        http_conn_state(l, c, CONN_BUSY);
        http_dispatch(l, ex, PHASE_GUARD);
    } else {
        http_upload_begin(l, c);
    }
}

static void follow_route(HttpLoop *l, HttpConn *c)
{
    HttpExchange *ex = c->ex;
    bool has_body = ex->parse.chunked || ex->parse.content_length > 0;
    if (http_upload_wanted(ex))
        begin_upload(l, c);
    else if (!has_body)
        http_answer_now(l, c);
    else if (ex->route->body == BODY_NONE)
        http_refuse(l, c, 400, ERR_BAD_REQUEST, "this request takes no body");
    else
        http_body_begin(l, c);
}

static void route(HttpLoop *l, HttpConn *c)
{
    HttpExchange *ex = c->ex;
    HttpRequest *req = &ex->req;
    if (ex->parse.asterisk) {
        answer_allow(l, c, (1u << HTTP_METHODS) - 1);
        return;
    }
    HttpMatch m = http_router_find(l->server->router, req->method, req->path);
    memcpy(req->params, m.params, sizeof m.params);
    ex->route = m.route;
    if (m.route == NULL && m.allow != 0) {
        answer_allow(l, c, m.allow);
        return;
    }
    if (m.route == NULL && (req->method == HTTP_GET || req->method == HTTP_HEAD))
        ex->route = l->server->o.fallback;
    if (ex->route == NULL) {
        answer_not_found(req);
        answer_here(l, c);
        return;
    }
    req->user = ex->route->user;
    follow_route(l, c);
}

static void begin(HttpLoop *l, HttpConn *c)
{
    http_count(&l->n.requests, 1);
    const char *why = fill_request(l, c);
    if (why == NULL)
        route(l, c);
    else if (c->ex->req.headers == NULL)
        http_refuse(l, c, 503, ERR_NO_MEMORY, why);
    else
        http_refuse(l, c, 400, ERR_BAD_REQUEST, why);
}

bool http_head_step(HttpLoop *l, HttpConn *c)
{
    if ((c->in.len == 0 || c->hungry) && !http_input_fill(l, c, HTTP_SCRATCH))
        return false;
    if (c->ex == NULL) {
        c->since_us = l->now_us; /* the head's time starts with its first byte */
        if (http_exchange_open(l, c) == NULL) {
            http_conn_close(l, c);
            return false;
        }
    }
    HttpParse *p = &c->ex->parse;
    switch (http_parse(p, c->in.ptr, c->in.len)) {
    case PARSE_MORE:
        c->hungry = true;
        break;
    case PARSE_DONE:
        begin(l, c);
        break;
    case PARSE_BAD:
        http_refuse(l, c, p->status, p->err, p->why);
        break;
    }
    return c->state != CONN_CLOSED;
}

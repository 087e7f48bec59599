/* body.c: bodies that are kept in memory. */
#include "http/http_in.h"

bool http_send_continue(HttpLoop *l, HttpConn *c)
{
    static const char line[] = "HTTP/1.1 100 Continue\r\n\r\n";
    if (!c->ex->parse.expect_continue || c->in.len > 0)
        return true;
    /* Nothing else is on its way to this client, so 25 bytes always fit. */
    if (http_conn_write(l, c, line, sizeof line - 1) == sizeof line - 1)
        return true;
    http_conn_close(l, c);
    return false;
}

void http_body_begin(HttpLoop *l, HttpConn *c)
{
    HttpExchange *ex = c->ex;
    size_t max = l->server->o.memory_body_max;
    if (ex->parse.content_length > (int64_t)max) {
        http_refuse(l, c, 413, ERR_INPUT_TOO_LARGE, "the body is larger than this path takes");
        return;
    }
    ex->body = buf_init(ex->req.arena, max);
    ex->body_left = ex->parse.content_length;
    if (http_send_continue(l, c))
        http_conn_state(l, c, CONN_BODY);
}

static bool whole(HttpLoop *l, HttpConn *c)
{
    c->ex->req.body = buf_str(&c->ex->body);
    http_answer_now(l, c);
    return c->state != CONN_CLOSED;
}

static bool no_room(HttpLoop *l, HttpConn *c)
{
    http_refuse(l, c, 413, ERR_INPUT_TOO_LARGE, "the body is larger than this path takes");
    return true;
}

/* Bytes that were not there yet are read to where they belong. */
static bool step_length(HttpLoop *l, HttpConn *c)
{
    HttpExchange *ex = c->ex;
    enum { AT_ONCE = 64 * 1024 }; /* memory follows what has arrived, not what was announced */
    size_t want = ex->body_left < AT_ONCE ? (size_t)ex->body_left : AT_ONCE;
    char *room = buf_room(&ex->body, want);
    if (room == NULL)
        return no_room(l, c);
    size_t got;
    if (c->in.len > 0) {
        got = c->in.len < want ? c->in.len : want;
        buf_add(&ex->body, (Str){c->in.ptr, got});
        http_input_used(c, got);
    } else {
        ssize_t n = c->readable || c->peer_done ? http_conn_read(l, c, room, want) : 0;
        if (n < 0)
            http_conn_close(l, c);
        if (n <= 0)
            return false;
        got = (size_t)n;
        buf_wrote(&ex->body, got);
    }
    c->since_us = l->now_us;
    ex->body_left -= (int64_t)got;
    return ex->body_left > 0 || whole(l, c);
}

static bool step_chunks(HttpLoop *l, HttpConn *c)
{
    HttpExchange *ex = c->ex;
    if (c->in.len == 0 && !http_input_fill(l, c, HTTP_SCRATCH))
        return false;
    c->since_us = l->now_us;
    Str in = {c->in.ptr, c->in.len}, data;
    HttpChunked r;
    while ((r = http_chunk(&ex->chunk, &in, &data)) == CHUNK_DATA)
        buf_add(&ex->body, data);
    http_input_used(c, c->in.len - in.len);
    if (ex->body.failed)
        return no_room(l, c);
    if (r == CHUNK_BAD) {
        http_refuse(l, c, 400, ERR_BAD_REQUEST, ex->chunk.why);
        return true;
    }
    return r == CHUNK_MORE || whole(l, c);
}

bool http_body_step(HttpLoop *l, HttpConn *c)
{
    return c->ex->parse.chunked ? step_chunks(l, c) : step_length(l, c);
}

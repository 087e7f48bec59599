#include "base/fault.h"
#include "http/upload_in.h"

#include <stdlib.h>
#include <string.h>

/* --- the two pieces --- */

static bool make_piece(HttpSink *s, int i)
{
    if (s->piece[i].bytes == NULL && !fault_hit("http.piece"))
        s->piece[i].bytes = malloc(s->cap);
    return s->piece[i].bytes != NULL;
}

static void hand_over(HttpLoop *l, HttpConn *c)
{
    HttpSink *s = c->ex->sink;
    s->given = (Str){s->piece[s->filling].bytes, s->piece[s->filling].len};
    s->last = s->whole;
    s->busy = true;
    s->filling ^= 1;
    s->piece[s->filling].len = 0;
    if (s->last)
        http_conn_state(l, c, CONN_BUSY);
    http_dispatch(l, c->ex, PHASE_SINK);
}

/* --- begin and end --- */

void http_upload_begin(HttpLoop *l, HttpConn *c)
{
    HttpExchange *ex = c->ex;
    if (!http_sink_open(ex)) {
        ex->unread_body = true;
        http_respond(l, c);
        return;
    }
    HttpSink *s = ex->sink;
    ex->handler = ex->route->handler;
    ex->body_left = ex->parse.content_length;
    bool small = !ex->parse.chunked && ex->body_left < HTTP_PIECE;
    s->cap = small ? (size_t)ex->body_left + 1 : HTTP_PIECE;
    s->whole = !ex->parse.chunked && ex->body_left == 0;
    http_conn_state(l, c, CONN_UPLOAD);
    if (s->whole)
        hand_over(l, c);
    else
        http_send_continue(l, c);
}

void http_upload_stop(HttpLoop *l, HttpConn *c, const Err *err)
{
    HttpSink *s = c->ex->sink;
    s->stopping = true;
    if (err != NULL)
        s->stop = *err;
    if (c->state != CONN_CLOSED)
        http_conn_state(l, c, CONN_BUSY);
    if (!s->busy)
        http_dispatch(l, c->ex, PHASE_ABANDON);
}

static void abandoned(HttpLoop *l, HttpConn *c)
{
    HttpExchange *ex = c->ex;
    if (c->state == CONN_CLOSED) {
        http_exchange_close(l, ex);
        http_conn_bury(l, c);
        return;
    }
    http_answer_err(&ex->req, &ex->sink->stop, (Str){0});
    ex->unread_body = true;
    http_respond(l, c);
}

void http_upload_returned(HttpLoop *l, HttpConn *c)
{
    HttpExchange *ex = c->ex;
    ex->sink->busy = false;
    if (ex->phase == PHASE_ABANDON)
        abandoned(l, c);
    else if (ex->sink->stopping || c->state == CONN_CLOSED)
        http_dispatch(l, ex, PHASE_ABANDON);
    else
        c->since_us = l->now_us; /* it was we who kept the client waiting */
}

void http_sink_free(HttpSink **sink)
{
    HttpSink *s = *sink;
    if (s == NULL)
        return;
    http_sink_abandon(s);
    free(s->piece[0].bytes);
    free(s->piece[1].bytes);
    free(s->multi);
    free(s);
    *sink = NULL;
}

static void stop_with(HttpLoop *l, HttpConn *c, ErrCode code, const char *why)
{
    Err err = {0};
    err_set(&err, code, "%s", why);
    http_upload_stop(l, c, &err);
}

void http_upload_late(HttpLoop *l, HttpConn *c)
{
    if (c->ex->sink->busy)
        c->since_us = l->now_us; /* the client waits for us */
    else
        stop_with(l, c, ERR_REQUEST_TIMEOUT, "the body did not arrive in time");
}

/* --- steps --- */

static void arrived(HttpLoop *l, HttpConn *c, size_t n)
{
    HttpSink *s = c->ex->sink;
    s->piece[s->filling].len += n;
    s->received += (int64_t)n;
    c->since_us = l->now_us;
}

/* What is there already, or straight from the socket to its place. > 0: bytes; 0: not now; -1:
 * closed. */
static ssize_t take_length(HttpLoop *l, HttpConn *c, char *to, size_t room)
{
    HttpExchange *ex = c->ex;
    size_t want = (uint64_t)ex->body_left < room ? (size_t)ex->body_left : room;
    ssize_t n;
    if (c->in.len > 0) {
        n = (ssize_t)(c->in.len < want ? c->in.len : want);
        memcpy(to, c->in.ptr, (size_t)n);
        http_input_used(c, (size_t)n);
    } else {
        n = c->readable || c->peer_done ? http_conn_read(l, c, to, want) : 0;
    }
    if (n < 0)
        http_conn_close(l, c);
    if (n > 0) {
        arrived(l, c, (size_t)n);
        ex->body_left -= n;
        ex->sink->whole = ex->body_left == 0;
    }
    return n;
}

static ssize_t take_chunks(HttpLoop *l, HttpConn *c, char *to, size_t room)
{
    HttpExchange *ex = c->ex;
    if (c->in.len == 0 && !http_input_fill(l, c, room))
        return c->state == CONN_CLOSED ? -1 : 0;
    Str in = {c->in.ptr, c->in.len < room ? c->in.len : room}, data;
    size_t before = in.len, got = 0;
    HttpChunked r;
    while ((r = http_chunk(&ex->chunk, &in, &data)) == CHUNK_DATA) {
        memcpy(to + got, data.ptr, data.len);
        got += data.len;
    }
    http_input_used(c, before - in.len);
    arrived(l, c, got);
    ex->sink->whole = r == CHUNK_END;
    if (r == CHUNK_BAD)
        stop_with(l, c, ERR_BAD_REQUEST, ex->chunk.why);
    return 1;
}

/* Nothing more comes now, or there is no room for it: give the sink what there is. */
static bool rest(HttpLoop *l, HttpConn *c)
{
    HttpSink *s = c->ex->sink;
    if (!s->busy && (s->whole || s->piece[s->filling].len > 0))
        hand_over(l, c);
    return false;
}

bool http_upload_step(HttpLoop *l, HttpConn *c)
{
    HttpSink *s = c->ex->sink;
    size_t room = s->cap - s->piece[s->filling].len;
    if (s->whole || room == 0)
        return rest(l, c);
    if (!make_piece(s, s->filling)) {
        stop_with(l, c, ERR_NO_MEMORY, "no memory for the upload");
        return false;
    }
    char *to = s->piece[s->filling].bytes + s->piece[s->filling].len;
    ssize_t n = c->ex->parse.chunked ? take_chunks(l, c, to, room) : take_length(l, c, to, room);
    if (n < 0 || c->state != CONN_UPLOAD)
        return false;
    if (s->received > l->server->o.upload_max) {
        stop_with(l, c, ERR_INPUT_TOO_LARGE, "the body is larger than an upload may be");
        return false;
    }
    return n > 0 || rest(l, c);
}

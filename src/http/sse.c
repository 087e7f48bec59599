/* sse.c: streams of events. A stream that is idle has no buffers. */
#include "base/fault.h"
#include "base/log.h"
#include "http/http_in.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { STALLED_TICKS = 4 };

HttpTicket http_stream(HttpRequest *req, void (*gone)(void *ctx, HttpTicket t), void *ctx)
{
    HttpExchange *ex = (HttpExchange *)req;
    ex->becomes = BECOMES_STREAM;
    ex->gone = gone;
    ex->gone_ctx = ctx;
    ex->keep_alive = false; /* its end is the end of the connection */
    req->res.status = 200;
    http_set_header(req, "Content-Type", STR("text/event-stream"));
    http_set_header(req, "X-Accel-Buffering", STR("no"));
    return req->ticket;
}

/* --- on the loop --- */

/* The head goes before events that other threads have sent meanwhile. */
static bool head_first(HttpLoop *l, HttpConn *c)
{
    Buf b = {.ptr = l->head_out, .cap = sizeof l->head_out, .ceiling = sizeof l->head_out};
    http_head_text(l, c->ex, &b);
    HttpOut early = c->out;
    c->out = (HttpOut){0};
    bool ok =
        !b.failed && http_out_add(l, c, buf_str(&b)) &&
        (early.len == 0 || http_out_add(l, c, (Str){early.ptr + early.at, early.len - early.at}));
    HttpOut whole = c->out;
    c->out = early;
    http_out_free(l, c); /* what came early was counted twice */
    c->out = whole;
    return ok;
}

void http_stream_begin(HttpLoop *l, HttpConn *c)
{
    HttpExchange *ex = c->ex;
    bool head_only = ex->req.method == HTTP_HEAD;
    bool ok = head_first(l, c);
    c->gone = ex->gone;
    c->gone_ctx = ex->gone_ctx;
    c->lingered = 0;
    http_count(&l->n.streams, 1);
    http_conn_state(l, c, CONN_STREAM);
    if (l->server->o.observe != NULL)
        l->server->o.observe(&ex->req, 200, l->now_us - ex->started_us);
    http_exchange_close(l, ex);
    c->ending |= head_only || l->closing;
    if (!ok)
        http_conn_close(l, c);
}

/* Clients have nothing to say on a stream; reading shows when they leave. */
bool http_stream_step(HttpLoop *l, HttpConn *c)
{
    ssize_t n =
        c->readable || c->peer_done ? http_conn_read(l, c, l->scratch, sizeof l->scratch) : 0;
    if (n < 0 || !http_out_flush(l, c) || (c->ending && c->out.len == 0)) {
        http_conn_close(l, c);
        return false;
    }
    return n > 0;
}

void http_stream_tick(HttpLoop *l, HttpConn *c)
{
    bool stalled = c->out.len > 0;
    c->lingered = stalled ? c->lingered + 1 : 0;
    c->since_us = l->now_us;
    if (c->lingered > STALLED_TICKS || (!stalled && !http_out_add(l, c, STR(":\n\n"))))
        http_conn_close(l, c);
    else
        http_conn_pump(l, c);
}

/* --- from any thread --- */

typedef struct StreamMsg {
    HttpMsg msg;
    HttpTicket ticket;
    bool end, slow;
    size_t len;
    char bytes[];
} StreamMsg;

/* Without a detour through memory when nothing else waits. */
static bool send_bytes(HttpLoop *l, HttpConn *c, Str bytes)
{
    if (c->state == CONN_STREAM && !c->ending && c->out.len == 0 && c->writable) {
        ssize_t n = http_conn_write(l, c, bytes.ptr, bytes.len);
        if (n < 0)
            return false;
        c->since_us = n > 0 ? l->now_us : c->since_us;
        bytes = str_slice(bytes, (size_t)n, bytes.len);
    }
    return bytes.len == 0 || http_out_add(l, c, bytes);
}

/* At once, or when what waits has been sent. One that has not begun yet ends when it does. */
static void end_stream(HttpLoop *l, HttpConn *c, bool at_once)
{
    c->ending = true;
    if (c->state != CONN_STREAM)
        return;
    if (at_once)
        http_conn_close(l, c);
    else
        http_conn_pump(l, c);
}

static void deliver(HttpLoop *l, HttpMsg *m)
{
    StreamMsg *s = (StreamMsg *)m;
    HttpSlot *slot = http_slot(l, s->ticket.slot);
    HttpConn *c = http_slot_conn(l, s->ticket);
    bool live = c != NULL && (c->state == CONN_STREAM || c->state == CONN_BUSY);
    if (live && s->slow)
        LOG(INFO, HTTP_SLOW_READER, KV("peer", str_from_c(c->peer)));
    if (live && (s->slow || s->end))
        end_stream(l, c, s->slow);
    else if (live && !send_bytes(l, c, (Str){s->bytes, s->len}))
        http_conn_close(l, c);
    atomic_fetch_sub(&slot->queued, (int64_t)s->len);
    free(s);
}

static StreamMsg *message(HttpTicket t, Str bytes)
{
    StreamMsg *m = fault_hit("http.message") ? NULL : malloc(sizeof *m + bytes.len);
    if (m == NULL)
        return NULL;
    *m = (StreamMsg){.msg.deliver = deliver, .ticket = t, .len = bytes.len};
    if (bytes.len > 0)
        memcpy(m->bytes, bytes.ptr, bytes.len);
    return m;
}

bool http_stream_send(HttpServer *s, HttpTicket t, Str bytes)
{
    CLEANUP(http_loop_leave) HttpLoop *l = http_visit(s, t);
    HttpSlot *slot = l != NULL ? http_live_slot(l, t) : NULL;
    if (slot == NULL)
        return false;
    bool slow =
        atomic_fetch_add(&slot->queued, (int64_t)bytes.len) + (int64_t)bytes.len > HTTP_UNSENT_MAX;
    StreamMsg *m = message(t, slow ? (Str){0} : bytes);
    if (m == NULL || slow)
        atomic_fetch_sub(&slot->queued, (int64_t)bytes.len);
    if (m == NULL)
        return false;
    m->slow = slow;
    http_post(l, &m->msg);
    return !slow;
}

void http_stream_end(HttpServer *s, HttpTicket t)
{
    CLEANUP(http_loop_leave) HttpLoop *l = http_visit(s, t);
    StreamMsg *m = l != NULL && http_live_slot(l, t) != NULL ? message(t, (Str){0}) : NULL;
    if (m == NULL)
        return;
    m->end = true;
    http_post(l, &m->msg);
}

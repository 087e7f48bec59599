/* exchange.c: a request's memory, and its way to the pool and back. */
#include "base/fault.h"
#include "base/fd.h"
#include "base/log.h"
#include "http/http_in.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#ifdef __SANITIZE_ADDRESS__
enum { SPARES_MAX = 0 }; /* memory that is used again hides who uses it too long */
#else
enum { SPARES_MAX = 64 };
#endif

/* What the handler that runs on this thread has done with its request. It may not be looked at any
 * more when it was parked. */
static _Thread_local struct {
    bool parked, watched;
    uint32_t park_no;
    HttpTicket ticket;
} running;

/* --- memory --- */

static HttpExchange *new_exchange(HttpLoop *l)
{
    if (l->spare != NULL) {
        HttpExchange *ex = l->spare;
        l->spare = ex->next_spare;
        l->spares--;
        return ex;
    }
    HttpExchange *ex = fault_hit("http.exchange") ? NULL : malloc(sizeof *ex);
    /* A body and what the handler makes of it; JSON takes about 45 times its text at worst. */
    Arena *a = ex != NULL ? arena_open(l->server->o.memory_body_max * 48 + 4 * MIB) : NULL;
    if (a == NULL) {
        free(ex);
        return NULL;
    }
    ex->req.arena = a;
    return ex;
}

HttpExchange *http_exchange_open(HttpLoop *l, HttpConn *c)
{
    HttpExchange *ex = new_exchange(l);
    if (ex == NULL)
        return NULL;
    Arena *a = ex->req.arena;
    size_t parse_at = offsetof(HttpExchange, parse);
    memset(ex, 0, parse_at);
    ex->req.arena = a;
    ex->req.res.file_fd = -1;
    ex->server = l->server;
    ex->loop = l;
    ex->conn = c;
    ex->started_us = l->now_us;
    http_parse_init(&ex->parse, l->server->o.head_max, l->server->tls != NULL);
    c->ex = ex;
    HttpSlot *s = http_slot(l, c->slot);
    atomic_store(&s->generation, ++l->generation);
    ex->req.ticket = http_conn_ticket(l, c);
    return ex;
}

void http_exchange_free(HttpExchange *ex)
{
    arena_close(&ex->req.arena);
    free(ex);
}

void http_exchange_close(HttpLoop *l, HttpExchange *ex)
{
    if (ex == NULL)
        return;
    HttpConn *c = ex->conn;
    c->ex = NULL;
    c->watched_park = 0;
    if (c->state != CONN_STREAM && c->state != CONN_SOCKET)
        http_slot_retire(l, c);
    fd_close(&ex->req.res.file_fd);
    http_sink_free(&ex->sink);
    if (l->spares >= SPARES_MAX) {
        http_exchange_free(ex);
        return;
    }
    arena_recycle(ex->req.arena);
    ex->next_spare = l->spare;
    l->spare = ex;
    l->spares++;
}

/* --- running --- */

void http_run_begin(HttpExchange *ex)
{
    running.parked = running.watched = false;
    running.ticket = ex->req.ticket;
    log_set_trace(str_from_c(ex->req.trace));
}

bool http_run_parked(void)
{
    return running.parked;
}

void http_run_handler(HttpExchange *ex)
{
    HttpRequest *req = &ex->req;
    if (ex->route->guard != NULL && !ex->guarded) {
        ex->guarded = true;
        if (!ex->route->guard(req))
            return;
    }
    ex->handler(req);
}

static void run_guard(HttpExchange *ex)
{
    ex->guarded = true;
    ex->guard_ok = ex->route->guard(&ex->req);
}

typedef struct WatchMsg {
    HttpMsg msg;
    HttpTicket ticket;
    uint32_t park_no;
} WatchMsg;

static HttpExchange *exchange_of(HttpLoop *l, HttpTicket t)
{
    HttpConn *c = http_slot_conn(l, t);
    return c != NULL ? c->ex : NULL;
}

static void watch(HttpLoop *l, HttpMsg *m)
{
    WatchMsg *w = (WatchMsg *)m;
    HttpExchange *ex = exchange_of(l, w->ticket);
    if (ex != NULL && atomic_load(&ex->parks) == w->park_no) {
        HttpConn *c = ex->conn;
        c->watched_park = w->park_no;
        if (c->state == CONN_CLOSED) {
            if (http_gone_fire(l, c))
                http_conn_bury(l, c);
        } else {
            http_conn_pump(l, c);
        }
    }
    free(w);
}

/* The handler has returned from a request it parked, and wants to know when the client goes away:
 * only now may the loop end it. */
static void post_watch(HttpLoop *l)
{
    WatchMsg *w = malloc(sizeof *w);
    if (w == NULL)
        return; /* it stays until it is resumed */
    *w = (WatchMsg){.msg.deliver = watch, .ticket = running.ticket, .park_no = running.park_no};
    http_post(l, &w->msg);
}

static void run_phase(HttpExchange *ex)
{
    HttpLoop *l = ex->loop;
    http_run_begin(ex);
    if (ex->phase == PHASE_GUARD)
        run_guard(ex);
    else if (ex->phase == PHASE_HANDLER)
        http_run_handler(ex);
    else
        http_sink_run(ex);
    log_set_trace((Str){0});
    if (!running.parked)
        http_return(ex);
    else if (running.watched)
        post_watch(l);
}

static void run_job(HttpJob *job)
{
    run_phase((HttpExchange *)((char *)job - offsetof(HttpExchange, job)));
}

static void deliver(HttpLoop *l, HttpMsg *m)
{
    http_returned(l, (HttpExchange *)((char *)m - offsetof(HttpExchange, msg)));
}

void http_return(HttpExchange *ex)
{
    ex->msg.deliver = deliver;
    http_post(ex->loop, &ex->msg);
}

/* On the loop itself: no message is needed unless the request was parked. */
static void run_here(HttpLoop *l, HttpExchange *ex)
{
    ex->phase = PHASE_HANDLER;
    http_run_begin(ex);
    http_run_handler(ex);
    log_set_trace((Str){0});
    if (!running.parked)
        http_settle(l, ex);
    else if (running.watched)
        post_watch(l);
}

void http_dispatch(HttpLoop *l, HttpExchange *ex, HttpPhase phase)
{
    ex->phase = phase;
    ex->job.run = run_job;
    http_jobs_add(&l->jobs, &ex->job);
}

void http_answer_now(HttpLoop *l, HttpConn *c)
{
    HttpExchange *ex = c->ex;
    http_conn_state(l, c, CONN_BUSY);
    ex->handler = ex->route->handler;
    if (ex->route->on_loop)
        run_here(l, ex);
    else
        http_dispatch(l, ex, PHASE_HANDLER);
}

/* --- park, resume, reply --- */

HttpTicket http_park(HttpRequest *req)
{
    HttpExchange *ex = (HttpExchange *)req;
    assert((atomic_load(&ex->parks) & 1) == 0);
    running.parked = true;
    HttpTicket t = req->ticket;
    running.park_no = atomic_fetch_add(&ex->parks, 1) + 1;
    return t;
}

void http_on_gone(HttpRequest *req, void (*fn)(void *ctx, HttpTicket t), void *ctx)
{
    HttpExchange *ex = (HttpExchange *)req;
    ex->gone = fn;
    ex->gone_ctx = ctx;
    running.watched = true;
}

/* Take a parked request back from whoever may hold it. False: it is not parked, or somebody else
 * was first. */
static bool unpark(HttpExchange *ex)
{
    uint32_t parks = atomic_load(&ex->parks);
    return (parks & 1) != 0 && atomic_compare_exchange_strong(&ex->parks, &parks, parks + 1);
}

bool http_gone_fire(HttpLoop *l, HttpConn *c)
{
    HttpExchange *ex = c->ex;
    uint32_t park = c->watched_park;
    if (ex == NULL || park == 0 || !atomic_compare_exchange_strong(&ex->parks, &park, park + 1))
        return false;
    ex->gone(ex->gone_ctx, ex->req.ticket);
    http_exchange_close(l, ex);
    return true;
}

typedef struct ResumeMsg {
    HttpMsg msg;
    HttpTicket ticket;
    HttpHandler handler;
} ResumeMsg;

static void resume(HttpLoop *l, HttpMsg *m)
{
    ResumeMsg *r = (ResumeMsg *)m;
    HttpExchange *ex = exchange_of(l, r->ticket);
    if (ex != NULL && unpark(ex)) {
        HttpConn *c = ex->conn;
        c->watched_park = 0;
        ex->handler = r->handler;
        if (c->state == CONN_CLOSED) {
            http_exchange_close(l, ex);
            http_conn_bury(l, c);
        } else {
            http_dispatch(l, ex, PHASE_HANDLER);
            http_conn_pump(l, c);
        }
    }
    free(r);
}

void http_resume(HttpServer *s, HttpTicket t, HttpHandler handler)
{
    CLEANUP(http_loop_leave) HttpLoop *l = http_visit(s, t);
    ResumeMsg *r = l != NULL ? malloc(sizeof *r) : NULL;
    if (r == NULL)
        return;
    *r = (ResumeMsg){.msg.deliver = resume, .ticket = t, .handler = handler};
    http_post(l, &r->msg);
}

void http_reply(HttpServer *s, HttpRequest *req)
{
    HttpExchange *ex = (HttpExchange *)req;
    assert(ex->server == s);
    (void)s;
    if (unpark(ex))
        http_return(ex);
}

HttpServer *http_server(const HttpRequest *req)
{
    return ((const HttpExchange *)req)->server;
}

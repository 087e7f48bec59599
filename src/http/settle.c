/* settle.c: an exchange is back from its handler, guard or sink. */
#include "http/http_in.h"

static void answer_nothing(HttpRequest *req)
{
    Err err = {0};
    err_set(&err, ERR_INTERNAL, "the handler of \"" STR_FMT "\" gave no answer",
            STR_ARG(str_slice(req->path, 0, 128)));
    http_answer_err(req, &err, (Str){0});
}

static void handled(HttpLoop *l, HttpConn *c)
{
    HttpExchange *ex = c->ex;
    if (ex->becomes == BECOMES_STREAM) {
        http_stream_begin(l, c);
    } else if (ex->becomes == BECOMES_SOCKET) {
        http_socket_begin(l, c);
    } else {
        if (ex->req.res.status == 0)
            answer_nothing(&ex->req);
        http_respond(l, c);
    }
}

static void guarded(HttpLoop *l, HttpConn *c)
{
    if (c->ex->guard_ok) {
        http_upload_begin(l, c);
    } else {
        c->ex->unread_body = true;
        handled(l, c);
    }
}

/* The client went away in the meantime. */
static void forget(HttpLoop *l, HttpConn *c)
{
    HttpExchange *ex = c->ex;
    bool handler = ex->phase == PHASE_HANDLER;
    if (handler && ex->becomes == BECOMES_STREAM && ex->gone != NULL)
        ex->gone(ex->gone_ctx, ex->req.ticket);
    if (handler && ex->becomes == BECOMES_SOCKET && ex->socket.gone != NULL)
        ex->socket.gone(ex->socket.ctx, ex->req.ticket);
    http_exchange_close(l, ex);
    http_conn_bury(l, c);
}

void http_early_add(HttpConn *c, HttpMsg *m)
{
    HttpMsg **end = &c->early;
    while (*end != NULL)
        end = &(*end)->next;
    m->next = NULL;
    *end = m;
}

static void deliver_early(HttpLoop *l, HttpConn *c)
{
    HttpMsg *m = c->early;
    c->early = NULL;
    while (m != NULL) {
        HttpMsg *next = m->next;
        m->deliver(l, m);
        m = next;
    }
}

static void settle(HttpLoop *l, HttpConn *c, HttpExchange *ex)
{
    if (ex->phase == PHASE_SINK || ex->phase == PHASE_ABANDON)
        http_upload_returned(l, c);
    else if (c->state == CONN_CLOSED)
        forget(l, c);
    else if (ex->phase == PHASE_GUARD)
        guarded(l, c);
    else
        handled(l, c);
}

void http_settle(HttpLoop *l, HttpExchange *ex)
{
    HttpConn *c = ex->conn;
    settle(l, c, ex);
    deliver_early(l, c);
}

void http_returned(HttpLoop *l, HttpExchange *ex)
{
    HttpConn *c = ex->conn; /* stays where it is as long as its exchange is away */
    http_settle(l, ex);
    if (c->state != CONN_CLOSED)
        http_conn_pump(l, c);
}

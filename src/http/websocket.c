/* websocket.c: RFC 6455 with libwslay. Frames are the loop's; a whole message goes to the pool, one
 * at a time. */
#include "base/fault.h"
#include "http/http_in.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <wslay/wslay.h>

enum {
    MESSAGE_MAX = 64 * 1024,
    KEY_LEN = 24,
    SILENT_TICKS = 5,
    CODE_AWAY = 1001,
    CODE_TRY_LATER = 1013
};

typedef struct Incoming {
    struct Incoming *next;
    bool text;
    size_t len;
    char bytes[];
} Incoming;

struct HttpSocket {
    HttpJob job;
    HttpMsg msg;
    HttpLoop *loop;
    HttpConn *conn; /* NULL: the client is gone and the last message is still with the pool */
    wslay_event_context_ptr ws;
    HttpSocketHandler handler;
    HttpTicket ticket;
    Incoming *first, *last; /* received; the first is with the pool while `busy` */
    bool busy, broken;      /* the connection has ended; not: the client broke the protocol */
    int silent;             /* ticks without a byte from the client */
    int64_t counted;        /* of wslay's queue, in the slot's `queued` */
};

/* --- the upgrade --- */

static bool key_valid(Str key)
{
    unsigned char raw[KEY_LEN];
    char copy[KEY_LEN];
    if (key.len != KEY_LEN)
        return false;
    memcpy(copy, key.ptr, KEY_LEN);
    return EVP_DecodeBlock(raw, (const unsigned char *)copy, KEY_LEN) == 18 && key.ptr[22] == '=' &&
           key.ptr[23] == '=';
}

static const char *why_not(const HttpRequest *req)
{
    if (req->method != HTTP_GET || !((const HttpExchange *)req)->parse.upgrade ||
        ((const HttpExchange *)req)->parse.minor == 0 ||
        !http_list_has(http_header(req, "Upgrade"), "websocket"))
        return "this path speaks WebSocket only";
    if (!str_eq(http_header(req, "Sec-WebSocket-Version"), STR("13")))
        return "only version 13 of WebSocket is spoken here";
    return key_valid(http_header(req, "Sec-WebSocket-Key"))
               ? NULL
               : "Sec-WebSocket-Key is not well-formed";
}

static Str accept_key(HttpRequest *req)
{
    unsigned char sha[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    Str all = str_printf(req->arena, STR_FMT "258EAFA5-E914-47DA-95CA-C5AB0DC85B11",
                         STR_ARG(http_header(req, "Sec-WebSocket-Key")));
    char *out = arena_alloc(req->arena, 32);
    if (all.ptr == NULL || out == NULL ||
        EVP_Digest(all.ptr, all.len, sha, &len, EVP_sha1(), NULL) != 1)
        return (Str){0};
    int n = EVP_EncodeBlock((unsigned char *)out, sha, (int)len);
    return (Str){out, (size_t)n};
}

HttpTicket http_websocket(HttpRequest *req, const HttpSocketHandler *h)
{
    HttpExchange *ex = (HttpExchange *)req;
    const char *why = why_not(req);
    Str accept = why == NULL ? accept_key(req) : (Str){0};
    if (accept.ptr == NULL) {
        Err err = {0};
        err_set(&err, why != NULL ? ERR_BAD_REQUEST : ERR_NO_MEMORY, "%s",
                why != NULL ? why : "no memory");
        http_problem(req, why != NULL ? 426 : 503, &err, (Str){0});
        http_set_header(req, "Sec-WebSocket-Version", STR("13"));
        return (HttpTicket){0};
    }
    ex->becomes = BECOMES_SOCKET;
    ex->socket = *h;
    req->res.status = 101;
    http_set_header(req, "Upgrade", STR("websocket"));
    http_set_header(req, "Sec-WebSocket-Accept", accept);
    return req->ticket;
}

/* --- wslay's callbacks, on the loop --- */

static ssize_t on_recv(wslay_event_context_ptr ws, uint8_t *buf, size_t len, int flags, void *user)
{
    HttpSocket *s = user;
    HttpConn *c = s->conn;
    (void)flags;
    ssize_t n = 0;
    if (s->first != NULL) {
        n = 0; /* one message at a time: what follows stays in the socket */
    } else if (c->in.len > 0) {
        n = (ssize_t)(c->in.len < len ? c->in.len : len);
        memcpy(buf, c->in.ptr, (size_t)n);
        http_input_used(c, (size_t)n);
    } else if (c->readable || c->peer_done) {
        n = http_conn_read(s->loop, c, buf, len);
    }
    s->silent = n > 0 ? 0 : s->silent;
    s->broken |= n < 0;
    if (n <= 0)
        wslay_event_set_error(ws, n == 0 ? WSLAY_ERR_WOULDBLOCK : WSLAY_ERR_CALLBACK_FAILURE);
    return n > 0 ? n : -1;
}

static ssize_t on_send(wslay_event_context_ptr ws, const uint8_t *data, size_t len, int flags,
                       void *user)
{
    HttpSocket *s = user;
    (void)flags;
    ssize_t n = s->conn->writable ? http_conn_write(s->loop, s->conn, data, len) : 0;
    s->broken |= n < 0;
    if (n <= 0)
        wslay_event_set_error(ws, n == 0 ? WSLAY_ERR_WOULDBLOCK : WSLAY_ERR_CALLBACK_FAILURE);
    return n > 0 ? n : -1;
}

static void on_message(wslay_event_context_ptr ws, const struct wslay_event_on_msg_recv_arg *arg,
                       void *user)
{
    HttpSocket *s = user;
    if (wslay_is_ctrl_frame(arg->opcode))
        return;
    Incoming *in = fault_hit("http.incoming") ? NULL : malloc(sizeof *in + arg->msg_length + 1);
    if (in == NULL) {
        wslay_event_queue_close(ws, CODE_TRY_LATER, NULL, 0);
        return;
    }
    *in = (Incoming){.text = arg->opcode == WSLAY_TEXT_FRAME, .len = arg->msg_length};
    if (arg->msg_length > 0)
        memcpy(in->bytes, arg->msg, arg->msg_length);
    if (s->first == NULL)
        s->first = in;
    else
        s->last->next = in;
    s->last = in;
}

/* --- messages to the pool and back --- */

static void free_socket(HttpSocket *s)
{
    while (s->first != NULL) {
        Incoming *in = s->first;
        s->first = in->next;
        free(in);
    }
    free(s);
}

static void returned(HttpLoop *l, HttpMsg *m)
{
    HttpSocket *s = (HttpSocket *)((char *)m - offsetof(HttpSocket, msg));
    Incoming *done = s->first;
    s->first = done->next;
    s->busy = false;
    free(done);
    if (s->conn != NULL) {
        http_conn_pump(l, s->conn);
        return;
    }
    if (s->handler.gone != NULL)
        s->handler.gone(s->handler.ctx, s->ticket);
    free_socket(s);
    l->orphans--;
}

static void run(HttpJob *job)
{
    HttpSocket *s = (HttpSocket *)job;
    s->handler.message(s->handler.ctx, s->ticket, s->first->text,
                       (Str){s->first->bytes, s->first->len});
    s->msg.deliver = returned;
    http_post(s->loop, &s->msg);
}

static void hand_over(HttpLoop *l, HttpSocket *s)
{
    if (s->busy || s->first == NULL)
        return;
    s->busy = true;
    s->job.run = run;
    http_jobs_add(&l->jobs, &s->job);
}

/* --- life on the loop --- */

static HttpSocket *new_socket(HttpLoop *l, HttpConn *c)
{
    static const struct wslay_event_callbacks callbacks = {
        .recv_callback = on_recv, .send_callback = on_send, .on_msg_recv_callback = on_message};
    HttpSocket *s = fault_hit("http.socket") ? NULL : calloc(1, sizeof *s);
    if (s == NULL || wslay_event_context_server_init(&s->ws, &callbacks, s) != 0) {
        free(s);
        return NULL;
    }
    s->loop = l;
    s->conn = c;
    s->handler = c->ex->socket;
    s->ticket = c->ex->req.ticket;
    size_t max = s->handler.message_max;
    wslay_event_config_set_max_recv_msg_length(s->ws, max > 0 ? max : MESSAGE_MAX);
    return s;
}

void http_socket_begin(HttpLoop *l, HttpConn *c)
{
    HttpExchange *ex = c->ex;
    Buf b = {.ptr = l->head_out, .cap = sizeof l->head_out, .ceiling = sizeof l->head_out};
    http_head_text(l, ex, &b);
    c->socket = new_socket(l, c);
    HttpSocketHandler h = ex->socket;
    HttpTicket t = ex->req.ticket;
    if (l->server->o.observe != NULL)
        l->server->o.observe(&ex->req, 101, l->now_us - ex->started_us);
    http_conn_state(l, c, CONN_SOCKET);
    http_exchange_close(l, ex);
    http_count(&l->n.sockets, 1);
    if (c->socket == NULL && h.gone != NULL)
        h.gone(h.ctx, t);
    if (c->socket == NULL || b.failed || !http_out_add(l, c, buf_str(&b)))
        http_conn_close(l, c);
    else if (l->closing)
        http_socket_leave(l, c, CODE_AWAY);
}

static void count_queue(HttpLoop *l, HttpSocket *s, int64_t now)
{
    atomic_fetch_add(&http_slot(l, s->ticket.slot)->queued, now - s->counted);
    s->counted = now;
}

void http_socket_free(HttpLoop *l, HttpConn *c)
{
    HttpSocket *s = c->socket;
    http_count(&l->n.sockets, -1);
    if (s == NULL)
        return;
    c->socket = NULL;
    count_queue(l, s, 0);
    http_slot_retire(l, c);
    wslay_event_context_free(s->ws);
    s->ws = NULL;
    s->conn = NULL;
    if (s->busy) { /* gone is called when its last message is done */
        l->orphans++;
        return;
    }
    if (s->handler.gone != NULL)
        s->handler.gone(s->handler.ctx, s->ticket);
    free_socket(s);
}

/* We were the ones to close, and the client may not have read why. */
static bool linger(HttpLoop *l, HttpConn *c)
{
    http_socket_free(l, c);
    http_conn_linger(l, c);
    return true;
}

bool http_socket_step(HttpLoop *l, HttpConn *c)
{
    HttpSocket *s = c->socket;
    s->broken |= !http_out_flush(l, c); /* the head of the answer goes before the first frame */
    if (!s->broken && c->out.len > 0)
        return false;
    bool reads = s->first == NULL && wslay_event_want_read(s->ws);
    bool ok = !s->broken && (!reads || wslay_event_recv(s->ws) == 0);
    ok &= !s->broken &&
          wslay_event_send(s->ws) ==
              0; /* also when the client broke the protocol: wslay has queued the close */
    bool idle = !s->busy && s->first == NULL;
    bool over = !wslay_event_want_read(s->ws) && !wslay_event_want_write(s->ws) && idle;
    if (!s->broken && (!ok || over) && !wslay_event_get_close_received(s->ws))
        return linger(l, c);
    if (!ok || over) {
        http_conn_close(l, c);
        return false;
    }
    count_queue(l, s, (int64_t)wslay_event_get_queued_msg_length(s->ws));
    hand_over(l, s);
    return false;
}

void http_socket_leave(HttpLoop *l, HttpConn *c, int code)
{
    wslay_event_queue_close(c->socket->ws, (uint16_t)code, NULL, 0);
    http_conn_pump(l, c);
}

/* Ping what has been silent; a client that answers nothing for a while is not there any more. */
void http_socket_tick(HttpLoop *l, HttpConn *c)
{
    HttpSocket *s = c->socket;
    c->since_us = l->now_us;
    if (!s->busy && s->silent++ >= SILENT_TICKS) {
        http_conn_close(l, c);
        return;
    }
    if (s->silent > 1) {
        struct wslay_event_msg ping = {.opcode = WSLAY_PING};
        wslay_event_queue_msg(s->ws, &ping);
    }
    http_conn_pump(l, c);
}

/* --- from any thread --- */

typedef struct SocketMsg {
    HttpMsg msg;
    HttpTicket ticket;
    bool text, slow;
    int close_code; /* 0: a message */
    size_t len;
    char bytes[];
} SocketMsg;

static void queue_message(HttpLoop *l, HttpConn *c, const SocketMsg *m)
{
    struct wslay_event_msg out = {.opcode = m->text ? WSLAY_TEXT_FRAME : WSLAY_BINARY_FRAME,
                                  .msg = (const uint8_t *)m->bytes,
                                  .msg_length = m->len};
    if (wslay_event_queue_msg(c->socket->ws, &out) == WSLAY_ERR_NOMEM)
        http_conn_close(l, c);
    else
        http_conn_pump(l, c);
}

static void deliver(HttpLoop *l, HttpMsg *msg)
{
    SocketMsg *m = (SocketMsg *)msg;
    HttpConn *c = http_slot_conn(l, m->ticket);
    if (c != NULL && c->state == CONN_BUSY) { /* the upgrade is still on its way here: after it */
        http_early_add(c, msg);
        return;
    }
    bool live = c != NULL && c->state == CONN_SOCKET;
    if (live && m->slow)
        http_conn_close(l, c);
    else if (live && m->close_code != 0)
        http_socket_leave(l, c, m->close_code);
    else if (live)
        queue_message(l, c, m);
    atomic_fetch_sub(&http_slot(l, m->ticket.slot)->queued, (int64_t)m->len);
    free(m);
}

static SocketMsg *message(HttpTicket t, Str bytes)
{
    SocketMsg *m = fault_hit("http.message") ? NULL : malloc(sizeof *m + bytes.len);
    if (m == NULL)
        return NULL;
    *m = (SocketMsg){.msg.deliver = deliver, .ticket = t, .len = bytes.len};
    if (bytes.len > 0)
        memcpy(m->bytes, bytes.ptr, bytes.len);
    return m;
}

bool http_socket_send(HttpServer *s, HttpTicket t, bool text, Str payload)
{
    CLEANUP(http_loop_leave) HttpLoop *l = http_visit(s, t);
    HttpSlot *slot = l != NULL ? http_live_slot(l, t) : NULL;
    if (slot == NULL)
        return false;
    /* A message that is larger than the limit on its own may go when nothing else waits. */
    int64_t before = atomic_fetch_add(&slot->queued, (int64_t)payload.len);
    bool slow = before > 0 && before + (int64_t)payload.len > HTTP_UNSENT_MAX;
    SocketMsg *m = message(t, slow ? (Str){0} : payload);
    if (m == NULL || slow)
        atomic_fetch_sub(&slot->queued, (int64_t)payload.len);
    if (m == NULL)
        return false;
    m->text = text;
    m->slow = slow;
    http_post(l, &m->msg);
    return !slow;
}

void http_socket_close(HttpServer *s, HttpTicket t, int code)
{
    CLEANUP(http_loop_leave) HttpLoop *l = http_visit(s, t);
    SocketMsg *m = l != NULL && http_live_slot(l, t) != NULL ? message(t, (Str){0}) : NULL;
    if (m == NULL)
        return;
    m->close_code = code;
    http_post(l, &m->msg);
}

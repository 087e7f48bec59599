/* http_in.h: the server's own structures. Who may touch what:
 *
 *   HttpConn, HttpLoop    the loop's thread only, but for the inbox and the slots' two atomics
 *   HttpExchange          one owner at a time: the loop, a pool thread, or whoever holds a parked
 * request. It travels as a job to the pool (http_dispatch) and comes back as a message
 * (http_return). HttpServer            constant after http_open, but for its atomics and the pool
 *
 * A connection, by what it waits for:
 *
 *   HANDSHAKE ─► HEAD ─► BODY ───► BUSY ─► WRITE ─► HEAD (keep-alive) │ LINGER ─► closed
 *                 ├────► UPLOAD ──►  │ ├─► STREAM ─► closed
 *                 └────────────────► │ └─► SOCKET ─► closed
 *
 * An edge of epoll sets `readable` or `writable`; http_conn_pump takes steps until one cannot go
 * on. A closed connection whose exchange is still elsewhere stays in its slot, without a
 * descriptor, until the exchange is back. */
#ifndef PLATEN_HTTP_HTTP_IN_H
#define PLATEN_HTTP_HTTP_IN_H

#include "base/thread.h"
#include "http/chunk_in.h"
#include "http/http.h"
#include "http/parse_in.h"
#include "http/route_in.h"

#include <sys/types.h>

typedef struct HttpLoop HttpLoop;
typedef struct HttpConn HttpConn;
typedef struct HttpExchange HttpExchange;
typedef struct HttpSink HttpSink;
typedef struct HttpSocket HttpSocket;
struct ssl_st;
struct ssl_ctx_st;

enum {
    HTTP_SCRATCH = 64 * 1024,     /* what one read takes */
    HTTP_HEAD_OUT = 16 * 1024,    /* the head of an answer, and its body when both fit */
    HTTP_UNSENT_MAX = 256 * 1024, /* of a stream or socket; more: the reader is too slow */
    HTTP_WHEEL = 512,             /* slots of the timer wheel */
    HTTP_SLOTS_PER_CHUNK = 1024,
    HTTP_SLOT_CHUNKS = 256,
    HTTP_PEER_SIZE = 46,
};

/* --- pool.c: blocking work on a few threads --- */
typedef struct HttpJob {
    struct HttpJob *next;
    void (*run)(struct HttpJob *job);
} HttpJob;

typedef struct HttpJobs {
    HttpJob *first, *last;
    int len;
} HttpJobs;

typedef struct HttpPool {
    Mutex lock; /* guards the next four */
    HttpJobs waiting;
    int idle;
    bool stopping;
    Cond wake;
    pthread_t threads[64];
    int threads_len;
} HttpPool;

MUST_CHECK ErrCode http_pool_open(HttpPool *p, int threads, Err *err);
void http_pool_close(HttpPool *p); /* runs what waits, then ends the threads */
void http_jobs_add(HttpJobs *jobs, HttpJob *job);
void http_pool_add(HttpPool *p, HttpJobs *jobs); /* takes all of them, with one wake */
int http_pool_waiting(HttpPool *p);

/* --- loop.c: one thread, one epoll --- */
typedef struct HttpMsg {
    struct HttpMsg *next;
    void (*deliver)(HttpLoop *l, struct HttpMsg *m); /* owns m */
} HttpMsg;

typedef struct HttpSlot {
    _Atomic uint64_t generation; /* of the request or stream that lives here; 0: none */
    _Atomic int64_t queued;      /* bytes on their way to this stream's client */
    HttpConn *conn;              /* loop only */
    uint32_t next_free;          /* loop only */
} HttpSlot;

typedef struct HttpCounters { /* written by the loop only, read by http_stats */
    _Atomic int64_t connections, streams, sockets, requests, refused, bytes_in, bytes_out;
} HttpCounters;

struct HttpLoop {
    HttpServer *server;
    uint32_t index;
    pthread_t thread;
    bool started;
    int epoll, wake, listener;
    int64_t now_us, accept_again_us;

    _Atomic(HttpMsg *) inbox;
    _Atomic bool asleep;
    _Atomic int visitors; /* other threads that are in here: http_close waits for them */

    HttpSlot *_Atomic chunks[HTTP_SLOT_CHUNKS];
    uint32_t slots_len, free_slot;
    uint64_t generation;
    int conns;   /* in slots: open, or waiting for their exchange */
    int orphans; /* sockets without a connection whose last message is with the pool */

    HttpConn *ready, *ready_last; /* to be pumped again in this round */
    HttpConn *dead;               /* freed at the end of the round */
    HttpJobs jobs;                /* for the pool, handed over at the end of the round */
    HttpExchange *spare;          /* recycled */
    int spares;

    HttpConn *wheel[HTTP_WHEEL];
    uint64_t wheel_used[HTTP_WHEEL / 64]; /* a bit per slot that may hold something */
    int64_t wheel_tick;

    HttpCounters n;
    uint64_t random[2];
    int64_t date_s, refused_s;
    int refused_logged;
    bool closing;
    char date[30];
    char scratch[HTTP_SCRATCH];
    char head_out[HTTP_HEAD_OUT];
};

void *http_loop_run(void *loop);
void http_post(HttpLoop *l, HttpMsg *m); /* from any thread */
void http_loop_wake(HttpLoop *l);
void http_loop_leave(HttpLoop **l); /* of a visitor, see http_visit */
void http_loop_drain(HttpLoop *l);  /* its thread has ended: messages that came too late */
void http_loop_ready(HttpLoop *l, HttpConn *c);
uint64_t http_random(HttpLoop *l);
static inline void http_count(_Atomic int64_t *counter, int64_t more)
{
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + more,
                          memory_order_relaxed);
}

/* --- slot.c: tickets --- */
bool http_slot_take(HttpLoop *l, HttpConn *c);
void http_slot_free(HttpLoop *l, HttpConn *c);
void http_slot_retire(HttpLoop *l, HttpConn *c); /* its tickets are stale from here on */
HttpSlot *http_slot(HttpLoop *l, uint32_t slot); /* NULL: there is no such slot. From any thread */
/* The loop of a ticket, from any thread; NULL: there is none. CLEANUP(http_loop_leave) HttpLoop *l
 * = http_visit(s, t); */
HttpLoop *http_visit(HttpServer *s, HttpTicket t);
HttpSlot *http_live_slot(HttpLoop *l, HttpTicket t); /* NULL: stale. From any thread */
HttpConn *http_slot_conn(HttpLoop *l, HttpTicket t); /* NULL: stale */

/* --- timer.c: a wheel of 65 ms ticks; deadlines may move away without touching it --- */
void http_timer_set(HttpLoop *l, HttpConn *c, int64_t deadline_us); /* INT64_MAX: none */
void http_timer_drop(HttpLoop *l, HttpConn *c);
void http_timers_run(HttpLoop *l);
int http_timers_wait_ms(const HttpLoop *l); /* -1: nothing is due, ever */

/* --- conn.c, input.c --- */
typedef enum HttpState {
    CONN_HANDSHAKE,
    CONN_HEAD, /* idle when there is no exchange */
    CONN_BODY,
    CONN_UPLOAD,
    CONN_BUSY,
    CONN_WRITE,
    CONN_STREAM,
    CONN_SOCKET,
    CONN_LINGER,
    CONN_CLOSED,
} HttpState;

typedef struct HttpInput { /* bytes read and not yet used: in the loop's scratch (base == NULL) or
                              in memory of their own */
    const char *ptr;
    size_t len;
    char *base;
    size_t cap;
} HttpInput;

typedef struct HttpOut { /* bytes of a stream or socket that wait for the client; no memory when
                            there are none */
    char *ptr;
    uint32_t at, len, cap;
} HttpOut;

struct HttpConn {
    int fd;
    uint8_t state;
    bool readable, writable, peer_done, hungry, queued, buried, ending;
    uint32_t slot, watched_park, lingered;
    HttpExchange *ex;
    struct ssl_st *tls;
    HttpInput in;
    HttpOut out;
    int64_t since_us; /* entered this state, or last made progress in it */
    int64_t deadline_us;
    int64_t wheel_tick; /* -1: not in the wheel */
    HttpConn *wheel_next, **wheel_at, *next;
    void (*gone)(void *ctx, HttpTicket t); /* STREAM */
    void *gone_ctx;
    HttpSocket *socket; /* SOCKET */
    HttpMsg *early;     /* frames sent to it by other threads before the upgrade came back from its
                           handler */
    char peer[HTTP_PEER_SIZE];
};

bool http_conn_open(HttpLoop *l, int fd, const char *peer);
void http_conn_pump(HttpLoop *l, HttpConn *c);
void http_conn_close(HttpLoop *l, HttpConn *c);
void http_conn_linger(HttpLoop *l,
                      HttpConn *c); /* all is said, but the client may still be talking */
void http_conn_bury(
    HttpLoop *l,
    HttpConn *c); /* closed and its exchange is back: free it at the end of the round */
void http_conn_timeout(HttpLoop *l, HttpConn *c);
void http_conn_state(HttpLoop *l, HttpConn *c, HttpState state);
HttpTicket http_conn_ticket(HttpLoop *l, const HttpConn *c);
/* Like read and write: > 0 bytes; 0: not now; -1: the connection is over. */
ssize_t http_conn_read(HttpLoop *l, HttpConn *c, void *bytes, size_t size);
ssize_t http_conn_write(HttpLoop *l, HttpConn *c, const void *bytes, size_t size);
/* More bytes behind those in c->in. False: none now, or the connection has ended (then it is
 * closed). */
bool http_input_fill(HttpLoop *l, HttpConn *c, size_t max);
void http_input_used(HttpConn *c, size_t n);
bool http_input_keep(
    HttpConn *c); /* out of the scratch, into memory of its own; false: no memory */
void http_input_free(HttpConn *c);
bool http_out_add(HttpLoop *l, HttpConn *c, Str bytes); /* false: no memory */
bool http_out_flush(HttpLoop *l, HttpConn *c);          /* false: the connection is over */
void http_out_free(HttpLoop *l, HttpConn *c);

/* --- exchange.c: a request and its answer --- */
typedef enum HttpPhase { PHASE_GUARD, PHASE_SINK, PHASE_ABANDON, PHASE_HANDLER } HttpPhase;
typedef enum HttpBecomes { BECOMES_ANSWER, BECOMES_STREAM, BECOMES_SOCKET } HttpBecomes;

struct HttpExchange {
    HttpRequest req; /* first: the handler's pointer is ours */
    HttpJob job;
    HttpMsg msg;
    HttpServer *server;
    HttpLoop *loop;
    HttpConn *conn;
    HttpExchange *next_spare;
    const HttpRoute *route; /* NULL: refused before one was found */
    HttpHandler handler;
    HttpPhase phase;
    HttpBecomes becomes;
    bool keep_alive, unread_body, guard_ok, guarded, has_traceparent;
    _Atomic uint32_t parks; /* odd: parked */
    void (*gone)(void *ctx, HttpTicket t);
    void *gone_ctx;
    HttpSocketHandler socket;
    int64_t started_us;
    HttpSink *sink;
    HttpChunk chunk;   /* BODY and UPLOAD */
    int64_t body_left; /* Content-Length: still to come */
    Buf body;
    Str out_head, out_body; /* WRITE: what is still to be sent */
    HttpParse parse;
};

HttpExchange *http_exchange_open(HttpLoop *l, HttpConn *c);
void http_exchange_close(HttpLoop *l, HttpExchange *ex); /* recycle; c->ex is NULL afterwards */
void http_exchange_free(HttpExchange *ex);
void http_dispatch(HttpLoop *l, HttpExchange *ex, HttpPhase phase); /* to the pool */
void http_return(HttpExchange *ex); /* from the owner's thread to the loop */
void http_answer_now(HttpLoop *l,
                     HttpConn *c); /* the request is whole: run its handler, here or on the pool */
/* What the handler, guard or sink made of it: go on from there. http_returned also takes the
 * connection's next steps. */
void http_settle(HttpLoop *l, HttpExchange *ex);
void http_early_add(HttpConn *c, HttpMsg *m);
void http_returned(HttpLoop *l, HttpExchange *ex);
void http_run_handler(HttpExchange *ex); /* guard and handler; on their thread */
bool http_run_parked(void); /* the handler that just ran on this thread has parked its request: it
                               is not ours any more */
void http_run_begin(HttpExchange *ex);
void http_run_end(void);
bool http_gone_fire(HttpLoop *l, HttpConn *c); /* true: the parked request ended with its client */

/* --- head.c, body.c, upload.c, write.c: the steps of a connection; true: take another step --- */
bool http_head_step(HttpLoop *l, HttpConn *c);
void http_body_begin(HttpLoop *l, HttpConn *c);
bool http_body_step(HttpLoop *l, HttpConn *c);
bool http_upload_wanted(const HttpExchange *ex);
void http_upload_begin(HttpLoop *l, HttpConn *c);
bool http_upload_step(HttpLoop *l, HttpConn *c);
/* The client is gone (err NULL) or does something wrong: abandon what is half written, then answer
 * `err`. */
void http_upload_stop(HttpLoop *l, HttpConn *c, const Err *err);
void http_upload_late(HttpLoop *l, HttpConn *c); /* nothing has come for body_idle_ms */
void http_upload_returned(
    HttpLoop *l, HttpConn *c); /* the sink has used what it was given, or has abandoned all */
void http_sink_run(HttpExchange *ex); /* on the pool */
void http_sink_free(HttpSink **s);
bool http_send_continue(HttpLoop *l, HttpConn *c); /* false: the connection is closed */
bool http_write_step(HttpLoop *l, HttpConn *c);
/* Answer c->ex from its res; the request's body, if any is left, is not read. */
void http_respond(HttpLoop *l, HttpConn *c);
void http_refuse(HttpLoop *l, HttpConn *c, int status, ErrCode code, const char *why);

/* --- response.c, problem.c --- */
void http_head_text(HttpLoop *l, HttpExchange *ex, Buf *out);
bool http_res_has(const HttpResponse *res, Str name);
void http_problem(HttpRequest *req, int status, const Err *err, Str errors_json);
const char *http_status_text(int status);

/* --- sse.c, websocket.c --- */
void http_stream_begin(HttpLoop *l, HttpConn *c);
bool http_stream_step(HttpLoop *l, HttpConn *c);
void http_stream_tick(HttpLoop *l, HttpConn *c);
void http_socket_begin(HttpLoop *l, HttpConn *c);
bool http_socket_step(HttpLoop *l, HttpConn *c);
void http_socket_tick(HttpLoop *l, HttpConn *c);
void http_socket_leave(HttpLoop *l, HttpConn *c, int code);
void http_socket_free(HttpLoop *l, HttpConn *c);

/* --- tls.c --- */
MUST_CHECK ErrCode http_tls_open(const char *cert, const char *key, struct ssl_ctx_st **out,
                                 Err *err);
void http_tls_close(struct ssl_ctx_st **tls);
bool http_tls_accept(HttpLoop *l, HttpConn *c);
bool http_tls_step(HttpLoop *l, HttpConn *c);
ssize_t http_tls_read(HttpConn *c, void *bytes, size_t size);
ssize_t http_tls_write(HttpConn *c, const void *bytes, size_t size);
void http_tls_end(HttpConn *c); /* says goodbye when it can */

/* --- listener.c --- */
MUST_CHECK ErrCode http_listen(const char *address, int count, int *fds, int *port, Err *err);
void http_accept(HttpLoop *l);

/* --- server.c --- */
struct HttpServer {
    HttpOptions o; /* with the defaults filled in */
    HttpRouter *router;
    Arena *arena;
    struct ssl_ctx_st *tls;
    int port, loops_len;
    HttpLoop *loops[16];
    HttpPool pool;
    bool pool_open;
    _Atomic int connections;
    _Atomic bool closing;
    _Atomic int64_t close_at_us;
};

#endif

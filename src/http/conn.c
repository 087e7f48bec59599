#include "base/fault.h"
#include "base/fd.h"
#include "http/http_in.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    STEPS_PER_ROUND = 16,
    STREAM_COMMENT_US = 15 * 1000000,
    LINGER_US = 2 * 1000000,
    LINGER_MAX = 16 * 1024 * 1024
};

HttpTicket http_conn_ticket(HttpLoop *l, const HttpConn *c)
{
    return (HttpTicket){
        l->index, c->slot,
        atomic_load_explicit(&http_slot(l, c->slot)->generation, memory_order_relaxed)};
}

void http_conn_state(HttpLoop *l, HttpConn *c, HttpState state)
{
    c->state = (uint8_t)state;
    c->since_us = l->now_us;
}

/* --- open and close --- */

static bool start(HttpLoop *l, HttpConn *c)
{
    if (l->server->tls != NULL && !http_tls_accept(l, c))
        return false;
    struct epoll_event e = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.ptr = c};
    return !fault_hit("http.epoll") && epoll_ctl(l->epoll, EPOLL_CTL_ADD, c->fd, &e) == 0;
}

bool http_conn_open(HttpLoop *l, int fd, const char *peer)
{
    HttpConn *c = fault_hit("http.conn") ? NULL : calloc(1, sizeof *c);
    if (c == NULL || !http_slot_take(l, c)) {
        free(c);
        fd_close(&fd);
        return false;
    }
    c->fd = fd;
    c->wheel_tick = -1;
    c->writable = true;
    memcpy(c->peer, peer, sizeof c->peer);
    atomic_fetch_add(&l->server->connections, 1);
    http_count(&l->n.connections, 1);
    http_conn_state(l, c, l->server->tls != NULL ? CONN_HANDSHAKE : CONN_HEAD);
    if (!start(l, c)) {
        http_conn_close(l, c);
        return false;
    }
    c->readable = true; /* the first bytes are often there already */
    http_conn_pump(l, c);
    return true;
}

void http_conn_bury(HttpLoop *l, HttpConn *c)
{
    if (c->ex != NULL || c->queued || c->buried)
        return;
    c->buried = true;
    http_slot_free(l, c);
    c->next = l->dead;
    l->dead = c;
}

static void stream_gone(HttpLoop *l, HttpConn *c)
{
    HttpTicket t = http_conn_ticket(l, c);
    http_count(&l->n.streams, -1);
    http_slot_retire(l, c);
    if (c->gone != NULL)
        c->gone(c->gone_ctx, t);
}

void http_conn_close(HttpLoop *l, HttpConn *c)
{
    HttpState was = (HttpState)c->state;
    c->state = CONN_CLOSED;
    http_timer_drop(l, c);
    http_tls_end(c);
    /* Closing is not enough: a child forked for an engine may hold the socket until its exec, and
     * as long as it is open anywhere epoll would go on reporting it, to a connection that is
     * freed. */
    epoll_ctl(l->epoll, EPOLL_CTL_DEL, c->fd, NULL);
    fd_close(&c->fd);
    http_input_free(c);
    http_out_free(l, c);
    atomic_fetch_sub(&l->server->connections, 1);
    http_count(&l->n.connections, -1);
    if (was == CONN_STREAM)
        stream_gone(l, c);
    if (was == CONN_SOCKET)
        http_socket_free(l, c);
    if (was == CONN_UPLOAD)
        http_upload_stop(l, c, NULL);
    else if (was == CONN_HEAD || was == CONN_BODY || was == CONN_WRITE)
        http_exchange_close(l, c->ex);
    else if (was == CONN_BUSY)
        http_gone_fire(l, c);
    http_conn_bury(l, c);
}

void http_conn_linger(HttpLoop *l, HttpConn *c)
{
    http_tls_end(c);
    shutdown(c->fd, SHUT_WR);
    http_input_free(c);
    http_conn_state(l, c, CONN_LINGER);
}

/* --- reading and writing --- */

ssize_t http_conn_read(HttpLoop *l, HttpConn *c, void *bytes, size_t size)
{
    ssize_t n;
    if (c->tls != NULL) {
        n = http_tls_read(c, bytes, size);
    } else {
        do
            n = fault_hit("http.read") ? (errno = ECONNRESET, -1) : recv(c->fd, bytes, size, 0);
        while (n < 0 && errno == EINTR);
        /* A short read has emptied the socket: its next bytes bring a new edge. But a closed half
         * brings none. */
        if ((n >= 0 && (size_t)n < size && !c->peer_done) || (n < 0 && errno == EAGAIN))
            c->readable = false;
        n = n == 0 ? -1 : n < 0 && errno == EAGAIN ? 0 : n;
    }
    if (n > 0)
        http_count(&l->n.bytes_in, n);
    return n;
}

ssize_t http_conn_write(HttpLoop *l, HttpConn *c, const void *bytes, size_t size)
{
    ssize_t n;
    if (c->tls != NULL) {
        n = http_tls_write(c, bytes, size);
    } else {
        do
            n = fault_hit("http.write") ? (errno = EPIPE, -1)
                                        : send(c->fd, bytes, size, MSG_NOSIGNAL);
        while (n < 0 && errno == EINTR);
        if (n < (ssize_t)size)
            c->writable = false;
        n = n < 0 && errno == EAGAIN ? 0 : n;
    }
    if (n > 0)
        http_count(&l->n.bytes_out, n);
    return n;
}

/* --- steps --- */

/* After an answer to a request that was not read to its end: take what still comes for a moment, so
 * that the answer is not lost to a reset. */
static bool linger_step(HttpLoop *l, HttpConn *c)
{
    ssize_t n = recv(c->fd, l->scratch, sizeof l->scratch, 0);
    c->lingered += n > 0 ? (uint32_t)n : 0;
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR) || c->lingered > LINGER_MAX) {
        http_conn_close(l, c);
        return false;
    }
    return n > 0;
}

/* A request is with the pool, or parked. Only its end matters now. */
static bool busy_step(HttpLoop *l, HttpConn *c)
{
    if (c->peer_done && c->watched_park != 0 && http_gone_fire(l, c))
        http_conn_close(l, c);
    return false;
}

static bool step(HttpLoop *l, HttpConn *c)
{
    switch ((HttpState)c->state) {
    case CONN_HANDSHAKE:
        return http_tls_step(l, c);
    case CONN_HEAD:
        return http_head_step(l, c);
    case CONN_BODY:
        return http_body_step(l, c);
    case CONN_UPLOAD:
        return http_upload_step(l, c);
    case CONN_BUSY:
        return busy_step(l, c);
    case CONN_WRITE:
        return http_write_step(l, c);
    case CONN_STREAM:
        return http_stream_step(l, c);
    case CONN_SOCKET:
        return http_socket_step(l, c);
    case CONN_LINGER:
        return linger_step(l, c);
    case CONN_CLOSED:
        break;
    }
    return false;
}

static int64_t patience_us(const HttpLoop *l, const HttpConn *c)
{
    const HttpOptions *o = &l->server->o;
    switch ((HttpState)c->state) {
    case CONN_HANDSHAKE:
        return (int64_t)o->head_timeout_ms * 1000;
    case CONN_HEAD:
        return (int64_t)(c->ex != NULL ? o->head_timeout_ms : o->keepalive_ms) * 1000;
    case CONN_BODY:
    case CONN_UPLOAD:
    case CONN_WRITE:
        return (int64_t)o->body_idle_ms * 1000;
    case CONN_STREAM:
    case CONN_SOCKET:
        return STREAM_COMMENT_US;
    case CONN_LINGER:
        return LINGER_US;
    case CONN_BUSY:
    case CONN_CLOSED:
        break;
    }
    return INT64_MAX;
}

static void set_deadline(HttpLoop *l, HttpConn *c)
{
    int64_t patience = patience_us(l, c);
    http_timer_set(l, c, patience == INT64_MAX ? INT64_MAX : c->since_us + patience);
}

void http_conn_pump(HttpLoop *l, HttpConn *c)
{
    int steps = 0;
    while (steps < STEPS_PER_ROUND && step(l, c))
        steps++;
    if (c->state == CONN_CLOSED)
        return;
    if (!http_input_keep(c)) {
        http_conn_close(l, c);
        return;
    }
    if (steps == STEPS_PER_ROUND)
        http_loop_ready(l, c); /* others want to have their turn */
    set_deadline(l, c);
}

static void too_slow(HttpLoop *l, HttpConn *c)
{
    if (c->state == CONN_UPLOAD)
        http_upload_late(l, c);
    else
        http_refuse(l, c, 408, ERR_REQUEST_TIMEOUT,
                    c->state == CONN_HEAD ? "the head did not arrive in time"
                                          : "the body did not arrive in time");
    http_conn_pump(l, c);
}

void http_conn_timeout(HttpLoop *l, HttpConn *c)
{
    switch ((HttpState)c->state) {
    case CONN_HEAD:
        if (c->ex == NULL)
            http_conn_close(l, c);
        else
            too_slow(l, c);
        break;
    case CONN_BODY:
    case CONN_UPLOAD:
        too_slow(l, c);
        break;
    case CONN_STREAM:
        http_stream_tick(l, c);
        break;
    case CONN_SOCKET:
        http_socket_tick(l, c);
        break;
    case CONN_HANDSHAKE:
    case CONN_WRITE:
    case CONN_LINGER:
        http_conn_close(l, c);
        break;
    case CONN_BUSY:
    case CONN_CLOSED:
        break;
    }
}

#include "base/clock.h"
#include "base/fault.h"
#include "base/fd.h"
#include "http/http_in.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <unistd.h>

enum { LOOPS_BY_ITSELF_MAX = 4 };

#define DEFAULT(field, value)                                                                      \
    do {                                                                                           \
        if ((field) == 0)                                                                          \
            (field) = (value);                                                                     \
    } while (0)

static void fill_defaults(HttpOptions *o)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    DEFAULT(o->loops, cores < 1                     ? 1
                      : cores > LOOPS_BY_ITSELF_MAX ? LOOPS_BY_ITSELF_MAX
                                                    : (int)cores);
    DEFAULT(o->pool_threads, 8);
    DEFAULT(o->head_max, 32 * KIB);
    DEFAULT(o->memory_body_max, 1 * MIB);
    DEFAULT(o->upload_max, (int64_t)GIB);
    DEFAULT(o->head_timeout_ms, 10 * 1000);
    DEFAULT(o->body_idle_ms, 30 * 1000);
    DEFAULT(o->keepalive_ms, 75 * 1000);
    DEFAULT(o->connections_max, 10000);
}

/* --- loops --- */

static void loop_free(HttpLoop *l)
{
    http_loop_drain(l);
    fd_close(&l->listener);
    fd_close(&l->wake);
    fd_close(&l->epoll);
    while (l->spare != NULL) {
        HttpExchange *ex = l->spare;
        l->spare = ex->next_spare;
        http_exchange_free(ex);
    }
    for (size_t i = 0; i < COUNT_OF(l->chunks); i++)
        free(atomic_load(&l->chunks[i]));
    free(l);
}

static bool watch(HttpLoop *l, int fd, void *what, uint32_t events)
{
    struct epoll_event e = {.events = events, .data.ptr = what};
    return epoll_ctl(l->epoll, EPOLL_CTL_ADD, fd, &e) == 0;
}

static ErrCode loop_open(HttpServer *s, int index, int listener, Err *err)
{
    HttpLoop *l = fault_hit("http.loop") ? NULL : calloc(1, sizeof *l);
    if (l == NULL) {
        fd_close(&listener);
        return err_set(err, ERR_NO_MEMORY, "no memory for a loop");
    }
    s->loops[s->loops_len++] = l;
    l->server = s;
    l->index = (uint32_t)index;
    l->listener = listener;
    l->epoll = fault_hit("http.loop") ? (errno = EMFILE, -1) : epoll_create1(EPOLL_CLOEXEC);
    l->wake =
        fault_hit("http.loop") ? (errno = EMFILE, -1) : eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    l->now_us = clock_mono_us();
    l->wheel_tick = l->now_us >> 16;
    if (l->epoll < 0 || l->wake < 0 || !watch(l, l->wake, &l->wake, EPOLLIN | EPOLLET) ||
        !watch(l, l->listener, &l->listener, EPOLLIN) ||
        getrandom(l->random, sizeof l->random, 0) < 0)
        return err_set_errno(err, ERR_IO, errno, "could not make a loop");
    return OK;
}

static ErrCode open_loops(HttpServer *s, Err *err)
{
    int fds[COUNT_OF(s->loops)];
    for (size_t i = 0; i < COUNT_OF(fds); i++)
        fds[i] = -1;
    int count = s->o.loops < (int)COUNT_OF(fds) ? s->o.loops : (int)COUNT_OF(fds);
    ErrCode rc = http_listen(s->o.listen, count, fds, &s->port, err);
    for (int i = 0; i < count && rc == OK; i++)
        rc = loop_open(s, i, fd_take(&fds[i]), err);
    for (size_t i = 0; i < COUNT_OF(fds); i++)
        fd_close(&fds[i]);
    return rc;
}

static ErrCode start_threads(HttpServer *s, Err *err)
{
    ErrCode rc = http_pool_open(&s->pool, s->o.pool_threads, err);
    s->pool_open = rc == OK;
    for (int i = 0; i < s->loops_len && rc == OK; i++) {
        rc = thread_start(&s->loops[i]->thread, "http-loop", http_loop_run, s->loops[i], err);
        s->loops[i]->started = rc == OK;
    }
    return rc;
}

/* --- open and close --- */

static ErrCode build(HttpServer *s, Err *err)
{
    if (s->o.tls_cert != NULL) {
        ErrCode rc = http_tls_open(s->o.tls_cert, s->o.tls_key, &s->tls, err);
        if (rc != OK)
            return rc;
    }
    ErrCode rc = http_router_build(s->arena, s->o.routes, s->o.routes_len, &s->router, err);
    if (rc == OK)
        rc = open_loops(s, err);
    return rc == OK ? start_threads(s, err) : rc;
}

ErrCode http_open(const HttpOptions *o, HttpServer **out, Err *err)
{
    HttpServer *s = fault_hit("http.server") ? NULL : calloc(1, sizeof *s);
    if (s == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for the server");
    s->o = *o;
    fill_defaults(&s->o);
    s->arena = arena_open(4 * MIB);
    if (s->arena == NULL) {
        free(s);
        return err_set(err, ERR_NO_MEMORY, "no memory for the server");
    }
    signal(SIGPIPE, SIG_IGN); /* sendfile and OpenSSL have no MSG_NOSIGNAL */
    ErrCode rc = build(s, err);
    if (rc == OK)
        *out = s;
    else
        http_close(&s, 0);
    return rc;
}

void http_close(HttpServer **server, int grace_ms)
{
    HttpServer *s = *server;
    if (s == NULL)
        return;
    atomic_store(&s->close_at_us, clock_mono_us() + (int64_t)grace_ms * 1000);
    atomic_store(&s->closing, true);
    for (int i = 0; i < s->loops_len; i++)
        if (s->loops[i]->started) {
            http_loop_wake(s->loops[i]);
            pthread_join(s->loops[i]->thread, NULL);
        }
    if (s->pool_open)
        http_pool_close(&s->pool);
    for (int i = 0; i < s->loops_len; i++)
        loop_free(s->loops[i]);
    http_tls_close(&s->tls);
    arena_close(&s->arena);
    free(s);
    *server = NULL;
}

/* --- what it says about itself --- */

int http_port(const HttpServer *s)
{
    return s->port;
}

HttpStats http_stats(HttpServer *s)
{
    HttpStats all = {.pool_waiting = http_pool_waiting(&s->pool)};
    for (int i = 0; i < s->loops_len; i++) {
        const HttpCounters *n = &s->loops[i]->n;
        all.connections += atomic_load(&n->connections);
        all.streams += atomic_load(&n->streams);
        all.sockets += atomic_load(&n->sockets);
        all.requests += atomic_load(&n->requests);
        all.refused += atomic_load(&n->refused);
        all.bytes_in += atomic_load(&n->bytes_in);
        all.bytes_out += atomic_load(&n->bytes_out);
    }
    return all;
}

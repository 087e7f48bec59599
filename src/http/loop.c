#include "base/clock.h"
#include "base/fault.h"
#include "base/fd.h"
#include "http/http_in.h"

#include <errno.h>
#include <sched.h>
#include <sys/epoll.h>
#include <stdlib.h>
#include <unistd.h>

enum { EVENTS = 256, ACCEPT_PAUSE_US = 200 * 1000 };

/* --- what other threads post --- */

void http_loop_wake(HttpLoop *l)
{
    uint64_t one = 1;
    ssize_t n = write(l->wake, &one, sizeof one);
    (void)n; /* a full counter wakes as well */
}

void http_post(HttpLoop *l, HttpMsg *m)
{
    atomic_fetch_add(&l->visitors, 1);
    HttpMsg *head = atomic_load_explicit(&l->inbox, memory_order_relaxed);
    do
        m->next = head;
    while (!atomic_compare_exchange_weak(&l->inbox, &head, m));
    /* Sequentially consistent against sleep_now: either we see that it sleeps, or it sees our
     * message. */
    if (atomic_load(&l->asleep) && atomic_exchange(&l->asleep, false))
        http_loop_wake(l);
    atomic_fetch_sub(&l->visitors, 1);
}

static HttpMsg *oldest_first(HttpMsg *m)
{
    HttpMsg *out = NULL;
    while (m != NULL) {
        HttpMsg *next = m->next;
        m->next = out;
        out = m;
        m = next;
    }
    return out;
}

static void read_inbox(HttpLoop *l)
{
    if (atomic_load_explicit(&l->inbox, memory_order_relaxed) == NULL)
        return;
    HttpMsg *m = oldest_first(atomic_exchange(&l->inbox, NULL));
    while (m != NULL) {
        HttpMsg *next = m->next;
        m->deliver(l, m);
        m = next;
    }
}

void http_loop_drain(HttpLoop *l)
{
    while (atomic_load(&l->visitors) > 0)
        sched_yield();
    read_inbox(l);
}

/* --- connections that have more to do --- */

void http_loop_ready(HttpLoop *l, HttpConn *c)
{
    if (c->queued)
        return;
    c->queued = true;
    c->next = NULL;
    if (l->ready == NULL)
        l->ready = c;
    else
        l->ready_last->next = c;
    l->ready_last = c;
}

static void run_ready(HttpLoop *l)
{
    HttpConn *c = l->ready;
    l->ready = l->ready_last = NULL; /* those that are still not done wait for the next round */
    while (c != NULL) {
        HttpConn *next = c->next;
        c->queued = false;
        if (c->state == CONN_CLOSED)
            http_conn_bury(l, c);
        else
            http_conn_pump(l, c);
        c = next;
    }
}

static void free_dead(HttpLoop *l)
{
    while (l->dead != NULL) {
        HttpConn *c = l->dead;
        l->dead = c->next;
        free(c);
    }
}

/* --- the round --- */

uint64_t http_random(HttpLoop *l) /* xorshift128+: for trace ids, not for secrets */
{
    uint64_t x = l->random[0], y = l->random[1];
    l->random[0] = y;
    x ^= x << 23;
    l->random[1] = x ^ y ^ (x >> 17) ^ (y >> 26);
    return l->random[1] + y;
}

static void conn_event(HttpLoop *l, HttpConn *c, uint32_t events)
{
    if (c->state == CONN_CLOSED)
        return;
    if ((events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0)
        c->readable = true;
    if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0)
        c->peer_done = true;
    if ((events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0)
        c->writable = true;
    http_conn_pump(l, c);
}

static void handle_event(HttpLoop *l, const struct epoll_event *e)
{
    if (e->data.ptr == &l->listener)
        http_accept(l);
    else if (e->data.ptr !=
             &l->wake) /* edge-triggered: waking was all, its counter is never read */
        conn_event(l, e->data.ptr, e->events);
}

static int sleep_ms(const HttpLoop *l)
{
    if (l->ready != NULL)
        return 0;
    int ms = http_timers_wait_ms(l);
    if (l->accept_again_us == 0 && !l->closing)
        return ms;
    return ms < 0 || ms > ACCEPT_PAUSE_US / 1000 ? ACCEPT_PAUSE_US / 1000 : ms;
}

static int wait_for_events(HttpLoop *l, struct epoll_event *events)
{
    int ms = sleep_ms(l);
    atomic_store(&l->asleep, true);
    if (atomic_load(&l->inbox) != NULL || (atomic_load(&l->server->closing) && !l->closing))
        ms = 0;
    int n = epoll_wait(l->epoll, events, EVENTS, ms);
    atomic_store_explicit(&l->asleep, false, memory_order_relaxed);
    return n > 0 ? n : 0;
}

/* The listener rests when there are no descriptors left: a level-triggered one would spin. */
static void accept_again(HttpLoop *l)
{
    if (l->accept_again_us == 0 || l->now_us < l->accept_again_us || l->listener < 0)
        return;
    l->accept_again_us = 0;
    struct epoll_event e = {.events = EPOLLIN, .data.ptr = &l->listener};
    epoll_ctl(l->epoll, EPOLL_CTL_MOD, l->listener, &e);
}

static void date_now(HttpLoop *l)
{
    int64_t s = l->now_us / 1000000;
    if (s == l->date_s)
        return;
    l->date_s = s;
    clock_http_date(clock_now_ms(), l->date);
}

/* --- the end --- */

/* Each connection once, by slot: the server is stopping. */
static void for_each_conn(HttpLoop *l, void (*fn)(HttpLoop *l, HttpConn *c))
{
    for (uint32_t i = 0; i < l->slots_len; i++) {
        HttpConn *c = http_slot(l, i)->conn;
        if (c != NULL)
            fn(l, c);
    }
}

static void ask_to_leave(HttpLoop *l, HttpConn *c)
{
    bool idle = c->state == CONN_HANDSHAKE || (c->state == CONN_HEAD && c->ex == NULL) ||
                c->state == CONN_STREAM;
    if (c->state == CONN_SOCKET)
        http_socket_leave(l, c, 1001);
    else if (idle)
        http_conn_close(l, c);
}

static void throw_out(HttpLoop *l, HttpConn *c)
{
    if (c->state != CONN_CLOSED)
        http_conn_close(l, c);
}

static void forget_parked(HttpLoop *l, HttpConn *c)
{
    if (c->state == CONN_CLOSED && c->ex != NULL && (atomic_load(&c->ex->parks) & 1) != 0) {
        http_exchange_close(l, c->ex);
        http_conn_bury(l, c);
    }
}

/* True: nothing of ours is anywhere else any more. */
static bool closed(HttpLoop *l)
{
    if (!atomic_load(&l->server->closing))
        return false;
    if (!l->closing) {
        l->closing = true;
        epoll_ctl(l->epoll, EPOLL_CTL_DEL, l->listener, NULL); /* see http_conn_close */
        fd_close(&l->listener);
        for_each_conn(l, ask_to_leave);
    }
    if (l->conns > 0 && l->now_us >= atomic_load(&l->server->close_at_us)) {
        for_each_conn(l, throw_out);
        for_each_conn(l, forget_parked);
    }
    return l->conns == 0 && l->orphans == 0;
}

void *http_loop_run(void *arg)
{
    HttpLoop *l = arg;
    struct epoll_event events[EVENTS];
    do {
        int n = wait_for_events(l, events);
        l->now_us = clock_mono_us();
        date_now(l);
        for (int i = 0; i < n; i++)
            handle_event(l, &events[i]);
        read_inbox(l);
        run_ready(l);
        http_timers_run(l);
        accept_again(l);
        http_pool_add(&l->server->pool, &l->jobs);
        free_dead(l);
    } while (!closed(l));
    http_pool_add(&l->server->pool, &l->jobs);
    free_dead(l);
    return NULL;
}

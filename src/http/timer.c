#include "http/http_in.h"

#include <string.h>

/* Ticks of 2^16 microseconds. A connection sits in the slot of some tick at or before its deadline;
 * when the wheel gets there and the deadline has moved on, it is put where it belongs. So moving a
 * deadline away, as every request does, costs nothing. */
enum { TICK_SHIFT = 16 };

static void put(HttpLoop *l, HttpConn *c, int64_t tick)
{
    size_t i = (size_t)tick % HTTP_WHEEL;
    c->wheel_tick = tick;
    c->wheel_next = l->wheel[i];
    c->wheel_at = &l->wheel[i];
    if (c->wheel_next != NULL)
        c->wheel_next->wheel_at = &c->wheel_next;
    l->wheel[i] = c;
    l->wheel_used[i / 64] |= 1ull << i % 64;
}

void http_timer_drop(HttpLoop *l, HttpConn *c)
{
    (void)l;
    if (c->wheel_tick < 0)
        return;
    *c->wheel_at = c->wheel_next;
    if (c->wheel_next != NULL)
        c->wheel_next->wheel_at = c->wheel_at;
    c->wheel_tick = -1;
}

/* Rounded up: a timer is never early. Far ones wait in the last slot ahead. */
static int64_t tick_of(const HttpLoop *l, int64_t deadline_us)
{
    int64_t tick = (deadline_us >> TICK_SHIFT) + 1;
    if (tick <= l->wheel_tick)
        return l->wheel_tick + 1;
    return tick < l->wheel_tick + HTTP_WHEEL ? tick : l->wheel_tick + HTTP_WHEEL - 1;
}

void http_timer_set(HttpLoop *l, HttpConn *c, int64_t deadline_us)
{
    c->deadline_us = deadline_us;
    if (deadline_us == INT64_MAX)
        return;
    int64_t tick = tick_of(l, deadline_us);
    if (c->wheel_tick >= 0 && c->wheel_tick <= tick)
        return;
    http_timer_drop(l, c);
    put(l, c, tick);
}

static void run_slot(HttpLoop *l, size_t i)
{
    HttpConn *c = l->wheel[i];
    l->wheel[i] = NULL;
    l->wheel_used[i / 64] &= ~(1ull << i % 64);
    if (c != NULL)
        c->wheel_at =
            &c; /* http_timer_drop of a connection further on in this list must find its way */
    while (c != NULL) {
        HttpConn *now = c;
        http_timer_drop(l, now);
        if (now->deadline_us <= l->now_us)
            http_conn_timeout(l, now);
        else if (now->deadline_us != INT64_MAX)
            http_timer_set(l, now, now->deadline_us);
    }
}

void http_timers_run(HttpLoop *l)
{
    int64_t now = l->now_us >> TICK_SHIFT;
    if (now - l->wheel_tick >= HTTP_WHEEL)
        l->wheel_tick = now - HTTP_WHEEL;
    while (l->wheel_tick < now)
        run_slot(l, (size_t)++l->wheel_tick % HTTP_WHEEL);
}

int http_timers_wait_ms(const HttpLoop *l)
{
    for (int64_t ahead = 1; ahead <= HTTP_WHEEL; ahead++) {
        size_t i = (size_t)(l->wheel_tick + ahead) % HTTP_WHEEL;
        if (i % 64 == 0 && l->wheel_used[i / 64] == 0) {
            ahead += 63;
            continue;
        }
        if (l->wheel[i] == NULL)
            continue;
        int64_t us = ((l->wheel_tick + ahead) << TICK_SHIFT) - l->now_us;
        return us > 0 ? (int)(us / 1000) + 1 : 0;
    }
    return -1;
}

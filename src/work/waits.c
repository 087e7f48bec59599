/* waits.c: one thread that ends what ends by itself: waits for a time, timeouts of approvals, signals
 * and callbacks, delayed starts of pipelines, deadlines of jobs. It sleeps until the next is due; a wait that begins
 * pokes it (flow's hook, after the commit). What is on disk decides, so a poke that is lost with the
 * process is found at the next start. */
#include "work/work_in.h"
#include "base/clock.h"

enum {
    LOOK_MS = 60 * 1000, /* the wall clock may be set while we sleep */
    SOON_MS = 1000,
    AGAIN_MS = 2000, /* after a failed write */
};

void waits_poke(Work *w, int64_t due_ms)
{
    MUTEX_HELD(&w->lock);
    if (due_ms >= w->waits_due_ms)
        return;
    w->waits_due_ms = due_ms;
    cond_signal(&w->wake_waits);
}

/* False: the thread is to stop. */
static bool sleep_until_due(Work *w)
{
    MUTEX_HELD(&w->lock);
    while (!w->waits_stop) {
        int64_t left_ms =
            w->waits_due_ms == INT64_MAX ? INT64_MAX : w->waits_due_ms - clock_now_ms();
        if (left_ms <= 0)
            break;
        int64_t sleep_ms = left_ms > LOOK_MS ? LOOK_MS : left_ms > SOON_MS ? SOON_MS : left_ms;
        if (left_ms == INT64_MAX)
            cond_wait(&w->wake_waits, &w->lock);
        else
            (void)cond_wait_until(&w->wake_waits, &w->lock, clock_mono_us() + sleep_ms * 1000);
    }
    w->waits_due_ms = INT64_MAX; /* what begins from here on pokes again */
    return !w->waits_stop;
}

void *waits_main(void *work)
{
    Work *w = work;
    do {
        Err err = {0};
        int64_t count = 0, next_ms = INT64_MAX, timer_ms = INT64_MAX;
        if (atomic_load(&w->draining))
            continue;
        if (flow_waits_due(w->o.db, clock_now_ms(), &count, &next_ms, &err) != OK)
            next_ms = clock_now_ms() + AGAIN_MS; /* the database has logged why */
        if (flow_timers_due(w->o.db, clock_now_ms(), &count, &timer_ms, &err) != OK)
            timer_ms = clock_now_ms() + AGAIN_MS;
        waits_poke(w, next_ms < timer_ms ? next_ms : timer_ms);
    } while (sleep_until_due(w));
    return NULL;
}

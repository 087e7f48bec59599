/* scheduler.c: one thread that sleeps until the next schedule is due.
 *
 * It sleeps on a timer of the wall clock set to the very moment, so a clock that is set forward or
 * back moves the end of the sleep with it; nobody looks at the clock in between. The kernel is also
 * asked to end the sleep when the clock is set (TFD_TIMER_CANCEL_ON_SET): after a jump the moment is
 * looked up again. A poke (a schedule was made or changed) ends it too. */
#include "base/clock.h"
#include "base/fault.h"
#include "base/fd.h"
#include "flow/schedule.h"
#include "work/work_in.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

enum { AGAIN_MS = 5000 /* after a failure: the disk is full, say */ };

struct Scheduler {
    /* Set when it is made, then constant. */
    Db *db;
    const Registry *registry;
    int timer, poke;
    pthread_t thread;
    bool runs; /* of whoever opens and stops it */

    atomic_bool stop;
};

static void poke(Scheduler *s)
{
    uint64_t one = 1;
    if (write(s->poke, &one, sizeof one) < 0)
        return; /* it is awake already: the counter is full */
}

void scheduler_due(Scheduler *s, int64_t due_ms)
{
    (void)due_ms; /* looked up again: this may have been the earliest, or be gone by now */
    poke(s);
}

/* The time of the next look. */
static int64_t look(Scheduler *s)
{
    int64_t fired = 0, next_ms = INT64_MAX, now_ms = clock_now_ms();
    Err err = {0};
    if (schedule_fire_due(s->db, s->registry, now_ms, &fired, &next_ms, &err) != OK) {
        LOG(ERROR, SCHEDULE_FAILED, KV("reason", err_reason(err.code)),
            KV("detail", (const char *)err.text));
        return now_ms + AGAIN_MS;
    }
    return next_ms;
}

static void sleep_until(Scheduler *s, int64_t ms)
{
    struct itimerspec at = {0}; /* all zero: no timer */
    if (ms != INT64_MAX)
        at.it_value = (struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    if (timerfd_settime(s->timer, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &at, NULL) != 0 &&
        errno == ECANCELED)
        return; /* the clock was set just now */
    struct pollfd fds[] = {{.fd = s->timer, .events = POLLIN}, {.fd = s->poke, .events = POLLIN}};
    uint64_t count;
    if (poll(fds, COUNT_OF(fds), -1) < 0)
        return;
    for (size_t i = 0; i < COUNT_OF(fds); i++)
        if (fds[i].revents != 0 && read(fds[i].fd, &count, sizeof count) < 0)
            continue; /* ECANCELED: the clock was set; looking again is what is wanted */
}

static void *scheduler_main(void *arg)
{
    Scheduler *s = arg;
    while (!atomic_load(&s->stop))
        sleep_until(s, look(s));
    return NULL;
}

ErrCode scheduler_open(Db *db, const Registry *registry, Scheduler **out, Err *err)
{
    CLEANUP(scheduler_close)
    Scheduler *s = fault_hit("work.scheduler") ? NULL : calloc(1, sizeof *s);
    if (s == NULL)
        return err_set(err, ERR_NO_MEMORY, "starting the scheduler");
    s->db = db;
    s->registry = registry;
    s->timer = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK);
    s->poke = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (s->timer < 0 || s->poke < 0)
        return err_set_errno(err, ERR_INTERNAL, errno, "starting the scheduler");
    *out = s;
    s = NULL;
    return OK;
}

ErrCode scheduler_start(Scheduler *s, Err *err)
{
    ErrCode rc = thread_start(&s->thread, "scheduler", scheduler_main, s, err);
    s->runs = rc == OK;
    return rc;
}

void scheduler_stop(Scheduler *s)
{
    if (s == NULL || !s->runs)
        return;
    atomic_store(&s->stop, true);
    poke(s);
    pthread_join(s->thread, NULL);
    s->runs = false;
}

void scheduler_close(Scheduler **scheduler)
{
    Scheduler *s = *scheduler;
    if (s == NULL)
        return;
    scheduler_stop(s);
    fd_close(&s->timer);
    fd_close(&s->poke);
    free(s);
    *scheduler = NULL;
}

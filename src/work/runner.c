/* runner.c: threads that run one task at a time, and the tasks this process holds. */
#include "work/work_in.h"

#include <stdio.h>

enum { TASK_MEMORY_MAX = 256 << 20 };

void held_push(HeldList *l, Held *h)
{
    h->next = NULL;
    if (l->first == NULL)
        l->first = h;
    else
        l->last->next = h;
    l->last = h;
    l->len++;
}

Held *held_pop(HeldList *l)
{
    Held *h = l->first;
    if (h == NULL)
        return NULL;
    l->first = h->next;
    h->next = NULL;
    l->len--;
    return h;
}

static bool copy_lease(Arena *a, const TaskLease *from, TaskLease *to)
{
    *to = *from;
    to->step = str_copy(a, from->step);
    to->params = str_copy(a, from->params);
    to->trace = str_copy(a, from->trace);
    return to->step.ptr != NULL && to->params.ptr != NULL && to->trace.ptr != NULL;
}

/* Into the list of all that is held; a cancel that overtook the lease is seen here. */
static void enlist(Work *w, Held *h)
{
    bool gone = false;
    mutex_lock(&w->lock);
    h->newer = w->held;
    h->newer_at = &w->held;
    if (h->newer != NULL)
        h->newer->newer_at = &h->newer;
    w->held = h;
    w->held_len++;
    for (size_t i = 0; i < WORK_CANCELED_MAX && !gone; i++)
        gone = w->gone[i].id == h->lease.id && w->gone[i].attempt == h->lease.attempt;
    mutex_unlock(&w->lock);
    if (gone)
        held_stop(h, STOP_CANCELED);
}

ErrCode held_new(Lane *l, const TaskLease *lease, const Step *step, Held **out, Err *err)
{
    Arena *a = arena_open(TASK_MEMORY_MAX);
    Held *h = a != NULL ? arena_new(a, Held, 1) : NULL;
    if (h == NULL || !copy_lease(a, lease, &h->lease)) {
        arena_close(&a);
        return err_set(err, ERR_NO_MEMORY, "taking a task");
    }
    h->work = l->work;
    h->lane = l;
    h->arena = a;
    h->step = step;
    enlist(l->work, h);
    *out = h;
    return OK;
}

void held_free(Held **held)
{
    Held *h = *held;
    if (h == NULL)
        return;
    Work *w = h->work;
    mutex_lock(&w->lock);
    *h->newer_at = h->newer;
    if (h->newer != NULL)
        h->newer->newer_at = h->newer_at;
    w->held_len--;
    mutex_unlock(&w->lock);
    Arena *a = h->arena; /* h itself lies in it */
    arena_close(&a);
    *held = NULL;
}

/* The first reason stays, except that a cancelled job has no use for being given back. */
void held_stop(Held *h, Stop why)
{
    int now = STOP_NOT;
    if (!atomic_compare_exchange_strong(&h->stop, &now, why) && why == STOP_CANCELED)
        atomic_store(&h->stop, STOP_CANCELED);
    atomic_store(&h->canceled, true);
}

static Held *next_task(Lane *l)
{
    MUTEX_HELD(&l->lock);
    l->runners_idle++;
    while ((l->todo.first == NULL || l->runners_busy >= l->runners_most) && !l->stop)
        cond_wait(&l->wake_runner, &l->lock);
    l->runners_idle--;
    Held *h = held_pop(&l->todo);
    l->runners_busy += h != NULL;
    return h;
}

static void hand_back(Lane *l, Held *h)
{
    MUTEX_HELD(&l->lock);
    held_push(&l->finished, h);
    l->runners_busy--;
    cond_signal(&l->wake_leaser);
    cond_signal(&l->wake_runner);
}

static void *runner_main(void *arg)
{
    Lane *l = arg;
    for (Held *h = next_task(l); h != NULL; h = next_task(l)) {
        atomic_fetch_add(&l->work->running, 1);
        attempt_run(h);
        atomic_fetch_sub(&l->work->running, 1);
        hand_back(l, h);
    }
    return NULL;
}

static void start_runner_locked(Lane *l)
{
    mutex_assert_held(&l->lock);
    char name[16];
    Err err = {0};
    snprintf(name, sizeof name, "run-%.11s", l->name);
    if (thread_start(&l->runners[l->runners_len], name, runner_main, l, &err) == OK)
        l->runners_len++;
    else if (l->runners_len == 0) /* else the others do it */
        LOG(ERROR, SERVER_FAILED, KV("detail", err.text));
}

static bool wants_runner_locked(const Lane *l)
{
    return l->todo.len > (size_t)l->runners_idle && l->runners_len < WORK_RUNNERS_MAX &&
           l->runners_busy + l->runners_idle < l->runners_most;
}

void lane_put(Lane *l, Held *h)
{
    MUTEX_HELD(&l->lock);
    l->slow++;
    held_push(&l->todo, h);
    if (wants_runner_locked(l))
        start_runner_locked(l);
    cond_signal(&l->wake_runner);
}

void lane_park(Lane *l, bool begins)
{
    MUTEX_HELD(&l->lock);
    l->runners_busy += begins ? -1 : 1;
    if (!begins)
        return;
    if (wants_runner_locked(l))
        start_runner_locked(l);
    cond_signal(&l->wake_runner);
}

void lane_give_back_todo(Lane *l)
{
    MUTEX_HELD(&l->lock);
    for (Held *h = held_pop(&l->todo); h != NULL; h = held_pop(&l->todo)) {
        h->give_back = true;
        held_push(&l->finished, h);
    }
    cond_broadcast(&l->wake_leaser);
}

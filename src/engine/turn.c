/* turn.c: steps of which only so many run at once (Step.concurrency).
 *
 * Waiting is apart from running: no clock of the task runs, no process exists for it yet, and a
 * cancel ends it. Turns are given in no particular order; who waits too long is told that the
 * server is overloaded and comes back with the next attempt. */
#include "engine/engine_in.h"
#include "base/clock.h"

#include <string.h>

enum { LOOK_MS = 50, TURN_WAIT_MAX_MS = 15 * 60 * 1000 };

void engine_turns_init(EnginePool *p)
{
    mutex_init(&p->turns_lock);
    cond_init(&p->turn_free);
}

void engine_turns_done(EnginePool *p)
{
    mutex_done(&p->turns_lock);
    cond_done(&p->turn_free);
}

/* One count per step that has a limit; NULL: no more room, which is no reason to stop work. */
static Turns *turns_of_locked(EnginePool *p, const Step *s)
{
    for (size_t i = 0; i < p->turns_len; i++)
        if (strcmp(p->turns[i].step, s->name) == 0)
            return &p->turns[i];
    if (p->turns_len == TURNS_MAX)
        return NULL;
    p->turns[p->turns_len] = (Turns){.step = s->name};
    return &p->turns[p->turns_len++];
}

static ErrCode wait_locked(EnginePool *p, const Turns *turns, const EngineTask *t, Err *err)
{
    int64_t until_us = clock_mono_us() + (int64_t)TURN_WAIT_MAX_MS * 1000;
    while (turns->running >= t->step->concurrency) {
        int64_t now_us = clock_mono_us();
        if (t->canceled != NULL && atomic_load(t->canceled))
            return err_set(err, ERR_CANCELED, "canceled while it waited for %s", t->step->name);
        if (now_us >= until_us)
            return err_set(err, ERR_OVERLOADED, "%s had no free place for %d minutes",
                           t->step->name, TURN_WAIT_MAX_MS / 60000);
        (void)cond_wait_until(&p->turn_free, &p->turns_lock, now_us + LOOK_MS * 1000);
    }
    return OK;
}

ErrCode engine_turn_take(EnginePool *p, const EngineTask *t, Err *err)
{
    if (t->step->concurrency == 0)
        return OK;
    MUTEX_HELD(&p->turns_lock);
    Turns *turns = turns_of_locked(p, t->step);
    if (turns == NULL)
        return OK;
    ErrCode rc = OK;
    if (turns->running >= t->step->concurrency) {
        if (t->waits != NULL)
            t->waits(t->ctx, true);
        rc = wait_locked(p, turns, t, err);
        if (t->waits != NULL)
            t->waits(t->ctx, false);
    }
    if (rc == OK)
        turns->running++;
    return rc;
}

void engine_turn_give(EnginePool *p, const EngineTask *t)
{
    if (t->step->concurrency == 0)
        return;
    MUTEX_HELD(&p->turns_lock);
    Turns *turns = turns_of_locked(p, t->step);
    if (turns == NULL || turns->running == 0)
        return;
    turns->running--;
    cond_broadcast(&p->turn_free);
}

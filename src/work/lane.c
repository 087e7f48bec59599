/* lane.c: the leaser of a queue: plan what the next write is to do, write, run or hand on what was
 * leased. */
#include "work/work_in.h"
#include "base/clock.h"
#include "base/id.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    BATCH_MEMORY_MAX = 64 << 20, /* parameters and results of one batch */
    SCRATCH_MAX = 64 << 20,
    PAUSE_FIRST_MS = 50,
    PAUSE_MAX_MS = 2000,
};

typedef struct Leaser {
    Lane *lane;
    Arena *arenas[2]; /* a batch's memory lives until its results are written, which leases the next
                         batch */
    int turn;
    Arena *scratch;
    TaskResult *results; /* WORK_RESULTS_MAX */
    size_t results_len;
    int max; /* per lease; smaller after memory ran out */
} Leaser;

/* What one write does. */
typedef struct Cycle {
    const Lane *lane;
    const TaskResult *results;
    size_t results_len;
    const Held *taken; /* those of them with give_back; a chain */
    int lease_max;
    Arena *arena;
    TaskLease *leases;
    size_t leases_len;
    int64_t due_ms;
} Cycle;

/* --- the write --- */

static ErrCode cycle_write(DbConn *tx, void *arg, Err *err)
{
    Cycle *c = arg;
    Work *w = c->lane->work;
    arena_reset(c->arena);
    c->leases_len = 0;
    c->due_ms = INT64_MAX;

    ErrCode rc = flow_finish_tx(tx, c->results, c->results_len, err);
    for (const Held *h = c->taken; rc == OK && h != NULL; h = h->next)
        if (h->give_back && !h->drop)
            rc = flow_give_back_tx(tx, h->lease.id, h->lease.attempt, err);
    if (rc != OK || c->lease_max == 0)
        return rc;

    Str queue = str_from_c(c->lane->name);
    rc = flow_lease_tx(tx, queue, c->lease_max, w->o.lease_ms, str_from_c(w->worker), c->arena,
                       &c->leases, &c->leases_len, err);
    if (rc == OK && c->leases_len < (size_t)c->lease_max)
        rc = queue_next_look(tx, queue, &c->due_ms, err);
    return rc;
}

/* Wait unless the lane is to stop; news do not end it. */
static void pause_ms(Lane *l, int64_t ms)
{
    MUTEX_HELD(&l->lock);
    int64_t until_us = clock_mono_us() + ms * 1000;
    while (!l->stop && clock_mono_us() < until_us)
        (void)cond_wait_until(&l->wake_leaser, &l->lock, until_us);
}

static bool is_stopped(Lane *l)
{
    MUTEX_HELD(&l->lock);
    return l->stop;
}

static void log_unwritten(const TaskResult *r, const Err *err)
{
    char job[ID_TEXT_SIZE];
    LOG(ERROR, DB_FAILED, KV("job", id_text("job", r->job, job)), KV("attempt", r->attempt),
        KV("detail", err->text));
}

/* One of the results cannot be written and says nothing about the machine: the others are, and that
 * one's lease runs out, so that it is tried again until its attempts are used up. */
static void write_one_by_one(const Cycle *c)
{
    for (size_t i = 0; i < c->results_len; i++) {
        Err err = {0};
        Cycle one = {
            .lane = c->lane, .results = &c->results[i], .results_len = 1, .arena = c->arena};
        if (db_write(c->lane->work->o.db, cycle_write, &one, &err) != OK)
            log_unwritten(&c->results[i], &err);
    }
}

static bool passes_by_itself(ErrCode rc)
{
    return rc == ERR_DISK_FULL || rc == ERR_IO || rc == ERR_DB_BUSY || rc == ERR_NO_MEMORY ||
           rc == ERR_DB_DAMAGED;
}

/* Write until it is written: results are kept as long as it takes, or until the lane is stopped. */
static void write_cycle(Leaser *w, Cycle *c)
{
    Lane *l = w->lane;
    int64_t wait_ms = PAUSE_FIRST_MS;
    for (;;) {
        Err err = {0};
        ErrCode rc = db_write(l->work->o.db, cycle_write, c, &err);
        if (rc == OK)
            return;
        c->leases_len = 0;
        if (c->lease_max > 0) { /* without the lease, which can wait */
            w->max = rc == ERR_NO_MEMORY && w->max > 1 ? w->max / 2 : w->max;
            c->lease_max = 0;
            lane_poke(l, 0);
            if (c->results_len == 0 && c->taken == NULL) {
                pause_ms(l, wait_ms);
                return;
            }
        } else if (!passes_by_itself(rc)) {
            write_one_by_one(c);
            return;
        } else if (is_stopped(l)) {
            log_unwritten(&c->results[0],
                          &err); /* and all others: their leases expire at the next start */
            return;
        }
        pause_ms(l, wait_ms);
        wait_ms = wait_ms * 2 < PAUSE_MAX_MS ? wait_ms * 2 : PAUSE_MAX_MS;
    }
}

/* --- before it: the plan --- */

static int room_locked(const Lane *l, const Leaser *w)
{
    if (atomic_load(&l->work->draining) || l->work->o.paused)
        return 0;
    int64_t room = (l->mixes ? WORK_QUICK_BATCH : l->ahead) - (int64_t)l->slow;
    return room < 0 ? 0 : room < w->max ? (int)room : w->max;
}

static void wait_locked(Lane *l)
{
    enum { LOOK_MS = 1000 }; /* the wall clock may be set while we wait for it */
    l->leasers_busy--;
    if (l->due_ms == INT64_MAX) {
        cond_wait(&l->wake_leaser, &l->lock);
    } else {
        int64_t ms = l->due_ms - clock_now_ms();
        ms = ms < 1 ? 1 : ms > LOOK_MS ? LOOK_MS : ms;
        (void)cond_wait_until(&l->wake_leaser, &l->lock, clock_mono_us() + ms * 1000);
    }
    l->leasers_busy++;
}

static void take_finished_locked(Lane *l, size_t most, HeldList *out)
{
    while (out->len < most && l->finished.first != NULL)
        held_push(out, held_pop(&l->finished));
}

/* Wait until there is something to write or to lease. False: the lane stops. */
static bool plan(Leaser *w, HeldList *taken, int *lease_max)
{
    Lane *l = w->lane;
    MUTEX_HELD(&l->lock);
    for (;;) {
        int room = room_locked(l, w);
        bool due = l->due_ms != INT64_MAX && clock_now_ms() >= l->due_ms;
        bool lease = room > 0 && (l->poked || due);
        bool record = w->results_len > 0 || l->finished.first != NULL;
        if (lease || record) {
            *lease_max = room; /* a look at the queue is nearly free when there is a write anyway */
            if (room > 0)
                l->poked = false;
            if (room > 0 && due)
                l->due_ms = INT64_MAX;
            take_finished_locked(l, WORK_RESULTS_MAX - w->results_len, taken);
            return true;
        }
        if (l->stop)
            return false;
        if (due) { /* and no room: it will be looked at when there is */
            l->poked = true;
            l->due_ms = INT64_MAX;
        }
        wait_locked(l);
    }
}

/* --- after it --- */

static void count_results(Work *w, const Cycle *c)
{
    int64_t failed = 0;
    for (size_t i = 0; i < c->results_len; i++) {
        const TaskResult *r = &c->results[i];
        if (r->code == OK)
            continue;
        failed++;
        char job[ID_TEXT_SIZE];
        LOG(INFO, TASK_ENDED, KV("job", id_text("job", r->job, job)), KV("attempt", r->attempt),
            KV("end", err_reason(r->code)), KV("detail", r->err.text));
    }
    atomic_fetch_add(&w->failed, failed);
    atomic_fetch_add(&w->done, (int64_t)c->results_len - failed);
    atomic_fetch_add(&w->leased, (int64_t)c->leases_len);
}

static void free_taken(Lane *l, HeldList *taken)
{
    size_t n = taken->len;
    for (Held *h = held_pop(taken); h != NULL; h = held_pop(taken)) {
        atomic_fetch_add(&l->work->dropped, h->drop);
        atomic_fetch_add(&l->work->given_back, h->give_back && !h->drop);
        held_free(&h);
    }
    MUTEX_HELD(&l->lock);
    l->slow -= n;
}

static void note_lease(Leaser *w, const Cycle *c)
{
    Lane *l = w->lane;
    bool full = c->lease_max > 0 && c->leases_len == (size_t)c->lease_max;
    if (c->leases_len > 0 && w->max < WORK_QUICK_BATCH)
        w->max *= 2;
    MUTEX_HELD(&l->lock);
    if (c->due_ms < l->due_ms)
        l->due_ms = c->due_ms;
    if (full && !l->poked) { /* there is more: for another leaser, or for us after this batch */
        l->poked = true;
        cond_signal(&l->wake_leaser);
    }
}

static void fail_lease(Leaser *w, const TaskLease *lease, const Err *err)
{
    int64_t now_ms = clock_now_ms();
    w->results[w->results_len++] = (TaskResult){.task = lease->id,
                                                .job = lease->job,
                                                .attempt = lease->attempt,
                                                .code = err->code,
                                                .err = *err,
                                                .started_ms = now_ms,
                                                .finished_ms = now_ms};
}

static void hand_on(Leaser *w, const TaskLease *lease, const Step *step)
{
    Lane *l = w->lane;
    Err err = {0};
    Held *h = NULL;
    if (held_new(l, lease, step, &h, &err) != OK) {
        fail_lease(w, lease, &err);
        return;
    }
    lane_put(l, h);
}

void note_start(Lane *l, const TaskLease *lease, const TaskResult *r)
{
    figures_started(l->work->figures, str_from_c(l->name), lease->step,
                    r->started_ms - lease->run_at_ms, r->started_ms);
}

void note_end(Lane *l, const TaskLease *lease, const TaskResult *r)
{
    figures_ended(l->work->figures, str_from_c(l->name), lease->step,
                  r->finished_ms - r->started_ms, r->code != OK, r->finished_ms);
}

/* A queue that proves to hold quick tasks only is leased in larger batches. */
static void adapt(Lane *l, size_t quick, size_t all)
{
    MUTEX_HELD(&l->lock);
    if (quick < all)
        l->ahead = 2 * l->runners_most;
    else if (all == (size_t)l->ahead && l->ahead < WORK_QUICK_BATCH)
        l->ahead *= 2;
}

static void dispatch(Leaser *w, const Cycle *c)
{
    size_t quick = 0;
    /* The slow ones first: their runners work while this thread does the quick ones. */
    for (size_t i = 0; i < c->leases_len; i++) {
        const Step *s = registry_find(w->lane->work->o.registry, c->leases[i].step);
        if (step_is_quick(s))
            quick++;
        else
            hand_on(w, &c->leases[i], s);
    }
    for (size_t i = 0; quick > 0 && i < c->leases_len; i++) {
        const Step *s = registry_find(w->lane->work->o.registry, c->leases[i].step);
        if (!step_is_quick(s))
            continue;
        TaskResult *r = &w->results[w->results_len++];
        attempt_quick(s, &c->leases[i], c->arena, w->scratch, r);
        note_start(w->lane, &c->leases[i], r);
        note_end(w->lane, &c->leases[i], r);
    }
    if (c->leases_len > 0)
        adapt(w->lane, quick, c->leases_len);
}

/* --- the thread --- */

static void run_cycle(Leaser *w, HeldList *taken, int lease_max)
{
    size_t n = w->results_len;
    for (const Held *h = taken->first; h != NULL; h = h->next)
        if (!h->drop && !h->give_back)
            w->results[n++] = h->result;

    Cycle c = {.lane = w->lane,
               .results = w->results,
               .results_len = n,
               .taken = taken->first,
               .lease_max = lease_max,
               .arena = w->arenas[w->turn]};
    w->turn = 1 - w->turn;
    write_cycle(w, &c);
    count_results(w->lane->work, &c);
    w->results_len = 0;
    free_taken(w->lane, taken);
    note_lease(w, &c);
    dispatch(w, &c);
}

static void leaser_done(Leaser *w)
{
    arena_close(&w->arenas[0]);
    arena_close(&w->arenas[1]);
    arena_close(&w->scratch);
    free(w->results);
    free(w);
}

static Leaser *leaser_new(Lane *l)
{
    Leaser *w = calloc(1, sizeof *w);
    if (w == NULL)
        return NULL;
    *w = (Leaser){.lane = l,
                  .arenas = {arena_open(BATCH_MEMORY_MAX), arena_open(BATCH_MEMORY_MAX)},
                  .scratch = arena_open(SCRATCH_MAX),
                  .results = calloc(WORK_RESULTS_MAX, sizeof *w->results),
                  .max = WORK_QUICK_BATCH};
    if (w->arenas[0] != NULL && w->arenas[1] != NULL && w->scratch != NULL && w->results != NULL)
        return w;
    leaser_done(w);
    return NULL;
}

static void *leaser_main(void *arg)
{
    Leaser *w = arg;
    HeldList taken = {0};
    int lease_max = 0;
    while (plan(w, &taken, &lease_max))
        run_cycle(w, &taken, lease_max);
    MUTEX_HELD(&w->lane->lock);
    w->lane->leasers_busy--;
    leaser_done(w);
    return NULL;
}

static ErrCode start_leaser(Lane *l, Err *err)
{
    char name[16];
    Leaser *w = leaser_new(l);
    if (w == NULL)
        return err_set(err, ERR_NO_MEMORY, "starting a lane");
    snprintf(name, sizeof name, "lane-%.10s", l->name);
    mutex_lock(&l->lock);
    l->leasers_busy++;
    ErrCode rc = thread_start(&l->leasers[l->leasers_len], name, leaser_main, w, err);
    if (rc == OK)
        l->leasers_len++;
    else
        l->leasers_busy--;
    mutex_unlock(&l->lock);
    if (rc != OK)
        leaser_done(w);
    return rc;
}

ErrCode lane_open(Work *w, Str name, Lane **out, Err *err)
{
    Lane *l = calloc(1, sizeof *l);
    if (l == NULL || name.len > QUEUE_NAME_MAX) {
        free(l);
        return err_set(err, ERR_NO_MEMORY, "starting lane \"" STR_FMT "\"", STR_ARG(name));
    }
    snprintf(l->name, sizeof l->name, STR_FMT, STR_ARG(name));
    l->work = w;
    l->hash = queue_hash(name);
    l->mixes = str_eq_c(name, "default");
    l->runners_most = w->runners;
    l->ahead = 2 * l->runners_most;
    l->poked = true;
    l->due_ms = INT64_MAX;
    mutex_init(&l->lock);
    cond_init(&l->wake_leaser);
    cond_init(&l->wake_runner);
    ErrCode rc = start_leaser(l, err);
    for (int i = 1; rc == OK && l->mixes && i < WORK_LEASERS_DEFAULT; i++)
        rc = start_leaser(l, err);
    if (rc == OK)
        *out = l;
    else
        lane_close(&l);
    return rc;
}

void lane_poke(Lane *l, int64_t run_at_ms)
{
    MUTEX_HELD(&l->lock);
    if (run_at_ms > clock_now_ms()) {
        if (run_at_ms >= l->due_ms)
            return;
        l->due_ms = run_at_ms;
    } else if (l->poked) {
        return;
    } else {
        l->poked = true;
    }
    cond_signal(&l->wake_leaser);
}

void lane_set_runners(Lane *l, int64_t runners)
{
    MUTEX_HELD(&l->lock);
    int most = runners <= 0                 ? l->work->runners
               : runners > WORK_RUNNERS_MAX ? WORK_RUNNERS_MAX
                                            : (int)runners;
    l->runners_most = most;
    l->ahead = 2 * most;
    l->poked = true;
    cond_broadcast(&l->wake_runner);
    cond_signal(&l->wake_leaser);
}

bool lane_is_quiet(Lane *l)
{
    MUTEX_HELD(&l->lock);
    return l->leasers_busy == 0 && l->slow == 0 && l->finished.first == NULL;
}

void lane_stop(Lane *l)
{
    mutex_lock(&l->lock);
    l->stop = true;
    cond_broadcast(&l->wake_leaser);
    cond_broadcast(&l->wake_runner);
    mutex_unlock(&l->lock);
    for (int i = 0; i < l->runners_len; i++)
        pthread_join(l->runners[i], NULL);
    l->runners_len = 0;
    for (int i = 0; i < l->leasers_len; i++)
        pthread_join(l->leasers[i], NULL);
    l->leasers_len = 0;
}

void lane_close(Lane **lane)
{
    Lane *l = *lane;
    if (l == NULL)
        return;
    lane_stop(l);
    for (Held *h = held_pop(&l->finished); h != NULL; h = held_pop(&l->finished))
        held_free(&h); /* could not be written: its lease expires */
    mutex_done(&l->lock);
    cond_done(&l->wake_leaser);
    cond_done(&l->wake_runner);
    free(l);
    *lane = NULL;
}

/* work.c: open, drain and close; what the hooks do. */
#include "work/work_in.h"
#include "base/clock.h"
#include "base/fault.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { LEASE_MS = 60000, SETTLE_MS = 5000, LOOK_US = 2000 };

/* --- hooks: on the writer's thread, after a commit --- */

Lane *work_lane(Work *w, int64_t hash)
{
    int n = atomic_load_explicit(&w->lanes_len, memory_order_acquire);
    for (int i = 0; i < n; i++)
        if (w->lanes[i]->hash == hash)
            return w->lanes[i];
    return NULL;
}

static size_t outside_slot(Work *w, int64_t hash)
{
    size_t i = (size_t)hash % WORK_OUTSIDE_MAX;
    for (int64_t at; (at = atomic_load_explicit(&w->outside[i], memory_order_acquire)) != 0;
         i = (i + 1) % WORK_OUTSIDE_MAX)
        if (at == hash)
            break;
    return i;
}

bool work_knows_outside(Work *w, int64_t hash)
{
    return atomic_load_explicit(&w->outside[outside_slot(w, hash)], memory_order_acquire) == hash;
}

void work_note_outside(Work *w, int64_t hash)
{
    size_t slot = outside_slot(w, hash);
    if (atomic_load(&w->outside[slot]) == hash || w->outside_len > WORK_OUTSIDE_MAX / 2)
        return;
    atomic_store_explicit(&w->outside[slot], hash, memory_order_release);
    w->outside_len++;
}

static bool has_lane(void *ctx, int64_t queue)
{
    return work_lane(ctx, queue) != NULL;
}

bool work_serves(Work *w, Str queue)
{
    return work_lane(w, queue_hash(queue)) != NULL;
}

void work_lease_ends(Work *w, int64_t end_ms)
{
    MUTEX_HELD(&w->lock);
    if (end_ms >= w->lease_end_ms)
        return;
    w->lease_end_ms = end_ms;
    cond_signal(&w->wake_keeper);
}

static void on_ready(void *ctx, int64_t queue, int64_t run_at_ms)
{
    Work *w = ctx;
    Lane *l = work_lane(w, queue);
    if (l != NULL) {
        lane_poke(l, run_at_ms);
        return;
    }
    if (w->o.offers != NULL)
        offers_tell(w->o.offers, queue, run_at_ms);
    if (work_knows_outside(w, queue))
        return;
    MUTEX_HELD(&w->lock);
    w->new_queue = true;
    cond_signal(&w->wake_keeper);
}

static void on_news(void *ctx, int64_t project, int64_t job)
{
    Work *w = ctx;
    if (w->o.hub != NULL)
        hub_news(w->o.hub, project, job);
}

static void on_feed(void *ctx, int64_t project, int64_t id)
{
    Work *w = ctx;
    if (w->o.hub != NULL)
        hub_feed(w->o.hub, project, id);
}

static void on_cancel(void *ctx, int64_t task, int64_t attempt)
{
    Work *w = ctx;
    MUTEX_HELD(&w->lock);
    w->gone[w->gone_next++ % WORK_CANCELED_MAX] = (TaskLease){.id = task, .attempt = attempt};
    for (Held *h = w->held; h != NULL; h = h->newer)
        if (h->lease.id == task && h->lease.attempt == attempt)
            held_stop(h, STOP_CANCELED);
}

static void on_due(void *ctx, int64_t due_ms, int64_t unused)
{
    Work *w = ctx;
    (void)unused;
    waits_poke(w, due_ms);
    if (w->scheduler != NULL)
        scheduler_due(w->scheduler, due_ms);
}

static void on_runners(void *ctx, int64_t queue, int64_t runners)
{
    Lane *l = work_lane(ctx, queue);
    if (l != NULL)
        lane_set_runners(l, runners);
}

/* --- open --- */

/* What somebody has set before; the lane works without it. */
static void take_setting(Work *w, Lane *l)
{
    DbConn *reader = NULL;
    QueueSettings s;
    bool found = false;
    Err err;
    if (db_reader(w->o.db, &reader, &err) == OK &&
        queue_settings_get(reader, 0, str_from_c(l->name), &s, &found, &err) == OK && found)
        lane_set_runners(l, s.runners);
}

ErrCode work_add_lane(Work *w, Str name, Err *err)
{
    int n = atomic_load(&w->lanes_len);
    if (work_lane(w, queue_hash(name)) != NULL)
        return OK;
    if (n == WORK_LANES_MAX)
        return err_set(err, ERR_OVERLOADED,
                       "queue \"" STR_FMT "\" is not served: %d queues are the most", STR_ARG(name),
                       WORK_LANES_MAX);
    ErrCode rc = lane_open(w, name, &w->lanes[n], err);
    if (rc == OK) {
        atomic_store_explicit(&w->lanes_len, n + 1, memory_order_release);
        take_setting(w, w->lanes[n]);
    }
    return rc;
}

typedef struct Recover {
    int64_t count;
} Recover;

static ErrCode recover_write(DbConn *tx, void *arg, Err *err)
{
    Recover *r = arg;
    return flow_expire_tx(tx, clock_now_ms(), true, &r->count, err);
}

/* No worker of an earlier process can be alive: what it held is ready again. */
static ErrCode recover(Work *w, Err *err)
{
    Recover r = {0};
    ErrCode rc = db_write(w->o.db, recover_write, &r, err);
    if (rc == OK && r.count > 0) {
        atomic_fetch_add(&w->lost, r.count);
        LOG(WARN, SERVER_RECOVERED, KV("tasks", r.count));
    }
    return rc;
}

static ErrCode add_lanes(Work *w, Err *err)
{
    ErrCode rc = work_add_lane(w, STR("default"), err);
    for (size_t i = 0; rc == OK && i < registry_count(w->o.registry); i++)
        if (registry_at(w->o.registry, i)->outside == NULL)
            rc = work_add_lane(w, flow_queue_of(registry_at(w->o.registry, i)), err);
    return rc;
}

static int runners_of(const WorkOptions *o)
{
    long n = o->runners > 0 ? o->runners : sysconf(_SC_NPROCESSORS_ONLN) * 2;
    return n < 1 ? 1 : n > WORK_RUNNERS_MAX ? WORK_RUNNERS_MAX : (int)n;
}

static void init(Work *w, const WorkOptions *o)
{
    w->o = *o;
    w->runners = runners_of(o);
    if (w->o.lease_ms <= 0)
        w->o.lease_ms = LEASE_MS;
    snprintf(w->worker, sizeof w->worker, "%.31s", o->worker != NULL ? o->worker : "local");
    w->hooks = (FlowHooks){.feed = {on_feed, w},
                           .ctx = w,
                           .news = on_news,
                           .ready = on_ready,
                           .cancel = on_cancel,
                           .due = on_due,
                           .has_lane = has_lane,
                           .runners = on_runners,
                           .built_in = o->built_in,
                           .public_url = o->public_url,
                           .stored = o->stored,
                           .stored_ctx = o->stored_ctx};
    w->lease_end_ms = INT64_MAX;
    w->new_queue = true; /* queues of an earlier process */
    mutex_init(&w->lock);
    cond_init(&w->wake_keeper);
    cond_init(&w->wake_waits);
}

ErrCode work_open(const WorkOptions *o, Work **out, Err *err)
{
    CLEANUP(work_close) Work *w = fault_hit("work.open") ? NULL : calloc(1, sizeof *w);
    if (w == NULL)
        return err_set(err, ERR_NO_MEMORY, "starting the dispatcher");
    init(w, o);
    w->hooks.pipelines = pipeline_cache_open(o->registry);
    if (w->hooks.pipelines == NULL)
        return err_set(err, ERR_NO_MEMORY, "starting the dispatcher");
    if (figures_open(&w->figures, err) != OK)
        return err->code;
    if (o->schedules) { /* before the hooks, which poke it */
        ErrCode rc = scheduler_open(o->db, o->registry, &w->scheduler, err);
        if (rc != OK)
            return rc;
    }
    flow_set_hooks(o->db, &w->hooks); /* a lost task may be the last of a pipeline */
    ErrCode rc = feed_start(o->db, err);
    if (rc == OK)
        rc = recover(w, err);
    if (rc == OK)
        rc = add_lanes(w, err);
    if (rc == OK && w->scheduler != NULL)
        rc = scheduler_start(w->scheduler, err);
    if (rc == OK)
        rc = thread_start(&w->keeper, "keeper", keeper_main, w, err);
    w->keeper_runs = rc == OK;
    if (rc == OK)
        rc = thread_start(&w->waits, "waits", waits_main, w, err);
    w->waits_runs = rc == OK;
    if (rc != OK)
        return rc;
    *out = w;
    w = NULL;
    return OK;
}

/* --- drain and close --- */

static bool is_quiet(Work *w)
{
    for (int i = 0; i < atomic_load(&w->lanes_len); i++)
        if (!lane_is_quiet(w->lanes[i]))
            return false;
    return true;
}

/* It ends once per process: looking every 2 ms is simpler than being told, and cheap. */
static bool wait_until_quiet(Work *w, int64_t ms)
{
    int64_t until_us = clock_mono_us() + ms * 1000;
    while (!is_quiet(w)) {
        if (clock_mono_us() >= until_us)
            return false;
        usleep(LOOK_US);
    }
    return true;
}

static void stop_held(Work *w, Stop why)
{
    MUTEX_HELD(&w->lock);
    for (Held *h = w->held; h != NULL; h = h->newer)
        held_stop(h, why);
}

void work_drain(Work *w, int64_t grace_ms)
{
    scheduler_stop(w->scheduler);
    atomic_store(&w->draining, true);
    int64_t until_us = clock_mono_us() + grace_ms * 1000;
    bool quiet = false;
    do { /* a leaser may just be handing on what it leased before */
        for (int i = 0; i < atomic_load(&w->lanes_len); i++)
            lane_give_back_todo(w->lanes[i]);
        quiet = wait_until_quiet(w, 20);
    } while (!quiet && clock_mono_us() < until_us);
    for (int64_t end_us = clock_mono_us() + SETTLE_MS * 1000; !quiet && clock_mono_us() < end_us;) {
        stop_held(w, STOP_SHUTDOWN);
        for (int i = 0; i < atomic_load(&w->lanes_len); i++)
            lane_give_back_todo(w->lanes[i]);
        quiet = wait_until_quiet(w, 20);
    }
}

static void stop_waits(Work *w)
{
    if (!w->waits_runs)
        return;
    mutex_lock(&w->lock);
    w->waits_stop = true;
    cond_signal(&w->wake_waits);
    mutex_unlock(&w->lock);
    pthread_join(w->waits, NULL);
}

static void stop_keeper(Work *w)
{
    if (!w->keeper_runs)
        return;
    mutex_lock(&w->lock);
    w->keeper_stop = true;
    cond_signal(&w->wake_keeper);
    mutex_unlock(&w->lock);
    pthread_join(w->keeper, NULL);
}

static ErrCode no_write(DbConn *tx, void *arg, Err *err)
{
    (void)tx;
    (void)arg;
    (void)err;
    return OK;
}

void work_close(Work **work)
{
    Work *w = *work;
    if (w == NULL)
        return;
    work_drain(w, 0);
    stop_waits(w);
    stop_keeper(w); /* from here on nobody adds lanes */
    stop_held(w, STOP_SHUTDOWN);
    for (int i = 0; i < atomic_load(&w->lanes_len); i++)
        lane_stop(w->lanes[i]);
    flow_set_hooks(w->o.db, NULL);
    Err err;
    if (db_write(w->o.db, no_write, NULL, &err) !=
        OK) /* after it, no hook of an earlier write runs any more */
        LOG(WARN, DB_FAILED, KV("detail", err.text));
    for (int i = 0; i < atomic_load(&w->lanes_len); i++)
        lane_close(&w->lanes[i]);
    pipeline_cache_close(&w->hooks.pipelines);
    scheduler_close(&w->scheduler);
    figures_close(&w->figures);
    mutex_done(&w->lock);
    cond_done(&w->wake_keeper);
    cond_done(&w->wake_waits);
    free(w);
    *work = NULL;
}

WorkStats work_stats(Work *w)
{
    WorkStats s = {.leased = atomic_load(&w->leased),
                   .done = atomic_load(&w->done),
                   .failed = atomic_load(&w->failed),
                   .dropped = atomic_load(&w->dropped),
                   .given_back = atomic_load(&w->given_back),
                   .lost = atomic_load(&w->lost),
                   .running = atomic_load(&w->running),
                   .lanes = atomic_load(&w->lanes_len)};
    for (int i = 0; i < s.lanes; i++) {
        Lane *l = w->lanes[i];
        mutex_lock(&l->lock);
        s.waiting += (int64_t)l->todo.len;
        s.runners += l->runners_len;
        mutex_unlock(&l->lock);
    }
    return s;
}

Figures *work_figures(Work *w)
{
    return w->figures;
}

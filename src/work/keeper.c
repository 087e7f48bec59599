/* keeper.c: one thread that keeps leases alive, finds those whose worker vanished, starts lanes for
 * queues it has not seen, forgets old idempotency keys and rows of the feed, removes old jobs and
 * gives the file's unused pages back: the latter in small writes with pauses, so that nobody waits. */
#include "work/work_in.h"
#include "base/clock.h"
#include "db/queries.h"
#include "flow/outside.h"

#include <stdlib.h>

enum {
    BEATS_PER_LEASE = 3,
    LOOK_EVERY_MS = 5000, /* for expired leases: a read, unless there are some */
    FORGET_EVERY_MS = 3600 * 1000,
    TIDY_EVERY_MS = 60 * 1000,
    SAMPLE_EVERY_MS = 60 * 1000,
    TIDY_AGAIN_MS = 50, /* there is more to tidy up */
    SHRINK_PAGES = 128,
    NAMES_MEMORY = 1 << 20,
};

typedef struct Beat {
    int64_t task, attempt;
    bool lost;
} Beat;

typedef struct Beats {
    Beat *items;
    size_t len;
    int64_t until_ms;
} Beats;

static ErrCode beats_write(DbConn *tx, void *arg, Err *err)
{
    Beats *b = arg;
    ErrCode rc = OK;
    for (size_t i = 0; rc == OK && i < b->len; i++)
        rc = flow_heartbeat_tx(tx, b->items[i].task, b->items[i].attempt, b->until_ms,
                               &b->items[i].lost, err);
    return rc;
}

static bool collect(Work *w, Beats *out)
{
    MUTEX_HELD(&w->lock);
    out->items = calloc(w->held_len + 1, sizeof *out->items);
    for (const Held *h = out->items != NULL ? w->held : NULL; h != NULL; h = h->newer)
        out->items[out->len++] = (Beat){.task = h->lease.id, .attempt = h->lease.attempt};
    return out->len > 0;
}

static void stop_lost(Work *w, const Beats *b)
{
    MUTEX_HELD(&w->lock);
    for (Held *h = w->held; h != NULL; h = h->newer)
        for (size_t i = 0; i < b->len; i++)
            if (b->items[i].lost && b->items[i].task == h->lease.id &&
                b->items[i].attempt == h->lease.attempt)
                held_stop(h, STOP_CANCELED);
}

static void beat(Work *w)
{
    Beats b = {.until_ms = clock_now_ms() + w->o.lease_ms};
    Err err = {0};
    if (collect(w, &b) &&
        db_write(w->o.db, beats_write, &b, &err) == OK) /* else: the database has logged it */
        stop_lost(w, &b);
    free(b.items);
}

typedef struct Expire {
    int64_t count;
} Expire;

static ErrCode expire_write(DbConn *tx, void *arg, Err *err)
{
    Expire *e = arg;
    return flow_expire_tx(tx, clock_now_ms(), false, &e->count, err);
}

/* When the next lease runs out, so that the look comes then: those of outside workers can be short. */
static void note_next_end(Work *w, DbConn *reader)
{
    Err err = {0};
    int64_t end_ms = INT64_MAX;
    if (queue_first_end(reader, &end_ms, &err) != OK)
        return;
    MUTEX_HELD(&w->lock);
    if (end_ms < w->lease_end_ms)
        w->lease_end_ms = end_ms;
}

static void expire(Work *w)
{
    DbConn *reader = NULL;
    Err err = {0};
    int64_t any = 0;
    Expire e = {0};
    mutex_lock(&w->lock);
    w->lease_end_ms = INT64_MAX; /* leases made from here on say it anew */
    mutex_unlock(&w->lock);
    ErrCode rc = db_reader(w->o.db, &reader, &err);
    if (rc == OK)
        rc =
            db_get_int(reader, &sql_task_expired_any, DB_ARGS(DB_I(clock_now_ms())), 0, &any, &err);
    if (rc == OK && any != 0)
        rc = db_write(w->o.db, expire_write, &e, &err);
    if (rc == OK)
        note_next_end(w, reader);
    if (rc != OK || e.count == 0)
        return;
    atomic_fetch_add(&w->lost, e.count);
    LOG(WARN, TASK_LOST, KV("count", e.count));
}

/* False: a queue could not be given a lane. */
static bool look_for_queues(Work *w)
{
    CLEANUP(arena_close) Arena *a = arena_open(NAMES_MEMORY);
    DbConn *reader = NULL;
    Err err = {0};
    Str *names = NULL;
    size_t n = 0;
    ErrCode rc = a == NULL ? ERR_NO_MEMORY : db_reader(w->o.db, &reader, &err);
    if (rc == OK)
        rc = queue_names(reader, a, &names, &n, &err);
    for (size_t i = 0; rc == OK && i < n; i++) {
        bool outside = false;
        rc = flow_is_outside(reader, names[i], &outside, &err);
        if (rc == OK && outside)
            work_note_outside(w, queue_hash(names[i]));
        else if (rc == OK)
            rc = work_add_lane(w, names[i], &err);
    }
    if (rc != OK)
        LOG(ERROR, QUEUE_STUCK, KV("detail", err.text));
    return rc == OK;
}

/* True: there is more to do, soon. What fails is tried again in a minute; the database has logged
 * it. */
static bool tidy(Work *w)
{
    Err err = {0};
    int64_t count = 0;
    bool more_jobs = false, more_pages = false;
    if (flow_retain(w->o.db, clock_now_ms(), &count, &more_jobs, &err) != OK)
        return false;
    if (!more_jobs && db_shrink(w->o.db, SHRINK_PAGES, &more_pages, &err) != OK)
        return false;
    return more_jobs || more_pages;
}

static ErrCode clean_write(DbConn *tx, void *arg, Err *err)
{
    (void)arg;
    return queue_slots_clean(tx, clock_now_ms(), err);
}

/* What nobody asks for any more. */
static void forget(Work *w)
{
    int64_t forgotten = 0;
    Err err = {0};
    ErrCode rc = flow_forget_keys(w->o.db, &forgotten, &err);
    if (rc == OK)
        rc = feed_trim(w->o.db, &forgotten, &err);
    if (rc == OK)
        rc = db_write(w->o.db, clean_write, NULL, &err);
    (void)rc; /* in an hour again */
}

/* How many tasks stand in the queues, for the figures: counts what is alive on this thread's own
 * connection, 50 ms a minute with a million of them. */
static void sample(Work *w)
{
    CLEANUP(arena_close) Arena *a = arena_open(NAMES_MEMORY);
    DbConn *reader = NULL;
    Err err = {0};
    QueueInfo *queues = NULL;
    size_t n = 0;
    int64_t now_ms = clock_now_ms(), all = 0;
    ErrCode rc = a == NULL ? ERR_NO_MEMORY : db_reader(w->o.db, &reader, &err);
    if (rc == OK)
        rc = queue_list(reader, a, &queues, &n, &err);
    if (rc != OK)
        return; /* the database has logged it */
    for (size_t i = 0; i < n; i++) {
        int64_t depth = queues[i].ready + queues[i].blocked;
        figures_depth(w->figures, queues[i].name, depth, now_ms);
        all += depth;
    }
    figures_depth(w->figures, STR(""), all, now_ms);
}

/* What the keeper was woken for. */
typedef struct Wake {
    bool stop, new_queue, lease_ended;
} Wake;

/* The clock of leases is the wall's: at least a moment from now, and just after their end. */
static int64_t lease_end_us_locked(const Work *w)
{
    if (w->lease_end_ms == INT64_MAX)
        return INT64_MAX;
    int64_t ms = w->lease_end_ms - clock_now_ms();
    return clock_mono_us() + (ms < 0 ? 1 : ms + 1) * 1000;
}

/* `deaf`: a new queue does not wake; it has to wait for the time. */
static Wake wait_for(Work *w, int64_t until_us, bool deaf)
{
    MUTEX_HELD(&w->lock);
    bool ended = false;
    while (!w->keeper_stop && (deaf || !w->new_queue) && !ended && clock_mono_us() < until_us) {
        int64_t end_us = lease_end_us_locked(w);
        bool first = end_us < until_us;
        bool timed_out = !cond_wait_until(&w->wake_keeper, &w->lock, first ? end_us : until_us);
        ended = timed_out && first;
    }
    Wake wake = {w->keeper_stop, w->new_queue, ended};
    w->new_queue = false;
    return wake;
}

static bool is_due(int64_t *at_us, int64_t every_ms)
{
    int64_t now_us = clock_mono_us();
    if (now_us < *at_us)
        return false;
    *at_us = now_us + every_ms * 1000;
    return true;
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

void *keeper_main(void *work)
{
    Work *w = work;
    int64_t beat_ms = w->o.lease_ms / BEATS_PER_LEASE,
            look_ms = least(LOOK_EVERY_MS, w->o.lease_ms);
    int64_t look_at_us = clock_mono_us(), forget_at_us = look_at_us;
    int64_t tidy_at_us = look_at_us, sample_at_us = look_at_us;
    int64_t beat_at_us = look_at_us + beat_ms * 1000;
    bool stuck =
        false; /* then the next look is soon enough, however many tasks come for that queue */
    for (;;) {
        Wake wake =
            wait_for(w,
                     least(least(least(beat_at_us, tidy_at_us), least(look_at_us, forget_at_us)),
                           sample_at_us),
                     stuck);
        if (wake.stop)
            return NULL;
        if (wake.new_queue)
            stuck = !look_for_queues(w);
        if (is_due(&beat_at_us, beat_ms))
            beat(w);
        if (is_due(&look_at_us, look_ms) || wake.lease_ended)
            expire(w);
        if (is_due(&forget_at_us, FORGET_EVERY_MS))
            forget(w);
        if (is_due(&sample_at_us, SAMPLE_EVERY_MS))
            sample(w);
        if (is_due(&tidy_at_us, TIDY_EVERY_MS) && tidy(w))
            tidy_at_us = clock_mono_us() + TIDY_AGAIN_MS * 1000;
    }
}

/* The thread of triggers: reads the feed for those that wait for events, folders for those that wait
 * for files. */
#include "hook/trigger_in.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/id.h"
#include "base/log.h"
#include "base/thread.h"
#include "db/queries.h"
#include "feed/feed.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum {
    SCRATCH = 64 << 20,
    ROWS_AT_ONCE = 200,
    AGAIN_MS = 2000, /* after a write that failed, or a file that is not whole yet */
    ADVANCE_MS = 3600000,
    REACHED_SIZE = 4096,
    PROJECT_BITS = 1024, /* which projects' rows matter: false alarms cost a query */
};

/* How far a trigger has read, beyond what its row says: rows that were not for it leave no trace on
 * disk but once in ADVANCE_MS. Two triggers may share a place; then one of them reads again. */
typedef struct Reached {
    int64_t trigger, feed_id;
} Reached;

struct Triggers {
    TriggerOptions o;
    HubSub sub;
    OfferSub offer;
    atomic_bool has_queues, offered; /* triggers of queues; something came into one */
    Folders *folders;
    Buckets *buckets;
    pthread_t thread;
    bool runs;
    int wake_fd; /* an eventfd */
    atomic_bool stop, poked, changed;
    _Atomic uint64_t wanted[PROJECT_BITS / 64];
    Mutex lock; /* guards the next two */
    Cond idle;
    int64_t asked, done;           /* triggers_settle */
    Reached reached[REACHED_SIZE]; /* the thread's */
};

/* --- being woken --- */

static unsigned bit_of(int64_t project)
{
    return (unsigned)(((uint64_t)project * UINT64_C(0x9E3779B97F4A7C15)) >> 54);
}

static void wake(Triggers *t)
{
    static const uint64_t one = 1;
    if (!atomic_exchange(&t->poked, true) && write(t->wake_fd, &one, sizeof one) < 0)
        return; /* the counter is full: it is awake */
}

/* On the writer's thread, for every row of the feed: most are nobody's. */
static void on_feed(void *ctx, int64_t project, int64_t row)
{
    Triggers *t = ctx;
    (void)row;
    unsigned bit = bit_of(project);
    if (project == 0)
        atomic_store(&t->changed, true);
    else if ((atomic_load(&t->wanted[bit / 64]) >> (bit % 64) & 1) == 0)
        return;
    wake(t);
}

/* On the writer's thread, for tasks of queues that no lane serves. */
static void on_offer(void *ctx, int64_t queue, int64_t run_at_ms)
{
    Triggers *t = ctx;
    (void)queue;
    (void)run_at_ms;
    if (!atomic_load(&t->has_queues))
        return;
    atomic_store(&t->offered, true);
    wake(t);
}

/* False: the thread is to stop. */
static bool sleep_until_woken(Triggers *t, bool again)
{
    struct pollfd fds[2] = {{.fd = t->wake_fd, .events = POLLIN},
                            {.fd = folders_fd(t->folders), .events = POLLIN}};
    uint64_t count;
    (void)poll(fds, 2, again ? AGAIN_MS : -1);
    if ((fds[0].revents & POLLIN) != 0 && read(t->wake_fd, &count, sizeof count) < 0)
        (void)errno; /* somebody else's wake-up was read: nothing is lost */
    atomic_store(&t->poked, false);
    return !atomic_load(&t->stop);
}

/* --- events --- */

typedef struct Fire {
    const Trigger *trigger;
    int64_t feed_id; /* of the row that is done with it */
    TriggerStart start;
    Str fault; /* not empty: no job, only this */
    bool gone; /* paused, removed or done by somebody else meanwhile */
} Fire;

static ErrCode fire_write(DbConn *tx, void *arg, Err *err)
{
    Fire *f = arg;
    CLEANUP(arena_close) Arena *a = arena_open(SCRATCH);
    Trigger now;
    f->gone = false;
    f->start.added = (JobAdded){0};
    if (a == NULL)
        return err_set(err, ERR_NO_MEMORY, "starting a trigger's job");
    ErrCode rc = trigger_row(tx, f->trigger->id, a, &now, err);
    if (rc == ERR_NOT_FOUND || (rc == OK && (now.paused || now.feed_id >= f->feed_id))) {
        f->gone = true;
        return OK;
    }
    if (rc == OK && f->fault.len == 0) {
        f->start.trigger = &now;
        rc = trigger_start_tx(tx, &f->start, a, err);
    }
    if (rc != OK)
        return rc;
    return trigger_note_tx(tx, now.id, f->start.added.job, f->feed_id, f->fault, err);
}

static ErrCode fire(Triggers *t, Fire *f, Err *err)
{
    ErrCode rc = db_write(t->o.db, fire_write, f, err);
    if (!trigger_is_hopeless(rc))
        return rc;
    Err why = *err;
    LOG(WARN, TRIGGER_FAILED, KV("pipeline", f->trigger->pipeline), KV("trigger", f->trigger->name),
        KV("reason", err_reason(why.code)), KV("detail", (const char *)why.text));
    f->fault = str_from_c(why.text);
    return db_write(t->o.db, fire_write, f, err);
}

static bool names_have(const Json *names, Str name)
{
    if (json_is(names, JSON_TEXT))
        return str_eq(names->text, name);
    json_each(n, names)
        if (str_eq(json_text(n), name))
            return true;
    return false;
}

/* Its own pipeline's jobs would start it for ever. */
static bool concerns(const Trigger *t, const TriggerSpec *s, const FeedRow *row)
{
    if (row->job != 0 && str_eq(row->subject, t->pipeline))
        return false;
    return t->kind != TRIGGER_PIPELINE || names_have(s->names, row->subject);
}

static const Json *scope_of(const Trigger *t, const FeedRow *row, Arena *a)
{
    Buf b = buf_init(a, 64 * KIB);
    JsonOut j = json_out(&b);
    const Json *event = NULL, *out = NULL;
    feed_put(&j, row);
    if (b.failed || json_parse(a, buf_str(&b), &event, NULL) != OK)
        return NULL;
    Buf whole = buf_init(a, 128 * KIB);
    j = json_out(&whole);
    json_begin(&j, '{');
    json_kv_c(&j, "kind", trigger_kind_name(t->kind));
    json_each(member, event) {
        json_key_str(&j, member->key);
        json_put(&j, member);
    }
    if (str_starts(row->subject, STR("doc_")))
        json_kv_str(&j, "document", row->subject);
    json_end(&j, '}');
    return !whole.failed && json_parse(a, buf_str(&whole), &out, NULL) == OK ? out : NULL;
}

static ErrCode fire_row(Triggers *t, const Trigger *trigger, const FeedRow *row, Arena *a, Err *err)
{
    Fire f = {.trigger = trigger, .feed_id = row->id};
    f.start.scope = scope_of(trigger, row, a);
    if (f.start.scope == NULL)
        return err_set(err, ERR_NO_MEMORY, "reading an event");
    return fire(t, &f, err);
}

/* A row about a pipeline's job says so by the pipeline's name. */
static ErrCode name_pipeline(DbConn *reader, FeedRow *row, Arena *a, Err *err)
{
    CLEANUP(db_rows_done) DbRows rows = {0};
    ErrCode rc = OK;
    if (row->job == 0)
        return OK;
    rc = db_query(reader, &sql_trigger_pipeline_of, DB_ARGS(DB_I(row->job)), &rows, err);
    while (rc == OK && db_next(&rows, &rc, err)) {
        row->subject = db_str_copy(&rows, 0, a);
        if (row->subject.ptr == NULL)
            return err_set(err, ERR_NO_MEMORY, "reading an event");
    }
    return rc;
}

static Reached *reached_by(Triggers *t, const Trigger *trigger)
{
    uint64_t hash = (uint64_t)trigger->id * UINT64_C(0x9E3779B97F4A7C15);
    Reached *r = &t->reached[hash >> 52];
    if (r->trigger != trigger->id)
        *r = (Reached){.trigger = trigger->id};
    if (r->feed_id < trigger->feed_id) /* it was paused meanwhile */
        r->feed_id = trigger->feed_id;
    return r;
}

static ErrCode advance_write(DbConn *tx, void *arg, Err *err)
{
    const Reached *r = arg;
    return db_exec(tx, &sql_trigger_advance, DB_ARGS(DB_I(r->trigger), DB_I(r->feed_id)), NULL,
                   err);
}

/* Rows go after a week: a trigger whose events are rare must not seem to have missed them, nor read
 * all of them again at the next start. */
static ErrCode keep_reached(Triggers *t, const Trigger *trigger, Reached *r, Err *err)
{
    if (id_time_ms(r->feed_id) - id_time_ms(trigger->feed_id) < ADVANCE_MS)
        return OK;
    return db_write(t->o.db, advance_write, r, err);
}

/* All rows of the feed that are new to the trigger. */
static ErrCode follow(Triggers *t, DbConn *reader, const Trigger *trigger, Arena *a, Err *err)
{
    TriggerSpec spec;
    Reached *r = reached_by(t, trigger);
    int64_t next = r->feed_id;
    ErrCode rc = trigger_read_row(trigger, a, &spec, err);
    ArenaMark mark = arena_mark(a);
    while (rc == OK && !atomic_load(&t->stop)) {
        FeedRow *rows = NULL;
        size_t len = 0;
        bool gap = false;
        rc = feed_read(reader, trigger->project, r->feed_id, spec.types, ROWS_AT_ONCE, a, &rows,
                       &len, &next, &gap, err);
        for (size_t i = 0; rc == OK && i < len; i++) {
            rc = name_pipeline(reader, &rows[i], a, err);
            if (rc == OK && concerns(trigger, &spec, &rows[i]))
                rc = fire_row(t, trigger, &rows[i], a, err);
        }
        arena_rewind(a, mark);
        if (gap)
            LOG(WARN, TRIGGER_FAILED, KV("pipeline", trigger->pipeline),
                KV("trigger", trigger->name), KV("detail", "events were gone before it read them"));
        if (rc != OK || next == r->feed_id)
            break;
        r->feed_id = next;
    }
    return rc == OK ? keep_reached(t, trigger, r, err) : rc;
}

/* --- the round --- */

static void want(Triggers *t, const Trigger *list, size_t len)
{
    uint64_t bits[PROJECT_BITS / 64] = {0};
    for (size_t i = 0; i < len; i++)
        bits[bit_of(list[i].project) / 64] |= UINT64_C(1) << (bit_of(list[i].project) % 64);
    for (size_t i = 0; i < COUNT_OF(bits); i++)
        atomic_fetch_or(&t->wanted[i], bits[i]);
}

static ErrCode read_kind(DbConn *reader, TriggerKind kind, Arena *a, Trigger **out, size_t *len,
                         Err *err)
{
    return trigger_rows(reader, &sql_trigger_at_work,
                        DB_ARGS(DB_S(str_from_c(trigger_kind_name(kind)))), a, out, len, err);
}

static ErrCode follow_kind(Triggers *t, DbConn *reader, TriggerKind kind, Arena *a, bool *again,
                           Err *err)
{
    Trigger *list;
    size_t len;
    ErrCode rc = read_kind(reader, kind, a, &list, &len, err);
    if (rc != OK)
        return rc;
    want(t, list, len);
    for (size_t i = 0; i < len && !atomic_load(&t->stop); i++) {
        ArenaMark mark = arena_mark(a);
        Err why = {0};
        if (follow(t, reader, &list[i], a, &why) != OK) {
            LOG(WARN, TRIGGER_FAILED, KV("pipeline", list[i].pipeline), KV("trigger", list[i].name),
                KV("reason", err_reason(why.code)), KV("detail", (const char *)why.text));
            *again |= !trigger_is_hopeless(why.code);
        }
        arena_rewind(a, mark);
    }
    return OK;
}

static ErrCode take_messages(Triggers *t, DbConn *reader, Arena *a, bool *again, Err *err)
{
    Trigger *list;
    size_t len;
    ErrCode rc = read_kind(reader, TRIGGER_QUEUE, a, &list, &len, err);
    if (rc != OK)
        return rc;
    atomic_store(&t->has_queues, len > 0);
    for (size_t i = 0; i < len && !atomic_load(&t->stop); i++) {
        ArenaMark mark = arena_mark(a);
        Err why = {0};
        if (trigger_queue_take(t->o.db, &list[i], a, again, &why) != OK) {
            LOG(WARN, TRIGGER_FAILED, KV("pipeline", list[i].pipeline), KV("trigger", list[i].name),
                KV("reason", err_reason(why.code)), KV("detail", (const char *)why.text));
            *again = true;
        }
        arena_rewind(a, mark);
    }
    return OK;
}

static ErrCode round_of(Triggers *t, bool retry, bool *again, Err *err)
{
    CLEANUP(arena_close) Arena *a = arena_open(SCRATCH);
    DbConn *reader = NULL;
    Trigger *list;
    size_t len;
    bool news = atomic_exchange(&t->changed, false), changed = news || retry;
    if (a == NULL)
        return err_set(err, ERR_NO_MEMORY, "reading triggers");
    ErrCode rc = db_reader(t->o.db, &reader, err);
    if (rc == OK && changed)
        rc = read_kind(reader, TRIGGER_FOLDER, a, &list, &len, err);
    if (rc == OK && news)
        buckets_changed(t->buckets);
    if (rc == OK && changed)
        folders_set(t->folders, list, len, !news, again);
    if (rc == OK)
        rc = follow_kind(t, reader, TRIGGER_EVENT, a, again, err);
    if (rc == OK)
        rc = follow_kind(t, reader, TRIGGER_PIPELINE, a, again, err);
    bool offered = atomic_exchange(&t->offered, false);
    if (rc == OK && (changed || offered))
        rc = take_messages(t, reader, a, again, err);
    if (rc != OK && news)
        atomic_store(&t->changed, true);
    return rc;
}

static int64_t asked(Triggers *t)
{
    MUTEX_HELD(&t->lock);
    return t->asked;
}

static void tell_done(Triggers *t, int64_t turn)
{
    MUTEX_HELD(&t->lock);
    t->done = turn;
    cond_broadcast(&t->idle);
}

static void *triggers_main(void *arg)
{
    Triggers *t = arg;
    bool again = false;
    do {
        Err err = {0};
        int64_t turn = asked(t);
        bool later = again;
        again = false;
        folders_read(t->folders, &again);
        if (round_of(t, later, &again, &err) != OK)
            again = true; /* the database has logged why */
        tell_done(t, turn);
    } while (sleep_until_woken(t, again));
    return NULL;
}

void triggers_settle(Triggers *t)
{
    MUTEX_HELD(&t->lock);
    int64_t turn = ++t->asked;
    wake(t);
    while (t->done < turn)
        cond_wait(&t->idle, &t->lock);
}

ErrCode triggers_open(const TriggerOptions *o, Triggers **out, Err *err)
{
    Triggers *t = calloc(1, sizeof *t);
    if (t == NULL)
        return err_set(err, ERR_NO_MEMORY, "starting triggers");
    t->o = *o;
    mutex_init(&t->lock);
    cond_init(&t->idle);
    atomic_store(&t->changed, true);
    t->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    ErrCode rc = t->wake_fd >= 0 ? OK : err_set_errno(err, ERR_IO, errno, "starting triggers");
    if (rc == OK)
        rc = folders_open(o, &t->folders, err);
    if (rc == OK)
        rc = buckets_open(o, &t->buckets, err);
    if (rc == OK) {
        t->sub = (HubSub){.fn = on_feed, .ctx = t};
        hub_subscribe(o->hub, HUB_FEED, 0, &t->sub);
        t->offer = (OfferSub){.fn = on_offer, .ctx = t};
        if (o->offers != NULL)
            offers_listen(o->offers, &t->offer);
        rc = thread_start(&t->thread, "triggers", triggers_main, t, err);
        t->runs = rc == OK;
    }
    if (rc != OK) {
        triggers_close(&t);
        return rc;
    }
    *out = t;
    return OK;
}

void triggers_close(Triggers **slot)
{
    Triggers *t = *slot;
    if (t == NULL)
        return;
    *slot = NULL;
    atomic_store(&t->stop, true);
    if (t->runs) {
        wake(t);
        pthread_join(t->thread, NULL);
    }
    hub_unsubscribe(t->o.hub, &t->sub);
    if (t->o.offers != NULL)
        offers_leave(t->o.offers, &t->offer);
    buckets_close(&t->buckets);
    folders_close(&t->folders);
    fd_close(&t->wake_fd);
    cond_done(&t->idle);
    mutex_done(&t->lock);
    free(t);
}

/* writer.c: the one thread that writes: group commit and checkpoints.
 *
 * Callers push onto the inbox, a list with one atomic head; the writer takes all of it at once.
 * While the writer sleeps, the head is `asleep`, so only the push that finds it there has to wake
 * anybody: under load nobody makes a system call to hand in a write. There is no timer in the way
 * of a commit: the writer commits what is there as soon as it is free, and what arrives meanwhile
 * is the next batch.
 *
 *   pass 1   BEGIN, every function, COMMIT. One that fails without having changed anything is just
 * left out. pass 2   when one failed after changing something: ROLLBACK, then all but that one
 * again, each inside a savepoint of its own, so that a batch is run twice at most however many of
 * it fail.
 *
 * A full or broken disk would fail every function alike: then the whole batch fails with that
 * reason. */
#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "db/db_in.h"

#include <assert.h>
#include <linux/futex.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
    BATCH_MAX = 1024,
    CHECKPOINT_PAGES = 4000,    /* larger logs make the checkpoint a pause that callers notice */
    CHECKPOINT_IDLE_US = 500000 /* no write for so long: a checkpoint is in nobody's way */
};

static DbWrite asleep;

typedef struct Batch {
    DbWrite *first, *last;
    size_t len;
} Batch;

typedef struct Between {
    DbWriteFn fn;
    void *arg;
} Between;

/* Marks a write that wants to run outside of a transaction. */
static ErrCode run_between(DbConn *c, void *arg, Err *err)
{
    const Between *b = arg;
    return b->fn(c, b->arg, err);
}

/* --- handing in --- */

static void wake(DbWriter *w)
{
    MUTEX_HELD(&w->lock);
    w->woken = true;
    cond_signal(&w->wake);
}

void db_write_async(Db *db, DbWrite *d)
{
    DbWriter *w = &db->writer;
    DbWrite *head = atomic_load_explicit(&w->inbox, memory_order_relaxed);
    d->failed = false;
    atomic_fetch_add_explicit(&w->handed_in, 1, memory_order_relaxed);
    do
        d->next = head == &asleep ? NULL : head;
    while (!atomic_compare_exchange_weak_explicit(&w->inbox, &head, d, memory_order_release,
                                                  memory_order_relaxed));
    if (head == &asleep)
        wake(w);
}

enum { WAITER_RUNS, WAITER_SLEEPS, WAITER_ANSWERED };
typedef struct Waiter {
    DbWrite write; /* first: its address is the waiter's */
    _Atomic uint32_t state;
} Waiter;

static void answer_waiter(DbWrite *d, ErrCode rc, const Err *err)
{
    Waiter *waiter = (Waiter *)d;
    _Atomic uint32_t *state = &waiter->state;
    (void)err; /* it is in the write, where the waiter reads it */
    d->rc = rc;
    if (atomic_exchange(state, WAITER_ANSWERED) ==
        WAITER_SLEEPS) /* from here on the waiter may be gone */
        syscall(SYS_futex, state, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

ErrCode db_write(Db *db, DbWriteFn fn, void *arg, Err *err)
{
    Waiter waiter = {.write = {.fn = fn, .arg = arg, .done = answer_waiter}};
    assert(!pthread_equal(pthread_self(), db->writer.thread)); /* it would wait for itself */
    db_write_async(db, &waiter.write);
    uint32_t seen = WAITER_RUNS;
    atomic_compare_exchange_strong(&waiter.state, &seen, WAITER_SLEEPS);
    while (atomic_load(&waiter.state) != WAITER_ANSWERED)
        syscall(SYS_futex, &waiter.state, FUTEX_WAIT_PRIVATE, WAITER_SLEEPS, NULL, NULL, 0);
    if (waiter.write.rc != OK && err != NULL)
        *err = waiter.write.err;
    return waiter.write.rc;
}

ErrCode db_writer_between(Db *db, DbWriteFn fn, void *arg, Err *err)
{
    Between between = {fn, arg};
    return db_write(db, run_between, &between, err);
}

/* --- batches --- */

/* Move everything from the inbox to the end of `pending`, oldest first. */
static void take_inbox(DbWriter *w, Batch *pending)
{
    if (atomic_load_explicit(&w->inbox, memory_order_relaxed) == NULL)
        return;
    DbWrite *newest = atomic_exchange_explicit(&w->inbox, NULL, memory_order_acquire),
            *oldest = NULL;
    if (newest == NULL || newest == &asleep)
        return;
    DbWrite *last = newest;
    while (newest != NULL) {
        DbWrite *next = newest->next;
        newest->next = oldest;
        oldest = newest;
        newest = next;
        pending->len++;
    }
    if (pending->first == NULL)
        pending->first = oldest;
    else
        pending->last->next = oldest;
    pending->last = last;
}

static void move_first(Batch *from, Batch *to)
{
    DbWrite *d = from->first;
    from->first = d->next;
    from->len--;
    d->next = NULL;
    if (to->first == NULL)
        to->first = d;
    else
        to->last->next = d;
    to->last = d;
    to->len++;
}

/* Fill the batch with what waits, up to its size and up to the next write that wants no
 * transaction. */
static void fill(DbWriter *w, Batch *pending, Batch *batch)
{
    take_inbox(w, pending);
    while (pending->first != NULL && batch->len < w->batch_max && pending->first->fn != run_between)
        move_first(pending, batch);
}

/* A statement without which the transaction cannot be trusted. */
static void step_plain(DbWriter *w, sqlite3_stmt *stmt)
{
    int code = sqlite3_step(stmt);
    Err ignored;
    if (code != SQLITE_DONE && db_conn_fail(w->conn, code, sqlite3_sql(stmt), &ignored) != OK &&
        w->conn->sick == OK)
        w->conn->sick = ignored.code;
    sqlite3_reset(stmt);
}

static void roll_back(DbWriter *w)
{
    w->conn->after_len = 0;
    w->conn->rollbacks++;
    if (!sqlite3_get_autocommit(w->conn->sqlite))
        step_plain(w, w->rollback);
}

static void roll_back_to(DbWriter *w)
{
    w->conn->rollbacks++;
    step_plain(w, w->rollback_to);
}

static ErrCode begin(DbWriter *w, Err *err)
{
    if (fault_hit("db.begin"))
        return err_set(err, ERR_DISK_FULL, "begin: failed on purpose");
    int code = sqlite3_step(w->begin);
    ErrCode rc = code == SQLITE_DONE ? OK : db_conn_fail(w->conn, code, "begin", err);
    sqlite3_reset(w->begin);
    return rc;
}

static ErrCode commit(DbWriter *w, Err *err)
{
    if (fault_hit("db.commit"))
        return err_set(err, ERR_DISK_FULL, "commit: failed on purpose");
    int64_t start_us = clock_mono_us();
    int code = sqlite3_step(w->commit);
    ErrCode rc = code == SQLITE_DONE ? OK : db_conn_fail(w->conn, code, "commit", err);
    sqlite3_reset(w->commit);
    atomic_fetch_add_explicit(&w->syncs_us, clock_mono_us() - start_us, memory_order_relaxed);
    return rc;
}

typedef enum Pass { PASS_DONE, PASS_AGAIN, PASS_SICK } Pass;

/* Take back what a function that failed has changed. PASS_AGAIN: only by running the batch again.
 */
static Pass take_back(DbWriter *w, int64_t changes_before, bool savepoints)
{
    sqlite3 *sqlite = w->conn->sqlite;
    if (sqlite3_get_autocommit(sqlite)) /* SQLite has taken back the whole transaction */
        return PASS_AGAIN;
    if (savepoints)
        roll_back_to(w);
    else if (sqlite3_total_changes64(sqlite) != changes_before)
        return PASS_AGAIN;
    return PASS_DONE;
}

static Pass run_one(DbWriter *w, DbWrite *d, bool savepoints)
{
    DbConn *c = w->conn;
    size_t after_len = c->after_len;
    int64_t changes = sqlite3_total_changes64(c->sqlite);
    Pass pass = PASS_DONE;
    d->err = (Err){0};
    if (savepoints)
        step_plain(w, w->savepoint);
    d->rc = d->fn(c, d->arg, &d->err);
    if (c->sick != OK)
        return PASS_SICK;
    if (d->rc == OK && sqlite3_get_autocommit(c->sqlite))
        d->rc = err_set(&d->err, ERR_DB, "the transaction was lost");
    d->failed = d->rc != OK;
    if (d->failed) {
        c->after_len = after_len;
        pass = take_back(w, changes, savepoints);
    }
    if (savepoints && pass == PASS_DONE)
        step_plain(w, w->release);
    return c->sick != OK ? PASS_SICK : pass;
}

static Pass run_pass(DbWriter *w, Batch *pending, Batch *batch, bool savepoints, Err *why)
{
    for (DbWrite *d = batch->first; d != NULL; d = d->next) {
        Pass pass = d->failed ? PASS_DONE : run_one(w, d, savepoints);
        if (pass == PASS_SICK)
            *why = d->err.code == w->conn->sick ? d->err : *why;
        if (pass != PASS_DONE)
            return pass;
        if (d->next == NULL) /* what has come meanwhile shares this sync */
            fill(w, pending, batch);
    }
    return PASS_DONE;
}

/* OK: on disk, apart from those that failed on their own. Else nothing of the batch is. */
static ErrCode run_batch(DbWriter *w, Batch *pending, Batch *batch, Err *why)
{
    Pass pass = PASS_AGAIN;
    for (bool savepoints = false; pass == PASS_AGAIN; savepoints = true) {
        w->conn->sick = OK;
        ErrCode rc = begin(w, why);
        if (rc != OK)
            return rc;
        pass = run_pass(w, pending, batch, savepoints, why);
        if (pass != PASS_DONE)
            roll_back(w);
    }
    if (pass == PASS_SICK) {
        ErrCode sick = w->conn->sick;
        return why->code == sick ? sick : err_set(why, sick, "the database could not be written");
    }
    ErrCode rc = commit(w, why);
    if (rc != OK)
        roll_back(w);
    return rc;
}

static void answer_all(DbWriter *w, Batch *batch, ErrCode rc, const Err *why)
{
    int64_t failed = 0, len = (int64_t)batch->len;
    for (DbWrite *d = batch->first; d != NULL; d = d->next) {
        if (rc != OK && !d->failed) {
            d->rc = rc;
            d->err = *why;
        }
        failed += d->rc != OK;
    }
    atomic_fetch_add_explicit(&w->failed, failed, memory_order_relaxed);
    atomic_fetch_add_explicit(&w->answered, len, memory_order_relaxed);
    atomic_fetch_add_explicit(&w->batches, 1, memory_order_relaxed);
    for (DbWrite *d = batch->first, *next; d != NULL; d = next) {
        next = d->next; /* done may free it, or hand it in again */
        d->done(d, d->rc, &d->err);
    }
}

static void call_after(DbConn *c)
{
    for (size_t i = 0; i < c->after_len; i++)
        c->after[i].fn(c->after[i].ctx, c->after[i].a, c->after[i].b);
    c->after_len = 0;
}

/* --- checkpoints --- */

static int on_wal_grown(void *writer, sqlite3 *sqlite, const char *schema, int pages)
{
    (void)sqlite;
    (void)schema;
    ((DbWriter *)writer)->wal_pages = pages;
    return SQLITE_OK;
}

/* Fold the log into the database as far as no reader still needs it. */
static void checkpoint(DbWriter *w)
{
    int pages = w->wal_pages, folded = 0;
    int code = sqlite3_wal_checkpoint_v2(w->conn->sqlite, NULL, SQLITE_CHECKPOINT_PASSIVE, &pages,
                                         &folded);
    if (code != SQLITE_OK && code != SQLITE_BUSY) {
        Err ignored; /* the log keeps what is written; the next checkpoint tries again */
        (void)db_conn_fail(w->conn, code, "checkpoint", &ignored);
        w->conn->sick = OK;
    }
    LOG(DEBUG, DB_CHECKPOINT, KV("pages", pages), KV("folded", folded));
    bool whole = code == SQLITE_OK && pages == folded; /* then the next write starts the log anew */
    w->wal_pages = whole ? 0 : w->wal_pages;
    w->checkpoint_at = whole ? CHECKPOINT_PAGES : w->wal_pages + CHECKPOINT_PAGES;
}

/* --- rounds --- */

static void run_in_transaction(DbWriter *w, Batch *pending)
{
    Batch batch = {0};
    Err why = {0};
    fill(w, pending, &batch);
    ErrCode rc = run_batch(w, pending, &batch, &why);
    if (rc == OK)
        call_after(w->conn);
    w->conn->after_len = 0;
    if (rc == ERR_DISK_FULL && !w->was_sick)
        checkpoint(w); /* a log that is folded is written over, and needs no more room */
    w->was_sick = rc != OK;
    answer_all(w, &batch, rc, &why);
}

static void run_alone(DbWriter *w, Batch *pending)
{
    Batch one = {0};
    move_first(pending, &one);
    DbWrite *d = one.first;
    w->conn->sick = OK;
    d->err = (Err){0};
    d->rc = d->fn(w->conn, d->arg, &d->err);
    d->failed = d->rc != OK;
    w->conn->after_len = 0;
    answer_all(w, &one, OK, NULL);
}

/* --- thread --- */

/* Sleep until something is handed in or it is time to stop; checkpoint on the way. */
static void sleep_until_work(DbWriter *w)
{
    DbWrite *empty = NULL;
    if (!atomic_compare_exchange_strong(&w->inbox, &empty, &asleep))
        return;
    int64_t idle_at_us = clock_mono_us() + CHECKPOINT_IDLE_US;
    bool idle_done = w->wal_pages == 0;
    mutex_lock(&w->lock);
    while (!w->woken && !w->stop) {
        if (idle_done) {
            cond_wait(&w->wake, &w->lock);
        } else if (!cond_wait_until(&w->wake, &w->lock, idle_at_us) && !w->woken) {
            mutex_unlock(&w->lock);
            checkpoint(w);
            idle_done = true;
            mutex_lock(&w->lock);
        }
    }
    w->woken = false;
    mutex_unlock(&w->lock);
}

static bool should_stop(DbWriter *w)
{
    MUTEX_HELD(&w->lock);
    return w->stop;
}

static void *writer_main(void *arg)
{
    DbWriter *w = arg;
    Batch pending = {0};
    for (;;) {
        take_inbox(w, &pending);
        if (pending.first == NULL) {
            if (should_stop(w))
                return NULL;
            sleep_until_work(w);
        } else if (pending.first->fn == run_between) {
            run_alone(w, &pending);
        } else {
            run_in_transaction(w, &pending);
            if (w->wal_pages >= w->checkpoint_at)
                checkpoint(w);
        }
    }
}

static ErrCode prepare(DbWriter *w, Err *err)
{
    const struct {
        const char *sql;
        sqlite3_stmt **stmt;
    } all[] = {
        {"BEGIN IMMEDIATE", &w->begin},       {"COMMIT", &w->commit},
        {"ROLLBACK", &w->rollback},           {"SAVEPOINT one", &w->savepoint},
        {"ROLLBACK TO one", &w->rollback_to}, {"RELEASE one", &w->release},
    };
    for (size_t i = 0; i < COUNT_OF(all); i++) {
        ErrCode rc = db_conn_prepare(w->conn, all[i].sql, all[i].sql, all[i].stmt, err);
        if (rc != OK)
            return rc;
    }
    return OK;
}

static void finalize(DbWriter *w)
{
    sqlite3_stmt *all[] = {w->begin,     w->commit,      w->rollback,
                           w->savepoint, w->rollback_to, w->release};
    for (size_t i = 0; i < COUNT_OF(all); i++)
        sqlite3_finalize(all[i]);
}

ErrCode db_writer_start(DbWriter *w, DbConn *conn, const DbOptions *options, Err *err)
{
    w->conn = conn;
    w->batch_max = options->batch_max > 0 ? options->batch_max : BATCH_MAX;
    w->checkpoint_at = CHECKPOINT_PAGES;
    mutex_init(&w->lock);
    cond_init(&w->wake);
    sqlite3_wal_hook(conn->sqlite, on_wal_grown, w);
    ErrCode rc = prepare(w, err);
    if (rc == OK)
        rc = thread_start(&w->thread, "db-writer", writer_main, w, err);
    w->running = rc == OK;
    if (rc != OK)
        db_writer_stop(w);
    return rc;
}

void db_writer_stop(DbWriter *w)
{
    if (w->conn == NULL)
        return;
    if (w->running) {
        mutex_lock(&w->lock);
        w->stop = true;
        cond_signal(&w->wake);
        mutex_unlock(&w->lock);
        pthread_join(w->thread, NULL);
    }
    finalize(w);
    mutex_done(&w->lock);
    cond_done(&w->wake);
    db_conn_close(&w->conn);
}

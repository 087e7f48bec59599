/* lease.c: whose tasks run next: the project by its share, then the task by its rank, as far as the
 * queue's settings allow. */
#include "queue/memory.h"
#include "db/queries.h"

#include <assert.h>
#include <stdlib.h>

/* One call of queue_lease. */
typedef struct Run {
    DbConn *tx;
    QueueMem *mem;
    Str queue, worker;
    int64_t now_ms, until_ms;
    TaskLease *leases;
    size_t len;
    int64_t only;  /* tasks of this project; 0: of all */
    int max, most; /* max: less than `most`, which was asked for, when a limit says so */
    Err *err;
} Run;

static int by_rank(const void *x, const void *y)
{
    const TaskLease *a = x, *b = y;
    if (a->priority != b->priority)
        return a->priority > b->priority ? -1 : 1;
    return (a->id > b->id) - (a->id < b->id);
}

/* Delayed tasks whose time has come are ready; the next time is remembered. */
static ErrCode wake(const Run *r)
{
    QueueMem *m = r->mem;
    if (r->now_ms < m->due_ms)
        return OK;
    CLEANUP(db_rows_done) DbRows rows = {0};
    ErrCode rc = db_query(r->tx, &sql_task_wake,
                          DB_ARGS(DB_S(r->queue), DB_I(r->now_ms), DB_I(r->max)), &rows, r->err);
    while (rc == OK && db_next(&rows, &rc, r->err)) {
        int64_t project = db_int(&rows, 0);
        if (!fair_add(&m->fair, project, queue_weight(m, project)))
            rc = err_set(r->err, ERR_NO_MEMORY, "waking tasks");
    }
    db_rows_done(&rows);
    return rc == OK ? queue_next_due(r->tx, r->queue, &m->due_ms, r->err) : rc;
}

static ErrCode add_leases(Run *r, DbRows *rows, Err *err)
{
    ErrCode rc = OK;
    size_t first = r->len;
    while (db_next(rows, &rc, err)) {
        assert(r->len < (size_t)r->most);
        r->leases[r->len++] = (TaskLease){.id = db_int(rows, 0),
                                          .project = db_int(rows, 1),
                                          .job = db_int(rows, 2),
                                          .priority = db_int(rows, 3),
                                          .attempt = db_int(rows, 4),
                                          .max_attempts = db_int(rows, 5),
                                          .seq = db_int(rows, 6),
                                          .run_at_ms = db_int(rows, 7),
                                          .lease_until_ms = r->until_ms};
    }
    /* UPDATE … RETURNING promises no order */
    qsort(r->leases + first, r->len - first, sizeof *r->leases, by_rank);
    return rc;
}

static ErrCode take_some(Run *r, int64_t project, int some, Err *err)
{
    CLEANUP(db_rows_done) DbRows rows = {0};
    ErrCode rc = db_query(r->tx, &sql_task_lease,
                          DB_ARGS(DB_S(r->queue), DB_I(some), DB_S(r->worker), DB_I(r->until_ms),
                                  DB_I(r->now_ms), DB_I(project)),
                          &rows, err);
    return rc == OK ? add_leases(r, &rows, err) : rc;
}

/* Many projects with little: when the batch has room for all of it, turns change nothing, and one
 * query does instead of one per project. */
static ErrCode take_all(Run *r, bool *taken)
{
    enum { MANY = 4 };
    int64_t ready = 0;
    *taken = false;
    if (r->mem->rows_len > 0 || r->mem->fair.len < MANY)
        return OK;
    ErrCode rc = db_get_int(r->tx, &sql_queue_ready_few, DB_ARGS(DB_S(r->queue), DB_I(r->max + 1)),
                            0, &ready, r->err);
    if (rc != OK || ready > r->max)
        return rc;
    CLEANUP(db_rows_done) DbRows rows = {0};
    rc = db_query(
        r->tx, &sql_task_lease_all,
        DB_ARGS(DB_S(r->queue), DB_I(r->max), DB_S(r->worker), DB_I(r->until_ms), DB_I(r->now_ms)),
        &rows, r->err);
    if (rc == OK)
        rc = add_leases(r, &rows, r->err);
    fair_clear(&r->mem->fair);
    *taken = true;
    return rc;
}

/* --- limits: only for queues with settings --- */

static int64_t gap_us(const QueueSettings *s)
{
    int64_t gap = s->rate_window_ms * 1000 / s->rate;
    return gap > 0 ? gap : 1;
}

/* How many the rate lets start now. */
static int64_t rate_room(const QueueRow *row, int64_t now_ms)
{
    int64_t now_us = now_ms * 1000, tat_us = row->tat_us > now_us ? row->tat_us : now_us;
    int64_t room_us = now_us + row->s.rate_window_ms * 1000 - tat_us;
    return room_us <= 0 ? 0 : room_us / gap_us(&row->s);
}

/* And when the next one, if none may now. */
static int64_t rate_next_ms(const QueueRow *row)
{
    return (row->tat_us + gap_us(&row->s) - row->s.rate_window_ms * 1000 + 999) / 1000;
}

/* `row` allows this many of `most`. */
static int room_of(const Run *r, const QueueRow *row, int most)
{
    int64_t room = most;
    if (row == NULL)
        return most;
    if (row->s.paused)
        return 0;
    if (row->s.concurrency > 0 && row->s.concurrency - row->running < room)
        room = row->s.concurrency - row->running;
    if (row->s.rate > 0) {
        int64_t some = rate_room(row, r->now_ms), next_ms = rate_next_ms(row);
        if (some < room)
            room = some;
        if (some == 0 && (r->mem->rate_ms == 0 || next_ms < r->mem->rate_ms))
            r->mem->rate_ms = next_ms;
    }
    return room > 0 ? (int)room : 0;
}

static ErrCode note_taken(const Run *r, QueueRow *row, int64_t taken)
{
    if (row == NULL || taken == 0)
        return OK;
    row->running += taken;
    if (row->s.rate == 0)
        return OK;
    int64_t now_us = r->now_ms * 1000;
    row->tat_us = (row->tat_us > now_us ? row->tat_us : now_us) + taken * gap_us(&row->s);
    return db_exec(r->tx, &sql_queue_rate_put,
                   DB_ARGS(DB_I(row->project), DB_S(r->queue), DB_I(row->tat_us)), NULL, r->err);
}

static ErrCode count_running(const Run *r)
{
    QueueMem *m = r->mem;
    for (size_t i = 0; i < m->rows_len; i++)
        m->rows[i].running = 0;
    QueueRow *all = queue_row(m, 0);
    CLEANUP(db_rows_done) DbRows rows = {0};
    ErrCode rc = db_query(r->tx, &sql_queue_running, DB_ARGS(DB_S(r->queue)), &rows, r->err);
    while (rc == OK && db_next(&rows, &rc, r->err)) {
        QueueRow *own = queue_row(m, db_int(&rows, 0));
        if (own != NULL)
            own->running = db_int(&rows, 1);
        if (all != NULL)
            all->running += db_int(&rows, 1);
    }
    return rc;
}

/* --- turns --- */

/* Up to *some tasks of the project; *some becomes what the settings allow of it. */
static ErrCode take_allowed(Run *r, int64_t project, int *some, size_t *taken)
{
    QueueMem *m = r->mem;
    QueueRow *all = NULL, *own = NULL;
    if (m->rows_len > 0) {
        all = queue_row(m, 0);
        own = queue_row(m, project);
        *some = room_of(r, own, room_of(r, all, *some));
    }
    size_t before = r->len;
    ErrCode rc = *some > 0 ? take_some(r, project, *some, r->err) : OK;
    *taken = r->len - before;
    if (rc == OK && m->rows_len > 0)
        rc = note_taken(r, all, (int64_t)*taken);
    return rc == OK && m->rows_len > 0 ? note_taken(r, own, (int64_t)*taken) : rc;
}

static ErrCode take_turn(Run *r, const FairTurn *turn, int *some, size_t *taken)
{
    *some = fair_share(&r->mem->fair, turn, r->max);
    if (*some > r->max - (int)r->len)
        *some = r->max - (int)r->len;
    return take_allowed(r, turn->project, some, taken);
}

/* Until the batch is full or nobody may have more. Who may not have any now is kept aside. */
static ErrCode take_turns(Run *r)
{
    Fair *f = &r->mem->fair;
    FairTurn turn, *aside = NULL;
    size_t aside_len = 0, aside_cap = f->len;
    ErrCode rc = OK;
    while (rc == OK && r->len < (size_t)r->max && fair_pick(f, &turn)) {
        int some = 0;
        size_t taken = 0;
        rc = take_turn(r, &turn, &some, &taken);
        if (rc != OK)
            break;
        if (some > 0 && taken == (size_t)some) {
            fair_put(f, turn, (int64_t)taken);
        } else if (some > 0) {
            fair_drop(f, &turn);
        } else {
            if (aside == NULL)
                aside = calloc(aside_cap, sizeof *aside);
            if (aside == NULL)
                rc = err_set(r->err, ERR_NO_MEMORY, "leasing tasks");
            else
                aside[aside_len++] = turn;
        }
    }
    for (size_t i = 0; i < aside_len; i++)
        fair_put(f, aside[i], 0);
    free(aside);
    return rc;
}

static ErrCode take_all_or_turns(Run *r)
{
    bool taken = false;
    ErrCode rc = take_all(r, &taken);
    return rc == OK && !taken ? take_turns(r) : rc;
}

/* Whoever asks for one project is in nobody's way: there are no turns. */
static ErrCode take_only(Run *r)
{
    int some = r->max;
    size_t taken = 0;
    return take_allowed(r, r->only, &some, &taken);
}

static ErrCode run(Run *r)
{
    QueueMem *m = r->mem;
    const QueueRow *all = m->rows_len > 0 ? queue_row(m, 0) : NULL;
    m->rate_ms = 0;
    if (all != NULL && all->s.paused)
        return OK;
    ErrCode rc = wake(r);
    if (rc == OK && m->limited)
        rc = count_running(r);
    if (rc == OK && all != NULL)
        r->max = room_of(r, all, r->max);
    if (rc == OK)
        rc = r->only != 0 ? take_only(r) : take_all_or_turns(r);
    if (rc == OK && all != NULL)
        (void)room_of(r, all, 1); /* none left: when there will be */
    return rc;
}

static ErrCode lease(Run *r, Arena *a, TaskLease **out, size_t *len)
{
    assert(r->most > 0 && r->most <= QUEUE_LEASE_MAX);
    r->max = r->most;
    r->leases = arena_alloc_raw(a, (size_t)r->most * sizeof *r->leases);
    if (r->leases == NULL)
        return err_set(r->err, ERR_NO_MEMORY, "leasing %d tasks", r->most);
    ErrCode rc = queue_mem(r->tx, r->queue, &r->mem, r->err);
    if (rc == OK)
        rc = run(r);
    if (rc != OK) {
        queue_mem_forget(r->tx); /* a project that was picked is in no list */
        return rc;
    }
    *out = r->leases;
    *len = r->len;
    return OK;
}

ErrCode queue_lease(DbConn *tx, Str queue, int max, int64_t now_ms, int64_t until_ms, Str worker,
                    Arena *a, TaskLease **out, size_t *len, Err *err)
{
    Run r = {.tx = tx,
             .queue = queue,
             .worker = worker,
             .now_ms = now_ms,
             .until_ms = until_ms,
             .most = max,
             .err = err};
    return lease(&r, a, out, len);
}

ErrCode queue_lease_of(DbConn *tx, int64_t project, Str queue, int max, int64_t now_ms,
                       int64_t until_ms, Str worker, Arena *a, TaskLease **out, size_t *len,
                       Err *err)
{
    Run r = {.tx = tx,
             .queue = queue,
             .worker = worker,
             .now_ms = now_ms,
             .until_ms = until_ms,
             .only = project,
             .most = max,
             .err = err};
    return lease(&r, a, out, len);
}

ErrCode queue_next_due(DbConn *c, Str queue, int64_t *due_ms, Err *err)
{
    return db_get_int(c, &sql_task_next_due, DB_ARGS(DB_S(queue)), INT64_MAX, due_ms, err);
}

ErrCode queue_next_look(DbConn *tx, Str queue, int64_t *due_ms, Err *err)
{
    QueueMem *m;
    ErrCode rc = queue_mem(tx, queue, &m, err);
    if (rc != OK)
        return rc;
    const QueueRow *all = m->rows_len > 0 ? queue_row(m, 0) : NULL;
    if (all != NULL && all->s.paused)
        *due_ms = INT64_MAX; /* resuming it says so */
    else
        *due_ms = m->rate_ms > 0 && m->rate_ms < m->due_ms ? m->rate_ms : m->due_ms;
    return OK;
}

ErrCode queue_is_ready(DbConn *tx, Str queue, int64_t project, int64_t due_ms, Err *err)
{
    return queue_mem_ready(tx, queue, project, due_ms, err);
}

void queue_reload(DbConn *tx)
{
    queue_mem_forget(tx);
}

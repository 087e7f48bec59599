#include "queue/memory.h"
#include "db/queries.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Names may come from callers: beyond this many, all are forgotten and read again as needed. */
enum { QUEUES_KEPT = 4096, PLACES = 2 * QUEUES_KEPT };

typedef struct QueueMemory {
    QueueMem *places[PLACES]; /* open addressing by name */
    size_t len, limited;
    QueueMem *last;
    int64_t rollbacks; /* as they were when it was read; -1: to be read again */
} QueueMemory;

static void free_mem(QueueMem *m)
{
    fair_done(&m->fair);
    free(m->rows);
    free(m);
}

static void empty(QueueMemory *all)
{
    for (size_t i = 0; all->len > 0 && i < PLACES; i++)
        if (all->places[i] != NULL) {
            free_mem(all->places[i]);
            all->places[i] = NULL;
        }
    all->len = all->limited = 0;
    all->last = NULL;
}

static void drop(void *what)
{
    empty(what);
    free(what);
}

static QueueMemory *memory_of(DbConn *tx)
{
    QueueMemory *all = db_kept(tx, DB_KEPT_QUEUE);
    if (all == NULL) {
        all = calloc(1, sizeof *all);
        if (all == NULL)
            return NULL;
        db_keep(tx, DB_KEPT_QUEUE, all, drop);
    }
    int64_t rollbacks = db_rollbacks(tx);
    if (all->rollbacks != rollbacks) {
        empty(all);
        all->rollbacks = rollbacks;
    }
    return all;
}

void queue_mem_forget(DbConn *tx)
{
    QueueMemory *all = db_kept(tx, DB_KEPT_QUEUE);
    if (all != NULL)
        all->rollbacks = -1;
}

static bool is_named(const QueueMem *m, Str name)
{
    return m->name_len == name.len && memcmp(m->name, name.ptr, name.len) == 0;
}

static size_t place_of(const QueueMemory *all, Str name)
{
    size_t at = (size_t)queue_hash(name) % PLACES;
    while (all->places[at] != NULL && !is_named(all->places[at], name))
        at = (at + 1) % PLACES;
    return at;
}

/* --- reading --- */

QueueSettings queue_settings_of(const DbRows *rows, int first)
{
    return (QueueSettings){.paused = db_int(rows, first) != 0,
                           .draining = db_int(rows, first + 1) != 0,
                           .concurrency = db_int(rows, first + 2),
                           .rate = db_int(rows, first + 3),
                           .rate_window_ms = db_int(rows, first + 4),
                           .key_rate = db_int(rows, first + 5),
                           .weight = db_int(rows, first + 6),
                           .retention_ms = db_int(rows, first + 7),
                           .runners = db_int(rows, first + 8)};
}

static ErrCode read_rows(DbConn *tx, QueueMem *m, Str queue, Err *err)
{
    size_t cap = 0;
    CLEANUP(db_rows_done) DbRows rows = {0};
    ErrCode rc = db_query(tx, &sql_queue_settings, DB_ARGS(DB_S(queue)), &rows, err);
    while (rc == OK && db_next(&rows, &rc, err)) {
        if (m->rows_len == cap) {
            cap = cap > 0 ? 2 * cap : 4;
            QueueRow *grown = realloc(m->rows, cap * sizeof *grown);
            if (grown == NULL)
                return err_set(err, ERR_NO_MEMORY, "reading the settings of a queue");
            m->rows = grown;
        }
        QueueRow *row = &m->rows[m->rows_len++];
        *row = (QueueRow){.project = db_int(&rows, 0),
                          .s = queue_settings_of(&rows, 2),
                          .tat_us = db_int(&rows, 1)};
        m->limited = m->limited || row->s.concurrency > 0;
    }
    return rc;
}

static ErrCode read_projects(DbConn *tx, QueueMem *m, Str queue, Err *err)
{
    CLEANUP(db_rows_done) DbRows rows = {0};
    ErrCode rc = db_query(tx, &sql_queue_projects, DB_ARGS(DB_S(queue)), &rows, err);
    while (rc == OK && db_next(&rows, &rc, err))
        if (!fair_add(&m->fair, db_int(&rows, 0), queue_weight(m, db_int(&rows, 0))))
            return err_set(err, ERR_NO_MEMORY, "reading who waits in a queue");
    return rc;
}

static ErrCode read_mem(DbConn *tx, Str queue, QueueMem **out, Err *err)
{
    QueueMem *m = calloc(1, sizeof *m);
    if (m == NULL || queue.len > QUEUE_NAME_MAX) {
        free(m);
        return err_set(err, ERR_NO_MEMORY, "reading a queue");
    }
    memcpy(m->name, queue.ptr, queue.len);
    m->name_len = queue.len;
    ErrCode rc = read_rows(tx, m, queue, err);
    if (rc == OK)
        rc = read_projects(tx, m, queue, err);
    if (rc == OK)
        rc = queue_next_due(tx, queue, &m->due_ms, err);
    if (rc == OK)
        *out = m;
    else
        free_mem(m);
    return rc;
}

ErrCode queue_mem(DbConn *tx, Str queue, QueueMem **out, Err *err)
{
    QueueMemory *all = memory_of(tx);
    if (all == NULL)
        return err_set(err, ERR_NO_MEMORY, "reading a queue");
    if (all->last == NULL || !is_named(all->last, queue)) {
        size_t at = place_of(all, queue);
        if (all->places[at] == NULL) {
            QueueMem *m = NULL;
            ErrCode rc = read_mem(tx, queue, &m, err);
            if (rc != OK)
                return rc;
            if (all->len == QUEUES_KEPT)
                empty(all);
            at = place_of(all, queue);
            all->places[at] = m;
            all->len++;
            all->limited += m->limited;
        }
        all->last = all->places[at];
    }
    *out = all->last;
    return OK;
}

/* --- what the moves say --- */

ErrCode queue_mem_ready(DbConn *tx, Str queue, int64_t project, int64_t due_ms, Err *err)
{
    QueueMem *m;
    ErrCode rc = queue_mem(tx, queue, &m, err);
    if (rc != OK)
        return rc;
    if (due_ms > 0) {
        m->due_ms = due_ms < m->due_ms ? due_ms : m->due_ms;
        return OK;
    }
    int64_t weight = project == m->fair.last ? 1 : queue_weight(m, project);
    return fair_add(&m->fair, project, weight)
               ? OK
               : err_set(err, ERR_NO_MEMORY, "adding a project to a queue");
}

bool queue_mem_limits(DbConn *tx)
{
    const QueueMemory *all = memory_of(tx);
    return all != NULL && all->limited > 0;
}

QueueRow *queue_row(const QueueMem *m, int64_t project)
{
    for (size_t i = 0; i < m->rows_len; i++)
        if (m->rows[i].project == project)
            return &m->rows[i];
    return NULL;
}

int64_t queue_weight(const QueueMem *m, int64_t project)
{
    const QueueRow *row = m->rows_len > 0 ? queue_row(m, project) : NULL;
    return row == NULL || row->s.weight < 1  ? 1
           : row->s.weight > FAIR_WEIGHT_MAX ? FAIR_WEIGHT_MAX
                                             : row->s.weight;
}

int64_t queue_key_gap_us(const QueueMem *m, int64_t project, int64_t *burst_us)
{
    if (m->rows_len == 0)
        return 0;
    const QueueRow *row = queue_row(m, project);
    if (row == NULL || row->s.key_rate == 0)
        row = queue_row(m, 0);
    if (row == NULL || row->s.key_rate == 0)
        return 0;
    *burst_us = row->s.rate_window_ms * 1000;
    int64_t gap_us = *burst_us / row->s.key_rate;
    return gap_us > 0 ? gap_us : 1;
}

/* outside.c: leases of workers that are not of this process. */
#include "queue/queue.h"
#include "db/queries.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static int by_rank(const void *x, const void *y)
{
    const TaskLease *a = x, *b = y;
    if (a->priority != b->priority)
        return a->priority > b->priority ? -1 : 1;
    return (a->id > b->id) - (a->id < b->id);
}

ErrCode queue_lease_of(DbConn *tx, int64_t project, Str queue, int max, int64_t now_ms,
                       int64_t until_ms, Str worker, Arena *a, TaskLease **out, size_t *len,
                       Err *err)
{
    assert(max > 0 && max <= QUEUE_LEASE_MAX);
    TaskLease *leases = arena_new(a, TaskLease, (size_t)max);
    if (leases == NULL)
        return err_set(err, ERR_NO_MEMORY, "leasing %d tasks", max);
    ErrCode rc =
        db_exec(tx, &sql_task_wake, DB_ARGS(DB_S(queue), DB_I(now_ms), DB_I(max)), NULL, err);
    if (rc != OK)
        return rc;
    size_t n = 0;
    CLEANUP(db_rows_done) DbRows rows = {0};
    rc = db_query(
        tx, &sql_outside_lease,
        DB_ARGS(DB_S(queue), DB_I(max), DB_S(worker), DB_I(until_ms), DB_I(now_ms), DB_I(project)),
        &rows, err);
    while (rc == OK && db_next(&rows, &rc, err)) {
        assert(n < (size_t)max);
        leases[n++] = (TaskLease){.id = db_int(&rows, 0),
                                  .project = db_int(&rows, 1),
                                  .job = db_int(&rows, 2),
                                  .priority = db_int(&rows, 3),
                                  .attempt = db_int(&rows, 4),
                                  .max_attempts = db_int(&rows, 5),
                                  .seq = db_int(&rows, 6),
                                  .run_at_ms = db_int(&rows, 7),
                                  .lease_until_ms = until_ms};
    }
    if (rc != OK)
        return rc;
    qsort(leases, n, sizeof *leases, by_rank); /* UPDATE … RETURNING promises no order */
    *out = leases;
    *len = n;
    return OK;
}

ErrCode queue_abandoned(DbConn *tx, Arena *a, TaskLease **out, size_t *len, Err *err)
{
    TaskLease *tasks = arena_new(a, TaskLease, QUEUE_LEASE_MAX);
    if (tasks == NULL)
        return err_set(err, ERR_NO_MEMORY, "looking for lost tasks");
    size_t n = 0;
    CLEANUP(db_rows_done) DbRows rows = {0};
    ErrCode rc = db_query(tx, &sql_outside_abandoned,
                          DB_ARGS(DB_I(INT64_MAX), DB_I(QUEUE_LEASE_MAX)), &rows, err);
    while (rc == OK && db_next(&rows, &rc, err) && n < QUEUE_LEASE_MAX) {
        tasks[n].id = db_int(&rows, 0);
        tasks[n++].attempt = db_int(&rows, 1);
    }
    *out = tasks;
    *len = n;
    return rc;
}

ErrCode queue_first_end(DbConn *reader, int64_t *end_ms, Err *err)
{
    return db_get_int(reader, &sql_outside_next_end, DB_NO_ARGS, INT64_MAX, end_ms, err);
}

bool queue_worker_is_outside(Str worker)
{
    size_t n = strlen(QUEUE_OUTSIDE);
    return worker.len >= n && memcmp(worker.ptr, QUEUE_OUTSIDE, n) == 0;
}

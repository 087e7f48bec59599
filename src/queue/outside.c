/* outside.c: leases of workers that are not of this process. */
#include "queue/queue.h"
#include "db/queries.h"

#include <string.h>

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

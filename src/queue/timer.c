/* timer.c: tasks that wait for a time other than their next attempt. */
#include "queue/queue.h"
#include "db/queries.h"

ErrCode queue_timer_add(DbConn *tx, int64_t due_ms, TimerKind kind, int64_t task, Err *err)
{
    return db_exec(tx, &sql_timer_add, DB_ARGS(DB_I(due_ms), DB_I(kind), DB_I(task)), NULL, err);
}

ErrCode queue_timers_take(DbConn *tx, int64_t now_ms, int max, Timer *out, size_t *len, Err *err)
{
    size_t n = 0;
    CLEANUP(db_rows_done) DbRows rows = {0};
    ErrCode rc = db_query(tx, &sql_timer_due, DB_ARGS(DB_I(now_ms), DB_I(max)), &rows, err);
    while (rc == OK && db_next(&rows, &rc, err) && n < (size_t)max)
        out[n++] = (Timer){.due_ms = db_int(&rows, 0),
                           .kind = (TimerKind)db_int(&rows, 1),
                           .task = db_int(&rows, 2)};
    db_rows_done(&rows);
    for (size_t i = 0; rc == OK && i < n; i++)
        rc = db_exec(tx, &sql_timer_drop,
                     DB_ARGS(DB_I(out[i].due_ms), DB_I(out[i].kind), DB_I(out[i].task)), NULL, err);
    *len = n;
    return rc;
}

ErrCode queue_timer_next(DbConn *c, int64_t *due_ms, Err *err)
{
    return db_get_int(c, &sql_timer_next, DB_NO_ARGS, INT64_MAX, due_ms, err);
}

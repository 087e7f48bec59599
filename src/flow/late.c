/* late.c: what happens to jobs because time passes: a task with a key is due, a job did not start or
 * did not end in the time it was given, an ended job is old. */
#include "flow/flow_in.h"
#include "db/queries.h"

enum { TIMERS_PER_WRITE = 200 };

typedef struct Late {
    int64_t now_ms, next_ms;
    size_t len;
} Late;

static ErrCode arrive(DbConn *tx, int64_t task, int64_t now_ms, Arena *a, Err *err)
{
    SlotTask t;
    bool found = false;
    ErrCode rc = queue_arrive(tx, task, now_ms, a, &t, &found, err);
    return rc == OK && found ? flow_tell_ready(tx, t.queue, t.ready_ms, err) : rc;
}

/* The job fails, unless it has ended, or started in time. */
static ErrCode time_out(DbConn *tx, const Timer *t, Err *err)
{
    int64_t project = 0, started_ms = 0;
    CLEANUP(db_rows_done) DbRows rows = {0};
    ErrCode rc = db_query(tx, &sql_job_alive, DB_ARGS(DB_I(t->task)), &rows, err);
    while (rc == OK && db_next(&rows, &rc, err)) {
        project = db_int(&rows, 0);
        started_ms = db_int(&rows, 1);
    }
    db_rows_done(&rows);
    if (rc != OK || project == 0 || (t->kind == TIMER_START && started_ms != 0))
        return rc;
    bool found;
    return flow_stop_tx(tx, project, t->task,
                        t->kind == TIMER_START ? ERR_START_TOO_LATE : ERR_DEADLINE_PASSED, &found,
                        err);
}

static ErrCode timers_write(DbConn *tx, void *arg, Err *err)
{
    Late *l = arg;
    Timer timers[TIMERS_PER_WRITE];
    CLEANUP(arena_close) Arena *a = arena_open(FLOW_SCRATCH);
    if (a == NULL)
        return err_set(err, ERR_NO_MEMORY, "looking for what is due");
    ErrCode rc = queue_timers_take(tx, l->now_ms, TIMERS_PER_WRITE, timers, &l->len, err);
    for (size_t i = 0; rc == OK && i < l->len; i++) {
        ArenaMark mark = arena_mark(a);
        if (timers[i].kind == TIMER_ARRIVE)
            rc = arrive(tx, timers[i].task, l->now_ms, a, err);
        else if (timers[i].kind == TIMER_RETIRE)
            rc = flow_retire_tx(tx, timers[i].task, l->now_ms, err);
        else
            rc = time_out(tx, &timers[i], err);
        arena_rewind(a, mark);
    }
    return rc == OK ? queue_timer_next(tx, &l->next_ms, err) : rc;
}

ErrCode flow_timers_due(Db *db, int64_t now_ms, int64_t *count, int64_t *next_ms, Err *err)
{
    Late l = {.now_ms = now_ms};
    DbConn *reader = NULL;
    *count = 0;
    ErrCode rc = db_reader(db, &reader, err);
    if (rc == OK)
        rc = queue_timer_next(reader, &l.next_ms, err);
    while (rc == OK && l.next_ms <= now_ms) {
        rc = db_write(db, timers_write, &l, err);
        *count += rc == OK ? (int64_t)l.len : 0;
    }
    *next_ms = l.next_ms;
    return rc;
}

/* task.c: the moves of a task (see the drawing in queue.h). */
#include "queue/memory.h"
#include "db/queries.h"

static ErrCode add_flags(DbConn *tx, const TaskNew *n, const Entry *e, Err *err)
{
    return db_exec(tx, &sql_task_add_flags,
                   DB_ARGS(DB_I(n->id), DB_I(n->project), DB_I(n->job), DB_S(n->queue),
                           DB_S(str_from_c(e->state)), DB_I(n->priority), DB_I(e->run_at_ms),
                           DB_I(n->attempt), DB_I(n->max_attempts), DB_I(n->seq),
                           DB_I(n->started_ms), db_text_or_null(n->concurrency_key),
                           db_int_or_null(n->parent), DB_I(n->flags | e->flags)),
                   NULL, err);
}

static ErrCode add_plain(DbConn *tx, const TaskNew *n, const Entry *e, Err *err)
{
    return db_exec(tx, &sql_task_add,
                   DB_ARGS(DB_I(n->id), DB_I(n->project), DB_I(n->job), DB_S(n->queue),
                           DB_S(str_from_c(e->state)), DB_I(n->priority), DB_I(e->run_at_ms),
                           DB_I(n->attempt), DB_I(n->max_attempts), DB_I(n->seq),
                           DB_I(n->started_ms), DB_N, db_int_or_null(n->parent)),
                   NULL, err);
}

ErrCode queue_add(DbConn *tx, const TaskNew *n, int64_t now_ms, int64_t *ready_ms, Err *err)
{
    bool later = n->run_at_ms > now_ms, plain = n->flags == 0 && n->concurrency_key.len == 0;
    Entry e = {later ? "delayed" : "ready", n->run_at_ms, n->run_at_ms, 0};
    ErrCode rc = n->concurrency_key.len > 0 ? queue_enter(tx, n, now_ms, &e, err) : OK;
    if (rc == OK)
        rc = plain ? add_plain(tx, n, &e, err) : add_flags(tx, n, &e, err);
    if (rc == OK && e.ready_ms != INT64_MAX)
        rc = queue_mem_ready(tx, n->queue, n->project, e.ready_ms > now_ms ? e.ready_ms : 0, err);
    if (ready_ms != NULL)
        *ready_ms = e.ready_ms;
    return rc;
}

/* A queue that is limited has room for another one. */
static ErrCode look_for_room(DbConn *tx, Str queue, TaskChanged *out, Err *err)
{
    QueueMem *m;
    ErrCode rc = queue_mem(tx, queue, &m, err);
    if (rc == OK && m->limited)
        out->poke = queue_hash(queue);
    return rc;
}

/* Read at most one task and remove it. */
static ErrCode take(DbConn *tx, const Query *q, int64_t task, int64_t second, Arena *a,
                    TaskChanged *out, bool *found, Err *err)
{
    CLEANUP(db_rows_done) DbRows rows = {0};
    ErrCode rc = db_query(tx, q, DB_ARGS(DB_I(task), DB_I(second)), &rows, err);
    bool blocked = false;
    *found = false;
    while (rc == OK && db_next(&rows, &rc, err)) {
        *found = true;
        *out = (TaskChanged){.project = db_int(&rows, 0),
                             .job = db_int(&rows, 1),
                             .attempt = db_int(&rows, 2),
                             .max_attempts = db_int(&rows, 3),
                             .seq = db_int(&rows, 4),
                             .started_ms = db_int(&rows, 5),
                             .progress_done = db_int(&rows, 6),
                             .progress_total = db_int(&rows, 7),
                             .was_leased = str_eq_c(db_str(&rows, 9), "leased"),
                             .parent = db_int(&rows, 10),
                             .flags = db_int(&rows, 11)};
        blocked = str_eq_c(db_str(&rows, 9), "blocked");
        if (out->was_leased && queue_mem_limits(tx))
            rc = look_for_room(tx, db_str(&rows, 8), out, err);
        if (a != NULL && (out->queue = db_str_copy(&rows, 8, a)).ptr == NULL)
            return err_set(err, ERR_NO_MEMORY, "reading a task");
    }
    if (rc == OK && blocked) {
        out->flags |= TASK_LEFT_LINE;
        rc = queue_leave_line(tx, task, err);
    }
    if (rc == OK && *found)
        rc = db_exec(tx, &sql_task_delete, DB_ARGS(DB_I(task)), NULL, err);
    return rc;
}

ErrCode queue_take(DbConn *tx, int64_t task, int64_t attempt, Arena *a, TaskChanged *out,
                   bool *found, Err *err)
{
    return take(tx, &sql_task_of_attempt, task, attempt, a, out, found, err);
}

ErrCode queue_cancel(DbConn *tx, int64_t project, int64_t task, Arena *a, TaskChanged *out,
                     bool *found, Err *err)
{
    return take(tx, &sql_task_of_project, task, project, a, out, found, err);
}

/* A query that gives the task back to its queue: project, job, seq, max_attempts, queue. due_ms:
 * when it is ready, 0: now. */
static ErrCode put_back(DbConn *tx, const Query *q, const DbVal *args, size_t args_len,
                        int64_t attempt, int64_t due_ms, Arena *a, TaskChanged *out, bool *found,
                        Err *err)
{
    CLEANUP(db_rows_done) DbRows rows = {0};
    ErrCode rc = db_query(tx, q, args, args_len, &rows, err);
    *found = false;
    while (rc == OK && db_next(&rows, &rc, err)) {
        *found = true;
        *out = (TaskChanged){.project = db_int(&rows, 0),
                             .job = db_int(&rows, 1),
                             .seq = db_int(&rows, 2),
                             .max_attempts = db_int(&rows, 3),
                             .attempt = attempt,
                             .was_leased = true,
                             .queue = db_str_copy(&rows, 4, a)};
        if (out->queue.ptr == NULL)
            return err_set(err, ERR_NO_MEMORY, "reading a task");
    }
    if (rc == OK && *found)
        rc = queue_mem_ready(tx, out->queue, out->project, due_ms, err);
    if (rc == OK && *found && queue_mem_limits(tx))
        rc = look_for_room(tx, out->queue, out, err);
    return rc;
}

ErrCode queue_delay(DbConn *tx, int64_t task, int64_t attempt, int64_t run_at_ms,
                    const TaskFault *why, Arena *a, TaskChanged *out, bool *found, Err *err)
{
    return put_back(tx, &sql_task_delay,
                    DB_ARGS(DB_I(task), DB_I(attempt), DB_I(run_at_ms), DB_S(why->reason),
                            db_text_or_null(why->detail), db_text_or_null(why->hint)),
                    attempt, run_at_ms, a, out, found, err);
}

ErrCode queue_lose(DbConn *tx, int64_t task, int64_t attempt, int64_t now_ms, const TaskFault *why,
                   Arena *a, TaskChanged *out, bool *found, Err *err)
{
    return put_back(tx, &sql_task_lose,
                    DB_ARGS(DB_I(task), DB_I(attempt), DB_I(now_ms), DB_S(why->reason),
                            db_text_or_null(why->detail), db_text_or_null(why->hint)),
                    attempt, 0, a, out, found, err);
}

ErrCode queue_give_back(DbConn *tx, int64_t task, int64_t attempt, int64_t now_ms, Arena *a,
                        TaskChanged *out, bool *found, Err *err)
{
    return put_back(tx, &sql_task_give_back,
                    DB_ARGS(DB_I(task), DB_I(attempt), DB_I(now_ms), DB_I(1)), attempt, 0, a, out,
                    found, err);
}

ErrCode queue_extend(DbConn *tx, int64_t task, int64_t attempt, int64_t until_ms, bool *found,
                     Err *err)
{
    int64_t changed = 0;
    ErrCode rc = db_exec(tx, &sql_task_extend, DB_ARGS(DB_I(task), DB_I(attempt), DB_I(until_ms)),
                         &changed, err);
    *found = changed > 0;
    return rc;
}

/* A query that counts up seq: project, job, seq. */
static ErrCode count_up(DbConn *tx, const Query *q, const DbVal *args, size_t args_len,
                        int64_t attempt, TaskChanged *out, bool *found, Err *err)
{
    CLEANUP(db_rows_done) DbRows rows = {0};
    ErrCode rc = db_query(tx, q, args, args_len, &rows, err);
    *found = false;
    while (rc == OK && db_next(&rows, &rc, err)) {
        *found = true;
        *out = (TaskChanged){.project = db_int(&rows, 0),
                             .job = db_int(&rows, 1),
                             .seq = db_int(&rows, 2),
                             .attempt = attempt,
                             .was_leased = true};
    }
    return rc;
}

ErrCode queue_progress(DbConn *tx, int64_t task, int64_t attempt, int64_t done, int64_t total,
                       TaskChanged *out, bool *found, Err *err)
{
    return count_up(tx, &sql_task_progress,
                    DB_ARGS(DB_I(task), DB_I(attempt), DB_I(done), DB_I(total)), attempt, out,
                    found, err);
}

ErrCode queue_note(DbConn *tx, int64_t task, int64_t attempt, TaskChanged *out, bool *found,
                   Err *err)
{
    return count_up(tx, &sql_task_note, DB_ARGS(DB_I(task), DB_I(attempt)), attempt, out, found,
                    err);
}

ErrCode queue_expired(DbConn *tx, int64_t now_ms, Arena *a, TaskLease **out, size_t *len, Err *err)
{
    TaskLease *tasks = arena_new(a, TaskLease, QUEUE_LEASE_MAX);
    if (tasks == NULL)
        return err_set(err, ERR_NO_MEMORY, "looking for lost tasks");

    size_t n = 0;
    CLEANUP(db_rows_done) DbRows rows = {0};
    ErrCode rc =
        db_query(tx, &sql_task_expired, DB_ARGS(DB_I(now_ms), DB_I(QUEUE_LEASE_MAX)), &rows, err);
    while (rc == OK && db_next(&rows, &rc, err) && n < QUEUE_LEASE_MAX) {
        tasks[n].id = db_int(&rows, 0);
        tasks[n++].attempt = db_int(&rows, 1);
    }
    *out = tasks;
    *len = n;
    return rc;
}

/* change.c: what people do to jobs: cancel, retry, and the dead letters.
 *
 * What is refused (no such job, wrong state) is refused before anything was changed, so a batch
 * does not run twice for it. */
#include "flow/pipeline_in.h"
#include "base/clock.h"
#include "db/queries.h"

enum { REDRIVE_BATCH = 500 };

typedef struct Change {
    int64_t project, job;
} Change;

/* There is no task (or no end) to change: is there a job at all? */
static ErrCode refuse(DbConn *tx, const Change *c, const char *conflict, Err *err)
{
    int64_t exists = 0;
    ErrCode rc =
        db_get_int(tx, &sql_job_exists, DB_ARGS(DB_I(c->job), DB_I(c->project)), 0, &exists, err);
    if (rc != OK)
        return rc;
    return exists ? err_set(err, ERR_CONFLICT, "%s", conflict)
                  : err_set(err, ERR_NOT_FOUND, "there is no such job");
}

/* why: ERR_CANCELED, or the time-out because of which the job fails. */
static ErrCode cancel_one(DbConn *tx, int64_t project, int64_t job, ErrCode why, Arena *a,
                          bool *found, Err *err)
{
    bool canceled = why == ERR_CANCELED;
    TaskChanged t;
    ErrCode rc = queue_cancel(tx, project, job, a, &t, found, err);
    if (rc != OK || !*found)
        return rc;
    const TaskFault f = {.reason = str_from_c(err_reason(why)),
                         .detail = str_from_c(err_meaning(why)),
                         .hint = str_from_c(err_remedy(why))};
    rc = flow_event_add(tx,
                        &(EventNew){.project = t.project,
                                    .job = t.job,
                                    .seq = t.seq + 1,
                                    .type = canceled ? EVENT_JOB_CANCELED : EVENT_JOB_FAILED,
                                    .fault = canceled ? NULL : &f},
                        a, err);
    const JobEnd end = {.state = canceled ? JOB_CANCELED : JOB_FAILED,
                        .events = 1,
                        .finished_ms = clock_now_ms(),
                        .fault = &f};
    if (rc == OK)
        rc = db_exec(tx, &sql_node_cancel, DB_ARGS(DB_I(job)), NULL, err);
    if (rc == OK)
        rc = flow_end_job(tx, &t, &end, err);
    if (rc == OK && t.was_leased)
        rc = flow_tell_cancel(tx, job, t.attempt, err);
    return rc;
}

/* The job and, of a batch or a pipeline, its children that live. A pipeline with something to run
 * at its end is not cancelled itself: it ends by that, or when somebody cancels it again. */
static ErrCode cancel_tree(DbConn *tx, int64_t project, int64_t job, ErrCode why, int depth,
                           bool *found, Err *err)
{
    CLEANUP(arena_close) Arena *a = arena_open(FLOW_SCRATCH);
    if (a == NULL)
        return err_set(err, ERR_NO_MEMORY, "cancelling a job");
    int64_t *children = NULL;
    size_t n = 0;
    bool softly = false, any = false;
    int64_t halt = why == ERR_CANCELED ? HALT_CANCELED : HALT_DEADLINE;
    ErrCode rc =
        why != ERR_START_TOO_LATE ? flow_halt_softly(tx, project, job, halt, &softly, err) : OK;
    if (rc == OK && softly)
        *found = true;
    else if (rc == OK)
        rc = cancel_one(tx, project, job, why, a, found, err);
    if (rc != OK || !*found)
        return rc;
    rc = flow_item_ids(tx, &sql_batch_live, job, a, &children, &n, err);
    for (size_t i = 0; rc == OK && i < n; i++)
        rc = depth < PIPELINE_CALLS_DEEP + 1
                 ? cancel_tree(tx, project, children[i], ERR_CANCELED, depth + 1, &any, err)
                 : OK;
    return rc == OK && softly ? flow_go_on(tx, job, err) : rc;
}

ErrCode flow_stop_tx(DbConn *tx, int64_t project, int64_t job, ErrCode why, bool *found, Err *err)
{
    *found = false;
    return cancel_tree(tx, project, job, why, 0, found, err);
}

static ErrCode cancel_write(DbConn *tx, void *arg, Err *err)
{
    const Change *c = arg;
    bool found = false;
    ErrCode rc = flow_stop_tx(tx, c->project, c->job, ERR_CANCELED, &found, err);
    return rc == OK && !found ? refuse(tx, c, "the job has ended already", err) : rc;
}

ErrCode flow_cancel_tx(DbConn *tx, int64_t project, int64_t job, Err *err)
{
    return cancel_write(tx, &(Change){.project = project, .job = job}, err);
}

ErrCode flow_cancel(Db *db, int64_t project, int64_t job, Err *err)
{
    return db_write(db, cancel_write, &(Change){.project = project, .job = job}, err);
}

ErrCode flow_take_end(DbConn *tx, int64_t project, int64_t job, bool batch, Ended *out, Err *err)
{
    CLEANUP(db_rows_done) DbRows rows = {0};
    ErrCode rc =
        db_query(tx, &sql_job_end_take, DB_ARGS(DB_I(job), DB_I(project), DB_I(batch)), &rows, err);
    *out = (Ended){0};
    while (rc == OK && db_next(&rows, &rc, err))
        *out = (Ended){.attempts = db_int(&rows, 0),
                       .seq = db_int(&rows, 1),
                       .started_ms = db_int(&rows, 2),
                       .found = true};
    return rc;
}

static ErrCode read_task_again(DbConn *tx, int64_t project, int64_t job, const Ended *end, Arena *a,
                               TaskNew *out, Err *err)
{
    CLEANUP(db_rows_done) DbRows rows = {0};
    ErrCode rc = db_query(tx, &sql_job_again, DB_ARGS(DB_I(job)), &rows, err);
    *out = (TaskNew){0};
    while (rc == OK && db_next(&rows, &rc, err)) {
        *out = (TaskNew){.id = job,
                         .job = job,
                         .project = project,
                         .queue = db_str_copy(&rows, 0, a),
                         .priority = db_int(&rows, 1),
                         .attempt = end->attempts,
                         .max_attempts = end->attempts + db_int(&rows, 2),
                         .seq = end->seq + 1, /* job.retried */
                         .started_ms = end->started_ms,
                         .run_at_ms = clock_now_ms()};
        if (!db_is_null(&rows, 3))
            out->concurrency_key = db_str_copy(&rows, 3, a);
        out->parent = db_int(&rows, 4);
        if (out->queue.ptr == NULL)
            return err_set(err, ERR_NO_MEMORY, "retrying a job");
    }
    if (rc == OK && out->id == 0)
        return err_set(err, ERR_DB_DAMAGED, "an ended job has no row");
    return rc;
}

/* FAILED or CANCELED back to QUEUED. *found is false when the job is in no such state. */
static ErrCode run_again(DbConn *tx, int64_t project, int64_t job, Arena *a, bool *found, Err *err)
{
    Ended end;
    TaskNew task;
    int64_t slots = 0, flags = 0, ready_ms = 0;
    ErrCode rc = flow_options_again(tx, project, job, false, &slots, &flags, err);
    if (rc == OK)
        rc = flow_take_end(tx, project, job, false, &end, err);
    *found = rc == OK && end.found;
    if (rc != OK || !end.found)
        return rc;
    rc = read_task_again(tx, project, job, &end, a, &task, err);
    if (rc == OK && flags != 0)
        rc = flow_options_again(tx, project, job, true, &slots, &flags, err);
    task.slots = slots;
    task.flags = flags;
    if (rc == OK)
        rc = queue_add(tx, &task, task.run_at_ms, &ready_ms, err);
    if (rc == OK)
        rc = db_exec(tx, &sql_dead_drop, DB_ARGS(DB_I(job)), NULL, err);
    if (rc == OK)
        rc = flow_event_add(
            tx,
            &(EventNew){.project = project, .job = job, .seq = task.seq, .type = EVENT_JOB_RETRIED},
            a, err);
    if (rc == OK && ready_ms != INT64_MAX)
        rc = flow_tell_ready(tx, task.queue, ready_ms, err);
    bool is_flow = false;
    if (rc == OK && task.parent != 0)
        rc = flow_child_again(tx, task.parent, job, project, &is_flow, err);
    if (rc == OK && task.parent != 0 && !is_flow)
        rc = flow_item_again(tx, task.parent, project, a, err);
    if (rc == OK)
        rc = flow_tell_news(tx, project, job, err);
    return rc;
}

static ErrCode is_pipeline(DbConn *tx, int64_t project, int64_t job, bool *yes, Err *err)
{
    int64_t n = 0;
    ErrCode rc = db_get_int(tx, &sql_job_pipeline, DB_ARGS(DB_I(job), DB_I(project)), 0, &n, err);
    *yes = n != 0;
    return rc;
}

ErrCode flow_run_again(DbConn *tx, int64_t project, int64_t job, bool *found, Err *err)
{
    bool pipeline = false;
    CLEANUP(arena_close) Arena *a = arena_open(FLOW_SCRATCH);
    if (a == NULL)
        return err_set(err, ERR_NO_MEMORY, "retrying a job");
    ErrCode rc = is_pipeline(tx, project, job, &pipeline, err);
    if (rc != OK)
        return rc;
    return pipeline ? flow_pipeline_again(tx, project, job, found, err)
                    : run_again(tx, project, job, a, found, err);
}

/* A batch runs again by those of its items that did not succeed; the first of them takes back the
 * end of the batch. */
static ErrCode batch_again(DbConn *tx, const Change *c, Arena *a, bool *found, Err *err)
{
    int64_t *items = NULL;
    size_t n = 0;
    ErrCode rc = flow_item_ids(tx, &sql_batch_unfinished, c->job, a, &items, &n, err);
    for (size_t i = 0; rc == OK && i < n; i++) {
        bool again = false;
        ArenaMark mark = arena_mark(a);
        rc = flow_run_again(tx, c->project, items[i], &again, err);
        arena_rewind(a, mark);
        *found = *found || again;
    }
    return rc;
}

ErrCode flow_again_tx(DbConn *tx, int64_t project, int64_t job, bool *found, Err *err)
{
    const Change c = {.project = project, .job = job};
    CLEANUP(arena_close) Arena *a = arena_open(FLOW_SCRATCH);
    if (a == NULL)
        return err_set(err, ERR_NO_MEMORY, "retrying a job");
    bool pipeline = false;
    *found = false;
    ErrCode rc = is_pipeline(tx, project, job, &pipeline, err);
    if (rc == OK && pipeline)
        return flow_pipeline_again(tx, project, job, found, err);
    if (rc == OK)
        rc = batch_again(tx, &c, a, found, err);
    return rc == OK && !*found ? run_again(tx, project, job, a, found, err) : rc;
}

static ErrCode retry_write(DbConn *tx, void *arg, Err *err)
{
    const Change *c = arg;
    bool found = false;
    ErrCode rc = flow_again_tx(tx, c->project, c->job, &found, err);
    if (rc != OK || found)
        return rc;
    return refuse(tx, c, "only a job that failed or was cancelled can be retried", err);
}

ErrCode flow_retry(Db *db, int64_t project, int64_t job, Err *err)
{
    return db_write(db, retry_write, &(Change){.project = project, .job = job}, err);
}

ErrCode flow_dead_list(DbConn *reader, const DeadFilter *f, Arena *a, DeadLetter **out, size_t *len,
                       bool *more, Err *err)
{
    int limit = f->limit;
    if (limit < 1 || limit > FLOW_LIST_MAX)
        return err_set(err, ERR_BAD_PARAM, "limit must be 1 to %d, not %d", FLOW_LIST_MAX, limit);
    DeadLetter *items = arena_new(a, DeadLetter, (size_t)limit + 1);
    if (items == NULL)
        return err_set(err, ERR_NO_MEMORY, "listing dead letters");

    size_t n = 0;
    CLEANUP(db_rows_done) DbRows rows = {0};
    ErrCode rc = db_query(reader, &sql_dead_list,
                          DB_ARGS(DB_I(f->project), DB_S(f->queue),
                                  DB_I(f->before > 0 ? f->before : INT64_MAX), DB_I(limit + 1),
                                  DB_S(f->step), DB_S(f->reason)),
                          &rows, err);
    while (rc == OK && db_next(&rows, &rc, err)) {
        DeadLetter d = {.id = db_int(&rows, 0),
                        .job = db_int(&rows, 1),
                        .died_ms = db_int(&rows, 2),
                        .attempts = db_int(&rows, 3),
                        .step = db_str_copy(&rows, 4, a),
                        .queue = db_str_copy(&rows, 5, a),
                        .reason = db_str_copy(&rows, 6, a),
                        .detail = db_str_copy(&rows, 7, a)};
        if (d.step.ptr == NULL || d.queue.ptr == NULL || d.reason.ptr == NULL)
            return err_set(err, ERR_NO_MEMORY, "listing dead letters");
        items[n++] = d;
    }
    if (rc != OK)
        return rc;
    *more = n > (size_t)limit;
    *len = *more ? (size_t)limit : n;
    *out = items;
    return OK;
}

typedef struct Redrive {
    int64_t project, task, after; /* task 0: those with an id above `after` */
    int64_t seen, count, last;
} Redrive;

typedef struct Letter {
    int64_t id, job;
} Letter;

static ErrCode some_letters(DbConn *tx, const Redrive *r, Letter *out, size_t *len, Err *err)
{
    size_t n = 0;
    CLEANUP(db_rows_done) DbRows rows = {0};
    ErrCode rc = db_query(tx, &sql_dead_some,
                          DB_ARGS(DB_I(r->project), DB_I(r->task != 0 ? r->task - 1 : r->after),
                                  DB_I(r->task != 0 ? 1 : REDRIVE_BATCH)),
                          &rows, err);
    while (rc == OK && db_next(&rows, &rc, err))
        if (r->task == 0 || db_int(&rows, 0) == r->task)
            out[n++] = (Letter){db_int(&rows, 0), db_int(&rows, 1)};
    *len = n;
    return rc;
}

static ErrCode redrive_write(DbConn *tx, void *arg, Err *err)
{
    Redrive *r = arg;
    r->seen = r->count = 0;
    CLEANUP(arena_close) Arena *a = arena_open(FLOW_SCRATCH);
    if (a == NULL)
        return err_set(err, ERR_NO_MEMORY, "redriving dead letters");
    Letter letters[REDRIVE_BATCH];
    size_t n = 0;
    ErrCode rc = some_letters(tx, r, letters, &n, err);
    for (size_t i = 0; rc == OK && i < n; i++) {
        bool found = false;
        ArenaMark mark = arena_mark(a);
        rc = run_again(tx, r->project, letters[i].job, a, &found, err);
        if (rc == ERR_CONFLICT && r->task == 0) /* another job has its unique key: it stays dead */
            rc = OK;
        arena_rewind(a, mark);
        r->count += found;
        r->last = letters[i].id;
    }
    r->seen = (int64_t)n;
    return rc;
}

ErrCode flow_dead_redrive(Db *db, int64_t project, int64_t task, int64_t *count, Err *err)
{
    Redrive r = {.project = project, .task = task};
    int64_t total = 0;
    do { /* in batches, so that nobody else's write waits for all of them */
        ErrCode rc = db_write(db, redrive_write, &r, err);
        if (rc != OK)
            return rc;
        total += r.count;
        r.after = r.last;
    } while (r.task == 0 && r.seen == REDRIVE_BATCH);
    if (task != 0 && total == 0)
        return err_set(err, ERR_NOT_FOUND, "there is no such dead letter");
    *count = total;
    return OK;
}

static ErrCode delete_write(DbConn *tx, void *arg, Err *err)
{
    Redrive *r = arg;
    if (r->task == 0)
        return db_exec(tx, &sql_dead_delete_all, DB_ARGS(DB_I(r->project)), &r->count, err);
    return db_exec(tx, &sql_dead_delete, DB_ARGS(DB_I(r->task), DB_I(r->project)), &r->count, err);
}

ErrCode flow_dead_delete(Db *db, int64_t project, int64_t task, int64_t *count, Err *err)
{
    Redrive r = {.project = project, .task = task};
    ErrCode rc = db_write(db, delete_write, &r, err);
    if (rc != OK)
        return rc;
    if (task != 0 && r.count == 0)
        return err_set(err, ERR_NOT_FOUND, "there is no such dead letter");
    *count = r.count;
    return OK;
}

/* run.c: attempts: leased, done, tried again, dead, lost. Each function is one or more moves of the
 * drawing in flow.h. */
#include "flow/pipeline_in.h"
#include "base/clock.h"
#include "base/id.h"
#include "db/queries.h"

#include <stdlib.h>

/* What a worker needs to know besides the task itself. */
static ErrCode read_ask(DbConn *tx, TaskLease *l, Arena *a, Err *err)
{
    CLEANUP(db_rows_done) DbRows rows = {0};
    ErrCode rc = db_query(tx, &sql_job_of_task, DB_ARGS(DB_I(l->job)), &rows, err);
    bool found = false;
    while (rc == OK && db_next(&rows, &rc, err)) {
        found = true;
        l->step = db_str_copy(&rows, 0, a);
        l->params = db_str_copy(&rows, 1, a);
        l->timeout_ms = db_int(&rows, 2);
        l->trace = db_str_copy(&rows, 3, a);
        if (l->step.ptr == NULL || l->params.ptr == NULL)
            return err_set(err, ERR_NO_MEMORY, "leasing tasks");
    }
    if (rc == OK && !found)
        return err_set(err, ERR_DB_DAMAGED, "a task has no job");
    if (rc == OK && flow_params_open(tx, l->project, a, &l->params, NULL) != OK)
        return OK; /* they stay sealed, and the attempt says why it cannot run */
    return rc;
}

/* The first start is told by started_ms (event.c); a later one needs its row. */
static ErrCode add_started(DbConn *tx, const TaskLease *l, Arena *a, Err *err)
{
    if (l->seq == 2)
        return OK;
    return flow_event_add(tx,
                          &(EventNew){.project = l->project,
                                      .job = l->job,
                                      .seq = l->seq,
                                      .type = EVENT_TASK_STARTED,
                                      .attempt = l->attempt},
                          a, err);
}

ErrCode flow_begin(DbConn *tx, TaskLease *leases, size_t len, Arena *a, Err *err)
{
    ErrCode rc = OK;
    for (size_t i = 0; rc == OK && i < len; i++) {
        rc = read_ask(tx, &leases[i], a, err);
        if (rc == OK)
            rc = add_started(tx, &leases[i], a, err);
        if (rc == OK)
            rc = flow_tell_news(tx, leases[i].project, leases[i].job, err);
    }
    return rc;
}

ErrCode flow_lease_tx(DbConn *tx, Str queue, int max, int64_t lease_ms, Str worker, Arena *a,
                      TaskLease **out, size_t *len, Err *err)
{
    TaskLease *leases = NULL;
    size_t n = 0;
    int64_t now_ms = clock_now_ms();
    ErrCode rc =
        queue_lease(tx, queue, max, now_ms, now_ms + lease_ms, worker, a, &leases, &n, err);
    if (rc == OK)
        rc = flow_begin(tx, leases, n, a, err);
    if (rc == OK) {
        *out = leases;
        *len = n;
    }
    return rc;
}

ErrCode flow_end_job(DbConn *tx, const TaskChanged *t, const JobEnd *end, Err *err)
{
    TaskFault none = {0};
    const TaskFault *f = end->fault != NULL ? end->fault : &none;
    ErrCode rc = db_exec(
        tx, &sql_job_end_add,
        DB_ARGS(DB_I(t->job), DB_I(t->project), DB_S(str_from_c(job_state_name(end->state))),
                DB_I(t->attempt), DB_I(t->max_attempts), DB_I(t->seq + end->events),
                DB_I(t->started_ms), DB_I(end->finished_ms), DB_I(t->progress_done),
                DB_I(t->progress_total), db_text_or_null(f->reason), db_text_or_null(f->detail),
                db_text_or_null(f->hint), db_text_or_null(end->data)),
        NULL, err);
    if (rc == OK)
        rc = flow_tell_news(tx, t->project, t->job, err);
    if (rc == OK && (t->flags | t->poke) != 0)
        rc = flow_let_go(tx, t, err);
    if (rc != OK || end->quiet)
        return rc;
    rc = flow_feed_end(tx, t, end, err);
    bool is_flow = false;
    if (rc == OK && t->parent != 0)
        rc = flow_child_ended(tx, t->parent, t->job, end->state, &is_flow, err);
    if (rc == OK && t->parent != 0 && !is_flow)
        rc = flow_item_ended(tx, t->parent, t->job, end->state, err);
    return rc;
}

static ErrCode add_outputs(DbConn *tx, const TaskChanged *t, const TaskResult *r, int64_t now_ms,
                           Err *err)
{
    for (size_t i = 0; i < r->outputs_len; i++) {
        const JobFile *f = &r->outputs[i];
        ErrCode rc =
            db_exec(tx, &sql_job_file_add,
                    DB_ARGS(DB_I(t->job), DB_I(1), DB_I((int64_t)i), DB_I(t->project),
                            DB_S(f->name), DB_S(f->type), DB_S(f->hash), DB_I(f->size_bytes)),
                    NULL, err);
        if (rc == OK)
            rc =
                db_exec(tx, &sql_job_blob_add,
                        DB_ARGS(DB_I(t->project), DB_S(f->hash), DB_I(f->size_bytes), DB_I(now_ms)),
                        NULL, err);
        if (rc == OK)
            rc = db_exec(tx, &sql_job_blob_ref_add,
                         DB_ARGS(DB_I(t->project), DB_S(f->hash), DB_I(t->job)), NULL, err);
        if (rc != OK)
            return rc;
    }
    return OK;
}

/* A fact, and what it adds to the sums of its hour and its day; nothing when it is told again. */
static ErrCode add_fact(DbConn *tx, int64_t project, int64_t job, const TaskResult *r, Str unit,
                        int64_t amount, Err *err)
{
    static const int64_t spans_ms[] = {3600000, 86400000};
    int64_t added = 0;
    ErrCode rc = db_exec(tx, &sql_usage_add,
                         DB_ARGS(DB_I(project), DB_I(r->task), DB_I(r->attempt), DB_S(unit),
                                 DB_I(job), DB_I(amount), DB_I(r->finished_ms)),
                         &added, err);
    for (size_t i = 0; rc == OK && added > 0 && i < COUNT_OF(spans_ms); i++)
        rc = db_exec(
            tx, &sql_usage_count,
            DB_ARGS(DB_I(job), DB_S(unit), DB_I(amount), DB_I(r->finished_ms), DB_I(spans_ms[i])),
            NULL, err);
    return rc;
}

/* One fact per unit: the first of a unit carries the sum. */
static ErrCode add_usage(DbConn *tx, int64_t project, int64_t job, const TaskResult *r, Err *err)
{
    for (size_t i = 0; i < r->usage_len; i++) {
        int64_t sum = 0;
        bool first = true;
        for (size_t k = 0; k < r->usage_len; k++) {
            if (!str_eq(r->usage[k].unit, r->usage[i].unit))
                continue;
            first = first && k >= i;
            sum += r->usage[k].amount;
        }
        if (!first)
            continue;
        ErrCode rc = add_fact(tx, project, job, r, r->usage[i].unit, sum, err);
        if (rc != OK)
            return rc;
    }
    return OK;
}

static void log_dropped(const TaskResult *r)
{
    char job[ID_TEXT_SIZE];
    LOG(INFO, TASK_DROPPED, KV("job", id_text("job", r->job, job)), KV("attempt", r->attempt),
        KV("reason", err_reason(r->code)));
}

static ErrCode finish_done(DbConn *tx, const TaskResult *r, Err *err)
{
    TaskChanged t;
    bool found;
    ErrCode rc = queue_take(tx, r->task, r->attempt, NULL, &t, &found, err);
    if (rc != OK)
        return rc;
    if (!found) {
        log_dropped(r);
        return OK;
    }
    /* task.done and job.done: both are told by the end itself. */
    const JobEnd end = {
        .state = JOB_DONE, .events = 2, .finished_ms = r->finished_ms, .data = r->data};
    rc = add_outputs(tx, &t, r, r->finished_ms, err);
    if (rc == OK)
        rc = add_usage(tx, t.project, t.job, r, err);
    return rc == OK ? flow_end_job(tx, &t, &end, err) : rc;
}

static ErrCode add_letter(DbConn *tx, int64_t task, const TaskChanged *t, const TaskFault *f,
                          int64_t now_ms, Arena *a, Err *err)
{
    TaskLease ask = {.job = t->job};
    ErrCode rc = read_ask(tx, &ask, a, err);
    if (rc != OK)
        return rc;
    rc = db_exec(tx, &sql_dead_add,
                 DB_ARGS(DB_I(task), DB_I(t->project), DB_I(t->job), DB_S(t->queue), DB_S(ask.step),
                         DB_I(t->attempt), DB_I(now_ms), DB_S(f->reason),
                         db_text_or_null(f->detail)),
                 NULL, err);
    return rc == OK ? flow_feed_dead(tx, t, ask.step, f, a, err) : rc;
}

/* The task goes to the dead letters, and with it its job. *found is false when the attempt does not
 * hold it any more. */
static ErrCode die(DbConn *tx, int64_t task, int64_t attempt, const TaskFault *f, int64_t now_ms,
                   Arena *a, TaskChanged *t, bool *found, Err *err)
{
    static const Event last[] = {EVENT_TASK_FAILED, EVENT_TASK_DEAD, EVENT_JOB_FAILED};
    ErrCode rc = queue_take(tx, task, attempt, a, t, found, err);
    if (rc != OK || !*found)
        return rc;
    for (size_t i = 0; rc == OK && i < COUNT_OF(last); i++)
        rc = flow_event_add(tx,
                            &(EventNew){.project = t->project,
                                        .job = t->job,
                                        .seq = t->seq + (int64_t)i + 1,
                                        .type = last[i],
                                        .attempt = last[i] == EVENT_JOB_FAILED ? 0 : attempt,
                                        .fault = f},
                            a, err);
    if (rc == OK)
        rc = add_letter(tx, task, t, f, now_ms, a, err);
    const JobEnd end = {
        .state = JOB_FAILED, .events = COUNT_OF(last), .finished_ms = now_ms, .fault = f};
    return rc == OK ? flow_end_job(tx, t, &end, err) : rc;
}

/* Ready or delayed again: the event, and those who wait for work or for news. */
static ErrCode again(DbConn *tx, const TaskChanged *t, Event type, const TaskFault *f,
                     int64_t run_at_ms, Arena *a, Err *err)
{
    ErrCode rc = flow_event_add(tx,
                                &(EventNew){.project = t->project,
                                            .job = t->job,
                                            .seq = t->seq,
                                            .type = type,
                                            .attempt = t->attempt,
                                            .fault = f,
                                            .run_at_ms = run_at_ms},
                                a, err);
    if (rc == OK)
        rc = flow_tell_ready(tx, t->queue, run_at_ms, err);
    if (rc == OK && t->poke != 0)
        rc = flow_tell_room(tx, t->poke, err);
    if (rc == OK)
        rc = flow_tell_news(tx, t->project, t->job, err);
    return rc;
}

static double dice(void)
{
    return (double)arc4random() / 4294967296.0;
}

static ErrCode finish_failed(DbConn *tx, const TaskResult *r, Arena *a, Err *err)
{
    const TaskFault f = {.reason = str_from_c(err_reason(r->code)),
                         .detail = str_from_c(r->err.text),
                         .hint = str_from_c(err_advice(&r->err))};
    TaskChanged t = {0};
    bool found = false;
    ErrCode rc = OK;
    if (err_retry(r->code) != RETRY_NEVER) {
        int64_t base_ms = 0;
        rc = flow_retry_base(tx, r->job, &base_ms, err);
        int64_t run_at_ms =
            clock_now_ms() + queue_backoff_from(base_ms, r->attempt, r->retry_after_ms, dice());
        if (rc == OK)
            rc = queue_delay(tx, r->task, r->attempt, run_at_ms, &f, a, &t, &found, err);
        if (rc == OK && found)
            rc = again(tx, &t, EVENT_TASK_RETRY, &f, run_at_ms, a, err);
    }
    if (rc == OK && !found)
        rc = die(tx, r->task, r->attempt, &f, r->finished_ms, a, &t, &found, err);
    if (rc == OK && found)
        rc = add_usage(tx, t.project, t.job, r, err);
    if (rc == OK && !found)
        log_dropped(r);
    return rc;
}

ErrCode flow_finish_tx(DbConn *tx, const TaskResult *results, size_t len, Err *err)
{
    CLEANUP(arena_close) Arena *a = NULL; /* only failures need one */
    for (size_t i = 0; i < len; i++) {
        const TaskResult *r = &results[i];
        if (r->code != OK && a == NULL && (a = arena_open(FLOW_SCRATCH)) == NULL)
            return err_set(err, ERR_NO_MEMORY, "recording a failure");
        ErrCode rc = r->code == OK ? finish_done(tx, r, err) : finish_failed(tx, r, a, err);
        if (rc != OK)
            return rc;
        if (a != NULL)
            arena_reset(a);
    }
    return OK;
}

ErrCode flow_heartbeat_tx(DbConn *tx, int64_t task, int64_t attempt, int64_t until_ms, bool *lost,
                          Err *err)
{
    bool found = false;
    ErrCode rc = queue_extend(tx, task, attempt, until_ms, &found, err);
    *lost = rc == OK && !found;
    return rc;
}

ErrCode flow_progress_tx(DbConn *tx, int64_t task, int64_t attempt, int64_t done, int64_t total,
                         Str note, Err *err)
{
    TaskChanged t;
    bool found;
    bool only_note = total < 0;
    ErrCode rc = only_note ? queue_note(tx, task, attempt, &t, &found, err)
                           : queue_progress(tx, task, attempt, done, total, &t, &found, err);
    if (rc != OK || !found)
        return rc;
    CLEANUP(arena_close) Arena *a = arena_open(FLOW_SCRATCH);
    if (a == NULL)
        return err_set(err, ERR_NO_MEMORY, "recording progress");
    rc = flow_event_add(tx,
                        &(EventNew){.project = t.project,
                                    .job = t.job,
                                    .seq = t.seq,
                                    .type = only_note ? EVENT_TASK_NOTE : EVENT_TASK_PROGRESS,
                                    .attempt = attempt,
                                    .done = done,
                                    .total = total,
                                    .note = note},
                        a, err);
    return rc == OK ? flow_tell_news(tx, t.project, t.job, err) : rc;
}

static ErrCode lose(DbConn *tx, int64_t task, int64_t attempt, int64_t now_ms, Arena *a, Err *err)
{
    const TaskFault f = {.reason = str_from_c(err_reason(ERR_WORKER_LOST)),
                         .detail = str_from_c(err_meaning(ERR_WORKER_LOST)),
                         .hint = str_from_c(err_remedy(ERR_WORKER_LOST))};
    TaskChanged t;
    bool found;
    ErrCode rc = queue_lose(tx, task, attempt, now_ms, &f, a, &t, &found, err);
    if (rc != OK)
        return rc;
    return found ? again(tx, &t, EVENT_TASK_LOST, &f, now_ms, a, err)
                 : die(tx, task, attempt, &f, now_ms, a, &t, &found, err);
}

ErrCode flow_expire_tx(DbConn *tx, int64_t now_ms, bool all, int64_t *count, Err *err)
{
    CLEANUP(arena_close) Arena *a = arena_open(FLOW_SCRATCH);
    if (a == NULL)
        return err_set(err, ERR_NO_MEMORY, "looking for lost tasks");
    int64_t lost = 0;
    size_t n = 0;
    do {
        arena_reset(a);
        TaskLease *tasks = NULL;
        ErrCode rc = all ? queue_abandoned(tx, a, &tasks, &n, err)
                         : queue_expired(tx, now_ms, a, &tasks, &n, err);
        for (size_t i = 0; rc == OK && i < n; i++) {
            ArenaMark mark = arena_mark(a);
            rc = lose(tx, tasks[i].id, tasks[i].attempt, now_ms, a, err);
            arena_rewind(a, mark);
        }
        if (rc != OK)
            return rc;
        lost += (int64_t)n;
    } while (n > 0);
    *count = lost;
    return OK;
}

ErrCode flow_give_back_tx(DbConn *tx, int64_t task, int64_t attempt, Err *err)
{
    CLEANUP(arena_close) Arena *a = arena_open(FLOW_SCRATCH);
    if (a == NULL)
        return err_set(err, ERR_NO_MEMORY, "giving a task back");
    const TaskFault f = {.reason = str_from_c(err_reason(ERR_SHUTTING_DOWN)),
                         .detail = str_from_c(err_meaning(ERR_SHUTTING_DOWN))};
    TaskChanged t;
    bool found;
    int64_t now_ms = clock_now_ms();
    ErrCode rc = queue_give_back(tx, task, attempt, now_ms, a, &t, &found, err);
    return rc == OK && found ? again(tx, &t, EVENT_TASK_LOST, &f, now_ms, a, err) : rc;
}

/* happen.c: what of jobs goes into the project's feed. */
#include "flow/flow_in.h"
#include "base/clock.h"
#include "base/fault.h"

static void put_time(JsonOut *j, const char *key, int64_t ms)
{
    char text[CLOCK_TEXT_SIZE];
    clock_text(ms, text);
    json_kv_c(j, key, ms != 0 ? text : NULL);
}

static void put_fault(JsonOut *j, const TaskFault *f)
{
    json_kv_str(j, "reason", f->reason);
    json_kv_str(j, "detail", str_slice(f->detail, 0, FLOW_DETAIL_MAX));
    if (f->hint.len > 0)
        json_kv_str(j, "hint", str_slice(f->hint, 0, FLOW_DETAIL_MAX));
}

/* Failed or cancelled. */
static ErrCode add_failed(DbConn *tx, const TaskChanged *t, const JobEnd *end, Err *err)
{
    CLEANUP(arena_close) Arena *a = fault_hit("flow.feed") ? NULL : arena_open(64 * KIB);
    if (a == NULL)
        return err_set(err, ERR_NO_MEMORY, "telling of a job's end");
    Buf b = buf_init(a, FEED_DATA_MAX);
    JsonOut j = json_out(&b);
    json_begin(&j, '{');
    json_kv_c(&j, "state", job_state_name(end->state));
    json_kv_int(&j, "attempts", t->attempt);
    put_time(&j, "started", t->started_ms);
    put_time(&j, "finished", end->finished_ms);
    if (end->fault != NULL)
        put_fault(&j, end->fault);
    json_end(&j, '}');
    if (b.failed)
        return err_set(err, ERR_NO_MEMORY, "telling of a job's end");
    return feed_add_job_tx(
        tx,
        &(FeedNew){.project = t->project,
                   .type = end->state == JOB_FAILED ? STR("job.failed") : STR("job.canceled"),
                   .job = t->job,
                   .data = buf_str(&b)},
        err);
}

ErrCode flow_feed_end(DbConn *tx, const TaskChanged *t, const JobEnd *end, Err *err)
{
    if (t->parent != 0)
        return OK;
    if (end->state != JOB_DONE)
        return add_failed(tx, t, end, err);
    /* The hot path: whatever else there is to say is in the job's own rows. */
    return feed_add_tx(
        tx, &(FeedNew){.project = t->project, .type = STR("job.done"), .job = t->job}, err);
}

ErrCode flow_feed_dead(DbConn *tx, const TaskChanged *t, Str step, const TaskFault *f, Arena *a,
                       Err *err)
{
    ArenaMark mark = arena_mark(a);
    Buf b = buf_init(a, FEED_DATA_MAX);
    JsonOut j = json_out(&b);
    json_begin(&j, '{');
    json_kv_str(&j, "step", step);
    json_kv_int(&j, "attempts", t->attempt);
    put_fault(&j, f);
    json_end(&j, '}');
    if (b.failed)
        return err_set(err, ERR_NO_MEMORY, "telling of a dead letter");
    ErrCode rc = feed_add_tx(tx,
                             &(FeedNew){.project = t->project,
                                        .type = STR("task.dead"),
                                        .job = t->job,
                                        .subject = t->queue,
                                        .data = buf_str(&b)},
                             err);
    arena_rewind(a, mark);
    return rc;
}

ErrCode flow_feed_approval(DbConn *tx, int64_t project, int64_t job, Str node, Str who, Arena *a,
                           Err *err)
{
    ArenaMark mark = arena_mark(a);
    Buf b = buf_init(a, FEED_DATA_MAX);
    JsonOut j = json_out(&b);
    json_begin(&j, '{');
    json_kv_str(&j, "node", node);
    json_kv_str(&j, "who", who);
    json_end(&j, '}');
    if (b.failed)
        return err_set(err, ERR_NO_MEMORY, "telling of an approval");
    ErrCode rc = feed_add_job_tx(
        tx,
        &(FeedNew){
            .project = project, .type = STR("wait.approval"), .job = job, .data = buf_str(&b)},
        err);
    arena_rewind(a, mark);
    return rc;
}

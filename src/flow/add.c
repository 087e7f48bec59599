/* add.c: a job comes in: what was asked, its task, its files, its idempotency key. */
#include "flow/flow_in.h"
#include "flow/outside.h"
#include "base/clock.h"
#include "base/id.h"
#include "db/queries.h"

#include <assert.h>
#include <string.h>

static const int64_t KEY_KEPT_MS = INT64_C(24) * 3600 * 1000;
static const int64_t DELAY_MAX_MS = INT64_C(366) * 24 * 3600 * 1000;
enum { IDEMPOTENCY_KEY_MAX = 255, FORGET_BATCH = 1000 };

Str flow_queue_of(const Step *step)
{
    return step->engine != NULL ? str_from_c(step->engine) : STR("default");
}

Str flow_queue_for(const Step *step, Str params)
{
    if (step->outside == NULL)
        return flow_queue_of(step);
    /* {"to":"name",… : the registry's rules put it first. A name with an escape in it is cut at the
     * quote and refused for its backslash. */
    size_t from = strlen("{\"") + strlen(step->outside) + strlen("\":\"");
    Str rest = str_slice(params, from, params.len);
    size_t end = str_find_char(rest, '"');
    return end == STR_NONE ? STR("") : str_slice(rest, 0, end);
}

static Str queue_of(const JobNew *n)
{
    if (n->step->outside != NULL)
        return flow_queue_for(n->step, n->params);
    return n->queue.len > 0 ? n->queue : flow_queue_of(n->step);
}

static bool queue_name_ok(Str name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        bool ok =
            (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
        if (!ok)
            return false;
    }
    return name.len <= QUEUE_NAME_MAX;
}

static ErrCode bad_param(Err *err, const char *param, const char *why)
{
    err_set(err, ERR_BAD_PARAM, "%s %s", param, why);
    err_param(err, param);
    return ERR_BAD_PARAM;
}

ErrCode flow_check_queue(Str name, const char *param, Err *err)
{
    if (name.len > 0 && queue_name_ok(name))
        return OK;
    return bad_param(err, param, "must be 1 to 64 of a-z 0-9 - _ .");
}

ErrCode flow_check(const JobNew *n, Err *err)
{
    if (n->priority < QUEUE_PRIORITY_MIN || n->priority > QUEUE_PRIORITY_MAX)
        return bad_param(err, "priority", "must be -100 to 100");
    if (n->attempts < 0 || n->attempts > QUEUE_ATTEMPTS_MAX)
        return bad_param(err, "attempts", "must be 1 to 100");
    if (n->delay_ms < 0 || n->delay_ms > DELAY_MAX_MS)
        return bad_param(err, "delay_ms", "must be 0 to 366 days");
    if (n->timeout_ms < 0)
        return bad_param(err, "timeout_ms", "must not be negative");
    if (!queue_name_ok(n->queue))
        return bad_param(err, "queue", "must be at most 64 of a-z 0-9 - _ .");
    if (n->step != NULL && n->step->outside != NULL &&
        flow_check_queue(flow_queue_for(n->step, n->params), n->step->outside, err) != OK)
        return ERR_BAD_PARAM;
    if (n->idempotency_key.len > IDEMPOTENCY_KEY_MAX)
        return bad_param(err, "Idempotency-Key", "must be at most 255 bytes");
    return flow_check_options(n, err);
}

/* Is the key known? Then *out is the job it made. */
static ErrCode known_key(DbConn *tx, const JobNew *n, int64_t now_ms, JobAdded *out, Err *err)
{
    CLEANUP(db_rows_done) DbRows rows = {0};
    ErrCode rc =
        db_query(tx, &sql_job_idempotency_get,
                 DB_ARGS(DB_I(n->project), DB_S(n->idempotency_key), DB_I(now_ms - KEY_KEPT_MS)),
                 &rows, err);
    while (rc == OK && db_next(&rows, &rc, err)) {
        if (!str_eq(db_str(&rows, 1), n->request_hash) || !str_eq_c(db_str(&rows, 2), "job"))
            return err_set(err, ERR_IDEMPOTENCY_MISMATCH,
                           "idempotency key \"" STR_FMT "\" came with another request",
                           STR_ARG(n->idempotency_key));
        *out = (JobAdded){.job = db_int(&rows, 0), .existed = true};
    }
    return rc;
}

/* Where its end is told, and the row whose deliveries do that. */
ErrCode flow_callback_tx(DbConn *tx, int64_t project, int64_t job, Str url, Err *err)
{
    int64_t last = 0, made = 0;
    ErrCode rc = db_exec(tx, &sql_callback_add, DB_ARGS(DB_I(job), DB_S(url)), NULL, err);
    if (rc == OK)
        rc = feed_last(tx, project, &last, err);
    if (rc == OK)
        rc = db_exec(tx, &sql_webhook_callback_add,
                     DB_ARGS(DB_I(id_new()), DB_I(project), DB_I(last), DB_I(clock_now_ms())),
                     &made, err);
    return rc == OK && made > 0 ? feed_poke_tx(tx, project, err) : rc;
}

static ErrCode add_callback(DbConn *tx, int64_t id, const JobNew *n, Err *err)
{
    return n->callback_url.len > 0 ? flow_callback_tx(tx, n->project, id, n->callback_url, err)
                                   : OK;
}

ErrCode flow_add_inputs(DbConn *tx, int64_t id, const JobNew *n, Err *err)
{
    for (size_t i = 0; i < n->inputs_len; i++) {
        const JobFile *f = &n->inputs[i];
        ErrCode rc =
            db_exec(tx, &sql_job_file_add,
                    DB_ARGS(DB_I(id), DB_I(0), DB_I((int64_t)i), DB_I(n->project), DB_S(f->name),
                            DB_S(f->type), DB_S(f->hash), DB_I(f->size_bytes)),
                    NULL, err);
        if (rc == OK) /* named by the project from now on: backups hold it, the sweep keeps it */
            rc = db_exec(
                tx, &sql_job_blob_add,
                DB_ARGS(DB_I(n->project), DB_S(f->hash), DB_I(f->size_bytes), DB_I(id_time_ms(id))),
                NULL, err);
        if (rc == OK)
            rc = db_exec(tx, &sql_job_blob_ref_add,
                         DB_ARGS(DB_I(n->project), DB_S(f->hash), DB_I(id)), NULL, err);
        if (rc != OK)
            return rc;
    }
    return OK;
}

int64_t flow_attempts_of(const JobNew *n)
{
    if (n->attempts > 0)
        return n->attempts;
    return n->step->attempts > 0 ? n->step->attempts : QUEUE_ATTEMPTS_DEFAULT;
}

static ErrCode add_job(DbConn *tx, int64_t id, const JobNew *n, Str queue, bool batch,
                       const JobKin *kin, Err *err)
{
    static const JobKin none = {.node = -1};
    const JobKin *k = kin != NULL ? kin : &none;
    CLEANUP(arena_close) Arena *a = NULL;
    Str params;
    ErrCode rc = flow_params_seal(tx, n, &a, &params, err);
    if (rc != OK)
        return rc;
    return db_exec(
        tx, &sql_job_add,
        DB_ARGS(DB_I(id), DB_I(n->project), DB_I(n->key), DB_S(str_from_c(n->step->name)),
                DB_S(queue), DB_S(params), DB_I(n->priority), DB_I(flow_attempts_of(n)),
                DB_I(n->timeout_ms), db_text_or_null(n->trace), db_text_or_null(n->concurrency_key),
                DB_I(batch), db_int_or_null(k->parent), k->parent != 0 ? DB_I(k->place) : DB_N,
                k->node >= 0 ? DB_I(k->node) : DB_N, db_text_or_null(k->memo),
                db_int_or_null(k->reused)),
        NULL, err);
}

static ErrCode add_key(DbConn *tx, int64_t id, const JobNew *n, int64_t now_ms, Err *err)
{
    if (n->idempotency_key.len == 0)
        return OK;
    return db_exec(tx, &sql_job_idempotency_put,
                   DB_ARGS(DB_I(n->project), DB_S(n->idempotency_key), DB_S(n->request_hash),
                           DB_I(id), DB_I(now_ms)),
                   NULL, err);
}

ErrCode flow_add_key(DbConn *tx, int64_t id, const JobNew *n, Err *err)
{
    return add_key(tx, id, n, clock_now_ms(), err);
}

/* Job, task and inputs. *ready_ms: when the task can be leased, INT64_MAX: when it gets its slot.
 * Whoever may wait for it is told by the caller. */
static ErrCode add_rows(DbConn *tx, int64_t id, const JobNew *n, Str queue, int64_t now_ms,
                        const JobKin *kin, int64_t *ready_ms, Err *err)
{
    TaskNew task = {.id = id,
                    .job = id,
                    .project = n->project,
                    .queue = queue,
                    .concurrency_key = n->concurrency_key,
                    .priority = n->priority,
                    .run_at_ms = now_ms + n->delay_ms,
                    .max_attempts = flow_attempts_of(n),
                    .seq = 1, /* job.added */
                    .parent = kin != NULL ? kin->parent : 0,
                    .slots = n->concurrency_limit};
    ErrCode rc = add_job(tx, id, n, queue, false, kin, err);
    if (rc == OK && kin == NULL)
        rc = add_callback(tx, id, n, err);
    if (rc == OK)
        rc = flow_add_options(tx, id, n, now_ms, &task.flags, err);
    if (rc == OK)
        rc = queue_add(tx, &task, now_ms, ready_ms, err);
    if (rc == OK && *ready_ms == INT64_MAX && task.run_at_ms > now_ms) /* asks for its slot then */
        rc = flow_tell_due(tx, task.run_at_ms, err);
    return rc == OK ? flow_add_inputs(tx, id, n, err) : rc;
}

/* A queue belongs to this server's lanes or to outside workers: a task of the other kind would wait
 * there for ever. */
static ErrCode admit(DbConn *tx, const JobNew *n, Str queue, Err *err)
{
    bool outside = false;
    if (n->step->outside != NULL)
        return flow_admit_outside(tx, n, queue, err);
    ErrCode rc = n->queue.len > 0 ? flow_is_outside(tx, queue, &outside, err) : OK;
    if (rc != OK || !outside)
        return rc;
    err_set(err, ERR_BAD_PARAM, "queue \"" STR_FMT "\" is served by outside workers",
            STR_ARG(queue));
    err_param(err, "queue");
    err_hint(err, "Name another queue, or none; queue.send is the step for outside workers.");
    return ERR_BAD_PARAM;
}

ErrCode flow_add_one(DbConn *tx, int64_t id, const JobNew *n, const JobKin *kin, Err *err)
{
    int64_t now_ms = clock_now_ms(), ready_ms = 0;
    Str queue = queue_of(n);
    ErrCode rc = admit(tx, n, queue, err);
    if (rc == OK)
        rc = add_rows(tx, id, n, queue, now_ms, kin, &ready_ms, err);
    return rc == OK && ready_ms != INT64_MAX ? flow_tell_ready(tx, queue, ready_ms, err) : rc;
}

ErrCode flow_add_taskless(DbConn *tx, int64_t id, const JobNew *n, const JobKin *kin, Err *err)
{
    ErrCode rc = add_job(tx, id, n, queue_of(n), false, kin, err);
    if (rc == OK && kin == NULL)
        rc = add_callback(tx, id, n, err);
    return rc == OK ? flow_add_inputs(tx, id, n, err) : rc;
}

ErrCode flow_add_ask(DbConn *tx, int64_t id, const JobNew *n, bool batch, Err *err)
{
    ErrCode rc = add_job(tx, id, n, queue_of(n), batch, NULL, err);
    if (rc == OK)
        rc = add_callback(tx, id, n, err);
    if (rc == OK)
        rc = flow_add_inputs(tx, id, n, err);
    if (rc == OK)
        rc = add_key(tx, id, n, clock_now_ms(), err);
    return rc;
}

ErrCode flow_known_key(DbConn *tx, const JobNew *n, JobAdded *out, Err *err)
{
    ErrCode rc = OK;
    if (n->idempotency_key.len > 0)
        rc = known_key(tx, n, clock_now_ms(), out, err);
    if (rc == OK && !out->existed && n->unique_key.len > 0)
        rc = flow_known_unique(tx, n, out, err);
    if (rc != OK || out->existed || n->step == NULL) /* a pipeline stands in no queue */
        return rc;
    return queue_accepts(tx, n->project, queue_of(n), err);
}

ErrCode flow_add_tx(DbConn *tx, int64_t id, const JobNew *n, JobAdded *out, Err *err)
{
    assert(id > 0 && n->step != NULL);
    JobAdded added = {.job = id};
    ErrCode rc = flow_check(n, err);
    if (rc == OK)
        rc = flow_known_key(tx, n, &added, err);
    if (rc == OK && !added.existed) {
        rc = flow_add_one(tx, id, n, NULL, err);
        if (rc == OK)
            rc = add_key(tx, id, n, clock_now_ms(), err);
        if (rc == OK)
            rc = flow_tell_news(tx, n->project, id, err);
    }
    if (rc == OK)
        *out = added;
    return rc;
}

/* Neighbours mostly go to the same queue: who waits for it is told once. */
static ErrCode add_run(DbConn *tx, int64_t first, const JobNew *jobs, size_t len, size_t *at,
                       Err *err)
{
    int64_t now_ms = clock_now_ms(), least_ms = INT64_MAX;
    Str queue = queue_of(&jobs[*at]);
    const Step *step = jobs[*at].step;
    ErrCode rc = admit(tx, &jobs[*at], queue, err);
    for (; rc == OK && *at < len; ++*at) {
        const JobNew *n = &jobs[*at];
        if (n->step != step || !str_eq(queue_of(n), queue))
            break;
        int64_t ready_ms = INT64_MAX;
        rc = add_rows(tx, id_nth(first, (int64_t)*at), n, queue, now_ms, NULL, &ready_ms, err);
        if (ready_ms < least_ms)
            least_ms = ready_ms;
    }
    return rc == OK && least_ms != INT64_MAX ? flow_tell_ready(tx, queue, least_ms, err) : rc;
}

ErrCode flow_add_many_tx(DbConn *tx, int64_t first, const JobNew *jobs, size_t len, JobAdded *out,
                         Err *err)
{
    assert(len > 0 && first > 0);
    JobAdded added = {.job = first};
    ErrCode rc = flow_known_key(tx, jobs, &added, err);
    for (size_t at = 0; rc == OK && !added.existed && at < len;)
        rc = add_run(tx, first, jobs, len, &at, err);
    if (rc == OK && !added.existed)
        rc = add_key(tx, first, jobs, clock_now_ms(), err);
    if (rc == OK && !added.existed) /* nobody can know the others yet */
        rc = flow_tell_news(tx, jobs->project, first, err);
    if (rc == OK)
        *out = added;
    return rc;
}

typedef struct Add {
    int64_t id;
    const JobNew *job;
    JobAdded added;
} Add;

static ErrCode add_write(DbConn *tx, void *arg, Err *err)
{
    Add *a = arg;
    return flow_add_tx(tx, a->id, a->job, &a->added, err);
}

ErrCode flow_add(Db *db, const JobNew *n, JobAdded *out, Err *err)
{
    Add add = {.id = id_new(), .job = n};
    ErrCode rc = db_write(db, add_write, &add, err);
    if (rc == OK)
        *out = add.added;
    return rc;
}

static ErrCode forget_write(DbConn *tx, void *arg, Err *err)
{
    return db_exec(tx, &sql_job_idempotency_expire,
                   DB_ARGS(DB_I(clock_now_ms() - KEY_KEPT_MS), DB_I(FORGET_BATCH)), arg, err);
}

ErrCode flow_forget_keys(Db *db, int64_t *count, Err *err)
{
    int64_t some = 0;
    *count = 0;
    do {
        ErrCode rc = db_write(db, forget_write, &some, err);
        if (rc != OK)
            return rc;
        *count += some;
    } while (some >= FORGET_BATCH);
    return OK;
}

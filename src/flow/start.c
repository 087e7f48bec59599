/* start.c: a pipeline's job comes in. */
#include "flow/pipeline_in.h"
#include "base/clock.h"
#include "base/id.h"
#include "db/queries.h"

#include <assert.h>
#include <stdlib.h>

/* --- its inputs --- */

static bool is_file_input(const Pipeline *p, Str name)
{
    for (size_t i = 0; i < p->files_len; i++)
        if (str_eq(p->files[i].name, name))
            return true;
    return false;
}

static ErrCode no_memory(Err *err)
{
    return err_set(err, ERR_NO_MEMORY, "reading the inputs of a pipeline");
}

/* The values apart from the files, checked against the table. */
static ErrCode take_values(const Pipeline *p, const Json *given, Arena *a, const Json **out,
                           ParamFaults *faults, Err *err)
{
    Json *values = value_new(a, JSON_OBJECT);
    Str canonical = {0};
    if (values == NULL)
        return no_memory(err);
    json_each(v, given)
        if (!is_file_input(p, v->key) && !value_add(a, values, v->key, v))
            return no_memory(err);
    ErrCode rc = param_check(p->inputs, values, a, &canonical, faults, err);
    return rc == OK ? json_parse(a, canonical, out, err) : rc;
}

static Json *file_value(Arena *a, const JobFile *f)
{
    Json *o = value_new(a, JSON_OBJECT);
    bool ok = o != NULL && value_add_text(a, o, "blob", f->hash) &&
              value_add_int(a, o, "bytes", f->size_bytes) &&
              value_add_text(a, o, "type", f->type) && value_add_text(a, o, "name", f->name);
    return ok ? o : NULL;
}

/* One file, or a list of them; in the order given. */
static ErrCode files_value(const FileInput *f, const JobFile *files, size_t n, Arena *a,
                           const Json **out, Err *err)
{
    Json *list = value_new(a, JSON_LIST), **tail = NULL;
    if (list == NULL)
        return no_memory(err);
    if (!f->many) {
        *out = n > 0 ? file_value(a, &files[0]) : value_new(a, JSON_NULL);
        return *out != NULL ? OK : no_memory(err);
    }
    tail = &list->first;
    for (size_t i = 0; i < n; i++, list->len++) {
        if ((*tail = file_value(a, &files[i])) == NULL)
            return no_memory(err);
        tail = &(*tail)->next;
    }
    *out = list;
    return OK;
}

typedef struct Taken {
    JobFile *files;
    size_t len;
} Taken;

static ErrCode take_file(DbConn *c, int64_t project, const FileInput *f, const Json *given,
                         Json *all, Arena *a, Taken *taken, Err *err)
{
    JobFile *files = NULL;
    size_t n = 0;
    const Json *value = NULL;
    ErrCode rc = value_files(c, project, json_get_str(given, f->name), a, &files, &n, err);
    if (rc != OK)
        return rc;
    if (n == 0 && f->required) {
        err_set(err, ERR_INPUT_MISSING, "input \"" STR_FMT "\" needs a file", STR_ARG(f->name));
        return ERR_INPUT_MISSING;
    }
    if (n > 1 && !f->many) {
        err_set(err, ERR_BAD_PARAM, "input \"" STR_FMT "\" takes one file, %zu came",
                STR_ARG(f->name), n);
        return ERR_BAD_PARAM;
    }
    if (taken->len + n > RUN_FILES_MAX)
        return err_set(err, ERR_LIMIT_COUNT, "more than %d files", RUN_FILES_MAX);
    rc = files_value(f, files, n, a, &value, err);
    if (rc == OK && !value_add(a, all, f->name, value))
        return no_memory(err);
    for (size_t i = 0; i < n; i++)
        taken->files[taken->len++] = files[i];
    return rc;
}

ErrCode flow_pipeline_inputs(DbConn *c, int64_t project, const Pipeline *p, const Json *given,
                             Arena *a, Str *inputs, JobFile **files, size_t *files_len,
                             ParamFaults *faults, Err *err)
{
    const Json *values = NULL;
    Json *all = value_new(a, JSON_OBJECT);
    Taken taken = {.files = arena_new(a, JobFile, p->files_len > 0 ? RUN_FILES_MAX : 0)};
    if (all == NULL || taken.files == NULL)
        return no_memory(err);
    ErrCode rc = take_values(p, given, a, &values, faults, err);
    if (rc == OK)
        all->first = values->first, all->len = values->len;
    for (size_t i = 0; rc == OK && i < p->files_len; i++)
        rc = take_file(c, project, &p->files[i], given, all, a, &taken, err);
    Buf b = buf_init(a, RUN_PARAMS_MAX);
    JsonOut j = json_out(&b);
    json_put(&j, all);
    *inputs = buf_str(&b);
    *files = taken.files;
    *files_len = taken.len;
    return rc == OK && b.failed ? err_set(err, ERR_LIMIT_OUTPUT, "the inputs are too large") : rc;
}

/* --- its rows --- */

static bool has_callback(const Pipeline *p)
{
    for (size_t i = 0; i < p->nodes_len; i++)
        if (p->nodes[i].kind == NODE_WAIT && p->nodes[i].wait == WAIT_CALLBACK)
            return true;
    return false;
}

static void make_token(char out[TOKEN_SIZE])
{
    static const char digits[] = "0123456789abcdef";
    unsigned char bytes[TOKEN_SIZE / 2];
    arc4random_buf(bytes, sizeof bytes);
    for (size_t i = 0; i < sizeof bytes; i++) {
        out[2 * i] = digits[bytes[i] >> 4];
        out[2 * i + 1] = digits[bytes[i] & 15];
    }
    out[2 * sizeof bytes] = 0;
}

/* What the job may not run beside: text made from its inputs; "": nothing. */
static ErrCode concurrency_key(const Pipeline *p, const PipelineRun *n, Arena *a, Str *out,
                               Err *err)
{
    const Json *inputs = NULL;
    Json *scope = value_new(a, JSON_OBJECT);
    *out = (Str){0};
    ErrCode rc = json_parse(a, n->inputs.len > 0 ? n->inputs : STR("{}"), &inputs, err);
    if (rc != OK)
        return rc;
    if (scope == NULL || !value_add(a, scope, STR("inputs"), inputs))
        return no_memory(err);
    const Json *v = template_eval(p->concurrency_key, scope, a);
    if (v == NULL)
        return no_memory(err);
    Buf b = buf_init(a, QUEUE_KEY_MAX);
    JsonOut j = json_out(&b);
    if (json_is(v, JSON_TEXT))
        buf_add(&b, v->text);
    else if (!json_is(v, JSON_NULL))
        json_put(&j, v);
    *out = buf_str(&b);
    if (!b.failed)
        return OK;
    err_set(err, ERR_BAD_PARAM, "the concurrency key has more than %d bytes", QUEUE_KEY_MAX);
    return ERR_BAD_PARAM;
}

/* The whole job is to have ended by then. */
static ErrCode add_deadline(DbConn *tx, int64_t id, int64_t timeout_ms, Err *err)
{
    int64_t due_ms = clock_now_ms() + timeout_ms;
    if (timeout_ms <= 0)
        return OK;
    ErrCode rc = queue_timer_add(tx, due_ms, TIMER_END, id, err);
    return rc == OK ? flow_tell_due(tx, due_ms, err) : rc;
}

ErrCode flow_add_run(DbConn *tx, int64_t id, const PipelineRun *n, const PipelineKey *key,
                     const ChildPlace *at, int64_t origin, Err *err)
{
    PipelineHeld *held = NULL;
    char token[TOKEN_SIZE] = "";
    ErrCode rc = flow_hold_version(tx, key->id, key->version, &held, err);
    if (rc != OK)
        return rc;
    const Pipeline *p = flow_pipeline_of(held);
    bool child = at != NULL && at->parent != 0;
    int64_t timeout_ms = n->timeout_ms > 0 ? n->timeout_ms : p->timeout_ms;
    CLEANUP(arena_close) Arena *a = p->concurrency_key != NULL ? arena_open(8 * MIB) : NULL;
    Str key_text = {0};
    if (has_callback(p))
        make_token(token);
    if (p->concurrency_key != NULL)
        rc = a != NULL ? concurrency_key(p, n, a, &key_text, err) : no_memory(err);
    if (rc == OK)
        rc = db_exec(tx, &sql_job_pipeline_add,
                     DB_ARGS(DB_I(id), DB_I(n->project), DB_I(n->key),
                             DB_S(n->inputs.len > 0 ? n->inputs : STR("{}")), DB_I(n->priority),
                             DB_I(timeout_ms), db_text_or_null(n->trace), DB_I(key->id),
                             DB_I(key->version), DB_I(n->no_memo), db_text_or_null(n->trigger),
                             db_text_or_null(str_from_c(token)), db_int_or_null(origin),
                             db_int_or_null(child ? at->parent : 0),
                             child && at->node >= 0 ? DB_I(at->node) : DB_N,
                             child ? DB_I(at->place) : DB_N, db_text_or_null(key_text)),
                     NULL, err);
    flow_pipeline_release(&held);
    const JobNew ask = {.project = n->project, .inputs = n->files, .inputs_len = n->files_len};
    if (rc == OK)
        rc = flow_add_inputs(tx, id, &ask, err);
    if (rc == OK)
        rc = db_exec(tx, &sql_flow_task_add,
                     DB_ARGS(DB_I(id), DB_I(n->project), DB_I(1),
                             DB_I(n->delay_ms > 0 ? 0 : clock_now_ms()), DB_I(n->priority),
                             db_int_or_null(child ? at->parent : 0)),
                     NULL, err);
    if (child && at->node < 0) /* an item of a batch: its time runs from when it begins */
        return rc;
    return rc == OK ? add_deadline(tx, id, timeout_ms, err) : rc;
}

/* *wait: another job of its key runs; its turn comes with flow_slot_granted. */
static ErrCode take_slot(Running *r, bool *wait, Err *err)
{
    bool got = false;
    int64_t slots = r->p->concurrency_limit > 0 ? r->p->concurrency_limit : 1;
    *wait = false;
    if (r->concurrency_key.len == 0 || (r->flags & TASK_HOLDS_SLOT))
        return OK;
    ErrCode rc = queue_slot_take(r->tx, r->project, r->concurrency_key, slots, &got, err);
    if (rc == OK)
        rc = db_exec(r->tx, &sql_flow_task_slot,
                     DB_ARGS(DB_I(r->job), DB_S(r->concurrency_key),
                             DB_S(got ? STR("waiting") : STR("blocked")),
                             DB_I(got ? TASK_HOLDS_SLOT : 0)),
                     NULL, err);
    if (rc == OK && !got)
        rc =
            queue_slot_wait(r->tx, r->project, r->concurrency_key, r->job, r->priority, slots, err);
    r->flags |= got ? TASK_HOLDS_SLOT : 0;
    *wait = !got;
    return rc;
}

static ErrCode begin(DbConn *tx, int64_t id, bool quiet, JobState *state, Err *err)
{
    Running r = {0};
    bool found = false;
    CLEANUP(arena_close) Arena *a = arena_open(RUN_MEMORY);
    if (a == NULL)
        return no_memory(err);
    ErrCode rc = running_open(tx, id, a, &r, &found, err);
    r.quiet = quiet;
    bool wait = false;
    if (rc == OK && found)
        rc = take_slot(&r, &wait, err);
    if (rc == OK && found && !wait)
        rc = running_advance(&r, err);
    *state = r.ended ? r.end : JOB_RUNNING;
    running_done(&r);
    return rc;
}

ErrCode flow_run_as(DbConn *tx, int64_t id, const PipelineRun *n, const PipelineKey *key,
                    const ChildPlace *at, JobState *state, Err *err)
{
    ErrCode rc = flow_add_run(tx, id, n, key, at, 0, err);
    *state = JOB_RUNNING;
    if (rc != OK || n->delay_ms == 0)
        return rc == OK ? begin(tx, id, at != NULL && at->parent != 0, state, err) : rc;
    int64_t now_ms = clock_now_ms();
    rc = db_exec(tx, &sql_node_start_add,
                 DB_ARGS(DB_I(id), DB_I(n->project), DB_I(now_ms + n->delay_ms), DB_I(now_ms)),
                 NULL, err);
    return rc == OK ? flow_tell_due(tx, now_ms + n->delay_ms, err) : rc;
}

ErrCode flow_begin_held(DbConn *tx, int64_t job, JobState *state, Err *err)
{
    int64_t timeout_ms = 0;
    ErrCode rc =
        db_exec(tx, &sql_batch_unhold, DB_ARGS(DB_I(job), DB_I(clock_now_ms())), NULL, err);
    if (rc == OK)
        rc = db_get_int(tx, &sql_batch_item_timeout, DB_ARGS(DB_I(job)), 0, &timeout_ms, err);
    if (rc == OK)
        rc = add_deadline(tx, job, timeout_ms, err);
    return rc == OK ? begin(tx, job, true, state, err) : rc;
}

ErrCode flow_slot_granted(DbConn *tx, int64_t project, int64_t job, Err *err)
{
    JobState state;
    ErrCode rc = begin(tx, job, false, &state, err);
    return rc == OK ? flow_tell_news(tx, project, job, err) : rc;
}

ErrCode flow_begin_delayed(DbConn *tx, int64_t job, Err *err)
{
    JobState state;
    ErrCode rc = db_exec(tx, &sql_node_remove, DB_ARGS(DB_I(job), DB_I(NODE_START)), NULL, err);
    if (rc == OK)
        rc = db_exec(tx, &sql_flow_task_begin, DB_ARGS(DB_I(job), DB_I(clock_now_ms())), NULL, err);
    return rc == OK ? begin(tx, job, false, &state, err) : rc;
}

/* --- from outside --- */

ErrCode flow_run_tx(DbConn *tx, int64_t id, const PipelineRun *n, JobAdded *out, Err *err)
{
    JobAdded added = {.job = id};
    PipelineKey key;
    JobState state;
    static const Step step = {.name = "flow.run"}; /* what the rows of a pipeline's job say */
    const JobNew ask = {.project = n->project,
                        .step = &step,
                        .queue = STR("flow"),
                        .priority = n->priority,
                        .delay_ms = n->delay_ms,
                        .timeout_ms = n->timeout_ms,
                        .idempotency_key = n->idempotency_key,
                        .request_hash = n->request_hash};
    ErrCode rc = flow_check(&ask, err);
    if (rc == OK)
        rc = flow_known_key(tx, &ask, &added, err);
    if (rc == OK && !added.existed) {
        rc = flow_pipeline_key_tx(tx, n->project, n->name, n->version, &key, err);
        if (rc == OK)
            rc = flow_run_as(tx, id, n, &key, NULL, &state, err);
        if (rc == OK)
            rc = flow_add_key(tx, id, &ask, err);
        if (rc == OK)
            rc = flow_tell_news(tx, n->project, id, err);
    }
    if (rc == OK)
        *out = added;
    return rc;
}

typedef struct Run {
    int64_t id;
    const PipelineRun *run;
    JobAdded added;
} Run;

static ErrCode run_write(DbConn *tx, void *arg, Err *err)
{
    Run *r = arg;
    return flow_run_tx(tx, r->id, r->run, &r->added, err);
}

ErrCode flow_run(Db *db, const PipelineRun *n, JobAdded *out, Err *err)
{
    Run r = {.id = id_new(), .run = n};
    ErrCode rc = db_write(db, run_write, &r, err);
    if (rc == OK)
        *out = r.added;
    return rc;
}

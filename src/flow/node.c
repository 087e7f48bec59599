/* node.c: a node begins: its condition, its items, its children. */
#include "flow/pipeline_in.h"
#include "base/clock.h"
#include "base/id.h"
#include "db/queries.h"

#include <openssl/evp.h>
#include <string.h>

/* One child about to be made. */
typedef struct Making {
    Running *r;
    int node;
    int64_t id, place;
    const Json *scope;
    Str params; /* canonical */
    JobFile *files;
    size_t files_len;
    Str memo; /* hex; "": its result is not remembered */
} Making;

typedef enum Made { MADE_LIVE, MADE_DONE, MADE_FAILED } Made;

static bool is_many(const Node *n)
{
    return n->foreach != NULL || n->matrix != NULL;
}

static TaskFault fault_of(const Err *e)
{
    return (TaskFault){.reason = str_from_c(err_reason(e->code)),
                       .detail = str_from_c(e->text),
                       .hint = str_from_c(err_advice(e))};
}

/* What a node or child can fail with; anything else is the database's or the machine's, and takes
 * the whole change back. */
static bool is_its_fault(ErrCode rc)
{
    switch (rc) {
    case ERR_BAD_PARAM:
    case ERR_BAD_REQUEST:
    case ERR_BAD_EXPRESSION:
    case ERR_INPUT_MISSING:
    case ERR_LIMIT_COUNT:
    case ERR_LIMIT_DEPTH:
    case ERR_LIMIT_OUTPUT:
    case ERR_NOT_A_LIST:
    case ERR_NOT_FOUND:
    case ERR_UNKNOWN_STEP:
    case ERR_UNKNOWN_PIPELINE:
    case ERR_UNKNOWN_SECRET:
    case ERR_SECRET_KEY:
    case ERR_QUEUE_DRAINING:
    case ERR_UNSUPPORTED_TYPE:
        return true;
    default:
        return false;
    }
}

/* --- what goes in --- */

static ErrCode eval_with(Making *m, const Json **out, Err *err)
{
    const Node *n = &m->r->p->nodes[m->node];
    const Json *scope = NULL;
    *out = NULL;
    if (n->with == NULL)
        return OK;
    ErrCode rc = value_scope_with_secrets(m->r, n->with, m->scope, &scope, err);
    if (rc != OK)
        return rc;
    if ((*out = template_eval(n->with, scope, m->r->arena)) == NULL)
        return err_set(err, ERR_NO_MEMORY, "the parameters need more memory than is allowed");
    return OK;
}

static ErrCode eval_files(Making *m, Err *err)
{
    const Node *n = &m->r->p->nodes[m->node];
    if (n->file == NULL)
        return OK;
    const Json *v = template_eval(n->file, m->scope, m->r->arena);
    if (v == NULL)
        return err_set(err, ERR_NO_MEMORY, "the files need more memory than is allowed");
    return value_files(m->r->tx, m->r->project, v, m->r->arena, &m->files, &m->files_len, err);
}

static ErrCode check_files(const Step *s, size_t len, Err *err)
{
    size_t max = s->accepts == NULL ? 0 : s->inputs_max > 0 ? (size_t)s->inputs_max : 1;
    if (len > max)
        return err_set(err, ERR_BAD_REQUEST, "%s takes at most %zu files, %zu came", s->name, max,
                       len);
    if (len == 0 && max > 0 && !s->input_optional)
        return err_set(err, ERR_INPUT_MISSING, "%s needs a file, and the expression gave none",
                       s->name);
    return OK;
}

static ErrCode check_params(Making *m, const Param *params, const Json *with, Err *err)
{
    ParamFaults *faults = arena_new(m->r->arena, ParamFaults, 1);
    if (faults == NULL)
        return err_set(err, ERR_NO_MEMORY, "checking parameters");
    return param_check(params, with, m->r->arena, &m->params, faults, err);
}

/* --- memo --- */

/* Step, its version, parameters and the bytes that go in: what a cacheable result depends on. */
static ErrCode memo_key(Making *m, const Step *s, Err *err)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int len = 0;
    Buf hex = buf_init(m->r->arena, 256);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool ok = ctx != NULL && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1 &&
              EVP_DigestUpdate(ctx, s->name, strlen(s->name) + 1) == 1 &&
              EVP_DigestUpdate(ctx, &s->version, sizeof s->version) == 1 &&
              EVP_DigestUpdate(ctx, m->params.ptr, m->params.len) == 1;
    for (size_t i = 0; ok && i < m->files_len; i++)
        ok = EVP_DigestUpdate(ctx, m->files[i].hash.ptr, m->files[i].hash.len) == 1 &&
             EVP_DigestUpdate(ctx, m->files[i].type.ptr, m->files[i].type.len) == 1;
    ok = ok && EVP_DigestFinal_ex(ctx, digest, &len) == 1;
    EVP_MD_CTX_free(ctx);
    for (unsigned int i = 0; ok && i < len; i++)
        buf_addf(&hex, "%02x", digest[i]);
    if (!ok || hex.failed)
        return err_set(err, ERR_NO_MEMORY, "hashing parameters");
    m->memo = buf_str(&hex);
    return OK;
}

/* --- rows of a child --- */

static int64_t priority_of(const Running *r, const Node *n)
{
    return n->priority != PIPELINE_NO_PRIORITY ? n->priority : r->priority;
}

/* What is asked of a child; its queue, attempts and the rest are the step's unless the node says. */
static JobNew ask_of(const Making *m, const Step *step)
{
    const Running *r = m->r;
    const Node *n = &r->p->nodes[m->node];
    return (JobNew){.project = r->project,
                    .key = r->key,
                    .step = step,
                    .params = m->params,
                    .inputs = m->files,
                    .inputs_len = m->files_len,
                    .queue = n->queue,
                    .priority = priority_of(r, n),
                    .attempts = n->attempts,
                    .timeout_ms = n->timeout_ms,
                    .retry_ms = n->retry_ms,
                    .trace = r->trace};
}

static JobKin kin_of(const Making *m, int64_t reused)
{
    return (JobKin){
        .parent = m->r->job, .place = m->place, .node = m->node, .memo = m->memo, .reused = reused};
}

static ErrCode add_live(Making *m, Err *err)
{
    const JobNew ask = ask_of(m, m->r->p->nodes[m->node].step);
    const JobKin kin = kin_of(m, 0);
    return flow_add_one(m->r->tx, m->id, &ask, &kin, err);
}

/* Child `id` ends at once, with what `source` gave. */
static ErrCode take_result(Running *r, int64_t id, int64_t source, Err *err)
{
    ErrCode rc = flow_event_add(r->tx,
                                &(EventNew){.project = r->project,
                                            .job = id,
                                            .seq = 2,
                                            .type = EVENT_STEP_REUSED,
                                            .node = STR("result"),
                                            .item = source},
                                r->arena, err);
    if (rc == OK)
        rc = db_exec(r->tx, &sql_flow_end_copy,
                     DB_ARGS(DB_I(id), DB_I(source), DB_I(clock_now_ms())), NULL, err);
    if (rc == OK)
        rc = db_exec(r->tx, &sql_flow_files_copy, DB_ARGS(DB_I(id), DB_I(source)), NULL, err);
    if (rc == OK)
        rc = db_exec(r->tx, &sql_flow_refs_copy, DB_ARGS(DB_I(id), DB_I(source)), NULL, err);
    return rc;
}

/* The result of an earlier job is this child's too. */
static ErrCode add_reused(Making *m, int64_t source, Err *err)
{
    const JobNew ask = ask_of(m, m->r->p->nodes[m->node].step);
    const JobKin kin = kin_of(m, source);
    ErrCode rc = flow_add_taskless(m->r->tx, m->id, &ask, &kin, err);
    return rc == OK ? take_result(m->r, m->id, source, err) : rc;
}

ErrCode node_copy_child(Running *r, int i, int64_t place, int64_t source, int64_t *id, Err *err)
{
    *id = id_new();
    ErrCode rc =
        db_exec(r->tx, &sql_flow_child_copy,
                DB_ARGS(DB_I(*id), DB_I(source), DB_I(i), DB_I(place), DB_I(r->job)), NULL, err);
    return rc == OK ? take_result(r, *id, source, err) : rc;
}

/* It cannot even begin: a child all the same, so that the failure has its place and its diagnosis. */
static ErrCode add_failed(Making *m, Str name, const TaskFault *why, Err *err)
{
    Arena *a = m->r->arena;
    const Step step = {.name = str_to_c(a, name)}; /* it may be one that this server lacks */
    const TaskChanged t = {.project = m->r->project, .job = m->id, .seq = 1, .max_attempts = 1};
    const JobEnd end = {.state = JOB_FAILED,
                        .events = 1,
                        .finished_ms = clock_now_ms(),
                        .fault = why,
                        .quiet = true};
    if (step.name == NULL)
        return err_set(err, ERR_NO_MEMORY, "recording a failure");
    m->params = (Str){0};
    m->files_len = 0;
    const JobNew ask = ask_of(m, &step);
    const JobKin kin = kin_of(m, 0);
    ErrCode rc = flow_add_taskless(m->r->tx, m->id, &ask, &kin, err);
    if (rc == OK)
        rc = flow_event_add(m->r->tx,
                            &(EventNew){.project = m->r->project,
                                        .job = m->id,
                                        .seq = 2,
                                        .type = EVENT_JOB_FAILED,
                                        .fault = why},
                            a, err);
    return rc == OK ? flow_end_job(m->r->tx, &t, &end, err) : rc;
}

/* --- a step --- */

static ErrCode prepare_step(Making *m, Err *err)
{
    const Node *n = &m->r->p->nodes[m->node];
    const Json *with = NULL;
    if (n->step == NULL)
        return err_set(err, ERR_UNKNOWN_STEP, "there is no step \"" STR_FMT "\" here",
                       STR_ARG(n->uses));
    ErrCode rc = eval_with(m, &with, err);
    if (rc == OK)
        rc = check_params(m, n->step->params, with, err);
    if (rc == OK)
        rc = eval_files(m, err);
    if (rc == OK)
        rc = check_files(n->step, m->files_len, err);
    if (rc == OK && n->step->cacheable && n->memo)
        rc = memo_key(m, n->step, err);
    return rc;
}

static ErrCode make_step(Making *m, Made *made, Err *err)
{
    int64_t source = 0;
    ErrCode rc = prepare_step(m, err);
    if (rc == OK && m->memo.len > 0 && !m->r->no_memo)
        rc = db_get_int(m->r->tx, &sql_memo_get, DB_ARGS(DB_I(m->r->project), DB_S(m->memo)), 0,
                        &source, err);
    if (rc != OK)
        return rc;
    *made = source != 0 ? MADE_DONE : MADE_LIVE;
    return source != 0 ? add_reused(m, source, err) : add_live(m, err);
}

/* --- another pipeline --- */

/* How deep the pipelines call each other, this one included. */
static ErrCode check_depth(const Running *r, Err *err)
{
    int64_t at = r->job;
    for (int depth = 0; at != 0; depth++) {
        if (depth >= PIPELINE_CALLS_DEEP)
            return err_set(err, ERR_LIMIT_DEPTH, "pipelines call each other more than %d deep",
                           PIPELINE_CALLS_DEEP);
        ErrCode rc = db_get_int(r->tx, &sql_job_parent, DB_ARGS(DB_I(at)), 0, &at, err);
        if (rc != OK)
            return rc;
    }
    return OK;
}

/* What `with` says to the inputs of the pipeline that is called. */
static ErrCode call_inputs(Making *m, const Pipeline *p, Err *err)
{
    const Json *with = NULL;
    ParamFaults *faults = arena_new(m->r->arena, ParamFaults, 1);
    if (faults == NULL)
        return err_set(err, ERR_NO_MEMORY, "calling a pipeline");
    ErrCode rc = eval_with(m, &with, err);
    return rc == OK ? flow_pipeline_inputs(m->r->tx, m->r->project, p, with, m->r->arena,
                                           &m->params, &m->files, &m->files_len, faults, err)
                    : rc;
}

static ErrCode make_call(Making *m, Made *made, Err *err)
{
    Running *r = m->r;
    const Node *n = &r->p->nodes[m->node];
    PipelineKey key;
    PipelineHeld *held = NULL;
    ErrCode rc = check_depth(r, err);
    if (rc == OK)
        rc = flow_pipeline_key_tx(r->tx, r->project, n->call, 0, &key, err);
    if (rc == OK)
        rc = flow_hold_version(r->tx, key.id, key.version, &held, err);
    if (rc == OK)
        rc = call_inputs(m, flow_pipeline_of(held), err);
    JobState state = JOB_RUNNING;
    const PipelineRun run = {.project = r->project,
                             .key = r->key,
                             .name = n->call,
                             .inputs = m->params,
                             .files = m->files,
                             .files_len = m->files_len,
                             .priority = priority_of(r, n),
                             .timeout_ms = n->timeout_ms,
                             .no_memo = r->no_memo,
                             .trace = r->trace};
    const ChildPlace at = {.parent = r->job, .node = m->node, .place = m->place};
    if (rc == OK)
        rc = flow_run_as(r->tx, m->id, &run, &key, &at, &state, err);
    flow_pipeline_release(&held);
    *made = state == JOB_RUNNING ? MADE_LIVE : state == JOB_DONE ? MADE_DONE : MADE_FAILED;
    return rc;
}

/* --- children --- */

static ErrCode make_child(Running *r, int i, int64_t place, const Json *scope, int64_t *id,
                          Made *made, Err *err)
{
    const Node *n = &r->p->nodes[i];
    Making m = {.r = r, .node = i, .id = id_new(), .place = place, .scope = scope};
    Err own = {0};
    ErrCode rc = n->kind == NODE_CALL ? make_call(&m, made, &own) : make_step(&m, made, &own);
    *id = m.id;
    if (rc == OK || !is_its_fault(rc)) {
        if (rc != OK && err != NULL)
            *err = own;
        return rc;
    }
    *made = MADE_FAILED;
    const TaskFault why = fault_of(&own);
    m.memo = (Str){0};
    return add_failed(&m, n->kind == NODE_CALL ? STR("flow.run") : n->uses, &why, err);
}

static ErrCode item_event(Running *r, int i, int64_t child, int64_t place, JobState state, Err *err)
{
    NodeNow *now = &r->now[i];
    return running_event(r,
                         (EventNew){.type = EVENT_STEP_ITEM,
                                    .node = r->p->nodes[i].id,
                                    .item = child,
                                    .place = place,
                                    .state = state,
                                    .done = now->ended,
                                    .total = now->total},
                         err);
}

static ErrCode count_made(Running *r, int i, int64_t child, int64_t place, Made made, Err *err)
{
    NodeNow *now = &r->now[i];
    now->begun++;
    now->child = now->total == 1 ? child : 0;
    if (made == MADE_LIVE)
        return OK;
    now->ended++;
    now->failed += made == MADE_FAILED;
    if (!is_many(&r->p->nodes[i]))
        return OK;
    return item_event(r, i, child, place, made == MADE_DONE ? JOB_DONE : JOB_FAILED, err);
}

static ErrCode items_of(Running *r, int i, const Json *scope, const Json **out, Err *err)
{
    const Node *n = &r->p->nodes[i];
    const Json *v = template_eval(n->foreach != NULL ? n->foreach : n->matrix, scope, r->arena);
    if (v == NULL)
        return err_set(err, ERR_NO_MEMORY, "the items need more memory than is allowed");
    if (n->matrix != NULL)
        return value_matrix(r, v, out, err);
    if (!json_is(v, JSON_LIST))
        return err_set(err, ERR_NOT_A_LIST, "foreach of \"" STR_FMT "\" is not a list",
                       STR_ARG(n->id));
    if (v->len > PIPELINE_ITEMS_MAX)
        return err_set(err, ERR_LIMIT_COUNT, "%zu items, %d are the most", v->len,
                       PIPELINE_ITEMS_MAX);
    *out = v;
    return OK;
}

/* As many as there is room for; those that end at once make room for more. */
static ErrCode make_items(Running *r, int i, const Json *scope, const Json *items, Err *err)
{
    const Node *n = &r->p->nodes[i];
    NodeNow *now = &r->now[i];
    const Json *item = items->first;
    for (int64_t k = 0; k < now->begun && item != NULL; k++)
        item = item->next;
    ErrCode rc = OK;
    while (rc == OK && item != NULL && plan_room(n, now) > 0) {
        ArenaMark mark = arena_mark(r->arena);
        const Json *own = NULL;
        int64_t child = 0, place = now->begun;
        Made made = MADE_LIVE;
        rc = value_scope_of_item(r, scope, item, place, n->matrix != NULL, &own, err);
        if (rc == OK)
            rc = make_child(r, i, place, own, &child, &made, err);
        if (rc == OK)
            rc = count_made(r, i, child, place, made, err);
        arena_rewind(r->arena, mark);
        item = item->next;
    }
    return rc;
}

ErrCode node_fill(Running *r, int i, Err *err)
{
    const Json *scope = NULL, *items = NULL;
    ErrCode rc = value_scope(r, i, &scope, err);
    if (rc == OK)
        rc = items_of(r, i, scope, &items, err);
    return rc == OK ? make_items(r, i, scope, items, err) : rc;
}

/* --- it begins --- */

static ErrCode started_event(Running *r, int i, Err *err)
{
    const NodeNow *now = &r->now[i];
    return running_event(r,
                         (EventNew){.type = EVENT_STEP_STARTED,
                                    .node = r->p->nodes[i].id,
                                    .item = now->child,
                                    .total = is_many(&r->p->nodes[i]) ? now->total : 0},
                         err);
}

static ErrCode begin_one(Running *r, int i, const Json *scope, Err *err)
{
    NodeNow *now = &r->now[i];
    Made made = MADE_LIVE;
    int64_t child = 0;
    now->total = 1;
    ErrCode rc = make_child(r, i, 0, scope, &child, &made, err);
    if (rc == OK)
        rc = count_made(r, i, child, 0, made, err);
    if (rc == OK && made != MADE_DONE)
        rc = started_event(r, i, err);
    return rc;
}

static ErrCode begin_many(Running *r, int i, const Json *scope, Err *err)
{
    const Json *items = NULL;
    Err own = {0};
    ErrCode rc = items_of(r, i, scope, &items, &own);
    if (rc != OK && !is_its_fault(rc)) {
        *err = own;
        return rc;
    }
    if (rc != OK) {
        const TaskFault why = fault_of(&own);
        return running_end_node(r, i, NODE_FAILED, &why, err);
    }
    r->now[i].total = (int64_t)items->len;
    rc = started_event(r, i, err);
    return rc == OK ? make_items(r, i, scope, items, err) : rc;
}

ErrCode node_begin(Running *r, int i, Err *err)
{
    const Node *n = &r->p->nodes[i];
    const Json *scope = NULL;
    NodeNow *now = &r->now[i];
    ErrCode rc = value_scope(r, i, &scope, err);
    if (rc != OK)
        return rc;
    *now = (NodeNow){.state = NODE_PENDING, .started_ms = clock_now_ms()};
    if (n->when != NULL) {
        const Json *v = expr_eval(n->when, scope, r->arena);
        if (v == NULL)
            return err_set(err, ERR_NO_MEMORY, "the condition needs more memory than is allowed");
        if (!expr_truth(v))
            return running_end_node(r, i, NODE_SKIPPED, NULL, err);
    }
    if (n->kind == NODE_WAIT)
        return wait_begin(r, i, scope, err);
    now->state = NODE_RUNNING;
    rc = is_many(n) ? begin_many(r, i, scope, err) : begin_one(r, i, scope, err);
    if (rc != OK || now->state != NODE_RUNNING)
        return rc;
    return running_settle(r, i, true, err);
}

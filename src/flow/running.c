/* running.c: a pipeline's job within one write function: read, advanced, ended; what the end of a
 * child means for it. */
#include "flow/pipeline_in.h"
#include "base/clock.h"
#include "base/id.h"
#include "db/queries.h"

/* --- reading --- */

static ErrCode no_memory(Err *err)
{
    return err_set(err, ERR_NO_MEMORY, "running a pipeline");
}

static ErrCode read_task(Running *r, bool *found, Err *err)
{
    CLEANUP(db_rows_done) DbRows rows = {0};
    ErrCode rc = db_query(r->tx, &sql_flow_task_get, DB_ARGS(DB_I(r->job)), &rows, err);
    *found = false;
    while (rc == OK && db_next(&rows, &rc, err)) {
        *found = true;
        r->project = db_int(&rows, 0);
        r->seq = db_int(&rows, 1);
        r->started_ms = db_int(&rows, 2);
        r->halt = db_int(&rows, 4);
        r->flags = db_int(&rows, 5);
    }
    return rc;
}

static Str text_or_none(const DbRows *rows, int column, Arena *a, bool *ok)
{
    if (db_is_null(rows, column))
        return (Str){0};
    Str s = db_str_copy(rows, column, a);
    *ok = *ok && s.ptr != NULL;
    return s;
}

static ErrCode read_ask(Running *r, bool *found, Err *err)
{
    CLEANUP(db_rows_done) DbRows rows = {0};
    ErrCode rc = db_query(r->tx, &sql_flow_ask, DB_ARGS(DB_I(r->job)), &rows, err);
    bool ok = true;
    *found = false;
    while (rc == OK && db_next(&rows, &rc, err)) {
        *found = true;
        r->project = db_int(&rows, 0);
        r->key = db_int(&rows, 1);
        r->params = text_or_none(&rows, 2, r->arena, &ok);
        r->priority = db_int(&rows, 3);
        r->trace = text_or_none(&rows, 4, r->arena, &ok);
        r->version = (PipelineKey){db_int(&rows, 5), db_int(&rows, 6)};
        r->no_memo = db_int(&rows, 7) != 0;
        r->trigger = text_or_none(&rows, 8, r->arena, &ok);
        r->token = text_or_none(&rows, 9, r->arena, &ok);
        r->timeout_ms = db_int(&rows, 10);
        r->parent = db_int(&rows, 11);
        r->concurrency_key = text_or_none(&rows, 12, r->arena, &ok);
    }
    return rc == OK && !ok ? no_memory(err) : rc;
}

static NodeState state_from(Str name)
{
    for (int s = 0; s < NODE_STATE_COUNT; s++)
        if (str_eq_c(name, node_state_name((NodeState)s)))
            return (NodeState)s;
    return NODE_STATE_COUNT;
}

ErrCode flow_read_nodes(DbConn *c, int64_t job, const Pipeline *p, Arena *a, NodeNow *out, Err *err)
{
    CLEANUP(db_rows_done) DbRows rows = {0};
    ErrCode rc = db_query(c, &sql_node_all, DB_ARGS(DB_I(job)), &rows, err);
    bool ok = true;
    while (rc == OK && db_next(&rows, &rc, err)) {
        int64_t i = db_int(&rows, 0);
        NodeState state = state_from(db_str(&rows, 1));
        if (i < 0 || i >= (int64_t)p->nodes_len || state == NODE_STATE_COUNT)
            return err_set(err, ERR_DB_DAMAGED, "a node of a pipeline is unknown");
        out[i] = (NodeNow){.state = state,
                           .total = db_int(&rows, 2),
                           .begun = db_int(&rows, 3),
                           .ended = db_int(&rows, 4),
                           .failed = db_int(&rows, 5),
                           .child = db_int(&rows, 6),
                           .started_ms = db_int(&rows, 7),
                           .finished_ms = db_int(&rows, 8),
                           .due_ms = db_int(&rows, 9),
                           .reason = text_or_none(&rows, 10, a, &ok),
                           .detail = text_or_none(&rows, 11, a, &ok)};
    }
    return rc == OK && !ok ? no_memory(err) : rc;
}

static ErrCode read_rest(Running *r, Err *err)
{
    ErrCode rc = flow_hold_version(r->tx, r->version.id, r->version.version, &r->held, err);
    if (rc != OK)
        return rc;
    r->p = flow_pipeline_of(r->held);
    r->now = arena_new(r->arena, NodeNow, r->p->nodes_len);
    r->values = arena_new(r->arena, const Json *, r->p->nodes_len);
    if (r->now == NULL || r->values == NULL)
        return no_memory(err);
    rc = json_parse(r->arena, r->params, &r->inputs, err);
    return rc == OK ? flow_read_nodes(r->tx, r->job, r->p, r->arena, r->now, err) : rc;
}

ErrCode running_open(DbConn *tx, int64_t job, Arena *a, Running *r, bool *found, Err *err)
{
    *r = (Running){.tx = tx, .job = job, .arena = a};
    ErrCode rc = read_task(r, found, err);
    if (rc == OK && *found)
        rc = read_ask(r, found, err);
    return rc == OK && *found ? read_rest(r, err) : rc;
}

ErrCode running_open_ended(DbConn *tx, int64_t job, Arena *a, Running *r, bool *found, Err *err)
{
    *r = (Running){.tx = tx, .job = job, .arena = a, .ended = true};
    ErrCode rc = read_ask(r, found, err);
    return rc == OK && *found ? read_rest(r, err) : rc;
}

void running_done(Running *r)
{
    flow_pipeline_release(&r->held);
}

/* --- writing --- */

ErrCode running_event(Running *r, EventNew e, Err *err)
{
    e.project = r->project;
    e.job = r->job;
    e.seq = ++r->seq;
    return flow_event_add(r->tx, &e, r->arena, err);
}

ErrCode running_write_node(Running *r, int i, bool is_new, Err *err)
{
    const NodeNow *n = &r->now[i];
    Str state = str_from_c(node_state_name(n->state));
    if (!is_new)
        return db_exec(r->tx, &sql_node_set,
                       DB_ARGS(DB_I(r->job), DB_I(i), DB_S(state), DB_I(n->total), DB_I(n->begun),
                               DB_I(n->ended), DB_I(n->failed), DB_I(n->child),
                               DB_I(n->finished_ms), db_text_or_null(n->reason),
                               db_text_or_null(n->detail)),
                       NULL, err);
    return db_exec(r->tx, &sql_node_add,
                   DB_ARGS(DB_I(r->job), DB_I(i), DB_I(r->project), DB_S(state), DB_I(n->total),
                           DB_I(n->begun), DB_I(n->ended), DB_I(n->failed), DB_I(n->child),
                           DB_I(n->started_ms), DB_I(n->finished_ms), DB_I(n->due_ms),
                           db_text_or_null(n->reason), db_text_or_null(n->detail), DB_N),
                   NULL, err);
}

static Event event_of(const Running *r, int i, NodeState state, bool reused)
{
    (void)r;
    (void)i;
    switch (state) {
    case NODE_DONE:
        return reused ? EVENT_STEP_REUSED : EVENT_STEP_DONE;
    case NODE_FAILED:
    case NODE_CANCELED:
        return EVENT_STEP_FAILED;
    default:
        return EVENT_STEP_SKIPPED;
    }
}

static ErrCode end_node(Running *r, int i, NodeState state, const TaskFault *why, bool is_new,
                        bool reused, Err *err)
{
    NodeNow *n = &r->now[i];
    bool failing = plan_failed(r->p, r->now) >= 0;
    n->state = state;
    n->finished_ms = clock_now_ms();
    n->due_ms = 0;
    n->reason = why != NULL ? str_copy(r->arena, why->reason) : (Str){0};
    n->detail =
        why != NULL ? str_copy(r->arena, str_slice(why->detail, 0, FLOW_DETAIL_MAX)) : (Str){0};
    r->values[i] = NULL;
    ErrCode rc = running_write_node(r, i, is_new, err);
    if (rc == OK)
        rc = running_event(r,
                           (EventNew){.type = event_of(r, i, state, reused),
                                      .node = r->p->nodes[i].id,
                                      .item = n->child,
                                      .fault = why},
                           err);
    if (rc == OK && !failing && plan_node_failed(&r->p->nodes[i], n) &&
        r->p->nodes[i].section == SECTION_STEPS)
        rc = running_event(
            r, (EventNew){.type = EVENT_JOB_FAILING, .node = r->p->nodes[i].id, .fault = why}, err);
    return rc;
}

/* A node that ends as it begins has no row yet. */
ErrCode running_end_node(Running *r, int i, NodeState state, const TaskFault *why, Err *err)
{
    return end_node(r, i, state, why, r->now[i].state != NODE_WAITING, false, err);
}

/* --- children have ended --- */

static ErrCode child_fault(Running *r, int64_t child, TaskFault *out, bool *canceled, Err *err)
{
    CLEANUP(db_rows_done) DbRows rows = {0};
    ErrCode rc = db_query(r->tx, &sql_flow_child_value, DB_ARGS(DB_I(child)), &rows, err);
    bool ok = true;
    while (rc == OK && db_next(&rows, &rc, err)) {
        *canceled = str_eq_c(db_str(&rows, 0), "canceled");
        out->reason = text_or_none(&rows, 2, r->arena, &ok);
        out->detail = text_or_none(&rows, 3, r->arena, &ok);
    }
    return rc == OK && !ok ? no_memory(err) : rc;
}

static ErrCode end_one(Running *r, int i, bool is_new, bool reused, Err *err)
{
    TaskFault why = {0};
    bool canceled = false;
    if (r->now[i].failed == 0)
        return end_node(r, i, NODE_DONE, NULL, is_new, reused, err);
    ErrCode rc = child_fault(r, r->now[i].child, &why, &canceled, err);
    canceled = canceled && (r->halt & (HALT_CANCELED | HALT_DEADLINE));
    return rc == OK
               ? end_node(r, i, canceled ? NODE_CANCELED : NODE_FAILED, &why, is_new, false, err)
               : rc;
}

static ErrCode end_many(Running *r, int i, bool is_new, Err *err)
{
    const NodeNow *n = &r->now[i];
    bool ignores = r->p->nodes[i].on_item_failure == ITEM_IGNORE;
    bool cut = n->begun < n->total && (r->halt & (HALT_CANCELED | HALT_DEADLINE)) != 0;
    const TaskFault gone = {.reason = str_from_c(err_reason(ERR_CANCELED)),
                            .detail = str_from_c(err_meaning(ERR_CANCELED)),
                            .hint = str_from_c(err_remedy(ERR_CANCELED))};
    if (n->failed == 0 && cut) /* paused between two items, and cancelled then */
        return end_node(r, i, NODE_CANCELED, &gone, is_new, false, err);
    if (n->failed == 0 || ignores)
        return end_node(r, i, NODE_DONE, NULL, is_new, false, err);
    const TaskFault why = {.reason = str_from_c(err_reason(ERR_ITEMS_FAILED)),
                           .detail = str_printf(r->arena,
                                                "%" PRId64 " of the step's %" PRId64
                                                " items did not succeed",
                                                n->failed, n->total),
                           .hint = str_from_c(err_remedy(ERR_ITEMS_FAILED))};
    bool canceled = (r->halt & (HALT_CANCELED | HALT_DEADLINE)) != 0;
    return end_node(r, i, canceled ? NODE_CANCELED : NODE_FAILED, &why, is_new, false, err);
}

/* After children were made or have ended: the node ends with the last of them. */
ErrCode running_settle(Running *r, int i, bool is_new, Err *err)
{
    const Node *n = &r->p->nodes[i];
    const NodeNow *now = &r->now[i];
    bool many = n->foreach != NULL || n->matrix != NULL;
    bool canceled = (r->halt & (HALT_CANCELED | HALT_DEADLINE)) != 0 && now->ended == now->begun &&
                    n->section != SECTION_FINALLY;
    if (!canceled && !plan_children_done(n, now))
        return running_write_node(r, i, is_new, err);
    return many ? end_many(r, i, is_new, err) : end_one(r, i, is_new, is_new, err);
}

/* --- the end --- */

static ErrCode add_output_files(Running *r, const JobFile *files, size_t len, Err *err)
{
    ErrCode rc = OK;
    for (size_t i = 0; rc == OK && i < len; i++) {
        const JobFile *f = &files[i];
        rc = db_exec(r->tx, &sql_job_file_add,
                     DB_ARGS(DB_I(r->job), DB_I(1), DB_I((int64_t)i), DB_I(r->project),
                             DB_S(f->name), DB_S(f->type), DB_S(f->hash), DB_I(f->size_bytes)),
                     NULL, err);
        if (rc == OK)
            rc = db_exec(r->tx, &sql_job_blob_ref_add,
                         DB_ARGS(DB_I(r->project), DB_S(f->hash), DB_I(r->job)), NULL, err);
    }
    return rc;
}

/* Without `outputs`: what the nodes gave that nobody needs. */
static ErrCode leaves(Running *r, const Json **out, Err *err)
{
    Json *o = value_new(r->arena, JSON_OBJECT);
    bool *needed = arena_new(r->arena, bool, r->p->nodes_len);
    if (o == NULL || needed == NULL)
        return no_memory(err);
    for (size_t i = 0; i < r->p->nodes_len; i++)
        for (size_t k = 0; k < r->p->nodes[i].needs_len; k++)
            if (r->p->nodes[i].section == SECTION_STEPS)
                needed[r->p->nodes[i].needs[k]] = true;
    for (size_t i = r->p->nodes_len; i-- > 0;) {
        const Json *v = NULL;
        if (needed[i] || r->p->nodes[i].section != SECTION_STEPS || r->now[i].state != NODE_DONE)
            continue;
        ErrCode rc = value_of_node(r, (int)i, &v, err);
        if (rc != OK)
            return rc;
        if (!value_add(r->arena, o, r->p->nodes[i].id, v))
            return no_memory(err);
    }
    *out = o;
    return OK;
}

static ErrCode make_outputs(Running *r, Str *data, Err *err)
{
    const Json *v = NULL;
    JobFile *files = NULL;
    size_t n = 0;
    ErrCode rc =
        r->p->outputs != NULL ? value_of_template(r, r->p->outputs, &v, err) : leaves(r, &v, err);
    if (rc == OK)
        rc = value_find_files(r, v, &files, &n, err);
    if (rc != OK)
        return rc;
    Buf b = buf_init(r->arena, RUN_DATA_MAX);
    JsonOut j = json_out(&b);
    json_put(&j, v);
    if (b.failed)
        return err_set(err, ERR_LIMIT_OUTPUT, "the outputs have more than %d bytes of JSON",
                       RUN_DATA_MAX);
    *data = buf_str(&b);
    return add_output_files(r, files, n, err);
}

static TaskFault failure_of(Running *r, int failed)
{
    const NodeNow *n = &r->now[failed];
    return (TaskFault){.reason = n->reason,
                       .detail = str_printf(r->arena, "step " STR_FMT ": " STR_FMT,
                                            STR_ARG(r->p->nodes[failed].id), STR_ARG(n->detail)),
                       .hint = str_from_c(err_remedy(err_from_reason(n->reason)))};
}

static TaskFault fault_from(ErrCode code)
{
    return (TaskFault){.reason = str_from_c(err_reason(code)),
                       .detail = str_from_c(err_meaning(code)),
                       .hint = str_from_c(err_remedy(code))};
}

static ErrCode end_as(Running *r, JobState state, const TaskFault *why, Str data, Err *err)
{
    static const Event events[] = {[JOB_DONE] = EVENT_JOB_DONE,
                                   [JOB_FAILED] = EVENT_JOB_FAILED,
                                   [JOB_CANCELED] = EVENT_JOB_CANCELED};
    int64_t ended = 0;
    for (size_t i = 0; i < r->p->nodes_len; i++)
        ended += node_state_ended(r->now[i].state);
    const TaskChanged t = {.project = r->project,
                           .job = r->job,
                           .parent = r->parent,
                           .flags = r->flags,
                           .attempt = 1,
                           .max_attempts = 1,
                           .seq = r->seq + 1,
                           .started_ms = r->started_ms,
                           .progress_done = ended,
                           .progress_total = (int64_t)r->p->nodes_len};
    const JobEnd end = {.state = state,
                        .finished_ms = clock_now_ms(),
                        .fault = why,
                        .data = data,
                        .quiet = r->quiet};
    ErrCode rc = running_event(r, (EventNew){.type = events[state], .fault = why}, err);
    if (rc == OK)
        rc = db_exec(r->tx, &sql_batch_task_delete, DB_ARGS(DB_I(r->job)), NULL, err);
    if (rc == OK)
        rc = db_exec(r->tx, &sql_signal_delete_all, DB_ARGS(DB_I(r->job)), NULL, err);
    r->ended = true;
    r->end = state;
    return rc == OK ? flow_end_job(r->tx, &t, &end, err) : rc;
}

static ErrCode end_job(Running *r, Err *err)
{
    int failed = plan_failed(r->p, r->now);
    Str data = {0};
    Err own = {0};
    TaskFault why;
    if (r->halt & (HALT_CANCELED | HALT_DEADLINE)) {
        bool late = (r->halt & HALT_CANCELED) == 0;
        why = fault_from(late ? ERR_DEADLINE_PASSED : ERR_CANCELED);
        return end_as(r, late ? JOB_FAILED : JOB_CANCELED, &why, data, err);
    }
    if (failed >= 0) {
        why = failure_of(r, failed);
        return end_as(r, JOB_FAILED, &why, data, err);
    }
    ErrCode rc = make_outputs(r, &data, &own);
    if (rc == OK)
        return end_as(r, JOB_DONE, NULL, data, err);
    if (rc != ERR_LIMIT_OUTPUT && rc != ERR_LIMIT_COUNT && rc != ERR_NOT_FOUND) {
        *err = own;
        return rc;
    }
    why = (TaskFault){.reason = str_from_c(err_reason(rc)),
                      .detail = str_from_c(own.text),
                      .hint = str_from_c(err_advice(&own))};
    return end_as(r, JOB_FAILED, &why, (Str){0}, err);
}

/* --- what follows --- */

/* Waits end, and so do nodes that were paused between two items: no child is left whose end would
 * end them (tests/model/pipeline.pml, CANCEL_LEAVES_RUNNING). */
static ErrCode cancel_waits(Running *r, Err *err)
{
    const TaskFault why = fault_from(r->halt & HALT_CANCELED ? ERR_CANCELED : ERR_DEADLINE_PASSED);
    ErrCode rc = OK;
    for (size_t i = 0; rc == OK && i < r->p->nodes_len; i++) {
        const NodeNow *n = &r->now[i];
        if (r->p->nodes[i].section == SECTION_FINALLY)
            continue;
        if (n->state == NODE_WAITING)
            rc = running_end_node(r, (int)i, NODE_CANCELED, &why, err);
        else if (n->state == NODE_RUNNING && n->ended == n->begun)
            rc = running_settle(r, (int)i, false, err);
    }
    return rc;
}

static ErrCode write_task(Running *r, Err *err)
{
    int64_t ended = 0;
    for (size_t i = 0; i < r->p->nodes_len; i++)
        ended += node_state_ended(r->now[i].state);
    return db_exec(r->tx, &sql_flow_task_set,
                   DB_ARGS(DB_I(r->job), DB_I(r->seq), DB_I(ended), DB_I((int64_t)r->p->nodes_len)),
                   NULL, err);
}

ErrCode running_advance(Running *r, Err *err)
{
    ErrCode rc = r->halt & (HALT_CANCELED | HALT_DEADLINE) ? cancel_waits(r, err) : OK;
    for (int from = 0; rc == OK;) {
        PlanStep s = plan_next(r->p, r->now, r->halt, from);
        if (s.what == PLAN_END)
            return end_job(r, err);
        if (s.what == PLAN_NOTHING)
            break;
        rc = s.what == PLAN_OMIT ? running_end_node(r, s.node, NODE_OMITTED, NULL, err)
                                 : node_begin(r, s.node, err);
        from = s.node;
    }
    if (rc == OK)
        rc = write_task(r, err);
    return rc == OK ? flow_tell_news(r->tx, r->project, r->job, err) : rc;
}

/* --- a child has ended --- */

typedef struct ChildRow {
    int64_t node, place;
    Str memo;
} ChildRow;

static ErrCode read_child(DbConn *tx, int64_t child, Arena *a, ChildRow *out, Err *err)
{
    CLEANUP(db_rows_done) DbRows rows = {0};
    ErrCode rc = db_query(tx, &sql_flow_child_get, DB_ARGS(DB_I(child)), &rows, err);
    bool ok = true;
    *out = (ChildRow){.node = -1};
    while (rc == OK && db_next(&rows, &rc, err)) {
        out->node = db_int(&rows, 0);
        out->place = db_int(&rows, 1);
        out->memo = text_or_none(&rows, 2, a, &ok);
    }
    return rc == OK && !ok ? no_memory(err) : rc;
}

/* Refill when half of the places are free, or all: to evaluate the items costs as much as they are
 * many. */
static bool is_worth_filling(const Node *n, const NodeNow *now)
{
    int64_t live = now->begun - now->ended;
    return plan_room(n, now) > 0 && live * 2 <= n->max_parallel;
}

static ErrCode count_ended(Running *r, int64_t child, const ChildRow *c, JobState state, Err *err)
{
    int i = (int)c->node;
    const Node *n = &r->p->nodes[i];
    NodeNow *now = &r->now[i];
    now->ended++;
    now->failed += state != JOB_DONE;
    r->values[i] = NULL;
    ErrCode rc = OK;
    if (n->foreach != NULL || n->matrix != NULL)
        rc = running_event(r,
                           (EventNew){.type = EVENT_STEP_ITEM,
                                      .node = n->id,
                                      .item = child,
                                      .place = c->place,
                                      .state = state,
                                      .done = now->ended,
                                      .total = now->total},
                           err);
    bool halted = (r->halt & HALT_PAUSED) || (r->halt != 0 && n->section != SECTION_FINALLY);
    if (rc == OK && !halted && is_worth_filling(n, now))
        rc = node_fill(r, i, err);
    return rc == OK ? running_settle(r, i, false, err) : rc;
}

static ErrCode child_ended(Running *r, int64_t child, JobState state, Err *err)
{
    ChildRow c;
    ErrCode rc = read_child(r->tx, child, r->arena, &c, err);
    if (rc == OK && (c.node < 0 || c.node >= (int64_t)r->p->nodes_len))
        return err_set(err, ERR_DB_DAMAGED, "a child of a pipeline has no node");
    if (rc == OK && state == JOB_DONE && c.memo.len > 0)
        rc = db_exec(r->tx, &sql_memo_put, DB_ARGS(DB_I(r->project), DB_S(c.memo), DB_I(child)),
                     NULL, err);
    if (rc != OK || r->now[c.node].state != NODE_RUNNING)
        return rc;
    rc = count_ended(r, child, &c, state, err);
    return rc == OK ? running_advance(r, err) : rc;
}

ErrCode flow_child_ended(DbConn *tx, int64_t parent, int64_t child, JobState state, bool *is_flow,
                         Err *err)
{
    Running r;
    CLEANUP(arena_close) Arena *a = arena_open(RUN_MEMORY);
    if (a == NULL)
        return no_memory(err);
    ErrCode rc = running_open(tx, parent, a, &r, is_flow, err);
    if (rc == OK && *is_flow)
        rc = child_ended(&r, child, state, err);
    running_done(&r);
    return rc;
}

/* nodes.c: how the nodes of a pipeline's job stand, and what people do to them: approve, signal,
 * pause, resume. */
#include "api/figures.h"
#include "api/params.h"
#include "api/routes.h"
#include "api/write.h"
#include "base/id.h"
#include "flow/pipeline.h"
#include "surface/graph.h"

/* --- reading --- */

static void put_needs(const NodeView *n, JsonOut *j)
{
    json_key(j, "needs");
    json_begin(j, '[');
    for (size_t i = 0; i < n->needs_len; i++)
        json_put_str(j, n->needs[i]);
    json_end(j, ']');
}

static void put_some(JsonOut *j, const char *key, Str value)
{
    if (value.len > 0)
        json_kv_str(j, key, value);
}

/* How far the one child of a running node is. */
static void put_progress(const NodeView *n, JsonOut *j)
{
    if (n->state != NODE_RUNNING || n->child == 0)
        return;
    json_key(j, "progress");
    json_begin(j, '{');
    json_kv_int(j, "done", n->progress_done);
    json_kv_int(j, "total", n->progress_total);
    json_end(j, '}');
}

static void put_node(const NodeView *n, JsonOut *j)
{
    json_kv_str(j, "id", n->id);
    json_kv_str(j, "kind", n->kind);
    json_kv_str(j, "uses", n->uses);
    json_kv_c(j, "state", node_state_name(n->state));
    json_kv_c(j, "section", graph_section_name(n->section));
    put_needs(n, j);
    write_time(j, "started", n->started_ms);
    write_time(j, "finished", n->finished_ms);
    write_time(j, "due", n->due_ms);
    json_kv_int(j, "total", n->total);
    json_kv_int(j, "ended", n->ended);
    json_kv_int(j, "failed", n->failed);
    if (n->child != 0) {
        write_id(j, "child", "job", n->child);
        write_time(j, "began", n->began_ms);
        json_kv_int(j, "attempts", n->attempts);
    }
    json_kv_bool(j, "many", n->many);
    json_kv_bool(j, "reused", n->reused);
    json_kv_bool(j, "optional", n->optional);
    put_some(j, "reason", n->reason);
    put_some(j, "detail", n->detail);
    put_some(j, "who", n->who);
    if (n->data.len > 0)
        json_kv_raw(j, "data", n->data);
    put_progress(n, j);
}

static void put_usage(const NodeUsage *usage, size_t len, int64_t node, JsonOut *j)
{
    bool any = false;
    for (size_t i = 0; i < len; i++) {
        if (usage[i].node != node)
            continue;
        if (!any) {
            json_key(j, "usage");
            json_begin(j, '[');
        }
        any = true;
        json_begin(j, '{');
        json_kv_str(j, "unit", usage[i].unit);
        json_kv_int(j, "amount", usage[i].amount);
        json_end(j, '}');
    }
    if (any)
        json_end(j, ']');
}

static ErrCode put_nodes(Call *c, int64_t job, bool deep, JsonOut *j)
{
    NodeView *nodes = NULL;
    NodeUsage *usage = NULL;
    size_t len = 0, usage_len = 0;
    ErrCode rc = flow_nodes(c->reader, c->who.project, job, c->arena, &nodes, &len, &c->err);
    if (rc == OK)
        rc = flow_node_usage(c->reader, c->who.project, job, c->arena, &usage, &usage_len, &c->err);
    json_key(j, "nodes");
    json_begin(j, '[');
    for (size_t i = 0; rc == OK && i < len; i++) {
        json_begin(j, '{');
        put_node(&nodes[i], j);
        put_usage(usage, usage_len, (int64_t)i, j);
        if (deep && nodes[i].child != 0 && str_eq_c(nodes[i].kind, "call"))
            rc = put_nodes(c, nodes[i].child, false, j);
        json_end(j, '}');
    }
    json_end(j, ']');
    return rc;
}

void jobs_nodes(HttpRequest *req)
{
    Call c;
    if (!call_begin(req, &c))
        return;
    NodesQuery q = {0};
    ParamFaults faults = {0};
    int64_t id;
    ErrCode rc = call_path_id(&c, 0, "job", &id);
    if (rc == OK)
        rc = call_query(&c, nodes_query_params, &q, &faults);
    json_begin(&c.json, '{');
    if (rc == OK)
        rc = put_nodes(&c, id, q.deep, &c.json);
    json_end(&c.json, '}');
    if (rc != OK)
        call_refuse(&c, rc, &faults);
    else
        call_answer(&c, 200);
}

void nodes_read_waits(Call *c, Job *job)
{
    NodeView *nodes = NULL;
    size_t len = 0, n = 0;
    if (job->pipeline.len == 0 || job->state != JOB_RUNNING ||
        flow_nodes(c->reader, c->who.project, job->id, c->arena, &nodes, &len, NULL) != OK)
        return;
    for (size_t i = 0; i < len; i++)
        if (nodes[i].state == NODE_WAITING)
            nodes[n++] = nodes[i];
    job->waits = nodes;
    job->waits_len = n;
}

void approval_put(JsonOut *j, const ApprovalView *a)
{
    json_begin(j, '{');
    write_id(j, "job", "job", a->job);
    json_kv_str(j, "pipeline", a->pipeline);
    json_kv_int(j, "version", a->version);
    json_kv_str(j, "node", a->node);
    json_kv_str(j, "who", a->who);
    write_time(j, "since", a->since_ms);
    write_time(j, "due", a->due_ms);
    json_end(j, '}');
}

void approvals_list(HttpRequest *req)
{
    Call c;
    if (!call_begin(req, &c))
        return;
    PageQuery q = {0};
    ParamFaults faults = {0};
    ApprovalView *all = NULL;
    size_t len = 0;
    int64_t after = 0, next = 0;
    ErrCode rc = call_query(&c, page_query_params, &q, &faults);
    if (rc == OK)
        rc = call_cursor(&c, "job", q.cursor, &after);
    if (rc == OK)
        rc = flow_approvals(c.reader, c.who.project, after, (int)q.limit, c.arena, &all, &len,
                            &next, &c.err);
    if (rc != OK) {
        call_refuse(&c, rc, &faults);
        return;
    }
    json_begin(&c.json, '{');
    json_key(&c.json, "approvals");
    json_begin(&c.json, '[');
    for (size_t i = 0; i < len; i++)
        approval_put(&c.json, &all[i]);
    json_end(&c.json, ']');
    if (next != 0)
        write_id(&c.json, "next", "job", next);
    json_end(&c.json, '}');
    call_answer(&c, 200);
}

/* --- what people do --- */

static void answer_job(Call *c, int64_t id)
{
    Job job;
    if (flow_get(c->reader, c->who.project, id, c->arena, &job, &c->err) != OK) {
        call_fail(c);
        return;
    }
    nodes_read_waits(c, &job);
    write_job(&c->json, &job, c->app->registry, c->arena, true);
    call_answer(c, 200);
}

static void finish(Call *c, ErrCode rc, const ParamFaults *faults, int64_t job)
{
    if (rc != OK)
        call_refuse(c, rc, faults);
    else
        answer_job(c, job);
}

/* The body as a JSON value; nothing is {}. What is no JSON comes in as a text when `any`. */
static ErrCode payload(Call *c, bool any, Str *out)
{
    const Json *value = NULL;
    Str body = str_trim(c->req->body);
    *out = body.len > 0 ? body : STR("{}");
    if (body.len > SIGNAL_DATA_MAX)
        return err_set(&c->err, ERR_INPUT_TOO_LARGE, "more than %d bytes", SIGNAL_DATA_MAX);
    ErrCode rc = json_parse(c->arena, *out, &value, &c->err);
    if (rc != ERR_BAD_JSON || !any)
        return rc;
    Buf b = buf_init(c->arena, 8 * (size_t)SIGNAL_DATA_MAX);
    JsonOut j = json_out(&b);
    json_put_str(&j, body);
    *out = buf_str(&b);
    return b.failed ? err_set(&c->err, ERR_NO_MEMORY, "no memory for the body") : OK;
}

void jobs_signal(HttpRequest *req)
{
    Call c;
    if (!call_begin(req, &c))
        return;
    int64_t id = 0;
    Str text;
    ErrCode rc = call_path_id(&c, 0, "job", &id);
    if (rc == OK)
        rc = payload(&c, false, &text);
    if (rc == OK)
        rc = flow_signal(c.app->db, c.who.project, id, req->params[1], text, &c.err);
    finish(&c, rc, NULL, id);
}

static int role_number(Str name)
{
    return role_from(name);
}

void jobs_approve(HttpRequest *req)
{
    Call c;
    if (!call_begin(req, &c))
        return;
    int64_t id = 0;
    ApprovalBody body = {0};
    ParamFaults faults = {0};
    char by[ID_TEXT_SIZE];
    ErrCode rc = call_path_id(&c, 0, "job", &id);
    if (rc == OK)
        rc = call_body(&c, approval_body_params, &body, &faults);
    if (rc == OK)
        rc = flow_approve(c.app->db, c.who.project, id, req->params[1], body.approved, body.comment,
                          str_from_c(id_text("key", c.who.key, by)), c.who.role, role_number,
                          &c.err);
    finish(&c, rc, &faults, id);
}

/* Public: who knows the address may. */
void callbacks_take(HttpRequest *req)
{
    Call c;
    call_begin_public(req, &c);
    int64_t id = 0;
    Str text;
    ErrCode rc = call_path_id(&c, 0, "job", &id);
    if (rc == OK)
        rc = payload(&c, true, &text);
    if (rc == OK)
        rc = flow_callback(c.app->db, id, req->params[1], req->params[2], text, &c.err);
    if (rc != OK)
        call_fail(&c);
    else
        call_answer_empty(&c, 204);
}

typedef ErrCode (*JobVerb)(Db *db, int64_t project, int64_t job, Err *err);

static void change(HttpRequest *req, JobVerb verb)
{
    Call c;
    if (!call_begin(req, &c))
        return;
    int64_t id = 0;
    ErrCode rc = call_path_id(&c, 0, "job", &id);
    if (rc == OK)
        rc = verb(c.app->db, c.who.project, id, &c.err);
    finish(&c, rc, NULL, id);
}

void jobs_pause(HttpRequest *req)
{
    change(req, flow_pause);
}

void jobs_resume(HttpRequest *req)
{
    change(req, flow_resume);
}

/* pipelines: stored definitions and their versions. Running them: pipeline_run.c; how a job's nodes
 * stand: nodes.c. */
#include "api/definition.h"
#include "api/params.h"
#include "api/routes.h"
#include "api/write.h"
#include "surface/graph.h"

enum { GRAPH_MAX = 4 * 1024 * 1024 };

/* --- storing --- */

static void fail_pipeline(Call *c, ErrCode rc, const PipelineFaults *faults)
{
    Buf b = buf_init(c->arena, 256 * KIB);
    JsonOut j = json_out(&b);
    json_begin(&j, '[');
    for (size_t i = 0; rc == ERR_BAD_PIPELINE && i < faults->len; i++) {
        json_begin(&j, '{');
        json_kv_str(&j, "param", faults->items[i].path);
        if (faults->items[i].line > 0)
            json_kv_int(&j, "line", faults->items[i].line);
        json_kv_str(&j, "detail", faults->items[i].detail);
        json_end(&j, '}');
    }
    json_end(&j, ']');
    bool some = rc == ERR_BAD_PIPELINE && faults->len > 0 && !b.failed;
    http_answer_err(c->req, &c->err, some ? buf_str(&b) : (Str){0});
}

static void put_info(const PipelineInfo *p, JsonOut *j)
{
    json_kv_str(j, "name", p->name);
    json_kv_int(j, "version", p->version);
    json_kv_int(j, "versions", p->versions);
    json_kv_str(j, "title", p->title);
    json_kv_str(j, "summary", p->summary);
    json_kv_bool(j, "built_in", p->built_in);
    write_time(j, "created", p->created_ms);
    write_time(j, "changed", p->changed_ms);
    json_kv_str(j, "hash", p->hash);
}

static void put_list(const char *key, const PipelineInfo *all, size_t len, JsonOut *j)
{
    json_begin(j, '{');
    json_key(j, key);
    json_begin(j, '[');
    for (size_t i = 0; i < len; i++) {
        json_begin(j, '{');
        put_info(&all[i], j);
        json_end(j, '}');
    }
    json_end(j, ']');
    json_end(j, '}');
}

/* What a dry run would have stored: no version yet. */
static PipelineInfo unstored(const Definition *d)
{
    return (PipelineInfo){
        .name = d->pipeline.name, .title = d->pipeline.title, .summary = d->pipeline.summary};
}

static void store(HttpRequest *req, bool named)
{
    Call c;
    if (!call_begin(req, &c))
        return;
    PipelinePut q = {.base_version = -1};
    ParamFaults bad = {0};
    PipelineFaults *faults = arena_new(c.arena, PipelineFaults, 1);
    Definition d;
    PipelineInfo info;
    bool made = false;
    ErrCode rc = call_query(&c, pipeline_put_params, &q, &bad);
    if (rc != OK || faults == NULL) {
        call_refuse(&c, rc, &bad);
        return;
    }
    rc = definition_read(c.app, c.who.project, c.reader, req->body,
                         named ? req->params[0] : (Str){0}, c.arena, &d, faults, &c.err);
    if (rc == OK && q.dry_run)
        info = unstored(&d);
    else if (rc == OK)
        rc = definition_put(c.app, c.who.project, c.who.key, &d, q.base_version, c.arena, &info,
                            &made, &c.err);
    if (rc != OK) {
        fail_pipeline(&c, rc, faults);
        return;
    }
    json_begin(&c.json, '{');
    put_info(&info, &c.json);
    json_end(&c.json, '}');
    call_answer(&c, made ? 201 : 200);
}

void pipelines_add(HttpRequest *req)
{
    store(req, false);
}

void pipelines_put(HttpRequest *req)
{
    store(req, true);
}

void pipelines_delete(HttpRequest *req)
{
    Call c;
    if (!call_begin(req, &c))
        return;
    if (flow_pipeline_delete(c.app->db, c.who.project, req->params[0], &c.err) != OK)
        call_fail(&c);
    else
        call_answer_empty(&c, 204);
}

/* --- reading --- */

void pipelines_list(HttpRequest *req)
{
    Call c;
    if (!call_begin(req, &c))
        return;
    PipelineInfo *all = NULL;
    size_t len = 0;
    if (flow_pipeline_list(c.reader, c.who.project, c.arena, &all, &len, &c.err) != OK) {
        call_fail(&c);
        return;
    }
    put_list("pipelines", all, len, &c.json);
    call_answer(&c, 200);
}

void pipelines_versions(HttpRequest *req)
{
    Call c;
    if (!call_begin(req, &c))
        return;
    PipelineInfo *all = NULL;
    size_t len = 0;
    if (flow_pipeline_versions(c.reader, c.who.project, req->params[0], c.arena, &all, &len,
                               &c.err) != OK) {
        call_fail(&c);
        return;
    }
    put_list("versions", all, len, &c.json);
    call_answer(&c, 200);
}

/* Inputs in the words of a step's contract, so that whoever makes a form or flags of a step can
 * make them of a pipeline; its files have names beside. */
static void put_contract(const Pipeline *p, Arena *a, JsonOut *j)
{
    const Step contract = {.name = str_to_c(a, p->name),
                           .title = p->title.len > 0 ? str_to_c(a, p->title) : NULL,
                           .summary = p->summary.len > 0 ? str_to_c(a, p->summary) : NULL,
                           .params = p->inputs};
    json_key(j, "contract");
    step_put_json(&contract, j);
    json_key(j, "files");
    json_begin(j, '[');
    for (size_t i = 0; i < p->files_len; i++) {
        const FileInput *f = &p->files[i];
        json_begin(j, '{');
        json_kv_str(j, "name", f->name);
        json_kv_str(j, "help", f->help);
        json_kv_str(j, "accepts", f->accepts);
        json_kv_bool(j, "required", f->required);
        json_kv_bool(j, "many", f->many);
        json_end(j, '}');
    }
    json_end(j, ']');
    json_key(j, "schema");
    pipeline_put_inputs(p, j);
}

void pipelines_get(HttpRequest *req)
{
    Call c;
    if (!call_begin(req, &c))
        return;
    VersionQuery q = {0};
    ParamFaults faults = {0};
    PipelineInfo info;
    CLEANUP(flow_pipeline_release) PipelineHeld *held = NULL;
    ErrCode rc = call_query(&c, version_query_params, &q, &faults);
    if (rc == OK)
        rc = flow_pipeline_get(c.reader, c.who.project, req->params[0], q.version, c.arena, &info,
                               &c.err);
    if (rc == OK)
        rc = flow_pipeline_hold(c.reader, c.who.project, info.name, info.version, &held, &c.err);
    if (rc != OK) {
        call_refuse(&c, rc, &faults);
        return;
    }
    json_begin(&c.json, '{');
    put_info(&info, &c.json);
    put_contract(flow_pipeline_of(held), c.arena, &c.json);
    json_kv_raw(&c.json, "definition", info.definition);
    json_end(&c.json, '}');
    call_answer(&c, 200);
}

void pipelines_source(HttpRequest *req)
{
    Call c;
    if (!call_begin(req, &c))
        return;
    VersionQuery q = {0};
    ParamFaults faults = {0};
    PipelineInfo info;
    ErrCode rc = call_query(&c, version_query_params, &q, &faults);
    if (rc == OK)
        rc = flow_pipeline_get(c.reader, c.who.project, req->params[0], q.version, c.arena, &info,
                               &c.err);
    if (rc != OK) {
        call_refuse(&c, rc, &faults);
        return;
    }
    Str text = info.source.len > 0 ? info.source : info.definition;
    Str start = str_trim(text);
    bool json = start.len > 0 && start.ptr[0] == '{';
    http_answer_text(req, 200, json ? "application/json" : "application/yaml", text);
}

static ErrCode read_tree(Call *c, int64_t version, PipelineInfo *info, const Json **tree)
{
    ErrCode rc = flow_pipeline_get(c->reader, c->who.project, c->req->params[0], version, c->arena,
                                   info, &c->err);
    return rc != OK ? rc : json_parse(c->arena, info->definition, tree, &c->err);
}

void pipelines_diff(HttpRequest *req)
{
    Call c;
    if (!call_begin(req, &c))
        return;
    DiffQuery q = {0};
    ParamFaults faults = {0};
    PipelineInfo from, to;
    const Json *old = NULL, *new = NULL;
    ErrCode rc = call_query(&c, diff_query_params, &q, &faults);
    if (rc == OK)
        rc = read_tree(&c, q.to, &to, &new);
    if (rc == OK)
        rc = read_tree(&c, q.from > 0 ? q.from : to.version > 1 ? to.version - 1 : 1, &from, &old);
    if (rc != OK) {
        call_refuse(&c, rc, &faults);
        return;
    }
    json_begin(&c.json, '{');
    json_kv_str(&c.json, "name", to.name);
    json_kv_int(&c.json, "from", from.version);
    json_kv_int(&c.json, "to", to.version);
    json_key(&c.json, "changes");
    pipeline_put_diff(old, new, &c.json);
    json_end(&c.json, '}');
    call_answer(&c, 200);
}

void pipelines_graph(HttpRequest *req)
{
    Call c;
    if (!call_begin(req, &c))
        return;
    GraphQuery q = {0};
    ParamFaults faults = {0};
    CLEANUP(flow_pipeline_release) PipelineHeld *held = NULL;
    ErrCode rc = call_query(&c, graph_query_params, &q, &faults);
    if (rc == OK)
        rc = flow_pipeline_hold(c.reader, c.who.project, req->params[0], q.version, &held, &c.err);
    if (rc != OK) {
        call_refuse(&c, rc, &faults);
        return;
    }
    Buf b = buf_init(c.arena, GRAPH_MAX);
    graph_put(flow_pipeline_of(held), (GraphFormat)q.format, &b);
    if (b.failed) {
        err_set(&c.err, ERR_NO_MEMORY, "no memory for the graph");
        call_fail(&c);
        return;
    }
    http_answer_text(req, 200, "text/plain; charset=utf-8", buf_str(&b));
}

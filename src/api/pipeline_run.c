/* pipeline_run.c: POST /api/v1/pipelines/{name}/run, and running a job's pipeline again. */
#include "api/enqueue.h"
#include "api/gather.h"
#include "api/params.h"
#include "api/routes.h"
#include "api/write.h"
#include "base/id.h"
#include "flow/pipeline.h"

typedef struct FlowRun {
    Enqueue enqueue;
    PipelineRun run;
    Str callback_url; /* "": none */
} FlowRun;

static ErrCode add_run(DbConn *tx, Enqueue *e, Err *err)
{
    const FlowRun *r = e->what;
    ErrCode rc = flow_run_tx(tx, e->id, &r->run, &e->added, err);
    if (rc == OK && r->callback_url.len > 0 && !e->added.existed)
        rc = flow_callback_tx(tx, r->run.project, e->id, r->callback_url, err);
    return rc;
}

/* Texts of the held definition that outlive it: the run is written after it is let go. */
static ErrCode prepare(Call *c, const Gathered *g, const PipelineOptions *o, Str name,
                       int64_t version, Str inputs, FlowRun *r)
{
    ErrCode rc = call_callback(c, o->callback_url);
    if (rc != OK)
        return rc;
    r->callback_url = o->callback_url;
    r->enqueue = (Enqueue){.add = add_run, .what = r, .id = id_new(), .wait = o->wait};
    r->run = (PipelineRun){
        .project = c->who.project,
        .key = c->who.key,
        .name = name,
        .version = version,
        .inputs = inputs,
        .files = g->inputs,
        .files_len = g->inputs_len,
        .priority = o->priority,
        .delay_ms = o->delay_ms,
        .timeout_ms = o->timeout_ms,
        .no_memo = o->no_memo,
        .idempotency_key = http_header(c->req, "idempotency-key"),
        .trace = str_from_c(c->req->trace),
    };
    return r->run.idempotency_key.len > 0
               ? enqueue_hash(c, name, inputs, g->inputs, g->inputs_len, &r->run.request_hash)
               : OK;
}

/* The job that would have been made. */
static void answer_dry_run(Call *c, const FlowRun *r)
{
    const Job shown = {
        .id = r->enqueue.id,
        .step = STR("flow.run"),
        .queue = STR("flow"),
        .params = r->run.inputs,
        .trace = r->run.trace,
        .priority = r->run.priority,
        .state = JOB_RUNNING,
        .max_attempts = 1,
        .created_ms = id_time_ms(r->enqueue.id),
        .run_at_ms = id_time_ms(r->enqueue.id) + r->run.delay_ms,
        .inputs = (JobFile *)(uintptr_t)r->run.files,
        .inputs_len = r->run.files_len,
    };
    write_job(&c->json, &shown, c->app->registry, c->arena, true);
    call_answer(c, 200);
}

/* The version is an option, but which options and inputs there are depends on it. */
static int64_t version_asked(const HttpRequest *req, Arena *a)
{
    const Json *body = NULL;
    int64_t version = 0;
    if (str_to_i64(http_query(req, "version", a), &version) && version > 0)
        return version;
    if (req->body.len > 0 && json_parse(a, req->body, &body, NULL) == OK)
        version = json_int(json_get(body, "version"), 0);
    return version > 0 ? version : 0;
}

void pipelines_run(HttpRequest *req)
{
    Call c;
    if (!call_begin(req, &c))
        return;
    Gathered *g = arena_new(c.arena, Gathered, 1);
    FlowRun *r = arena_new(c.arena, FlowRun, 1);
    PipelineOptions options = {0};
    ParamFaults faults = {0};
    Str inputs = {0};
    CLEANUP(flow_pipeline_release) PipelineHeld *held = NULL;
    ErrCode rc =
        g != NULL && r != NULL ? OK : err_set(&c.err, ERR_NO_MEMORY, "no memory for the request");
    if (rc == OK)
        rc = flow_pipeline_hold(c.reader, c.who.project, req->params[0],
                                version_asked(req, c.arena), &held, &c.err);
    if (rc == OK) {
        const Pipeline *p = flow_pipeline_of(held);
        g->named = true;
        g->table = p->inputs;
        g->files = p->files;
        g->files_len = p->files_len;
        g->option_params = pipeline_option_params;
        rc = gather_request(&c, g);
    }
    if (rc == OK)
        rc = gather_check(&c, g, &options, &inputs, &faults);
    if (rc == OK)
        rc = prepare(&c, g, &options, req->params[0], flow_pipeline_version_of(held), inputs, r);
    if (rc != OK)
        call_refuse(&c, rc, &faults);
    else if (options.dry_run)
        answer_dry_run(&c, r);
    else
        enqueue(&c, &r->enqueue);
}

/* pipeline_run.c: POST /api/v1/pipelines/{name}/run, and running a job's pipeline again. */
#include "api/enqueue.h"
#include "api/gather.h"
#include "api/params.h"
#include "api/routes.h"
#include "api/wait.h"
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

/* The job as it begins: what is answered when it is on disk, and to a dry run. */
static ErrCode write_begin(Call *c, FlowRun *r)
{
    const Job shown = {
        .id = r->enqueue.id,
        .step = STR("flow.run"),
        .pipeline = r->run.name,
        .pipeline_version = r->run.version > 0 ? r->run.version : 1,
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
    r->enqueue.accepted = buf_str(&c->body);
    return c->body.failed ? err_set(&c->err, ERR_NO_MEMORY, "no memory for the answer") : OK;
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
        rc = prepare(&c, g, &options, req->params[0],
                     flow_pipeline_is_built_in(held) ? 0 : flow_pipeline_version_of(held), inputs,
                     r);
    if (rc == OK)
        rc = write_begin(&c, r);
    if (rc != OK)
        call_refuse(&c, rc, &faults);
    else if (options.dry_run)
        call_answer(&c, 200);
    else
        enqueue(&c, &r->enqueue);
}

/* --- again --- */

typedef struct Again {
    Job job;
    Gathered *gathered;
    ReplayOptions options;
    Replay replay;
} Again;

/* With changed inputs all of them are named; without, the job's own stay. */
static ErrCode gather_again(Call *c, Again *again, PipelineHeld *held, ParamFaults *faults)
{
    Gathered *g = again->gathered;
    const Pipeline *p = flow_pipeline_of(held);
    const Json *earlier = NULL;
    *g = (Gathered){.named = true,
                    .table = p->inputs,
                    .files = p->files,
                    .files_len = p->files_len,
                    .option_params = replay_option_params};
    ErrCode rc = gather_request(c, g);
    bool changed = g->params.len > 0 || g->inputs_len > 0 || g->faults.len > 0;
    if (rc == OK)
        rc = json_parse(c->arena, again->job.params, &earlier, &c->err);
    if (rc == OK)
        rc = gather_earlier(c, g, earlier);
    if (rc == OK)
        rc = gather_check(c, g, &again->options, &again->replay.inputs, faults);
    if (!changed)
        again->replay.inputs = (Str){0};
    again->replay.files = changed ? g->inputs : NULL;
    again->replay.files_len = changed ? g->inputs_len : 0;
    return rc;
}

static ErrCode prepare_again(Call *c, int64_t id, Again *again, ParamFaults *faults)
{
    CLEANUP(flow_pipeline_release) PipelineHeld *held = NULL;
    ErrCode rc = flow_get(c->reader, c->who.project, id, c->arena, &again->job, &c->err);
    if (rc == OK && again->job.pipeline.len == 0)
        rc = err_set(&c->err, ERR_CONFLICT, "the job is of a step, not of a pipeline");
    if (rc == OK)
        rc = flow_pipeline_hold(c->reader, c->who.project, again->job.pipeline,
                                again->job.pipeline_version, &held, &c->err);
    if (rc == OK)
        rc = gather_again(c, again, held, faults);
    again->replay.project = c->who.project;
    again->replay.key = c->who.key;
    again->replay.job = id;
    again->replay.from = again->options.from;
    again->replay.trace = str_from_c(c->req->trace);
    return rc;
}

void jobs_replay(HttpRequest *req)
{
    Call c;
    if (!call_begin(req, &c))
        return;
    int64_t id = 0;
    JobAdded added;
    Job job;
    ParamFaults faults = {0};
    Again *again = arena_new(c.arena, Again, 1);
    ErrCode rc = again != NULL ? call_path_id(&c, 0, "job", &id)
                               : err_set(&c.err, ERR_NO_MEMORY, "no memory for the request");
    if (rc == OK && (again->gathered = arena_new(c.arena, Gathered, 1)) == NULL)
        rc = err_set(&c.err, ERR_NO_MEMORY, "no memory for the request");
    if (rc == OK)
        rc = prepare_again(&c, id, again, &faults);
    if (rc == OK)
        rc = flow_replay(c.app->db, &again->replay, &added, &c.err);
    if (rc == OK)
        rc = flow_get(c.reader, c.who.project, added.job, c.arena, &job, &c.err);
    if (rc != OK) {
        call_refuse(&c, rc, &faults);
        return;
    }
    if (again->options.wait > 0 && !job_state_ended(job.state)) {
        wait_for_job(&c, added.job, again->options.wait);
        return;
    }
    nodes_read_waits(&c, &job);
    write_job(&c.json, &job, c.app->registry, c.arena, true);
    call_answer(&c, job_state_ended(job.state) ? 200 : 202);
}

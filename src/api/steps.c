/* steps: the registry, and running one. */
#include "api/enqueue.h"
#include "api/gather.h"
#include "api/params.h"
#include "api/routes.h"
#include "api/write.h"
#include "base/id.h"

void steps_list(HttpRequest *req)
{
    Call c;
    if (!call_begin(req, &c))
        return;
    json_begin(&c.json, '{');
    json_key(&c.json, "steps");
    json_begin(&c.json, '[');
    for (size_t i = 0; i < registry_count(c.app->registry); i++) {
        const Step *s = registry_at(c.app->registry, i);
        if (!s->internal)
            step_put_json(s, &c.json);
    }
    json_end(&c.json, ']');
    json_end(&c.json, '}');
    call_answer(&c, 200);
}

static const Step *find_step(Call *c)
{
    Str name = c->req->params[0];
    const Step *step = registry_find(c->app->registry, name);
    if (step != NULL)
        return step;
    const Step *near = registry_nearest(c->app->registry, name);
    Str shown = str_slice(name, 0, 64);
    err_set(&c->err, ERR_UNKNOWN_STEP, "there is no step \"" STR_FMT "\"", STR_ARG(shown));
    if (near != NULL)
        err_hint(&c->err, "Did you mean %s? GET /api/v1/steps lists them all.", near->name);
    call_fail(c);
    return NULL;
}

void steps_get(HttpRequest *req)
{
    Call c;
    if (!call_begin(req, &c))
        return;
    const Step *step = find_step(&c);
    if (step == NULL)
        return;
    step_put_json(step, &c.json);
    call_answer(&c, 200);
}

/* Said before the parameters are looked at: JSON that was taken for a file is why they are
 * missing. */
static ErrCode check_too_many(Call *c, const Step *s, const Gathered *g, bool batch)
{
    size_t max = s->accepts == NULL ? 0 : s->inputs_max > 0 ? (size_t)s->inputs_max : 1;
    if (g->inputs_len <= max || (batch && max > 0))
        return OK;
    err_set(&c->err, ERR_BAD_REQUEST, "%s takes at most %zu files, %zu came", s->name, max,
            g->inputs_len);
    if (max == 0)
        err_hint(&c->err,
                 "Send parameters as JSON with Content-Type: application/json, or in the query.");
    return ERR_BAD_REQUEST;
}

static ErrCode check_too_few(Call *c, const Step *s, const Gathered *g, bool batch)
{
    if (g->inputs_len == 0 && (batch || (s->accepts != NULL && !s->input_optional))) {
        err_set(&c->err, ERR_INPUT_MISSING, "%s needs a file", s->name);
        err_hint(&c->err, "Send it as multipart/form-data, as the raw body, or name a document or "
                          "blob in \"inputs\".");
        return ERR_INPUT_MISSING;
    }
    return OK;
}

/* A job on its way to disk. */
typedef struct StepRun {
    Enqueue enqueue;
    JobNew job;
    bool batch;
    BatchNew items; /* of a batch: its job is `job` */
} StepRun;

static ErrCode add_job(DbConn *tx, Enqueue *e, Err *err)
{
    const StepRun *r = e->what;
    return r->batch ? flow_add_batch_tx(tx, e->id, &r->items, &e->added, err)
                    : flow_add_tx(tx, e->id, &r->job, &e->added, err);
}

static ErrCode prepare(Call *c, const Step *step, const Gathered *g, const RunOptions *o,
                       Str params, bool batch, StepRun *r)
{
    ErrCode rc = call_callback(c, o->callback_url);
    if (rc != OK)
        return rc;
    Enqueue *e = &r->enqueue;
    *e = (Enqueue){.add = add_job, .what = r, .id = id_new(), .wait = o->wait};
    r->job = (JobNew){
        .project = c->who.project,
        .key = c->who.key,
        .step = step,
        .params = params,
        .inputs = g->inputs,
        .inputs_len = g->inputs_len,
        .idempotency_key = http_header(c->req, "idempotency-key"),
        .trace = str_from_c(c->req->trace),
    };
    run_options_take(o, &r->job);
    Job shown = {
        .id = e->id,
        .step = str_from_c(step->name),
        .queue =
            step->outside == NULL && o->queue.len > 0 ? o->queue : flow_queue_for(step, params),
        .params = params,
        .trace = r->job.trace,
        .priority = o->priority,
        .max_attempts = flow_attempts_of(&r->job),
        .created_ms = id_time_ms(e->id),
        .run_at_ms = id_time_ms(e->id) + o->delay_ms,
        .inputs = g->inputs,
        .inputs_len = g->inputs_len,
    };
    if (batch) {
        shown.batch = true;
        shown.state = JOB_RUNNING;
        shown.progress_total = shown.items.total = shown.items.queued = (int64_t)g->inputs_len;
        for (size_t i = 0; i < g->inputs_len && o->dry_run && !o->keep_archives; i++)
            shown.items.archives += gather_is_archive(&g->inputs[i]);
    }
    if (flow_check(&r->job, &c->err) != OK) /* also of a dry run */
        return c->err.code;
    write_job(&c->json, &shown, c->app->registry, c->arena, true);
    e->accepted = buf_str(&c->body);
    if (c->body.failed)
        return err_set(&c->err, ERR_NO_MEMORY, "no memory for the answer");
    return r->job.idempotency_key.len > 0
               ? enqueue_hash(c, str_from_c(step->name), params, g->inputs, g->inputs_len,
                              &r->job.request_hash)
               : OK;
}

static ErrCode prepare_batch(Call *c, const Step *step, const Gathered *g, const RunOptions *o,
                             StepRun *r)
{
    bool *archive = arena_new(c->arena, bool, g->inputs_len);
    ParamFaults faults = {0};
    if (archive == NULL)
        return err_set(&c->err, ERR_NO_MEMORY, "no memory for the batch");
    r->batch = true;
    r->items = (BatchNew){.job = r->job, .archive = archive};
    r->items.unpack = registry_find(c->app->registry, STR("archive.extract"));
    if (o->keep_archives || r->items.unpack == NULL || r->items.unpack == step)
        return OK;
    for (size_t i = 0; i < g->inputs_len; i++)
        archive[i] = gather_is_archive(&g->inputs[i]);
    return param_check(r->items.unpack->params, NULL, c->arena, &r->items.unpack_params, &faults,
                       &c->err);
}

/* Of a task for a queue: "payload" stands beside the options, and the path names the queue. */
static ErrCode address(Call *c, Gathered *g, Str queue)
{
    Json *to = arena_new(c->arena, Json, 1);
    if (to == NULL)
        return err_set(&c->err, ERR_NO_MEMORY, "no memory for the request");
    *to = (Json){.type = JSON_TEXT, .text = queue, .key = STR("to")};
    g->params = (Json){.type = JSON_OBJECT, .len = 1, .first = to};
    for (Json **at = &g->options.first; *at != NULL;) {
        Json *member = *at;
        if (!str_eq_c(member->key, "payload")) {
            at = &member->next;
            continue;
        }
        *at = member->next;
        member->next = NULL;
        to->next = member; /* the last one counts */
        g->params.len = 2;
        g->options.len--;
    }
    return OK;
}

typedef struct RunAs {
    const Step *step;
    bool batch;
    Str queue; /* not empty: a task for it */
} RunAs;

static void run_as(Call *c, const RunAs *as)
{
    const Step *step = as->step;
    Gathered *g = arena_new(c->arena, Gathered, 1);
    StepRun *r = arena_new(c->arena, StepRun, 1);
    RunOptions options = {0};
    ParamFaults faults = {0};
    Str params;
    bool batch = as->batch;
    ErrCode rc =
        g != NULL && r != NULL ? OK : err_set(&c->err, ERR_NO_MEMORY, "no memory for the request");
    if (rc == OK) {
        g->table = step->params;
        g->inputs_max = batch ? GATHER_BATCH_MAX : 0;
        g->option_params = batch ? batch_option_params : run_option_params;
        rc = gather_request(c, g);
    }
    if (rc == OK && as->queue.len > 0)
        rc = address(c, g, as->queue);
    if (rc == OK)
        rc = check_too_many(c, step, g, batch);
    if (rc == OK)
        rc = gather_check(c, g, &options, &params, &faults);
    if (rc == OK)
        rc = check_too_few(c, step, g, batch);
    if (rc == OK)
        rc = prepare(c, step, g, &options, params, batch, r);
    if (rc == OK && batch)
        rc = prepare_batch(c, step, g, &options, r);
    if (rc != OK) {
        call_refuse(c, rc, &faults);
        return;
    }
    if (options.dry_run) {
        call_answer(c, 200);
        return;
    }
    enqueue(c, &r->enqueue);
}

static void run_step_as(HttpRequest *req, bool batch)
{
    Call c;
    if (!call_begin(req, &c))
        return;
    const Step *step = find_step(&c);
    if (step != NULL)
        run_as(&c, &(RunAs){.step = step, .batch = batch});
}

static void run_step(HttpRequest *req)
{
    run_step_as(req, false);
}

void steps_batch(HttpRequest *req)
{
    run_step_as(req, true);
}

static void send_to_queue(HttpRequest *req)
{
    Call c;
    if (call_begin(req, &c))
        run_as(&c, &(RunAs){.step = registry_find(c.app->registry, STR("queue.send")),
                            .queue = req->params[0]});
}

/* Small parameters without files are checked and handed to the writer right on the loop: nothing in
 * that waits, and the way over the pool would cost as much again. Whatever may look into the store
 * or take its time goes to the pool. */
static void run_near(HttpRequest *req, HttpHandler handler)
{
    enum { SMALL_BODY = 16 * 1024 };
    bool names_inputs = str_find(req->body, STR("\"inputs\"")) != STR_NONE;
    if (req->uploads_len == 0 && req->body.len <= SMALL_BODY && !names_inputs) {
        handler(req);
        return;
    }
    HttpTicket ticket = http_park(req);
    http_resume(http_server(req), ticket, handler);
}

void steps_run(HttpRequest *req)
{
    run_near(req, run_step);
}

void queues_send(HttpRequest *req)
{
    run_near(req, send_to_queue);
}

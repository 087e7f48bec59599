/* steps: the registry, and running one. */
#include "api/gather.h"
#include "api/params.h"
#include "api/routes.h"
#include "api/wait.h"
#include "api/write.h"
#include "base/id.h"

#include <openssl/evp.h>
#include <string.h>

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
static ErrCode check_too_many(Call *c, const Gathered *g, bool batch)
{
    const Step *s = g->step;
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

static ErrCode check_too_few(Call *c, const Gathered *g, bool batch)
{
    const Step *s = g->step;
    if (g->inputs_len == 0 && (batch || (s->accepts != NULL && !s->input_optional))) {
        err_set(&c->err, ERR_INPUT_MISSING, "%s needs a file", s->name);
        err_hint(&c->err, "Send it as multipart/form-data, as the raw body, or name a document or "
                          "blob in \"inputs\".");
        return ERR_INPUT_MISSING;
    }
    return OK;
}

/* Both tables at once, so that every fault is named in one answer. Without options nothing is
 * checked: all of them start as zero. */
static ErrCode check_names(Call *c, const Gathered *g, RunOptions *options, Str *params,
                           ParamFaults *faults)
{
    ErrCode rc_params = param_check(g->step->params, &g->params, c->arena, params, faults, &c->err);
    if ((rc_params != OK && rc_params != ERR_BAD_PARAM) || g->options.len == 0)
        return rc_params;
    ParamFaults more = {0};
    const Json *checked = NULL;
    Str canonical;
    ErrCode rc = param_check(g->option_params, &g->options, c->arena, &canonical, &more,
                             rc_params == OK ? &c->err : NULL);
    for (size_t i = 0; i < more.len && faults->len < PARAM_FAULTS_MAX; i++)
        faults->items[faults->len++] = more.items[i];
    if (rc_params != OK || rc != OK)
        return rc_params != OK ? rc_params : rc;
    rc = json_parse(c->arena, canonical, &checked, &c->err);
    return rc != OK ? rc : param_fill(g->option_params, checked, c->arena, options, &c->err);
}

/* SHA-256 over all that makes the request what it is; hex, in the arena. */
static ErrCode hash_request(Call *c, const Gathered *g, Str params, Str *out)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int len = 0;
    Buf hex = buf_init(c->arena, KIB);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool ok = ctx != NULL && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1 &&
              EVP_DigestUpdate(ctx, g->step->name, strlen(g->step->name) + 1) == 1 &&
              EVP_DigestUpdate(ctx, params.ptr, params.len) == 1;
    for (size_t i = 0; ok && i < g->inputs_len; i++)
        ok = EVP_DigestUpdate(ctx, g->inputs[i].hash.ptr, g->inputs[i].hash.len) == 1;
    ok = ok && EVP_DigestFinal_ex(ctx, digest, &len) == 1;
    EVP_MD_CTX_free(ctx);
    for (unsigned int i = 0; ok && i < len; i++)
        buf_addf(&hex, "%02x", digest[i]);
    if (!ok || hex.failed)
        return err_set(&c->err, ERR_NO_MEMORY, "no memory to hash the request");
    *out = buf_str(&hex);
    return OK;
}

/* A job on its way to disk: lives in the parked request's arena until the commit has answered. */
typedef struct Enqueue {
    DbWrite write;
    App *app;
    HttpRequest *req;
    JobNew job;
    bool batch;
    BatchNew items; /* of a batch: its job is `job` */
    JobAdded added;
    int64_t id, wait;
    int64_t project;
    Str accepted; /* the answer when it is on disk */
} Enqueue;

static ErrCode enqueue_write(DbConn *tx, void *arg, Err *err)
{
    Enqueue *e = arg;
    return e->batch ? flow_add_batch_tx(tx, e->id, &e->items, &e->added, err)
                    : flow_add_tx(tx, e->id, &e->job, &e->added, err);
}

/* On the pool, after the commit: wait for the end, or show the job that an idempotency key
 * named. */
static void enqueue_continue(HttpRequest *req)
{
    Call c;
    const Enqueue *e = req->state;
    call_begin_public(req, &c);
    c.json = json_out(&c.body);
    c.who.project = e->project;
    Job job;
    if (db_reader(c.app->db, &c.reader, &c.err) != OK ||
        flow_get(c.reader, e->project, e->added.job, c.arena, &job, &c.err) != OK) {
        call_fail(&c);
        return;
    }
    if (e->wait > 0 && (job.state == JOB_QUEUED || job.state == JOB_RUNNING)) {
        wait_for_job(&c, e->added.job, e->wait);
        return;
    }
    write_job(&c.json, &job, c.app->registry, c.arena, true);
    call_answer(&c, job.state == JOB_QUEUED || job.state == JOB_RUNNING ? 202 : 200);
}

/* On the writer's thread: hand over and return. */
static void enqueue_done(DbWrite *w, ErrCode rc, const Err *err)
{
    Enqueue *e = w->arg;
    if (rc == OK && (e->wait > 0 || e->added.existed)) {
        http_resume(e->app->http, e->req->ticket, enqueue_continue);
        return;
    }
    if (rc == OK)
        http_answer_json(e->req, 202, e->accepted);
    else
        http_answer_err(e->req, err, (Str){0});
    http_reply(e->app->http, e->req);
}

static ErrCode prepare(Call *c, Gathered *g, const RunOptions *o, Str params, bool batch,
                       Enqueue *e)
{
    *e = (Enqueue){
        .app = c->app, .req = c->req, .id = id_new(), .wait = o->wait, .project = c->who.project};
    e->job = (JobNew){
        .project = c->who.project,
        .key = c->who.key,
        .step = g->step,
        .params = params,
        .inputs = g->inputs,
        .inputs_len = g->inputs_len,
        .priority = o->priority,
        .delay_ms = o->delay_ms,
        .attempts = o->attempts,
        .timeout_ms = o->timeout_ms,
        .concurrency_key = o->concurrency_key,
        .idempotency_key = http_header(c->req, "idempotency-key"),
        .trace = str_from_c(c->req->trace),
    };
    e->write = (DbWrite){.fn = enqueue_write, .done = enqueue_done, .arg = e};
    Job shown = {
        .id = e->id,
        .step = str_from_c(g->step->name),
        .queue = flow_queue_for(g->step, params),
        .params = params,
        .trace = e->job.trace,
        .priority = o->priority,
        .max_attempts = flow_attempts_of(&e->job),
        .created_ms = id_time_ms(e->id),
        .run_at_ms = id_time_ms(e->id) + o->delay_ms,
        .inputs = g->inputs,
        .inputs_len = g->inputs_len,
    };
    if (batch) {
        shown.batch = true;
        shown.state = JOB_RUNNING;
        shown.progress_total = shown.items.total = shown.items.queued = (int64_t)g->inputs_len;
    }
    write_job(&c->json, &shown, c->app->registry, c->arena, true);
    e->accepted = buf_str(&c->body);
    if (c->body.failed)
        return err_set(&c->err, ERR_NO_MEMORY, "no memory for the answer");
    return e->job.idempotency_key.len > 0 ? hash_request(c, g, params, &e->job.request_hash) : OK;
}

/* By its name, as an archive is told before anybody has looked into it; one that lies fails as an
 * item. */
static bool is_archive(const JobFile *f)
{
    static const char *const ends[] = {".zip",     ".tar",     ".tgz", ".tar.gz", ".tar.xz",
                                       ".tar.zst", ".tar.bz2", ".7z",  ".rar"};
    for (size_t i = 0; i < COUNT_OF(ends); i++) {
        size_t n = strlen(ends[i]);
        if (f->name.len > n &&
            str_eq_nocase(str_slice(f->name, f->name.len - n, f->name.len), str_from_c(ends[i])))
            return true;
    }
    return false;
}

static ErrCode prepare_batch(Call *c, const Gathered *g, const RunOptions *o, Enqueue *e)
{
    bool *archive = arena_new(c->arena, bool, g->inputs_len);
    ParamFaults faults = {0};
    if (archive == NULL)
        return err_set(&c->err, ERR_NO_MEMORY, "no memory for the batch");
    e->batch = true;
    e->items = (BatchNew){.job = e->job, .archive = archive};
    e->items.unpack = registry_find(c->app->registry, STR("archive.extract"));
    if (o->keep_archives || e->items.unpack == NULL || e->items.unpack == g->step)
        return OK;
    for (size_t i = 0; i < g->inputs_len; i++)
        archive[i] = is_archive(&g->inputs[i]);
    return param_check(e->items.unpack->params, NULL, c->arena, &e->items.unpack_params, &faults,
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
    Gathered *g = arena_new(c->arena, Gathered, 1);
    Enqueue *e = arena_new(c->arena, Enqueue, 1);
    RunOptions options = {0};
    ParamFaults faults = {0};
    Str params;
    bool batch = as->batch;
    ErrCode rc =
        g != NULL && e != NULL ? OK : err_set(&c->err, ERR_NO_MEMORY, "no memory for the request");
    if (rc == OK) {
        g->step = as->step;
        g->option_params = batch ? batch_option_params : run_option_params;
        rc = gather_request(c, g);
    }
    if (rc == OK && as->queue.len > 0)
        rc = address(c, g, as->queue);
    if (rc == OK)
        rc = check_too_many(c, g, batch);
    if (rc == OK)
        rc = check_names(c, g, &options, &params, &faults);
    if (rc == OK)
        rc = check_too_few(c, g, batch);
    if (rc == OK)
        rc = prepare(c, g, &options, params, batch, e);
    if (rc == OK && batch)
        rc = prepare_batch(c, g, &options, e);
    if (rc != OK) {
        call_refuse(c, rc, &faults);
        return;
    }
    if (options.dry_run) {
        call_answer(c, 200);
        return;
    }
    c->req->state = e;
    http_park(c->req);
    db_write_async(c->app->db, &e->write);
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

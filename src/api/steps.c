/* steps: the registry, and running one.
 *
 * One request, three forms, one path: everything that is named like an option (params.h, run_option_params) says how to run, everything
 * else is a parameter of the step. Names come from the query, then the form fields, then the JSON body's "params"; files come as
 * uploads, or as {"blob"} and {"document"} in the JSON body's "inputs". */
#include "api/params.h"
#include "api/routes.h"
#include "api/wait.h"
#include "api/write.h"
#include "base/clock.h"
#include "base/id.h"
#include "base/fd.h"
#include "content/document.h"

#include <openssl/evp.h>
#include <string.h>

enum { INPUTS_MAX = 100, TEXTS_MAX = 128, NAMES_MAX = 1 << 20 };

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

/* What a request asks for, gathered from its three places. */
typedef struct Gathered {
    const Step *step;
    ParamText params[TEXTS_MAX], options[TEXTS_MAX]; /* from query and form */
    size_t params_len, options_len;
    Buf params_json, options_json;
    JsonOut params_out, options_out;
    JobFile inputs[INPUTS_MAX];
    size_t inputs_len;
} Gathered;

static ErrCode gather_text(Call *c, Gathered *g, Str name, Str value)
{
    bool option = param_find(run_option_params, name) != NULL;
    ParamText *texts = option ? g->options : g->params;
    size_t *len = option ? &g->options_len : &g->params_len;
    if (*len == TEXTS_MAX)
        return err_set(&c->err, ERR_LIMIT_COUNT, "more than %d parameters", TEXTS_MAX);
    texts[(*len)++] = (ParamText){name, value};
    return OK;
}

static ErrCode add_input(Call *c, Gathered *g, JobFile file)
{
    if (g->inputs_len == INPUTS_MAX)
        return err_set(&c->err, ERR_LIMIT_COUNT, "more than %d inputs", INPUTS_MAX);
    g->inputs[g->inputs_len++] = file;
    return OK;
}

static ErrCode gather_document(Call *c, Gathered *g, Str id_or_empty)
{
    int64_t id;
    Document d;
    if (!id_parse("doc", id_or_empty, &id))
        return err_set(&c->err, ERR_NOT_FOUND, "an input's \"document\" must be an id of the form doc_…");
    ErrCode rc = document_get(c->reader, c->who.project, id, c->arena, &d, &c->err);
    return rc != OK ? rc : add_input(c, g, (JobFile){d.name, d.type, d.hash, d.size_bytes});
}

static ErrCode gather_blob(Call *c, Gathered *g, const Json *input)
{
    Str hash = json_text(json_get(input, "blob")), name = json_text(json_get(input, "name"));
    bool seen = false;
    int fd = -1;
    int64_t size = 0;
    ErrCode rc = blob_row_seen(c->reader, c->who.project, hash, &seen, &c->err);
    if (rc == OK && !seen)
        rc = err_set(&c->err, ERR_NOT_FOUND, "an input's \"blob\" is not in this project");
    if (rc == OK)
        rc = blob_open(c->app->blobs, hash, &fd, &size, &c->err);
    fd_close(&fd);
    if (rc != OK)
        return rc;
    return add_input(c, g, (JobFile){name.len > 0 ? name : hash, json_text(json_get(input, "type")), hash, size});
}

static ErrCode gather_body(Call *c, Gathered *g)
{
    const Json *body = NULL;
    ErrCode rc = call_json(c, &body);
    if (rc != OK || body == NULL)
        return rc;
    if (!json_is(body, JSON_OBJECT))
        return err_set(&c->err, ERR_BAD_REQUEST, "the body must be an object: {\"params\":{…},\"inputs\":[…]}");
    json_each(member, body)
    {
        bool is_params = str_eq_c(member->key, "params"), is_inputs = str_eq_c(member->key, "inputs");
        if ((is_params && !json_is(member, JSON_OBJECT)) || (is_inputs && !json_is(member, JSON_LIST)))
            return err_set(&c->err, ERR_BAD_REQUEST, "\"" STR_FMT "\" has the wrong type", STR_ARG(member->key));
        if (is_params) {
            json_each(p, member)
            {
                json_key_str(&g->params_out, p->key);
                json_put(&g->params_out, p);
            }
        } else if (is_inputs) {
            json_each(input, member)
            {
                const Json *document = json_get(input, "document");
                rc = document != NULL ? gather_document(c, g, json_text(document)) : gather_blob(c, g, input);
                if (rc != OK)
                    return rc;
            }
        } else { /* an option, or a name that param_check will refuse */
            json_key_str(&g->options_out, member->key);
            json_put(&g->options_out, member);
        }
    }
    return OK;
}

/* Objects are left open by param_from_texts' caller: the body's members join those of the query. */
static void begin_object(const Param *params, const ParamText *texts, size_t len, Arena *a, Buf *b, JsonOut *j)
{
    *b = buf_init(a, NAMES_MAX * 2);
    *j = json_out(b);
    param_from_texts(params, texts, len, j);
    if (b->len > 0)
        b->len--; /* the closing brace */
    j->comma = len > 0;
}

static ErrCode gather(Call *c, Gathered *g)
{
    HttpRequest *req = c->req;
    Str name, value;
    ErrCode rc = OK;
    for (size_t at = 0; rc == OK && http_query_next(req, &at, &name, &value);)
        rc = gather_text(c, g, name, value);
    for (size_t i = 0; rc == OK && i < req->form_len; i++)
        rc = gather_text(c, g, req->form[i].name, req->form[i].value);
    begin_object(g->step->params, g->params, g->params_len, c->arena, &g->params_json, &g->params_out);
    begin_object(run_option_params, g->options, g->options_len, c->arena, &g->options_json, &g->options_out);
    for (size_t i = 0; rc == OK && i < req->uploads_len; i++) {
        const HttpUpload *u = &req->uploads[i];
        rc = add_input(c, g, (JobFile){u->filename.len > 0 ? u->filename : STR("input"), u->type,
                                       (Str){u->blob.hash, BLOB_HASH_LEN}, u->blob.size_bytes});
    }
    if (rc == OK)
        rc = gather_body(c, g);
    json_end(&g->params_out, '}');
    json_end(&g->options_out, '}');
    if (rc == OK && (g->params_json.failed || g->options_json.failed))
        rc = err_set(&c->err, ERR_INPUT_TOO_LARGE, "the parameters are larger than %d bytes", NAMES_MAX);
    return rc;
}

static ErrCode check_inputs(Call *c, const Gathered *g)
{
    const Step *s = g->step;
    size_t max = s->accepts == NULL ? 0 : s->inputs_max > 0 ? (size_t)s->inputs_max : 1;
    if (g->inputs_len > max)
        return err_set(&c->err, ERR_BAD_REQUEST, "%s takes at most %zu files, %zu came", s->name, max, g->inputs_len);
    if (g->inputs_len == 0 && max > 0 && !s->input_optional) {
        err_set(&c->err, ERR_INPUT_MISSING, "%s needs a file", s->name);
        err_hint(&c->err, "Send it as multipart/form-data, as the raw body, or name a document or blob in \"inputs\".");
        return ERR_INPUT_MISSING;
    }
    return OK;
}

/* Both tables at once, so that every fault is named in one answer. */
static ErrCode check_names(Call *c, Gathered *g, RunOptions *options, Str *params, ParamFaults *faults)
{
    const Json *given = NULL;
    Str canonical;
    ErrCode rc = json_parse(c->arena, buf_str(&g->params_json), &given, &c->err);
    if (rc != OK)
        return rc;
    ErrCode rc_params = param_check(g->step->params, given, c->arena, params, faults, &c->err);
    if (rc_params != OK && rc_params != ERR_BAD_PARAM)
        return rc_params;
    rc = json_parse(c->arena, buf_str(&g->options_json), &given, rc_params == OK ? &c->err : NULL);
    ParamFaults more = {0};
    if (rc == OK)
        rc = param_check(run_option_params, given, c->arena, &canonical, &more, rc_params == OK ? &c->err : NULL);
    for (size_t i = 0; i < more.len && faults->len < PARAM_FAULTS_MAX; i++)
        faults->items[faults->len++] = more.items[i];
    if (rc_params != OK || rc != OK)
        return rc_params != OK ? rc_params : rc;
    rc = json_parse(c->arena, canonical, &given, &c->err);
    return rc != OK ? rc : param_fill(run_option_params, given, c->arena, options, &c->err);
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
    JobAdded added;
    int64_t id, wait;
    int64_t project;
    Str accepted; /* the answer when it is on disk */
} Enqueue;

static ErrCode enqueue_write(DbConn *tx, void *arg, Err *err)
{
    Enqueue *e = arg;
    return flow_add_tx(tx, e->id, &e->job, &e->added, err);
}

/* On the pool, after the commit: wait for the end, or show the job that an idempotency key named. */
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

static ErrCode prepare(Call *c, Gathered *g, const RunOptions *o, Str params, Enqueue *e)
{
    *e = (Enqueue){.app = c->app, .req = c->req, .id = id_new(), .wait = o->wait, .project = c->who.project};
    e->job = (JobNew){
        .project = c->who.project, .key = c->who.key, .step = g->step, .params = params, .inputs = g->inputs,
        .inputs_len = g->inputs_len, .priority = o->priority, .delay_ms = o->delay_ms,
        .attempts = o->attempts, .timeout_ms = o->timeout_ms, .concurrency_key = o->concurrency_key,
        .idempotency_key = http_header(c->req, "idempotency-key"), .trace = str_from_c(c->req->trace),
    };
    e->write = (DbWrite){.fn = enqueue_write, .done = enqueue_done, .arg = e};
    Job shown = {
        .id = e->id, .step = str_from_c(g->step->name), .queue = flow_queue_of(g->step), .params = params,
        .trace = e->job.trace, .priority = o->priority, .max_attempts = flow_attempts_of(&e->job),
        .created_ms = id_time_ms(e->id), .run_at_ms = id_time_ms(e->id) + o->delay_ms, .inputs = g->inputs,
        .inputs_len = g->inputs_len,
    };
    write_job(&c->json, &shown, c->app->registry, c->arena, true);
    e->accepted = buf_str(&c->body);
    if (c->body.failed)
        return err_set(&c->err, ERR_NO_MEMORY, "no memory for the answer");
    return e->job.idempotency_key.len > 0 ? hash_request(c, g, params, &e->job.request_hash) : OK;
}

void steps_run(HttpRequest *req)
{
    Call c;
    if (!call_begin(req, &c))
        return;
    const Step *step = find_step(&c);
    if (step == NULL)
        return;
    Gathered *g = arena_new(c.arena, Gathered, 1);
    Enqueue *e = arena_new(c.arena, Enqueue, 1);
    RunOptions options = {0};
    ParamFaults faults = {0};
    Str params;
    ErrCode rc = g != NULL && e != NULL ? OK : err_set(&c.err, ERR_NO_MEMORY, "no memory for the request");
    if (rc == OK) {
        g->step = step;
        rc = gather(&c, g);
    }
    if (rc == OK)
        rc = check_names(&c, g, &options, &params, &faults);
    if (rc == OK)
        rc = check_inputs(&c, g);
    if (rc == OK)
        rc = prepare(&c, g, &options, params, e);
    if (rc != OK) {
        call_refuse(&c, rc, &faults);
        return;
    }
    if (options.dry_run) {
        call_answer(&c, 200);
        return;
    }
    req->state = e;
    http_park(req);
    db_write_async(c.app->db, &e->write);
}

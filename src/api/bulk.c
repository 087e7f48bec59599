/* many jobs in one request: POST /api/v1/jobs.
 *
 * All of the body is read and checked first. Then one write function adds every job, so that a
 * hundred jobs cost one turn of the writer, one sync and one answer. */
#include "api/gather.h"
#include "api/params.h"
#include "api/routes.h"
#include "api/write.h"
#include "base/id.h"

#include <openssl/evp.h>
#include <string.h>

enum { ERRORS_MAX = 512 * 1024 };

/* One job of the request: its place among those that are added, or its problem as JSON. */
typedef struct Item {
    int64_t place;
    Str problem; /* "": none */
} Item;

typedef struct Bulk {
    /* The check's. */
    Call *c;
    const Step *step; /* of the job before: mostly the same */
    Buf errors;
    JsonOut errors_json;
    size_t faulty;
    ErrCode first_code;
    /* The write's. */
    DbWrite write;
    App *app;
    HttpRequest *req;
    Item *items;
    size_t items_len;
    JobNew *jobs;
    size_t jobs_len;
    int64_t first;
    JobAdded added;
} Bulk;

/* --- faults --- */

static void put_errors(JsonOut *j, const char *prefix, const ParamFaults *faults)
{
    char param[160];
    for (size_t i = 0; i < faults->len; i++) {
        Str name = str_slice(faults->items[i].param, 0, 64);
        snprintf(param, sizeof param, "%s" STR_FMT, prefix, STR_ARG(name));
        json_begin(j, '{');
        json_kv_c(j, "param", param);
        json_kv_str(j, "detail", faults->items[i].detail);
        json_end(j, '}');
    }
}

/* Job number `i` cannot be added: for the list of all faults, and for its own place. */
static ErrCode note_fault(Bulk *b, size_t i, const ParamFaults *faults, ErrCode code)
{
    Err *err = &b->c->err;
    char prefix[32];
    ParamFaults one = {
        .len = 1, .items = {{.param = str_from_c(err->param), .detail = str_from_c(err->text)}}};
    const ParamFaults *all = faults->len > 0 ? faults : &one;
    bool named = faults->len > 0 || err->param[0] != 0;
    snprintf(prefix, sizeof prefix, named ? "jobs[%zu]." : "jobs[%zu]", i);
    put_errors(&b->errors_json, prefix, all);

    Buf text = buf_init(b->c->arena, ERRORS_MAX);
    JsonOut j = json_out(&text);
    json_begin(&j, '{');
    json_kv_c(&j, "reason", err_reason(code));
    json_kv_c(&j, "detail", err->text);
    if (faults->len > 0) {
        json_key(&j, "errors");
        json_begin(&j, '[');
        put_errors(&j, "", faults);
        json_end(&j, ']');
    }
    json_end(&j, '}');
    if (text.failed || b->errors.failed)
        return err_set(err, ERR_LIMIT_COUNT,
                       "more faults than can be told: correct the first ones");
    b->items[i].problem = buf_str(&text);
    if (b->faulty++ == 0)
        b->first_code = code;
    *err = (Err){0};
    return OK;
}

/* --- one job --- */

static ErrCode find_step(Bulk *b, Str name)
{
    Err *err = &b->c->err;
    if (b->step != NULL && str_eq_c(name, b->step->name))
        return OK;
    const Registry *registry = b->c->app->registry;
    const Step *step = registry_find(registry, name);
    if (step == NULL) {
        const Step *near = registry_nearest(registry, name);
        Str shown = str_slice(name, 0, 64);
        if (name.len == 0)
            err_set(err, ERR_UNKNOWN_STEP, "step is missing");
        else if (near != NULL)
            err_set(err, ERR_UNKNOWN_STEP, "there is no step \"" STR_FMT "\"; did you mean %s?",
                    STR_ARG(shown), near->name);
        else
            err_set(err, ERR_UNKNOWN_STEP, "there is no step \"" STR_FMT "\"", STR_ARG(shown));
        err_param(err, "step");
        return ERR_UNKNOWN_STEP;
    }
    b->step = step;
    return OK;
}

/* What of a job is neither step, params nor inputs, as an object of options. */
static ErrCode split_options(Bulk *b, const Json *job, Json *options)
{
    *options = (Json){.type = JSON_OBJECT};
    Json **tail = &options->first;
    json_each(member, job) {
        if (str_eq_c(member->key, "step") || str_eq_c(member->key, "params") ||
            str_eq_c(member->key, "inputs"))
            continue;
        Json *copy = arena_new(b->c->arena, Json, 1);
        if (copy == NULL)
            return err_set(&b->c->err, ERR_NO_MEMORY, "no memory for the jobs");
        *copy = *member;
        copy->next = NULL;
        *tail = copy;
        tail = &copy->next;
        options->len++;
    }
    return OK;
}

static ErrCode read_options(Bulk *b, const Json *job, JobNew *n, ParamFaults *faults)
{
    Json options;
    RunOptions o = {0};
    const Json *checked = NULL;
    Str canonical;
    ErrCode rc = split_options(b, job, &options);
    if (rc != OK || options.len == 0)
        return rc;
    Call *c = b->c;
    rc = param_check(bulk_option_params, &options, c->arena, &canonical, faults, &c->err);
    if (rc == OK)
        rc = json_parse(c->arena, canonical, &checked, &c->err);
    if (rc == OK)
        rc = param_fill(bulk_option_params, checked, c->arena, &o, &c->err);
    run_options_take(&o, n);
    if (rc == OK && n->unique_key.len > 0) { /* the ids of a block are decided beforehand */
        rc = err_set(&c->err, ERR_BAD_PARAM, "unique_key is for jobs that are added one by one");
        err_param(&c->err, "unique_key");
    }
    return rc;
}

static ErrCode read_inputs(Bulk *b, const Json *inputs, JobNew *n)
{
    Call *c = b->c;
    const Step *s = b->step;
    size_t max = s->accepts == NULL ? 0 : s->inputs_max > 0 ? (size_t)s->inputs_max : 1;
    Gathered g = {.table = s->params};
    ErrCode rc = OK;
    if (inputs != NULL && !json_is(inputs, JSON_LIST) && !json_is(inputs, JSON_NULL))
        rc = err_set(&c->err, ERR_BAD_REQUEST, "inputs must be a list");
    else if (inputs != NULL && inputs->len > max)
        rc = err_set(&c->err, ERR_BAD_REQUEST, "%s takes at most %zu files, %zu came", s->name, max,
                     inputs->len);
    else if (inputs != NULL && inputs->len > 0)
        rc = gather_inputs(c, &g, inputs);
    if (rc == OK && g.inputs_len == 0 && s->accepts != NULL && !s->input_optional)
        rc = err_set(&c->err, ERR_INPUT_MISSING, "%s needs a file", s->name);
    if (rc != OK)
        err_param(&c->err, "inputs");
    n->inputs = g.inputs;
    n->inputs_len = g.inputs_len;
    return rc;
}

static ErrCode check_queue(Bulk *b, const JobNew *n)
{
    if (n->step->outside == NULL ||
        !work_serves(b->c->app->work, flow_queue_for(n->step, n->params)))
        return OK;
    err_set(&b->c->err, ERR_BAD_PARAM, "%s must not be a queue that this server serves itself",
            n->step->outside);
    err_param(&b->c->err, n->step->outside);
    return ERR_BAD_PARAM;
}

static ErrCode read_job(Bulk *b, const Json *job, JobNew *n, ParamFaults *faults)
{
    Call *c = b->c;
    ParamFaults more = {0};
    if (!json_is(job, JSON_OBJECT))
        return err_set(&c->err, ERR_BAD_REQUEST, "must be an object with a step and its params");
    ErrCode rc = find_step(b, json_text(json_get(job, "step")));
    if (rc != OK)
        return rc;
    *n = (JobNew){.project = c->who.project,
                  .key = c->who.key,
                  .step = b->step,
                  .trace = str_from_c(c->req->trace)};
    rc = param_check(b->step->params, json_get(job, "params"), c->arena, &n->params, faults,
                     &c->err);
    if (rc != OK && rc != ERR_BAD_PARAM)
        return rc;
    ErrCode rc_options = read_options(b, job, n, &more);
    for (size_t i = 0; i < more.len && faults->len < PARAM_FAULTS_MAX; i++)
        faults->items[faults->len++] = more.items[i];
    if (rc != OK || rc_options != OK)
        return rc != OK ? rc : rc_options;
    rc = read_inputs(b, json_get(job, "inputs"), n);
    if (rc == OK)
        rc = flow_check(n, &c->err);
    return rc == OK ? check_queue(b, n) : rc;
}

/* --- all of them --- */

static bool is_ours(ErrCode rc)
{
    return rc == ERR_NO_MEMORY || rc == ERR_IO || rc == ERR_DB || rc == ERR_INTERNAL;
}

static ErrCode read_jobs(Bulk *b, const Json *jobs)
{
    Call *c = b->c;
    if (!json_is(jobs, JSON_LIST) || jobs->len == 0)
        return err_set(&c->err, ERR_BAD_REQUEST, "the body must be an object: {\"jobs\":[…]}");
    if (jobs->len > FLOW_ADD_MAX)
        return err_set(&c->err, ERR_LIMIT_COUNT, "%zu jobs, the limit is %d", jobs->len,
                       FLOW_ADD_MAX);
    b->items = arena_new(c->arena, Item, jobs->len);
    b->jobs = arena_new(c->arena, JobNew, jobs->len);
    if (b->items == NULL || b->jobs == NULL)
        return err_set(&c->err, ERR_NO_MEMORY, "no memory for the jobs");
    b->errors = buf_init(c->arena, ERRORS_MAX);
    b->errors_json = json_out(&b->errors);
    json_begin(&b->errors_json, '[');
    json_each(job, jobs) {
        ParamFaults faults;
        faults.len = 0;
        size_t i = b->items_len++;
        ErrCode rc = read_job(b, job, &b->jobs[b->jobs_len], &faults);
        if (rc == OK)
            b->items[i].place = (int64_t)b->jobs_len++;
        else if (is_ours(rc) || (rc = note_fault(b, i, &faults, rc)) != OK)
            return rc;
    }
    json_end(&b->errors_json, ']');
    return OK;
}

static ErrCode hash_body(Call *c, Str *out)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int len = 0;
    Buf hex = buf_init(c->arena, KIB);
    bool ok = EVP_Digest(c->req->body.ptr, c->req->body.len, digest, &len, EVP_sha256(), NULL) == 1;
    for (unsigned int i = 0; ok && i < len; i++)
        buf_addf(&hex, "%02x", digest[i]);
    if (!ok || hex.failed)
        return err_set(&c->err, ERR_NO_MEMORY, "no memory to hash the request");
    *out = buf_str(&hex);
    return OK;
}

/* The answer, also when it is a repeated one: the ids follow from the first. */
static void answer(Bulk *b)
{
    Buf text = buf_init(b->req->arena, ERRORS_MAX * 2);
    JsonOut j = json_out(&text);
    char id[ID_TEXT_SIZE];
    json_begin(&j, '{');
    json_key(&j, "jobs");
    json_begin(&j, '[');
    for (size_t i = 0; i < b->items_len; i++) {
        const Item *item = &b->items[i];
        json_begin(&j, '{');
        if (item->problem.len > 0)
            json_kv_raw(&j, "problem", item->problem);
        else
            json_kv_c(&j, "id", id_text("job", id_nth(b->added.job, item->place), id));
        json_end(&j, '}');
    }
    json_end(&j, ']');
    json_end(&j, '}');
    Err err = {0};
    if (!text.failed) {
        http_answer_json(b->req, b->jobs_len > 0 ? 202 : 200, buf_str(&text));
        return;
    }
    err_set(&err, ERR_NO_MEMORY, "no memory for the answer");
    http_answer_err(b->req, &err, (Str){0});
}

static ErrCode bulk_write(DbConn *tx, void *arg, Err *err)
{
    Bulk *b = arg;
    return flow_add_many_tx(tx, b->first, b->jobs, b->jobs_len, &b->added, err);
}

/* On the writer's thread: the text of the answer is built on the pool. */
static void bulk_continue(HttpRequest *req)
{
    answer(req->state);
}

static void bulk_written(DbWrite *w, ErrCode rc, const Err *err)
{
    Bulk *b = w->arg;
    if (rc == OK && b->added.existed) {
        http_resume(b->app->http, b->req->ticket, bulk_continue);
        return;
    }
    if (rc != OK)
        http_answer_err(b->req, err, (Str){0});
    http_reply(b->app->http, b->req);
}

static ErrCode read_body(Bulk *b, BulkQuery *q, ParamFaults *faults)
{
    Call *c = b->c;
    const Json *body = NULL;
    ErrCode rc = call_query(c, bulk_query_params, q, faults);
    if (rc == OK)
        rc = call_json(c, &body);
    if (rc == OK)
        rc = read_jobs(b, json_get(body, "jobs"));
    Str key = http_header(c->req, "idempotency-key");
    if (rc != OK || key.len == 0 || b->jobs_len == 0)
        return rc;
    b->jobs[0].idempotency_key = key;
    rc = hash_body(c, &b->jobs[0].request_hash);
    return rc == OK ? flow_check(&b->jobs[0], &c->err) : rc;
}

static void refuse(Call *c, const Bulk *b)
{
    err_set(&c->err,
            b->faulty == b->items_len || b->first_code == ERR_UNKNOWN_STEP ? b->first_code
                                                                           : ERR_BAD_PARAM,
            "%zu of %zu jobs cannot be added; none was", b->faulty, b->items_len);
    err_hint(&c->err, "errors names them; with ?partial=true the others are added.");
    http_answer_err(c->req, &c->err, buf_str(&b->errors));
}

static void add_jobs(HttpRequest *req)
{
    Call c;
    if (!call_begin(req, &c))
        return;
    BulkQuery q = {0};
    ParamFaults faults = {0};
    Bulk *b = arena_new(c.arena, Bulk, 1);
    if (b == NULL) {
        err_set(&c.err, ERR_NO_MEMORY, "no memory for the request");
        call_fail(&c);
        return;
    }
    b->c = &c;
    b->app = c.app;
    b->req = req;
    ErrCode rc = read_body(b, &q, &faults);
    b->c = NULL;
    if (rc != OK) {
        call_refuse(&c, rc, &faults);
        return;
    }
    if (b->faulty > 0 && !q.partial) {
        refuse(&c, b);
        return;
    }
    if (b->jobs_len == 0) {
        answer(b);
        return;
    }
    b->first = b->added.job = id_new_block((int)b->jobs_len);
    answer(b); /* built now, sent when it is on disk */
    b->write = (DbWrite){.fn = bulk_write, .done = bulk_written, .arg = b};
    req->state = b;
    http_park(req);
    db_write_async(c.app->db, &b->write);
}

/* As steps_run: what neither looks into the store nor takes its time stays on the loop. */
void jobs_add(HttpRequest *req)
{
    enum { SMALL_BODY = 256 * 1024 };
    if (req->body.len <= SMALL_BODY && str_find(req->body, STR("\"inputs\"")) == STR_NONE) {
        add_jobs(req);
        return;
    }
    HttpTicket ticket = http_park(req);
    http_resume(http_server(req), ticket, add_jobs);
}

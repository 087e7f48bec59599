/* pipeline_batch.c: POST /api/v1/pipelines/{name}/batch: many files, a pipeline for each. */
#include "api/enqueue.h"
#include "api/gather.h"
#include "api/params.h"
#include "api/routes.h"
#include "api/write.h"
#include "base/id.h"
#include "flow/pipeline.h"

enum { TEMPLATE_MAX = 4 << 20 };
static const char mark[] = "{\"each\":true}"; /* flow/pipeline.h, PipelineBatch */

typedef struct FlowBatch {
    Enqueue enqueue;
    PipelineBatch batch;
    Str given; /* the inputs as they came in, for the idempotency key */
    int64_t archives;
} FlowBatch;

static ErrCode add_batch(DbConn *tx, Enqueue *e, Err *err)
{
    const FlowBatch *b = e->what;
    return flow_run_batch_tx(tx, e->id, &b->batch, &e->added, err);
}

/* An option that decides which inputs there are, from the query or a JSON body. */
static Str option_asked(const HttpRequest *req, Arena *a, const char *name)
{
    const Json *body = NULL;
    Str text = http_query(req, name, a);
    for (size_t i = 0; text.len == 0 && i < req->form_len; i++)
        if (str_eq_c(req->form[i].name, name))
            text = req->form[i].value;
    if (text.len > 0 || req->body.len == 0 || json_parse(a, req->body, &body, NULL) != OK)
        return text;
    const Json *value = json_get(body, name);
    return json_is(value, JSON_NUMBER) ? str_printf(a, "%" PRId64, json_int(value, 0))
                                       : json_text(value);
}

static Str file_names(Arena *a, const Pipeline *p)
{
    Buf b = buf_init(a, 4 * KIB);
    for (size_t i = 0; i < p->files_len; i++) {
        if (i > 0)
            buf_add(&b, STR(", "));
        buf_add(&b, p->files[i].name);
    }
    return buf_str(&b);
}

/* The input that takes the file of an item: the one that is named, the only one that needs a file,
 * the only one there is. */
static ErrCode find_input(Call *c, const Pipeline *p, Str asked, size_t *out)
{
    size_t required = 0, last = 0;
    for (size_t i = 0; i < p->files_len; i++) {
        if (asked.len > 0 && str_eq(p->files[i].name, asked)) {
            *out = i;
            return OK;
        }
        if (p->files[i].required) {
            required++;
            last = i;
        }
    }
    if (asked.len == 0 && (required == 1 || p->files_len == 1)) {
        *out = required == 1 ? last : 0;
        return OK;
    }
    err_param(&c->err, "input");
    if (p->files_len == 0)
        err_set(&c->err, ERR_BAD_PARAM, "the pipeline takes no file, so there is nothing to batch");
    else if (asked.len > 0)
        err_set(&c->err, ERR_BAD_PARAM,
                "\"" STR_FMT "\" is no file input of this pipeline: " STR_FMT,
                STR_ARG(str_slice(asked, 0, 64)), STR_ARG(file_names(c->arena, p)));
    else
        err_set(&c->err, ERR_BAD_PARAM, "input must say which one takes the files: " STR_FMT,
                STR_ARG(file_names(c->arena, p)));
    err_param(&c->err, "input");
    return ERR_BAD_PARAM;
}

/* The same table, but there the files are many. */
static ErrCode prepare_gather(Call *c, const Pipeline *p, size_t main, Gathered *g)
{
    FileInput *files = arena_new(c->arena, FileInput, p->files_len);
    if (files == NULL)
        return err_set(&c->err, ERR_NO_MEMORY, "no memory for the request");
    for (size_t i = 0; i < p->files_len; i++)
        files[i] = p->files[i];
    files[main].many = true;
    files[main].required = false; /* said better by flow_run_batch_tx */
    g->named = true;
    g->table = p->inputs;
    g->files = files;
    g->files_len = p->files_len;
    g->main = p->files[main].name;
    g->inputs_max = GATHER_BATCH_MAX;
    g->option_params = pipeline_batch_option_params;
    return OK;
}

/* The files of items apart from those that are the same for all; the inputs with a mark instead. */
static ErrCode split(Call *c, const Gathered *g, bool many, Str values, FlowBatch *b)
{
    const Json *checked = NULL;
    JobFile *items = arena_new(c->arena, JobFile, g->inputs_len),
            *shared = arena_new(c->arena, JobFile, g->inputs_len);
    size_t n = 0, m = 0;
    if (items == NULL || shared == NULL)
        return err_set(&c->err, ERR_NO_MEMORY, "no memory for the request");
    for (size_t i = 0; i < g->inputs_len; i++)
        *(str_eq(g->input_names[i], g->main) ? &items[n++] : &shared[m++]) = g->inputs[i];
    b->batch.files = items;
    b->batch.files_len = n;
    b->batch.run.files = shared;
    b->batch.run.files_len = m;
    ErrCode rc = json_parse(c->arena, values, &checked, &c->err);
    Buf text = buf_init(c->arena, TEMPLATE_MAX);
    JsonOut j = json_out(&text);
    json_begin(&j, '{');
    json_each(member, checked) {
        if (str_eq(member->key, g->main))
            continue;
        json_key_str(&j, member->key);
        json_put(&j, member);
    }
    json_key_str(&j, g->main);
    if (many)
        json_begin(&j, '[');
    json_put_raw(&j, str_from_c(mark));
    if (many)
        json_end(&j, ']');
    json_end(&j, '}');
    b->batch.run.inputs = buf_str(&text);
    return rc == OK && text.failed ? err_set(&c->err, ERR_NO_MEMORY, "no memory for the request")
                                   : rc;
}

static ErrCode look_for_archives(Call *c, bool keep, FlowBatch *b)
{
    PipelineBatch *p = &b->batch;
    bool *archive = arena_new(c->arena, bool, p->files_len);
    ParamFaults faults = {0};
    if (archive == NULL)
        return err_set(&c->err, ERR_NO_MEMORY, "no memory for the batch");
    p->archive = archive;
    p->unpack = registry_find(c->app->registry, STR("archive.extract"));
    if (keep || p->unpack == NULL)
        return OK;
    for (size_t i = 0; i < p->files_len; i++)
        b->archives += archive[i] = gather_is_archive(&p->files[i]);
    return param_check(p->unpack->params, NULL, c->arena, &p->unpack_params, &faults, &c->err);
}

static ErrCode prepare(Call *c, const PipelineBatchOptions *o, Str name, int64_t version,
                       FlowBatch *b)
{
    PipelineRun *run = &b->batch.run;
    ErrCode rc = call_callback(c, o->callback_url);
    if (rc != OK)
        return rc;
    if (b->batch.files_len == 0)
        return err_set(&c->err, ERR_INPUT_MISSING, "a batch needs files");
    b->enqueue = (Enqueue){.add = add_batch, .what = b, .id = id_new(), .wait = o->wait};
    b->batch.concurrency = o->concurrency > 0 ? o->concurrency : 16;
    b->batch.callback_url = o->callback_url;
    run->project = c->who.project;
    run->key = c->who.key;
    run->name = name;
    run->version = version;
    run->priority = o->priority;
    run->timeout_ms = o->timeout_ms;
    run->no_memo = o->no_memo;
    run->idempotency_key = http_header(c->req, "idempotency-key");
    run->trace = str_from_c(c->req->trace);
    rc = look_for_archives(c, o->keep_archives, b);
    if (rc != OK || run->idempotency_key.len == 0)
        return rc;
    return enqueue_hash(c, name, b->given, NULL, 0, &run->request_hash);
}

static ErrCode write_begin(Call *c, FlowBatch *b)
{
    const PipelineRun *run = &b->batch.run;
    int64_t total = (int64_t)b->batch.files_len;
    const Job shown = {
        .id = b->enqueue.id,
        .step = STR("flow.run"),
        .pipeline = run->name,
        .pipeline_version = run->version > 0 ? run->version : 1,
        .queue = STR("flow"),
        .params = run->inputs,
        .trace = run->trace,
        .priority = run->priority,
        .state = JOB_RUNNING,
        .max_attempts = 1,
        .batch = true,
        .progress_total = total,
        .items = {.total = total, .queued = total, .archives = b->archives},
        .created_ms = id_time_ms(b->enqueue.id),
        .run_at_ms = id_time_ms(b->enqueue.id),
        .inputs = (JobFile *)(uintptr_t)b->batch.files,
        .inputs_len = b->batch.files_len,
    };
    write_job(&c->json, &shown, c->app->registry, c->arena, true);
    b->enqueue.accepted = buf_str(&c->body);
    return c->body.failed ? err_set(&c->err, ERR_NO_MEMORY, "no memory for the answer") : OK;
}

/* Everything but the answer. */
static ErrCode read_request(Call *c, FlowBatch *b, PipelineBatchOptions *options,
                            ParamFaults *faults)
{
    CLEANUP(flow_pipeline_release) PipelineHeld *held = NULL;
    HttpRequest *req = c->req;
    Gathered *g = arena_new(c->arena, Gathered, 1);
    int64_t version = 0;
    size_t main = 0;
    if (g == NULL)
        return err_set(&c->err, ERR_NO_MEMORY, "no memory for the request");
    (void)str_to_i64(option_asked(req, c->arena, "version"), &version);
    ErrCode rc = flow_pipeline_hold(c->reader, c->who.project, req->params[0],
                                    version > 0 ? version : 0, &held, &c->err);
    if (rc != OK)
        return rc;
    const Pipeline *p = flow_pipeline_of(held);
    rc = find_input(c, p, option_asked(req, c->arena, "input"), &main);
    if (rc == OK)
        rc = prepare_gather(c, p, main, g);
    if (rc == OK)
        rc = gather_request(c, g);
    if (rc == OK)
        rc = gather_check(c, g, options, &b->given, faults);
    if (rc == OK)
        rc = split(c, g, p->files[main].many, b->given, b);
    if (rc == OK)
        rc = prepare(c, options, req->params[0],
                     flow_pipeline_is_built_in(held) ? 0 : flow_pipeline_version_of(held), b);
    return rc == OK ? write_begin(c, b) : rc;
}

void pipelines_batch(HttpRequest *req)
{
    Call c;
    if (!call_begin(req, &c))
        return;
    PipelineBatchOptions options = {0};
    ParamFaults faults = {0};
    FlowBatch *b = arena_new(c.arena, FlowBatch, 1);
    ErrCode rc = b != NULL ? read_request(&c, b, &options, &faults)
                           : err_set(&c.err, ERR_NO_MEMORY, "no memory for the request");
    if (rc != OK)
        call_refuse(&c, rc, &faults);
    else if (options.dry_run)
        call_answer(&c, 200);
    else
        enqueue(&c, &b->enqueue);
}

/* outside workers: what they answer to the tasks they leased, and how queues are handled. */
#include "api/outside.h"
#include "api/params.h"
#include "api/routes.h"
#include "api/write.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/id.h"
#include "content/document.h"
#include "flow/outside.h"

enum { OUTPUTS_MAX = 100, USAGE_MAX = 32, DATA_MAX = STEP_DATA_MAX };

/* An answer on its way to disk; lives in the parked request's arena. */
typedef struct Answer {
    DbWrite write;
    App *app;
    HttpRequest *req;
    int64_t project;
    TaskResult result; /* complete, fail */
    OutsideLonger longer;
    bool extends;
    Str accepted;
} Answer;

static ErrCode answer_write(DbConn *tx, void *arg, Err *err)
{
    const Answer *a = arg;
    return a->extends ? flow_longer_tx(tx, &a->longer, err)
                      : flow_answer_tx(tx, a->project, &a->result, err);
}

/* On the writer's thread: hand over and return. */
static void answer_written(DbWrite *w, ErrCode rc, const Err *err)
{
    Answer *a = w->arg;
    if (rc == OK && a->extends)
        work_lease_ends(a->app->work, a->longer.until_ms);
    if (rc == OK)
        http_answer_json(a->req, 200, a->accepted);
    else
        http_answer_err(a->req, err, (Str){0});
    http_reply(a->app->http, a->req);
}

/* {"id":"task_…","job":"job_…","attempt":1,"lease_until":…}: what is said once it is on disk. */
static ErrCode write_accepted(Call *c, Answer *a, int64_t task, int64_t attempt)
{
    json_begin(&c->json, '{');
    write_id(&c->json, "id", "task", task);
    write_id(&c->json, "job", "job", task); /* the one task of a job carries its id */
    json_kv_int(&c->json, "attempt", attempt);
    write_time(&c->json, "lease_until", a->extends ? a->longer.until_ms : 0);
    json_end(&c->json, '}');
    a->accepted = buf_str(&c->body);
    return c->body.failed ? err_set(&c->err, ERR_NO_MEMORY, "no memory for the answer") : OK;
}

static void hand_over(Call *c, Answer *a, int64_t task, int64_t attempt)
{
    if (write_accepted(c, a, task, attempt) != OK) {
        call_fail(c);
        return;
    }
    a->app = c->app;
    a->req = c->req;
    a->project = c->who.project;
    a->write = (DbWrite){.fn = answer_write, .done = answer_written, .arg = a};
    http_park(c->req);
    db_write_async(c->app->db, &a->write);
}

/* --- complete --- */

static ErrCode bad_param(Err *err, const char *param, const char *why)
{
    err_set(err, ERR_BAD_PARAM, "%s %s", param, why);
    err_param(err, param);
    return ERR_BAD_PARAM;
}

ErrCode outside_data(const Json *data, Arena *a, Str *out, Err *err)
{
    Buf b = buf_init(a, DATA_MAX + KIB);
    JsonOut j = json_out(&b);
    if (data != NULL && !json_is(data, JSON_OBJECT) && !json_is(data, JSON_NULL))
        return bad_param(err, "data", "must be an object");
    if (json_is(data, JSON_OBJECT))
        json_put(&j, data);
    else
        json_put_raw(&j, STR("{}"));
    if (b.failed || b.len > DATA_MAX) {
        err_set(err, ERR_LIMIT_OUTPUT, "data is larger than %d bytes", DATA_MAX);
        err_hint(err, "Upload it to /api/v1/blobs and name it in outputs.");
        return ERR_LIMIT_OUTPUT;
    }
    *out = buf_str(&b);
    return OK;
}

static ErrCode read_usage(Call *c, const Json *usage, TaskResult *r)
{
    if (usage == NULL || json_is(usage, JSON_NULL))
        return OK;
    JobUsage *list = arena_new(c->arena, JobUsage, USAGE_MAX);
    if (list == NULL)
        return err_set(&c->err, ERR_NO_MEMORY, "reading the usage");
    if (!json_is(usage, JSON_OBJECT) || usage->len > USAGE_MAX)
        return bad_param(&c->err, "usage", "must be an object of at most 32 units");
    json_each(unit, usage) {
        if (!json_is(unit, JSON_INT) || unit->integer < 0 || unit->key.len == 0 ||
            unit->key.len > 32)
            return bad_param(&c->err, "usage", "must give whole numbers by unit");
        list[r->usage_len++] = (JobUsage){unit->key, unit->integer};
    }
    r->usage = list;
    return OK;
}

static ErrCode read_output(Call *c, const Json *output, JobFile *out)
{
    Str hash = json_text(json_get(output, "blob")), name = json_text(json_get(output, "name"));
    bool seen = false;
    CLEANUP(fd_close) int fd = -1;
    int64_t size = 0;
    ErrCode rc = blob_row_seen(c->reader, c->who.project, hash, &seen, &c->err);
    if (rc == OK && !seen)
        rc = err_set(&c->err, ERR_NOT_FOUND, "an output's \"blob\" is not in this project");
    if (rc == OK)
        rc = blob_open(c->app->blobs, hash, &fd, &size, &c->err);
    if (rc == OK)
        *out = (JobFile){.name = name.len > 0 ? name : hash,
                         .type = json_text(json_get(output, "type")),
                         .hash = hash,
                         .size_bytes = size};
    return rc;
}

static ErrCode read_outputs(Call *c, const Json *outputs, TaskResult *r)
{
    if (outputs == NULL || json_is(outputs, JSON_NULL) || outputs->len == 0)
        return OK;
    if (!json_is(outputs, JSON_LIST) || outputs->len > OUTPUTS_MAX)
        return bad_param(&c->err, "outputs", "must be a list of at most 100 files");
    JobFile *files = arena_new(c->arena, JobFile, outputs->len);
    ErrCode rc = files != NULL ? db_reader(c->app->db, &c->reader, &c->err)
                               : err_set(&c->err, ERR_NO_MEMORY, "reading the outputs");
    json_each(output, outputs)
        if (rc == OK)
            rc = read_output(c, output, &files[r->outputs_len++]);
    r->outputs = files;
    return rc;
}

/* Task id and body. On the loop: no reader. */
static ErrCode begin(Call *c, HttpRequest *req, const Param *params, void *body,
                     ParamFaults *faults, Answer **out)
{
    call_begin_public(req, c);
    c->json = json_out(&c->body);
    c->who = *(const Caller *)req->state;
    Answer *a = arena_new(c->arena, Answer, 1);
    if (a == NULL)
        return err_set(&c->err, ERR_NO_MEMORY, "no memory for the request");
    int64_t now_ms = clock_now_ms();
    ErrCode rc = call_path_id(c, 0, "task", &a->result.task);
    if (rc == OK)
        rc = call_body(c, params, body, faults);
    a->result.job = a->result.task;
    a->result.started_ms = a->result.finished_ms = now_ms;
    *out = a;
    return rc;
}

static void complete(HttpRequest *req)
{
    Call c;
    CompleteBody b = {0};
    ParamFaults faults = {0};
    Answer *a = NULL;
    ErrCode rc = begin(&c, req, complete_body_params, &b, &faults, &a);
    if (rc == OK)
        rc = outside_data(b.data, c.arena, &a->result.data, &c.err);
    if (rc == OK)
        rc = read_usage(&c, b.usage, &a->result);
    if (rc == OK)
        rc = read_outputs(&c, b.outputs, &a->result);
    if (rc != OK) {
        call_refuse(&c, rc, &faults);
        return;
    }
    a->result.attempt = b.attempt;
    hand_over(&c, a, a->result.task, b.attempt);
}

/* Outputs are looked up in the store, so they go to the pool; the rest stays on the loop. */
void tasks_complete(HttpRequest *req)
{
    if (str_find(req->body, STR("\"outputs\"")) == STR_NONE) {
        complete(req);
        return;
    }
    HttpTicket ticket = http_park(req);
    http_resume(http_server(req), ticket, complete);
}

void tasks_fail(HttpRequest *req)
{
    Call c;
    FailBody b = {0};
    ParamFaults faults = {0};
    Answer *a = NULL;
    ErrCode rc = begin(&c, req, fail_body_params, &b, &faults, &a);
    if (rc != OK) {
        call_refuse(&c, rc, &faults);
        return;
    }
    a->result.attempt = b.attempt;
    a->result.retry_after_ms = b.retry_after_ms;
    a->result.code = err_set(&a->result.err, b.retry ? ERR_TASK_FAILED : ERR_TASK_REFUSED, STR_FMT,
                             STR_ARG(b.detail));
    hand_over(&c, a, a->result.task, b.attempt);
}

void tasks_extend(HttpRequest *req)
{
    Call c;
    ExtendBody b = {0};
    ParamFaults faults = {0};
    Answer *a = NULL;
    ErrCode rc = begin(&c, req, extend_body_params, &b, &faults, &a);
    if (rc != OK) {
        call_refuse(&c, rc, &faults);
        return;
    }
    a->extends = true;
    a->longer = (OutsideLonger){.project = c.who.project,
                                .task = a->result.task,
                                .attempt = b.attempt,
                                .until_ms = clock_now_ms() + b.lease_seconds * 1000,
                                .done = b.done,
                                .total = b.total,
                                .note = b.note};
    hand_over(&c, a, a->result.task, b.attempt);
}

/* --- handlers --- */

/* made: a secret that was made for it, shown this once. */
static void answer_handler(Call *c, const QueueHandler *h, const char *made)
{
    json_begin(&c->json, '{');
    json_kv_str(&c->json, "queue", h->queue);
    json_kv_c(&c->json, "kind", handler_kind_name(h->kind));
    if (h->kind == HANDLER_PUSH) {
        json_kv_str(&c->json, "url", h->url);
        json_kv_int(&c->json, "concurrency", h->concurrency);
        json_kv_int(&c->json, "timeout_ms", h->timeout_ms);
    }
    if (made[0] != 0)
        json_kv_c(&c->json, "secret", made);
    json_end(&c->json, '}');
    call_answer(c, 200);
}

void queues_handler_get(HttpRequest *req)
{
    Call c;
    QueueHandler h;
    if (!call_begin(req, &c))
        return;
    if (flow_handler_get(c.reader, c.who.project, req->params[0], c.arena, &h, &c.err) == OK)
        answer_handler(&c, &h, "");
    else
        call_fail(&c);
}

void queues_handler_put(HttpRequest *req)
{
    Call c;
    if (!call_begin(req, &c))
        return;
    HandlerBody b = {0};
    ParamFaults faults = {0};
    char made[SIGNING_SECRET_SIZE] = "";
    ErrCode rc = call_body(&c, handler_body_params, &b, &faults);
    QueueHandler h = {.project = c.who.project, .queue = req->params[0]};
    if (rc == OK)
        rc = flow_check_queue(h.queue, "queue", &c.err);
    if (rc == OK && b.kind == HANDLER_PUSH) {
        QueueHandler old = {0};
        if (b.secret.len == 0 && /* the one it has stays */
            flow_handler_get(c.reader, h.project, h.queue, c.arena, &old, NULL) == OK)
            b.secret = old.secret;
        h.kind = HANDLER_PUSH;
        h.url = b.url;
        h.secret = b.secret;
        h.concurrency = b.concurrency;
        h.timeout_ms = b.timeout_ms;
        rc = push_check(c.app->options.allow_private, &h, made, &c.err);
    }
    if (rc == OK)
        rc = flow_handler_put(c.app->db, &h, &c.err);
    if (rc != OK) {
        call_refuse(&c, rc, &faults);
        return;
    }
    push_changed(c.app->push);
    answer_handler(&c, &h, made);
}

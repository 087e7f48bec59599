/* jobs: list, read (and wait for), cancel, run again, fetch outputs, explain. */
#include "api/routes.h"
#include "api/params.h"
#include "api/wait.h"
#include "api/write.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/id.h"
#include "flow/pipeline.h"
#include "trace/diagnose.h"

static void answer_job(Call *c, int64_t id, int status)
{
    Job job;
    if (flow_get(c->reader, c->who.project, id, c->arena, &job, &c->err) != OK) {
        call_fail(c);
        return;
    }
    nodes_read_waits(c, &job);
    JobUsage *usage = NULL;
    if (flow_usage(c->reader, c->who.project, id, c->arena, &usage, &job.usage_len, &c->err) !=
        OK) {
        call_fail(c);
        return;
    }
    job.usage = usage;
    write_job(&c->json, &job, c->app->registry, c->arena, true);
    call_answer(c, status);
}

static ErrCode fault(Call *c, const char *param, const char *text)
{
    err_set(&c->err, ERR_BAD_PARAM, "%s", text);
    err_param(&c->err, param);
    return ERR_BAD_PARAM;
}

static ErrCode filter_states(Call *c, const StrList *names, unsigned *states)
{
    *states = 0;
    for (size_t i = 0; i < names->len; i++) {
        JobState s = job_state_from(names->items[i]);
        if (s == JOB_STATE_COUNT)
            return fault(c, "state", "must be queued, running, done, failed or canceled");
        *states |= 1u << s;
    }
    return OK;
}

/* Ids that begin so are a span of ids; `before` (of the cursor) may be lower already. */
static ErrCode filter_id(Call *c, Str q, JobFilter *f)
{
    int64_t low, high;
    if (q.len == 0)
        return OK;
    if (!id_span("job", q, &low, &high))
        return fault(c, "q", "must be how an id begins, job_…");
    f->from = low;
    f->before = f->before > 0 && f->before < high ? f->before : high;
    return OK;
}

void jobs_list(HttpRequest *req)
{
    Call c;
    if (!call_begin(req, &c))
        return;
    JobsQuery q = {0};
    ParamFaults faults = {0};
    ErrCode rc = call_query(&c, jobs_query_params, &q, &faults);
    JobFilter filter = {
        .project = c.who.project,
        .step = q.step,
        .pipeline = q.pipeline,
        .queue = q.queue,
        .limit = (int)q.limit,
        .since_ms = q.since_ms,
        .until_ms = q.until_ms,
        .batches = q.batches,
    };
    if (rc == OK)
        rc = call_cursor(&c, "job", q.cursor, &filter.before);
    if (rc == OK)
        rc = filter_states(&c, &q.state, &filter.states);
    if (rc == OK)
        rc = filter_id(&c, q.q, &filter);
    if (rc == OK && q.key.len > 0 && !id_parse("key", q.key, &filter.key))
        rc = fault(&c, "key", "must be the id of a key, key_…");
    Job *jobs = NULL;
    size_t len = 0;
    bool more = false;
    if (rc == OK)
        rc = flow_list(c.reader, &filter, c.arena, &jobs, &len, &more, &c.err);
    if (rc != OK) {
        call_refuse(&c, rc, &faults);
        return;
    }
    json_begin(&c.json, '{');
    json_key(&c.json, "jobs");
    json_begin(&c.json, '[');
    for (size_t i = 0; i < len; i++)
        write_job(&c.json, &jobs[i], c.app->registry, c.arena, false);
    json_end(&c.json, ']');
    if (more)
        write_id(&c.json, "next", "job", jobs[len - 1].id);
    json_end(&c.json, '}');
    call_answer(&c, 200);
}

static bool job_ended(JobState s)
{
    return s == JOB_DONE || s == JOB_FAILED || s == JOB_CANCELED;
}

void jobs_get(HttpRequest *req)
{
    Call c;
    if (!call_begin(req, &c))
        return;
    WaitQuery q = {0};
    ParamFaults faults = {0};
    int64_t id;
    ErrCode rc = call_path_id(&c, 0, "job", &id);
    if (rc == OK)
        rc = call_query(&c, wait_query_params, &q, &faults);
    Job job;
    if (rc == OK)
        rc = flow_get(c.reader, c.who.project, id, c.arena, &job, &c.err);
    if (rc != OK)
        call_refuse(&c, rc, &faults);
    else if (q.wait > 0 && !job_ended(job.state))
        wait_for_job(&c, id, q.wait);
    else
        answer_job(&c, id, 200);
}

typedef ErrCode (*JobVerb)(Db *db, int64_t project, int64_t job, Err *err);

static void change_job(HttpRequest *req, JobVerb verb, int status)
{
    Call c;
    if (!call_begin(req, &c))
        return;
    int64_t id;
    ErrCode rc = call_path_id(&c, 0, "job", &id);
    if (rc == OK)
        rc = verb(c.app->db, c.who.project, id, &c.err);
    if (rc != OK)
        call_fail(&c);
    else
        answer_job(&c, id, status);
}

void jobs_cancel(HttpRequest *req)
{
    change_job(req, flow_cancel, 200);
}

void jobs_retry(HttpRequest *req)
{
    change_job(req, flow_retry, 202);
}

static void send_file(HttpRequest *req, bool output)
{
    Call c;
    if (!call_begin(req, &c))
        return;
    int64_t id, index = 0;
    Job job = {0};
    ErrCode rc = call_path_id(&c, 0, "job", &id);
    if (rc == OK)
        rc = flow_get(c.reader, c.who.project, id, c.arena, &job, &c.err);
    size_t len = output ? job.outputs_len : job.inputs_len;
    if (rc == OK && (!str_to_i64(req->params[1], &index) || index < 0 || (size_t)index >= len))
        rc = err_set(&c.err, ERR_NOT_FOUND, "the job has %zu %s, counted from 0", len,
                     output ? "outputs" : "inputs");
    const JobFile *f = rc == OK ? &(output ? job.outputs : job.inputs)[index] : NULL;
    int fd = -1;
    int64_t size = 0;
    if (rc == OK)
        rc = blob_open(c.app->blobs, f->hash, &fd, &size, &c.err);
    if (rc != OK) {
        call_fail(&c);
        return;
    }
    size_t slash = str_rfind_char(f->name, '/');
    Str name = slash == STR_NONE ? f->name : str_slice(f->name, slash + 1, f->name.len);
    http_answer_file(req, fd, size, f->type, f->hash, name);
}

void jobs_output(HttpRequest *req)
{
    send_file(req, true);
}

void jobs_input(HttpRequest *req)
{
    send_file(req, false);
}

void jobs_items(HttpRequest *req)
{
    Call c;
    if (!call_begin(req, &c))
        return;
    ItemsQuery q = {0};
    ParamFaults faults = {0};
    int64_t id, after = 0;
    Job batch, *items = NULL;
    size_t len = 0;
    bool more = false;
    ErrCode rc = call_path_id(&c, 0, "job", &id);
    if (rc == OK)
        rc = call_query(&c, items_query_params, &q, &faults);
    if (rc == OK && q.cursor.len > 0)
        rc = call_cursor(&c, "job", q.cursor, &after);
    if (rc == OK)
        rc = flow_get(c.reader, c.who.project, id, c.arena, &batch, &c.err);
    if (rc == OK && q.node.len > 0)
        rc = flow_node_items(c.reader, c.who.project, id, q.node, q.state - 1, after, (int)q.limit,
                             c.arena, &items, &len, &more, &c.err);
    else if (rc == OK)
        rc = flow_items(c.reader, c.who.project, id, q.state - 1, after, (int)q.limit, c.arena,
                        &items, &len, &more, &c.err);
    if (rc != OK) {
        call_refuse(&c, rc, &faults);
        return;
    }
    json_begin(&c.json, '{');
    json_key(&c.json, "items");
    json_begin(&c.json, '[');
    for (size_t i = 0; i < len; i++)
        write_job(&c.json, &items[i], c.app->registry, c.arena, true);
    json_end(&c.json, ']');
    if (more)
        write_id(&c.json, "next", "job", items[len - 1].id);
    json_end(&c.json, '}');
    call_answer(&c, 200);
}

void jobs_diagnosis(HttpRequest *req)
{
    Call c;
    if (!call_begin(req, &c))
        return;
    int64_t id;
    ErrCode rc = call_path_id(&c, 0, "job", &id);
    if (rc == OK)
        rc = diagnose_job(c.reader, c.who.project, id, c.arena, &c.json, &c.err);
    if (rc != OK)
        call_fail(&c);
    else
        call_answer(&c, 200);
}

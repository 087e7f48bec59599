#include "trace/diagnose.h"
#include "base/clock.h"
#include "base/id.h"
#include "base/log.h"
#include "flow/pipeline.h"

#include <string.h>

enum { TIMELINE_MAX = 1000 };

/* What keeps a job that has not ended. */
typedef struct Holds {
    bool paused, limited,
        rated; /* its queue: by somebody, to so many at once, to so many in a time */
    Str waits; /* its pipeline waits for: approval, signal … */
} Holds;

static const char *verdict_queued(const Job *job, const Holds *holds)
{
    int64_t now = clock_now_ms();
    if (holds->paused)
        return "The job waits because its queue is paused.";
    if (job->paused)
        return "The job waits because somebody paused it.";
    if (job->blocked && job->run_at_ms <= now)
        return "The job waits until others of its concurrency key have ended.";
    if (job->run_at_ms > now)
        return job->attempts > 0 ? "An attempt failed; the next one waits for its time."
                                 : "The job waits for its start time.";
    if (str_eq_c(job->step, "queue.send"))
        return "The job waits for an outside worker of its queue.";
    if (holds->limited)
        return "The job waits for its turn: its queue runs only so many at once.";
    if (holds->rated)
        return "The job waits for its turn: its queue starts only so many in a time.";
    return "The job waits for a free worker.";
}

static const char *verdict_running(const Job *job, const Holds *holds)
{
    if (job->paused)
        return "Somebody paused the job: nothing further of it begins.";
    if (str_eq_c(holds->waits, "approval"))
        return "The job waits for somebody's approval.";
    if (str_eq_c(holds->waits, "time"))
        return "The job waits for a time.";
    if (str_eq_c(holds->waits, "callback"))
        return "The job waits for a callback.";
    return holds->waits.len > 0 ? "The job waits for a signal." : "The job runs now.";
}

static const char *verdict(const Job *job, const Holds *holds)
{
    switch (job->state) {
    case JOB_QUEUED:
        return verdict_queued(job, holds);
    case JOB_RUNNING:
        return verdict_running(job, holds);
    case JOB_DONE:
        return job->attempts > 1 ? "The job is done, after attempts that failed."
                                 : "The job is done.";
    case JOB_FAILED:
        return job->pipeline.len > 0 ? "The job failed because a step of its pipeline did."
                                     : "The job failed.";
    case JOB_CANCELED:
        return "Somebody cancelled the job.";
    case JOB_STATE_COUNT:
        break;
    }
    return "";
}

static const char *retry_name(ErrCode code)
{
    static const char *const names[] = {
        [RETRY_NEVER] = "never", [RETRY_LATER] = "later", [RETRY_AFTER] = "after"};
    return names[err_retry(code)];
}

static void put_failure(const Job *job, JsonOut *j)
{
    if (job->reason.len == 0)
        return;
    ErrCode code = err_from_reason(job->reason);
    json_kv_str(j, "reason", job->reason);
    json_kv_c(j, "meaning", err_meaning(code));
    json_kv_str(j, "detail", job->detail);
    json_kv_str(j, "remedy", job->hint.len > 0 ? job->hint : str_from_c(err_remedy(code)));
    json_kv_c(j, "retries", retry_name(code));
}

static bool is_failure(Str type)
{
    static const Event failures[] = {EVENT_TASK_RETRY, EVENT_TASK_FAILED, EVENT_TASK_LOST,
                                     EVENT_TASK_DEAD, EVENT_JOB_FAILED};
    for (size_t i = 0; i < COUNT_OF(failures); i++)
        if (str_eq_c(type, log_event_name(failures[i])))
            return true;
    return false;
}

/* The first thing that went wrong after the job was last (re)started is the nearest cause; what
 * follows are its effects. */
static const JobEvent *find_cause(const JobEvent *events, size_t len)
{
    const JobEvent *cause = NULL;
    for (size_t i = 0; i < len; i++) {
        if (str_eq_c(events[i].type, log_event_name(EVENT_JOB_RETRIED)))
            cause = NULL;
        else if (cause == NULL && is_failure(events[i].type))
            cause = &events[i];
    }
    return cause;
}

static void put_event(const JobEvent *e, int64_t first_ms, JsonOut *j)
{
    char time_text[CLOCK_TEXT_SIZE];
    clock_text(e->time_ms, time_text);
    json_begin(j, '{');
    json_kv_int(j, "seq", e->seq);
    json_kv_c(j, "time", time_text);
    json_kv_int(j, "after_ms", e->time_ms - first_ms);
    json_kv_str(j, "type", e->type);
    json_kv_c(j, "meaning", log_event_meaning(log_event_from(e->type)));
    json_kv_raw(j, "data", e->data.len > 0 ? e->data : STR("{}"));
    json_end(j, '}');
}

static void put_times(const Job *job, JsonOut *j)
{
    int64_t now = clock_now_ms();
    int64_t started = job->started_ms > 0    ? job->started_ms
                      : job->finished_ms > 0 ? job->finished_ms
                                             : now;
    int64_t ended = job->finished_ms > 0 ? job->finished_ms : now;
    json_kv_int(j, "waited_ms", started - job->created_ms);
    json_kv_int(j, "ran_ms", job->started_ms > 0 ? ended - job->started_ms : 0);
    json_kv_int(j, "attempts", job->attempts);
    json_kv_int(j, "max_attempts", job->max_attempts);
    json_kv_str(j, "trace", job->trace);
}

/* A wait counts when nothing else of the job runs. */
static ErrCode read_waits(DbConn *reader, const Job *job, Arena *a, Str *waits, Err *err)
{
    NodeView *nodes = NULL;
    size_t len = 0;
    bool runs = false;
    if (job->pipeline.len == 0 || job->state != JOB_RUNNING)
        return OK;
    ErrCode rc = flow_nodes(reader, job->project, job->id, a, &nodes, &len, err);
    for (size_t i = 0; rc == OK && i < len; i++) {
        runs = runs || nodes[i].state == NODE_RUNNING;
        if (nodes[i].state == NODE_WAITING && waits->len == 0)
            *waits = nodes[i].uses;
    }
    if (runs)
        *waits = (Str){0};
    return rc;
}

static ErrCode read_holds(DbConn *reader, const Job *job, Arena *a, Holds *out, Err *err)
{
    QueueSettings own, all;
    bool found;
    ErrCode rc = queue_settings_get(reader, job->project, job->queue, &own, &found, err);
    if (rc == OK)
        rc = queue_settings_get(reader, 0, job->queue, &all, &found, err);
    if (rc != OK)
        return rc;
    *out = (Holds){.paused = own.paused || all.paused,
                   .limited = own.concurrency > 0 || all.concurrency > 0,
                   .rated = own.rate > 0 || all.rate > 0};
    return read_waits(reader, job, a, &out->waits, err);
}

/* Where the failure of a pipeline's job comes from: the first node that failed, and its first job
 * that did. */
typedef struct Origin {
    Str node;
    int64_t child; /* 0: the node itself failed, or none */
} Origin;

static bool counts_as_failed(const NodeView *n)
{
    return n->state == NODE_FAILED && !n->optional && n->section == SECTION_STEPS;
}

static ErrCode first_failed_child(DbConn *reader, const Job *job, const NodeView *n, Arena *a,
                                  int64_t *child, Err *err)
{
    Job *failed = NULL;
    size_t len = 0;
    bool more;
    *child = n->child;
    if (n->child != 0 || n->failed == 0)
        return OK;
    ErrCode rc = flow_node_items(reader, job->project, job->id, n->id, JOB_FAILED, 0, 1, a, &failed,
                                 &len, &more, err);
    if (rc == OK && len > 0)
        *child = failed[0].id;
    return rc;
}

static ErrCode find_origin(DbConn *reader, const Job *job, Arena *a, Origin *out, Err *err)
{
    NodeView *nodes = NULL;
    size_t len = 0;
    *out = (Origin){0};
    if (job->pipeline.len == 0 || job->state != JOB_FAILED)
        return OK;
    ErrCode rc = flow_nodes(reader, job->project, job->id, a, &nodes, &len, err);
    for (size_t i = 0; rc == OK && i < len; i++)
        if (counts_as_failed(&nodes[i])) {
            out->node = nodes[i].id;
            return first_failed_child(reader, job, &nodes[i], a, &out->child, err);
        }
    return rc;
}

static ErrCode put_job(DbConn *reader, int64_t project, int64_t id, int depth, Arena *a, JsonOut *j,
                       Err *err);

static ErrCode put_origin(DbConn *reader, const Job *job, int depth, Arena *a, JsonOut *j, Err *err)
{
    Origin origin;
    ErrCode rc = find_origin(reader, job, a, &origin, err);
    if (rc != OK || origin.node.len == 0)
        return rc;
    json_kv_str(j, "node", origin.node);
    if (origin.child == 0 || depth > PIPELINE_CALLS_DEEP)
        return OK;
    json_key(j, "below");
    return put_job(reader, job->project, origin.child, depth + 1, a, j, err);
}

static ErrCode put_job(DbConn *reader, int64_t project, int64_t id, int depth, Arena *a, JsonOut *j,
                       Err *err)
{
    Job job;
    ErrCode rc = flow_get(reader, project, id, a, &job, err);
    if (rc != OK)
        return rc;
    JobEvent *events = NULL;
    size_t len = 0;
    Holds holds = {0};
    rc = read_holds(reader, &job, a, &holds, err);
    if (rc == OK)
        rc = flow_events(reader, project, id, 0, TIMELINE_MAX, a, &events, &len, err);
    if (rc != OK)
        return rc;

    char text[ID_TEXT_SIZE];
    json_begin(j, '{');
    json_kv_c(j, "job", id_text("job", id, text));
    json_kv_str(j, "step", job.step);
    if (job.pipeline.len > 0)
        json_kv_str(j, "pipeline", job.pipeline);
    json_kv_c(j, "state", job_state_name(job.state));
    json_kv_c(j, "verdict", verdict(&job, &holds));
    put_failure(&job, j);
    const JobEvent *cause = find_cause(events, len);
    if (cause != NULL) {
        json_key(j, "cause");
        put_event(cause, events[0].time_ms, j);
    }
    json_key(j, "timeline");
    json_begin(j, '[');
    for (size_t i = 0; i < len; i++)
        put_event(&events[i], events[0].time_ms, j);
    json_end(j, ']');
    put_times(&job, j);
    rc = put_origin(reader, &job, depth, a, j, err);
    json_end(j, '}');
    return rc;
}

ErrCode diagnose_job(DbConn *reader, int64_t project, int64_t id, Arena *a, JsonOut *j, Err *err)
{
    return put_job(reader, project, id, 0, a, j, err);
}

/* overview: what a person wants to know first, in one request: what runs, what failed and why, how
 * the queues stand, what was used today, what waits for somebody.
 *
 * Cost: a few milliseconds with a million jobs, for every list is read from its newest end and ends
 * at a limit. Only the queues are counted (queue_list), which reads one index entry per live
 * task. */
#include "api/figures.h"
#include "api/routes.h"
#include "api/write.h"
#include "base/clock.h"
#include "base/zone.h"
#include "db/queries.h"
#include "flow/pipeline.h"
#include "trace/lately.h"
#include "trace/usage.h"

enum { RUNNING_MAX = 12, APPROVALS_SHOWN = 5, APPROVALS_READ = 100, COUNTED_MAX = 1000 };
static const int64_t LATELY_MS = INT64_C(24) * 3600 * 1000;

typedef struct OverviewQuery {
    Str zone;
} OverviewQuery;

const Param overview_query_params[] = {
    PARAM_TEXT(OverviewQuery, zone, .max_len = ZONE_NAME_MAX, .example = "Europe/Berlin",
               .help = "Time zone in which today began; UTC otherwise."),
    PARAM_END,
};

static ErrCode put_running(Call *c)
{
    Job *jobs = NULL;
    size_t len = 0;
    bool more = false;
    const JobFilter f = {
        .project = c->who.project, .states = 1u << JOB_RUNNING, .limit = RUNNING_MAX};
    ErrCode rc = flow_list(c->reader, &f, c->arena, &jobs, &len, &more, &c->err);
    json_key(&c->json, "running");
    json_begin(&c->json, '[');
    for (size_t i = 0; rc == OK && i < len; i++) {
        nodes_read_waits(c, &jobs[i]);
        write_job(&c->json, &jobs[i], c->app->registry, c->arena, false);
    }
    json_end(&c->json, ']');
    json_kv_bool(&c->json, "running_more", more);
    return rc;
}

static void put_failed_job(JsonOut *j, const LatelyJob *job)
{
    json_begin(j, '{');
    write_id(j, "id", "job", job->id);
    json_kv_str(j, "step", job->step);
    if (job->pipeline.len > 0)
        json_kv_str(j, "pipeline", job->pipeline);
    write_time(j, "finished", job->finished_ms);
    json_kv_str(j, "detail", job->detail);
    json_end(j, '}');
}

static void put_reason(JsonOut *j, const LatelyReason *r)
{
    ErrCode code = err_from_reason(r->reason);
    json_begin(j, '{');
    json_kv_str(j, "reason", r->reason);
    json_kv_c(j, "meaning", code != OK ? err_meaning(code) : "");
    json_kv_c(j, "remedy", code != OK ? err_remedy(code) : "");
    json_kv_int(j, "count", r->count);
    json_key(j, "jobs");
    json_begin(j, '[');
    for (size_t i = 0; i < r->jobs_len; i++)
        put_failed_job(j, &r->jobs[i]);
    json_end(j, ']');
    json_end(j, '}');
}

static ErrCode put_failed(Call *c, int64_t now_ms)
{
    JsonOut *j = &c->json;
    Lately *l = arena_new(c->arena, Lately, 1);
    if (l == NULL)
        return err_set(&c->err, ERR_NO_MEMORY, "reading what failed lately");
    ErrCode rc = lately_failed(c->reader, c->who.project, now_ms - LATELY_MS, c->arena, l, &c->err);
    json_key(j, "failed");
    json_begin(j, '{');
    write_time(j, "since", now_ms - LATELY_MS);
    json_kv_int(j, "count", l->count);
    json_kv_bool(j, "more", l->more);
    json_key(j, "reasons");
    json_begin(j, '[');
    for (size_t i = 0; rc == OK && i < l->len; i++)
        put_reason(j, &l->reasons[i]);
    json_end(j, ']');
    json_end(j, '}');
    return rc;
}

/* What steps ran in the last hour. */
static void put_steps(Call *c, int64_t now_ms)
{
    JsonOut *j = &c->json;
    Figures *f = work_figures(c->app->work);
    FigureName names[FIGURES_MAX];
    size_t len = figures_names(f, FIGURE_STEP, names);
    json_key(j, "steps");
    json_begin(j, '[');
    for (size_t i = 0; i < len; i++) {
        FigurePoint p = figures_sum(f, FIGURE_STEP, str_from_c(names[i].text), 60, now_ms);
        if (p.started + p.ended == 0)
            continue;
        json_begin(j, '{');
        json_kv_c(j, "step", names[i].text);
        figure_put(j, &p);
        json_end(j, '}');
    }
    json_end(j, ']');
}

/* Since midnight in the zone. */
static ErrCode put_usage(Call *c, const Zone *zone, int64_t now_ms)
{
    JsonOut *j = &c->json;
    int64_t now_s = now_ms / 1000, local_s = now_s + zone_span(zone, now_s).offset;
    const UsageAsk ask = {.project = c->who.project,
                          .since_ms = (now_s - local_s % 86400) * 1000,
                          .until_ms = now_ms,
                          .zone = zone};
    UsageRow *rows = NULL;
    size_t len = 0;
    ErrCode rc = usage_read(c->reader, &ask, c->arena, &rows, &len, &c->err);
    json_kv_c(j, "cost_unit", USAGE_COST_UNIT);
    json_key(j, "usage");
    json_begin(j, '[');
    for (size_t i = 0; rc == OK && i < len; i++) {
        json_begin(j, '{');
        json_kv_str(j, "unit", rows[i].unit);
        json_kv_int(j, "amount", rows[i].amount);
        json_kv_int(j, "count", rows[i].count);
        json_end(j, '}');
    }
    json_end(j, ']');
    return rc;
}

static ErrCode put_approvals(Call *c)
{
    JsonOut *j = &c->json;
    ApprovalView *all = NULL;
    size_t len = 0;
    int64_t next = 0;
    ErrCode rc = flow_approvals(c->reader, c->who.project, 0, APPROVALS_READ, c->arena, &all, &len,
                                &next, &c->err);
    json_key(j, "approvals");
    json_begin(j, '{');
    json_kv_int(j, "count", (int64_t)len);
    json_kv_bool(j, "more", next != 0);
    json_key(j, "oldest");
    json_begin(j, '[');
    for (size_t i = 0; rc == OK && i < len && i < APPROVALS_SHOWN; i++)
        approval_put(j, &all[i]);
    json_end(j, ']');
    json_end(j, '}');
    return rc;
}

/* A count that stops at COUNTED_MAX: {"count", "more"}. */
static ErrCode put_few(Call *c, const char *key, const Query *q, int64_t *count)
{
    *count = 0;
    ErrCode rc = db_get_int(c->reader, q, DB_ARGS(DB_I(c->who.project), DB_I(COUNTED_MAX + 1)), 0,
                            count, &c->err);
    json_key(&c->json, key);
    json_begin(&c->json, '{');
    json_kv_int(&c->json, "count", *count > COUNTED_MAX ? COUNTED_MAX : *count);
    json_kv_bool(&c->json, "more", *count > COUNTED_MAX);
    json_end(&c->json, '}');
    return rc;
}

/* Has nobody done anything here yet? */
static ErrCode put_empty(Call *c, bool documents)
{
    Job *jobs = NULL;
    size_t len = 0;
    bool more = false;
    const JobFilter f = {.project = c->who.project, .limit = 1};
    ErrCode rc = documents ? OK : flow_list(c->reader, &f, c->arena, &jobs, &len, &more, &c->err);
    json_kv_bool(&c->json, "empty", !documents && len == 0);
    return rc;
}

static ErrCode put_all(Call *c, const Zone *zone)
{
    JsonOut *j = &c->json;
    int64_t now_ms = clock_now_ms(), letters = 0, documents = 0;
    Figures *figures = work_figures(c->app->work);
    write_time(j, "time", now_ms);
    write_time(j, "started", c->app->started_ms);
    json_kv_int(j, "bucket_ms", figures_bucket_ms(FIGURE_HOUR));
    figure_put_points(j, figures, FIGURE_ALL, STR(""), FIGURE_HOUR);
    put_steps(c, now_ms);
    int64_t free_bytes = blob_free_bytes(c->app->blobs);
    json_kv_int(j, "free_bytes", free_bytes);
    json_kv_bool(j, "disk_low", free_bytes >= 0 && free_bytes < HEALTH_DISK_LOW);
    ErrCode rc = put_running(c);
    if (rc == OK)
        rc = put_failed(c, now_ms);
    if (rc == OK)
        rc = queues_put(c);
    if (rc == OK)
        rc = put_usage(c, zone, now_ms);
    if (rc == OK)
        rc = put_approvals(c);
    if (rc == OK)
        rc = put_few(c, "dead_letters", &sql_few_dead, &letters);
    if (rc == OK)
        rc = put_few(c, "documents", &sql_few_documents, &documents);
    return rc == OK ? put_empty(c, documents > 0) : rc;
}

void overview_get(HttpRequest *req)
{
    Call c;
    if (!call_begin(req, &c))
        return;
    OverviewQuery q = {0};
    ParamFaults faults = {0};
    Zone zone = {0};
    ErrCode rc = call_query(&c, overview_query_params, &q, &faults);
    if (rc == OK)
        rc = zone_open(c.arena, q.zone, &zone, &c.err);
    json_begin(&c.json, '{');
    if (rc == OK)
        rc = put_all(&c, &zone);
    json_end(&c.json, '}');
    if (rc != OK)
        call_refuse(&c, rc, &faults);
    else
        call_answer(&c, 200);
}

/* health and metrics: for load balancers, people and Prometheus. Public: no key, and nothing a
 * stranger could use. */
#include "api/figures.h"
#include "api/routes.h"
#include "base/clock.h"
#include "db/queries.h"
#include "trace/metrics.h"

typedef struct Check {
    const char *name;
    bool ok;
    Str detail;
} Check;

enum { CHECKS = 3 };

/* Ready: the database answers, the writer writes, the disk has room. */
static bool run_checks(App *app, Arena *a, Check checks[CHECKS])
{
    Err err = {0};
    int64_t version = 0, free_bytes = blob_free_bytes(app->blobs);
    DbConn *reader = NULL;
    ErrCode rc = db_reader(app->db, &reader, &err);
    if (rc == OK)
        rc = db_get_int(reader, &sql_schema_version_get, DB_NO_ARGS, 0, &version, &err);
    checks[0] = (Check){"database", rc == OK && version > 0,
                        rc == OK ? STR("answers") : str_copy(a, str_from_c(err.text))};
    bool room = free_bytes < 0 || free_bytes >= HEALTH_DISK_LOW;
    checks[1] = (Check){"disk", room, str_printf(a, "%" PRId64 " MB free", free_bytes / 1000000)};
    size_t steps = registry_count(app->registry);
    checks[2] = (Check){"steps", steps > 0, str_printf(a, "%zu steps", steps)};
    bool all = true;
    for (size_t i = 0; i < CHECKS; i++)
        all = all && checks[i].ok;
    return all;
}

static void put_checks(JsonOut *j, const Check checks[CHECKS])
{
    json_key(j, "checks");
    json_begin(j, '[');
    for (size_t i = 0; i < CHECKS; i++) {
        json_begin(j, '{');
        json_kv_c(j, "name", checks[i].name);
        json_kv_bool(j, "ok", checks[i].ok);
        json_kv_str(j, "detail", checks[i].detail);
        json_end(j, '}');
    }
    json_end(j, ']');
}

void health_put_checks(Call *c)
{
    Check checks[CHECKS];
    run_checks(c->app, c->arena, checks);
    put_checks(&c->json, checks);
}

static void answer_checks(HttpRequest *req, bool details)
{
    Call c;
    call_begin_public(req, &c);
    Check checks[CHECKS];
    bool ok = run_checks(c.app, c.arena, checks);
    JsonOut *j = &c.json;
    *j = json_out(&c.body);
    json_begin(j, '{');
    json_kv_c(j, "status", ok ? "ok" : "degraded");
    if (details) {
        json_kv_c(j, "version", PLATEN_VERSION);
        json_kv_int(j, "uptime_s", (clock_now_ms() - c.app->started_ms) / 1000);
    }
    put_checks(j, checks);
    json_end(j, '}');
    call_answer(&c, ok ? 200 : 503);
}

void health_all(HttpRequest *req)
{
    answer_checks(req, true);
}

void health_readiness(HttpRequest *req)
{
    answer_checks(req, false);
}

void health_liveness(HttpRequest *req)
{
    Call c;
    call_begin_public(req, &c);
    buf_add(&c.body, STR("{\"status\":\"ok\",\"checks\":[]}"));
    call_answer(&c, 200);
}

static void put_server(Buf *b, App *app)
{
    HttpStats http = http_stats(app->http);
    DbStats db = db_stats(app->db);
    metrics_put_answers(b);
    metrics_put(b, METRIC_HTTP_CONNECTIONS, http.connections);
    metrics_put(b, METRIC_HTTP_STREAMS, http.streams);
    metrics_put(b, METRIC_HTTP_SOCKETS, http.sockets);
    metrics_put(b, METRIC_HTTP_REFUSED, http.refused);
    metrics_put(b, METRIC_HTTP_BYTES_IN, http.bytes_in);
    metrics_put(b, METRIC_HTTP_BYTES_OUT, http.bytes_out);
    metrics_put(b, METRIC_HTTP_WAITING, http.pool_waiting);
    metrics_put(b, METRIC_DB_WRITES, db.writes);
    metrics_put(b, METRIC_DB_COMMITS, db.batches);
    metrics_put(b, METRIC_DB_WAITING, db.waiting);
    metrics_put(b, METRIC_DB_FAILED, db.failed);
    metrics_put(b, METRIC_DB_BYTES, db.file_bytes);
    metrics_put(b, METRIC_DB_WAL_BYTES, db.wal_bytes);
    metrics_put(b, METRIC_DISK_FREE, blob_free_bytes(app->blobs));
    metrics_put(b, METRIC_MEMORY, metrics_resident_bytes());
    metrics_put(b, METRIC_UPTIME, (clock_now_ms() - app->started_ms) / 1000);
}

static void put_queues(Buf *b, const QueueInfo *queues, size_t len)
{
    static const char tasks[] = "platen_queue_tasks", oldest[] = "platen_queue_oldest_ms";
    metrics_family(b, tasks, "gauge", "Tasks by queue and state.");
    for (size_t i = 0; i < len; i++) {
        metrics_sample(b, tasks, "queue", queues[i].name, "state", STR("ready"), queues[i].ready);
        metrics_sample(b, tasks, "queue", queues[i].name, "state", STR("delayed"),
                       queues[i].delayed);
        metrics_sample(b, tasks, "queue", queues[i].name, "state", STR("blocked"),
                       queues[i].blocked);
        metrics_sample(b, tasks, "queue", queues[i].name, "state", STR("leased"), queues[i].leased);
        metrics_sample(b, tasks, "queue", queues[i].name, "state", STR("dead"), queues[i].dead);
    }
    metrics_family(b, oldest, "gauge", "Age of the oldest ready task.");
    for (size_t i = 0; i < len; i++)
        metrics_sample(b, oldest, "queue", queues[i].name, NULL, (Str){0}, queues[i].oldest_ms);
}

static void put_engines(Buf *b, const EngineInfo *engines, size_t len)
{
    static const char tasks[] = "platen_engine_tasks_total",
                      failures[] = "platen_engine_failures_total",
                      restarts[] = "platen_engine_restarts_total";
    metrics_family(b, tasks, "counter", "Tasks run by engine.");
    for (size_t i = 0; i < len; i++)
        metrics_sample(b, tasks, "engine", str_from_c(engines[i].name), NULL, (Str){0},
                       engines[i].tasks);
    metrics_family(b, failures, "counter", "Tasks that ended with a reason, by engine.");
    for (size_t i = 0; i < len; i++)
        metrics_sample(b, failures, "engine", str_from_c(engines[i].name), NULL, (Str){0},
                       engines[i].failures);
    metrics_family(b, restarts, "counter", "Warm parents started again, by engine.");
    for (size_t i = 0; i < len; i++)
        metrics_sample(b, restarts, "engine", str_from_c(engines[i].name), NULL, (Str){0},
                       engines[i].restarts);
}

void health_metrics(HttpRequest *req)
{
    Call c;
    call_begin_public(req, &c);
    put_server(&c.body, c.app);
    QueueInfo *queues = NULL;
    size_t len = 0;
    if (db_reader(c.app->db, &c.reader, &c.err) == OK &&
        queue_list(c.reader, c.arena, &queues, &len, &c.err) == OK)
        put_queues(&c.body, queues, len);
    EngineInfo *engines = NULL;
    len = engine_list(c.app->engines, c.arena, &engines);
    put_engines(&c.body, engines, len);
    http_answer_text(req, 200, "text/plain; version=0.0.4; charset=utf-8", buf_str(&c.body));
}

/* system: what the server is made of and how it is: versions, sizes, engines and what encloses
 * them, checks, alerts. For editors and owners. Sizes, and alerts that come from the log and may
 * speak of other projects or of files, are for those of the first project (the operator's). */
#include "api/figures.h"
#include "api/routes.h"
#include "api/write.h"
#include "base/clock.h"
#include "db/queries.h"
#include "hook/webhook.h"
#include "trace/alerts.h"
#include "trace/metrics.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <sys/utsname.h>
#include <unistd.h>

enum { SLOW_SYNC_US = 50000, SYNCS_MIN = 20, LETTERS_MAX = 1000 };

/* --- the machine and what the server is built with --- */

#ifdef __clang__
#define COMPILER "clang " __clang_version__
#else
#define COMPILER "gcc " __VERSION__
#endif

static void put_build(Call *c)
{
    struct utsname u;
    JsonOut *j = &c->json;
    json_key(j, "build");
    json_begin(j, '{');
    json_kv_c(j, "compiler", COMPILER);
    json_kv_c(j, "database", db_library());
    json_kv_c(j, "crypto", OpenSSL_version(OPENSSL_VERSION));
    json_kv_str(j, "kernel",
                uname(&u) == 0 ? str_printf(c->arena, "%s %s", u.sysname, u.release) : STR(""));
    json_kv_c(j, "machine", uname(&u) == 0 ? u.machine : "");
    json_end(j, '}');
}

static bool is_operator(const Call *c)
{
    return c->who.project == c->app->project;
}

/* Microseconds that a commit took to be on disk, on average since the start. */
static int64_t sync_us(const DbStats *s)
{
    return s->batches > 0 ? s->syncs_us / s->batches : 0;
}

static void put_data(Call *c, const DbStats *db)
{
    JsonOut *j = &c->json;
    if (!is_operator(c))
        return;
    json_key(j, "data");
    json_begin(j, '{');
    json_kv_int(j, "database_bytes", db->file_bytes);
    json_kv_int(j, "wal_bytes", db->wal_bytes);
    json_kv_int(j, "free_bytes", blob_free_bytes(c->app->blobs));
    json_kv_int(j, "schema", db->schema_version);
    json_kv_int(j, "sync_us", sync_us(db));
    json_end(j, '}');
}

static void put_work(Call *c)
{
    WorkStats s = work_stats(c->app->work);
    JsonOut *j = &c->json;
    json_key(j, "work");
    json_begin(j, '{');
    json_kv_int(j, "running", s.running);
    json_kv_int(j, "waiting", s.waiting);
    json_kv_int(j, "done", s.done);
    json_kv_int(j, "failed", s.failed);
    json_kv_int(j, "lost", s.lost);
    json_kv_int(j, "queues", s.lanes);
    json_kv_int(j, "runners", s.runners);
    json_end(j, '}');
}

/* --- engines --- */

/* Children of a process, and those of its threads; 0 when the kernel does not tell. */
static int64_t children_of(int64_t pid, Arena *a)
{
    int64_t n = 0;
    Str path = str_printf(a, "/proc/%" PRId64 "/task/%" PRId64 "/children", pid, pid);
    FILE *f = path.ptr != NULL ? fopen(path.ptr, "re") : NULL;
    if (f == NULL)
        return 0;
    for (int ch, in_word = 0; (ch = fgetc(f)) != EOF; in_word = ch != ' ')
        n += ch != ' ' && !in_word;
    fclose(f);
    return n;
}

static int64_t resident_bytes(int64_t pid, Arena *a)
{
    int64_t all = 0, pages = 0;
    Str path = str_printf(a, "/proc/%" PRId64 "/statm", pid);
    FILE *f = path.ptr != NULL ? fopen(path.ptr, "re") : NULL;
    if (f == NULL)
        return 0;
    if (fscanf(f, "%" SCNd64 " %" SCNd64, &all, &pages) != 2)
        pages = 0;
    fclose(f);
    return pages * sysconf(_SC_PAGESIZE);
}

static void put_engine(Call *c, const EngineInfo *e)
{
    JsonOut *j = &c->json;
    json_begin(j, '{');
    json_kv_c(j, "name", e->name);
    json_kv_c(j, "version", e->version != NULL ? e->version : "");
    json_kv_c(j, "state", e->problem != NULL ? "broken" : e->pid != 0 ? "warm" : "idle");
    if (e->problem != NULL)
        json_kv_c(j, "problem", e->problem);
    json_kv_bool(j, "kept_warm", e->warm);
    json_kv_int(j, "steps", e->steps);
    json_kv_int(j, "tasks", e->tasks);
    json_kv_int(j, "failures", e->failures);
    json_kv_int(j, "restarts", e->restarts);
    json_kv_int(j, "processes", e->pid != 0 ? 1 + children_of(e->pid, c->arena) : 0);
    json_kv_int(j, "resident_bytes", e->pid != 0 ? resident_bytes(e->pid, c->arena) : 0);
    if (e->last_reason != OK) {
        json_key(j, "last_failure");
        json_begin(j, '{');
        write_time(j, "time", e->last_failed_ms);
        json_kv_c(j, "reason", err_reason(e->last_reason));
        json_kv_c(j, "meaning", err_meaning(e->last_reason));
        json_kv_c(j, "remedy", err_remedy(e->last_reason));
        json_end(j, '}');
    }
    json_end(j, '}');
}

static void put_engines(Call *c)
{
    EngineInfo *engines = NULL;
    size_t len = engine_list(c->app->engines, c->arena, &engines);
    json_key(&c->json, "engines");
    json_begin(&c->json, '[');
    for (size_t i = 0; i < len; i++)
        put_engine(c, &engines[i]);
    json_end(&c->json, ']');
}

static void put_layers(Call *c, const EngineLayer *layers, size_t len)
{
    static const char *const verdicts[] = {
        [ENGINE_FINE] = "ok", [ENGINE_NOTE] = "note", [ENGINE_BAD] = "bad"};
    JsonOut *j = &c->json;
    json_key(j, "sandbox");
    json_begin(j, '[');
    for (size_t i = 0; i < len; i++) {
        json_begin(j, '{');
        json_kv_c(j, "layer", layers[i].name);
        json_kv_c(j, "verdict", verdicts[layers[i].verdict]);
        json_kv_str(j, "found", layers[i].found);
        json_kv_c(j, "meaning", layers[i].meaning);
        json_end(j, '}');
    }
    json_end(j, ']');
}

/* --- alerts --- */

static void put_alert(Call *c, const Alert *x)
{
    JsonOut *j = &c->json;
    json_begin(j, '{');
    json_kv_c(j, "event", log_event_name(x->event));
    json_kv_c(j, "level", x->level >= LOG_ERROR ? "error" : "warn");
    write_time(j, "time", x->last_ms);
    write_time(j, "first", x->first_ms);
    json_kv_int(j, "count", x->count);
    json_kv_c(j, "subject", x->subject);
    json_kv_c(j, "detail", x->detail);
    json_kv_c(j, "meaning", log_event_meaning(x->event));
    json_kv_c(j, "remedy", log_event_remedy(x->event));
    json_end(j, '}');
}

/* Something that is so now; count 0: it is not. */
static void put_standing(Call *c, Event event, LogLevel level, int64_t at_ms, int64_t count,
                         Str subject, Str detail)
{
    Alert x = {.event = event, .level = level, .first_ms = at_ms, .last_ms = at_ms, .count = count};
    if (count == 0)
        return;
    snprintf(x.subject, sizeof x.subject, STR_FMT, STR_ARG(subject));
    snprintf(x.detail, sizeof x.detail, STR_FMT, STR_ARG(detail));
    put_alert(c, &x);
}

static void put_machine_alerts(Call *c, const DbStats *db, const EngineLayer *layers, size_t len)
{
    int64_t now_ms = clock_now_ms(), free_bytes = blob_free_bytes(c->app->blobs);
    put_standing(c, EVENT_DISK_LOW, LOG_ERROR, now_ms,
                 free_bytes >= 0 && free_bytes < HEALTH_DISK_LOW, STR(""),
                 str_printf(c->arena, "%" PRId64 " MB are free", free_bytes / 1000000));
    put_standing(c, EVENT_DISK_SLOW, LOG_WARN, now_ms,
                 db->batches >= SYNCS_MIN && sync_us(db) > SLOW_SYNC_US, STR(""),
                 str_printf(c->arena, "a commit takes %" PRId64 " ms", sync_us(db) / 1000));
    for (size_t i = 0; i < len; i++)
        put_standing(c, EVENT_SANDBOX_DEGRADED,
                     layers[i].verdict == ENGINE_BAD ? LOG_ERROR : LOG_WARN, now_ms,
                     layers[i].verdict != ENGINE_FINE, str_from_c(layers[i].name), layers[i].found);
}

static ErrCode put_project_alerts(Call *c)
{
    DeadLetter *newest = NULL;
    Webhook *hooks = NULL;
    size_t n = 0, hooks_len = 0;
    int64_t letters = 0;
    bool more = false;
    ErrCode rc = flow_dead_list(c->reader, &(DeadFilter){.project = c->who.project, .limit = 1},
                                c->arena, &newest, &n, &more, &c->err);
    if (rc == OK)
        rc = db_get_int(c->reader, &sql_few_dead, DB_ARGS(DB_I(c->who.project), DB_I(LETTERS_MAX)),
                        0, &letters, &c->err);
    if (rc == OK)
        rc = webhook_list(c->reader, c->who.project, c->arena, &hooks, &hooks_len, &c->err);
    if (rc != OK)
        return rc;
    if (n > 0)
        put_standing(c, EVENT_TASK_DEAD, LOG_WARN, newest[0].died_ms, letters, newest[0].queue,
                     newest[0].detail);
    for (size_t i = 0; i < hooks_len; i++)
        put_standing(c, EVENT_WEBHOOK_DISABLED, LOG_WARN, hooks[i].changed_ms,
                     hooks[i].state == WEBHOOK_DISABLED, hooks[i].url, hooks[i].disabled_for);
    return OK;
}

static ErrCode put_alerts(Call *c, const DbStats *db, const EngineLayer *layers, size_t len)
{
    json_key(&c->json, "alerts");
    json_begin(&c->json, '[');
    put_machine_alerts(c, db, layers, len);
    ErrCode rc = put_project_alerts(c);
    Alert *said = arena_new(c->arena, Alert, ALERTS_MAX);
    size_t n = said != NULL && is_operator(c) ? alerts_read(c->app->alerts, said) : 0;
    for (size_t i = 0; i < n; i++)
        put_alert(c, &said[i]);
    json_end(&c->json, ']');
    return rc;
}

void system_get(HttpRequest *req)
{
    Call c;
    if (!call_begin(req, &c))
        return;
    JsonOut *j = &c.json;
    DbStats db = db_stats(c.app->db);
    EngineLayer *layers = NULL;
    size_t len = engine_layers(c.arena, &layers);
    json_begin(j, '{');
    json_kv_c(j, "version", PLATEN_VERSION);
    write_time(j, "started", c.app->started_ms);
    json_kv_int(j, "processors", sysconf(_SC_NPROCESSORS_ONLN));
    json_kv_int(j, "resident_bytes", metrics_resident_bytes());
    put_build(&c);
    put_data(&c, &db);
    put_work(&c);
    health_put_checks(&c);
    put_engines(&c);
    put_layers(&c, layers, len);
    ErrCode rc = put_alerts(&c, &db, layers, len);
    json_end(j, '}');
    if (rc != OK)
        call_fail(&c);
    else
        call_answer(&c, 200);
}

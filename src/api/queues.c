/* queues: what stands in them, what people set for them, and verbs for many jobs at once.
 *
 * Settings hold for the caller's project. With scope=all they hold for every project, which only an
 * owner of the first project (the operator's) may say. */
#include "api/figures.h"
#include "api/params.h"
#include "api/routes.h"
#include "api/write.h"
#include "base/clock.h"
#include "base/id.h"

enum { QUEUES_MAX = 4096 };

/* A queue as it is shown: its tasks, and what is set. */
typedef struct View {
    QueueInfo info;
    QueueSettings own, all;
    bool has_own, has_all;
} View;

typedef struct Views {
    View *items;
    size_t len;
} Views;

static void write_settings(JsonOut *j, const char *key, const QueueSettings *s)
{
    json_key(j, key);
    json_begin(j, '{');
    json_kv_bool(j, "paused", s->paused);
    json_kv_bool(j, "draining", s->draining);
    json_kv_int(j, "concurrency", s->concurrency);
    json_kv_int(j, "rate", s->rate);
    json_kv_int(j, "key_rate", s->key_rate);
    json_kv_int(j, "rate_window_ms", s->rate_window_ms);
    json_kv_int(j, "weight", s->weight);
    json_kv_int(j, "retention_ms", s->retention_ms);
    json_kv_int(j, "runners", s->runners);
    json_end(j, '}');
}

/* The last minutes of a queue in which something ran. */
static void write_lately(JsonOut *j, Figures *figures, Str name)
{
    FigurePoint p =
        figures_sum(figures, FIGURE_QUEUE, name, FIGURES_LATELY_MINUTES, clock_now_ms());
    if (p.started + p.ended == 0)
        return;
    json_key(j, "lately");
    json_begin(j, '{');
    json_kv_int(j, "minutes", FIGURES_LATELY_MINUTES);
    figure_put(j, &p);
    json_end(j, '}');
}

static void write_queue(Call *c, const View *v)
{
    JsonOut *j = &c->json;
    json_begin(j, '{');
    json_kv_str(j, "name", v->info.name);
    json_kv_int(j, "ready", v->info.ready);
    json_kv_int(j, "delayed", v->info.delayed);
    json_kv_int(j, "blocked", v->info.blocked);
    json_kv_int(j, "leased", v->info.leased);
    json_kv_int(j, "dead", v->info.dead);
    json_kv_int(j, "oldest_ms", v->info.oldest_ms);
    json_kv_bool(j, "paused", v->own.paused || v->all.paused);
    json_kv_bool(j, "draining", v->own.draining || v->all.draining);
    if (v->has_own)
        write_settings(j, "settings", &v->own);
    if (v->has_all)
        write_settings(j, "settings_for_all", &v->all);
    write_lately(j, work_figures(c->app->work), v->info.name);
    json_end(j, '}');
}

static View *view_of(Views *all, Str name)
{
    for (size_t i = 0; i < all->len; i++)
        if (str_eq(all->items[i].info.name, name))
            return &all->items[i];
    if (all->len == QUEUES_MAX)
        return NULL;
    all->items[all->len] = (View){.info = {.name = name}};
    return &all->items[all->len++];
}

static ErrCode read_views(Call *c, Views *out)
{
    QueueInfo *queues = NULL;
    QueueSetting *settings = NULL;
    size_t queues_len = 0, settings_len = 0;
    out->items = arena_new(c->arena, View, QUEUES_MAX);
    if (out->items == NULL)
        return err_set(&c->err, ERR_NO_MEMORY, "listing queues");
    ErrCode rc = queue_list(c->reader, c->arena, &queues, &queues_len, &c->err);
    if (rc == OK)
        rc = queue_settings_list(c->reader, c->who.project, c->arena, &settings, &settings_len,
                                 &c->err);
    for (size_t i = 0; rc == OK && i < queues_len; i++) {
        View *v = view_of(out, queues[i].name);
        if (v != NULL)
            v->info = queues[i];
    }
    for (size_t i = 0; rc == OK && i < settings_len; i++) {
        View *v = view_of(out, settings[i].queue);
        if (v == NULL)
            continue;
        *(settings[i].project == 0 ? &v->all : &v->own) = settings[i].s;
        *(settings[i].project == 0 ? &v->has_all : &v->has_own) = true;
    }
    return rc;
}

/* Those that are empty now but ran something since the start. */
static void add_seen(Call *c, Views *views)
{
    FigureName names[FIGURES_MAX];
    size_t len = figures_names(work_figures(c->app->work), FIGURE_QUEUE, names);
    for (size_t i = 0; i < len; i++) {
        Str name = str_copy(c->arena, str_from_c(names[i].text));
        if (name.ptr != NULL)
            (void)view_of(views, name);
    }
}

ErrCode queues_put(Call *c)
{
    Views views = {0};
    ErrCode rc = read_views(c, &views);
    if (rc == OK)
        add_seen(c, &views);
    json_key(&c->json, "queues");
    json_begin(&c->json, '[');
    for (size_t i = 0; rc == OK && i < views.len; i++)
        write_queue(c, &views.items[i]);
    json_end(&c->json, ']');
    return rc;
}

void queues_list(HttpRequest *req)
{
    Call c;
    if (!call_begin(req, &c))
        return;
    json_begin(&c.json, '{');
    if (queues_put(&c) != OK) {
        call_fail(&c);
        return;
    }
    json_end(&c.json, '}');
    call_answer(&c, 200);
}

static ErrCode queue_name(Call *c, Str *out)
{
    *out = c->req->params[0];
    for (size_t i = 0; i < out->len; i++) {
        char x = out->ptr[i];
        if (!((x >= 'a' && x <= 'z') || (x >= '0' && x <= '9') || x == '-' || x == '_' || x == '.'))
            return err_set(&c->err, ERR_NOT_FOUND, "names of queues are made of a-z 0-9 - _ .");
    }
    return out->len > 0 && out->len <= QUEUE_NAME_MAX
               ? OK
               : err_set(&c->err, ERR_NOT_FOUND, "names of queues have 1 to 64 letters");
}

/* A queue that nobody has used or set yet is one without tasks. */
static void answer_queue(Call *c, Str name)
{
    Views views = {0};
    View *v = NULL;
    if (read_views(c, &views) != OK || (v = view_of(&views, name)) == NULL) {
        call_fail(c);
        return;
    }
    write_queue(c, v);
    call_answer(c, 200);
}

void queues_get(HttpRequest *req)
{
    Call c;
    Str name;
    if (!call_begin(req, &c))
        return;
    if (queue_name(&c, &name) != OK)
        call_fail(&c);
    else
        answer_queue(&c, name);
}

static ErrCode scope_project(Call *c, int scope, int64_t *project)
{
    *project = scope == SCOPE_ALL ? 0 : c->who.project;
    if (*project == 0 && (c->who.project != c->app->project || c->who.role < ROLE_OWNER))
        return err_set(&c->err, ERR_FORBIDDEN,
                       "only an owner of the first project may set queues for all projects");
    return OK;
}

/* Whose settings are meant: 0 for all projects. */
static ErrCode scope_of(Call *c, int64_t *project, ParamFaults *faults)
{
    ScopeQuery q = {0};
    ErrCode rc = call_query(c, scope_query_params, &q, faults);
    return rc == OK ? scope_project(c, q.scope, project) : rc;
}

static ErrCode settings_of(Call *c, int64_t project, Str name, QueueSettings *out)
{
    bool found;
    return queue_settings_get(c->reader, project, name, out, &found, &c->err);
}

static ErrCode check_scope(Call *c, int64_t project, const QueueSettings *s)
{
    const char *param = project != 0 && s->runners > 0  ? "runners"
                        : project == 0 && s->weight > 1 ? "weight"
                                                        : NULL;
    if (param == NULL)
        return OK;
    err_set(&c->err, ERR_BAD_PARAM,
            project != 0 ? "%s belongs to all projects: say scope=all"
                         : "%s is of one project: leave scope=all away",
            param);
    err_param(&c->err, param);
    return ERR_BAD_PARAM;
}

void queues_set(HttpRequest *req)
{
    Call c;
    if (!call_begin(req, &c))
        return;
    QueueBody body = {0};
    QueueSettings s = {0};
    ParamFaults faults = {0};
    int64_t project = 0;
    Str name;
    ErrCode rc = queue_name(&c, &name);
    if (rc == OK)
        rc = scope_of(&c, &project, &faults);
    if (rc == OK)
        rc = call_body(&c, queue_body_params, &body, &faults);
    if (rc == OK)
        rc = settings_of(&c, project, name, &s);
    s = (QueueSettings){.paused = s.paused, /* those have verbs of their own */
                        .draining = s.draining,
                        .concurrency = body.concurrency,
                        .rate = body.rate,
                        .rate_window_ms = body.rate_window_ms,
                        .key_rate = body.key_rate,
                        .weight = body.weight,
                        .retention_ms = body.retention_ms,
                        .runners = body.runners};
    if (rc == OK)
        rc = check_scope(&c, project, &s);
    if (rc == OK)
        rc = flow_queue_set(c.app->db, project, name, &s, &c.err);
    if (rc != OK)
        call_refuse(&c, rc, &faults);
    else
        answer_queue(&c, name);
}

typedef enum QueueVerb { QUEUE_PAUSE, QUEUE_RESUME, QUEUE_DRAIN } QueueVerb;

static void act(HttpRequest *req, QueueVerb verb)
{
    Call c;
    if (!call_begin(req, &c))
        return;
    QueueSettings s = {0};
    ParamFaults faults = {0};
    int64_t project = 0;
    Str name;
    ErrCode rc = queue_name(&c, &name);
    if (rc == OK)
        rc = scope_of(&c, &project, &faults);
    if (rc == OK)
        rc = settings_of(&c, project, name, &s);
    s.paused = verb == QUEUE_PAUSE || (verb == QUEUE_DRAIN && s.paused);
    s.draining = verb == QUEUE_DRAIN || (verb == QUEUE_PAUSE && s.draining);
    if (rc == OK)
        rc = flow_queue_set(c.app->db, project, name, &s, &c.err);
    if (rc != OK)
        call_refuse(&c, rc, &faults);
    else
        answer_queue(&c, name);
}

void queues_pause(HttpRequest *req)
{
    act(req, QUEUE_PAUSE);
}

void queues_resume(HttpRequest *req)
{
    act(req, QUEUE_RESUME);
}

void queues_drain(HttpRequest *req)
{
    act(req, QUEUE_DRAIN);
}

static void answer_count(Call *c, int64_t count)
{
    json_begin(&c->json, '{');
    json_kv_int(&c->json, "count", count);
    json_end(&c->json, '}');
    call_answer(c, 200);
}

/* What waits in it is cancelled; what runs goes on. */
void queues_purge(HttpRequest *req)
{
    Call c;
    if (!call_begin(req, &c))
        return;
    ParamFaults faults = {0};
    BulkFilter f = {.states = 1u << JOB_QUEUED};
    int64_t count = 0;
    PurgeQuery q = {0};
    ErrCode rc = queue_name(&c, &f.queue);
    if (rc == OK)
        rc = call_query(&c, purge_query_params, &q, &faults);
    if (rc == OK)
        rc = scope_project(&c, q.scope, &f.project);
    if (rc == OK)
        rc = flow_bulk(c.app->db, BULK_CANCEL, &f, q.dry_run, &count, &c.err);
    if (rc != OK)
        call_refuse(&c, rc, &faults);
    else
        answer_count(&c, count);
}

/* --- many jobs --- */

enum {
    STATES_LIVE = 1u << JOB_QUEUED | 1u << JOB_RUNNING,
    STATES_UNDONE = 1u << JOB_FAILED | 1u << JOB_CANCELED,
    STATES_ENDED = STATES_UNDONE | 1u << JOB_DONE,
};

static ErrCode named_jobs(Call *c, const StrList *names, int64_t **out)
{
    if (names->len == 0)
        return OK;
    int64_t *ids = arena_new(c->arena, int64_t, names->len);
    if (ids == NULL)
        return err_set(&c->err, ERR_NO_MEMORY, "changing many jobs");
    for (size_t i = 0; i < names->len; i++)
        if (!id_parse("job", names->items[i], &ids[i])) {
            err_set(&c->err, ERR_BAD_PARAM, "\"" STR_FMT "\" is not the id of a job",
                    STR_ARG(str_slice(names->items[i], 0, 40)));
            err_param(&c->err, "ids");
            return ERR_BAD_PARAM;
        }
    *out = ids;
    return OK;
}

/* states: what "any" stands for; letters: dead letters instead. */
static void change_many(HttpRequest *req, BulkVerb verb, const Param *params, unsigned states,
                        bool letters)
{
    Call c;
    if (!call_begin(req, &c))
        return;
    ManyBody body = {0};
    ParamFaults faults = {0};
    int64_t count = 0;
    ErrCode rc = call_body(&c, params, &body, &faults);
    int64_t *ids = NULL, key = 0;
    if (rc == OK)
        rc = named_jobs(&c, &body.ids, &ids);
    if (rc == OK && body.key.len > 0 && !id_parse("key", body.key, &key)) {
        rc = err_set(&c.err, ERR_BAD_PARAM, "must be the id of a key, key_…");
        err_param(&c.err, "key");
    }
    const BulkFilter f = {.project = c.who.project,
                          .ids = ids,
                          .ids_len = body.ids.len,
                          .pipeline = body.pipeline,
                          .key = key,
                          .states = body.state == 0 ? states : 1u << (body.state - 1) & states,
                          .letters = letters,
                          .step = body.step,
                          .queue = body.queue,
                          .reason = body.reason,
                          .since_ms = body.since_ms,
                          .until_ms = body.until_ms};
    if (rc == OK && !letters && f.states == 0) {
        rc = err_set(&c.err, ERR_BAD_PARAM, "jobs in this state cannot be changed so");
        err_param(&c.err, "state");
    }
    if (rc == OK)
        rc = flow_bulk(c.app->db, verb, &f, body.dry_run, &count, &c.err);
    if (rc != OK)
        call_refuse(&c, rc, &faults);
    else
        answer_count(&c, count);
}

void jobs_cancel_many(HttpRequest *req)
{
    change_many(req, BULK_CANCEL, many_body_params, STATES_LIVE, false);
}

void jobs_retry_many(HttpRequest *req)
{
    change_many(req, BULK_RETRY, many_body_params, STATES_UNDONE, false);
}

void jobs_delete_many(HttpRequest *req)
{
    change_many(req, BULK_DELETE, many_body_params, STATES_ENDED, false);
}

void dead_redrive_all(HttpRequest *req)
{
    change_many(req, BULK_RETRY, letter_body_params, 0, true);
}

void dead_delete_many(HttpRequest *req)
{
    change_many(req, BULK_FORGET, letter_body_params, 0, true);
}

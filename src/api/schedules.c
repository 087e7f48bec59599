/* schedules: what starts by the clock: list, make, change, run now, pause, preview. */
#include "api/params.h"
#include "api/routes.h"
#include "api/write.h"
#include "base/clock.h"
#include "flow/pipeline.h"
#include "flow/schedule.h"

enum { PREVIEW_MAX = 100 };

static void write_maybe(JsonOut *j, const char *key, Str text)
{
    json_key(j, key);
    if (text.len > 0)
        json_put_str(j, text);
    else
        json_put_null(j);
}

static void write_words(JsonOut *j, const ScheduleSpec *s, Arena *a)
{
    Cron cron;
    Buf words = buf_init(a, 4 * KIB);
    if (cron_parse(s->cron, &cron, NULL) == OK)
        cron_explain(&cron, s->zone, &words);
    json_kv_str(j, "words", buf_str(&words));
}

static void write_inputs(JsonOut *j, const Schedule *s, const Registry *registry, Arena *a)
{
    const Job job = {.step = s->spec.step, .params = s->spec.params};
    if (s->spec.step.len > 0)
        write_params(j, &job, registry, a);
    else
        json_kv_raw(j, "params", s->spec.params.len > 0 ? s->spec.params : STR("{}"));
}

static void write_schedule(JsonOut *j, const Schedule *s, const Registry *registry, Arena *a)
{
    static const int make_up[] = {0, 1, SCHEDULE_MAKE_UP_MAX};
    const ScheduleSpec *p = &s->spec;
    json_begin(j, '{');
    json_kv_str(j, "name", p->name);
    json_kv_str(j, "cron", p->cron);
    json_kv_str(j, "zone", p->zone);
    write_words(j, p, a);
    write_maybe(j, "step", p->step);
    write_maybe(j, "pipeline", p->pipeline);
    write_inputs(j, s, registry, a);
    write_maybe(j, "queue", p->queue);
    json_kv_int(j, "priority", p->priority);
    json_kv_int(j, "attempts", p->attempts);
    json_kv_int(j, "timeout_ms", p->timeout_ms);
    json_kv_c(j, "missed", missed_name(p->missed));
    json_kv_int(j, "make_up_max", make_up[p->missed]);
    json_kv_c(j, "overlap", overlap_name(p->overlap));
    json_kv_int(j, "jitter_ms", p->jitter_ms);
    write_time(j, "start", p->start_ms);
    write_time(j, "end", p->end_ms);
    json_kv_bool(j, "paused", p->paused);
    write_maybe(j, "declared_by", s->pipeline_of);
    write_time(j, "created", s->created_ms);
    write_time(j, "changed", s->changed_ms);
    write_time(j, "next", s->next_ms);
    write_time(j, "last_time", s->last_ms);
    write_time(j, "last_fired", s->last_fired_ms);
    if (s->last_job != 0)
        write_id(j, "last_job", "job", s->last_job);
    else
        write_maybe(j, "last_job", (Str){0});
    json_kv_int(j, "fired", s->fired);
    json_kv_int(j, "skipped", s->skipped);
    write_time(j, "last_skipped", s->last_skip_ms);
    write_maybe(j, "skip_reason", s->skip_reason);
    json_end(j, '}');
}

static void answer_schedule(Call *c, Str name, int status)
{
    Schedule s;
    if (schedule_get(c->reader, c->who.project, name, c->arena, &s, &c->err) != OK) {
        call_fail(c);
        return;
    }
    write_schedule(&c->json, &s, c->app->registry, c->arena);
    call_answer(c, status);
}

void schedules_list(HttpRequest *req)
{
    Call c;
    Schedule *list = NULL;
    size_t len = 0;
    if (!call_begin(req, &c))
        return;
    if (schedule_list(c.reader, c.who.project, c.arena, &list, &len, &c.err) != OK) {
        call_fail(&c);
        return;
    }
    json_begin(&c.json, '{');
    json_key(&c.json, "schedules");
    json_begin(&c.json, '[');
    for (size_t i = 0; i < len; i++)
        write_schedule(&c.json, &list[i], c.app->registry, c.arena);
    json_end(&c.json, ']');
    json_end(&c.json, '}');
    call_answer(&c, 200);
}

void schedules_get(HttpRequest *req)
{
    Call c;
    if (call_begin(req, &c))
        answer_schedule(&c, req->params[0], 200);
}

/* --- from a body --- */

static ErrCode bad(Call *c, const char *param, const char *why)
{
    err_set(&c->err, ERR_BAD_PARAM, "%s %s", param, why);
    err_param(&c->err, param);
    return ERR_BAD_PARAM;
}

static ErrCode read_time(Call *c, const char *param, Str text, int64_t *out)
{
    *out = 0;
    if (text.len > 0 && !clock_parse(text, out))
        return bad(c, param, "must be a time as in RFC 3339, like 2026-12-01T09:00:00Z");
    return OK;
}

/* cron or every, both as an expression. */
static ErrCode read_when(Call *c, Str cron, Str every, Str *out)
{
    if ((cron.len > 0) == (every.len > 0))
        return bad(c, "cron", "or every: exactly one of them says when");
    *out = cron.len > 0 ? cron : str_printf(c->arena, "@every " STR_FMT, STR_ARG(every));
    return out->ptr != NULL ? OK : err_set(&c->err, ERR_NO_MEMORY, "no memory for the request");
}

static ErrCode read_step(Call *c, const ScheduleBody *b, ScheduleSpec *s, ParamFaults *faults)
{
    const Step *step = registry_find(c->app->registry, b->step);
    if (step == NULL)
        return OK; /* schedule_check says so */
    if (step->accepts != NULL && !step->input_optional) {
        err_set(&c->err, ERR_INPUT_MISSING, "%s needs a file, and a schedule has none", step->name);
        err_hint(&c->err, "Let the schedule start a pipeline that gets its file itself.");
        return ERR_INPUT_MISSING;
    }
    return param_check(step->params, b->params, c->arena, &s->params, faults, &c->err);
}

static ErrCode read_pipeline(Call *c, const ScheduleBody *b, ScheduleSpec *s, ParamFaults *faults)
{
    CLEANUP(flow_pipeline_release) PipelineHeld *held = NULL;
    ErrCode rc = flow_pipeline_hold(c->reader, c->who.project, b->pipeline, 0, &held, &c->err);
    if (rc != OK)
        return rc;
    const Pipeline *p = flow_pipeline_of(held);
    for (size_t i = 0; i < p->files_len; i++)
        if (p->files[i].required) {
            err_set(&c->err, ERR_INPUT_MISSING,
                    "the pipeline needs the file \"" STR_FMT "\", and a schedule has none",
                    STR_ARG(p->files[i].name));
            return ERR_INPUT_MISSING;
        }
    return param_check(p->inputs, b->inputs, c->arena, &s->params, faults, &c->err);
}

static ErrCode read_target(Call *c, const ScheduleBody *b, ScheduleSpec *s, ParamFaults *faults)
{
    if (b->step.len > 0 && b->inputs != NULL && b->inputs->type != JSON_NULL)
        return bad(c, "inputs", "are a pipeline's; a step has params");
    if (b->pipeline.len > 0 && b->params != NULL && b->params->type != JSON_NULL)
        return bad(c, "params", "are a step's; a pipeline has inputs");
    if (b->step.len > 0 && b->pipeline.len == 0)
        return read_step(c, b, s, faults);
    return b->pipeline.len > 0 && b->step.len == 0 ? read_pipeline(c, b, s, faults) : OK;
}

static ErrCode read_body(Call *c, Str name, ScheduleSpec *s, ParamFaults *faults)
{
    ScheduleBody b = {0};
    ErrCode rc = call_body(c, schedule_body_params, &b, faults);
    if (rc != OK)
        return rc;
    if (name.len > 0 && b.name.len > 0 && !str_eq(name, b.name))
        return bad(c, "name", "must be the one in the path; a schedule is not renamed");
    *s = (ScheduleSpec){.name = name.len > 0 ? name : b.name,
                        .zone = b.zone,
                        .step = b.step,
                        .pipeline = b.pipeline,
                        .queue = b.queue,
                        .priority = b.priority,
                        .attempts = b.attempts,
                        .timeout_ms = b.timeout_ms,
                        .jitter_ms = b.jitter_ms,
                        .missed = (Missed)b.missed,
                        .overlap = (Overlap)b.overlap,
                        .paused = b.paused};
    rc = read_when(c, b.cron, b.every, &s->cron);
    if (rc == OK)
        rc = read_time(c, "start", b.start, &s->start_ms);
    if (rc == OK)
        rc = read_time(c, "end", b.end, &s->end_ms);
    if (rc == OK)
        rc = read_target(c, &b, s, faults);
    return rc;
}

static void put(HttpRequest *req, Str name, bool replace)
{
    Call c;
    ScheduleSpec s;
    ParamFaults faults = {0};
    bool made = false;
    if (!call_begin(req, &c))
        return;
    ErrCode rc = read_body(&c, name, &s, &faults);
    if (rc == OK)
        rc = schedule_put(c.app->db, c.app->registry, c.who.project, c.who.key, &s, replace,
                          clock_now_ms(), &made, &c.err);
    if (rc != OK)
        call_refuse(&c, rc, &faults);
    else
        answer_schedule(&c, s.name, made ? 201 : 200);
}

void schedules_create(HttpRequest *req)
{
    put(req, (Str){0}, false);
}

void schedules_put(HttpRequest *req)
{
    put(req, req->params[0], true);
}

/* --- what is done to one --- */

void schedules_delete(HttpRequest *req)
{
    Call c;
    if (!call_begin(req, &c))
        return;
    if (schedule_delete(c.app->db, c.who.project, req->params[0], &c.err) != OK)
        call_fail(&c);
    else
        call_answer_empty(&c, 204);
}

static void pause(HttpRequest *req, bool paused)
{
    Call c;
    if (!call_begin(req, &c))
        return;
    if (schedule_pause(c.app->db, c.who.project, req->params[0], paused, clock_now_ms(), &c.err) !=
        OK)
        call_fail(&c);
    else
        answer_schedule(&c, req->params[0], 200);
}

void schedules_pause(HttpRequest *req)
{
    pause(req, true);
}

void schedules_resume(HttpRequest *req)
{
    pause(req, false);
}

void schedules_run(HttpRequest *req)
{
    Call c;
    JobAdded added;
    Job job;
    if (!call_begin(req, &c))
        return;
    ErrCode rc = schedule_run(c.app->db, c.app->registry, c.who.project, req->params[0],
                              str_from_c(req->trace), http_header(req, "idempotency-key"),
                              clock_now_ms(), &added, &c.err);
    if (rc == OK)
        rc = flow_get(c.reader, c.who.project, added.job, c.arena, &job, &c.err);
    if (rc != OK) {
        call_fail(&c);
        return;
    }
    write_job(&c.json, &job, c.app->registry, c.arena, true);
    call_answer(&c, 202);
}

/* --- previews --- */

static ErrCode write_preview(Call *c, const ScheduleSpec *s, int64_t created_ms, int64_t after_ms,
                             size_t max)
{
    int64_t times[PREVIEW_MAX];
    Str local[PREVIEW_MAX];
    size_t len = 0;
    ErrCode rc = schedule_preview(s, created_ms, after_ms, times, max, &len, &c->err);
    if (rc == OK)
        rc = schedule_local(s->zone, times, len, c->arena, local, &c->err);
    if (rc != OK)
        return rc;
    json_begin(&c->json, '{');
    json_kv_str(&c->json, "cron", s->cron);
    json_kv_str(&c->json, "zone", s->zone);
    write_words(&c->json, s, c->arena);
    json_key(&c->json, "times");
    json_begin(&c->json, '[');
    for (size_t i = 0; i < len; i++) {
        json_begin(&c->json, '{');
        write_time(&c->json, "time", times[i]);
        json_kv_str(&c->json, "local", local[i]);
        json_end(&c->json, '}');
    }
    json_end(&c->json, ']');
    json_end(&c->json, '}');
    return OK;
}

void schedules_preview(HttpRequest *req)
{
    Call c;
    PreviewQuery q = {0};
    ParamFaults faults = {0};
    Schedule s;
    if (!call_begin(req, &c))
        return;
    int64_t now_ms = clock_now_ms();
    ErrCode rc = call_query(&c, preview_query_params, &q, &faults);
    if (rc == OK)
        rc = schedule_get(c.reader, c.who.project, req->params[0], c.arena, &s, &c.err);
    if (rc == OK) /* what is due already is shown too */
        rc = write_preview(&c, &s.spec, s.created_ms, s.next_ms > 0 ? s.next_ms - 1 : now_ms,
                           (size_t)q.count);
    if (rc != OK)
        call_refuse(&c, rc, &faults);
    else
        call_answer(&c, 200);
}

void schedules_preview_any(HttpRequest *req)
{
    Call c;
    PreviewBody b = {0};
    ParamFaults faults = {0};
    ScheduleSpec s = {0};
    if (!call_begin(req, &c))
        return;
    int64_t now_ms = clock_now_ms();
    ErrCode rc = call_body(&c, preview_body_params, &b, &faults);
    if (rc == OK)
        rc = read_when(&c, b.cron, b.every, &s.cron);
    if (rc == OK)
        rc = read_time(&c, "start", b.start, &s.start_ms);
    if (rc == OK)
        rc = read_time(&c, "end", b.end, &s.end_ms);
    s.zone = b.zone;
    if (rc == OK)
        rc = write_preview(&c, &s, now_ms, now_ms, (size_t)b.count);
    if (rc != OK)
        call_refuse(&c, rc, &faults);
    else
        call_answer(&c, 200);
}

/* triggers: what starts pipelines from outside: list, pause, resume; and the public addresses at
 * which webhooks come in. A trigger is named as PIPELINE.NAME. */
#include "api/routes.h"
#include "api/write.h"
#include "base/clock.h"
#include "hook/trigger.h"

static void write_maybe(JsonOut *j, const char *key, Str text)
{
    json_key(j, key);
    if (text.len > 0)
        json_put_str(j, text);
    else
        json_put_null(j);
}

static void write_webhook(const Call *c, const Trigger *t)
{
    JsonOut *j = (JsonOut *)&c->json;
    bool may_see = c->who.role >= ROLE_EDITOR && t->token.len > 0;
    Str path =
        may_see ? str_printf(c->arena, "/api/v1/hooks/" STR_FMT, STR_ARG(t->token)) : STR("");
    write_maybe(j, "path", path);
    write_maybe(j, "secret", may_see ? t->secret : STR(""));
}

static void write_trigger(Call *c, const Trigger *t)
{
    JsonOut *j = &c->json;
    Str id = str_printf(c->arena, STR_FMT "." STR_FMT, STR_ARG(t->pipeline), STR_ARG(t->name));
    json_begin(j, '{');
    json_kv_str(j, "id", id);
    json_kv_str(j, "pipeline", t->pipeline);
    json_kv_c(j, "kind", trigger_kind_name(t->kind));
    json_kv_bool(j, "paused", t->paused);
    json_kv_bool(j, "built_in", t->id == 0);
    json_kv_raw(j, "spec", t->spec);
    write_webhook(c, t);
    json_kv_int(j, "fired", t->fired);
    write_time(j, "last", t->last_ms);
    if (t->last_job != 0)
        write_id(j, "last_job", "job", t->last_job);
    else
        write_maybe(j, "last_job", STR(""));
    write_maybe(j, "fault", t->fault);
    write_time(j, "created", t->created_ms);
    json_end(j, '}');
}

void triggers_list(HttpRequest *req)
{
    Call c;
    Trigger *all = NULL;
    size_t len = 0;
    if (!call_begin(req, &c))
        return;
    if (trigger_list(c.reader, c.who.project, c.arena, &all, &len, &c.err) != OK) {
        call_fail(&c);
        return;
    }
    json_begin(&c.json, '{');
    json_key(&c.json, "triggers");
    json_begin(&c.json, '[');
    for (size_t i = 0; i < len; i++)
        write_trigger(&c, &all[i]);
    json_end(&c.json, ']');
    json_end(&c.json, '}');
    call_answer(&c, 200);
}

/* "PIPELINE.NAME": a pipeline's name may hold dots, a trigger's does not. */
static void split(Str id, Str *pipeline, Str *name)
{
    size_t dot = str_rfind_char(id, '.');
    *pipeline = str_slice(id, 0, dot);
    *name = dot == STR_NONE ? STR("") : str_slice(id, dot + 1, id.len);
}

static void answer(Call *c, ErrCode rc, Str pipeline, Str name)
{
    Trigger t;
    if (rc == OK)
        rc = trigger_get(c->reader, c->who.project, pipeline, name, c->arena, &t, &c->err);
    if (rc != OK) {
        call_fail(c);
        return;
    }
    write_trigger(c, &t);
    call_answer(c, 200);
}

void triggers_get(HttpRequest *req)
{
    Call c;
    Str pipeline, name;
    if (!call_begin(req, &c))
        return;
    split(req->params[0], &pipeline, &name);
    answer(&c, OK, pipeline, name);
}

static void set_paused(HttpRequest *req, bool paused)
{
    Call c;
    Str pipeline, name;
    if (!call_begin(req, &c))
        return;
    split(req->params[0], &pipeline, &name);
    ErrCode rc = trigger_pause(c.app->db, &c.app->trigger_world, c.who.project, c.who.key, pipeline,
                               name, paused, &c.err);
    answer(&c, rc, pipeline, name);
}

void triggers_pause(HttpRequest *req)
{
    set_paused(req, true);
}

void triggers_resume(HttpRequest *req)
{
    set_paused(req, false);
}

/* Public: the address is the permission, and a signature where the trigger asks for one. */
void hooks_take(HttpRequest *req)
{
    Call c;
    JobAdded added = {0};
    call_begin_public(req, &c);
    c.json = json_out(&c.body);
    HookHeader *headers = arena_new(c.arena, HookHeader, req->headers_len);
    HookCall call = {.token = req->params[0],
                     .type = http_header(req, "content-type"),
                     .body = req->body,
                     .query = req->query,
                     .headers = headers,
                     .headers_len = headers != NULL ? req->headers_len : 0,
                     .now_ms = clock_now_ms(),
                     .trace = str_from_c(req->trace)};
    for (size_t i = 0; i < call.headers_len; i++)
        headers[i] = (HookHeader){req->headers[i].name, req->headers[i].value};
    if (trigger_hook(c.app->db, c.app->blobs, &call, c.arena, &added, &c.err) != OK) {
        call_fail(&c);
        return;
    }
    json_begin(&c.json, '{');
    if (added.job != 0)
        write_id(&c.json, "job", "job", added.job);
    else
        write_maybe(&c.json, "job", STR("")); /* its condition was false */
    json_end(&c.json, '}');
    call_answer(&c, 202);
}

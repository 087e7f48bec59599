/* bridges to queues of Cloudflare's. */
#include "api/params.h"
#include "api/routes.h"
#include "api/write.h"

static void put_if(JsonOut *j, const char *key, Str v)
{
    if (v.len > 0)
        json_kv_str(j, key, v);
}

static void put_status(JsonOut *j, const BridgeStatus *s)
{
    json_key(j, "status");
    json_begin(j, '{');
    json_kv_bool(j, "ok", s->code == OK);
    write_time(j, "at", s->at_ms);
    if (s->code != OK) {
        json_kv_c(j, "reason", err_reason(s->code));
        json_kv_c(j, "detail", s->err.text);
        json_kv_c(j, "hint", err_advice(&s->err));
    }
    json_kv_int(j, "messages", s->messages);
    json_kv_int(j, "dead_letters", s->dead_letters);
    json_end(j, '}');
}

static void put_bridge(Call *c, const Bridge *b)
{
    JsonOut *j = &c->json;
    BridgeStatus status = bridge_status(c->app->bridges, b->id);
    json_begin(j, '{');
    json_kv_str(j, "name", b->name);
    json_kv_c(j, "direction", b->out ? "out" : "in");
    json_kv_str(j, "account", b->account);
    json_kv_str(j, "remote", b->remote);
    put_if(j, "dead_remote", b->dead_remote);
    json_kv_str(j, "token_env", b->token_env);
    put_if(j, "queue", b->queue);
    put_if(j, "step", b->step);
    put_if(j, "base_url", b->base_url);
    json_kv_int(j, "poison", b->poison);
    put_status(j, &status);
    json_end(j, '}');
}

void bridges_list(HttpRequest *req)
{
    Call c;
    Bridge *list = NULL;
    size_t len = 0;
    if (!call_begin(req, &c))
        return;
    if (bridge_list(c.reader, c.who.project, c.arena, &list, &len, &c.err) != OK) {
        call_fail(&c);
        return;
    }
    json_begin(&c.json, '{');
    json_key(&c.json, "bridges");
    json_begin(&c.json, '[');
    for (size_t i = 0; i < len; i++)
        put_bridge(&c, &list[i]);
    json_end(&c.json, ']');
    json_end(&c.json, '}');
    call_answer(&c, 200);
}

void bridges_add(HttpRequest *req)
{
    Call c;
    BridgeBody body = {0};
    ParamFaults faults = {0};
    if (!call_begin(req, &c))
        return;
    ErrCode rc = call_body(&c, bridge_body_params, &body, &faults);
    Bridge b = {.project = c.who.project,
                .out = body.direction == 1,
                .name = body.name,
                .account = body.account,
                .remote = body.remote,
                .dead_remote = body.dead_remote,
                .token_env = body.token_env,
                .queue = body.queue,
                .step = body.step,
                .base_url = body.base_url,
                .poison = body.poison};
    if (rc == OK)
        rc = bridge_add(c.app->bridges, &b, &c.err);
    if (rc != OK) {
        call_refuse(&c, rc, &faults);
        return;
    }
    put_bridge(&c, &b);
    call_answer(&c, 201);
}

void bridges_remove(HttpRequest *req)
{
    Call c;
    if (!call_begin(req, &c))
        return;
    if (bridge_remove(c.app->bridges, c.who.project, req->params[0], &c.err) == OK)
        call_answer_empty(&c, 204);
    else
        call_fail(&c);
}

void bridges_check(HttpRequest *req)
{
    Call c;
    Bridge b;
    Str name;
    if (!call_begin(req, &c))
        return;
    ErrCode rc = bridge_get(c.reader, c.who.project, req->params[0], c.arena, &b, &c.err);
    if (rc == OK)
        rc = bridge_check(c.app->bridges, &b, c.arena, &name, &c.err);
    if (rc != OK) {
        call_fail(&c);
        return;
    }
    json_begin(&c.json, '{');
    json_kv_str(&c.json, "name", b.name);
    json_kv_str(&c.json, "remote_name", name);
    json_end(&c.json, '}');
    call_answer(&c, 200);
}

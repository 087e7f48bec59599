/* secrets: names and times; a value goes in and does not come out again. */
#include "api/params.h"
#include "api/routes.h"
#include "api/write.h"
#include "secret/secret.h"

static void write_secret(JsonOut *j, const SecretInfo *s)
{
    json_begin(j, '{');
    json_kv_str(j, "name", s->name);
    write_time(j, "created", s->created_ms);
    write_time(j, "changed", s->changed_ms);
    json_end(j, '}');
}

void secrets_list(HttpRequest *req)
{
    Call c;
    if (!call_begin(req, &c))
        return;
    SecretInfo *secrets = NULL;
    size_t len = 0;
    if (secret_list(c.reader, c.who.project, c.arena, &secrets, &len, &c.err) != OK) {
        call_fail(&c);
        return;
    }
    json_begin(&c.json, '{');
    json_key(&c.json, "secrets");
    json_begin(&c.json, '[');
    for (size_t i = 0; i < len; i++)
        write_secret(&c.json, &secrets[i]);
    json_end(&c.json, ']');
    json_end(&c.json, '}');
    call_answer(&c, 200);
}

void secrets_put(HttpRequest *req)
{
    Call c;
    if (!call_begin(req, &c))
        return;
    SecretBody body = {0};
    ParamFaults faults = {0};
    SecretInfo stored;
    ErrCode rc = call_body(&c, secret_body_params, &body, &faults);
    if (rc == OK)
        rc = secret_put(c.app->db, c.who.project, req->params[0], body.value, c.who.key, &stored,
                        &c.err);
    if (rc != OK) {
        call_refuse(&c, rc, &faults);
        return;
    }
    write_secret(&c.json, &stored);
    call_answer(&c, 200);
}

void secrets_remove(HttpRequest *req)
{
    Call c;
    if (!call_begin(req, &c))
        return;
    if (secret_remove(c.app->db, c.who.project, req->params[0], &c.err) != OK)
        call_fail(&c);
    else
        call_answer_empty(&c, 204);
}

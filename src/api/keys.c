/* keys: list, create (shown once), revoke. */
#include "api/params.h"
#include "api/routes.h"
#include "api/write.h"
#include "base/clock.h"

static void write_key(JsonOut *j, const KeyInfo *k)
{
    json_begin(j, '{');
    write_id(j, "id", "key", k->id);
    json_kv_str(j, "name", k->name);
    json_kv_c(j, "role", role_name(k->role));
    json_kv_str(j, "hint", k->hint);
    write_time(j, "created", k->created_ms);
    write_time(j, "used", k->used_ms);
    write_time(j, "revoked", k->revoked_ms);
    json_end(j, '}');
}

void keys_list(HttpRequest *req)
{
    Call c;
    if (!call_begin(req, &c))
        return;
    KeyInfo *keys = NULL;
    size_t len = 0;
    if (access_key_list(c.app->access, c.who.project, c.arena, &keys, &len, &c.err) != OK) {
        call_fail(&c);
        return;
    }
    json_begin(&c.json, '{');
    json_key(&c.json, "keys");
    json_begin(&c.json, '[');
    for (size_t i = 0; i < len; i++)
        write_key(&c.json, &keys[i]);
    json_end(&c.json, ']');
    json_end(&c.json, '}');
    call_answer(&c, 200);
}

void keys_create(HttpRequest *req)
{
    Call c;
    if (!call_begin(req, &c))
        return;
    KeyBody body = {0};
    ParamFaults faults = {0};
    char text[ACCESS_KEY_TEXT];
    int64_t id = 0;
    ErrCode rc = call_body(&c, key_body_params, &body, &faults);
    if (rc == OK)
        rc = access_key_create(c.app->access, c.who.project, body.name, (Role)body.role, &id, text,
                               &c.err);
    if (rc != OK) {
        call_refuse(&c, rc, &faults);
        return;
    }
    json_begin(&c.json, '{');
    write_id(&c.json, "id", "key", id);
    json_kv_str(&c.json, "name", body.name);
    json_kv_c(&c.json, "role", role_name((Role)body.role));
    json_kv_c(&c.json, "key", text);
    json_end(&c.json, '}');
    call_answer(&c, 201);
}

void keys_revoke(HttpRequest *req)
{
    Call c;
    if (!call_begin(req, &c))
        return;
    int64_t id;
    ErrCode rc = call_path_id(&c, 0, "key", &id);
    if (rc == OK && id == c.who.key) {
        rc = err_set(&c.err, ERR_CONFLICT, "this is the key of the request itself");
        err_hint(&c.err, "Revoke it with another owner key.");
    }
    if (rc == OK)
        rc = access_key_revoke(c.app->access, c.who.project, id, &c.err);
    if (rc != OK)
        call_fail(&c);
    else
        call_answer_empty(&c, 204);
}

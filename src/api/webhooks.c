/* webhooks out: their addresses, what was sent to them, sending it again. */
#include "api/params.h"
#include "api/routes.h"
#include "api/write.h"
#include "base/clock.h"
#include "hook/deliver.h"

static void changed(Call *c)
{
    if (c->app->deliver != NULL)
        deliver_changed(c->app->deliver);
}

static void put_webhook(JsonOut *j, const Webhook *w, Str secret)
{
    json_begin(j, '{');
    write_id(j, "id", "whk", w->id);
    json_kv_str(j, "url", w->url);
    json_kv_str(j, "types", w->types);
    json_kv_str(j, "description", w->description);
    json_kv_c(j, "state", webhook_state_name(w->state));
    if (w->disabled_for.len > 0)
        json_kv_str(j, "reason", w->disabled_for);
    json_kv_bool(j, "callbacks", w->callback);
    write_time(j, "created", w->created_ms);
    write_time(j, "changed", w->changed_ms);
    write_time(j, "old_secret_until", w->old_until_ms > clock_now_ms() ? w->old_until_ms : 0);
    if (secret.len > 0)
        json_kv_str(j, "secret", secret);
    json_end(j, '}');
}

/* Answer with the webhook as it is now; a secret is shown only where it was just made. */
static void show(Call *c, int64_t id, Str secret, int status)
{
    Webhook w;
    if (webhook_get(c->reader, c->who.project, id, c->arena, &w, &c->err) != OK) {
        call_fail(c);
        return;
    }
    put_webhook(&c->json, &w, secret);
    call_answer(c, status);
}

void webhooks_list(HttpRequest *req)
{
    Call c;
    Webhook *items = NULL;
    size_t len = 0;
    if (!call_begin(req, &c))
        return;
    if (webhook_list(c.reader, c.who.project, c.arena, &items, &len, &c.err) != OK) {
        call_fail(&c);
        return;
    }
    json_begin(&c.json, '{');
    json_key(&c.json, "webhooks");
    json_begin(&c.json, '[');
    for (size_t i = 0; i < len; i++)
        put_webhook(&c.json, &items[i], STR(""));
    json_end(&c.json, ']');
    json_end(&c.json, '}');
    call_answer(&c, 200);
}

void webhooks_create(HttpRequest *req)
{
    Call c;
    WebhookBody body = {0};
    ParamFaults faults = {0};
    int64_t id = 0;
    Str secret = {0};
    if (!call_begin(req, &c))
        return;
    ErrCode rc = call_body(&c, webhook_body_params, &body, &faults);
    if (rc == OK)
        rc = outbound_check_url(c.app->guard, body.url, &c.err);
    if (rc == OK)
        rc = feed_check_types(body.types, &c.err);
    const WebhookNew n = {.project = c.who.project,
                          .url = body.url,
                          .types = body.types,
                          .description = body.description,
                          .secret = body.secret};
    if (rc == OK)
        rc = webhook_add(c.app->db, c.app->seal, &n, c.arena, &id, &secret, &c.err);
    if (rc != OK) {
        call_refuse(&c, rc, &faults);
        return;
    }
    changed(&c);
    show(&c, id, secret, 201);
}

void webhooks_get(HttpRequest *req)
{
    Call c;
    int64_t id;
    if (!call_begin(req, &c))
        return;
    if (call_path_id(&c, 0, "whk", &id) != OK)
        call_fail(&c);
    else
        show(&c, id, STR(""), 200);
}

/* What the body names is changed; the rest stays. */
static ErrCode apply(Call *c, const WebhookChange *change, Webhook *w)
{
    ErrCode rc = OK;
    if (change->url.len > 0) {
        rc = outbound_check_url(c->app->guard, change->url, &c->err);
        w->url = change->url;
    }
    if (rc == OK && change->types.len > 0) {
        rc = feed_check_types(change->types, &c->err);
        w->types = change->types;
    }
    if (change->description.len > 0)
        w->description = change->description;
    if (change->state >= 0)
        w->state = (WebhookState)change->state;
    if (rc == OK && w->callback && (change->url.len > 0 || change->types.len > 0))
        rc = err_set(&c->err, ERR_CONFLICT,
                     "this one is for callbacks: it has no address of its own");
    return rc;
}

void webhooks_change(HttpRequest *req)
{
    Call c;
    WebhookChange body = {0};
    ParamFaults faults = {0};
    Webhook w;
    int64_t id = 0;
    if (!call_begin(req, &c))
        return;
    ErrCode rc = call_path_id(&c, 0, "whk", &id);
    if (rc == OK)
        rc = call_body(&c, webhook_change_params, &body, &faults);
    if (rc == OK)
        rc = webhook_get(c.reader, c.who.project, id, c.arena, &w, &c.err);
    if (rc == OK)
        rc = apply(&c, &body, &w);
    if (rc == OK)
        rc = webhook_change(c.app->db, &w, &c.err);
    if (rc != OK) {
        call_refuse(&c, rc, &faults);
        return;
    }
    changed(&c);
    show(&c, id, STR(""), 200);
}

void webhooks_delete(HttpRequest *req)
{
    Call c;
    int64_t id;
    if (!call_begin(req, &c))
        return;
    ErrCode rc = call_path_id(&c, 0, "whk", &id);
    if (rc == OK)
        rc = webhook_delete(c.app->db, c.who.project, id, &c.err);
    if (rc != OK) {
        call_fail(&c);
        return;
    }
    changed(&c);
    call_answer_empty(&c, 204);
}

void webhooks_rotate(HttpRequest *req)
{
    Call c;
    int64_t id;
    Str secret = {0};
    if (!call_begin(req, &c))
        return;
    ErrCode rc = call_path_id(&c, 0, "whk", &id);
    if (rc == OK)
        rc = webhook_rotate(c.app->db, c.app->seal, c.who.project, id, c.arena, &secret, &c.err);
    if (rc != OK) {
        call_fail(&c);
        return;
    }
    changed(&c);
    show(&c, id, secret, 200);
}

/* --- messages --- */

static void put_delivery(JsonOut *j, const Delivery *d)
{
    bool pending = str_eq_c(d->state, "pending");
    json_begin(j, '{');
    write_id(j, "id", "msg", d->id);
    write_id(j, "event", "evt", d->event);
    json_kv_str(j, "type", d->type);
    json_kv_str(j, "state", d->state);
    json_kv_int(j, "attempts", d->attempts);
    json_kv_int(j, "status", d->status);
    write_time(j, "next", pending ? d->next_ms : 0);
    write_time(j, "ended", d->ended_ms);
}

static void put_attempt(JsonOut *j, const DeliveryAttempt *t)
{
    json_begin(j, '{');
    json_kv_int(j, "number", t->number);
    write_time(j, "time", t->time_ms);
    json_kv_int(j, "took_ms", t->took_ms);
    json_kv_int(j, "status", t->status);
    if (t->reason.len > 0)
        json_kv_str(j, "reason", t->reason);
    if (t->detail.len > 0)
        json_kv_str(j, "detail", t->detail);
    json_kv_str(j, "answer", t->answer);
    json_end(j, '}');
}

static void show_delivery(Call *c, int64_t webhook, int64_t id, int status)
{
    Delivery d;
    DeliveryAttempt *attempts = NULL;
    size_t len = 0;
    if (delivery_get(c->reader, c->who.project, webhook, id, c->arena, &d, &attempts, &len,
                     &c->err) != OK) {
        call_fail(c);
        return;
    }
    put_delivery(&c->json, &d);
    if (d.url.len > 0)
        json_kv_str(&c->json, "url", d.url);
    json_kv_raw(&c->json, "body", d.body);
    json_key(&c->json, "history");
    json_begin(&c->json, '[');
    for (size_t i = 0; i < len; i++)
        put_attempt(&c->json, &attempts[i]);
    json_end(&c->json, ']');
    json_end(&c->json, '}');
    call_answer(c, status);
}

static ErrCode read_ids(Call *c, int64_t *webhook, int64_t *id)
{
    ErrCode rc = call_path_id(c, 0, "whk", webhook);
    return rc == OK ? call_path_id(c, 1, "msg", id) : rc;
}

void webhooks_ping(HttpRequest *req)
{
    Call c;
    int64_t id, delivery = 0;
    if (!call_begin(req, &c))
        return;
    ErrCode rc = call_path_id(&c, 0, "whk", &id);
    if (rc == OK)
        rc = webhook_ping(c.app->db, c.who.project, id, &delivery, &c.err);
    if (rc != OK) {
        call_fail(&c);
        return;
    }
    changed(&c);
    show_delivery(&c, id, delivery, 202);
}

void webhooks_deliveries(HttpRequest *req)
{
    Call c;
    DeliveriesQuery q = {0};
    ParamFaults faults = {0};
    Webhook w;
    Delivery *items = NULL;
    size_t len = 0;
    bool more = false;
    int64_t id, before = 0;
    if (!call_begin(req, &c))
        return;
    ErrCode rc = call_path_id(&c, 0, "whk", &id);
    if (rc == OK)
        rc = call_query(&c, deliveries_query_params, &q, &faults);
    if (rc == OK)
        rc = call_cursor(&c, "msg", q.cursor, &before);
    if (rc == OK)
        rc = webhook_get(c.reader, c.who.project, id, c.arena, &w, &c.err);
    if (rc == OK)
        rc = delivery_list(c.reader, c.who.project, id, q.failed, before, (int)q.limit, c.arena,
                           &items, &len, &more, &c.err);
    if (rc != OK) {
        call_refuse(&c, rc, &faults);
        return;
    }
    json_begin(&c.json, '{');
    json_key(&c.json, "deliveries");
    json_begin(&c.json, '[');
    for (size_t i = 0; i < len; i++) {
        put_delivery(&c.json, &items[i]);
        json_end(&c.json, '}');
    }
    json_end(&c.json, ']');
    if (more)
        write_id(&c.json, "next", "msg", items[len - 1].id);
    json_end(&c.json, '}');
    call_answer(&c, 200);
}

void webhooks_delivery(HttpRequest *req)
{
    Call c;
    int64_t webhook, id;
    if (!call_begin(req, &c))
        return;
    if (read_ids(&c, &webhook, &id) != OK)
        call_fail(&c);
    else
        show_delivery(&c, webhook, id, 200);
}

void webhooks_redeliver(HttpRequest *req)
{
    Call c;
    int64_t webhook, id;
    if (!call_begin(req, &c))
        return;
    ErrCode rc = read_ids(&c, &webhook, &id);
    if (rc == OK)
        rc = delivery_again(c.app->db, c.who.project, webhook, id, &c.err);
    if (rc != OK) {
        call_fail(&c);
        return;
    }
    changed(&c);
    show_delivery(&c, webhook, id, 202);
}

void webhooks_redeliver_failed(HttpRequest *req)
{
    Call c;
    RedeliverBody body = {0};
    ParamFaults faults = {0};
    Webhook w;
    int64_t id, count = 0;
    if (!call_begin(req, &c))
        return;
    ErrCode rc = call_path_id(&c, 0, "whk", &id);
    if (rc == OK)
        rc = call_body(&c, redeliver_body_params, &body, &faults);
    if (rc == OK)
        rc = webhook_get(c.reader, c.who.project, id, c.arena, &w, &c.err);
    if (rc == OK)
        rc = delivery_again_failed(c.app->db, c.who.project, id, body.since_ms, &count, &c.err);
    if (rc != OK) {
        call_refuse(&c, rc, &faults);
        return;
    }
    changed(&c);
    json_begin(&c.json, '{');
    json_kv_int(&c.json, "count", count);
    json_end(&c.json, '}');
    call_answer(&c, 200);
}

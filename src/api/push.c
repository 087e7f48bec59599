/* browsers that hear of events by Web Push: the key to subscribe with, those of the caller's key. */
#include "api/push.h"
#include "api/params.h"
#include "api/routes.h"
#include "api/write.h"
#include "hook/browser.h"

/* --- answers --- */

static void write_browser(JsonOut *j, const Browser *b)
{
    json_begin(j, '{');
    write_id(j, "id", "psh", b->id);
    json_kv_str(j, "endpoint", b->endpoint);
    json_kv_str(j, "label", b->label);
    json_kv_str(j, "language", b->language);
    json_kv_bool(j, "mine", (b->wants & BROWSER_MINE) != 0);
    json_kv_bool(j, "failed", (b->wants & BROWSER_FAILED) != 0);
    json_kv_bool(j, "approvals", (b->wants & BROWSER_APPROVALS) != 0);
    write_time(j, "created", b->created_ms);
    write_time(j, "told", b->told_ms);
    json_end(j, '}');
}

static void show_one(Call *c, int64_t id, int status)
{
    Browser *list = NULL;
    size_t len = 0;
    ErrCode rc =
        browser_list(c->reader, c->who.project, c->who.key, c->arena, &list, &len, &c->err);
    for (size_t i = 0; rc == OK && i < len; i++)
        if (list[i].id == id) {
            write_browser(&c->json, &list[i]);
            call_answer(c, status);
            return;
        }
    if (rc == OK)
        err_set(&c->err, ERR_NOT_FOUND, "there is no such browser");
    call_fail(c);
}

void push_list(HttpRequest *req)
{
    Call c;
    WebpushPair pair;
    Browser *list = NULL;
    size_t len = 0;
    if (!call_begin(req, &c))
        return;
    ErrCode rc = browser_keys(c.app->db, c.app->seal, &pair, &c.err);
    if (rc == OK)
        rc = browser_list(c.reader, c.who.project, c.who.key, c.arena, &list, &len, &c.err);
    if (rc != OK) {
        call_fail(&c);
        return;
    }
    json_begin(&c.json, '{');
    json_kv_str(&c.json, "key", webpush_text(c.arena, pair.public_key, WEBPUSH_PUBLIC));
    json_key(&c.json, "browsers");
    json_begin(&c.json, '[');
    for (size_t i = 0; i < len; i++)
        write_browser(&c.json, &list[i]);
    json_end(&c.json, ']');
    json_end(&c.json, '}');
    call_answer(&c, 200);
}

/* --- coming and going --- */

/* Whom the push service may ask about our messages: the page that the browser was on. */
static Str subject_of(Call *c)
{
    Str host = http_header(c->req, "host");
    return str_printf(c->arena, "https://" STR_FMT, STR_ARG(host));
}

static ErrCode read_body(Call *c, const PushBody *body, Browser *out)
{
    *out =
        (Browser){.project = c->who.project,
                  .key = c->who.key,
                  .session = c->who.session,
                  .endpoint = body->endpoint,
                  .label = body->label,
                  .language = str_from_c(push_languages[body->language].name),
                  .subject = subject_of(c),
                  .wants = (body->mine ? BROWSER_MINE : 0) | (body->failed ? BROWSER_FAILED : 0) |
                           (body->approvals ? BROWSER_APPROVALS : 0)};
    ErrCode rc = outbound_check_url(c->app->guard, body->endpoint, &c->err);
    bool plain = rc == OK && !str_starts(body->endpoint, STR("https://")) &&
                 c->app->options.allow_private == NULL;
    if (plain)
        rc = err_set(&c->err, ERR_BAD_PARAM, "must be an https address");
    if (rc != OK)
        err_param(&c->err, "endpoint");
    if (rc == OK && out->wants == 0) {
        rc = err_set(&c->err, ERR_BAD_PARAM, "one of mine, failed and approvals must be true");
        err_param(&c->err, "mine");
    }
    return rc == OK && out->subject.ptr == NULL ? err_set(&c->err, ERR_NO_MEMORY, "no memory") : rc;
}

void push_add(HttpRequest *req)
{
    Call c;
    PushBody body = {0};
    Browser b;
    ParamFaults faults = {0};
    int64_t id = 0;
    if (!call_begin(req, &c))
        return;
    ErrCode rc = call_body(&c, push_body_params, &body, &faults);
    if (rc == OK)
        rc = read_body(&c, &body, &b);
    if (rc == OK)
        rc = browser_add(c.app->db, c.app->seal, &b, body.p256dh, body.auth, c.arena, &id, &c.err);
    if (rc != OK) {
        call_refuse(&c, rc, &faults);
        return;
    }
    notify_changed(c.app->notify);
    show_one(&c, id, 201);
}

void push_remove(HttpRequest *req)
{
    Call c;
    int64_t id = 0;
    if (!call_begin(req, &c))
        return;
    ErrCode rc = call_path_id(&c, 0, "psh", &id);
    if (rc == OK)
        rc = browser_remove(c.app->db, c.who.project, c.who.key, id, &c.err);
    if (rc != OK) {
        call_fail(&c);
        return;
    }
    notify_changed(c.app->notify);
    call_answer_empty(&c, 204);
}

void push_test(HttpRequest *req)
{
    Call c;
    int64_t id = 0;
    if (!call_begin(req, &c))
        return;
    ErrCode rc = call_path_id(&c, 0, "psh", &id);
    if (rc == OK)
        rc = browser_test(c.app->db, c.who.project, c.who.key, id, &c.err);
    if (rc != OK) {
        call_fail(&c);
        return;
    }
    notify_changed(c.app->notify);
    show_one(&c, id, 202);
}

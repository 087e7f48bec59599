/* page.c: one tab: open it, load the page, print it, throw it away. */
#include "base/clock.h"
#include "base/fd.h"
#include "browser/browser.h"

#include <stdio.h>
#include <string.h>

enum { READ_BLOCK = 512 * 1024, AFTER_CEILING_MS = 100 };

static void keep(char *to, size_t room, Str from)
{
    snprintf(to, room, "%.*s", (int)(from.len < room ? from.len : room - 1), from.ptr);
}

/* A call with marks, so that its answer does not stay. */
static ErrCode call_for(Cdp *c, const char *session, const char *method, Str params,
                        const char *member, char *to, size_t room, Err *err)
{
    const Json *result = NULL;
    ErrCode rc = cdp_call(c, session, method, params, &result, err);
    if (rc == OK && member != NULL) {
        Str value = json_text(json_get(result, member));
        if (value.len == 0 || value.len >= room)
            return err_set(err, ERR_ENGINE_PROTOCOL, "the browser's %s has no %s", method, member);
        keep(to, room, value);
    }
    return rc;
}

static ErrCode call(Cdp *c, const char *session, const char *method, Str params, Err *err)
{
    ArenaMark mark = arena_mark(c->arena);
    ErrCode rc = call_for(c, session, method, params, NULL, NULL, 0, err);
    arena_rewind(c->arena, mark);
    return rc;
}

typedef struct Listener {
    Cdp *cdp;
    Tab *tab;
} Listener;

/* Let the page itself through and nothing else. */
static void answer_request(Listener *l, Str session, const Json *params)
{
    Str id = json_text(json_get(params, "requestId"));
    Str url = json_text(json_get(json_get(params, "request"), "url"));
    ArenaMark mark = arena_mark(l->cdp->arena);
    bool mine = str_eq_c(url, l->tab->url) || str_starts(url, STR("data:"));
    Buf b = buf_init(l->cdp->arena, 4096);
    JsonOut j = json_out(&b);
    json_begin(&j, '{');
    json_kv_str(&j, "requestId", id);
    if (!mine)
        json_kv_c(&j, "errorReason", "BlockedByClient");
    json_end(&j, '}');
    l->tab->refused += !mine;
    cdp_say(l->cdp, session, mine ? "Fetch.continueRequest" : "Fetch.failRequest", buf_str(&b));
    arena_rewind(l->cdp->arena, mark);
}

static void on_event(void *ctx, Str method, Str session, const Json *params)
{
    Listener *l = ctx;
    if (str_eq_c(method, "Fetch.requestPaused"))
        answer_request(l, session, params);
    else if (str_eq_c(method, "Page.loadEventFired"))
        l->tab->loaded = true;
    else if (str_eq_c(method, "Page.lifecycleEvent") &&
             str_eq_c(json_text(json_get(params, "name")), "networkIdle"))
        l->tab->idle = l->tab->loaded;
    else if (str_eq_c(method, "Inspector.targetCrashed"))
        l->tab->crashed = l->tab->loaded = l->tab->idle = true;
    else if (str_eq_c(method, "Page.javascriptDialogOpening"))
        cdp_say(l->cdp, session, "Page.handleJavaScriptDialog", STR("{\"accept\":false}"));
}

static ErrCode attach(Cdp *c, Tab *t, Err *err)
{
    Arena *a = c->arena;
    ErrCode rc = call_for(c, NULL, "Target.createBrowserContext", STR("{\"disposeOnDetach\":true}"),
                          "browserContextId", t->context, sizeof t->context, err);
    Buf b = buf_init(a, 512);
    buf_addf(&b, "{\"url\":\"about:blank\",\"browserContextId\":\"%s\"}", t->context);
    if (rc == OK)
        rc = call_for(c, NULL, "Target.createTarget", buf_str(&b), "targetId", t->target,
                      sizeof t->target, err);
    b = buf_init(a, 512);
    buf_addf(&b, "{\"targetId\":\"%s\",\"flatten\":true}", t->target);
    if (rc == OK)
        rc = call_for(c, NULL, "Target.attachToTarget", buf_str(&b), "sessionId", t->session,
                      sizeof t->session, err);
    return rc;
}

ErrCode tab_open(Cdp *c, Tab *t, Err *err)
{
    static const struct {
        const char *method, *params;
    } setup[] = {
        {"Page.enable", ""},
        {"Page.setLifecycleEventsEnabled", "{\"enabled\":true}"},
        {"Fetch.enable", "{\"patterns\":[{\"urlPattern\":\"*\"}]}"},
        {"Emulation.setEmulatedMedia", "{\"media\":\"print\"}"},
    };
    ArenaMark mark = arena_mark(c->arena);
    *t = (Tab){0};
    ErrCode rc = attach(c, t, err);
    for (size_t i = 0; i < COUNT_OF(setup) && rc == OK; i++)
        rc = call(c, t->session, setup[i].method, str_from_c(setup[i].params), err);
    arena_rewind(c->arena, mark);
    return rc;
}

void tab_close(Cdp *c, Tab *t)
{
    if (t->context[0] != 0) {
        ArenaMark mark = arena_mark(c->arena);
        cdp_say(c, STR(""), "Target.disposeBrowserContext",
                cdp_one(c->arena, "browserContextId", t->context));
        arena_rewind(c->arena, mark);
    }
    *t = (Tab){0};
}

static ErrCode crashed(Err *err)
{
    return err_set(err, ERR_ENGINE_CRASHED, "the page crashed the browser's tab");
}

static ErrCode load(Cdp *c, Tab *t, const PageJob *job, Err *err)
{
    snprintf(t->url, sizeof t->url, "file://%.200s", job->path);
    ErrCode rc = call(c, t->session, "Emulation.setScriptExecutionDisabled",
                      job->scripts ? STR("{\"value\":false}") : STR("{\"value\":true}"), err);
    if (rc != OK)
        return rc;
    const Json *result = NULL;
    int64_t until_us = clock_mono_us() + job->wait_ms * 1000;
    t->loaded = t->idle = false;
    rc = cdp_call(c, t->session, "Page.navigate", cdp_one(c->arena, "url", t->url), &result, err);
    if (rc != OK)
        return rc;
    Str failed = json_text(json_get(result, "errorText"));
    if (failed.len > 0)
        return err_set(err, ERR_INPUT_DAMAGED, "the browser could not load the page: " STR_FMT,
                       STR_ARG(str_slice(failed, 0, 100)));
    /* At the ceiling what is there is printed: a picture that never comes must not cost the page. */
    Err late = {0};
    rc = cdp_wait(c, &t->loaded, until_us, &late);
    if (rc == OK && job->wait_idle)
        rc = cdp_wait(c, &t->idle, until_us, &late);
    if (rc != OK && (rc != ERR_LIMIT_TIME || clock_mono_us() >= c->deadline_us)) {
        *err = late;
        return rc;
    }
    return t->crashed ? crashed(err) : OK;
}

static int digit64(char ch)
{
    return ch >= 'A' && ch <= 'Z'   ? ch - 'A'
           : ch >= 'a' && ch <= 'z' ? ch - 'a' + 26
           : ch >= '0' && ch <= '9' ? ch - '0' + 52
           : ch == '+'              ? 62
           : ch == '/'              ? 63
                                    : -1;
}

/* In place: what comes out is shorter. */
static size_t decode64(char *text, size_t len)
{
    uint32_t bits = 0;
    int have = 0;
    size_t out = 0;
    for (size_t i = 0; i < len; i++) {
        int d = digit64(text[i]);
        if (d < 0)
            break;
        bits = bits << 6 | (uint32_t)d;
        have += 6;
        if (have >= 8) {
            have -= 8;
            text[out++] = (char)(bits >> have & 0xff);
        }
    }
    return out;
}

static ErrCode read_stream(Cdp *c, const char *session, Str handle, int out_fd, Err *err)
{
    Buf b = buf_init(c->arena, 512);
    buf_addf(&b, "{\"handle\":\"" STR_FMT "\",\"size\":%d}", STR_ARG(str_slice(handle, 0, 64)),
             READ_BLOCK);
    for (;;) {
        ArenaMark mark = arena_mark(c->arena);
        const Json *part = NULL;
        ErrCode rc = cdp_call(c, session, "IO.read", buf_str(&b), &part, err);
        if (rc != OK)
            return rc;
        Str data = json_text(json_get(part, "data"));
        char *copy = arena_alloc_raw(c->arena, data.len + 1);
        if (copy == NULL)
            return err_set(err, ERR_NO_MEMORY, "no memory for a part of the PDF");
        memcpy(copy, data.ptr, data.len);
        size_t len =
            json_bool(json_get(part, "base64Encoded"), false) ? decode64(copy, data.len) : data.len;
        rc = fd_write_all(out_fd, copy, len, err);
        bool end = json_bool(json_get(part, "eof"), false);
        arena_rewind(c->arena, mark);
        if (rc != OK || end)
            return rc;
    }
}

ErrCode tab_print(Cdp *c, Tab *t, const PageJob *job, Err *err)
{
    Listener l = {c, t};
    const Json *result = NULL;
    ArenaMark mark = arena_mark(c->arena);
    c->event = on_event;
    c->ctx = &l;
    ErrCode rc = load(c, t, job, err);
    if (rc == OK)
        rc = cdp_call(c, t->session, "Page.printToPDF", job->print, &result, err);
    if (rc == ERR_BAD_PARAM && t->crashed)
        rc = crashed(err);
    if (rc == OK)
        rc = read_stream(c, t->session, json_text(json_get(result, "stream")), job->out_fd, err);
    arena_rewind(c->arena, mark);
    c->event = NULL;
    return rc;
}

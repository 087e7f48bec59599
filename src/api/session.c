/* sessions of browsers: sign in, who am I, sign out; and the rules of cookies. */
#include "api/session.h"
#include "api/params.h"
#include "api/routes.h"
#include "api/session_schemas.h"
#include "api/write.h"
#include "base/clock.h"

#include <openssl/crypto.h>

enum { SESSION_SECONDS = SESSION_DAYS * 24 * 3600, GUESS_WAIT_S = 60 };

/* --- cookies and where requests come from --- */

Str session_cookie(const HttpRequest *req)
{
    static const Str name = {SESSION_COOKIE, sizeof SESSION_COOKIE - 1};
    Str rest = http_header(req, "cookie"), pair;
    while (str_next(&rest, ';', &pair)) {
        pair = str_trim(pair);
        if (pair.len > name.len && pair.ptr[name.len] == '=' && str_starts(pair, name))
            return str_slice(pair, name.len + 1, pair.len);
    }
    return STR("");
}

/* The scheme is left aside: a proxy may speak TLS for us. */
static bool is_here(const HttpRequest *req, Str origin)
{
    size_t at = str_find(origin, STR("://"));
    Str host = http_header(req, "host");
    return at != STR_NONE && host.len > 0 &&
           str_eq_nocase(str_slice(origin, at + 3, origin.len), host);
}

static bool is_foreign(const HttpRequest *req)
{
    Str origin = http_header(req, "origin"), site = http_header(req, "sec-fetch-site");
    bool elsewhere = origin.len > 0 && !is_here(req, origin);
    bool says_so = str_eq_c(site, "cross-site") || str_eq_c(site, "same-site");
    return elsewhere || says_so;
}

static ErrCode refuse(Err *err, const char *what, const char *hint)
{
    err_set(err, ERR_FORBIDDEN, "%s", what);
    err_hint(err, "%s", hint);
    return ERR_FORBIDDEN;
}

ErrCode session_not_foreign(const HttpRequest *req, Err *err)
{
    if (!is_foreign(req) || http_header(req, "x-platen").len > 0)
        return OK;
    return refuse(err, "a page of another site has made this request",
                  "Sign in on the page of this server itself.");
}

ErrCode session_origin(const HttpRequest *req, Err *err)
{
    bool reads = req->method == HTTP_GET || req->method == HTTP_HEAD;
    bool socket = http_header(req, "upgrade").len > 0;
    bool streams = str_find(http_header(req, "accept"), STR("text/event-stream")) != STR_NONE;
    if (socket && !is_here(req, http_header(req, "origin")))
        return refuse(err, "a WebSocket by cookie needs an Origin that is this server",
                      "Open it from a page of this server, or send an API key.");
    if (reads && streams && is_foreign(req))
        return refuse(err, "a page of another site follows these events",
                      "Follow them from a page of this server, or send an API key.");
    if (reads || http_header(req, "x-platen").len > 0 || is_here(req, http_header(req, "origin")))
        return OK;
    return refuse(err,
                  "a change by cookie needs the header X-Platen, or an Origin that is this server",
                  "Send X-Platen: 1 with it, or an API key instead of the cookie.");
}

/* --- answers --- */

static void set_cookie(Call *c, const char *token, int64_t seconds)
{
    /* What a proxy says about itself can only make the cookie stricter. */
    bool tls = c->req->tls || str_eq_c(http_header(c->req, "x-forwarded-proto"), "https");
    http_set_header(c->req, "Set-Cookie",
                    str_printf(c->arena,
                               SESSION_COOKIE "=%s; Path=/; Max-Age=%" PRId64
                                              "; HttpOnly; SameSite=Strict%s",
                               token, seconds, tls ? "; Secure" : ""));
}

static ErrCode write_session(Call *c)
{
    CallerInfo info;
    ErrCode rc = access_describe(c->app->access, &c->who, c->arena, &info, &c->err);
    if (rc != OK)
        return rc;
    JsonOut *j = &c->json;
    json_begin(j, '{');
    json_key(j, "project");
    json_begin(j, '{');
    write_id(j, "id", "prj", c->who.project);
    json_kv_str(j, "name", info.project_name);
    json_end(j, '}');
    json_key(j, "key");
    json_begin(j, '{');
    write_id(j, "id", "key", c->who.key);
    json_kv_str(j, "name", info.key_name);
    json_end(j, '}');
    json_kv_c(j, "role", role_name(c->who.role));
    json_kv_c(j, "version", PLATEN_VERSION);
    write_time(j, "now", clock_now_ms());
    write_time(j, "expires", info.expires_ms);
    json_end(j, '}');
    return OK;
}

/* --- routes --- */

void session_get(HttpRequest *req)
{
    Call c;
    if (!call_begin(req, &c))
        return;
    if (write_session(&c) != OK)
        call_fail(&c);
    else
        call_answer(&c, 200);
}

void session_start(HttpRequest *req)
{
    Call c;
    SessionBody body = {0};
    SessionNew made;
    ParamFaults faults = {0};
    call_begin_public(req, &c);
    c.json = json_out(&c.body);
    ErrCode rc = session_not_foreign(req, &c.err);
    if (rc == OK)
        rc = call_body(&c, session_body_params, &body, &faults);
    if (rc == OK)
        rc = access_session_start(c.app->access, str_trim(body.key), str_from_c(req->peer), &made,
                                  &c.err);
    if (rc == OK) {
        c.who = made.who;
        set_cookie(&c, made.token, SESSION_SECONDS);
        OPENSSL_cleanse(made.token, sizeof made.token);
        rc = write_session(&c);
    }
    if (rc == ERR_TOO_MANY_REQUESTS)
        http_set_header(req, "Retry-After", str_printf(c.arena, "%d", GUESS_WAIT_S));
    if (rc == ERR_UNAUTHORIZED)
        http_set_header(req, "WWW-Authenticate", STR("Bearer realm=\"platen\""));
    if (rc != OK)
        call_refuse(&c, rc, &faults);
    else
        call_answer(&c, 201);
}

void session_end(HttpRequest *req)
{
    Call c;
    if (!call_begin(req, &c))
        return;
    if (access_session_end(c.app->access, &c.who, &c.err) != OK) {
        call_fail(&c);
        return;
    }
    set_cookie(&c, "", 0);
    call_answer_empty(&c, 204);
}

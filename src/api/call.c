#include "api/call.h"
#include "api/session.h"
#include "base/id.h"

enum { ANSWER_MAX = 32 * 1024 * 1024, QUERY_MAX = 64 };

static Str key_of(const HttpRequest *req)
{
    static const Str scheme = {"bearer ", 7};
    Str value = http_header(req, "authorization");
    if (value.len > scheme.len && str_eq_nocase(str_slice(value, 0, scheme.len), scheme))
        return str_trim(str_slice(value, scheme.len, value.len));
    return http_header(req, "x-api-key");
}

/* A key goes before the cookie: who sends one means it. */
static ErrCode find_caller(Access *access, const HttpRequest *req, Caller *who, Err *err)
{
    Str key = key_of(req), cookie = session_cookie(req);
    if (key.len > 0 || cookie.len == 0)
        return access_check(access, key, who, err);
    ErrCode rc = access_session_check(access, cookie, who, err);
    return rc == OK ? session_origin(req, err) : rc;
}

bool call_guard(HttpRequest *req)
{
    const RouteUser *route = req->user;
    Err err = {0};
    Caller *who = arena_new(req->arena, Caller, 1);
    ErrCode rc = who == NULL ? err_set(&err, ERR_NO_MEMORY, "no memory for the request")
                             : find_caller(route->app->access, req, who, &err);
    if (rc == OK)
        rc = access_require(who, route->role, &err);
    if (rc != OK) {
        if (rc == ERR_UNAUTHORIZED)
            http_set_header(req, "WWW-Authenticate", STR("Bearer realm=\"platen\""));
        http_answer_err(req, &err, (Str){0});
        return false;
    }
    req->state = who;
    return true;
}

void call_begin_public(HttpRequest *req, Call *out)
{
    const RouteUser *route = req->user;
    *out = (Call){.req = req, .app = route->app, .arena = req->arena};
    out->body = buf_init(req->arena, ANSWER_MAX);
}

bool call_begin(HttpRequest *req, Call *out)
{
    call_begin_public(req, out);
    out->json = json_out(&out->body);
    out->who = *(const Caller *)req->state;
    if (db_reader(out->app->db, &out->reader, &out->err) == OK)
        return true;
    call_fail(out);
    return false;
}

void call_fail(Call *c)
{
    http_answer_err(c->req, &c->err, (Str){0});
}

void call_fail_params(Call *c, const ParamFaults *faults)
{
    Buf b = buf_init(c->arena, 256 * KIB);
    JsonOut j = json_out(&b);
    json_begin(&j, '[');
    for (size_t i = 0; i < faults->len; i++) {
        json_begin(&j, '{');
        json_kv_str(&j, "param", faults->items[i].param);
        json_kv_str(&j, "detail", faults->items[i].detail);
        json_end(&j, '}');
    }
    json_end(&j, ']');
    http_answer_err(c->req, &c->err, b.failed ? (Str){0} : buf_str(&b));
}

void call_refuse(Call *c, ErrCode rc, const ParamFaults *faults)
{
    if (rc == ERR_BAD_PARAM && faults != NULL && faults->len > 0)
        call_fail_params(c, faults);
    else
        call_fail(c);
}

void call_answer(Call *c, int status)
{
    if (c->body.failed) {
        err_set(&c->err, ERR_NO_MEMORY, "the answer is larger than this server builds");
        err_hint(&c->err, "Ask for fewer items per page.");
        call_fail(c);
        return;
    }
    http_answer_json(c->req, status, buf_str(&c->body));
}

void call_answer_empty(Call *c, int status)
{
    c->req->res.status = status;
}

ErrCode call_path_id(Call *c, int index, const char *prefix, int64_t *out)
{
    Str text = c->req->params[index];
    if (id_parse(prefix, text, out))
        return OK;
    Str shown = str_slice(text, 0, 40);
    return err_set(&c->err, ERR_NOT_FOUND, "\"" STR_FMT "\" is not an id of the form %s_…",
                   STR_ARG(shown), prefix);
}

static ErrCode check_and_fill(Call *c, const Param *params, const Json *given, void *args,
                              ParamFaults *faults)
{
    Str canonical_text;
    const Json *canonical = NULL;
    ErrCode rc = param_check(params, given, c->arena, &canonical_text, faults, &c->err);
    if (rc == OK)
        rc = json_parse(c->arena, canonical_text, &canonical, &c->err);
    if (rc == OK)
        rc = param_fill(params, canonical, c->arena, args, &c->err);
    return rc;
}

ErrCode call_query(Call *c, const Param *params, void *args, ParamFaults *faults)
{
    ParamText texts[QUERY_MAX];
    size_t len = 0;
    Buf b = buf_init(c->arena, 64 * KIB);
    JsonOut j = json_out(&b);
    for (size_t at = 0;
         len < QUERY_MAX && http_query_next(c->req, &at, &texts[len].name, &texts[len].value);)
        len++;
    param_from_texts(params, texts, len, &j);
    const Json *given = NULL;
    if (b.failed || len == QUERY_MAX)
        return err_set(&c->err, ERR_BAD_REQUEST, "the query string is too long");
    ErrCode rc = json_parse(c->arena, buf_str(&b), &given, &c->err);
    return rc != OK ? rc : check_and_fill(c, params, given, args, faults);
}

ErrCode call_json(Call *c, const Json **out)
{
    *out = NULL;
    if (str_trim(c->req->body).len == 0)
        return OK;
    return json_parse(c->arena, c->req->body, out, &c->err);
}

ErrCode call_body(Call *c, const Param *params, void *args, ParamFaults *faults)
{
    const Json *given = NULL;
    ErrCode rc = call_json(c, &given);
    return rc != OK ? rc : check_and_fill(c, params, given, args, faults);
}

ErrCode call_callback(Call *c, Str url)
{
    ErrCode rc = url.len > 0 ? outbound_check_url(c->app->guard, url, &c->err) : OK;
    if (rc != OK)
        err_param(&c->err, "callback_url");
    return rc;
}

ErrCode call_cursor(Call *c, const char *prefix, Str text, int64_t *out)
{
    *out = 0;
    if (text.len == 0 || id_parse(prefix, text, out))
        return OK;
    return err_set(&c->err, ERR_BAD_CURSOR, "the cursor must be the \"next\" of the page before");
}

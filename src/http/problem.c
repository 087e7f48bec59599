/* problem.c: errors as application/problem+json (RFC 9457). */
#include "base/json.h"
#include "http/http_in.h"

#include <stdio.h>

enum { PROBLEM_MAX = 64 * 1024, RETRY_AFTER_S = 1 };

static void kv_some(JsonOut *j, const char *key, Str value)
{
    if (value.len > 0)
        json_kv_str(j, key, value);
}

static Str text(HttpRequest *req, int status, const Err *err, Str errors_json)
{
    Buf b = buf_init(req->arena, PROBLEM_MAX + errors_json.len);
    JsonOut j = json_out(&b);
    json_begin(&j, '{');
    char type[96];
    snprintf(type, sizeof type, "urn:platen:problem:%s", err_reason(err->code));
    json_kv_c(&j, "type", type);
    json_kv_c(&j, "title", err_meaning(err->code));
    json_kv_int(&j, "status", status);
    json_kv_c(&j, "reason", err_reason(err->code));
    json_kv_str(&j, "detail", str_from_c(err->text));
    kv_some(&j, "hint", str_from_c(err_advice(err)));
    kv_some(&j, "param", str_from_c(err->param));
    json_kv_str(&j, "trace", str_from_c(req->trace));
    if (errors_json.len > 0)
        json_kv_raw(&j, "errors", errors_json);
    json_end(&j, '}');
    if (b.failed)
        return STR("{\"type\":\"about:blank\",\"reason\":\"no_memory\",\"detail\":\"no memory for "
                   "the answer\"}");
    return buf_str(&b);
}

void http_problem(HttpRequest *req, int status, const Err *err, Str errors_json)
{
    if (err_retry(err->code) == RETRY_AFTER && !http_res_has(&req->res, STR("Retry-After"))) {
        Str seconds = str_printf(req->arena, "%d", RETRY_AFTER_S);
        http_set_header(req, "Retry-After", seconds);
    }
    http_answer_text(req, status, "application/problem+json", text(req, status, err, errors_json));
}

void http_answer_err(HttpRequest *req, const Err *err, Str errors_json)
{
    http_problem(req, err_status(err->code), err, errors_json);
}

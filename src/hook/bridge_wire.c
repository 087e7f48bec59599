#include "hook/bridge_wire.h"

#include <openssl/evp.h>
#include <stdlib.h>

enum { MESSAGES_MAX = 1000, PAYLOAD_MAX = 512 * 1024 };

static ErrCode verdict(int status, int64_t code, Str message, Err *err)
{
    Str shown = str_slice(message, 0, 120);
    if (status == 401 || status == 403) {
        err_set(err, ERR_BRIDGE_MISSING, "the token is refused (status %d): " STR_FMT, status,
                STR_ARG(shown));
        err_hint(err, "The token needs the permission Queues Edit for this account.");
        return ERR_BRIDGE_MISSING;
    }
    if (code == 10104 || status == 404) {
        err_set(err, ERR_BRIDGE_MISSING,
                "there is no such account or queue (%" PRId64 "): " STR_FMT, code, STR_ARG(shown));
        err_hint(err,
                 "remote is the queue's id, not its name; `wrangler queues info NAME` shows it.");
        return ERR_BRIDGE_MISSING;
    }
    /* Overloaded, storage full, disabled, free tier used up: all may pass. */
    bool later =
        status >= 500 || status == 408 || status == 429 || (code >= 10250 && code <= 10253);
    return err_set(err, later ? ERR_REMOTE_FAILED : ERR_REMOTE_REFUSED,
                   "status %d, error %" PRId64 ": " STR_FMT, status, code, STR_ARG(shown));
}

ErrCode wire_result(int status, Str body, Arena *a, const Json **out, Err *err)
{
    const Json *answer = NULL;
    *out = NULL;
    bool is_json = json_parse(a, body, &answer, NULL) == OK && json_is(answer, JSON_OBJECT);
    bool ok = status >= 200 && status < 300;
    if (ok && !is_json)
        return err_set(err, ERR_REMOTE_FAILED, "the answer is not JSON");
    const Json *errors = json_get(answer, "errors");
    const Json *first = errors != NULL ? errors->first : NULL;
    if (!ok || !json_bool(json_get(answer, "success"), true))
        return verdict(status, json_int(json_get(first, "code"), 0),
                       json_text(json_get(first, "message")), err);
    *out = json_get(answer, "result");
    return OK;
}

static ErrCode decode(Str text, Arena *a, Str *out)
{
    unsigned char *bytes = arena_alloc_raw(a, text.len / 4 * 3 + 1);
    if (bytes == NULL)
        return ERR_NO_MEMORY;
    if (text.len % 4 != 0 || text.len > PAYLOAD_MAX)
        return ERR_BAD_REQUEST;
    int n = EVP_DecodeBlock(bytes, (const unsigned char *)text.ptr, (int)text.len);
    if (n < 0 || n != (int)(text.len / 4 * 3)) /* it skips spaces, which are not in it */
        return ERR_BAD_REQUEST;
    for (size_t i = text.len; i > 0 && text.ptr[i - 1] == '=' && n > 0; i--)
        n--;
    *out = (Str){(const char *)bytes, (size_t)n};
    return OK;
}

static ErrCode put(Arena *a, const Json *value, Str text, const char *key, Str *out)
{
    Buf b = buf_init(a, 2 * PAYLOAD_MAX);
    JsonOut j = json_out(&b);
    if (key != NULL) {
        json_begin(&j, '{');
        json_kv_str(&j, key, text);
        json_end(&j, '}');
    } else if (value != NULL) {
        json_put(&j, value);
    } else {
        json_put_str(&j, text);
    }
    *out = buf_str(&b);
    return b.failed ? ERR_NO_MEMORY : OK;
}

static ErrCode read_payload(const Json *message, Arena *a, WireMessage *m)
{
    Str type = json_text(json_get(json_get(message, "metadata"), "CF-Content-Type"));
    Str body = json_text(json_get(message, "body")), bytes;
    const Json *value = NULL;
    if (str_eq_c(type, "text") || type.len == 0)
        return put(a, NULL, body, NULL, &m->payload);
    if (str_eq_c(type, "bytes"))
        return put(a, NULL, body, "bytes", &m->payload);
    if (!str_eq_c(type, "json")) {
        m->problem = "its content type is not json, text or bytes";
        return OK;
    }
    ErrCode rc = decode(body, a, &bytes);
    if (rc == OK)
        rc = json_parse(a, bytes, &value, NULL);
    if (rc == ERR_NO_MEMORY)
        return rc;
    if (rc != OK) {
        m->problem = "its body is not JSON in base64";
        return OK;
    }
    return put(a, value, bytes, NULL, &m->payload);
}

ErrCode wire_messages(const Json *result, Arena *a, WireMessage **out, size_t *len, Err *err)
{
    const Json *list = json_get(result, "messages");
    size_t n = 0, most = list != NULL && list->len < MESSAGES_MAX ? list->len : MESSAGES_MAX;
    WireMessage *messages = arena_new(a, WireMessage, most);
    if (messages == NULL)
        return err_set(err, ERR_NO_MEMORY, "reading messages");
    if (result != NULL && list != NULL && !json_is(list, JSON_LIST))
        return err_set(err, ERR_REMOTE_FAILED, "the answer has no list of messages");
    json_each(message, list) {
        WireMessage m = {.id = json_text(json_get(message, "id")),
                         .lease = json_text(json_get(message, "lease_id")),
                         .attempts = json_int(json_get(message, "attempts"), 1)};
        if (m.id.len == 0 || m.lease.len == 0 || n == most)
            continue; /* cannot be acknowledged: it is delivered again, and in the end dropped */
        if (read_payload(message, a, &m) != OK)
            return err_set(err, ERR_NO_MEMORY, "reading messages");
        messages[n++] = m;
    }
    *out = messages;
    *len = n;
    return OK;
}

void wire_put_pull(JsonOut *j, int batch, int64_t visible_ms)
{
    json_begin(j, '{');
    json_kv_int(j, "visibility_timeout_ms", visible_ms);
    json_kv_int(j, "batch_size", batch);
    json_end(j, '}');
}

void wire_put_ack(JsonOut *j, const WireMessage *m, const bool *keep, const int *delay_s,
                  size_t len)
{
    json_begin(j, '{');
    for (int again = 0; again < 2; again++) {
        json_key(j, again ? "retries" : "acks");
        json_begin(j, '[');
        for (size_t i = 0; i < len; i++) {
            if (keep[i] == (again == 1))
                continue;
            json_begin(j, '{');
            json_kv_str(j, "lease_id", m[i].lease);
            if (again)
                json_kv_int(j, "delay_seconds", delay_s[i]);
            json_end(j, '}');
        }
        json_end(j, ']');
    }
    json_end(j, '}');
}

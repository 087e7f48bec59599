#include "browser/cdp.h"
#include "base/clock.h"
#include "base/fd.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

enum { ARENA_MAX = 64 * 1024 * 1024, CALL_MAX = 1024 * 1024 };

ErrCode cdp_open(Cdp *c, int to, int from, Err *err)
{
    *c = (Cdp){.to = to, .from = from, .arena = arena_open(ARENA_MAX + CDP_MESSAGE_MAX)};
    c->buffer = c->arena != NULL ? arena_alloc_raw(c->arena, CDP_MESSAGE_MAX) : NULL;
    return c->buffer != NULL ? OK : err_set(err, ERR_NO_MEMORY, "no memory to talk to the browser");
}

void cdp_close(Cdp *c)
{
    fd_close(&c->to);
    fd_close(&c->from);
    arena_close(&c->arena);
    *c = (Cdp){.to = -1, .from = -1};
}

static ErrCode send_message(Cdp *c, Str session, const char *method, Str params, int64_t id,
                            Err *err)
{
    ArenaMark mark = arena_mark(c->arena);
    Buf b = buf_init(c->arena, CALL_MAX);
    JsonOut j = json_out(&b);
    json_begin(&j, '{');
    json_kv_int(&j, "id", id);
    json_kv_c(&j, "method", method);
    if (session.len > 0)
        json_kv_str(&j, "sessionId", session);
    if (params.len > 0)
        json_kv_raw(&j, "params", params);
    json_end(&j, '}');
    buf_add_char(&b, 0);
    ErrCode rc = b.failed ? err_set(err, ERR_NO_MEMORY, "the call to the browser is too long")
                          : fd_write_all(c->to, b.ptr, b.len, err);
    arena_rewind(c->arena, mark);
    return rc == ERR_IO ? err_set(err, ERR_ENGINE_CRASHED, "the browser is gone") : rc;
}

static ErrCode fill(Cdp *c, int64_t until_us, Err *err)
{
    int64_t left_ms = (until_us - clock_mono_us() + 999) / 1000;
    struct pollfd f = {.fd = c->from, .events = POLLIN};
    if (left_ms <= 0)
        return ERR_LIMIT_TIME;
    int n = poll(&f, 1, left_ms > 1000000 ? 1000000 : (int)left_ms);
    if (n <= 0)
        return n == 0 || errno == EINTR
                   ? OK
                   : err_set_errno(err, ERR_IO, errno, "could not wait for the browser");
    ssize_t got = read(c->from, c->buffer + c->have, CDP_MESSAGE_MAX - c->have);
    if (got < 0 && errno == EINTR)
        return OK;
    if (got <= 0)
        return err_set(err, ERR_ENGINE_CRASHED, "the browser is gone");
    c->have += (size_t)got;
    return OK;
}

/* The next whole message; *out lives until the next one. `until_us` has passed: ERR_LIMIT_TIME, and
 * *err is as it was. */
static ErrCode next_message(Cdp *c, int64_t until_us, Str *out, Err *err)
{
    memmove(c->buffer, c->buffer + c->used, c->have - c->used);
    c->have -= c->used;
    c->used = 0;
    for (size_t seen = 0;;) {
        char *end = memchr(c->buffer + seen, 0, c->have - seen);
        if (end != NULL) {
            *out = (Str){c->buffer, (size_t)(end - c->buffer)};
            c->used = out->len + 1;
            return OK;
        }
        seen = c->have;
        if (c->have == CDP_MESSAGE_MAX)
            return err_set(err, ERR_ENGINE_PROTOCOL, "a message of the browser without end");
        ErrCode rc = fill(c, until_us, err);
        if (rc != OK)
            return rc;
    }
}

static void hear_event(Cdp *c, const Json *doc)
{
    Str method = json_text(json_get(doc, "method"));
    if (method.len > 0 && c->event != NULL)
        c->event(c->ctx, method, json_text(json_get(doc, "sessionId")), json_get(doc, "params"));
}

static ErrCode next_document(Cdp *c, int64_t until_us, const Json **out, Err *err)
{
    Str text;
    ErrCode rc = next_message(c, until_us, &text, err);
    if (rc == OK && json_parse(c->arena, text, out, err) != OK)
        return err_set(err, ERR_ENGINE_PROTOCOL, "the browser said something that is not JSON");
    return rc;
}

static ErrCode too_long(Err *err)
{
    return err_set(err, ERR_LIMIT_TIME, "the browser did not answer in time");
}

ErrCode cdp_call(Cdp *c, const char *session, const char *method, Str params, const Json **out,
                 Err *err)
{
    int64_t id = ++c->next_id;
    ErrCode rc =
        send_message(c, str_from_c(session != NULL ? session : ""), method, params, id, err);
    while (rc == OK) {
        /* The answer stays for the caller, so what an earlier call left goes only now. */
        ArenaMark mark = arena_mark(c->arena);
        const Json *doc = NULL;
        rc = next_document(c, c->deadline_us, &doc, err);
        if (rc == OK && json_int(json_get(doc, "id"), 0) == id) {
            const Json *error = json_get(doc, "error");
            if (error != NULL)
                return err_set(err, ERR_BAD_PARAM, "the browser refused %s: " STR_FMT, method,
                               STR_ARG(str_slice(json_text(json_get(error, "message")), 0, 120)));
            *out = json_get(doc, "result");
            return OK;
        }
        if (rc == OK)
            hear_event(c, doc);
        arena_rewind(c->arena, mark);
    }
    return rc == ERR_LIMIT_TIME ? too_long(err) : rc;
}

void cdp_say(Cdp *c, Str session, const char *method, Str params)
{
    (void)!send_message(c, session, method, params, ++c->next_id, NULL);
}

ErrCode cdp_wait(Cdp *c, const bool *flag, int64_t until_us, Err *err)
{
    if (until_us > c->deadline_us)
        until_us = c->deadline_us;
    ErrCode rc = OK;
    while (rc == OK && !*flag) {
        ArenaMark mark = arena_mark(c->arena);
        const Json *doc = NULL;
        rc = next_document(c, until_us, &doc, err);
        if (rc == OK)
            hear_event(c, doc);
        arena_rewind(c->arena, mark);
    }
    return rc == ERR_LIMIT_TIME ? too_long(err) : rc;
}

Str cdp_one(Arena *a, const char *key, const char *value)
{
    Buf b = buf_init(a, 4096);
    JsonOut j = json_out(&b);
    json_begin(&j, '{');
    json_kv_c(&j, key, value);
    json_end(&j, '}');
    return b.failed ? (Str){0} : buf_str(&b);
}

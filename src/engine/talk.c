#include "engine/talk_in.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

enum { AMOUNT_BITS = 53, EXIT_MEMORY = 77 /* kit/task_in.h: KIT_EXIT_MEMORY */ };

static bool is_control(unsigned char c)
{
    return c < 0x20 || c == 0x7F;
}

/* At most `max` bytes, cut between characters. */
static Str cut(Str s, size_t max)
{
    size_t len = s.len < max ? s.len : max;
    while (len < s.len && len > 0 && ((unsigned char)s.ptr[len] & 0xC0) == 0x80)
        len--;
    return str_slice(s, 0, len);
}

/* One line: control bytes become spaces, and what is too long is cut. */
static Str one_line(Arena *a, Str s, size_t max)
{
    Str kept = cut(s, max);
    char *p = arena_alloc_raw(a, kept.len + 1);
    if (p == NULL)
        return (Str){0};
    for (size_t i = 0; i < kept.len; i++)
        p[i] = is_control((unsigned char)kept.ptr[i]) ? ' ' : kept.ptr[i];
    p[kept.len] = 0;
    return (Str){p, kept.len};
}

/* Does it end in "/", or in a part that is "." or ".."? */
static bool ends_in_dots(Str path)
{
    size_t slash = str_rfind_char(path, '/');
    Str last = slash == STR_NONE ? path : str_slice(path, slash + 1, path.len);
    return path.len > 0 && (last.len == 0 || str_eq_c(last, ".") || str_eq_c(last, ".."));
}

/* A relative path that stays where it begins: its parts without "." and "..". */
Str talk_safe_name(Arena *a, Str s)
{
    Buf b = buf_init(a, SAID_NAME_MAX * 2);
    for (size_t i = 0, from = 0; i <= s.len; i++) {
        if (i < s.len && s.ptr[i] != '/' && s.ptr[i] != '\\')
            continue;
        Str part = str_slice(s, from, i);
        from = i + 1;
        if (part.len == 0 || str_eq_c(part, ".") || str_eq_c(part, ".."))
            continue;
        if (b.len > 0)
            buf_add_char(&b, '/');
        buf_add(&b, cut(part, SAID_NAME_MAX));
        if (b.len >= SAID_NAME_MAX)
            break;
    }
    Str kept = cut(buf_str(&b), SAID_NAME_MAX);
    while (ends_in_dots(kept)) /* what the cut made of a longer name */
        kept.len--;
    return kept.len == 0 ? STR("output") : one_line(a, kept, SAID_NAME_MAX);
}

static bool is_media_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != 0 && strchr("!#$&^_.+-/;= \"", c) != NULL);
}

Str talk_safe_type(Str s)
{
    size_t slash = str_find_char(s, '/');
    bool ok = slash != STR_NONE && slash > 0 && slash + 1 < s.len && s.len <= 127;
    for (size_t i = 0; i < s.len && ok; i++)
        ok = is_media_char(s.ptr[i]);
    return ok ? s : STR("application/octet-stream");
}

static bool is_unit(Str s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((s.ptr[i] < 'a' || s.ptr[i] > 'z') && (s.ptr[i] != '_' || i == 0))
            return false;
    return s.len > 0 && s.len <= SAID_UNIT_MAX;
}

/* Reasons that speak of the file, the limits or the engine. The others are the server's own. */
static bool may_say(const Step *step, ErrCode code)
{
    static const ErrCode general[] = {
        ERR_BAD_PARAM,    ERR_INPUT_TOO_LARGE, ERR_UNSUPPORTED_TYPE, ERR_NOT_FOUND,
        ERR_UNKNOWN_STEP, ERR_NO_MEMORY,       ERR_DISK_FULL,        ERR_IO,
        ERR_INTERNAL,     ERR_OVERLOADED,      ERR_LIMIT_MEMORY,     ERR_LIMIT_CPU,
        ERR_LIMIT_TIME,   ERR_ENGINE_MISSING,  ERR_ENGINE_PROTOCOL};
    for (const ErrCode *c = step != NULL ? step->errors : NULL; c != NULL && *c != OK; c++)
        if (*c == code)
            return true;
    for (size_t i = 0; i < COUNT_OF(general); i++)
        if (general[i] == code)
            return true;
    /* What became of a step it called. */
    if (step != NULL && step->calls != NULL && code >= ERR_ENGINE_CRASHED && code <= ERR_LIMIT_TIME)
        return true;
    return code >= ERR_INPUT_MISSING && code <= ERR_PATH_ESCAPE;
}

static ErrCode nonsense(Err *err, const char *what)
{
    return err_set(err, ERR_ENGINE_PROTOCOL,
                   "the engine said something that is not the protocol: %s", what);
}

static ErrCode read_error(const Json *e, const Step *step, Arena *scratch, Said *out, Err *err)
{
    ErrCode code = err_from_reason(json_text(json_get(e, "reason")));
    if (code == OK || !may_say(step, code))
        return nonsense(err, "an error whose reason an engine cannot have");
    if (code == ERR_NO_MEMORY) /* its memory is limited; the server's is not meant */
        code = ERR_LIMIT_MEMORY;
    Str message = one_line(scratch, json_text(json_get(e, "message")), sizeof out->error.text - 1);
    err_set(&out->error, code, STR_FMT, STR_ARG(message));
    Str hint = one_line(scratch, json_text(json_get(e, "hint")), sizeof out->error.hint - 1);
    if (hint.len > 0)
        err_hint(&out->error, STR_FMT, STR_ARG(hint));
    Str param = one_line(scratch, json_text(json_get(e, "param")), sizeof out->error.param - 1);
    if (param.len > 0)
        err_param(&out->error, param.ptr);
    return OK;
}

static ErrCode read_usage(const Json *u, Said *out, Err *err)
{
    out->unit = json_text(json_get(u, "unit"));
    out->amount = json_int(json_get(u, "amount"), -1);
    if (!is_unit(out->unit) || out->amount < 0 || out->amount > (INT64_C(1) << AMOUNT_BITS))
        return nonsense(err, "a usage without a unit and an amount");
    return OK;
}

static ErrCode read_call(const Json *call, size_t fds_len, Said *out, Err *err)
{
    out->name = json_text(json_get(call, "step"));
    out->params = json_get(call, "params");
    out->inputs = json_get(call, "inputs");
    if (out->name.len == 0 || !json_is(out->params, JSON_OBJECT) ||
        !json_is(out->inputs, JSON_LIST) || out->inputs->len != fds_len)
        return nonsense(err, "a call without step, parameters and a descriptor per input");
    return OK;
}

static ErrCode read_exit(const Json *e, Said *out, Err *err)
{
    const Json *sig = json_get(e, "signal");
    out->signaled = sig != NULL;
    int64_t status = json_int(sig != NULL ? sig : json_get(e, "code"), -1);
    out->cpu_ms = json_int(json_get(e, "cpu_ms"), 0);
    out->memory_bytes = json_int(json_get(e, "memory_bytes"), 0);
    if (status < 0 || status > 255)
        return nonsense(err, "an exit without a status");
    out->status = (int)status;
    return OK;
}

static ErrCode read_kind(const Json *doc, size_t fds_len, const Step *step, Arena *scratch,
                         Said *out, Err *err)
{
    const Json *m = doc->first;
    if (str_eq_c(m->key, "output")) {
        out->kind = SAID_OUTPUT;
        out->name = talk_safe_name(scratch, json_text(json_get(m, "name")));
        out->type = talk_safe_type(json_text(json_get(m, "type")));
    } else if (str_eq_c(m->key, "scratch")) {
        out->kind = SAID_SCRATCH;
    } else if (str_eq_c(m->key, "call")) {
        out->kind = SAID_CALL;
        return read_call(m, fds_len, out, err);
    } else if (str_eq_c(m->key, "progress")) {
        out->kind = SAID_PROGRESS;
        int64_t done = json_int(json_get(m, "done"), 0), total = json_int(json_get(m, "total"), 0);
        out->done = done > 0 ? done : 0;
        out->total = total > 0 ? total : 0;
        out->text = one_line(scratch, json_text(json_get(m, "note")), SAID_TEXT_MAX);
    } else if (str_eq_c(m->key, "usage")) {
        out->kind = SAID_USAGE;
        return read_usage(m, out, err);
    } else if (str_eq_c(m->key, "note")) {
        out->kind = SAID_NOTE;
        out->text = one_line(scratch, json_text(json_get(m, "text")), SAID_TEXT_MAX);
    } else if (str_eq_c(m->key, "result")) {
        out->kind = SAID_RESULT;
        out->data = json_get(m, "data");
        if (!json_is(out->data, JSON_OBJECT))
            return nonsense(err, "a result without data");
    } else if (str_eq_c(m->key, "error")) {
        out->kind = SAID_ERROR;
        return read_error(m, step, scratch, out, err);
    } else if (str_eq_c(m->key, "task")) {
        out->kind = SAID_TASK;
        out->pid = json_int(json_get(m, "pid"), 0);
    } else if (str_eq_c(m->key, "exit")) {
        out->kind = SAID_EXIT;
        return read_exit(m, out, err);
    } else {
        return nonsense(err, "a message of no known kind");
    }
    return OK;
}

ErrCode talk_read(Str text, size_t fds_len, const Step *step, Arena *scratch, Said *out, Err *err)
{
    const Json *doc;
    Err why = {0};
    *out = (Said){0};
    ErrCode rc = json_parse(scratch, text, &doc, &why);
    if (rc == ERR_NO_MEMORY)
        return err_set(err, rc, "%s", why.text);
    if (rc != OK)
        return nonsense(err, "a message that is not JSON");
    if (!json_is(doc, JSON_OBJECT) || doc->len != 1 || !json_is(doc->first, JSON_OBJECT))
        return nonsense(err, "not an object with one object in it");
    rc = read_kind(doc, fds_len, step, scratch, out, err);
    if (rc == OK && out->kind != SAID_CALL && fds_len != (out->kind == SAID_TASK ? 1 : 0))
        return nonsense(err, "descriptors where none belong");
    return rc;
}

static ErrCode judge_signal(const TalkEnd *end, const StepLimits *limits, bool much, Err *err)
{
    switch (end->status) {
    case SIGSYS:
        return err_set(err, ERR_ENGINE_FORBIDDEN, "the engine made a forbidden system call");
    case SIGXCPU:
        return err_set(err, ERR_LIMIT_CPU, "more than %" PRId64 " ms of computing time",
                       limits->cpu_ms);
    case SIGXFSZ:
        return err_set(err, ERR_LIMIT_OUTPUT, "an output of more than %" PRId64 " bytes",
                       limits->output_bytes);
    case SIGKILL:
        if (limits->cpu_ms > 0 && end->cpu_ms >= limits->cpu_ms)
            return err_set(err, ERR_LIMIT_CPU, "more than %" PRId64 " ms of computing time",
                           limits->cpu_ms);
        if (!much)
            return err_set(err, ERR_ENGINE_KILLED, "something killed the engine");
        break;
    default:
        break;
    }
    if (much)
        return err_set(err, ERR_LIMIT_MEMORY, "more than %" PRId64 " bytes of memory",
                       limits->memory_bytes);
    const char *name = sigdescr_np(end->status);
    return err_set(err, ERR_ENGINE_CRASHED, "signal %d: %s", end->status,
                   name != NULL ? name : "unknown");
}

ErrCode talk_judge(const TalkEnd *end, const StepLimits *limits, Err *err)
{
    if (end->output_full)
        return err_set(err, ERR_LIMIT_OUTPUT, "an output of more than %" PRId64 " bytes",
                       limits->output_bytes);
    /* The limit refuses what would go past it, so the peak stays somewhat below. */
    bool much = limits->memory_bytes > 0 && end->memory_bytes >= limits->memory_bytes / 10 * 8;
    if (end->signaled)
        return judge_signal(end, limits, much, err);
    if (end->status == EXIT_MEMORY || (end->status != 0 && much))
        return err_set(err, ERR_LIMIT_MEMORY, "more than %" PRId64 " bytes of memory",
                       limits->memory_bytes);
    return err_set(err, ERR_ENGINE_CRASHED, "the engine ended with status %d and without a result",
                   end->status);
}

static void put_limits(JsonOut *j, const StepLimits *l)
{
    json_key(j, "limits");
    json_begin(j, '{');
    json_kv_int(j, "time_ms", l->time_ms);
    json_kv_int(j, "cpu_ms", l->cpu_ms);
    json_kv_int(j, "memory_bytes", l->memory_bytes);
    json_kv_int(j, "output_bytes", l->output_bytes);
    json_end(j, '}');
}

void talk_put_run(Buf *b, const Step *step, Str params, const StepLimits *limits,
                  const StepInput *inputs, size_t inputs_len)
{
    JsonOut j = json_out(b);
    json_begin(&j, '{');
    json_key(&j, "run");
    json_begin(&j, '{');
    json_kv_c(&j, "step", step->name);
    json_kv_raw(&j, "params", params.len > 0 ? params : STR("{}"));
    put_limits(&j, limits);
    json_key(&j, "inputs");
    json_begin(&j, '[');
    for (size_t i = 0; i < inputs_len; i++) {
        json_begin(&j, '{');
        json_kv_str(&j, "name", inputs[i].name);
        json_kv_str(&j, "type", inputs[i].type);
        json_kv_int(&j, "size", inputs[i].size_bytes);
        json_end(&j, '}');
    }
    json_end(&j, ']');
    json_end(&j, '}');
    json_end(&j, '}');
}

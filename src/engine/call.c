/* call.c: a step called by a running step: in its own engine and sandbox, with its own limits,
 * while the caller's process waits for the answer.
 *
 * The caller may be an engine that somebody's file has taken over. So a call names one of the steps
 * that the caller's contract lists, its parameters are checked like a client's, what it hands over
 * must be plain files, and calls are nested CALL_DEPTH_MAX deep at most: chunks of a scanned .doc
 * need three. */
#include "engine/engine_in.h"
#include "base/fd.h"
#include "engine/talk_in.h"
#include "kit/kit.h"

#include <sys/stat.h>

enum { CALL_DEPTH_MAX = 3 };

static bool may_call(const Step *caller, Str name)
{
    Str rest = str_from_c(caller->calls != NULL ? caller->calls : ""), one;
    while (str_next(&rest, ',', &one))
        if (str_eq(str_trim(one), name))
            return true;
    return false;
}

static ErrCode find_step(EnginePool *p, const EngineTask *caller, Str name, const Step **out,
                         Err *err)
{
    if (!may_call(caller->step, name))
        return err_set(err, ERR_ENGINE_PROTOCOL, "%s called a step that its contract does not name",
                       caller->step->name);
    const Step *s = p->registry != NULL ? registry_find(p->registry, name) : NULL;
    const Engine *e = s != NULL && s->engine != NULL ? engine_find(p, s->engine) : NULL;
    if (e == NULL || !e->warm) {
        err_set(err, ERR_ENGINE_MISSING, "the engine of " STR_FMT " is not installed",
                STR_ARG(name));
        return err->code;
    }
    *out = s;
    return OK;
}

static ErrCode take_inputs(const Said *said, const int *fds, Arena *a, StepInput **out, Err *err)
{
    size_t n = 0;
    StepInput *inputs = arena_new(a, StepInput, said->inputs->len);
    if (inputs == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for the files of a call");
    json_each(item, said->inputs) {
        struct stat st;
        if (fstat(fds[n], &st) != 0 || !S_ISREG(st.st_mode))
            return err_set(err, ERR_ENGINE_PROTOCOL, "a call with something that is not a file");
        inputs[n] = (StepInput){.name = talk_safe_name(a, json_text(json_get(item, "name"))),
                                .type = talk_safe_type(json_text(json_get(item, "type"))),
                                .fd = fds[n],
                                .size_bytes = st.st_size};
        n++;
    }
    *out = inputs;
    return OK;
}

static ErrCode check_params(const Step *s, const Json *given, Arena *a, Str *out, Err *err)
{
    ParamFaults faults = {0};
    return param_check(s->params, given, a, out, &faults, err);
}

ErrCode engine_call(EnginePool *p, const EngineTask *caller, const Said *said, const int *fds,
                    Arena *a, EngineResult *out, EngineFiles *files, Err *err)
{
    const Step *step = NULL;
    EngineTask t = {.canceled = caller->canceled,
                    .waits = caller->waits,
                    .note = caller->note,
                    .ctx = caller->ctx,
                    .inputs_len = said->inputs->len,
                    .depth = caller->depth + 1};
    StepInput *inputs = NULL;
    if (t.depth > CALL_DEPTH_MAX)
        return err_set(err, ERR_LIMIT_DEPTH, "steps that call steps, more than %d deep",
                       CALL_DEPTH_MAX);
    ErrCode rc = find_step(p, caller, said->name, &step, err);
    if (rc == OK)
        rc = take_inputs(said, fds, a, &inputs, err);
    if (rc == OK)
        rc = check_params(step, said->params, a, &t.params, err);
    if (rc != OK)
        return rc;
    t.step = step;
    t.inputs = inputs;
    return engine_run_open(p, &t, a, out, files, err);
}

static void put_error(JsonOut *j, const Err *why)
{
    json_key(j, "error");
    json_begin(j, '{');
    json_kv_c(j, "reason", err_reason(why->code));
    json_kv_c(j, "message", why->text);
    if (why->hint[0] != 0)
        json_kv_c(j, "hint", why->hint);
    if (why->param[0] != 0)
        json_kv_c(j, "param", why->param);
    json_end(j, '}');
}

static void put_files(JsonOut *j, const EngineFiles *files)
{
    json_key(j, "outputs");
    json_begin(j, '[');
    for (size_t i = 0; i < files->len; i++) {
        json_begin(j, '{');
        json_kv_str(j, "name", files->items[i].name);
        json_kv_str(j, "type", files->items[i].type);
        json_kv_int(j, "size", fd_size(files->items[i].fd));
        json_end(j, '}');
    }
    json_end(j, ']');
}

void engine_put_reply(Buf *b, const EngineResult *result, const EngineFiles *files, const Err *why)
{
    JsonOut j = json_out(b);
    json_begin(&j, '{');
    json_key(&j, "call");
    json_begin(&j, '{');
    if (why->code != OK) {
        put_error(&j, why);
    } else {
        json_kv_raw(&j, "data", result->data.len > 0 ? result->data : STR("{}"));
        put_files(&j, files);
    }
    json_end(&j, '}');
    json_end(&j, '}');
}

void engine_files_close(EngineFiles *files)
{
    for (size_t i = 0; i < files->len; i++)
        fd_close(&files->items[i].fd);
    files->len = 0;
}

#include "core/step.h"
#include "base/fd.h"

#include <assert.h>

/* What a step may write into c->data at most before its size is looked at. */
enum { DATA_CEILING = 16 << 20 };

ErrCode step_output(StepCtx *c, Str name, Str type, int *out_fd)
{
    if (c->host == NULL || c->host->output == NULL)
        return err_set(c->err, ERR_INTERNAL, "nobody takes the outputs of this step");
    return c->host->output(c->host_ctx, name, type, out_fd, c->err);
}

ErrCode step_output_bytes(StepCtx *c, Str name, Str type, Str bytes)
{
    CLEANUP(fd_close) int fd = -1;
    ErrCode rc = step_output(c, name, type, &fd);
    if (rc != OK)
        return rc;
    return fd_write_all(fd, bytes.ptr, bytes.len, c->err);
}

void step_progress(StepCtx *c, int64_t done, int64_t total, const char *note)
{
    if (c->host != NULL && c->host->progress != NULL)
        c->host->progress(c->host_ctx, done, total, str_from_c(note));
}

void step_usage(StepCtx *c, const char *unit, int64_t amount)
{
    if (c->host != NULL && c->host->usage != NULL)
        c->host->usage(c->host_ctx, str_from_c(unit), amount);
}

void step_note(StepCtx *c, Str text)
{
    if (c->host != NULL && c->host->note != NULL)
        c->host->note(c->host_ctx, text);
}

ErrCode step_ask(StepCtx *c, const char *what, int64_t time_ms)
{
    if (c->host == NULL || c->host->ask == NULL)
        return err_set(c->err, ERR_INTERNAL, "there is no server to ask for %s", what);
    return c->host->ask(c->host_ctx, what, time_ms, c->data, c->err);
}

bool step_canceled(StepCtx *c)
{
    return c->host != NULL && c->host->canceled != NULL && c->host->canceled(c->host_ctx);
}

static Str before_char(Str s, char c)
{
    return str_trim(str_slice(s, 0, str_find_char(s, c)));
}

ErrCode step_scratch(StepCtx *c, int *out_fd)
{
    if (c->host == NULL || c->host->scratch == NULL)
        return err_set(c->err, ERR_INTERNAL, "there are no scratch files here");
    return c->host->scratch(c->host_ctx, out_fd, c->err);
}

ErrCode step_call(StepCtx *c, const char *step, Str params, const StepInput *inputs,
                  size_t inputs_len, StepReply *out)
{
    if (c->host == NULL || c->host->call == NULL)
        return err_set(c->err, ERR_ENGINE_MISSING, "%s cannot be reached from here", step);
    return c->host->call(c->host_ctx, c->arena, str_from_c(step), params, inputs, inputs_len, out,
                         c->err);
}

void step_reply_close(StepReply *r)
{
    for (size_t i = 0; i < r->outputs_len; i++)
        fd_close(&r->outputs[i].fd);
    r->outputs_len = 0;
}

/* A family ("image/" + "*") matches its members, "*" + "/" + "*" everything. */
static bool type_matches(Str pattern, Str type)
{
    if (str_eq(pattern, STR("*/*")) || str_eq_nocase(pattern, type))
        return true;
    if (!str_ends(pattern, STR("/*")))
        return false;
    Str family = str_slice(pattern, 0, pattern.len - 1);
    return type.len > family.len && str_eq_nocase(str_slice(type, 0, family.len), family);
}

bool step_accepts(const Step *s, Str media_type)
{
    Str type = before_char(media_type, ';');
    if (s->accepts == NULL || type.len == 0 || str_find_char(type, '/') == STR_NONE)
        return false;
    Str rest = str_from_c(s->accepts), pattern;
    while (str_next(&rest, ',', &pattern))
        if (type_matches(str_trim(pattern), type))
            return true;
    return false;
}

static ErrCode read_args(const Step *s, StepCtx *c, Str params, void **out)
{
    const Json *canonical = NULL;
    void *args = arena_alloc(c->arena, s->args_size);
    if (args == NULL)
        return err_set(c->err, ERR_NO_MEMORY, "no memory for the arguments");
    if (params.len > 0) {
        ErrCode rc = json_parse(c->arena, params, &canonical, c->err);
        if (rc != OK)
            return rc;
    }
    *out = args;
    return param_fill(s->params, canonical, c->arena, args, c->err);
}

static ErrCode run_with_data(const Step *s, StepCtx *c, const void *args, Str *out_data)
{
    Buf b = buf_init(c->arena, DATA_CEILING);
    JsonOut j = json_out(&b);
    c->data = &j;
    json_begin(&j, '{');
    ErrCode rc = s->run(c, args);
    json_end(&j, '}');
    c->data = NULL;
    if (rc != OK)
        return rc;
    if (b.failed)
        return err_set(c->err, ERR_NO_MEMORY, "no memory for the result");
    if (b.len > STEP_DATA_MAX)
        return err_set(c->err, ERR_LIMIT_OUTPUT, "%zu bytes of result data, the limit is %d", b.len,
                       STEP_DATA_MAX);
    *out_data = buf_str(&b);
    return OK;
}

ErrCode step_run(const Step *s, StepCtx *c, Str params, Str *out_data)
{
    assert(c->arena != NULL && c->err != NULL);
    void *args = NULL;
    if (s->run == NULL)
        return err_set(c->err, ERR_INTERNAL, "%s cannot run in this process", s->name);
    ErrCode rc = read_args(s, c, params, &args);
    if (rc == OK)
        rc = run_with_data(s, c, args, out_data);
    if (rc != OK && c->err->code != rc) /* a library's failure that nobody put into words */
        err_set(c->err, rc, "%s", err_meaning(rc));
    return rc;
}

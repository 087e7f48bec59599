#include "api/definition.h"
#include "hook/trigger.h"
#include "base/fd.h"

#include <unistd.h>

enum { TREE_MAX = 16 * 1024 * 1024, CALLS_MAX = 256 };

/* Pipelines that the checked one calls, held until it is checked. */
typedef struct Callees {
    DbConn *reader;
    int64_t project;
    PipelineHeld *held[CALLS_MAX];
    size_t len;
} Callees;

static bool find_callee(void *ctx, Str name, const Pipeline **out)
{
    Callees *c = ctx;
    if (c->len == CALLS_MAX ||
        flow_pipeline_hold(c->reader, c->project, name, 0, &c->held[c->len], NULL) != OK)
        return false;
    *out = flow_pipeline_of(c->held[c->len++]);
    return true;
}

static ErrCode add_fault(PipelineFaults *faults, Str path, int line, Str detail, Err *err)
{
    if (faults->len < PIPELINE_FAULTS_MAX)
        faults->items[faults->len++] = (PipelineFault){path, line, detail};
    return err_set(err, ERR_BAD_PIPELINE, STR_FMT "%s" STR_FMT, STR_ARG(path),
                   path.len > 0 ? ": " : "", STR_ARG(detail));
}

/* "line 3 …" anywhere in a message; 0: it names none. */
static int line_in(Str message)
{
    int64_t line = 0;
    size_t at = str_find(message, STR("line "));
    if (at == STR_NONE)
        return 0;
    Str rest = str_slice(message, at + 5, message.len);
    size_t digits = 0;
    while (digits < rest.len && rest.ptr[digits] >= '0' && rest.ptr[digits] <= '9')
        digits++;
    return str_to_i64(str_slice(rest, 0, digits), &line) && line < INT32_MAX ? (int)line : 0;
}

/* What an engine or the JSON reader says against the text is a fault of the pipeline, unless the
 * reason lies elsewhere. */
static ErrCode unreadable(ErrCode rc, Arena *a, PipelineFaults *faults, Err *err)
{
    if (err_status(rc) >= 500 || rc == ERR_CANCELED)
        return rc;
    Str detail = str_copy(a, str_from_c(err->text));
    return add_fault(faults, STR(""), line_in(detail), detail, err);
}

static ErrCode text_to_file(const App *app, Str text, int *fd, Err *err)
{
    ErrCode rc = blob_temp(app->blobs, fd, err);
    if (rc == OK)
        rc = fd_write_all(*fd, text.ptr, text.len, err);
    if (rc == OK && lseek(*fd, 0, SEEK_SET) != 0)
        rc = err_set(err, ERR_IO, "could not read the pipeline's text again");
    return rc;
}

static ErrCode read_output(const App *app, const EngineResult *r, Arena *a, const Json **whole,
                           Err *err)
{
    Str text;
    CLEANUP(fd_close) int fd = -1;
    int64_t size;
    ErrCode rc =
        blob_open(app->blobs, (Str){r->outputs[0].blob.hash, BLOB_HASH_LEN}, &fd, &size, err);
    if (rc == OK)
        rc = fd_read_file(fd, a, TREE_MAX, &text, err);
    return rc != OK ? rc : json_parse(a, text, whole, err);
}

/* The step gives {"value": …, "lines": {…}}: as a file, and as its data when that is small. */
static ErrCode read_result(const App *app, const EngineResult *r, Arena *a, const Json **tree,
                           const Json **lines, Err *err)
{
    const Json *whole = NULL;
    ErrCode rc = json_parse(a, r->data, &whole, err);
    if (rc == OK && json_get(whole, "value") == NULL && r->outputs_len > 0)
        rc = read_output(app, r, a, &whole, err);
    *tree = json_get(whole, "value");
    *lines = json_get(whole, "lines");
    if (rc == OK && *tree == NULL)
        rc = err_set(err, ERR_ENGINE_PROTOCOL, "data.yaml gave no value");
    return rc;
}

static ErrCode parse_yaml(const App *app, Str text, Arena *a, const Json **tree, const Json **lines,
                          Err *err)
{
    const Step *step = registry_find(app->registry, STR("data.yaml"));
    CLEANUP(fd_close) int fd = -1;
    ParamFaults faults = {0};
    EngineResult *result = arena_new(a, EngineResult, 1);
    if (result == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory to read the pipeline");
    if (step == NULL) {
        err_set(err, ERR_ENGINE_MISSING, "the engine that reads YAML is not installed");
        err_hint(err, "Install platen-engine-data, or write the pipeline as JSON.");
        return ERR_ENGINE_MISSING;
    }
    EngineTask task = {.step = step};
    ErrCode rc = param_check(step->params, NULL, a, &task.params, &faults, err);
    if (rc == OK)
        rc = text_to_file(app, text, &fd, err);
    if (rc != OK)
        return rc;
    const StepInput input = {.name = STR("pipeline.yaml"),
                             .type = STR("application/yaml"),
                             .fd = fd,
                             .size_bytes = (int64_t)text.len};
    task.inputs = &input;
    task.inputs_len = 1;
    rc = engine_run(app->engines, &task, a, result, err);
    return rc != OK ? rc : read_result(app, result, a, tree, lines, err);
}

static bool looks_like_json(Str text)
{
    Str trimmed = str_trim(text);
    return trimmed.len > 0 && trimmed.ptr[0] == '{';
}

/* A text in braces may be JSON or YAML: it is YAML when it is no JSON, if there is an engine that
 * reads it. */
static ErrCode parse(const App *app, Str text, Arena *a, const Json **tree, const Json **lines,
                     Err *err)
{
    ErrCode rc = ERR_BAD_JSON;
    bool braces = looks_like_json(text), yaml = registry_find(app->registry, STR("data.yaml"));
    if (braces)
        rc = json_parse(a, text, tree, err);
    if (rc == OK || (braces && !yaml))
        return rc;
    return parse_yaml(app, text, a, tree, lines, err);
}

static ErrCode check_name(const Definition *d, Str name, PipelineFaults *faults, Err *err)
{
    if (name.len == 0 || str_eq(d->pipeline.name, name))
        return OK;
    return add_fault(faults, STR("name"), 0, STR("is not the name in the path"), err);
}

ErrCode definition_read(const App *app, int64_t project, DbConn *reader, Str text, Str name,
                        Arena *a, Definition *out, PipelineFaults *faults, Err *err)
{
    const Json *tree = NULL, *lines = NULL;
    Callees *callees = arena_new(a, Callees, 1);
    *out = (Definition){.source = text};
    faults->len = 0;
    if (callees == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory to read the pipeline");
    if (text.len > PIPELINE_TEXT_MAX)
        return err_set(err, ERR_INPUT_TOO_LARGE, "the pipeline has %zu bytes, the limit is %d",
                       text.len, PIPELINE_TEXT_MAX);
    if (str_trim(text).len == 0)
        return add_fault(faults, STR(""), 0, STR("the text is empty"), err);
    ErrCode rc = parse(app, text, a, &tree, &lines, err);
    if (rc != OK)
        return unreadable(rc, a, faults, err);
    *callees = (Callees){.reader = reader, .project = project};
    const PipelineWorld world = {.registry = app->registry, .find = find_callee, .ctx = callees};
    rc = pipeline_read(tree, lines, &world, a, &out->pipeline, faults, err);
    for (size_t i = 0; i < callees->len; i++)
        flow_pipeline_release(&callees->held[i]);
    if (rc == OK)
        rc = trigger_check(&out->pipeline, lines, a, faults, err);
    if (rc == OK)
        rc = check_name(out, name, faults, err);
    Buf b = buf_init(a, TREE_MAX);
    JsonOut j = json_out(&b);
    json_put(&j, tree);
    out->json = buf_str(&b);
    if (rc == OK && b.failed)
        rc = err_set(err, ERR_INPUT_TOO_LARGE, "the pipeline is larger than %d bytes", TREE_MAX);
    return rc;
}

ErrCode definition_put(const App *app, int64_t project, int64_t key, const Definition *d,
                       int64_t base, Arena *a, PipelineInfo *out, bool *made, Err *err)
{
    const PipelineNew n = {.project = project,
                           .key = key,
                           .based = base >= 0,
                           .base = base,
                           .definition = d->json,
                           .source = d->source,
                           .name = d->pipeline.name,
                           .title = d->pipeline.title,
                           .summary = d->pipeline.summary};
    return flow_pipeline_put(app->db, &n, out, made, a, err);
}

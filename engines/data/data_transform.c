/* data.transform: reshape JSON by a jq program.
 *
 * Why     expressions of pipelines pick values; whatever needs loops, grouping or sorting is a jq
 *         program, in the sandbox, with limits.
 * Input   `value`, or a file of JSON values (JSON, or JSON Lines: the program runs on each), or
 *         neither: it runs on null.
 * Result  auto: in data.result when it is small, else a file. One result stands for itself, several
 *         are a list, none is null; `list` makes it a list always.
 * What a program can do and cannot: program.h. */
#include "data/data.h"
#include "data/program.h"
#include "base/fault.h"
#include "base/fd.h"

#include <errno.h>
#include <sys/mman.h>

enum {
    RESULT_DATA_MAX = 64 << 10,
    RESULT_BYTES_MAX = 64 << 20,
    INPUT_MAX = 256 << 20,
    PROGRAM_MAX = 64 << 10,
};

enum Format { FORMAT_AUTO, FORMAT_JSON, FORMAT_JSONL };
static const Choice format_choices[] = {
    [FORMAT_AUTO] = {"auto", "In the answer when it is small, else a JSON file."},
    [FORMAT_JSON] = {"json", "A JSON file: the one result, or a list of all."},
    [FORMAT_JSONL] = {"jsonl", "A file with one result a line."},
    {0},
};

typedef struct TransformArgs {
    Str program;
    const Json *value, *args;
    bool raw, slurp, list;
    int format;
} TransformArgs;

static const Param transform_params[] = {
    PARAM_TEXT(TransformArgs, program, .required = true, .max_len = PROGRAM_MAX,
               .example = ".items | map(.price) | add", .help = "The program, in jq's language."),
    PARAM_JSON(TransformArgs, value, .example = "{\"items\":[{\"price\":3}]}",
               .help = "What it works on, instead of a file; null when there is neither."),
    PARAM_JSON(TransformArgs, args, .example = "{\"limit\":3}",
               .help = "An object whose members the program sees as $name."),
    PARAM_BOOL(TransformArgs, slurp,
               .help = "Take all values of the input as one list, instead of one after another."),
    PARAM_BOOL(TransformArgs, list,
               .help = "Give the results as a list even when there is just one, or none."),
    PARAM_BOOL(TransformArgs, raw,
               .help = "Write texts as they are, without quotes, one a line, to a text file."),
    PARAM_CHOICE(TransformArgs, format, .choices = format_choices, .def = FORMAT_AUTO,
                 .help = "Where the results go."),
    PARAM_END,
};

static const Field transform_fields[] = {
    {"count", FIELD_TYPE_INT, "How many results the program gave."},
    {"result", FIELD_TYPE_ANY, "The result, unless it is in a file.", .optional = true,
     .nullable = true},
    {"bytes", FIELD_TYPE_INT, "Size of the file, when there is one.", .optional = true},
    {0},
};

typedef struct Results {
    StepCtx *c;
    const TransformArgs *args;
    Buf text; /* all results, one a line */
    int64_t count;
} Results;

static ErrCode add_result(void *ctx, const ProgramResult *r)
{
    Results *all = ctx;
    buf_add(&all->text, all->args->raw && r->is_text ? r->text : r->json);
    buf_add_char(&all->text, '\n');
    all->count++;
    if (!all->text.failed)
        return OK;
    err_set(all->c->err, ERR_LIMIT_OUTPUT, "the results are larger than %d MiB",
            RESULT_BYTES_MAX >> 20);
    return ERR_LIMIT_OUTPUT;
}

static void unmap(Str *s)
{
    if (s->ptr != NULL)
        munmap((void *)(uintptr_t)s->ptr, s->len);
}

static ErrCode map_file(StepCtx *c, Str *out)
{
    int64_t size = fd_size(c->input_fd);
    if (size < 0)
        return err_set(c->err, ERR_IO, "could not read the input's size");
    if (size == 0)
        return err_set(c->err, ERR_INPUT_EMPTY, "the input has no bytes");
    if (size > INPUT_MAX)
        return err_set(c->err, ERR_INPUT_TOO_LARGE, "%" PRId64 " bytes, the limit is %d", size,
                       INPUT_MAX);
    void *p = fault_hit("transform.map")
                  ? (errno = EIO, MAP_FAILED)
                  : mmap(NULL, (size_t)size, PROT_READ, MAP_PRIVATE, c->input_fd, 0);
    if (p == MAP_FAILED)
        return err_set_errno(c->err, ERR_IO, errno, "could not map the input");
    *out = (Str){p, (size_t)size};
    return OK;
}

static ErrCode value_as_text(StepCtx *c, const Json *value, Str *out)
{
    Buf b = buf_init(c->arena, 4 * MIB);
    JsonOut j = json_out(&b);
    json_put(&j, value);
    *out = buf_str(&b);
    return b.failed ? err_set(c->err, ERR_LIMIT_MEMORY, "no memory for the value") : OK;
}

static ErrCode check_args(StepCtx *c, const TransformArgs *a)
{
    const char *param = NULL;
    if (a->value != NULL && c->inputs_len > 0) {
        param = "value";
        err_set(c->err, ERR_BAD_PARAM, "a file and a value were given, which is it?");
    } else if (a->args != NULL && a->args->type != JSON_OBJECT) {
        param = "args";
        err_set(c->err, ERR_BAD_PARAM, "must be an object");
    }
    if (param == NULL)
        return OK;
    err_param(c->err, param);
    return ERR_BAD_PARAM;
}

/* The lines as one JSON value. */
static Str as_value(const Results *r, bool list)
{
    if (r->count == 1 && !list)
        return str_trim(buf_str(&r->text));
    if (r->count == 0)
        return list ? STR("[]") : STR("null");
    Buf b = buf_init(r->c->arena, r->text.len + 2);
    Str rest = buf_str(&r->text), line;
    buf_add_char(&b, '[');
    while (str_next(&rest, '\n', &line) && line.len > 0) {
        if (b.len > 1)
            buf_add_char(&b, ',');
        buf_add(&b, line);
    }
    buf_add_char(&b, ']');
    return b.failed ? (Str){0} : buf_str(&b);
}

static ErrCode give_file(Results *r, Str name, Str type, Str bytes)
{
    json_kv_int(r->c->data, "bytes", (int64_t)bytes.len);
    return step_output_bytes(r->c, name, type, bytes);
}

static ErrCode give_results(Results *r)
{
    const TransformArgs *a = r->args;
    json_kv_int(r->c->data, "count", r->count);
    if (a->raw)
        return give_file(r, STR("result.txt"), STR("text/plain"), buf_str(&r->text));
    if (a->format == FORMAT_JSONL)
        return give_file(r, STR("result.jsonl"), STR("application/jsonl"), buf_str(&r->text));
    Str value = as_value(r, a->list);
    if (value.ptr == NULL)
        return err_set(r->c->err, ERR_LIMIT_MEMORY, "no memory for the list of results");
    if (a->format == FORMAT_JSON || value.len > RESULT_DATA_MAX)
        return give_file(r, STR("result.json"), STR("application/json"), value);
    json_kv_raw(r->c->data, "result", value);
    return OK;
}

static ErrCode transform_run(StepCtx *c, const void *args)
{
    const TransformArgs *a = args;
    CLEANUP(unmap) Str mapped = {0};
    ErrCode rc = check_args(c, a);
    ProgramJob job = {
        .c = c, .source = a->program, .names = a->args, .slurp = a->slurp, .result = add_result};
    if (rc == OK && c->inputs_len > 0) {
        rc = map_file(c, &mapped);
        job.input = mapped;
    } else if (rc == OK && a->value != NULL) {
        rc = value_as_text(c, a->value, &job.input);
    }
    if (rc != OK)
        return rc;
    Results results = {.c = c, .args = a, .text = buf_init(c->arena, RESULT_BYTES_MAX)};
    job.ctx = &results;
    rc = program_run(&job);
    return rc == OK ? give_results(&results) : rc;
}

const Step step_data_transform = {
    .name = "data.transform",
    .title = "Transform JSON",
    .summary = "Reshape JSON values by a jq program: pick, group, sort, count, rename.",
    .since = "0.2",
    .accepts = "application/json,application/jsonl,application/x-ndjson,application/x-jsonlines,"
               "text/plain,application/octet-stream",
    .returns = "application/json,application/jsonl,text/plain",
    .input_optional = true,
    .version = 1,
    .cacheable = true,
    .limits = {.time_ms = 60 * 1000, .cpu_ms = 20 * 1000, .memory_bytes = (int64_t)512 << 20},
    .params = transform_params,
    .args_size = sizeof(TransformArgs),
    .data = transform_fields,
    .errors = (const ErrCode[]){ERR_BAD_PARAM, ERR_TRANSFORM_FAILED, ERR_INPUT_EMPTY,
                                ERR_INPUT_DAMAGED, ERR_INPUT_TOO_LARGE, ERR_LIMIT_DEPTH, OK},
    .examples =
        (const Example[]){
            {.title = "Add up prices",
             .args = "{\"program\": \"map(.price * .count) | add\", "
                     "\"value\": [{\"price\": 3, \"count\": 2}, {\"price\": 5, \"count\": 1}]}",
             .expect = "result=11"},
            {.title = "Orders by country, most first",
             .input = "orders.jsonl",
             .args = "{\"program\": \"group_by(.country) | map({country: .[0].country, orders: "
                     "length}) | sort_by(-.orders)\", \"slurp\": true, \"format\": \"json\"}",
             .expect = "application/json; count=1"},
            {.title = "Names as lines of text",
             .input = "orders.jsonl",
             .args = "{\"program\": \"select(.total > $least) | .customer\", "
                     "\"args\": {\"least\": 100}, \"raw\": true}",
             .expect = "text/plain; count=2"},
            {0}},
    .run = transform_run,
};

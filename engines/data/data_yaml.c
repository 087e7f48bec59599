/* data.yaml: YAML as JSON, and in which line everything stands.
 *
 * Why     people write pipelines as YAML, and the server parses nothing but JSON: what reads YAML
 *         runs here, in the sandbox.
 * Result  tree.json: {"value": …, "lines": {"/steps/text/with": 12, …}}; the same two fields are in
 *         data when they are at most DATA_MAX bytes together.
 * What is read, and what is refused: tree.h. */
#include "data/data.h"
#include "data/tree.h"
#include "base/fd.h"

enum { JSON_MAX = 32 << 20, DATA_MAX = 64 << 10 };

typedef struct YamlArgs {
    Str text;
} YamlArgs;

static const Param yaml_params[] = {
    PARAM_TEXT(YamlArgs, text, .max_len = TREE_TEXT_MAX, .example = "name: photos",
               .help = "The YAML itself, instead of a file."),
    PARAM_END,
};

static const Field yaml_fields[] = {
    {"values", FIELD_TYPE_INT, "How many values there are, aliases followed."},
    {"all_lines", FIELD_TYPE_BOOL, "False when there were too many to give the line of each."},
    {"value", FIELD_TYPE_ANY, "What the YAML says, when it is small; it is in tree.json too.",
     .optional = true, .nullable = true},
    {"lines", FIELD_TYPE_OBJECT, "The line of each key and item by its path, when they are few.",
     .optional = true},
    {0},
};

static ErrCode take_text(StepCtx *c, const YamlArgs *a, Str *out)
{
    if (a->text.len > 0 && c->inputs_len > 0) {
        err_set(c->err, ERR_BAD_PARAM, "a file and text were given, which is it?");
        err_param(c->err, "text");
        return ERR_BAD_PARAM;
    }
    *out = a->text;
    if (c->inputs_len > 0) {
        ErrCode rc = fd_read_file(c->input_fd, c->arena, TREE_TEXT_MAX, out, c->err);
        if (rc != OK)
            return rc;
    } else if (out->len == 0) {
        return err_set(c->err, ERR_INPUT_MISSING, "there is neither a file nor text");
    }
    return out->len > 0 ? OK : err_set(c->err, ERR_INPUT_EMPTY, "the input has no bytes");
}

static ErrCode yaml_run(StepCtx *c, const void *args)
{
    const TreeNode *root = NULL;
    int line = 0;
    Str text;
    ErrCode rc = take_text(c, args, &text);
    if (rc == OK)
        rc = tree_read(c->arena, text, &root, &line, c->err);
    if (rc != OK)
        return rc;
    Buf b = buf_init(c->arena, JSON_MAX);
    JsonOut j = json_out(&b);
    json_begin(&j, '{');
    json_key(&j, "value");
    tree_put(&j, root);
    json_key(&j, "lines");
    bool all = tree_put_lines(&j, c->arena, root, line);
    json_end(&j, '}');
    if (b.failed)
        return err_set(c->err, ERR_LIMIT_MEMORY, "the JSON needs more memory than is allowed");
    json_kv_int(c->data, "values", root->values);
    json_kv_bool(c->data, "all_lines", all);
    if (b.len <= DATA_MAX) {
        /* The members of the file, as they are. */
        buf_add(c->data->buf, STR(","));
        buf_add(c->data->buf, str_slice(buf_str(&b), 1, b.len - 1));
    }
    return step_output_bytes(c, STR("tree.json"), STR("application/json"), buf_str(&b));
}

const Step step_data_yaml = {
    .name = "data.yaml",
    .title = "Read YAML",
    .summary = "Read YAML as JSON, with the line in which each key and item stands.",
    .since = "0.2",
    .accepts = "application/yaml,application/x-yaml,text/yaml,text/x-yaml,text/plain,"
               "application/json,application/octet-stream",
    .returns = "application/json",
    .input_optional = true,
    .version = 1,
    .cacheable = true,
    .internal = true,
    .limits = {.time_ms = 10 * 1000, .cpu_ms = 5 * 1000, .memory_bytes = (int64_t)256 << 20},
    .params = yaml_params,
    .args_size = sizeof(YamlArgs),
    .data = yaml_fields,
    .errors = (const ErrCode[]){ERR_BAD_PARAM, ERR_BAD_YAML, ERR_INPUT_MISSING, ERR_INPUT_EMPTY,
                                ERR_INPUT_TOO_LARGE, ERR_LIMIT_RATIO, ERR_LIMIT_DEPTH,
                                ERR_LIMIT_COUNT, OK},
    .run = yaml_run,
};

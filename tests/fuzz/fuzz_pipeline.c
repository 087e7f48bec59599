/* Any JSON as a pipeline, against a few steps, then against itself: no crash, no hang; what is
 * accepted keeps the promises of pipeline.h. */
#include "core/pipeline.h"

#include <stdlib.h>

typedef struct Args {
    int64_t width;
    Str title, password;
} Args;

static const Param params[] = {
    PARAM_INT(Args, width, .min = 1, .max = 9, .help = "The width."),
    PARAM_TEXT(Args, title, .help = "The title."),
    PARAM_TEXT(Args, password, .secret = true, .help = "The password."),
    PARAM_END,
};
static const Field data[] = {
    {"text", FIELD_TYPE_TEXT, "A value."}, {"list", FIELD_TYPE_LIST, "A value."}, {0}};
static const Example examples[] = {{.title = "T", .expect = "a/b"}, {0}};
static const Step with_file = {.name = "a.file",
                               .title = "F",
                               .summary = "S.",
                               .accepts = "*/*",
                               .returns = "image/*,text/plain",
                               .params = params,
                               .args_size = sizeof(Args),
                               .examples = examples};
static const Step without = {.name = "a.text",
                             .title = "T",
                             .summary = "S.",
                             .params = params,
                             .data = data,
                             .args_size = sizeof(Args),
                             .examples = examples};

static bool find(void *ctx, Str name, const Pipeline **out)
{
    *out = ctx;
    return name.len % 2 == 0;
}

static void check_order(const Pipeline *p)
{
    for (size_t i = 0; i < p->nodes_len; i++)
        for (size_t k = 0; k < p->nodes[i].needs_len; k++)
            if (p->nodes[i].needs[k] >= (int)i)
                abort();
}

static void check(const Json *tree, const Registry *steps, Arena *a)
{
    Pipeline p, again;
    PipelineFaults faults;
    Err err = {0};
    PipelineWorld w = {.registry = steps};
    ErrCode rc = pipeline_read(tree, tree, &w, a, &p, &faults, &err);
    if (rc == ERR_BAD_PIPELINE && (faults.len == 0 || err.text[0] == 0))
        abort();
    if (rc != OK)
        return;
    check_order(&p);
    w = (PipelineWorld){.registry = steps, .find = find, .ctx = &p};
    rc = pipeline_read(tree, NULL, &w, a, &again, &faults, &err);
    w = (PipelineWorld){.registry = steps, .stored = true};
    rc = pipeline_read(tree, NULL, &w, a, &again, &faults, &err);
    if (rc == ERR_BAD_PIPELINE) /* what was accepted once is read again */
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    CLEANUP(arena_close) Arena *a = arena_open(64 * MIB);
    Err err = {0};
    const Json *tree;
    Registry *steps = registry_open(a);
    if (registry_add(steps, &with_file, &err) != OK || registry_add(steps, &without, &err) != OK)
        abort();
    if (json_parse(a, (Str){(const char *)bytes, size}, &tree, &err) != OK)
        return 0;
    check(tree, steps, a);
    Buf b = buf_init(a, 16 * MIB);
    JsonOut j = json_out(&b);
    pipeline_put_diff(tree, tree, &j);
    if (!b.failed && !str_eq(buf_str(&b), STR("[]")))
        abort();
    return 0;
}

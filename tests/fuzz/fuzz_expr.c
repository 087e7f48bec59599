/* Expressions: a template on the first line, JSON of its scope after it. What parses is evaluated,
 * twice: with little memory it has the same value or none. */
#include "core/expr.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static Str print(Arena *a, const Json *j)
{
    Buf b = buf_init(a, 256 * MIB);
    JsonOut out = json_out(&b);
    json_put(&out, j);
    if (b.failed)
        abort();
    return buf_str(&b);
}

static void check_ref(void *ctx, const Str *path, size_t len)
{
    (void)ctx;
    if (len == 0 || path[0].len == 0)
        abort();
}

static void evaluate(const Template *t, const Json *scope, size_t ceiling)
{
    CLEANUP(arena_close) Arena *a = arena_open(512 * MIB);
    CLEANUP(arena_close) Arena *little = arena_open(ceiling);
    Err err = {0};
    const Json *back = NULL;
    const Json *value = template_eval(t, scope, a), *again = template_eval(t, scope, little);
    template_each_ref(t, check_ref, NULL);
    if (value == NULL)
        return;
    Str text = print(a, value);
    if (json_parse(a, text, &back, &err) != OK && err.code != ERR_NO_MEMORY)
        abort();
    if (again != NULL && !str_eq(print(a, again), text))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_close) Arena *a = arena_open(64 * MIB);
    char *copy = malloc(size);
    memcpy(copy, data, size);
    Str rest = {copy, size}, source;
    Err err = {0};
    const Json *scope = NULL;
    const Template *t = NULL;
    if (str_next(&rest, '\n', &source) && str_is_utf8(source)) {
        Json text = {.type = JSON_TEXT, .text = source};
        if (json_parse(a, rest, &scope, &err) != OK)
            scope = NULL;
        ErrCode rc = template_parse(a, &text, &t, &err);
        if (rc == OK)
            evaluate(t, scope, size * 16);
        else if (rc != ERR_BAD_EXPRESSION || err.text[0] == 0)
            abort();
    }
    free(copy);
    return 0;
}

/* fuzz_transform: the first byte picks a program, the rest is its input. Every result is JSON that
 * our own reader takes. (Programs of any bytes would not end.) */
#include "data/program.h"

#include <stdlib.h>

static const char *const programs[] = {
    ".",
    "..",
    "tojson | fromjson",
    "[., input]",
    "map(.)?",
    "tostream",
    "paths",
    "[.. | scalars] | sort | unique | group_by(type)",
    "tostring | explode | implode | @base64 | @base64d",
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static ErrCode check(void *ctx, const ProgramResult *r)
{
    const Json *doc = NULL;
    ArenaMark m = arena_mark(ctx);
    if (json_parse(ctx, r->json, &doc, NULL) != OK)
        abort();
    arena_rewind(ctx, m);
    return OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static Arena *arena;
    if (arena == NULL)
        arena = arena_open(256 * MIB);
    if (size < 1)
        return 0;
    arena_recycle(arena);
    Err err = {0};
    StepCtx c = {.arena = arena, .err = &err, .input_fd = -1};
    ErrCode rc =
        program_run(&(ProgramJob){.c = &c,
                                  .source = str_from_c(programs[data[0] % COUNT_OF(programs)]),
                                  .input = {(const char *)data + 1, size - 1},
                                  .slurp = data[0] >= 128,
                                  .result = check,
                                  .ctx = arena});
    if (rc != OK && err.text[0] == 0)
        abort();
    return 0;
}

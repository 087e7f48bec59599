#include "kit/task_in.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { DESCRIBE_MAX = 16 * 1024 * 1024 };

static int describe(const KitEngine *engine)
{
    CLEANUP(arena_close) Arena *a = arena_open(DESCRIBE_MAX);
    if (a == NULL)
        return 1;
    Buf b = buf_init(a, DESCRIBE_MAX);
    JsonOut j = json_out(&b);
    json_begin(&j, '{');
    json_kv_int(&j, "platen", KIT_PROTOCOL);
    json_kv_c(&j, "engine", engine->name);
    json_kv_c(&j, "version", engine->version);
    json_kv_bool(&j, "warm", true);
    json_key(&j, "steps");
    json_begin(&j, '[');
    for (const Step *const *s = engine->steps; *s != NULL; s++)
        step_put_json(*s, &j);
    json_end(&j, ']');
    json_end(&j, '}');
    buf_add_char(&b, '\n');
    if (b.failed || fwrite(b.ptr, 1, b.len, stdout) != b.len || fflush(stdout) != 0)
        return 1;
    return 0;
}

static int usage(const KitEngine *engine, FILE *to)
{
    fprintf(to,
            "platen-engine-%s %s: an engine of platen\n"
            "  --describe   print the steps as JSON\n"
            "  --run STEP [PARAMS] [FILE…] [-o DIR] [--type MEDIA/TYPE] [--no-sandbox]\n"
            "               run one step and print its messages\n"
            "  --warm       speak the protocol on descriptor 3 (for the server)\n"
            "Steps:\n",
            engine->name, engine->version);
    for (const Step *const *s = engine->steps; *s != NULL; s++)
        fprintf(to, "  %-24s %s\n", (*s)->name, (*s)->summary);
    return to == stdout ? 0 : 2;
}

int kit_main(int argc, char **argv, const KitEngine *engine)
{
    const char *mode = argc > 1 ? argv[1] : "";
    if (strcmp(mode, "--describe") == 0)
        return describe(engine);
    if (strcmp(mode, "--warm") == 0)
        return warm_serve(engine);
    if (strcmp(mode, "--run") == 0 && argc > 2)
        return desk_run(engine, argc - 2, argv + 2);
    return usage(engine, strcmp(mode, "--help") == 0 ? stdout : stderr);
}

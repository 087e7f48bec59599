/* platen steps: the registry, and one contract. */
#include "cli/session.h"
#include "api/app.h"

#include <stdio.h>

typedef struct StepsArgs {
    bool json, names, internal;
} StepsArgs;

static const Param steps_params[] = {
    PARAM_BOOL(StepsArgs, json, .help = "Print contracts as JSON."),
    PARAM_BOOL(StepsArgs, names, .help = "Print names only, one a line."),
    PARAM_BOOL(StepsArgs, internal, .help = "Also steps made for tests and benchmarks."),
    PARAM_END,
};

static void print_all_json(const Registry *r, bool internal, Buf *b)
{
    JsonOut j = json_out(b);
    json_begin(&j, '{');
    json_key(&j, "steps");
    json_begin(&j, '[');
    for (size_t i = 0; i < registry_count(r); i++)
        if (internal || !registry_at(r, i)->internal)
            step_put_json(registry_at(r, i), &j);
    json_end(&j, ']');
    json_end(&j, '}');
    buf_add_char(b, '\n');
}

static void print_names(const Registry *r, bool internal, Buf *b)
{
    for (size_t i = 0; i < registry_count(r); i++)
        if (internal || !registry_at(r, i)->internal)
            buf_addf(b, "%s\n", registry_at(r, i)->name);
}

static int run(Cli *cli, const void *raw, const Str *operands, size_t len)
{
    const StepsArgs *args = raw;
    Err err = {0};
    CLEANUP(arena_close) Arena *a = arena_open(64 * MIB);
    Registry *r = NULL;
    Buf b = buf_init(cli->arena, 16 * MIB);
    const HelpLook look = cli_help_look();
    if (a == NULL || app_registry(NULL, a, &r, &err) != OK)
        return term_fail(&err);
    if (len == 0) {
        if (args->json)
            print_all_json(r, args->internal, &b);
        else if (args->names)
            print_names(r, args->internal, &b);
        else
            help_steps(r, args->internal, &look, &b);
    }
    for (size_t i = 0; i < len; i++) {
        const Step *step = registry_find(r, operands[i]);
        if (step == NULL) {
            const Step *near = registry_nearest(r, operands[i]);
            err_set(&err, ERR_UNKNOWN_STEP, "there is no step \"" STR_FMT "\"",
                    STR_ARG(operands[i]));
            if (near != NULL)
                err_hint(&err, "Did you mean %s? `platen steps` lists them all.", near->name);
            term_error(&err);
            return EXIT_USAGE;
        }
        JsonOut j = json_out(&b);
        if (args->json) {
            step_put_json(step, &j);
            buf_add_char(&b, '\n');
        } else {
            help_step(step, &look, &b);
        }
    }
    fputs(buf_c(&b), stdout);
    return EXIT_DONE;
}

const Command command_steps = {
    .name = "steps",
    .operands = "[STEP…]",
    .summary = "List everything platen can do, or show one step's contract.",
    .params = steps_params,
    .args_size = sizeof(StepsArgs),
    .examples = (const char *const[]){"platen steps", "platen steps image.convert",
                                      "platen steps --json", NULL},
    .run = run,
};

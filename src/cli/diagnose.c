/* platen diagnose: why a job is as it is. */
#include "cli/target.h"

#include <stdio.h>
#include <unistd.h>

typedef struct DiagnoseArgs {
    bool json;
    TargetArgs target;
} DiagnoseArgs;

static const Param diagnose_params[] = {
    PARAM_BOOL(DiagnoseArgs, json, .help = "Print the server's JSON."),
    TARGET_PARAMS(DiagnoseArgs),
    PARAM_END,
};

static void print_line(const char *name, Str value)
{
    if (value.len > 0)
        printf("%-9s " STR_FMT "\n", name, STR_ARG(value));
}

static void print_timeline(Cli *cli, const Json *timeline)
{
    const char *dim = term_style(STDOUT_FILENO, TERM_DIM),
               *plain = term_style(STDOUT_FILENO, TERM_PLAIN);
    json_each(e, timeline) {
        Str time = json_text(json_get(e, "time")), type = json_text(json_get(e, "type"));
        Str after = term_duration(cli->arena, json_int(json_get(e, "after_ms"), 0));
        const Json *data = json_get(e, "data");
        Str reason = json_text(json_get(data, "reason")),
            detail = json_text(json_get(data, "detail"));
        Str note = json_text(json_get(data, "note")), node = json_text(json_get(data, "step"));
        time = str_slice(time, 11, 23);
        printf("  %s" STR_FMT " +%-9.*s%s %-14.*s", dim, STR_ARG(time), STR_ARG(after), plain,
               STR_ARG(type));
        printf(STR_FMT "%s" STR_FMT "%s" STR_FMT STR_FMT "\n", STR_ARG(node),
               node.len > 0 && reason.len > 0 ? "  " : "", STR_ARG(reason),
               reason.len > 0 ? ": " : "", STR_ARG(detail), STR_ARG(note));
    }
}

static void print(Cli *cli, const Json *d)
{
    Str state = json_text(json_get(d, "state")), verdict = json_text(json_get(d, "verdict"));
    Str job = json_text(json_get(d, "job")), step = json_text(json_get(d, "pipeline"));
    if (step.len == 0)
        step = json_text(json_get(d, "step"));
    bool bad = str_eq_c(state, "failed");
    printf(STR_FMT "  " STR_FMT "  %s" STR_FMT "%s\n\n", STR_ARG(job), STR_ARG(step),
           term_style(STDOUT_FILENO, bad ? TERM_RED : TERM_GREEN), STR_ARG(state),
           term_style(STDOUT_FILENO, TERM_PLAIN));
    print_line("verdict", verdict);
    print_line("reason", json_text(json_get(d, "reason")));
    print_line("detail", json_text(json_get(d, "detail")));
    print_line("meaning", json_text(json_get(d, "meaning")));
    print_line("what now", json_text(json_get(d, "remedy")));
    const Json *cause = json_get(d, "cause");
    if (cause != NULL) {
        Str type = json_text(json_get(cause, "type"));
        printf("%-9s event %" PRId64 ", " STR_FMT "\n", "cause",
               json_int(json_get(cause, "seq"), 0), STR_ARG(type));
    }
    Str waited = term_duration(cli->arena, json_int(json_get(d, "waited_ms"), 0));
    Str ran = term_duration(cli->arena, json_int(json_get(d, "ran_ms"), 0));
    printf("%-9s waited " STR_FMT ", ran " STR_FMT ", attempt %" PRId64 " of %" PRId64 "\n",
           "times", STR_ARG(waited), STR_ARG(ran), json_int(json_get(d, "attempts"), 0),
           json_int(json_get(d, "max_attempts"), 0));
    print_line("trace", json_text(json_get(d, "trace")));
    printf("\n");
    print_timeline(cli, json_get(d, "timeline"));
    Str node = json_text(json_get(d, "node"));
    if (node.len > 0)
        printf("\n%sstep " STR_FMT "%s failed first%s\n", term_style(STDOUT_FILENO, TERM_BOLD),
               STR_ARG(node), term_style(STDOUT_FILENO, TERM_PLAIN),
               json_get(d, "below") != NULL ? ":\n" : "");
}

static int run(Cli *cli, const void *raw, const Str *operands, size_t len)
{
    const DiagnoseArgs *args = raw;
    Err err = {0};
    if (len != 1) {
        err_set(&err, ERR_USAGE, "usage: platen diagnose JOB");
        return term_fail(&err);
    }
    CLEANUP(target_close) Target *t = NULL;
    if (target_open(cli, &args->target, &t, &err) != OK)
        return term_fail(&err);
    Buf path = buf_init(cli->arena, KIB);
    buf_add_c(&path, "/api/v1/jobs/");
    buf_add_url(&path, operands[0]);
    buf_add_c(&path, "/diagnosis");
    const Json *d = NULL;
    if (target_call(t, cli->arena, "GET", buf_str(&path), (Str){0}, &d, &err) != OK)
        return term_fail(&err);
    if (args->json)
        term_print_json(cli->arena, d);
    else
        for (; d != NULL; d = json_get(d, "below")) /* down to where it comes from */
            print(cli, d);
    return EXIT_DONE;
}

const Command command_diagnose = {
    .name = "diagnose",
    .operands = "JOB",
    .summary =
        "Say why a job is as it is: reason, meaning, what to do, and its history with times.",
    .params = diagnose_params,
    .args_size = sizeof(DiagnoseArgs),
    .examples = (const char *const[]){"platen diagnose job_0r3k5d2m9x1qz", NULL},
    .run = run,
};

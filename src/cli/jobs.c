/* platen jobs: what ran, what runs, what failed. */
#include "base/clock.h"
#include "cli/flow_in.h"

#include <unistd.h>

typedef struct JobsArgs {
    Str state, step, pipeline, queue, reason;
    int64_t limit;
    bool all, dry_run, json;
    TargetArgs target;
} JobsArgs;

static const Param jobs_params[] = {
    PARAM_TEXT(JobsArgs, state, .example = "failed",
               .help = "Only jobs in this state: queued, running, done, failed, canceled."),
    PARAM_TEXT(JobsArgs, step, .example = "document.extract", .help = "Only jobs of this step."),
    PARAM_TEXT(JobsArgs, pipeline, .example = "blog", .help = "Only jobs of this pipeline."),
    PARAM_INT(JobsArgs, limit, .min = 1, .max = 200, .def = 20,
              .help = "How many to list, newest first."),
    PARAM_TEXT(JobsArgs, queue, .example = "document",
               .help = "For cancel, retry and delete of many: only jobs of this queue."),
    PARAM_TEXT(JobsArgs, reason, .example = "limit_time",
               .help = "For retry and delete of many: only jobs that failed for this reason."),
    PARAM_BOOL(JobsArgs, all,
               .help = "For cancel, retry and delete: every job that they can change."),
    PARAM_BOOL(JobsArgs, dry_run, .help = "For cancel, retry and delete of many: only count them."),
    PARAM_BOOL(JobsArgs, json, .help = "Print the server's JSON."),
    TARGET_PARAMS(JobsArgs),
    PARAM_END,
};

static Str time_of(const Json *job, const char *field)
{
    Str t = json_text(json_get(job, field));
    return t.len >= 19 ? str_slice(t, 0, 19) : STR("-");
}

static Str input_name(const Json *job)
{
    const Json *inputs = json_get(job, "inputs");
    return inputs != NULL && inputs->first != NULL ? json_text(json_get(inputs->first, "name"))
                                                   : STR("");
}

static Str what_of(const Json *job)
{
    Str pipeline = json_text(json_get(job, "pipeline"));
    return pipeline.len > 0 ? pipeline : json_text(json_get(job, "step"));
}

static int list(Cli *cli, Target *t, const JobsArgs *args)
{
    static const char *const titles[] = {"JOB",      "STEP",   "STATE", "CREATED (UTC)",
                                         "ATTEMPTS", "REASON", NULL};
    Err err = {0};
    Buf path = buf_init(cli->arena, 4 * KIB);
    buf_addf(&path, "/api/v1/jobs?limit=%" PRId64, args->limit);
    if (args->state.len > 0) {
        buf_add_c(&path, "&state=");
        buf_add_url(&path, args->state);
    }
    if (args->step.len > 0) {
        buf_add_c(&path, "&step=");
        buf_add_url(&path, args->step);
    }
    if (args->pipeline.len > 0) {
        buf_add_c(&path, "&pipeline=");
        buf_add_url(&path, args->pipeline);
    }
    const Json *page = NULL;
    if (target_call(t, cli->arena, "GET", buf_str(&path), (Str){0}, &page, &err) != OK)
        return term_fail(&err);
    if (args->json) {
        term_print_json(cli->arena, page);
        return EXIT_DONE;
    }
    TermTable table = term_table(cli->arena, titles);
    json_each(job, json_get(page, "jobs"))
        term_table_row(&table,
                       (const Str[]){json_text(json_get(job, "id")), what_of(job),
                                     json_text(json_get(job, "state")), time_of(job, "created"),
                                     str_printf(cli->arena, "%" PRId64,
                                                json_int(json_get(job, "attempts"), 0)),
                                     json_text(json_get(job, "reason"))});
    if (table.rows == 0)
        printf("No jobs yet. Start one: platen run document.extract FILE --server URL\n");
    else
        term_table_print(&table);
    return EXIT_DONE;
}

static void print_field(const char *name, Str value)
{
    if (value.len > 0)
        printf("%-10s " STR_FMT "\n", name, STR_ARG(value));
}

static void print_files(Cli *cli, const char *title, const Json *files)
{
    json_each(f, files) {
        Str name = json_text(json_get(f, "name")), type = json_text(json_get(f, "type"));
        Str size = term_bytes(cli->arena, json_int(json_get(f, "bytes"), 0));
        printf("%-10s " STR_FMT "  " STR_FMT "  " STR_FMT "\n", title, STR_ARG(name), STR_ARG(type),
               STR_ARG(size));
    }
}

static void print_job(Cli *cli, const Json *job)
{
    print_field("job", json_text(json_get(job, "id")));
    print_field("pipeline", json_text(json_get(job, "pipeline")));
    if (json_get(job, "pipeline") == NULL)
        print_field("step", json_text(json_get(job, "step")));
    print_field("state", json_text(json_get(job, "state")));
    print_field("input", input_name(job));
    print_field("created", json_text(json_get(job, "created")));
    print_field("started", json_text(json_get(job, "started")));
    print_field("finished", json_text(json_get(job, "finished")));
    print_field("reason", json_text(json_get(job, "reason")));
    print_field("detail", json_text(json_get(job, "detail")));
    print_field("hint", json_text(json_get(job, "hint")));
    print_files(cli, "output", json_get(job, "outputs"));
}

/* The nodes of a pipeline's job, as `flow run --follow` draws them. */
static ErrCode print_nodes(Cli *cli, Target *t, Str id, Err *err)
{
    const Json *answer = NULL;
    Buf path = buf_init(cli->arena, KIB);
    buf_add_c(&path, "/api/v1/jobs/");
    buf_add_url(&path, id);
    buf_add_c(&path, "/nodes?deep=true");
    ErrCode rc = target_call(t, cli->arena, "GET", buf_str(&path), (Str){0}, &answer, err);
    if (rc != OK)
        return rc;
    FlowTree tree = flow_tree(cli->arena, json_get(answer, "nodes"), STDOUT_FILENO,
                              term_is_tty(STDOUT_FILENO) ? term_width() : 0, clock_now_ms());
    printf("\n");
    for (size_t i = 0; i < tree.len; i++)
        printf(STR_FMT "\n", STR_ARG(tree.lines[i]));
    return OK;
}

static int one(Cli *cli, Target *t, const JobsArgs *args, Str verb, Str id)
{
    Err err = {0};
    const Json *job = NULL;
    bool reads = str_eq_c(verb, "show");
    Buf path = buf_init(cli->arena, KIB);
    buf_add_c(&path, "/api/v1/jobs/");
    buf_add_url(&path, id);
    if (!reads) {
        buf_add_char(&path, '/');
        buf_add(&path, verb);
    }
    if (target_call(t, cli->arena, reads ? "GET" : "POST", buf_str(&path), (Str){0}, &job, &err) !=
        OK)
        return term_fail(&err);
    if (args->json)
        term_print_json(cli->arena, job);
    else
        print_job(cli, job);
    if (!args->json && json_get(job, "pipeline") != NULL && print_nodes(cli, t, id, &err) != OK)
        return term_fail(&err);
    return EXIT_DONE;
}

/* The jobs that the flags name. */
static int many(Cli *cli, Target *t, const JobsArgs *args, Str verb)
{
    Err err = {0};
    const Json *answer = NULL;
    Buf body = buf_init(cli->arena, 4 * KIB);
    JsonOut j = json_out(&body);
    Str path = str_printf(cli->arena, "/api/v1/jobs/" STR_FMT, STR_ARG(verb));
    json_begin(&j, '{');
    if (args->state.len > 0)
        json_kv_str(&j, "state", args->state);
    if (args->step.len > 0)
        json_kv_str(&j, "step", args->step);
    if (args->queue.len > 0)
        json_kv_str(&j, "queue", args->queue);
    if (args->reason.len > 0)
        json_kv_str(&j, "reason", args->reason);
    json_kv_bool(&j, "dry_run", args->dry_run);
    json_end(&j, '}');
    if (target_call(t, cli->arena, "POST", path, buf_str(&body), &answer, &err) != OK)
        return term_fail(&err);
    if (args->json)
        term_print_json(cli->arena, answer);
    else
        printf("%" PRId64 " %s\n", json_int(json_get(answer, "count"), 0),
               args->dry_run ? "jobs would change" : "jobs changed");
    return EXIT_DONE;
}

static bool names_many(const JobsArgs *args)
{
    return args->all || args->state.len > 0 || args->step.len > 0 || args->queue.len > 0 ||
           args->reason.len > 0;
}

static int run(Cli *cli, const void *raw, const Str *operands, size_t len)
{
    const JobsArgs *args = raw;
    Err err = {0};
    Str verb = len > 0 ? operands[0] : STR("list");
    bool lists = str_eq_c(verb, "list") && len <= 1, shows = str_eq_c(verb, "show");
    bool changes = str_eq_c(verb, "cancel") || str_eq_c(verb, "retry");
    bool of_many = len == 1 && names_many(args) && (changes || str_eq_c(verb, "delete"));
    if (!lists && !of_many && !(len == 2 && (shows || changes))) {
        err_set(&err, ERR_USAGE,
                "usage: platen jobs list | show JOB | cancel JOB | retry JOB; or cancel, retry, "
                "delete with --state, --step, --queue, --reason or --all");
        return term_fail(&err);
    }
    CLEANUP(target_close) Target *t = NULL;
    if (target_open(cli, &args->target, &t, &err) != OK)
        return term_fail(&err);
    return lists     ? list(cli, t, args)
           : of_many ? many(cli, t, args, verb)
                     : one(cli, t, args, verb, operands[1]);
}

const Command command_jobs = {
    .name = "jobs",
    .operands = "list | show JOB | cancel JOB | retry JOB | cancel, retry or delete of many",
    .summary = "List jobs, show one, cancel it, run it again; or many of them.",
    .params = jobs_params,
    .args_size = sizeof(JobsArgs),
    .examples = (const char *const[]){"platen jobs list --state failed",
                                      "platen jobs retry job_0r3k5d2m9x1qz",
                                      "platen jobs retry --state failed --reason limit_time", NULL},
    .run = run,
};

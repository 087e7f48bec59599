/* flow_job.c: what people do to a pipeline's job while it waits or runs. */
#include "cli/flow_in.h"

static int post(Flow *f, Str path, Str body, const char *done, Str what)
{
    Err err = {0};
    int status;
    const Json *job = NULL;
    if (!flow_open(f, &status))
        return status;
    if (target_call(f->target, f->cli->arena, "POST", path, body, &job, &err) != OK)
        return term_fail(&err);
    if (f->args.json)
        term_print_json(f->cli->arena, job);
    else
        printf("%s " STR_FMT "\n", done, STR_ARG(what));
    return EXIT_DONE;
}

static int approve(Flow *f, const Str *operands, size_t len)
{
    (void)len;
    Buf body = buf_init(f->cli->arena, 64 * KIB);
    JsonOut j = json_out(&body);
    json_begin(&j, '{');
    json_kv_bool(&j, "approved", !f->args.reject);
    if (f->args.comment.len > 0)
        json_kv_str(&j, "comment", f->args.comment);
    json_end(&j, '}');
    return post(f, flow_job_path(f, operands[0], "/approvals", operands[1]), buf_str(&body),
                f->args.reject ? "rejected" : "approved", operands[1]);
}

static const Param approve_params[] = {
    PARAM_BOOL(FlowArgs, reject, .help = "Reject instead."),
    PARAM_TEXT(FlowArgs, comment, .max_len = 2000, .example = "Good to go.",
               .help = "Why; kept with the job."),
    PARAM_BOOL(FlowArgs, json, .help = "Print the server's JSON."),
    TARGET_PARAMS(FlowArgs),
    PARAM_END,
};

const FlowVerb flow_approve_verb = {
    .help = {.name = "flow approve",
             .operands = "JOB STEP",
             .summary = "Approve what a job waits for, or reject it.",
             .params = approve_params,
             .examples = (const char *const[]){"platen flow approve job_0r3k5d2m9x1qz review",
                                               "platen flow approve job_0r3k5d2m9x1qz review "
                                               "--reject --comment \"too long\"",
                                               NULL}},
    .operands_min = 2,
    .operands_max = 2,
    .run = approve,
};

static int signal_job(Flow *f, const Str *operands, size_t len)
{
    return post(f, flow_job_path(f, operands[0], "/signals", operands[1]),
                len > 2 ? operands[2] : STR("{}"), "sent", operands[1]);
}

static const Param params[] = {
    PARAM_BOOL(FlowArgs, json, .help = "Print the server's JSON."),
    TARGET_PARAMS(FlowArgs),
    PARAM_END,
};

const FlowVerb flow_signal_verb = {
    .help = {.name = "flow signal",
             .operands = "JOB NAME [JSON]",
             .summary = "Send a signal to a job; it is kept until the job waits for it.",
             .params = params,
             .examples = (const char *const[]){"platen flow signal job_0r3k5d2m9x1qz paid "
                                               "'{\"amount\": 12}'",
                                               NULL}},
    .operands_min = 2,
    .operands_max = 3,
    .run = signal_job,
};

static int pause_job(Flow *f, const Str *operands, size_t len)
{
    (void)len;
    return post(f, flow_job_path(f, operands[0], "/pause", (Str){0}), STR("{}"), "paused",
                operands[0]);
}

const FlowVerb flow_pause_verb = {
    .help = {.name = "flow pause",
             .operands = "JOB",
             .summary = "Pause a job: nothing further of it begins, what runs ends.",
             .params = params,
             .examples = (const char *const[]){"platen flow pause job_0r3k5d2m9x1qz", NULL}},
    .operands_min = 1,
    .operands_max = 1,
    .run = pause_job,
};

static int resume_job(Flow *f, const Str *operands, size_t len)
{
    (void)len;
    return post(f, flow_job_path(f, operands[0], "/resume", (Str){0}), STR("{}"),
                "goes on:", operands[0]);
}

const FlowVerb flow_resume_verb = {
    .help = {.name = "flow resume",
             .operands = "JOB",
             .summary = "Let a paused job go on.",
             .params = params,
             .examples = (const char *const[]){"platen flow resume job_0r3k5d2m9x1qz", NULL}},
    .operands_min = 1,
    .operands_max = 1,
    .run = resume_job,
};

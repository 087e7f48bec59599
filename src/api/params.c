#include "api/params.h"
#include "access/access.h"

const Param wait_query_params[] = {
    PARAM_INT(WaitQuery, wait, .min = 0, .max = 60, .unit = "s", .example = "30",
              .help = "Answer when the job has ended, or after this many seconds with its state."),
    PARAM_END,
};

const Param page_query_params[] = {
    PARAM_INT(PageQuery, limit, .min = 1, .max = 200, .def = 50, .help = "Items per page."),
    PARAM_TEXT(PageQuery, cursor, .help = "The \"next\" of the page before."),
    PARAM_END,
};

static const Choice job_states[] = {
    {"any", "Every state."},
    {"queued", "Waits for a worker or its time."},
    {"running", "Runs now."},
    {"done", "Ended with a result."},
    {"failed", "Ended without one."},
    {"canceled", "Was cancelled."},
    {0},
};

const Param jobs_query_params[] = {
    PARAM_INT(JobsQuery, limit, .min = 1, .max = 200, .def = 50, .help = "Items per page."),
    PARAM_TEXT(JobsQuery, cursor, .help = "The \"next\" of the page before."),
    PARAM_CHOICE(JobsQuery, state, .choices = job_states, .help = "Only jobs in this state."),
    PARAM_TEXT(JobsQuery, step, .example = "document.extract", .help = "Only jobs of this step."),
    PARAM_TEXT(JobsQuery, pipeline, .max_len = 64, .example = "blog",
               .help = "Only jobs of this pipeline."),
    PARAM_INT(JobsQuery, since_ms, .unit = "ms",
              .help = "Only jobs created at or after this time, milliseconds since 1970."),
    PARAM_INT(JobsQuery, until_ms, .unit = "ms",
              .help = "Only jobs created before this time, milliseconds since 1970."),
    PARAM_END,
};

const Param items_query_params[] = {
    PARAM_INT(ItemsQuery, limit, .min = 1, .max = 200, .def = 50, .help = "Items per page."),
    PARAM_TEXT(ItemsQuery, cursor, .help = "The \"next\" of the page before."),
    PARAM_CHOICE(ItemsQuery, state, .choices = job_states, .help = "Only items in this state."),
    PARAM_TEXT(ItemsQuery, node, .max_len = 64, .example = "chapters",
               .help = "Of a pipeline's job: only children of this node."),
    PARAM_END,
};

const Param events_query_params[] = {
    PARAM_INT(EventsQuery, after, .min = 0, .max = INT64_MAX,
              .help = "Only events with a higher number."),
    PARAM_INT(EventsQuery, limit, .min = 1, .max = 1000, .def = 200, .help = "Events per answer."),
    PARAM_END,
};

const Param dead_query_params[] = {
    PARAM_INT(DeadQuery, limit, .min = 1, .max = 200, .def = 50, .help = "Items per page."),
    PARAM_TEXT(DeadQuery, cursor, .help = "The \"next\" of the page before."),
    PARAM_TEXT(DeadQuery, queue, .example = "document", .help = "Only dead letters of this queue."),
    PARAM_END,
};

#define RUN_OPTIONS                                                                                \
    PARAM_INT(RunOptions, wait, .min = 0, .max = 60, .unit = "s", .example = "30",                 \
              .help = "Answer with the result if it is there within this many seconds."),          \
        PARAM_INT(RunOptions, priority, .min = -100, .max = 100, .help = "Higher runs first."),    \
        PARAM_INT(RunOptions, delay_ms, .min = 0, .max = 31536000000, .unit = "ms",                \
                  .help = "Do not start before this much time has passed."),                       \
        PARAM_INT(RunOptions, attempts, .min = 1, .max = 100,                                      \
                  .help = "How often to try; the step says how often otherwise."),                 \
        PARAM_INT(RunOptions, timeout_ms, .min = 1, .max = 86400000, .unit = "ms",                 \
                  .help = "Wall-clock limit of one attempt; the step says which otherwise."),      \
        PARAM_TEXT(RunOptions, concurrency_key, .max_len = 200, .example = "customer-7",           \
                   .help = "Jobs with the same key belong together; stored with the job."),        \
        PARAM_BOOL(RunOptions, dry_run,                                                            \
                   .help = "Check everything and answer with the job it would be, without "        \
                           "storing or running it.")

const Param run_option_params[] = {RUN_OPTIONS, PARAM_END};

const Param batch_option_params[] = {
    RUN_OPTIONS,
    PARAM_BOOL(RunOptions, keep_archives,
               .help = "Take archives among the files as they are instead of unpacking them."),
    PARAM_END,
};

const Param pipeline_put_params[] = {
    PARAM_BOOL(PipelinePut, dry_run, .help = "Check only: nothing is stored."),
    PARAM_END,
};

#define VERSION(T)                                                                                 \
    PARAM_INT(T, version, .min = 1, .max = INT64_MAX,                                              \
              .help = "Version of the pipeline; the newest otherwise.")

const Param version_query_params[] = {VERSION(VersionQuery), PARAM_END};

const Param diff_query_params[] = {
    PARAM_INT(DiffQuery, from, .min = 1, .max = INT64_MAX,
              .help = "Version to start from; the one before the other otherwise."),
    PARAM_INT(DiffQuery, to, .min = 1, .max = INT64_MAX,
              .help = "Version to end at; the newest otherwise."),
    PARAM_END,
};

const Choice graph_formats[] = {
    {"text", "A tree for people."},
    {"mermaid", "Mermaid, as Markdown pages draw it."},
    {"dot", "Graphviz."},
    {0},
};

const Param graph_query_params[] = {
    PARAM_CHOICE(GraphQuery, format, .choices = graph_formats, .help = "How it is drawn."),
    VERSION(GraphQuery),
    PARAM_END,
};

const Param pipeline_option_params[] = {
    PARAM_INT(PipelineOptions, wait, .min = 0, .max = 60, .unit = "s", .example = "30",
              .help = "Answer with the result if it is there within this many seconds."),
    PARAM_INT(PipelineOptions, priority, .min = -100, .max = 100,
              .help = "Higher runs first; its steps have it too."),
    PARAM_INT(PipelineOptions, delay_ms, .min = 0, .max = 31536000000, .unit = "ms",
              .help = "Do not start before this much time has passed."),
    PARAM_INT(PipelineOptions, timeout_ms, .min = 1, .max = 31536000000, .unit = "ms",
              .help = "Limit of the whole job, waits included; the pipeline says which otherwise."),
    VERSION(PipelineOptions),
    PARAM_BOOL(PipelineOptions, no_memo,
               .help = "Run every step, also those whose result is known from an earlier run."),
    PARAM_BOOL(PipelineOptions, dry_run,
               .help = "Check everything and answer with the job it would be, without storing or "
                       "running it."),
    PARAM_END,
};

const Param nodes_query_params[] = {
    PARAM_BOOL(NodesQuery, deep, .help = "Also the nodes of called pipelines, one level."),
    PARAM_END,
};

const Param approval_body_params[] = {
    PARAM_BOOL(ApprovalBody, approved, .required = true,
               .help = "True to let the pipeline go on, false to reject."),
    PARAM_TEXT(ApprovalBody, comment, .max_len = 2000, .example = "Good to go.",
               .help = "Why; kept with the job."),
    PARAM_END,
};

const Param replay_option_params[] = {
    PARAM_TEXT(ReplayOptions, from, .max_len = 64, .example = "outline",
               .help = "Node to begin again at; what does not come after it keeps its result."),
    PARAM_INT(ReplayOptions, wait, .min = 0, .max = 60, .unit = "s",
              .help = "Answer with the result if it is there within this many seconds."),
    PARAM_END,
};

const Choice role_choices[] = {
    [ROLE_VIEWER] = {"viewer", "Reads jobs, events, documents and blobs."},
    [ROLE_RUNNER] = {"runner", "Also starts and cancels jobs, and uploads."},
    [ROLE_REVIEWER] = {"reviewer", "Also approves."},
    [ROLE_EDITOR] = {"editor", "Also changes documents and redrives dead letters."},
    [ROLE_OWNER] = {"owner", "Also keys, settings and backups."},
    [ROLE_COUNT] = {0},
};

const Param key_body_params[] = {
    PARAM_TEXT(KeyBody, name, .max_len = 100, .example = "build server",
               .help = "What the key is for."),
    PARAM_CHOICE(KeyBody, role, .choices = role_choices, .def = ROLE_RUNNER,
                 .help = "What the key may do."),
    PARAM_END,
};

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
        PARAM_TEXT(RunOptions, queue, .max_len = 64, .example = "nightly",                         \
                   .help = "Queue to wait in; the step's own otherwise."),                         \
        PARAM_TEXT(RunOptions, concurrency_key, .max_len = 200, .example = "customer-7",           \
                   .help = "Of the jobs with this key no more than concurrency_limit run at "      \
                           "once; the others wait."),                                              \
        PARAM_INT(RunOptions, concurrency_limit, .min = 1, .max = 100000,                          \
                  .help = "How many jobs of the concurrency key may run at once; 1 otherwise."),   \
        PARAM_TEXT(RunOptions, unique_key, .max_len = 200, .example = "report-2026-07",            \
                   .help = "While a job with this key is alive, asking again gives that job."),    \
        PARAM_INT(RunOptions, start_within_ms, .min = 1, .max = 31536000000, .unit = "ms",         \
                  .help = "Fail the job when it has not started in this much time."),              \
        PARAM_INT(RunOptions, deadline_ms, .min = 1, .max = 31536000000, .unit = "ms",             \
                  .help = "Stop the job when it has not ended in this much time from now."),       \
        PARAM_INT(RunOptions, retry_ms, .min = 1, .max = 86400000, .unit = "ms",                   \
                  .help = "Longest wait before the second attempt, doubled for each further "      \
                          "one; a second otherwise."),                                             \
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

static const Choice scopes[] = {
    [SCOPE_PROJECT] = {"project", "The tasks of your project."},
    [SCOPE_ALL] = {"all", "Those of every project; for owners of the first project."},
    {0},
};

const Param scope_query_params[] = {
    PARAM_CHOICE(ScopeQuery, scope, .choices = scopes, .help = "Whose tasks it holds for."),
    PARAM_END,
};

const Param queue_body_params[] = {
    PARAM_INT(QueueBody, concurrency, .min = 0, .max = 1000000,
              .help = "At most so many tasks run at once; 0 sets no limit."),
    PARAM_INT(QueueBody, rate, .min = 0, .max = 1000000,
              .help = "At most so many tasks start in rate_window_ms; 0 sets no limit."),
    PARAM_INT(QueueBody, key_rate, .min = 0, .max = 1000000,
              .help = "At most so many tasks of one concurrency key start in rate_window_ms; 0 "
                      "sets no limit."),
    PARAM_INT(QueueBody, rate_window_ms, .min = 1, .max = 86400000, .def = 1000, .unit = "ms",
              .help = "The time that the rates count in."),
    PARAM_INT(QueueBody, weight, .min = 1, .max = 1000, .def = 1,
              .help = "Share of this project among those that wait in the queue."),
    PARAM_INT(QueueBody, retention_ms, .min = -1, .max = 3162240000000, .def = 0, .unit = "ms",
              .help = "How long ended jobs are kept; 0 leaves it to the server, -1 keeps them."),
    PARAM_INT(QueueBody, runners, .min = 0, .max = 64,
              .help = "Tasks at once in this server; 0 leaves it to the server, needs scope=all."),
    PARAM_END,
};

#define BULK_FILTER                                                                                \
    PARAM_TEXT(BulkBody, step, .example = "document.extract", .help = "Only jobs of this step."),  \
        PARAM_TEXT(BulkBody, queue, .example = "document", .help = "Only jobs of this queue."),    \
        PARAM_TEXT(BulkBody, reason, .example = "limit_time",                                      \
                   .help = "Only jobs that failed for this reason."),                              \
        PARAM_INT(BulkBody, since_ms, .unit = "ms",                                                \
                  .help = "Only jobs created (letters: died) at or after this time, "              \
                          "milliseconds since 1970."),                                             \
        PARAM_INT(BulkBody, until_ms, .unit = "ms",                                                \
                  .help = "Only jobs created (letters: died) before this time, milliseconds "      \
                          "since 1970."),                                                          \
        PARAM_BOOL(BulkBody, dry_run, .help = "Only count them.")

const Param bulk_body_params[] = {
    PARAM_CHOICE(BulkBody, state, .choices = job_states, .help = "Only jobs in this state."),
    BULK_FILTER,
    PARAM_END,
};

const Param letter_body_params[] = {BULK_FILTER, PARAM_END};

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

#include "api/params.h"
#include "secret/secret.h"
#include "access/access.h"
#include "feed/feed.h"
#include "flow/schedule.h"
#include "hook/webhook.h"

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
    PARAM_LIST(JobsQuery, state, .max_len = JOB_STATE_COUNT, .example = "failed",
               .help = "Only jobs in one of these states: queued, running, done, failed, "
                       "canceled."),
    PARAM_TEXT(JobsQuery, step, .example = "document.extract", .help = "Only jobs of this step."),
    PARAM_TEXT(JobsQuery, pipeline, .max_len = 64, .example = "blog",
               .help = "Only jobs of this pipeline."),
    PARAM_TEXT(JobsQuery, queue, .max_len = 64, .example = "document",
               .help = "Only jobs of this queue."),
    PARAM_TEXT(JobsQuery, key, .max_len = 32,
               .help = "Only jobs that this API key asked for, key_…."),
    PARAM_TEXT(JobsQuery, q, .max_len = 32, .example = "job_0r3k",
               .help = "Only jobs whose id begins so."),
    PARAM_BOOL(JobsQuery, batches,
               .help = "Only batches; step, pipeline, queue and key do not count then."),
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

const Param feed_query_params[] = {
    PARAM_TEXT(FeedQuery, types, .max_len = 1000, .example = "job.*,document.added",
               .help = "Only events of these types, joined by commas; * at the end stands for all "
                       "that begin so."),
    PARAM_TEXT(FeedQuery, after, .example = "evt_0m8gnkabg0000",
               .help = "Only events after this one; the \"next\" of the answer before."),
    PARAM_INT(FeedQuery, limit, .min = 1, .max = FEED_READ_MAX, .def = 200,
              .help = "Events per answer."),
    PARAM_END,
};

const Param publish_body_params[] = {
    PARAM_TEXT(PublishBody, type, .required = true, .max_len = FEED_TYPE_MAX,
               .example = "user.created",
               .help = "What happened, in dotted words; platen's own types are refused."),
    PARAM_TEXT(PublishBody, subject, .max_len = FEED_SUBJECT_MAX, .example = "user-7",
               .help = "What it is about."),
    PARAM_JSON(PublishBody, data, .help = "An object with whatever belongs to it, at most 16 KiB."),
    PARAM_END,
};

#define WEBHOOK_TEXTS(T)                                                                           \
    PARAM_TEXT(T, types, .max_len = WEBHOOK_TYPES_MAX, .example = "job.*,document.added",          \
               .help = "Types of events to send, joined by commas; * at the end stands for all "   \
                       "that begin so."),                                                          \
        PARAM_TEXT(T, description, .max_len = 200, .example = "our CRM",                           \
                   .help = "What the address is for.")

const Param webhook_body_params[] = {
    PARAM_TEXT(WebhookBody, url, .required = true, .max_len = 2048,
               .example = "https://example.com/hook", .help = "Where messages are sent by POST."),
    WEBHOOK_TEXTS(WebhookBody),
    PARAM_TEXT(WebhookBody, secret, .secret = true, .max_len = 100,
               .help = "Secret to sign with, whsec_ and base64; one is made otherwise."),
    PARAM_END,
};

static const Choice webhook_states[] = {
    [WEBHOOK_ACTIVE] = {"active", "Messages are sent; what happened meanwhile comes first."},
    [WEBHOOK_PAUSED] = {"paused", "Nothing is sent until it is active again."},
    {0},
};

const Param webhook_change_params[] = {
    PARAM_TEXT(WebhookChange, url, .max_len = 2048, .example = "https://example.com/hook",
               .help = "Where messages are sent by POST."),
    WEBHOOK_TEXTS(WebhookChange),
    PARAM_CHOICE(WebhookChange, state, .choices = webhook_states, .def = -1,
                 .help = "Whether messages are sent."),
    PARAM_END,
};

const Param deliveries_query_params[] = {
    PARAM_INT(DeliveriesQuery, limit, .min = 1, .max = 200, .def = 50, .help = "Items per page."),
    PARAM_TEXT(DeliveriesQuery, cursor, .help = "The \"next\" of the page before."),
    PARAM_BOOL(DeliveriesQuery, failed, .help = "Only messages that failed."),
    PARAM_END,
};

const Param redeliver_body_params[] = {
    PARAM_INT(RedeliverBody, since_ms, .min = 0, .max = INT64_MAX, .unit = "ms",
              .help = "Only messages from this time on, milliseconds since 1970; all otherwise."),
    PARAM_END,
};

const Param dead_query_params[] = {
    PARAM_INT(DeadQuery, limit, .min = 1, .max = 200, .def = 50, .help = "Items per page."),
    PARAM_TEXT(DeadQuery, cursor, .help = "The \"next\" of the page before."),
    PARAM_TEXT(DeadQuery, queue, .example = "document", .help = "Only dead letters of this queue."),
    PARAM_TEXT(DeadQuery, step, .example = "document.extract",
               .help = "Only dead letters of this step."),
    PARAM_TEXT(DeadQuery, reason, .example = "limit_time",
               .help = "Only those that failed for this reason."),
    PARAM_END,
};

#define QUEUE_OPTIONS                                                                              \
    PARAM_INT(RunOptions, priority, .min = -100, .max = 100, .help = "Higher runs first."),        \
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
                          "one; a second otherwise.")

#define RUN_OPTIONS                                                                                \
    PARAM_INT(RunOptions, wait, .min = 0, .max = 60, .unit = "s", .example = "30",                 \
              .help = "Answer with the result if it is there within this many seconds."),          \
        QUEUE_OPTIONS,                                                                             \
        PARAM_TEXT(RunOptions, callback_url, .max_len = 2048, .unit = "URL",                       \
                   .example = "https://example.com/done",                                          \
                   .help = "Told when the job has ended, by a signed POST as webhooks are."),      \
        PARAM_BOOL(RunOptions, dry_run,                                                            \
                   .help = "Check everything and answer with the job it would be, without "        \
                           "storing or running it.")

void run_options_take(const RunOptions *o, JobNew *n)
{
    n->queue = o->queue;
    n->priority = o->priority;
    n->delay_ms = o->delay_ms;
    n->attempts = o->attempts;
    n->timeout_ms = o->timeout_ms;
    n->concurrency_key = o->concurrency_key;
    n->concurrency_limit = o->concurrency_limit;
    n->unique_key = o->unique_key;
    n->callback_url = o->callback_url;
    n->start_within_ms = o->start_within_ms;
    n->deadline_ms = o->deadline_ms;
    n->retry_ms = o->retry_ms;
}

const Param run_option_params[] = {RUN_OPTIONS, PARAM_END};

const Param bulk_option_params[] = {QUEUE_OPTIONS, PARAM_END};

const Param bulk_query_params[] = {
    PARAM_BOOL(BulkQuery, partial,
               .help = "Add those that are well-formed although others are not."),
    PARAM_END,
};

typedef struct BulkBody {
    const Json *jobs;
} BulkBody;

const Param bulk_body_params[] = {
    PARAM_JSON(BulkBody, jobs, .required = true,
               .example = "[{\"step\": \"text.stats\", \"params\": {\"text\": \"one\"}}]",
               .help = "At most 1,000 jobs: step, params, inputs (blobs and documents), priority, "
                       "delay_ms, attempts, timeout_ms, concurrency_key."),
    PARAM_END,
};

const Param batch_option_params[] = {
    RUN_OPTIONS,
    PARAM_BOOL(RunOptions, keep_archives,
               .help = "Take archives among the files as they are instead of unpacking them."),
    PARAM_END,
};

typedef struct TaskBody {
    const Json *payload, *inputs;
} TaskBody;

const Param task_body_params[] = {
    PARAM_JSON(TaskBody, payload, .example = "{\"order\": 17}",
               .help = "What the worker gets, any JSON."),
    PARAM_JSON(TaskBody, inputs,
               .help = "Files: a list of objects that name a blob or a document."),
    RUN_OPTIONS,
    PARAM_END,
};

const Param lease_body_params[] = {
    PARAM_INT(LeaseBody, max, .min = 1, .max = 100, .def = 1, .help = "Most tasks to lease."),
    PARAM_INT(LeaseBody, lease_seconds, .min = 1, .max = 43200, .def = 30, .unit = "s",
              .help = "How long the tasks are the worker's; it can be extended."),
    PARAM_INT(LeaseBody, wait, .min = 0, .max = 60, .unit = "s", .example = "30",
              .help = "When there is no task, wait this long for one."),
    PARAM_TEXT(LeaseBody, worker, .max_len = 64, .example = "thumbnailer-2",
               .help = "What the worker calls itself."),
    PARAM_END,
};

#define ATTEMPT(T)                                                                                 \
    PARAM_INT(T, attempt, .required = true, .min = 1, .max = 1000000,                              \
              .help = "The attempt that was leased: who holds another is refused.")

const Param complete_body_params[] = {
    ATTEMPT(CompleteBody),
    PARAM_JSON(CompleteBody, data, .example = "{\"ok\": true}",
               .help = "The result: an object, at most 96 KiB; larger things are outputs."),
    PARAM_JSON(CompleteBody, outputs,
               .help = "Files that were uploaded to /api/v1/blobs: a list of objects with blob, "
                       "name and type."),
    PARAM_JSON(CompleteBody, usage, .example = "{\"pages\": 3}",
               .help = "What was used: whole numbers by unit."),
    PARAM_END,
};

const Param fail_body_params[] = {
    ATTEMPT(FailBody),
    PARAM_TEXT(FailBody, detail, .max_len = 2000, .def_text = "the worker did not say why",
               .help = "What went wrong, in a sentence."),
    PARAM_BOOL(FailBody, retry, .required = true,
               .help = "Try again while attempts are left; else it goes to the dead letters."),
    PARAM_INT(FailBody, retry_after_ms, .min = 0, .max = 86400000, .unit = "ms",
              .help = "Not before this much time has passed."),
    PARAM_END,
};

const Param extend_body_params[] = {
    ATTEMPT(ExtendBody),
    PARAM_INT(ExtendBody, lease_seconds, .min = 1, .max = 43200, .def = 30, .unit = "s",
              .help = "How long the task is the worker's from now on."),
    PARAM_INT(ExtendBody, done, .min = 0, .max = INT64_MAX, .help = "Units done so far."),
    PARAM_INT(ExtendBody, total, .min = -1, .max = INT64_MAX, .def = -1,
              .help = "Units in all; 0 when unknown, left out when no progress is told."),
    PARAM_TEXT(ExtendBody, note, .max_len = 1000, .help = "A line for the job's history."),
    PARAM_END,
};

static const Choice handler_kinds[] = {
    {"workers", "Programs lease the tasks."},
    {"push", "This server sends each task to an address."},
    {0},
};

const Param handler_body_params[] = {
    PARAM_CHOICE(HandlerBody, kind, .choices = handler_kinds, .help = "Who does the tasks."),
    PARAM_TEXT(HandlerBody, url, .max_len = 2000, .example = "https://example.com/tasks",
               .help = "Where tasks are sent."),
    PARAM_TEXT(HandlerBody, secret, .secret = true, .max_len = 200,
               .help = "What they are signed with, whsec_ and base64; one is made when left out."),
    PARAM_INT(HandlerBody, concurrency, .min = 1, .max = 32, .def = 4,
              .help = "How many are sent at once."),
    PARAM_INT(HandlerBody, timeout_ms, .min = 1000, .max = 900000, .def = 30000, .unit = "ms",
              .help = "How long an answer may take."),
    PARAM_END,
};

const Param pipeline_put_params[] = {
    PARAM_BOOL(PipelinePut, dry_run, .help = "Check only: nothing is stored."),
    PARAM_INT(PipelinePut, base_version, .min = 0, .max = INT64_MAX, .def = -1,
              .help = "The version that was changed, 0 for a new pipeline: when the newest is "
                      "another by now, nothing is stored (409)."),
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
    PARAM_TEXT(PipelineOptions, callback_url, .max_len = 2048, .unit = "URL",
               .example = "https://example.com/done",
               .help = "Told when the job has ended, by a signed POST as webhooks are."),
    PARAM_BOOL(PipelineOptions, no_memo,
               .help = "Run every step, also those whose result is known from an earlier run."),
    PARAM_BOOL(PipelineOptions, dry_run,
               .help = "Check everything and answer with the job it would be, without storing or "
                       "running it."),
    PARAM_END,
};

const Param pipeline_batch_option_params[] = {
    PARAM_TEXT(PipelineBatchOptions, input, .max_len = 64, .example = "source",
               .help = "Input of the pipeline that takes the file of an item; needed when several "
                       "could."),
    PARAM_INT(PipelineBatchOptions, concurrency, .min = 1, .max = 1000, .def = 16,
              .help = "How many of the pipelines run at once."),
    PARAM_INT(PipelineBatchOptions, wait, .min = 0, .max = 60, .unit = "s", .example = "30",
              .help = "Answer with the result if it is there within this many seconds."),
    PARAM_INT(PipelineBatchOptions, priority, .min = -100, .max = 100,
              .help = "Higher runs first; its steps have it too."),
    PARAM_INT(PipelineBatchOptions, timeout_ms, .min = 1, .max = 31536000000, .unit = "ms",
              .help = "Limit of each pipeline from when it begins, waits included."),
    VERSION(PipelineBatchOptions),
    PARAM_TEXT(PipelineBatchOptions, callback_url, .max_len = 2048, .unit = "URL",
               .example = "https://example.com/done",
               .help = "Told when the batch has ended, by a signed POST as webhooks are."),
    PARAM_BOOL(PipelineBatchOptions, keep_archives,
               .help = "Take archives among the files as they are instead of unpacking them."),
    PARAM_BOOL(PipelineBatchOptions, no_memo,
               .help = "Run every step, also those whose result is known from an earlier run."),
    PARAM_BOOL(PipelineBatchOptions, dry_run,
               .help = "Check everything and answer with the batch it would be, without storing or "
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

static const Choice scopes[] = {
    [SCOPE_PROJECT] = {"project", "The tasks of your project."},
    [SCOPE_ALL] = {"all", "Those of every project; for owners of the first project."},
    {0},
};

const Param scope_query_params[] = {
    PARAM_CHOICE(ScopeQuery, scope, .choices = scopes, .help = "Whose tasks it holds for."),
    PARAM_END,
};

const Param purge_query_params[] = {
    PARAM_CHOICE(PurgeQuery, scope, .choices = scopes, .help = "Whose tasks it holds for."),
    PARAM_BOOL(PurgeQuery, dry_run, .help = "Only count them."),
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
    PARAM_TEXT(ManyBody, step, .example = "document.extract", .help = "Only jobs of this step."),  \
        PARAM_TEXT(ManyBody, queue, .example = "document", .help = "Only jobs of this queue."),    \
        PARAM_TEXT(ManyBody, reason, .example = "limit_time",                                      \
                   .help = "Only jobs that failed for this reason."),                              \
        PARAM_INT(ManyBody, since_ms, .unit = "ms",                                                \
                  .help = "Only jobs created (letters: died) at or after this time, "              \
                          "milliseconds since 1970."),                                             \
        PARAM_INT(ManyBody, until_ms, .unit = "ms",                                                \
                  .help = "Only jobs created (letters: died) before this time, milliseconds "      \
                          "since 1970."),                                                          \
        PARAM_BOOL(ManyBody, dry_run, .help = "Only count them.")

const Param many_body_params[] = {
    PARAM_CHOICE(ManyBody, state, .choices = job_states, .help = "Only jobs in this state."),
    PARAM_TEXT(ManyBody, pipeline, .max_len = 64, .example = "blog",
               .help = "Only jobs of this pipeline."),
    PARAM_TEXT(ManyBody, key, .max_len = 32,
               .help = "Only jobs that this API key asked for, key_…."),
    PARAM_LIST(ManyBody, ids, .max_len = 1000,
               .help = "Only these jobs, and of the other filters only state."),
    BULK_FILTER,
    PARAM_END,
};

const Param letter_body_params[] = {BULK_FILTER, PARAM_END};

static const Choice directions[] = {
    {"in", "Their messages become jobs here."},
    {"out", "Tasks of a queue here become their messages."},
    {0},
};

const Param bridge_body_params[] = {
    PARAM_TEXT(BridgeBody, name, .required = true, .max_len = 64, .example = "orders",
               .help = "What the bridge is called: letters, digits, - and _."),
    PARAM_CHOICE(BridgeBody, direction, .choices = directions, .help = "Which way work goes."),
    PARAM_TEXT(BridgeBody, account, .max_len = 64,
               .help =
                   "Id of the Cloudflare account; CLOUDFLARE_ACCOUNT_ID of the server when left "
                   "out."),
    PARAM_TEXT(BridgeBody, remote, .max_len = 64, .help = "Id of the Cloudflare queue."),
    PARAM_TEXT(BridgeBody, dead_remote, .max_len = 64,
               .help = "Id of its dead letter queue, to be mirrored into the dead letters here."),
    PARAM_TEXT(BridgeBody, token_env, .max_len = 64, .def_text = "CLOUDFLARE_API_TOKEN",
               .help = "Variable of the server's environment with the API token; it begins with "
                       "CLOUDFLARE_ or PLATEN_BRIDGE_."),
    PARAM_TEXT(BridgeBody, queue, .max_len = 64, .example = "orders",
               .help = "Queue here whose outside workers get the messages, or whose tasks go out."),
    PARAM_TEXT(BridgeBody, step, .max_len = 64, .example = "text.stats",
               .help = "Step that each message is run with, its body being the parameters; instead "
                       "of queue."),
    PARAM_TEXT(BridgeBody, base_url, .max_len = 500,
               .help = "Address of the API; Cloudflare's when left out."),
    PARAM_INT(BridgeBody, poison, .min = 1, .max = 100, .def = 5,
              .help = "A message that came so often and cannot be taken becomes a dead letter."),
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

const Param secret_body_params[] = {
    PARAM_TEXT(SecretBody, value, .required = true, .secret = true, .max_len = SECRET_VALUE_MAX,
               .help = "The value; it is stored sealed and never given back."),
    PARAM_END,
};

const Choice missed_choices[] = {
    [MISSED_SKIP] = {"skip", "They are left out."},
    [MISSED_ONCE] = {"once", "One job makes up for all of them."},
    [MISSED_ALL] = {"all", "Each is made up, the newest 100."},
    [MISSED_COUNT] = {0},
};

const Choice overlap_choices[] = {
    [OVERLAP_ALLOW] = {"allow", "Another job starts beside it."},
    [OVERLAP_SKIP] = {"skip", "No job starts."},
    [OVERLAP_QUEUE] = {"queue", "The new job waits for it."},
    [OVERLAP_CANCEL] = {"cancel", "It is cancelled."},
    [OVERLAP_COUNT] = {0},
};

#define WHEN_PARAMS(T)                                                                             \
    PARAM_TEXT(T, cron, .max_len = CRON_TEXT_MAX, .example = "0 9 * * mon-fri",                    \
               .help = "When: minute hour day month weekday, with seconds first if six; or "       \
                       "@daily and the like."),                                                    \
        PARAM_TEXT(T, every, .max_len = 40, .example = "90s",                                      \
                   .help = "Instead of cron: the time between two starts, like 90s or 1h30m."),    \
        PARAM_TEXT(T, zone, .max_len = ZONE_NAME_MAX, .def_text = "UTC",                           \
                   .example = "Europe/Berlin",                                                     \
                   .help = "Time zone of cron, a name of the tz database."),                       \
        PARAM_TEXT(T, start, .max_len = 40, .example = "2026-12-01T00:00:00Z",                     \
                   .help = "Not before this time (RFC 3339); @every counts from it."),             \
        PARAM_TEXT(T, end, .max_len = 40, .example = "2027-12-01T00:00:00Z",                       \
                   .help = "Not after this time (RFC 3339).")

const Param schedule_body_params[] = {
    PARAM_TEXT(ScheduleBody, name, .max_len = SCHEDULE_NAME_MAX, .example = "nightly",
               .help = "Unique in the project: a-z 0-9 - _ and dots."),
    WHEN_PARAMS(ScheduleBody),
    PARAM_TEXT(ScheduleBody, step, .example = "text.stats", .help = "The step that starts."),
    PARAM_JSON(ScheduleBody, params, .help = "Parameters of the step, as an object."),
    PARAM_TEXT(ScheduleBody, pipeline, .help = "Instead of step: the pipeline that starts."),
    PARAM_JSON(ScheduleBody, inputs, .help = "Inputs of the pipeline, as an object."),
    PARAM_TEXT(ScheduleBody, queue, .max_len = 64,
               .help = "Queue of the jobs of a step; the step's own otherwise."),
    PARAM_INT(ScheduleBody, priority, .min = -100, .max = 100, .help = "Higher runs first."),
    PARAM_INT(ScheduleBody, attempts, .min = 1, .max = 100, .def = 0,
              .help = "How often a job is tried; the step says how often otherwise."),
    PARAM_INT(ScheduleBody, timeout_ms, .min = 1, .max = 86400000, .def = 0, .unit = "ms",
              .help = "Wall-clock limit of one attempt; the step says which otherwise."),
    PARAM_CHOICE(ScheduleBody, missed, .choices = missed_choices, .def = MISSED_SKIP,
                 .help = "What becomes of times that were missed, by more than a minute, because "
                         "no server ran or the clock jumped."),
    PARAM_CHOICE(ScheduleBody, overlap, .choices = overlap_choices, .def = OVERLAP_ALLOW,
                 .help = "What happens when the job before has not ended."),
    PARAM_INT(ScheduleBody, jitter_ms, .min = 0, .max = 86400000, .unit = "ms",
              .help = "Start up to this much later, at random."),
    PARAM_BOOL(ScheduleBody, paused, .help = "Make it, but do not start anything yet."),
    PARAM_END,
};

#define COUNT_PARAM(T)                                                                             \
    PARAM_INT(T, count, .min = 1, .max = 100, .def = 5, .help = "How many times to show.")

const Param preview_query_params[] = {COUNT_PARAM(PreviewQuery), PARAM_END};

const Param preview_body_params[] = {
    WHEN_PARAMS(PreviewBody),
    COUNT_PARAM(PreviewBody),
    PARAM_END,
};

#include "api/params.h"
#include "access/access.h"
#include "feed/feed.h"
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
        PARAM_TEXT(RunOptions, callback_url, .max_len = 2048, .unit = "URL",                       \
                   .example = "https://example.com/done",                                          \
                   .help = "Told when the job has ended, by a signed POST as webhooks are."),      \
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

#include "api/schemas.h"
#include "api/figures.h"
#include "api/former.h"
#include "api/files.h"
#include "api/language.h"
#include "api/outside.h"
#include "api/push.h"
#include "api/session_schemas.h"
#include "api/fields.h"

static const Field file_fields[] = {
    TEXT("name", "Name of the file."),
    TEXT("type", "Media type; empty when unknown."),
    INT("bytes", "Size."),
    TEXT("blob", "SHA-256 of its bytes, by which they can be fetched."),
    {0},
};

static const Field progress_fields[] = {
    INT("done", "Units done in this attempt."),
    INT("total", "Units in all; 0 while unknown."),
    {0},
};

static const Choice job_states[] = {
    {"queued", "Waits for a worker or its time."},
    {"running", "Runs now."},
    {"done", "Ended with a result."},
    {"failed", "Ended without one."},
    {"canceled", "Was cancelled."},
    {0},
};

static const Field item_count_fields[] = {
    INT("total", "Items in all."),
    INT("queued", "Items that wait."),
    INT("running", "Items that run."),
    INT("done", "Items that ended with a result."),
    INT("failed", "Items that ended without one."),
    INT("canceled", "Items that were cancelled."),
    {.name = "archives",
     .type = FIELD_TYPE_INT,
     .optional = true,
     .help = "Of a batch that was only described: files that will be unpacked."},
    {0},
};

static const Field job_wait_fields[] = {
    TEXT("node", "The step of the pipeline that waits."),
    TEXT("for", "One of approval, signal, time, callback."),
    TIME("since", "When it began to wait."),
    MAYBE_TIME("due", "When it ends by itself."),
    MAYBE_TEXT("who", "Of an approval: the least role that may."),
    {0},
};

static const Field job_trigger_fields[] = {
    TEXT("kind", "One of event, pipeline, webhook, folder, bucket, queue, schedule."),
    MAYBE_TEXT("schedule", "Of a schedule: its name."),
    {0},
};
static const Field usage_fields[] = {
    TEXT("unit", "What was used: pages, tokens and so on."), INT("amount", "How much."), {0}};

#define JOB_FIELDS                                                                                 \
    ID("id", "Id of the job, job_…."), TEXT("step", "Name of the step."),                          \
        {.name = "state",                                                                          \
         .type = FIELD_TYPE_TEXT,                                                                  \
         .choices = job_states,                                                                    \
         .help = "Where the job stands."},                                                         \
        TEXT("queue", "Queue its task waits in."), INT("priority", "Higher runs first."),          \
        INT("attempts", "Attempts begun so far."), INT("max_attempts", "Attempts allowed."),       \
        TIME("created", "When it was accepted."), MAYBE_TIME("run_at", "Not before this time."),   \
        MAYBE_TIME("started", "When its first attempt began."),                                    \
        MAYBE_TIME("finished", "When it ended."),                                                  \
        {.name = "progress",                                                                       \
         .type = FIELD_TYPE_OBJECT,                                                                \
         .items = progress_fields,                                                                 \
         .help = "How far it is."},                                                                \
        MAYBE_TEXT("reason", "Why it failed, or why its last attempt did: a stable code."),        \
        MAYBE_TEXT("detail", "What happened, in a sentence."), MAYBE_TEXT("hint", "What to do."),  \
        {.name = "batch",                                                                          \
         .type = FIELD_TYPE_TEXT,                                                                  \
         .optional = true,                                                                         \
         .help = "The batch that it is an item of, job_…."},                                       \
        MAYBE_TEXT("parent", "The job of the pipeline that it is a step of."),                     \
        MAYBE_TEXT("reused", "The job whose result it took."),                                     \
        MAYBE_TEXT("pipeline", "Of a pipeline's job: its name."),                                  \
        {.name = "version",                                                                        \
         .type = FIELD_TYPE_INT,                                                                   \
         .optional = true,                                                                         \
         .help = "Of a pipeline's job: the version it stays on."},                                 \
        {.name = "paused",                                                                         \
         .type = FIELD_TYPE_BOOL,                                                                  \
         .optional = true,                                                                         \
         .help = "Of a pipeline's job: nothing further of it begins."},                            \
        MAYBE_TEXT("origin", "Of a pipeline's job: the one that it replays."),                     \
        MAYBE_TEXT("input", "Name of its first input file."),                                      \
        MAYBE_TEXT("key", "The API key that asked for it, key_…."),                                \
        {.name = "trigger",                                                                        \
         .type = FIELD_TYPE_OBJECT,                                                                \
         .optional = true,                                                                         \
         .items = job_trigger_fields,                                                              \
         .help = "Of a pipeline's job that nobody asked for: what started it."},                   \
        {.name = "usage",                                                                          \
         .type = FIELD_TYPE_LIST,                                                                  \
         .optional = true,                                                                         \
         .items = usage_fields,                                                                    \
         .help = "What it and all below it have used, where one job is read."},                    \
        {.name = "waits",                                                                          \
         .type = FIELD_TYPE_LIST,                                                                  \
         .optional = true,                                                                         \
         .items = job_wait_fields,                                                                 \
         .help = "Of a pipeline's job: what it waits for."},                                       \
        TEXT("trace", "Correlation id: it is on every log line of the job.")

const Field job_summary_fields[] = {JOB_FIELDS, {0}};
static const Field job_fields[] = {
    JOB_FIELDS,
    {.name = "params",
     .type = FIELD_TYPE_OBJECT,
     .help = "Parameters with defaults filled in; secrets are null."},
    {.name = "items",
     .type = FIELD_TYPE_OBJECT,
     .optional = true,
     .items = item_count_fields,
     .help = "Of a batch: how its items stand."},
    LIST("inputs", file_fields, "Files that went in."),
    LIST("outputs", file_fields, "Files that came out."),
    {.name = "data", .type = FIELD_TYPE_OBJECT, .help = "The result, as the step describes it."},
    {0},
};
static const Field job_list_fields[] = {
    LIST("jobs", job_summary_fields, "Newest first."), NEXT, {0}};
static const Field item_list_fields[] = {
    LIST("items", job_fields, "Jobs, in the order of the batch."), NEXT, {0}};

static const Field event_fields[] = {
    INT("seq", "Number within the job, from 1 without gaps."),
    ID("job", "Id of the job."),
    TIME("time", "When it happened."),
    TEXT("type", "What happened: job.added, task.started and so on."),
    {.name = "data", .type = FIELD_TYPE_OBJECT, .help = "What belongs to it."},
    {0},
};
static const Field event_list_fields[] = {LIST("events", event_fields, "In order."), {0}};

static const Field happening_fields[] = {
    ID("id", "Id of the event, evt_…; they rise."),
    TEXT("type", "What happened: job.done, document.added, or what a caller published."),
    TIME("time", "When it happened."),
    {.name = "job", .type = FIELD_TYPE_TEXT, .nullable = true, .help = "The job it is about."},
    {.name = "subject",
     .type = FIELD_TYPE_TEXT,
     .nullable = true,
     .help = "What else it is about: a step, a document."},
    {.name = "data", .type = FIELD_TYPE_OBJECT, .help = "What belongs to it."},
    {0},
};
static const Field happening_list_fields[] = {
    LIST("events", happening_fields, "Oldest first."),
    TEXT("next", "Go on with after=…"),
    BOOL("gap", "Events after the one named are gone already: some were missed."),
    {0},
};

static const Choice webhook_states[] = {
    {"active", "Messages are sent."},
    {"paused", "Somebody paused it."},
    {"disabled", "It answered 410, or a message used up its attempts; reason says which."},
    {0},
};
#define WEBHOOK_FIELDS                                                                             \
    ID("id", "Id of the webhook, whk_…."),                                                         \
        TEXT("url", "Where messages are sent; empty for the one of callbacks."),                   \
        TEXT("types", "Types of events, joined by commas; empty: all."),                           \
        TEXT("description", "What it is for."),                                                    \
        {.name = "state",                                                                          \
         .type = FIELD_TYPE_TEXT,                                                                  \
         .choices = webhook_states,                                                                \
         .help = "Whether messages are sent."},                                                    \
        MAYBE_TEXT("reason", "Why it is disabled."),                                               \
        BOOL("callbacks", "It is the project's one for callback_url of jobs."),                    \
        TIME("created", "When it was made."), TIME("changed", "When it was changed last."),        \
        MAYBE_TIME("old_secret_until", "Until when the secret before signs too.")
static const Field webhook_fields[] = {WEBHOOK_FIELDS, {0}};
static const Field new_webhook_fields[] = {
    WEBHOOK_FIELDS, TEXT("secret", "Secret to check signatures with; shown this once."), {0}};
static const Field webhook_list_fields[] = {
    LIST("webhooks", webhook_fields, "All of them, oldest first."), {0}};

static const Choice delivery_states[] = {
    {"pending", "It will be sent at `next`, or is being sent."},
    {"done", "It was answered with 2xx."},
    {"failed", "It was not, and is not tried again by itself."},
    {0},
};
#define DELIVERY_FIELDS                                                                            \
    ID("id", "Id of the message, msg_…: the header webhook-id on every attempt."),                 \
        TEXT("event", "Id of the event."), TEXT("type", "Type of the event."),                     \
        {.name = "state",                                                                          \
         .type = FIELD_TYPE_TEXT,                                                                  \
         .choices = delivery_states,                                                               \
         .help = "Where it stands."},                                                              \
        INT("attempts", "Attempts so far."),                                                       \
        INT("status", "Of the last answer; 0: there was none."),                                   \
        MAYBE_TIME("next", "When it is sent next."),                                               \
        MAYBE_TIME("ended", "When it was done or failed.")
static const Field delivery_summary_fields[] = {DELIVERY_FIELDS, {0}};
static const Field delivery_attempt_fields[] = {
    INT("number", "From 1."),
    TIME("time", "When it began."),
    INT("took_ms", "How long it took."),
    INT("status", "Of the answer; 0: there was none."),
    MAYBE_TEXT("reason", "Why it did not succeed: a stable code."),
    MAYBE_TEXT("detail", "What happened."),
    TEXT("answer", "The first bytes of the answer."),
    {0},
};
static const Field delivery_fields[] = {
    DELIVERY_FIELDS,
    MAYBE_TEXT("url", "Of a callback: where it is sent."),
    {.name = "body", .type = FIELD_TYPE_OBJECT, .help = "What is sent."},
    LIST("history", delivery_attempt_fields, "What came of each attempt."),
    {0},
};
static const Field delivery_list_fields[] = {
    LIST("deliveries", delivery_summary_fields, "Newest first."), NEXT, {0}};

static const Field timeline_fields[] = {
    INT("seq", "Number within the job."),
    TIME("time", "When it happened."),
    INT("after_ms", "Milliseconds after the first event."),
    TEXT("type", "What happened."),
    TEXT("meaning", "What that means."),
    {.name = "data", .type = FIELD_TYPE_OBJECT, .help = "What belongs to it."},
    {0},
};
static const Field diagnosis_fields[] = {
    ID("job", "Id of the job."),
    TEXT("step", "Name of the step."),
    {.name = "state",
     .type = FIELD_TYPE_TEXT,
     .choices = job_states,
     .help = "Where the job stands."},
    TEXT("verdict", "In one sentence."),
    MAYBE_TEXT("reason", "Why it failed: a stable code."),
    MAYBE_TEXT("meaning", "What the code means."),
    MAYBE_TEXT("detail", "What happened this time."),
    MAYBE_TEXT("remedy", "What to do."),
    MAYBE_TEXT("retries", "Whether such a failure is tried again: never, later, after."),
    {.name = "cause",
     .type = FIELD_TYPE_OBJECT,
     .items = timeline_fields,
     .optional = true,
     .help = "The first event that went wrong since the job was last started."},
    LIST("timeline", timeline_fields, "Everything that happened, in order."),
    INT("waited_ms", "From accepted to started."),
    INT("ran_ms", "From started to ended."),
    INT("attempts", "Attempts begun."),
    INT("max_attempts", "Attempts allowed."),
    TEXT("trace", "Correlation id."),
    MAYBE_TEXT("pipeline", "Of a pipeline's job: its name."),
    MAYBE_TEXT("node", "Of a pipeline: the step that failed first."),
    {.name = "below",
     .type = FIELD_TYPE_OBJECT,
     .optional = true,
     .help = "The diagnosis of that step's job, in the same form."},
    {0},
};

static const Field blob_fields[] = {
    TEXT("blob", "SHA-256 of the bytes: the blob's name."),
    INT("bytes", "Size."),
    TEXT("name", "File name as sent; may be empty."),
    TEXT("type", "Media type as sent; may be empty."),
    {0},
};

static const Field key_fields[] = {
    ID("id", "Id of the key, key_…."),
    TEXT("name", "What it is for."),
    TEXT("role", "What it may do."),
    TEXT("hint", "How the key begins."),
    TIME("created", "When it was made."),
    MAYBE_TIME("used", "When it was last used, to the minute."),
    MAYBE_TIME("revoked", "When it was revoked."),
    {0},
};
static const Field key_list_fields[] = {LIST("keys", key_fields, "All of the project."), {0}};
static const Field new_key_fields[] = {
    ID("id", "Id of the key."),
    TEXT("name", "What it is for."),
    TEXT("role", "What it may do."),
    TEXT("key", "The key itself: shown this once."),
    {0},
};

static const Field secret_fields[] = {
    TEXT("name", "What pipelines call it: secrets.NAME."),
    TIME("created", "When it was first stored."),
    TIME("changed", "When its value was last set."),
    {0},
};
static const Field secret_list_fields[] = {LIST("secrets", secret_fields, "In the order of names."),
                                           {0}};
static const Field schedule_fields[] = {
    TEXT("name", "Its name, unique in the project."),
    TEXT("cron", "When; @every for a time between two starts."),
    TEXT("zone", "Time zone of cron."),
    TEXT("words", "When, in words."),
    MAYBE("step", "The step that starts."),
    MAYBE("pipeline", "The pipeline that starts."),
    {.name = "params",
     .type = FIELD_TYPE_OBJECT,
     .help = "Parameters of the step, or inputs of the pipeline; secrets are null."},
    MAYBE("queue", "Queue of the jobs; null: the step's own."),
    INT("priority", "Higher runs first."),
    INT("attempts", "How often a job is tried; 0: as the step says."),
    INT("timeout_ms", "Wall-clock limit of one attempt; 0: as the step says."),
    TEXT("missed", "What becomes of missed times: skip, once or all."),
    INT("make_up_max", "How many missed times are made up at most."),
    TEXT("overlap", "When the job before has not ended: allow, skip, queue or cancel."),
    INT("jitter_ms", "Start up to this much later, at random."),
    MAYBE_TIME("start", "Not before this time."),
    MAYBE_TIME("end", "Not after this time."),
    BOOL("paused", "It starts nothing."),
    MAYBE("declared_by", "The pipeline that declares it; null: somebody made it."),
    TIME("created", "When it was made."),
    TIME("changed", "When it was last changed."),
    MAYBE_TIME("next", "When it starts next; null: never again, or paused."),
    MAYBE_TIME("last_time", "The last time that is done."),
    MAYBE_TIME("last_fired", "When it last started a job."),
    MAYBE("last_job", "That job, job_…."),
    INT("fired", "Jobs it has started."),
    INT("skipped", "Times that started nothing."),
    MAYBE_TIME("last_skipped", "When that last happened."),
    MAYBE("skip_reason", "And why."),
    {0},
};
static const Field schedule_list_fields[] = {
    LIST("schedules", schedule_fields, "All of the project, by name."), {0}};
static const Field preview_time_fields[] = {
    TIME("time", "In UTC."),
    TEXT("local", "On the clock of the zone."),
    {0},
};
static const Field preview_fields[] = {
    TEXT("cron", "When."),
    TEXT("zone", "Time zone."),
    TEXT("words", "When, in words."),
    LIST("times", preview_time_fields, "The next times."),
    {0},
};

static const Field dead_fields[] = {
    ID("id", "Id of the task, task_…."),
    ID("job", "Id of its job."),
    TEXT("step", "Name of the step."),
    TEXT("queue", "Queue it was in."),
    TIME("died", "When it was given up."),
    INT("attempts", "Attempts made."),
    TEXT("reason", "Why: a stable code."),
    TEXT("detail", "What happened."),
    {0},
};
static const Field dead_list_fields[] = {
    LIST("dead_letters", dead_fields, "Newest first."), NEXT, {0}};
static const Field count_fields[] = {INT("count", "How many were changed."), {0}};

static const Field queue_setting_fields[] = {
    BOOL("paused", "Nothing starts; what runs ends."),
    BOOL("draining", "New jobs are refused; what is there runs."),
    INT("concurrency", "At most so many run at once; 0: no limit."),
    INT("rate", "At most so many start in rate_window_ms; 0: no limit."),
    INT("key_rate", "The same for one concurrency key."),
    INT("rate_window_ms", "The time that the rates count in."),
    INT("weight", "Share of the project among those that wait."),
    INT("retention_ms", "How long ended jobs are kept; 0: as the server says, -1: for ever."),
    INT("runners", "Tasks at once in this server; 0: as it was started."),
    {0},
};
const Field queue_fields[] = {
    TEXT("name", "Name of the queue."),
    INT("ready", "Tasks that could start now."),
    INT("delayed", "Tasks that wait for their time."),
    INT("blocked", "Tasks that wait for others of their concurrency key."),
    INT("leased", "Tasks that run."),
    INT("dead", "Dead letters."),
    INT("oldest_ms", "Age of the oldest ready task."),
    BOOL("paused", "Nothing of your project starts."),
    BOOL("draining", "New jobs of your project are refused."),
    {.name = "settings",
     .type = FIELD_TYPE_OBJECT,
     .items = queue_setting_fields,
     .optional = true,
     .help = "What is set for your project."},
    {.name = "settings_for_all",
     .type = FIELD_TYPE_OBJECT,
     .items = queue_setting_fields,
     .optional = true,
     .help = "What is set for all projects; both hold."},
    {.name = "lately",
     .type = FIELD_TYPE_OBJECT,
     .items = lately_fields,
     .optional = true,
     .help = "What it did in the last minutes; missing when nothing ran."},
    {0},
};
static const Field queue_list_fields[] = {
    LIST("queues", queue_fields, "All queues with tasks, dead letters or settings."), {0}};

const Field check_fields[] = {
    TEXT("name", "What was checked."),
    BOOL("ok", "Whether it is well."),
    TEXT("detail", "What was found."),
    {0},
};
static const Choice health_states[] = {
    {"ok", "All is well."}, {"degraded", "A check failed."}, {0}};
static const Field health_fields[] = {
    {.name = "status",
     .type = FIELD_TYPE_TEXT,
     .choices = health_states,
     .help = "The sum of the checks."},
    LIST("checks", check_fields, "Each with what was found."),
    MAYBE_TEXT("version", "Version of platen."),
    {.name = "uptime_s", .type = FIELD_TYPE_INT, .optional = true, .help = "Seconds since start."},
    {0},
};

static const Field fault_fields[] = {
    TEXT("param", "Parameter at fault, as it was written; of a pipeline the place in it."),
    {.name = "line",
     .type = FIELD_TYPE_INT,
     .optional = true,
     .help = "Line of a pipeline's text, when it is known."},
    TEXT("detail", "What is wrong with it."),
    {0},
};
static const Field problem_fields[] = {
    TEXT("type", "about:blank, or a link that says more."),
    TEXT("title", "What the reason means."),
    INT("status", "HTTP status."),
    TEXT("reason", "Stable code of why it failed."),
    TEXT("detail", "What happened, with the value."),
    TEXT("hint", "What to do."),
    TEXT("trace", "Correlation id."),
    MAYBE_TEXT("param", "Parameter at fault."),
    {.name = "errors",
     .type = FIELD_TYPE_LIST,
     .items = fault_fields,
     .optional = true,
     .help = "All faults, when there are several."},
    {0},
};

static const Field choice_fields[] = {
    TEXT("name", "The value."), MAYBE_TEXT("help", "What it means."), {0}};
static const Field limit_fields[] = {
    MAYBE_INT("time_ms", "Wall clock."),
    MAYBE_INT("cpu_ms", "Computing time."),
    MAYBE_INT("memory_bytes", "Memory."),
    MAYBE_INT("output_bytes", "Size of one output."),
    {0},
};
static const Field param_fields[] = {
    TEXT("name", "Name of the parameter."),
    TEXT("type", "One of int, number, bool, text, choice, list, json."),
    MAYBE_BOOL("required", "It has to be given."),
    MAYBE_BOOL("secret", "It is never shown."),
    MAYBE_TEXT("help", "What it does."),
    MAYBE_TEXT("unit", "Unit of its value."),
    MAYBE_TEXT("example", "A value."),
    MAYBE_TEXT("since", "Version that brought it."),
    MAYBE_TEXT("replaced_by", "Use this one instead."),
    MAYBE_ANY("min", "Least value."),
    MAYBE_ANY("max", "Greatest value."),
    MAYBE_INT("max_len", "Most bytes of a text, or items of a list."),
    MAYBE_LIST("choices", choice_fields, "The values it takes."),
    MAYBE_ANY("default", "Its value when it is not given."),
    {0},
};
static const Field data_fields[] = {
    TEXT("name", "Name of the field."),
    TEXT("type", "One of int, number, bool, text, list, object, any."),
    MAYBE_TEXT("help", "What it says."),
    MAYBE_BOOL("optional", "It may be missing."),
    MAYBE_BOOL("nullable", "It may be null."),
    MAYBE_TEXT("format", "As JSON Schema names it."),
    MAYBE_LIST("choices", choice_fields, "The values it has."),
    MAYBE_ANY("items", "Fields of its members."),
    {0},
};
static const Field example_fields[] = {
    TEXT("title", "What it shows."),
    MAYBE_TEXT("input", "A file of samples/."),
    MAYBE_ANY("args", "Its parameters."),
    MAYBE_TEXT("expect", "What must come out."),
    {0},
};
static const Field step_fields[] = {
    TEXT("name", "Name of the step, noun.verb."),
    MAYBE_TEXT("title", "The same for people."),
    MAYBE_TEXT("summary", "What it does, in a sentence."),
    MAYBE_TEXT("since", "Version that brought it."),
    MAYBE_TEXT("accepts", "Media types of its input; missing: it takes no file."),
    MAYBE_TEXT("returns", "Media types of its outputs."),
    MAYBE_INT("inputs_max", "Most files at once, when more than one."),
    MAYBE_BOOL("input_optional", "It also runs without a file."),
    MAYBE_INT("version", "Rises when the same input gives another result."),
    MAYBE_BOOL("cacheable", "Its result depends on parameters and input alone."),
    MAYBE_BOOL("internal", "For tests."),
    MAYBE_TEXT("engine", "Engine that runs it; missing: built in."),
    MAYBE_TEXT("calls", "Steps it may call in turn."),
    MAYBE_TEXT("outside", "Done by outside workers: the parameter that names the queue."),
    MAYBE_INT("concurrency", "How many of it run at once; missing: as many as there are runners."),
    MAYBE_INT("attempts", "How often it is tried."),
    {.name = "limits",
     .type = FIELD_TYPE_OBJECT,
     .optional = true,
     .items = limit_fields,
     .help = "What one attempt may use."},
    MAYBE_LIST("params", param_fields, "Its parameters."),
    MAYBE_LIST("data", data_fields, "Fields of its result."),
    {.name = "errors",
     .type = FIELD_TYPE_LIST,
     .optional = true,
     .help = "Reasons it may fail with, besides the general ones."},
    MAYBE_LIST("examples", example_fields, "Examples, which are run as tests."),
    {0},
};

static const Field step_list_fields[] = {
    {.name = "steps", .type = FIELD_TYPE_LIST, .items = step_fields, .help = "All steps, by name."},
    {0},
};

static const Choice node_states[] = {
    {"pending", "Has not begun."},
    {"running", "Its jobs run or wait for a worker."},
    {"waiting", "Waits for somebody or something."},
    {"done", "Ended with a result."},
    {"failed", "Ended without one."},
    {"skipped", "Its condition was false."},
    {"omitted", "It needs one that failed."},
    {"canceled", "Was cancelled."},
    {0},
};
static const Choice node_kinds[] = {
    {"step", "Runs a step."}, {"call", "Runs another pipeline."}, {"wait", "Waits."}, {0}};
static const Choice node_sections[] = {{"steps", "Runs in any case."},
                                       {"on-failure", "Runs when a step has failed."},
                                       {"finally", "Runs at the end in any case."},
                                       {0}};
#define NODE_FIELDS                                                                                \
    TEXT("id", "Its name in the pipeline."),                                                       \
        {.name = "kind", .type = FIELD_TYPE_TEXT, .choices = node_kinds, .help = "What it does."}, \
        TEXT("uses", "The step, the pipeline, or what it waits for."),                             \
        {.name = "state",                                                                          \
         .type = FIELD_TYPE_TEXT,                                                                  \
         .choices = node_states,                                                                   \
         .help = "How it stands."},                                                                \
        {.name = "section",                                                                        \
         .type = FIELD_TYPE_TEXT,                                                                  \
         .choices = node_sections,                                                                 \
         .help = "When it runs."},                                                                 \
        {.name = "needs", .type = FIELD_TYPE_LIST, .help = "Nodes that end before it begins."},    \
        MAYBE_TIME("started", "When it began."), MAYBE_TIME("finished", "When it ended."),         \
        MAYBE_TIME("due", "When a wait ends by itself."), INT("total", "Its jobs in all."),        \
        INT("ended", "Its jobs that ended."), INT("failed", "Its jobs that failed."),              \
        MAYBE_TEXT("child", "Its job, when there is one only."),                                   \
        {.name = "began",                                                                          \
         .type = FIELD_TYPE_TEXT,                                                                  \
         .format = "date-time",                                                                    \
         .nullable = true,                                                                         \
         .optional = true,                                                                         \
         .help = "When that job's first attempt began: before, it was queued."},                   \
        {.name = "attempts",                                                                       \
         .type = FIELD_TYPE_INT,                                                                   \
         .optional = true,                                                                         \
         .help = "Attempts of that job."},                                                         \
        BOOL("many", "One job per item: foreach or matrix."),                                      \
        BOOL("reused", "The result of an earlier run was taken."),                                 \
        BOOL("optional", "The job does not fail when it does."),                                   \
        MAYBE_TEXT("reason", "Why it failed: a stable code."),                                     \
        MAYBE_TEXT("detail", "What happened."),                                                    \
        MAYBE_TEXT("who", "Of an approval: the least role that may."),                             \
        MAYBE_ANY("data", "What a wait gave."),                                                    \
        MAYBE_LIST("usage", usage_fields, "What it has used so far."),                             \
    {                                                                                              \
        .name = "progress", .type = FIELD_TYPE_OBJECT, .optional = true, .items = progress_fields, \
        .help = "How far its job is, while it runs."                                               \
    }

static const Field called_node_fields[] = {NODE_FIELDS, {0}};
static const Field node_fields[] = {
    NODE_FIELDS, MAYBE_LIST("nodes", called_node_fields, "Nodes of the pipeline it calls."), {0}};
static const Field node_list_fields[] = {
    LIST("nodes", node_fields, "In the order of the definition."), {0}};

#define PIPELINE_FIELDS                                                                            \
    TEXT("name", "Its name."), INT("version", "This version; 0: it is not stored."),               \
        INT("versions", "The newest version."),                                                    \
        TEXT("title", "The same for people; may be empty."),                                       \
        TEXT("summary", "What it does, in a sentence; may be empty."),                             \
        BOOL("built_in", "It comes with platen."),                                                 \
        MAYBE_TIME("created", "When its first version was stored."),                               \
        MAYBE_TIME("changed", "When this version was stored."),                                    \
        TEXT("hash", "SHA-256 of the definition; may be empty.")

static const Field pipeline_info_fields[] = {PIPELINE_FIELDS, {0}};
static const Field file_input_fields[] = {
    TEXT("name", "Name of the input."),
    TEXT("help", "What it is for; may be empty."),
    TEXT("accepts", "Media types joined by commas; empty: any."),
    BOOL("required", "It has to be given."),
    BOOL("many", "It takes several files."),
    {0},
};
static const Field pipeline_fields[] = {
    PIPELINE_FIELDS,
    {.name = "contract",
     .type = FIELD_TYPE_OBJECT,
     .items = step_fields,
     .help = "Its inputs that are values, in the words of a step's contract."},
    LIST("files", file_input_fields, "Its inputs that are files."),
    {.name = "schema", .type = FIELD_TYPE_OBJECT, .help = "All inputs as JSON Schema."},
    {.name = "definition", .type = FIELD_TYPE_OBJECT, .help = "The definition as JSON."},
    {0},
};
static const Field pipeline_list_fields[] = {
    LIST("pipelines", pipeline_info_fields, "By name, with their newest version."), {0}};
static const Field pipeline_versions_fields[] = {
    LIST("versions", pipeline_info_fields, "Newest first."), {0}};
const Field approval_fields[] = {
    ID("job", "Id of the job that waits."),          TEXT("pipeline", "Name of its pipeline."),
    INT("version", "Version of the pipeline."),      TEXT("node", "The step that waits."),
    TEXT("who", "The least role that may approve."), TIME("since", "When it began to wait."),
    MAYBE_TIME("due", "When it ends by itself."),    {0},
};
static const Field approval_list_fields[] = {
    LIST("approvals", approval_fields, "Oldest jobs first."), NEXT, {0}};
static const Field change_fields[] = {
    TEXT("kind", "One of added, removed, changed."),
    TEXT("path", "Where in the definition."),
    MAYBE_ANY("from", "What it was."),
    MAYBE_ANY("to", "What it is."),
    {0},
};
static const Field pipeline_diff_fields[] = {
    TEXT("name", "Name of the pipeline."),
    INT("from", "The one version."),
    INT("to", "The other."),
    LIST("changes", change_fields, "In the order of paths; empty when they are equal."),
    {0},
};

static const Field trigger_fields[] = {
    ID("id", "Its name: PIPELINE.NAME."),
    TEXT("pipeline", "The pipeline that declares it."),
    TEXT("kind", "Kind: event, pipeline, webhook, folder or schedule."),
    BOOL("paused", "It starts nothing."),
    BOOL("built_in", "It comes with platen and was never turned on here."),
    {.name = "spec", .type = FIELD_TYPE_OBJECT, .help = "As it is declared."},
    MAYBE("path", "Address of a webhook, for editors."),
    MAYBE("secret", "What messages of a webhook are signed with, for editors."),
    INT("fired", "How many jobs it has started."),
    MAYBE_TIME("last", "When it last had something to do."),
    MAYBE("last_job", "The job it started last."),
    MAYBE("fault", "Why it could not start a job the last time."),
    MAYBE_TIME("created", "When it was made."),
    {0},
};
static const Field trigger_list_fields[] = {
    LIST("triggers", trigger_fields, "By pipeline and name."),
    {0},
};
static const Field hooked_fields[] = {
    MAYBE("job", "The job; null when the trigger's condition was false."),
    {0},
};

const SchemaName api_schemas[] = {
    {"Problem", "Why a request failed (RFC 9457).", problem_fields},
    {"File", "A file of a job.", file_fields},
    {"Job", "One execution of a step, or a batch of them.", job_fields},
    {"ItemList", "A page of a batch's items.", item_list_fields},
    {"JobSummary", "A job without its files and data.", job_summary_fields},
    {"JobList", "A page of jobs.", job_list_fields},
    {"Event", "One line of a job's history.", event_fields},
    {"EventList", "Events of a job.", event_list_fields},
    {"Happening", "One thing that happened in the project.", happening_fields},
    {"HappeningList", "What happened, in order.", happening_list_fields},
    {"Webhook", "An address that hears of events.", webhook_fields},
    {"NewWebhook", "A webhook with its new secret.", new_webhook_fields},
    {"WebhookList", "All webhooks.", webhook_list_fields},
    {"Delivery", "A message to a webhook, with what came of it.", delivery_fields},
    {"DeliveryList", "A page of messages.", delivery_list_fields},
    {"Diagnosis", "Why a job is as it is.", diagnosis_fields},
    {"Blob", "Bytes that were uploaded.", blob_fields},
    {"Document", "A named file of the project.", document_fields},
    {"DocumentList", "A page of documents.", document_list_fields},
    {"DocumentVersions", "Contents of a document, the current one and earlier ones.",
     document_version_list_fields},
    {"TagList", "Tags of documents.", tag_list_fields},
    {"FileList", "A page of what was uploaded and made.", any_file_list_fields},
    {"PreviewInfo", "What a file is.", preview_info_fields},
    {"FileUses", "What was made from a file, and what made it.", file_uses_fields},
    {"Key", "An API key, without the key.", key_fields},
    {"KeyList", "All keys.", key_list_fields},
    {"NewKey", "An API key, shown once.", new_key_fields},
    {"Session", "Who is asking.", session_fields},
    {"Push", "Browsers that hear of events.", push_fields},
    {"PushBrowser", "A browser that hears of events.", push_browser_fields},
    {"Secret", "A secret, without its value.", secret_fields},
    {"SecretList", "All secrets, without their values.", secret_list_fields},
    {"Schedule", "What starts a step or a pipeline by the clock.", schedule_fields},
    {"ScheduleList", "All schedules.", schedule_list_fields},
    {"Preview", "The next times of a schedule.", preview_fields},
    {"Trigger", "What starts a pipeline from outside.", trigger_fields},
    {"TriggerList", "All triggers.", trigger_list_fields},
    {"Hooked", "What a webhook started.", hooked_fields},
    {"DeadLetter", "A task that used up its attempts.", dead_fields},
    {"DeadLetterList", "A page of dead letters.", dead_list_fields},
    {"Count", "How many were changed.", count_fields},
    {"PipelineInfo", "A version of a pipeline.", pipeline_info_fields},
    {"Pipeline", "A version of a pipeline with its inputs.", pipeline_fields},
    {"PipelineList", "All pipelines.", pipeline_list_fields},
    {"PipelineVersions", "All versions of a pipeline.", pipeline_versions_fields},
    {"PipelineDiff", "What differs between two versions.", pipeline_diff_fields},
    {"Approval", "Somebody is waited for.", approval_fields},
    {"PipelineLanguage", "What may stand in a pipeline, for editors.", language_fields},
    {"ApprovalList", "What waits for somebody.", approval_list_fields},
    {"Node", "How a step of a pipeline stands.", node_fields},
    {"NodeList", "The nodes of a pipeline's job.", node_list_fields},
    {"Queue", "A queue, its tasks and what is set for it.", queue_fields},
    {"QueueList", "Queues and their tasks.", queue_list_fields},
    {"BulkAnswer", "Jobs that were added, and those that were not.", bulk_fields},
    {"LeasedTasks", "Tasks that a worker leased.", lease_fields},
    {"TaskAnswer", "What a worker said is on disk.", task_answer_fields},
    {"QueueHandler", "Who does the tasks of a queue.", handler_fields},
    {"Bridge", "A bridge to a queue of Cloudflare's.", bridge_fields},
    {"BridgeList", "All bridges.", bridge_list_fields},
    {"BridgeCheck", "A bridge that fits.", bridge_check_fields},
    {"UsageReport", "What was used.", usage_report_fields},
    {"QueueHistory", "What a queue did in the last hour or day.", queue_history_fields},
    {"System", "What the server is made of, and how it is.", system_fields},
    {"Overview", "How the project stands.", overview_fields},
    {"Health", "Whether the server is well.", health_fields},
    {"Step", "A step's contract.", step_fields},
    {"StepList", "All contracts.", step_list_fields},
    {"FormerAccepted", "A job, as the earlier documents worker showed it.", former_accepted_fields},
    {"FormerJob", "A job with its result, in the same way.", former_job_fields},
    {"FormerText", "Text of a document.", former_text_fields},
    {"FormerOcr", "Text of a picture or scan.", former_ocr_fields},
    {"FormerPages", "Text of a document, page by page.", former_pages_fields},
    {"FormerStats", "Counts of tasks.", former_stats_fields},
    {0},
};

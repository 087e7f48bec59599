/* What the routes of figures answer. */
#include "api/figures.h"
#include "api/fields.h"

static const Field usage_row_fields[] = {
    {.name = "day",
     .type = FIELD_TYPE_TEXT,
     .format = "date",
     .optional = true,
     .help = "With by=day: the day in the zone."},
    MAYBE_TEXT("step", "By steps: its name; empty when it is not known any more."),
    MAYBE_TEXT("pipeline", "By pipelines: its name; empty for jobs of no pipeline."),
    MAYBE_TEXT("key", "By keys: its id; empty for what no key asked for, as schedules do."),
    MAYBE_TEXT("key_name", "By keys: what it is called."),
    TEXT("unit", "What is counted: pages, images, tokens …"),
    INT("amount", "How much of it."),
    INT("count", "By how many attempts."),
    {0},
};

const Field usage_report_fields[] = {
    TIME("since", "From this hour on."),
    TIME("until", "Until then."),
    TEXT("zone", "Time zone of the days."),
    TEXT("by", "What rows are told apart by."),
    TEXT("cost_unit", "The unit in which costs are counted: millionths of a US dollar."),
    LIST("rows", usage_row_fields, "What was used."),
    {0},
};

#define POINT                                                                                      \
    INT("started", "Attempts that began."), INT("ended", "Attempts that ended."),                  \
        INT("failed", "Those of them that ended without a result."),                               \
        NULL_INT("depth", "Tasks that might start; null when nobody looked."),                     \
        NULL_INT("wait_p50_ms", "Half of the attempts waited no longer before they began."),       \
        NULL_INT("wait_p95_ms", "95 of 100 waited no longer."),                                    \
        NULL_INT("run_p50_ms", "Half of the attempts ran no longer."),                             \
        NULL_INT("run_p95_ms", "95 of 100 ran no longer.")

const Field lately_fields[] = {INT("minutes", "How many minutes."), POINT, {0}};

static const Field point_fields[] = {TIME("time", "When it begins."), POINT, {0}};
static const Field step_point_fields[] = {TEXT("step", "Name of the step."), POINT, {0}};

const Field queue_history_fields[] = {
    TEXT("queue", "Name of the queue."),
    TEXT("span", "How far back: hour or day."),
    INT("bucket_ms", "How long each point is."),
    LIST("points", point_fields,
         "Oldest first, the current one last; kept in memory, so none is older than the server's "
         "start."),
    {0},
};

static const Field failed_job_fields[] = {
    TEXT("id", "Id of the job, job_…."),
    TEXT("step", "Name of its step."),
    MAYBE_TEXT("pipeline", "Of a pipeline's job: its name."),
    TIME("finished", "When it ended."),
    TEXT("detail", "What happened, in a sentence."),
    {0},
};
static const Field failed_reason_fields[] = {
    TEXT("reason", "Why: a stable code."),
    TEXT("meaning", "What the code means."),
    TEXT("remedy", "What to do."),
    INT("count", "How many jobs."),
    LIST("jobs", failed_job_fields, "The newest of them, three at most."),
    {0},
};
static const Field failed_fields[] = {
    TIME("since", "Jobs created from then on."),
    INT("count", "How many failed."),
    BOOL("more", "There are others, older ones; the newest 500 are told."),
    LIST("reasons", failed_reason_fields, "The one that came last is first."),
    {0},
};
static const Field used_fields[] = {
    TEXT("unit", "What is counted."),
    INT("amount", "How much of it."),
    INT("count", "By how many attempts."),
    {0},
};
static const Field waiting_fields[] = {
    INT("count", "How many, counted up to 100."),
    BOOL("more", "There are others."),
    LIST("oldest", approval_fields, "Of the oldest jobs, five at most."),
    {0},
};
static const Field few_fields[] = {
    INT("count", "How many, counted up to 1000."),
    BOOL("more", "There are others."),
    {0},
};

const Field overview_fields[] = {
    TIME("time", "When this was read."),
    TIME("started", "When the server started: points and steps know nothing older."),
    INT("bucket_ms", "How long each point is."),
    LIST("points", point_fields, "All queues together, by the minute, oldest first."),
    LIST("steps", step_point_fields, "What steps ran in the last hour."),
    INT("free_bytes", "Free bytes where the data is; -1 when unknown."),
    BOOL("disk_low", "So few that work may fail soon."),
    LIST("running", job_summary_fields, "Jobs that run, newest first, twelve at most."),
    BOOL("running_more", "There are others."),
    OBJECT("failed", failed_fields, "What failed in the last 24 hours."),
    LIST("queues", queue_fields, "All queues."),
    TEXT("cost_unit", "The unit in which costs are counted: millionths of a US dollar."),
    LIST("usage", used_fields, "What was used today."),
    OBJECT("approvals", waiting_fields, "Steps of pipelines that wait for somebody."),
    OBJECT("dead_letters", few_fields, "Tasks that used up their attempts."),
    OBJECT("documents", few_fields, "Documents of the project."),
    BOOL("empty", "Nothing has run here and there are no documents."),
    {0},
};

static const Field build_fields[] = {
    TEXT("compiler", "What the server was built with."),
    TEXT("database", "What keeps its data."),
    TEXT("crypto", "What encrypts and hashes."),
    TEXT("kernel", "What it runs on."),
    TEXT("machine", "Kind of processor."),
    {0},
};
static const Field data_fields[] = {
    INT("database_bytes", "Size of the database."),
    INT("wal_bytes", "Size of its write-ahead log."),
    INT("free_bytes", "Free bytes where the data is; -1 when unknown."),
    INT("schema", "Version of the database's schema."),
    INT("sync_us", "Microseconds until a commit is on disk, on average since the start."),
    {0},
};
static const Field work_fields[] = {
    INT("running", "Tasks that run with a runner."),
    INT("waiting", "Tasks that were taken and wait for a runner."),
    INT("done", "Attempts that ended with a result since the start."),
    INT("failed", "Attempts that ended without one."),
    INT("lost", "Attempts whose worker disappeared."),
    INT("queues", "Queues that are served."),
    INT("runners", "Threads that run tasks."),
    {0},
};
static const Field last_failure_fields[] = {
    TIME("time", "When."),
    TEXT("reason", "Why: a stable code."),
    TEXT("meaning", "What the code means."),
    TEXT("remedy", "What to do."),
    {0},
};
static const Choice engine_states[] = {
    {"warm", "Its process runs and waits for tasks."},
    {"idle", "It starts with its first task."},
    {"broken", "It cannot be used; problem says why."},
    {0},
};
static const Field engine_fields[] = {
    TEXT("name", "Name of the engine."),
    TEXT("version", "Its version."),
    {.name = "state", .type = FIELD_TYPE_TEXT, .choices = engine_states, .help = "How it stands."},
    MAYBE_TEXT("problem", "Why it cannot be used, or did not start."),
    BOOL("kept_warm", "A process of it is kept ready; others are started for each task."),
    INT("steps", "Steps that it offers."),
    INT("tasks", "Tasks it has run since the start."),
    INT("failures", "Those of them that ended without a result."),
    INT("restarts", "How often its process had to be started again."),
    INT("processes", "Its processes now: the one kept ready, residents, tasks."),
    INT("resident_bytes", "Memory of the one kept ready."),
    {.name = "last_failure",
     .type = FIELD_TYPE_OBJECT,
     .items = last_failure_fields,
     .optional = true,
     .help = "Of its last task that ended without a result."},
    {0},
};
static const Choice verdicts[] = {
    {"ok", "It is there."},
    {"note", "It is missing, and another layer stands in for it."},
    {"bad", "It is missing, and engines need it."},
    {0},
};
static const Field layer_fields[] = {
    TEXT("layer", "What it is called."),
    {.name = "verdict", .type = FIELD_TYPE_TEXT, .choices = verdicts, .help = "Is it there?"},
    TEXT("found", "What was found."),
    TEXT("meaning", "What the layer is for."),
    {0},
};
static const Choice alert_levels[] = {
    {"error", "Something does not work."}, {"warn", "Something may need a look."}, {0}};
static const Field alert_fields[] = {
    TEXT("event", "What happened: a stable code."),
    {.name = "level", .type = FIELD_TYPE_TEXT, .choices = alert_levels, .help = "How bad it is."},
    TIME("time", "When it was seen last."),
    TIME("first", "When it was seen first."),
    INT("count", "How often."),
    TEXT("subject", "The engine, queue, webhook … that it is about; may be empty."),
    TEXT("detail", "What was said; may be empty."),
    TEXT("meaning", "What the code means."),
    TEXT("remedy", "What to do; may be empty."),
    {0},
};

const Field system_fields[] = {
    TEXT("version", "Version of platen."),
    TIME("started", "When the server started."),
    INT("processors", "Processors of the machine."),
    INT("resident_bytes", "Memory of the server, engines not included."),
    OBJECT("build", build_fields, "What it is built with and runs on."),
    {.name = "data",
     .type = FIELD_TYPE_OBJECT,
     .items = data_fields,
     .optional = true,
     .help = "Sizes of the data, for the first project only."},
    OBJECT("work", work_fields, "What the dispatcher does."),
    LIST("checks", check_fields, "Those of /health."),
    LIST("engines", engine_fields, "All engines."),
    LIST("sandbox", layer_fields, "What encloses the engines, layer by layer."),
    LIST("alerts", alert_fields, "What stands now, then what was logged, newest first."),
    {0},
};

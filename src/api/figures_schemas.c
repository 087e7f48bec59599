/* What the routes of figures answer. */
#include "api/figures.h"

#define TEXT(field, what)                                                                          \
    {                                                                                              \
        .name = field, .type = FIELD_TYPE_TEXT, .help = what                                       \
    }
#define MAYBE_TEXT(field, what)                                                                    \
    {                                                                                              \
        .name = field, .type = FIELD_TYPE_TEXT, .help = what, .optional = true                     \
    }
#define INT(field, what)                                                                           \
    {                                                                                              \
        .name = field, .type = FIELD_TYPE_INT, .help = what                                        \
    }
#define BOOL(field, what)                                                                          \
    {                                                                                              \
        .name = field, .type = FIELD_TYPE_BOOL, .help = what                                       \
    }
#define MAYBE_INT(field, what)                                                                     \
    {                                                                                              \
        .name = field, .type = FIELD_TYPE_INT, .nullable = true, .help = what                      \
    }
#define OBJECT(field, of, what)                                                                    \
    {                                                                                              \
        .name = field, .type = FIELD_TYPE_OBJECT, .items = of, .help = what                        \
    }
#define TIME(field, what)                                                                          \
    {                                                                                              \
        .name = field, .type = FIELD_TYPE_TEXT, .format = "date-time", .help = what                \
    }
#define LIST(field, of, what)                                                                      \
    {                                                                                              \
        .name = field, .type = FIELD_TYPE_LIST, .items = of, .help = what                          \
    }

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
        MAYBE_INT("depth", "Tasks that might start; null when nobody looked."),                    \
        MAYBE_INT("wait_p50_ms", "Half of the attempts waited no longer before they began."),      \
        MAYBE_INT("wait_p95_ms", "95 of 100 waited no longer."),                                   \
        MAYBE_INT("run_p50_ms", "Half of the attempts ran no longer."),                            \
        MAYBE_INT("run_p95_ms", "95 of 100 ran no longer.")

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

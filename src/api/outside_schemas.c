/* What the routes of outside work and of bulk enqueue answer. */
#include "api/outside.h"

#define TEXT(field, what)                                                                          \
    {                                                                                              \
        .name = field, .type = FIELD_TYPE_TEXT, .help = what                                       \
    }
#define INT(field, what)                                                                           \
    {                                                                                              \
        .name = field, .type = FIELD_TYPE_INT, .help = what                                        \
    }

static const Field input_fields[] = {
    TEXT("name", "Name of the file."),
    TEXT("type", "Media type; empty when unknown."),
    INT("bytes", "Size."),
    TEXT("blob", "SHA-256 of its bytes."),
    {0},
};

static const Field leased_fields[] = {
    TEXT("id", "Id of the task, task_…."),
    TEXT("job", "Id of its job, job_…."),
    TEXT("queue", "The queue it stands in."),
    INT("attempt", "Which attempt this is: answers name it."),
    INT("max_attempts", "Attempts allowed."),
    INT("priority", "Higher comes first."),
    {.name = "payload", .type = FIELD_TYPE_ANY, .help = "What was sent to the queue."},
    {.name = "created",
     .type = FIELD_TYPE_TEXT,
     .format = "date-time",
     .help = "When it was sent."},
    {.name = "lease_until",
     .type = FIELD_TYPE_TEXT,
     .format = "date-time",
     .help = "Until when it is this worker's."},
    TEXT("trace", "Correlation id: it is on every log line of the job."),
    {.name = "inputs",
     .type = FIELD_TYPE_LIST,
     .items = input_fields,
     .help = "Its files: GET /api/v1/jobs/{job}/inputs/{index} gives the bytes."},
    {0},
};

const Field lease_fields[] = {
    {.name = "tasks",
     .type = FIELD_TYPE_LIST,
     .items = leased_fields,
     .help = "The tasks leased, best first; none when there was nothing in time."},
    {0},
};

const Field task_answer_fields[] = {
    TEXT("id", "Id of the task."),
    TEXT("job", "Id of its job."),
    INT("attempt", "The attempt that was answered for."),
    {.name = "lease_until",
     .type = FIELD_TYPE_TEXT,
     .format = "date-time",
     .nullable = true,
     .help = "Until when it is this worker's; null when it has ended."},
    {0},
};

static const Choice handler_kinds[] = {
    {"workers", "Programs lease the tasks."},
    {"push", "This server sends each task to an address."},
    {"bridge", "A bridge hands the tasks on."},
    {0},
};
const Field handler_fields[] = {
    TEXT("queue", "The queue."),
    {.name = "kind",
     .type = FIELD_TYPE_TEXT,
     .choices = handler_kinds,
     .help = "Who does its tasks."},
    {.name = "url", .type = FIELD_TYPE_TEXT, .optional = true, .help = "Where tasks are sent."},
    {.name = "concurrency",
     .type = FIELD_TYPE_INT,
     .optional = true,
     .help = "How many are sent at once."},
    {.name = "timeout_ms",
     .type = FIELD_TYPE_INT,
     .optional = true,
     .help = "How long an answer may take."},
    {.name = "secret",
     .type = FIELD_TYPE_TEXT,
     .optional = true,
     .help = "What tasks are signed with: shown only when platen has just made it."},
    {0},
};

static const Field fault_fields[] = {
    TEXT("param", "The parameter at fault."), TEXT("detail", "What is wrong with it."), {0}};
static const Field bulk_problem_fields[] = {
    TEXT("reason", "Why it was not added: a stable code."),
    TEXT("detail", "What is wrong, in a sentence."),
    {.name = "errors",
     .type = FIELD_TYPE_LIST,
     .optional = true,
     .items = fault_fields,
     .help = "All parameters at fault."},
    {0},
};
static const Field bulk_job_fields[] = {
    {.name = "id", .type = FIELD_TYPE_TEXT, .optional = true, .help = "Id of the job, job_…."},
    {.name = "problem",
     .type = FIELD_TYPE_OBJECT,
     .optional = true,
     .items = bulk_problem_fields,
     .help = "Why there is none."},
    {0},
};
const Field bulk_fields[] = {
    {.name = "jobs",
     .type = FIELD_TYPE_LIST,
     .items = bulk_job_fields,
     .help = "One for each job of the request, in its order."},
    {0},
};

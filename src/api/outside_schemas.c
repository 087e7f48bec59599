/* What the routes of outside work and of bulk enqueue answer. */
#include "api/outside.h"
#include "api/fields.h"

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

static const Choice directions[] = {
    {"in", "Their messages become jobs here."},
    {"out", "Tasks of a queue here become their messages."},
    {0},
};
static const Field bridge_status_fields[] = {
    {.name = "ok", .type = FIELD_TYPE_BOOL, .help = "Its last round went well."},
    {.name = "at",
     .type = FIELD_TYPE_TEXT,
     .format = "date-time",
     .nullable = true,
     .help = "When that was; null before the first."},
    MAYBE_TEXT("reason", "Why it did not: a stable code."),
    MAYBE_TEXT("detail", "What happened, in a sentence."),
    MAYBE_TEXT("hint", "What to do."),
    INT("messages", "Messages taken or sent since the server started."),
    INT("dead_letters", "Messages that became dead letters here since then."),
    {0},
};
const Field bridge_fields[] = {
    TEXT("name", "What it is called."),
    {.name = "direction",
     .type = FIELD_TYPE_TEXT,
     .choices = directions,
     .help = "Which way work goes."},
    TEXT("account", "Id of the account."),
    TEXT("remote", "Id of their queue."),
    MAYBE_TEXT("dead_remote", "Id of their dead letter queue."),
    TEXT("token_env", "Variable of the server's environment that holds the token."),
    MAYBE_TEXT("queue", "The queue here."),
    MAYBE_TEXT("step", "The step that messages are run with."),
    MAYBE_TEXT("base_url", "Address of the API."),
    INT("poison", "How often a message may come that cannot be taken."),
    {.name = "status",
     .type = FIELD_TYPE_OBJECT,
     .items = bridge_status_fields,
     .help = "How it goes."},
    {0},
};
const Field bridge_list_fields[] = {
    {.name = "bridges", .type = FIELD_TYPE_LIST, .items = bridge_fields, .help = "By name."}, {0}};
const Field bridge_check_fields[] = {
    TEXT("name", "What the bridge is called."),
    TEXT("remote_name", "What their queue is called."),
    {0},
};

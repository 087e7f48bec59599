#include "api/operations.h"
#include "api/call.h"
#include "api/params.h"
#include "api/routes.h"
#include "api/schemas.h"

enum { OPENAPI_MAX = 8 * 1024 * 1024 };

#define ANSWERS(...)                                                                               \
    (const ApiResponse[])                                                                          \
    {                                                                                              \
        __VA_ARGS__,                                                                               \
        {                                                                                          \
            0                                                                                      \
        }                                                                                          \
    }
#define FAILS(...)                                                                                 \
    (const ErrCode[])                                                                              \
    {                                                                                              \
        __VA_ARGS__, OK                                                                            \
    }

static const ApiOperation operations[] = {
    {.method = "GET",
     .path = "/api/v1/steps",
     .handler = steps_list,
     .role = "viewer",
     .id = "steps_list",
     .tag = "Steps",
     .summary = "List the steps: everything this server can do.",
     .responses = ANSWERS({200, "StepList", NULL, "All contracts, by name."})},
    {.method = "GET",
     .path = "/api/v1/steps/{name}",
     .handler = steps_get,
     .role = "viewer",
     .id = "steps_get",
     .tag = "Steps",
     .summary = "Read one step's contract.",
     .errors = FAILS(ERR_UNKNOWN_STEP),
     .responses = ANSWERS({200, "Step", NULL, "The contract."})},
    {.method = "POST",
     .path = "/api/v1/steps/{name}",
     .body = API_BODY_UPLOAD,
     .handler = steps_run,
     .role = "runner",
     .id = "steps_run",
     .on_loop = true,
     .tag = "Steps",
     .summary = "Run a step.",
     .query = run_option_params,
     .per_step = true,
     .errors = FAILS(ERR_BAD_PARAM, ERR_INPUT_MISSING, ERR_INPUT_TOO_LARGE, ERR_UNKNOWN_STEP,
                     ERR_IDEMPOTENCY_MISMATCH, ERR_DISK_FULL),
     .responses =
         ANSWERS({200, "Job", NULL,
                  "The job has ended: done, failed or cancelled; or what it would be (dry_run)."},
                 {202, "Job", NULL, "The job is on disk and will run."})},

    {.method = "POST",
     .path = "/api/v1/steps/{name}/batch",
     .body = API_BODY_UPLOAD,
     .handler = steps_batch,
     .role = "runner",
     .id = "steps_batch",
     .tag = "Steps",
     .summary = "Run a step on many files: one job, one item per file.",
     .description = "Send up to 1,000 files, or archives: they are unpacked and each file in them "
                    "becomes an item. The batch ends with its last item; `items` tells how they "
                    "stand, `/jobs/{id}/archive` gives all results as one ZIP.",
     .query = batch_option_params,
     .errors = FAILS(ERR_BAD_PARAM, ERR_INPUT_MISSING, ERR_INPUT_TOO_LARGE, ERR_UNKNOWN_STEP,
                     ERR_IDEMPOTENCY_MISMATCH, ERR_DISK_FULL, ERR_LIMIT_COUNT),
     .responses = ANSWERS({200, "Job", NULL, "The batch has ended; or what it would be (dry_run)."},
                          {202, "Job", NULL, "The batch is on disk and runs."})},

    {.method = "GET",
     .path = "/api/v1/jobs",
     .handler = jobs_list,
     .role = "viewer",
     .id = "jobs_list",
     .tag = "Jobs",
     .summary = "List jobs, newest first.",
     .query = jobs_query_params,
     .errors = FAILS(ERR_BAD_PARAM, ERR_BAD_CURSOR),
     .responses = ANSWERS({200, "JobList", NULL, "A page of jobs."})},
    {.method = "GET",
     .path = "/api/v1/jobs/{id}",
     .handler = jobs_get,
     .role = "viewer",
     .id = "jobs_get",
     .tag = "Jobs",
     .summary = "Read a job, or wait for its end.",
     .query = wait_query_params,
     .errors = FAILS(ERR_NOT_FOUND, ERR_BAD_PARAM),
     .responses = ANSWERS({200, "Job", NULL, "The job."},
                          {202, "Job", NULL, "The time is up and the job has not ended."})},
    {.method = "POST",
     .path = "/api/v1/jobs/{id}/cancel",
     .handler = jobs_cancel,
     .role = "runner",
     .id = "jobs_cancel",
     .tag = "Jobs",
     .summary = "Cancel a job; running work is stopped.",
     .errors = FAILS(ERR_NOT_FOUND, ERR_CONFLICT),
     .responses = ANSWERS({200, "Job", NULL, "The job, cancelled."})},
    {.method = "POST",
     .path = "/api/v1/jobs/{id}/retry",
     .handler = jobs_retry,
     .role = "runner",
     .id = "jobs_retry",
     .tag = "Jobs",
     .summary = "Run a failed or cancelled job again.",
     .errors = FAILS(ERR_NOT_FOUND, ERR_CONFLICT),
     .responses = ANSWERS({202, "Job", NULL, "The job, queued again."})},
    {.method = "GET",
     .path = "/api/v1/jobs/{id}/outputs/{index}",
     .handler = jobs_output,
     .role = "viewer",
     .id = "jobs_output",
     .tag = "Jobs",
     .summary = "Download one output; ranges are served.",
     .errors = FAILS(ERR_NOT_FOUND, ERR_RANGE_NOT_SATISFIABLE),
     .responses = ANSWERS(
         {200, NULL, "application/octet-stream", "The bytes, under the output's own media type."},
         {206, NULL, "application/octet-stream", "The range."}, {304, NULL, NULL, "Not changed."})},
    {.method = "GET",
     .path = "/api/v1/jobs/{id}/items",
     .handler = jobs_items,
     .role = "viewer",
     .id = "jobs_items",
     .tag = "Jobs",
     .summary = "List the items of a batch, with their files.",
     .query = items_query_params,
     .errors = FAILS(ERR_NOT_FOUND, ERR_BAD_PARAM, ERR_BAD_CURSOR),
     .responses = ANSWERS({200, "ItemList", NULL, "A page of items."})},
    {.method = "GET",
     .path = "/api/v1/jobs/{id}/archive",
     .handler = jobs_archive,
     .role = "viewer",
     .id = "jobs_archive",
     .tag = "Jobs",
     .summary = "Download all outputs as one ZIP; of a batch those of its items so far.",
     .errors = FAILS(ERR_NOT_FOUND, ERR_DISK_FULL),
     .responses = ANSWERS({200, NULL, "application/zip", "The archive."},
                          {206, NULL, "application/zip", "The range."})},
    {.method = "GET",
     .path = "/api/v1/jobs/{id}/events",
     .handler = events_get,
     .role = "viewer",
     .id = "jobs_events",
     .tag = "Jobs",
     .summary = "Read a job's events, or follow them.",
     .query = events_query_params,
     .description = "With `Accept: text/event-stream` the answer is a stream (SSE) that ends with "
                    "the job; `Last-Event-ID` resumes it.",
     .errors = FAILS(ERR_NOT_FOUND, ERR_BAD_PARAM),
     .responses = ANSWERS({200, "EventList", NULL, "The events, or a stream of them."},
                          {200, NULL, "text/event-stream", NULL})},
    {.method = "GET",
     .path = "/api/v1/jobs/{id}/socket",
     .handler = events_socket,
     .role = "viewer",
     .id = "jobs_socket",
     .tag = "Jobs",
     .summary = "Follow a job's events over a WebSocket.",
     .query = events_query_params,
     .errors = FAILS(ERR_NOT_FOUND, ERR_BAD_PARAM),
     .responses = ANSWERS({101, NULL, NULL, "A WebSocket: one Event as JSON per message."})},
    {.method = "GET",
     .path = "/api/v1/jobs/{id}/diagnosis",
     .handler = jobs_diagnosis,
     .role = "viewer",
     .id = "jobs_diagnosis",
     .tag = "Jobs",
     .summary = "Say why a job is as it is.",
     .errors = FAILS(ERR_NOT_FOUND),
     .responses =
         ANSWERS({200, "Diagnosis", NULL, "Verdict, reason, remedy, cause and timeline."})},

    {.method = "POST",
     .path = "/api/v1/blobs",
     .body = API_BODY_UPLOAD,
     .handler = blobs_add,
     .role = "runner",
     .id = "blobs_add",
     .tag = "Files",
     .summary = "Upload bytes; they are named by their SHA-256.",
     .errors = FAILS(ERR_INPUT_MISSING, ERR_INPUT_TOO_LARGE, ERR_DISK_FULL),
     .responses = ANSWERS({201, "Blob", NULL, "The bytes are on disk."})},
    {.method = "GET",
     .path = "/api/v1/blobs/{hash}",
     .handler = blobs_get,
     .role = "viewer",
     .id = "blobs_get",
     .tag = "Files",
     .summary = "Download bytes by their hash; ranges are served.",
     .errors = FAILS(ERR_NOT_FOUND, ERR_RANGE_NOT_SATISFIABLE),
     .responses = ANSWERS({200, NULL, "application/octet-stream", "The bytes."},
                          {206, NULL, "application/octet-stream", "The range."},
                          {304, NULL, NULL, "Not changed."})},
    {.method = "POST",
     .path = "/api/v1/documents",
     .body = API_BODY_UPLOAD,
     .files_max = HTTP_UPLOADS_MAX,
     .handler = documents_add,
     .role = "runner",
     .id = "documents_add",
     .tag = "Files",
     .summary = "Add documents: one or many files.",
     .errors =
         FAILS(ERR_INPUT_MISSING, ERR_INPUT_TOO_LARGE, ERR_IDEMPOTENCY_MISMATCH, ERR_DISK_FULL),
     .responses = ANSWERS({201, "DocumentList", NULL, "The documents, on disk."})},
    {.method = "GET",
     .path = "/api/v1/documents",
     .handler = documents_list,
     .role = "viewer",
     .id = "documents_list",
     .tag = "Files",
     .summary = "List documents, newest first.",
     .query = page_query_params,
     .errors = FAILS(ERR_BAD_PARAM, ERR_BAD_CURSOR),
     .responses = ANSWERS({200, "DocumentList", NULL, "A page of documents."})},
    {.method = "GET",
     .path = "/api/v1/documents/{id}",
     .handler = documents_get,
     .role = "viewer",
     .id = "documents_get",
     .tag = "Files",
     .summary = "Read a document's description.",
     .errors = FAILS(ERR_NOT_FOUND),
     .responses = ANSWERS({200, "Document", NULL, "The document."})},
    {.method = "GET",
     .path = "/api/v1/documents/{id}/content",
     .handler = documents_content,
     .role = "viewer",
     .id = "documents_content",
     .tag = "Files",
     .summary = "Download a document; ranges are served.",
     .errors = FAILS(ERR_NOT_FOUND, ERR_RANGE_NOT_SATISFIABLE),
     .responses = ANSWERS(
         {200, NULL, "application/octet-stream", "The bytes, under the document's own media type."},
         {206, NULL, "application/octet-stream", "The range."}, {304, NULL, NULL, "Not changed."})},
    {.method = "DELETE",
     .path = "/api/v1/documents/{id}",
     .handler = documents_delete,
     .role = "editor",
     .id = "documents_delete",
     .tag = "Files",
     .summary = "Delete a document.",
     .errors = FAILS(ERR_NOT_FOUND),
     .responses = ANSWERS({204, NULL, NULL, "It is gone."})},

    {.method = "GET",
     .path = "/api/v1/queues",
     .handler = queues_list,
     .role = "viewer",
     .id = "queues_list",
     .tag = "Queues",
     .summary = "List queues with what waits, runs and died in them.",
     .responses = ANSWERS({200, "QueueList", NULL, "All queues."})},
    {.method = "GET",
     .path = "/api/v1/dead-letters",
     .handler = dead_list,
     .role = "viewer",
     .id = "dead_list",
     .tag = "Queues",
     .summary = "List tasks that used up their attempts.",
     .query = dead_query_params,
     .errors = FAILS(ERR_BAD_PARAM, ERR_BAD_CURSOR),
     .responses = ANSWERS({200, "DeadLetterList", NULL, "A page of dead letters."})},
    {.method = "POST",
     .path = "/api/v1/dead-letters/redrive",
     .handler = dead_redrive_all,
     .role = "editor",
     .id = "dead_redrive_all",
     .tag = "Queues",
     .summary = "Run all dead letters again.",
     .responses = ANSWERS({200, "Count", NULL, "How many are queued again."})},
    {.method = "POST",
     .path = "/api/v1/dead-letters/{id}/redrive",
     .handler = dead_redrive,
     .role = "editor",
     .id = "dead_redrive",
     .tag = "Queues",
     .summary = "Run one dead letter again.",
     .errors = FAILS(ERR_NOT_FOUND),
     .responses = ANSWERS({200, "Count", NULL, "How many are queued again."})},
    {.method = "DELETE",
     .path = "/api/v1/dead-letters/{id}",
     .handler = dead_delete,
     .role = "editor",
     .id = "dead_delete",
     .tag = "Queues",
     .summary = "Remove a dead letter; its job stays failed.",
     .errors = FAILS(ERR_NOT_FOUND),
     .responses = ANSWERS({200, "Count", NULL, "How many were removed."})},

    {.method = "GET",
     .path = "/api/v1/keys",
     .handler = keys_list,
     .role = "owner",
     .id = "keys_list",
     .tag = "Access",
     .summary = "List API keys.",
     .responses = ANSWERS({200, "KeyList", NULL, "All keys, without the keys themselves."})},
    {.method = "POST",
     .path = "/api/v1/keys",
     .body = API_BODY_JSON,
     .handler = keys_create,
     .role = "owner",
     .id = "keys_create",
     .tag = "Access",
     .summary = "Create an API key; it is shown once.",
     .fields = key_body_params,
     .errors = FAILS(ERR_BAD_PARAM),
     .responses = ANSWERS({201, "NewKey", NULL, "The key."})},
    {.method = "DELETE",
     .path = "/api/v1/keys/{id}",
     .handler = keys_revoke,
     .role = "owner",
     .id = "keys_revoke",
     .tag = "Access",
     .summary = "Revoke an API key.",
     .errors = FAILS(ERR_NOT_FOUND, ERR_CONFLICT),
     .responses = ANSWERS({204, NULL, NULL, "It is revoked."})},

    {.method = "POST",
     .path = "/api/v1/backup",
     .body = API_BODY_JSON,
     .handler = backup_create,
     .role = "owner",
     .id = "backup_create",
     .tag = "Server",
     .summary = "Download a backup of everything: database and blobs as one tar.",
     .errors = FAILS(ERR_DISK_FULL),
     .responses = ANSWERS({200, NULL, "application/x-tar", "The backup."})},
    {.method = "GET",
     .path = "/health",
     .handler = health_all,
     .id = "health",
     .tag = "Server",
     .summary = "Check the server.",
     .responses =
         ANSWERS({200, "Health", NULL, "All is well."}, {503, "Health", NULL, "A check failed."})},
    {.method = "GET",
     .path = "/health/liveness",
     .handler = health_liveness,
     .id = "health_liveness",
     .tag = "Server",
     .summary = "Does the process answer?",
     .responses = ANSWERS({200, "Health", NULL, "It does."})},
    {.method = "GET",
     .path = "/health/readiness",
     .handler = health_readiness,
     .id = "health_readiness",
     .tag = "Server",
     .summary = "May traffic be sent here?",
     .responses = ANSWERS({200, "Health", NULL, "It may."}, {503, "Health", NULL, "Not now."})},
    {.method = "GET",
     .path = "/metrics",
     .handler = health_metrics,
     .id = "metrics",
     .tag = "Server",
     .summary = "Metrics as Prometheus reads them.",
     .responses = ANSWERS({200, NULL, "text/plain", "Prometheus text format."})},
    {.method = "GET",
     .path = "/openapi.json",
     .handler = pages_openapi,
     .id = "openapi",
     .tag = "Server",
     .summary = "This description.",
     .responses = ANSWERS({200, NULL, "application/json", "OpenAPI 3.1."})},
    {.method = "GET",
     .path = "/docs",
     .handler = pages_docs,
     .id = "docs",
     .tag = "Server",
     .summary = "The explorer.",
     .hidden = true,
     .responses = ANSWERS({200, NULL, "text/html", "A page for people."})},
    {.method = "GET",
     .path = "/docs/{file...}",
     .handler = pages_docs,
     .id = "docs_file",
     .tag = "Server",
     .summary = "A file of the explorer.",
     .hidden = true,
     .responses = ANSWERS({200, NULL, "text/html", "The file."})},
};

static const ApiTag tags[] = {
    {"Steps", "What the server can do, and doing it."},
    {"Jobs", "What was asked, how it went, what came out."},
    {"Files", "Bytes and documents."},
    {"Queues", "What waits, and what died."},
    {"Access", "Who may use the server."},
    {"Server", "Health, metrics, backup."},
    {0},
};

const ApiDoc api_doc = {
    .title = "platen",
    .version = PLATEN_VERSION,
    .description =
        "Any file in; text, pictures and data out; every result kept with its history.\n\n"
        "Failures are `application/problem+json` with `reason`, `detail`, `hint` and `trace`. "
        "Runs of steps and new documents take an `Idempotency-Key`. Lists are paged by `cursor`.",
    .operations = operations,
    .operations_len = COUNT_OF(operations),
    .schemas = api_schemas,
    .tags = tags,
};

static HttpMethod method_of(const char *name)
{
    static const struct {
        const char *name;
        HttpMethod method;
    } methods[] = {{"GET", HTTP_GET},
                   {"POST", HTTP_POST},
                   {"PUT", HTTP_PUT},
                   {"PATCH", HTTP_PATCH},
                   {"DELETE", HTTP_DELETE}};
    for (size_t i = 0; i < COUNT_OF(methods); i++)
        if (str_eq_c(str_from_c(name), methods[i].name))
            return methods[i].method;
    return HTTP_OPTIONS;
}

static HttpBody body_of(const ApiOperation *op)
{
    if (op->body == API_BODY_UPLOAD)
        return BODY_UPLOAD;
    /* A POST without a described body may still carry an empty JSON object, as many clients
     * send. */
    return op->body == API_BODY_JSON || method_of(op->method) == HTTP_POST ? BODY_MEMORY
                                                                           : BODY_NONE;
}

ErrCode operations_routes(App *app, const HttpRoute **out, size_t *len, Err *err)
{
    HttpRoute *routes = arena_new(app->arena, HttpRoute, COUNT_OF(operations));
    RouteUser *users = arena_new(app->arena, RouteUser, COUNT_OF(operations));
    if (routes == NULL || users == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for the routes");
    for (size_t i = 0; i < COUNT_OF(operations); i++) {
        const ApiOperation *op = &operations[i];
        users[i] =
            (RouteUser){app, op->role != NULL ? role_from(str_from_c(op->role)) : ROLE_VIEWER};
        routes[i] = (HttpRoute){
            .method = method_of(op->method),
            .path = op->path,
            .body = body_of(op),
            .handler = op->handler,
            .guard = op->role != NULL ? call_guard : NULL,
            .user = &users[i],
            .on_loop = op->on_loop,
        };
    }
    *out = routes;
    *len = COUNT_OF(operations);
    return OK;
}

Str operations_openapi(const Registry *r, Arena *a)
{
    Buf b = buf_init(a, OPENAPI_MAX);
    JsonOut j = json_out(&b);
    openapi_put(r, &api_doc, &j);
    return b.failed ? (Str){0} : buf_str(&b);
}

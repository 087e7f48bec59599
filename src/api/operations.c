#include "api/operations.h"
#include "api/call.h"
#include "api/figures.h"
#include "api/files.h"
#include "api/former.h"
#include "api/params.h"
#include "api/push.h"
#include "api/preview.h"
#include "api/routes.h"
#include "api/schemas.h"
#include "api/session_schemas.h"

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
#include "api/operations_steps.def"
#include "api/operations_jobs.def"
#include "api/operations_events.def"
#include "api/operations_pipelines.def"
#include "api/operations_triggers.def"
#include "api/operations_webhooks.def"
#include "api/operations_files.def"
#include "api/operations_queues.def"
#include "api/operations_outside.def"
#include "api/operations_schedules.def"
#include "api/operations_session.def"
#include "api/operations_push.def"
#include "api/operations_access.def"
#include "api/operations_figures.def"
#include "api/operations_server.def"
#include "api/operations_former.def"
};

static const ApiTag tags[] = {
    {"Steps", "What the server can do, and doing it."},
    {"Jobs", "What was asked, how it went, what came out."},
    {"Pipelines", "Steps that work together: stored, versioned, run."},
    {"Events", "What happens in the project, and following it."},
    {"Triggers", "What starts pipelines by itself."},
    {"Webhooks", "Addresses that are told of events."},
    {"Files", "Bytes and documents."},
    {"Queues", "What waits, and what died."},
    {"Schedules", "What starts by the clock."},
    {"Outside workers", "Programs elsewhere that do the work of a queue."},
    {"Access", "Who may use the server."},
    {"Server", "Health, metrics, backup."},
    {"Former paths", "Paths of the earlier documents worker, for those who move from it."},
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
    if (op->body == API_BODY_UPLOAD || op->body == API_BODY_RUN)
        return BODY_UPLOAD;
    /* A POST without a described body may still carry an empty JSON object, as many clients
     * send. */
    return op->body != API_BODY_NONE || method_of(op->method) == HTTP_POST ? BODY_MEMORY
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

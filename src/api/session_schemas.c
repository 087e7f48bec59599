#include "api/session_schemas.h"
#include "api/fields.h"

const Param session_body_params[] = {
    PARAM_TEXT(SessionBody, key, .required = true, .secret = true, .max_len = 200,
               .help = "An API key; it is not kept, the cookie that comes back stands for it."),
    PARAM_END,
};

static const Field project_fields[] = {
    TEXT("id", "Id of the project, prj_…."), TEXT("name", "Its name."), {0}};
static const Field key_fields[] = {
    TEXT("id", "Id of the key, key_…."), TEXT("name", "What it is for."), {0}};

const Field session_fields[] = {
    {.name = "project",
     .type = FIELD_TYPE_OBJECT,
     .items = project_fields,
     .help = "The project that the key belongs to."},
    {.name = "key",
     .type = FIELD_TYPE_OBJECT,
     .items = key_fields,
     .help = "The key, or the one that the session was made from."},
    TEXT("role", "What it may do: viewer, runner, reviewer, editor or owner."),
    TEXT("version", "Version of the server."),
    {.name = "now", .type = FIELD_TYPE_TEXT, .format = "date-time", .help = "The server's clock."},
    {.name = "expires",
     .type = FIELD_TYPE_TEXT,
     .format = "date-time",
     .nullable = true,
     .help = "When the session ends; null when the request came with a key."},
    {0},
};

/* openapi.h: the OpenAPI 3.1 document, from the registry and the one table of operations.
 *
 * One row of the table is both the route and its description: the api folder makes its HttpRoutes
 * from `method`, `path`, `body` and `handler`, and validates query, form and JSON body with the
 * very Param tables that are described here (param_from_texts, then param_check, then param_fill).
 * Answers are described once as Field tables (core/step.h), named in a list of ApiSchema; a field
 * whose `items` is the table of a named schema is written as a reference to it.
 *
 * A row with `per_step` stands for one operation per step that is not internal: its "{name}" is
 * replaced by the step's name, its query and body become the step's parameters beside the row's
 * `query` (how to run), its 200 gets the step's data. A step that takes files can be called in
 * three forms; one that takes none, in the last:
 *
 *   multipart/form-data   fields "file" (as many as the step takes) and every parameter and option
 * as a form field any accepted type     the file as the raw body, parameters and options in the
 * query application/json      {"params":{…}, "inputs":[{"blob":"<hash>","name":"a.pdf"} |
 * {"document":"doc_…"}], options …}
 *
 * Every operation with a role asks for a key (Authorization: Bearer, or X-API-Key). One that may
 * fail with ERR_IDEMPOTENCY_MISMATCH takes Idempotency-Key. Every failure is a Problem (a schema of
 * this name must be in the list). The text depends on the tables only, so it can be kept under
 * version control and compared.
 */
#ifndef PLATEN_SURFACE_OPENAPI_H
#define PLATEN_SURFACE_OPENAPI_H

#include "core/registry.h"
#include "core/schema.h"

struct HttpRequest;

typedef enum ApiBody {
    API_BODY_NONE,
    API_BODY_JSON,   /* an object: `fields` */
    API_BODY_UPLOAD, /* files (files_max), as multipart with `fields` as form fields, or one raw */
    API_BODY_RUN,    /* inputs of a pipeline: as multipart, one raw file, or JSON
                        {"inputs": {…}, options as in `query`} */
    API_BODY_VALUE,  /* any JSON value */
    API_BODY_TEXT,   /* YAML, or a JSON object */
} ApiBody;

/* Rows of one status that follow each other are one response in several media types. */
typedef struct ApiResponse {
    int status;         /* 0 ends the list */
    const char *schema; /* "Job"; NULL: see type */
    const char *type; /* media type; NULL: application/json when there is a schema, else no body */
    const char *help; /* one sentence */
} ApiResponse;

typedef struct ApiOperation {
    const char *method; /* "GET", "POST" … */
    const char *path;   /* "/api/v1/jobs/{id}" */
    ApiBody body;
    void (*handler)(struct HttpRequest *req);
    const char *role; /* the least role that may: "viewer" … "owner"; NULL: public */
    const char *id;   /* operationId: "jobs_get" */
    const char *tag;  /* "Jobs" */
    const char *summary;
    const char *description;  /* Markdown, or NULL */
    const Param *path_params; /* by the names in {}; NULL: plain text */
    const Param *query;
    const Param *fields;          /* of the body */
    int files_max;                /* of an upload; 0: 1 */
    const ApiResponse *responses; /* ends with {0}; problems are added */
    const ErrCode
        *errors;  /* it may fail with these besides the general ones; ends with OK; or NULL */
    bool on_loop; /* the handler never blocks (http.h, HttpRoute) */
    bool per_step;
    bool hidden; /* a page for people: routed, not described */
} ApiOperation;

typedef struct ApiTag {
    const char *name, *help; /* help: one sentence */
} ApiTag;

typedef struct ApiDoc {
    const char *title, *version, *description; /* description: Markdown */
    const ApiOperation *operations;
    size_t operations_len;
    const SchemaName *schemas; /* ends with {0} */
    const ApiTag *tags;        /* ends with {0}; tags of steps (their nouns) are added */
} ApiDoc;

/* The whole document as one JSON object. */
void openapi_put(const Registry *r, const ApiDoc *doc, JsonOut *j);

#endif

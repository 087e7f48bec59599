#include "surface/openapi_in.h"

#include <stdio.h>
#include <string.h>

enum { PATH_LEN_MAX = 200 };

void openapi_put_binary(JsonOut *j)
{
    json_begin(j, '{');
    json_kv_c(j, "type", "string");
    json_kv_c(j, "format", "binary");
    json_kv_c(j, "contentMediaType", "application/octet-stream");
    json_end(j, '}');
}

void openapi_put_file_field(int max, JsonOut *j)
{
    json_key(j, "file");
    if (max == 1) {
        openapi_put_binary(j);
        return;
    }
    json_begin(j, '{');
    json_kv_c(j, "type", "array");
    json_key(j, "items");
    openapi_put_binary(j);
    json_kv_int(j, "maxItems", max);
    json_end(j, '}');
}

/* A JSON value in a query has no plain form: it is declared by content instead of schema. */
static void put_query_schema(const Param *p, JsonOut *j)
{
    if (p->type == PARAM_TYPE_JSON) {
        json_key(j, "content");
        json_begin(j, '{');
        json_key(j, "application/json");
        json_begin(j, '{');
        json_key(j, "schema");
        schema_put_param(p, j);
        json_end(j, '}');
        json_end(j, '}');
        return;
    }
    if (p->type == PARAM_TYPE_LIST) {
        json_kv_c(j, "style", "form");
        json_kv_bool(j, "explode", false);
    }
    json_key(j, "schema");
    schema_put_param(p, j);
}

void openapi_put_query(const Param *p, bool may_be_required, JsonOut *j)
{
    json_begin(j, '{');
    json_kv_c(j, "name", p->name);
    json_kv_c(j, "in", "query");
    if (p->help != NULL)
        json_kv_c(j, "description", p->help);
    if (p->required && may_be_required)
        json_kv_bool(j, "required", true);
    if (p->replaced_by != NULL)
        json_kv_bool(j, "deprecated", true);
    put_query_schema(p, j);
    json_end(j, '}');
}

static bool is_idempotent_by_key(const ApiOperation *op)
{
    for (const ErrCode *c = op->errors; c != NULL && *c != OK; c++)
        if (*c == ERR_IDEMPOTENCY_MISMATCH)
            return true;
    return false;
}

void openapi_put_idempotency(const ApiOperation *op, JsonOut *j)
{
    if (!is_idempotent_by_key(op))
        return;
    json_begin(j, '{');
    json_kv_c(j, "$ref", "#/components/parameters/IdempotencyKey");
    json_end(j, '}');
}

static void put_path_param(const ApiOperation *op, Str name, JsonOut *j)
{
    static const Param any = {.type = PARAM_TYPE_TEXT, .max_len = 255, .required = true};
    const Param *p = param_find(op->path_params, name);
    json_begin(j, '{');
    json_kv_str(j, "name", name);
    json_kv_c(j, "in", "path");
    json_kv_bool(j, "required", true);
    if (p != NULL && p->help != NULL)
        json_kv_c(j, "description", p->help);
    json_key(j, "schema");
    schema_put_param(p != NULL ? p : &any, j);
    json_end(j, '}');
}

/* The name in the next {…} of *rest, without the dots of {rest...}. */
static bool next_name(Str *rest, Str *name)
{
    size_t from = str_find_char(*rest, '{');
    if (from == STR_NONE)
        return false;
    Str after = str_slice(*rest, from + 1, rest->len);
    size_t to = str_find_char(after, '}');
    *name = str_slice(after, 0, to);
    *rest = to != STR_NONE ? str_slice(after, to + 1, after.len) : STR("");
    if (str_ends(*name, STR("...")))
        *name = str_slice(*name, 0, name->len - 3);
    return true;
}

static void put_parameters(const ApiOperation *op, JsonOut *j)
{
    Str rest = str_from_c(op->path), name;
    json_key(j, "parameters");
    json_begin(j, '[');
    while (next_name(&rest, &name))
        put_path_param(op, name, j);
    openapi_put_idempotency(op, j);
    param_each(p, op->query)
        openapi_put_query(p, true, j);
    json_end(j, ']');
}

void openapi_put_security(const ApiOperation *op, JsonOut *j)
{
    static const char *const schemes[] = {"bearer", "api_key", "session"};
    json_key(j, "security");
    json_begin(j, '[');
    for (size_t i = 0; op->role != NULL && i < COUNT_OF(schemes); i++) {
        json_begin(j, '{');
        json_key(j, schemes[i]);
        json_begin(j, '[');
        json_end(j, ']');
        json_end(j, '}');
    }
    json_end(j, ']');
    if (op->role != NULL)
        json_kv_c(j, "x-role", op->role);
}

static void put_schema_ref(const char *name, JsonOut *j)
{
    char ref[128];
    snprintf(ref, sizeof ref, "#/components/schemas/%s", name);
    json_begin(j, '{');
    json_kv_c(j, "$ref", ref);
    json_end(j, '}');
}

static void put_media(const ApiResponse *r, JsonOut *j)
{
    const char *type = r->type != NULL ? r->type : "application/json";
    bool text = strncmp(type, "text/", 5) == 0;
    json_key(j, type);
    json_begin(j, '{');
    json_key(j, "schema");
    if (r->schema != NULL) {
        put_schema_ref(r->schema, j);
    } else if (text) {
        json_begin(j, '{');
        json_kv_c(j, "type", "string");
        json_end(j, '}');
    } else if (strcmp(type, "application/json") == 0) {
        json_begin(j, '{');
        json_end(j, '}');
    } else {
        openapi_put_binary(j);
    }
    json_end(j, '}');
}

const ApiResponse *openapi_put_response(const ApiResponse *r, JsonOut *j)
{
    char status[12];
    snprintf(status, sizeof status, "%d", r->status);
    json_key(j, status);
    json_begin(j, '{');
    json_kv_c(j, "description", r->help != NULL ? r->help : "");
    const int same = r->status;
    if (r->schema != NULL || r->type != NULL) {
        json_key(j, "content");
        json_begin(j, '{');
        for (; r->status == same; r++)
            put_media(r, j);
        json_end(j, '}');
    } else {
        r++;
    }
    json_end(j, '}');
    return r;
}

/* Which reasons an operation can answer with, as one flag per code. */
typedef struct Reasons {
    bool has[ERR_COUNT];
} Reasons;

static void add_reasons(Reasons *r, const ErrCode *codes)
{
    for (const ErrCode *c = codes; c != NULL && *c != OK; c++)
        r->has[*c] = true;
}

static Reasons reasons_of(const ApiOperation *op, const Step *s)
{
    static const ErrCode with_key[] = {ERR_UNAUTHORIZED, ERR_FORBIDDEN, OK};
    static const ErrCode with_body[] = {ERR_BAD_JSON,        ERR_BAD_PARAM,
                                        ERR_INPUT_TOO_LARGE, ERR_UNSUPPORTED_TYPE,
                                        ERR_REQUEST_TIMEOUT, OK};
    static const ErrCode writing[] = {ERR_DISK_FULL, ERR_OVERLOADED, OK};
    static const ErrCode with_file[] = {ERR_INPUT_MISSING, ERR_INPUT_EMPTY, ERR_LIMIT_COUNT,
                                        ERR_NOT_FOUND, OK};
    Reasons r = {{false}};
    r.has[ERR_BAD_REQUEST] = true;
    if (op->role != NULL)
        add_reasons(&r, with_key);
    if (op->query != NULL || op->fields != NULL || s != NULL)
        r.has[ERR_BAD_PARAM] = true;
    if (s == NULL && strchr(op->path, '{') != NULL)
        r.has[ERR_NOT_FOUND] = true;
    if (op->body != API_BODY_NONE)
        add_reasons(&r, with_body);
    if (op->role != NULL && strcmp(op->method, "POST") == 0)
        add_reasons(&r, writing);
    add_reasons(&r, op->errors);
    if (s != NULL && s->accepts != NULL)
        add_reasons(&r, with_file);
    if (s != NULL)
        add_reasons(&r, s->errors);
    return r;
}

static void put_problem(const Reasons *r, int status, JsonOut *j)
{
    char text[2048] = "", number[12];
    size_t at = 0;
    for (int code = 1; code < ERR_COUNT; code++)
        if (r->has[code] && err_status((ErrCode)code) == status && at < sizeof text)
            at += (size_t)snprintf(text + at, sizeof text - at, "%s`%s`: %s", at > 0 ? "  \n" : "",
                                   err_reason((ErrCode)code), err_meaning((ErrCode)code));
    snprintf(number, sizeof number, "%d", status);
    json_key(j, number);
    json_begin(j, '{');
    json_kv_c(j, "$ref", "#/components/responses/Problem");
    json_kv_c(j, "description", text);
    json_end(j, '}');
}

void openapi_put_problems(const ApiOperation *op, const Step *s, JsonOut *j)
{
    Reasons r = reasons_of(op, s);
    bool done[600] = {false};
    for (const ApiResponse *own = op->responses; own != NULL && own->status != 0; own++)
        done[own->status % 600] = true;
    for (int status = 400; status < 600; status++)
        for (int code = 1; code < ERR_COUNT && !done[status]; code++)
            if (r.has[code] && err_status((ErrCode)code) == status) {
                put_problem(&r, status, j);
                done[status] = true;
            }
    json_key(j, "default");
    json_begin(j, '{');
    json_kv_c(j, "$ref", "#/components/responses/Problem");
    json_end(j, '}');
}

static void put_multipart(const ApiOperation *op, JsonOut *j)
{
    json_key(j, "multipart/form-data");
    json_begin(j, '{');
    json_key(j, "schema");
    json_begin(j, '{');
    json_kv_c(j, "type", "object");
    json_key(j, "properties");
    json_begin(j, '{');
    openapi_put_file_field(op->files_max > 0 ? op->files_max : 1, j);
    param_each(p, op->fields) {
        json_key(j, p->name);
        schema_put_param(p, j);
    }
    json_end(j, '}');
    json_key(j, "required");
    json_begin(j, '[');
    json_put_c(j, "file");
    json_end(j, ']');
    json_end(j, '}');
    json_end(j, '}');
}

static void put_raw_media(JsonOut *j)
{
    json_key(j, "*/*");
    json_begin(j, '{');
    json_key(j, "schema");
    openapi_put_binary(j);
    json_end(j, '}');
}

/* Which inputs there are depends on the pipeline: its own description says. */
static void put_run_media(const ApiOperation *op, JsonOut *j)
{
    json_key(j, "application/json");
    json_begin(j, '{');
    json_key(j, "schema");
    json_begin(j, '{');
    json_kv_c(j, "type", "object");
    json_key(j, "properties");
    json_begin(j, '{');
    json_kv_raw(j, "inputs",
                STR("{\"type\":\"object\",\"description\":\"Inputs by name; a file is "
                    "{\\\"blob\\\"} or {\\\"document\\\"}.\"}"));
    param_each(p, op->query) {
        json_key(j, p->name);
        schema_put_param(p, j);
    }
    json_end(j, '}');
    json_kv_bool(j, "additionalProperties", false);
    json_end(j, '}');
    json_end(j, '}');
    json_kv_raw(j, "multipart/form-data",
                STR("{\"schema\":{\"type\":\"object\",\"additionalProperties\":true,"
                    "\"description\":\"Values and files in fields called as the inputs.\"}}"));
    put_raw_media(j);
}

static void put_json_media(const ApiOperation *op, JsonOut *j)
{
    json_key(j, "application/json");
    json_begin(j, '{');
    json_key(j, "schema");
    schema_put_params(op->fields, j);
    json_end(j, '}');
}

static void put_request_body(const ApiOperation *op, JsonOut *j)
{
    bool required = op->body == API_BODY_UPLOAD || op->body == API_BODY_TEXT;
    param_each(p, op->fields)
        required |= p->required;
    json_key(j, "requestBody");
    json_begin(j, '{');
    json_kv_bool(j, "required", required);
    json_key(j, "content");
    json_begin(j, '{');
    switch (op->body) {
    case API_BODY_UPLOAD:
        put_multipart(op, j);
        put_raw_media(j);
        break;
    case API_BODY_RUN:
        put_run_media(op, j);
        break;
    case API_BODY_VALUE:
        json_kv_raw(j, "application/json", STR("{\"schema\":{}}"));
        break;
    case API_BODY_TEXT:
        json_kv_raw(j, "application/yaml",
                    STR("{\"schema\":{\"type\":\"string\",\"maxLength\":1048576}}"));
        json_kv_raw(j, "application/json", STR("{\"schema\":{\"type\":\"object\"}}"));
        break;
    case API_BODY_JSON:
    case API_BODY_NONE:
        put_json_media(op, j);
        break;
    }
    json_end(j, '}');
    json_end(j, '}');
}

static void put_operation(const ApiOperation *op, JsonOut *j)
{
    char method[8];
    size_t n = 0;
    for (; op->method[n] != 0 && n + 1 < sizeof method; n++)
        method[n] = (char)(op->method[n] | 0x20);
    method[n] = 0;
    json_key(j, method);
    json_begin(j, '{');
    json_kv_c(j, "operationId", op->id);
    json_key(j, "tags");
    json_begin(j, '[');
    json_put_c(j, op->tag);
    json_end(j, ']');
    json_kv_c(j, "summary", op->summary);
    if (op->description != NULL)
        json_kv_c(j, "description", op->description);
    put_parameters(op, j);
    if (op->body != API_BODY_NONE)
        put_request_body(op, j);
    json_key(j, "responses");
    json_begin(j, '{');
    for (const ApiResponse *r = op->responses; r != NULL && r->status != 0;)
        r = openapi_put_response(r, j);
    openapi_put_problems(op, NULL, j);
    json_end(j, '}');
    openapi_put_security(op, j);
    json_end(j, '}');
}

/* OpenAPI knows no "{rest...}": the dots go. */
static void put_path_key(const char *path, JsonOut *j)
{
    char key[PATH_LEN_MAX];
    size_t n = 0;
    for (const char *c = path; *c != 0 && n + 1 < sizeof key; c++)
        if (strncmp(c, "...}", 4) == 0)
            c += 2;
        else
            key[n++] = *c;
    key[n] = 0;
    json_key(j, key);
}

static bool is_described(const ApiOperation *op)
{
    return !op->hidden && !op->per_step;
}

static void put_fixed_path(const ApiDoc *doc, size_t index, JsonOut *j)
{
    const ApiOperation *first = &doc->operations[index];
    for (size_t i = 0; i < index; i++)
        if (is_described(&doc->operations[i]) && strcmp(doc->operations[i].path, first->path) == 0)
            return;
    put_path_key(first->path, j);
    json_begin(j, '{');
    for (size_t i = index; i < doc->operations_len; i++)
        if (is_described(&doc->operations[i]) && strcmp(doc->operations[i].path, first->path) == 0)
            put_operation(&doc->operations[i], j);
    json_end(j, '}');
}

static void put_paths(const Registry *r, const ApiDoc *doc, JsonOut *j)
{
    json_key(j, "paths");
    json_begin(j, '{');
    for (size_t i = 0; i < doc->operations_len; i++) {
        const ApiOperation *op = &doc->operations[i];
        if (is_described(op))
            put_fixed_path(doc, i, j);
        for (size_t s = 0; op->per_step && s < registry_count(r); s++)
            if (!registry_at(r, s)->internal)
                openapi_put_step_path(op, registry_at(r, s), j);
    }
    json_end(j, '}');
}

static void put_tag(const char *name, const char *help, JsonOut *j)
{
    json_begin(j, '{');
    json_kv_c(j, "name", name);
    json_kv_c(j, "description", help);
    json_end(j, '}');
}

static Str noun_of(const Step *s)
{
    Str name = str_from_c(s->name);
    return str_slice(name, 0, str_find_char(name, '.'));
}

static void put_tags(const Registry *r, const ApiDoc *doc, JsonOut *j)
{
    Str before = STR("");
    json_key(j, "tags");
    json_begin(j, '[');
    for (const ApiTag *t = doc->tags; t != NULL && t->name != NULL; t++)
        put_tag(t->name, t->help, j);
    for (size_t i = 0; i < registry_count(r); i++) {
        char name[64], help[96];
        Str noun = noun_of(registry_at(r, i));
        if (registry_at(r, i)->internal || str_eq(noun, before))
            continue;
        snprintf(name, sizeof name, STR_FMT, STR_ARG(noun));
        snprintf(help, sizeof help, "The steps %s.*", name);
        put_tag(name, help, j);
        before = noun;
    }
    json_end(j, ']');
}

static void put_info(const ApiDoc *doc, JsonOut *j)
{
    json_kv_c(j, "openapi", "3.1.0");
    json_key(j, "info");
    json_begin(j, '{');
    json_kv_c(j, "title", doc->title);
    json_kv_c(j, "version", doc->version);
    if (doc->description != NULL)
        json_kv_c(j, "description", doc->description);
    json_kv_raw(j, "license", STR("{\"name\":\"Apache-2.0\",\"identifier\":\"Apache-2.0\"}"));
    json_end(j, '}');
    json_kv_raw(j, "servers", STR("[{\"url\":\"/\"}]"));
}

static void put_components(const Registry *r, const ApiDoc *doc, JsonOut *j)
{
    json_key(j, "components");
    json_begin(j, '{');
    json_key(j, "schemas");
    json_begin(j, '{');
    for (const SchemaName *n = doc->schemas; n != NULL && n->name != NULL; n++) {
        json_key(j, n->name);
        schema_put_fields(n->fields, n->help, doc->schemas, j);
    }
    json_key(j, "StepInputs");
    openapi_put_input_schema(j);
    for (size_t i = 0; i < registry_count(r); i++)
        if (!registry_at(r, i)->internal)
            openapi_put_step_schemas(registry_at(r, i), j);
    json_end(j, '}');
    json_kv_raw(
        j, "parameters",
        STR("{\"IdempotencyKey\":{\"name\":\"Idempotency-Key\",\"in\":\"header\",\"description\":"
            "\"The same key and request again gives the first answer instead of a second effect "
            "(24 h).\","
            "\"schema\":{\"type\":\"string\",\"maxLength\":255}}}"));
    json_kv_raw(j, "responses",
                STR("{\"Problem\":{\"description\":\"It did not work: reason, detail and hint say "
                    "why.\",\"content\":"
                    "{\"application/problem+json\":{\"schema\":{\"$ref\":\"#/components/schemas/"
                    "Problem\"}}}}}"));
    json_kv_raw(j, "securitySchemes",
                STR("{\"bearer\":{\"type\":\"http\",\"scheme\":\"bearer\"},"
                    "\"api_key\":{\"type\":\"apiKey\",\"in\":\"header\",\"name\":\"X-API-Key\"},"
                    "\"session\":{\"type\":\"apiKey\",\"in\":\"cookie\",\"name\":"
                    "\"platen_session\"}}"));
    json_end(j, '}');
}

void openapi_put(const Registry *r, const ApiDoc *doc, JsonOut *j)
{
    json_begin(j, '{');
    put_info(doc, j);
    put_tags(r, doc, j);
    put_paths(r, doc, j);
    put_components(r, doc, j);
    json_end(j, '}');
}

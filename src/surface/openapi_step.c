/* One operation per step: its parameters as form fields, query or JSON, its result inside the job.
 */
#include "surface/openapi_in.h"

#include <stdio.h>
#include <string.h>

enum { NAME_LEN_MAX = 200 };

static void put_ref(JsonOut *j, const char *fmt, const char *name)
{
    char ref[NAME_LEN_MAX];
    snprintf(ref, sizeof ref, fmt, name);
    json_begin(j, '{');
    json_kv_c(j, "$ref", ref);
    json_end(j, '}');
}

static bool needs_params(const Step *s)
{
    bool any = false;
    param_each(p, s->params)
        any |= p->required;
    return any;
}

static int files_max(const Step *s)
{
    return s->accepts == NULL ? 0 : s->inputs_max > 0 ? s->inputs_max : 1;
}

static void put_required_form_fields(const Step *s, JsonOut *j)
{
    if (s->input_optional && !needs_params(s))
        return;
    json_key(j, "required");
    json_begin(j, '[');
    if (!s->input_optional)
        json_put_c(j, "file");
    param_each(p, s->params)
        if (p->required)
            json_put_c(j, p->name);
    json_end(j, ']');
}

static void put_multipart(const ApiOperation *op, const Step *s, JsonOut *j)
{
    json_key(j, "multipart/form-data");
    json_begin(j, '{');
    json_key(j, "schema");
    json_begin(j, '{');
    json_kv_c(j, "type", "object");
    json_key(j, "properties");
    json_begin(j, '{');
    openapi_put_file_field(files_max(s), j);
    param_each(p, s->params) {
        json_key(j, p->name);
        schema_put_param(p, j);
    }
    param_each(p, op->query) {
        json_key(j, p->name);
        schema_put_param(p, j);
    }
    json_end(j, '}');
    put_required_form_fields(s, j);
    json_kv_bool(j, "additionalProperties", false);
    json_end(j, '}');
    json_key(j, "encoding");
    json_begin(j, '{');
    json_key(j, "file");
    json_begin(j, '{');
    json_kv_c(j, "contentType", s->accepts);
    json_end(j, '}');
    json_end(j, '}');
    json_end(j, '}');
}

static void put_raw_types(const Step *s, JsonOut *j)
{
    Str rest = str_from_c(s->accepts), type;
    while (str_next(&rest, ',', &type)) {
        json_key_str(j, str_trim(type));
        json_begin(j, '{');
        json_key(j, "schema");
        openapi_put_binary(j);
        json_end(j, '}');
    }
}

static void put_json_schema(const ApiOperation *op, const Step *s, JsonOut *j)
{
    json_begin(j, '{');
    json_kv_c(j, "type", "object");
    json_key(j, "properties");
    json_begin(j, '{');
    json_key(j, "params");
    put_ref(j, "#/components/schemas/%s.params", s->name);
    if (files_max(s) > 0) {
        json_key(j, "inputs");
        put_ref(j, "#/components/schemas/%s", "StepInputs");
    }
    param_each(p, op->query) {
        json_key(j, p->name);
        schema_put_param(p, j);
    }
    json_end(j, '}');
    if (needs_params(s))
        json_kv_raw(j, "required", STR("[\"params\"]"));
    json_kv_bool(j, "additionalProperties", false);
    json_end(j, '}');
}

static void put_json_examples(const Step *s, JsonOut *j)
{
    static const Param any_json = {.type = PARAM_TYPE_JSON};
    int no = 0;
    json_key(j, "examples");
    json_begin(j, '{');
    for (const Example *e = s->examples; e != NULL && e->title != NULL; e++) {
        char key[24];
        snprintf(key, sizeof key, "example%d", ++no);
        json_key(j, key);
        json_begin(j, '{');
        json_kv_c(j, "summary", e->title);
        if (e->input != NULL)
            json_kv_c(j, "x-input", e->input);
        json_key(j, "value");
        json_begin(j, '{');
        json_key(j, "params");
        param_from_text(&any_json, str_from_c(e->args != NULL ? e->args : "{}"), j);
        json_end(j, '}');
        json_end(j, '}');
    }
    json_end(j, '}');
}

static void put_request_body(const ApiOperation *op, const Step *s, JsonOut *j)
{
    bool needs_file = files_max(s) > 0 && !s->input_optional;
    json_key(j, "requestBody");
    json_begin(j, '{');
    json_kv_bool(j, "required", needs_file || needs_params(s));
    json_key(j, "content");
    json_begin(j, '{');
    if (files_max(s) > 0) {
        put_multipart(op, s, j);
        put_raw_types(s, j);
    }
    json_key(j, "application/json");
    json_begin(j, '{');
    json_key(j, "schema");
    put_json_schema(op, s, j);
    put_json_examples(s, j);
    json_end(j, '}');
    json_end(j, '}');
    json_end(j, '}');
}

/* A raw file leaves no room for parameters but the query. In the other forms they stand in the
 * body, so none is required here. */
static void put_parameters(const ApiOperation *op, const Step *s, JsonOut *j)
{
    json_key(j, "parameters");
    json_begin(j, '[');
    openapi_put_idempotency(op, j);
    param_each(p, op->query)
        openapi_put_query(p, false, j);
    if (files_max(s) > 0)
        param_each(p, s->params)
            openapi_put_query(p, false, j);
    json_end(j, ']');
}

/* The job with this step's data in it. */
static void put_done(const ApiResponse *r, const Step *s, JsonOut *j)
{
    json_key(j, "200");
    json_begin(j, '{');
    json_kv_c(j, "description", r->help != NULL ? r->help : "");
    json_key(j, "content");
    json_begin(j, '{');
    json_key(j, "application/json");
    json_begin(j, '{');
    json_key(j, "schema");
    json_begin(j, '{');
    json_key(j, "allOf");
    json_begin(j, '[');
    put_ref(j, "#/components/schemas/%s", r->schema);
    json_begin(j, '{');
    json_key(j, "properties");
    json_begin(j, '{');
    json_key(j, "data");
    json_begin(j, '{');
    json_key(j, "anyOf");
    json_begin(j, '[');
    put_ref(j, "#/components/schemas/%s.data", s->name);
    json_put_raw(
        j, STR("{\"type\":\"object\",\"maxProperties\":0,\"description\":\"Without a result.\"}"));
    json_end(j, ']');
    json_end(j, '}');
    json_end(j, '}');
    json_end(j, '}');
    json_end(j, ']');
    json_end(j, '}');
    json_end(j, '}');
    json_end(j, '}');
    json_end(j, '}');
}

static void put_responses(const ApiOperation *op, const Step *s, JsonOut *j)
{
    json_key(j, "responses");
    json_begin(j, '{');
    for (const ApiResponse *r = op->responses; r != NULL && r->status != 0;)
        if (r->status == 200 && r->schema != NULL && s->data != NULL)
            put_done(r++, s, j);
        else
            r = openapi_put_response(r, j);
    openapi_put_problems(op, s, j);
    json_end(j, '}');
}

static void put_description(const ApiOperation *op, const Step *s, JsonOut *j)
{
    char text[4096];
    int n = snprintf(text, sizeof text, "%s", s->summary);
    if (s->accepts != NULL && n < (int)sizeof text)
        n += snprintf(text + n, sizeof text - (size_t)n, "\n\nTakes: `%s`%s.", s->accepts,
                      s->input_optional ? " (may be left out)" : "");
    if (s->returns != NULL && n < (int)sizeof text)
        n += snprintf(text + n, sizeof text - (size_t)n, "\n\nGives: `%s`.", s->returns);
    if (op->description != NULL && n < (int)sizeof text)
        snprintf(text + n, sizeof text - (size_t)n, "\n\n%s", op->description);
    json_kv_c(j, "description", text);
}

static void put_step_path_key(const ApiOperation *op, const Step *s, JsonOut *j)
{
    char path[NAME_LEN_MAX];
    const char *open = strchr(op->path, '{'), *close = open != NULL ? strchr(open, '}') : NULL;
    if (close == NULL)
        snprintf(path, sizeof path, "%s/%s", op->path, s->name);
    else
        snprintf(path, sizeof path, "%.*s%s%s", (int)(open - op->path), op->path, s->name,
                 close + 1);
    json_key(j, path);
}

static void put_names(const Step *s, JsonOut *j)
{
    char id[NAME_LEN_MAX];
    size_t dot = strcspn(s->name, ".");
    snprintf(id, sizeof id, "%.*s_%s", (int)dot, s->name,
             s->name[dot] != 0 ? s->name + dot + 1 : "");
    json_kv_c(j, "operationId", id);
    json_key(j, "tags");
    json_begin(j, '[');
    json_put_str(j, (Str){s->name, dot});
    json_end(j, ']');
    json_kv_c(j, "summary", s->title);
    json_kv_c(j, "x-step", s->name);
}

void openapi_put_step_path(const ApiOperation *op, const Step *s, JsonOut *j)
{
    put_step_path_key(op, s, j);
    json_begin(j, '{');
    json_key(j, "post");
    json_begin(j, '{');
    put_names(s, j);
    put_description(op, s, j);
    put_parameters(op, s, j);
    put_request_body(op, s, j);
    put_responses(op, s, j);
    openapi_put_security(op, j);
    json_end(j, '}');
    json_end(j, '}');
}

void openapi_put_step_schemas(const Step *s, JsonOut *j)
{
    char name[NAME_LEN_MAX];
    snprintf(name, sizeof name, "%s.params", s->name);
    json_key(j, name);
    schema_put_params(s->params, j);
    if (s->data == NULL)
        return;
    snprintf(name, sizeof name, "%s.data", s->name);
    json_key(j, name);
    schema_put_data(s->data, j);
}

void openapi_put_input_schema(JsonOut *j)
{
    json_put_raw(j, STR("{\"type\":\"array\",\"description\":\"Files that are already here, in "
                        "order.\",\"items\":{\"oneOf\":["
                        "{\"type\":\"object\",\"title\":\"A "
                        "blob\",\"properties\":{\"blob\":{\"type\":\"string\","
                        "\"pattern\":\"^[0-9a-f]{64}$\",\"description\":\"SHA-256 of the "
                        "bytes.\"},\"name\":{\"type\":"
                        "\"string\",\"description\":\"File name, for "
                        "messages.\"},\"type\":{\"type\":\"string\","
                        "\"description\":\"Media "
                        "type.\"}},\"required\":[\"blob\"],\"additionalProperties\":false},"
                        "{\"type\":\"object\",\"title\":\"A "
                        "document\",\"properties\":{\"document\":{\"type\":\"string\","
                        "\"pattern\":\"^doc_[0-9a-z]{13}$\",\"description\":\"Id of a document of "
                        "the project.\"}},"
                        "\"required\":[\"document\"],\"additionalProperties\":false}]}}"));
}

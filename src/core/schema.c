#include "core/schema.h"
#include "core/param_in.h"

#include <stdio.h>

static void put_number_range(const Param *p, JsonOut *j)
{
    if (p->type == PARAM_TYPE_INT && (p->min != 0 || p->max != 0)) {
        if (p->min != INT64_MIN)
            json_kv_int(j, "minimum", p->min);
        if (p->max != INT64_MAX)
            json_kv_int(j, "maximum", p->max);
    }
    if (p->type == PARAM_TYPE_NUMBER && param_number_has_range(p)) {
        json_key(j, "minimum");
        param_put_number(p->min_num, j);
        json_key(j, "maximum");
        param_put_number(p->max_num, j);
    }
}

/* max_len counts bytes, JSON Schema counts characters: never fewer than the limit allows. */
static void put_text_range(const Param *p, JsonOut *j)
{
    if (p->required)
        json_kv_int(j, "minLength", 1);
    json_kv_int(j, "maxLength", p->max_len > 0 ? p->max_len : PARAM_TEXT_MAX);
}

static void put_list_range(const Param *p, JsonOut *j)
{
    json_key(j, "items");
    json_begin(j, '{');
    json_kv_c(j, "type", "string");
    json_end(j, '}');
    if (p->required)
        json_kv_int(j, "minItems", 1);
    json_kv_int(j, "maxItems", p->max_len > 0 ? p->max_len : PARAM_LIST_MAX);
}

static void put_choices(const Param *p, JsonOut *j)
{
    json_key(j, "enum");
    json_begin(j, '[');
    for (const Choice *c = p->choices; c != NULL && c->name != NULL; c++)
        json_put_c(j, c->name);
    json_end(j, ']');
    json_key(j, "x-choices");
    json_begin(j, '{');
    for (const Choice *c = p->choices; c != NULL && c->name != NULL; c++)
        json_kv_c(j, c->name, c->help != NULL ? c->help : "");
    json_end(j, '}');
}

static void put_type(const Param *p, JsonOut *j)
{
    switch (p->type) {
    case PARAM_TYPE_INT:
        json_kv_c(j, "type", "integer");
        put_number_range(p, j);
        break;
    case PARAM_TYPE_NUMBER:
        json_kv_c(j, "type", "number");
        put_number_range(p, j);
        break;
    case PARAM_TYPE_BOOL:
        json_kv_c(j, "type", "boolean");
        break;
    case PARAM_TYPE_TEXT:
        json_kv_c(j, "type", "string");
        put_text_range(p, j);
        break;
    case PARAM_TYPE_CHOICE:
        json_kv_c(j, "type", "string");
        put_choices(p, j);
        break;
    case PARAM_TYPE_LIST:
        json_kv_c(j, "type", "array");
        put_list_range(p, j);
        break;
    case PARAM_TYPE_JSON:
    case PARAM_TYPE_END:
        break;
    }
}

static void put_notes(const Param *p, JsonOut *j)
{
    if (p->unit != NULL)
        json_kv_c(j, "x-unit", p->unit);
    if (p->since != NULL)
        json_kv_c(j, "x-since", p->since);
    if (p->secret)
        json_kv_bool(j, "writeOnly", true);
    if (p->replaced_by != NULL) {
        json_kv_bool(j, "deprecated", true);
        json_kv_c(j, "x-replaced-by", p->replaced_by);
    }
    if (p->example != NULL) {
        json_key(j, "examples");
        json_begin(j, '[');
        param_from_text(p, str_from_c(p->example), j);
        json_end(j, ']');
    }
}

void schema_put_param(const Param *p, JsonOut *j)
{
    json_begin(j, '{');
    put_type(p, j);
    if (p->help != NULL)
        json_kv_c(j, "description", p->help);
    if (param_has_default(p)) {
        json_key(j, "default");
        param_put_default(p, j);
    }
    put_notes(p, j);
    json_end(j, '}');
}

static void put_required_params(const Param *params, JsonOut *j)
{
    bool any = false;
    param_each(p, params)
        any |= p->required;
    if (!any)
        return;
    json_key(j, "required");
    json_begin(j, '[');
    param_each(p, params)
        if (p->required)
            json_put_c(j, p->name);
    json_end(j, ']');
}

void schema_put_params(const Param *params, JsonOut *j)
{
    json_begin(j, '{');
    json_kv_c(j, "type", "object");
    json_key(j, "properties");
    json_begin(j, '{');
    param_each(p, params) {
        json_key(j, p->name);
        schema_put_param(p, j);
    }
    json_end(j, '}');
    put_required_params(params, j);
    json_kv_bool(j, "additionalProperties", false);
    json_end(j, '}');
}

static const char *name_of(const Field *fields, const SchemaName *named)
{
    for (const SchemaName *n = named; n != NULL && n->name != NULL; n++)
        if (n->fields == fields)
            return n->name;
    return NULL;
}

static void put_ref(const char *name, JsonOut *j)
{
    char ref[128];
    snprintf(ref, sizeof ref, "#/components/schemas/%s", name);
    json_kv_c(j, "$ref", ref);
}

static void put_field(const Field *f, const SchemaName *named, JsonOut *j);

static void put_properties(const Field *fields, const SchemaName *named, JsonOut *j)
{
    json_key(j, "properties");
    json_begin(j, '{');
    for (const Field *f = fields; f != NULL && f->name != NULL; f++) {
        json_key(j, f->name);
        put_field(f, named, j);
    }
    json_end(j, '}');
    bool any = false;
    for (const Field *f = fields; f != NULL && f->name != NULL; f++)
        any |= !f->optional;
    if (!any)
        return;
    json_key(j, "required");
    json_begin(j, '[');
    for (const Field *f = fields; f->name != NULL; f++)
        if (!f->optional)
            json_put_c(j, f->name);
    json_end(j, ']');
}

static void put_items(const Field *f, const SchemaName *named, JsonOut *j)
{
    json_key(j, "items");
    json_begin(j, '{');
    const char *name = f->items != NULL ? name_of(f->items, named) : NULL;
    if (name != NULL) {
        put_ref(name, j);
    } else {
        json_kv_c(j, "type", f->items != NULL ? "object" : "string");
        if (f->items != NULL)
            put_properties(f->items, named, j);
    }
    json_end(j, '}');
}

static void put_field_type(const Field *f, JsonOut *j)
{
    static const char *const types[] = {
        [FIELD_TYPE_INT] = "integer",  [FIELD_TYPE_NUMBER] = "number",
        [FIELD_TYPE_BOOL] = "boolean", [FIELD_TYPE_TEXT] = "string",
        [FIELD_TYPE_LIST] = "array",   [FIELD_TYPE_OBJECT] = "object",
        [FIELD_TYPE_ANY] = NULL,
    };
    if (types[f->type] == NULL)
        return;
    json_key(j, "type");
    if (f->nullable) {
        json_begin(j, '[');
        json_put_c(j, types[f->type]);
        json_put_c(j, "null");
        json_end(j, ']');
    } else {
        json_put_c(j, types[f->type]);
    }
}

static void put_field_values(const Field *f, JsonOut *j)
{
    if (f->format != NULL)
        json_kv_c(j, "format", f->format);
    if (f->choices == NULL)
        return;
    json_key(j, "enum");
    json_begin(j, '[');
    for (const Choice *c = f->choices; c->name != NULL; c++)
        json_put_c(j, c->name);
    if (f->nullable)
        json_put_null(j);
    json_end(j, ']');
}

static void put_field(const Field *f, const SchemaName *named, JsonOut *j)
{
    json_begin(j, '{');
    const char *name = f->type == FIELD_TYPE_OBJECT && !f->nullable && f->items != NULL
                           ? name_of(f->items, named)
                           : NULL;
    if (name != NULL)
        put_ref(name, j);
    else
        put_field_type(f, j);
    put_field_values(f, j);
    if (f->help != NULL)
        json_kv_c(j, "description", f->help);
    if (f->type == FIELD_TYPE_LIST)
        put_items(f, named, j);
    else if (f->items != NULL && name == NULL)
        put_properties(f->items, named, j);
    json_end(j, '}');
}

void schema_put_fields(const Field *fields, const char *help, const SchemaName *named, JsonOut *j)
{
    json_begin(j, '{');
    json_kv_c(j, "type", "object");
    if (help != NULL)
        json_kv_c(j, "description", help);
    put_properties(fields, named, j);
    json_end(j, '}');
}

void schema_put_data(const Field *fields, JsonOut *j)
{
    schema_put_fields(fields, NULL, NULL, j);
}

/* A step's description as JSON. Fields at their zero value are left out, so the text is stable:
 * reading it (step_read.c) and writing it again gives the same bytes. */
#include "core/param_in.h"
#include "core/step.h"

static const char *const field_type_names[] = {
    [FIELD_TYPE_END] = "end",       [FIELD_TYPE_INT] = "int",   [FIELD_TYPE_NUMBER] = "number",
    [FIELD_TYPE_BOOL] = "bool",     [FIELD_TYPE_TEXT] = "text", [FIELD_TYPE_LIST] = "list",
    [FIELD_TYPE_OBJECT] = "object", [FIELD_TYPE_ANY] = "any",
};

const char *step_field_type_name(FieldType t)
{
    return (size_t)t < COUNT_OF(field_type_names) ? field_type_names[t] : "end";
}

static void put_text(JsonOut *j, const char *key, const char *text)
{
    if (text != NULL)
        json_kv_c(j, key, text);
}

static void put_flag(JsonOut *j, const char *key, bool flag)
{
    if (flag)
        json_kv_bool(j, key, true);
}

static void put_int(JsonOut *j, const char *key, int64_t v)
{
    if (v != 0)
        json_kv_int(j, key, v);
}

static void put_choices(const Choice *choices, JsonOut *j)
{
    json_key(j, "choices");
    json_begin(j, '[');
    for (const Choice *c = choices; c != NULL && c->name != NULL; c++) {
        json_begin(j, '{');
        json_kv_c(j, "name", c->name);
        put_text(j, "help", c->help);
        json_end(j, '}');
    }
    json_end(j, ']');
}

static void put_range(const Param *p, JsonOut *j)
{
    if (p->type == PARAM_TYPE_INT && (p->min != 0 || p->max != 0)) {
        json_kv_int(j, "min", p->min);
        json_kv_int(j, "max", p->max);
    }
    if (p->type == PARAM_TYPE_NUMBER && param_number_has_range(p)) {
        json_key(j, "min");
        param_put_number(p->min_num, j);
        json_key(j, "max");
        param_put_number(p->max_num, j);
    }
}

static void put_param(const Param *p, JsonOut *j)
{
    json_begin(j, '{');
    json_kv_c(j, "name", p->name);
    json_kv_c(j, "type", param_type_name(p->type));
    put_flag(j, "required", p->required);
    put_flag(j, "secret", p->secret);
    put_text(j, "help", p->help);
    put_text(j, "unit", p->unit);
    put_text(j, "example", p->example);
    put_text(j, "since", p->since);
    put_text(j, "replaced_by", p->replaced_by);
    put_range(p, j);
    put_int(j, "max_len", p->max_len);
    if (p->type == PARAM_TYPE_CHOICE)
        put_choices(p->choices, j);
    if (param_has_default(p) && p->type != PARAM_TYPE_BOOL) {
        json_key(j, "default");
        param_put_default(p, j);
    }
    json_end(j, '}');
}

static void put_fields(const Field *fields, JsonOut *j)
{
    json_begin(j, '[');
    for (const Field *f = fields; f != NULL && f->name != NULL; f++) {
        json_begin(j, '{');
        json_kv_c(j, "name", f->name);
        json_kv_c(j, "type", step_field_type_name(f->type));
        put_text(j, "help", f->help);
        put_flag(j, "optional", f->optional);
        put_flag(j, "nullable", f->nullable);
        put_text(j, "format", f->format);
        if (f->choices != NULL)
            put_choices(f->choices, j);
        if (f->items != NULL) {
            json_key(j, "items");
            put_fields(f->items, j);
        }
        json_end(j, '}');
    }
    json_end(j, ']');
}

static void put_limits(const StepLimits *l, JsonOut *j)
{
    if (l->time_ms == 0 && l->cpu_ms == 0 && l->memory_bytes == 0 && l->output_bytes == 0)
        return;
    json_key(j, "limits");
    json_begin(j, '{');
    put_int(j, "time_ms", l->time_ms);
    put_int(j, "cpu_ms", l->cpu_ms);
    put_int(j, "memory_bytes", l->memory_bytes);
    put_int(j, "output_bytes", l->output_bytes);
    json_end(j, '}');
}

static void put_examples(const Example *examples, JsonOut *j)
{
    static const Param any_json = {.type = PARAM_TYPE_JSON};
    json_key(j, "examples");
    json_begin(j, '[');
    for (const Example *e = examples; e->title != NULL; e++) {
        json_begin(j, '{');
        json_kv_c(j, "title", e->title);
        put_text(j, "input", e->input);
        if (e->args != NULL) {
            json_key(j, "args");
            param_from_text(&any_json, str_from_c(e->args), j);
        }
        put_text(j, "expect", e->expect);
        json_end(j, '}');
    }
    json_end(j, ']');
}

static void put_errors(const ErrCode *errors, JsonOut *j)
{
    json_key(j, "errors");
    json_begin(j, '[');
    for (const ErrCode *e = errors; *e != OK; e++)
        json_put_c(j, err_reason(*e));
    json_end(j, ']');
}

static void put_lists(const Step *s, JsonOut *j)
{
    if (s->params != NULL && s->params->type != PARAM_TYPE_END) {
        json_key(j, "params");
        json_begin(j, '[');
        param_each(p, s->params)
            put_param(p, j);
        json_end(j, ']');
    }
    if (s->data != NULL && s->data->name != NULL) {
        json_key(j, "data");
        put_fields(s->data, j);
    }
    if (s->errors != NULL && *s->errors != OK)
        put_errors(s->errors, j);
    if (s->examples != NULL && s->examples->title != NULL)
        put_examples(s->examples, j);
}

void step_put_json(const Step *s, JsonOut *j)
{
    json_begin(j, '{');
    json_kv_c(j, "name", s->name);
    put_text(j, "title", s->title);
    put_text(j, "summary", s->summary);
    put_text(j, "since", s->since);
    put_text(j, "accepts", s->accepts);
    put_text(j, "returns", s->returns);
    put_int(j, "inputs_max", s->inputs_max);
    put_flag(j, "input_optional", s->input_optional);
    put_int(j, "version", s->version);
    put_flag(j, "cacheable", s->cacheable);
    put_flag(j, "internal", s->internal);
    put_text(j, "engine", s->engine);
    put_text(j, "calls", s->calls);
    put_text(j, "outside", s->outside);
    put_int(j, "concurrency", s->concurrency);
    put_int(j, "attempts", s->attempts);
    put_limits(&s->limits, j);
    put_lists(s, j);
    json_end(j, '}');
}

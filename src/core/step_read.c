/* A step's description from JSON: what an engine prints is checked field by field. */
#include "core/param_in.h"
#include "core/step.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

enum {
    NAME_LEN_MAX = 64,
    TEXT_LEN_MAX = 2000,
    PARAMS_MAX = 200,
    CHOICES_MAX = 1000,
    FIELDS_MAX = 200,
    FIELD_DEPTH_MAX = 8,
    EXAMPLES_MAX = 100,
    INPUTS_MAX = 1000,
    ATTEMPTS_MAX = 100,
    CONCURRENCY_MAX = 64,
};

/* The first fault ends it; `where` names the place for the message. */

typedef struct Reader {
    Arena *arena;
    Err *err;
    char where[96];
    ErrCode rc;
} Reader;

static void refuse(Reader *r, const char *key, const char *fmt, ...) PRINTF(3, 4);
static void refuse(Reader *r, const char *key, const char *fmt, ...)
{
    if (r->rc != OK)
        return;
    char what[128];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(what, sizeof what, fmt, ap);
    va_end(ap);
    r->rc = err_set(r->err, ERR_ENGINE_PROTOCOL, "%s%s%s %s", r->where, r->where[0] != 0 ? "." : "",
                    key, what);
}

static void no_memory(Reader *r)
{
    if (r->rc == OK)
        r->rc = err_set(r->err, ERR_NO_MEMORY, "no memory for the description of a step");
}

/* Texts go to terminals and pages: UTF-8 is checked by the parser, control characters here. */
static bool is_plain(Str s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.ptr[i] < 0x20 || s.ptr[i] == 0x7F)
            return false;
    return true;
}

static const char *copy_text(Reader *r, Str s)
{
    const char *c = str_to_c(r->arena, s);
    if (c == NULL)
        no_memory(r);
    return c;
}

static const char *get_text(Reader *r, const Json *o, const char *key, size_t max)
{
    const Json *v = json_get(o, key);
    if (v == NULL || v->type == JSON_NULL || r->rc != OK)
        return NULL;
    if (v->type != JSON_TEXT)
        refuse(r, key, "must be text");
    else if (v->text.len > max)
        refuse(r, key, "is longer than %zu bytes", max);
    else if (!is_plain(v->text))
        refuse(r, key, "has a control character");
    else
        return copy_text(r, v->text);
    return NULL;
}

static const char *need_text(Reader *r, const Json *o, const char *key, size_t max)
{
    const char *text = get_text(r, o, key, max);
    if (text == NULL || text[0] == 0)
        refuse(r, key, "is missing");
    return text != NULL ? text : "";
}

static bool get_flag(Reader *r, const Json *o, const char *key)
{
    const Json *v = json_get(o, key);
    if (v != NULL && v->type != JSON_BOOL && v->type != JSON_NULL)
        refuse(r, key, "must be true or false");
    return json_bool(v, false);
}

static int64_t get_int(Reader *r, const Json *o, const char *key, int64_t min, int64_t max)
{
    const Json *v = json_get(o, key);
    if (v == NULL || v->type == JSON_NULL)
        return 0;
    if (v->type != JSON_INT || v->integer < min || v->integer > max) {
        refuse(r, key, "must be a whole number from %" PRId64 " to %" PRId64, min, max);
        return 0;
    }
    return v->integer;
}

static double get_double(Reader *r, const Json *o, const char *key)
{
    double d = 0;
    const Json *v = json_get(o, key);
    if (v != NULL && v->type != JSON_NULL && !json_double(v, &d))
        refuse(r, key, "must be a number");
    return d;
}

/* The list `key` of objects, NULL when it is not there. */
static const Json *get_list(Reader *r, const Json *o, const char *key, size_t max)
{
    const Json *v = json_get(o, key);
    if (v == NULL || v->type == JSON_NULL)
        return NULL;
    if (v->type != JSON_LIST)
        refuse(r, key, "must be a list");
    else if (v->len > max)
        refuse(r, key, "has more than %zu entries", max);
    else
        return v;
    return NULL;
}

static bool entry_is_object(Reader *r, const Json *entry)
{
    if (entry->type != JSON_OBJECT)
        refuse(r, "", "must be a list of objects");
    return r->rc == OK;
}

static const Choice *read_choices(Reader *r, const Json *o)
{
    const Json *list = get_list(r, o, "choices", CHOICES_MAX);
    if (list == NULL || r->rc != OK)
        return NULL;
    Choice *choices = arena_new(r->arena, Choice, list->len + 1), *c = choices;
    if (choices == NULL) {
        no_memory(r);
        return NULL;
    }
    json_each(entry, list) {
        if (!entry_is_object(r, entry))
            return NULL;
        *c++ = (Choice){.name = need_text(r, entry, "name", NAME_LEN_MAX),
                        .help = get_text(r, entry, "help", TEXT_LEN_MAX)};
    }
    return choices;
}

/* Without a default the value set lies outside the range, as the C tables say "none". */
static void read_int_default(Reader *r, const Json *v, Param *p)
{
    if (v == NULL)
        p->def = p->min == 0 && p->max == 0 ? 0 : p->min > INT64_MIN ? p->min - 1 : p->max + 1;
    else if (v->type == JSON_INT)
        p->def = v->integer;
    else
        refuse(r, "default", "must be a whole number");
}

static void read_number_default(Reader *r, const Json *v, Param *p)
{
    p->def_num = NAN;
    if (v != NULL && !json_double(v, &p->def_num))
        refuse(r, "default", "must be a number");
}

static void read_choice_default(Reader *r, const Json *v, Param *p)
{
    p->def = v != NULL ? param_choice_index(p, json_text(v)) : -1;
    if (v != NULL && p->def < 0)
        refuse(r, "default", "is not one of the choices");
}

static void read_list_default(Reader *r, const Json *v, Param *p)
{
    if (v == NULL)
        return;
    if (v->type != JSON_LIST) {
        refuse(r, "default", "must be a list");
        return;
    }
    Buf b = buf_init(r->arena, PARAM_TEXT_MAX);
    json_each(item, v) {
        if (item->type != JSON_TEXT || !is_plain(item->text) || str_trim(item->text).len == 0 ||
            str_trim(item->text).len < item->text.len || str_find_char(item->text, ',') != STR_NONE)
            refuse(r, "default", "must be a list of plain texts without commas");
        if (b.len > 0)
            buf_add_char(&b, ',');
        buf_add(&b, item->text);
    }
    p->def_text = buf_c(&b);
    if (b.failed)
        no_memory(r);
}

static void read_json_default(Reader *r, const Json *v, Param *p)
{
    if (v == NULL)
        return;
    Buf b = buf_init(r->arena, PARAM_TEXT_MAX);
    JsonOut j = json_out(&b);
    json_put(&j, v);
    p->def_text = buf_c(&b);
    if (b.failed)
        no_memory(r);
}

static void read_default(Reader *r, const Json *o, Param *p)
{
    const Json *v = json_get(o, "default");
    switch (p->type) {
    case PARAM_TYPE_INT:
        read_int_default(r, v, p);
        break;
    case PARAM_TYPE_NUMBER:
        read_number_default(r, v, p);
        break;
    case PARAM_TYPE_TEXT:
        p->def_text = get_text(r, o, "default", TEXT_LEN_MAX);
        break;
    case PARAM_TYPE_CHOICE:
        read_choice_default(r, v, p);
        break;
    case PARAM_TYPE_LIST:
        read_list_default(r, v, p);
        break;
    case PARAM_TYPE_JSON:
        read_json_default(r, v, p);
        break;
    case PARAM_TYPE_BOOL:
        if (get_flag(r, o, "default"))
            refuse(r, "default", "must be false: a bool is named for the unusual choice");
        break;
    case PARAM_TYPE_END:
        break;
    }
}

static void read_param(Reader *r, const Json *o, Param *p)
{
    *p = (Param){
        .name = need_text(r, o, "name", NAME_LEN_MAX),
        .type = param_type_from(json_text(json_get(o, "type"))),
        .required = get_flag(r, o, "required"),
        .secret = get_flag(r, o, "secret"),
        .help = get_text(r, o, "help", TEXT_LEN_MAX),
        .unit = get_text(r, o, "unit", NAME_LEN_MAX),
        .example = get_text(r, o, "example", TEXT_LEN_MAX),
        .since = get_text(r, o, "since", NAME_LEN_MAX),
        .replaced_by = get_text(r, o, "replaced_by", NAME_LEN_MAX),
        .max_len = get_int(r, o, "max_len", 0, PARAM_TEXT_MAX),
    };
    if (p->type == PARAM_TYPE_END)
        refuse(r, "type", "must be int, number, bool, text, choice, list or json");
    if (p->type == PARAM_TYPE_INT) {
        p->min = get_int(r, o, "min", INT64_MIN, INT64_MAX);
        p->max = get_int(r, o, "max", INT64_MIN, INT64_MAX);
        if (p->min > p->max || (p->min == INT64_MIN && p->max == INT64_MAX))
            refuse(r, "min", "and max are no range; leave both out for any value");
    }
    if (p->type == PARAM_TYPE_NUMBER) {
        p->min_num = get_double(r, o, "min");
        p->max_num = get_double(r, o, "max");
    }
    if (p->type == PARAM_TYPE_CHOICE)
        p->choices = read_choices(r, o);
    if (r->rc == OK)
        read_default(r, o, p);
}

static const Param *read_params(Reader *r, const Json *o)
{
    const Json *list = get_list(r, o, "params", PARAMS_MAX);
    if (list == NULL || r->rc != OK)
        return NULL;
    Param *params = arena_new(r->arena, Param, list->len + 1);
    if (params == NULL) {
        no_memory(r);
        return NULL;
    }
    size_t i = 0;
    json_each(entry, list) {
        snprintf(r->where, sizeof r->where, "params[%zu]", i);
        if (!entry_is_object(r, entry))
            return NULL;
        read_param(r, entry, &params[i++]);
    }
    r->where[0] = 0;
    return params;
}

static FieldType field_type_from(Str name)
{
    for (int t = FIELD_TYPE_END + 1; t <= FIELD_TYPE_ANY; t++)
        if (str_eq_c(name, step_field_type_name((FieldType)t)))
            return (FieldType)t;
    return FIELD_TYPE_END;
}

static const Field *read_fields(Reader *r, const Json *o, const char *key, int depth)
{
    const Json *list = get_list(r, o, key, FIELDS_MAX);
    if (list == NULL || r->rc != OK)
        return NULL;
    Field *fields = arena_new(r->arena, Field, list->len + 1), *f = fields;
    if (fields == NULL || depth == FIELD_DEPTH_MAX) {
        if (fields == NULL)
            no_memory(r);
        refuse(r, key, "is nested too deeply");
        return NULL;
    }
    json_each(entry, list) {
        if (!entry_is_object(r, entry))
            return NULL;
        *f = (Field){
            .name = need_text(r, entry, "name", NAME_LEN_MAX),
            .type = field_type_from(json_text(json_get(entry, "type"))),
            .help = get_text(r, entry, "help", TEXT_LEN_MAX),
            .optional = get_flag(r, entry, "optional"),
            .items = read_fields(r, entry, "items", depth + 1),
            .nullable = get_flag(r, entry, "nullable"),
            .format = get_text(r, entry, "format", NAME_LEN_MAX),
            .choices = read_choices(r, entry),
        };
        if (f->type == FIELD_TYPE_END)
            refuse(r, "type", "must be int, number, bool, text, list, object or any");
        f++;
    }
    return fields;
}

static const ErrCode *read_errors(Reader *r, const Json *o)
{
    const Json *list = get_list(r, o, "errors", ERR_COUNT);
    if (list == NULL || r->rc != OK)
        return NULL;
    ErrCode *errors = arena_new(r->arena, ErrCode, list->len + 1), *e = errors;
    if (errors == NULL) {
        no_memory(r);
        return NULL;
    }
    json_each(entry, list) {
        *e = err_from_reason(json_text(entry));
        if (*e++ == OK)
            refuse(r, "errors", "has an unknown reason \"%.40s\"",
                   entry->type == JSON_TEXT ? copy_text(r, entry->text) : "");
    }
    return errors;
}

static const char *read_args(Reader *r, const Json *o)
{
    const Json *v = json_get(o, "args");
    if (v == NULL || v->type == JSON_NULL)
        return NULL;
    if (v->type != JSON_OBJECT)
        refuse(r, "args", "must be an object");
    Buf b = buf_init(r->arena, PARAM_TEXT_MAX);
    JsonOut j = json_out(&b);
    json_put(&j, v);
    const char *text = buf_c(&b);
    if (b.failed)
        no_memory(r);
    return text;
}

static const Example *read_examples(Reader *r, const Json *o)
{
    const Json *list = get_list(r, o, "examples", EXAMPLES_MAX);
    if (list == NULL || r->rc != OK)
        return NULL;
    Example *examples = arena_new(r->arena, Example, list->len + 1), *e = examples;
    if (examples == NULL) {
        no_memory(r);
        return NULL;
    }
    json_each(entry, list) {
        snprintf(r->where, sizeof r->where, "examples[%zu]", (size_t)(e - examples));
        if (!entry_is_object(r, entry))
            return NULL;
        *e++ = (Example){
            .title = need_text(r, entry, "title", TEXT_LEN_MAX),
            .input = get_text(r, entry, "input", TEXT_LEN_MAX),
            .args = read_args(r, entry),
            .expect = get_text(r, entry, "expect", TEXT_LEN_MAX),
        };
    }
    r->where[0] = 0;
    return examples;
}

static StepLimits read_limits(Reader *r, const Json *o)
{
    const Json *l = json_get(o, "limits");
    if (l != NULL && l->type != JSON_OBJECT && l->type != JSON_NULL)
        refuse(r, "limits", "must be an object");
    return (StepLimits){
        .time_ms = get_int(r, l, "time_ms", 0, INT64_MAX),
        .cpu_ms = get_int(r, l, "cpu_ms", 0, INT64_MAX),
        .memory_bytes = get_int(r, l, "memory_bytes", 0, INT64_MAX),
        .output_bytes = get_int(r, l, "output_bytes", 0, INT64_MAX),
    };
}

ErrCode step_from_json(const Json *j, Arena *a, Step *out, Err *err)
{
    Reader r = {.arena = a, .err = err};
    if (!json_is(j, JSON_OBJECT))
        return err_set(err, ERR_ENGINE_PROTOCOL, "the description of a step must be an object");
    Step s = {
        .name = need_text(&r, j, "name", NAME_LEN_MAX),
        .title = get_text(&r, j, "title", TEXT_LEN_MAX),
        .summary = get_text(&r, j, "summary", TEXT_LEN_MAX),
        .since = get_text(&r, j, "since", NAME_LEN_MAX),
        .accepts = get_text(&r, j, "accepts", TEXT_LEN_MAX),
        .returns = get_text(&r, j, "returns", TEXT_LEN_MAX),
        .inputs_max = (int)get_int(&r, j, "inputs_max", 0, INPUTS_MAX),
        .input_optional = get_flag(&r, j, "input_optional"),
        .version = (int)get_int(&r, j, "version", 0, INT32_MAX),
        .cacheable = get_flag(&r, j, "cacheable"),
        .internal = get_flag(&r, j, "internal"),
        .engine = get_text(&r, j, "engine", NAME_LEN_MAX),
        .calls = get_text(&r, j, "calls", TEXT_LEN_MAX),
        .outside = get_text(&r, j, "outside", NAME_LEN_MAX),
        .concurrency = (int)get_int(&r, j, "concurrency", 0, CONCURRENCY_MAX),
        .attempts = (int)get_int(&r, j, "attempts", 0, ATTEMPTS_MAX),
    };
    s.limits = read_limits(&r, j);
    s.params = read_params(&r, j);
    s.data = read_fields(&r, j, "data", 0);
    s.errors = read_errors(&r, j);
    s.examples = read_examples(&r, j);
    if (r.rc == OK)
        *out = s;
    return r.rc;
}

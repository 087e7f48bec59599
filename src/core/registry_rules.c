/* The rules every description keeps. They hold for the C tables (a test walks them) and for what
 * foreign engines send. */
#include "core/param_in.h"
#include "core/registry.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { NAME_LEN_MAX = 64, SENTENCE_LEN_MAX = 500, TITLE_LEN_MAX = 80, DATA_DEPTH_MAX = 8 };

/* Query parameters and flags of their own on every surface: a step cannot have a parameter of the
 * same name. */
static const char *const reserved[] = {
    "wait",        "queue",           "priority",          "delay_ms",   "attempts",
    "timeout_ms",  "concurrency_key", "concurrency_limit", "dry_run",    "help",
    "file",        "inputs",          "retry_ms",          "unique_key", "callback_url",
    "deadline_ms", "start_within_ms"};

typedef struct Rules {
    Arena *arena;
    const char *problem; /* the first */
} Rules;

static bool broken(Rules *r, const char *fmt, ...) PRINTF(2, 3);
static bool broken(Rules *r, const char *fmt, ...)
{
    char text[256];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    r->problem = str_to_c(r->arena, str_from_c(text));
    if (r->problem == NULL)
        r->problem = "no memory to check the description";
    return false;
}

static bool is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

static bool is_word(Str s)
{
    if (s.len == 0 || !is_lower(s.ptr[0]))
        return false;
    for (size_t i = 1; i < s.len; i++)
        if (!is_lower(s.ptr[i]) && !(s.ptr[i] >= '0' && s.ptr[i] <= '9') && s.ptr[i] != '_')
            return false;
    return true;
}

static bool is_step_name(Str s)
{
    size_t dot = str_find_char(s, '.');
    return s.len <= NAME_LEN_MAX && dot != STR_NONE && is_word(str_slice(s, 0, dot)) &&
           is_word(str_slice(s, dot + 1, s.len));
}

static bool has_control(Str s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.ptr[i] < 0x20 || s.ptr[i] == 0x7F)
            return true;
    return false;
}

/* Begins with anything but a lower-case letter, ends with a full stop, fits on a few lines. */
static bool is_sentence(const char *text)
{
    Str s = str_from_c(text);
    return s.len > 1 && s.len <= SENTENCE_LEN_MAX && !is_lower(s.ptr[0]) &&
           s.ptr[s.len - 1] == '.' && s.ptr[0] != ' ' && !has_control(s) && str_is_utf8(s);
}

static bool is_title(const char *text)
{
    Str s = str_from_c(text);
    return s.len > 0 && s.len <= TITLE_LEN_MAX && !is_lower(s.ptr[0]) && s.ptr[s.len - 1] != '.' &&
           !has_control(s) && str_is_utf8(s);
}

static bool is_version(const char *text)
{
    Str s = str_from_c(text);
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] != '.' && (s.ptr[i] < '0' || s.ptr[i] > '9'))
            return false;
    return s.len > 0 && s.len < 20;
}

static bool is_media_token(Str s)
{
    static const char also[] = "!#$&-^_.+";
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        if (!is_lower(c) && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') &&
            memchr(also, c, sizeof also - 1) == NULL)
            return false;
    }
    return s.len > 0;
}

static bool is_media_type(Str s, bool family_allowed)
{
    size_t slash = str_find_char(s, '/');
    if (slash == STR_NONE)
        return false;
    Str type = str_slice(s, 0, slash), subtype = str_slice(s, slash + 1, s.len);
    if (family_allowed && str_eq_c(subtype, "*"))
        return str_eq_c(type, "*") || is_media_token(type);
    return is_media_token(type) && is_media_token(subtype);
}

static bool media_list_ok(const char *list, bool family_allowed)
{
    Str rest = str_from_c(list), part;
    while (str_next(&rest, ',', &part))
        if (!is_media_type(str_trim(part), family_allowed))
            return false;
    return true;
}

/* The queue's name is read from the start of the canonical parameters, without parsing them
 * (flow_queue_for): so it comes first, and is always there. */
static bool outside_ok(const Step *s)
{
    const Param *p = s->params;
    return s->outside == NULL ||
           (p != NULL && p->type == PARAM_TYPE_TEXT && p->required && p->name != NULL &&
            strcmp(p->name, s->outside) == 0 && s->run == NULL && s->engine == NULL);
}

static bool head_ok(Rules *r, const Step *s)
{
    if (!is_step_name(str_from_c(s->name)))
        return broken(r, "the name must be noun.verb in lower case");
    if (!is_title(s->title))
        return broken(r, "title must be short, begin with a capital and have no full stop");
    if (!is_sentence(s->summary))
        return broken(r, "summary must be one sentence with a full stop");
    if (s->since != NULL && !is_version(s->since))
        return broken(r, "since must be a version such as 0.1");
    if (s->accepts != NULL && !media_list_ok(s->accepts, true))
        return broken(r, "accepts must be media types joined by commas");
    if (s->returns != NULL && !media_list_ok(s->returns, true))
        return broken(r, "returns must be media types joined by commas");
    if (s->accepts == NULL && (s->inputs_max != 0 || s->input_optional))
        return broken(r, "inputs_max and input_optional need accepts");
    if (s->inputs_max < 0 || s->version < 0 || s->attempts < 0 || s->attempts > 100)
        return broken(r, "inputs_max, version or attempts is out of range");
    if (s->concurrency < 0 || s->concurrency > 64)
        return broken(r, "concurrency is out of range");
    Str rest = str_from_c(s->calls), called;
    while (s->calls != NULL && str_next(&rest, ',', &called))
        if (!is_step_name(str_trim(called)))
            return broken(r, "calls must be names of steps joined by commas");
    if (!outside_ok(s))
        return broken(r, "outside must name the first parameter, a required text, of a step that "
                         "neither has an engine nor runs here");
    if (s->limits.time_ms < 0 || s->limits.cpu_ms < 0 || s->limits.memory_bytes < 0 ||
        s->limits.output_bytes < 0)
        return broken(r, "limits must not be negative");
    return true;
}

static size_t field_size(ParamType t)
{
    static const size_t sizes[] = {
        [PARAM_TYPE_INT] = sizeof(int64_t),       [PARAM_TYPE_NUMBER] = sizeof(double),
        [PARAM_TYPE_BOOL] = sizeof(bool),         [PARAM_TYPE_TEXT] = sizeof(Str),
        [PARAM_TYPE_CHOICE] = sizeof(int),        [PARAM_TYPE_LIST] = sizeof(StrList),
        [PARAM_TYPE_JSON] = sizeof(const Json *),
    };
    return (size_t)t < COUNT_OF(sizes) ? sizes[t] : 0;
}

static bool choices_ok(Rules *r, const Param *p)
{
    if (p->choices == NULL || p->choices[0].name == NULL)
        return broken(r, "%s: choices must not be empty", p->name);
    int count = 0;
    for (const Choice *c = p->choices; c->name != NULL; c++, count++) {
        Str name = str_from_c(c->name);
        if (name.len == 0 || name.len > NAME_LEN_MAX || has_control(name) ||
            str_find_char(name, ',') != STR_NONE)
            return broken(r, "%s: choice %d has no usable name", p->name, count);
        if (param_choice_index(p, name) != count)
            return broken(r, "%s: two choices are called %s", p->name, c->name);
        if (c->help != NULL && !is_sentence(c->help))
            return broken(r, "%s: help of choice %s must be a sentence with a full stop", p->name,
                          c->name);
    }
    if (!p->required && (p->def < -1 || p->def >= count))
        return broken(r, "%s: the default must be one of the choices, or -1 for none", p->name);
    return true;
}

/* The default and the example must pass the check that callers' values pass. */
static bool value_ok(Rules *r, const Param *p, const char *what, Str given_json)
{
    CLEANUP(arena_close) Arena *scratch = arena_open(8 * MIB);
    const Json *given = NULL;
    Str canonical;
    ParamFaults faults;
    Err err = {0};
    Param alone[2] = {*p, PARAM_END};
    if (scratch == NULL)
        return broken(r, "no memory to check the description");
    ErrCode rc = json_parse(scratch, given_json, &given, &err);
    if (rc == OK)
        rc = param_check(alone, given, scratch, &canonical, &faults, &err);
    return rc == OK || broken(r, "%s: %s: %.150s", p->name, what, err.text);
}

static bool default_ok(Rules *r, const Param *p)
{
    CLEANUP(arena_close) Arena *scratch = arena_open(4 * MIB);
    if (!param_has_default(p))
        return true;
    if (scratch == NULL)
        return broken(r, "no memory to check the description");
    Buf b = buf_init(scratch, 2 * MIB);
    JsonOut j = json_out(&b);
    json_begin(&j, '{');
    json_key(&j, p->name);
    param_put_default(p, &j);
    json_end(&j, '}');
    return b.failed ? broken(r, "%s: the default is too long", p->name)
                    : value_ok(r, p, "default", buf_str(&b));
}

static bool example_value_ok(Rules *r, const Param *p)
{
    CLEANUP(arena_close) Arena *scratch = arena_open(4 * MIB);
    if (p->example == NULL)
        return true;
    if (scratch == NULL)
        return broken(r, "no memory to check the description");
    Buf b = buf_init(scratch, 2 * MIB);
    JsonOut j = json_out(&b);
    json_begin(&j, '{');
    json_key(&j, p->name);
    param_from_text(p, str_from_c(p->example), &j);
    json_end(&j, '}');
    return b.failed ? broken(r, "%s: the example is too long", p->name)
                    : value_ok(r, p, "example", buf_str(&b));
}

static bool param_name_ok(Rules *r, const Step *s, const Param *p)
{
    Str name = str_from_c(p->name);
    if (!is_word(name) || name.len > NAME_LEN_MAX)
        return broken(r, "parameter \"%.64s\" must be named in lower case",
                      p->name != NULL ? p->name : "");
    for (size_t i = 0; i < COUNT_OF(reserved); i++)
        if (str_eq_c(name, reserved[i]))
            return broken(r, "%s: the name belongs to the surfaces (wait, queue, priority …)",
                          p->name);
    if (param_find(s->params, name) != p)
        return broken(r, "two parameters are called %s", p->name);
    return true;
}

static bool param_rules_ok(Rules *r, const Step *s, const Param *p)
{
    if (!is_sentence(p->help))
        return broken(r, "%s: help must be one sentence with a full stop", p->name);
    if (p->since != NULL && !is_version(p->since))
        return broken(r, "%s: since must be a version such as 0.1", p->name);
    if (p->unit != NULL && (p->unit[0] == 0 || has_control(str_from_c(p->unit))))
        return broken(r, "%s: the unit is empty", p->name);
    if (p->replaced_by != NULL && (p->required || strcmp(p->replaced_by, p->name) == 0 ||
                                   param_find(s->params, str_from_c(p->replaced_by)) == NULL))
        return broken(r, "%s: replaced_by must name another parameter, and required must be off",
                      p->name);
    if (p->type == PARAM_TYPE_INT && p->min > p->max)
        return broken(r, "%s: min is above max", p->name);
    if (p->type == PARAM_TYPE_NUMBER && p->min_num > p->max_num)
        return broken(r, "%s: min is above max", p->name);
    if (p->type != PARAM_TYPE_CHOICE && p->choices != NULL)
        return broken(r, "%s: only a choice has choices", p->name);
    if (p->max_len < 0 || p->max_len > PARAM_TEXT_MAX)
        return broken(r, "%s: max_len is out of range", p->name);
    if (p->secret && (p->def_text != NULL || p->example != NULL))
        return broken(r, "%s: a secret has no default and no example", p->name);
    if (s->run != NULL && p->offset + field_size(p->type) > s->args_size)
        return broken(r, "%s: its field lies outside the args struct (args_size)", p->name);
    return true;
}

static bool params_ok(Rules *r, const Step *s)
{
    param_each(p, s->params) {
        if (field_size(p->type) == 0)
            return broken(r, "a parameter has no type");
        if (!param_name_ok(r, s, p) || !param_rules_ok(r, s, p))
            return false;
        if (p->type == PARAM_TYPE_CHOICE && !choices_ok(r, p))
            return false;
        if (!default_ok(r, p) || !example_value_ok(r, p))
            return false;
    }
    return true;
}

static bool fields_ok(Rules *r, const Field *fields, int depth)
{
    if (depth > DATA_DEPTH_MAX)
        return broken(r, "data is nested too deeply");
    for (const Field *f = fields; f != NULL && f->name != NULL; f++) {
        if (!is_word(str_from_c(f->name)))
            return broken(r, "data field \"%.64s\" must be named in lower case", f->name);
        for (const Field *before = fields; before < f; before++)
            if (strcmp(before->name, f->name) == 0)
                return broken(r, "two data fields are called %s", f->name);
        if (f->type <= FIELD_TYPE_END || f->type > FIELD_TYPE_ANY)
            return broken(r, "data field %s has no type", f->name);
        if (!is_sentence(f->help))
            return broken(r, "data field %s: help must be one sentence with a full stop", f->name);
        if (f->items != NULL && f->type != FIELD_TYPE_LIST && f->type != FIELD_TYPE_OBJECT)
            return broken(r, "data field %s: only a list or an object has items", f->name);
        if (f->type != FIELD_TYPE_TEXT && (f->format != NULL || f->choices != NULL))
            return broken(r, "data field %s: only text has a format or choices", f->name);
        if (!fields_ok(r, f->items, depth + 1))
            return false;
    }
    return true;
}

static bool errors_ok(Rules *r, const Step *s)
{
    for (const ErrCode *e = s->errors; e != NULL && *e != OK; e++) {
        if ((int)*e < 0 || *e >= ERR_COUNT)
            return broken(r, "errors has a code that is not in errors.def");
        for (const ErrCode *before = s->errors; before < e; before++)
            if (*before == *e)
                return broken(r, "errors names %s twice", err_reason(*e));
    }
    return true;
}

static bool example_args_ok(Rules *r, const Step *s, const Example *e)
{
    CLEANUP(arena_close) Arena *scratch = arena_open(8 * MIB);
    const Json *given = NULL;
    Str canonical;
    ParamFaults faults;
    Err err = {0};
    if (scratch == NULL)
        return broken(r, "no memory to check the description");
    ErrCode rc = e->args != NULL ? json_parse(scratch, str_from_c(e->args), &given, &err) : OK;
    if (rc == OK && !str_eq_c(str_from_c(e->expect), "reason=bad_param"))
        rc = param_check(s->params, given, scratch, &canonical, &faults, &err);
    return rc == OK || broken(r, "example \"%.60s\": %.150s", e->title, err.text);
}

static bool examples_ok(Rules *r, const Step *s)
{
    if (!s->internal && (s->examples == NULL || s->examples->title == NULL))
        return broken(r, "there must be an example");
    for (const Example *e = s->examples; e != NULL && e->title != NULL; e++) {
        if (!is_title(e->title))
            return broken(
                r, "example \"%.60s\": the title must begin with a capital and have no full stop",
                e->title);
        if (e->expect == NULL || e->expect[0] == 0)
            return broken(r, "example \"%.60s\" expects nothing", e->title);
        if (e->input != NULL && s->accepts == NULL)
            return broken(r, "example \"%.60s\" has an input, but the step takes none", e->title);
        if (e->input != NULL && (e->input[0] == '/' || strstr(e->input, "..") != NULL))
            return broken(r, "example \"%.60s\": the input must be a file of samples/", e->title);
        if (!example_args_ok(r, s, e))
            return false;
    }
    return true;
}

const char *registry_problem(const Step *s, Arena *a)
{
    Rules r = {.arena = a};
    if (head_ok(&r, s) && params_ok(&r, s) && fields_ok(&r, s->data, 0) && errors_ok(&r, s) &&
        examples_ok(&r, s))
        return NULL;
    return r.problem;
}

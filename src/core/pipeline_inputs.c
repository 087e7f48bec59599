/* The inputs of a pipeline: values as a table of parameters, files beside it. */
#include "core/pipeline_in.h"

#include <math.h>

/* Whole numbers without a range: what every reader of JSON holds exactly. (All of int64_t
 * would leave no value outside the range, which is how a table says "no default".) */
static const int64_t INT_LEAST = -9007199254740991, INT_MOST = 9007199254740991;

enum { CHOICES_MAX = 1000, HELP_MAX = 500 };

/* Query parameters and flags of their own on every surface. */
static const char *const reserved[] = {
    "wait",         "queue",   "priority", "delay_ms", "attempts", "timeout_ms", "concurrency_key",
    "callback_url", "dry_run", "help",     "inputs",   "version",  "no_memo"};

static const char *copy_c(PipeReader *r, Str s)
{
    return pipe_memory(r, str_to_c(r->arena, s));
}

static const char *optional_c(PipeReader *r, const Place *at, const Json *spec, const char *key)
{
    Str s = pipe_text(r, at, spec, key, HELP_MAX);
    return s.len > 0 ? copy_c(r, s) : NULL;
}

static bool name_fits(PipeReader *r, const Place *at, Str name, bool is_file)
{
    bool taken = !is_file && str_eq_c(name, "file");
    for (size_t i = 0; i < COUNT_OF(reserved); i++)
        taken |= str_eq_c(name, reserved[i]);
    if (taken)
        pipe_fault(r, at, "is a name that every call uses for itself; choose another");
    else if (!pipe_word_ok(name))
        pipe_fault(r, at, "must begin with a letter and hold only letters, digits, - and _");
    else if (param_find(r->p->inputs, name) != NULL || pipe_file_input(r->p, name) != NULL)
        pipe_fault(r, at, "is there twice");
    else
        return true;
    return false;
}

static void read_choice(PipeReader *r, const Place *at, const Json *v, Choice *out)
{
    Str name = json_is(v, JSON_OBJECT) ? json_text(json_get(v, "name")) : json_text(v);
    if (name.len == 0 || name.len > 64 || str_find_char(name, ',') != STR_NONE)
        pipe_fault(r, at, "must be a list of short texts without commas, or of {name, help}");
    out->name = copy_c(r, name);
    Str help = json_text(json_get(v, "help"));
    out->help = help.len > 0 ? copy_c(r, help) : NULL;
}

static const Choice *read_choices(PipeReader *r, const Place *up, const Json *spec)
{
    static const Choice none[] = {{0}};
    Place at = {up, STR("choices")};
    const Json *list = json_get(spec, "choices");
    if (!json_is(list, JSON_LIST) || list->len == 0 || list->len > CHOICES_MAX) {
        pipe_fault(r, &at, "must be a list of texts");
        return none;
    }
    Choice *choices = pipe_memory(r, arena_new(r->arena, Choice, list->len + 1));
    if (choices == NULL)
        return none;
    size_t i = 0;
    json_each(v, list)
        read_choice(r, &at, v, &choices[i++]);
    if (r->no_memory)
        return none;
    Param p = {.choices = choices};
    for (size_t k = 0; k < i; k++)
        if (param_choice_index(&p, str_from_c(choices[k].name)) != (int)k) {
            pipe_fault(r, &at, "has \"%s\" twice", choices[k].name);
            break;
        }
    return choices;
}

static void read_int_range(PipeReader *r, const Place *at, const Json *spec, Param *p)
{
    bool has_min = json_get(spec, "min") != NULL, has_max = json_get(spec, "max") != NULL;
    p->min = pipe_int(r, at, spec, "min", INT_LEAST, INT_MOST, has_max ? INT64_MIN : INT_LEAST);
    p->max = pipe_int(r, at, spec, "max", INT_LEAST, INT_MOST, has_min ? INT64_MAX : INT_MOST);
    if (p->min == 0 && p->max == 0) /* the table reads 0 to 0 as any value */
        pipe_fault(r, at, "has a range of 0 to 0, which leaves no choice");
    if (p->min > p->max)
        pipe_fault(r, at, "has a min above its max");
    p->def = p->min > INT64_MIN ? p->min - 1 : p->max + 1; /* outside: none */
}

static bool read_number(PipeReader *r, const Place *up, const Json *spec, const char *key,
                        double *out)
{
    Place at = {up, str_from_c(key)};
    const Json *v = json_get(spec, key);
    if (v == NULL)
        return false;
    if (json_double(v, out))
        return true;
    pipe_fault(r, &at, "must be a number");
    return false;
}

static void read_number_range(PipeReader *r, const Place *at, const Json *spec, Param *p)
{
    bool has_min = read_number(r, at, spec, "min", &p->min_num);
    bool has_max = read_number(r, at, spec, "max", &p->max_num);
    if (has_min != has_max) {
        p->min_num = has_min ? p->min_num : -1e300;
        p->max_num = has_max ? p->max_num : 1e300;
    }
    if (p->min_num > p->max_num)
        pipe_fault(r, at, "has a min above its max");
    p->def_num = NAN;
}

/* The one table that checks callers' values checks the default too. */
static bool default_fits(PipeReader *r, const Place *at, const Param *p, const Json *v)
{
    Param alone[2] = {*p, PARAM_END};
    Json member = *v, object = {.type = JSON_OBJECT, .len = 1, .first = &member};
    ParamFaults faults;
    Str canonical;
    Err err = {0};
    member.key = str_from_c(p->name);
    member.next = NULL;
    ErrCode rc = param_check(alone, &object, r->arena, &canonical, &faults, &err);
    if (rc == ERR_NO_MEMORY)
        r->no_memory = true;
    else if (rc != OK)
        pipe_fault(r, at, STR_FMT, STR_ARG(faults.items[0].detail));
    return rc == OK;
}

static const char *list_text(PipeReader *r, const Place *at, const Json *v)
{
    Buf b = buf_init(r->arena, PARAM_TEXT_MAX);
    json_each(item, v) {
        if (str_find_char(item->text, ',') != STR_NONE || str_trim(item->text).len == 0 ||
            str_trim(item->text).len < item->text.len)
            pipe_fault(r, at, "must be a list of texts without commas and spaces around them");
        if (b.len > 0)
            buf_add_char(&b, ',');
        buf_add(&b, item->text);
    }
    r->no_memory |= b.failed;
    return buf_c(&b);
}

static const char *json_source(PipeReader *r, const Json *v)
{
    Buf b = buf_init(r->arena, PARAM_TEXT_MAX);
    JsonOut j = json_out(&b);
    json_put(&j, v);
    r->no_memory |= b.failed;
    return buf_c(&b);
}

static void set_default(PipeReader *r, const Place *at, Param *p, const Json *v)
{
    switch (p->type) {
    case PARAM_TYPE_INT:
        p->def = v->integer;
        break;
    case PARAM_TYPE_NUMBER:
        json_double(v, &p->def_num);
        break;
    case PARAM_TYPE_BOOL:
        if (v->truth)
            pipe_fault(r, at, "must be false: name the input for the unusual choice");
        break;
    case PARAM_TYPE_TEXT:
        p->def_text = copy_c(r, v->text);
        break;
    case PARAM_TYPE_CHOICE:
        p->def = param_choice_index(p, v->text);
        break;
    case PARAM_TYPE_LIST:
        p->def_text = list_text(r, at, v);
        break;
    case PARAM_TYPE_JSON:
        p->def_text = json_source(r, v);
        break;
    case PARAM_TYPE_END:
        break;
    }
}

static void read_default(PipeReader *r, const Place *up, const Json *spec, Param *p)
{
    Place at = {up, STR("default")};
    const Json *v = json_get(spec, "default");
    if (p->type == PARAM_TYPE_CHOICE)
        p->def = -1;
    if (v == NULL || v->type == JSON_NULL)
        return;
    if (p->required)
        pipe_fault(r, &at, "is never used: the input is required");
    else if (default_fits(r, &at, p, v))
        set_default(r, &at, p, v);
}

static void read_value(PipeReader *r, const Place *at, Str name, const Json *spec, Param *p)
{
    Param q = {
        .name = copy_c(r, name),
        .type = param_type_from(json_text(json_get(spec, "type"))),
        .required = pipe_flag(r, at, spec, "required", false),
        .help = optional_c(r, at, spec, "help"),
        .unit = optional_c(r, at, spec, "unit"),
        .max_len = pipe_int(r, at, spec, "max-len", 1, PARAM_TEXT_MAX, 0),
    };
    if (q.type == PARAM_TYPE_TEXT || q.type == PARAM_TYPE_CHOICE)
        q.example = optional_c(r, at, spec, "example");
    if (q.type == PARAM_TYPE_CHOICE)
        q.choices = read_choices(r, at, spec);
    else if (json_get(spec, "choices") != NULL)
        pipe_fault(r, at, "has choices but is no choice; write type: choice");
    if (q.type == PARAM_TYPE_INT)
        read_int_range(r, at, spec, &q);
    if (q.type == PARAM_TYPE_NUMBER)
        read_number_range(r, at, spec, &q);
    if (!r->no_memory)
        read_default(r, at, spec, &q);
    *p = q;
}

static void read_file(PipeReader *r, const Place *at, Str name, const Json *spec, FileInput *f)
{
    *f = (FileInput){
        .name = name,
        .help = pipe_text(r, at, spec, "help", HELP_MAX),
        .accepts = pipe_text(r, at, spec, "accepts", 2000),
        .required = pipe_flag(r, at, spec, "required", false),
        .many = str_eq_c(json_text(json_get(spec, "type")), "files"),
    };
    Str rest = f->accepts, part;
    while (f->accepts.len > 0 && str_next(&rest, ',', &part))
        if (str_find_char(part, '/') == STR_NONE) {
            Place here = {at, STR("accepts")};
            pipe_fault(r, &here, "must be media types joined by commas, such as image/png");
            break;
        }
}

static bool is_file_type(Str type)
{
    return str_eq_c(type, "file") || str_eq_c(type, "files") || str_eq_c(type, "document");
}

static bool type_fits(PipeReader *r, const Place *up, const Json *spec, Str type)
{
    Place at = {up, STR("type")};
    const char *const *names = pipe_words("type", KEY_INPUT);
    Nearest n = nearest_to(type);
    for (size_t i = 0; names[i] != NULL; i++) {
        if (str_eq_c(type, names[i]))
            return true;
        nearest_try(&n, names[i]);
    }
    pipe_fault(r, json_get(spec, "type") != NULL ? &at : up, "needs a type: %s%s",
               pipe_words_text(r->arena, names), pipe_meant(&n).text);
    return false;
}

static void read_input(PipeReader *r, const Place *at, const Json *spec, Param *values,
                       size_t *values_len, FileInput *files)
{
    Str name = spec->key, type = json_text(json_get(spec, "type"));
    bool is_file = is_file_type(type);
    if (!name_fits(r, at, name, is_file))
        return;
    if (!json_is(spec, JSON_OBJECT)) {
        pipe_fault(r, at, "must be an object such as {type: text}");
        return;
    }
    if (!type_fits(r, at, spec, type) ||
        !pipe_keys(r, at, spec, is_file ? KEY_FILE_INPUT : KEY_INPUT))
        return;
    if (is_file)
        read_file(r, at, name, spec, &files[r->p->files_len++]);
    else
        read_value(r, at, name, spec, &values[(*values_len)++]);
}

void pipe_inputs(PipeReader *r, const Place *at, const Json *inputs)
{
    static const Param none[] = {PARAM_END};
    r->p->inputs = none;
    if (inputs == NULL || inputs->type == JSON_NULL)
        return;
    if (inputs->type != JSON_OBJECT || inputs->len > PIPELINE_INPUTS_MAX) {
        pipe_fault(r, at, "must be an object of at most %d inputs", PIPELINE_INPUTS_MAX);
        return;
    }
    Param *values = pipe_memory(r, arena_new(r->arena, Param, inputs->len + 1));
    FileInput *files = pipe_memory(r, arena_new(r->arena, FileInput, inputs->len));
    if (values == NULL || files == NULL)
        return;
    size_t values_len = 0;
    r->p->inputs = values;
    r->p->files = files;
    json_each(spec, inputs) {
        Place here = {at, spec->key};
        read_input(r, &here, spec, values, &values_len, files);
        if (r->no_memory)
            return;
    }
}

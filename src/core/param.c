#include "core/param_in.h"

#include <math.h>
#include <string.h>

static const char *const type_names[] = {
    [PARAM_TYPE_END] = "end",   [PARAM_TYPE_INT] = "int",   [PARAM_TYPE_NUMBER] = "number",
    [PARAM_TYPE_BOOL] = "bool", [PARAM_TYPE_TEXT] = "text", [PARAM_TYPE_CHOICE] = "choice",
    [PARAM_TYPE_LIST] = "list", [PARAM_TYPE_JSON] = "json",
};

const char *param_type_name(ParamType t)
{
    return (size_t)t < COUNT_OF(type_names) ? type_names[t] : "end";
}

ParamType param_type_from(Str name)
{
    for (size_t t = PARAM_TYPE_END + 1; t < COUNT_OF(type_names); t++)
        if (str_eq_c(name, type_names[t]))
            return (ParamType)t;
    return PARAM_TYPE_END;
}

const Param *param_find(const Param *params, Str name)
{
    param_each(p, params)
        if (str_eq_c(name, p->name))
            return p;
    return NULL;
}

int param_choice_index(const Param *p, Str name)
{
    for (int i = 0; p->choices != NULL && p->choices[i].name != NULL; i++)
        if (str_eq_c(name, p->choices[i].name))
            return i;
    return -1;
}

static const char *choice_name(const Param *p, int64_t index)
{
    for (int64_t i = 0; p->choices != NULL && p->choices[i].name != NULL; i++)
        if (i == index)
            return p->choices[i].name;
    return NULL;
}

bool param_int_in_range(const Param *p, int64_t v)
{
    return (p->min == 0 && p->max == 0) || (v >= p->min && v <= p->max);
}

bool param_number_has_range(const Param *p)
{
    return fpclassify(p->min_num) != FP_ZERO || fpclassify(p->max_num) != FP_ZERO;
}

bool param_number_in_range(const Param *p, double v)
{
    return isfinite(v) && (!param_number_has_range(p) || (v >= p->min_num && v <= p->max_num));
}

bool param_has_default(const Param *p)
{
    if (p->required)
        return false;
    switch (p->type) {
    case PARAM_TYPE_INT:
        return param_int_in_range(p, p->def);
    case PARAM_TYPE_NUMBER:
        return param_number_in_range(p, p->def_num);
    case PARAM_TYPE_BOOL:
        return true;
    case PARAM_TYPE_CHOICE:
        return choice_name(p, p->def) != NULL;
    case PARAM_TYPE_TEXT:
    case PARAM_TYPE_LIST:
    case PARAM_TYPE_JSON:
        return p->def_text != NULL;
    case PARAM_TYPE_END:
        break;
    }
    return false;
}

static void put_list(Str text, JsonOut *j)
{
    Str part;
    json_begin(j, '[');
    while (str_next(&text, ',', &part)) {
        part = str_trim(part);
        if (part.len > 0)
            json_put_str(j, part);
    }
    json_end(j, ']');
}

void param_put_default(const Param *p, JsonOut *j)
{
    if (!param_has_default(p))
        return;
    switch (p->type) {
    case PARAM_TYPE_INT:
        json_put_int(j, p->def);
        break;
    case PARAM_TYPE_NUMBER:
        param_put_number(p->def_num, j);
        break;
    case PARAM_TYPE_BOOL:
        json_put_bool(j, false);
        break;
    case PARAM_TYPE_TEXT:
        json_put_c(j, p->def_text);
        break;
    case PARAM_TYPE_CHOICE:
        json_put_c(j, choice_name(p, p->def));
        break;
    case PARAM_TYPE_LIST:
        put_list(str_from_c(p->def_text), j);
        break;
    case PARAM_TYPE_JSON:
        param_from_text(p, str_from_c(p->def_text), j);
        break;
    case PARAM_TYPE_END:
        break;
    }
}

/* One spelling per value: -0 is 0. */
void param_put_number(double v, JsonOut *j)
{
    json_put_double(j, fpclassify(v) == FP_ZERO ? 0 : v);
}

/* text → JSON */

static void number_from_text(Str text, JsonOut *j)
{
    int64_t whole;
    double number;
    Str t = str_trim(text);
    if (str_to_i64(t, &whole))
        json_put_int(j, whole);
    else if (str_to_double(t, &number))
        param_put_number(number, j);
    else
        json_put_str(j, text);
}

static void bool_from_text(Str text, JsonOut *j)
{
    static const char *const yes[] = {"", "true", "1", "yes", "on"};
    static const char *const no[] = {"false", "0", "no", "off"};
    for (size_t i = 0; i < COUNT_OF(yes); i++)
        if (str_eq_nocase(text, str_from_c(yes[i]))) {
            json_put_bool(j, true);
            return;
        }
    for (size_t i = 0; i < COUNT_OF(no); i++)
        if (str_eq_nocase(text, str_from_c(no[i]))) {
            json_put_bool(j, false);
            return;
        }
    json_put_str(j, text);
}

static void json_from_text(Str text, JsonOut *j)
{
    CLEANUP(arena_close) Arena *scratch = arena_open(64 * KIB + 128 * text.len);
    const Json *value = NULL;
    if (scratch == NULL) {
        j->buf->failed = true;
        return;
    }
    ErrCode rc = json_parse(scratch, text, &value, NULL);
    if (rc == OK)
        json_put(j, value);
    else if (rc == ERR_NO_MEMORY)
        j->buf->failed = true;
    else
        json_put_str(j, text);
}

void param_from_text(const Param *p, Str text, JsonOut *j)
{
    switch (p->type) {
    case PARAM_TYPE_INT:
    case PARAM_TYPE_NUMBER:
        number_from_text(text, j);
        break;
    case PARAM_TYPE_BOOL:
        bool_from_text(text, j);
        break;
    case PARAM_TYPE_LIST:
        put_list(text, j);
        break;
    case PARAM_TYPE_JSON:
        json_from_text(text, j);
        break;
    case PARAM_TYPE_TEXT:
    case PARAM_TYPE_CHOICE:
    case PARAM_TYPE_END:
        json_put_str(j, text);
        break;
    }
}

static bool came_before(const ParamText *texts, size_t index)
{
    for (size_t i = 0; i < index; i++)
        if (str_eq(texts[i].name, texts[index].name))
            return true;
    return false;
}

static void put_all_items(const ParamText *texts, size_t len, Str name, JsonOut *j)
{
    json_begin(j, '[');
    for (size_t i = 0; i < len; i++) {
        Str rest = texts[i].value, part;
        if (!str_eq(texts[i].name, name))
            continue;
        while (str_next(&rest, ',', &part))
            if (str_trim(part).len > 0)
                json_put_str(j, str_trim(part));
    }
    json_end(j, ']');
}

void param_from_texts(const Param *params, const ParamText *texts, size_t len, JsonOut *j)
{
    json_begin(j, '{');
    for (size_t i = 0; i < len; i++) {
        const Param *p = param_find(params, texts[i].name);
        bool list = p != NULL && p->type == PARAM_TYPE_LIST;
        if (list && came_before(texts, i))
            continue;
        json_key_str(j, texts[i].name);
        if (list)
            put_all_items(texts, len, texts[i].name, j);
        else if (p != NULL)
            param_from_text(p, texts[i].value, j);
        else
            json_put_str(j, texts[i].value);
    }
    json_end(j, '}');
}

/* JSON → args struct */

static ErrCode wrong_type(const Param *p, Err *err)
{
    err_set(err, ERR_BAD_PARAM, "%s: not of type %s", p->name, param_type_name(p->type));
    err_param(err, p->name);
    return ERR_BAD_PARAM;
}

static ErrCode fill_list(const Param *p, const Json *v, Arena *a, StrList *out, Err *err)
{
    if (!json_is(v, JSON_LIST))
        return wrong_type(p, err);
    StrList list = {.items = arena_new(a, Str, v->len)};
    if (list.items == NULL)
        return err_set(err, ERR_NO_MEMORY, "%s: no memory for %zu items", p->name, v->len);
    json_each(item, v) {
        if (item->type != JSON_TEXT)
            return wrong_type(p, err);
        list.items[list.len++] = item->text;
    }
    *out = list;
    return OK;
}

static ErrCode fill_value(const Param *p, const Json *v, Arena *a, char *field, Err *err)
{
    switch (p->type) {
    case PARAM_TYPE_INT:
        if (!json_is(v, JSON_INT))
            return wrong_type(p, err);
        memcpy(field, &v->integer, sizeof v->integer);
        return OK;
    case PARAM_TYPE_NUMBER: {
        double number;
        if (!json_double(v, &number))
            return wrong_type(p, err);
        memcpy(field, &number, sizeof number);
        return OK;
    }
    case PARAM_TYPE_BOOL:
        if (!json_is(v, JSON_BOOL))
            return wrong_type(p, err);
        memcpy(field, &v->truth, sizeof v->truth);
        return OK;
    case PARAM_TYPE_TEXT:
        if (!json_is(v, JSON_TEXT))
            return wrong_type(p, err);
        memcpy(field, &v->text, sizeof v->text);
        return OK;
    case PARAM_TYPE_CHOICE: {
        int index = json_is(v, JSON_TEXT) ? param_choice_index(p, v->text) : -1;
        if (index < 0)
            return wrong_type(p, err);
        memcpy(field, &index, sizeof index);
        return OK;
    }
    case PARAM_TYPE_LIST: {
        StrList list;
        ErrCode rc = fill_list(p, v, a, &list, err);
        if (rc == OK)
            memcpy(field, &list, sizeof list);
        return rc;
    }
    case PARAM_TYPE_JSON:
        memcpy(field, &v, sizeof v);
        return OK;
    case PARAM_TYPE_END:
        break;
    }
    return wrong_type(p, err);
}

/* The default as a JSON tree in `a`, so that it takes the same way as a value that was given. */
static ErrCode default_value(const Param *p, Arena *a, const Json **out, Err *err)
{
    Buf b = buf_init(a, PARAM_TEXT_MAX * 2);
    JsonOut j = json_out(&b);
    param_put_default(p, &j);
    if (b.failed)
        return err_set(err, ERR_NO_MEMORY, "%s: no memory for the default", p->name);
    return json_parse(a, buf_str(&b), out, err);
}

ErrCode param_fill(const Param *params, const Json *canonical, Arena *a, void *args, Err *err)
{
    if (canonical != NULL && canonical->type != JSON_OBJECT && canonical->type != JSON_NULL)
        return err_set(err, ERR_BAD_PARAM, "the parameters must be an object");
    param_each(p, params) {
        const Json *v = json_get(canonical, p->name);
        ErrCode rc = OK;
        if (p->type == PARAM_TYPE_CHOICE && choice_name(p, p->def) == NULL)
            memcpy((char *)args + p->offset, &(int){-1}, sizeof(int));
        if (v == NULL && p->required)
            return err_set(err, ERR_BAD_PARAM, "%s: missing", p->name);
        if (v == NULL && param_has_default(p))
            rc = default_value(p, a, &v, err);
        if (rc == OK && v != NULL)
            rc = fill_value(p, v, a, (char *)args + p->offset, err);
        if (rc != OK)
            return rc;
    }
    return OK;
}

/* Checking arguments and writing them canonically are one walk, so they cannot disagree. */
#include "core/nearest.h"
#include "core/param_in.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { CANONICAL_MAX = 16 << 20, SHOWN_MAX = 40, DETAIL_MAX = 512, CHOICES_SHOWN = 12 };

typedef struct Check {
    Arena *arena;
    JsonOut *out;
    ParamFaults *faults;
    bool no_memory;
} Check;

static void add_fault(Check *k, Str param, const char *fmt, ...) PRINTF(3, 4);
static void add_fault(Check *k, Str param, const char *fmt, ...)
{
    if (k->faults->len == PARAM_FAULTS_MAX)
        return;
    char text[DETAIL_MAX];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    Str detail = str_copy(k->arena, str_from_c(text));
    if (detail.ptr == NULL)
        k->no_memory = true;
    else
        k->faults->items[k->faults->len++] = (ParamFault){param, detail};
}

/* At most SHOWN_MAX bytes, not cut within a character. */
static Str shortened(Str s)
{
    if (s.len <= SHOWN_MAX)
        return s;
    size_t end = 0;
    for (size_t at = 0; at <= SHOWN_MAX; str_next_utf8(s, &at))
        end = at;
    return str_slice(s, 0, end);
}

/* The value as a message shows it: `, not "abc"`. A secret is never shown. */
typedef struct Shown {
    char text[SHOWN_MAX + 24];
} Shown;

static Shown show(const Param *p, const Json *v)
{
    Shown s = {""};
    if (p->secret)
        return s;
    switch (v->type) {
    case JSON_NULL:
        snprintf(s.text, sizeof s.text, ", not null");
        break;
    case JSON_BOOL:
        snprintf(s.text, sizeof s.text, ", not %s", v->truth ? "true" : "false");
        break;
    case JSON_INT:
    case JSON_NUMBER:
        snprintf(s.text, sizeof s.text, ", not " STR_FMT, STR_ARG(shortened(v->text)));
        break;
    case JSON_TEXT: {
        Str part = shortened(v->text);
        snprintf(s.text, sizeof s.text, ", not \"" STR_FMT "%s\"", STR_ARG(part),
                 part.len < v->text.len ? "…" : "");
        break;
    }
    case JSON_LIST:
        snprintf(s.text, sizeof s.text, ", not a list");
        break;
    case JSON_OBJECT:
        snprintf(s.text, sizeof s.text, ", not an object");
        break;
    }
    return s;
}

static Str name_of(const Param *p)
{
    return str_from_c(p->name);
}

/* 1600, 1600.0 and 1.6e3 are the same whole number. Beyond 2^53 only the plain spelling is exact.
 */
static bool whole_number(const Json *v, int64_t *out)
{
    double d;
    if (v->type == JSON_INT) {
        *out = v->integer;
        return true;
    }
    if (!json_double(v, &d) || fabs(d) > 9007199254740992.0 || trunc(d) < d || trunc(d) > d)
        return false;
    *out = (int64_t)d;
    return true;
}

static void int_range_fault(Check *k, const Param *p, const Json *v)
{
    if (p->max == INT64_MAX)
        add_fault(k, name_of(p), "must be at least %" PRId64 "%s", p->min, show(p, v).text);
    else if (p->min == INT64_MIN)
        add_fault(k, name_of(p), "must be at most %" PRId64 "%s", p->max, show(p, v).text);
    else
        add_fault(k, name_of(p), "must be %" PRId64 " to %" PRId64 "%s", p->min, p->max,
                  show(p, v).text);
}

static void check_int(Check *k, const Param *p, const Json *v)
{
    int64_t whole;
    if (v->type != JSON_INT && v->type != JSON_NUMBER)
        add_fault(k, name_of(p), "must be a whole number%s", show(p, v).text);
    else if (!whole_number(v, &whole))
        add_fault(k, name_of(p), "must be a whole number of at most 18 digits%s", show(p, v).text);
    else if (!param_int_in_range(p, whole))
        int_range_fault(k, p, v);
    else
        json_put_int(k->out, whole);
}

static void check_number(Check *k, const Param *p, const Json *v)
{
    double number;
    if (v->type != JSON_INT && v->type != JSON_NUMBER)
        add_fault(k, name_of(p), "must be a number%s", show(p, v).text);
    else if (!json_double(v, &number))
        add_fault(k, name_of(p), "must be a number within the range of a double%s",
                  show(p, v).text);
    else if (!param_number_in_range(p, number))
        add_fault(k, name_of(p), "must be %g to %g%s", p->min_num, p->max_num, show(p, v).text);
    else
        param_put_number(number, k->out);
}

static void check_bool(Check *k, const Param *p, const Json *v)
{
    if (v->type != JSON_BOOL)
        add_fault(k, name_of(p), "must be true or false%s", show(p, v).text);
    else
        json_put_bool(k->out, v->truth);
}

static void check_text(Check *k, const Param *p, const Json *v)
{
    size_t max = p->max_len > 0 ? (size_t)p->max_len : PARAM_TEXT_MAX;
    if (v->type != JSON_TEXT)
        add_fault(k, name_of(p), "must be text%s", show(p, v).text);
    else if (v->text.len > max)
        add_fault(k, name_of(p), "must be at most %zu bytes long, not %zu", max, v->text.len);
    else if (p->required && v->text.len == 0)
        add_fault(k, name_of(p), "must not be empty");
    else if (str_find_char(v->text, 0) != STR_NONE)
        add_fault(k, name_of(p), "must not contain the character U+0000");
    else
        json_put_str(k->out, v->text);
}

static void choice_fault(Check *k, const Param *p, const Json *v)
{
    char names[DETAIL_MAX / 2] = "";
    Nearest n = nearest_to(json_text(v));
    size_t at = 0, count = 0;
    for (const Choice *c = p->choices; c != NULL && c->name != NULL; c++, count++) {
        nearest_try(&n, c->name);
        if (count < CHOICES_SHOWN && at < sizeof names)
            at += (size_t)snprintf(names + at, sizeof names - at, "%s%s", count > 0 ? ", " : "",
                                   c->name);
    }
    if (n.name != NULL)
        add_fault(k, name_of(p), "must be one of %s%s%s; did you mean \"%s\"?", names,
                  count > CHOICES_SHOWN ? " …" : "", show(p, v).text, n.name);
    else
        add_fault(k, name_of(p), "must be one of %s%s%s", names, count > CHOICES_SHOWN ? " …" : "",
                  show(p, v).text);
}

static void check_choice(Check *k, const Param *p, const Json *v)
{
    if (v->type != JSON_TEXT || param_choice_index(p, v->text) < 0)
        choice_fault(k, p, v);
    else
        json_put_str(k->out, v->text);
}

static bool list_items_fit(Check *k, const Param *p, const Json *v)
{
    size_t no = 0;
    json_each(item, v) {
        no++;
        if (item->type != JSON_TEXT)
            add_fault(k, name_of(p), "item %zu must be text%s", no, show(p, item).text);
        else if (item->text.len > PARAM_TEXT_MAX)
            add_fault(k, name_of(p), "item %zu must be at most %d bytes long", no, PARAM_TEXT_MAX);
        else if (str_find_char(item->text, 0) != STR_NONE)
            add_fault(k, name_of(p), "item %zu must not contain the character U+0000", no);
        else
            continue;
        return false;
    }
    return true;
}

static void check_list(Check *k, const Param *p, const Json *v)
{
    size_t max = p->max_len > 0 ? (size_t)p->max_len : PARAM_LIST_MAX;
    if (v->type != JSON_LIST)
        add_fault(k, name_of(p), "must be a list of texts%s", show(p, v).text);
    else if (v->len > max)
        add_fault(k, name_of(p), "must have at most %zu items, not %zu", max, v->len);
    else if (p->required && v->len == 0)
        add_fault(k, name_of(p), "must not be empty");
    else if (list_items_fit(k, p, v))
        json_put(k->out, v);
}

/* Any JSON: members sorted by name, the last of equal names kept, numbers in one spelling. */

typedef struct Member {
    const Json *value;
    size_t index;
} Member;

static int by_key(const void *left, const void *right)
{
    const Member *a = left, *b = right;
    int d = str_cmp(a->value->key, b->value->key);
    return d != 0 ? d : (a->index > b->index) - (a->index < b->index);
}

static void put_canonical(Check *k, const Json *v);

static void put_object(Check *k, const Json *v)
{
    Member *members = arena_new(k->arena, Member, v->len);
    if (members == NULL) {
        k->no_memory = true;
        return;
    }
    size_t len = 0;
    json_each(member, v) {
        members[len] = (Member){member, len};
        len++;
    }
    if (len > 1)
        qsort(members, len, sizeof *members, by_key);
    json_begin(k->out, '{');
    for (size_t i = 0; i < len; i++) {
        if (i + 1 < len && str_eq(members[i].value->key, members[i + 1].value->key))
            continue;
        json_key_str(k->out, members[i].value->key);
        put_canonical(k, members[i].value);
    }
    json_end(k->out, '}');
}

static void put_canonical(Check *k, const Json *v)
{
    double number;
    switch (v->type) {
    case JSON_INT:
        json_put_int(k->out, v->integer);
        break;
    case JSON_NUMBER: /* a whole number too large for int64_t keeps its digits: a double would lose
                         some */
        if (str_find_char(v->text, '.') == STR_NONE && str_find_char(v->text, 'e') == STR_NONE &&
            str_find_char(v->text, 'E') == STR_NONE)
            json_put(k->out, v);
        else if (json_double(v, &number))
            param_put_number(number, k->out);
        else
            json_put(k->out, v);
        break;
    case JSON_LIST:
        json_begin(k->out, '[');
        json_each(item, v)
            put_canonical(k, item);
        json_end(k->out, ']');
        break;
    case JSON_OBJECT:
        put_object(k, v);
        break;
    case JSON_NULL:
    case JSON_BOOL:
    case JSON_TEXT:
        json_put(k->out, v);
        break;
    }
}

static void check_value(Check *k, const Param *p, const Json *v)
{
    json_key(k->out, p->name);
    switch (p->type) {
    case PARAM_TYPE_INT:
        check_int(k, p, v);
        break;
    case PARAM_TYPE_NUMBER:
        check_number(k, p, v);
        break;
    case PARAM_TYPE_BOOL:
        check_bool(k, p, v);
        break;
    case PARAM_TYPE_TEXT:
        check_text(k, p, v);
        break;
    case PARAM_TYPE_CHOICE:
        check_choice(k, p, v);
        break;
    case PARAM_TYPE_LIST:
        check_list(k, p, v);
        break;
    case PARAM_TYPE_JSON:
        put_canonical(k, v);
        break;
    case PARAM_TYPE_END:
        break;
    }
}

static void check_known(Check *k, const Param *params, const Json *given)
{
    json_begin(k->out, '{');
    param_each(p, params) {
        const Json *v = json_get(given, p->name);
        if (v != NULL && v->type != JSON_NULL) {
            check_value(k, p, v);
        } else if (p->required) {
            add_fault(k, name_of(p), "is required");
        } else if (param_has_default(p)) {
            json_key(k->out, p->name);
            param_put_default(p, k->out);
        }
    }
    json_end(k->out, '}');
}

static bool reported(const ParamFaults *faults, Str name)
{
    for (size_t i = 0; i < faults->len; i++)
        if (str_eq(faults->items[i].param, name))
            return true;
    return false;
}

static void check_unknown(Check *k, const Param *params, const Json *given)
{
    json_each(member, given) {
        if (k->faults->len == PARAM_FAULTS_MAX)
            return;
        if (param_find(params, member->key) != NULL || reported(k->faults, member->key))
            continue;
        Nearest n = nearest_to(member->key);
        param_each(p, params)
            nearest_try(&n, p->name);
        if (n.name != NULL)
            add_fault(k, member->key, "is not a parameter; did you mean \"%s\"?", n.name);
        else
            add_fault(k, member->key, "is not a parameter");
    }
}

static ErrCode bad_param(const ParamFaults *faults, Err *err)
{
    const ParamFault *f = &faults->items[0];
    Str name = shortened(f->param);
    if (name.len == 0)
        return err_set(err, ERR_BAD_PARAM, STR_FMT, STR_ARG(f->detail));
    char param[SHOWN_MAX + 1];
    snprintf(param, sizeof param, STR_FMT, STR_ARG(name));
    err_set(err, ERR_BAD_PARAM, "%s: " STR_FMT, param, STR_ARG(f->detail));
    err_param(err, param);
    return ERR_BAD_PARAM;
}

ErrCode param_check(const Param *params, const Json *given, Arena *a, Str *out, ParamFaults *faults,
                    Err *err)
{
    Buf b = buf_init(a, CANONICAL_MAX);
    JsonOut j = json_out(&b);
    Check k = {.arena = a, .out = &j, .faults = faults};
    faults->len = 0;
    if (given != NULL && given->type != JSON_OBJECT && given->type != JSON_NULL) {
        add_fault(&k, STR(""), "the parameters must be an object");
    } else {
        check_known(&k, params, given);
        if (json_is(given, JSON_OBJECT))
            check_unknown(&k, params, given);
    }
    if (k.no_memory || b.failed)
        return err_set(err, ERR_NO_MEMORY, "no memory to check the parameters");
    if (faults->len > 0)
        return bad_param(faults, err);
    *out = buf_str(&b);
    return OK;
}

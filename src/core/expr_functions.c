#include "core/expr_in.h"

#include <math.h>
#include <string.h>

#include "base/hash.h"
#include "core/nearest.h"

/* Each gets values that are there (JSON null at worst) and answers null to what makes no sense. */
#define FUNCTION(name)                                                                             \
    static const Json *name(Arena *a __attribute__((unused)), const Json *const *args,             \
                            size_t len __attribute__((unused)))

FUNCTION(fn_length)
{
    switch (args[0]->type) {
    case JSON_TEXT:
        return expr_int(a, (int64_t)str_count_utf8(args[0]->text));
    case JSON_LIST:
    case JSON_OBJECT:
        return expr_int(a, (int64_t)args[0]->len);
    case JSON_NULL:
        return expr_int(a, 0);
    default:
        return &expr_null;
    }
}

static const Json *list_contains(Arena *a, const Json *list, const Json *wanted)
{
    json_each(item, list) {
        bool equal;
        if (expr_equal(a, item, wanted, &equal) != OK)
            return NULL;
        if (equal)
            return &expr_true;
    }
    return &expr_false;
}

FUNCTION(fn_contains)
{
    bool text = args[1]->type == JSON_TEXT;
    if (args[0]->type == JSON_LIST)
        return list_contains(a, args[0], args[1]);
    if (args[0]->type == JSON_TEXT && text)
        return expr_bool(str_find(args[0]->text, args[1]->text) != STR_NONE);
    if (args[0]->type == JSON_OBJECT && text)
        return expr_bool(json_get_str(args[0], args[1]->text) != NULL);
    return &expr_null;
}

static bool both_texts(const Json *const *args)
{
    return args[0]->type == JSON_TEXT && args[1]->type == JSON_TEXT;
}

FUNCTION(fn_starts)
{
    return both_texts(args) ? expr_bool(str_starts(args[0]->text, args[1]->text)) : &expr_null;
}

FUNCTION(fn_ends)
{
    return both_texts(args) ? expr_bool(str_ends(args[0]->text, args[1]->text)) : &expr_null;
}

FUNCTION(fn_join)
{
    if (args[0]->type != JSON_LIST || (len > 1 && args[1]->type != JSON_TEXT))
        return &expr_null;
    Buf b = buf_init(a, EXPR_VALUE_MAX);
    json_each(item, args[0]) {
        if (item != args[0]->first && len > 1)
            buf_add(&b, args[1]->text);
        expr_put_text(&b, item);
        if (b.failed)
            break;
    }
    return expr_built(&b);
}

FUNCTION(fn_split)
{
    ExprList l;
    if (!both_texts(args) || args[1]->text.len == 0)
        return &expr_null;
    if (!expr_list_begin(a, &l))
        return NULL;
    Str rest = args[0]->text, sep = args[1]->text;
    for (size_t at; (at = str_find(rest, sep)) != STR_NONE;) {
        if (!expr_list_add(a, &l, expr_text(a, str_slice(rest, 0, at))))
            return NULL;
        rest = str_slice(rest, at + sep.len, rest.len);
    }
    return expr_list_add(a, &l, expr_text(a, rest)) ? l.list : NULL;
}

FUNCTION(fn_default)
{
    for (size_t i = 0; i < len; i++)
        if (!expr_is_null(args[i]))
            return args[i];
    return &expr_null;
}

static const Json *members(Arena *a, const Json *object, bool keys)
{
    ExprList l;
    if (object->type != JSON_OBJECT)
        return &expr_null;
    if (!expr_list_begin(a, &l))
        return NULL;
    json_each(item, object)
        if (!expr_list_add(a, &l, keys ? expr_text(a, item->key) : item))
            return NULL;
    return l.list;
}

FUNCTION(fn_keys)
{
    return members(a, args[0], true);
}

FUNCTION(fn_values)
{
    return members(a, args[0], false);
}

FUNCTION(fn_first)
{
    bool any = args[0]->type == JSON_LIST && args[0]->first != NULL;
    return any ? args[0]->first : &expr_null;
}

FUNCTION(fn_last)
{
    const Json *hit = &expr_null;
    if (args[0]->type == JSON_LIST)
        json_each(item, args[0])
            hit = item;
    return hit;
}

/* Negative places count from the end; what lies outside is cut off. */
static int64_t clamp_place(int64_t place, int64_t size)
{
    if (place < 0)
        place = place + size < 0 ? 0 : place + size;
    return place > size ? size : place;
}

static const Json *slice_text(Arena *a, Str s, int64_t from, int64_t to)
{
    size_t start = 0, at = 0;
    for (int64_t i = 0; i < to; i++) {
        if (i == from)
            start = at;
        str_next_utf8(s, &at);
    }
    return expr_text(a, from < to ? str_slice(s, start, at) : STR(""));
}

static const Json *slice_list(Arena *a, const Json *list, int64_t from, int64_t to)
{
    ExprList l;
    int64_t at = 0;
    if (!expr_list_begin(a, &l))
        return NULL;
    json_each(item, list) {
        if (at >= from && at < to && !expr_list_add(a, &l, item))
            return NULL;
        at++;
    }
    return l.list;
}

FUNCTION(fn_slice)
{
    bool text = args[0]->type == JSON_TEXT;
    if (!text && args[0]->type != JSON_LIST)
        return &expr_null;
    int64_t size = (int64_t)(text ? str_count_utf8(args[0]->text) : args[0]->len);
    int64_t from = 0, to = size;
    if (!expr_whole(args[1], &from) || (len > 2 && !expr_whole(args[2], &to)))
        return &expr_null;
    from = clamp_place(from, size);
    to = clamp_place(to, size);
    return text ? slice_text(a, args[0]->text, from, to) : slice_list(a, args[0], from, to);
}

/* Letters from `from` on to those that begin at `to`: A to Z alone, the others stay. */
static const Json *change_case(Arena *a, const Json *v, char from, char to)
{
    if (v->type != JSON_TEXT)
        return &expr_null;
    Str s = str_copy(a, v->text);
    if (s.ptr == NULL)
        return NULL;
    char *p = (char *)s.ptr;
    for (size_t i = 0; i < s.len; i++)
        if (p[i] >= from && p[i] < from + 26)
            p[i] = (char)(p[i] - from + to);
    return expr_text(a, s);
}

FUNCTION(fn_lower)
{
    return change_case(a, args[0], 'A', 'a');
}

FUNCTION(fn_upper)
{
    return change_case(a, args[0], 'a', 'A');
}

FUNCTION(fn_trim)
{
    return args[0]->type == JSON_TEXT ? expr_text(a, str_trim(args[0]->text)) : &expr_null;
}

FUNCTION(fn_replace)
{
    if (!both_texts(args) || args[2]->type != JSON_TEXT || args[1]->text.len == 0)
        return &expr_null;
    Buf b = buf_init(a, EXPR_VALUE_MAX);
    Str rest = args[0]->text, what = args[1]->text;
    for (size_t at; !b.failed && (at = str_find(rest, what)) != STR_NONE;) {
        buf_add(&b, str_slice(rest, 0, at));
        buf_add(&b, args[2]->text);
        rest = str_slice(rest, at + what.len, rest.len);
    }
    buf_add(&b, rest);
    return expr_built(&b);
}

/* Half a unit away from zero, as people round. */
FUNCTION(fn_round)
{
    ExprNumber n;
    int64_t places = 0;
    if (!expr_number(args[0], &n) || (len > 1 && !expr_whole(args[1], &places)) || places < 0 ||
        places > 15)
        return &expr_null;
    if (n.whole)
        return args[0];
    double scale = pow(10, (double)places), scaled = n.d * scale;
    return expr_double(a, fabs(scaled) < 4503599627370496.0 ? round(scaled) / scale : n.d);
}

FUNCTION(fn_floor)
{
    ExprNumber n;
    if (!expr_number(args[0], &n))
        return &expr_null;
    return n.whole ? args[0] : expr_double(a, floor(n.d));
}

FUNCTION(fn_ceil)
{
    ExprNumber n;
    if (!expr_number(args[0], &n))
        return &expr_null;
    return n.whole ? args[0] : expr_double(a, ceil(n.d));
}

static bool less(const Json *x, const Json *y)
{
    ExprNumber m, n;
    if (!expr_number(x, &m) || !expr_number(y, &n))
        return false;
    return m.whole && n.whole ? m.i < n.i : m.d < n.d;
}

/* NULL: one of the two is no number. `best` NULL: there is none yet. */
static const Json *better(const Json *best, const Json *v, bool most)
{
    ExprNumber n;
    if (!expr_number(v, &n))
        return NULL;
    if (best == NULL)
        return v;
    return (most ? less(best, v) : less(v, best)) ? v : best;
}

static const Json *extreme(const Json *const *args, size_t len, bool most)
{
    const Json *best = NULL;
    if (len == 1 && args[0]->type == JSON_LIST) {
        json_each(item, args[0])
            if ((best = better(best, item, most)) == NULL)
                return &expr_null;
        return best != NULL ? best : &expr_null;
    }
    for (size_t i = 0; i < len; i++)
        if ((best = better(best, args[i], most)) == NULL)
            return &expr_null;
    return best;
}

FUNCTION(fn_min)
{
    return extreme(args, len, false);
}

FUNCTION(fn_max)
{
    return extreme(args, len, true);
}

FUNCTION(fn_sum)
{
    static const Json zero = {.type = JSON_INT, .text = {"0", 1}};
    const Json *total = &zero;
    ExprNumber n;
    if (args[0]->type != JSON_LIST)
        return &expr_null;
    json_each(item, args[0]) {
        if (!expr_number(item, &n))
            return &expr_null;
        total = expr_arithmetic(a, total, SIGN_ADD, item);
        if (total == NULL || expr_is_null(total))
            return total;
    }
    return total;
}

FUNCTION(fn_json)
{
    const Json *value = NULL;
    Err err;
    if (args[0]->type != JSON_TEXT)
        return &expr_null;
    ErrCode rc = json_parse(a, args[0]->text, &value, &err);
    if (rc == ERR_NO_MEMORY)
        return NULL;
    return rc == OK ? value : &expr_null;
}

FUNCTION(fn_text)
{
    if (args[0]->type == JSON_TEXT)
        return args[0];
    Buf b = buf_init(a, EXPR_VALUE_MAX);
    expr_put_text(&b, args[0]);
    return expr_built(&b);
}

FUNCTION(fn_number)
{
    ExprNumber n;
    int64_t whole;
    double d;
    if (args[0]->type == JSON_BOOL)
        return expr_int(a, args[0]->truth);
    if (args[0]->type != JSON_TEXT)
        return expr_number(args[0], &n) ? args[0] : &expr_null;
    Str s = str_trim(args[0]->text);
    if (str_to_i64(s, &whole))
        return expr_int(a, whole);
    return str_to_double(s, &d) ? expr_double(a, d) : &expr_null;
}

FUNCTION(fn_hash)
{
    enum { CANONICAL_MAX = 64 * 1024 * 1024 };
    char *hex = arena_alloc_raw(a, HASH_HEX_SIZE);
    ArenaMark mark = arena_mark(a);
    Buf b = buf_init(a, CANONICAL_MAX);
    JsonOut j = json_out(&b);
    if (hex == NULL || expr_put_canonical(a, &j, args[0]) != OK || (b.failed && !b.over))
        return NULL;
    if (b.over)
        return &expr_null;
    bool hashed = hash_sha256(buf_str(&b), hex);
    arena_rewind(a, mark);
    return hashed ? expr_text(a, (Str){hex, HASH_HEX_SIZE - 1}) : NULL;
}

static const Json *named(const Json *item, const Json *name)
{
    const Json *hit = json_get_str(item, name->text);
    return hit != NULL ? hit : &expr_null;
}

FUNCTION(fn_map)
{
    ExprList l;
    if (args[0]->type != JSON_LIST || args[1]->type != JSON_TEXT)
        return &expr_null;
    if (!expr_list_begin(a, &l))
        return NULL;
    json_each(item, args[0])
        if (!expr_list_add(a, &l, named(item, args[1])))
            return NULL;
    return l.list;
}

FUNCTION(fn_where)
{
    ExprList l;
    if (args[0]->type != JSON_LIST || args[1]->type != JSON_TEXT)
        return &expr_null;
    if (!expr_list_begin(a, &l))
        return NULL;
    json_each(item, args[0]) {
        const Json *value = named(item, args[1]);
        bool take = expr_truth(value);
        if (len > 2 && expr_equal(a, value, args[2], &take) != OK)
            return NULL;
        if (take && !expr_list_add(a, &l, item))
            return NULL;
    }
    return l.list;
}

FUNCTION(fn_range)
{
    ExprList l;
    int64_t n;
    if (!expr_whole(args[0], &n) || n < 0 || n > EXPR_RANGE_MAX)
        return &expr_null;
    if (!expr_list_begin(a, &l))
        return NULL;
    for (int64_t i = 0; i < n; i++)
        if (!expr_list_add(a, &l, expr_int(a, i)))
            return NULL;
    return l.list;
}

static const ExprFunction functions[] = {
    {"length", 1, 1, "length(x)",
     "Characters of a text, members of a list or an object; 0 for null.", fn_length},
    {"contains", 2, 2, "contains(x, y)",
     "Whether text x has the text y in it, list x the value y, or object x the key y.",
     fn_contains},
    {"starts", 2, 2, "starts(text, start)", "Whether the text begins like that.", fn_starts},
    {"ends", 2, 2, "ends(text, end)", "Whether the text ends like that.", fn_ends},
    {"join", 1, 2, "join(list, between?)", "The members as one text, with a text between them.",
     fn_join},
    {"split", 2, 2, "split(text, at)", "The parts of a text as a list.", fn_split},
    {"default", 2, EXPR_ARGS_MAX, "default(x, y, …)", "The first value that is not null.",
     fn_default},
    {"keys", 1, 1, "keys(object)", "The names of the members, as a list.", fn_keys},
    {"values", 1, 1, "values(object)", "The values of the members, as a list.", fn_values},
    {"first", 1, 1, "first(list)", "The first member.", fn_first},
    {"last", 1, 1, "last(list)", "The last member.", fn_last},
    {"slice", 2, 3, "slice(x, from, to?)",
     "A part of a list or text, from a place (0 is the first) up to before another; negative "
     "places count from the end.",
     fn_slice},
    {"lower", 1, 1, "lower(text)", "With a to z for A to Z.", fn_lower},
    {"upper", 1, 1, "upper(text)", "With A to Z for a to z.", fn_upper},
    {"trim", 1, 1, "trim(text)", "Without the blanks and line breaks at both ends.", fn_trim},
    {"replace", 3, 3, "replace(text, what, by)", "With every occurrence replaced.", fn_replace},
    {"round", 1, 2, "round(x, places?)",
     "To the nearest whole number, or to that many places; halves go away from zero.", fn_round},
    {"floor", 1, 1, "floor(x)", "The next whole number below.", fn_floor},
    {"ceil", 1, 1, "ceil(x)", "The next whole number above.", fn_ceil},
    {"min", 1, EXPR_ARGS_MAX, "min(x, y, …)", "The least of the numbers, or of a list's.", fn_min},
    {"max", 1, EXPR_ARGS_MAX, "max(x, y, …)", "The greatest of the numbers, or of a list's.",
     fn_max},
    {"sum", 1, 1, "sum(list)", "The numbers of a list added up.", fn_sum},
    {"json", 1, 1, "json(text)", "The value that a JSON text describes.", fn_json},
    {"text", 1, 1, "text(x)",
     "The value as it would stand in a text: null as nothing, lists and objects as JSON.", fn_text},
    {"number", 1, 1, "number(x)", "The number that a text spells; true is 1, false is 0.",
     fn_number},
    {"hash", 1, 1, "hash(x)",
     "SHA-256 of any value, in hexadecimal; the order of an object's members makes no difference.",
     fn_hash},
    {"map", 2, 2, "map(list, name)", "What each member of the list has under this name.", fn_map},
    {"where", 2, 3, "where(list, name, value?)",
     "The members that have this value under this name; without a value, one that counts as true.",
     fn_where},
    {"range", 1, 1, "range(n)", "The list 0, 1 … n - 1, for n up to 10,000.", fn_range},
    {"format_time", 1, 2, "format_time(time, format?)",
     "A time (milliseconds since 1970, or an RFC 3339 text) in UTC: %Y %m %d %H %M %S %j %u %V %y "
     "%e %a %A %b %B %F %T and %%; without a format as RFC 3339.",
     expr_format_time},
};

const ExprFunction *expr_function(Str name)
{
    for (size_t i = 0; i < COUNT_OF(functions); i++)
        if (str_eq_c(name, functions[i].name))
            return &functions[i];
    return NULL;
}

const char *expr_function_like(Str name)
{
    Nearest n = nearest_to(name);
    for (size_t i = 0; i < COUNT_OF(functions); i++)
        nearest_try(&n, functions[i].name);
    return n.name;
}

void expr_each_function(ExprFunctionFn fn, void *ctx)
{
    for (size_t i = 0; i < COUNT_OF(functions); i++)
        fn(ctx, functions[i].name, functions[i].usage, functions[i].help);
}

#include "core/expr_in.h"

#include <math.h>

const Json expr_null = {.type = JSON_NULL};
const Json expr_true = {.type = JSON_BOOL, .truth = true};
const Json expr_false = {.type = JSON_BOOL, .truth = false};

const Json *expr_bool(bool b)
{
    return b ? &expr_true : &expr_false;
}

const Json *expr_int(Arena *a, int64_t v)
{
    Json *j = arena_new(a, Json, 1);
    Buf digits = buf_init(a, 32);
    buf_add_int(&digits, v);
    if (j == NULL || digits.failed)
        return NULL;
    *j = (Json){.type = JSON_INT, .integer = v, .text = buf_str(&digits)};
    return j;
}

const Json *expr_double(Arena *a, double v)
{
    if (!isfinite(v))
        return &expr_null;
    if (fabs(v) < 9007199254740992.0 && !(fabs(v - trunc(v)) > 0)) /* 2^53: exact below it */
        return expr_int(a, (int64_t)v);
    Json *j = arena_new(a, Json, 1);
    Buf digits = buf_init(a, 64);
    JsonOut out = json_out(&digits);
    json_put_double(&out, v);
    if (j == NULL || digits.failed)
        return NULL;
    *j = (Json){.type = JSON_NUMBER, .text = buf_str(&digits)};
    if (str_to_i64(j->text, &j->integer)) /* what would be read as an integer is one */
        j->type = JSON_INT;
    return j;
}

const Json *expr_text(Arena *a, Str s)
{
    if (s.len > EXPR_VALUE_MAX)
        return &expr_null;
    Json *j = arena_new(a, Json, 1);
    if (j != NULL)
        *j = (Json){.type = JSON_TEXT, .text = s};
    return j;
}

const Json *expr_built(const Buf *b)
{
    if (b->failed)
        return b->over ? &expr_null : NULL;
    return expr_text(b->arena, buf_str(b));
}

bool expr_is_null(const Json *v)
{
    return v == NULL || v->type == JSON_NULL;
}

bool expr_number(const Json *v, ExprNumber *out)
{
    *out = (ExprNumber){.whole = json_is(v, JSON_INT)};
    if (out->whole) {
        out->i = v->integer;
        out->d = (double)v->integer;
        return true;
    }
    return json_is(v, JSON_NUMBER) && str_to_double(v->text, &out->d);
}

bool expr_whole(const Json *v, int64_t *out)
{
    ExprNumber n;
    if (!expr_number(v, &n))
        return false;
    if (!n.whole && (fabs(n.d) > 9007199254740992.0 || fabs(n.d - trunc(n.d)) > 0))
        return false;
    *out = n.whole ? n.i : (int64_t)n.d;
    return true;
}

bool expr_truth(const Json *v)
{
    ExprNumber n;
    switch (v != NULL ? v->type : JSON_NULL) {
    case JSON_BOOL:
        return v->truth;
    case JSON_INT:
    case JSON_NUMBER:
        return expr_number(v, &n) && (n.d < 0 || n.d > 0);
    case JSON_TEXT:
        return v->text.len > 0;
    case JSON_LIST:
    case JSON_OBJECT:
        return v->first != NULL;
    case JSON_NULL:
        break;
    }
    return false;
}

bool expr_list_begin(Arena *a, ExprList *l)
{
    l->list = arena_new(a, Json, 1);
    if (l->list == NULL)
        return false;
    l->list->type = JSON_LIST;
    l->tail = &l->list->first;
    return true;
}

bool expr_list_add(Arena *a, ExprList *l, const Json *v)
{
    Json *copy = v != NULL ? arena_new(a, Json, 1) : NULL;
    if (copy == NULL)
        return false;
    *copy = *v;
    copy->next = NULL;
    copy->key = (Str){0};
    *l->tail = copy;
    l->tail = &copy->next;
    l->list->len++;
    return true;
}

static bool add_whole(int64_t x, ExprSign sign, int64_t y, int64_t *out)
{
    switch (sign) {
    case SIGN_ADD:
        return !__builtin_add_overflow(x, y, out);
    case SIGN_SUBTRACT:
        return !__builtin_sub_overflow(x, y, out);
    case SIGN_MULTIPLY:
        return !__builtin_mul_overflow(x, y, out);
    case SIGN_DIVIDE:
        if (y == 0 || (x == INT64_MIN && y == -1) || x % y != 0)
            return false;
        *out = x / y;
        return true;
    case SIGN_REMAINDER:
        if (y == 0)
            return false;
        *out = y == -1 ? 0 : x % y;
        return true;
    default:
        return false;
    }
}

static double add_double(double x, ExprSign sign, double y)
{
    switch (sign) {
    case SIGN_ADD:
        return x + y;
    case SIGN_SUBTRACT:
        return x - y;
    case SIGN_MULTIPLY:
        return x * y;
    case SIGN_DIVIDE:
        return y < 0 || y > 0 ? x / y : (double)NAN;
    default:
        return y < 0 || y > 0 ? fmod(x, y) : (double)NAN;
    }
}

/* Text and text, or text and a number. */
static const Json *join(Arena *a, const Json *x, const Json *y)
{
    ExprNumber n;
    bool fits = (x->type == JSON_TEXT || expr_number(x, &n)) &&
                (y->type == JSON_TEXT || expr_number(y, &n));
    if (!fits)
        return &expr_null;
    Buf b = buf_init(a, EXPR_VALUE_MAX);
    expr_put_text(&b, x);
    expr_put_text(&b, y);
    return expr_built(&b);
}

const Json *expr_arithmetic(Arena *a, const Json *x, ExprSign sign, const Json *y)
{
    ExprNumber m, n;
    int64_t whole;
    if (sign == SIGN_ADD && (x->type == JSON_TEXT || y->type == JSON_TEXT))
        return join(a, x, y);
    if (!expr_number(x, &m) || !expr_number(y, &n))
        return &expr_null;
    if (m.whole && n.whole && add_whole(m.i, sign, n.i, &whole))
        return expr_int(a, whole);
    return expr_double(a, add_double(m.d, sign, n.d));
}

static int compare_numbers(const ExprNumber *x, const ExprNumber *y)
{
    if (x->whole && y->whole)
        return (x->i > y->i) - (x->i < y->i);
    return (x->d > y->d) - (x->d < y->d);
}

/* False: the two have no order. */
static bool compare(const Json *x, const Json *y, int *order)
{
    ExprNumber m, n;
    if (x->type == JSON_TEXT && y->type == JSON_TEXT)
        *order = str_cmp(x->text, y->text);
    else if (expr_number(x, &m) && expr_number(y, &n))
        *order = compare_numbers(&m, &n);
    else
        return false;
    return true;
}

static bool in_order(ExprSign sign, int order)
{
    switch (sign) {
    case SIGN_LESS:
        return order < 0;
    case SIGN_LESS_EQUAL:
        return order <= 0;
    case SIGN_MORE:
        return order > 0;
    default:
        return order >= 0;
    }
}

static const Json *eval_compare(const Json *x, ExprSign sign, const Json *y, Arena *a)
{
    bool equal;
    int order = 0;
    if (sign != SIGN_EQUAL && sign != SIGN_UNEQUAL)
        return expr_bool(compare(x, y, &order) && in_order(sign, order));
    if (expr_equal(a, x, y, &equal) != OK)
        return NULL;
    return expr_bool(equal == (sign == SIGN_EQUAL));
}

static const Json *at_index(const Json *list, int64_t index)
{
    if (index < 0 || (uint64_t)index >= list->len)
        return NULL;
    const Json *item = list->first;
    while (index-- > 0 && item != NULL)
        item = item->next;
    return item;
}

static const Json *member(const Json *of, const Json *index)
{
    int64_t whole;
    const Json *hit = NULL;
    if (of->type == JSON_OBJECT && index->type == JSON_TEXT)
        hit = json_get_str(of, index->text);
    else if (of->type == JSON_LIST && expr_whole(index, &whole))
        hit = at_index(of, whole);
    return hit != NULL ? hit : &expr_null;
}

static const Json *eval_path(const Expr *e, const Json *scope, Arena *a)
{
    const Json *value = expr_eval(e->first, scope, a);
    for (const Expr *i = e->first->next; i != NULL && value != NULL; i = i->next) {
        const Json *index = expr_eval(i, scope, a);
        value = index != NULL ? member(value, index) : NULL;
    }
    return value;
}

static const Json *eval_chain(const Expr *e, const Json *scope, Arena *a)
{
    const Json *value = expr_eval(e->first, scope, a);
    for (const Expr *o = e->first->next; o != NULL && value != NULL; o = o->next) {
        const Json *operand = expr_eval(o, scope, a);
        value = operand != NULL ? expr_arithmetic(a, value, o->sign, operand) : NULL;
    }
    return value;
}

/* The first operand whose truth is `decides` decides; the others are not looked at. */
static const Json *eval_logic(const Expr *e, bool decides, const Json *scope, Arena *a)
{
    for (const Expr *o = e->first; o != NULL; o = o->next) {
        const Json *value = expr_eval(o, scope, a);
        if (value == NULL)
            return NULL;
        if (expr_truth(value) == decides)
            return expr_bool(decides);
    }
    return expr_bool(!decides);
}

static const Json *eval_call(const Expr *e, const Json *scope, Arena *a)
{
    const Json *args[EXPR_ARGS_MAX] = {0};
    size_t len = 0;
    for (const Expr *o = e->first; o != NULL; o = o->next) {
        args[len] = expr_eval(o, scope, a);
        if (args[len++] == NULL)
            return NULL;
    }
    return e->function->run(a, args, len);
}

static const Json *eval_negate(const Json *v, Arena *a)
{
    static const Json zero = {.type = JSON_INT, .text = {"0", 1}};
    return v != NULL ? expr_arithmetic(a, &zero, SIGN_SUBTRACT, v) : NULL;
}

const Json *expr_eval(const Expr *e, const Json *scope, Arena *a)
{
    const Json *v, *w;
    switch (e->op) {
    case EXPR_CONST:
        return e->value;
    case EXPR_ROOT:
        v = json_get_str(scope, e->value->text);
        return v != NULL ? v : &expr_null;
    case EXPR_CALL:
        return eval_call(e, scope, a);
    case EXPR_PATH:
        return eval_path(e, scope, a);
    case EXPR_NOT:
        v = expr_eval(e->first, scope, a);
        return v != NULL ? expr_bool(!expr_truth(v)) : NULL;
    case EXPR_NEGATE:
        return eval_negate(expr_eval(e->first, scope, a), a);
    case EXPR_CHAIN:
        return eval_chain(e, scope, a);
    case EXPR_COMPARE:
        v = expr_eval(e->first, scope, a);
        w = expr_eval(e->first->next, scope, a);
        return v != NULL && w != NULL ? eval_compare(v, e->first->next->sign, w, a) : NULL;
    case EXPR_AND:
        return eval_logic(e, false, scope, a);
    case EXPR_OR:
        return eval_logic(e, true, scope, a);
    }
    return &expr_null;
}

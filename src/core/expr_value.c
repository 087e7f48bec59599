/* Values as a whole: equality, canonical JSON, text. */
#include "core/expr_in.h"

#include <stdlib.h>

typedef struct Member {
    const Json *value;
    size_t place;
} Member;

static int by_key(const void *x, const void *y)
{
    const Member *a = x, *b = y;
    int d = str_cmp(a->value->key, b->value->key);
    return d != 0 ? d : (a->place > b->place) - (a->place < b->place);
}

/* The members by key; of several with the same key the last. NULL: the arena is full. */
static Member *sorted_members(Arena *a, const Json *object, size_t *len)
{
    Member *m = arena_new(a, Member, object->len + 1);
    size_t n = 0, kept = 0;
    if (m == NULL)
        return NULL;
    json_each(item, object) {
        m[n] = (Member){item, n};
        n++;
    }
    qsort(m, n, sizeof *m, by_key);
    for (size_t i = 0; i < n; i++)
        if (i + 1 == n || !str_eq(m[i].value->key, m[i + 1].value->key))
            m[kept++] = m[i];
    *len = kept;
    return m;
}

static ErrCode equal_lists(Arena *a, const Json *x, const Json *y, bool *equal)
{
    *equal = x->len == y->len;
    const Json *other = y->first;
    for (const Json *one = x->first; one != NULL && *equal; one = one->next) {
        ErrCode rc = expr_equal(a, one, other, equal);
        if (rc != OK)
            return rc;
        other = other->next;
    }
    return OK;
}

static ErrCode equal_objects(Arena *a, const Json *x, const Json *y, bool *equal)
{
    size_t x_len = 0, y_len = 0;
    Member *m = sorted_members(a, x, &x_len);
    Member *n = m != NULL ? sorted_members(a, y, &y_len) : NULL;
    if (n == NULL)
        return ERR_NO_MEMORY;
    *equal = x_len == y_len;
    for (size_t i = 0; i < x_len && *equal; i++) {
        *equal = str_eq(m[i].value->key, n[i].value->key);
        ErrCode rc = *equal ? expr_equal(a, m[i].value, n[i].value, equal) : OK;
        if (rc != OK)
            return rc;
    }
    return OK;
}

/* What a comparison needs of the arena is given back. */
static ErrCode equal_inside(Arena *a, const Json *x, const Json *y, bool *equal)
{
    ArenaMark mark = arena_mark(a);
    ErrCode rc = x->type == JSON_LIST ? equal_lists(a, x, y, equal) : equal_objects(a, x, y, equal);
    arena_rewind(a, mark);
    return rc;
}

ErrCode expr_equal(Arena *a, const Json *x, const Json *y, bool *equal)
{
    ExprNumber m, n;
    if (expr_number(x, &m) && expr_number(y, &n)) {
        *equal = m.whole && n.whole ? m.i == n.i : !(m.d < n.d) && !(m.d > n.d);
        return OK;
    }
    *equal = x->type == y->type;
    if (!*equal)
        return OK;
    switch (x->type) {
    case JSON_NULL:
        break;
    case JSON_BOOL:
        *equal = x->truth == y->truth;
        break;
    case JSON_INT:
    case JSON_NUMBER:
    case JSON_TEXT:
        *equal = str_eq(x->text, y->text);
        break;
    case JSON_LIST:
    case JSON_OBJECT:
        return equal_inside(a, x, y, equal);
    }
    return OK;
}

void expr_put_text(Buf *b, const Json *v)
{
    JsonOut j = json_out(b);
    if (v->type == JSON_TEXT)
        buf_add(b, v->text);
    else if (v->type != JSON_NULL)
        json_put(&j, v);
}

static ErrCode put_object(Arena *a, JsonOut *j, const Json *v)
{
    size_t len = 0;
    Member *m = sorted_members(a, v, &len);
    if (m == NULL)
        return ERR_NO_MEMORY;
    json_begin(j, '{');
    for (size_t i = 0; i < len; i++) {
        json_key_str(j, m[i].value->key);
        ErrCode rc = expr_put_canonical(a, j, m[i].value);
        if (rc != OK)
            return rc;
    }
    json_end(j, '}');
    return OK;
}

static ErrCode put_list(Arena *a, JsonOut *j, const Json *v)
{
    json_begin(j, '[');
    json_each(item, v) {
        ErrCode rc = expr_put_canonical(a, j, item);
        if (rc != OK)
            return rc;
    }
    json_end(j, ']');
    return OK;
}

ErrCode expr_put_canonical(Arena *a, JsonOut *j, const Json *v)
{
    ExprNumber n;
    if (v->type == JSON_OBJECT)
        return put_object(a, j, v);
    if (v->type == JSON_LIST)
        return put_list(a, j, v);
    const Json *number = expr_number(v, &n) && !n.whole ? expr_double(a, n.d) : v;
    if (number == NULL)
        return ERR_NO_MEMORY;
    if (json_is(number, JSON_INT))
        json_put_int(j, number->integer); /* "-0" is 0 */
    else
        json_put(j, number);
    return OK;
}

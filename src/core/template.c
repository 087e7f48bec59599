#include "core/expr_in.h"

#include <string.h>

typedef enum TemplateKind {
    TEMPLATE_VALUE,  /* as written */
    TEMPLATE_EXPR,   /* one expression and nothing else */
    TEMPLATE_TEXT,   /* text with expressions in it, or with "$${{" */
    TEMPLATE_INSIDE, /* a list or object */
} TemplateKind;

/* A piece of a text: what stands before an expression, and that. */
typedef struct Part {
    Str text;
    const Expr *expr; /* NULL: none */
    struct Part *next;
} Part;

struct Template {
    TemplateKind kind;
    bool constant;   /* no expression in it */
    bool as_written; /* its value is the source */
    const Json *source;
    const Expr *expr; /* TEMPLATE_EXPR */
    Part *parts;      /* TEMPLATE_TEXT */
    struct Template *first, *next;
};

/* Where we are, for messages: a chain on the stack from the value to the root. */
typedef struct Place {
    const struct Place *up;
    Str key;
    size_t index; /* of a list */
    bool in_list;
    int depth;
} Place;

typedef struct Maker {
    Arena *arena;
    Err *err;
} Maker;

static void put_place(Buf *b, const Place *p)
{
    if (p->up == NULL)
        return;
    put_place(b, p->up);
    if (p->in_list)
        buf_addf(b, "[%zu]", p->index);
    else
        buf_addf(b, "%s" STR_FMT, b->len > 0 ? "." : "", STR_ARG(p->key));
}

/* The message begins with the column; what it is the column of comes before. */
static ErrCode say_where(const Maker *m, const Place *p, ErrCode rc)
{
    if (rc != ERR_BAD_EXPRESSION || p->up == NULL || m->err == NULL)
        return rc;
    Err inner = *m->err;
    Buf b = buf_init(m->arena, 64 * KIB);
    put_place(&b, p);
    Str path = str_slice(buf_str(&b), 0, 120);
    return err_set(m->err, rc, STR_FMT ": %s", STR_ARG(path), inner.text);
}

static ErrCode full(const Maker *m)
{
    return err_set(m->err, ERR_NO_MEMORY, "the template needs more memory than is allowed");
}

/* Where "}}" closes the expression that begins at `from`; quoted text is passed over. */
static size_t find_close(Str s, size_t from)
{
    bool quoted = false;
    for (size_t i = from; i + 1 < s.len; i++) {
        if (s.ptr[i] == '\'')
            quoted = !quoted;
        if (!quoted && s.ptr[i] == '}' && s.ptr[i + 1] == '}')
            return i;
    }
    return STR_NONE;
}

static ErrCode no_close(const Maker *m, Str s, size_t at)
{
    return err_set(m->err, ERR_BAD_EXPRESSION, "column %zu: ${{ without its }}",
                   str_count_utf8(str_slice(s, 0, at)) + 1);
}

static ErrCode add_part(const Maker *m, Part ***tail, Str text, const Expr *expr)
{
    Part *part = arena_new(m->arena, Part, 1);
    if (part == NULL)
        return full(m);
    *part = (Part){.text = text, .expr = expr};
    **tail = part;
    *tail = &part->next;
    return OK;
}

/* One piece from *at on: up to an expression and with it, or up to "$${{", less a $. */
static ErrCode read_part(const Maker *m, Str s, size_t *at, Part ***tail)
{
    size_t open = str_find(str_slice(s, *at, s.len), STR("${{"));
    if (open == STR_NONE) {
        Str rest = str_slice(s, *at, s.len);
        *at = s.len;
        return add_part(m, tail, rest, NULL);
    }
    open += *at;
    Str before = str_slice(s, *at, open);
    if (open > *at && s.ptr[open - 1] == '$') {
        *at = open + 3;
        ErrCode rc = add_part(m, tail, str_slice(before, 0, before.len - 1), NULL);
        return rc == OK ? add_part(m, tail, STR("${{"), NULL) : rc;
    }
    size_t close = find_close(s, open + 3);
    if (close == STR_NONE)
        return no_close(m, s, open);
    const Expr *e = NULL;
    ErrCode rc = expr_parse_part(m->arena, s, open + 3, close, &e, m->err);
    *at = close + 2;
    return rc == OK ? add_part(m, tail, before, e) : rc;
}

static ErrCode make_text(const Maker *m, Template *t)
{
    Str s = t->source->text;
    if (str_find(s, STR("${{")) == STR_NONE)
        return OK;
    Part **tail = &t->parts;
    for (size_t at = 0; at < s.len;) {
        ErrCode rc = read_part(m, s, &at, &tail);
        if (rc != OK)
            return rc;
    }
    bool alone = t->parts->next == NULL && t->parts->text.len == 0;
    t->kind = alone ? TEMPLATE_EXPR : TEMPLATE_TEXT;
    t->expr = alone ? t->parts->expr : NULL;
    t->as_written = false;
    for (const Part *p = t->parts; p != NULL; p = p->next)
        t->constant = t->constant && p->expr == NULL;
    return OK;
}

static ErrCode make(const Maker *m, const Json *value, const Place *place, Template **out);

static ErrCode make_inside(const Maker *m, Template *t, const Place *place)
{
    Template **tail = &t->first;
    Place here = {.up = place, .depth = place->depth + 1, .in_list = t->source->type == JSON_LIST};
    if (here.depth > JSON_DEPTH_MAX)
        return err_set(m->err, ERR_BAD_EXPRESSION, "nested too deeply");
    t->kind = TEMPLATE_INSIDE;
    json_each(item, t->source) {
        here.key = item->key;
        ErrCode rc = make(m, item, &here, tail);
        if (rc != OK)
            return rc;
        t->constant = t->constant && (*tail)->constant;
        t->as_written = t->as_written && (*tail)->as_written;
        tail = &(*tail)->next;
        here.index++;
    }
    return OK;
}

static ErrCode make(const Maker *m, const Json *value, const Place *place, Template **out)
{
    Template *t = arena_new(m->arena, Template, 1);
    if (t == NULL)
        return full(m);
    *t = (Template){.source = value, .constant = true, .as_written = true};
    *out = t;
    if (value->type == JSON_TEXT)
        return say_where(m, place, make_text(m, t));
    if (value->type == JSON_LIST || value->type == JSON_OBJECT)
        return make_inside(m, t, place);
    return OK;
}

ErrCode template_parse(Arena *a, const Json *value, const Template **out, Err *err)
{
    Maker m = {.arena = a, .err = err};
    Place root = {0};
    Template *t = NULL;
    ErrCode rc = make(&m, value != NULL ? value : &expr_null, &root, &t);
    if (rc == OK)
        *out = t;
    return rc;
}

static const Json *eval_text(const Template *t, const Json *scope, Arena *a)
{
    Buf b = buf_init(a, EXPR_VALUE_MAX);
    for (const Part *p = t->parts; p != NULL && !b.failed; p = p->next) {
        buf_add(&b, p->text);
        const Json *value = p->expr != NULL ? expr_eval(p->expr, scope, a) : &expr_null;
        if (value == NULL)
            return NULL;
        expr_put_text(&b, value);
    }
    return expr_built(&b);
}

static const Json *eval_inside(const Template *t, const Json *scope, Arena *a)
{
    Json *whole = arena_new(a, Json, 1);
    if (whole == NULL)
        return NULL;
    *whole = (Json){.type = t->source->type, .len = t->source->len};
    Json **tail = &whole->first;
    for (const Template *item = t->first; item != NULL; item = item->next) {
        const Json *value = template_eval(item, scope, a);
        Json *copy = value != NULL ? arena_new(a, Json, 1) : NULL;
        if (copy == NULL)
            return NULL;
        *copy = *value;
        copy->key = item->source->key;
        copy->next = NULL;
        *tail = copy;
        tail = &copy->next;
    }
    return whole;
}

const Json *template_eval(const Template *t, const Json *scope, Arena *a)
{
    if (t->as_written)
        return t->source;
    switch (t->kind) {
    case TEMPLATE_VALUE:
        break;
    case TEMPLATE_EXPR:
        return expr_eval(t->expr, scope, a);
    case TEMPLATE_TEXT:
        return eval_text(t, scope, a);
    case TEMPLATE_INSIDE:
        return eval_inside(t, scope, a);
    }
    return t->source;
}

bool template_is_constant(const Template *t)
{
    return t->constant;
}

void template_each_ref(const Template *t, ExprRefFn fn, void *ctx)
{
    for (const Part *p = t->parts; p != NULL; p = p->next)
        if (p->expr != NULL)
            expr_each_ref(p->expr, fn, ctx);
    for (const Template *item = t->first; item != NULL; item = item->next)
        template_each_ref(item, fn, ctx);
}

const Template *template_member(const Template *t, const char *name)
{
    const Template *hit = NULL;
    if (t != NULL && t->source->type == JSON_OBJECT)
        for (const Template *item = t->first; item != NULL; item = item->next)
            if (str_eq_c(item->source->key, name))
                hit = item;
    return hit;
}

const Json *template_source(const Template *t)
{
    return t->source;
}

const Expr *template_expr(const Template *t)
{
    return t->expr;
}

#include "core/expr_in.h"

#include <string.h>

/* A parser by descent, a function per line of the grammar. Only parentheses, arguments, indexes and
 * signs in front nest; each of them counts. */
typedef struct Reader {
    Arena *arena;
    Str src; /* ends where the expression does */
    size_t at;
    int depth;
    Err *err;
} Reader;

static size_t column_of(const Reader *r, size_t at)
{
    return str_count_utf8(str_slice(r->src, 0, at)) + 1;
}

static ErrCode fail_at(const Reader *r, size_t at, const char *what)
{
    return err_set(r->err, ERR_BAD_EXPRESSION, "column %zu: %s", column_of(r, at), what);
}

static ErrCode full(const Reader *r)
{
    return err_set(r->err, ERR_NO_MEMORY, "the expression needs more memory than is allowed");
}

static void skip_space(Reader *r)
{
    while (r->at < r->src.len && strchr(" \t\r\n", r->src.ptr[r->at]) != NULL &&
           r->src.ptr[r->at] != 0)
        r->at++;
}

static int peek(const Reader *r)
{
    return r->at < r->src.len ? (unsigned char)r->src.ptr[r->at] : -1;
}

static ErrCode expected(const Reader *r, const char *what)
{
    if (peek(r) < 0)
        return err_set(r->err, ERR_BAD_EXPRESSION, "column %zu: %s was expected, not the end",
                       column_of(r, r->at), what);
    size_t end = r->at;
    str_next_utf8(r->src, &end);
    Str found = str_slice(r->src, r->at, end);
    return err_set(r->err, ERR_BAD_EXPRESSION, "column %zu: %s was expected, not \"" STR_FMT "\"",
                   column_of(r, r->at), what, STR_ARG(found));
}

/* Past `token`, when it is what comes next. */
static bool take(Reader *r, const char *token)
{
    skip_space(r);
    Str t = str_from_c(token);
    if (!str_starts(str_slice(r->src, r->at, r->src.len), t))
        return false;
    r->at += t.len;
    return true;
}

static bool is_digit(int c)
{
    return c >= '0' && c <= '9';
}

static bool is_name_start(int c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_name_char(int c)
{
    return is_name_start(c) || is_digit(c);
}

/* A '-' belongs to the name when the name goes on after it: a-b is a name, "a - b" and "a -b" are
 * not. */
static Str read_name(Reader *r)
{
    size_t from = r->at;
    while (is_name_char(peek(r)) || (peek(r) == '-' && r->at + 1 < r->src.len &&
                                     is_name_char((unsigned char)r->src.ptr[r->at + 1])))
        r->at++;
    return str_slice(r->src, from, r->at);
}

static ErrCode new_expr(Reader *r, ExprOp op, Expr **out)
{
    *out = arena_new(r->arena, Expr, 1);
    if (*out == NULL)
        return full(r);
    (*out)->op = op;
    return OK;
}

static ErrCode new_const(Reader *r, const Json *value, Expr **out)
{
    if (value == NULL)
        return full(r);
    ErrCode rc = new_expr(r, EXPR_CONST, out);
    if (rc == OK)
        (*out)->value = value;
    return rc;
}

static void add_operand(Expr *to, ExprSign sign, Expr *operand)
{
    Expr **tail = &to->first;
    while (*tail != NULL)
        tail = &(*tail)->next;
    operand->sign = sign;
    *tail = operand;
    to->len++;
}

static ErrCode read_or(Reader *r, Expr **out);

static ErrCode nest(Reader *r)
{
    return ++r->depth > EXPR_DEPTH_MAX ? fail_at(r, r->at, "nested too deeply") : OK;
}

static ErrCode read_nested(Reader *r, Expr **out)
{
    ErrCode rc = nest(r);
    if (rc == OK)
        rc = read_or(r, out);
    r->depth--;
    return rc;
}

static void skip_digits(Reader *r)
{
    while (is_digit(peek(r)))
        r->at++;
}

static ErrCode read_number(Reader *r, Expr **out)
{
    size_t from = r->at;
    int64_t whole;
    double d;
    skip_digits(r);
    if (peek(r) == '.' && r->at + 1 < r->src.len &&
        is_digit((unsigned char)r->src.ptr[r->at + 1])) {
        r->at++;
        skip_digits(r);
    }
    if (peek(r) == 'e' || peek(r) == 'E') {
        r->at++;
        if (peek(r) == '+' || peek(r) == '-')
            r->at++;
        if (!is_digit(peek(r)))
            return expected(r, "a digit of the exponent");
        skip_digits(r);
    }
    Str text = str_slice(r->src, from, r->at);
    if (is_name_char(peek(r)))
        return fail_at(r, r->at, "a number that goes on as a name");
    if (str_to_i64(text, &whole))
        return new_const(r, expr_int(r->arena, whole), out);
    if (!str_to_double(text, &d))
        return fail_at(r, from, "a number out of range");
    return new_const(r, expr_double(r->arena, d), out);
}

/* Where the text that begins at `from` ends: its closing quote, '' being none. STR_NONE: never. */
static size_t quote_end(Str src, size_t from)
{
    for (size_t i = from + 1; i < src.len; i++) {
        if (src.ptr[i] != '\'')
            continue;
        if (i + 1 == src.len || src.ptr[i + 1] != '\'')
            return i;
        i++;
    }
    return STR_NONE;
}

/* 'it''s': the text between the quotes, with ' for ''. */
static ErrCode read_quoted(Reader *r, Str *out)
{
    size_t from = r->at, end = quote_end(r->src, from), len = 0;
    if (end == STR_NONE)
        return fail_at(r, from, "text without its closing quote");
    char *copy = arena_alloc_raw(r->arena, end - from);
    if (copy == NULL)
        return full(r);
    for (size_t i = from + 1; i < end; i++) {
        copy[len++] = r->src.ptr[i];
        if (r->src.ptr[i] == '\'')
            i++;
    }
    r->at = end + 1;
    *out = (Str){copy, len};
    return OK;
}

static ErrCode read_text(Reader *r, Expr **out)
{
    Str text;
    ErrCode rc = read_quoted(r, &text);
    return rc == OK ? new_const(r, expr_text(r->arena, text), out) : rc;
}

static ErrCode wrong_count(const Reader *r, size_t at, const ExprFunction *f)
{
    return err_set(r->err, ERR_BAD_EXPRESSION, "column %zu: %s is called as %s", column_of(r, at),
                   f->name, f->usage);
}

static ErrCode read_arguments(Reader *r, Expr *call)
{
    if (take(r, ")"))
        return OK;
    for (;;) {
        Expr *argument = NULL;
        ErrCode rc = read_nested(r, &argument);
        if (rc != OK)
            return rc;
        add_operand(call, SIGN_NONE, argument);
        if (take(r, ")"))
            return OK;
        if (!take(r, ","))
            return expected(r, "',' or ')'");
    }
}

static ErrCode unknown_function(const Reader *r, size_t at, Str name)
{
    const char *like = expr_function_like(name);
    Str shown = str_slice(name, 0, 40);
    return err_set(r->err, ERR_BAD_EXPRESSION,
                   "column %zu: there is no function \"" STR_FMT "\"%s%s%s", column_of(r, at),
                   STR_ARG(shown), like != NULL ? "; did you mean " : "", like != NULL ? like : "",
                   like != NULL ? "?" : "");
}

static ErrCode read_call(Reader *r, size_t at, Str name, Expr **out)
{
    const ExprFunction *f = expr_function(name);
    if (f == NULL)
        return unknown_function(r, at, name);
    ErrCode rc = new_expr(r, EXPR_CALL, out);
    if (rc != OK)
        return rc;
    (*out)->function = f;
    rc = read_arguments(r, *out);
    if (rc == OK && ((*out)->len < f->least || (*out)->len > f->most))
        return wrong_count(r, at, f);
    return rc;
}

static ErrCode read_word(Reader *r, Expr **out)
{
    size_t from = r->at;
    Str name = read_name(r);
    if (take(r, "("))
        return read_call(r, from, name, out);
    if (str_eq_c(name, "true") || str_eq_c(name, "false"))
        return new_const(r, expr_bool(str_eq_c(name, "true")), out);
    if (str_eq_c(name, "null"))
        return new_const(r, &expr_null, out);
    ErrCode rc = new_const(r, expr_text(r->arena, name), out);
    if (rc == OK)
        (*out)->op = EXPR_ROOT;
    return rc;
}

static ErrCode read_primary(Reader *r, Expr **out)
{
    skip_space(r);
    int c = peek(r);
    if (is_digit(c))
        return read_number(r, out);
    if (c == '\'')
        return read_text(r, out);
    if (is_name_start(c))
        return read_word(r, out);
    if (c == '"')
        return expected(r, "text in single quotes");
    if (!take(r, "("))
        return expected(r, "a value");
    ErrCode rc = read_nested(r, out);
    if (rc == OK && !take(r, ")"))
        rc = expected(r, "')'");
    return rc;
}

static ErrCode read_member(Reader *r, Expr **out)
{
    skip_space(r);
    if (!is_name_start(peek(r)))
        return expected(r, "a name after '.'");
    return new_const(r, expr_text(r->arena, read_name(r)), out);
}

static ErrCode read_index(Reader *r, Expr **out)
{
    ErrCode rc = read_nested(r, out);
    if (rc == OK && !take(r, "]"))
        rc = expected(r, "']'");
    return rc;
}

static ErrCode read_path(Reader *r, Expr **out)
{
    Expr *path = NULL;
    ErrCode rc = read_primary(r, out);
    while (rc == OK) {
        bool dot = take(r, "."), index = !dot && take(r, "[");
        if (!dot && !index)
            return OK;
        Expr *operand = NULL;
        rc = dot ? read_member(r, &operand) : read_index(r, &operand);
        if (rc == OK && path == NULL) {
            rc = new_expr(r, EXPR_PATH, &path);
            if (rc == OK) {
                add_operand(path, SIGN_NONE, *out);
                *out = path;
            }
        }
        if (rc == OK)
            add_operand(path, SIGN_NONE, operand);
    }
    return rc;
}

static bool take_not(Reader *r)
{
    skip_space(r);
    bool unequal = str_starts(str_slice(r->src, r->at, r->src.len), STR("!="));
    return !unequal && take(r, "!");
}

static ErrCode read_unary(Reader *r, Expr **out)
{
    bool not = take_not(r);
    if (!not &&!take(r, "-"))
        return read_path(r, out);
    Expr *operand = NULL;
    ErrCode rc = nest(r);
    if (rc == OK)
        rc = read_unary(r, &operand);
    r->depth--;
    if (rc == OK)
        rc = new_expr(r, not ? EXPR_NOT : EXPR_NEGATE, out);
    if (rc == OK)
        add_operand(*out, SIGN_NONE, operand);
    return rc;
}

typedef struct Token {
    const char *text;
    ExprSign sign;
} Token;
typedef ErrCode (*ReadFn)(Reader *r, Expr **out);

static ExprSign take_one_of(Reader *r, const Token *tokens)
{
    for (const Token *t = tokens; t->text != NULL; t++)
        if (take(r, t->text))
            return t->sign;
    return SIGN_NONE;
}

/* operand (sign operand)*: with one operand, that; `most` operands are read. */
static ErrCode read_chain(Reader *r, ExprOp op, const Token *tokens, size_t most, ReadFn operand,
                          Expr **out)
{
    ErrCode rc = operand(r, out);
    Expr *chain = NULL;
    for (size_t len = 1; rc == OK && len < most; len++) {
        ExprSign sign = take_one_of(r, tokens);
        if (sign == SIGN_NONE)
            return OK;
        Expr *next = NULL;
        rc = operand(r, &next);
        if (rc == OK && chain == NULL) {
            rc = new_expr(r, op, &chain);
            if (rc == OK) {
                add_operand(chain, SIGN_NONE, *out);
                *out = chain;
            }
        }
        if (rc == OK)
            add_operand(chain, sign, next);
    }
    return rc;
}

static ErrCode read_term(Reader *r, Expr **out)
{
    static const Token tokens[] = {
        {"*", SIGN_MULTIPLY}, {"/", SIGN_DIVIDE}, {"%", SIGN_REMAINDER}, {0}};
    return read_chain(r, EXPR_CHAIN, tokens, EXPR_TEXT_MAX, read_unary, out);
}

static ErrCode read_sum(Reader *r, Expr **out)
{
    static const Token tokens[] = {{"+", SIGN_ADD}, {"-", SIGN_SUBTRACT}, {0}};
    return read_chain(r, EXPR_CHAIN, tokens, EXPR_TEXT_MAX, read_term, out);
}

static const Token comparisons[] = {{"==", SIGN_EQUAL},
                                    {"!=", SIGN_UNEQUAL},
                                    {"<=", SIGN_LESS_EQUAL},
                                    {">=", SIGN_MORE_EQUAL},
                                    {"<", SIGN_LESS},
                                    {">", SIGN_MORE},
                                    {0}};

static ErrCode read_comparison(Reader *r, Expr **out)
{
    ErrCode rc = read_chain(r, EXPR_COMPARE, comparisons, 2, read_sum, out);
    size_t at = r->at;
    if (rc == OK && take_one_of(r, comparisons) != SIGN_NONE)
        return fail_at(r, at, "one comparison at a time; join them by &&");
    return rc;
}

static ErrCode read_and(Reader *r, Expr **out)
{
    static const Token tokens[] = {{"&&", SIGN_ADD}, {0}};
    return read_chain(r, EXPR_AND, tokens, EXPR_TEXT_MAX, read_comparison, out);
}

static ErrCode read_or(Reader *r, Expr **out)
{
    static const Token tokens[] = {{"||", SIGN_ADD}, {0}};
    return read_chain(r, EXPR_OR, tokens, EXPR_TEXT_MAX, read_and, out);
}

ErrCode expr_parse_part(Arena *a, Str text, size_t from, size_t to, const Expr **out, Err *err)
{
    Reader r = {.arena = a, .src = str_slice(text, 0, to), .at = from, .err = err};
    if (to - from > EXPR_TEXT_MAX)
        return err_set(err, ERR_BAD_EXPRESSION,
                       "column %zu: an expression of %zu bytes, the limit is %d",
                       column_of(&r, from), to - from, EXPR_TEXT_MAX);
    if (!str_is_utf8(r.src))
        return err_set(err, ERR_BAD_EXPRESSION, "column 1: text that is not UTF-8");
    skip_space(&r);
    if (r.at == to)
        return fail_at(&r, from, "an empty expression");
    Expr *e = NULL;
    ErrCode rc = read_or(&r, &e);
    if (rc != OK)
        return rc;
    skip_space(&r);
    if (r.at != to)
        return expected(&r, "an operator or the end");
    *out = e;
    return OK;
}

ErrCode expr_parse(Arena *a, Str text, const Expr **out, Err *err)
{
    return expr_parse_part(a, text, 0, text.len, out, err);
}

/* steps.x['list'][0].y: the names that are constant, up to the first that is not. */
static void tell_path(const Expr *start, const Expr *indexes, ExprRefFn fn, void *ctx)
{
    Str path[EXPR_REF_MAX] = {start->value->text};
    size_t len = 1;
    for (const Expr *i = indexes; i != NULL && len < EXPR_REF_MAX; i = i->next) {
        if (i->op != EXPR_CONST || i->value->type != JSON_TEXT)
            break;
        path[len++] = i->value->text;
    }
    fn(ctx, path, len);
}

void expr_each_ref(const Expr *e, ExprRefFn fn, void *ctx)
{
    if (e->op == EXPR_ROOT)
        tell_path(e, NULL, fn, ctx);
    const Expr *operand = e->first;
    if (e->op == EXPR_PATH && operand->op == EXPR_ROOT) {
        tell_path(operand, operand->next, fn, ctx);
        operand = operand->next;
    }
    for (; operand != NULL; operand = operand->next)
        expr_each_ref(operand, fn, ctx);
}

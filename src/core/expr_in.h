/* expr_in.h: what parser, evaluator, functions and templates share; stays inside src/core. */
#ifndef PLATEN_CORE_EXPR_IN_H
#define PLATEN_CORE_EXPR_IN_H

#include "core/expr.h"

enum { EXPR_REF_MAX = 16, EXPR_RANGE_MAX = 10000 };

typedef enum ExprOp {
    EXPR_CONST,   /* value */
    EXPR_ROOT,    /* value: its name */
    EXPR_CALL,    /* function, operands: arguments */
    EXPR_PATH,    /* operands: what it starts at, then one index after the other */
    EXPR_NOT,     /* operand */
    EXPR_NEGATE,  /* operand */
    EXPR_CHAIN,   /* operands joined by sign: + - * / % */
    EXPR_COMPARE, /* two operands; the second's sign says how */
    EXPR_AND,
    EXPR_OR,
} ExprOp;

typedef enum ExprSign {
    SIGN_NONE,
    SIGN_ADD,
    SIGN_SUBTRACT,
    SIGN_MULTIPLY,
    SIGN_DIVIDE,
    SIGN_REMAINDER,
    SIGN_EQUAL,
    SIGN_UNEQUAL,
    SIGN_LESS,
    SIGN_LESS_EQUAL,
    SIGN_MORE,
    SIGN_MORE_EQUAL,
} ExprSign;

/* Arguments are values already; `len` is within the table's limits. NULL: the arena is full. */
typedef const Json *(*ExprFunctionRun)(Arena *a, const Json *const *args, size_t len);
enum { EXPR_ARGS_MAX = 8 };
typedef struct ExprFunction {
    const char *name;
    size_t least, most;
    const char *usage, *help;
    ExprFunctionRun run;
} ExprFunction;
const ExprFunction *expr_function(Str name); /* NULL: there is none */
const char *expr_function_like(Str name);    /* the closest name; NULL */

/* A chain of operators of one strength is one expression with many operands, so how deep the tree
 * goes is what the source nests, not how long it is. */
struct Expr {
    ExprOp op;
    ExprSign sign; /* before this operand */
    const Json *value;
    const ExprFunction *function;
    size_t len; /* operands */
    struct Expr *first, *next;
};

/* The part of `text` in [from, to): columns in messages count from the start of `text`. */
ErrCode expr_parse_part(Arena *a, Str text, size_t from, size_t to, const Expr **out, Err *err);

/* Values. Those that make one answer NULL when the arena is full. */
extern const Json expr_null, expr_true, expr_false;
const Json *expr_bool(bool b);
const Json *expr_int(Arena *a, int64_t v);
const Json *expr_double(Arena *a,
                        double v);      /* null when not finite; whole numbers become integers */
const Json *expr_text(Arena *a, Str s); /* not copied; null when longer than EXPR_VALUE_MAX */
const Json *expr_built(const Buf *b);   /* the text built: null when it was too long */
bool expr_is_null(const Json *v);

typedef struct ExprNumber {
    bool whole; /* i is exact; d is its nearest double */
    int64_t i;
    double d;
} ExprNumber;
bool expr_number(const Json *v, ExprNumber *out); /* false: no number, or none that fits */
bool expr_whole(const Json *v, int64_t *out);     /* a number without a fraction */
/* By value: numbers as numbers, objects whatever the order of their members. */
ErrCode expr_equal(Arena *a, const Json *x, const Json *y, bool *equal);
const Json *expr_arithmetic(Arena *a, const Json *x, ExprSign sign, const Json *y);
/* As it stands in a text: text as it is, null as nothing, all else as JSON. */
void expr_put_text(Buf *b, const Json *v);
/* JSON with sorted keys and numbers spelled by their value. */
ErrCode expr_put_canonical(Arena *a, JsonOut *j, const Json *v);

/* A list that is being made; its members are shallow copies. False: the arena is full. */
typedef struct ExprList {
    Json *list;
    Json **tail;
} ExprList;
bool expr_list_begin(Arena *a, ExprList *l);
bool expr_list_add(Arena *a, ExprList *l, const Json *v);

/* expr_time.c: format_time. */
const Json *expr_format_time(Arena *a, const Json *const *args, size_t len);

#endif

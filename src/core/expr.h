/* expr.h: the expressions of pipelines, and JSON that holds them.
 *
 *   ${{ steps.outline.chapters[0].title }}      a path
 *   ${{ steps.review.approved && inputs.size > 3 }}
 *   ${{ default(inputs.title, join(steps.names.items, ', ')) }}
 *
 * Total: every expression ends, and none fails. There are no loops, no calls but the functions of
 * one table, and no side effects. What makes no sense is null: a member that is not there, a number
 * minus a text, a division by zero, a number out of range, a text longer than EXPR_VALUE_MAX.
 * Truth: null, false, 0, "", [] and {} are false.
 *
 * Comparison: == is by value (1 == 1.0; objects whatever the order of their members); values of
 * different types are not equal. < and its like order numbers by size and texts by their bytes;
 * between anything else they are false.
 *
 * Grammar, weakest first:
 *   or    := and ('||' and)*            both give the deciding operand's truth as a bool, and look
 *   and   := cmp ('&&' cmp)*            no further than it
 *   cmp   := sum (('=='|'!='|'<'|'<='|'>'|'>=') sum)?
 *   sum   := term (('+'|'-') term)*     numbers; + also joins a text with a text or a number
 *   term  := unary (('*'|'/'|'%') unary)*        % has the sign of its left side
 *   unary := ('!'|'-') unary | post
 *   post  := prim ('.' name | '[' or ']')*       [n]: 0 is the first of a list
 *   prim  := number | 'text' | true | false | null | name | name '(' args ')' | '(' or ')'
 * Names may hold "-" inside: steps.my-step.x is a path; write "a - b" with blanks to subtract.
 * In text '' stands for '. Integers are exact while they fit 64 bits, else numbers are doubles; a
 * double that is whole (below 2^53) is an integer again: 6 / 2 is 3, 7 / 2 is 3.5.
 *
 * Functions: one table in expr_functions.c (name, least and most arguments, help, the C function),
 * from which expr_each_function feeds docs and messages.
 *
 * Names at the front (roots) are whatever the scope object has: inputs, steps, item … The parser
 * does not know them; expr_each_ref lets the checker look at every path.
 *
 * Memory: parsed expressions and values live in the arena given; values may point into the scope
 * and into the source. Sizes are bounded: EXPR_TEXT_MAX of source, EXPR_DEPTH_MAX of nesting,
 * EXPR_VALUE_MAX bytes of a text that is made; lists by the arena.
 * Threads: a parsed expression is constant; evaluate from any thread. */
#ifndef PLATEN_CORE_EXPR_H
#define PLATEN_CORE_EXPR_H

#include "base/json.h"

enum { EXPR_TEXT_MAX = 4096, EXPR_DEPTH_MAX = 32, EXPR_VALUE_MAX = 1 << 20 };

typedef struct Expr Expr;

/* Without the ${{ }}. ERR_BAD_EXPRESSION with the column and what was expected. */
MUST_CHECK ErrCode expr_parse(Arena *a, Str text, const Expr **out, Err *err);
/* The value; JSON null when it makes no sense. NULL only when the arena is full. `scope` is an
 * object whose members are the roots; the value may point into it. */
const Json *expr_eval(const Expr *e, const Json *scope, Arena *a);
bool expr_truth(const Json *value); /* NULL is false */

/* Every path that starts at a root, with its leading constant names (16 at most): steps.x.list[0].y
 * gives {"steps","x","list"}; a ['name'] counts as .name; a root alone is a path of one. */
typedef void (*ExprRefFn)(void *ctx, const Str *path, size_t len);
void expr_each_ref(const Expr *e, ExprRefFn fn, void *ctx);
typedef void (*ExprFunctionFn)(void *ctx, const char *name, const char *usage, const char *help);
void expr_each_function(ExprFunctionFn fn, void *ctx);

/* JSON whose texts may hold ${{ … }}. A text that is one expression and nothing else becomes its
 * value, whatever its type; otherwise values are put into the text (text as it is, null as "", all
 * else as JSON). "$${{" stands for "${{". Keys are taken as they are. */
typedef struct Template Template;
/* ERR_BAD_EXPRESSION names the place within `value` as a path, and the column in that text:
 * "sizes[0].title: column 7: …"; of a text alone "column 7: …". It points into `value`. */
MUST_CHECK ErrCode template_parse(Arena *a, const Json *value, const Template **out, Err *err);
/* NULL only when the arena is full. */
const Json *template_eval(const Template *t, const Json *scope, Arena *a);
bool template_is_constant(const Template *t); /* no expression in it */
void template_each_ref(const Template *t, ExprRefFn fn, void *ctx);
/* The member of an object template; NULL: there is none, or it is not an object as written. */
const Template *template_member(const Template *t, const char *name);
const Json *template_source(const Template *t); /* as written */
/* The expression, when the template is one and nothing else; else NULL. */
const Expr *template_expr(const Template *t);

#endif

#include "text/cuts.h"

#include <stdlib.h>
#include <string.h>
#include <unicode/uregex.h>
#include <unicode/utext.h>

enum {
    RULES_MAX = 100,
    STACK_BYTES = 8 << 20, /* of backtracking */
    STEPS_BASE = 5000,     /* of some ten thousand operations each */
    STEPS_BYTES = 500,     /* one more for each so many bytes of text */
};

void cuts_add(Cuts *c, size_t at)
{
    if (c->failed || (c->len > 0 && c->at[c->len - 1] == at))
        return;
    if (c->len == c->room) {
        size_t room = c->room == 0 ? 256 : c->room * 2;
        size_t *more = arena_grow(c->arena, c->at, c->room * sizeof *c->at, room * sizeof *c->at);
        if (more == NULL) {
            c->failed = true;
            return;
        }
        c->at = more;
        c->room = room;
    }
    c->at[c->len++] = at;
}

static ErrCode cuts_check(const Cuts *c, Err *err)
{
    return c->failed ? err_set(err, ERR_LIMIT_MEMORY, "more than %zu places to cut at", c->len)
                     : OK;
}

static int compare_places(const void *a, const void *b)
{
    size_t x = *(const size_t *)a, y = *(const size_t *)b;
    return x < y ? -1 : x > y;
}

/* Sorted, each once, none at the very beginning. */
static void tidy(Cuts *c)
{
    size_t kept = 0;
    qsort(c->at, c->len, sizeof *c->at, compare_places);
    for (size_t i = 0; i < c->len; i++)
        if (c->at[i] > 0 && (kept == 0 || c->at[i] != c->at[kept - 1]))
            c->at[kept++] = c->at[i];
    c->len = kept;
}

ErrCode cuts_by_headings(const Source *s, int level, Cuts *out, Err *err)
{
    for (size_t i = 0; i < s->blocks_len; i++)
        if (s->blocks[i].kind == SOURCE_HEADING && s->blocks[i].level <= level)
            cuts_add(out, s->blocks[i].from);
    return cuts_check(out, err);
}

/* --- rules */

typedef struct Rule {
    URegularExpression *re;
    UText *pattern, *text;
} Rule;

static void rule_close(Rule *r)
{
    uregex_close(r->re);
    utext_close(r->pattern);
    utext_close(r->text);
}

static ErrCode bad_rule(size_t number, Str rule, const char *why, int32_t at, Err *err)
{
    err_set(err, ERR_BAD_PARAM,
            "rule %zu (" STR_FMT ") is not a regular expression: %s at character %d", number,
            STR_ARG(str_slice(rule, 0, 60)), why, (int)at + 1);
    err_param(err, "rules");
    return ERR_BAD_PARAM;
}

static ErrCode too_long(size_t number, UErrorCode u, Err *err)
{
    err_set(err, ERR_LIMIT_CPU, "rule %zu takes more %s than a rule may", number,
            u == U_REGEX_TIME_OUT ? "steps" : "memory");
    err_hint(err, "make it simpler: nested repetitions such as (a+)+ take very long");
    err_param(err, "rules");
    return ERR_LIMIT_CPU;
}

static ErrCode find_all(Rule *r, const Source *s, size_t number, bool after, Cuts *out, Err *err)
{
    UErrorCode u = U_ZERO_ERROR;
    size_t steps = STEPS_BASE + s->text.len / STEPS_BYTES;
    r->text = utext_openUTF8(NULL, s->text.ptr, (int64_t)s->text.len, &u);
    uregex_setTimeLimit(r->re, steps > INT32_MAX ? INT32_MAX : (int32_t)steps, &u);
    uregex_setStackLimit(r->re, STACK_BYTES, &u);
    uregex_setUText(r->re, r->text, &u);
    while (uregex_findNext(r->re, &u) && U_SUCCESS(u)) {
        int64_t at = after ? uregex_end64(r->re, 0, &u) : uregex_start64(r->re, 0, &u);
        if (at > 0 && (size_t)at < s->text.len)
            cuts_add(out, (size_t)at);
    }
    if (u == U_REGEX_TIME_OUT || u == U_REGEX_STACK_OVERFLOW)
        return too_long(number, u, err);
    return U_FAILURE(u)
               ? err_set(err, ERR_NO_MEMORY, "matching rule %zu: %s", number, u_errorName(u))
               : OK;
}

static ErrCode run_rule(const Source *s, Str rule, size_t number, bool after, Cuts *out, Err *err)
{
    CLEANUP(rule_close) Rule r = {0};
    UErrorCode u = U_ZERO_ERROR;
    UParseError where = {0};
    r.pattern = utext_openUTF8(NULL, rule.ptr, (int64_t)rule.len, &u);
    r.re = uregex_openUText(r.pattern, UREGEX_MULTILINE, &where, &u);
    if (U_FAILURE(u))
        return bad_rule(number, rule, u_errorName(u), where.offset, err);
    return find_all(&r, s, number, after, out, err);
}

ErrCode cuts_by_rules(const Source *s, Str rules, bool after, Cuts *out, Err *err)
{
    Str line;
    size_t number = 0;
    while (str_next(&rules, '\n', &line)) {
        if (line.len > 0 && line.ptr[line.len - 1] == '\r')
            line.len--;
        if (line.len == 0)
            continue;
        if (++number > RULES_MAX) {
            err_set(err, ERR_BAD_PARAM, "more than %d rules", RULES_MAX);
            err_param(err, "rules");
            return ERR_BAD_PARAM;
        }
        ErrCode rc = run_rule(s, line, number, after, out, err);
        if (rc != OK)
            return rc;
    }
    if (number == 0) {
        err_set(err, ERR_BAD_PARAM, "the method \"rules\" needs at least one");
        err_param(err, "rules");
        return ERR_BAD_PARAM;
    }
    if (out->len > 0)
        tidy(out);
    return cuts_check(out, err);
}

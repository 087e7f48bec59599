/* pagelist.c: pages as people write them. */
#include "pdf/pdf.h"

enum { PAGES_MAX = PDF_PAGES_MAX };

typedef struct Range {
    int64_t from, to, step;
} Range;

/* A page number, "last" or "r2" (the second from the end). */
static bool one_page(Str s, int64_t count, int64_t *out)
{
    if (str_eq_c(s, "last") || str_eq_c(s, "end") || str_eq_c(s, "z")) {
        *out = count;
        return true;
    }
    if (s.len > 1 && s.ptr[0] == 'r' && str_to_i64(str_slice(s, 1, s.len), out)) {
        *out = count + 1 - *out;
        return true;
    }
    return str_to_i64(s, out);
}

/* "7", "2-5", "9-", "-3", "5-2", "odd", "even", "all" */
static bool range_of(Str part, int64_t count, Range *out)
{
    *out = (Range){1, count, 1};
    if (str_eq_c(part, "all"))
        return true;
    if (str_eq_c(part, "odd") || str_eq_c(part, "even")) {
        out->from = part.len == 3 ? 1 : 2;
        out->step = 2;
        return true;
    }
    size_t dash = str_find_char(part, '-');
    if (dash == STR_NONE) {
        if (!one_page(part, count, &out->from))
            return false;
        out->to = out->from;
        return true;
    }
    Str left = str_trim(str_slice(part, 0, dash)),
        right = str_trim(str_slice(part, dash + 1, part.len));
    if ((left.len == 0 && right.len == 0) || (left.len > 0 && !one_page(left, count, &out->from)) ||
        (right.len > 0 && !one_page(right, count, &out->to)))
        return false;
    out->step = out->to >= out->from || right.len == 0 ? 1 : -1;
    return true;
}

static ErrCode bad(Err *err, const char *param, Str part, const char *why)
{
    err_set(err, ERR_BAD_PARAM, "\"" STR_FMT "\" %s", STR_ARG(str_slice(part, 0, 40)), why);
    err_hint(err, "write pages as 1-3,7,9-, last, odd or even");
    err_param(err, param);
    return ERR_BAD_PARAM;
}

static ErrCode outside(Err *err, const char *param, int64_t page, int64_t count)
{
    err_set(err, ERR_BAD_PARAM, "there is no page %" PRId64 ": the document has %" PRId64, page,
            count);
    err_param(err, param);
    return ERR_BAD_PARAM;
}

static ErrCode add(Arena *a, const Range *r, PageList *out, size_t *cap, Err *err)
{
    int64_t steps = (r->to - r->from) / r->step;
    for (int64_t i = 0; i <= steps; i++) {
        if (out->len == PAGES_MAX)
            return err_set(err, ERR_LIMIT_COUNT, "more than %d pages are asked for", PAGES_MAX);
        if (out->len == *cap) {
            size_t more = *cap == 0 ? 64 : *cap * 2;
            int64_t *grown = arena_grow(a, out->pages, *cap * sizeof *grown, more * sizeof *grown);
            if (grown == NULL)
                return err_set(err, ERR_NO_MEMORY, "no memory for a list of pages");
            out->pages = grown;
            *cap = more;
        }
        out->pages[out->len++] = r->from + i * r->step;
    }
    return OK;
}

ErrCode pagelist_parse(Arena *a, Str text, int64_t page_count, const char *param, PageList *out,
                       Err *err)
{
    Str rest = str_trim(text), part;
    PageList list = {0};
    size_t cap = 0;
    ErrCode rc = OK;
    if (rest.len == 0)
        rest = STR("all");
    while (rc == OK && str_next(&rest, ',', &part)) {
        Range r;
        part = str_trim(part);
        if (!range_of(part, page_count, &r))
            return bad(err, param, part, "is no range of pages");
        /* "even" of one page is none, which is no mistake. */
        if (r.step == 2 && r.from > page_count)
            continue;
        if (r.from < 1 || r.from > page_count)
            return outside(err, param, r.from, page_count);
        if (r.to < 1 || r.to > page_count)
            return outside(err, param, r.to, page_count);
        rc = add(a, &r, &list, &cap, err);
    }
    if (rc == OK && list.len == 0)
        return bad(err, param, str_trim(text), "leaves no page");
    *out = list;
    return rc;
}

Str pagelist_name(Arena *a, Str input, const char *suffix)
{
    for (size_t i = input.len; i > 0; i--)
        if (input.ptr[i - 1] == '/' || input.ptr[i - 1] == '\\') {
            input = str_slice(input, i, input.len);
            break;
        }
    size_t dot = str_rfind_char(input, '.');
    Str base = dot != STR_NONE && dot > 0 ? str_slice(input, 0, dot) : input;
    return str_printf(a, STR_FMT "%s.pdf", STR_ARG(base.len > 0 ? base : STR("document")), suffix);
}

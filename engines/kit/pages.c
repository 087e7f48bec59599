#include "kit/pages.h"

typedef struct Range {
    int64_t from, to;
} Range;

/* "7", "2-5", "9-", "-3" */
static bool range_of(Str part, Range *out)
{
    part = str_trim(part);
    size_t dash = str_find_char(part, '-');
    if (dash == STR_NONE) {
        *out = (Range){0, 0};
        if (!str_to_i64(part, &out->from) || out->from < 1)
            return false;
        out->to = out->from;
        return true;
    }
    Str left = str_trim(str_slice(part, 0, dash)),
        right = str_trim(str_slice(part, dash + 1, part.len));
    *out = (Range){1, INT64_MAX};
    if (left.len == 0 && right.len == 0)
        return false;
    if ((left.len > 0 && !str_to_i64(left, &out->from)) ||
        (right.len > 0 && !str_to_i64(right, &out->to)))
        return false;
    return out->from >= 1 && out->to >= out->from;
}

ErrCode pages_check(Str pages, Err *err)
{
    Str rest = str_trim(pages), part;
    Range r;
    while (rest.len > 0 && str_next(&rest, ',', &part))
        if (!range_of(part, &r)) {
            err_set(err, ERR_BAD_PARAM, "\"" STR_FMT "\" is no range of pages",
                    STR_ARG(str_slice(part, 0, 40)));
            err_hint(err, "write pages as 1-3,7,9-");
            err_param(err, "pages");
            return ERR_BAD_PARAM;
        }
    return OK;
}

bool pages_wanted(Str pages, int64_t page_no)
{
    Str rest = str_trim(pages), part;
    Range r;
    if (rest.len == 0)
        return true;
    while (str_next(&rest, ',', &part))
        if (range_of(part, &r) && page_no >= r.from && page_no <= r.to)
            return true;
    return false;
}

#include "trace/usage.h"
#include "db/queries.h"

#include <stdlib.h>

typedef struct Rows {
    const UsageAsk *ask;
    Arena *arena;
    UsageRow *items;
    size_t len, room;
    size_t first; /* of the day that is being read: earlier ones are complete */
} Rows;

static int64_t day_of(const UsageAsk *ask, int64_t ms)
{
    int64_t s = ms / 1000 + zone_span(ask->zone, ms / 1000).offset;
    return s >= 0 ? s / 86400 : (s - 86399) / 86400;
}

static bool grow(Rows *r)
{
    if (r->len < r->room)
        return true;
    size_t room = r->room == 0 ? 256 : r->room * 2;
    UsageRow *more = arena_new(r->arena, UsageRow, room);
    for (size_t i = 0; more != NULL && i < r->len; i++)
        more[i] = r->items[i];
    if (more == NULL)
        return false;
    r->items = more;
    r->room = room;
    return true;
}

/* The row of this day, unit and part; a new one when there is none yet. NULL: no memory. */
static UsageRow *row_of(Rows *r, const UsageRow *like)
{
    if (r->len > 0 && r->items[r->len - 1].day != like->day)
        r->first = r->len;
    for (size_t i = r->first; i < r->len; i++) {
        UsageRow *x = &r->items[i];
        if (x->key == like->key && str_eq(x->unit, like->unit) && str_eq(x->part, like->part))
            return x;
    }
    if (!grow(r))
        return NULL;
    UsageRow *x = &r->items[r->len];
    *x = (UsageRow){.day = like->day,
                    .unit = str_copy(r->arena, like->unit),
                    .part = str_copy(r->arena, like->part),
                    .key = like->key};
    if (x->unit.ptr == NULL || x->part.ptr == NULL)
        return NULL;
    r->len++;
    return x;
}

static ErrCode take(Rows *r, const DbRows *row, Err *err)
{
    const UsageAsk *ask = r->ask;
    int part = ask->by == USAGE_BY_DAY ? ask->split : ask->by;
    UsageRow like = {.unit = db_str(row, 1)};
    if (ask->by == USAGE_BY_DAY)
        like.day = day_of(ask, db_int(row, 0));
    if (part == USAGE_BY_STEP || part == USAGE_BY_PIPELINE)
        like.part = db_str(row, part == USAGE_BY_STEP ? 2 : 3);
    if (part == USAGE_BY_KEY)
        like.key = db_int(row, 4);
    UsageRow *x = row_of(r, &like);
    if (x == NULL)
        return err_set(err, ERR_NO_MEMORY, "summing up usage");
    x->amount += db_int(row, 5);
    x->count += db_int(row, 6);
    if (r->len <= USAGE_ROWS_MAX)
        return OK;
    err_set(err, ERR_BAD_PARAM, "that makes more than %d rows", USAGE_ROWS_MAX);
    err_hint(err, "Ask for a shorter time, or only for one step, pipeline, key or unit.");
    err_param(err, "since_ms");
    return ERR_BAD_PARAM;
}

static ErrCode read_spans(DbConn *reader, Rows *r, int64_t span_ms, int64_t since_ms,
                          int64_t until_ms, Err *err)
{
    const UsageAsk *ask = r->ask;
    CLEANUP(db_rows_done) DbRows rows = {0};
    if (since_ms >= until_ms)
        return OK;
    ErrCode rc =
        db_query(reader, &sql_usage_rows,
                 DB_ARGS(DB_I(ask->project), DB_I(span_ms), DB_I(since_ms), DB_I(until_ms),
                         DB_S(ask->step), DB_S(ask->pipeline), DB_I(ask->key), DB_S(ask->unit)),
                 &rows, err);
    while (rc == OK && db_next(&rows, &rc, err))
        rc = take(r, &rows, err);
    return rc;
}

/* The first multiple of span_ms at or after ms. */
static int64_t round_up(int64_t ms, int64_t span_ms)
{
    return (ms + span_ms - 1) / span_ms * span_ms;
}

/* Are the days those of UTC all the time? */
static bool days_are_utc(const UsageAsk *ask)
{
    ZoneSpan s = zone_span(ask->zone, ask->since_ms / 1000);
    return s.offset == 0 && s.to_s >= ask->until_ms / 1000;
}

static int by_day_and_amount(const void *x, const void *y)
{
    const UsageRow *a = x, *b = y;
    if (a->day != b->day)
        return a->day < b->day ? -1 : 1;
    int c = str_cmp(a->unit, b->unit);
    if (c != 0)
        return c;
    if (a->amount != b->amount)
        return a->amount > b->amount ? -1 : 1;
    c = str_cmp(a->part, b->part);
    return c != 0 ? c : (a->key > b->key) - (a->key < b->key);
}

ErrCode usage_read(DbConn *reader, const UsageAsk *ask, Arena *a, UsageRow **out, size_t *len,
                   Err *err)
{
    Rows r = {.ask = ask, .arena = a};
    int64_t since_ms = ask->since_ms - ask->since_ms % USAGE_HOUR_MS,
            until_ms = round_up(ask->until_ms, USAGE_HOUR_MS);
    int64_t from_ms = round_up(since_ms, USAGE_DAY_MS), to_ms = until_ms - until_ms % USAGE_DAY_MS;
    bool whole_days = from_ms < to_ms && (ask->by != USAGE_BY_DAY || days_are_utc(ask));
    if (!whole_days)
        from_ms = to_ms = until_ms;
    ErrCode rc = read_spans(reader, &r, USAGE_HOUR_MS, since_ms, from_ms, err);
    if (rc == OK)
        rc = read_spans(reader, &r, USAGE_DAY_MS, from_ms, to_ms, err);
    if (rc == OK)
        rc = read_spans(reader, &r, USAGE_HOUR_MS, to_ms, until_ms, err);
    if (rc != OK)
        return rc;
    if (r.len > 0)
        qsort(r.items, r.len, sizeof *r.items, by_day_and_amount);
    *out = r.items;
    *len = r.len;
    return OK;
}

/* usage.h: what a project used: per day, step, pipeline, key or unit.
 *
 * Read from the sums that are written with each fact (0013_usage.sql), so a year is read in
 * milliseconds: whole days of UTC from the sums of a day, the rest from those of an hour. Days of
 * another time zone are made of hours. An hour belongs to the day in which it begins; a range is
 * taken in whole hours. */
#ifndef PLATEN_TRACE_USAGE_H
#define PLATEN_TRACE_USAGE_H

#include "base/zone.h"
#include "db/db.h"

/* The unit in which steps report what they cost: millionths of a US dollar. */
#define USAGE_COST_UNIT "microdollars"

/* What rows are told apart by, besides their unit. */
enum { USAGE_BY_UNIT, USAGE_BY_DAY, USAGE_BY_STEP, USAGE_BY_PIPELINE, USAGE_BY_KEY };
enum { USAGE_ROWS_MAX = 20000, USAGE_HOUR_MS = 3600000, USAGE_DAY_MS = 86400000 };

typedef struct UsageAsk {
    int64_t project;
    int64_t since_ms, until_ms; /* from the hour of the one until before the hour of the other */
    int by, split;              /* split: by days, each of them also by that; else USAGE_BY_UNIT */
    const Zone *zone;           /* of the days */
    Str step, pipeline, unit;   /* only of these; "": any */
    int64_t key;                /* 0: any */
} UsageAsk;

typedef struct UsageRow {
    int64_t day;    /* since 1970, of the zone (zone_date); 0 when not by days */
    Str unit, part; /* part: the step or pipeline; "" when not by them, or of none */
    int64_t key;    /* when by keys; 0: by no key (a schedule, a trigger) */
    int64_t amount, count;
} UsageRow;

/* Days from the first to the last, all else from the largest amount down within a unit; memory from
 * `a`. ERR_BAD_PARAM (param "since_ms"): more than USAGE_ROWS_MAX rows. */
MUST_CHECK ErrCode usage_read(DbConn *reader, const UsageAsk *ask, Arena *a, UsageRow **out,
                              size_t *len, Err *err);

#endif

/* zone.h: time zones, as the system keeps them.
 *
 * The data is the tz database's (RFC 9636 files in /usr/share/zoneinfo, or the folder that TZDIR
 * names), which the system's updates keep current: governments change their clocks at short notice.
 * Not ICU's, which carries its own copy, frozen at its release (Debian 12's: 2022e, wrong for Egypt
 * since 2023), and costs 3 MB and 30 ms on first use. libc's own functions know one zone per
 * process.
 *
 * A zone is a list of spans of constant offset, made whole when it is opened: rules that go on for
 * ever ("last Sunday in March") are written out up to ZONE_YEAR_MAX. About 20 us and 10 kB.
 * "UTC" needs no file.
 *
 * Threads: a zone is constant after it was opened. */
#ifndef PLATEN_BASE_ZONE_H
#define PLATEN_BASE_ZONE_H

#include "base/err.h"

enum { ZONE_NAME_MAX = 64, ZONE_YEAR_MAX = 2199 };

typedef struct Zone {
    Str name;
    int64_t *starts;  /* seconds since 1970 at which a span begins; rising */
    int32_t *offsets; /* seconds east of UTC from then on */
    size_t len;
    int32_t first; /* before the first */
} Zone;

/* "Europe/Berlin"; "" is UTC. Memory from `a`. ERR_BAD_PARAM (param "zone"): there is none of this
 * name. */
MUST_CHECK ErrCode zone_open(Arena *a, Str name, Zone *out, Err *err);
/* The same from the bytes of a file. ERR_BAD_PARAM: they are no time zone. */
MUST_CHECK ErrCode zone_parse(Arena *a, Str name, Str bytes, Zone *out, Err *err);

/* The span of constant offset that holds utc_s: from_s <= utc_s < to_s. Spans that follow each
 * other differ in their offset. */
typedef struct ZoneSpan {
    int64_t from_s, to_s;   /* INT64_MIN, INT64_MAX: open */
    int32_t offset, before; /* seconds east of UTC; before: in the span before this one */
} ZoneSpan;
ZoneSpan zone_span(const Zone *z, int64_t utc_s);

/* Days since 1970 of a day of the Gregorian calendar (month and day from 1), and back. */
int64_t zone_days(int64_t year, int month, int day);
typedef struct ZoneDate {
    int64_t year;
    int month, day; /* from 1 */
} ZoneDate;
ZoneDate zone_date(int64_t days);
int zone_weekday(int64_t days); /* 0: Sunday */
int zone_month_days(int64_t year, int month);

#endif

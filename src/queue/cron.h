/* cron.h: when something recurs.
 *
 *   0/15 9-17 * * mon-fri     minute hour day-of-month month day-of-week
 *   30 0 9 * * *              six fields: seconds first
 *   @hourly @daily @midnight @weekly @monthly @yearly @annually
 *   @every 90s                since the time before; units ms s m h d, also joined: 1h30m
 *
 * Every field: * or a list of values, ranges and steps: 1,2  9-17  10-30/5  5/15 (every 15th from 5
 * on); a step may follow * too.
 * Names: jan … dec, sun … sat; 0 and 7 are Sunday. ? is *. Day of month: L the last, L-2 two days
 * before it, 15W the weekday (Monday to Friday) nearest to the 15th within its month, LW the last
 * weekday. Day of week: mon#2 the second Monday, friL the last Friday.
 *
 * Days, as Vixie's cron has them: when day-of-month or day-of-week begins with *, both must hold;
 * when both are restricted, one is enough ("0 9 1 * mon": on the 1st and on Mondays).
 *
 * Daylight saving, as Vixie's cron and systemd users expect. An expression whose minute or hour
 * begins with * goes on by elapsed time: every 15th of * minutes fires every 15 minutes that pass,
 * whatever the clock on the wall does. All others mean times of day: times that the clock jumps
 * over in spring fire once, together, right after the jump; times that come twice in autumn fire at
 * their first coming only.
 *
 * Cost: cron_next 0.1 to 1 us; an expression that never fires ("0 0 30 2 *") 50 us.
 * Threads: pure functions; a Cron is plain data. Times are ms since 1970, UTC. */
#ifndef PLATEN_QUEUE_CRON_H
#define PLATEN_QUEUE_CRON_H

#include "base/buf.h"
#include "base/zone.h"

enum { CRON_TEXT_MAX = 200, CRON_YEARS = 45 /* how far cron_next looks */ };

typedef struct Cron {
    int64_t every_ms;             /* @every; 0: the fields count */
    uint64_t seconds, minutes;    /* bit n: value n */
    uint32_t hours, days, months; /* days from bit 1, months from bit 1 */
    uint32_t near;                /* nW */
    uint32_t before_last;         /* bit n: L-n */
    uint8_t weekdays;             /* bit 0: Sunday */
    uint8_t nth[7];               /* bit n: the n-th of the month; bit 6: the last */
    bool last_weekday;            /* LW */
    bool any_day, any_weekday;    /* the field begins with * or ? */
    bool elapsed;                 /* minute or hour begins with * */
} Cron;

/* ERR_BAD_PARAM (param "cron") names the field and what it takes. */
MUST_CHECK ErrCode cron_parse(Str text, Cron *out, Err *err);
/* The next time after after_ms; INT64_MAX: never (within CRON_YEARS). Of @every: after_ms + that. */
int64_t cron_next(const Cron *c, const Zone *z, int64_t after_ms);
/* In words: "At 09:00 on weekdays, Europe/Berlin". */
void cron_explain(const Cron *c, Str zone, Buf *out);

#endif

/* cron_words.c: a cron expression in words. */
#include "queue/cron.h"

enum { MINUTES = 60, HOURS = 24, TIMES_MAX = 6, LAST_NTH = 6, WORKDAYS = 0x3e, WEEKEND = 0x41 };

static const char *const months[] = {"January",   "February", "March",    "April",
                                     "May",       "June",     "July",     "August",
                                     "September", "October",  "November", "December"};
static const char *const weekdays[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                       "Thursday", "Friday", "Saturday"};
static const char *const nths[] = {"", "first ", "second ", "third ", "fourth ", "fifth ", "last "};

static bool has(uint64_t mask, int bit)
{
    return (mask >> bit & 1) != 0;
}

static int count(uint64_t mask)
{
    return __builtin_popcountll(mask);
}

static int lowest(uint64_t mask)
{
    return __builtin_ctzll(mask);
}

static uint64_t all_of(int n)
{
    return (UINT64_C(1) << n) - 1;
}

/* The step when the mask is 0, n, 2n … below `size`; 0 otherwise. */
static int step_of(uint64_t mask, int size)
{
    if (count(mask) < 2 || !has(mask, 0))
        return 0;
    int step = lowest(mask & ~UINT64_C(1));
    for (int i = 0; i < size; i++)
        if (has(mask, i) != (i % step == 0))
            return 0;
    return step;
}

/* Is it one unbroken run of at least three? */
static bool is_run(uint64_t mask)
{
    uint64_t run = mask >> lowest(mask);
    return count(mask) >= 3 && (run & (run + 1)) == 0;
}

/* A list for people: puts ", " or " and " before all but the first. */
typedef struct Words {
    Buf *out;
    int left, said;
} Words;

static void next_word(Words *w)
{
    w->left--;
    if (w->said++ > 0)
        buf_add_c(w->out, w->left == 0 ? " and " : ", ");
}

static void put_numbers(Buf *b, uint64_t mask)
{
    if (is_run(mask)) {
        buf_addf(b, "%d to %d", lowest(mask), 63 - __builtin_clzll(mask));
        return;
    }
    Words w = {b, count(mask), 0};
    for (int i = 0; i < 64; i++)
        if (has(mask, i)) {
            next_word(&w);
            buf_add_int(b, i);
        }
}

/* "3 days"; "1" is left out after "every". */
static void put_every(Buf *b, int64_t n, const char *unit)
{
    if (n == 1)
        buf_addf(b, "Every %s", unit);
    else
        buf_addf(b, "Every %" PRId64 " %ss", n, unit);
}

static void put_period(Buf *b, int64_t ms)
{
    static const struct {
        const char *unit;
        int64_t ms;
    } units[] = {{"day", 86400000}, {"hour", 3600000}, {"minute", 60000}, {"second", 1000}};
    for (size_t i = 0; i < COUNT_OF(units); i++)
        if (ms % units[i].ms == 0) {
            put_every(b, ms / units[i].ms, units[i].unit);
            return;
        }
    buf_addf(b, "Every %" PRId64 " milliseconds", ms);
}

/* At few times of day: "At 09:00, 12:30 and 17:00". */
static bool put_times(const Cron *c, Buf *b)
{
    int n = count(c->hours) * count(c->minutes);
    if (n > TIMES_MAX || count(c->seconds) > 1)
        return false;
    Words w = {b, n, 0};
    buf_add_c(b, "At ");
    for (int h = 0; h < HOURS; h++)
        for (int m = 0; has(c->hours, h) && m < MINUTES; m++)
            if (has(c->minutes, m)) {
                next_word(&w);
                buf_addf(b, "%02d:%02d", h, m);
                if (c->seconds != 1)
                    buf_addf(b, ":%02d", lowest(c->seconds));
            }
    return true;
}

static void put_hours(const Cron *c, Buf *b)
{
    int step = step_of(c->hours, HOURS);
    if (c->hours == all_of(HOURS))
        return;
    if (step > 0) {
        buf_addf(b, " of every %d%s hour", step, step == 2 ? "nd" : step == 3 ? "rd" : "th");
        return;
    }
    if (is_run(c->hours)) {
        buf_addf(b, " from %02d:00 to %02d:59", lowest(c->hours), 63 - __builtin_clzll(c->hours));
        return;
    }
    buf_add_c(b, count(c->hours) == 1 ? " of hour " : " of hours ");
    put_numbers(b, c->hours);
}

static void put_time(const Cron *c, Buf *b)
{
    int minutes = step_of(c->minutes, MINUTES), seconds = step_of(c->seconds, MINUTES);
    bool every_minute = c->minutes == all_of(MINUTES);
    if (put_times(c, b))
        return;
    if (count(c->seconds) > 1) {
        if (seconds > 0)
            put_every(b, seconds, "second");
        else {
            buf_add_c(b, "At seconds ");
            put_numbers(b, c->seconds);
        }
        if (!every_minute) {
            buf_add_c(b, count(c->minutes) == 1 ? " of minute " : " of minutes ");
            put_numbers(b, c->minutes);
        }
    } else if (minutes > 0) {
        put_every(b, minutes, "minute");
    } else if (c->minutes == 1 && c->hours == all_of(HOURS) && c->seconds == 1) {
        buf_add_c(b, "Every hour");
        return;
    } else if (c->minutes == 1 && step_of(c->hours, HOURS) > 0 && c->seconds == 1) {
        put_every(b, step_of(c->hours, HOURS), "hour");
        return;
    } else {
        buf_add_c(b, count(c->minutes) == 1 ? "At minute " : "At minutes ");
        put_numbers(b, c->minutes);
        if (c->hours == all_of(HOURS))
            buf_add_c(b, " of every hour");
    }
    if (count(c->seconds) == 1 && c->seconds != 1)
        buf_addf(b, ", second %d", lowest(c->seconds));
    put_hours(c, b);
}

static void put_weekdays(const Cron *c, Buf *b, const char *before)
{
    int n = count(c->weekdays);
    for (int i = 0; i < 7; i++)
        n += count(c->nth[i]);
    bool plain = n == count(c->weekdays);
    if (plain && c->weekdays == WORKDAYS) {
        buf_addf(b, "%sweekdays", before);
        return;
    }
    if (plain && c->weekdays == WEEKEND) {
        buf_addf(b, "%sweekends", before);
        return;
    }
    Words w = {b, n, 0};
    buf_add_c(b, before);
    for (int k = 1; k <= 7; k++) { /* weeks begin on Monday in a list */
        int i = k % 7;
        if (has(c->weekdays, i)) {
            next_word(&w);
            buf_add_c(b, weekdays[i]);
        }
        for (int nth = 1; nth <= LAST_NTH; nth++)
            if (has(c->nth[i], nth)) {
                next_word(&w);
                buf_addf(b, "the %s%s of the month", nths[nth], weekdays[i]);
            }
    }
}

static void put_days(const Cron *c, Buf *b)
{
    Words w = {b, (c->days != 0) + count(c->before_last) + count(c->near) + c->last_weekday, 0};
    buf_add_c(b, " on ");
    if (c->days != 0) {
        next_word(&w);
        buf_add_c(b, count(c->days) == 1 ? "day " : "days ");
        put_numbers(b, c->days);
        buf_add_c(b, " of the month");
    }
    for (int i = 0; i < 31; i++)
        if (has(c->before_last, i)) {
            next_word(&w);
            if (i > 0)
                buf_addf(b, "the day %d before the last of the month", i);
            else
                buf_add_c(b, "the last day of the month");
        }
    for (int i = 1; i <= 31; i++)
        if (has(c->near, i)) {
            next_word(&w);
            buf_addf(b, "the weekday nearest day %d", i);
        }
    if (c->last_weekday) {
        next_word(&w);
        buf_add_c(b, "the last weekday of the month");
    }
}

static void put_date(const Cron *c, Buf *b)
{
    bool every_day = (c->days & ~UINT32_C(1)) == 0xfffffffe, every_weekday = c->weekdays == 0x7f;
    if (!every_day)
        put_days(c, b);
    if (!every_weekday && every_day)
        put_weekdays(c, b, " on ");
    else if (!every_weekday)
        put_weekdays(c, b, c->any_day || c->any_weekday ? " that fall on " : " and on ");
    if (count(c->months) == 12)
        return;
    Words w = {b, count(c->months), 0};
    buf_add_c(b, " in ");
    for (int i = 1; i <= 12; i++)
        if (has(c->months, i)) {
            next_word(&w);
            buf_add_c(b, months[i - 1]);
        }
}

void cron_explain(const Cron *c, Str zone, Buf *out)
{
    if (c->every_ms > 0) {
        put_period(out, c->every_ms);
        return;
    }
    put_time(c, out);
    put_date(c, out);
    buf_add_c(out, ", ");
    buf_add(out, zone.len > 0 ? zone : STR("UTC"));
}

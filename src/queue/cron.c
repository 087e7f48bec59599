#include "queue/cron.h"

#include <string.h>

enum { DAY_S = 24 * 3600, FIELDS_MAX = 6, LAST_NTH = 6 };
static const int64_t EVERY_MAX_MS = INT64_C(366) * DAY_S * 1000;

/* --- the text --- */

typedef struct Field {
    const char *title;
    int min, max;
    const char *const *names; /* of min, min + 1 …; ends with NULL */
} Field;

static const char *const month_names[] = {"jan", "feb", "mar", "apr", "may", "jun", "jul",
                                          "aug", "sep", "oct", "nov", "dec", NULL};
static const char *const day_names[] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat", NULL};

enum { SECOND, MINUTE, HOUR, DAY, MONTH, WEEKDAY };
static const Field fields[FIELDS_MAX] = {
    [SECOND] = {"second", 0, 59, NULL},      [MINUTE] = {"minute", 0, 59, NULL},
    [HOUR] = {"hour", 0, 23, NULL},          [DAY] = {"day of month", 1, 31, NULL},
    [MONTH] = {"month", 1, 12, month_names}, [WEEKDAY] = {"day of week", 0, 7, day_names},
};

static ErrCode refuse(Err *err)
{
    err_param(err, "cron");
    err_hint(err, "Five fields, minute hour day month weekday, like 0 9 * * mon-fri; or @daily, "
                  "@every 90s.");
    return ERR_BAD_PARAM;
}

static ErrCode bad_field(const Field *f, Str item, Err *err)
{
    Str shown = str_slice(item, 0, 40);
    err_set(err, ERR_BAD_PARAM, "%s \"" STR_FMT "\" is not of %d to %d%s", f->title, STR_ARG(shown),
            f->min, f->max, f->names != NULL ? " or a name" : "");
    return refuse(err);
}

/* A number or a name at the front of *rest. */
static bool take_value(const Field *f, Str *rest, int *out)
{
    size_t n = 0;
    int v = 0;
    while (n < rest->len && n < 3 && rest->ptr[n] >= '0' && rest->ptr[n] <= '9')
        v = v * 10 + (rest->ptr[n++] - '0');
    for (int i = 0; n == 0 && f->names != NULL && f->names[i] != NULL; i++)
        if (str_eq_nocase(str_slice(*rest, 0, 3), str_from_c(f->names[i]))) {
            v = f->min + i;
            n = 3;
        }
    *rest = str_slice(*rest, n, rest->len);
    *out = v;
    return n > 0 && v >= f->min && v <= f->max;
}

static bool take_char(Str *rest, char ch)
{
    bool here = rest->len > 0 && rest->ptr[0] == ch;
    if (here)
        *rest = str_slice(*rest, 1, rest->len);
    return here;
}

static bool take_number(Str *rest, int max, int *out)
{
    const Field any = {.min = 0, .max = max};
    return take_value(&any, rest, out);
}

/* "L", "L-2", "LW", "15W". *taken is false when the item is none of them. */
static bool special_day(Str item, Cron *c, bool *taken)
{
    Str rest = item;
    int n = 0;
    *taken = true;
    if (take_char(&rest, 'L') || take_char(&rest, 'l')) {
        if (take_char(&rest, 'W') || take_char(&rest, 'w'))
            c->last_weekday = true;
        else if (!take_char(&rest, '-'))
            c->before_last |= 1;
        else if (take_number(&rest, 30, &n))
            c->before_last |= UINT32_C(1) << n;
        else
            return false;
        return rest.len == 0;
    }
    if (take_value(&fields[DAY], &rest, &n) && (take_char(&rest, 'W') || take_char(&rest, 'w'))) {
        c->near |= UINT32_C(1) << n;
        return rest.len == 0;
    }
    *taken = false;
    return true;
}

/* "mon#2", "friL". */
static bool special_weekday(Str item, Cron *c, bool *taken)
{
    Str rest = item;
    int day = 0, n = 0;
    *taken = false;
    if (!take_value(&fields[WEEKDAY], &rest, &day))
        return true;
    if (take_char(&rest, '#')) {
        *taken = true;
        if (!take_number(&rest, 5, &n) || n == 0)
            return false;
    } else if (take_char(&rest, 'L') || take_char(&rest, 'l')) {
        *taken = true;
        n = LAST_NTH;
    }
    if (*taken)
        c->nth[day % 7] |= (uint8_t)(1 << n);
    return !*taken || rest.len == 0;
}

/* "*", "5", "1-5", any of them with "/2": bits into *mask. */
static bool plain_item(const Field *f, Str item, uint64_t *mask)
{
    Str rest = item;
    int from = f->min, to = f->max, step = 1;
    bool all = take_char(&rest, '*') || take_char(&rest, '?');
    if (all && f == &fields[WEEKDAY])
        to = 6;
    if (!all) {
        if (!take_value(f, &rest, &from))
            return false;
        bool range = take_char(&rest, '-');
        if (range && !take_value(f, &rest, &to))
            return false;
        if (!range && (rest.len == 0 || rest.ptr[0] != '/'))
            to = from;
        if (range && to == 0 && from > 0 && f == &fields[WEEKDAY])
            to = 7; /* sat-sun */
    }
    if (take_char(&rest, '/') && (!take_number(&rest, 60, &step) || step == 0))
        return false;
    if (rest.len > 0 || to < from)
        return false;
    for (int v = from; v <= to; v += step)
        *mask |= UINT64_C(1) << v;
    return true;
}

static ErrCode parse_field(int which, Str text, Cron *c, uint64_t *mask, Err *err)
{
    const Field *f = &fields[which];
    Str rest = text, item;
    *mask = 0;
    while (str_next(&rest, ',', &item)) {
        bool taken = false, ok = true;
        if (which == DAY)
            ok = special_day(item, c, &taken);
        else if (which == WEEKDAY)
            ok = special_weekday(item, c, &taken);
        if (ok && !taken)
            ok = plain_item(f, item, mask);
        if (!ok)
            return bad_field(f, item, err);
    }
    return OK;
}

static bool begins_with_star(Str s)
{
    return s.len > 0 && (s.ptr[0] == '*' || s.ptr[0] == '?');
}

static ErrCode parse_fields(const Str *texts, size_t len, Cron *c, Err *err)
{
    uint64_t masks[FIELDS_MAX] = {1};
    size_t skip = FIELDS_MAX - len; /* without seconds: at second 0 */
    ErrCode rc = OK;
    for (size_t i = skip; rc == OK && i < FIELDS_MAX; i++)
        rc = parse_field((int)i, texts[i - skip], c, &masks[i], err);
    if (rc != OK)
        return rc;
    c->seconds = masks[SECOND];
    c->minutes = masks[MINUTE];
    c->hours = (uint32_t)masks[HOUR];
    c->days = (uint32_t)masks[DAY];
    c->months = (uint32_t)masks[MONTH];
    c->weekdays = (uint8_t)((masks[WEEKDAY] | masks[WEEKDAY] >> 7) & 0x7f);
    c->any_day = begins_with_star(texts[DAY - skip]);
    c->any_weekday = begins_with_star(texts[WEEKDAY - skip]);
    c->elapsed = begins_with_star(texts[MINUTE - skip]) || begins_with_star(texts[HOUR - skip]);
    return OK;
}

/* "90s", "1h30m", "500ms". */
static ErrCode parse_every(Str text, Cron *c, Err *err)
{
    static const struct {
        const char *name;
        int64_t ms;
    } units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}};
    Str rest = text;
    bool ok = rest.len > 0;
    int64_t all = 0;
    while (ok && rest.len > 0) {
        size_t digits = 0, unit = COUNT_OF(units);
        int64_t n = 0;
        while (digits < rest.len && rest.ptr[digits] >= '0' && rest.ptr[digits] <= '9')
            digits++;
        ok = digits <= 12 && str_to_i64(str_slice(rest, 0, digits), &n);
        rest = str_slice(rest, digits, rest.len);
        for (size_t i = 0; unit == COUNT_OF(units) && i < COUNT_OF(units); i++)
            if (str_starts(rest, str_from_c(units[i].name)))
                unit = i;
        ok = ok && unit < COUNT_OF(units) && n <= EVERY_MAX_MS / units[unit].ms;
        if (ok)
            all += n * units[unit].ms;
        rest = ok ? str_slice(rest, strlen(units[unit].name), rest.len) : rest;
        ok = ok && all <= EVERY_MAX_MS;
    }
    if (!ok || all < 1000) {
        Str shown = str_slice(text, 0, 40);
        err_set(err, ERR_BAD_PARAM, "@every \"" STR_FMT "\" is not a time of 1s to 366d",
                STR_ARG(shown));
        return refuse(err);
    }
    c->every_ms = all;
    return OK;
}

static Str nickname(Str text)
{
    static const struct {
        const char *name, *means;
    } names[] = {
        {"@hourly", "0 * * * *"},   {"@daily", "0 0 * * *"},   {"@midnight", "0 0 * * *"},
        {"@weekly", "0 0 * * 0"},   {"@monthly", "0 0 1 * *"}, {"@yearly", "0 0 1 1 *"},
        {"@annually", "0 0 1 1 *"},
    };
    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (str_eq_nocase(text, str_from_c(names[i].name)))
            return str_from_c(names[i].means);
    return text;
}

static size_t split(Str text, Str *out, size_t max)
{
    size_t n = 0, at = 0;
    while (at < text.len) {
        size_t from = at;
        while (at < text.len && text.ptr[at] != ' ' && text.ptr[at] != '\t')
            at++;
        if (at > from && n++ < max)
            out[n - 1] = str_slice(text, from, at);
        at++;
    }
    return n;
}

ErrCode cron_parse(Str text, Cron *out, Err *err)
{
    Str texts[FIELDS_MAX];
    Cron c = {0};
    size_t n = split(nickname(str_trim(text)), texts, FIELDS_MAX);
    ErrCode rc = ERR_BAD_PARAM;
    if (text.len > CRON_TEXT_MAX)
        err_set(err, rc, "a cron expression has at most %d characters", CRON_TEXT_MAX);
    else if (n > 0 && str_eq_nocase(texts[0], STR("@every")))
        rc = parse_every(n == 2 ? texts[1] : (Str){0}, &c, err);
    else if (n == 5 || n == 6)
        rc = parse_fields(texts, n, &c, err);
    else if (n == 1 && texts[0].ptr[0] == '@')
        err_set(err, rc, "\"" STR_FMT "\" is not a schedule that is known",
                STR_ARG(str_slice(texts[0], 0, 40)));
    else
        err_set(err, rc, "a cron expression has 5 fields, or 6 with seconds first, not %zu", n);
    if (rc != OK)
        return refuse(err);
    *out = c;
    return OK;
}

/* --- the next time --- */

static bool has(uint64_t mask, int bit)
{
    return (mask >> bit & 1) != 0;
}

/* The lowest bit at or above `from`; -1: there is none. */
static int bit_from(uint64_t mask, int from)
{
    uint64_t rest = from > 63 ? 0 : mask >> from;
    return rest == 0 ? -1 : from + __builtin_ctzll(rest);
}

/* The weekday (Monday to Friday) nearest to `day` within its month. `weekday`: of that day. */
static int nearest_weekday(int day, int weekday, int month_days)
{
    if (weekday == 6)
        return day > 1 ? day - 1 : day + 2;
    if (weekday == 0)
        return day < month_days ? day + 1 : day - 2;
    return day;
}

static bool day_holds(const Cron *c, ZoneDate d, int weekday)
{
    int month_days = zone_month_days(d.year, d.month);
    if (has(c->days, d.day) || has(c->before_last, month_days - d.day))
        return true;
    int last = (weekday + month_days - d.day) % 7; /* weekday of the last day */
    if (c->last_weekday && d.day == nearest_weekday(month_days, last, month_days))
        return true;
    for (int n = bit_from(c->near, 1); n > 0 && n <= month_days; n = bit_from(c->near, n + 1))
        if (d.day == nearest_weekday(n, (weekday + n - d.day + 35) % 7, month_days))
            return true;
    return false;
}

static bool weekday_holds(const Cron *c, ZoneDate d, int weekday)
{
    uint8_t nth = c->nth[weekday];
    bool last = d.day + 7 > zone_month_days(d.year, d.month);
    return has(c->weekdays, weekday) || has(nth, (d.day - 1) / 7 + 1) ||
           (last && has(nth, LAST_NTH));
}

static bool date_holds(const Cron *c, ZoneDate d, int64_t days)
{
    int weekday = zone_weekday(days);
    if (c->any_day || c->any_weekday)
        return day_holds(c, d, weekday) && weekday_holds(c, d, weekday);
    return day_holds(c, d, weekday) || weekday_holds(c, d, weekday);
}

/* The first second of a day at or after `from` that holds; -1: there is none. */
static int time_from(const Cron *c, int from)
{
    int hour = from / 3600, minute = from / 60 % 60, second = from % 60;
    for (int h = bit_from(c->hours, hour); h >= 0; h = bit_from(c->hours, h + 1)) {
        if (h > hour)
            minute = second = 0;
        for (int m = bit_from(c->minutes, minute); m >= 0; m = bit_from(c->minutes, m + 1)) {
            int s = bit_from(c->seconds, h == hour && m == minute ? second : 0);
            if (s >= 0)
                return h * 3600 + m * 60 + s;
        }
    }
    return -1;
}

/* The first local second in [from, to) that holds; INT64_MAX: there is none. */
static int64_t local_next(const Cron *c, int64_t from, int64_t to)
{
    int64_t day = from / DAY_S - (from % DAY_S < 0);
    int time = (int)(from - day * DAY_S);
    for (; day * DAY_S < to; day++, time = 0) {
        ZoneDate d = zone_date(day);
        if (!has(c->months, d.month)) {
            day += zone_month_days(d.year, d.month) - d.day;
            continue;
        }
        int at = date_holds(c, d, day) ? time_from(c, time) : -1;
        if (at >= 0)
            return day * DAY_S + at < to ? day * DAY_S + at : INT64_MAX;
    }
    return INT64_MAX;
}

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* The first time in the span at or after utc_s (seconds); INT64_MAX: none. */
static int64_t next_in_span(const Cron *c, const ZoneSpan *s, int64_t utc_s, int64_t limit_s)
{
    int64_t from = utc_s + s->offset;
    bool moved = s->from_s != INT64_MIN && !c->elapsed;
    if (moved && s->before > s->offset) /* what came before the clock went back is over */
        from = larger(from, s->from_s + s->before);
    if (moved && s->before < s->offset && utc_s == s->from_s &&
        local_next(c, s->from_s + s->before, s->from_s + s->offset) != INT64_MAX)
        return s->from_s; /* what the clock jumped over */
    int64_t to = (s->to_s < limit_s ? s->to_s : limit_s) + s->offset;
    int64_t at = local_next(c, from, to);
    return at == INT64_MAX ? at : at - s->offset;
}

int64_t cron_next(const Cron *c, const Zone *z, int64_t after_ms)
{
    if (c->every_ms > 0)
        return after_ms > INT64_MAX - c->every_ms ? INT64_MAX : after_ms + c->every_ms;
    int64_t utc_s = after_ms / 1000 - (after_ms % 1000 < 0) + 1;
    int64_t limit_s = utc_s + (int64_t)CRON_YEARS * 366 * DAY_S;
    while (utc_s < limit_s) {
        ZoneSpan s = zone_span(z, utc_s);
        int64_t at = next_in_span(c, &s, utc_s, limit_s);
        if (at != INT64_MAX)
            return at * 1000;
        utc_s = s.to_s;
    }
    return INT64_MAX;
}

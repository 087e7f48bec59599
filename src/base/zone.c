#include "base/zone.h"
#include "base/fd.h"

#include <stdlib.h>
#include <string.h>

enum {
    FILE_MAX = 256 * 1024, /* the largest zone of the tz database has 4 kB */
    HEAD = 44,
    COUNT_MAX = 10000,
    DAY_S = 24 * 3600,
    YEAR_MIN = 1900, /* rules are written out from here at the earliest */
    RULE_STARTS = 2 * (ZONE_YEAR_MAX - YEAR_MIN + 1),
};

/* --- the calendar: Howard Hinnant's days_from_civil and its inverse, eras of 400 years --- */

int64_t zone_days(int64_t year, int month, int day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = (y >= 0 ? y : y - 399) / 400, in_era = y - era * 400;
    int64_t in_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    return era * 146097 + in_era * 365 + in_era / 4 - in_era / 100 + in_year - 719468;
}

ZoneDate zone_date(int64_t days)
{
    int64_t z = days + 719468, era = (z >= 0 ? z : z - 146096) / 146097, in_era = z - era * 146097;
    int64_t y = (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
    int64_t in_year = in_era - (365 * y + y / 4 - y / 100), m = (5 * in_year + 2) / 153;
    ZoneDate d = {.year = y + era * 400,
                  .month = (int)(m < 10 ? m + 3 : m - 9),
                  .day = (int)(in_year - (153 * m + 2) / 5 + 1)};
    d.year += d.month <= 2;
    return d;
}

int zone_weekday(int64_t days)
{
    return (int)(((days + 4) % 7 + 7) % 7); /* 1970-01-01 was a Thursday */
}

static bool is_leap(int64_t year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

int zone_month_days(int64_t year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return days[month - 1] + (month == 2 && is_leap(year));
}

/* --- the rule at the end of the file, in the form of POSIX's TZ: "CET-1CEST,M3.5.0,M10.5.0/3" --- */

typedef struct RuleDay {
    char
        kind; /* 'M': week (5: last) and weekday of a month; 'J': day 1 to 365; '0': day 0 to 365 */
    int month, week, day;
    int32_t at; /* seconds after local midnight; may be negative or above a day */
} RuleDay;

typedef struct Rule {
    bool changes;
    int32_t standard, summer; /* seconds east */
    RuleDay begin, end;       /* of summer time */
} Rule;

typedef struct Cursor {
    const char *at, *end;
    bool bad;
} Cursor;

static bool take(Cursor *c, char what)
{
    bool here = c->at < c->end && *c->at == what;
    c->at += here;
    return here;
}

static bool at_digit(const Cursor *c)
{
    return c->at < c->end && *c->at >= '0' && *c->at <= '9';
}

static int take_number(Cursor *c, int max)
{
    int n = 0;
    c->bad = c->bad || !at_digit(c);
    while (at_digit(c) && n <= max)
        n = n * 10 + (*c->at++ - '0');
    c->bad = c->bad || n > max;
    return c->bad ? 0 : n;
}

static void take_name(Cursor *c)
{
    const char *from = c->at;
    if (take(c, '<')) {
        while (c->at < c->end && *c->at != '>')
            c->at++;
        c->bad = c->bad || !take(c, '>');
        return;
    }
    while (c->at < c->end && ((*c->at >= 'A' && *c->at <= 'Z') || (*c->at >= 'a' && *c->at <= 'z')))
        c->at++;
    c->bad = c->bad || c->at == from;
}

/* [+-]hh[:mm[:ss]] */
static int32_t take_time(Cursor *c)
{
    bool minus = take(c, '-');
    if (!minus)
        take(c, '+');
    int32_t s = take_number(c, 167) * 3600;
    if (take(c, ':'))
        s += take_number(c, 59) * 60;
    if (take(c, ':'))
        s += take_number(c, 59);
    return minus ? -s : s;
}

static RuleDay take_day(Cursor *c)
{
    RuleDay d = {.kind = '0', .at = 2 * 3600};
    if (take(c, 'M')) {
        d.kind = 'M';
        d.month = take_number(c, 12);
        c->bad = c->bad || d.month < 1 || !take(c, '.');
        d.week = take_number(c, 5);
        c->bad = c->bad || d.week < 1 || !take(c, '.');
        d.day = take_number(c, 6);
    } else {
        d.kind = take(c, 'J') ? 'J' : '0';
        d.day = take_number(c, 365);
    }
    if (take(c, '/'))
        d.at = take_time(c);
    return d;
}

static bool rule_parse(Str text, Rule *out)
{
    Cursor c = {text.ptr, text.ptr + text.len, false};
    *out = (Rule){0};
    take_name(&c);
    out->standard = -take_time(&c);
    if (c.bad || c.at == c.end)
        return !c.bad;
    out->changes = true;
    take_name(&c);
    out->summer = out->standard + 3600;
    if (c.at < c.end && *c.at != ',')
        out->summer = -take_time(&c);
    c.bad = c.bad || !take(&c, ',');
    out->begin = take_day(&c);
    c.bad = c.bad || !take(&c, ',');
    out->end = take_day(&c);
    return !c.bad && c.at == c.end;
}

/* When the day's moment comes in `year`, as seconds since 1970 of the local clock. */
static int64_t rule_moment(const RuleDay *d, int64_t year)
{
    int64_t day = zone_days(year, 1, 1);
    if (d->kind == 'M') {
        int64_t first = zone_days(year, d->month, 1);
        int in_month = (d->day - zone_weekday(first) + 7) % 7 + (d->week - 1) * 7;
        while (in_month >= zone_month_days(year, d->month))
            in_month -= 7;
        day = first + in_month;
    } else if (d->kind == 'J') {
        day += d->day - 1 + (is_leap(year) && d->day >= 60); /* February 29 is never counted */
    } else {
        day += d->day;
    }
    return day * DAY_S + d->at;
}

/* --- the file --- */

static int64_t be(const char *p, int bytes)
{
    uint64_t v = (uint64_t)(int64_t)(signed char)p[0];
    for (int i = 1; i < bytes; i++)
        v = v << 8 | (unsigned char)p[i];
    return (int64_t)v;
}

typedef struct Head {
    int64_t is_utc, is_std, leaps, times, types, chars;
} Head;

static bool head_read(Str bytes, size_t at, Head *h)
{
    if (bytes.len < at + HEAD || memcmp(bytes.ptr + at, "TZif", 4) != 0 || bytes.ptr[at + 4] < '2')
        return false;
    const char *p = bytes.ptr + at + 20;
    *h = (Head){be(p, 4), be(p + 4, 4), be(p + 8, 4), be(p + 12, 4), be(p + 16, 4), be(p + 20, 4)};
    const int64_t counts[] = {h->is_utc, h->is_std, h->leaps, h->times, h->types, h->chars};
    for (size_t i = 0; i < COUNT_OF(counts); i++)
        if (counts[i] < 0 || counts[i] > COUNT_MAX)
            return false;
    return true;
}

static size_t body_bytes(const Head *h, int64_t width)
{
    return (size_t)(h->times * (width + 1) + h->types * 6 + h->chars + h->leaps * (width + 4) +
                    h->is_std + h->is_utc);
}

static void add_start(Zone *z, int64_t start, int32_t offset)
{
    while (z->len > 0 && z->starts[z->len - 1] >= start) /* the later word counts */
        z->len--;
    int32_t before = z->len > 0 ? z->offsets[z->len - 1] : z->first;
    if (before == offset)
        return;
    z->starts[z->len] = start;
    z->offsets[z->len++] = offset;
}

static void write_out_rule(Zone *z, const Rule *r)
{
    int64_t last = z->len > 0 ? z->starts[z->len - 1] : INT64_MIN;
    int64_t year = z->len > 0 ? zone_date(last / DAY_S).year : YEAR_MIN;
    for (year = year < YEAR_MIN ? YEAR_MIN : year; year <= ZONE_YEAR_MAX; year++) {
        int64_t begin = rule_moment(&r->begin, year) - r->standard;
        int64_t end = rule_moment(&r->end, year) - r->summer;
        bool north = begin < end;
        int64_t at[] = {north ? begin : end, north ? end : begin};
        for (int i = 0; i < 2; i++)
            if (at[i] > last)
                add_start(z, at[i], at[i] == begin ? r->summer : r->standard);
    }
}

static ErrCode damaged(Str name, Err *err)
{
    err_set(err, ERR_BAD_PARAM, "\"" STR_FMT "\" is no time zone that can be read", STR_ARG(name));
    err_param(err, "zone");
    return ERR_BAD_PARAM;
}

ErrCode zone_parse(Arena *a, Str name, Str bytes, Zone *out, Err *err)
{
    Head h;
    if (!head_read(bytes, 0, &h))
        return damaged(name, err);
    size_t at = HEAD + body_bytes(&h, 4); /* over the part for readers of 32-bit times */
    if (!head_read(bytes, at, &h) || h.leaps > 0 || h.types == 0 ||
        bytes.len - at - HEAD < body_bytes(&h, 8))
        return damaged(name, err);
    const char *times = bytes.ptr + at + HEAD, *kinds = times + h.times * 8;
    const char *types = kinds + h.times;
    size_t most = (size_t)h.times + RULE_STARTS;
    *out = (Zone){.name = str_copy(a, name),
                  .starts = arena_new(a, int64_t, most),
                  .offsets = arena_new(a, int32_t, most),
                  .first = (int32_t)be(types, 4)};
    if (out->name.ptr == NULL || out->starts == NULL || out->offsets == NULL)
        return err_set(err, ERR_NO_MEMORY, "reading a time zone");
    for (int64_t i = 0; i < h.times; i++) {
        unsigned char kind = (unsigned char)kinds[i];
        if (kind >= h.types)
            return damaged(name, err);
        add_start(out, be(times + i * 8, 8), (int32_t)be(types + kind * 6, 4));
    }
    Str rest = str_slice(bytes, at + HEAD + body_bytes(&h, 8), bytes.len);
    Rule rule;
    if (rest.len < 2 || rest.ptr[0] != '\n' || rest.ptr[rest.len - 1] != '\n')
        return damaged(name, err);
    rest = str_slice(rest, 1, rest.len - 1);
    if (rest.len > 0 && !rule_parse(rest, &rule))
        return damaged(name, err);
    if (rest.len > 0 && rule.changes)
        write_out_rule(out, &rule);
    return OK;
}

/* Names lead nowhere but into the folder. */
static bool name_ok(Str name)
{
    char before = '/';
    for (size_t i = 0; i < name.len; i++) {
        char ch = name.ptr[i];
        bool letter = (ch >= 'A' && ch <= 'Z') || (ch >= 'a' && ch <= 'z');
        bool inner = (ch >= '0' && ch <= '9') || ch == '_' || ch == '-' || ch == '+' || ch == '/';
        if (!letter && (before == '/' || !inner))
            return false;
        before = ch;
    }
    return before != '/' && name.len <= ZONE_NAME_MAX;
}

static ErrCode unknown(Str name, Err *err)
{
    Str shown = str_slice(name, 0, ZONE_NAME_MAX);
    err_set(err, ERR_BAD_PARAM, "there is no time zone \"" STR_FMT "\"", STR_ARG(shown));
    err_param(err, "zone");
    err_hint(err, "Use a name of the tz database, like Europe/Berlin or UTC; the package tzdata "
                  "has them.");
    return ERR_BAD_PARAM;
}

ErrCode zone_open(Arena *a, Str name, Zone *out, Err *err)
{
    if (name.len == 0 || str_eq_c(name, "UTC")) {
        *out = (Zone){.name = STR("UTC")};
        return OK;
    }
    if (!name_ok(name))
        return unknown(name, err);
    const char *dir = getenv("TZDIR");
    Str path =
            str_printf(a, "%s/" STR_FMT, dir != NULL ? dir : "/usr/share/zoneinfo", STR_ARG(name)),
        bytes;
    if (path.ptr == NULL)
        return err_set(err, ERR_NO_MEMORY, "reading a time zone");
    ErrCode rc = fd_read_path(path.ptr, a, FILE_MAX, &bytes, err);
    if (rc == ERR_NO_MEMORY)
        return rc;
    return rc != OK ? unknown(name, err) : zone_parse(a, name, bytes, out, err);
}

ZoneSpan zone_span(const Zone *z, int64_t utc_s)
{
    size_t low = 0, high = z->len; /* the first that begins after utc_s */
    while (low < high) {
        size_t mid = (low + high) / 2;
        if (z->starts[mid] <= utc_s)
            low = mid + 1;
        else
            high = mid;
    }
    return (ZoneSpan){
        .from_s = low > 0 ? z->starts[low - 1] : INT64_MIN,
        .to_s = low < z->len ? z->starts[low] : INT64_MAX,
        .offset = low > 0 ? z->offsets[low - 1] : z->first,
        .before = low > 1 ? z->offsets[low - 2] : z->first,
    };
}

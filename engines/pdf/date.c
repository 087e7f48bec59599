/* date.c: dates as PDF writes them, and as everybody else does. */
#include "pdf/pdf.h"

/* `count` digits at *at. */
static bool digits(Str s, size_t *at, int count, int *out)
{
    int v = 0;
    if (s.len - *at < (size_t)count || *at > s.len)
        return false;
    for (int i = 0; i < count; i++) {
        char ch = s.ptr[*at + (size_t)i];
        if (ch < '0' || ch > '9')
            return false;
        v = v * 10 + (ch - '0');
    }
    *at += (size_t)count;
    *out = v;
    return true;
}

typedef struct Date {
    int year, month, day, hour, minute, second;
    char zone; /* 0: none; 'Z', '+' or '-' */
    int zone_hour, zone_minute;
} Date;

static bool plausible(const Date *d)
{
    return d->month >= 1 && d->month <= 12 && d->day >= 1 && d->day <= 31 && d->hour < 24 &&
           d->minute < 60 && d->second < 61 && d->zone_hour < 24 && d->zone_minute < 60;
}

static void skip(Str s, size_t *at, char ch)
{
    if (*at < s.len && s.ptr[*at] == ch)
        (*at)++;
}

/* "+01'00'", "-0330", "+01:00", "Z" or nothing. */
static bool zone(Str s, size_t *at, Date *d)
{
    if (*at >= s.len)
        return true;
    d->zone = s.ptr[(*at)++];
    if (d->zone == 'Z' || d->zone == 'z') {
        d->zone = 'Z'; /* "Z00'00'" is written too */
        return true;
    }
    if ((d->zone != '+' && d->zone != '-') || !digits(s, at, 2, &d->zone_hour))
        return false;
    skip(s, at, '\'');
    skip(s, at, ':');
    if (*at < s.len && !digits(s, at, 2, &d->zone_minute))
        return false;
    skip(s, at, '\'');
    return *at == s.len;
}

Str pdf_date_to_iso(Arena *a, Str date)
{
    Date d = {.month = 1, .day = 1};
    size_t at = str_starts(date, STR("D:")) ? 2 : 0;
    if (!digits(date, &at, 4, &d.year))
        return (Str){0};
    int *parts[] = {&d.month, &d.day, &d.hour, &d.minute, &d.second};
    for (size_t i = 0; i < COUNT_OF(parts) && digits(date, &at, 2, parts[i]); i++)
        ;
    if (!zone(date, &at, &d) || !plausible(&d))
        return (Str){0};
    Buf b = buf_init(a, 64);
    buf_addf(&b, "%04d-%02d-%02dT%02d:%02d:%02d", d.year, d.month, d.day, d.hour, d.minute,
             d.second);
    if (d.zone == 'Z')
        buf_add_char(&b, 'Z');
    else if (d.zone != 0)
        buf_addf(&b, "%c%02d:%02d", d.zone, d.zone_hour, d.zone_minute);
    return b.failed ? (Str){0} : buf_str(&b);
}

/* "2026-01-02", "2026-01-02T03:04:05", with zone or without. */
Str pdf_date_from_iso(Arena *a, Str iso)
{
    Date d = {.month = 1, .day = 1};
    size_t at = 0;
    if (!digits(iso, &at, 4, &d.year))
        return (Str){0};
    int *parts[] = {&d.month, &d.day, &d.hour, &d.minute, &d.second};
    static const char before[] = {'-', '-', 'T', ':', ':'};
    for (size_t i = 0; i < COUNT_OF(parts); i++) {
        if (at >= iso.len || (iso.ptr[at] != before[i] && !(i == 2 && iso.ptr[at] == ' ')))
            break;
        at++;
        if (!digits(iso, &at, 2, parts[i]))
            return (Str){0};
    }
    if (at < iso.len && iso.ptr[at] == '.') /* parts of a second */
        for (at++; at < iso.len && iso.ptr[at] >= '0' && iso.ptr[at] <= '9'; at++)
            ;
    if (!zone(iso, &at, &d) || !plausible(&d))
        return (Str){0};
    Buf b = buf_init(a, 64);
    buf_addf(&b, "D:%04d%02d%02d%02d%02d%02d", d.year, d.month, d.day, d.hour, d.minute, d.second);
    if (d.zone == 'Z')
        buf_add_char(&b, 'Z');
    else if (d.zone != 0)
        buf_addf(&b, "%c%02d'%02d'", d.zone, d.zone_hour, d.zone_minute);
    return b.failed ? (Str){0} : buf_str(&b);
}

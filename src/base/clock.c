#include "base/clock.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

int64_t clock_now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int64_t clock_mono_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static const int64_t FIRST_MS = -62167219200000, LAST_MS = 253402300799999; /* years 0000, 9999 */

/* Both formats have four digits for the year: what lies outside becomes the nearest time they can
 * show. */
static int split(int64_t ms, struct tm *tm)
{
    if (ms < FIRST_MS)
        ms = FIRST_MS;
    if (ms > LAST_MS)
        ms = LAST_MS;
    int64_t rest = (ms % 1000 + 1000) % 1000; /* also before 1970 */
    time_t seconds = (time_t)((ms - rest) / 1000);
    gmtime_r(&seconds, tm);
    return (int)rest;
}

/* Times that are written are mostly of now: the text of the last second is kept, per thread. */
void clock_text(int64_t ms, char out[CLOCK_TEXT_SIZE])
{
    enum { SECOND_LEN = 19, SECOND_SIZE = SECOND_LEN + 6 };
    static _Thread_local int64_t kept_second = INT64_MIN;
    static _Thread_local char kept[SECOND_SIZE];
    int64_t second = ms >= 0 ? ms / 1000 : -1;
    int rest = (int)(ms % 1000);
    if (second < 0 || second != kept_second) {
        struct tm tm;
        rest = split(ms, &tm);
        snprintf(kept, sizeof kept, "%04u-%02u-%02uT%02u:%02u:%02u",
                 (unsigned)(tm.tm_year + 1900) % 10000, (unsigned)(tm.tm_mon + 1) % 100,
                 (unsigned)tm.tm_mday % 100, (unsigned)tm.tm_hour % 100, (unsigned)tm.tm_min % 100,
                 (unsigned)tm.tm_sec % 100);
        kept_second = second < 0 || ms > LAST_MS ? INT64_MIN : second;
    }
    memcpy(out, kept, SECOND_LEN);
    const char tail[] = {
        '.', (char)('0' + rest / 100), (char)('0' + rest / 10 % 10), (char)('0' + rest % 10), 'Z',
        0};
    memcpy(out + SECOND_LEN, tail, sizeof tail);
}

void clock_http_date(int64_t ms, char out[30])
{
    static const char days[] = "SunMonTueWedThuFriSat",
                      months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    struct tm tm;
    split(ms, &tm);
    snprintf(out, 30, "%.3s, %02u %.3s %04u %02u:%02u:%02u GMT", days + tm.tm_wday * 3,
             (unsigned)tm.tm_mday % 100, months + tm.tm_mon * 3,
             (unsigned)(tm.tm_year + 1900) % 10000, (unsigned)tm.tm_hour % 100,
             (unsigned)tm.tm_min % 100, (unsigned)tm.tm_sec % 100);
}

typedef struct Digits {
    Str text;
    size_t at;
    bool bad;
} Digits;

static int64_t digits(Digits *d, int count)
{
    int64_t v = 0;
    for (int i = 0; i < count; i++, d->at++) {
        char c = d->at < d->text.len ? d->text.ptr[d->at] : 0;
        d->bad = d->bad || c < '0' || c > '9';
        v = v * 10 + (c - '0');
    }
    return v;
}

static void expect(Digits *d, const char *any)
{
    char c = d->at < d->text.len ? d->text.ptr[d->at] : 0;
    d->bad = d->bad || c == 0 || strchr(any, c) == NULL;
    d->at++;
}

/* Days since 1970 of a date of the Gregorian calendar (H. Hinnant, "chrono-compatible low-level date
 * algorithms", 2013). */
static int64_t days_of(int64_t y, int64_t m, int64_t d)
{
    y -= m <= 2;
    int64_t era = (y >= 0 ? y : y - 399) / 400, year = y - era * 400;
    int64_t day = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
    return era * 146097 + year * 365 + year / 4 - year / 100 + day - 719468;
}

static int64_t fraction_ms(Digits *d)
{
    int64_t ms = 0, scale = 100;
    if (d->at >= d->text.len || d->text.ptr[d->at] != '.')
        return 0;
    size_t first = ++d->at;
    for (; d->at < d->text.len && d->text.ptr[d->at] >= '0' && d->text.ptr[d->at] <= '9'; d->at++) {
        ms += (d->text.ptr[d->at] - '0') * scale;
        scale /= 10;
    }
    d->bad = d->bad || d->at == first;
    return ms;
}

static int64_t zone_ms(Digits *d)
{
    char sign = d->at < d->text.len ? d->text.ptr[d->at] : 0;
    expect(d, "Zz+-");
    if (d->bad || sign == 'Z' || sign == 'z')
        return 0;
    int64_t hours = digits(d, 2);
    expect(d, ":");
    int64_t minutes = digits(d, 2);
    d->bad = d->bad || hours > 23 || minutes > 59;
    return (hours * 60 + minutes) * (sign == '-' ? -60000 : 60000);
}

bool clock_parse(Str text, int64_t *ms)
{
    static const int month_days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    Digits d = {.text = text};
    int64_t year = digits(&d, 4);
    expect(&d, "-");
    int64_t month = digits(&d, 2);
    expect(&d, "-");
    int64_t day = digits(&d, 2);
    expect(&d, "Tt ");
    int64_t hour = digits(&d, 2);
    expect(&d, ":");
    int64_t minute = digits(&d, 2);
    expect(&d, ":");
    int64_t second = digits(&d, 2);
    int64_t rest = fraction_ms(&d), zone = zone_ms(&d);
    if (d.bad || d.at != text.len || month < 1 || month > 12)
        return false;
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    int64_t last = month_days[month - 1] + (month == 2 && leap);
    if (day < 1 || day > last || hour > 23 || minute > 59 || second > 60)
        return false;
    *ms = ((days_of(year, month, day) * 24 + hour) * 60 + minute) * 60000 + second * 1000 + rest -
          zone;
    return true;
}

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

/* The number of `n` digits at *at, or -1. */
static int digits(Str s, size_t *at, size_t n)
{
    int v = 0;
    if (s.len - *at < n)
        return -1;
    for (size_t i = 0; i < n; i++) {
        char c = s.ptr[*at + i];
        if (c < '0' || c > '9')
            return -1;
        v = v * 10 + (c - '0');
    }
    *at += n;
    return v;
}

static bool take(Str s, size_t *at, const char *any_of)
{
    if (*at >= s.len || s.ptr[*at] == 0 || strchr(any_of, s.ptr[*at]) == NULL)
        return false;
    ++*at;
    return true;
}

static bool read_day(Str s, size_t *at, struct tm *tm)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int year = digits(s, at, 4);
    int month = year >= 0 && take(s, at, "-") ? digits(s, at, 2) : -1;
    int day = month >= 1 && take(s, at, "-") ? digits(s, at, 2) : -1;
    if (month < 1 || month > 12 || day < 1)
        return false;
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    tm->tm_year = year - 1900;
    tm->tm_mon = month - 1;
    tm->tm_mday = day;
    return day <= days[month - 1] + (month == 2 && leap);
}

static bool read_time(Str s, size_t *at, struct tm *tm, int *ms)
{
    tm->tm_hour = digits(s, at, 2);
    tm->tm_min = take(s, at, ":") ? digits(s, at, 2) : -1;
    tm->tm_sec = tm->tm_min >= 0 && take(s, at, ":") ? digits(s, at, 2) : -1;
    if (tm->tm_hour < 0 || tm->tm_hour > 23 || tm->tm_min < 0 || tm->tm_min > 59 ||
        tm->tm_sec < 0 || tm->tm_sec > 60)
        return false;
    if (!take(s, at, ".,"))
        return true;
    size_t from = *at;
    for (int scale = 100, d; (d = digits(s, at, 1)) >= 0; scale /= 10)
        *ms += d * scale;
    return *at > from;
}

static bool read_offset(Str s, size_t *at, int *minutes)
{
    if (take(s, at, "Zz"))
        return true;
    int sign = *at < s.len && s.ptr[*at] == '-' ? -1 : 1;
    if (!take(s, at, "+-"))
        return false;
    int h = digits(s, at, 2);
    int m = h >= 0 && take(s, at, ":") ? digits(s, at, 2) : -1;
    *minutes = sign * (h * 60 + m);
    return h >= 0 && h <= 23 && m >= 0 && m <= 59;
}

bool clock_read(Str text, int64_t *ms)
{
    struct tm tm = {0};
    size_t at = 0;
    int rest = 0, offset = 0;
    if (!read_day(text, &at, &tm))
        return false;
    if (at < text.len && (!take(text, &at, "Tt ") || !read_time(text, &at, &tm, &rest) ||
                          !read_offset(text, &at, &offset)))
        return false;
    if (at != text.len)
        return false;
    *ms = ((int64_t)timegm(&tm) - (int64_t)offset * 60) * 1000 + rest;
    return true;
}

#include "base/clock.h"

#include <stdio.h>
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

/* Both formats have four digits for the year: what lies outside becomes the nearest time they can
 * show. */
static int split(int64_t ms, struct tm *tm)
{
    static const int64_t first = -62167219200000, last = 253402300799999; /* years 0000 and 9999 */
    if (ms < first)
        ms = first;
    if (ms > last)
        ms = last;
    int64_t rest = (ms % 1000 + 1000) % 1000; /* also before 1970 */
    time_t seconds = (time_t)((ms - rest) / 1000);
    gmtime_r(&seconds, tm);
    return (int)rest;
}

void clock_text(int64_t ms, char out[CLOCK_TEXT_SIZE])
{
    struct tm tm;
    int rest = split(ms, &tm);
    snprintf(out, CLOCK_TEXT_SIZE, "%04u-%02u-%02uT%02u:%02u:%02u.%03uZ",
             (unsigned)(tm.tm_year + 1900) % 10000, (unsigned)(tm.tm_mon + 1) % 100,
             (unsigned)tm.tm_mday % 100, (unsigned)tm.tm_hour % 100, (unsigned)tm.tm_min % 100,
             (unsigned)tm.tm_sec % 100, (unsigned)rest % 1000);
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

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

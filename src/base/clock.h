/* clock.h: the two clocks. */
#ifndef PLATEN_BASE_CLOCK_H
#define PLATEN_BASE_CLOCK_H

#include "base/str.h"

/* Milliseconds since 1970, UTC: for what is stored and shown. May jump when the clock is set. */
int64_t clock_now_ms(void);
/* Microseconds that only go forward: for durations and deadlines within this process. */
int64_t clock_mono_us(void);

enum { CLOCK_TEXT_SIZE = 25 };
/* "2026-11-22T01:30:20.123Z", RFC 3339. `out` needs CLOCK_TEXT_SIZE bytes. */
void clock_text(int64_t ms, char out[CLOCK_TEXT_SIZE]);
/* "Sun, 22 Nov 2026 01:30:20 GMT", RFC 9110 IMF-fixdate. `out` needs 30 bytes. */
/* An RFC 3339 time ("2026-01-31T09:00:00Z", "…+02:00", with or without a fraction); false when it is
 * none. */
bool clock_parse(Str text, int64_t *ms);
void clock_http_date(int64_t ms, char out[30]);

#endif

/* alerts.h: what went wrong in this process lately: log lines of level warn and error, the newest
 * first.
 *
 * Of lines with the same event and subject (engine, queue, trigger) one alert is kept, with how
 * often and when it was said last; ALERTS_MAX at most, the oldest goes. Begins empty with the
 * process. Lines below the log's level are kept too.
 *
 * Threads: any; alerts_open once, before the others. */
#ifndef PLATEN_TRACE_ALERTS_H
#define PLATEN_TRACE_ALERTS_H

#include "base/err.h"
#include "base/log.h"

enum { ALERTS_MAX = 64, ALERT_SUBJECT_MAX = 64, ALERT_DETAIL_MAX = 240 };

typedef struct Alert {
    Event event;
    LogLevel level;
    int64_t first_ms, last_ms, count;
    char subject[ALERT_SUBJECT_MAX + 1]; /* name of the engine, queue …; "" */
    char detail[ALERT_DETAIL_MAX + 1];   /* of the last line; may name files of this machine */
} Alert;

typedef struct Alerts Alerts;
/* Hears of every line from now on. */
MUST_CHECK ErrCode alerts_open(Alerts **out, Err *err);
void alerts_close(Alerts **a);
/* Copied, the one said last first; how many. */
size_t alerts_read(Alerts *a, Alert out[ALERTS_MAX]);

#endif

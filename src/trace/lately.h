/* lately.h: what failed lately, by reason, for a page that is looked at often.
 *
 * Reads the newest failed jobs, at most LATELY_READ of them, so that a bad day with a million
 * failures costs what 500 cost (about 2 ms). */
#ifndef PLATEN_TRACE_LATELY_H
#define PLATEN_TRACE_LATELY_H

#include "base/err.h"
#include "db/db.h"

enum { LATELY_READ = 500, LATELY_REASONS_MAX = 32, LATELY_JOBS_MAX = 3 };

typedef struct LatelyJob {
    int64_t id, finished_ms;
    Str step, pipeline, detail; /* pipeline: "" when it is of none */
} LatelyJob;

typedef struct LatelyReason {
    Str reason;
    int64_t count;
    LatelyJob jobs[LATELY_JOBS_MAX]; /* the newest */
    size_t jobs_len;
} LatelyReason;

typedef struct Lately {
    LatelyReason reasons[LATELY_REASONS_MAX]; /* the one with the newest job first */
    size_t len;
    int64_t count; /* of all reasons */
    bool more;     /* there are others, older ones */
} Lately;

/* Of jobs created at or after since_ms. Texts are in `a`. */
MUST_CHECK ErrCode lately_failed(DbConn *reader, int64_t project, int64_t since_ms, Arena *a,
                                 Lately *out, Err *err);

#endif

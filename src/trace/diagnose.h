/* diagnose.h: why a job is as it is, in one minute.
 *
 * Writes one JSON object, for the API, `platen diagnose` and the web app alike:
 *   {"job","step","state","verdict": one sentence,
 *    "reason","meaning","detail","remedy","retries": "never|later|after",      when something failed
 *    "cause": {"seq","type","detail","reason"},                                 the first failing event: nearest cause upstream
 *    "timeline": [{"seq","time","after_ms","type","meaning","data":{…}}],
 *    "waited_ms","ran_ms","attempts","max_attempts","trace",
 *    "pipeline": its name, "node": the step of it that failed first, "below": {…} the same about its job} */
#ifndef PLATEN_TRACE_DIAGNOSE_H
#define PLATEN_TRACE_DIAGNOSE_H

#include "flow/flow.h"

/* ERR_NOT_FOUND when the project has no such job. Memory from `a`. */
MUST_CHECK ErrCode diagnose_job(DbConn *reader, int64_t project, int64_t job, Arena *a,
                                JsonOut *out, Err *err);

#endif

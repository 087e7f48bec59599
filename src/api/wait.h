/* wait.h: requests that wait for a job's end without a thread each (?wait=30).
 *
 * wait_for_job parks the request, subscribes to the job's news and remembers the deadline. News or
 * the deadline resume the request on the pool; if the job has ended or the time is up it is
 * answered, else it waits on. One thread keeps the deadlines. Cost: one small struct per waiting
 * request. */
#ifndef PLATEN_API_WAIT_H
#define PLATEN_API_WAIT_H

#include "api/call.h"

MUST_CHECK ErrCode waiters_open(App *app, Waiters **out, Err *err);
/* Answer all who wait now; further waits end at once. Before http_close. */
void waiters_stop(Waiters *w);
/* After http_close: nobody may be waiting any more. */
void waiters_close(Waiters **w);

/* Answer with the job: 200 when it has ended in time, 202 and its state otherwise. The handler
 * returns right after. */
void wait_for_job(Call *c, int64_t job, int64_t seconds);
/* The same with another answer: `answer` gets the job, ended or not. */
typedef void (*WaitAnswer)(Call *c, const Job *job);
void wait_for_job_then(Call *c, int64_t job, int64_t seconds, WaitAnswer answer);

#endif

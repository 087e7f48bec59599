/* queue.h: tasks on disk: added, leased, finished, tried again.
 *
 *              queue_add             queue_lease                queue_done
 *   (nothing) ------------> READY ----------------> LEASED -------------------> (history)
 *                             ^                        |  \ queue_fail: attempts used up, or the reason is "never"
 *                             |   queue_fail: another  |   ----------------------> DEAD LETTER
 *                             |   attempt, run_at later|
 *                             +-- the lease runs out --+
 *
 * Why a lease: a worker that dies says nothing. Its lease ends and the task is READY again, so a task can run twice. Steps are
 * therefore repeatable (core/step.h). The attempt number is on disk before the attempt begins, so a task that kills
 * its worker cannot loop for ever.
 *
 * The hot table (task) holds live tasks only; a finished one moves to task_done in the same transaction.
 * Cost: lease and finish are O(log n) in the number of waiting tasks; nothing scans.
 *
 * Threads: all functions run inside a write function (DbConn *tx) unless they say reader. Times are ms since 1970, UTC. */
#ifndef PLATEN_QUEUE_QUEUE_H
#define PLATEN_QUEUE_QUEUE_H

#include "db/db.h"

enum { QUEUE_PRIORITY_MIN = -100, QUEUE_PRIORITY_MAX = 100, QUEUE_ATTEMPTS_DEFAULT = 3 };

typedef struct TaskLease {
    int64_t id, job, project, attempt, max_attempts, timeout_ms;
    int64_t lease_until_ms, run_at_ms;
    Str step, params, trace;
} TaskLease;

/* When to try again: exponential backoff with full jitter. attempt counts from 1; `asked_ms` > 0 is what a Retry-After said.
 * `dice` is a random number in [0,1). Pure. base 1 s, doubled each time, at most 10 min. */
int64_t queue_backoff_ms(int64_t attempt, int64_t asked_ms, double dice);

typedef struct QueueInfo {
    Str name;
    int64_t ready, delayed, leased, dead, oldest_ms; /* oldest_ms: age of the oldest ready task */
} QueueInfo;
MUST_CHECK ErrCode queue_list(DbConn *reader, Arena *a, QueueInfo **out, size_t *len, Err *err);

#endif

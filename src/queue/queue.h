/* queue.h: tasks on disk: added, leased, finished, tried again.
 *
 *              queue_add             queue_lease                queue_take
 *   (nothing) ------------> READY ----------------> LEASED -------------------> gone: done, cancelled, or
 *                            ^  ^                      |                        dead: attempts used up, or the reason is "never"
 *           run_at has come  |  |   queue_lose,        |
 *            (queue_lease)   |  +-- queue_give_back ---+
 *                            |                         |
 *                         DELAYED <-- queue_delay -----+   another attempt, later
 *
 * Why a lease: a worker that dies says nothing. Its lease ends and the task is READY again, so a
 * task can run twice. Steps are therefore repeatable (core/step.h). The attempt number is on disk
 * before the attempt begins, so a task that kills its worker cannot loop for ever.
 *
 * The hot table (task) holds live tasks only. There is no table of finished ones: what a finished
 * task leaves behind is its job's end, its events and, when it died, a dead letter, all written by
 * flow in the transaction that takes the task. Cost: lease and finish are O(log n) in the number of
 * waiting tasks; nothing scans. Each state has a tree of its own, so delayed tasks are not in the
 * way of ready ones.
 * Order: higher priority first, then older id. A task that was delayed or tried again keeps its
 * age.
 *
 * This is the mechanism; when to do which, and what it means for a job, is flow's (flow/flow.h).
 * Threads: all functions run inside a write function (DbConn *tx) unless they say reader. Times are
 * ms since 1970, UTC. */
#ifndef PLATEN_QUEUE_QUEUE_H
#define PLATEN_QUEUE_QUEUE_H

#include "db/db.h"

enum {
    QUEUE_PRIORITY_MIN = -100,
    QUEUE_PRIORITY_MAX = 100,
    QUEUE_ATTEMPTS_DEFAULT = 3,
    QUEUE_ATTEMPTS_MAX = 100,
    QUEUE_LEASE_MAX = 1024, /* tasks per queue_lease */
    QUEUE_NAME_MAX = 64,    /* bytes */
};

typedef struct TaskLease {
    int64_t id, job, project, attempt, max_attempts, timeout_ms;
    int64_t lease_until_ms, run_at_ms;
    int64_t priority, seq; /* seq: number of the event "task.started" */
    Str step, params, trace;
} TaskLease;

typedef struct TaskNew {
    int64_t id, job, project;
    Str queue, concurrency_key;
    int64_t priority, run_at_ms;
    int64_t attempt,
        max_attempts;        /* attempts begun so far; a task that runs again goes on counting */
    int64_t seq, started_ms; /* number of the job's last event; first start, 0: not yet */
    int64_t parent;          /* the batch its job is an item of; 0: none */
} TaskNew;

/* A task that was changed or removed, as its job needs to know it. queue is copied into the arena
 * given. */
typedef struct TaskChanged {
    int64_t project, job, attempt, max_attempts;
    int64_t seq, started_ms, progress_done, progress_total;
    int64_t parent; /* set by queue_take and queue_cancel */
    bool was_leased;
    Str queue;
} TaskChanged;

/* Why an attempt did not succeed. */
typedef struct TaskFault {
    Str reason, detail, hint;
} TaskFault;

/* When to try again: exponential backoff with full jitter. attempt counts from 1; `asked_ms` > 0 is
 * what a Retry-After said. `dice` is a random number in [0,1). Pure. base 1 s, doubled each time,
 * at most 10 min. */
int64_t queue_backoff_ms(int64_t attempt, int64_t asked_ms, double dice);

/* Ready, or delayed when run_at_ms lies after now_ms. */
MUST_CHECK ErrCode queue_add(DbConn *tx, const TaskNew *n, int64_t now_ms, Err *err);

/* Lease up to `max` (QUEUE_LEASE_MAX) tasks of the queue that are due, best first. Delayed ones
 * whose time has come are made ready on the way. step, params, trace and timeout_ms of the leases
 * are left to the caller. The array is in `a`. */
MUST_CHECK ErrCode queue_lease(DbConn *tx, Str queue, int max, int64_t now_ms, int64_t until_ms,
                               Str worker, Arena *a, TaskLease **out, size_t *len, Err *err);

/* The moves of the drawing. Each tests that attempt `attempt` still holds the task: *found is false
 * when it does not (or, for queue_delay and queue_lose, when it was the last attempt), and nothing
 * has changed then. */
MUST_CHECK ErrCode queue_take(DbConn *tx, int64_t task, int64_t attempt, Arena *a, TaskChanged *out,
                              bool *found, Err *err);
MUST_CHECK ErrCode queue_delay(DbConn *tx, int64_t task, int64_t attempt, int64_t run_at_ms,
                               const TaskFault *why, Arena *a, TaskChanged *out, bool *found,
                               Err *err);
MUST_CHECK ErrCode queue_lose(DbConn *tx, int64_t task, int64_t attempt, int64_t now_ms,
                              const TaskFault *why, Arena *a, TaskChanged *out, bool *found,
                              Err *err);
/* The attempt was not the task's fault and does not count: one more may follow. */
MUST_CHECK ErrCode queue_give_back(DbConn *tx, int64_t task, int64_t attempt, int64_t now_ms,
                                   Arena *a, TaskChanged *out, bool *found, Err *err);
/* Whatever its state: its job is cancelled. */
MUST_CHECK ErrCode queue_cancel(DbConn *tx, int64_t project, int64_t task, Arena *a,
                                TaskChanged *out, bool *found, Err *err);

/* Make the lease longer; say how far it is (an event: seq is counted up); count up seq for another
 * event. */
MUST_CHECK ErrCode queue_extend(DbConn *tx, int64_t task, int64_t attempt, int64_t until_ms,
                                bool *found, Err *err);
MUST_CHECK ErrCode queue_progress(DbConn *tx, int64_t task, int64_t attempt, int64_t done,
                                  int64_t total, TaskChanged *out, bool *found, Err *err);
MUST_CHECK ErrCode queue_note(DbConn *tx, int64_t task, int64_t attempt, TaskChanged *out,
                              bool *found, Err *err);

/* Tasks whose lease ended at or before now_ms, at most QUEUE_LEASE_MAX; only id and attempt are
 * set. */
MUST_CHECK ErrCode queue_expired(DbConn *tx, int64_t now_ms, Arena *a, TaskLease **out, size_t *len,
                                 Err *err);

/* Workers outside of this process (flow/outside.h). Their names in leases begin with QUEUE_OUTSIDE,
 * so that a restart leaves their leases alone. queue_lease_of: as queue_lease, only tasks of the
 * project. queue_abandoned: as queue_expired, leases of this server's own workers, whatever their
 * end. queue_first_end: when the first lease of all runs out; INT64_MAX: there is none; reader. */
#define QUEUE_OUTSIDE "out:"
bool queue_worker_is_outside(Str worker);
MUST_CHECK ErrCode queue_lease_of(DbConn *tx, int64_t project, Str queue, int max, int64_t now_ms,
                                  int64_t until_ms, Str worker, Arena *a, TaskLease **out,
                                  size_t *len, Err *err);
MUST_CHECK ErrCode queue_abandoned(DbConn *tx, Arena *a, TaskLease **out, size_t *len, Err *err);
MUST_CHECK ErrCode queue_first_end(DbConn *reader, int64_t *end_ms, Err *err);

/* When the next delayed task of the queue is due; INT64_MAX: there is none. Reader or write
 * function. */
MUST_CHECK ErrCode queue_next_due(DbConn *c, Str queue, int64_t *due_ms, Err *err);
/* Names of all queues that have ready or delayed tasks. Reader. */
MUST_CHECK ErrCode queue_names(DbConn *reader, Arena *a, Str **out, size_t *len, Err *err);
/* A number for the name, never 0: what hooks carry. */
int64_t queue_hash(Str name);

typedef struct QueueInfo {
    Str name;
    int64_t ready, delayed, leased, dead, oldest_ms; /* oldest_ms: age of the oldest ready task */
} QueueInfo;
/* Queues that have live tasks or dead letters, by name. Reads one index entry per task. Reader. */
MUST_CHECK ErrCode queue_list(DbConn *reader, Arena *a, QueueInfo **out, size_t *len, Err *err);

#endif

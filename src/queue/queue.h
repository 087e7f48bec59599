/* queue.h: tasks on disk: added, leased, finished, tried again.
 *
 *              queue_add             queue_lease                queue_take
 *   (nothing) ------------> READY ----------------> LEASED -------------------> gone: done, cancelled, or
 *      |                     ^  ^                      |                        dead: attempts used up, or the reason is "never"
 *      |    run_at has come  |  |   queue_lose,        |
 *      |     (queue_lease)   |  +-- queue_give_back ---+
 *      |                     |                         |
 *      |                  DELAYED <-- queue_delay -----+   another attempt, later
 *      |                     ^
 *      |                     | queue_slot_next, and the key is too fast
 *      |                     |
 *      +--- a key, and ---> BLOCKED --- queue_slot_next: a slot is free ---> READY
 *           no slot is free                                                  (WAITING: a job of many)
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
 *
 * Order: the project whose turn it is (fair.h: each its share, by weight), then higher priority,
 * then older id. A task that was delayed or tried again keeps its age. One project alone pays one
 * query per lease, as if there were no fairness.
 *
 * Settings of a queue hold for all projects (project 0) or for one of them. Both hold: a lease takes
 * no more than each allows. They are rows; the writer keeps them in memory (memory.h).
 *
 * A concurrency key belongs to a project. At most n (of the task that asks) tasks of the key hold a
 * slot; a task takes its slot when it becomes ready and gives it up when it ends, so a retry keeps
 * it. The count and the tasks' flags change in one transaction: killing the server loses no slot.
 *
 * This is the mechanism; when to do which, and what it means for a job, is flow's (flow/flow.h).
 * Threads: all functions run inside a write function (DbConn *tx) unless they say reader. Who
 * makes rows of `task` ready or delayed by other means than these says so (queue_is_ready). Times
 * are ms since 1970, UTC. */
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
    QUEUE_KEY_MAX = 200,    /* bytes of a concurrency or unique key */
};

/* Flags of a task: what is to be done when it ends. */
enum {
    TASK_HOLDS_SLOT = 1,  /* of its concurrency key: queue_slot_give */
    TASK_IS_UNIQUE = 2,   /* its job's unique key is taken */
    TASK_HAS_OPTIONS = 4, /* its job has a row in job_option */
    TASK_LEFT_LINE = 8,   /* only in TaskChanged: it was blocked, so the next may fit now */
};

typedef struct QueueSettings {
    bool paused;                  /* nothing is leased; what runs ends */
    bool draining;                /* new jobs are refused with queue_draining; what is there runs */
    int64_t concurrency;          /* at most so many run at once; 0: as many as there are workers */
    int64_t rate, rate_window_ms; /* at most so many start in so much time; 0: no limit */
    int64_t key_rate;             /* of one concurrency key, in rate_window_ms; 0: no limit */
    int64_t weight;       /* of the project among the others, 1 … 1000; not of project 0 */
    int64_t retention_ms; /* ended jobs go; 0: as set for all, or for the server; -1: never */
    int64_t runners;      /* tasks at once in this process; project 0 only; 0: as started */
} QueueSettings;

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
    int64_t slots;           /* of the concurrency key; 0: 1 */
    int64_t flags;
} TaskNew;

/* A task that was changed or removed, as its job needs to know it. queue is copied into the arena
 * given. */
typedef struct TaskChanged {
    int64_t project, job, attempt, max_attempts;
    int64_t seq, started_ms, progress_done, progress_total;
    int64_t parent, flags; /* set by queue_take and queue_cancel */
    int64_t poke;          /* hash of a queue that was full and has room now; 0: none */
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
/* The same with another base than a second (0: a second); the ceiling is at least the base. */
int64_t queue_backoff_from(int64_t base_ms, int64_t attempt, int64_t asked_ms, double dice);

/* Ready, delayed when run_at_ms lies after now_ms, or blocked. *ready_ms (NULL allowed): when it
 * may run; INT64_MAX: that is not known. */
MUST_CHECK ErrCode queue_add(DbConn *tx, const TaskNew *n, int64_t now_ms, int64_t *ready_ms,
                             Err *err);

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
/* When to lease again though nothing has become ready: a delayed task is due, or the rate lets the
 * next one start. INT64_MAX: not before somebody says so. For after a lease that gave less than it
 * might. */
MUST_CHECK ErrCode queue_next_look(DbConn *tx, Str queue, int64_t *due_ms, Err *err);
/* A row of `task` was made ready, or delayed until due_ms (0: ready), by other means than these. */
MUST_CHECK ErrCode queue_is_ready(DbConn *tx, Str queue, int64_t project, int64_t due_ms, Err *err);
/* Forget what is kept in memory of queues and read it again. */
void queue_reload(DbConn *tx);

/* --- settings --- */

/* Of the queue for one project (0: for all); *found is false when there are none: *out is as if
 * nobody had set anything. Reader or write function. */
MUST_CHECK ErrCode queue_settings_get(DbConn *c, int64_t project, Str queue, QueueSettings *out,
                                      bool *found, Err *err);
/* ERR_BAD_PARAM, with the name of the setting that is out of range. */
MUST_CHECK ErrCode queue_settings_check(const QueueSettings *s, Err *err);
MUST_CHECK ErrCode queue_settings_put(DbConn *tx, int64_t project, Str queue,
                                      const QueueSettings *s, Err *err);
/* ERR_QUEUE_DRAINING when the queue takes nothing new of the project. */
MUST_CHECK ErrCode queue_accepts(DbConn *tx, int64_t project, Str queue, Err *err);

/* How long ended jobs are kept; 0: nothing is set, -1: for ever. */
MUST_CHECK ErrCode queue_retention(DbConn *tx, int64_t project, Str queue, int64_t *out, Err *err);

typedef struct QueueSetting {
    Str queue;
    int64_t project; /* 0: for all */
    QueueSettings s;
} QueueSetting;
/* Those of project 0 and of `project`, by queue. Reader. */
MUST_CHECK ErrCode queue_settings_list(DbConn *reader, int64_t project, Arena *a,
                                       QueueSetting **out, size_t *len, Err *err);

/* --- slots of concurrency keys --- */

/* A slot for something that is no ready task (the task of a job of many, state 'waiting': put its
 * key into task.concurrency_key and TASK_HOLDS_SLOT into task.flags). *got is false when `slots`
 * are held. */
MUST_CHECK ErrCode queue_slot_take(DbConn *tx, int64_t project, Str key, int64_t slots, bool *got,
                                   Err *err);
/* Then wait for one: its task, in state 'blocked', is in the line until queue_slot_next. */
MUST_CHECK ErrCode queue_slot_wait(DbConn *tx, int64_t project, Str key, int64_t task,
                                   int64_t priority, int64_t slots, Err *err);
/* One slot is free again; go on with queue_slot_next. */
MUST_CHECK ErrCode queue_slot_give(DbConn *tx, int64_t project, Str key, int64_t now_ms, Err *err);

typedef struct SlotTask {
    int64_t task, ready_ms; /* ready_ms: it is delayed until then when that is after now */
    bool waits;             /* it is the task of a job of many, in state 'waiting' now */
    Str queue;
} SlotTask;
/* Give a free slot to the first that waits for one. Call it until *found is false. */
MUST_CHECK ErrCode queue_slot_next(DbConn *tx, int64_t project, Str key, int64_t now_ms, Arena *a,
                                   SlotTask *out, bool *found, Err *err);
/* A delayed task with a key is due (its timer): ready, delayed by its key's rate, or blocked. */
MUST_CHECK ErrCode queue_arrive(DbConn *tx, int64_t task, int64_t now_ms, Arena *a, SlotTask *out,
                                bool *found, Err *err);
/* How many keys count wrong; 0 is right. Reads all live tasks. Reader. */
MUST_CHECK ErrCode queue_slots_check(DbConn *reader, int64_t *wrong, Err *err);
/* Forget keys that nobody has used since. */
MUST_CHECK ErrCode queue_slots_clean(DbConn *tx, int64_t now_ms, Err *err);

/* --- timers --- */

typedef enum TimerKind { TIMER_ARRIVE = 1, TIMER_START, TIMER_END, TIMER_RETIRE } TimerKind;
typedef struct Timer {
    int64_t due_ms, task;
    TimerKind kind;
} Timer;
MUST_CHECK ErrCode queue_timer_add(DbConn *tx, int64_t due_ms, TimerKind kind, int64_t task,
                                   Err *err);
/* Take what is due, at most `max`. They are gone then. */
MUST_CHECK ErrCode queue_timers_take(DbConn *tx, int64_t now_ms, int max, Timer *out, size_t *len,
                                     Err *err);
/* INT64_MAX: there is none. */
MUST_CHECK ErrCode queue_timer_next(DbConn *c, int64_t *due_ms, Err *err);
/* Names of all queues that have ready or delayed tasks. Reader. */
MUST_CHECK ErrCode queue_names(DbConn *reader, Arena *a, Str **out, size_t *len, Err *err);
/* A number for the name, never 0: what hooks carry. */
int64_t queue_hash(Str name);

typedef struct QueueInfo {
    Str name;
    int64_t ready, delayed, leased, blocked, dead;
    int64_t oldest_ms; /* age of the oldest ready task */
} QueueInfo;
/* Queues that have live tasks or dead letters, by name. Reads one index entry per task. Reader. */
MUST_CHECK ErrCode queue_list(DbConn *reader, Arena *a, QueueInfo **out, size_t *len, Err *err);

#endif

/* outside.h: work that is done outside of platen.
 *
 *   queue.send ──► task stands in queue `to` ──flow_lease_outside_tx──► LEASED by "out:NAME"
 *                        ▲                                                │ flow_answer_tx: done, tried again, dead
 *                        └── the lease runs out, or it is to be retried ──┘ flow_longer_tx: a longer lease, progress
 *
 * A step with `outside` (core/step.h) has no code: programs elsewhere do it. Its queue is one of
 * outside work from its first task on: no lane leases from it. A queue has a handler: workers that
 * lease over HTTP (any number, in any language), or push: this server sends each task to an address
 * (hook/push.h). Queues that lanes serve (engines' names, "default", "batch") cannot be queues of
 * outside work. A worker sees and answers only tasks of its own project.
 *
 * The attempt is the ticket: an answer that names another attempt than the one that holds the task
 * is refused (ERR_CONFLICT), so of two workers that think they have it one can end it. The same
 * answer given twice is taken once and said to be fine both times.
 *
 * Threads: any; functions with tx run in a write function. */
#ifndef PLATEN_FLOW_OUTSIDE_H
#define PLATEN_FLOW_OUTSIDE_H

#include "flow/flow.h"

enum {
    OUTSIDE_LEASE_MAX = 100,     /* tasks per lease */
    OUTSIDE_LEASE_S = 30,        /* how long, when the worker does not say */
    OUTSIDE_LEASE_S_MAX = 43200, /* 12 h */
    OUTSIDE_WORKER_MAX = 64,     /* bytes of a worker's name */
    PUSH_CONCURRENCY_MAX = 32,   /* of one queue */
    PUSH_TIMEOUT_MAX_MS = 15 * 60 * 1000,
};

typedef struct OutsideLease {
    int64_t project;
    Str queue, worker; /* worker: what it calls itself, or "" */
    int max;
    int64_t lease_ms;
} OutsideLease;
/* Lease up to `max` due tasks. *due_ms: when the next delayed one is due, INT64_MAX when none is
 * known; only set when fewer than max came. ERR_CONFLICT: the queue's tasks are pushed. */
MUST_CHECK ErrCode flow_lease_outside_tx(DbConn *tx, const OutsideLease *l, Arena *a,
                                         TaskLease **out, size_t *len, int64_t *due_ms, Err *err);

/* The same for this server's own threads that hand tasks on (pushes, bridges): a restart takes their
 * leases back at once. l->worker must not begin with QUEUE_OUTSIDE. */
MUST_CHECK ErrCode flow_lease_handler_tx(DbConn *tx, const OutsideLease *l, Arena *a,
                                         TaskLease **out, size_t *len, int64_t *due_ms, Err *err);

/* A leased task as workers get it, over HTTP and pushed alike: one JSON object. */
MUST_CHECK ErrCode flow_put_task(DbConn *reader, const TaskLease *t, Str queue, Arena *a,
                                 JsonOut *j, Err *err);
/* "payload" of the task's parameters; NULL: none. */
const Json *flow_payload(const TaskLease *t, Arena *a);

/* What a worker answered: r as for flow_finish_tx, with code OK, ERR_TASK_FAILED or
 * ERR_TASK_REFUSED. ERR_NOT_FOUND: there is no such task in the project; ERR_CONFLICT: r->attempt
 * does not hold it (the lease ran out and another has it, the job was cancelled, it has ended). */
MUST_CHECK ErrCode flow_answer_tx(DbConn *tx, int64_t project, const TaskResult *r, Err *err);
/* A lease until until_ms, and how far the attempt is (total < 0: not said). Refuses like
 * flow_answer_tx. */
typedef struct OutsideLonger {
    int64_t project, task, attempt, until_ms, done, total;
    Str note;
} OutsideLonger;
MUST_CHECK ErrCode flow_longer_tx(DbConn *tx, const OutsideLonger *l, Err *err);

typedef enum HandlerKind { HANDLER_WORKERS, HANDLER_PUSH, HANDLER_BRIDGE } HandlerKind;
const char *handler_kind_name(HandlerKind k); /* "workers", "push", "bridge" */

typedef struct QueueHandler {
    int64_t project;
    Str queue;
    HandlerKind kind;
    Str url, secret;
    int64_t concurrency, timeout_ms, changed_ms;
} QueueHandler;
/* ERR_BAD_PARAM when the queue cannot be one of outside work. */
MUST_CHECK ErrCode flow_handler_put(Db *db, const QueueHandler *h, Err *err);
MUST_CHECK ErrCode flow_handler_put_tx(DbConn *tx, const QueueHandler *h, Err *err);
/* ERR_NOT_FOUND: the queue is none of outside work (yet). */
MUST_CHECK ErrCode flow_handler_get(DbConn *c, int64_t project, Str queue, Arena *a,
                                    QueueHandler *out, Err *err);
/* Those that push, of all projects. */
MUST_CHECK ErrCode flow_handlers_push(DbConn *reader, Arena *a, QueueHandler **out, size_t *len,
                                      Err *err);
/* A job that never gets a task: it is failed and a dead letter from the start, with this fault;
 * redriving it runs it. For what came in and cannot be worked on. */
MUST_CHECK ErrCode flow_add_dead_tx(DbConn *tx, int64_t id, const JobNew *n, const TaskFault *fault,
                                    Err *err);
/* Is it a queue of outside work, in any project? */
MUST_CHECK ErrCode flow_is_outside(DbConn *c, Str queue, bool *out, Err *err);

#endif

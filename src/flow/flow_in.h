/* flow_in.h: what the files of this folder share.
 *
 *   add.c     a job comes in
 *   run.c     attempts: leased, finished, lost
 *   change.c  cancel, retry, dead letters
 *   batch.c   jobs made of items
 *   job.c     reading jobs
 *   event.c   history: writing what must be stored, reading all of it
 *   happen.c  what of jobs goes into the project's feed
 *   hub.c     who listens
 *   schedule.c, schedule_fire.c, schedule_set.c   what starts by the clock
 *   outside.c work that is done outside: leased over HTTP, pushed
 *   offers.c  who waits for tasks of it
 *   hooks.c   whom to tell after a commit */
#ifndef PLATEN_FLOW_FLOW_IN_H
#define PLATEN_FLOW_FLOW_IN_H

#include "base/log.h"
#include "flow/flow.h"

/* Scratch memory of one write function that writes events. */
enum { FLOW_SCRATCH = 1 << 20, FLOW_DETAIL_MAX = 4096 };

typedef struct EventNew {
    int64_t project, job, seq;
    Event type;
    int64_t attempt;        /* 0: not said */
    const TaskFault *fault; /* NULL: not said */
    int64_t run_at_ms;      /* 0: not said */
    int64_t done, total;    /* of task.progress */
    Str note;
    int64_t item;   /* of job.item, step.*: the job that ended, or began */
    JobState state; /* of job.item, step.item: how */
    Str node;       /* of step.*: its id in the definition */
    int64_t place;  /* of step.item */
} EventNew;
/* Store one event. `scratch` is given back. */
MUST_CHECK ErrCode flow_event_add(DbConn *tx, const EventNew *e, Arena *scratch, Err *err);

/* hooks.c: told after the commit. */
MUST_CHECK ErrCode flow_tell_news(DbConn *tx, int64_t project, int64_t job, Err *err);
MUST_CHECK ErrCode flow_tell_ready(DbConn *tx, Str queue, int64_t run_at_ms, Err *err);
MUST_CHECK ErrCode flow_tell_due(DbConn *tx, int64_t due_ms, Err *err);
MUST_CHECK ErrCode flow_tell_cancel(DbConn *tx, int64_t task, int64_t attempt, Err *err);

/* run.c: tasks were leased: read what was asked, write their starts. */
MUST_CHECK ErrCode flow_begin(DbConn *tx, TaskLease *leases, size_t len, Arena *a, Err *err);

/* outside.c: a task of outside work comes into `queue`: ERR_BAD_PARAM when the name is not one for
 * it. */
MUST_CHECK ErrCode flow_admit_outside(DbConn *tx, const JobNew *n, Str queue, Err *err);

/* job_end: the job has ended with its last task `t`. events: how many more than t->seq there are
 * now. */
typedef struct JobEnd {
    JobState state;
    int64_t events, finished_ms;
    const TaskFault *fault; /* NULL when done */
    Str data;
    bool quiet; /* it ends within the change that made it: who made it knows */
} JobEnd;
/* Files and usage must be there: the end of an item may make further items of its files. */
MUST_CHECK ErrCode flow_end_job(DbConn *tx, const TaskChanged *t, const JobEnd *end, Err *err);

/* happen.c: the end of a job that somebody started (not of an item); a task that died. */
MUST_CHECK ErrCode flow_feed_end(DbConn *tx, const TaskChanged *t, const JobEnd *end, Err *err);
MUST_CHECK ErrCode flow_feed_dead(DbConn *tx, const TaskChanged *t, Str step, const TaskFault *f,
                                  Arena *a, Err *err);

/* Whose child a job is. */
typedef struct JobKin {
    int64_t parent; /* batch or pipeline's job; 0: nobody's */
    int64_t place;  /* item of a batch, from 1; item of a node, from 0 */
    int64_t node;   /* of the pipeline; -1: none */
    Str memo;       /* what its result can be found by, once it is done; "": not */
    int64_t reused; /* the job whose result it took; 0: none */
} JobKin;
/* add.c: job and task. kin: NULL when it is nobody's child. */
MUST_CHECK ErrCode flow_add_one(DbConn *tx, int64_t id, const JobNew *n, const JobKin *kin,
                                Err *err);
/* add.c: without a task: the caller ends it at once. */
MUST_CHECK ErrCode flow_add_taskless(DbConn *tx, int64_t id, const JobNew *n, const JobKin *kin,
                                     Err *err);
/* add.c: only the job's row, its files and its idempotency key. */
MUST_CHECK ErrCode flow_add_ask(DbConn *tx, int64_t id, const JobNew *n, bool batch, Err *err);
/* add.c: the files of n->inputs, named by the project from now on. */
MUST_CHECK ErrCode flow_add_inputs(DbConn *tx, int64_t id, const JobNew *n, Err *err);
/* add.c: from now on the idempotency key stands for job id. */
MUST_CHECK ErrCode flow_add_key(DbConn *tx, int64_t id, const JobNew *n, Err *err);
/* add.c: *out when the idempotency key is known; out->existed tells. */
MUST_CHECK ErrCode flow_known_key(DbConn *tx, const JobNew *n, JobAdded *out, Err *err);

/* job.c: items of a batch, or children of a node (-1: a batch's), as flow_items. */
MUST_CHECK ErrCode flow_items_by(DbConn *reader, int64_t project, int64_t parent, int node,
                                 int state, int64_t after, int limit, Arena *a, Job **out,
                                 size_t *len, bool *more, Err *err);

/* batch.c: what the batch `parent` must know of its item: it ended; it is to run again. */
MUST_CHECK ErrCode flow_item_ended(DbConn *tx, int64_t parent, int64_t item, JobState state,
                                   Err *err);
MUST_CHECK ErrCode flow_item_again(DbConn *tx, int64_t batch, int64_t project, Arena *a, Err *err);
/* Items that live, or that did not succeed. */
MUST_CHECK ErrCode flow_item_ids(DbConn *tx, const Query *which, int64_t batch, Arena *a,
                                 int64_t **out, size_t *len, Err *err);

/* change.c: the end of a job that is taken back. */
typedef struct Ended {
    int64_t attempts, seq, started_ms;
    bool found;
} Ended;
MUST_CHECK ErrCode flow_take_end(DbConn *tx, int64_t project, int64_t job, bool batch, Ended *out,
                                 Err *err);

#endif

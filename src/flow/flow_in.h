/* flow_in.h: what the files of this folder share.
 *
 *   add.c     a job comes in
 *   late.c    deadlines, and other times of tasks
 *   option.c  what few jobs ask for: keys, deadlines; what their ends give up
 *   run.c     attempts: leased, finished, lost
 *   change.c  cancel, retry, dead letters
 *   params.c  parameters with secrets: sealed
 *   batch.c   jobs made of items
 *   batch_flow.c   items that are jobs of a pipeline
 *   bulk.c    one verb for many jobs; settings of queues
 *   retain.c  old jobs go
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
/* A queue that was full has room; a queue has so many runners. */
MUST_CHECK ErrCode flow_tell_room(DbConn *tx, int64_t queue_hash, Err *err);
MUST_CHECK ErrCode flow_tell_runners(DbConn *tx, Str queue, int64_t runners, Err *err);

/* option.c */
MUST_CHECK ErrCode flow_check_options(const JobNew *n, Err *err);
/* Store what the job asks for beyond the usual; *flags: of its task. One comparison when that is
 * nothing. */
MUST_CHECK ErrCode flow_add_options(DbConn *tx, int64_t id, const JobNew *n, int64_t now_ms,
                                    int64_t *flags, Err *err);
/* The same for the job of a batch, whose task is there already. */
MUST_CHECK ErrCode flow_batch_options(DbConn *tx, int64_t id, const JobNew *n, Err *err);
/* It runs again, its task is there already. */
MUST_CHECK ErrCode flow_batch_options_again(DbConn *tx, int64_t project, int64_t batch, Err *err);
/* *out when a live job has the unique key; out->existed tells. */
MUST_CHECK ErrCode flow_known_unique(DbConn *tx, const JobNew *n, JobAdded *out, Err *err);
/* An ended job is to run again: with `take` its unique key is taken again. ERR_CONFLICT, with nothing
 * changed, when another live job has it. *slots, *flags: for its new task. */
MUST_CHECK ErrCode flow_options_again(DbConn *tx, int64_t project, int64_t job, bool take,
                                      int64_t *slots, int64_t *flags, Err *err);
/* The task has ended: its slot and its unique key are free, and who waits for the slot goes on. For
 * flow_end_job, when t->flags or t->poke is not 0. */
MUST_CHECK ErrCode flow_let_go(DbConn *tx, const TaskChanged *t, Err *err);
/* Base of the job's backoff, 0: the usual. */
MUST_CHECK ErrCode flow_retry_base(DbConn *tx, int64_t job, int64_t *base_ms, Err *err);
/* The task of a job of many got the slot it waited for, and is in state 'waiting' now. */
MUST_CHECK ErrCode flow_slot_granted(DbConn *tx, int64_t project, int64_t job, Err *err);

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
/* Somebody of the role `who` is asked to approve the node. */
MUST_CHECK ErrCode flow_feed_approval(DbConn *tx, int64_t project, int64_t job, Str node, Str who,
                                      Arena *a, Err *err);
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

/* params.c: what is stored, and what was. *a: opened when there is something to seal; the caller closes
 * it when the row is written. A text that does not open stays as it is: seal_is tells. */
MUST_CHECK ErrCode flow_params_seal(DbConn *tx, const JobNew *n, Arena **a, Str *out, Err *err);
MUST_CHECK ErrCode flow_params_open(DbConn *c, int64_t project, Arena *a, Str *params, Err *err);
/* job.c: items of a batch, or children of a node (-1: a batch's), as flow_items. */
MUST_CHECK ErrCode flow_items_by(DbConn *reader, int64_t project, int64_t parent, int node,
                                 int state, int64_t after, int limit, Arena *a, Job **out,
                                 size_t *len, bool *more, Err *err);

/* batch.c: what the batch `parent` must know of its item: it ended; it is to run again. */
MUST_CHECK ErrCode flow_item_ended(DbConn *tx, int64_t parent, int64_t item, JobState state,
                                   Err *err);
MUST_CHECK ErrCode flow_item_again(DbConn *tx, int64_t batch, int64_t project, Arena *a, Err *err);
/* Only the counting: *alive is false when the batch has ended with it, or before. */
MUST_CHECK ErrCode flow_item_counted(DbConn *tx, int64_t batch, int64_t item, JobState state,
                                     bool *alive, Err *err);
/* One item more, of the step of `like`; the task of a batch with so many items. */
MUST_CHECK ErrCode flow_batch_add_item(DbConn *tx, const JobNew *like, int64_t batch, int64_t place,
                                       const JobFile *file, Err *err);
MUST_CHECK ErrCode flow_batch_add_task(DbConn *tx, int64_t batch, int64_t project, int64_t items,
                                       Err *err);

/* batch_flow.c: what an archive gave becomes jobs of the batch's pipeline, held, from place
 * `after` + 1 on. */
typedef struct BatchRuns {
    const JobNew *ask; /* the batch's; params: its inputs, with {"each": true} in them */
    int64_t pipeline, version;
    bool no_memo;
} BatchRuns;
MUST_CHECK ErrCode flow_batch_add_runs(DbConn *tx, int64_t batch, const BatchRuns *n,
                                       const JobFile *files, size_t len, int64_t after, Err *err);
/* batch_flow.c: up to `room` of the items that are held begin; or as many as the batch lets run. */
MUST_CHECK ErrCode flow_batch_begin(DbConn *tx, int64_t batch, int64_t room, Err *err);
MUST_CHECK ErrCode flow_batch_fill(DbConn *tx, int64_t batch, Err *err);
/* Items that live, or that did not succeed. */
MUST_CHECK ErrCode flow_item_ids(DbConn *tx, const Query *which, int64_t batch, Arena *a,
                                 int64_t **out, size_t *len, Err *err);

/* change.c: the job and all its children end: cancelled, or the job itself fails because of `why`
 * (and its children are cancelled). *found: it was alive. */
MUST_CHECK ErrCode flow_stop_tx(DbConn *tx, int64_t project, int64_t job, ErrCode why, bool *found,
                                Err *err);
/* change.c: a job that failed or was cancelled runs again. ERR_CONFLICT, with nothing changed, when
 * another job has its unique key. */
MUST_CHECK ErrCode flow_again_tx(DbConn *tx, int64_t project, int64_t job, bool *found, Err *err);

/* retain.c: an ended job and its children go, with all that is theirs but their usage. *gone is
 * false when there were too many for one write: call it again. */
MUST_CHECK ErrCode flow_delete_tx(DbConn *tx, int64_t project, int64_t job, bool *gone, Err *err);
/* An ended job is due to go; it gets another timer when it may not yet. */
MUST_CHECK ErrCode flow_retire_tx(DbConn *tx, int64_t job, int64_t now_ms, Err *err);
/* A retention was changed: look at all jobs again. */
MUST_CHECK ErrCode flow_retain_anew(DbConn *tx, Err *err);
/* A number of the installation by its key; 0: there is none. */
MUST_CHECK ErrCode flow_meta_get(DbConn *c, const char *key, int64_t *out, Err *err);

/* change.c: the end of a job that is taken back. */
typedef struct Ended {
    int64_t attempts, seq, started_ms;
    bool found;
} Ended;
MUST_CHECK ErrCode flow_take_end(DbConn *tx, int64_t project, int64_t job, bool batch, Ended *out,
                                 Err *err);

#endif

/* flow_in.h: what the files of this folder share.
 *
 *   add.c     a job comes in
 *   run.c     attempts: leased, finished, lost
 *   change.c  cancel, retry, dead letters
 *   job.c     reading jobs
 *   event.c   history: writing what must be stored, reading all of it
 *   hub.c     who listens
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
} EventNew;
/* Store one event. `scratch` is given back. */
MUST_CHECK ErrCode flow_event_add(DbConn *tx, const EventNew *e, Arena *scratch, Err *err);

/* hooks.c: told after the commit. */
MUST_CHECK ErrCode flow_tell_news(DbConn *tx, int64_t project, int64_t job, Err *err);
MUST_CHECK ErrCode flow_tell_ready(DbConn *tx, Str queue, int64_t run_at_ms, Err *err);
MUST_CHECK ErrCode flow_tell_cancel(DbConn *tx, int64_t task, int64_t attempt, Err *err);

/* job_end: the job has ended with its last task `t`. events: how many more than t->seq there are
 * now. */
typedef struct JobEnd {
    JobState state;
    int64_t events, finished_ms;
    const TaskFault *fault; /* NULL when done */
    Str data;
} JobEnd;
MUST_CHECK ErrCode flow_end_job(DbConn *tx, const TaskChanged *t, const JobEnd *end, Err *err);

#endif

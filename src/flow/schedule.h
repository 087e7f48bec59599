/* schedule.h: steps and pipelines that start by the clock.
 *
 *   schedule_put ──► next_ms ──its time comes: schedule_fire_due──► job (or none) and the next next_ms
 *                      ▲                                                │
 *                      └────────────────────────────────────────────────┘
 *
 * Exactly once: the jobs of a time and the move of next_ms are one transaction, and next_ms only
 * moves on. A process that dies in between has done neither; a clock that is set back does not bring
 * a time again that is done. (After a clock that was wrong by more than a day, pause and resume: the
 * next time is then counted from now.)
 *
 * Missed: times that came while no server ran, or that the clock jumped over. More than
 * SCHEDULE_LATE_MS late they are left out (skip), made up by one job for all of them (once), or each
 * by one (all; the newest SCHEDULE_MAKE_UP_MAX). Up to SCHEDULE_LATE_MS late a time counts as on
 * time; of several such, skip and once start one job.
 *
 * Overlap: what happens when the job before has not ended: start another (allow), none (skip), one
 * that waits for it (queue, by a concurrency key of the schedule), or cancel the one before
 * (cancel).
 *
 * Jitter: up to that much later, at random, as the job's delay. Times of a schedule that is paused
 * are not made up. Every firing is a row of the feed: schedule.fired {schedule, time, made_up}, or
 * schedule.skipped {schedule, time, reason}.
 *
 * Threads: any; functions with tx run in a write function. The clock is an argument, so tests have
 * their own. Times are ms since 1970, UTC. */
#ifndef PLATEN_FLOW_SCHEDULE_H
#define PLATEN_FLOW_SCHEDULE_H

#include "flow/flow.h"
#include "queue/cron.h"

enum {
    SCHEDULES_MAX = 1000, /* per project */
    SCHEDULE_NAME_MAX = 64,
    SCHEDULE_MAKE_UP_MAX = 100,
    SCHEDULE_LATE_MS = 60 * 1000,
    SCHEDULE_PARAMS_MAX = 64 * 1024,
};

typedef enum Missed { MISSED_SKIP, MISSED_ONCE, MISSED_ALL, MISSED_COUNT } Missed;
typedef enum Overlap {
    OVERLAP_ALLOW,
    OVERLAP_SKIP,
    OVERLAP_QUEUE,
    OVERLAP_CANCEL,
    OVERLAP_COUNT
} Overlap;
const char *missed_name(Missed m);
const char *overlap_name(Overlap o);
Missed missed_from(Str name);   /* MISSED_COUNT: unknown */
Overlap overlap_from(Str name); /* OVERLAP_COUNT: unknown */

typedef struct ScheduleSpec {
    Str name;           /* a-z 0-9 - _ . ; unique in the project */
    Str cron;           /* cron.h; every 90 s is "@every 90s" */
    Str zone;           /* "": UTC */
    Str step, pipeline; /* one of them */
    Str params;         /* canonical JSON of the step's parameters, or of the pipeline's inputs */
    Str queue;          /* "": the step's own; of a pipeline: must be "" */
    int64_t priority, attempts, timeout_ms; /* as JobNew; attempts: of a step only */
    int64_t jitter_ms, start_ms, end_ms;    /* start, end: first and last moment; 0: open */
    Missed missed;
    Overlap overlap;
    bool paused;
} ScheduleSpec;

typedef struct Schedule {
    int64_t id, project, key;
    ScheduleSpec spec;
    Str pipeline_of; /* the pipeline that declares it; "": somebody made it */
    int64_t created_ms, changed_ms;
    int64_t next_ms; /* 0: never again, or paused */
    int64_t last_ms, last_fired_ms,
        last_job; /* the last time that is done; when and what it gave */
    int64_t fired, skipped, last_skip_ms;
    Str skip_reason;
} Schedule;

/* Everything that can be wrong with it without the parameters, which the caller has checked.
 * ERR_BAD_PARAM (param), ERR_UNKNOWN_STEP. */
MUST_CHECK ErrCode schedule_check(const ScheduleSpec *s, const Registry *r, Err *err);

/* Up to `max` times after after_ms (from start_ms to end_ms), into `out`. */
MUST_CHECK ErrCode schedule_preview(const ScheduleSpec *s, int64_t created_ms, int64_t after_ms,
                                    int64_t *out, size_t max, size_t *len, Err *err);

/* Make it; with `replace` also change the one of this name. ERR_CONFLICT: the name is taken, or a
 * pipeline declares the one of this name. ERR_LIMIT_COUNT. */
MUST_CHECK ErrCode schedule_put(Db *db, const Registry *r, int64_t project, int64_t key,
                                const ScheduleSpec *s, bool replace, int64_t now_ms, bool *made,
                                Err *err);
/* ERR_NOT_FOUND. */
MUST_CHECK ErrCode schedule_get(DbConn *reader, int64_t project, Str name, Arena *a, Schedule *out,
                                Err *err);
MUST_CHECK ErrCode schedule_list(DbConn *reader, int64_t project, Arena *a, Schedule **out,
                                 size_t *len, Err *err);
/* ERR_NOT_FOUND; ERR_CONFLICT: a pipeline declares it. Its jobs go on. */
MUST_CHECK ErrCode schedule_delete(Db *db, int64_t project, Str name, Err *err);
/* ERR_NOT_FOUND. Nothing happens when it is so already. */
MUST_CHECK ErrCode schedule_pause(Db *db, int64_t project, Str name, bool paused, int64_t now_ms,
                                  Err *err);
/* Start its job now, paused or not; its times stay as they are. ERR_CONFLICT: the one before has not
 * ended, and overlap is skip. */
MUST_CHECK ErrCode schedule_run(Db *db, const Registry *r, int64_t project, Str name, Str trace,
                                Str idempotency_key, int64_t now_ms, JobAdded *out, Err *err);
/* The clock on the wall at `ms`, in words of RFC 3339 with the zone's offset. */
MUST_CHECK ErrCode schedule_local(Str zone, const int64_t *ms, size_t len, Arena *a, Str *out,
                                  Err *err);

/* Do all times that have come at now_ms: *fired jobs were started. *next_ms: when the next is due;
 * INT64_MAX: nothing is. */
MUST_CHECK ErrCode schedule_fire_due(Db *db, const Registry *r, int64_t now_ms, int64_t *fired,
                                     int64_t *next_ms, Err *err);

/* A version of `pipeline` was stored (or, with len 0, it was deleted): from now on it has these
 * schedules and no others. Their names and targets are made here ("NAME" or "NAME.2" …); those that
 * stay as they were keep their history and their next time, and stay paused when they are. */
MUST_CHECK ErrCode schedule_set_for_pipeline_tx(DbConn *tx, const Registry *r, int64_t project,
                                                int64_t key, Str pipeline,
                                                const ScheduleSpec *specs, size_t len,
                                                int64_t now_ms, Err *err);

/* What is to be done at now_ms. Pure; for tests. */
typedef struct Firing {
    int64_t times[SCHEDULE_MAKE_UP_MAX]; /* each is to start a job */
    size_t len;
    int64_t left_out, last_ms, next_ms; /* next_ms: INT64_MAX: never again */
} Firing;
void schedule_plan(const Schedule *s, const Cron *c, const Zone *z, int64_t now_ms, Firing *out);

#endif

/* work.h: the dispatcher: leases tasks, runs them, and records their ends.
 *
 * Every queue with live tasks has a lane: a thread or two that lease and record, and runners that
 * are started as needed.
 *
 *                    one write: record the last batch + lease the next
 *         ┌───────────────────────────────────────────────────────────────┐
 *         ▼                                                               │
 *   leaser ──quick steps──► run here, one after the other ──results───────┤
 *         └──other steps──► todo ──► runner: engine_run, or a slow built-in step ──results──► (next
 * write)
 *
 * Quick: a built-in step that takes no file and sets no time limit of its own. It costs about a
 * microsecond, so a batch of up to 512 shares two syncs. Everything else waits for a runner
 * (threads per lane: twice the number of cores, as a task also waits for its output to be on disk);
 * a lane leases at most twice as many as it has runners, except "default", whose quick tasks must
 * not wait behind slow ones.
 *
 * A leaser sleeps until a task becomes ready (flow's hook, after the commit), a delayed one is due,
 * or a runner has ended one: nobody polls. One keeper thread makes all leases longer with one
 * write, sets the flag of those that were lost, expires leases of workers that vanished, starts
 * lanes for queues it has not seen, and forgets old idempotency keys.
 *
 * With `schedules` another thread sleeps until the next schedule is due and starts its jobs.
 *
 * Cancel: the task's flag is set at once; an engine is killed, a built-in step sees step_canceled.
 * Its result is dropped. Stop: work_drain leases nothing more, lets running work end, then cancels
 * it and gives it back: no attempt is used up. If results cannot be written (disk full) they are
 * kept and tried again; when the process ends before that, their leases expire at the next start
 * and the tasks run again.
 *
 * Queues of outside work (flow/outside.h) have no lane: who waits for their tasks is told through the
 * offers, and only the keeper has to do with their leases.
 *
 * The command line does the same in its own process: db_open with fast_and_loose, work_open,
 * flow_add, hub_wait.
 *
 * Locks: Lane.lock and Work.lock are never held together, nor while calling the database.
 * Threads: open, drain and close from one thread; stats from any. */
#ifndef PLATEN_WORK_WORK_H
#define PLATEN_WORK_WORK_H

#include "blob/blob.h"
#include "engine/engine.h"
#include "flow/hub.h"
#include "flow/pipeline.h"
#include "flow/offers.h"
#include "work/figures.h"

typedef struct Work Work;

typedef struct WorkOptions {
    Db *db;
    const Registry *registry;
    BlobStore *blobs;                /* NULL: steps with files fail */
    EnginePool *engines;             /* NULL: steps of engines fail with engine_missing */
    Hub *hub;                        /* told of news; NULL: nobody listens */
    Offers *offers;                  /* told of tasks that outside workers do; NULL: nobody */
    int runners;                     /* threads per lane; 0: twice the number of cores */
    int64_t lease_ms;                /* 0: 60 s */
    const char *worker;              /* name in the lease, at most 31 characters; NULL: "local" */
    bool paused;                     /* lease nothing: for a server that only accepts */
    bool schedules;                  /* start what is due by the clock (flow/schedule.h) */
    const BuiltInPipeline *built_in; /* pipelines that come with platen; NULL: none */
    const char *public_url;          /* where callbacks reach this server; NULL: unknown */
    /* FlowHooks.stored: whoever keeps triggers; NULL: nobody. */
    ErrCode (*stored)(void *stored_ctx, DbConn *tx, int64_t project, int64_t key, Str pipeline,
                      Str definition, Err *err);
    void *stored_ctx;
} WorkOptions;

/* Expire every lease left by an earlier process, set flow's hooks, start the lanes. All that `o`
 * names must outlive it. */
MUST_CHECK ErrCode work_open(const WorkOptions *o, Work **out, Err *err);
/* Stop in order: at most grace_ms for what runs, then it is cancelled and given back. Work that
 * only waits is given back at once. */
void work_drain(Work *w, int64_t grace_ms);
/* Does a lane serve the queue? Then it is none of outside work. */
bool work_serves(Work *w, Str queue);
/* An outside lease ends at end_ms: look for it then, if that is before the next look. */
void work_lease_ends(Work *w, int64_t end_ms);
/* Drains with no grace if work_drain was not called. Afterwards flow has no hooks. */
void work_close(Work **w);

typedef struct WorkStats {
    int64_t leased, done, failed, dropped, given_back, lost; /* attempts since the start */
    int64_t running, waiting; /* now: with a runner; leased, waiting for one */
    int64_t lanes, runners;
} WorkStats;
WorkStats work_stats(Work *w);
/* What the queues did lately; lives as long as `w`. */
Figures *work_figures(Work *w);

#endif

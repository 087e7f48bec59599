/* flow.h: jobs: one execution of a step, or of a pipeline (pipeline.h).
 *
 *                 flow_add            a task is leased            its last task is done
 *   (nothing) --------------> QUEUED ------------------> RUNNING ---------------------> DONE
 *                             |  |  ^                     |  | |
 *                             |  |  |   attempt failed,   |  | | attempts used up, or the
 *                             |  |  +-- another follows --+  | | reason is "never"
 *                             |  |                           | +--------------------------> FAILED
 *                             |  +-- start_too_late,         +-- deadline_passed ---------> FAILED
 *                             |      deadline_passed ------------------------------------> FAILED
 *                             +----- flow_cancel (also while RUNNING) ------------------> CANCELED
 *
 *   FAILED, CANCELED -- flow_retry --> QUEUED         ended -- flow_retain, BULK_DELETE --> (nothing)
 *
 * A queued job waits for a worker, for its time, for a slot of its concurrency key (queue/queue.h),
 * or because its queue is paused.
 *
 * A job of one step has one task, which carries the job's id. All of a change (job, task, events,
 * dead letter, usage) is one transaction, so history never disagrees with state. Events are
 * numbered per job from 1 without gaps; flow/hub.h wakes who listens after the commit.
 *
 * What is stored (sql/schema/0002_jobs.sql): `job` is what was asked and never changes, `task` is
 * what is alive, `job_end` how it ended. The state is read from them: an end says how; a leased
 * task means running; else queued. Events that these rows tell already are not stored again: a job
 * that goes the regular way (added, started, done at the first attempt) has four events and no row
 * for them. Measured on the writer (bench/queue_moves): add 5.2, lease 4.3 and finish 4.0 us of CPU
 * per job with 1 KB of parameters; four rows more would cost another 6.
 *
 * Attempts go on counting when a job is retried or given back: an attempt number never comes twice,
 * so a late result cannot be taken for a newer one's, and usage is never recorded twice.
 * max_attempts rises instead.
 *
 * Threads: any. Functions that take a DbConn *tx run inside a write function; those that take a
 * reader say so. */
#ifndef PLATEN_FLOW_FLOW_H
#define PLATEN_FLOW_FLOW_H

#include "core/registry.h"
#include "db/db.h"
#include "feed/feed.h"
#include "queue/queue.h"

typedef enum JobState {
    JOB_QUEUED,
    JOB_RUNNING,
    JOB_DONE,
    JOB_FAILED,
    JOB_CANCELED,
    JOB_STATE_COUNT
} JobState;
const char *job_state_name(JobState s); /* "queued" … "canceled" */
JobState job_state_from(Str name);      /* JOB_STATE_COUNT when unknown */

/* A file that goes into or came out of a job. */
typedef struct JobFile {
    Str name, type, hash;
    int64_t size_bytes;
} JobFile;

typedef struct JobNew {
    int64_t project, key; /* who asks */
    const Step *step;
    Str params; /* canonical JSON; stored sealed when the step's table marks one of them secret */
    bool secret_params; /* seal them in any case */
    const JobFile *inputs;
    size_t inputs_len;
    Str queue;        /* "" : the step's own (its engine's name, or "default") */
    int64_t priority; /* -100 … 100, higher first */
    int64_t delay_ms;
    int64_t attempts;          /* 0: the step's default */
    int64_t timeout_ms;        /* of one attempt; 0: the step's limit */
    Str concurrency_key;       /* at most concurrency_limit jobs of it are ready or run; "": none */
    int64_t concurrency_limit; /* 0: 1 */
    Str unique_key;            /* while a live job of the project has it, adding gives that job */
    int64_t start_within_ms;   /* else it fails with start_too_late; 0: whenever */
    int64_t deadline_ms;       /* from now: else it is stopped, deadline_passed; 0: none */
    int64_t retry_ms;          /* before the second attempt, then doubled; 0: a second */
    Str idempotency_key;       /* "": none */
    Str request_hash;          /* hex; what the idempotency key stands for */
    Str trace;
    Str callback_url; /* told at its end (hook/webhook.h); "": nobody. Checked by the caller */
} JobNew;

typedef struct JobAdded {
    int64_t job;
    bool existed; /* the idempotency key, or the unique key, was known: `job` is the earlier one,
                     nothing was added */
} JobAdded;

/* What flow_add_tx would refuse, without a database: ERR_BAD_PARAM for priority, attempts, delay,
 * queue name. */
MUST_CHECK ErrCode flow_check(const JobNew *n, Err *err);
/* In a write function. ERR_IDEMPOTENCY_MISMATCH when the key came with another request_hash,
 * ERR_QUEUE_DRAINING when the queue takes nothing new; nothing was changed then. `id` is the id to use (id_new, made by the caller once, so that running
 * again gives the same); its time is the job's created_ms. The caller has checked that the project
 * may see the inputs; from here on it names them, so backups hold them and the sweep keeps them. */
MUST_CHECK ErrCode flow_add_tx(DbConn *tx, int64_t id, const JobNew *n, JobAdded *out, Err *err);
/* In a write function: the job's end is told at `url` (checked by the caller; hook/webhook.h). */
MUST_CHECK ErrCode flow_callback_tx(DbConn *tx, int64_t project, int64_t job, Str url, Err *err);
/* flow_add_tx as one write. */
MUST_CHECK ErrCode flow_add(Db *db, const JobNew *n, JobAdded *out, Err *err);

/* Many jobs of one project in one write: job i gets id_nth(first, i) (id_new_block). Each has passed
 * flow_check. The idempotency key of the first stands for all; when it is known out->job is the
 * first of the earlier ones. */
enum { FLOW_ADD_MAX = 1000 };
MUST_CHECK ErrCode flow_add_many_tx(DbConn *tx, int64_t first, const JobNew *jobs, size_t len,
                                    JobAdded *out, Err *err);

/* A batch: one job, many files. Its step is done to each file by a job of its own, an item; the
 * batch runs while items run and ends with the last of them:
 *
 *   flow_add_batch_tx --> RUNNING (its task waits) --every item done--> DONE
 *                            |   ^                 \--some not--------> FAILED, items_failed
 *                            |   +--- flow_retry of the batch, or of an item: those items again
 *                            +--- flow_cancel: all items that live
 *
 * Items are ordinary jobs (parent, place): they have attempts, events, outputs, dead letters. They
 * are listed by flow_items and not by flow_list. An input that is to be unpacked first becomes an
 * item of the step `unpack`; each file that comes out becomes a further item in the transaction that
 * ends it. The end of an item is an event of the batch (job.item). */
typedef struct BatchNew {
    JobNew job;          /* step, params and inputs: what is done to what */
    const Step *unpack;  /* archive.extract; NULL: no input is an archive */
    Str unpack_params;   /* canonical */
    const bool *archive; /* per input: unpack it first; NULL: none */
} BatchNew;
enum { BATCH_ITEMS_MAX = 10000 };
/* As flow_add_tx. ERR_LIMIT_COUNT above BATCH_ITEMS_MAX, ERR_INPUT_MISSING without an input. */
MUST_CHECK ErrCode flow_add_batch_tx(DbConn *tx, int64_t id, const BatchNew *n, JobAdded *out,
                                     Err *err);

typedef struct BatchCounts {
    int64_t queued, running, done, failed, canceled, total;
    int64_t archives; /* of a batch that is only described: files that will be unpacked */
} BatchCounts;
MUST_CHECK ErrCode flow_batch_counts(DbConn *reader, int64_t batch, BatchCounts *out, Err *err);

typedef struct Job {
    int64_t id, project, key;
    bool batch;            /* its work is done by items */
    int64_t parent, place; /* of an item: its batch, and where in it, from 1 */
    Str step, queue, params, trace;
    JobState state;
    int64_t priority, attempts, max_attempts;
    int64_t created_ms, started_ms, finished_ms, run_at_ms; /* 0: not yet */
    int64_t progress_done, progress_total;
    int64_t events;           /* number of its last event */
    Str reason, detail, hint; /* of the failure, or of the last attempt that failed */
    Str data;                 /* result, JSON object; "" before */
    BatchCounts items;        /* of a batch; flow_get only */
    Str pipeline;             /* of a pipeline's job: its name; step is "flow.run" then */
    int64_t pipeline_version, origin, reused; /* origin: the job it replays; reused: of a child, the
                                                 job whose result it took; 0: none */
    int64_t node;                             /* of a child: its node in the definition; -1: none */
    bool paused, blocked;                     /* blocked: others of its concurrency key run */
    const struct NodeView *waits; /* of a pipeline's job: set by who has read them (flow_nodes) */
    size_t waits_len;
    Str input;   /* name of its first input file; "": none */
    Str trigger; /* of a pipeline's job: what started it, JSON; flow_get only; "": a person */
    const struct JobUsage *usage; /* set by who has read it (flow_usage) */
    size_t usage_len;
    JobFile *inputs, *outputs;
    size_t inputs_len, outputs_len;
} Job;

/* The queue of a step when the caller names none: its engine's name, or "default". */
Str flow_queue_of(const Step *step);
/* The same for a step with these canonical parameters: of outside work the queue they name. */
Str flow_queue_for(const Step *step, Str params);
/* ERR_BAD_PARAM about `param`: the name is empty or not one of a queue. */
MUST_CHECK ErrCode flow_check_queue(Str name, const char *param, Err *err);
/* How often a new job is tried: what was asked, else the step's number, else the default. */
int64_t flow_attempts_of(const JobNew *n);

/* Read one job of the project, all memory from `a`. ERR_NOT_FOUND. */
MUST_CHECK ErrCode flow_get(DbConn *reader, int64_t project, int64_t job, Arena *a, Job *out,
                            Err *err);

/* Only how it stands, and the number of its last event: needs no memory, however many files the job
 * has. ERR_NOT_FOUND. */
typedef struct JobStand {
    JobState state;
    int64_t events;
} JobStand;
MUST_CHECK ErrCode flow_stand(DbConn *reader, int64_t project, int64_t job, JobStand *out,
                              Err *err);

/* The inputs or the outputs of a job, in order. */
MUST_CHECK ErrCode flow_files(DbConn *reader, int64_t job, bool outputs, Arena *a, JobFile **out,
                              size_t *len, Err *err);

enum { FLOW_LIST_MAX = 200 };
typedef struct JobFilter {
    int64_t project;
    unsigned states;            /* bits: 1 << JobState; 0: any */
    Str step, queue;            /* "": any */
    Str pipeline;               /* "": any; jobs of this pipeline, whatever `step` says */
    int64_t key;                /* jobs that this key asked for; 0: any */
    int64_t from, before;       /* from <= id < before; 0: open */
    int64_t since_ms, until_ms; /* created at or after, and before; 0: open */
    bool batches;               /* only batches, of any step or pipeline */
    int limit;                  /* 1 … FLOW_LIST_MAX */
} JobFilter;
/* Newest first, without files. *more: there are further ones. */
MUST_CHECK ErrCode flow_list(DbConn *reader, const JobFilter *f, Arena *a, Job **out, size_t *len,
                             bool *more, Err *err);

/* What a job and all below it have used, by unit. */
MUST_CHECK ErrCode flow_usage(DbConn *reader, int64_t project, int64_t job, Arena *a,
                              struct JobUsage **out, size_t *len, Err *err);

/* Items of a batch of the project after item `after` (0: from the first), with their files.
 * state: JobState, or -1: any. */
MUST_CHECK ErrCode flow_items(DbConn *reader, int64_t project, int64_t batch, int state,
                              int64_t after, int limit, Arena *a, Job **out, size_t *len,
                              bool *more, Err *err);
/* What a job gave, of a batch what its items gave, in their order; at most BATCH_ITEMS_MAX. */
MUST_CHECK ErrCode flow_outputs(DbConn *reader, const Job *job, Arena *a, JobFile **out,
                                size_t *len, Err *err);

/* What the items of a batch that are done gave: one row for each of their outputs, at least one for
 * each item, in their order. file.hash is "" when it is an item without outputs. */
typedef struct ItemResult {
    int64_t item;
    Str input; /* the name of its first file */
    JobFile file;
} ItemResult;
MUST_CHECK ErrCode flow_item_results(DbConn *reader, int64_t batch, Arena *a, ItemResult **out,
                                     size_t *len, Err *err);
/* The data of an ended job: JSON; "": there is none. */
MUST_CHECK ErrCode flow_data(DbConn *reader, int64_t job, Arena *a, Str *out, Err *err);

/* ERR_NOT_FOUND; ERR_CONFLICT when the job has ended (cancel) or has not failed (retry). */
MUST_CHECK ErrCode flow_cancel(Db *db, int64_t project, int64_t job, Err *err);
MUST_CHECK ErrCode flow_retry(Db *db, int64_t project, int64_t job, Err *err);
/* In a write function; what is refused has changed nothing. */
MUST_CHECK ErrCode flow_cancel_tx(DbConn *tx, int64_t project, int64_t job, Err *err);

/* Many at once: found by a filter, changed in writes of at most 500. What changes its state meanwhile
 * is passed over. *count: how many were changed, or would be (dry_run). */
typedef enum BulkVerb {
    BULK_CANCEL, /* those that live */
    BULK_RETRY,  /* those that failed or were cancelled, and dead letters */
    BULK_DELETE, /* those that have ended, with their children, events and files */
    BULK_FORGET, /* dead letters alone: their jobs stay failed */
} BulkVerb;
typedef struct BulkFilter {
    int64_t project;    /* 0: any (only of live jobs) */
    unsigned states;    /* bits: 1 << JobState */
    bool letters;       /* jobs of dead letters instead, whatever `states` says */
    const int64_t *ids; /* only these, of `ids_len`; what is below does not count then */
    size_t ids_len;
    Str step, queue, reason;    /* "": any */
    Str pipeline;               /* "": any; not of letters */
    int64_t key;                /* who asked; 0: any; not of letters */
    int64_t since_ms, until_ms; /* created (letters: died) at or after, and before; 0: open */
} BulkFilter;
MUST_CHECK ErrCode flow_bulk(Db *db, BulkVerb verb, const BulkFilter *f, bool dry_run,
                             int64_t *count, Err *err);

/* Settings of a queue for one project, or for all (0). In force with the commit. */
MUST_CHECK ErrCode flow_queue_set(Db *db, int64_t project, Str queue, const QueueSettings *s,
                                  Err *err);

/* How long ended jobs are kept whose queue says nothing; 0: for ever. */
MUST_CHECK ErrCode flow_set_retention(Db *db, int64_t retention_ms, Err *err);
/* Remove some of the jobs that are too old, in one small write. *more: there are others. */
MUST_CHECK ErrCode flow_retain(Db *db, int64_t now_ms, int64_t *count, bool *more, Err *err);

typedef struct JobEvent {
    int64_t id; /* of a stored event: rises over all jobs in the order of commits. 0: read from the
                   job's own rows */
    int64_t job, seq, time_ms;
    Str type; /* "job.added" */
    Str data; /* JSON object */
} JobEvent;
/* Events of one job after `after_seq`, at most `limit`. */
MUST_CHECK ErrCode flow_events(DbConn *reader, int64_t project, int64_t job, int64_t after_seq,
                               int limit, Arena *a, JobEvent **out, size_t *len, Err *err);

/* What a finished attempt left behind; see work/work.h, which runs them. */
typedef struct TaskResult {
    int64_t task, job, attempt;
    ErrCode code; /* OK: done */
    Err err;      /* when not OK */
    Str data;     /* JSON object */
    const JobFile *outputs;
    size_t outputs_len;
    const struct JobUsage *usage;
    size_t usage_len;
    int64_t started_ms, finished_ms;
    int64_t retry_after_ms; /* what the other side asked for; 0: nothing */
} TaskResult;
typedef struct JobUsage {
    Str unit;
    int64_t amount;
} JobUsage;

/* In a write function: lease up to `max` due tasks of the queue for `worker`; marks jobs running,
 * writes task.started. The attempt is counted here, before it begins. Returned structs and texts
 * are in `a`. */
MUST_CHECK ErrCode flow_lease_tx(DbConn *tx, Str queue, int max, int64_t lease_ms, Str worker,
                                 Arena *a, TaskLease **out, size_t *len, Err *err);
/* In a write function: record the end of attempts: done, another attempt later, or dead. Usage of
 * one unit is summed. A result whose lease was lost meanwhile (attempt differs, job cancelled) is
 * dropped without a trace but a log line: another attempt owns the task. */
MUST_CHECK ErrCode flow_finish_tx(DbConn *tx, const TaskResult *results, size_t len, Err *err);
/* In a write function: the lease made longer; *lost is set when it is not ours any more. */
MUST_CHECK ErrCode flow_heartbeat_tx(DbConn *tx, int64_t task, int64_t attempt, int64_t until_ms,
                                     bool *lost, Err *err);
/* In a write function: how far the attempt is (task.progress, with the note), or only the note
 * (task.note) when total < 0. Nothing happens when the attempt does not hold the task any more. */
MUST_CHECK ErrCode flow_progress_tx(DbConn *tx, int64_t task, int64_t attempt, int64_t done,
                                    int64_t total, Str note, Err *err);
/* In a write function: leases that have run out become ready again (task.lost) or dead,
 * worker_lost. `all`: every lease of a worker of this server, at start, when none can be alive;
 * outside workers live on and keep theirs. Returns how many. */
MUST_CHECK ErrCode flow_expire_tx(DbConn *tx, int64_t now_ms, bool all, int64_t *count, Err *err);

/* In a write function: the worker stops and cannot end this attempt: task.lost with shutting_down,
 * ready again at once, and the attempt does not count. */
MUST_CHECK ErrCode flow_give_back_tx(DbConn *tx, int64_t task, int64_t attempt, Err *err);
/* What is due: tasks with keys that asked for a delay, jobs that did not start or end in time.
 * Returns how many, and when the next is due (INT64_MAX: nothing is). */
MUST_CHECK ErrCode flow_timers_due(Db *db, int64_t now_ms, int64_t *count, int64_t *next_ms,
                                   Err *err);
/* Forget idempotency keys older than 24 h; returns how many. */
MUST_CHECK ErrCode flow_forget_keys(Db *db, int64_t *count, Err *err);

/* Dead letters. */
typedef struct DeadLetter {
    int64_t id, job, died_ms, attempts; /* id: of the task */
    Str step, queue, reason, detail;
} DeadLetter;
typedef struct DeadFilter {
    int64_t project;
    Str queue, step, reason; /* "": any */
    int64_t before;          /* letters with a smaller id (older) only; 0: from the newest */
    int limit;               /* 1 … FLOW_LIST_MAX */
} DeadFilter;
MUST_CHECK ErrCode flow_dead_list(DbConn *reader, const DeadFilter *f, Arena *a, DeadLetter **out,
                                  size_t *len, bool *more, Err *err);
/* One (task != 0) or all of the project; returns how many jobs are queued again. */
MUST_CHECK ErrCode flow_dead_redrive(Db *db, int64_t project, int64_t task, int64_t *count,
                                     Err *err);
/* Remove the letters; the jobs stay failed. ERR_NOT_FOUND (both) when there is no such letter. */
MUST_CHECK ErrCode flow_dead_delete(Db *db, int64_t project, int64_t task, int64_t *count,
                                    Err *err);

/* Who wants to hear of news. Called on the writer's thread after the commit with (ctx, project,
 * job); must not block. Set once before the first write; *hooks must live as long as the db.
 * `ready` is called when a task became ready or delayed in a queue: (ctx, queue_hash(queue),
 * run_at_ms); `cancel` when a job was cancelled whose task runs: (ctx, task, attempt); `due` when
 * something waits for a time: (ctx, its time, 0); `runners` when somebody has set how many a queue
 * has: (ctx, queue_hash(queue), runners). pipelines and built_in are what flow itself finds
 * again through the database (flow/pipeline.h); NULL: there are none. */
typedef struct FlowHooks {
    FeedHook feed; /* first: feed/feed.c finds it there; has a ctx of its own */
    void *ctx;
    DbAfterFn news, ready, cancel, due, runners;
    /* Does this server serve the queue with threads of its own (ctx, queue_hash(queue))? Then it
     * cannot be one of outside work. NULL: none. On the writer's thread; must not block. */
    bool (*has_lane)(void *ctx, int64_t queue);
    struct PipelineCache *pipelines;
    const struct BuiltInPipeline *built_in;
    const char *public_url; /* NULL: unknown */
    /* In the write function that stores a version of a pipeline (definition: its JSON) or deletes
     * the pipeline (""), not for those that come with platen; NULL: nobody. */
    ErrCode (*stored)(void *stored_ctx, DbConn *tx, int64_t project, int64_t key, Str pipeline,
                      Str definition, Err *err);
    void *stored_ctx;
} FlowHooks;
void flow_set_hooks(Db *db, const FlowHooks *hooks);

#endif

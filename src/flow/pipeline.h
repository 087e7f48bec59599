/* pipeline.h: pipelines stored and run.
 *
 * Stored: a pipeline has a name (unique in its project) and versions, each never changed; a job
 * stays on the version it began with. Parsed versions are kept by the process (an LRU of
 * PIPELINES_KEPT), so a running job reads no text.
 *
 * Run: the pipeline's job is an ordinary job with a task in state 'waiting' (flow.h); its steps are
 * child jobs (parent, node, place). One row per node says how it stands (job_node); what a node
 * gave is read from its children. Everything that follows from an end (which nodes begin, which are
 * skipped, the job's own end) happens in the transaction of that end:
 *
 *   start ─► plan ─► children added ─► … a child ends ─► its node's row ─► plan ─► …
 *                 └► waits: rows with a time; approve, signal, callback, time end them ─► plan
 *
 *   node: (no row) ──needs met──► running ──all children ended──► done | failed
 *                   │             waiting ──approve, signal, time, callback──► done | failed
 *                   ├──if false, or a need failed──► skipped | omitted
 *                   └──memo or replay──► done (children of an earlier job)
 *
 * plan.c decides (pure: definition and states in, what to do out), node.c does it. A waiting node
 * costs one row and no memory.
 *
 * Pause: nothing further of the job begins (neither nodes nor items, nor tasks that are ready);
 * what runs ends. Cancel: all children are cancelled; then `finally` runs, if there is one, and
 * the job ends as cancelled; cancelling again ends it at once.
 *
 * Threads: any; functions with tx run in a write function. */
#ifndef PLATEN_FLOW_PIPELINE_H
#define PLATEN_FLOW_PIPELINE_H

#include "core/pipeline.h"
#include "flow/flow.h"

enum { PIPELINES_KEPT = 256 };

typedef struct PipelineNew {
    int64_t project, key;
    Str definition; /* JSON, as read from YAML; pipeline_read has accepted it */
    Str source;     /* the text as written; "": the definition is it */
    Str name;
    Str title, summary;
    bool based; /* `base` is the version that was changed, 0: there was none */
    int64_t base;
} PipelineNew;

typedef struct PipelineInfo {
    int64_t id, project, version, versions; /* version: of this row; versions: the highest */
    int64_t created_ms, changed_ms, key;    /* of the pipeline; of this version; who made it */
    bool built_in;
    Str name, title, summary, hash;
    Str definition, source; /* get only */
} PipelineInfo;

/* A further version, or nothing when it equals the newest (*made is false then). ERR_CONFLICT: it is
 * based on another version than the newest. */
MUST_CHECK ErrCode flow_pipeline_put(Db *db, const PipelineNew *n, PipelineInfo *out, bool *made,
                                     Arena *a, Err *err);
/* version 0: the newest. ERR_UNKNOWN_PIPELINE. A built-in one is found when the project has none
 * of this name. */
MUST_CHECK ErrCode flow_pipeline_get(DbConn *reader, int64_t project, Str name, int64_t version,
                                     Arena *a, PipelineInfo *out, Err *err);
/* By name, newest versions, without texts. */
MUST_CHECK ErrCode flow_pipeline_list(DbConn *reader, int64_t project, Arena *a, PipelineInfo **out,
                                      size_t *len, Err *err);
/* Newest first, without texts. */
MUST_CHECK ErrCode flow_pipeline_versions(DbConn *reader, int64_t project, Str name, Arena *a,
                                          PipelineInfo **out, size_t *len, Err *err);
/* Jobs that run go on. ERR_UNKNOWN_PIPELINE; ERR_CONFLICT for a built-in one. */
MUST_CHECK ErrCode flow_pipeline_delete(Db *db, int64_t project, Str name, Err *err);

/* Pipelines that come with platen: a table that ends with {0} (made from the YAML files of pipelines/). */
typedef struct BuiltInPipeline {
    const char *name, *title, *summary;
    const char *definition; /* JSON */
    const char *source;     /* YAML */
} BuiltInPipeline;

/* How this server is reached from outside, without a final "/": what addresses of callbacks begin
 * with. "" until it was said. */
const char *flow_public_url(const DbConn *c);

/* Parsed definitions of one process; hung onto the database with flow's hooks (FlowHooks.pipelines),
 * so that every connection finds it. Without one, definitions are parsed each time. */
typedef struct PipelineCache PipelineCache;
PipelineCache *pipeline_cache_open(const Registry *registry); /* NULL: no memory */
void pipeline_cache_close(PipelineCache **c);                 /* nobody may hold one any more */
/* The parsed form of a stored version, shared and constant for as long as it is held. */
typedef struct PipelineHeld PipelineHeld;
MUST_CHECK ErrCode flow_pipeline_hold(DbConn *c, int64_t project, Str name, int64_t version,
                                      PipelineHeld **out, Err *err);
const Pipeline *flow_pipeline_of(const PipelineHeld *h);
int64_t flow_pipeline_version_of(const PipelineHeld *h);
/* It comes with platen and is not a stored version: run it as version 0. */
bool flow_pipeline_is_built_in(const PipelineHeld *h);
void flow_pipeline_release(PipelineHeld **h);

/* What somebody gives a pipeline: values are checked against its table (all faults at once), files
 * are found: a file object, "doc_…", {document}, {blob}, or a list of these. *inputs and *files are
 * what PipelineRun wants. ERR_BAD_PARAM, ERR_INPUT_MISSING, ERR_NOT_FOUND. Reader or write
 * function. */
MUST_CHECK ErrCode flow_pipeline_inputs(DbConn *c, int64_t project, const Pipeline *p,
                                        const Json *given, Arena *a, Str *inputs, JobFile **files,
                                        size_t *files_len, ParamFaults *faults, Err *err);

typedef struct PipelineRun {
    int64_t project, key;
    Str name;
    int64_t version; /* 0: the newest */
    Str inputs;      /* canonical JSON of the values (param_check against Pipeline.inputs), with a
                        file input as {name,type,bytes,blob} or a list of them */
    const JobFile *files; /* every file of the inputs, so that the job names them */
    size_t files_len;
    int64_t priority, delay_ms, timeout_ms; /* timeout_ms: of the job; 0: the pipeline's */
    bool no_memo;                           /* run everything, reuse nothing */
    Str idempotency_key, request_hash, trace;
    Str trigger; /* JSON: what started it; "": a person */
} PipelineRun;
MUST_CHECK ErrCode flow_run_tx(DbConn *tx, int64_t id, const PipelineRun *n, JobAdded *out,
                               Err *err);
MUST_CHECK ErrCode flow_run(Db *db, const PipelineRun *n, JobAdded *out, Err *err);

/* A batch of a pipeline: one job, an item for each file, which is a job of the pipeline (flow.h has
 * the drawing). At most `concurrency` of them run at once. In run.inputs {"each": true}, or a list
 * of only that, stands for the file of an item; run.files are those that all items get. */
typedef struct PipelineBatch {
    PipelineRun run; /* delay_ms, trigger: not used */
    const JobFile *files;
    size_t files_len;
    const Step *unpack; /* as in BatchNew */
    Str unpack_params;
    const bool *archive;
    int64_t concurrency;
    Str callback_url; /* "": none */
} PipelineBatch;
/* As flow_run_tx. ERR_LIMIT_COUNT above BATCH_ITEMS_MAX, ERR_INPUT_MISSING without a file. */
MUST_CHECK ErrCode flow_run_batch_tx(DbConn *tx, int64_t id, const PipelineBatch *n, JobAdded *out,
                                     Err *err);

typedef enum NodeState {
    NODE_PENDING, /* has not begun: no row */
    NODE_RUNNING,
    NODE_WAITING,
    NODE_DONE,
    NODE_FAILED,
    NODE_SKIPPED, /* its condition was false */
    NODE_OMITTED, /* it needs one that failed */
    NODE_CANCELED,
    NODE_STATE_COUNT
} NodeState;
const char *node_state_name(NodeState s); /* "pending" … */

typedef struct NodeView {
    Str id, uses, kind; /* kind: "step", "call", "wait"; uses: step, pipeline or kind of wait */
    NodeState state;
    int64_t started_ms, finished_ms, due_ms; /* due_ms: when a wait ends by itself; 0: never */
    int64_t total, ended, failed;            /* children */
    int64_t child;                           /* the only child; 0: none or several */
    int64_t began_ms, attempts, progress_done, progress_total; /* of the only child */
    bool many, reused, optional;   /* many: foreach or matrix; optional: continue-on-error */
    Str reason, detail, who, data; /* who: least role of an approval; data: JSON of a wait */
    const Str *needs;
    size_t needs_len;
    NodeSection section;
} NodeView;
/* The nodes of a pipeline's job in the definition's order, with their states. ERR_NOT_FOUND;
 * ERR_CONFLICT when the job is no pipeline's. */
MUST_CHECK ErrCode flow_nodes(DbConn *reader, int64_t project, int64_t job, Arena *a,
                              NodeView **out, size_t *len, Err *err);

/* Children of one node, with their files, as flow_items. */
MUST_CHECK ErrCode flow_node_items(DbConn *reader, int64_t project, int64_t job, Str node,
                                   int state, int64_t after, int limit, Arena *a, Job **out,
                                   size_t *len, bool *more, Err *err);
/* What the children of a job have used; node: index into what flow_nodes gives. */
typedef struct NodeUsage {
    int64_t node, amount;
    Str unit;
} NodeUsage;
MUST_CHECK ErrCode flow_node_usage(DbConn *reader, int64_t project, int64_t job, Arena *a,
                                   NodeUsage **out, size_t *len, Err *err);
/* Approvals that somebody is waited for, in jobs with an id above `after`, about `limit` of them.
 * *next: where to go on; 0: that was all. */
typedef struct ApprovalView {
    int64_t job, since_ms, due_ms, version;
    Str pipeline, node, who;
} ApprovalView;
MUST_CHECK ErrCode flow_approvals(DbConn *reader, int64_t project, int64_t after, int limit,
                                  Arena *a, ApprovalView **out, size_t *len, int64_t *next,
                                  Err *err);

/* A signal that comes before its wait is kept until then (SIGNALS_MAX per job, ERR_LIMIT_COUNT).
 * payload: JSON. ERR_NOT_FOUND, ERR_CONFLICT when the job has ended. */
enum { SIGNALS_MAX = 100, SIGNAL_DATA_MAX = 64 * 1024 };
MUST_CHECK ErrCode flow_signal(Db *db, int64_t project, int64_t job, Str name, Str payload,
                               Err *err);
/* ERR_FORBIDDEN when `role` is below what the wait asks for; ERR_CONFLICT when the node does not
 * wait for an approval. role: as access.h orders them. by: who, for the history. */
MUST_CHECK ErrCode flow_approve(Db *db, int64_t project, int64_t job, Str node, bool approved,
                                Str comment, Str by, int role, int (*role_from)(Str), Err *err);
/* What comes in at a callback's address; `token` as in it. ERR_NOT_FOUND for a wrong one. */
MUST_CHECK ErrCode flow_callback(Db *db, int64_t job, Str node, Str token, Str payload, Err *err);
/* Waits whose time has come; returns how many and when the next is due (INT64_MAX: none). */
MUST_CHECK ErrCode flow_waits_due(Db *db, int64_t now_ms, int64_t *count, int64_t *next_ms,
                                  Err *err);

MUST_CHECK ErrCode flow_pause(Db *db, int64_t project, int64_t job, Err *err);
MUST_CHECK ErrCode flow_resume(Db *db, int64_t project, int64_t job, Err *err);

/* A new job like `job`, on the same version: nodes that do not come after `from` ("": none is
 * named) keep the results they have; those from `from` on run again. With `inputs` ("": as before)
 * only nodes that the change cannot reach keep theirs (a fork). */
typedef struct Replay {
    int64_t project, key, job;
    Str from, inputs;
    const JobFile *files; /* of changed inputs */
    size_t files_len;
    Str trace;
} Replay;
MUST_CHECK ErrCode flow_replay(Db *db, const Replay *r, JobAdded *out, Err *err);

#endif

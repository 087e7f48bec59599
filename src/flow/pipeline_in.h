/* pipeline_in.h: what the files about pipelines share.
 *
 *   plan.c       what is next (pure)
 *   pipelines.c  stored definitions
 *   held.c       parsed definitions, kept
 *   running.c    a running pipeline's job: read, advanced, ended
 *   node.c       one node begins: its children, its wait
 *   value.c      what expressions see
 *   secrets.c    what secrets.NAME stands for
 *   start.c      a pipeline's job comes in; delayed starts
 *   signal.c     what ends waits
 *   halt.c       pause, cancel, again
 *   replay.c     a new job with results of an old one
 *   nodes.c      reading how nodes stand */
#ifndef PLATEN_FLOW_PIPELINE_IN_H
#define PLATEN_FLOW_PIPELINE_IN_H

#include "flow/flow_in.h"
#include "flow/plan.h"

enum {
    RUN_MEMORY = 256 << 20,    /* of one change to a running job: values are bounded by the data
                                    of steps (96 KiB each) and by what an expression may make */
    RUN_DATA_MAX = 256 * 1024, /* outputs of a pipeline, as JSON */
    RUN_PARAMS_MAX = 2 << 20,  /* parameters of a child */
    RUN_FILES_MAX = 1000,      /* that go into a child or come out of a pipeline */
    TOKEN_SIZE = 33,           /* 32 hex digits */
    NODE_START = -1,           /* job_node.node of a delayed start */
};

/* held.c */
MUST_CHECK ErrCode flow_hold_version(DbConn *c, int64_t pipeline, int64_t version,
                                     PipelineHeld **out, Err *err);
MUST_CHECK ErrCode flow_hold_built_in(DbConn *c, const BuiltInPipeline *b, PipelineHeld **out,
                                      Err *err);

/* pipelines.c */
typedef struct PipelineKey {
    int64_t id, version;
} PipelineKey;
/* held.c: before a version is stored. */
void flow_forget_version(DbConn *tx, const PipelineKey *key);
/* In a write function: which version a name means; a built-in one is stored on the way. */
MUST_CHECK ErrCode flow_pipeline_key_tx(DbConn *tx, int64_t project, Str name, int64_t version,
                                        PipelineKey *out, Err *err);

/* A pipeline's job within one write function: read once, changed, written back at the end. */
typedef struct Running {
    DbConn *tx;
    Arena *arena;
    int64_t job, project, key;
    Str params, trace, trigger, token, concurrency_key;
    int64_t priority, timeout_ms, parent;
    PipelineKey version;
    bool no_memo;
    PipelineHeld *held;
    const Pipeline *p;
    const Json *inputs;
    NodeNow *now; /* one per node of p */
    int64_t seq, started_ms, halt, flags;
    bool
        quiet; /* it begins within its parent's own change, which is told how it stands, not called */
    bool ended;
    JobState end; /* when it has ended */
    /* Values that were read for expressions, by node; NULL: not yet. */
    const Json **values;
} Running;

/* *found is false when the job has no waiting task (it has ended) or is no pipeline's. Release with
 * running_done in any case. */
MUST_CHECK ErrCode running_open(DbConn *tx, int64_t job, Arena *a, Running *r, bool *found,
                                Err *err);
/* The same for a job that has ended: its definition, inputs and nodes, to read values from. */
MUST_CHECK ErrCode running_open_ended(DbConn *tx, int64_t job, Arena *a, Running *r, bool *found,
                                      Err *err);
void running_done(Running *r);
/* out: one per node of p, zeroed. */
MUST_CHECK ErrCode flow_read_nodes(DbConn *c, int64_t job, const Pipeline *p, Arena *a,
                                   NodeNow *out, Err *err);
/* Do all that can be done now, end the job if that is all, write the task back, tell the news. */
MUST_CHECK ErrCode running_advance(Running *r, Err *err);
MUST_CHECK ErrCode running_event(Running *r, EventNew e, Err *err);
/* Node i ends: its row, its event. */
MUST_CHECK ErrCode running_end_node(Running *r, int i, NodeState state, const TaskFault *why,
                                    Err *err);
/* A running node whose children were made or have ended: written, and ended with the last. */
MUST_CHECK ErrCode running_settle(Running *r, int i, bool is_new, Err *err);
MUST_CHECK ErrCode running_write_node(Running *r, int i, bool is_new, Err *err);

/* node.c: a node whose needs are met begins, and may have ended when this returns. */
MUST_CHECK ErrCode node_begin(Running *r, int i, Err *err);
/* Further children of a running foreach, as many as there is room for. */
MUST_CHECK ErrCode node_fill(Running *r, int i, Err *err);
/* value.c: the object that the expressions of node i see. */
MUST_CHECK ErrCode value_scope(Running *r, int i, const Json **out, Err *err);
/* The same with item, index and, for a matrix, matrix. */
MUST_CHECK ErrCode value_scope_of_item(Running *r, const Json *scope, const Json *item,
                                       int64_t index, bool matrix, const Json **out, Err *err);
/* secrets.c: the scope and the secrets that a template names. ERR_UNKNOWN_SECRET, ERR_SECRET_KEY. */
MUST_CHECK ErrCode value_scope_with_secrets(Running *r, const Template *with, const Json *scope,
                                            const Json **out, Err *err);
/* Evaluated outside of any node: the outputs, the concurrency key. */
MUST_CHECK ErrCode value_of_template(Running *r, const Template *t, const Json **out, Err *err);
/* All combinations of an object of lists, the first axis slowest. ERR_NOT_A_LIST,
 * ERR_LIMIT_COUNT. */
MUST_CHECK ErrCode value_matrix(Running *r, const Json *axes, const Json **out, Err *err);
/* The files anywhere in a value. */
MUST_CHECK ErrCode value_find_files(Running *r, const Json *v, JobFile **out, size_t *len,
                                    Err *err);
MUST_CHECK ErrCode value_of_node(Running *r, int i, const Json **out, Err *err);
/* JSON helpers; NULL: no memory. */
Json *value_new(Arena *a, JsonType type);
bool value_add(Arena *a, Json *to, Str key,
               const Json *value); /* copies the node, shares what is below */
bool value_add_text(Arena *a, Json *to, const char *key, Str text);
bool value_add_int(Arena *a, Json *to, const char *key, int64_t v);
Json *value_text(Arena *a, Str text);
/* The files that a value names: a file object, "doc_…", {document}, {blob}, or a list of these.
 * ERR_NOT_FOUND when the project does not have one of them. */
MUST_CHECK ErrCode value_files(DbConn *tx, int64_t project, const Json *v, Arena *a, JobFile **out,
                               size_t *len, Err *err);

/* running.c: a child of `parent` has ended. *is_flow is false when the parent is no pipeline's job
 * that lives. */
MUST_CHECK ErrCode flow_child_ended(DbConn *tx, int64_t parent, int64_t child, JobState state,
                                    bool *is_flow, Err *err);

/* halt.c: a child is to run again, and with it its pipeline. */
MUST_CHECK ErrCode flow_child_again(DbConn *tx, int64_t parent, int64_t child, int64_t project,
                                    bool *is_flow, Err *err);
/* halt.c: an ended pipeline's job runs again: what failed in it, and what that had held up. */
MUST_CHECK ErrCode flow_pipeline_again(DbConn *tx, int64_t project, int64_t job, bool *found,
                                       Err *err);
/* halt.c: *took is true when the job is a pipeline's with something to run at its end: it has been
 * told (HALT_CANCELED or HALT_DEADLINE), and its children are to be cancelled, but not the job. */
MUST_CHECK ErrCode flow_halt_softly(DbConn *tx, int64_t project, int64_t job, int64_t why,
                                    bool *took, Err *err);
/* After the children were cancelled. */
MUST_CHECK ErrCode flow_go_on(DbConn *tx, int64_t job, Err *err);
/* change.c: an ended job of one task, or of a pipeline, runs again. *found: it has failed or was
 * cancelled. */
MUST_CHECK ErrCode flow_run_again(DbConn *tx, int64_t project, int64_t job, bool *found, Err *err);

/* start.c: the job's rows, and its first nodes. *state: RUNNING, or how it has ended already. */
typedef struct ChildPlace {
    int64_t parent, node, place; /* parent 0: it is nobody's child */
} ChildPlace;
MUST_CHECK ErrCode flow_run_as(DbConn *tx, int64_t id, const PipelineRun *n, const PipelineKey *key,
                               const ChildPlace *at, JobState *state, Err *err);
/* start.c: its rows only; the caller begins it. */
MUST_CHECK ErrCode flow_add_run(DbConn *tx, int64_t id, const PipelineRun *n,
                                const PipelineKey *key, const ChildPlace *at, int64_t origin,
                                Err *err);
/* start.c: an item of a batch that was held begins; the batch is not told if it ends at once. */
MUST_CHECK ErrCode flow_begin_held(DbConn *tx, int64_t job, JobState *state, Err *err);
/* start.c: its time has come; or its slot. */
MUST_CHECK ErrCode flow_begin_delayed(DbConn *tx, int64_t job, Err *err);
/* node.c: a child of node i like `source`, done. */
MUST_CHECK ErrCode node_copy_child(Running *r, int i, int64_t place, int64_t source, int64_t *id,
                                   Err *err);

/* signal.c: the wait that is node i begins. */
MUST_CHECK ErrCode wait_begin(Running *r, int i, const Json *scope, Err *err);

#endif

/* engine.h: the host's side of engines: find them, keep them warm, run one task in one, survive all
 * of them.
 *
 * Discovery: every executable called platen-engine-* beside the server (or in the folders given) is
 * asked --describe once; the answer is cached by the file's identity (path, inode, size, mtime), so
 * starting the server does not start engines. Running: a warm engine is started on its first task
 * and asked to fork for each; a plain engine is started per task. Either way the host keeps the
 * wall clock, adopts outputs as blobs, maps every way to die to a reason, and goes on.
 *
 *   end of the task                                  reason
 *   result                                           OK
 *   error message                                    the engine's reason
 *   SIGSYS                                           engine_forbidden
 *   SIGXCPU, or SIGKILL with the CPU limit used up   limit_cpu
 *   SIGXFSZ, or an output at its limit               limit_output
 *   out of memory (error message or abort at it)     limit_memory
 *   wall clock                                       limit_time
 *   cancelled                                        canceled
 *   any other signal, or exit without a result       engine_crashed
 *   SIGKILL by somebody else, the warm parent gone   engine_killed (and it is started again)
 *   more than ENGINE_OUTPUTS_MAX outputs             limit_count
 *   anything that is not the protocol                engine_protocol
 *
 * An engine is not trusted once it has read a file: names of outputs come out as one harmless path
 * component, media types and units are checked, messages and notes are limited, progress comes at
 * most ten times a second. The process is dead before an output is adopted; a plain engine's
 * outputs are copied, for it may have left others behind.
 *
 * A step may call others (step_call in core/step.h): call.c runs them in their engines while the
 * caller's process and clock stand still. A step with a concurrency waits for its turn before
 * anything is started for it.
 *
 * Plain engines may read the folders of EngineOptions.dirs, and those in the environment variable
 * PLATEN_ENGINE_READ (joined by ":"). Engines see only harmless environment variables (start.c
 * lists them).
 *
 * The server must not ignore SIGCHLD, and must not wait for children it does not know. Each output
 * of a running task is an open file: raise RLIMIT_NOFILE at start.
 *
 * Threads: engine_run may be called from any number of threads at once; each call is one task.
 * engine_describe_all comes first, once. Fault sites: engine.socket, engine.pipe, engine.spawn,
 * engine.pidfd. */
#ifndef PLATEN_ENGINE_ENGINE_H
#define PLATEN_ENGINE_ENGINE_H

#include "blob/blob.h"
#include "core/registry.h"

#include <stdatomic.h>

typedef struct EnginePool EnginePool;

typedef struct EngineOptions {
    const char *dirs;       /* joined by ":"; where engines are looked for */
    const char *cache_path; /* file for cached descriptions; NULL: none */
    BlobStore *blobs;
    StepLimits limits; /* defaults where a step sets none */
} EngineOptions;

MUST_CHECK ErrCode engine_pool_open(const EngineOptions *o, EnginePool **out, Err *err);
void engine_pool_close(EnginePool **p); /* ends all engines; no task may be running */

/* Add what the engines describe to the registry (memory from `a`), which must outlive the pool. An engine that does not answer
 * is logged, listed by engine_list with its problem, and skipped. */
MUST_CHECK ErrCode engine_describe_all(EnginePool *p, Registry *r, Arena *a, Err *err);

typedef struct EngineOutput {
    Str name, type;
    Blob blob;
} EngineOutput;
typedef struct EngineUsage {
    Str unit;
    int64_t amount;
} EngineUsage;
enum { ENGINE_OUTPUTS_MAX = 4096, ENGINE_USAGE_MAX = 64 };

typedef struct EngineTask {
    const Step *step;
    Str params; /* canonical JSON */
    const StepInput *inputs;
    size_t inputs_len;
    StepLimits limits;           /* 0: the step's, then the pool's */
    const atomic_bool *canceled; /* looked at at least every 50 ms; NULL: never */
    int depth;                   /* 0; 1: called by a step; 2: by a called one */
    /* It waits for its turn (Step.concurrency), or goes on; NULL allowed. */
    void (*waits)(void *ctx, bool begins);
    void (*progress)(void *ctx, int64_t done, int64_t total, Str note); /* NULL allowed */
    void (*note)(void *ctx, Str text);                                  /* NULL allowed */
    void *ctx;
} EngineTask;
typedef struct EngineResult { /* all memory from the arena given to engine_run */
    Str data;                 /* JSON object */
    EngineOutput *outputs;
    size_t outputs_len;
    EngineUsage usage[ENGINE_USAGE_MAX];
    size_t usage_len;
    int64_t run_us;
} EngineResult;

/* Run one task and wait for its end. On failure *err has reason, message and hint. */
MUST_CHECK ErrCode engine_run(EnginePool *p, const EngineTask *t, Arena *a, EngineResult *out,
                              Err *err);

typedef struct EngineInfo {
    const char *name, *path, *version, *problem; /* problem: NULL when all is well */
    bool warm;
    int steps;
    int64_t pid; /* of the warm parent, 0 when not started */
    int64_t tasks, failures, restarts;
    ErrCode last_reason;    /* of the last task that ended without a result; OK: none has */
    int64_t last_failed_ms; /* when */
} EngineInfo;
/* Number of engines; *out is allocated in `a`. */
size_t engine_list(EnginePool *p, Arena *a, EngineInfo **out);
/* What encloses engines on this machine, by layer: for doctor and for the page of the server's
 * health. Some are tried in a child process: about a millisecond. *out is allocated in `a`. */
typedef enum EngineVerdict { ENGINE_FINE, ENGINE_NOTE, ENGINE_BAD } EngineVerdict;
typedef struct EngineLayer {
    const char *name;
    EngineVerdict verdict; /* NOTE: missing, and another layer stands in for it */
    Str found;
    const char *meaning; /* what the layer is for */
} EngineLayer;
size_t engine_layers(Arena *a, EngineLayer **out);
/* Start one and run nothing: for doctor. */
MUST_CHECK ErrCode engine_probe(EnginePool *p, const char *name, Err *err);

#endif

/* engine_in.h: the pool and its engines, for the files of this folder.
 *
 *   pool.c      the pool: open, close, list, probe
 *   describe.c  which engines there are: folders, --describe, the cache
 *   start.c     processes: a description, a warm parent, a plain engine
 *   warm.c      the warm parent of one engine: started when needed, lost, started again
 *   run.c       one task from begin to end
 *   talk.c      what an engine says, checked
 *   call.c      a step called by a running step
 *   turn.c      steps of which only so many run at once */
#ifndef PLATEN_ENGINE_ENGINE_IN_H
#define PLATEN_ENGINE_ENGINE_IN_H

#include "base/thread.h"
#include "engine/engine.h"

#include <sys/types.h>

enum { ENGINES_MAX = 64, ENGINE_ENV_MAX = 64, TURNS_MAX = 64 };

/* A process that this one has started and not yet waited for; so neither its id nor its group can
 * be another's. */
typedef struct EngineProcess {
    pid_t pid; /* 0: none */
    int pidfd; /* -1: none */
} EngineProcess;
#define ENGINE_NO_PROCESS ((EngineProcess){.pid = 0, .pidfd = -1})

typedef struct EngineEnd {
    bool signaled;
    int status;
    int64_t cpu_ms, memory_bytes;
} EngineEnd;

typedef struct Engine {
    /* Set by engine_describe_all, then constant: any thread may read. */
    const char *name, *path, *version;
    const char *bad; /* why it cannot be used at all; NULL: it can */
    bool warm;
    int steps;

    _Atomic int64_t tasks, failures, restarts, last_failed_ms;
    _Atomic int last_reason; /* ErrCode */

    Mutex lock; /* guards the rest; held while starting, so that two tasks do not start two */
    EngineProcess parent;
    int control;         /* socket to the warm parent; -1: not started */
    int64_t generation;  /* of the parent: counts starts */
    bool answered;       /* this generation has forked for a task */
    int failed_starts;   /* in a row */
    int64_t retry_at_us; /* not started before */
    char problem[200];   /* why the last start failed; empty: it did not */
} Engine;

typedef struct Turns {
    const char *step;
    int running;
} Turns;

struct EnginePool {
    Arena *arena;
    EngineOptions options;
    const Registry *registry; /* set by engine_describe_all */
    Mutex turns_lock;         /* guards turns */
    Cond turn_free;
    Turns turns[TURNS_MAX];
    size_t turns_len;
    char *env[ENGINE_ENV_MAX + 1];
    int readable; /* for sandbox_enter: what plain engines may read */
    Engine engines[ENGINES_MAX];
    size_t engines_len;
};

/* start.c */
/* The variables an engine gets to see: none that could hold a secret. Memory from `a`. */
MUST_CHECK ErrCode engine_make_env(Arena *a, char *env[ENGINE_ENV_MAX + 1], Err *err);
/* Run `path option` with `fd3` as descriptor 3 (or -1) and `out` as standard output (or -1). */
MUST_CHECK ErrCode engine_spawn(EnginePool *p, const char *path, const char *option, int fd3,
                                int out, EngineProcess *process, Err *err);
/* Start a plain engine in the sandbox. *out_says is a pipe from its standard error, not
 * blocking. */
MUST_CHECK ErrCode engine_spawn_plain(EnginePool *p, const char *path, const StepLimits *limits,
                                      int fd3, EngineProcess *process, int *out_says, Err *err);
/* Kill it (a plain engine: with all it has started) and wait for its end. *process is empty
 * afterwards. */
void engine_end(EngineProcess *process, EngineEnd *out);
/* Has it ended by `mono_us`? */
bool engine_ended(int pidfd, int64_t mono_us);

/* warm.c */
/* A fresh child of the engine's warm parent, which is started when it is not there. */
MUST_CHECK ErrCode engine_fork(EnginePool *p, Engine *e, const atomic_bool *canceled,
                               int *out_channel, int *out_pidfd, int64_t *out_generation, Err *err);
/* After the channel has ended without a word: is the warm parent of that generation gone? It is
 * then forgotten. */
bool engine_is_lost(Engine *e, int64_t generation);
void engine_stop(Engine *e);

/* run.c */
/* Outputs as files instead of blobs. */
typedef struct EngineFile {
    Str name, type;
    int fd;
} EngineFile;
typedef struct EngineFiles {
    EngineFile *items;
    size_t len;
} EngineFiles;
/* engine_run, but the outputs stay nameless files, which are the caller's to close. */
MUST_CHECK ErrCode engine_run_open(EnginePool *p, const EngineTask *t, Arena *a, EngineResult *out,
                                   EngineFiles *files, Err *err);
void engine_files_close(EngineFiles *files);

/* turn.c */
void engine_turns_init(EnginePool *p);
void engine_turns_done(EnginePool *p);
MUST_CHECK ErrCode engine_turn_take(EnginePool *p, const EngineTask *t, Err *err);
void engine_turn_give(EnginePool *p, const EngineTask *t);

/* call.c */
struct Said;
/* What `said` asks for, with its descriptors, which stay the caller's. ERR_ENGINE_PROTOCOL: it may
 * not ask for that. */
MUST_CHECK ErrCode engine_call(EnginePool *p, const EngineTask *caller, const struct Said *said,
                               const int *fds, Arena *a, EngineResult *out, EngineFiles *files,
                               Err *err);
/* {"call":{…}}: the answer, or why there is none. */
void engine_put_reply(Buf *b, const EngineResult *result, const EngineFiles *files, const Err *why);

/* describe.c */
enum { ENGINE_DESCRIPTION_MAX = 4 * 1024 * 1024 };
/* What `path --describe` prints. */
MUST_CHECK ErrCode engine_ask(EnginePool *p, const char *path, Arena *a, Str *out, Err *err);

Engine *engine_find(EnginePool *p, const char *name);

#endif

/* resident.h: workers that live for many tasks, for programs that take a second to start
 * (LibreOffice, Chromium).
 *
 * The usual way, a process forked per task, needs a library that can be loaded once and forked
 * often. Where there is none, the engine's warm parent keeps a few *resident workers*: each is
 * loaded once, serves one task at a time, and is replaced after `tasks_max` tasks and after
 * anything that went wrong. For the host nothing changes. Each task still gets a forked child in
 * the task's sandbox (its *clerk*), whose pid and pidfd the host has: the clerk runs the step,
 * which asks the worker (resident_ask) and copies what comes back into the outputs. So no worker
 * ever holds an output of the host's, and none can write to it when the task is over.
 *
 *              fork                {"ready"}               a task: fork its clerk
 *   (empty) ----------> STARTING -----------> READY ----------------------------> BUSY
 *      ^                   |                    ^                                  | the clerk has ended
 *      |                   |                    |   {"idle"}, tasks < tasks_max    v well: {"ping"}
 *      |                   |                    +--------------------------- SETTLING
 *      |                   |                                                       |
 *      +-------------------+-- the worker has died; did not answer in time; -------+
 *         group killed,        it ended itself after a failure; its clerk was
 *         folder removed       killed before the answer; tasks_max is reached
 *
 * An empty place is filled at once, in the background; after a start that failed only after a
 * pause, twice as long each time. A task waits in the parent until a worker is READY; its clock
 * starts with its clerk. When no worker can be started the waiting tasks get its error.
 *
 * What a worker may do: kit/sandbox.h, SANDBOX_RESIDENT. It has a folder of its own (TMPDIR, HOME,
 * working directory), made by the parent, emptied by serve's callers as they like and removed at
 * the worker's end; a lock on the folder above tells a later parent which ones a killed parent has
 * left behind. It is killed with the parent, and everything in its process group with it.
 *
 * What is weaker than a process per task: a worker that one file has taken over can read the files
 * of later tasks until it is replaced. So tasks_max is small and every failure ends it.
 *
 *   static ErrCode start(const char *folder, void **state, Err *err);
 *   static ErrCode serve(void *state, ResidentWork *w, Err *err);
 *   &(KitEngine){.name = "office", …, .resident = &(KitResident){.start = start, .serve = serve}}
 *
 * Fault sites: resident.fork, resident.folder. */
#ifndef PLATEN_KIT_RESIDENT_H
#define PLATEN_KIT_RESIDENT_H

#include "core/step.h"

enum { RESIDENT_FDS_MAX = 4, RESIDENT_REQUEST_MAX = 64 * 1024 };

/* One task as the worker sees it. */
typedef struct ResidentWork {
    Arena *arena;        /* gone when the task ends */
    const Json *request; /* what resident_ask was given */
    int *fds;            /* its files; closed by the caller of serve */
    size_t fds_len;
    JsonOut *reply; /* the open object of the answer */
    int out_fd;     /* set by serve: a file that goes along with the answer; -1: none */
    bool spoiled;   /* set by serve: this worker should not serve another task */
} ResidentWork;

typedef struct KitResident {
    int workers;          /* 0: 2 */
    int tasks_max;        /* 0: 100 */
    int start_ms;         /* longest a start may take; 0: 60 s */
    int64_t memory_bytes; /* of a worker (RLIMIT_DATA); 0: 2 GiB */
    const char *readable; /* folders it may read besides the system's, joined by ":"; NULL: none */
    /* In the new worker, before it enters the sandbox: to start another program in a sandbox of its
     * own. NULL: nothing. *state is for the other two. */
    ErrCode (*launch)(const char *folder, void **state, Err *err);
    /* In the sandbox: load everything, and do one task if the first is slower than the others. */
    ErrCode (*start)(const char *folder, void **state, Err *err);
    /* One task. Any failure but those in `harmless` spoils the worker. */
    ErrCode (*serve)(void *state, ResidentWork *w, Err *err);
    /* After the answer, before the next task: prepare. NULL: nothing. */
    void (*rest)(void *state);
    const ErrCode *harmless; /* ends with OK; NULL: none */
} KitResident;

/* In a step of such an engine: hand `request` (a JSON object) and files to the worker of this task
 * and wait for its answer. `fds` stay the caller's. The worker's failure is this call's;
 * ERR_ENGINE_CRASHED when it died. */
typedef struct ResidentReply {
    const Json *data; /* an object */
    int fd;           /* read-only use, positioned anywhere; -1: none. The caller closes it */
} ResidentReply;
MUST_CHECK ErrCode resident_ask(StepCtx *c, Str request, const int *fds, size_t fds_len,
                                ResidentReply *out);
/* The file of an answer as an output of the task. *out_bytes may be NULL. */
MUST_CHECK ErrCode resident_output(StepCtx *c, const ResidentReply *reply, Str name, Str type,
                                   int64_t *out_bytes);

/* For launch and start: a regular file of the worker's folder from a descriptor, whole. */
MUST_CHECK ErrCode resident_save(int from, const char *path, Err *err);

#endif

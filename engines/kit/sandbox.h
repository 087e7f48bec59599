/* sandbox.h: what a process gives up before it reads a byte of somebody else's file.
 *
 * Layers, outermost first: no new privileges, not root (a root process becomes nobody), not
 * dumpable, killed with its parent, resource limits (memory, CPU time, file size, open files, no
 * core), no file system (Landlock, where the kernel has it), and a seccomp allow-list (hard
 * requirement: without it sandbox_enter fails). A forbidden call that matters ends the process with
 * SIGSYS; calls that libraries try by habit (open, stat, socket) answer EACCES, so that a library
 * can go on without. The portable floor of the design: works as root and as nobody, in containers
 * too; no namespaces needed.
 *
 * Memory: a task's limit is RLIMIT_AS, counted on top of what the warm parent has mapped; a
 * program's is RLIMIT_DATA, because interpreters reserve more addresses than they use. Builds with
 * AddressSanitizer, which maps terabytes, have no memory limit. */
#ifndef PLATEN_KIT_SANDBOX_H
#define PLATEN_KIT_SANDBOX_H

#include "core/step.h"

typedef enum SandboxKind {
    SANDBOX_TASK, /* a forked child of a warm engine: memory, its descriptors, and nothing else */
    SANDBOX_DESK, /* the same for work at the desk: a forbidden call is named on standard error
                     before it kills */
    SANDBOX_PROGRAM, /* before exec of a plain engine: may read files and exec; no network, no
                        writing outside descriptors where Landlock is there, no ptrace, no mounts,
                        no new users, no leaving its process group */
} SandboxKind;

/* Build what is needed once, in the warm parent or the server, after libraries are loaded, so that
 * the child only installs it. Repeated calls are harmless. Threads: any. */
MUST_CHECK ErrCode sandbox_prepare(SandboxKind kind, Err *err);
/* Enter; no way back. Called in the child, after sandbox_prepare. Single-threaded processes only.
 * Only makes system calls, so it may run between fork and exec of a threaded process. Limits of 0
 * are not set. */
MUST_CHECK ErrCode sandbox_enter(SandboxKind kind, const StepLimits *limits, Err *err);

typedef struct SandboxLayers {
    bool no_new_privs, seccomp;
    int landlock_abi;  /* 0: the kernel has none */
    bool memory_limit; /* false in builds with AddressSanitizer */
} SandboxLayers;
/* What this kernel offers; for `platen doctor`. */
SandboxLayers sandbox_layers(void);

#endif

/* sandbox.h: what a process gives up before it reads a byte of somebody else's file.
 *
 * Layers, outermost first: resource limits (memory, CPU time, file size, open files, no core), not
 * root (a root process becomes nobody), no new privileges, killed with its parent, not dumpable, no
 * file system (Landlock, where the kernel has it), and a seccomp allow-list (hard requirement:
 * without it sandbox_enter fails). A forbidden call that matters ends the process with SIGSYS;
 * calls that libraries try by habit (open, stat, socket) answer EACCES, so that a library can go on
 * without.
 * The portable floor of the design: works as root and as nobody, in containers too; no namespaces
 * needed.
 *
 * Memory: a task's limit is RLIMIT_AS, counted on top of what the warm parent has mapped; a
 * program's is RLIMIT_DATA, because interpreters reserve more addresses than they use. Builds with
 * AddressSanitizer, which maps terabytes, have no memory limit. CPU time is counted by the kernel
 * in whole seconds, rounded up. */
#ifndef PLATEN_KIT_SANDBOX_H
#define PLATEN_KIT_SANDBOX_H

#include "core/step.h"

typedef enum SandboxKind {
    /* A forked child of a warm engine: memory (none that can be executed), threads, its
     * descriptors, nothing else. */
    SANDBOX_TASK,
    /* The same for work at the desk: a forbidden call is named on standard error before it
     * kills. */
    SANDBOX_DESK,
    /* Before exec of a plain engine: may exec and start processes; no network, no signals to
     * others, no ptrace, no mounts, no new users, no leaving its process group. Where Landlock is
     * there, it reads only the system's and its own folders, and writes nothing but its
     * descriptors. */
    SANDBOX_PROGRAM,
} SandboxKind;

/* Build what is needed once, in the warm parent or the server, after libraries are loaded, so that
 * the child only installs it. Repeated calls are harmless. Threads: any. Fault site
 * "sandbox.prepare". */
MUST_CHECK ErrCode sandbox_prepare(SandboxKind kind, Err *err);
/* What programs may read besides the system's folders (/usr, /lib …): folders joined by ":".
 * *out_fd is for sandbox_enter; -1 where the kernel has no Landlock: programs then read what their
 * user may read. Fault site "sandbox.files". */
MUST_CHECK ErrCode sandbox_readable(const char *folders, int *out_fd, Err *err);
/* Enter; no way back. Called in the child, after sandbox_prepare. Single-threaded processes only.
 * Only makes system calls, so it may run between fork and exec of a threaded process. Limits of 0
 * are not set. `readable` is for programs, -1 for the others. */
MUST_CHECK ErrCode sandbox_enter(SandboxKind kind, const StepLimits *limits, int readable,
                                 Err *err);

typedef struct SandboxLayers {
    bool no_new_privs, seccomp;
    int landlock_abi;  /* 0: the kernel has none */
    bool memory_limit; /* false in builds with AddressSanitizer */
} SandboxLayers;
/* What this kernel offers; for `platen doctor`. */
SandboxLayers sandbox_layers(void);

#endif

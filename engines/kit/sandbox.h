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
    /* A resident worker (kit/resident.h), after it has forked and before it loads its library: not
     * root, no new privileges, no network of any kind (no sockets but pairs), no other program (no
     * exec, no process, only threads), no signals to others; memory by RLIMIT_DATA. Where Landlock
     * is there, it reads the system's folders and writes its own (sandbox_workplace). */
    SANDBOX_RESIDENT,
    /* Before exec of a browser that encloses its own children: as SANDBOX_PROGRAM, but it may make
     * user, process and network namespaces and change its root, which is what its own sandbox is
     * made of; and Unix sockets. */
    SANDBOX_BROWSER,
} SandboxKind;

/* Build what is needed once, in the warm parent or the server, after libraries are loaded, so that
 * the child only installs it. Repeated calls are harmless. Threads: any. Fault site
 * "sandbox.prepare". */
MUST_CHECK ErrCode sandbox_prepare(SandboxKind kind, Err *err);
/* What programs may read besides the system's folders (/usr, /lib …): folders joined by ":".
 * *out_fd is for sandbox_enter; -1 where the kernel has no Landlock: programs then read what their
 * user may read. Fault site "sandbox.files". */
MUST_CHECK ErrCode sandbox_readable(const char *folders, int *out_fd, Err *err);
/* The same with folders that may be written: for resident workers and browsers. */
MUST_CHECK ErrCode sandbox_workplace(const char *readable, const char *writable, int *out_fd,
                                     Err *err);
/* Enter; no way back. Called in the child, after sandbox_prepare. Single-threaded processes only.
 * Only makes system calls, so it may run between fork and exec of a threaded process. Limits of 0
 * are not set. `readable` is for programs, workers and browsers, -1 for
 * the others. */
MUST_CHECK ErrCode sandbox_enter(SandboxKind kind, const StepLimits *limits, int readable,
                                 Err *err);

typedef struct SandboxLayers {
    bool no_new_privs, seccomp;
    int landlock_abi;  /* 0: the kernel has none */
    bool memory_limit; /* false in builds with AddressSanitizer */
} SandboxLayers;
/* What this kernel offers; for `platen doctor`. */
SandboxLayers sandbox_layers(void);

/* What a browser gets besides (engines/browser/launch.c); tried in a child. */
typedef struct SandboxNamespaces {
    bool network; /* one without an interface */
    bool user;    /* Chromium encloses its own renderers in one */
} SandboxNamespaces;
SandboxNamespaces sandbox_namespaces(void);

#endif

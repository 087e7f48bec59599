/* sandbox.h: what a process gives up before it reads a byte of somebody else's file.
 *
 * Layers, outermost first: no new privileges, not dumpable, killed with its parent, resource limits (memory, CPU time,
 * file size, open files, no core), no file system (Landlock, where the kernel has it), and a seccomp allow-list (hard
 * requirement: without it sandbox_enter fails). A forbidden call that matters ends the process with SIGSYS; calls that libraries try
 * by habit (open, stat, socket) answer EACCES, so that a library can go on without.
 * The portable floor of the design: works as root and as nobody, in containers too; no namespaces needed. */
#ifndef PLATEN_KIT_SANDBOX_H
#define PLATEN_KIT_SANDBOX_H

#include "core/step.h"

typedef enum SandboxKind {
    SANDBOX_TASK,    /* a forked child of a warm engine: memory, its descriptors, and nothing else */
    SANDBOX_PROGRAM, /* before exec of a plain engine: may read files and exec; no network, no writing outside descriptors
                        where Landlock is there, no ptrace, no mounts, no new users */
} SandboxKind;

/* Build the filters once in the warm parent, so that the child only installs them. */
MUST_CHECK ErrCode sandbox_prepare(Err *err);
/* Enter; no way back. Called in the child. Single-threaded processes only. */
MUST_CHECK ErrCode sandbox_enter(SandboxKind kind, const StepLimits *limits, Err *err);

typedef struct SandboxLayers {
    bool no_new_privs, seccomp;
    int landlock_abi; /* 0: the kernel has none */
} SandboxLayers;
/* What this kernel offers; for `platen doctor`. */
SandboxLayers sandbox_layers(void);

#endif

/* sandbox_in.h: the two lists behind sandbox.h: system calls (sandbox_calls.c) and files
 * (sandbox_files.c). */
#ifndef PLATEN_KIT_SANDBOX_IN_H
#define PLATEN_KIT_SANDBOX_IN_H

#include "kit/sandbox.h"

#include <linux/filter.h>

/* The seccomp program of `kind` as *out, whose filter lives until the process ends. */
MUST_CHECK ErrCode sandbox_calls_build(SandboxKind kind, struct sock_fprog *out, Err *err);

/* Highest Landlock ABI of this kernel, 0 when it has none. */
int sandbox_files_abi(void);
/* A Landlock ruleset for `kind`: nothing for a task, read and execute for a program. -1 when the
 * kernel has none. */
MUST_CHECK ErrCode sandbox_files_build(SandboxKind kind, int *out_fd, Err *err);
/* Apply it to this process. */
bool sandbox_files_enter(int ruleset_fd);

#endif

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
/* Give up all files but those already open. True where the kernel has no Landlock. */
bool sandbox_files_give_up(void);
/* Give up all files but those of the ruleset (sandbox_readable). */
bool sandbox_files_enter(int ruleset_fd);

#endif

/* task_in.h: one task in a forked child: receive the run, enter the sandbox, do the step, say how
 * it ended. */
#ifndef PLATEN_KIT_TASK_IN_H
#define PLATEN_KIT_TASK_IN_H

#include "kit/kit.h"
#include "kit/sandbox.h"

#include <sys/types.h>

enum {
    KIT_EXIT_OK = 0,
    KIT_EXIT_BROKEN = 3, /* the channel or the sandbox failed before the step could end */
    KIT_EXIT_MEMORY =
        77, /* a library gave up when memory ran out; the host makes it limit_memory */
};

typedef enum TaskGuard { TASK_SANDBOX, TASK_DESK, TASK_BARE } TaskGuard;

/* In the child. `channel` becomes KIT_FD, `resident` (-1: none) RESIDENT_FD, every other descriptor
 * is closed; standard input and
 * output become /dev/null, and standard error too except at the desk. `parent` is the process
 * without which this one shall not live. */
_Noreturn void task_serve(const KitEngine *engine, int channel, int resident, TaskGuard guard,
                          pid_t parent);

/* Load what the engine needs, and see that no thread is left: a fork takes only the calling one
 * along, and locks as they are. */
MUST_CHECK ErrCode warm_up(const KitEngine *engine, Err *err);

/* kit_main's three modes; each returns the exit status. */
int warm_serve(const KitEngine *engine);
int desk_run(const KitEngine *engine, int argc, char **argv);
const Step *task_find_step(const KitEngine *engine, Str name);

#endif

/* scratch.c: where libarchive's 7z writer keeps what it has packed until it knows the header.
 *
 * It makes a temporary file by mkstemp, and offers no other way; inside the sandbox nothing can be
 * opened. So this program has a mkstemp of its own, which the dynamic linker prefers to the C
 * library's: it hands out the task's nameless files. libarchive removes the name at once, which
 * fails without harm, because there is none.
 *
 * <stdlib.h> is left out on purpose: it would rename this function to mkstemp64. */
#include "archive/create_in.h"

static StepCtx *task; /* of this process's one task; mkstemp has no argument that could say it */

void scratch_for(StepCtx *c)
{
    task = c;
}

__attribute__((visibility("default"))) int mkstemp(char *name);
int mkstemp(char *name)
{
    int fd = -1;
    (void)name;
    if (task == NULL || step_scratch(task, &fd) != OK) {
        errno = ENOSPC;
        return -1;
    }
    return fd;
}

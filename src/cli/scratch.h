/* scratch.h: folders for a while, under TMPDIR. */
#ifndef PLATEN_CLI_SCRATCH_H
#define PLATEN_CLI_SCRATCH_H

#include "base/err.h"

/* Make a new folder called "PREFIX-XXXXXX" that only this user may enter; its path is in `a`. */
MUST_CHECK ErrCode scratch_make(Arena *a, const char *prefix, char **out, Err *err);
/* Remove the folder with all that is in it; links are removed, not followed. NULL: nothing. */
void scratch_remove(const char *path);

#endif

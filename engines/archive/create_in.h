/* create_in.h: temporary files for libarchive; see scratch.c. */
#ifndef PLATEN_ARCHIVE_CREATE_IN_H
#define PLATEN_ARCHIVE_CREATE_IN_H

#include "core/step.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>

/* Whose scratch files are given out from now on; NULL: nobody's. */
void scratch_for(StepCtx *c);

#endif

/* clamd.h: the ClamAV daemon, when there is one.
 *
 * The connection is made before the sandbox closes (kit.h, "before"); the file is streamed through it
 * (INSTREAM) afterwards. One connection serves one scan: the daemon closes it. */
#ifndef PLATEN_SECURITY_CLAMD_H
#define PLATEN_SECURITY_CLAMD_H

#include "base/err.h"

typedef struct ClamdResult {
    bool asked;          /* there was an answer */
    char signature[160]; /* "" when it found nothing */
    char message[200];   /* why there was no answer */
} ClamdResult;

/* Connect to PLATEN_CLAMD, or where Debian's daemon listens. Not being there is no error. */
void clamd_connect(void);
/* Stream all of it and wait for the verdict. */
void clamd_scan(Str bytes, ClamdResult *out);

#endif

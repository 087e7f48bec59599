/* sweep.h: once an hour: forget blobs that nothing names, then remove their files.
 *
 * Two graces: a blob's row stays for a day after it was last seen without anything that names it
 * (an upload that is to be used soon); its file stays for an hour after it was written or met again
 * (a request that is under way). */
#ifndef PLATEN_API_SWEEP_H
#define PLATEN_API_SWEEP_H

#include "api/app.h"

MUST_CHECK ErrCode sweeper_open(App *app, Sweeper **out, Err *err);
void sweeper_close(Sweeper **s);
/* One sweep now; for tests and doctor. */
MUST_CHECK ErrCode sweep_once(App *app, int64_t row_grace_ms, int64_t file_grace_ms, BlobSweep *out,
                              Err *err);

#endif

/* made.h: files from the side of jobs: what jobs made, and which jobs took or made some bytes.
 *
 * flow_made walks the outputs of a project's jobs, newest job first, by an index that only outputs
 * pay for. flow_uses reads who holds a blob (blob_ref), which every job with files writes anyway.
 *
 * Threads: any. Texts are in the arena given. */
#ifndef PLATEN_FLOW_MADE_H
#define PLATEN_FLOW_MADE_H

#include "db/db.h"

typedef struct MadeFile {
    int64_t job, place; /* place: which output, from 0 */
    int64_t size_bytes;
    Str name, type, hash, step;
    Str pipeline; /* of the job or of the one it is a step of; "" for none */
} MadeFile;

/* Called for each, newest first; false ends the walk. What `file` points to is given back after it
 * returned false in *keep. */
typedef bool (*MadeFn)(void *ctx, const MadeFile *file, bool *keep);

/* From before output `place` of `job` on (INT64_MAX: the newest), at most `limit`. *seen: how many
 * were looked at. */
MUST_CHECK ErrCode flow_made(DbConn *reader, int64_t project, int64_t job, int64_t place, int limit,
                             Arena *a, MadeFn fn, void *ctx, int *seen, Err *err);

enum { USE_FILES_MAX = 20 };
typedef struct JobUse {
    int64_t job;
    Str step, pipeline, state;
    int64_t taken, made; /* how often the bytes are among its inputs, its outputs */
    MadeFile *files;     /* taken: its outputs, else its inputs; the first ones */
    size_t files_len;
} JobUse;
/* Jobs that took or made these bytes, older than `before` (0: from the newest), newest first. */
MUST_CHECK ErrCode flow_uses(DbConn *reader, int64_t project, Str hash, int64_t before, int limit,
                             Arena *a, JobUse **out, size_t *len, bool *more, Err *err);

#endif

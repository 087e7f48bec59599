/* session.h: where `platen run` runs: in this process with the inline queue, or on a server. Either
 * way a job is its API JSON (api/write.h), so what follows does not care.
 *
 * Threads: the caller's only. */
#ifndef PLATEN_CLI_SESSION_H
#define PLATEN_CLI_SESSION_H

#include "cli/target.h"
#include "core/step.h"

typedef struct Session Session;

/* Local when server is empty: an app on a throwaway folder, removed by session_close. */
MUST_CHECK ErrCode session_open(Cli *cli, const TargetArgs *args, bool internal_steps,
                                Session **out, Err *err);
void session_close(Session **s);
/* The step's contract, memory of the session. ERR_UNKNOWN_STEP with the nearest name. */
MUST_CHECK ErrCode session_step(Session *s, Str name, const Step **out, Err *err);

typedef struct SessionFile {
    const char *path;
    Str name;
} SessionFile;
/* Start the step on these files. *job_id is in the session's memory. */
MUST_CHECK ErrCode session_submit(Session *s, const Step *step, Str params,
                                  const SessionFile *files, size_t files_len, Str *job_id,
                                  Err *err);
/* The job as it is after at most timeout_ms, or as soon as it has ended; memory from `a`. */
MUST_CHECK ErrCode session_wait(Session *s, Str job_id, int timeout_ms, Arena *a, const Json **job,
                                Err *err);
/* Copy output number `index` of the job to a descriptor. */
MUST_CHECK ErrCode session_fetch(Session *s, const Json *job, size_t index, int to_fd, Err *err);
/* What an ended job's step has noted, in `a`; none when it cannot be asked for. */
void session_notes(Session *s, Str job_id, Arena *a, StrList *out);
/* Ask the job to stop; nothing is awaited. */
void session_cancel(Session *s, Str job_id);

#endif

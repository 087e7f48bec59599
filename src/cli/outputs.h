/* outputs.h: where the results of `platen run` go.
 *
 *   -o DIR, or several outputs     files in the folder, made when missing; names that come twice get a number
 *   -o FILE                        that file: one input, one output
 *   --json without -o              a new folder under TMPDIR, which stays
 *   nothing                        text to standard output (with a header line each when there are several inputs); data when the step
 *                                  gives no file; other bytes only when standard output is no terminal and there is one input
 *
 * Files appear under their name when they are whole. Names come from the step and are not trusted:
 * no path leaves the folder. */
#ifndef PLATEN_CLI_OUTPUTS_H
#define PLATEN_CLI_OUTPUTS_H

#include "cli/session.h"

typedef struct Outputs {
    Arena *arena;
    const char *dir;  /* NULL: not into a folder */
    const char *file; /* NULL: not into one file */
    bool json, many_inputs, printed;
    int64_t files, bytes, started_us;
    Str *taken; /* names written so far, sorted by nothing: a set */
    size_t taken_len, taken_cap;
} Outputs;

MUST_CHECK ErrCode outputs_open(Outputs *o, Arena *a, const Step *step, Str output, bool json,
                                size_t inputs, Err *err);
/* Take the results of a finished job. `a` is scratch memory. */
MUST_CHECK ErrCode outputs_take(Outputs *o, Session *s, const Json *job, Str input, int64_t ms,
                                Arena *a, Err *err);
/* The JSON line of an input that failed. */
void outputs_print_failure(Outputs *o, Str input, const Err *err, int64_t ms);
/* "12 files, 3.4 MB in out/ · 1.2 s" on standard error, when there was a folder. */
void outputs_summary(const Outputs *o, size_t inputs, size_t failed);

#endif

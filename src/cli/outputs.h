/* outputs.h: where the results of `platen run` go.
 *
 *   -o DIR, or several inputs      files in the folder, made when missing; names that come twice get a number
 *   -o FILE                        that file: one job, one output
 *   -o -                           standard output, whatever it is
 *   --json without -o              a new folder under TMPDIR, which stays
 *   nothing                        text to standard output (with a header line each when there are several jobs); data when the step
 *                                  gives no file; other bytes only when standard output is no terminal and there is one job
 *
 * One output of a file is called as the file, with the ending of what was made; several get a folder
 * called as the file. The folders below an operand that is a folder are kept. No output is written
 * over an input of the same run: it gets a number then.
 *
 * Files appear under their name when they are whole. Names come from the step and are not trusted:
 * no path leaves the folder. */
#ifndef PLATEN_CLI_OUTPUTS_H
#define PLATEN_CLI_OUTPUTS_H

#include "cli/files.h"
#include "cli/session.h"

typedef struct OutputFile {
    dev_t device;
    ino_t inode;
} OutputFile;

typedef struct Outputs {
    Arena *arena;
    const char *dir;  /* NULL: not into a folder */
    const char *file; /* NULL: not into one file */
    bool json, many_jobs, printed;
    int64_t files, bytes, started_us;
    Str *taken; /* names written so far: a set by open addressing */
    size_t taken_len, taken_cap;
    OutputFile *inputs; /* sorted: not to be written over */
    size_t inputs_len;
} Outputs;

/* What of a job the names of its outputs come from. */
typedef struct OutputsOf {
    Str name, folder;
    bool renamed;         /* its one output is called as the file */
    const InputFile *all; /* all files of the job, when there are several; for --json */
    size_t all_len;
} OutputsOf;

/* What became of one job's outputs. */
typedef struct OutputsTaken {
    const char *path; /* of the first; NULL: none, or to standard output */
    size_t files;
    int64_t bytes;
} OutputsTaken;

MUST_CHECK ErrCode outputs_open(Outputs *o, Arena *a, const Step *step, Str output, bool json,
                                size_t jobs, const InputFiles *inputs, Err *err);
/* Take the results of a finished job. `a` is scratch memory. */
MUST_CHECK ErrCode outputs_take(Outputs *o, Session *s, const Json *job, const OutputsOf *of,
                                const StrList *notes, int64_t ms, Arena *a, OutputsTaken *taken,
                                Err *err);
/* The JSON line of a job that failed, or was not meant for the step (status "skipped"). */
void outputs_print_failure(Outputs *o, const OutputsOf *of, const char *status, const Err *err,
                           int64_t ms);

#endif

/* run_in.h: the jobs of one `platen run`: made by run.c from the command line, done by
 * run_jobs.c. */
#ifndef PLATEN_CLI_RUN_IN_H
#define PLATEN_CLI_RUN_IN_H

#include "cli/outputs.h"

#include <signal.h>

typedef struct RunArgs {
    Str output;
    StrList with;
    bool each, json, quiet;
    TargetArgs target;
} RunArgs;

/* One job: files[first .. first + count) and, when there are any, the files of --with. */
typedef struct RunJob {
    size_t first, count;
    Str id;
    Err *err; /* NULL: nothing is wrong with it */
    bool submitted, ended;
    int percent; /* of a running one, as far as it says */
    int64_t started_us, ms;
} RunJob;

typedef struct Run {
    Cli *cli;
    Session *session;
    const Step *step;
    const RunArgs *args;
    Str params;
    InputFiles files, with;
    RunJob *jobs;
    size_t jobs_len, next; /* next: to submit */
    Outputs outputs;
    TermProgress progress;
    int64_t looked_us; /* when the jobs under way were last looked at */
    size_t failed, skipped, kept;
    int64_t saved, source; /* bytes: of steps that say how much they save */
} Run;

extern volatile sig_atomic_t run_interrupted;

/* All of them; the exit code. */
int run_jobs(Run *r);

#endif

/* program.h: a jq program: compiled once, run on one value after another.
 *
 * Closed     no modules and no files (the sandbox opens none, and the search path is empty), an
 *            empty environment ($ENV is {}), no clock but `now`. `input` and `inputs` read on in the
 *            same input. What `debug` and `stderr` say becomes a note of the job, the first few.
 * Bounded    time and memory by the step's limits, nesting of results by PROGRAM_DEPTH_MAX. A
 *            program that nests so deeply that the stack ends is ERR_LIMIT_DEPTH: nothing of it may
 *            be used afterwards, and nothing is freed.
 * Numbers    are doubles, as always in jq 1.6: whole numbers are exact up to 2^53.
 *
 * One program at a time: the environment and the signal handler belong to the process. */
#ifndef PLATEN_DATA_PROGRAM_H
#define PLATEN_DATA_PROGRAM_H

#include "core/step.h"

enum { PROGRAM_DEPTH_MAX = 60, PROGRAM_NOTES_MAX = 10 };

typedef struct Program Program;

/* A result, as JSON on one line; `text` when it is text, without quotes. Both live until the call
 * returns. */
typedef struct ProgramResult {
    Str json, text;
    bool is_text;
} ProgramResult;
typedef ErrCode (*ProgramResultFn)(void *ctx, const ProgramResult *r);

typedef struct ProgramJob {
    StepCtx *c;
    Str source;
    const Json *names; /* an object: its members are $name; NULL: none */
    Str input;         /* JSON values one after another; "": one null */
    bool slurp;        /* all of them are one list */
    ProgramResultFn result;
    void *ctx;
} ProgramJob;

/* Compile and run to the end. ERR_BAD_PARAM (program): it does not compile. ERR_TRANSFORM_FAILED: it
 * stopped with an error; c->err has jq's message. ERR_INPUT_DAMAGED: the input is no JSON, with the
 * number of the value. Else what `result` gave. */
MUST_CHECK ErrCode program_run(const ProgramJob *job);

#endif

/* talk_in.h: what an engine says, read as if an enemy had written it.
 *
 * An engine that has read somebody's file may be anybody. Each message is parsed and checked here
 * and comes out as plain values: names that are safe to show and store, amounts in range, reasons
 * that an engine can have. Pure: no state, no system calls; tests/fuzz/fuzz_engine_message.c feeds
 * it anything. */
#ifndef PLATEN_ENGINE_TALK_IN_H
#define PLATEN_ENGINE_TALK_IN_H

#include "core/step.h"

typedef enum SaidKind {
    SAID_OUTPUT,
    SAID_SCRATCH,
    SAID_CALL,
    SAID_PROGRESS,
    SAID_USAGE,
    SAID_NOTE,
    SAID_RESULT,
    SAID_ERROR,
    SAID_TASK, /* of a warm parent: first message */
    SAID_EXIT, /* of a warm parent: last message; a child can forge it, at its own cost */
} SaidKind;

typedef struct Said {
    SaidKind kind;
    Str name, type;      /* OUTPUT: one path component, a media type */
    int64_t done, total; /* PROGRESS: 0 <= done, total; total 0: unknown */
    Str text;            /* PROGRESS, NOTE: one line, cut to a sensible length */
    Str unit;            /* USAGE: a lower-case word */
    int64_t amount;      /* USAGE: 0 to 2^53 */
    const Json *params;  /* CALL: an object; the step is `name` */
    const Json *inputs;  /* CALL: an array of objects, one per descriptor */
    const Json *data;    /* RESULT: an object */
    Err error;           /* ERROR: code, text, hint and param filled in */
    int64_t pid;         /* TASK */
    bool signaled;       /* EXIT: `status` is a signal, else an exit code */
    int status;
    int64_t cpu_ms, memory_bytes; /* EXIT */
} Said;

enum { SAID_NAME_MAX = 200, SAID_TEXT_MAX = 500, SAID_UNIT_MAX = 32 };

/* A name or a media type from an engine, made harmless: for the inputs of a CALL. */
Str talk_safe_name(Arena *a, Str s);
Str talk_safe_type(Str s);

/* Read one message that came with `fds_len` descriptors. Texts are in `scratch` or point into
 * `text`. `step` tells which reasons it may fail with; NULL before a run. ERR_ENGINE_PROTOCOL: it
 * is none of the above. */
MUST_CHECK ErrCode talk_read(Str text, size_t fds_len, const Step *step, Arena *scratch, Said *out,
                             Err *err);

/* What became of a process that ended without a result. */
typedef struct TalkEnd {
    bool signaled;
    int status;
    int64_t cpu_ms, memory_bytes;
    bool output_full; /* an output is at its limit */
} TalkEnd;
/* Its reason; *err gets the message. Never OK. */
ErrCode talk_judge(const TalkEnd *end, const StepLimits *limits, Err *err);

/* {"run":{…}} for the engine into `b`. */
void talk_put_run(Buf *b, const Step *step, Str params, const StepLimits *limits,
                  const StepInput *inputs, size_t inputs_len);

#endif

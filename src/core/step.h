/* step.h: a capability, described once.
 *
 * A step is a `const Step` in one C file: name, what it accepts, its parameters (param.h), what it
 * gives back, its limits, and the function that does it. Every surface (REST, OpenAPI, command
 * line, docs, forms, tests) is read from this table. A step that parses untrusted bytes lives in an
 * engine (engines/<name>/<verb>.c) and reaches the server as the JSON that the engine prints for
 * --describe; the server then holds the same struct without `run`.
 *
 * Steps are repeatable: a task can run twice (see queue/queue.h), so running again with the same
 * input must give the same result and no second effect. */
#ifndef PLATEN_CORE_STEP_H
#define PLATEN_CORE_STEP_H

#include "core/param.h"

typedef struct StepInput {
    Str name; /* as uploaded: for messages and hints only, never trusted */
    Str type; /* media type as declared by the sender, or "" */
    int fd;   /* read-only, positioned at 0, seekable */
    int64_t size_bytes;
} StepInput;

/* What a running step may ask of whoever runs it: the engine protocol, the server, or a test. */
typedef struct StepReply StepReply;
typedef struct StepHost {
    /* A new empty output to write to; the host keeps it when the step succeeds. The caller closes
     * *out_fd. */
    ErrCode (*output)(void *ctx, Str name, Str type, int *out_fd, Err *err);
    void (*progress)(void *ctx, int64_t done, int64_t total, Str note);
    void (*usage)(void *ctx, Str unit, int64_t amount);
    void (*note)(void *ctx, Str text); /* a line for the job's history */
    bool (*canceled)(void *ctx);
    ErrCode (*scratch)(void *ctx, int *out_fd, Err *err); /* NULL: none to be had */
    ErrCode (*call)(void *ctx, Arena *a, Str step, Str params, const StepInput *inputs,
                    size_t inputs_len, StepReply *out, Err *err); /* NULL: nobody to call */
    ErrCode (*ask)(void *ctx, const char *what, int64_t time_ms, JsonOut *out,
                   Err *err); /* NULL: nobody to ask */
} StepHost;

typedef struct StepCtx {
    Arena *arena; /* gone when the step ends */
    Err *err;
    const StepInput *inputs;
    size_t inputs_len;
    int input_fd;    /* inputs[0].fd, or -1 */
    int64_t attempt; /* of the task, from 1; 0: not known. A step may not depend on it, except those
                        that test attempts */
    JsonOut *data;   /* the open object of results: json_kv_int(c->data, "pages", n) */
    const StepHost *host;
    void *host_ctx;
} StepCtx;

MUST_CHECK ErrCode step_output(StepCtx *c, Str name, Str type, int *out_fd);
/* Write a whole output in one call. */
MUST_CHECK ErrCode step_output_bytes(StepCtx *c, Str name, Str type, Str bytes);
void step_progress(StepCtx *c, int64_t done, int64_t total, const char *note);
void step_usage(StepCtx *c, const char *unit, int64_t amount); /* "pages", "images", "bytes" … */
void step_note(StepCtx *c, Str text);
bool step_canceled(StepCtx *c);

/* A nameless file to write and read again (say, what is handed to another step); gone with the task.
 * The caller closes it. */
MUST_CHECK ErrCode step_scratch(StepCtx *c, int *out_fd);

/* Run another step, in its own engine and sandbox, and wait for it. Only steps that this step's
 * `calls` names can be called. The inputs are files of this task: its own inputs, scratch files, or
 * what another call gave; they stay the caller's. The called step's limits are its own; the time it
 * waits for its turn counts for nobody, the time it runs counts for neither limit of the caller but
 * the memory does. Its usage and notes become this task's. When it fails, its reason, message and
 * hint are this call's. Calls are nested three deep at most (ERR_LIMIT_DEPTH). */
struct StepReply {
    const Json *data;   /* an object; memory of the caller's arena */
    StepInput *outputs; /* read-only, positioned at 0; the caller closes them: step_reply_close */
    size_t outputs_len;
};
MUST_CHECK ErrCode step_call(StepCtx *c, const char *step, Str params, const StepInput *inputs,
                             size_t inputs_len, StepReply *out);
void step_reply_close(StepReply *r);

/* The server about the job's own project, for built-in steps: "usage" since a time, "cleanup" of ended
 * jobs from before a time (work/ask.c). The answer's members go into the open object c->data. */
MUST_CHECK ErrCode step_ask(StepCtx *c, const char *what, int64_t time_ms);

typedef struct StepLimits {
    int64_t time_ms; /* wall clock, kept by the host */
    int64_t cpu_ms;
    int64_t memory_bytes;
    int64_t output_bytes; /* of one output */
} StepLimits;

/* A field of the result's `data`, for the schemas and the docs. `items` describes the members of an
 * OBJECT, or of each object in a LIST; a LIST without items holds text. */
typedef enum FieldType {
    FIELD_TYPE_END,
    FIELD_TYPE_INT,
    FIELD_TYPE_NUMBER,
    FIELD_TYPE_BOOL,
    FIELD_TYPE_TEXT,
    FIELD_TYPE_LIST,
    FIELD_TYPE_OBJECT,
    FIELD_TYPE_ANY,
} FieldType;
const char *
step_field_type_name(FieldType t); /* "int", "number", "bool", "text", "list", "object", "any" */
typedef struct Field {
    const char *name;
    FieldType type;
    const char *help;
    bool optional; /* may be missing */
    const struct Field *items;
    bool nullable;         /* may be null */
    const char *format;    /* TEXT: "date-time", "uri" …, as JSON Schema names them */
    const Choice *choices; /* TEXT: the only values; ends with {0} */
} Field;

/* Run as a test: expect is a list of conditions separated by ";": an output's media type
 * ("image/webp"), or "name=value" / "name>=value" on data ("pages>=1"), or "reason=limit_ratio"
 * when it must fail. `input` is a file of samples/. */
typedef struct Example {
    const char *title;
    const char *input; /* NULL: none */
    const char *args;  /* JSON object, or NULL */
    const char *expect;
} Example;

typedef struct Step {
    const char *name;    /* "image.convert" */
    const char *title;   /* "Convert image" */
    const char *summary; /* one sentence */
    const char *since;
    const char *accepts; /* media types joined by commas, "image/" + "*" for a family; NULL: takes
                            no file */
    const char *returns; /* media types of the outputs joined by commas; NULL: only data */
    int inputs_max;      /* files per task; 0 means 1 when it accepts any */
    bool input_optional; /* may run without a file although it accepts one */
    int version;         /* raise it when the same input gives another result */
    bool cacheable;      /* the result depends on parameters and input bytes only */
    bool internal;       /* for tests and benchmarks: not listed unless asked for */
    const char *engine;  /* NULL: built in. Set by the server from the engine that described it */
    const char *calls;   /* steps it may call (step_call), joined by commas; NULL: none */
    const char *outside; /* the parameter that names the queue its tasks stand in: it has no `run`,
                            outside workers do it (flow/outside.h). NULL: done here */
    int concurrency;     /* how many of it may run at once; waiting costs none of its time limit.
                            0: as many as there are runners */
    int attempts;        /* default number of attempts; 0: 3 */
    StepLimits limits;   /* 0: the server's default */
    const Param *params; /* ends with PARAM_END; NULL: none */
    size_t args_size;
    const Field *data;       /* ends with {0}; NULL: none */
    const ErrCode *errors;   /* it may fail with these besides the general ones; ends with OK */
    const Example *examples; /* ends with {0} */
    ErrCode (*run)(StepCtx *c,
                   const void *args); /* NULL in a process that only knows the description */
} Step;

/* Does the step read this media type? "image/jpeg" matches "image/" + "*"; parameters after ";" are
 * ignored. */
bool step_accepts(const Step *s, Str media_type);

/* The description as one JSON object, and back. Reading checks every field; texts are copied into
 * `a`. Unknown members are ignored, so a newer engine can serve an older server;
 * ERR_ENGINE_PROTOCOL names the place. --describe prints
 * {"platen":1,"engine":…,"version":…,"steps":[…]} with these objects. */
void step_put_json(const Step *s, JsonOut *j);
MUST_CHECK ErrCode step_from_json(const Json *j, Arena *a, Step *out, Err *err);

/* Run a step in this process: checks nothing about the input file, allocates args, fills them from
 * canonical `params` ("": none), opens and closes the data object into *out_data (JSON text in
 * c->arena). c->data may be NULL before. When it fails, c->err says why even if the step did not.
 * More than STEP_DATA_MAX bytes of data (they must fit into one message of the engine protocol):
 * ERR_LIMIT_OUTPUT. */
enum { STEP_DATA_MAX = 96 * 1024 };
MUST_CHECK ErrCode step_run(const Step *s, StepCtx *c, Str params, Str *out_data);

#endif

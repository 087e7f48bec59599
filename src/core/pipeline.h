/* pipeline.h: a pipeline as people write it, read, checked against the contracts, ready to run.
 *
 *   name: blog
 *   title: Blog article                       # optional; also summary
 *   inputs:
 *     source: {type: file, required: true, accepts: image/png}      # file | files | document
 *     tone:   {type: choice, choices: [plain, warm], default: plain}     # text int number bool choice list json
 *   defaults: {retry: 5, timeout: 10m}        # any of: retry timeout queue priority memo
 *   secrets: [WORDPRESS_PASSWORD]             # what secrets.NAME may be used (only for secret parameters)
 *   concurrency: {key: "${{ inputs.customer }}", limit: 1}
 *   timeout: 2h                               # of the whole job, waits included
 *   on: …                                     # triggers: src/hook/trigger.h reads them
 *   steps:
 *     text:     {uses: document.extract, with: {file: "${{ inputs.source }}", format: markdown}}
 *     chapters: {uses: chapter.write, foreach: "${{ steps.text.chapters }}", with: {chapter: "${{ item }}"}}
 *     sizes:    {uses: image.convert, matrix: {width: [320, 640], format: [webp, avif]}, with: {…"${{ matrix.width }}"…}}
 *     review:   {wait: approval, who: reviewer, timeout: 7d, on-timeout: fail}
 *     more:     {call: other-pipeline, with: {…}}
 *   on-failure: {tell: {uses: …}}             # nodes that run when the steps have failed
 *   finally:    {tidy: {uses: …}}             # nodes that run at the end in any case
 *   outputs: {article: "${{ steps.text.output }}"}
 *
 * A node begins when all nodes it needs have ended: those in `needs` and those that its expressions
 * name (steps.X). Node by node:
 *   if                 false: skipped; steps.X is null for others, and those that need it go on
 *   foreach, matrix    one child job per item or combination (at most ITEMS_MAX), `item`, `index`,
 *                      `matrix`; max-parallel at once (default 100); the node's value is the list
 *                      of the children's values in order
 *   on-item-failure    finish (default): all items run, the node fails if one did; stop: no further
 *                      item begins; ignore: the node is done, a failed item's value is null
 *   continue-on-error  a failed node counts as done for others; its value has state and reason
 *   retry              attempts, or {attempts, delay}: delay is the base of the backoff
 *   timeout            of one attempt; of a wait: how long it waits
 *   wait               approval (who: least role), signal (signal: NAME, default the node's id),
 *                      time (for: 10m, or until: RFC 3339 text), callback (waits.ID.url is its
 *                      address); on-timeout: fail (default) or continue (value {timed_out: true})
 * When a node fails, what needs it is omitted and all else goes on; the job then fails with the
 * first failed node's reason. So the end does not depend on who was faster.
 *
 * A call's `with` holds values and files by the names of the other pipeline's inputs, so its node has
 * no `file`. `if` may be written with or without ${{ }}. With foreach and matrix, `if` is asked once.
 *
 * Values. inputs.NAME. steps.ID: the fields of the step's data; besides `state`, `reason`,
 * `outputs` (list of files), `output` (the first) and a file by the short name of its type: text
 * markdown html json csv xml pdf image audio video zip. A file is {name, type, bytes, blob}. In
 * `with`, `file` (or `inputs`, or `document`) is what goes in: a file, a list of files, or an
 * input's value. failure: {step, reason, detail} in on-failure and finally. job: {id, created}.
 * trigger: what started it. secrets.NAME. waits.ID.url.
 *
 * Durations: 500ms, 30s, 10m, 2h, 7d, or a number of seconds.
 *
 * pipeline_read checks everything at once: unknown keys, types, steps, parameters and their ranges
 * (values without expressions are checked by param_check), unknown references (inputs, steps, their
 * fields as the contract names them, secrets), cycles, missing files. Each fault has its line.
 * Cost: O(size of the text). Threads: the result is constant. */
#ifndef PLATEN_CORE_PIPELINE_H
#define PLATEN_CORE_PIPELINE_H

#include "core/expr.h"
#include "core/registry.h"

enum {
    PIPELINE_NODES_MAX = 200,
    PIPELINE_INPUTS_MAX = 64,
    PIPELINE_ITEMS_MAX = 10000, /* of one foreach or matrix */
    PIPELINE_PARALLEL_MAX = 1000,
    PIPELINE_PARALLEL_DEFAULT = 100,
    PIPELINE_CALLS_DEEP = 5,
    PIPELINE_NAME_MAX = 64, /* a-z 0-9 - _ . ; begins with a letter */
    PIPELINE_TEXT_MAX = 1 << 20,
};

typedef enum NodeKind { NODE_STEP, NODE_CALL, NODE_WAIT } NodeKind;
typedef enum NodeSection { SECTION_STEPS, SECTION_ON_FAILURE, SECTION_FINALLY } NodeSection;
typedef enum WaitKind { WAIT_APPROVAL, WAIT_SIGNAL, WAIT_TIME, WAIT_CALLBACK } WaitKind;
typedef enum ItemFailure { ITEM_FINISH, ITEM_STOP, ITEM_IGNORE } ItemFailure;

typedef struct Node {
    Str id;
    int line; /* 0: not known */
    NodeKind kind;
    NodeSection section;
    const Expr *when;        /* if; NULL: always */
    const Template *with;    /* object without the files; NULL: none */
    const Template *file;    /* what goes in; NULL: nothing */
    const Template *foreach; /* a list; NULL: once */
    const Template *matrix;  /* an object of lists; NULL */
    int max_parallel;
    ItemFailure on_item_failure;
    bool continue_on_error, memo;
    const int *needs; /* indexes of nodes, all before this one */
    size_t needs_len;

    /* NODE_STEP */
    Str uses;
    const Step *step; /* NULL: this server does not know it (any more) */
    /* NODE_CALL */
    Str call; /* name of a pipeline */
    /* NODE_STEP, NODE_CALL */
    int64_t attempts, retry_ms; /* 0: the step's default; base of the backoff, 0: the default */
    int64_t timeout_ms;         /* NODE_WAIT: how long it waits; 0: for ever */
    int64_t priority;           /* PIPELINE_NO_PRIORITY: the job's */
    Str queue;                  /* "": the step's */
    /* NODE_WAIT */
    WaitKind wait;
    Str who;               /* WAIT_APPROVAL: least role, "reviewer" */
    Str signal;            /* WAIT_SIGNAL */
    const Template *until; /* WAIT_TIME: RFC 3339 text; NULL: for_ms */
    int64_t for_ms;
    bool on_timeout_continue;
} Node;
#define PIPELINE_NO_PRIORITY INT64_MIN

typedef struct FileInput {
    Str name, help, accepts; /* media types joined by commas; "": any */
    bool required, many;
} FileInput;

typedef struct Pipeline {
    Str name, title, summary;
    const Param *inputs; /* values; ends with PARAM_END: the same table as a step's, so REST, forms
                            and the command line read it the same way */
    const FileInput *files;
    size_t files_len;
    const Node *nodes; /* each after all it needs; steps, then on-failure, then finally */
    size_t nodes_len;
    const Template *outputs;         /* object; NULL: the files of the nodes that nobody needs */
    const Template *concurrency_key; /* NULL: none */
    int64_t concurrency_limit;
    int64_t timeout_ms; /* of the job; 0: none */
    const Str *secrets;
    size_t secrets_len;
    const Json *on; /* triggers, as written; NULL: none */
} Pipeline;

enum { PIPELINE_FAULTS_MAX = 100 };
typedef struct PipelineFault {
    Str path;   /* "steps.text.with.format" */
    int line;   /* 0: not known */
    Str detail; /* "must be one of text, markdown …, not \"mark\"" */
} PipelineFault;
typedef struct PipelineFaults {
    PipelineFault items[PIPELINE_FAULTS_MAX];
    size_t len;
} PipelineFaults;

/* What the reader must know of the world. */
typedef struct PipelineWorld {
    const Registry *registry;
    /* Inputs of another pipeline, for `call`: false when there is none. NULL: calls are not
     * checked (a stored version is read again: it was checked when it came in). */
    bool (*find)(void *ctx, Str name, const Pipeline **out);
    void *ctx;
    bool stored; /* lenient: steps that are gone are left with step = NULL */
} PipelineWorld;

/* `tree`: the YAML or JSON as values; `lines` (NULL allowed): an object from path
 * ("/steps/text/with") to line, as the step data.yaml gives it. All memory in `a`; the tree must
 * live as long. ERR_BAD_PIPELINE: every fault is in *faults, *err carries the first. */
MUST_CHECK ErrCode pipeline_read(const Json *tree, const Json *lines, const PipelineWorld *w,
                                 Arena *a, Pipeline *out, PipelineFaults *faults, Err *err);

const Node *pipeline_node(const Pipeline *p, Str id); /* NULL: there is none */
int pipeline_node_index(const Pipeline *p, Str id);   /* -1 */
bool pipeline_name_ok(Str name);
/* "10m" → 600000; -1 when it is none. */
int64_t pipeline_duration_ms(const Json *j);
/* Short name of a media type among the outputs ("markdown"); NULL: it has none. */
const char *pipeline_type_name(Str media_type);

/* Its inputs as JSON Schema's object, for OpenAPI and forms. */
void pipeline_put_inputs(const Pipeline *p, JsonOut *j);

/* The words of the language for editors, as members of an open object: keys (which key may stand
 * where, with help and values), functions, roots of expressions, and what a step, a file and a wait
 * give. The same tables that pipeline_read checks with. */
void pipeline_put_language(JsonOut *j);

/* The difference of two versions, as a list of {kind: added|removed|changed, path, from, to} in the
 * order of paths; equal definitions give []. */
void pipeline_put_diff(const Json *from, const Json *to, JsonOut *j);

#endif

/* pipeline_in.h: shared by the files that read and check a pipeline (pipeline_read.c drives them).
 *
 *   pipeline_read.c    the top level, in this order:
 *   pipeline_inputs.c  inputs → a Param table and the files
 *   pipeline_node.c    the shape of each node: keys, kinds, numbers
 *   pipeline_with.c    what goes into each node, against its contract; foreach, matrix, if
 *   pipeline_refs.c    what an expression may name, and of which type that is
 *   pipeline_order.c   needs, cycles, the order in which nodes stand
 *   pipeline_language.c  the one table of keys, which all of these ask
 *
 * Every function reports what is wrong (pipe_fault) and goes on, so that one look finds it all. */
#ifndef PLATEN_CORE_PIPELINE_IN_H
#define PLATEN_CORE_PIPELINE_IN_H

#include "core/nearest.h"
#include "core/pipeline.h"

/* Where in the text: a chain of keys that lives on the stack. */
typedef struct Place {
    const struct Place *up; /* NULL: the top */
    Str key;
} Place;

/* A node while it is read: in the definition's order. */
typedef struct Draft {
    Node node;
    const Json *source;
    bool *need;             /* by draft's index: same section, must end before this begins */
    const Pipeline *called; /* NODE_CALL; NULL: not known */
    bool many;              /* foreach or matrix */
    bool broken;            /* no kind: nothing more can be said of it */
} Draft;

typedef struct PipeDefaults {
    int64_t attempts, retry_ms, timeout_ms, priority;
    Str queue;
    bool memo;
} PipeDefaults;

typedef struct PipeReader {
    Arena *arena;
    PipelineFaults *faults;
    const Json *lines, *inputs; /* as written */
    const PipelineWorld *world;
    bool no_memory;
    Pipeline *p;
    PipeDefaults defaults;
    Draft *drafts;
    size_t drafts_len;
} PipeReader;

void pipe_fault(PipeReader *r, const Place *at, const char *fmt, ...) PRINTF(3, 4);
void *pipe_memory(PipeReader *r, void *p); /* remembers a NULL; gives back p */
int pipe_line(const PipeReader *r, const Place *at);
/* What somebody meant: "; did you mean \"width\"?" or "". */
typedef struct Meant {
    char text[96];
} Meant;
Meant pipe_meant(const Nearest *n);
/* At most 40 bytes of it, for messages. */
Str pipe_short(Str s);

/* Keys: pipeline_language.c */
typedef enum PipeKeyPlace {
    KEY_TOP = 1,
    KEY_STEP = 2, /* KEY_STEP << NodeKind: where a node of this kind has them */
    KEY_CALL = 4,
    KEY_WAIT = 8,
    KEY_DEFAULTS = 16,
    KEY_RETRY = 32,
    KEY_CONCURRENCY = 64,
    KEY_INPUT = 128,
    KEY_FILE_INPUT = 256,
} PipeKeyPlace;
typedef struct PipeKey {
    const char *name;
    unsigned places;           /* PipeKeyPlace */
    const char *type;          /* of its value, for editors */
    const char *const *values; /* the words it may be, the first when it is missing; NULL: any */
    const char *only;          /* of a wait: the kind that has it; NULL: all */
    const char *help;          /* one sentence */
} PipeKey;
const PipeKey *pipe_key(Str name, unsigned places); /* NULL: not known there */
void pipe_nearest_key(Nearest *n, unsigned places);
const char *const *pipe_words(const char *key, unsigned place);  /* its values; ends with NULL */
const char *pipe_words_text(Arena *a, const char *const *words); /* "one, two or three" */
/* Keys of an object. False when it is no object; each that is not known is a fault. */
bool pipe_keys(PipeReader *r, const Place *at, const Json *object, PipeKeyPlace place);
void pipe_put_roots(JsonOut *j); /* pipeline_refs.c */
bool pipe_word_ok(Str s);        /* letter, then letters, digits, - and _; at most 64 */
Str pipe_text(PipeReader *r, const Place *up, const Json *object, const char *key, size_t max);
bool pipe_flag(PipeReader *r, const Place *up, const Json *object, const char *key, bool otherwise);
int64_t pipe_int(PipeReader *r, const Place *up, const Json *object, const char *key, int64_t min,
                 int64_t max, int64_t otherwise);
int64_t pipe_duration(PipeReader *r, const Place *up, const Json *object, const char *key,
                      int64_t otherwise);
void pipe_retry(PipeReader *r, const Place *up, const Json *object, int64_t *attempts,
                int64_t *delay_ms);

void pipe_inputs(PipeReader *r, const Place *at, const Json *inputs);
/* The shape of a section's nodes, appended to r->drafts. */
void pipe_section(PipeReader *r, const Place *at, const Json *nodes, NodeSection section);
/* Everything in a draft that holds expressions. */
void pipe_node_values(PipeReader *r, Draft *d);
void pipe_outputs(PipeReader *r, const Place *at, const Json *outputs);
/* r->drafts → r->p->nodes. */
void pipe_order(PipeReader *r);

Draft *pipe_draft(PipeReader *r, Str id); /* NULL: there is none */
Place pipe_section_place(NodeSection s);
const FileInput *pipe_file_input(const Pipeline *p, Str name);

/* References */

typedef enum PipeRoot {
    ROOT_INPUTS = 1,
    ROOT_STEPS = 2,
    ROOT_ITEM = 4,
    ROOT_MATRIX = 8,
    ROOT_SECRETS = 16,
    ROOT_FAILURE = 32,
    ROOT_JOB = 64,
    ROOT_TRIGGER = 128,
    ROOT_WAITS = 256,
} PipeRoot;

typedef enum ValueKind {
    VALUE_ANY,
    VALUE_INT,
    VALUE_NUMBER,
    VALUE_BOOL,
    VALUE_TEXT,
    VALUE_LIST,
    VALUE_OBJECT,
    VALUE_FILE,
    VALUE_FILES,
    VALUE_STEP, /* all that a step gave */
    VALUE_SECRET,
    VALUE_WRONG, /* reported already */
} ValueKind;
const char *pipe_kind_name(ValueKind k); /* "text", "a file" … */

typedef struct RefScope {
    PipeReader *r;
    Draft *draft;   /* NULL: not in a node */
    unsigned roots; /* PipeRoot: what may be named here */
} RefScope;

/* Check all references of a value and of everything in it, and say what kind of value it gives
 * (VALUE_ANY when that is not known). `at`: its place. */
ValueKind pipe_check_value(const RefScope *s, const Place *at, const Json *value);
ValueKind pipe_check_expr(const RefScope *s, const Place *at, const Expr *e);
/* The template, checked; NULL: a fault, or no memory. */
const Template *pipe_template(const RefScope *s, const Place *at, const Json *value,
                              ValueKind *kind);

#endif

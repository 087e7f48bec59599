/* param.h: the typed table of a step's parameters, and everything that can be done with one.
 *
 * A parameter is described here and nowhere else. The macros tie it to a field of the step's args
 * struct, and do not compile when the field has another type: PARAM_INT wants int64_t, PARAM_NUMBER
 * double, PARAM_BOOL bool, PARAM_TEXT Str, PARAM_CHOICE int (an index into its choices), PARAM_LIST
 * StrList, PARAM_JSON const Json *.
 *
 * Absence: a parameter that is not required and not given takes its default. An INT or NUMBER whose
 * default lies outside its own range has none: it arrives as 0 and the schema shows no default
 * ("width" left out means "as it is"). A CHOICE whose default is -1 has none and arrives as -1.
 * JSON null counts as not given. A required TEXT or LIST is not empty. A BOOL always starts false,
 * so every surface can say it by presence. min == max == 0 means any value.
 *
 * The way of a value: JSON body, query string, form field or flag → param_from_text / JSON →
 * param_check (all faults at once, canonical JSON with defaults filled in, in table order) → stored
 * with the job → param_fill into the args struct, in the process that runs the step. Equal
 * arguments give equal canonical text: it is a cache key. */
#ifndef PLATEN_CORE_PARAM_H
#define PLATEN_CORE_PARAM_H

#include "base/json.h"

typedef enum ParamType {
    PARAM_TYPE_END,
    PARAM_TYPE_INT,
    PARAM_TYPE_NUMBER,
    PARAM_TYPE_BOOL,
    PARAM_TYPE_TEXT,
    PARAM_TYPE_CHOICE,
    PARAM_TYPE_LIST, /* of text; on the command line: given again and again, or joined by commas */
    PARAM_TYPE_JSON, /* any JSON value */
} ParamType;

typedef struct Choice {
    const char *name, *help;
} Choice;

typedef struct StrList {
    Str *items;
    size_t len;
} StrList;

enum { PARAM_TEXT_MAX = 1 << 20, PARAM_LIST_MAX = 1000 };

typedef struct Param {
    const char *name; /* what a user would say: "width" */
    ParamType type;
    size_t offset; /* into the args struct; unused for steps read from JSON */
    bool required;
    bool secret;      /* never in logs, events, lists or answers */
    const char *help; /* one sentence */
    const char *unit; /* "px", "ms" … or NULL */
    const char *example;
    const char *since; /* version, when newer than the step */
    const char *replaced_by;
    int64_t min, max, def;            /* INT; CHOICE: def is the index */
    double min_num, max_num, def_num; /* NUMBER */
    const char *def_text;             /* TEXT; LIST: joined by commas; JSON: JSON text */
    int64_t max_len;       /* TEXT: bytes; LIST: items. 0: PARAM_TEXT_MAX, PARAM_LIST_MAX */
    const Choice *choices; /* ends with {0} */
} Param;

/* Zero, as a constant, when the field has type F; does not compile otherwise. */
#define PARAM_TYPE_IS(T, field, F)                                                                 \
    (0 * sizeof(char[_Generic(&((T *)0)->field, F * : 1, default : -1)]))
#define PARAM_FIELD(T, field_, type_, F, ...)                                                      \
    {                                                                                              \
        .name = #field_, .type = type_,                                                            \
        .offset = offsetof(T, field_) + PARAM_TYPE_IS(T, field_, F), __VA_ARGS__                   \
    }
#define PARAM_INT(T, field, ...)    PARAM_FIELD(T, field, PARAM_TYPE_INT, int64_t, __VA_ARGS__)
#define PARAM_NUMBER(T, field, ...) PARAM_FIELD(T, field, PARAM_TYPE_NUMBER, double, __VA_ARGS__)
#define PARAM_BOOL(T, field, ...)   PARAM_FIELD(T, field, PARAM_TYPE_BOOL, bool, __VA_ARGS__)
#define PARAM_TEXT(T, field, ...)   PARAM_FIELD(T, field, PARAM_TYPE_TEXT, Str, __VA_ARGS__)
#define PARAM_CHOICE(T, field, ...) PARAM_FIELD(T, field, PARAM_TYPE_CHOICE, int, __VA_ARGS__)
#define PARAM_LIST(T, field, ...)   PARAM_FIELD(T, field, PARAM_TYPE_LIST, StrList, __VA_ARGS__)
#define PARAM_JSON(T, field, ...)   PARAM_FIELD(T, field, PARAM_TYPE_JSON, const Json *, __VA_ARGS__)
#define PARAM_END                                                                                  \
    {                                                                                              \
        .type = PARAM_TYPE_END                                                                     \
    }

#define param_each(p, params)                                                                      \
    for (const Param *p = (params); p != NULL && p->type != PARAM_TYPE_END; p++)

const Param *param_find(const Param *params, Str name); /* NULL: there is none */
bool param_has_default(const Param *p);
/* The default as a JSON value; nothing is written when it has none. */
void param_put_default(const Param *p, JsonOut *j);
const char *
param_type_name(ParamType t);        /* "int", "number", "bool", "text", "choice", "list", "json" */
ParamType param_type_from(Str name); /* PARAM_TYPE_END when unknown */
int param_choice_index(const Param *p, Str name); /* -1: not one of its choices */

enum { PARAM_FAULTS_MAX = 64 };
typedef struct ParamFault {
    Str param;  /* as the caller wrote it; empty: the arguments as a whole */
    Str detail; /* "must be 1 to 16384, not 0" */
} ParamFault;
typedef struct ParamFaults {
    ParamFault items[PARAM_FAULTS_MAX]; /* the first ones */
    size_t len;
} ParamFaults;

/* Check `given` (an object; NULL or JSON null: nothing was given) and write canonical JSON to *out
 * (in `a`). ERR_BAD_PARAM: every fault is in *faults, *err carries the first. An unknown name is a
 * fault that suggests the nearest. */
MUST_CHECK ErrCode param_check(const Param *params, const Json *given, Arena *a, Str *out,
                               ParamFaults *faults, Err *err);

/* Fill an args struct (zeroed by the caller) from canonical JSON. Texts point into the JSON's
 * memory or `a`. */
MUST_CHECK ErrCode param_fill(const Param *params, const Json *canonical, Arena *a, void *args,
                              Err *err);

/* One value as text (flag, query string, form field) as JSON onto *j: "1600" → 1600, "true"/"" →
 * true, "a,b" → ["a","b"]. Text that cannot be of the type is written as JSON text, so that
 * param_check names the fault. */
void param_from_text(const Param *p, Str text, JsonOut *j);

/* Named texts (a query string, a form, flags) as one JSON object for param_check. A LIST that is
 * named several times gets the items of all; of other parameters the last one counts. Unknown names
 * are kept, so that param_check reports them. */
typedef struct ParamText {
    Str name, value;
} ParamText;
void param_from_texts(const Param *params, const ParamText *texts, size_t len, JsonOut *j);

#endif

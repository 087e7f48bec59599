/* walk.h: go through an archive, and through archives inside it, without being hurt.
 *
 *   limit        counted over                                   reason
 *   max_bytes    everything that is delivered                   limit_output
 *   max_ratio    everything unpacked or announced, against the  limit_ratio
 *                size of the outermost file
 *   max_entries  files, folders and links that are delivered    limit_count
 *   depth        archives inside archives                       limit_depth
 *
 * The ratio counts only beyond WALK_RATIO_FLOOR, because small files may well shrink a thousand
 * times; the default of 200 is far above what text, tables and logs reach (10 to 50). An announced
 * size counts before anything is unpacked, so a bomb that says its size is refused at once, and one
 * that lies at the limit.
 *
 * Archives inside the archive: nested=check (the default) looks into each to see that it is no bomb
 * and delivers it as a file; nested=open delivers what it holds in its place; nested=keep does not
 * look. */
#ifndef PLATEN_ARCHIVE_WALK_H
#define PLATEN_ARCHIVE_WALK_H

#include "archive/names.h"
#include "core/step.h"

#define WALK_RATIO_FLOOR (50 * 1000 * 1000)
#define WALK_BYTES_MAX   ((int64_t)16 << 30)
enum { WALK_ENTRIES_MAX = 100000, WALK_DEPTH_MAX = 5, WALK_RATIO_MAX = 10000 };

typedef enum WalkNested { NESTED_CHECK, NESTED_OPEN, NESTED_KEEP } WalkNested;
typedef enum WalkUnsafe { UNSAFE_REFUSE, UNSAFE_SKIP } WalkUnsafe;
extern const Choice walk_nested_choices[], walk_unsafe_choices[];

/* The arguments of both steps; max_bytes and flatten are archive.extract's alone. */
typedef struct WalkArgs {
    StrList match;
    Str password;
    int nested, charset, unsafe_paths;
    int64_t depth, max_bytes, max_entries, max_ratio;
    bool flatten;
} WalkArgs;

#define WALK_PARAMS                                                                                \
    PARAM_LIST(WalkArgs, match, .example = "*.pdf,letters/*",                                      \
               .help = "Only files whose path, or name when the pattern has no slash, matches "    \
                       "one of these."),                                                           \
        PARAM_TEXT(WalkArgs, password, .secret = true, .max_len = 200,                             \
                   .help = "Password of an encrypted ZIP archive."),                               \
        PARAM_CHOICE(WalkArgs, nested, .choices = walk_nested_choices, .def = NESTED_CHECK,        \
                     .help = "What happens with archives inside the archive."),                    \
        PARAM_INT(WalkArgs, depth, .min = 1, .max = WALK_DEPTH_MAX, .def = WALK_DEPTH_MAX,         \
                  .help = "Refuse archives nested deeper than this; 1 is the archive itself."),    \
        PARAM_CHOICE(WalkArgs, charset, .choices = names_choices, .def = NAMES_AUTO,               \
                     .help = "Character set of names that are not UTF-8."),                        \
        PARAM_CHOICE(WalkArgs, unsafe_paths, .choices = walk_unsafe_choices, .def = UNSAFE_REFUSE, \
                     .help =                                                                       \
                         "What happens when a path would leave the folder it is unpacked to."),    \
        PARAM_INT(WalkArgs, max_entries, .min = 1, .max = WALK_ENTRIES_MAX, .def = 10000,          \
                  .help = "Refuse archives with more entries than this."),                         \
        PARAM_INT(WalkArgs, max_ratio, .min = 1, .max = WALK_RATIO_MAX, .def = 200,                \
                  .help = "Refuse archives that grow to more than this many times their size, "    \
                          "beyond 50 MB.")

typedef enum WalkKind {
    WALK_FILE,
    WALK_FOLDER,
    WALK_LINK,
    WALK_ARCHIVE,
    WALK_OTHER,
    WALK_KINDS
} WalkKind;
const char *walk_kind_name(WalkKind k);

typedef struct WalkEntry {
    Str path; /* safe, UTF-8; inside an opened archive it begins with that archive's path */
    WalkKind kind;
    int64_t size_bytes;  /* -1: not known before it is unpacked */
    int64_t modified_ms; /* since 1970; valid when has_modified */
    bool has_modified, encrypted;
    Str link; /* target, as written */
} WalkEntry;

/* What a step does with entries. `e` is valid during the call only. */
typedef struct WalkSink {
    void *ctx;
    /* For a file: where to write its content. NULL: contents are not wanted. */
    ErrCode (*open)(void *ctx, const WalkEntry *e, int *out_fd);
    /* Every entry, after its content; the size of a file is known by now. */
    ErrCode (*done)(void *ctx, const WalkEntry *e);
} WalkSink;

typedef struct WalkTotals {
    const char *format, *compression; /* of the outermost archive; compression may be NULL */
    int64_t count[WALK_KINDS];
    int64_t skipped; /* unsafe paths, with unsafe_paths=skip */
    int64_t bytes;   /* of files delivered */
    int64_t packed_bytes;
    bool encrypted;
} WalkTotals;

/* Walks through c->inputs[0]. */
MUST_CHECK ErrCode walk_archive(StepCtx *c, const WalkArgs *args, const WalkSink *sink,
                                WalkTotals *out);

#endif

/* files.h: the files that the operands of `platen run` name: files, folders with all below them,
 * and "-" for standard input. */
#ifndef PLATEN_CLI_FILES_H
#define PLATEN_CLI_FILES_H

#include "base/err.h"

#include <sys/stat.h>

typedef struct InputFile {
    const char *path; /* to open */
    Str name;         /* for people: "b.jpg", or "a/b.jpg" when found in a folder, from there */
    Str folder;       /* "a" of that: kept in the place of the results; or empty */
    Str packed;       /* with the folder's own name: "photos/a/b.jpg", as archives have it */
    bool found;       /* in a folder, not named by the caller */
    bool is_stdin;
    dev_t device; /* which file it really is; inode 0: not known */
    ino_t inode;
    int64_t size_bytes;
} InputFile;

typedef struct InputFiles {
    Arena *arena;
    InputFile *items;
    size_t len, cap;
    bool folders; /* an operand was a folder */
} InputFiles;

enum { FILES_MAX = 1000000 };

/* In the order of the operands, and by name within a folder. Hidden files, and the folder `except`
 * (NULL: none), are left out. What cannot be read is in the list: opening it will say why.
 * ERR_USAGE: a folder without files. */
MUST_CHECK ErrCode files_expand(Arena *a, const Str *operands, size_t len, const char *except,
                                InputFiles *out, Err *err);

#endif

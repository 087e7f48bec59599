/* path.h: is this name from an archive safe to unpack under, on any system?
 *
 * The rules are those of every system at once, because nobody knows where the files go afterwards:
 * both kinds of slash separate, a drive letter is absolute, Windows drops dots and spaces at the
 * end of a name and reserves some names altogether. What is safe comes back normalised: "/" between
 * parts, no "." parts, no double slashes. */
#ifndef PLATEN_ARCHIVE_PATH_H
#define PLATEN_ARCHIVE_PATH_H

#include "base/str.h"

enum { PATH_BYTES_MAX = 1024, PATH_PART_MAX = 255, PATH_PARTS_MAX = 64 };

typedef enum PathFault {
    PATH_SAFE,
    PATH_EMPTY,    /* nothing is left: the folder itself ("./") */
    PATH_ABSOLUTE, /* begins at the root, or names a drive or a server */
    PATH_PARENT,   /* has a ".." part, or one that Windows would read as one */
    PATH_CONTROL,  /* control bytes, NUL, or marks that turn the direction of text */
    PATH_RESERVED, /* a device on Windows: con, nul, com1 … */
    PATH_LONG,
    PATH_NOT_UTF8,
    PATH_NO_MEMORY,
} PathFault;

/* *safe (in `a`) is set for PATH_SAFE only. */
PathFault path_check(Arena *a, Str raw, Str *safe);
/* Does a link at the safe path `at` lead out? Hard links count from the archive's root, others from
 * their folder. */
PathFault path_check_link(Arena *a, Str at, Str target, bool hard);
const char *path_fault_text(PathFault f); /* "leads to a parent folder" */

#endif

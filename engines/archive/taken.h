/* taken.h: names of outputs that are in use, compared as Windows and macOS compare them (ASCII case
 * ignored). */
#ifndef PLATEN_ARCHIVE_TAKEN_H
#define PLATEN_ARCHIVE_TAKEN_H

#include "base/str.h"

typedef struct Taken {
    Arena *arena;
    Str *slots; /* open addressing; a power of two, at most half full */
    size_t slots_len;
} Taken;

bool taken_init(Taken *t, Arena *a, size_t names_max);
/* `name`, or "name (2).ext" and so on when it is taken; it is taken then. .ptr == NULL: no memory.
 */
Str taken_name(Taken *t, Str name);

#endif

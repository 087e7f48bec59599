/* nearest.h: what somebody probably meant: the closest of some names, for messages.
 *
 *   Nearest n = nearest_to(STR("widht"));
 *   param_each(p, params) nearest_try(&n, p->name);
 *   if (n.name != NULL) … "did you mean \"width\"?" */
#ifndef PLATEN_CORE_NEAREST_H
#define PLATEN_CORE_NEAREST_H

#include "base/str.h"

typedef struct Nearest {
    Str wanted;
    const char *name; /* the best so far; NULL: nothing is close */
    size_t distance;
} Nearest;

Nearest nearest_to(Str wanted);
void nearest_try(Nearest *n, const char *candidate);

/* Single-character changes, insertions, deletions and swaps of neighbours between the two, case
 * ignored. Texts longer than 64 bytes are far from everything: SIZE_MAX. */
size_t nearest_distance(Str a, Str b);

#endif

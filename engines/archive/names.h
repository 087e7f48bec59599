/* names.h: names in archives that are not UTF-8.
 *
 * ZIP says for each name whether it is UTF-8 or "the system's": CP437 by the standard, in truth
 * whatever Windows used in that country. Tar says nothing. So names that are valid UTF-8 are taken
 * as that, and the others are decoded by a character set that the caller names or that is guessed
 * from all such names of the archive together.
 *
 * glibc loads converters from files, so names_warm opens each one before the sandbox closes. */
#ifndef PLATEN_ARCHIVE_NAMES_H
#define PLATEN_ARCHIVE_NAMES_H

#include "core/param.h"

/* Choices of the parameter `charset`; index 0 is "auto". */
extern const Choice names_choices[];
enum { NAMES_AUTO = 0 };

MUST_CHECK ErrCode names_warm(Err *err);

/* The index of the likeliest character set of these bytes: names joined by newlines. Never
 * NAMES_AUTO. */
int names_guess(Str sample);
/* To UTF-8. Never fails: what the character set does not know becomes U+FFFD. .ptr == NULL: the
 * arena is full. */
Str names_decode(Arena *a, Str raw, int charset);

#endif

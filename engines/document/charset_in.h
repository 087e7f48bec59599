/* charset_in.h: charset.c knows the names, finds marks and converts; charset_guess.c guesses where
 * nothing says what the bytes are. */
#ifndef PLATEN_DOCUMENT_CHARSET_IN_H
#define PLATEN_DOCUMENT_CHARSET_IN_H

#include "document/charset.h"

/* UTF-16 that has no zeros because it has no Latin letters: told by its spaces and full stops.
 * "UTF-16LE", "UTF-16BE" or NULL. */
const char *charset_guess_wide(Str bytes);

/* The likeliest of the encodings of one or more bytes a character; `first` is another opinion, or
 * NULL. Every candidate is tried on the beginning of the text: is it valid in it, do the letters
 * beyond ASCII stand where letters stand, is it some language? Never NULL. */
const char *charset_guess_narrow(Arena *a, Str bytes, const char *first);

/* The beginning of `bytes` in this charset as UTF-8, and how many bytes did not fit. False: cannot
 * be read here. */
bool charset_try(Arena *a, Str bytes, const char *name, Str *out, size_t *bad);

#endif

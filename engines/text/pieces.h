/* pieces.h: how text is cut into pieces before byte-pair encoding.
 *
 * Each encoding defines this by a regular expression; here it is written out by hand, with the same
 * result. White space is Unicode's White_Space; the kinds of characters are those of ICU.
 *
 * cl100k_base
 *     '(?i:[sdmt]|ll|ve|re) | [^\r\n\p{L}\p{N}]?\p{L}+ | \p{N}{1,3} | ?[^\s\p{L}\p{N}]+[\r\n]*
 *     | \s+$ | \s*[\r\n] | \s+(?!\S) | \s
 * o200k_base
 *     [^\r\n\p{L}\p{N}]? U* W+ C? | [^\r\n\p{L}\p{N}]? U+ W* C? | \p{N}{1,3}
 *     | ?[^\s\p{L}\p{N}]+[\r\n/]* | \s*[\r\n]+ | \s+(?!\S) | \s+
 *     where U = [\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}], W = [\p{Ll}\p{Lm}\p{Lo}\p{M}],
 *           C = (?i:'s|'t|'re|'ve|'m|'ll|'d)
 *
 * Names of special tokens ("<|endoftext|>") are text like any other. */
#ifndef PLATEN_TEXT_PIECES_H
#define PLATEN_TEXT_PIECES_H

#include "text/vocab.h"

/* The kinds of all characters, from ICU. Once, before the first call. */
void pieces_warm(void);

/* Where the piece that begins at `at` (< text.len) ends. Invalid UTF-8 counts as U+FFFD, a byte
 * each. */
size_t pieces_end(Encoding e, Str text, size_t at);

/* Whatever follows after `at`, is there a cut at `at`? A letter or digit lies before it and white
 * space or punctuation after it. For counting text that grows. */
bool pieces_sure_cut(Str text, size_t at);

#endif

/* vocab.h: the tokens of an encoding, and the byte-pair encoding of one piece of text.
 *
 * Byte-pair encoding joins, again and again, the two neighbours whose joint token has the lowest
 * id, until none can be joined. Done as said, a long piece takes quadratic time. Here a piece is
 * taken from left to right: at each place the longest token is tried first, then its shorter
 * prefixes; one fits when the pair it makes with the token before it is how byte-pair encoding
 * itself would cut those bytes (which the ways the two tokens were joined decide). Where nothing
 * fits, the token before is taken back, and its end is never tried again. So a place is visited a
 * bounded number of times, the memory is a bit and an id per byte, and the result is the same.
 *
 * The tables are built once by vocab_warm from what tools/pack_ranks.py packed (some 15 MB for
 * both), and are constant afterwards: any thread may read them. */
#ifndef PLATEN_TEXT_VOCAB_H
#define PLATEN_TEXT_VOCAB_H

#include "base/err.h"

typedef enum Encoding { O200K, CL100K, ENCODING_COUNT } Encoding;
const char *encoding_name(Encoding e); /* "o200k_base" */

typedef struct Vocab Vocab;

MUST_CHECK ErrCode vocab_warm(Err *err);
const Vocab *vocab_of(Encoding e); /* after vocab_warm */
size_t vocab_count(const Vocab *v);
Str vocab_bytes(const Vocab *v, uint32_t id); /* id < vocab_count */

/* The token of the whole piece, or VOCAB_NONE. */
enum { VOCAB_NONE = UINT32_MAX };
uint32_t vocab_whole(const Vocab *v, Str piece);

/* The tokens of `piece` into `out` (room for piece.len ids); how many there are is returned.
 * `scratch` has VOCAB_SCRATCH(piece.len) words, with any content. */
#define VOCAB_SCRATCH(len) ((len) / 64 + 1)
size_t vocab_encode(const Vocab *v, Str piece, uint32_t *out, uint64_t *scratch);

#endif

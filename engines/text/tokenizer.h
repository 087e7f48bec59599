/* tokenizer.h: exact tokens of text, as the models count them.
 *
 *   Tokenizer *t = tokenizer_open(arena, O200K);    // NULL: the arena is full
 *   int64_t n;
 *   rc = tokenizer_count(t, text, &n, err);
 *
 * Text is cut into pieces (pieces.h), pieces into tokens (vocab.h). Pieces repeat, so the latest
 * are remembered. Memory: 2 MiB for that, touched as it fills, and 4 bytes per byte of the longest
 * piece; a piece of more than TOKENIZER_PIECE_MAX bytes (one "word" without an end) is refused with
 * ERR_LIMIT_MEMORY. Time grows with the text, whatever is in it.
 *
 * Threads: one tokenizer, one thread at a time. */
#ifndef PLATEN_TEXT_TOKENIZER_H
#define PLATEN_TEXT_TOKENIZER_H

#include "text/vocab.h"

enum { TOKENIZER_PIECE_MAX = 16 << 20 };

typedef struct Tokenizer Tokenizer;
Tokenizer *tokenizer_open(Arena *a, Encoding e);
Encoding tokenizer_encoding(const Tokenizer *t);

/* The tokens of one piece: valid until the next call. */
typedef struct Tokens {
    const uint32_t *ids;
    size_t len;
} Tokens;
MUST_CHECK ErrCode tokenizer_piece(Tokenizer *t, Str piece, Tokens *out, Err *err);

/* The piece of `text` at *at and its tokens; *at moves past it. */
MUST_CHECK ErrCode tokenizer_next(Tokenizer *t, Str text, size_t *at, Tokens *out, Err *err);

MUST_CHECK ErrCode tokenizer_count(Tokenizer *t, Str text, int64_t *out, Err *err);

/* models.def: the encoding of a model by its name ("gpt-4o-2024-08-06" begins with "gpt-4o").
 * False: unknown. */
bool model_encoding(Str model, Encoding *out);

#endif

/* fuzz_tokens: any bytes as text. Pieces and tokens put together are the text, and short pieces are
 * cut as byte-pair encoding is defined: join the pair with the lowest id. */
#include "text/pieces.h"
#include "text/tokenizer.h"

#include <stdlib.h>
#include <string.h>

enum { DEFINED_MAX = 200 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t by_definition(const Vocab *v, Str piece, uint32_t *out)
{
    size_t ends[DEFINED_MAX + 1], len = piece.len;
    for (size_t i = 0; i <= len; i++)
        ends[i] = i;
    for (;;) {
        uint32_t best = VOCAB_NONE;
        size_t where = 0;
        for (size_t i = 0; i + 2 <= len; i++) {
            uint32_t id = vocab_whole(v, str_slice(piece, ends[i], ends[i + 2]));
            where = id < best ? i : where;
            best = id < best ? id : best;
        }
        if (best == VOCAB_NONE)
            break;
        memmove(&ends[where + 1], &ends[where + 2], (len - where - 1) * sizeof *ends);
        len--;
    }
    for (size_t i = 0; i < len; i++)
        out[i] = vocab_whole(v, str_slice(piece, ends[i], ends[i + 1]));
    return len;
}

static void check_piece(const Vocab *v, Str piece, const Tokens *tokens)
{
    uint32_t want[DEFINED_MAX];
    size_t at = 0;
    for (size_t i = 0; i < tokens->len; i++) {
        Str bytes = vocab_bytes(v, tokens->ids[i]);
        if (at + bytes.len > piece.len || memcmp(bytes.ptr, piece.ptr + at, bytes.len) != 0)
            abort();
        at += bytes.len;
    }
    if (at != piece.len)
        abort();
    if (piece.len > DEFINED_MAX || vocab_whole(v, piece) != VOCAB_NONE)
        return;
    size_t n = by_definition(v, piece, want);
    if (n != tokens->len || memcmp(want, tokens->ids, n * sizeof *want) != 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static Tokenizer *tokenizers[ENCODING_COUNT];
    static Arena *arena;
    Err err = {0};
    if (arena == NULL) {
        arena = arena_open(256 * MIB);
        pieces_warm();
        if (vocab_warm(&err) != OK)
            abort();
        for (int e = 0; e < ENCODING_COUNT; e++)
            tokenizers[e] = tokenizer_open(arena, (Encoding)e);
    }
    Str text = {(const char *)data, size};
    for (int e = 0; e < ENCODING_COUNT; e++)
        for (size_t at = 0, from = 0; at < text.len; from = at) {
            Tokens tokens;
            if (tokenizer_next(tokenizers[e], text, &at, &tokens, &err) != OK || at <= from)
                abort();
            check_piece(vocab_of((Encoding)e), str_slice(text, from, at), &tokens);
        }
    return 0;
}

#include "text/tokenizer.h"
#include "text/pieces.h"

#include <string.h>

enum { KEPT_BYTES = 23, KEPT_TOKENS = 8, KEPT = 1 << 15 };

/* A piece and its tokens; 64 bytes, a line of the processor's cache. Nothing is kept: len == 0. */
typedef struct Kept {
    char bytes[KEPT_BYTES];
    uint8_t len;
    uint8_t tokens_len;
    uint32_t tokens[KEPT_TOKENS];
} Kept;

struct Tokenizer {
    Arena *arena;
    Encoding encoding;
    const Vocab *vocab;
    Kept *kept;
    uint32_t *ids; /* room for `room` of them */
    uint64_t *scratch;
    size_t room;
};

Tokenizer *tokenizer_open(Arena *a, Encoding e)
{
    Tokenizer *t = arena_new(a, Tokenizer, 1);
    if (t == NULL)
        return NULL;
    *t = (Tokenizer){.arena = a, .encoding = e, .vocab = vocab_of(e)};
    t->kept = arena_new(a, Kept, KEPT);
    return t->kept != NULL ? t : NULL;
}

Encoding tokenizer_encoding(const Tokenizer *t)
{
    return t->encoding;
}

static ErrCode make_room(Tokenizer *t, size_t len, Err *err)
{
    if (len > TOKENIZER_PIECE_MAX) {
        err_set(err, ERR_LIMIT_MEMORY, "a run of %zu bytes without an end of word, the limit is %d",
                len, TOKENIZER_PIECE_MAX);
        err_hint(err, "this is not text that a model reads; take it out");
        return ERR_LIMIT_MEMORY;
    }
    size_t room = t->room == 0 ? 1024 : t->room;
    while (room < len)
        room *= 2;
    t->ids = arena_alloc_raw(t->arena, room * sizeof *t->ids);
    t->scratch = arena_alloc_raw(t->arena, VOCAB_SCRATCH(room) * sizeof *t->scratch);
    if (t->ids == NULL || t->scratch == NULL) {
        t->room = 0;
        return err_set(err, ERR_NO_MEMORY, "no memory for a word of %zu bytes", len);
    }
    t->room = room;
    return OK;
}

static uint32_t place_of(Str piece)
{
    uint64_t h = piece.len * 0x9E3779B97F4A7C15ull, part = 0;
    size_t i = 0;
    for (; i + 8 <= piece.len; i += 8) {
        memcpy(&part, piece.ptr + i, 8);
        h = (h ^ part) * 0xFF51AFD7ED558CCDull;
        h ^= h >> 32;
    }
    part = 0;
    memcpy(&part, piece.ptr + i, piece.len - i);
    h = (h ^ part) * 0xFF51AFD7ED558CCDull;
    return (uint32_t)(h >> 40) & (KEPT - 1);
}

static ErrCode encode(Tokenizer *t, Str piece, Tokens *out, Err *err)
{
    ErrCode rc = piece.len > t->room ? make_room(t, piece.len, err) : OK;
    if (rc == OK)
        *out = (Tokens){t->ids, vocab_encode(t->vocab, piece, t->ids, t->scratch)};
    return rc;
}

ErrCode tokenizer_piece(Tokenizer *t, Str piece, Tokens *out, Err *err)
{
    if (piece.len > KEPT_BYTES || piece.len == 0)
        return encode(t, piece, out, err);
    Kept *k = &t->kept[place_of(piece)];
    if (k->len != piece.len || memcmp(k->bytes, piece.ptr, piece.len) != 0) {
        ErrCode rc = encode(t, piece, out, err);
        if (rc != OK || out->len > KEPT_TOKENS)
            return rc;
        memcpy(k->bytes, piece.ptr, piece.len);
        memcpy(k->tokens, out->ids, out->len * sizeof *out->ids);
        k->len = (uint8_t)piece.len;
        k->tokens_len = (uint8_t)out->len;
    }
    *out = (Tokens){k->tokens, k->tokens_len};
    return OK;
}

ErrCode tokenizer_next(Tokenizer *t, Str text, size_t *at, Tokens *out, Err *err)
{
    size_t end = pieces_end(t->encoding, text, *at);
    Str piece = str_slice(text, *at, end);
    *at = end;
    return tokenizer_piece(t, piece, out, err);
}

ErrCode tokenizer_count(Tokenizer *t, Str text, int64_t *out, Err *err)
{
    int64_t sum = 0;
    for (size_t at = 0; at < text.len;) {
        Tokens tokens;
        ErrCode rc = tokenizer_next(t, text, &at, &tokens, err);
        if (rc != OK)
            return rc;
        sum += (int64_t)tokens.len;
    }
    *out = sum;
    return OK;
}

static const struct {
    const char *prefix;
    Encoding encoding;
} models[] = {
#define MODEL(prefix, encoding) {prefix, encoding},
#include "text/models.def"
#undef MODEL
};

bool model_encoding(Str model, Encoding *out)
{
    for (size_t i = 0; i < COUNT_OF(models); i++)
        if (str_starts(model, str_from_c(models[i].prefix))) {
            *out = models[i].encoding;
            return true;
        }
    return false;
}

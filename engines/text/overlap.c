#include "text/chunk_out.h"
#include "text/pieces.h"
#include "text/sentences.h"

enum { PIECE_BYTES_MAX = 128 };

/* The part of the text before the chunk that the overlap can lie in: the end of the chunk before,
 * from a word's beginning on. */
static size_t window_from(const ChunkOut *o, const PackChunk *chunk)
{
    size_t most = (size_t)o->overlap * PIECE_BYTES_MAX;
    if (chunk->from - o->before_from <= most)
        return o->before_from;
    size_t at = chunk->from - most;
    while (at < chunk->from && ((uint8_t)o->source->text.ptr[at] & 0xC0) == 0x80)
        at++;
    return at;
}

static ErrCode length(ChunkOut *o, size_t from, size_t to, int64_t limit, int64_t *out, Err *err)
{
    Meter m = {.tokenizer = o->tokenizer, .text = o->source->text, .unit = o->unit};
    meter_begin(&m, from);
    return meter_to(&m, to, limit, out, err);
}

static bool is_blank(const ChunkOut *o, size_t at)
{
    char c = o->source->text.ptr[at];
    return c == ' ' || c == '\n' || c == '\t' || c == '\r' || c == '\f';
}

static ErrCode is_right(ChunkOut *o, const PackChunk *chunk, size_t at, bool *out, Err *err)
{
    int64_t alone = 0, both = 0;
    ErrCode rc = length(o, at, chunk->from, o->overlap, &alone, err);
    if (rc == OK && alone <= o->overlap)
        rc = length(o, at, chunk->to, o->size, &both, err);
    *out = alone <= o->overlap && both <= o->size;
    return rc;
}

/* The first place at or after `at`, of those that `next` gives, from which all fits. */
static ErrCode first_word(ChunkOut *o, const PackChunk *chunk, size_t at, size_t *out, Err *err)
{
    Encoding e = tokenizer_encoding(o->tokenizer);
    Str text = str_slice(o->source->text, 0, chunk->from);
    while (at < chunk->from) {
        bool right = false;
        size_t begin = at;
        while (begin < chunk->from && is_blank(o, begin))
            begin++;
        ErrCode rc = begin < chunk->from ? is_right(o, chunk, begin, &right, err) : OK;
        if (rc != OK || right) {
            *out = begin;
            return rc;
        }
        at = pieces_end(e, text, begin < chunk->from ? begin : at);
    }
    *out = chunk->from;
    return OK;
}

/* Skip what is certainly too much: pieces are walked once, until what is left may fit. */
static ErrCode skip_most(ChunkOut *o, const PackChunk *chunk, size_t from, size_t *out, Err *err)
{
    int64_t all = 0, passed = 0;
    ErrCode rc = length(o, from, chunk->from, INT64_MAX, &all, err);
    Str text = str_slice(o->source->text, 0, chunk->from);
    size_t at = from;
    while (rc == OK && at < chunk->from && all - passed > o->overlap) {
        size_t begin = at;
        int64_t n = 0;
        at = pieces_end(tokenizer_encoding(o->tokenizer), text, at);
        rc = length(o, begin, at, INT64_MAX, &n, err);
        passed += n;
    }
    *out = at;
    return rc;
}

/* Does the text before `at` belong to a table or to code? */
static bool in_lines(const ChunkOut *o, size_t at)
{
    const SourceBlock *b = o->source->blocks;
    size_t i = o->block < o->source->blocks_len ? o->block + 1 : o->block;
    while (i > 0 && b[i - 1].from >= at)
        i--;
    return i > 0 && (b[i - 1].kind == SOURCE_TABLE || b[i - 1].kind == SOURCE_CODE);
}

/* The first beginning of a line at or after `word`, if one is there. */
static ErrCode next_line(ChunkOut *o, const PackChunk *chunk, size_t word, size_t *out, Err *err)
{
    for (size_t at = word; at < chunk->from; at++) {
        bool right = false;
        if (at == 0 || o->source->text.ptr[at - 1] != '\n' || is_blank(o, at))
            continue;
        ErrCode rc = is_right(o, chunk, at, &right, err);
        if (right)
            *out = at;
        return rc;
    }
    return OK;
}

ErrCode overlap_find(ChunkOut *o, const PackChunk *chunk, size_t *out, Err *err)
{
    *out = chunk->from;
    if (o->overlap == 0 || o->count == 0 || chunk->head_to > chunk->head_from)
        return OK;
    size_t from = window_from(o, chunk), word = 0;
    ErrCode rc = skip_most(o, chunk, from, &word, err);
    if (rc == OK)
        rc = first_word(o, chunk, word, &word, err);
    if (rc != OK)
        return rc;
    *out = word;
    if (in_lines(o, chunk->from))
        return next_line(o, chunk, word, out, err);
    Sentences s = sentences_begin(str_slice(o->source->text, from, chunk->from));
    for (size_t end; sentences_next(&s, &end) && from + end < chunk->from;) {
        bool right = false;
        if (from + end < word)
            continue;
        rc = is_right(o, chunk, from + end, &right, err);
        if (right)
            *out = from + end;
        break;
    }
    return rc;
}

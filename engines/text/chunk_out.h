/* chunk_out.h: a chunk as a line of JSON, with all that is known about it.
 *
 * {"index":0,"id":"7d0c…-00000","text":"…","tokens":212,"characters":980,"from":0,"to":980,
 *  "first_page":1,"last_page":2,"headings":["Results","Second year"],
 *  "previous":null,"next":"7d0c…-00001","parent":null,
 *  "overlap":{"from","to","text","tokens","characters"},   the end of the text before it
 *  "header":{…}}                                           the head of the table it is in
 *
 * from and to count characters (Unicode code points) of the source; the ranges of all chunks follow
 * each other without a gap. Ids begin with a hash of the source text, so chunks of different
 * documents never share one. "parent" is the chunk in which the nearest heading above begins. */
#ifndef PLATEN_TEXT_CHUNK_OUT_H
#define PLATEN_TEXT_CHUNK_OUT_H

#include "text/pack.h"

enum { CHUNK_PATH_MAX = 16, CHUNK_TITLE_MAX = 300 };

typedef struct ChunkHeading {
    Str title;
    int level;
    size_t chunk; /* where it stands */
} ChunkHeading;

typedef struct ChunkOut {
    /* set by the caller */
    StepCtx *step;
    const Source *source;
    Tokenizer *tokenizer;
    MeterUnit unit;
    int64_t size, overlap;
    bool list; /* a JSON document instead of JSON Lines */
    int fd;
    /* sums */
    size_t count;
    int64_t tokens, tokens_min, tokens_max, characters;
    /* its own */
    uint64_t hash;
    Buf line;
    Arena *scratch;
    size_t before_from; /* the chunk before begins here */
    size_t block;       /* the first block that ends behind the chunks written so far */
    int64_t page;       /* of the block before */
    ChunkHeading path[CHUNK_PATH_MAX];
    size_t path_len;
    size_t
        head_at; /* the repeated head that was looked at last, and its first character's number */
    int64_t head_chars;
} ChunkOut;

MUST_CHECK ErrCode chunk_out_begin(ChunkOut *o);
MUST_CHECK ErrCode chunk_out_take(ChunkOut *o, const PackChunk *chunk, Err *err);
MUST_CHECK ErrCode chunk_out_end(ChunkOut *o);

/* overlap.c: where the overlap of a chunk begins: at a sentence, else at a word, not before
 * `before_from`, so that it has at most o->overlap and, with the chunk, at most o->size.
 * chunk->from: there is none. */
MUST_CHECK ErrCode overlap_find(ChunkOut *o, const PackChunk *chunk, size_t *out, Err *err);

#endif

/* vocab_in.h: the tables of an encoding; vocab_build.c makes them, vocab.c reads them. */
#ifndef PLATEN_TEXT_VOCAB_IN_H
#define PLATEN_TEXT_VOCAB_IN_H

#include "text/vocab.h"

/* Two tokens and the one they are joined to. */
typedef struct VocabPair {
    uint32_t left, right, joined; /* joined == VOCAB_NONE: the place is free */
} VocabPair;

struct Vocab {
    uint32_t count;
    const char *pool; /* the bytes of all tokens, sorted */
    /* by id */
    uint32_t *at;           /* into pool */
    uint8_t *len;           /* bytes */
    uint32_t *prefix;       /* the longest shorter token it begins with, or VOCAB_NONE */
    uint32_t *left, *right; /* what it was joined from; both the token itself: from nothing */
    /* A tree of all tokens, byte by byte, as an array in the order of levels: a node's children
     * stand one after another, first[n] to first[n + 1]. Node 0 is the root. */
    uint32_t nodes;
    uint32_t *first;
    uint8_t *label;   /* the byte that leads here, sorted among brothers */
    uint32_t *token;  /* the token that ends here, or VOCAB_NONE */
    uint32_t *second; /* [two bytes]: the node they lead to, or 0 */
    /* What is joined, by hash. */
    VocabPair *pairs;
    uint32_t pairs_mask;
};

static inline uint32_t vocab_pair_slot(const Vocab *v, uint32_t left, uint32_t right)
{
    uint64_t h = ((uint64_t)left << 32 | right) * 0x9E3779B97F4A7C15ull;
    return (uint32_t)(h >> 32) & v->pairs_mask;
}

/* Would byte-pair encoding, given the bytes of both, cut them into just these two? */
bool vocab_pair_fits(const Vocab *v, uint32_t left, uint32_t right);
/* The longest token that `text` begins with; VOCAB_NONE only when it is empty. */
uint32_t vocab_longest(const Vocab *v, Str text);

/* vocab_build.c: from the packed form. `cuts` has left and right of every token, by id; NULL: they
 * are found here, which takes twice the time of all the rest. */
MUST_CHECK ErrCode vocab_build(const unsigned char *packed, const uint32_t *cuts, Vocab *out,
                               Err *err);
void vocab_free(Vocab *v);

#endif

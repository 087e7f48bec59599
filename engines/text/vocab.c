#include "text/vocab_in.h"

#include <assert.h>
#include <string.h>

size_t vocab_count(const Vocab *v)
{
    return v->count;
}

Str vocab_bytes(const Vocab *v, uint32_t id)
{
    return (Str){v->pool + v->at[id], v->len[id]};
}

/* Few nodes have many children, and those are halved. */
static uint32_t child(const Vocab *v, uint32_t node, uint8_t byte)
{
    uint32_t low = v->first[node], high = v->first[node + 1];
    while (high - low > 8) {
        uint32_t middle = low + (high - low) / 2;
        if (v->label[middle] <= byte)
            low = middle;
        else
            high = middle;
    }
    for (; low < high; low++)
        if (v->label[low] == byte)
            return low;
    return 0;
}

uint32_t vocab_longest(const Vocab *v, Str text)
{
    const uint8_t *s = (const uint8_t *)text.ptr;
    if (text.len == 0)
        return VOCAB_NONE;
    uint32_t best = v->token[1 + s[0]]; /* every byte has a token, so the root has 256 children */
    if (text.len == 1)
        return best;
    uint32_t node = v->second[s[0] << 8 | s[1]];
    for (size_t i = 2; node != 0; i++) {
        if (v->token[node] != VOCAB_NONE)
            best = v->token[node];
        if (i == text.len)
            break;
        node = child(v, node, s[i]);
    }
    return best;
}

uint32_t vocab_whole(const Vocab *v, Str piece)
{
    uint32_t id = vocab_longest(v, piece);
    return id != VOCAB_NONE && v->len[id] == piece.len ? id : VOCAB_NONE;
}

static uint32_t joined(const Vocab *v, uint32_t left, uint32_t right)
{
    for (uint32_t i = vocab_pair_slot(v, left, right);; i = (i + 1) & v->pairs_mask) {
        const VocabPair *p = &v->pairs[i];
        if (p->joined == VOCAB_NONE || (p->left == left && p->right == right))
            return p->joined;
    }
}

/* Take the later of the two joinings apart, again and again, looking each time at the two tokens
 * that then touch: had they a token of their own that comes before what was taken apart, byte-pair
 * encoding would have joined them instead. */
bool vocab_pair_fits(const Vocab *v, uint32_t left, uint32_t right)
{
    uint32_t limit = VOCAB_NONE;
    for (;;) {
        if (joined(v, left, right) < limit)
            return false;
        if (left > right) {
            limit = left;
            left = v->right[left];
            if (left != limit)
                continue;
            limit = right + 1;
            right = v->left[right];
            if (right + 1 == limit)
                return true;
        } else {
            limit = right + 1;
            right = v->left[right];
            if (right + 1 != limit)
                continue;
            limit = left;
            left = v->right[left];
            if (left == limit)
                return true;
        }
    }
}

static bool is_open(const uint64_t *ends, size_t at)
{
    return ends[at / 64] >> (at % 64) & 1;
}

size_t vocab_encode(const Vocab *v, Str piece, uint32_t *out, uint64_t *scratch)
{
    uint32_t next = vocab_longest(v, piece);
    if (next == VOCAB_NONE)
        return 0;
    if (v->len[next] == piece.len) {
        out[0] = next;
        return 1;
    }
    memset(scratch, 0xFF, VOCAB_SCRATCH(piece.len) * sizeof *scratch);
    size_t at = 0, len = 0;
    while (next != VOCAB_NONE) {
        uint32_t last = len > 0 ? out[len - 1] : VOCAB_NONE, token = next;
        while (token != VOCAB_NONE && !(is_open(scratch, at + v->len[token]) &&
                                        (len == 0 || vocab_pair_fits(v, last, token))))
            token = v->prefix[token];
        if (token != VOCAB_NONE) {
            out[len++] = token;
            at += v->len[token];
            next = vocab_longest(v, str_slice(piece, at, piece.len));
            continue;
        }
        assert(len > 0); /* single bytes always lead to the end */
        scratch[at / 64] &= ~(1ull << (at % 64));
        at -= v->len[last];
        next = last;
        len--;
    }
    return len;
}

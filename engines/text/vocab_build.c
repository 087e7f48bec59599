#include "text/vocab_in.h"
#include "base/fault.h"

#include <stdlib.h>
#include <string.h>

/* A node while the tree is built: the sorted tokens from..to share its path of `depth` bytes. */
typedef struct Span {
    uint32_t from, to, depth;
} Span;

typedef struct Build {
    Vocab *v;
    const uint32_t *id;   /* by place in the sorted order */
    const uint8_t *size;  /* likewise */
    const uint32_t *cuts; /* left and right of every token, by id; or NULL */
    uint32_t *start;      /* likewise: into the pool */
    Span *spans;
    uint32_t *nearest; /* of each node: the token that ends at it or above it */
    uint32_t room;
} Build;

static void *take(size_t count, size_t size)
{
    return fault_hit("vocab.memory") ? NULL : malloc(count * size);
}

static bool grow_nodes(Build *b)
{
    Vocab *v = b->v;
    if (v->nodes < b->room)
        return true;
    uint32_t room = b->room == 0 ? v->count * 2 : b->room * 2;
    struct {
        void **array;
        size_t size;
    } all[] = {{(void **)&v->first, 4},
               {(void **)&v->label, 1},
               {(void **)&v->token, 4},
               {(void **)&b->spans, sizeof(Span)},
               {(void **)&b->nearest, 4}};
    for (size_t i = 0; i < COUNT_OF(all); i++) {
        /* one more than nodes: first[n + 1] of the last one */
        void *more = realloc(*all[i].array, ((size_t)room + 1) * all[i].size);
        if (more == NULL)
            return false;
        *all[i].array = more;
    }
    b->room = room;
    return true;
}

static bool add_node(Build *b, uint8_t label, Span span, uint32_t above)
{
    if (!grow_nodes(b))
        return false;
    Vocab *v = b->v;
    uint32_t n = v->nodes++;
    v->label[n] = label;
    v->token[n] = VOCAB_NONE;
    b->nearest[n] = above;
    /* Of tokens with the same beginning the one that is no longer comes first. */
    if (span.depth > 0 && b->size[span.from] == span.depth) {
        uint32_t id = b->id[span.from++];
        v->token[n] = id;
        v->prefix[id] = above;
        b->nearest[n] = id;
    }
    b->spans[n] = span;
    return true;
}

static bool add_children(Build *b, uint32_t node)
{
    Span s = b->spans[node];
    b->v->first[node] = b->v->nodes;
    for (uint32_t i = s.from, end; i < s.to; i = end) {
        char byte = b->v->pool[b->start[i] + s.depth];
        for (end = i + 1; end < s.to && b->v->pool[b->start[end] + s.depth] == byte;)
            end++;
        if (!add_node(b, (uint8_t)byte, (Span){i, end, s.depth + 1}, b->nearest[node]))
            return false;
    }
    return true;
}

static bool build_tree(Build *b)
{
    Vocab *v = b->v;
    if (!add_node(b, 0, (Span){0, v->count, 0}, VOCAB_NONE))
        return false;
    for (uint32_t n = 0; n < v->nodes; n++)
        if (!add_children(b, n))
            return false;
    v->first[v->nodes] = v->nodes;
    for (uint32_t byte = 0; byte < 256; byte++)
        for (uint32_t n = v->first[1 + byte]; n < v->first[2 + byte]; n++)
            v->second[byte << 8 | v->label[n]] = n;
    return true;
}

static void put_pair(Vocab *v, uint32_t left, uint32_t right, uint32_t id)
{
    uint32_t i = vocab_pair_slot(v, left, right);
    while (v->pairs[i].joined != VOCAB_NONE)
        i = (i + 1) & v->pairs_mask;
    v->pairs[i] = (VocabPair){left, right, id};
}

static void take_cut(Vocab *v, uint32_t id, uint32_t left, uint32_t right)
{
    v->left[id] = left;
    v->right[id] = right;
    if (left != id)
        put_pair(v, left, right, id);
}

/* How byte-pair encoding comes to token `id`: the cut into two earlier tokens that it would itself
 * arrive at. Tokens in order, so that the earlier ones are known. */
static void find_cut(Vocab *v, uint32_t id)
{
    Str bytes = vocab_bytes(v, id);
    v->left[id] = v->right[id] = id;
    for (uint32_t left = v->prefix[id]; left != VOCAB_NONE; left = v->prefix[left]) {
        uint32_t right = vocab_whole(v, str_slice(bytes, v->len[left], bytes.len));
        if (right >= id || left >= id || !vocab_pair_fits(v, left, right))
            continue;
        take_cut(v, id, left, right);
        return;
    }
}

static bool take_tables(Build *b)
{
    Vocab *v = b->v;
    uint32_t slots = 1;
    while (slots < v->count * 2)
        slots *= 2;
    v->pairs_mask = slots - 1;
    v->at = take(v->count, 4);
    v->len = take(v->count, 1);
    v->prefix = take(v->count, 4);
    v->left = take(v->count, 4);
    v->right = take(v->count, 4);
    v->second = take(65536, 4);
    v->pairs = take(slots, sizeof(VocabPair));
    b->start = take(v->count, 4);
    if (v->at == NULL || v->len == NULL || v->prefix == NULL || v->left == NULL ||
        v->right == NULL || v->second == NULL || v->pairs == NULL || b->start == NULL)
        return false;
    memset(v->second, 0, 65536 * 4);
    memset(v->pairs, 0xFF, slots * sizeof(VocabPair));
    return true;
}

static bool build(Build *b)
{
    Vocab *v = b->v;
    if (!take_tables(b))
        return false;
    for (uint32_t i = 0, at = 0; i < v->count; at += b->size[i++]) {
        b->start[i] = at;
        v->at[b->id[i]] = at;
        v->len[b->id[i]] = b->size[i];
    }
    if (!build_tree(b))
        return false;
    for (uint32_t id = 0; id < v->count; id++)
        if (b->cuts == NULL)
            find_cut(v, id);
        else
            take_cut(v, id, b->cuts[2 * id], b->cuts[2 * id + 1]);
    return true;
}

ErrCode vocab_build(const unsigned char *packed, const uint32_t *cuts, Vocab *out, Err *err)
{
    Vocab v = {0};
    memcpy(&v.count, packed, 4); /* 16-byte aligned, little-endian, and made at build time */
    Build b = {.v = &v,
               .id = (const uint32_t *)(const void *)(packed + 4),
               .size = packed + 4 + (size_t)v.count * 4,
               .cuts = cuts};
    v.pool = (const char *)packed + 4 + (size_t)v.count * 5;
    bool built = build(&b);
    free(b.start);
    free(b.spans);
    free(b.nearest);
    if (!built) {
        vocab_free(&v);
        return err_set(err, ERR_NO_MEMORY, "no memory for the tables of tokens");
    }
    *out = v;
    return OK;
}

void vocab_free(Vocab *v)
{
    void *const all[] = {v->at,    v->len,   v->prefix, v->left,   v->right,
                         v->first, v->label, v->token,  v->second, v->pairs};
    for (size_t i = 0; i < COUNT_OF(all); i++)
        free(all[i]);
    *v = (Vocab){0};
}

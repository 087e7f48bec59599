/* cohesion.c: cuts_by_meaning. */
#include "text/cuts.h"
#include "text/sentences.h"

#include <math.h>
#include <string.h>
#include <unicode/uchar.h>
#include <unicode/uscript.h>

enum {
    WINDOW = 3,          /* sentences on each side of a gap */
    TERMS_MAX = 1 << 17, /* different ones in a stretch; a power of two */
    SENTENCE_TERMS_MAX = 400,
};

typedef struct Term {
    uint32_t id;
    float weight; /* first how often it occurs in the sentence */
} Term;

typedef struct Sentence {
    size_t from;
    Term *terms;
    size_t len;
    bool heading; /* belongs to what follows it */
} Sentence;

/* A stretch of the text while it is looked at; its memory is used again for the next. */
typedef struct Stretch {
    Arena *arena;
    const Source *source;
    Sentence sentences[CUTS_STRETCH];
    size_t len;
    uint32_t hashes[TERMS_MAX]; /* 0: the place is free */
    float counts[TERMS_MAX];    /* sentences that have the term */
    float left[TERMS_MAX], right[TERMS_MAX];
    uint32_t terms_len;
    float likeness[CUTS_STRETCH]; /* across the gap before sentence i */
    float depth[CUTS_STRETCH];
    Term words[SENTENCE_TERMS_MAX]; /* the sentence in hand */
    size_t words_len;
    bool failed;
} Stretch;

static uint32_t term_id(Stretch *s, uint32_t hash)
{
    uint32_t i = hash & (TERMS_MAX - 1);
    while (s->hashes[i] != 0 && s->hashes[i] != hash)
        i = (i + 1) & (TERMS_MAX - 1);
    if (s->hashes[i] == 0 && s->terms_len < TERMS_MAX / 4 * 3) {
        s->hashes[i] = hash;
        s->terms_len++;
    }
    return s->hashes[i] == hash ? i : TERMS_MAX; /* a stretch with more words than anyone uses */
}

static void add_word(Stretch *s, uint32_t hash)
{
    uint32_t id = term_id(s, hash | 1);
    for (size_t i = 0; i < s->words_len; i++)
        if (s->words[i].id == id) {
            s->words[i].weight++;
            return;
        }
    if (id < TERMS_MAX && s->words_len < SENTENCE_TERMS_MAX)
        s->words[s->words_len++] = (Term){id, 1};
}

/* Scripts that put no space between words. */
static bool runs_on(UChar32 c)
{
    return c >= 0x0E00 && (u_hasBinaryProperty(c, UCHAR_IDEOGRAPHIC) ||
                           (c >= 0x3040 && c <= 0x30FF) || (c >= 0x0E00 && c <= 0x0EFF) ||
                           (c >= 0x1000 && c <= 0x109F) || (c >= 0x1780 && c <= 0x17FF));
}

static uint32_t mix(uint32_t hash, UChar32 c)
{
    return (hash ^ (uint32_t)c) * 0x01000193u;
}

static void read_words(Stretch *s, Str text)
{
    uint32_t hash = 0x811C9DC5u;
    UChar32 before = 0;
    bool in_word = false;
    s->words_len = 0;
    for (size_t at = 0; at <= text.len;) {
        UChar32 c = at < text.len ? (UChar32)str_next_utf8(text, &at) : 0;
        bool pair = runs_on(c), letter = !pair && c != 0 && u_isalnum(c);
        if (letter) {
            hash = mix(hash, u_foldCase(c, U_FOLD_CASE_DEFAULT));
        } else if (in_word) {
            add_word(s, hash);
            hash = 0x811C9DC5u;
        }
        if (pair && before != 0)
            add_word(s, mix(mix(0x9E3779B9u, before), c));
        before = pair ? c : 0;
        in_word = letter;
        if (c == 0)
            break;
    }
}

static void add_sentence(Stretch *s, size_t from, size_t to, bool heading)
{
    read_words(s, str_slice(s->source->text, from, to));
    Sentence *it = &s->sentences[s->len];
    *it = (Sentence){.from = from, .len = s->words_len, .heading = heading};
    it->terms = arena_new(s->arena, Term, s->words_len);
    if (it->terms == NULL) {
        s->failed = true;
        return;
    }
    memcpy(it->terms, s->words, s->words_len * sizeof(Term));
    for (size_t i = 0; i < it->len; i++)
        s->counts[it->terms[i].id]++;
    s->len++;
}

static void weigh(Stretch *s)
{
    for (size_t i = 0; i < s->len; i++)
        for (size_t k = 0; k < s->sentences[i].len; k++) {
            Term *t = &s->sentences[i].terms[k];
            t->weight = (1 + logf(t->weight)) * logf((1 + (float)s->len) / s->counts[t->id]);
        }
}

static void gather(Stretch *s, float *side, size_t from, size_t to, float sign)
{
    for (size_t i = from; i < to; i++)
        for (size_t k = 0; k < s->sentences[i].len; k++) {
            const Term *t = &s->sentences[i].terms[k];
            side[t->id] = sign == 0 ? 0 : side[t->id] + t->weight;
        }
}

/* Sum over the different terms of a window; each is taken once, as its square is then negated. */
static float square(const Stretch *s, float *side, size_t from, size_t to)
{
    float sum = 0;
    for (size_t i = from; i < to; i++)
        for (size_t k = 0; k < s->sentences[i].len; k++) {
            float *w = &side[s->sentences[i].terms[k].id];
            if (*w > 0) {
                sum += *w * *w;
                *w = -*w;
            }
        }
    return sum;
}

static float product(Stretch *s, size_t from, size_t to)
{
    float sum = 0;
    for (size_t i = from; i < to; i++)
        for (size_t k = 0; k < s->sentences[i].len; k++) {
            uint32_t id = s->sentences[i].terms[k].id;
            if (s->left[id] < 0 && s->right[id] < 0) { /* both have been squared */
                sum += s->left[id] * s->right[id];
                s->right[id] = -s->right[id];
            }
        }
    return sum;
}

static float likeness_at(Stretch *s, size_t gap)
{
    size_t from = gap > WINDOW ? gap - WINDOW : 0;
    size_t to = gap + WINDOW < s->len ? gap + WINDOW : s->len;
    gather(s, s->left, from, gap, 1);
    gather(s, s->right, gap, to, 1);
    float a = square(s, s->left, from, gap), b = square(s, s->right, gap, to);
    float dot = product(s, gap, to);
    gather(s, s->left, from, gap, 0);
    gather(s, s->right, gap, to, 0);
    return a > 0 && b > 0 ? dot / sqrtf(a * b) : 0;
}

/* How far one has to climb on both sides of a gap. */
static float depth_at(const Stretch *s, size_t gap)
{
    size_t l = gap, r = gap;
    while (l > 1 && s->likeness[l - 1] >= s->likeness[l])
        l--;
    while (r + 1 < s->len && s->likeness[r + 1] >= s->likeness[r])
        r++;
    return s->likeness[l] + s->likeness[r] - 2 * s->likeness[gap];
}

static float usual_depth(const Stretch *s)
{
    float sum = 0, squares = 0, n = (float)(s->len - 1);
    for (size_t i = 1; i < s->len; i++) {
        sum += s->depth[i];
        squares += s->depth[i] * s->depth[i];
    }
    float mean = sum / n, variance = squares / n - mean * mean;
    return mean + (variance > 0 ? sqrtf(variance) / 2 : 0);
}

static void finish_stretch(Stretch *s, Cuts *out)
{
    weigh(s);
    for (size_t i = 1; i < s->len; i++)
        s->likeness[i] = likeness_at(s, i);
    for (size_t i = 1; i < s->len; i++)
        s->depth[i] = depth_at(s, i);
    float usual = s->len > 1 ? usual_depth(s) : 0;
    for (size_t i = 0; i < s->len; i++) {
        bool follows = i > 0 && s->sentences[i - 1].heading;
        bool valley = i > 0 && s->depth[i] > usual;
        if (!follows && (s->sentences[i].heading || valley) && s->sentences[i].from > 0)
            cuts_add(out, s->sentences[i].from);
    }
    memset(s->hashes, 0, sizeof s->hashes);
    memset(s->counts, 0, sizeof s->counts);
    s->len = s->terms_len = 0;
    arena_recycle(s->arena);
}

static void add_one(Stretch *s, size_t from, size_t to, bool heading, Cuts *out)
{
    if (s->len == CUTS_STRETCH)
        finish_stretch(s, out);
    if (!s->failed)
        add_sentence(s, from, to, heading);
}

static void add_block(Stretch *s, const SourceBlock *b, Cuts *out)
{
    bool one = b->kind == SOURCE_HEADING || b->kind == SOURCE_TABLE || b->kind == SOURCE_CODE;
    if (one) {
        add_one(s, b->from, b->to, b->kind == SOURCE_HEADING, out);
        return;
    }
    Sentences in = sentences_begin(str_slice(s->source->text, b->from, b->to));
    for (size_t at = 0, end; sentences_next(&in, &end); at = end)
        add_one(s, b->from + at, b->from + end, false, out);
}

ErrCode cuts_by_meaning(const Source *source, Cuts *out, Err *err)
{
    CLEANUP(arena_close) Arena *words = arena_open(32 * MIB);
    CLEANUP(arena_close) Arena *own = arena_open(sizeof(Stretch) + 64 * KIB);
    Stretch *s = own != NULL ? arena_new(own, Stretch, 1) : NULL;
    if (words == NULL || s == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory to compare sentences");
    s->arena = words;
    s->source = source;
    for (size_t i = 0; i < source->blocks_len && !s->failed; i++)
        add_block(s, &source->blocks[i], out);
    if (s->failed)
        return err_set(err, ERR_NO_MEMORY, "no memory to compare sentences");
    finish_stretch(s, out);
    return out->failed ? err_set(err, ERR_LIMIT_MEMORY, "more than %zu places to cut at", out->len)
                       : OK;
}

/* text.compare: how alike two texts are, and what was changed word by word.
 *
 * What    two inputs (files, or `text` and `other`); likeness by shingles, SimHash and the share of
 *         words kept; the difference as JSON or HTML.
 * How     lines are aligned first, then the words inside changed lines (myers.h). Likeness: Jaccard and
 *         containment over hashed runs of three words; SimHash (Charikar 2002) over the same, 64 bits. */
#include "text/myers.h"
#include "text/source.h"
#include "text/text.h"
#include "text/words.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { TOKENS_LIMIT = 8 << 20, OUTPUT_MAX = 256 << 20, SHINGLE = 3 };
static const double NEAR = 0.8, SIMILAR = 0.3;

enum Output { OUTPUT_JSON, OUTPUT_HTML, OUTPUT_NONE };
static const Choice output_choices[] = {
    [OUTPUT_JSON] = {"json", "A list of what is equal, deleted and inserted."},
    [OUTPUT_HTML] = {"html", "A page with the changes marked."},
    [OUTPUT_NONE] = {"none", "Only the numbers."},
    {0},
};
static const Choice verdict_choices[] = {
    {"identical", "The words are the same."},
    {"near_duplicate", "Four fifths or more of all runs of three words are shared."},
    {"similar", "A third or more of them are."},
    {"different", "Fewer are."},
    {0},
};

typedef struct CompareArgs {
    Str text, other;
    int format, read_as;
} CompareArgs;

static const Param compare_params[] = {
    PARAM_TEXT(CompareArgs, text, .example = "The old crane stands still.",
               .help = "The first text, instead of a file."),
    PARAM_TEXT(CompareArgs, other, .example = "The new crane stands still.",
               .help = "The second text, instead of a second file."),
    PARAM_CHOICE(CompareArgs, format, .choices = output_choices, .def = OUTPUT_JSON,
                 .help = "How the difference is written."),
    PARAM_CHOICE(CompareArgs, read_as, .choices = source_choices, .def = SOURCE_AUTO,
                 .help = "What the inputs are."),
    PARAM_END,
};
static const Field compare_fields[] = {
    {"verdict", FIELD_TYPE_TEXT, "In one word.", .choices = verdict_choices},
    {"similarity", FIELD_TYPE_NUMBER, "Share of words kept in order, 0 to 1."},
    {"jaccard", FIELD_TYPE_NUMBER, "Shared runs of three words among all of them, 0 to 1."},
    {"containment", FIELD_TYPE_NUMBER, "Share of the shorter text found in the other, 0 to 1."},
    {"simhash_distance", FIELD_TYPE_INT, "Bits that differ of 64; below 4 is a near duplicate."},
    {"words", FIELD_TYPE_INT, "Words of the first text."},
    {"other_words", FIELD_TYPE_INT, "Words of the second."},
    {"deleted_words", FIELD_TYPE_INT, "Words that only the first has there."},
    {"inserted_words", FIELD_TYPE_INT, "Words that only the second has there."},
    {"changes", FIELD_TYPE_INT, "Places where they differ."},
    {0},
};

/* A text as tokens: words, and what stands between them, character by character. */
typedef struct Tokens {
    Str text;
    uint32_t *ids;
    uint32_t *from; /* bytes; one more than there are tokens */
    uint8_t *word;
    size_t len;
} Tokens;

typedef struct Op {
    MyersOp kind;
    size_t a_from, a_to, b_from, b_to; /* tokens */
} Op;

typedef struct Compare {
    StepCtx *c;
    Lexicon lexicon;
    Tokens a, b;
    Op *ops;
    size_t ops_len, ops_cap;
    size_t a_base, b_base;     /* of the stretch being compared */
    size_t *a_lines, *b_lines; /* first token of each line, and the end */
    size_t a_lines_len, b_lines_len;
    Op pending; /* lines deleted and inserted side by side */
    bool failed;
} Compare;

/* ---- tokens ---- */

static void add_token(Compare *k, Tokens *t, size_t from, size_t to, bool word)
{
    if (t->len >= TOKENS_LIMIT) {
        k->failed = true;
        return;
    }
    t->ids[t->len] = lexicon_id(&k->lexicon, str_slice(t->text, from, to));
    t->from[t->len] = (uint32_t)from;
    t->word[t->len] = word;
    t->from[++t->len] = (uint32_t)to;
}

static void add_gap(Compare *k, Tokens *t, size_t from, size_t to)
{
    for (size_t at = from; at < to;) {
        size_t next = at;
        str_next_utf8(t->text, &next);
        while (t->text.ptr[at] == ' ' && next < to && t->text.ptr[next] == ' ')
            next++;
        add_token(k, t, at, next < to ? next : to, false);
        at = next;
    }
}

static ErrCode tokenize(Compare *k, Str text, Tokens *t)
{
    size_t most = text.len + 1 < TOKENS_LIMIT ? text.len + 1 : TOKENS_LIMIT;
    *t = (Tokens){.text = text,
                  .ids = arena_alloc_raw(k->c->arena, most * sizeof *t->ids),
                  .from = arena_alloc_raw(k->c->arena, (most + 1) * sizeof *t->from),
                  .word = arena_alloc_raw(k->c->arena, most)};
    if (t->ids == NULL || t->from == NULL || t->word == NULL || text.len > UINT32_MAX)
        return err_set(k->c->err, ERR_LIMIT_MEMORY, "the texts are too long to compare");
    t->from[0] = 0;
    Words w = words_begin(text);
    Word word;
    size_t done = 0;
    while (words_next(&w, &word)) {
        if (word.from < done) /* pairs of characters overlap */
            word.from = done;
        add_gap(k, t, done, word.from);
        if (word.to > word.from)
            add_token(k, t, word.from, word.to, true);
        done = word.to > done ? word.to : done;
    }
    add_gap(k, t, done, text.len);
    if (k->lexicon.failed)
        return err_set(k->c->err, ERR_LIMIT_MEMORY, "the texts are too long to compare");
    return k->failed
               ? err_set(k->c->err, ERR_LIMIT_COUNT, "more than %d words and signs", TOKENS_LIMIT)
               : OK;
}

/* Lines as numbers; *starts: where each begins, and the end of the last. */
static ErrCode lines_of(Compare *k, const Tokens *t, Lexicon *lines, uint32_t **ids,
                        size_t **starts, size_t *len)
{
    size_t n = 0, from = 0;
    *ids = arena_alloc_raw(k->c->arena, (t->len + 1) * sizeof **ids);
    *starts = arena_alloc_raw(k->c->arena, (t->len + 2) * sizeof **starts);
    if (*ids == NULL || *starts == NULL)
        return err_set(k->c->err, ERR_LIMIT_MEMORY, "the texts are too long to compare");
    for (size_t i = 0; i < t->len; i++) {
        if (t->text.ptr[t->from[i]] != '\n' && i + 1 < t->len)
            continue;
        (*starts)[n] = from;
        (*ids)[n++] = lexicon_id(lines, str_slice(t->text, t->from[from], t->from[i + 1]));
        from = i + 1;
    }
    (*starts)[n] = t->len;
    *len = n;
    return lines->failed ? err_set(k->c->err, ERR_LIMIT_MEMORY, "the texts are too long") : OK;
}

/* ---- the difference ---- */

static void add_op(Compare *k, Op op)
{
    Op *last = k->ops_len > 0 ? &k->ops[k->ops_len - 1] : NULL;
    if (op.a_from == op.a_to && op.b_from == op.b_to)
        return;
    if (last != NULL && last->kind == op.kind) {
        last->a_to = op.a_to;
        last->b_to = op.b_to;
        return;
    }
    if (k->ops_len == k->ops_cap) {
        size_t cap = k->ops_cap > 0 ? k->ops_cap * 2 : 1024;
        Op *more = arena_grow(k->c->arena, k->ops, k->ops_cap * sizeof *more, cap * sizeof *more);
        if (more == NULL) {
            k->failed = true;
            return;
        }
        k->ops = more;
        k->ops_cap = cap;
    }
    k->ops[k->ops_len++] = op;
}

static void on_words(void *ctx, MyersOp kind, size_t a, size_t b, size_t len)
{
    Compare *k = ctx;
    size_t x = k->a_base + a, y = k->b_base + b;
    add_op(k, (Op){kind, x, kind == MYERS_INSERT ? x : x + len, y,
                   kind == MYERS_DELETE ? y : y + len});
}

static void settle(Compare *k)
{
    Op p = k->pending;
    k->pending = (Op){0};
    k->a_base = p.a_from;
    k->b_base = p.b_from;
    if (p.a_to > p.a_from || p.b_to > p.b_from)
        myers_diff(k->a.ids + p.a_from, p.a_to - p.a_from, k->b.ids + p.b_from, p.b_to - p.b_from,
                   on_words, k);
}

typedef struct LineOp {
    MyersOp kind;
    size_t a, b, len;
} LineOp;
typedef struct LineOps {
    Compare *k;
    LineOp *items;
    size_t len, cap;
} LineOps;

static void on_lines(void *ctx, MyersOp kind, size_t a, size_t b, size_t len)
{
    LineOps *l = ctx;
    if (l->len == l->cap) {
        size_t cap = l->cap > 0 ? l->cap * 2 : 256;
        LineOp *more =
            arena_grow(l->k->c->arena, l->items, l->cap * sizeof *more, cap * sizeof *more);
        if (more == NULL) {
            l->k->failed = true;
            return;
        }
        l->items = more;
        l->cap = cap;
    }
    l->items[l->len++] = (LineOp){kind, a, b, len};
}

/* Deleted and inserted lines that meet are compared word by word. */
static void join_lines(Compare *k, const LineOps *l)
{
    for (size_t i = 0; i < l->len; i++) {
        const LineOp *o = &l->items[i];
        size_t a_to = k->a_lines[o->a + (o->kind == MYERS_INSERT ? 0 : o->len)];
        size_t b_to = k->b_lines[o->b + (o->kind == MYERS_DELETE ? 0 : o->len)];
        size_t a_from = k->a_lines[o->a], b_from = k->b_lines[o->b];
        if (o->kind == MYERS_EQUAL) {
            settle(k);
            add_op(k, (Op){MYERS_EQUAL, a_from, a_to, b_from, b_to});
            continue;
        }
        bool fresh = k->pending.a_to == k->pending.a_from && k->pending.b_to == k->pending.b_from;
        if (fresh)
            k->pending = (Op){MYERS_DELETE, a_from, a_from, b_from, b_from};
        if (o->kind == MYERS_DELETE)
            k->pending.a_to = a_to;
        else
            k->pending.b_to = b_to;
    }
    settle(k);
}

static ErrCode find_difference(Compare *k)
{
    uint32_t *a_ids, *b_ids;
    Lexicon lines = lexicon_new(k->c->arena);
    LineOps ops = {.k = k};
    ErrCode rc = lines_of(k, &k->a, &lines, &a_ids, &k->a_lines, &k->a_lines_len);
    if (rc == OK)
        rc = lines_of(k, &k->b, &lines, &b_ids, &k->b_lines, &k->b_lines_len);
    if (rc != OK)
        return rc;
    myers_diff(a_ids, k->a_lines_len, b_ids, k->b_lines_len, on_lines, &ops);
    join_lines(k, &ops);
    return k->failed ? err_set(k->c->err, ERR_LIMIT_MEMORY, "no memory for the difference") : OK;
}

/* ---- likeness ---- */

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* Hashes of all runs of three words, sorted, each once. */
static ErrCode shingles(Compare *k, Str text, uint64_t **out, size_t *len, uint64_t *simhash)
{
    int64_t bits[64] = {0};
    uint64_t last[SHINGLE] = {0};
    size_t n = 0, cap = text.len / 2 + 2, words = 0;
    uint64_t *all = arena_alloc_raw(k->c->arena, cap * sizeof *all);
    if (all == NULL)
        return err_set(k->c->err, ERR_LIMIT_MEMORY, "the texts are too long to compare");
    Words w = words_begin(text);
    for (Word word; words_next(&w, &word) && n < cap;) {
        uint64_t h = UINT64_C(14695981039346656037);
        for (size_t i = 0; i < word.folded_len; i++)
            h = (h ^ (uint8_t)word.folded[i]) * UINT64_C(1099511628211);
        last[0] = last[1], last[1] = last[2], last[2] = h;
        words++;
        uint64_t run = (last[0] * 31 + last[1]) * 31 + last[2];
        run = (run ^ run >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
        run ^= run >> 27;
        if (words >= SHINGLE)
            all[n++] = run;
        for (int b = 0; b < 64; b++)
            bits[b] += run >> b & 1 ? 1 : -1;
    }
    for (int b = 0; b < 64; b++)
        *simhash |= (uint64_t)(bits[b] > 0) << b;
    qsort(all, n, sizeof *all, by_value);
    size_t kept = 0;
    for (size_t i = 0; i < n; i++)
        if (i == 0 || all[i] != all[i - 1])
            all[kept++] = all[i];
    *out = all;
    *len = kept;
    return OK;
}

static size_t shared(const uint64_t *a, size_t a_len, const uint64_t *b, size_t b_len)
{
    size_t n = 0;
    for (size_t i = 0, j = 0; i < a_len && j < b_len;) {
        n += a[i] == b[j];
        uint64_t x = a[i], y = b[j];
        i += x <= y;
        j += y <= x;
    }
    return n;
}

static double rounded(double v)
{
    return round(v * 10000) / 10000;
}

static int64_t words_in(const Tokens *t, size_t from, size_t to)
{
    int64_t n = 0;
    for (size_t i = from; i < to; i++)
        n += t->word[i];
    return n;
}

static ErrCode put_likeness(Compare *k)
{
    uint64_t *a, *b, a_hash = 0, b_hash = 0;
    size_t a_len, b_len;
    ErrCode rc = shingles(k, k->a.text, &a, &a_len, &a_hash);
    if (rc == OK)
        rc = shingles(k, k->b.text, &b, &b_len, &b_hash);
    if (rc != OK)
        return rc;
    int64_t equal = 0, deleted = 0, inserted = 0, changes = 0;
    for (size_t i = 0; i < k->ops_len; i++) {
        const Op *o = &k->ops[i];
        equal += o->kind == MYERS_EQUAL ? words_in(&k->a, o->a_from, o->a_to) : 0;
        deleted += o->kind == MYERS_DELETE ? words_in(&k->a, o->a_from, o->a_to) : 0;
        inserted += o->kind == MYERS_INSERT ? words_in(&k->b, o->b_from, o->b_to) : 0;
        changes += o->kind != MYERS_EQUAL && (i == 0 || k->ops[i - 1].kind == MYERS_EQUAL);
    }
    double both = (double)shared(a, a_len, b, b_len), all = (double)(a_len + b_len) - both;
    double small = (double)(a_len < b_len ? a_len : b_len);
    int64_t words = equal + deleted, others = equal + inserted;
    double alike = words + others > 0 ? 2.0 * (double)equal / (double)(words + others) : 1;
    double jaccard = all > 0 ? both / all : alike; /* of texts under three words: their words */
    JsonOut *j = k->c->data;
    json_kv_c(j, "verdict",
              deleted + inserted == 0 ? "identical"
              : jaccard >= NEAR       ? "near_duplicate"
              : jaccard >= SIMILAR    ? "similar"
                                      : "different");
    json_kv_double(j, "similarity", rounded(alike));
    json_kv_double(j, "jaccard", rounded(jaccard));
    json_kv_double(j, "containment", rounded(small > 0 ? both / small : alike));
    json_kv_int(j, "simhash_distance", __builtin_popcountll(a_hash ^ b_hash));
    json_kv_int(j, "words", words);
    json_kv_int(j, "other_words", others);
    json_kv_int(j, "deleted_words", deleted);
    json_kv_int(j, "inserted_words", inserted);
    json_kv_int(j, "changes", changes);
    return OK;
}

/* ---- writing ---- */

static Str op_text(const Compare *k, const Op *o)
{
    return o->kind == MYERS_INSERT ? str_slice(k->b.text, k->b.from[o->b_from], k->b.from[o->b_to])
                                   : str_slice(k->a.text, k->a.from[o->a_from], k->a.from[o->a_to]);
}

static void put_json(const Compare *k, Buf *b)
{
    static const char *const names[] = {"equal", "delete", "insert"};
    JsonOut j = json_out(b);
    int64_t a_at = 0, b_at = 0;
    json_begin(&j, '{');
    json_key(&j, "changes");
    json_begin(&j, '[');
    for (size_t i = 0; i < k->ops_len; i++) {
        const Op *o = &k->ops[i];
        Str text = op_text(k, o);
        int64_t chars = (int64_t)str_count_utf8(text);
        json_begin(&j, '{');
        json_kv_c(&j, "op", names[o->kind]);
        json_kv_int(&j, "from", a_at);
        json_kv_int(&j, "other_from", b_at);
        json_kv_str(&j, "text", text);
        json_end(&j, '}');
        a_at += o->kind == MYERS_INSERT ? 0 : chars;
        b_at += o->kind == MYERS_DELETE ? 0 : chars;
    }
    json_end(&j, ']');
    json_end(&j, '}');
}

static void put_html(const Compare *k, Buf *b)
{
    buf_add_c(b, "<!doctype html>\n<meta charset=\"utf-8\">\n<title>Changes</title>\n<style>"
                 "body{font:16px/1.5 sans-serif;max-width:48rem;margin:2rem auto;padding:0 1rem;"
                 "white-space:pre-wrap;overflow-wrap:anywhere}"
                 "del{background:#fde2e2;color:#7f1d1d}ins{background:#dcfce7;color:#14532d;"
                 "text-decoration:none}</style>\n<body>");
    for (size_t i = 0; i < k->ops_len; i++) {
        const Op *o = &k->ops[i];
        const char *tag = o->kind == MYERS_DELETE ? "del" : o->kind == MYERS_INSERT ? "ins" : NULL;
        if (tag != NULL)
            buf_addf(b, "<%s>", tag);
        buf_add_html(b, op_text(k, o));
        if (tag != NULL)
            buf_addf(b, "</%s>", tag);
    }
    buf_add_c(b, "</body>\n");
}

static ErrCode write_difference(Compare *k, int output)
{
    if (output == OUTPUT_NONE)
        return OK;
    Buf b = buf_init(k->c->arena, OUTPUT_MAX);
    if (output == OUTPUT_JSON)
        put_json(k, &b);
    else
        put_html(k, &b);
    if (b.failed)
        return err_set(k->c->err, ERR_LIMIT_OUTPUT, "the difference is too long");
    return output == OUTPUT_JSON
               ? step_output_bytes(k->c, STR("changes.json"), STR("application/json"), buf_str(&b))
               : step_output_bytes(k->c, STR("changes.html"), STR("text/html"), buf_str(&b));
}

static ErrCode open_both(StepCtx *c, const CompareArgs *a, Source *first, Source *second)
{
    StepCtx other = *c;
    bool by_file = c->inputs_len > 1;
    if (c->inputs_len > 0) {
        other.inputs = &c->inputs[c->inputs_len > 1 ? 1 : 0];
        other.inputs_len = by_file || a->text.len > 0 ? 1 : 0;
        other.input_fd = other.inputs_len > 0 ? other.inputs[0].fd : -1;
    }
    if (!by_file && a->other.len == 0 && (a->text.len == 0 || c->inputs_len == 0)) {
        err_set(c->err, ERR_INPUT_MISSING, "there is nothing to compare with");
        err_hint(c->err, "send a second file, or the parameter \"other\"");
        return ERR_INPUT_MISSING;
    }
    StepCtx one = *c;
    if (c->inputs_len == 1 && a->text.len > 0) /* the text against the file */
        one.inputs_len = 0, one.input_fd = -1;
    if (a->other.len > 0)
        other.inputs_len = 0, other.input_fd = -1;
    ErrCode rc =
        source_open(&one, &(SourceArgs){.as = (SourceAs)a->read_as, .text = a->text}, first);
    return rc == OK
               ? source_open(&other, &(SourceArgs){.as = (SourceAs)a->read_as, .text = a->other},
                             second)
               : rc;
}

static ErrCode compare_run(StepCtx *c, const void *args)
{
    const CompareArgs *a = args;
    CLEANUP(source_close) Source first = {0};
    CLEANUP(source_close) Source second = {0};
    ErrCode rc = open_both(c, a, &first, &second);
    if (rc != OK)
        return rc;
    Compare k = {.c = c, .lexicon = lexicon_new(c->arena)};
    rc = tokenize(&k, first.text, &k.a);
    if (rc == OK)
        rc = tokenize(&k, second.text, &k.b);
    if (rc == OK)
        rc = find_difference(&k);
    if (rc == OK)
        rc = put_likeness(&k);
    return rc == OK ? write_difference(&k, a->format) : rc;
}

const Step step_text_compare = {
    .name = "text.compare",
    .title = "Compare texts",
    .summary = "Say how alike two texts or documents are, and what was changed, word by word.",
    .since = "0.1",
    .accepts = "text/*,application/*,message/rfc822,image/*",
    .returns = "application/json,text/html",
    .inputs_max = 2,
    .input_optional = true,
    .version = 1,
    .cacheable = true,
    .calls = "document.extract",
    .limits = {.time_ms = 300 * 1000, .cpu_ms = 120 * 1000, .memory_bytes = (int64_t)1 << 30},
    .params = compare_params,
    .args_size = sizeof(CompareArgs),
    .data = compare_fields,
    .errors = SOURCE_ERRORS,
    .examples =
        (const Example[]){{.title = "One word changed",
                           .args = "{\"text\": \"The old crane stands still in the harbour.\", "
                                   "\"other\": \"The new crane stands still in the harbour.\"}",
                           .expect = "application/json; changes=1; deleted_words=1; "
                                     "inserted_words=1"},
                          {.title = "A file against what it should be",
                           .input = "plain.txt",
                           .args = "{\"other\": \"Something else.\", \"format\": \"html\"}",
                           .expect = "text/html; verdict=different"},
                          {0}},
    .run = compare_run,
};

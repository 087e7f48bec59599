/* text.summarize: the sentences that say most of a text, in its own words.
 *
 * How     LexRank (Erkan and Radev, JAIR 22, 2004): sentences are as important as those they resemble
 *         (cosine of tf-idf, then a random walk), with a prior for where they stand: openings count
 *         more. They are picked by MMR, so that no two say the same, and given in the text's order.
 * Limits  the SENTENCES_MAX sentences nearest to the whole take part, so the work has a bound. */
#include "text/sentences.h"
#include "text/source.h"
#include "text/text.h"
#include "text/words.h"
#include "kit/language.h"

#include <math.h>
#include <stdlib.h>

enum { SENTENCES_MAX = 1000, READ_MAX = 200000, ROUNDS = 40, SHORT_WORDS = 4, LONG_WORDS = 80 };
static const double DAMPING = 0.85, LIKE = 0.1, RELEVANCE = 0.7;

typedef struct SummarizeArgs {
    Str text, pages, language;
    int read_as;
    int64_t sentences, words;
} SummarizeArgs;

static const Param summarize_params[] = {
    PARAM_TEXT(SummarizeArgs, text, .example = "The harbour has a new crane. It lifts 40 t.",
               .help = "The text itself, instead of a file."),
    PARAM_INT(SummarizeArgs, sentences, .min = 1, .max = 100, .def = 5,
              .help = "How many sentences to take at most."),
    PARAM_INT(SummarizeArgs, words, .min = 0, .max = 5000, .example = "120",
              .help = "Most words in all; no limit when left out."),
    PARAM_TEXT(SummarizeArgs, language, .max_len = 16, .def_text = "auto", .example = "de",
               .help = "Language of the text, or auto."),
    PARAM_CHOICE(SummarizeArgs, read_as, .choices = source_choices, .def = SOURCE_AUTO,
                 .help = "What the input is."),
    PARAM_TEXT(SummarizeArgs, pages, .max_len = 200, .def_text = "", .example = "1-3,7",
               .help = "Pages of a document to take; all when left out."),
    PARAM_END,
};
static const Field sentence_fields[] = {
    {"text", FIELD_TYPE_TEXT, "The sentence."},
    {"from", FIELD_TYPE_INT, "Where it begins in the source, in characters."},
    {"to", FIELD_TYPE_INT, "Where it ends."},
    {"score", FIELD_TYPE_NUMBER, "How much of the text it says, 1 is most."},
    {0},
};
static const Field summarize_fields[] = {
    {"summary", FIELD_TYPE_TEXT, "The sentences, joined."},
    {"sentences", FIELD_TYPE_LIST, "The same with their places.", .items = sentence_fields},
    {"language", FIELD_TYPE_TEXT, "Language whose stop words were left out."},
    {"source_sentences", FIELD_TYPE_INT, "Sentences in the source."},
    {0},
};

typedef struct Weight {
    uint32_t term;
    float weight;
} Weight;

typedef struct Sentence {
    size_t from, to, place; /* place: its number in the source */
    Weight *weights;
    size_t len, words;
    double norm, centrality, score;
    bool picked;
} Sentence;

typedef struct Summary {
    StepCtx *c;
    const SummarizeArgs *args;
    const char *language;
    Str text;
    Lexicon lexicon;
    uint32_t *documents; /* sentences that have the term */
    size_t documents_cap;
    Sentence *all;
    size_t len, total;
} Summary;

static int by_term(const void *a, const void *b)
{
    uint32_t x = ((const Weight *)a)->term, y = ((const Weight *)b)->term;
    return (x > y) - (x < y);
}

/* ---- reading ---- */

static bool note_term(Summary *s, uint32_t term)
{
    if (term >= s->documents_cap) {
        size_t cap = s->documents_cap > 0 ? s->documents_cap * 2 : 4096;
        cap = cap > term ? cap : (size_t)term + 1;
        uint32_t *more = arena_grow(s->c->arena, s->documents, s->documents_cap * sizeof *more,
                                    cap * sizeof *more);
        if (more == NULL)
            return false;
        for (size_t i = s->documents_cap; i < cap; i++)
            more[i] = 0;
        s->documents = more;
        s->documents_cap = cap;
    }
    s->documents[term]++;
    return true;
}

static ErrCode read_sentence(Summary *s, size_t from, size_t to)
{
    Weight found[LONG_WORDS * 2];
    size_t n = 0, words = 0;
    Words w = words_begin(str_slice(s->text, from, to));
    Word word;
    while (words_next(&w, &word)) {
        Str folded = {word.folded, word.folded_len};
        words++;
        if (stop_word(s->language, folded) || n == COUNT_OF(found))
            continue;
        uint32_t id = lexicon_id(&s->lexicon, folded);
        size_t i = 0;
        while (i < n && found[i].term != id)
            i++;
        if (i == n)
            found[n++] = (Weight){id, 0};
        found[i].weight++;
    }
    s->total++;
    if (words < SHORT_WORDS || words > LONG_WORDS || n == 0 || s->len == READ_MAX)
        return s->lexicon.failed ? err_set(s->c->err, ERR_NO_MEMORY, "no memory for the words")
                                 : OK;
    Sentence *e = &s->all[s->len++];
    *e = (Sentence){.from = from, .to = to, .place = s->total - 1, .len = n, .words = words};
    e->weights = arena_alloc_raw(s->c->arena, n * sizeof *e->weights);
    bool ok = e->weights != NULL && !s->lexicon.failed;
    for (size_t i = 0; ok && i < n; i++) {
        e->weights[i] = found[i];
        ok = note_term(s, found[i].term);
    }
    if (!ok)
        return err_set(s->c->err, ERR_NO_MEMORY, "no memory for the words");
    qsort(e->weights, n, sizeof *e->weights, by_term);
    return OK;
}

/* Prose only: headings, tables and code are no sentences. */
static ErrCode read_text(Summary *s, const Source *source)
{
    s->all = arena_alloc_raw(s->c->arena, READ_MAX * sizeof *s->all);
    if (s->all == NULL)
        return err_set(s->c->err, ERR_NO_MEMORY, "no memory for the sentences");
    ErrCode rc = OK;
    for (size_t i = 0; rc == OK && i < source->blocks_len; i++) {
        const SourceBlock *b = &source->blocks[i];
        if (b->kind == SOURCE_HEADING || b->kind == SOURCE_TABLE || b->kind == SOURCE_CODE)
            continue;
        Sentences it = sentences_begin(str_slice(s->text, b->from, b->to));
        for (size_t from = 0, to; rc == OK && sentences_next(&it, &to); from = to)
            rc = read_sentence(s, b->from + from, b->from + to);
    }
    if (rc == OK && s->len == 0)
        return err_set(s->c->err, ERR_NO_TEXT, "there is no sentence of some length in it");
    return rc;
}

/* ---- likeness ---- */

static void weigh(Summary *s)
{
    for (size_t i = 0; i < s->len; i++) {
        Sentence *e = &s->all[i];
        double squares = 0;
        for (size_t k = 0; k < e->len; k++) {
            double idf = log((1 + (double)s->len) / (1 + s->documents[e->weights[k].term])) + 1;
            e->weights[k].weight *= (float)idf;
            squares += (double)e->weights[k].weight * (double)e->weights[k].weight;
        }
        e->norm = sqrt(squares);
    }
}

static double cosine(const Sentence *a, const Sentence *b)
{
    double dot = 0;
    for (size_t i = 0, k = 0; i < a->len && k < b->len;) {
        if (a->weights[i].term == b->weights[k].term)
            dot += (double)a->weights[i++].weight * (double)b->weights[k++].weight;
        else if (a->weights[i].term < b->weights[k].term)
            i++;
        else
            k++;
    }
    return a->norm > 0 && b->norm > 0 ? dot / (a->norm * b->norm) : 0;
}

static int by_centrality(const void *a, const void *b)
{
    const Sentence *x = a, *y = b;
    if (x->centrality != y->centrality)
        return x->centrality > y->centrality ? -1 : 1;
    return x->place < y->place ? -1 : 1;
}

static int by_place(const void *a, const void *b)
{
    const Sentence *x = a, *y = b;
    return (x->place > y->place) - (x->place < y->place);
}

/* Too many to compare with each other: those nearest to the sum of all stay. */
static ErrCode keep_central(Summary *s)
{
    if (s->len <= SENTENCES_MAX)
        return OK;
    float *sum = arena_new(s->c->arena, float, s->documents_cap);
    if (sum == NULL)
        return err_set(s->c->err, ERR_NO_MEMORY, "no memory for the sentences");
    for (size_t i = 0; i < s->len; i++)
        for (size_t k = 0; k < s->all[i].len; k++)
            sum[s->all[i].weights[k].term] += s->all[i].weights[k].weight;
    for (size_t i = 0; i < s->len; i++) {
        Sentence *e = &s->all[i];
        for (size_t k = 0; k < e->len; k++)
            e->centrality += (double)e->weights[k].weight * (double)sum[e->weights[k].term];
        e->centrality /= e->norm > 0 ? e->norm : 1;
    }
    qsort(s->all, s->len, sizeof *s->all, by_centrality);
    s->len = SENTENCES_MAX;
    qsort(s->all, s->len, sizeof *s->all, by_place);
    return OK;
}

/* Openings of a text say more than its middle. */
static double prior(const Summary *s, const Sentence *e)
{
    return 1 + 1.0 / (1 + (double)e->place) + 0.3 * (1 - (double)e->place / (double)s->total);
}

static ErrCode rank(Summary *s)
{
    size_t n = s->len;
    float *like = arena_alloc_raw(s->c->arena, n * n * sizeof *like);
    double *now = arena_new(s->c->arena, double, n), *next = arena_new(s->c->arena, double, n);
    double *out = arena_new(s->c->arena, double, n), priors = 0;
    if (like == NULL || now == NULL || next == NULL || out == NULL)
        return err_set(s->c->err, ERR_NO_MEMORY, "no memory for the sentences");
    for (size_t i = 0; i < n; i++) {
        priors += prior(s, &s->all[i]);
        like[i * n + i] = 0;
        for (size_t k = i + 1; k < n; k++) {
            double v = cosine(&s->all[i], &s->all[k]);
            like[i * n + k] = like[k * n + i] = v > LIKE ? (float)v : 0;
        }
    }
    for (size_t i = 0; i < n; i++) {
        now[i] = 1.0 / (double)n;
        for (size_t k = 0; k < n; k++)
            out[i] += (double)like[i * n + k];
    }
    for (int round = 0; round < ROUNDS; round++) {
        for (size_t i = 0; i < n; i++) {
            double in = 0;
            for (size_t k = 0; k < n; k++)
                if (out[k] > 0)
                    in += now[k] * (double)like[k * n + i] / out[k];
            next[i] = (1 - DAMPING) * prior(s, &s->all[i]) / priors + DAMPING * in;
        }
        double *swap = now;
        now = next;
        next = swap;
    }
    double most = 0;
    for (size_t i = 0; i < n; i++)
        most = fmax(most, now[i]);
    for (size_t i = 0; i < n; i++)
        s->all[i].score = most > 0 ? now[i] / most : 0;
    return OK;
}

/* ---- picking ---- */

static double likest(const Summary *s, const Sentence *e)
{
    double most = 0;
    for (size_t i = 0; i < s->len; i++)
        if (s->all[i].picked)
            most = fmax(most, cosine(&s->all[i], e));
    return most;
}

static void pick(Summary *s)
{
    int64_t words = 0;
    for (int64_t n = 0; n < s->args->sentences; n++) {
        Sentence *best = NULL;
        double best_value = -2;
        for (size_t i = 0; i < s->len; i++) {
            Sentence *e = &s->all[i];
            bool fits =
                s->args->words == 0 || n == 0 || words + (int64_t)e->words <= s->args->words;
            if (e->picked || !fits)
                continue;
            double value = RELEVANCE * e->score - (1 - RELEVANCE) * likest(s, e);
            if (value > best_value) {
                best_value = value;
                best = e;
            }
        }
        if (best == NULL)
            return;
        best->picked = true;
        words += (int64_t)best->words;
    }
}

static Str one_line(Arena *a, Str s)
{
    Buf b = buf_init(a, MIB);
    bool gap = false;
    for (size_t i = 0; i < s.len; i++) {
        bool space = (unsigned char)s.ptr[i] <= ' ';
        if (!space && gap && b.len > 0)
            buf_add_char(&b, ' ');
        if (!space)
            buf_add_char(&b, s.ptr[i]);
        gap = space;
    }
    return buf_str(&b);
}

static ErrCode put_summary(Summary *s)
{
    JsonOut *j = s->c->data;
    Buf all = buf_init(s->c->arena, 64 * KIB);
    size_t counted = 0;
    int64_t chars = 0;
    json_kv_c(j, "language", s->language);
    json_kv_int(j, "source_sentences", (int64_t)s->total);
    json_key(j, "sentences");
    json_begin(j, '[');
    for (size_t i = 0; i < s->len; i++) {
        const Sentence *e = &s->all[i];
        if (!e->picked)
            continue;
        Str raw = str_slice(s->text, e->from, e->to), line = one_line(s->c->arena, raw);
        chars += (int64_t)str_count_utf8(str_slice(s->text, counted, e->from));
        counted = e->from;
        json_begin(j, '{');
        json_kv_str(j, "text", line);
        json_kv_int(j, "from", chars);
        json_kv_int(j, "to", chars + (int64_t)str_count_utf8(str_trim(raw)));
        json_kv_double(j, "score", round(e->score * 1000) / 1000);
        json_end(j, '}');
        buf_add_c(&all, all.len > 0 ? " " : "");
        buf_add(&all, line);
    }
    json_end(j, ']');
    if (all.failed)
        return err_set(s->c->err, ERR_LIMIT_OUTPUT, "the summary is longer than 64 KiB");
    json_kv_str(j, "summary", buf_str(&all));
    return OK;
}

static ErrCode summarize_run(StepCtx *c, const void *args)
{
    const SummarizeArgs *a = args;
    CLEANUP(source_close) Source source = {0};
    LanguageGuess guess = {0};
    ErrCode rc = source_open(
        c,
        &(SourceArgs){
            .as = (SourceAs)a->read_as, .text = a->text, .pages = a->pages, .structure = true},
        &source);
    if (rc != OK)
        return rc;
    Summary s = {.c = c, .args = a, .text = source.text, .lexicon = lexicon_new(c->arena)};
    s.language = str_to_c(c->arena, a->language);
    if (str_eq_c(a->language, "auto")) {
        language_guess(source.text.ptr, source.text.len, source.as == SOURCE_MARKDOWN, &guess);
        s.language = guess.code[0] != 0 ? guess.code : "und";
    }
    if (s.language == NULL)
        return err_set(c->err, ERR_NO_MEMORY, "no memory for the words");
    rc = read_text(&s, &source);
    if (rc != OK)
        return rc;
    weigh(&s);
    rc = keep_central(&s);
    if (rc == OK)
        rc = rank(&s);
    if (rc != OK)
        return rc;
    pick(&s);
    return put_summary(&s);
}

const Step step_text_summarize = {
    .name = "text.summarize",
    .title = "Summarize",
    .summary = "Take the sentences that say most of a text or document, in their order.",
    .since = "0.1",
    .accepts = "text/*,application/*,message/rfc822,image/*",
    .input_optional = true,
    .version = 1,
    .cacheable = true,
    .calls = "document.extract",
    .limits = {.time_ms = 300 * 1000, .cpu_ms = 120 * 1000, .memory_bytes = (int64_t)1 << 30},
    .params = summarize_params,
    .args_size = sizeof(SummarizeArgs),
    .data = summarize_fields,
    .errors = SOURCE_ERRORS,
    .examples = (const Example[]){{.title = "Two sentences of a report",
                                   .input = "report.docx",
                                   .args = "{\"sentences\": 2}",
                                   .expect = "language=en; source_sentences>=3"},
                                  {0}},
    .run = summarize_run,
};

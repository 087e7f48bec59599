/* text.keywords: the words and phrases a text is about.
 *
 * How     YAKE (Campos et al., Information Sciences 509, 2020): statistics of the one text, no model
 *         and no corpus: case, position, frequency, spread over sentences, and how many different
 *         words stand beside a word. Candidates are runs of at most `words` words that neither begin
 *         nor end with a stop word and do not cross punctuation. Scores are turned round, so that 1
 *         is best. */
#include "text/sentences.h"
#include "text/source.h"
#include "text/text.h"
#include "text/words.h"
#include "kit/language.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { OCCURRENCES_MAX = 2 << 20, PHRASE_MAX = 4, TERMS_LIMIT = 1 << 20 };

typedef struct KeywordsArgs {
    Str text, pages, language;
    int read_as;
    int64_t count, words;
} KeywordsArgs;

static const Param keywords_params[] = {
    PARAM_TEXT(KeywordsArgs, text, .example = "The harbour has a new crane.",
               .help = "The text itself, instead of a file."),
    PARAM_INT(KeywordsArgs, count, .min = 1, .max = 200, .def = 15,
              .help = "How many to give at most."),
    PARAM_INT(KeywordsArgs, words, .min = 1, .max = PHRASE_MAX, .def = 3,
              .help = "Most words in a phrase."),
    PARAM_TEXT(KeywordsArgs, language, .max_len = 16, .def_text = "auto", .example = "de",
               .help = "Language of the text, or auto."),
    PARAM_CHOICE(KeywordsArgs, read_as, .choices = source_choices, .def = SOURCE_AUTO,
                 .help = "What the input is."),
    PARAM_TEXT(KeywordsArgs, pages, .max_len = 200, .def_text = "", .example = "1-3,7",
               .help = "Pages of a document to take; all when left out."),
    PARAM_END,
};
static const Field keyword_fields[] = {
    {"keyword", FIELD_TYPE_TEXT, "The word or phrase, as it is written most."},
    {"score", FIELD_TYPE_NUMBER, "How much the text is about it, 0 to 1."},
    {"count", FIELD_TYPE_INT, "How often it occurs."},
    {0},
};
static const Field keywords_fields[] = {
    {"language", FIELD_TYPE_TEXT, "Language whose stop words were left out."},
    {"keywords", FIELD_TYPE_LIST, "Best first.", .items = keyword_fields},
    {0},
};

/* A word where it stands. */
typedef struct Occurrence {
    uint32_t term;
    size_t from, to;
    int32_t sentence;
    bool breaks; /* punctuation stands between it and the next */
} Occurrence;

typedef struct Term {
    double count, capitals, uppers, first, sentences, score;
    int32_t last_sentence;
    double left, right;             /* words beside it, all */
    double left_kinds, right_kinds; /* different ones */
    bool stop;
} Term;

/* A pair of terms that stood beside each other: counted once. */
typedef struct PairSet {
    uint64_t *slots;
    size_t len, cap;
} PairSet;

typedef struct Phrase {
    uint64_t key; /* hash of its terms */
    size_t from, to;
    uint32_t terms[PHRASE_MAX];
    int len;
    int64_t count;
    double score;
} Phrase;

typedef struct Keywords {
    StepCtx *c;
    const KeywordsArgs *args;
    const char *language;
    Str text;
    Lexicon lexicon;
    Occurrence *seen;
    size_t seen_len;
    Term *terms;
    Phrase *phrases;
    size_t phrases_len, phrases_cap;
    int32_t sentences;
} Keywords;

static bool pair_new(PairSet *s, uint64_t key)
{
    if (s->len * 2 >= s->cap)
        return false; /* enough are known to tell */
    size_t i = (size_t)(key * UINT64_C(0x9E3779B97F4A7C15) >> 20) % s->cap;
    for (; s->slots[i] != 0; i = (i + 1) % s->cap)
        if (s->slots[i] == key)
            return false;
    s->slots[i] = key;
    s->len++;
    return true;
}

/* ---- reading ---- */

static bool only_space(Str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] != ' ' && s.ptr[i] != '\n' && s.ptr[i] != '\t')
            return false;
    return true;
}

static void read_sentence(Keywords *k, size_t from, size_t to)
{
    Words w = words_begin(str_slice(k->text, from, to));
    Word word;
    size_t before_to = 0;
    bool any = false;
    while (k->seen_len < OCCURRENCES_MAX && k->lexicon.len < TERMS_LIMIT && words_next(&w, &word)) {
        if (any && !only_space(str_slice(w.text, before_to, word.from)))
            k->seen[k->seen_len - 1].breaks = true;
        uint32_t id = lexicon_id(&k->lexicon, (Str){word.folded, word.folded_len});
        if (id == UINT32_MAX)
            return;
        k->seen[k->seen_len++] =
            (Occurrence){id, from + word.from, from + word.to, k->sentences, false};
        before_to = word.to;
        any = true;
    }
    if (any)
        k->seen[k->seen_len - 1].breaks = true;
    k->sentences++;
}

static ErrCode read_text(Keywords *k)
{
    k->seen = arena_alloc_raw(k->c->arena, OCCURRENCES_MAX * sizeof *k->seen);
    if (k->seen == NULL)
        return err_set(k->c->err, ERR_NO_MEMORY, "no memory for the words");
    Sentences s = sentences_begin(k->text);
    for (size_t from = 0, to; k->seen_len < OCCURRENCES_MAX && sentences_next(&s, &to); from = to)
        read_sentence(k, from, to);
    if (k->lexicon.failed)
        return err_set(k->c->err, ERR_NO_MEMORY, "no memory for the words");
    return k->seen_len > 0 ? OK : err_set(k->c->err, ERR_NO_TEXT, "there are no words in it");
}

static void count_case(Keywords *k, const Occurrence *o, bool first_of_sentence, Term *t)
{
    Words w = words_begin(str_slice(k->text, o->from, o->to));
    Word word;
    if (!words_next(&w, &word))
        return;
    t->capitals += word.capital && !first_of_sentence;
    t->uppers += word.upper;
}

static ErrCode count_terms(Keywords *k)
{
    PairSet left = {.cap = 1 << 21}, right = {.cap = 1 << 21};
    k->terms = arena_new(k->c->arena, Term, k->lexicon.len);
    left.slots = arena_new(k->c->arena, uint64_t, left.cap);
    right.slots = arena_new(k->c->arena, uint64_t, right.cap);
    if (k->terms == NULL || left.slots == NULL || right.slots == NULL)
        return err_set(k->c->err, ERR_NO_MEMORY, "no memory for the words");
    for (size_t i = 0; i < k->lexicon.len; i++)
        k->terms[i] =
            (Term){.last_sentence = -1, .stop = stop_word(k->language, k->lexicon.items[i])};
    for (size_t i = 0; i < k->seen_len; i++) {
        const Occurrence *o = &k->seen[i];
        Term *t = &k->terms[o->term];
        bool begins = i == 0 || k->seen[i - 1].sentence != o->sentence;
        if (t->count++ == 0)
            t->first = o->sentence;
        if (t->last_sentence != o->sentence) {
            t->sentences++;
            t->last_sentence = o->sentence;
        }
        count_case(k, o, begins, t);
        if (!begins && !k->seen[i - 1].breaks) {
            uint64_t before = k->seen[i - 1].term + UINT64_C(1);
            t->left++;
            t->left_kinds += pair_new(&left, (uint64_t)(o->term + UINT64_C(1)) << 32 | before);
            Term *b = &k->terms[k->seen[i - 1].term];
            b->right++;
            b->right_kinds += pair_new(&right, before << 32 | (uint64_t)(o->term + UINT64_C(1)));
        }
    }
    return OK;
}

static void score_terms(Keywords *k)
{
    double sum = 0, squares = 0, n = 0, most = 1;
    for (size_t i = 0; i < k->lexicon.len; i++) {
        const Term *t = &k->terms[i];
        most = t->count > most ? t->count : most;
        if (t->stop)
            continue;
        sum += t->count;
        squares += t->count * t->count;
        n++;
    }
    double mean = n > 0 ? sum / n : 1,
           spread = n > 0 ? sqrt(fmax(squares / n - mean * mean, 0)) : 0;
    for (size_t i = 0; i < k->lexicon.len; i++) {
        Term *t = &k->terms[i];
        double strange = 1 + (t->left > 0 ? t->left_kinds / t->left : 0) * (t->count / most) +
                         (t->right > 0 ? t->right_kinds / t->right : 0) * (t->count / most);
        double shape = fmax(t->capitals, t->uppers) / (1 + log(t->count));
        double place = log(log(3 + t->first));
        double often = t->count / (mean + spread);
        double wide = t->sentences / (double)k->sentences;
        t->score = strange * place / (shape + often / strange + wide / strange);
    }
}

/* ---- phrases ---- */

static bool may_stand(const Keywords *k, const Occurrence *o)
{
    Str word = k->lexicon.items[o->term];
    bool digits = true;
    for (size_t i = 0; i < word.len && digits; i++)
        digits = word.ptr[i] >= '0' && word.ptr[i] <= '9';
    return !k->terms[o->term].stop && !digits && str_count_utf8(word) > 1;
}

static Phrase *find_phrase(Keywords *k, uint64_t key)
{
    size_t i = (size_t)(key ^ key >> 31) % k->phrases_cap;
    while (k->phrases[i].len != 0 && k->phrases[i].key != key)
        i = (i + 1) % k->phrases_cap;
    return &k->phrases[i];
}

static void add_phrase(Keywords *k, size_t at, int len)
{
    uint64_t key = UINT64_C(14695981039346656037);
    for (int i = 0; i < len; i++)
        key = (key ^ k->seen[at + (size_t)i].term) * UINT64_C(1099511628211) + (uint64_t)len;
    Phrase *p = find_phrase(k, key);
    p->count++;
    if (p->len != 0 || k->phrases_len * 2 >= k->phrases_cap)
        return;
    k->phrases_len++;
    p->key = key;
    p->len = len;
    p->from = k->seen[at].from;
    p->to = k->seen[at + (size_t)len - 1].to;
    for (int i = 0; i < len; i++)
        p->terms[i] = k->seen[at + (size_t)i].term;
}

static ErrCode find_phrases(Keywords *k)
{
    k->phrases_cap = 1 << 20;
    k->phrases = arena_new(k->c->arena, Phrase, k->phrases_cap);
    if (k->phrases == NULL)
        return err_set(k->c->err, ERR_NO_MEMORY, "no memory for the phrases");
    for (size_t i = 0; i < k->seen_len; i++) {
        if (!may_stand(k, &k->seen[i]))
            continue;
        for (int len = 1; len <= (int)k->args->words && i + (size_t)len <= k->seen_len; len++) {
            if (may_stand(k, &k->seen[i + (size_t)len - 1]))
                add_phrase(k, i, len);
            if (k->seen[i + (size_t)len - 1].breaks)
                break;
        }
    }
    return OK;
}

/* Stop words inside a phrase neither help nor hurt. */
static void score_phrase(const Keywords *k, Phrase *p)
{
    double product = 1, sum = 0;
    for (int i = 0; i < p->len; i++) {
        const Term *t = &k->terms[p->terms[i]];
        if (t->stop)
            continue;
        product *= t->score;
        sum += t->score;
    }
    p->score = product / ((double)p->count * (1 + sum));
}

static int by_score(const void *a, const void *b)
{
    const Phrase *x = a, *y = b;
    if (x->score != y->score)
        return x->score < y->score ? -1 : 1;
    return x->from < y->from ? -1 : x->from > y->from;
}

/* "new crane" beside "crane": one of them is enough. */
static bool covers(const Phrase *a, const Phrase *b)
{
    for (int i = 0; i + b->len <= a->len; i++)
        if (memcmp(a->terms + i, b->terms, (size_t)b->len * sizeof *b->terms) == 0)
            return true;
    return false;
}

static bool repeats(const Phrase *const *kept, size_t len, const Phrase *p)
{
    for (size_t i = 0; i < len; i++)
        if (covers(kept[i], p) || covers(p, kept[i]))
            return true;
    return false;
}

static Str shown(const Keywords *k, const Phrase *p)
{
    Buf b = buf_init(k->c->arena, 4096);
    Str raw = str_slice(k->text, p->from, p->to);
    bool gap = false;
    for (size_t i = 0; i < raw.len; i++) {
        bool space = raw.ptr[i] == '\n' || raw.ptr[i] == '\t' || raw.ptr[i] == ' ';
        if (!space && gap && b.len > 0)
            buf_add_char(&b, ' ');
        if (!space)
            buf_add_char(&b, raw.ptr[i]);
        gap = space;
    }
    return buf_str(&b);
}

static void put_keywords(Keywords *k)
{
    const Phrase *kept[200];
    size_t n = 0, live = 0;
    for (size_t i = 0; i < k->phrases_cap; i++)
        if (k->phrases[i].len != 0) {
            score_phrase(k, &k->phrases[i]);
            k->phrases[live++] = k->phrases[i];
        }
    qsort(k->phrases, live, sizeof *k->phrases, by_score);
    json_key(k->c->data, "keywords");
    json_begin(k->c->data, '[');
    for (size_t i = 0; i < live && n < (size_t)k->args->count; i++) {
        const Phrase *p = &k->phrases[i];
        if (repeats(kept, n, p))
            continue;
        kept[n++] = p;
        json_begin(k->c->data, '{');
        json_kv_str(k->c->data, "keyword", shown(k, p));
        json_kv_double(k->c->data, "score", round(1000 / (1 + p->score)) / 1000);
        json_kv_int(k->c->data, "count", p->count);
        json_end(k->c->data, '}');
    }
    json_end(k->c->data, ']');
}

static ErrCode keywords_run(StepCtx *c, const void *args)
{
    const KeywordsArgs *a = args;
    CLEANUP(source_close) Source s = {0};
    LanguageGuess guess = {0};
    ErrCode rc = source_open(
        c, &(SourceArgs){.as = (SourceAs)a->read_as, .text = a->text, .pages = a->pages}, &s);
    if (rc != OK)
        return rc;
    Keywords k = {.c = c, .args = a, .text = s.text, .lexicon = lexicon_new(c->arena)};
    k.language = str_to_c(c->arena, a->language);
    if (str_eq_c(a->language, "auto")) {
        language_guess(s.text.ptr, s.text.len, s.as == SOURCE_MARKDOWN, &guess);
        k.language = guess.code[0] != 0 ? guess.code : "und";
    }
    if (k.language == NULL)
        return err_set(c->err, ERR_NO_MEMORY, "no memory for the words");
    rc = read_text(&k);
    if (rc == OK)
        rc = count_terms(&k);
    if (rc != OK)
        return rc;
    score_terms(&k);
    rc = find_phrases(&k);
    if (rc != OK)
        return rc;
    json_kv_c(c->data, "language", k.language);
    put_keywords(&k);
    return OK;
}

const Step step_text_keywords = {
    .name = "text.keywords",
    .title = "Find keywords",
    .summary = "Find the words and phrases that a text or document is about.",
    .since = "0.1",
    .accepts = "text/*,application/*,message/rfc822,image/*",
    .input_optional = true,
    .version = 1,
    .cacheable = true,
    .calls = "document.extract",
    .limits = {.time_ms = 300 * 1000, .cpu_ms = 120 * 1000, .memory_bytes = (int64_t)1 << 30},
    .params = keywords_params,
    .args_size = sizeof(KeywordsArgs),
    .data = keywords_fields,
    .errors = SOURCE_ERRORS,
    .examples = (const Example[]){{.title = "What a report is about",
                                   .input = "report.pdf",
                                   .args = "{\"count\": 5}",
                                   .expect = "language=en"},
                                  {0}},
    .run = keywords_run,
};

/* text.classify: put texts into classes that were learned from examples.
 *
 * What    train: a file of examples, {"label":…,"text":…} per line or label,text as CSV, becomes a
 *         model file, and data says how well it did on examples that were kept back.
 *         classify: a text or document and, as second file, that model.
 * How     a linear model over hashed words and pairs of words (log-linear, stochastic gradient, five
 *         rounds, examples in a fixed order): trains in seconds, answers in microseconds, and the same
 *         examples always give the same model.
 * File    "platen-classifier 1", labels, then per bucket that is used its number and a float per label;
 *         numbers little-endian. */
#include "text/source.h"
#include "text/text.h"
#include "text/words.h"
#include "base/fd.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    BUCKETS = 1 << 16,
    LABELS_MAX = 64,
    EXAMPLES_MAX = 200 * 1000,
    FEATURES_MAX = 4096,
    ROUNDS = 5,
    MODEL_MAX = 96 << 20,
    HELD_BACK = 10, /* every tenth example */
    LABEL_MAX = 100,
};
static const double RATE = 0.4;
static const char magic[] = "platen-classifier 1\n";

typedef struct ClassifyArgs {
    Str text, pages;
    int read_as;
    bool train;
} ClassifyArgs;

static const Param classify_params[] = {
    PARAM_TEXT(ClassifyArgs, text, .example = "Please find our invoice attached.",
               .help = "The text itself, instead of a first file."),
    PARAM_BOOL(ClassifyArgs, train,
               .help = "Learn: the file holds examples, and the model is the output."),
    PARAM_CHOICE(ClassifyArgs, read_as, .choices = source_choices, .def = SOURCE_AUTO,
                 .help = "What the input is."),
    PARAM_TEXT(ClassifyArgs, pages, .max_len = 200, .def_text = "", .example = "1-3,7",
               .help = "Pages of a document to take; all when left out."),
    PARAM_END,
};
static const Field class_fields[] = {
    {"label", FIELD_TYPE_TEXT, "The class."},
    {"probability", FIELD_TYPE_NUMBER, "0 to 1; all together are 1."},
    {0},
};
static const Field classify_fields[] = {
    {"label", FIELD_TYPE_TEXT, "The most likely class.", .optional = true},
    {"probability", FIELD_TYPE_NUMBER, "How likely it is.", .optional = true},
    {"classes", FIELD_TYPE_LIST, "All classes, most likely first.", .items = class_fields,
     .optional = true},
    {"examples", FIELD_TYPE_INT, "Examples that were learned from.", .optional = true},
    {"labels", FIELD_TYPE_LIST, "Classes that were learned.", .optional = true},
    {"accuracy", FIELD_TYPE_NUMBER, "Share of right answers on examples kept back, 0 to 1.",
     .optional = true},
    {0},
};

typedef struct Model {
    Str labels[LABELS_MAX];
    size_t len;
    float *weights; /* BUCKETS × LABELS_MAX */
} Model;

typedef struct Features {
    uint32_t buckets[FEATURES_MAX];
    size_t len;
} Features;

typedef struct Sample {
    uint32_t *buckets;
    size_t len;
    int label;
} Sample;

typedef struct Trainer {
    StepCtx *c;
    Model model;
    Sample *samples;
    size_t len;
} Trainer;

/* ---- the model ---- */

static uint32_t bucket_of(uint64_t h)
{
    h = (h ^ h >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    return (uint32_t)(h >> 40) & (BUCKETS - 1);
}

static void read_features(Str text, Features *out)
{
    uint64_t before = 0;
    Words w = words_begin(text);
    out->len = 0;
    for (Word word; out->len + 2 < FEATURES_MAX && words_next(&w, &word);) {
        uint64_t h = UINT64_C(14695981039346656037);
        for (size_t i = 0; i < word.folded_len; i++)
            h = (h ^ (uint8_t)word.folded[i]) * UINT64_C(1099511628211);
        out->buckets[out->len++] = bucket_of(h);
        if (before != 0)
            out->buckets[out->len++] = bucket_of(before * 31 + h);
        before = h;
    }
}

static float *weights_of(const Model *m, uint32_t bucket)
{
    return &m->weights[(size_t)bucket * LABELS_MAX];
}

static void predict(const Model *m, const uint32_t *buckets, size_t len, double p[LABELS_MAX])
{
    double most = -INFINITY, sum = 0, scale = len > 0 ? 1 / sqrt((double)len) : 0;
    for (size_t k = 0; k < m->len; k++)
        p[k] = 0;
    for (size_t i = 0; i < len; i++)
        for (size_t k = 0; k < m->len; k++)
            p[k] += (double)weights_of(m, buckets[i])[k] * scale;
    for (size_t k = 0; k < m->len; k++)
        most = fmax(most, p[k]);
    for (size_t k = 0; k < m->len; k++)
        sum += p[k] = exp(p[k] - most);
    for (size_t k = 0; k < m->len; k++)
        p[k] /= sum;
}

static void learn(Model *m, const Sample *s, double rate)
{
    double p[LABELS_MAX], scale = s->len > 0 ? 1 / sqrt((double)s->len) : 0;
    predict(m, s->buckets, s->len, p);
    for (size_t i = 0; i < s->len; i++) {
        float *w = weights_of(m, s->buckets[i]);
        for (size_t k = 0; k < m->len; k++)
            w[k] += (float)(rate * scale * ((int)k == s->label ? 1 - p[k] : -p[k]));
    }
}

static int best_of(const Model *m, const double *p)
{
    int best = 0;
    for (size_t k = 1; k < m->len; k++)
        if (p[k] > p[best])
            best = (int)k;
    return best;
}

/* ---- training ---- */

static int label_id(Trainer *t, Str label)
{
    for (size_t i = 0; i < t->model.len; i++)
        if (str_eq(t->model.labels[i], label))
            return (int)i;
    if (t->model.len == LABELS_MAX)
        return -1;
    t->model.labels[t->model.len] = str_copy(t->c->arena, label);
    return (int)t->model.len++;
}

static ErrCode add_sample(Trainer *t, Str label, Str text, size_t line)
{
    Features *f = arena_alloc_raw(t->c->arena, sizeof *f);
    label = str_trim(label);
    if (f == NULL)
        return err_set(t->c->err, ERR_NO_MEMORY, "no memory for the examples");
    if (label.len == 0 || label.len > LABEL_MAX || str_trim(text).len == 0)
        return err_set(t->c->err, ERR_INPUT_DAMAGED, "line %zu has no label or no text", line);
    if (t->len == EXAMPLES_MAX)
        return err_set(t->c->err, ERR_LIMIT_COUNT, "more than %d examples", EXAMPLES_MAX);
    int id = label_id(t, label);
    if (id < 0)
        return err_set(t->c->err, ERR_LIMIT_COUNT, "more than %d labels", LABELS_MAX);
    read_features(text, f);
    Sample *s = &t->samples[t->len++];
    *s = (Sample){.len = f->len, .label = id};
    s->buckets = arena_alloc_raw(t->c->arena, (f->len + 1) * sizeof *s->buckets);
    if (s->buckets == NULL)
        return err_set(t->c->err, ERR_NO_MEMORY, "no memory for the examples");
    memcpy(s->buckets, f->buckets, f->len * sizeof *s->buckets);
    return OK;
}

/* label,text or label<TAB>text; quotes around the text are taken off. */
static bool split_row(Str line, Str *label, Str *text)
{
    size_t tab = str_find_char(line, '\t');
    size_t at = tab != STR_NONE ? tab : str_find_char(line, ',');
    if (at == STR_NONE)
        return false;
    *label = str_trim(str_slice(line, 0, at));
    *text = str_trim(str_slice(line, at + 1, line.len));
    if (text->len >= 2 && text->ptr[0] == '"' && text->ptr[text->len - 1] == '"')
        *text = str_slice(*text, 1, text->len - 1);
    return true;
}

static ErrCode read_line(Trainer *t, Str line, size_t number)
{
    const Json *j = NULL;
    Str label, text;
    Err why = {0};
    if (line.ptr[0] == '{') {
        if (json_parse(t->c->arena, line, &j, &why) != OK)
            return err_set(t->c->err, ERR_INPUT_DAMAGED, "line %zu: %s", number, why.text);
        return add_sample(t, json_text(json_get(j, "label")), json_text(json_get(j, "text")),
                          number);
    }
    if (!split_row(line, &label, &text))
        return err_set(t->c->err, ERR_INPUT_DAMAGED,
                       "line %zu is neither {\"label\",\"text\"} nor label,text", number);
    bool head = number == 1 && str_eq_nocase(label, STR("label"));
    return head ? OK : add_sample(t, label, text, number);
}

static ErrCode read_examples(Trainer *t)
{
    Str all, line;
    size_t number = 0;
    ErrCode rc = fd_read_file(t->c->input_fd, t->c->arena, 128 * MIB, &all, t->c->err);
    if (rc != OK)
        return rc;
    if (!str_is_utf8(all))
        return err_set(t->c->err, ERR_INPUT_DAMAGED, "the examples are not UTF-8");
    t->samples = arena_alloc_raw(t->c->arena, EXAMPLES_MAX * sizeof *t->samples);
    if (t->samples == NULL)
        return err_set(t->c->err, ERR_NO_MEMORY, "no memory for the examples");
    while (rc == OK && str_next(&all, '\n', &line)) {
        number++;
        line = str_trim(line);
        if (line.len > 0)
            rc = read_line(t, line, number);
    }
    if (rc == OK && t->model.len < 2)
        return err_set(t->c->err, ERR_INPUT_DAMAGED, "examples of at least two labels are needed");
    return rc;
}

/* The same order every time, but not the file's: labels often come in blocks. */
static void shuffle(Trainer *t)
{
    uint64_t dice = 88172645463325252u;
    for (size_t i = t->len; i > 1; i--) {
        dice ^= dice << 13, dice ^= dice >> 7, dice ^= dice << 17;
        size_t k = (size_t)(dice % i);
        Sample s = t->samples[i - 1];
        t->samples[i - 1] = t->samples[k];
        t->samples[k] = s;
    }
}

static void fit(Trainer *t, bool hold_back)
{
    for (int round = 0; round < ROUNDS; round++) {
        for (size_t i = 0; i < t->len; i++)
            if (!hold_back || i % HELD_BACK != 0)
                learn(&t->model, &t->samples[i], RATE / (1 + round));
        step_progress(t->c, round + 1, ROUNDS, "learning");
    }
}

static double accuracy(const Trainer *t)
{
    double right = 0, all = 0, p[LABELS_MAX];
    for (size_t i = 0; i < t->len; i += HELD_BACK) {
        predict(&t->model, t->samples[i].buckets, t->samples[i].len, p);
        right += best_of(&t->model, p) == t->samples[i].label;
        all++;
    }
    return all > 0 ? right / all : 0;
}

static void put_32(Buf *b, uint32_t v)
{
    buf_add(b, (Str){(const char *)&v, sizeof v});
}

static ErrCode write_model(Trainer *t)
{
    const Model *m = &t->model;
    Buf b = buf_init(t->c->arena, MODEL_MAX);
    buf_add_c(&b, magic);
    put_32(&b, (uint32_t)m->len);
    for (size_t i = 0; i < m->len; i++) {
        put_32(&b, (uint32_t)m->labels[i].len);
        buf_add(&b, m->labels[i]);
    }
    for (uint32_t k = 0; k < BUCKETS; k++) {
        bool used = false;
        for (size_t i = 0; i < m->len; i++)
            used = used || fabsf(weights_of(m, k)[i]) > 1e-4f;
        if (!used)
            continue;
        put_32(&b, k);
        buf_add(&b, (Str){(const char *)weights_of(m, k), m->len * sizeof(float)});
    }
    if (b.failed)
        return err_set(t->c->err, ERR_LIMIT_OUTPUT, "the model is too large");
    return step_output_bytes(t->c, STR("model.classifier"), STR("application/octet-stream"),
                             buf_str(&b));
}

static ErrCode new_weights(StepCtx *c, Model *m)
{
    m->weights = arena_new(c->arena, float, (size_t)BUCKETS *LABELS_MAX);
    return m->weights != NULL ? OK : err_set(c->err, ERR_NO_MEMORY, "no memory for the model");
}

static ErrCode train(StepCtx *c)
{
    Trainer t = {.c = c};
    if (c->inputs_len != 1)
        return err_set(c->err, ERR_INPUT_MISSING, "learning takes one file of examples");
    ErrCode rc = new_weights(c, &t.model);
    if (rc == OK)
        rc = read_examples(&t);
    if (rc != OK)
        return rc;
    shuffle(&t);
    if (t.len >= 2 * HELD_BACK) { /* first on most of them, to know how good it is */
        fit(&t, true);
        json_kv_double(c->data, "accuracy", round(accuracy(&t) * 1000) / 1000);
        memset(t.model.weights, 0, (size_t)BUCKETS * LABELS_MAX * sizeof(float));
    }
    fit(&t, false);
    json_kv_int(c->data, "examples", (int64_t)t.len);
    json_key(c->data, "labels");
    json_begin(c->data, '[');
    for (size_t i = 0; i < t.model.len; i++)
        json_put_str(c->data, t.model.labels[i]);
    json_end(c->data, ']');
    return write_model(&t);
}

/* ---- classifying ---- */

static bool get_32(Str *s, uint32_t *out)
{
    if (s->len < sizeof *out)
        return false;
    memcpy(out, s->ptr, sizeof *out);
    *s = str_slice(*s, sizeof *out, s->len);
    return true;
}

static bool parse_model(Str s, Model *m)
{
    uint32_t labels, len, bucket;
    if (!str_starts(s, str_from_c(magic)))
        return false;
    s = str_slice(s, sizeof magic - 1, s.len);
    if (!get_32(&s, &labels) || labels < 2 || labels > LABELS_MAX)
        return false;
    for (m->len = 0; m->len < labels; m->len++) {
        if (!get_32(&s, &len) || len > LABEL_MAX || len > s.len)
            return false;
        m->labels[m->len] = str_slice(s, 0, len);
        if (!str_is_utf8(m->labels[m->len]))
            return false;
        s = str_slice(s, len, s.len);
    }
    while (s.len > 0) {
        size_t row = m->len * sizeof(float);
        if (!get_32(&s, &bucket) || bucket >= BUCKETS || s.len < row)
            return false;
        memcpy(weights_of(m, bucket), s.ptr, row);
        for (size_t i = 0; i < m->len; i++)
            if (!isfinite(weights_of(m, bucket)[i]))
                return false;
        s = str_slice(s, row, s.len);
    }
    return true;
}

static ErrCode open_model(StepCtx *c, bool with_text, Model *m)
{
    Str bytes;
    if (c->inputs_len < (with_text ? 1u : 2u)) {
        err_set(c->err, ERR_INPUT_MISSING, "the model is missing");
        err_hint(c->err, "send it as the second file; \"train\" makes one from examples");
        return ERR_INPUT_MISSING;
    }
    ErrCode rc = new_weights(c, m);
    if (rc == OK)
        rc = fd_read_file(c->inputs[with_text ? 0 : 1].fd, c->arena, MODEL_MAX, &bytes, c->err);
    if (rc == OK && !parse_model(bytes, m)) {
        err_set(c->err, ERR_INPUT_DAMAGED, "that is no model of text.classify");
        err_hint(c->err, "make one with \"train\"");
        rc = ERR_INPUT_DAMAGED;
    }
    return rc;
}

static void put_classes(StepCtx *c, const Model *m, double *p)
{
    int best = best_of(m, p);
    json_kv_str(c->data, "label", m->labels[best]);
    json_kv_double(c->data, "probability", round(p[best] * 10000) / 10000);
    json_key(c->data, "classes");
    json_begin(c->data, '[');
    for (size_t n = 0; n < m->len; n++) {
        int k = best_of(m, p);
        json_begin(c->data, '{');
        json_kv_str(c->data, "label", m->labels[k]);
        json_kv_double(c->data, "probability", round(p[k] * 10000) / 10000);
        json_end(c->data, '}');
        p[k] = -1;
    }
    json_end(c->data, ']');
}

static ErrCode classify_run(StepCtx *c, const void *args)
{
    const ClassifyArgs *a = args;
    CLEANUP(source_close) Source s = {0};
    Model m = {0};
    double p[LABELS_MAX];
    if (a->train)
        return train(c);
    ErrCode rc = open_model(c, a->text.len > 0, &m);
    StepCtx one = *c;
    if (a->text.len > 0)
        one.inputs_len = 0, one.input_fd = -1;
    else if (one.inputs_len > 1)
        one.inputs_len = 1;
    if (rc == OK)
        rc = source_open(
            &one, &(SourceArgs){.as = (SourceAs)a->read_as, .text = a->text, .pages = a->pages},
            &s);
    Features *f = arena_alloc_raw(c->arena, sizeof *f);
    if (rc == OK && f == NULL)
        rc = err_set(c->err, ERR_NO_MEMORY, "no memory for the words");
    if (rc != OK)
        return rc;
    read_features(s.text, f);
    predict(&m, f->buckets, f->len, p);
    put_classes(c, &m, p);
    return OK;
}

const Step step_text_classify = {
    .name = "text.classify",
    .title = "Classify text",
    .summary = "Learn classes from examples, and put texts and documents into them.",
    .since = "0.1",
    .accepts = "text/*,application/*,message/rfc822,image/*",
    .returns = "application/octet-stream",
    .inputs_max = 2,
    .input_optional = true,
    .version = 1,
    .cacheable = true,
    .calls = "document.extract",
    .limits = {.time_ms = 600 * 1000, .cpu_ms = 600 * 1000, .memory_bytes = (int64_t)1 << 30},
    .params = classify_params,
    .args_size = sizeof(ClassifyArgs),
    .data = classify_fields,
    .errors = SOURCE_ERRORS,
    .examples = (const Example[]){{.title = "Learn from a few lines",
                                   .input = "labels.csv",
                                   .args = "{\"train\": true}",
                                   .expect = "application/octet-stream; examples>=20"},
                                  {0}},
    .run = classify_run,
};

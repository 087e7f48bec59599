#include "work/figures.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/thread.h"

#include <stdlib.h>
#include <string.h>

enum {
    BINS = 56, /* half octaves: up to a day and more */
    MINUTES = 60,
    HALF_HOURS = 48,
    SLOTS = 2 * FIGURES_MAX, /* of the table of names; a power of two */
};
static const int64_t minute_ms = 60000, half_hour_ms = 1800000;

typedef struct Bucket {
    int64_t number; /* since 1970; 0: unused */
    uint32_t started, ended, failed;
    int32_t depth; /* -1: no sample */
    uint32_t wait[BINS], run[BINS];
} Bucket;

typedef struct Series {
    Bucket minutes[MINUTES], half_hours[HALF_HOURS];
} Series;

typedef struct Named {
    FigureName name;
    size_t len;
    Series *series;
} Named;

typedef struct Table {
    Named slots[SLOTS]; /* open addressing; never removed */
    size_t len;
} Table;

struct Figures {
    int64_t opened_ms;
    Mutex lock; /* guards the rest */
    Series *all;
    Table tables[2]; /* FIGURE_QUEUE - 1, FIGURE_STEP - 1 */
};

static int bin_of(int64_t ms)
{
    if (ms <= 0)
        return 0;
    int octave = 63 - __builtin_clzll((unsigned long long)ms);
    int half = octave > 0 && (ms >> (octave - 1) & 1) != 0;
    int bin = 1 + 2 * octave + half;
    return bin < BINS ? bin : BINS - 1;
}

/* Where bin i begins: 0, 1, 1.5, 2, 3, 4, 6 … */
static double bin_start(int i)
{
    if (i == 0)
        return 0;
    double octave = (double)(INT64_C(1) << ((i - 1) / 2));
    return (i - 1) % 2 == 0 ? octave : octave * 1.5;
}

/* Nearest rank, spread evenly over its bin; -1 when nothing was counted. */
static int64_t percentile(const uint32_t bins[BINS], int percent)
{
    uint64_t n = 0, below = 0;
    for (int i = 0; i < BINS; i++)
        n += bins[i];
    uint64_t rank = (n * (uint64_t)percent + 99) / 100;
    for (int i = 0; i < BINS; i++) {
        if (bins[i] > 0 && below + bins[i] >= rank) {
            double part = ((double)(rank - below) - 0.5) / (double)bins[i];
            return (int64_t)(bin_start(i) + part * (i == 0 ? 0 : bin_start(i + 1) - bin_start(i)));
        }
        below += bins[i];
    }
    return -1;
}

ErrCode figures_open(Figures **out, Err *err)
{
    Figures *f = fault_hit("figures.open") ? NULL : calloc(1, sizeof *f);
    if (f == NULL || (f->all = calloc(1, sizeof *f->all)) == NULL) {
        free(f);
        return err_set(err, ERR_NO_MEMORY, "keeping figures");
    }
    f->opened_ms = clock_now_ms();
    mutex_init(&f->lock);
    *out = f;
    return OK;
}

void figures_close(Figures **figures)
{
    Figures *f = *figures;
    if (f == NULL)
        return;
    for (size_t t = 0; t < COUNT_OF(f->tables); t++)
        for (size_t i = 0; i < SLOTS; i++)
            free(f->tables[t].slots[i].series);
    free(f->all);
    mutex_done(&f->lock);
    free(f);
    *figures = NULL;
}

/* --- finding a series --- */

static Named *slot_of(Table *t, Str name)
{
    uint32_t h = 2166136261u; /* FNV-1a */
    for (size_t i = 0; i < name.len; i++)
        h = (h ^ (unsigned char)name.ptr[i]) * 16777619u;
    size_t at = h % SLOTS;
    while (t->slots[at].len > 0 && (t->slots[at].len != name.len ||
                                    memcmp(t->slots[at].name.text, name.ptr, name.len) != 0))
        at = (at + 1) % SLOTS;
    return &t->slots[at];
}

/* NULL: none, and none is made: too many, or no memory. */
static Series *series_locked(Figures *f, FigureKind kind, Str name, bool make)
{
    mutex_assert_held(&f->lock);
    if (kind == FIGURE_ALL)
        return f->all;
    Table *t = &f->tables[kind - 1];
    if (name.len == 0 || name.len >= sizeof t->slots[0].name.text)
        return NULL;
    Named *n = slot_of(t, name);
    if (n->len > 0 || !make || t->len == FIGURES_MAX)
        return n->series;
    n->series = fault_hit("figures.series") ? NULL : calloc(1, sizeof *n->series);
    if (n->series == NULL)
        return NULL;
    memcpy(n->name.text, name.ptr, name.len);
    n->len = name.len;
    t->len++;
    return n->series;
}

/* --- counting --- */

static Bucket *bucket_now(Bucket *ring, int len, int64_t number)
{
    Bucket *b = &ring[number % len];
    if (b->number != number)
        *b = (Bucket){.number = number, .depth = -1};
    return b;
}

typedef struct Buckets {
    Bucket *both[2];
} Buckets;

static Buckets buckets_now(Series *s, int64_t now_ms)
{
    return (Buckets){{bucket_now(s->minutes, MINUTES, now_ms / minute_ms),
                      bucket_now(s->half_hours, HALF_HOURS, now_ms / half_hour_ms)}};
}

static void count_start(Series *s, int bin, int64_t now_ms)
{
    if (s == NULL)
        return;
    Buckets now = buckets_now(s, now_ms);
    for (int i = 0; i < 2; i++) {
        now.both[i]->started++;
        now.both[i]->wait[bin]++;
    }
}

static void count_end(Series *s, int bin, bool failed, int64_t now_ms)
{
    if (s == NULL)
        return;
    Buckets now = buckets_now(s, now_ms);
    for (int i = 0; i < 2; i++) {
        now.both[i]->ended++;
        now.both[i]->failed += failed;
        now.both[i]->run[bin]++;
    }
}

void figures_started(Figures *f, Str queue, Str step, int64_t wait_ms, int64_t now_ms)
{
    MUTEX_HELD(&f->lock);
    int bin = bin_of(wait_ms);
    count_start(f->all, bin, now_ms);
    count_start(series_locked(f, FIGURE_QUEUE, queue, true), bin, now_ms);
    count_start(series_locked(f, FIGURE_STEP, step, true), bin, now_ms);
}

void figures_ended(Figures *f, Str queue, Str step, int64_t run_ms, bool failed, int64_t now_ms)
{
    MUTEX_HELD(&f->lock);
    int bin = bin_of(run_ms);
    count_end(f->all, bin, failed, now_ms);
    count_end(series_locked(f, FIGURE_QUEUE, queue, true), bin, failed, now_ms);
    count_end(series_locked(f, FIGURE_STEP, step, true), bin, failed, now_ms);
}

void figures_depth(Figures *f, Str queue, int64_t depth, int64_t now_ms)
{
    MUTEX_HELD(&f->lock);
    FigureKind kind = queue.len == 0 ? FIGURE_ALL : FIGURE_QUEUE;
    Series *s = series_locked(f, kind, queue, depth > 0);
    if (s == NULL)
        return;
    Buckets now = buckets_now(s, now_ms);
    now.both[0]->depth = depth < INT32_MAX ? (int32_t)depth : INT32_MAX;
    if (now.both[1]->depth < now.both[0]->depth) /* of half an hour the most */
        now.both[1]->depth = now.both[0]->depth;
}

/* --- reading --- */

int64_t figures_bucket_ms(FigureSpan span)
{
    return span == FIGURE_HOUR ? minute_ms : half_hour_ms;
}

static FigurePoint point_of(const Bucket *b, int64_t time_ms)
{
    return (FigurePoint){.time_ms = time_ms,
                         .started = b->started,
                         .ended = b->ended,
                         .failed = b->failed,
                         .depth = b->depth,
                         .wait_p50_ms = percentile(b->wait, 50),
                         .wait_p95_ms = percentile(b->wait, 95),
                         .run_p50_ms = percentile(b->run, 50),
                         .run_p95_ms = percentile(b->run, 95)};
}

size_t figures_read(Figures *f, FigureKind kind, Str name, FigureSpan span, int64_t now_ms,
                    FigurePoint out[FIGURES_POINTS_MAX])
{
    static const Bucket empty = {.depth = -1};
    int64_t bucket_ms = figures_bucket_ms(span), now = now_ms / bucket_ms;
    int len = span == FIGURE_HOUR ? MINUTES : HALF_HOURS;
    size_t n = 0;
    MUTEX_HELD(&f->lock);
    const Series *s = series_locked(f, kind, name, false);
    for (int64_t number = now - len + 1; number <= now; number++) {
        if ((number + 1) * bucket_ms <= f->opened_ms)
            continue;
        const Bucket *b = &empty;
        if (s != NULL)
            b = span == FIGURE_HOUR ? &s->minutes[number % len] : &s->half_hours[number % len];
        out[n++] = point_of(b->number == number ? b : &empty, number * bucket_ms);
    }
    return n;
}

static void add(Bucket *to, const Bucket *b)
{
    to->started += b->started;
    to->ended += b->ended;
    to->failed += b->failed;
    to->depth = b->depth >= 0 ? b->depth : to->depth;
    for (int i = 0; i < BINS; i++) {
        to->wait[i] += b->wait[i];
        to->run[i] += b->run[i];
    }
}

FigurePoint figures_sum(Figures *f, FigureKind kind, Str name, int minutes, int64_t now_ms)
{
    Bucket sum = {.depth = -1};
    int64_t now = now_ms / minute_ms, first = now - (minutes < MINUTES ? minutes : MINUTES) + 1;
    MUTEX_HELD(&f->lock);
    const Series *s = series_locked(f, kind, name, false);
    for (int64_t number = first; s != NULL && number <= now; number++)
        if (s->minutes[number % MINUTES].number == number)
            add(&sum, &s->minutes[number % MINUTES]);
    return point_of(&sum, first * minute_ms);
}

size_t figures_names(Figures *f, FigureKind kind, FigureName out[FIGURES_MAX])
{
    size_t n = 0;
    MUTEX_HELD(&f->lock);
    for (size_t i = 0; kind != FIGURE_ALL && i < SLOTS; i++)
        if (f->tables[kind - 1].slots[i].len > 0)
            out[n++] = f->tables[kind - 1].slots[i].name;
    return n;
}

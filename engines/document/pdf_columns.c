/* pdf_columns.c: tables without lines: rows whose parts stand in the same columns, one below the
 * other.
 *
 * Strict on purpose: text set in columns, lists and forms look alike at first sight, and a
 * paragraph torn into cells is worse than a table read as lines. */
#include "document/pdf_table_in.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PARTS_MAX = 6000, LONG_PART = 45 };

typedef struct Row {
    size_t from, to; /* parts */
    float base, size;
} Row;

typedef struct Columns {
    float x0[TABLE_COLUMNS_MAX], x1[TABLE_COLUMNS_MAX];
    int len;
} Columns;

static int by_base(const void *a, const void *b)
{
    const PdfPart *x = a, *y = b;
    float dy = x->line->base - y->line->base;
    return dy < 0 ? -1 : dy > 0 ? 1 : x->x0 < y->x0 ? -1 : x->x0 > y->x0;
}

static int by_x(const void *a, const void *b)
{
    const PdfPart *x = a, *y = b;
    return x->x0 < y->x0 ? -1 : x->x0 > y->x0;
}

/* Does the file come to the next column of the page (or the other page of a spread) before line i?
 */
static bool jumps_up(const PdfPage *p, size_t i)
{
    const PdfLine *l = &p->lines[i], *before = &p->lines[i - 1];
    return before->base - l->base > 0.3f * p->height && l->x0 > before->x0;
}

static size_t collect(PdfPage *p, size_t from, size_t to, PdfPart *parts, size_t room)
{
    size_t len = 0;
    for (size_t i = from; i < to && len < room; i++)
        if (!p->lines[i].dropped && !p->lines[i].turned && !p->lines[i].rtl)
            len += pdf_parts_of(&p->lines[i], 1.5f, parts + len, room - len);
    return len;
}

static size_t make_rows(PdfPart *parts, size_t len, Row *rows)
{
    size_t count = 0;
    qsort(parts, len, sizeof *parts, by_base);
    for (size_t i = 0; i < len; i++) {
        Row *r = count > 0 ? &rows[count - 1] : NULL;
        const PdfLine *l = parts[i].line;
        if (r == NULL || l->base - r->base > 0.4f * fminf(l->size, r->size))
            rows[count++] = (Row){.from = i, .to = i + 1, .base = l->base, .size = l->size};
        else
            r->to = i + 1;
    }
    for (size_t i = 0; i < count; i++)
        qsort(parts + rows[i].from, rows[i].to - rows[i].from, sizeof *parts, by_x);
    return count;
}

/* Which columns does [x0, x1] touch? Returns how many, and the first. */
static int touched(const Columns *c, float x0, float x1, int *first)
{
    int count = 0;
    for (int i = 0; i < c->len; i++)
        if (x1 > c->x0[i] + 1 && x0 < c->x1[i] - 1) {
            if (count++ == 0)
                *first = i;
        }
    return count;
}

static void insert(Columns *c, float x0, float x1)
{
    int at = 0;
    while (at < c->len && c->x0[at] < x0)
        at++;
    memmove(c->x0 + at + 1, c->x0 + at, (size_t)(c->len - at) * sizeof(float));
    memmove(c->x1 + at + 1, c->x1 + at, (size_t)(c->len - at) * sizeof(float));
    c->x0[at] = x0;
    c->x1[at] = x1;
    c->len++;
}

/* Let the row's parts into the columns; false, and nothing changed, when one of them lies across
 * two. */
static bool admit(Columns *c, const PdfPart *parts, const Row *r)
{
    Columns next = *c;
    int last = -1;
    for (size_t i = r->from; i < r->to; i++) {
        int at = 0, n = touched(&next, parts[i].x0, parts[i].x1, &at);
        if (n > 1 || (n == 0 && next.len == TABLE_COLUMNS_MAX))
            return false;
        if (n == 0) {
            insert(&next, parts[i].x0, parts[i].x1);
            continue;
        }
        if (at == last)
            return false; /* two parts in one column: another structure */
        last = at;
        next.x0[at] = fminf(next.x0[at], parts[i].x0);
        next.x1[at] = fmaxf(next.x1[at], parts[i].x1);
    }
    for (int i = 0; i + 1 < next.len; i++)
        if (next.x1[i] + 0.4f * r->size > next.x0[i + 1])
            return false;
    *c = next;
    return true;
}

/* A row of one or two parts that lies across the columns, while the table goes on below it. */
static bool is_divider(const Columns *cols, const PdfPart *parts, const Row *rows, size_t count,
                       size_t at)
{
    if (rows[at].to - rows[at].from > 2 || at + 1 >= count || cols->len < 3)
        return false;
    const Row *below = &rows[at + 1];
    Columns next = *cols;
    return below->base - rows[at].base < 3.2f * below->size &&
           (int)(below->to - below->from) * 10 >= cols->len * 7 && admit(&next, parts, below) &&
           next.len == cols->len;
}

/* How far a table beginning at row `from` reaches; `cols` gets its columns. */
static size_t extend(const PdfPart *parts, const Row *rows, size_t count, size_t from,
                     Columns *cols)
{
    *cols = (Columns){0};
    if (rows[from].to - rows[from].from < 2 || !admit(cols, parts, &rows[from]))
        return from;
    size_t end = from + 1, full = end; /* trailing rows of a single part are not taken */
    for (; end < count && end - from < TABLE_ROWS_MAX; end++) {
        const Row *r = &rows[end];
        float dy = r->base - rows[end - 1].base;
        if (dy > 3.2f * fmaxf(r->size, rows[end - 1].size))
            break;
        int first;
        bool single = r->to - r->from == 1;
        bool fits = !single || touched(cols, parts[r->from].x0, parts[r->from].x1, &first) == 1;
        if (!fits || !admit(cols, parts, r)) {
            if (!is_divider(cols, parts, rows, count, end))
                break;
            continue;
        }
        if (!single)
            full = end + 1;
    }
    return full;
}

/* --- is it one? */

static bool is_mark(const PdfPart *q)
{
    size_t n = q->to - q->from;
    uint32_t c = q->line->chars[q->from].cp, end = q->line->chars[q->to - 1].cp;
    return n <= 5 &&
           (n == 1 ? c > 0x7F || c == '-' || c == '*' || c == 'o' : end == '.' || end == ')');
}

/* How long it looks: letters of East Asian scripts are twice as wide and say twice as much. */
static size_t length_of(const PdfPart *q)
{
    size_t n = 0;
    for (size_t i = q->from; i < q->to; i++)
        n += q->line->chars[i].cp >= 0x1100 ? 2 : 1;
    return n;
}

typedef struct Shape {
    size_t rows, parts, chars, longs, marks, firsts, downward;
} Shape;

static Shape measure(PdfPart *parts, const Row *rows, size_t from, size_t to, const Columns *cols)
{
    Shape s = {0};
    const PdfLine *last[TABLE_COLUMNS_MAX] = {0}; /* of each column */
    for (size_t r = from; r < to; r++) {
        if (rows[r].to - rows[r].from > 1)
            s.rows++;
        for (size_t i = rows[r].from; i < rows[r].to; i++) {
            int column = 0;
            touched(cols, parts[i].x0, parts[i].x1, &column);
            parts[i].column = column;
            s.parts++;
            size_t length = length_of(&parts[i]);
            s.chars += length;
            s.longs += length > LONG_PART;
            s.firsts += column == 0;
            s.marks += column == 0 && is_mark(&parts[i]);
            /* In text set in columns the file goes down a column before it comes to the next. */
            s.downward += last[column] != NULL && parts[i].line == last[column] + 1;
            last[column] = parts[i].line;
        }
    }
    return s;
}

static bool is_table(const Shape *s, const Columns *cols)
{
    if (s->rows < 2 || cols->len < 2 || (cols->len == 2 && s->rows < 3))
        return false;
    if (s->parts * 100 < s->rows * (size_t)cols->len * 50)
        return false;
    if (s->firsts > 0 && s->marks * 10 >= s->firsts * 8 && cols->len == 2)
        return false; /* a list: bullets and their text */
    size_t mean = s->chars / s->parts;
    bool downward = s->downward * 10 > s->parts * 5;
    if (s->longs * 10 > s->parts * 3 || mean > 40 || (downward && mean > 16))
        return false;
    return true;
}

/* A row that is tight under the one before and has no first cell holds the rest of its cells. */
static int number_rows(PdfPart *parts, const Row *rows, size_t from, size_t to)
{
    int number = -1;
    for (size_t r = from; r < to; r++) {
        const Row *before = r > from ? &rows[r - 1] : NULL;
        bool tight = before != NULL && rows[r].base - before->base < 1.45f * rows[r].size;
        size_t len = rows[r].to - rows[r].from;
        bool rest = tight && parts[rows[r].from].column > 0 && len < before->to - before->from;
        if (!rest)
            number++;
        for (size_t i = rows[r].from; i < rows[r].to; i++)
            parts[i].row = number;
    }
    return number + 1;
}

/* Tables among lines [from, to). */
static void find_among(PdfPage *p, size_t from, size_t to, PdfPart *parts, Row *rows, size_t room)
{
    size_t count = make_rows(parts, collect(p, from, to, parts, room), rows);
    for (size_t r = 0; r < count;) {
        Columns cols;
        size_t end = extend(parts, rows, count, r, &cols);
        Shape s = end > r + 1 ? measure(parts, rows, r, end, &cols) : (Shape){0};
        if (end <= r + 1 || !is_table(&s, &cols)) {
            r++;
            continue;
        }
        int numbered = number_rows(parts, rows, r, end);
        pdf_table_make(p, parts + rows[r].from, rows[end - 1].to - rows[r].from, numbered, cols.len,
                       NULL);
        r = end;
    }
}

void pdf_columns_find(PdfPage *p)
{
    size_t room = p->len * 4 + 64 < PARTS_MAX ? p->len * 4 + 64 : PARTS_MAX;
    PdfPart *parts = arena_alloc_raw(p->arena, room * sizeof *parts);
    Row *rows = arena_alloc_raw(p->arena, room * sizeof *rows);
    if (parts == NULL || rows == NULL)
        return;
    size_t from = 0;
    for (size_t i = 1; i <= p->len; i++)
        if (i == p->len || jumps_up(p, i)) {
            find_among(p, from, i, parts, rows, room);
            from = i;
        }
}

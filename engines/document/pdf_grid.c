/* pdf_grid.c: tables that are drawn with lines.
 *
 * Lines that lie on one another are made one; lines that touch belong to one figure; the places of
 * a figure's lines are the grid. A cell whose right edge is not drawn goes on into the next column.
 * A grid with text in fewer than two cells is a frame. */
#include "document/pdf_table_in.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { RULES_MAX = 1200, PARTS_MAX = 4000, CELL_LINES = 12 };
static const float NEAR = 3, SHORTEST = 8; /* points */

typedef struct Rule {
    float at, from, to; /* the line's own coordinate, and its extent */
    int figure;
} Rule;

typedef struct Grid {
    float xs[TABLE_COLUMNS_MAX + 2], ys[TABLE_ROWS_MAX + 2];
    int nx, ny;
} Grid;

typedef struct Rules {
    Rule *across, *down;
    size_t across_len, down_len;
} Rules;

static int by_at(const void *a, const void *b)
{
    const Rule *x = a, *y = b;
    if (fabsf(x->at - y->at) > 1)
        return x->at < y->at ? -1 : 1;
    return x->from < y->from ? -1 : x->from > y->from;
}

/* Pieces of one line, drawn cell by cell, become that line. */
static size_t join(Rule *r, size_t len)
{
    qsort(r, len, sizeof *r, by_at);
    size_t kept = 0;
    for (size_t i = 0; i < len; i++) {
        Rule *last = kept > 0 ? &r[kept - 1] : NULL;
        if (last != NULL && fabsf(last->at - r[i].at) <= 1 && r[i].from <= last->to + NEAR)
            last->to = fmaxf(last->to, r[i].to);
        else
            r[kept++] = r[i];
    }
    size_t out = 0;
    for (size_t i = 0; i < kept; i++)
        if (r[i].to - r[i].from >= SHORTEST)
            r[out++] = r[i];
    return out;
}

static bool collect(PdfPage *p, Rules *out)
{
    out->across = arena_new(p->arena, Rule, p->rules_len);
    out->down = arena_new(p->arena, Rule, p->rules_len);
    if (out->across == NULL || out->down == NULL)
        return false;
    for (size_t i = 0; i < p->rules_len; i++) {
        PdfRule r = p->rules[i];
        if (r.y1 - r.y0 < 1)
            out->across[out->across_len++] =
                (Rule){.at = r.y0, .from = r.x0, .to = r.x1, .figure = -1};
        else if (r.x1 - r.x0 < 1)
            out->down[out->down_len++] = (Rule){.at = r.x0, .from = r.y0, .to = r.y1, .figure = -1};
    }
    out->across_len = join(out->across, out->across_len);
    out->down_len = join(out->down, out->down_len);
    return out->across_len >= 2 && out->down_len >= 1 &&
           out->across_len + out->down_len <= RULES_MAX;
}

static bool touch(const Rule *across, const Rule *down)
{
    return down->at >= across->from - NEAR && down->at <= across->to + NEAR &&
           across->at >= down->from - NEAR && across->at <= down->to + NEAR;
}

/* Number the lines by figure: spread from one line to all that touch it. */
static int number_figures(Rules *r, size_t *stack)
{
    int figures = 0;
    for (size_t start = 0; start < r->across_len; start++) {
        if (r->across[start].figure >= 0)
            continue;
        size_t depth = 0;
        stack[depth++] = start;
        r->across[start].figure = figures;
        while (depth > 0) {
            size_t n = stack[--depth];
            bool across = n < r->across_len;
            Rule *from = across ? &r->across[n] : &r->down[n - r->across_len];
            size_t others = across ? r->down_len : r->across_len;
            for (size_t i = 0; i < others; i++) {
                Rule *to = across ? &r->down[i] : &r->across[i];
                if (to->figure >= 0 || !(across ? touch(from, to) : touch(to, from)))
                    continue;
                to->figure = figures;
                stack[depth++] = across ? r->across_len + i : i;
            }
        }
        figures++;
    }
    return figures;
}

static int by_number(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return x < y ? -1 : x > y;
}

static int add_place(float *places, int count, int most, float at)
{
    for (int i = 0; i < count; i++)
        if (fabsf(places[i] - at) <= NEAR)
            return count;
    if (count < most)
        places[count++] = at;
    return count;
}

static bool make_grid(const Rules *r, int figure, Grid *g)
{
    float left = INFINITY, right = -INFINITY, top = INFINITY, bottom = -INFINITY;
    int verticals = 0;
    *g = (Grid){0};
    for (size_t i = 0; i < r->down_len; i++) {
        const Rule *d = &r->down[i];
        if (d->figure != figure)
            continue;
        verticals++;
        g->nx = add_place(g->xs, g->nx, TABLE_COLUMNS_MAX, d->at);
        top = fminf(top, d->from);
        bottom = fmaxf(bottom, d->to);
    }
    for (size_t i = 0; i < r->across_len; i++) {
        const Rule *a = &r->across[i];
        if (a->figure != figure)
            continue;
        g->ny = add_place(g->ys, g->ny, TABLE_ROWS_MAX, a->at);
        left = fminf(left, a->from);
        right = fmaxf(right, a->to);
    }
    if (verticals == 0 || g->ny < 2)
        return false;
    g->nx = add_place(g->xs, g->nx, TABLE_COLUMNS_MAX + 2, left);
    g->nx = add_place(g->xs, g->nx, TABLE_COLUMNS_MAX + 2, right);
    g->ny = add_place(g->ys, g->ny, TABLE_ROWS_MAX + 2, top);
    g->ny = add_place(g->ys, g->ny, TABLE_ROWS_MAX + 2, bottom);
    qsort(g->xs, (size_t)g->nx, sizeof(float), by_number);
    qsort(g->ys, (size_t)g->ny, sizeof(float), by_number);
    return g->nx >= 3 && g->nx - 1 <= TABLE_COLUMNS_MAX && g->ny - 1 <= TABLE_ROWS_MAX;
}

/* Is the edge between column c - 1 and c drawn beside row r? */
static bool edge_drawn(const Rules *rules, int figure, const Grid *g, int r, int c)
{
    float from = g->ys[r], to = g->ys[r + 1], covered = 0;
    for (size_t i = 0; i < rules->down_len; i++) {
        const Rule *d = &rules->down[i];
        if (d->figure == figure && fabsf(d->at - g->xs[c]) <= NEAR)
            covered += fmaxf(0, fminf(d->to, to) - fmaxf(d->from, from));
    }
    return covered > 0.6f * (to - from);
}

static int place_of(const float *places, int count, float at)
{
    for (int i = 0; i + 1 < count; i++)
        if (at >= places[i] && at < places[i + 1])
            return i;
    return -1;
}

/* The first column of the cell that covers column c in row r. */
static int cell_start(const uint8_t *spans, int columns, int r, int c)
{
    while (c > 0 && spans[r * columns + c] == 0)
        c--;
    return c;
}

static void set_spans(const Rules *rules, int figure, const Grid *g, uint8_t *spans)
{
    int columns = g->nx - 1;
    for (int r = 0; r + 1 < g->ny; r++) {
        int start = 0;
        for (int c = 0; c < columns; c++) {
            if (c == 0 || edge_drawn(rules, figure, g, r, c)) {
                start = c;
                spans[r * columns + c] = 1;
            } else {
                spans[r * columns + c] = 0;
                spans[r * columns + start]++;
            }
        }
    }
}

/* Cut a line at the edges of the cells it runs through. */
static size_t cut_line(PdfLine *l, const Grid *g, const uint8_t *spans, PdfPart *out, size_t room)
{
    size_t count = 0;
    int columns = g->nx - 1, row = place_of(g->ys, g->ny, (l->y0 + l->y1) / 2), before = -1;
    if (row < 0 || l->turned || l->dropped)
        return 0;
    for (size_t i = 0; i < l->len; i++) {
        const PdfChar *ch = &l->chars[i];
        if (ch->cp <= ' ')
            continue;
        int c = place_of(g->xs, g->nx, (ch->x0 + ch->x1) / 2);
        if (c < 0)
            return 0; /* it leaves the grid: no part of the table */
        c = cell_start(spans, columns, row, c);
        if (c != before) {
            if (count == room)
                return count;
            out[count++] = (PdfPart){.line = l, .from = i, .x0 = ch->x0, .row = row, .column = c};
        }
        before = c;
        out[count - 1].to = i + 1;
        out[count - 1].x1 = ch->x1;
    }
    return count;
}

/* A grid whose rows are not divided by lines (a head and a body): the body's rows are its
 * baselines. Gives the parts new rows and returns their number, or 0 to leave things as they are.
 */
static int rows_by_baseline(PdfPart *parts, size_t len, const Grid *g)
{
    if (g->ny > 4)
        return 0;
    float bases[TABLE_ROWS_MAX];
    int count = 0, shared = 0;
    for (size_t i = 0; i < len && count < TABLE_ROWS_MAX; i++)
        count = add_place(bases, count, TABLE_ROWS_MAX, parts[i].line->base);
    qsort(bases, (size_t)count, sizeof(float), by_number);
    for (int b = 0; b < count; b++) {
        int columns = 0, last = -1;
        for (size_t i = 0; i < len; i++)
            if (fabsf(parts[i].line->base - bases[b]) <= NEAR && parts[i].column != last) {
                last = parts[i].column;
                columns++;
            }
        shared += columns > 1;
    }
    if (count <= g->ny || shared * 10 < count * 8)
        return 0;
    for (size_t i = 0; i < len; i++)
        for (int b = 0; b < count; b++)
            if (fabsf(parts[i].line->base - bases[b]) <= NEAR) {
                parts[i].row = b;
                break;
            }
    return count;
}

/* Much text in a cell without inner edges: the lines frame the table and do not divide it. */
static bool is_frame(const PdfPart *parts, size_t len, const uint8_t *spans, int columns)
{
    for (size_t i = 0; i < len; i++) {
        const PdfPart *q = &parts[i];
        size_t lines = 0;
        if (spans[q->row * columns + q->column] < 2)
            continue;
        for (size_t k = i; k < len && lines <= CELL_LINES; k++)
            lines += parts[k].row == q->row && parts[k].column == q->column;
        if (lines > CELL_LINES)
            return true;
    }
    return false;
}

static bool is_table(const PdfPart *parts, size_t len)
{
    int rows[2] = {INT32_MAX, -1}, columns[2] = {INT32_MAX, -1};
    size_t cells = 0;
    for (size_t i = 0; i < len; i++) {
        const PdfPart *q = &parts[i];
        cells += i == 0 || q->row != parts[i - 1].row || q->column != parts[i - 1].column;
        rows[0] = q->row < rows[0] ? q->row : rows[0];
        rows[1] = q->row > rows[1] ? q->row : rows[1];
        columns[0] = q->column < columns[0] ? q->column : columns[0];
        columns[1] = q->column > columns[1] ? q->column : columns[1];
    }
    return cells >= 4 && rows[1] > rows[0] && columns[1] > columns[0];
}

static void drop_empty(PdfPart *parts, size_t len, uint8_t *spans, int *rows, int *columns)
{
    bool row_used[TABLE_ROWS_MAX] = {0};
    for (size_t i = 0; i < len; i++)
        row_used[parts[i].row] = true;
    int to = 0;
    for (int r = 0; r < *rows; r++) {
        if (!row_used[r])
            continue;
        for (size_t i = 0; i < len; i++)
            if (parts[i].row == r)
                parts[i].row = to;
        memmove(spans + to * *columns, spans + r * *columns, (size_t)*columns);
        to++;
    }
    *rows = to;
}

static void try_figure(PdfPage *p, const Rules *rules, int figure, PdfPart *parts)
{
    Grid g;
    if (!make_grid(rules, figure, &g))
        return;
    int rows = g.ny - 1, columns = g.nx - 1;
    uint8_t *spans = arena_new(p->arena, uint8_t, (size_t)rows * (size_t)columns);
    if (spans == NULL)
        return;
    set_spans(rules, figure, &g, spans);
    size_t len = 0;
    for (size_t i = 0; i < p->len; i++)
        len += cut_line(&p->lines[i], &g, spans, parts + len, PARTS_MAX - len);
    if (!is_table(parts, len))
        return;
    int by_base = rows_by_baseline(parts, len, &g);
    if (by_base > 0) {
        pdf_table_make(p, parts, len, by_base, columns, NULL);
    } else if (is_frame(parts, len, spans, columns)) {
        return;
    } else {
        drop_empty(parts, len, spans, &rows, &columns);
        pdf_table_make(p, parts, len, rows, columns, spans);
    }
}

void pdf_grids_find(PdfPage *p)
{
    Rules rules = {0};
    if (p->rules_len < 3 || !collect(p, &rules))
        return;
    size_t *stack = arena_new(p->arena, size_t, rules.across_len + rules.down_len);
    PdfPart *parts = arena_alloc_raw(p->arena, PARTS_MAX * sizeof *parts);
    if (stack == NULL || parts == NULL)
        return;
    int figures = number_figures(&rules, stack);
    for (int f = 0; f < figures; f++)
        try_figure(p, &rules, f, parts);
}

#include "document/grid.h"

#include <stdlib.h>
#include <string.h>

enum {
    SIDE_BY_SIDE_GAP = 2,
    ROW_BYTES = 16 << 20,
    GAPS_FREE = 5 * 1000 * 1000,
    GAPS_PER_CELL = 20
};

ErrCode grid_open(StepCtx *c, Doc *out, Grid *g)
{
    *g = (Grid){.step = c, .out = out, .text = buf_init(c->arena, ROW_BYTES)};
    g->cells = arena_new(c->arena, GridCell, GRID_CELLS_HELD);
    g->used = arena_new(c->arena, bool, GRID_COLUMNS_MAX);
    g->merges = arena_new(c->arena, GridMerge, GRID_MERGES_MAX);
    g->covered = arena_new(c->arena, int64_t, GRID_COLUMNS_MAX);
    if (g->cells == NULL || g->used == NULL || g->merges == NULL || g->covered == NULL)
        return err_set(c->err, ERR_NO_MEMORY, "reading a spreadsheet");
    for (size_t i = 0; i < GRID_COLUMNS_MAX; i++)
        g->covered[i] = -1;
    return OK;
}

void grid_begin(Grid *g, Str name)
{
    g->len = 0;
    g->rows = 0;
    g->name = name;
    g->merges_len = 0;
    buf_clear(&g->text);
}

/* --- merged cells */

static int by_place(const void *a, const void *b)
{
    const GridMerge *x = a, *y = b;
    if (x->row != y->row)
        return x->row < y->row ? -1 : 1;
    return x->column < y->column ? -1 : x->column > y->column;
}

void grid_merge(Grid *g, GridMerge m)
{
    if (g->merges_len == GRID_MERGES_MAX || m.last_row < m.row || m.last_column < m.column)
        return;
    g->merges[g->merges_len++] = m;
    g->merges_sorted = false;
}

static void sort_merges(Grid *g)
{
    if (!g->merges_sorted && g->merges_len > 1)
        qsort(g->merges, g->merges_len, sizeof *g->merges, by_place);
    g->merges_sorted = true;
}

static const GridMerge *merge_at(const Grid *g, int64_t row, int64_t column)
{
    const GridMerge key = {.row = row, .column = column};
    return g->merges_len > 0 ? bsearch(&key, g->merges, g->merges_len, sizeof *g->merges, by_place)
                             : NULL;
}

/* Rows of the merge that are rows of the table, from cell i on: empty ones are none. */
static int rows_of(const Grid *g, const GridMerge *m, size_t i)
{
    int rows = 1;
    int64_t last = m->row;
    for (; i < g->len && g->cells[i].row <= m->last_row; i++)
        if (g->cells[i].row > last) {
            rows++;
            last = g->cells[i].row;
        }
    return rows;
}

void grid_heading(Grid *g)
{
    if (g->name.len == 0)
        return;
    doc_begin(g->out, BLOCK_HEADING, 2);
    doc_text(g->out, g->name);
    doc_end(g->out);
    g->name = STR("");
}

static Str text_of(const Grid *g, const GridCell *c)
{
    return str_slice(buf_str(&g->text), c->from, c->to);
}

static bool may_skip(Grid *g, int64_t columns)
{
    g->gaps += columns;
    if (g->gaps <= GAPS_FREE + GAPS_PER_CELL * g->given)
        return true;
    if (!g->noted)
        step_note(g->step, STR("the sheet is mostly empty: gaps between its cells are left out"));
    g->noted = true;
    return false;
}

/* Put the cell; returns the column behind it. */
static int64_t put_cell(Grid *g, const GridCell *c, int64_t to)
{
    const GridMerge *m = merge_at(g, c->row, c->column);
    int64_t end = m != NULL && m->last_column < to ? m->last_column + 1 : c->column + 1;
    doc_cell(g->out, (int)(end - c->column), m != NULL ? rows_of(g, m, (size_t)(c - g->cells)) : 1);
    doc_text(g->out, text_of(g, c));
    for (int64_t k = c->column; k < end && m != NULL; k++)
        g->covered[k] = m->last_row;
    g->covers = g->covers || m != NULL;
    return end;
}

/* The cells in hand of the columns [from, to); rows begin in column `first`. */
static void put_cells(Grid *g, int64_t from, int64_t to, int64_t first)
{
    int64_t row = -1, at = first;
    for (size_t i = 0; i < g->len; i++) {
        const GridCell *c = &g->cells[i];
        if (c->column < from || c->column >= to)
            continue;
        if (c->row != row) {
            doc_row(g->out);
            row = c->row;
            at = first;
        }
        if (c->column < at || g->covered[c->column] >= row)
            continue; /* under a merge: the sheet does not show it */
        if (c->column > at && may_skip(g, c->column - at))
            for (; at < c->column; at++)
                if (g->covered[at] < row)
                    doc_cell(g->out, 1, 1);
        at = put_cell(g, c, to);
    }
}

static void begin_table(Grid *g)
{
    doc_table(g->out);
    for (size_t i = 0; i < GRID_COLUMNS_MAX && g->covers; i++)
        g->covered[i] = -1;
    g->covers = false;
}

/* Do the cells to the left and to the right of a gap hardly share a row? */
static bool apart(const Grid *g, int64_t from, int64_t gap)
{
    int64_t a0 = INT64_MAX, a1 = -1, b0 = INT64_MAX, b1 = -1;
    for (size_t i = 0; i < g->len; i++) {
        const GridCell *c = &g->cells[i];
        int64_t *low = c->column < gap ? &a0 : &b0, *high = c->column < gap ? &a1 : &b1;
        if (c->column < from)
            continue;
        *low = c->row < *low ? c->row : *low;
        *high = c->row > *high ? c->row : *high;
    }
    int64_t shared = (a1 < b1 ? a1 : b1) - (a0 > b0 ? a0 : b0) + 1;
    int64_t shorter = a1 - a0 < b1 - b0 ? a1 - a0 + 1 : b1 - b0 + 1;
    return shared * 2 <= shorter;
}

/* Where the part that begins at `from` ends: at the first wide gap, or behind the last column. */
static int64_t end_of_part(const Grid *g, int64_t from, int64_t end, int64_t *next)
{
    for (int64_t at = from; at < end; at = *next) {
        for (; at < end && g->used[at]; at++)
            ;
        for (*next = at; *next < end && !g->used[*next]; (*next)++)
            ;
        if (*next == end || *next - at >= SIDE_BY_SIDE_GAP || apart(g, from, at))
            return at;
    }
    *next = end;
    return end;
}

static int64_t measure(Grid *g)
{
    int64_t end = 0;
    g->first_column = GRID_COLUMNS_MAX;
    memset(g->used, 0, GRID_COLUMNS_MAX * sizeof(*g->used));
    for (size_t i = 0; i < g->len; i++) {
        int64_t column = g->cells[i].column;
        const GridMerge *m = merge_at(g, g->cells[i].row, column);
        g->used[column] = true;
        for (int64_t k = column; m != NULL && k <= m->last_column && k < GRID_COLUMNS_MAX; k++)
            g->used[k] = true;
        g->first_column = column < g->first_column ? column : g->first_column;
        end = column + 1 > end ? column + 1 : end;
    }
    return end;
}

/* A whole table in hand: as several when they stand side by side, each at least two columns wide.
 */
static void put_side_by_side(Grid *g, int64_t end)
{
    int64_t next = 0;
    bool wide = true;
    for (int64_t from = g->first_column; from < end; from = next)
        wide = end_of_part(g, from, end, &next) - from > 1 && wide;
    for (int64_t from = g->first_column; from < end; from = next) {
        int64_t to = end_of_part(g, from, end, &next);
        if (!wide)
            to = next = end;
        begin_table(g);
        put_cells(g, from, to, from);
        doc_table_end(g->out);
    }
}

static void put_rows(Grid *g, bool followed)
{
    if (g->table_open) {
        put_cells(g, 0, GRID_COLUMNS_MAX, g->first_column);
        return;
    }
    int64_t end = measure(g);
    if (!followed) {
        put_side_by_side(g, end);
        return;
    }
    begin_table(g);
    g->table_open = true;
    put_cells(g, 0, GRID_COLUMNS_MAX, g->first_column);
}

/* Write what is in hand. `followed`: the next row of the sheet has text too. */
static void flush(Grid *g, bool followed)
{
    if (g->len > 0) {
        if (!g->table_open && g->before != NULL)
            g->before(g->before_ctx, g->cells[0].row);
        grid_heading(g);
        g->given += (int64_t)g->len;
        if (!g->table_open && !followed && g->len == 1) {
            doc_begin(g->out, BLOCK_PARAGRAPH, 0);
            doc_text(g->out, text_of(g, &g->cells[0]));
            doc_end(g->out);
        } else {
            put_rows(g, followed);
        }
    }
    if (!followed && g->table_open) {
        doc_table_end(g->out);
        g->table_open = false;
    }
    g->reach = followed ? g->reach : -1;
    g->len = 0;
    g->rows = 0;
    buf_clear(&g->text);
}

static void next_row(Grid *g, int64_t row)
{
    bool followed = row <= (g->reach > g->row ? g->reach : g->row) + 1;
    bool full =
        g->rows >= GRID_ROWS_HELD || g->len > GRID_COLUMNS_MAX || g->text.len > ROW_BYTES / 2;
    if (!followed || g->table_open || full)
        flush(g, followed);
    g->rows++;
}

void grid_cell(Grid *g, int64_t row, int64_t column, Str text)
{
    if (str_trim(text).len == 0 || column < 0 || column >= GRID_COLUMNS_MAX)
        return;
    if (g->len > 0 && g->row != row)
        next_row(g, row);
    if (g->len == GRID_CELLS_HELD || g->text.len + text.len > ROW_BYTES)
        return;
    g->row = row;
    sort_merges(g);
    const GridMerge *m = merge_at(g, row, column);
    g->reach = m != NULL && m->last_row > g->reach ? m->last_row : g->reach;
    size_t from = g->text.len;
    buf_add(&g->text, text);
    g->cells[g->len++] = (GridCell){row, column, from, g->text.len};
}

void grid_end(Grid *g)
{
    flush(g, false);
}

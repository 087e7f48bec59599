/* grid.h: the cells of a spreadsheet as they come, written as tables. Shared by xlsx.c and odf.c.
 *
 *   grid_begin(&g, name);               the sheet's name becomes a heading when the sheet has any
 * text grid_cell(&g, row, column, text);   rows and columns from 0, in reading order; empty cells
 * need not be given grid_end(&g);
 *
 * Merged ranges that are known before the cells (grid_merge)
 * become spans. An empty row that a merge reaches into does not end a table.
 *
 * An empty row ends a table; a single cell with no row above and below is a paragraph. Two tables
 * side by side, with at least two empty columns between them (one, when they hardly share a row), are
 * two tables, as long as they are short enough to be held. The first rows of a table are held to learn in which column it begins,
 * then one row at a time. Cells that are not given are empty up to the last one of their row. A
 * sheet made of gaps (one cell at the far right of each of a million rows) loses them, with a note.
 */
#ifndef PLATEN_DOCUMENT_GRID_H
#define PLATEN_DOCUMENT_GRID_H

#include "document/doc.h"

enum {
    GRID_COLUMNS_MAX = 16384,
    GRID_ROWS_HELD = 1000,
    GRID_CELLS_HELD = 2 * GRID_COLUMNS_MAX,
    GRID_MERGES_MAX = 20000
};

typedef struct GridCell {
    int64_t row, column;
    size_t from, to; /* in text */
} GridCell;

typedef struct GridMerge {
    int64_t row, column, last_row, last_column;
} GridMerge;

typedef struct Grid {
    StepCtx *step;
    Doc *out;
    Buf text;
    GridCell *cells; /* the rows in hand */
    size_t len;
    Str name; /* not yet written */
    int64_t row, first_column;
    int rows;            /* in hand */
    bool *used;          /* columns of the rows in hand that hold text */
    int64_t given, gaps; /* of all sheets */
    bool table_open, noted;
    GridMerge *merges; /* of this sheet */
    size_t merges_len;
    bool merges_sorted, covers;
    int64_t reach; /* the last row that a merge of the table reaches into */
    /* Called before a table or paragraph that begins in this row; may write. Or NULL. */
    void (*before)(void *ctx, int64_t row);
    void *before_ctx;
    int64_t *covered; /* per column: the last row that a cell above covers */
} Grid;

/* Allocated in the step's arena. NO_MEMORY. */
MUST_CHECK ErrCode grid_open(StepCtx *c, Doc *out, Grid *g);
void grid_begin(Grid *g, Str name);
/* Before the cells of the sheet. Beyond GRID_MERGES_MAX they are forgotten. */
void grid_merge(Grid *g, GridMerge merge);
/* Write the heading now: something other than cells follows. */
void grid_heading(Grid *g);
void grid_cell(Grid *g, int64_t row, int64_t column, Str text);
void grid_end(Grid *g);

#endif

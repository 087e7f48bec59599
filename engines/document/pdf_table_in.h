/* pdf_table_in.h: what the two ways of finding tables share. */
#ifndef PLATEN_DOCUMENT_PDF_TABLE_IN_H
#define PLATEN_DOCUMENT_PDF_TABLE_IN_H

#include "document/pdf_in.h"

enum { TABLE_ROWS_MAX = 400, TABLE_COLUMNS_MAX = 60 };

/* A stretch of a line between wide gaps. */
typedef struct PdfPart {
    PdfLine *line;
    size_t from, to;
    float x0, x1;
    int row, column;
} PdfPart;

struct PdfTable {
    int rows, columns;
    PdfPart *parts; /* sorted by row, column, baseline, x */
    size_t len;
    uint8_t *spans; /* rows * columns: how many columns the cell covers; 0: covered by another */
};

/* Cut a line where it has gaps wider than `gap` times its size. Returns the number of parts written
 * to `out`. */
size_t pdf_parts_of(PdfLine *l, float gap, PdfPart *out, size_t room);
/* Make a table of these parts: sorts them, drops empty rows and columns (unless `spans` says how
 * many columns each cell covers), and takes their lines out of the text. Without memory nothing
 * happens. */
void pdf_table_make(PdfPage *p, PdfPart *parts, size_t len, int rows, int columns,
                    const uint8_t *spans);

/* pdf_columns.c: tables without rulings, by the columns that their parts stand in.
 */
void pdf_columns_find(PdfPage *p);
/* pdf_grid.c: tables with rulings. */
void pdf_grids_find(PdfPage *p);

#endif

/* xlsx_drawing.h: the text boxes, charts and diagrams of a sheet, each where it is anchored.
 *
 * A drawing floats over the cells. It is written before the first table that begins below the row
 * it is anchored in, or behind the last one. */
#ifndef PLATEN_DOCUMENT_XLSX_DRAWING_H
#define PLATEN_DOCUMENT_XLSX_DRAWING_H

#include "document/drawing.h"
#include "document/grid.h"

typedef struct XlsxAnchor {
    int64_t row;  /* from 1, as the rows of the sheet */
    size_t place; /* in the part */
    const XmlElem *elem;
} XlsxAnchor;

typedef struct XlsxDrawings {
    Opc *opc;
    Doc *out;
    Grid *grid;
    Arena *own;
    OpcRels rels;
    XlsxAnchor *anchors;
    size_t len, next;
} XlsxDrawings;

/* Read the drawing part of a sheet; a part that cannot be read holds nothing. */
void xlsx_drawings_open(XlsxDrawings *s, Opc *opc, Str part, Doc *out, Grid *grid);
/* Write what is anchored above this row. */
void xlsx_drawings_put(void *drawings, int64_t row);
void xlsx_drawings_close(XlsxDrawings *s);

#endif

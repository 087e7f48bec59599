/* doc_pdf_in.h: blocks onto pages: doc_pdf.c the writer, doc_pdf_flow.c paragraphs on pages,
 * doc_pdf_table.c tables. */
#ifndef PLATEN_DOCUMENT_DOC_PDF_IN_H
#define PLATEN_DOCUMENT_DOC_PDF_IN_H

#include "document/typeset.h"

enum { PRESS_COLUMNS = 128, PRESS_ROWS_HELD = 64 };

typedef struct PressTable PressTable;

typedef struct Press {
    Doc *d;
    Sheet *sheet;
    Arena *scratch; /* of the block in hand */
    FaceFamily family;
    float size; /* of body text */
    float width, height, margin;
    float left, right, top, bottom; /* the type area, y downwards from the top of the paper */
    float y;                        /* where the next thing goes */
    float gap;                      /* wanted before it; none at the top of a page */
    bool page_open, fresh;          /* fresh: nothing is on the page yet */
    float item_left[DOC_LEVELS + 1];
    int depth; /* of the list in hand */
    bool after_heading;
    PressTable *table;
} Press;

/* How a paragraph stands. */
typedef struct PressLook {
    SetLook set;
    float before, after; /* points */
    float indent;        /* from the left, or from the right when it runs from the right */
    float pad;           /* around it, on the ground */
    uint32_t ground;     /* colour behind it; 0: none */
    uint32_t bar;        /* colour of a bar beside it; 0: none */
    int bars;
    float keep; /* points that must fit under its last line */
    Str marker; /* of a list item, hung into the indent */
    int level;  /* of a heading: a bookmark; 0: none */
} PressLook;

/* doc_pdf_flow.c */
void press_new_page(Press *p);
void press_end_page(Press *p);
/* The gap, then a new page when `height` does not fit. */
void press_want(Press *p, float height);
float press_left_on_page(const Press *p);
void press_box(Press *p, float x, float y, float width, float height, uint32_t colour);
void press_paragraph(Press *p, const PressLook *k, Str text, const SetRun *runs, size_t runs_len);
/* Baseline below the top of a line. */
float press_ascent(const SetLook *k);
/* From the top of the paper to the bottom left. */
float press_y(const Press *p, float y);

/* doc_pdf_table.c */
void press_table_begin(Press *p);
void press_row(Press *p, const DocRow *row);
void press_table_end(Press *p);
void press_table_drop(Press *p);

#endif

/* odf_in.h: the inside of the OpenDocument reader.
 *
 *   odf.c        the stream: lists, tables, sheets, slides, metadata
 *   odf_text.c   paragraphs and what stands in them: spans, links, notes, text boxes */
#ifndef PLATEN_DOCUMENT_ODF_IN_H
#define PLATEN_DOCUMENT_ODF_IN_H

#include "base/buf.h"
#include "document/grid.h"
#include "document/odf_styles.h"

enum {
    LISTS_MAX = 32,
    BOXES_MAX = 256,
    REPEATS_MAX = 200 * 1000,
    TREE_BYTES = 128 << 20,
    ROWS_MAX = 1 << 20
};

typedef struct OdfOpenList {
    Str style;             /* "" : that of the list around it */
    bool bullets, numbers; /* the elements of OpenOffice.org 1 say which */
    bool fresh;            /* no paragraph of the item in hand yet */
    bool header;
    int64_t item_start; /* the item's own number, or 0 */
} OdfOpenList;

typedef struct Odf {
    const DocInput *in;
    Doc *out;
    Arena *arena, *trees;
    Err *err;
    OdfStyles styles;

    OdfOpenList lists[LISTS_MAX];
    int lists_len, lists_beyond;
    int64_t counts[ODF_LIST_LEVELS];
    Str last_list; /* style of the outermost list before */

    const XmlElem *boxes[BOXES_MAX];
    size_t boxes_len;
    int64_t notes;
    bool in_note, note_begun;
    int cell_depth, table_depth;
    unsigned marks;
    bool plain;
    bool code_open;

    bool sheets; /* a spreadsheet: tables are sheets */
    Grid grid;
    int64_t row_no, page_no, repeats;
    bool pages_by_slide;
    Str author, creator;
    int64_t pages;
} Odf;

/* odf.c */
void odf_put_block(Odf *x, const XmlElem *e);
void odf_put_children(Odf *x, const XmlElem *parent);

/* odf_text.c */
void odf_put_paragraph(Odf *x, const XmlElem *p);
void odf_put_inline(Odf *x, const XmlElem *parent);
/* Is the page, slide or sheet in hand wanted? */
bool odf_shown(const Odf *x);
void odf_begin_note_line(Odf *x);
/* What hangs on a paragraph waits for its end. */
void odf_queue_box(Odf *x, const XmlElem *e);
void odf_put_boxes(Odf *x, size_t from);

#endif

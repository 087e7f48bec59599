/* drawing.h: the DrawingML that Word, PowerPoint and Excel files share: text bodies, tables, charts
 * and diagrams. */
#ifndef PLATEN_DOCUMENT_DRAWING_H
#define PLATEN_DOCUMENT_DRAWING_H

#include "document/opc.h"

typedef struct Drawing {
    Opc *opc;
    const OpcRels *rels; /* of the part that the drawing stands in */
    Doc *out;
    Arena *arena; /* scratch */
} Drawing;

/* How the paragraphs of a text body are written. */
typedef enum DrawingText {
    DRAWING_PLAIN,   /* a paragraph is a paragraph, unless it has a bullet of its own */
    DRAWING_BULLETS, /* an outline: every paragraph is a list item, unless it says otherwise */
    DRAWING_INLINE,  /* lines of the block that is open */
} DrawingText;

/* a:txBody, p:txBody … */
void drawing_text(const Drawing *d, const XmlElem *body, DrawingText how);
/* a:tbl */
void drawing_table(const Drawing *d, const XmlElem *table);
/* What a:graphicData refers to: c:chart, dgm:relIds, or an a:tbl in it. */
void drawing_graphic(const Drawing *d, const XmlElem *data);
/* Every a:t below, joined. */
Str drawing_plain_text(const XmlElem *e, Arena *a);

#endif

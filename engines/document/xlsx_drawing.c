#include "document/xlsx_drawing.h"

#include <stdlib.h>

enum { ANCHORS_MAX = 4096 };

static const XmlElem *named(const XmlElem *parent, const char *local)
{
    for (const XmlElem *c = parent != NULL ? parent->first : NULL; c != NULL; c = c->next)
        if (str_eq_c(c->local, local))
            return c;
    return NULL;
}

/* xdr:from/xdr:row, from 0 there; without it the drawing stands at the top. */
static int64_t anchor_row(const XmlElem *anchor, Arena *a)
{
    int64_t row = 0;
    const XmlElem *e = named(named(anchor, "from"), "row");
    if (e == NULL || !str_to_i64(str_trim(xml_text(e, a)), &row) || row < 0)
        return 1;
    return row + 1;
}

static int by_row(const void *a, const void *b)
{
    const XlsxAnchor *x = a, *y = b;
    if (x->row != y->row)
        return x->row < y->row ? -1 : 1;
    return x->place < y->place ? -1 : x->place > y->place;
}

void xlsx_drawings_open(XlsxDrawings *s, Opc *opc, Str part, Doc *out, Grid *grid)
{
    const XmlElem *root = NULL;
    Err ignored = {0};
    *s = (XlsxDrawings){.opc = opc, .out = out, .grid = grid, .own = arena_open(32 * MIB)};
    if (s->own == NULL || opc_rels(opc, part, &s->rels, &ignored) != OK ||
        opc_tree(opc, part, s->own, &root, &ignored) != OK || root == NULL)
        return;
    s->anchors = arena_new(s->own, XlsxAnchor, ANCHORS_MAX);
    for (const XmlElem *e = root->first; e != NULL && s->anchors != NULL && s->len < ANCHORS_MAX;
         e = e->next)
        if (e->id != XML_TEXT) {
            s->anchors[s->len] = (XlsxAnchor){anchor_row(e, s->own), s->len, e};
            s->len++;
        }
    if (s->len > 1)
        qsort(s->anchors, s->len, sizeof *s->anchors, by_row);
}

static void put_anchor(const XlsxDrawings *s, const XmlElem *anchor)
{
    Drawing d = {s->opc, &s->rels, s->out, s->own};
    for (const XmlElem *at = anchor; at != NULL; at = xml_walk(anchor, at)) {
        bool text = xml_child(at, A_P) != NULL && xml_find(at, A_T) != NULL;
        if (text || at->id == A_GRAPHIC_DATA)
            grid_heading(s->grid);
        if (text)
            drawing_text(&d, at, DRAWING_PLAIN);
        else if (at->id == A_GRAPHIC_DATA)
            drawing_graphic(&d, at);
    }
}

void xlsx_drawings_put(void *drawings, int64_t row)
{
    XlsxDrawings *s = drawings;
    for (; s->next < s->len && s->anchors[s->next].row < row; s->next++)
        put_anchor(s, s->anchors[s->next].elem);
}

void xlsx_drawings_close(XlsxDrawings *s)
{
    arena_close(&s->own);
    *s = (XlsxDrawings){0};
}

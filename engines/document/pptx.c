/* pptx.c: PowerPoint presentations (pptx, pptm, ppsx, potx): slides in the order of the show, a
 * page each.
 *
 * A slide is held as a tree. Its title comes first, as a heading; the other shapes follow as one
 * reads: rows from the top, each from the left. A placeholder without a place of its own has the
 * place its layout gives it. Text in a content placeholder is an outline. Dates, footers and slide
 * numbers are left out; speaker notes and comments come when asked for. Hidden slides are kept,
 * with a note in the job's history. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "document/drawing.h"

enum { SLIDES_MAX = 10000, SHAPES_MAX = 2000, GROUP_DEPTH_MAX = 16, AUTHORS_MAX = 256 };

typedef struct Slide {
    Str rel_id;
    struct Slide *next;
} Slide;

typedef struct Shape {
    const XmlElem *elem; /* p:sp, p:graphicFrame, p:grpSp */
    const XmlElem *like; /* the layout's placeholder, or NULL */
    int64_t x, y, height;
    bool placed, title;
    size_t order;
} Shape;

typedef struct Author {
    Str id, name;
} Author;

typedef struct Pptx {
    const DocInput *in;
    Doc *out;
    Opc opc;
    Err *err;
    Slide *slides, *last_slide;
    size_t slides_len;
    Author authors[AUTHORS_MAX];
    size_t authors_len;
    int64_t slide_height;

    /* the slide in hand */
    Arena *arena;
    OpcRels rels;
    const XmlElem *layout;
} Pptx;

static XmlWant presentation_start(void *ctx, const XmlElem *e)
{
    Pptx *x = ctx;
    if (e->id == P_SLD_SZ)
        x->slide_height = xml_attr_int(e, "cy", x->slide_height);
    if (e->id != P_SLD_ID || x->slides_len == SLIDES_MAX)
        return XML_ENTER;
    Slide *s = arena_new(x->opc.arena, Slide, 1);
    if (s == NULL)
        return XML_ENTER;
    s->rel_id = str_copy(x->opc.arena, xml_attr(e, "r:id"));
    if (x->last_slide != NULL)
        x->last_slide->next = s;
    else
        x->slides = s;
    x->last_slide = s;
    x->slides_len++;
    return XML_ENTER;
}

static XmlWant authors_start(void *ctx, const XmlElem *e)
{
    Pptx *x = ctx;
    if ((e->id == P_CM_AUTHOR || e->id == P188_AUTHOR) && x->authors_len < AUTHORS_MAX) {
        Author *a = &x->authors[x->authors_len++];
        a->id = str_copy(x->opc.arena, xml_attr(e, "id"));
        a->name = str_copy(x->opc.arena, xml_attr(e, "name"));
    }
    return XML_ENTER;
}

/* ---- shapes ---- */

static const XmlElem *placeholder(const XmlElem *shape)
{
    for (const XmlElem *nv = shape->first; nv != NULL; nv = nv->next) {
        const XmlElem *ph = xml_child(xml_child(nv, P_NV_PR), P_PH);
        if (ph != NULL)
            return ph;
    }
    return NULL;
}

static bool is_title(const XmlElem *ph)
{
    Str type = xml_attr(ph, "type");
    return str_eq_c(type, "title") || str_eq_c(type, "ctrTitle");
}

static bool is_furniture(const XmlElem *ph)
{
    Str type = xml_attr(ph, "type");
    return str_eq_c(type, "dt") || str_eq_c(type, "ftr") || str_eq_c(type, "sldNum") ||
           str_eq_c(type, "sldImg") || str_eq_c(type, "hdr");
}

/* The layout's placeholder of the same index, or of the same type when it is the title. */
static const XmlElem *layout_shape(const Pptx *x, const XmlElem *ph)
{
    const XmlElem *root = x->layout;
    for (const XmlElem *at = root; at != NULL && ph != NULL; at = xml_walk(root, at)) {
        if (at->id != P_SP)
            continue;
        const XmlElem *other = placeholder(at);
        if (other == NULL)
            continue;
        bool same = is_title(ph)
                        ? is_title(other)
                        : !is_title(other) && str_eq(xml_attr(ph, "idx"), xml_attr(other, "idx"));
        if (same)
            return at;
    }
    return NULL;
}

static bool place_of(const XmlElem *shape, Shape *out)
{
    for (const XmlElem *c = shape != NULL ? shape->first : NULL; c != NULL; c = c->next) {
        const XmlElem *xfrm = c->id == P_XFRM ? c : xml_child(c, A_XFRM);
        const XmlElem *off = xml_child(xfrm, A_OFF);
        if (off == NULL)
            continue;
        out->x = xml_attr_int(off, "x", 0);
        out->y = xml_attr_int(off, "y", 0);
        out->height = xml_attr_int(xml_child(xfrm, A_EXT), "cy", 0);
        return true;
    }
    return false;
}

static size_t collect_shapes(const Pptx *x, const XmlElem *tree, Shape *out)
{
    size_t len = 0;
    for (const XmlElem *c = tree->first; c != NULL && len < SHAPES_MAX; c = c->next) {
        if (c->id != P_SP && c->id != P_GRAPHIC_FRAME && c->id != P_GRP_SP)
            continue;
        const XmlElem *ph = placeholder(c);
        if (is_furniture(ph))
            continue;
        Shape s = {.elem = c, .like = layout_shape(x, ph), .title = is_title(ph), .order = len};
        s.placed = place_of(c, &s) || place_of(s.like, &s);
        out[len++] = s;
    }
    return len;
}

static int by_top(const void *a, const void *b)
{
    const Shape *x = a, *y = b;
    if (x->title != y->title)
        return x->title ? -1 : 1;
    if (x->y != y->y)
        return x->y < y->y ? -1 : 1;
    return x->order < y->order ? -1 : x->order > y->order;
}

static int by_left(const void *a, const void *b)
{
    const Shape *x = a, *y = b;
    if (x->x != y->x)
        return x->x < y->x ? -1 : 1;
    return x->order < y->order ? -1 : x->order > y->order;
}

/* Rows from the top, each from the left. A shape belongs to the row when it starts where the row's
 * first one starts, give or take a twentieth of the slide. What has no place at all stays behind
 * the shape it follows in the file. */
static void sort_shapes(const Pptx *x, Shape *shapes, size_t len)
{
    for (size_t i = 1; i < len; i++)
        if (!shapes[i].placed) {
            shapes[i].x = shapes[i - 1].x;
            shapes[i].y = shapes[i - 1].title ? 0 : shapes[i - 1].y;
        }
    qsort(shapes, len, sizeof(*shapes), by_top);
    int64_t slack = x->slide_height / 20;
    for (size_t from = 0, to; from < len; from = to) {
        for (to = from + 1; to < len; to++)
            if (shapes[to].title != shapes[from].title || shapes[to].y - shapes[from].y > slack)
                break;
        if (!shapes[from].title)
            qsort(shapes + from, to - from, sizeof(*shapes), by_left);
    }
}

/* Layouts say for their placeholders that the first level has no bullet. */
static bool without_bullets(const XmlElem *body)
{
    const XmlElem *list = xml_child(body, A_LST_STYLE);
    for (const XmlElem *level = list != NULL ? list->first : NULL; level != NULL;
         level = level->next)
        if (str_eq_c(level->local, "lvl1pPr"))
            return xml_child(level, A_BU_NONE) != NULL;
    return false;
}

static DrawingText text_style(const Shape *s, const XmlElem *body)
{
    const XmlElem *ph = placeholder(s->elem);
    Str type = xml_attr(ph, "type");
    bool outline = ph != NULL && (type.len == 0 || str_eq_c(type, "body") || str_eq_c(type, "obj"));
    if (!outline || without_bullets(body) || without_bullets(xml_child(s->like, P_TX_BODY)))
        return DRAWING_PLAIN;
    return DRAWING_BULLETS;
}

static void put_shapes(Pptx *x, const XmlElem *tree, int depth);

static void put_shape(Pptx *x, const Shape *s, int depth)
{
    Drawing d = {&x->opc, &x->rels, x->out, x->arena};
    if (s->elem->id == P_GRP_SP) {
        put_shapes(x, s->elem, depth + 1);
        return;
    }
    if (s->elem->id == P_GRAPHIC_FRAME) {
        drawing_graphic(&d, xml_find(s->elem, A_GRAPHIC_DATA));
        return;
    }
    const XmlElem *body = xml_child(s->elem, P_TX_BODY);
    if (s->title) {
        doc_begin(x->out, BLOCK_HEADING, 2);
        drawing_text(&d, body, DRAWING_INLINE);
        doc_end(x->out);
    } else {
        drawing_text(&d, body, text_style(s, body));
    }
}

static void put_shapes(Pptx *x, const XmlElem *tree, int depth)
{
    Shape *shapes = depth < GROUP_DEPTH_MAX ? arena_new(x->arena, Shape, SHAPES_MAX) : NULL;
    if (shapes == NULL)
        return;
    size_t len = collect_shapes(x, tree, shapes);
    sort_shapes(x, shapes, len);
    for (size_t i = 0; i < len && !doc_failed(x->out); i++)
        put_shape(x, &shapes[i], depth);
}

/* ---- notes and comments ---- */

static void put_notes(Pptx *x, Str part)
{
    const XmlElem *root = NULL;
    Err ignored = {0};
    if (opc_tree(&x->opc, part, x->arena, &root, &ignored) != OK)
        return;
    Drawing d = {&x->opc, &x->rels, x->out, x->arena};
    for (const XmlElem *at = root; at != NULL; at = xml_walk(root, at)) {
        if (at->id != P_SP || !str_eq_c(xml_attr(placeholder(at), "type"), "body"))
            continue;
        doc_begin(x->out, BLOCK_NOTE, 0);
        drawing_text(&d, xml_child(at, P_TX_BODY), DRAWING_INLINE);
        doc_end(x->out);
    }
}

static Str author_name(const Pptx *x, Str id)
{
    for (size_t i = 0; i < x->authors_len; i++)
        if (str_eq(x->authors[i].id, id))
            return x->authors[i].name;
    return STR("");
}

static void put_comment(Pptx *x, const XmlElem *e)
{
    Drawing d = {&x->opc, &x->rels, x->out, x->arena};
    Str author = author_name(x, xml_attr(e, "authorId"));
    doc_begin(x->out, BLOCK_NOTE, 0);
    doc_text(x->out, author);
    if (author.len > 0)
        doc_text(x->out, STR(": "));
    if (e->id == P_CM)
        doc_text(x->out, xml_text(xml_child(e, P_TEXT), x->arena));
    else
        drawing_text(&d, xml_child(e, P188_TX_BODY), DRAWING_INLINE);
    doc_end(x->out);
}

static void put_comments(Pptx *x, Str part)
{
    const XmlElem *root = NULL;
    Err ignored = {0};
    if (opc_tree(&x->opc, part, x->arena, &root, &ignored) != OK)
        return;
    for (const XmlElem *at = root; at != NULL; at = xml_walk(root, at))
        if (at->id == P_CM || at->id == P188_CM || at->id == P188_REPLY)
            put_comment(x, at);
}

/* ---- slides ---- */

static void note_hidden(Pptx *x, int64_t page_no)
{
    Str note = str_printf(x->arena, "slide %" PRId64 " is hidden in the show", page_no);
    if (note.ptr != NULL)
        step_note(x->in->step, note);
}

static ErrCode read_slide(Pptx *x, Str part, int64_t page_no)
{
    const XmlElem *root = NULL;
    ErrCode rc = opc_rels(&x->opc, part, &x->rels, x->err);
    if (rc == OK || rc == ERR_INPUT_DAMAGED)
        rc = opc_tree(&x->opc, part, x->arena, &root, x->err);
    if (rc != OK)
        return rc;
    doc_page(x->out, page_no);
    const OpcRel *layout = opc_rel_type(&x->rels, "slideLayout");
    x->layout = NULL;
    if (layout != NULL) {
        Err ignored = {0};
        if (opc_tree(&x->opc, layout->target, x->arena, &x->layout, &ignored) != OK)
            x->layout = NULL;
    }
    if (root != NULL && !xml_attr_on(root, "show", true))
        note_hidden(x, page_no);
    const XmlElem *tree = xml_find(root, P_SP_TREE);
    if (tree != NULL)
        put_shapes(x, tree, 0);
    if (!x->in->comments)
        return OK;
    const OpcRel *notes = opc_rel_type(&x->rels, "notesSlide");
    if (notes != NULL)
        put_notes(x, notes->target);
    for (const OpcRel *r = x->rels.first; r != NULL; r = r->next)
        if (str_eq_c(r->type, "comments") || str_eq_c(r->type, "comment"))
            put_comments(x, r->target);
    return OK;
}

static ErrCode read_slides(Pptx *x, const OpcRels *rels)
{
    int64_t page_no = 0;
    ErrCode first = OK;
    for (const Slide *s = x->slides; s != NULL && !doc_failed(x->out); s = s->next) {
        page_no++;
        const OpcRel *rel = opc_rel(rels, s->rel_id);
        if (rel == NULL || rel->external || !pages_wanted(x->in->pages, page_no))
            continue;
        step_progress(x->in->step, page_no, (int64_t)x->slides_len, "slides");
        ErrCode rc = read_slide(x, rel->target, page_no);
        arena_reset(x->arena);
        if (rc != OK && rc != ERR_INPUT_DAMAGED)
            return rc;
        if (first == OK)
            first = rc; /* one damaged slide does not hide the others */
    }
    return first;
}

static ErrCode read_presentation(Pptx *x)
{
    OpcRels rels = {0};
    XmlHandler h = {.ctx = x, .start = presentation_start};
    ErrCode rc = opc_parse(&x->opc, x->opc.main_part, x->arena, &h, x->err);
    if (rc == OK || (rc == ERR_INPUT_DAMAGED && x->slides != NULL))
        rc = opc_rels(&x->opc, x->opc.main_part, &rels, x->err);
    if (rc != OK)
        return rc;
    static const char *const lists[] = {"commentAuthors", "authors"};
    for (size_t i = 0; i < COUNT_OF(lists) && x->in->comments; i++) {
        const OpcRel *rel = opc_rel_type(&rels, lists[i]);
        XmlHandler names = {.ctx = x, .start = authors_start};
        Err ignored = {0};
        if (rel != NULL && opc_parse(&x->opc, rel->target, x->arena, &names, &ignored) != OK)
            continue; /* comments without names */
    }
    return read_slides(x, &rels);
}

ErrCode read_pptx(const DocInput *in, Doc *out)
{
    Arena *a = in->step->arena;
    CLEANUP(arena_close) Arena *own = arena_open(96 * MIB);
    Pptx *x = arena_new(a, Pptx, 1);
    if (own == NULL || x == NULL)
        return err_set(in->step->err, ERR_NO_MEMORY, "reading a presentation");
    *x = (Pptx){.in = in, .out = out, .err = in->step->err, .arena = own, .slide_height = 6858000};
    ErrCode rc = opc_open(a, in->bytes, STR("ppt/presentation.xml"), &x->opc, x->err);
    if (rc != OK)
        return rc;
    opc_note_repaired(in, &x->opc.zip);
    int64_t pages = 0;
    opc_meta(&x->opc, out, &pages);
    rc = read_presentation(x);
    doc_pages_total(out, (int64_t)x->slides_len);
    return opc_forgive(in, out, rc);
}

#include "document/odf_in.h"

#include <stdio.h>

/* ---- text ---- */

static void set_marks(Odf *x, unsigned want)
{
    for (int k = 0; k < MARK_LINK; k++) {
        unsigned bit = 1U << k;
        if ((want & bit) && !(x->marks & bit))
            doc_mark(x->out, (MarkKind)k, STR(""));
        else if (!(want & bit) && (x->marks & bit))
            doc_unmark(x->out, (MarkKind)k);
    }
    x->marks = want;
}

bool odf_shown(const Odf *x)
{
    return !x->pages_by_slide || pages_wanted(x->in->pages, x->page_no);
}

static void put_text(Odf *x, Str s)
{
    if (odf_shown(x))
        doc_text(x->out, s);
}

static void put_span(Odf *x, const XmlElem *e)
{
    bool hidden = false;
    unsigned before = x->marks;
    unsigned marks = odf_marks(&x->styles, xml_attr(e, "text:style-name"), &hidden);
    if (hidden)
        return;
    if (!x->plain)
        set_marks(x, before | marks);
    odf_put_inline(x, e);
    set_marks(x, before);
}

static void put_link(Odf *x, const XmlElem *e)
{
    Str href = xml_attr(e, "xlink:href");
    bool linked = href.len > 0 && href.ptr[0] != '#' && odf_shown(x);
    if (linked)
        doc_mark(x->out, MARK_LINK, href);
    odf_put_inline(x, e);
    if (linked)
        doc_unmark(x->out, MARK_LINK);
}

void odf_queue_box(Odf *x, const XmlElem *e)
{
    if (x->boxes_len < BOXES_MAX)
        x->boxes[x->boxes_len++] = e;
}

static void put_note_ref(Odf *x, const XmlElem *e)
{
    if (x->in_note)
        return;
    char text[32];
    int n = snprintf(text, sizeof(text), "[%" PRId64 "]", ++x->notes);
    put_text(x, (Str){text, (size_t)n});
    odf_queue_box(x, e);
}

static void put_spaces(Odf *x, const XmlElem *e)
{
    int64_t n = xml_attr_int(e, "text:c", 1);
    for (int64_t i = 0; i < n && i < 200; i++)
        put_text(x, STR(" "));
}

void odf_put_inline(Odf *x, const XmlElem *parent)
{
    for (const XmlElem *c = parent->first; c != NULL; c = c->next) {
        switch (c->id) {
        case XML_TEXT:
            put_text(x, c->text);
            break;
        case TEXT_S:
            put_spaces(x, c);
            break;
        case TEXT_TAB:
            put_text(x, STR("\t"));
            break;
        case TEXT_LINE_BREAK:
            doc_break(x->out);
            break;
        case TEXT_SPAN:
            put_span(x, c);
            break;
        case TEXT_A:
        case DRAW_A:
            put_link(x, c);
            break;
        case TEXT_NOTE:
        case TEXT_FOOTNOTE:
        case TEXT_ENDNOTE:
            put_note_ref(x, c);
            break;
        case OFFICE_ANNOTATION:
            if (x->in->comments)
                odf_queue_box(x, c);
            break;
        case TEXT_SOFT_PAGE_BREAK:
            if (!x->pages_by_slide)
                x->page_no++;
            break;
        case DRAW_FRAME:
        case DRAW_TEXT_BOX:
        case DRAW_G:
        case DRAW_CUSTOM_SHAPE:
        case DRAW_RECT:
        case DRAW_ELLIPSE:
        case DRAW_LINE:
        case DRAW_CONNECTOR:
        case DRAW_CAPTION:
            odf_queue_box(x, c);
            break;
        case TEXT_RUBY_TEXT:
        case TEXT_HIDDEN_TEXT:
        case TEXT_TRACKED_CHANGES:
        case OFFICE_EVENT_LISTENERS:
        case SVG_TITLE:
        case SVG_DESC:
            break;
        default:
            odf_put_inline(x, c);
        }
    }
}

/* ---- paragraphs ---- */

/* The number of the next paragraph of the innermost list, 0 for a bullet, -1 when it continues an
 * item. */
static int64_t next_number(Odf *x, Str paragraph_style)
{
    OdfOpenList *l = &x->lists[x->lists_len - 1];
    int level = x->lists_len - 1;
    if (!l->fresh || l->header)
        return -1;
    l->fresh = false;
    if (level >= ODF_LIST_LEVELS)
        return 0;
    for (int deeper = level + 1; deeper < ODF_LIST_LEVELS; deeper++)
        x->counts[deeper] = 0;
    Str name = l->style;
    for (int i = level - 1; name.len == 0 && i >= 0; i--)
        name = x->lists[i].style;
    if (name.len == 0)
        name = odf_list_of(&x->styles, paragraph_style);
    const OdfList *style = odf_list(&x->styles, name);
    bool numbered = l->numbers || (!l->bullets && style != NULL && style->numbered[level]);
    if (!numbered)
        return 0;
    if (l->item_start > 0)
        x->counts[level] = l->item_start;
    else if (x->counts[level] == 0)
        x->counts[level] = style != NULL ? style->start[level] : 1;
    else
        x->counts[level]++;
    return x->counts[level];
}

void odf_begin_note_line(Odf *x)
{
    if (x->note_begun)
        doc_break(x->out);
    else
        doc_begin(x->out, BLOCK_NOTE, x->in_note ? (int)x->notes : 0);
    x->note_begun = true;
}

static void begin_paragraph(Odf *x, const XmlElem *p)
{
    Str style = xml_attr(p, "text:style-name");
    int heading = 1;
    DocxKind kind = odf_kind(&x->styles, style, &heading);
    if (p->id == TEXT_H) {
        kind = DOCX_HEADING;
        heading = (int)xml_attr_int(
            p, xml_has_attr(p, "text:outline-level") ? "text:outline-level" : "text:level", 1);
    }
    bool code_goes_on = x->code_open && kind == DOCX_CODE;
    x->code_open = false;
    x->plain = kind == DOCX_HEADING && x->cell_depth == 0;
    if (x->in_note || x->note_begun) {
        odf_begin_note_line(x);
    } else if (kind == DOCX_HEADING) {
        doc_begin(x->out, BLOCK_HEADING, heading);
    } else if (x->lists_len > 0) {
        int64_t number = next_number(x, style);
        if (number >= 0)
            doc_item(x->out, x->lists_len - 1, number);
        else
            doc_begin(x->out, BLOCK_PARAGRAPH, x->lists_len);
    } else if (kind == DOCX_CODE && x->cell_depth == 0) {
        if (code_goes_on)
            doc_break(x->out);
        else
            doc_begin(x->out, BLOCK_CODE, 0);
        x->code_open = true;
    } else {
        doc_begin(x->out, kind == DOCX_QUOTE ? BLOCK_QUOTE : BLOCK_PARAGRAPH, 0);
    }
}

static void put_note(Odf *x, const XmlElem *e, bool comment)
{
    x->in_note = !comment;
    x->note_begun = false;
    if (comment) {
        odf_begin_note_line(x);
        Str author = xml_text(xml_child(e, DC_CREATOR), x->trees);
        put_text(x, author);
        if (author.len > 0)
            put_text(x, STR(": "));
    }
    for (const XmlElem *c = e->first; c != NULL; c = c->next)
        if (c->id == TEXT_NOTE_BODY || c->id == TEXT_FOOTNOTE_BODY || c->id == TEXT_ENDNOTE_BODY)
            odf_put_children(x, c);
        else if (c->id == TEXT_P || c->id == TEXT_LIST)
            odf_put_block(x, c);
    doc_end(x->out);
    x->in_note = x->note_begun = false;
}

void odf_put_boxes(Odf *x, size_t from)
{
    size_t to = x->boxes_len;
    int lists = x->lists_len; /* what hangs on an item is not in the list */
    x->lists_len = 0;
    for (size_t i = from; i < to; i++) {
        const XmlElem *e = x->boxes[i];
        if (e->id == TEXT_NOTE || e->id == TEXT_FOOTNOTE || e->id == TEXT_ENDNOTE)
            put_note(x, e, false);
        else if (e->id == OFFICE_ANNOTATION)
            put_note(x, e, true);
        else
            odf_put_block(x, e);
    }
    x->lists_len = lists;
    x->boxes_len = from;
}

void odf_put_paragraph(Odf *x, const XmlElem *p)
{
    size_t boxes = x->boxes_len;
    int64_t page = x->page_no;
    x->marks = 0;
    begin_paragraph(x, p);
    odf_put_inline(x, p);
    if (!x->code_open && !x->note_begun)
        doc_end(x->out);
    if (x->page_no != page && !x->pages_by_slide)
        doc_page(x->out, x->page_no);
    if (x->boxes_len > boxes)
        odf_put_boxes(x, boxes);
}

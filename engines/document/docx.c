/* docx.c: Word documents (docx, docm, dotx, dotm; Strict and Transitional).
 *
 * The body is a stream in which a paragraph, or a table row, is held as a small tree at a time, so
 * a paragraph can look ahead (is it empty, does a page begin in it) and memory does not grow with
 * the document. What hangs on a paragraph but is not a line of it (text boxes, charts, tables
 * inside a run) follows it. Footnotes and endnotes stand at the end, in the order they are referred
 * to; comments after them, when asked for. Deleted text, hidden text, headers and footers are left
 * out. */
#include "document/docx_in.h"

#include <string.h>

#include "document/drawing.h"

static void put_blocks(Docx *x, const XmlElem *parent);

/* ---- paragraphs ---- */

static void plan_list(Docx *x, const XmlElem *ppr)
{
    const XmlElem *own = xml_child(ppr, W_NUM_PR);
    int64_t num_id =
        xml_attr_int(xml_child(own, W_NUM_ID), "w:val", x->style != NULL ? x->style->num_id : -1);
    int64_t style_level = x->style != NULL && x->style->ilvl > 0 ? x->style->ilvl : 0;
    int level = (int)xml_attr_int(xml_child(own, W_ILVL), "w:val", style_level);
    if (x->kind == BLOCK_HEADING && own == NULL && style_level == 0 && x->level > 1 && num_id > 0)
        level =
            x->level -
            1; /* heading styles are linked to the levels of one list, often without saying which */
    int64_t number = 0;
    DocxMarker marker = docx_number(&x->lists, num_id, level, &number, &x->label);
    if (marker == DOCX_NO_MARKER || x->kind == BLOCK_HEADING)
        return;
    if (x->kind == BLOCK_CODE || x->note_label != 0)
        return;
    buf_clear(&x->label);
    x->kind = BLOCK_ITEM;
    x->level = level;
    x->number = marker == DOCX_NUMBER ? number : 0;
}

static void plan_paragraph(Docx *x, const XmlElem *p)
{
    const XmlElem *ppr = xml_child(p, W_P_PR);
    x->style = docx_style(&x->styles, xml_attr(xml_child(ppr, W_P_STYLE), "w:val"));
    x->begun = false;
    x->marks = 0;
    x->breaks_after = 0;
    x->kind = BLOCK_PARAGRAPH;
    x->level = 0;
    x->number = 0;
    buf_clear(&x->label);
    DocxKind kind = x->style != NULL ? x->style->kind : DOCX_PLAIN;
    int64_t outline = xml_attr_int(xml_child(ppr, W_OUTLINE_LVL), "w:val", -1);
    if (kind == DOCX_HEADING)
        x->level = x->style->heading;
    if (outline >= 0 && outline <= 8) {
        kind = DOCX_HEADING;
        x->level = outline < 6 ? (int)outline + 1 : 6;
    }
    if (x->cell_depth == 0 && x->note_label == 0)
        x->kind = kind == DOCX_HEADING ? BLOCK_HEADING
                  : kind == DOCX_CODE  ? BLOCK_CODE
                  : kind == DOCX_QUOTE ? BLOCK_QUOTE
                                       : BLOCK_PARAGRAPH;
    x->plain = x->kind == BLOCK_HEADING;
    if (docx_toggle(ppr, W_PAGE_BREAK_BEFORE) == 1)
        docx_page_break(x, false);
}

static void put_boxes(Docx *x, size_t from)
{
    size_t to = x->boxes_len;
    for (size_t i = from; i < to; i++) {
        const XmlElem *box = x->boxes[i];
        Drawing d = {&x->opc, &x->rels, x->out, x->trees};
        if (box->id == A_GRAPHIC_DATA)
            drawing_graphic(&d, box);
        else
            docx_put_block(x, box);
    }
    x->boxes_len = from;
}

/* Counts lists up even when the paragraph turns out to have no text, as Word does. */
static void put_paragraph(Docx *x, const XmlElem *p)
{
    size_t boxes_from = x->boxes_len;
    plan_paragraph(x, p);
    bool has_list = x->note_label == 0;
    if (has_list)
        plan_list(x, xml_child(p, W_P_PR));
    if (x->kind == BLOCK_CODE && x->code_open)
        docx_begin(x);
    docx_put_inline(x, p);
    if (x->begun && x->cell_depth > 0)
        docx_set_marks(x, 0);
    else if (x->begun && x->kind != BLOCK_CODE && x->note_label == 0)
        doc_end(x->out);
    if (x->breaks_after > 0)
        doc_page(x->out, x->page);
    const XmlElem *section = xml_child(xml_child(p, W_P_PR), W_SECT_PR);
    if (section != NULL && !str_eq_c(xml_attr(xml_child(section, W_TYPE), "w:val"), "continuous")) {
        x->begun = false;
        docx_page_break(x, false);
    }
    put_boxes(x, boxes_from);
}

/* ---- tables ---- */

static void put_cell(Docx *x, const XmlElem *cell)
{
    const XmlElem *tcpr = xml_child(cell, W_TC_PR);
    int64_t span = xml_attr_int(xml_child(tcpr, W_GRID_SPAN), "w:val", 1);
    const XmlElem *merge = xml_child(tcpr, W_V_MERGE);
    int columns = span > 0 && span < 1000 ? (int)span : 1;
    if (merge != NULL && !str_eq_c(xml_attr(merge, "w:val"), "restart")) {
        doc_cell_below(x->out, columns);
        return;
    }
    doc_cell(x->out, columns, 1);
    x->cell_depth++;
    x->cell_fresh = true;
    put_blocks(x, cell);
    x->cell_depth--;
}

static void put_cells(Docx *x, const XmlElem *row)
{
    for (const XmlElem *c = row->first; c != NULL; c = c->next) {
        if (c->id == W_TC)
            put_cell(x, c);
        else if (c->id != W_TR_PR && c->id != W_SDT_PR && c->id != W_DEL)
            put_cells(x, c);
    }
}

static void put_row(Docx *x, const XmlElem *row)
{
    const XmlElem *trpr = xml_child(row, W_TR_PR);
    if (xml_child(trpr, W_DEL) != NULL)
        return;
    doc_row(x->out);
    int64_t before = xml_attr_int(xml_child(trpr, W_GRID_BEFORE), "w:val", 0);
    for (int64_t i = 0; i < before && i < 64; i++)
        doc_cell(x->out, 1, 1);
    put_cells(x, row);
}

static void put_rows(Docx *x, const XmlElem *table)
{
    for (const XmlElem *c = table->first; c != NULL; c = c->next) {
        if (c->id == W_TR)
            put_row(x, c);
        else if (c->id != W_TBL_PR && c->id != W_TBL_GRID && c->id != W_SDT_PR && c->id != W_DEL)
            put_rows(x, c);
    }
}

void docx_put_block(Docx *x, const XmlElem *e)
{
    if (e->id == W_P) {
        put_paragraph(x, e);
    } else if (e->id == W_TBL) {
        x->code_open = false;
        doc_table(x->out);
        put_rows(x, e);
        doc_table_end(x->out);
    } else if (e->id != W_DEL && e->id != W_MOVE_FROM && e->id != W_SDT_PR && e->id != W_TC_PR) {
        put_blocks(x, e);
    }
}

static void put_blocks(Docx *x, const XmlElem *parent)
{
    for (const XmlElem *c = parent->first; c != NULL && !doc_failed(x->out); c = c->next)
        docx_put_block(x, c);
}

/* ---- the stream ---- */

static XmlWant body_start(void *ctx, const XmlElem *e)
{
    Docx *x = ctx;
    switch (e->id) {
    case W_P:
    case W_TR:
        return XML_TREE;
    case W_TBL:
        x->table_depth++;
        x->code_open = false;
        doc_table(x->out);
        return XML_ENTER;
    case W_ALT_CHUNK:
        if (!x->altchunk_noted)
            step_note(x->in->step, STR("an embedded document (altChunk) was left out"));
        x->altchunk_noted = true;
        return XML_SKIP;
    case W_SDT_PR:
        x->has_form = true;
        return XML_SKIP;
    case W_DEL:
    case W_MOVE_FROM:
    case W_SECT_PR:
    case W_TBL_PR:
    case W_TBL_GRID:
        return XML_SKIP;
    default:
        return XML_ENTER;
    }
}

static void body_end(void *ctx, XmlId id)
{
    Docx *x = ctx;
    if (id != W_TBL || x->table_depth == 0)
        return;
    x->table_depth--;
    doc_table_end(x->out);
}

static void body_tree(void *ctx, const XmlElem *e)
{
    Docx *x = ctx;
    if (e->id == W_TR)
        put_row(x, e);
    else
        put_paragraph(x, e);
}

static bool body_enough(void *ctx)
{
    return doc_failed(((Docx *)ctx)->out);
}

static XmlWant note_start(void *ctx, const XmlElem *e)
{
    Docx *x = ctx;
    if (e->id == W_P || e->id == W_TBL)
        return x->note_label != 0 ? XML_TREE : XML_SKIP;
    if (e->id != W_FOOTNOTE && e->id != W_ENDNOTE)
        return XML_ENTER;
    int64_t id = xml_attr_int(e, "w:id", -1);
    for (size_t i = 0; i < x->notes_len; i++)
        if (x->notes[i].id == id && x->notes[i].end == x->reading_endnotes) {
            x->note_label = (int64_t)i + 1;
            x->note_begun = false;
            return XML_ENTER;
        }
    return XML_SKIP;
}

static void put_comment_author(Docx *x, const XmlElem *e)
{
    Str author = xml_attr(e, "w:author");
    if (author.len == 0)
        return;
    docx_begin_note_line(x);
    doc_text(x->out, author);
    doc_text(x->out, STR(": "));
    x->note_named = true;
}

static XmlWant comment_start(void *ctx, const XmlElem *e)
{
    Docx *x = ctx;
    if (e->id == W_P || e->id == W_TBL)
        return XML_TREE;
    if (e->id == W_COMMENT) {
        x->note_label = -1;
        x->note_begun = x->note_named = false;
        put_comment_author(x, e);
    }
    return XML_ENTER;
}

static void note_end(void *ctx, XmlId id)
{
    Docx *x = ctx;
    if (id != W_FOOTNOTE && id != W_ENDNOTE && id != W_COMMENT)
        return;
    doc_end(x->out);
    x->note_label = 0;
}

static void note_tree(void *ctx, const XmlElem *e)
{
    docx_put_block(ctx, e);
}

static ErrCode read_notes(Docx *x, const OpcRels *rels, const char *type, Err *err)
{
    const OpcRel *rel = opc_rel_type(rels, type);
    bool comments = strcmp(type, "comments") == 0;
    if (rel == NULL || (!comments && x->notes_len == 0))
        return OK;
    ErrCode rc = opc_rels(&x->opc, rel->target, &x->rels, err);
    x->reading_endnotes = strcmp(type, "endnotes") == 0;
    x->fields_len = 0;
    XmlHandler h = {.ctx = x,
                    .start = comments ? comment_start : note_start,
                    .end = note_end,
                    .tree = note_tree,
                    .enough = body_enough};
    return rc == OK ? opc_parse(&x->opc, rel->target, x->trees, &h, err) : rc;
}

static ErrCode read_part_of(Docx *x, const OpcRels *rels, Err *err)
{
    const OpcRel *styles = opc_rel_type(rels, "styles"), *lists = opc_rel_type(rels, "numbering");
    ErrCode rc = OK;
    if (styles != NULL)
        rc = docx_styles_read(&x->opc, styles->target, &x->styles, err);
    if (lists != NULL && (rc == OK || rc == ERR_INPUT_DAMAGED))
        rc = docx_lists_read(&x->opc, lists->target, &x->styles, &x->lists, err);
    return rc == ERR_INPUT_DAMAGED ? OK : rc; /* without styles there is still text */
}

static ErrCode read_body(Docx *x, Err *err)
{
    OpcRels rels = {0};
    ErrCode rc = opc_rels(&x->opc, x->opc.main_part, &rels, err);
    if (rc == OK || rc == ERR_INPUT_DAMAGED)
        rc = read_part_of(x, &rels, err);
    if (rc != OK)
        return rc;
    x->rels = rels;
    doc_page(x->out, x->page = 1);
    XmlHandler h = {
        .ctx = x, .start = body_start, .end = body_end, .tree = body_tree, .enough = body_enough};
    rc = opc_parse(&x->opc, x->opc.main_part, x->trees, &h, err);
    while (x->table_depth-- > 0)
        doc_table_end(x->out);
    doc_end(x->out);
    if (rc == OK && x->has_form)
        rc = docx_forms_read(x, err);
    if (rc == OK)
        rc = read_notes(x, &rels, "footnotes", err);
    if (rc == OK)
        rc = read_notes(x, &rels, "endnotes", err);
    if (rc == OK && x->in->comments)
        rc = read_notes(x, &rels, "comments", err);
    return rc;
}

ErrCode read_docx(const DocInput *in, Doc *out)
{
    Arena *a = in->step->arena;
    Err *err = in->step->err;
    CLEANUP(arena_close) Arena *trees = arena_open(TREE_BYTES);
    Docx *x = arena_new(a, Docx, 1);
    WordField *fields = arena_new(a, WordField, FIELDS_MAX);
    if (trees == NULL || x == NULL || fields == NULL)
        return err_set(err, ERR_NO_MEMORY, "reading a Word document");
    *x = (Docx){
        .in = in, .out = out, .trees = trees, .fields = fields, .label = buf_init(a, 64 * KIB)};
    ErrCode rc = opc_open(a, in->bytes, STR("word/document.xml"), &x->opc, err);
    if (rc != OK)
        return rc;
    opc_note_repaired(in, &x->opc.zip);
    int64_t pages = 0;
    opc_meta(&x->opc, out, &pages);
    rc = read_body(x, err);
    doc_pages_total(out, pages > x->page ? pages : x->page);
    return opc_forgive(in, out, rc);
}

/* docx.c: Word documents (docx, docm, dotx, dotm; Strict and Transitional).
 *
 * The body is a stream in which a paragraph, or a table row, is held as a small tree at a time, so
 * a paragraph can look ahead (is it empty, does a page begin in it) and memory does not grow with
 * the document. What hangs on a paragraph but is not a line of it (text boxes, charts, tables
 * inside a run) follows it. Footnotes and endnotes stand at the end, in the order they are referred
 * to; comments after them, when asked for. Deleted text, hidden text, headers and footers are left
 * out. */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "document/docx_styles.h"
#include "document/drawing.h"
#include "document/omath.h"
#include "document/symbol.h"

enum {
    FIELDS_MAX = 16,
    BOXES_MAX = 256,
    NOTES_MAX = 20000,
    INSTR_MAX = 2048,
    TREE_BYTES = 128 << 20
};

typedef struct WordField {
    char instr[INSTR_MAX];
    size_t len;
    bool result; /* past its "separate" */
    bool linked;
} WordField;

typedef struct NoteRef {
    int64_t id;
    bool end; /* of the endnotes */
} NoteRef;

typedef struct Docx {
    const DocInput *in;
    Doc *out;
    Opc opc;
    Arena *trees;
    DocxStyles styles;
    DocxLists lists;
    OpcRels rels; /* of the part being read */
    int64_t page;
    bool page_fresh; /* a break has just begun the page: the rendered break that follows is the same
                        one */
    int table_depth; /* tables open in the stream */
    int cell_depth;
    bool cell_fresh; /* nothing in it yet */
    bool code_open;
    bool altchunk_noted;

    WordField *fields;
    int fields_len, fields_beyond;

    /* the paragraph in hand */
    bool begun;
    BlockKind kind;
    int level;
    int64_t number;
    Buf label;
    unsigned marks;
    bool plain; /* marks are not shown: a heading */
    int breaks_after;
    const DocxStyle *style;

    const XmlElem *boxes[BOXES_MAX];
    size_t boxes_len;

    NoteRef *notes;
    size_t notes_len, notes_cap;
    int64_t note_label; /* of the note being written, 0 outside; -1: a comment */
    bool note_begun, note_named;
    bool reading_endnotes;
} Docx;

static void put_block(Docx *x, const XmlElem *e);
static void put_blocks(Docx *x, const XmlElem *parent);
static void put_inline(Docx *x, const XmlElem *parent);

/* ---- text of a paragraph ---- */

/* A note is one block: its paragraphs are lines of it. */
static void begin_note_line(Docx *x)
{
    if (x->note_begun) {
        if (!x->note_named) /* the first line follows the name */
            doc_break(x->out);
        x->note_named = false;
        return;
    }
    doc_begin(x->out, BLOCK_NOTE, x->note_label > 0 ? (int)x->note_label : 0);
    x->note_begun = true;
}

static void begin_block(Docx *x)
{
    if (x->begun)
        return;
    bool cell_fresh = x->cell_fresh;
    x->begun = true;
    x->page_fresh = x->cell_fresh = false;
    if (x->note_label != 0)
        begin_note_line(x);
    else if (x->kind == BLOCK_ITEM)
        doc_item(x->out, x->level, x->number);
    else if (x->kind == BLOCK_CODE && x->code_open)
        doc_break(x->out);
    else if (x->cell_depth < 2 || !cell_fresh) /* the cells of a table in a cell are one line */
        doc_begin(x->out, x->kind, x->level);
    x->code_open = x->kind == BLOCK_CODE && x->note_label == 0 && x->cell_depth == 0;
    if (x->label.len > 0) {
        doc_text(x->out, buf_str(&x->label));
        doc_text(x->out, STR(" "));
    }
}

static void set_marks(Docx *x, unsigned want)
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

/* Inside the instructions of a field nothing is text. */
static bool in_instructions(const Docx *x)
{
    for (int i = 0; i < x->fields_len; i++)
        if (!x->fields[i].result)
            return true;
    return false;
}

static void put_text(Docx *x, Str s, unsigned marks)
{
    if (s.len == 0 || in_instructions(x) || !pages_wanted(x->in->pages, x->page))
        return;
    begin_block(x);
    set_marks(x, x->plain ? 0 : marks);
    doc_text(x->out, s);
}

static void turn_page(Docx *x)
{
    x->page++;
    if (x->begun || x->cell_depth > 0)
        x->breaks_after++;
    else
        doc_page(x->out, x->page);
}

static void page_break(Docx *x, bool rendered)
{
    if (x->note_label != 0 || (rendered && x->page_fresh)) {
        x->page_fresh = false;
        return;
    }
    turn_page(x);
    x->page_fresh = !rendered;
}

/* ---- fields ---- */

/* HYPERLINK "https://…" \o "tip" */
static Str field_link(const WordField *f)
{
    Str s = str_trim((Str){f->instr, f->len});
    if (!str_eq_nocase(str_slice(s, 0, 9), STR("HYPERLINK")))
        return (Str){0};
    s = str_trim(str_slice(s, 9, s.len));
    if (s.len == 0 || s.ptr[0] == '\\')
        return (Str){0};
    if (s.ptr[0] == '"') {
        s = str_slice(s, 1, s.len);
        size_t end = str_find_char(s, '"');
        return end == STR_NONE ? (Str){0} : str_slice(s, 0, end);
    }
    size_t end = str_find_char(s, ' ');
    return end == STR_NONE ? s : str_slice(s, 0, end);
}

static void begin_link(Docx *x, Str href, bool *linked)
{
    *linked = href.len > 0 && href.ptr[0] != '#' && !in_instructions(x);
    if (!*linked)
        return;
    begin_block(x);
    doc_mark(x->out, MARK_LINK, href);
}

static void field_char(Docx *x, const XmlElem *e)
{
    Str type = xml_attr(e, "w:fldCharType");
    WordField *top = x->fields_len > 0 ? &x->fields[x->fields_len - 1] : NULL;
    if (str_eq_c(type, "begin")) {
        if (x->fields_len == FIELDS_MAX) {
            x->fields_beyond++;
            return;
        }
        x->fields[x->fields_len].len = 0;
        x->fields[x->fields_len].result = x->fields[x->fields_len].linked = false;
        x->fields_len++;
    } else if (x->fields_beyond > 0) {
        x->fields_beyond -= str_eq_c(type, "end");
    } else if (str_eq_c(type, "separate") && top != NULL) {
        top->result = true;
        begin_link(x, field_link(top), &top->linked);
    } else if (str_eq_c(type, "end") && top != NULL) {
        if (top->linked)
            doc_unmark(x->out, MARK_LINK);
        x->fields_len--;
    }
}

static void field_instructions(Docx *x, const XmlElem *e)
{
    WordField *top = x->fields_len > 0 ? &x->fields[x->fields_len - 1] : NULL;
    for (const XmlElem *t = e->first; t != NULL && top != NULL; t = t->next) {
        size_t n = t->text.len < INSTR_MAX - top->len ? t->text.len : INSTR_MAX - top->len;
        memcpy(top->instr + top->len, t->text.ptr, n);
        top->len += n;
    }
}

static void simple_field(Docx *x, const XmlElem *e)
{
    WordField f = {0};
    Str instr = xml_attr(e, "w:instr");
    f.len = instr.len < INSTR_MAX ? instr.len : INSTR_MAX;
    memcpy(f.instr, instr.ptr, f.len);
    bool linked = false;
    begin_link(x, field_link(&f), &linked);
    put_inline(x, e);
    if (linked)
        doc_unmark(x->out, MARK_LINK);
}

/* ---- runs ---- */

static int own_toggle(const XmlElem *rpr, XmlId id)
{
    const XmlElem *e = xml_child(rpr, id);
    return e == NULL ? -1 : xml_attr_on(e, "w:val", true);
}

static bool is_on(int own, int style)
{
    return own >= 0 ? own == 1 : style == 1;
}

static unsigned run_marks(const Docx *x, const XmlElem *rpr, bool *hidden)
{
    static const DocxStyle none = {.bold = -1, .italic = -1, .strike = -1, .hidden = -1};
    *hidden = false;
    if (rpr == NULL)
        return 0;
    const DocxStyle *style = docx_style(&x->styles, xml_attr(xml_child(rpr, W_R_STYLE), "w:val"));
    unsigned marks = 0;
    if (style == NULL)
        style = &none;
    else if (str_eq_nocase(style->name, STR("Verbatim Char")) ||
             str_eq_nocase(style->name, STR("HTML Code")) ||
             str_eq_nocase(style->name, STR("Source Text")) ||
             str_eq_nocase(style->name, STR("Code")))
        marks |= 1U << MARK_CODE;
    if (is_on(own_toggle(rpr, W_B), style->bold))
        marks |= 1U << MARK_BOLD;
    if (is_on(own_toggle(rpr, W_I), style->italic))
        marks |= 1U << MARK_ITALIC;
    if (is_on(own_toggle(rpr, W_STRIKE), style->strike) || own_toggle(rpr, W_DSTRIKE) == 1)
        marks |= 1U << MARK_STRIKE;
    *hidden = is_on(own_toggle(rpr, W_VANISH), style->hidden);
    return marks;
}

static void put_symbol(Docx *x, const XmlElem *e, unsigned marks)
{
    Str hex = xml_attr(e, "w:char");
    uint32_t c = 0;
    for (size_t i = 0; i < hex.len && i < 6; i++) {
        char h = hex.ptr[i] | 0x20;
        int v = h >= '0' && h <= '9' ? h - '0' : h >= 'a' && h <= 'f' ? h - 'a' + 10 : 0;
        c = c * 16 + (uint32_t)v;
    }
    c = symbol_to_unicode(xml_attr(e, "w:font"), c);
    char utf8[4];
    if (c >= 0x20)
        put_text(x, (Str){utf8, str_put_utf8(utf8, c)}, marks);
}

static void put_note_ref(Docx *x, const XmlElem *e, bool end)
{
    if (x->note_label != 0 || x->notes_len == NOTES_MAX)
        return;
    if (x->notes_len == x->notes_cap) {
        size_t more = x->notes_cap ? x->notes_cap * 2 : 64;
        NoteRef *grown = arena_grow(x->opc.arena, x->notes, x->notes_cap * sizeof(NoteRef),
                                    more * sizeof(NoteRef));
        if (grown == NULL)
            return;
        x->notes = grown;
        x->notes_cap = more;
    }
    x->notes[x->notes_len++] = (NoteRef){xml_attr_int(e, "w:id", -1), end};
    char text[32];
    int n = snprintf(text, sizeof(text), "[%zu]", x->notes_len);
    put_text(x, (Str){text, (size_t)n}, 0);
}

static void queue_box(Docx *x, const XmlElem *e)
{
    if (x->boxes_len < BOXES_MAX && x->note_label == 0)
        x->boxes[x->boxes_len++] = e;
}

/* A drawing, picture or object: only what text it holds. */
static void queue_drawing(Docx *x, const XmlElem *e)
{
    for (const XmlElem *at = e->first; at != NULL; at = at->next) {
        if (at->id == W_TXBX_CONTENT || at->id == A_GRAPHIC_DATA)
            queue_box(x, at);
        if (at->id == A_GRAPHIC_DATA ? xml_find(at, W_TXBX_CONTENT) != NULL
                                     : at->id != W_TXBX_CONTENT)
            queue_drawing(x, at);
    }
}

static void put_break(Docx *x, const XmlElem *e)
{
    Str type = xml_attr(e, "w:type");
    if (str_eq_c(type, "page"))
        page_break(x, false);
    else if (x->begun && !in_instructions(x))
        doc_break(x->out);
}

static void put_run(Docx *x, const XmlElem *run)
{
    bool hidden = false;
    unsigned marks = run_marks(x, xml_child(run, W_R_PR), &hidden);
    for (const XmlElem *c = run->first; c != NULL; c = c->next) {
        switch (c->id) {
        case W_T:
            for (const XmlElem *t = c->first; t != NULL && !hidden; t = t->next)
                put_text(x, t->text, marks);
            break;
        case W_TAB:
        case W_PTAB:
            put_text(x, STR("\t"), x->marks);
            break;
        case W_BR:
        case W_CR:
            put_break(x, c);
            break;
        case W_NO_BREAK_HYPHEN:
            put_text(x, STR("\xE2\x80\x91"), marks);
            break;
        case W_SYM:
            if (!hidden)
                put_symbol(x, c, marks);
            break;
        case W_FLD_CHAR:
            field_char(x, c);
            break;
        case W_INSTR_TEXT:
            field_instructions(x, c);
            break;
        case W_FOOTNOTE_REFERENCE:
        case W_ENDNOTE_REFERENCE:
            put_note_ref(x, c, c->id == W_ENDNOTE_REFERENCE);
            break;
        case W_LAST_RENDERED_PAGE_BREAK:
            page_break(x, true);
            break;
        case W_DRAWING:
        case W_PICT:
        case W_OBJECT:
            queue_drawing(x, c);
            break;
        case W_R_PR:
        case W_RT:
        case XML_TEXT:
            break;
        case W_TBL:
        case W_P:
            queue_box(x, c);
            break;
        default:
            put_inline(x, c);
        }
    }
}

static void put_math(Docx *x, const XmlElem *e)
{
    ArenaMark mark = arena_mark(x->trees);
    Buf b = buf_init(x->trees, 256 * KIB);
    omath_put(&b, e);
    put_text(x, buf_str(&b), 0);
    arena_rewind(x->trees, mark);
}

static void put_hyperlink(Docx *x, const XmlElem *e)
{
    const OpcRel *rel = opc_rel(&x->rels, xml_attr(e, "r:id"));
    bool linked = false;
    if (rel != NULL && rel->external)
        begin_link(x, rel->target, &linked);
    put_inline(x, e);
    if (linked)
        doc_unmark(x->out, MARK_LINK);
}

static void put_inline(Docx *x, const XmlElem *parent)
{
    for (const XmlElem *c = parent->first; c != NULL; c = c->next) {
        switch (c->id) {
        case W_R:
            put_run(x, c);
            break;
        case W_HYPERLINK:
            put_hyperlink(x, c);
            break;
        case W_FLD_SIMPLE:
            simple_field(x, c);
            break;
        case OM_O_MATH:
            put_math(x, c);
            break;
        case W_TBL:
        case W_P:
            queue_box(x, c);
            break;
        case W_DEL:
        case W_MOVE_FROM:
        case W_P_PR:
        case W_SDT_PR:
        case W_RT:
        case XML_TEXT:
            break;
        default:
            put_inline(x, c);
        }
    }
}

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
    if (own_toggle(ppr, W_PAGE_BREAK_BEFORE) == 1)
        page_break(x, false);
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
            put_block(x, box);
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
        begin_block(x);
    put_inline(x, p);
    if (x->begun && x->cell_depth > 0)
        set_marks(x, 0);
    else if (x->begun && x->kind != BLOCK_CODE && x->note_label == 0)
        doc_end(x->out);
    if (x->breaks_after > 0)
        doc_page(x->out, x->page);
    const XmlElem *section = xml_child(xml_child(p, W_P_PR), W_SECT_PR);
    if (section != NULL && !str_eq_c(xml_attr(xml_child(section, W_TYPE), "w:val"), "continuous")) {
        x->begun = false;
        page_break(x, false);
    }
    put_boxes(x, boxes_from);
}

/* ---- tables ---- */

static void put_cell(Docx *x, const XmlElem *cell)
{
    const XmlElem *tcpr = xml_child(cell, W_TC_PR);
    int64_t span = xml_attr_int(xml_child(tcpr, W_GRID_SPAN), "w:val", 1);
    const XmlElem *merge = xml_child(tcpr, W_V_MERGE);
    doc_cell(x->out, span > 0 && span < 1000 ? (int)span : 1, 1);
    if (merge != NULL && !str_eq_c(xml_attr(merge, "w:val"), "restart"))
        return; /* covered by the cell above */
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

static void put_block(Docx *x, const XmlElem *e)
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
        put_block(x, c);
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
    case W_DEL:
    case W_MOVE_FROM:
    case W_SDT_PR:
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
    begin_note_line(x);
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
    put_block(ctx, e);
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

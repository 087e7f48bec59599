#include "document/docx_in.h"

#include <stdio.h>
#include <string.h>

#include "document/omath.h"
#include "document/symbol.h"

/* ---- text of a paragraph ---- */

/* A note is one block: its paragraphs are lines of it. */
void docx_begin_note_line(Docx *x)
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

void docx_begin(Docx *x)
{
    if (x->begun)
        return;
    bool cell_fresh = x->cell_fresh;
    x->begun = true;
    x->page_fresh = x->cell_fresh = false;
    if (x->note_label != 0)
        docx_begin_note_line(x);
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

void docx_set_marks(Docx *x, unsigned want)
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
    docx_begin(x);
    docx_set_marks(x, x->plain ? 0 : marks);
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

void docx_page_break(Docx *x, bool rendered)
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
    docx_begin(x);
    doc_mark(x->out, MARK_LINK, href);
}

static void field_char(Docx *x, const XmlElem *e)
{
    Str type = xml_attr(e, "w:fldCharType");
    x->has_form = x->has_form || xml_child(e, W_FF_DATA) != NULL;
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
    docx_put_inline(x, e);
    if (linked)
        doc_unmark(x->out, MARK_LINK);
}

/* ---- runs ---- */

int docx_toggle(const XmlElem *rpr, XmlId id)
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
    if (is_on(docx_toggle(rpr, W_B), style->bold))
        marks |= 1U << MARK_BOLD;
    if (is_on(docx_toggle(rpr, W_I), style->italic))
        marks |= 1U << MARK_ITALIC;
    if (is_on(docx_toggle(rpr, W_STRIKE), style->strike) || docx_toggle(rpr, W_DSTRIKE) == 1)
        marks |= 1U << MARK_STRIKE;
    *hidden = is_on(docx_toggle(rpr, W_VANISH), style->hidden);
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
        docx_page_break(x, false);
    else if (x->begun && !in_instructions(x))
        doc_break(x->out);
}

static void put_run(Docx *x, const XmlElem *run)
{
    bool hidden = false;
    unsigned marks = run_marks(x, xml_child(run, W_R_PR), &hidden);
    for (const XmlElem *c = run->first; c != NULL; c = c->next) {
        switch (c->id) {
        case W_DEL_TEXT:
            if (x->deleted == 0)
                break;
            marks |= 1U << MARK_STRIKE;
            __attribute__((fallthrough));
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
            docx_page_break(x, true);
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
            docx_put_inline(x, c);
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
    docx_put_inline(x, e);
    if (linked)
        doc_unmark(x->out, MARK_LINK);
}

void docx_put_inline(Docx *x, const XmlElem *parent)
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
            x->deleted++;
            if (x->in->comments)
                docx_put_inline(x, c);
            x->deleted--;
            break;
        case W_SDT_PR:
            x->has_form = true;
            break;
        case W_P_PR:
        case W_RT:
        case XML_TEXT:
            break;
        default:
            docx_put_inline(x, c);
        }
    }
}

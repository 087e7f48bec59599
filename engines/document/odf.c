/* odf.c: OpenDocument text, spreadsheets, presentations and drawings, zipped (odt ods odp odg and
 * their templates) or flat (fodt …); also their forerunners of OpenOffice.org 1 (sxw, sxc, sxi).
 *
 * The body is a stream in which a paragraph, a table row or a slide is held as a small tree. What
 * enters a list or a table is the same for the stream and inside such a tree (enter_block,
 * leave_block). Notes follow the paragraph that refers to them. Changes that were tracked as
 * deletions, hidden text, headers and footers are left out.
 *
 * "repeated" counts can make a few bytes a million cells: only cells with text are repeated, and
 * only REPEATS_MAX times in all. */
#include "document/odf_in.h"

#include <string.h>

/* ---- tables of text ---- */

static int64_t clamp(int64_t n, int64_t most)
{
    return n < 1 ? 1 : n > most ? most : n;
}

static void put_row(Odf *x, const XmlElem *row)
{
    doc_row(x->out);
    for (const XmlElem *c = row->first; c != NULL; c = c->next) {
        if (c->id != TABLE_TABLE_CELL)
            continue; /* covered cells belong to the span that covers them */
        int64_t repeat = clamp(xml_attr_int(c, "table:number-columns-repeated", 1), 64);
        int columns = (int)clamp(xml_attr_int(c, "table:number-columns-spanned", 1), 1000);
        int rows = (int)clamp(xml_attr_int(c, "table:number-rows-spanned", 1), 1000);
        for (int64_t i = 0; i < repeat; i++) {
            doc_cell(x->out, columns, rows);
            x->cell_depth++;
            odf_put_children(x, c);
            x->cell_depth--;
        }
    }
}

/* ---- sheets ---- */

static Str cell_value(Odf *x, const XmlElem *cell)
{
    Buf b = buf_init(x->trees, 256 * KIB);
    for (const XmlElem *p = cell->first; p != NULL; p = p->next) {
        if (p->id != TEXT_P)
            continue;
        if (b.len > 0)
            buf_add_c(&b, "\xE2\x80\xA8"); /* a line break */
        for (const XmlElem *at = p; at != NULL; at = xml_walk(p, at)) {
            if (at->id == XML_TEXT)
                buf_add(&b, at->text);
            else if (at->id == TEXT_S || at->id == TEXT_TAB)
                buf_add_char(&b, ' ');
        }
    }
    static const char *const values[] = {"office:string-value", "office:date-value",
                                         "office:time-value",   "office:boolean-value",
                                         "office:value",        "table:value"};
    for (size_t i = 0; i < COUNT_OF(values) && b.len == 0; i++)
        buf_add(&b, xml_attr(cell, values[i]));
    return b.failed ? STR("") : buf_str(&b);
}

static void take_merge(Odf *x, const XmlElem *cell, int64_t column)
{
    int64_t columns = clamp(xml_attr_int(cell, "table:number-columns-spanned", 1), 1000);
    int64_t rows = clamp(xml_attr_int(cell, "table:number-rows-spanned", 1), ROWS_MAX);
    if (columns > 1 || rows > 1)
        grid_merge(&x->grid,
                   (GridMerge){x->row_no, column, x->row_no + rows - 1, column + columns - 1});
}

static void put_sheet_cells(Odf *x, const XmlElem *row)
{
    int64_t column = 0;
    for (const XmlElem *c = row->first; c != NULL && column < GRID_COLUMNS_MAX; c = c->next) {
        if (c->id != TABLE_TABLE_CELL && c->id != TABLE_COVERED_TABLE_CELL)
            continue;
        int64_t repeat =
            clamp(xml_attr_int(c, "table:number-columns-repeated", 1), GRID_COLUMNS_MAX);
        ArenaMark mark = arena_mark(x->trees);
        Str text = cell_value(x, c);
        if (text.len > 0)
            take_merge(x, c, column);
        for (int64_t i = 0; i < repeat && text.len > 0; i++) {
            if (i > 0 && ++x->repeats > REPEATS_MAX)
                break;
            grid_cell(&x->grid, x->row_no, column + i, text);
        }
        if (x->in->comments)
            for (const XmlElem *a = c->first; a != NULL; a = a->next)
                if (a->id == OFFICE_ANNOTATION)
                    odf_queue_box(x, a);
        arena_rewind(x->trees, mark);
        column += repeat;
    }
}

static bool row_has_text(const XmlElem *row)
{
    for (const XmlElem *at = row; at != NULL; at = xml_walk(row, at))
        if (at->id == XML_TEXT || xml_has_attr(at, "office:value"))
            return true;
    return false;
}

static void put_sheet_row(Odf *x, const XmlElem *row)
{
    int64_t repeat = clamp(xml_attr_int(row, "table:number-rows-repeated", 1), ROWS_MAX);
    if (!odf_shown(x) || !row_has_text(row)) {
        x->row_no += repeat;
        return;
    }
    for (int64_t i = 0; i < repeat && (i == 0 || ++x->repeats <= REPEATS_MAX); i++) {
        size_t boxes = x->boxes_len;
        put_sheet_cells(x, row);
        x->row_no++;
        x->boxes_len = i == 0 ? x->boxes_len : boxes;
    }
    if (x->boxes_len > 0) {
        grid_end(&x->grid);
        odf_put_boxes(x, 0);
    }
}

static bool enter_sheet(Odf *x, const XmlElem *e)
{
    Str name = xml_attr(e, "table:name");
    const OdfStyle *style = odf_style(&x->styles, "table", xml_attr(e, "table:style-name"));
    if ((style != NULL && style->hidden) || str_eq_c(xml_attr(e, "table:display"), "false")) {
        Str note = str_printf(x->trees, "the hidden sheet \"" STR_FMT "\" was left out",
                              STR_ARG(str_slice(name, 0, 100)));
        if (note.ptr != NULL)
            step_note(x->in->step, note);
        return false;
    }
    doc_page(x->out, ++x->page_no);
    grid_begin(&x->grid, str_copy(x->arena, name));
    x->row_no = 0;
    return true;
}

/* ---- slides ---- */

static bool has_class(const XmlElem *frame, const char *name)
{
    return str_eq_c(xml_attr(frame, "presentation:class"), name);
}

static void put_title(Odf *x, const XmlElem *frame)
{
    if (!odf_shown(x))
        return;
    x->plain = true;
    doc_begin(x->out, BLOCK_HEADING, 2);
    for (const XmlElem *at = frame; at != NULL; at = xml_walk(frame, at)) {
        if (at->id != TEXT_P)
            continue;
        doc_text(x->out, STR(" "));
        odf_put_inline(x, at);
    }
    doc_end(x->out);
}

static void put_slide(Odf *x, const XmlElem *page)
{
    doc_page(x->out, ++x->page_no);
    for (const XmlElem *c = page->first; c != NULL; c = c->next)
        if (has_class(c, "title"))
            put_title(x, c);
    for (const XmlElem *c = page->first; c != NULL; c = c->next) {
        bool furniture =
            has_class(c, "date-time") || has_class(c, "footer") || has_class(c, "page-number");
        if (!has_class(c, "title") && !furniture && c->id != PRESENTATION_NOTES)
            odf_put_block(x, c);
    }
    const XmlElem *notes = x->in->comments ? xml_child(page, PRESENTATION_NOTES) : NULL;
    for (const XmlElem *f = notes != NULL ? notes->first : NULL; f != NULL && odf_shown(x);
         f = f->next) {
        if (!has_class(f, "notes"))
            continue;
        x->note_begun = false;
        odf_begin_note_line(x);
        odf_put_children(x, f);
        doc_end(x->out);
        x->note_begun = false;
    }
}

/* ---- blocks ---- */

static void enter_list(Odf *x, const XmlElem *e)
{
    if (x->lists_len == LISTS_MAX) {
        x->lists_beyond++;
        return;
    }
    bool goes_on = str_eq_c(xml_attr(e, "text:continue-numbering"), "true") ||
                   xml_has_attr(e, "text:continue-list");
    Str style = xml_attr(e, "text:style-name");
    if (x->lists_len == 0 && !goes_on)
        memset(x->counts, 0, sizeof(x->counts));
    if (x->lists_len == 0 && goes_on && style.len == 0)
        style = x->last_list;
    const OdfList *known = odf_list(&x->styles, style);
    if (x->lists_len > 0 && x->lists_len < ODF_LIST_LEVELS && !goes_on)
        x->counts[x->lists_len] = 0;
    x->lists[x->lists_len++] = (OdfOpenList){
        .style =
            known != NULL ? known->name : STR(""), /* the element's own name goes away with it */
        .bullets = e->id == TEXT_UNORDERED_LIST,
        .numbers = e->id == TEXT_ORDERED_LIST,
    };
    if (x->lists_len == 1)
        x->last_list = x->lists[0].style;
}

static void enter_item(Odf *x, const XmlElem *e)
{
    if (x->lists_len == 0)
        return;
    OdfOpenList *l = &x->lists[x->lists_len - 1];
    l->fresh = true;
    l->header = e->id == TEXT_LIST_HEADER;
    l->item_start = xml_attr_int(e, "text:start-value", 0);
}

/* True: go inside, and call leave_block afterwards. */
static bool enter_block(Odf *x, const XmlElem *e)
{
    switch (e->id) {
    case TEXT_LIST:
    case TEXT_UNORDERED_LIST:
    case TEXT_ORDERED_LIST:
        enter_list(x, e);
        return true;
    case TEXT_LIST_ITEM:
    case TEXT_LIST_HEADER:
        enter_item(x, e);
        return true;
    case TABLE_TABLE:
        x->code_open = false;
        if (x->sheets)
            return enter_sheet(x, e);
        x->table_depth++;
        doc_table(x->out);
        return true;
    case TEXT_TRACKED_CHANGES:
    case TABLE_TRACKED_CHANGES:
    case TEXT_SEQUENCE_DECLS:
    case TEXT_TABLE_OF_CONTENT_SOURCE:
    case OFFICE_FORMS:
    case OFFICE_EVENT_LISTENERS:
    case OFFICE_ANNOTATION:
    case TABLE_SHAPES:
    case TABLE_NAMED_EXPRESSIONS:
    case TABLE_CALCULATION_SETTINGS:
    case TABLE_CONTENT_VALIDATIONS:
    case PRESENTATION_SETTINGS:
    case PRESENTATION_NOTES:
    case PRESENTATION_FOOTER_DECL:
    case PRESENTATION_HEADER_DECL:
    case PRESENTATION_DATE_TIME_DECL:
    case SVG_TITLE:
    case SVG_DESC:
    case DRAW_OBJECT:
        return false;
    default:
        return true;
    }
}

static void leave_block(Odf *x, XmlId id)
{
    switch (id) {
    case TEXT_LIST:
    case TEXT_UNORDERED_LIST:
    case TEXT_ORDERED_LIST:
        if (x->lists_beyond > 0)
            x->lists_beyond--;
        else if (x->lists_len > 0)
            x->lists_len--;
        break;
    case TABLE_TABLE:
        if (x->sheets) {
            grid_end(&x->grid);
        } else if (x->table_depth > 0) {
            x->table_depth--;
            doc_table_end(x->out);
        }
        break;
    default:
        break;
    }
}

void odf_put_block(Odf *x, const XmlElem *e)
{
    if (e->id == TEXT_P || e->id == TEXT_H) {
        odf_put_paragraph(x, e);
    } else if (e->id == TABLE_TABLE_ROW) {
        if (x->sheets && x->table_depth == 0)
            put_sheet_row(x, e);
        else
            put_row(x, e);
    } else if (e->id != XML_TEXT && enter_block(x, e)) {
        odf_put_children(x, e);
        leave_block(x, e->id);
    }
}

void odf_put_children(Odf *x, const XmlElem *parent)
{
    for (const XmlElem *c = parent->first; c != NULL && !doc_failed(x->out); c = c->next)
        odf_put_block(x, c);
}

/* ---- metadata ---- */

static void put_meta(Odf *x, const XmlElem *meta)
{
    static const struct {
        XmlId id;
        const char *key;
    } keys[] = {
        {DC_TITLE, "title"},           {DC_SUBJECT, "subject"},          {META_KEYWORD, "keywords"},
        {DC_LANGUAGE, "language"},     {META_CREATION_DATE, "created"},  {DC_DATE, "modified"},
        {META_GENERATOR, "generator"}, {META_INITIAL_CREATOR, "author"}, {DC_CREATOR, "author"},
    };
    /* By key, not by place: the first author counts, and that is the initial creator. */
    for (size_t i = 0; i < COUNT_OF(keys); i++) {
        const XmlElem *e = xml_find(meta, keys[i].id);
        ArenaMark mark = arena_mark(x->trees);
        if (e != NULL)
            doc_meta(x->out, keys[i].key, xml_text(e, x->trees));
        arena_rewind(x->trees, mark);
    }
    x->pages = xml_attr_int(xml_find(meta, META_DOCUMENT_STATISTIC), "meta:page-count", 0);
}

/* ---- the stream ---- */

static XmlWant on_start(void *ctx, const XmlElem *e)
{
    Odf *x = ctx;
    switch (e->id) {
    case OFFICE_META:
    case STYLE_STYLE:
    case TEXT_LIST_STYLE:
    case TEXT_P:
    case TEXT_H:
    case TABLE_TABLE_ROW:
    case DRAW_PAGE:
        return XML_TREE;
    case OFFICE_SPREADSHEET:
        x->sheets = x->pages_by_slide = true;
        return XML_ENTER;
    case OFFICE_PRESENTATION:
    case OFFICE_DRAWING:
        x->pages_by_slide = true;
        return XML_ENTER;
    case OFFICE_TEXT:
        doc_page(x->out, x->page_no = 1);
        return XML_ENTER;
    case OFFICE_MASTER_STYLES:
    case OFFICE_SETTINGS:
    case OFFICE_SCRIPTS:
    case OFFICE_FONT_FACE_DECLS:
        return XML_SKIP;
    default:
        return enter_block(x, e) ? XML_ENTER : XML_SKIP;
    }
}

static void on_end(void *ctx, XmlId id)
{
    leave_block(ctx, id);
}

static void on_tree(void *ctx, const XmlElem *e)
{
    Odf *x = ctx;
    if (e->id == OFFICE_META)
        put_meta(x, e);
    else if (e->id == STYLE_STYLE || e->id == TEXT_LIST_STYLE)
        odf_styles_add(&x->styles, e);
    else if (e->id == DRAW_PAGE)
        put_slide(x, e);
    else
        odf_put_block(x, e);
}

static bool has_failed(void *ctx)
{
    return doc_failed(((Odf *)ctx)->out);
}

typedef struct Manifest {
    bool encrypted;
} Manifest;

static XmlWant manifest_start(void *ctx, const XmlElem *e)
{
    if (e->id == MANIFEST_ENCRYPTION_DATA)
        ((Manifest *)ctx)->encrypted = true;
    return XML_ENTER;
}

static ErrCode check_encryption(Odf *x, Zip *zip)
{
    Manifest m = {0};
    const ZipEntry *e = zip_find(zip, STR("META-INF/manifest.xml"));
    Err ignored = {0};
    if (e != NULL &&
        xml_parse_entry(zip, e, x->trees, &(XmlHandler){.ctx = &m, .start = manifest_start},
                        &ignored) == OK &&
        m.encrypted)
        return err_set(x->err, ERR_INPUT_ENCRYPTED, "the document is encrypted with a password");
    return OK;
}

static ErrCode read_package(Odf *x, const XmlHandler *h)
{
    Zip zip;
    ErrCode rc = zip_open(x->arena, x->in->bytes, &zip, x->err);
    if (rc == OK) {
        opc_note_repaired(x->in, &zip);
        rc = check_encryption(x, &zip);
    }
    static const char *const before[] = {"meta.xml", "styles.xml"};
    for (size_t i = 0; i < COUNT_OF(before) && rc == OK; i++) {
        const ZipEntry *e = zip_find(&zip, str_from_c(before[i]));
        rc = e != NULL ? xml_parse_entry(&zip, e, x->trees, h, x->err) : OK;
        rc = rc == ERR_INPUT_DAMAGED ? OK : rc; /* without styles there is still text */
    }
    const ZipEntry *content = rc == OK ? zip_find(&zip, STR("content.xml")) : NULL;
    if (rc == OK && content == NULL)
        return err_set(x->err, ERR_INPUT_DAMAGED, "the package has no content.xml");
    return rc == OK ? xml_parse_entry(&zip, content, x->trees, h, x->err) : rc;
}

ErrCode read_odf(const DocInput *in, Doc *out)
{
    Arena *a = in->step->arena;
    CLEANUP(arena_close) Arena *trees = arena_open(TREE_BYTES);
    Odf *x = arena_new(a, Odf, 1);
    if (trees == NULL || x == NULL)
        return err_set(in->step->err, ERR_NO_MEMORY, "reading an OpenDocument file");
    *x = (Odf){.in = in,
               .out = out,
               .arena = a,
               .trees = trees,
               .err = in->step->err,
               .styles = {.arena = a}};
    ErrCode rc = grid_open(in->step, out, &x->grid);
    if (rc != OK)
        return rc;
    XmlHandler h = {
        .ctx = x, .start = on_start, .end = on_end, .tree = on_tree, .enough = has_failed};
    bool flat = !str_starts(in->bytes, STR("PK"));
    rc = flat ? xml_parse_bytes(in->bytes, trees, &h, x->err) : read_package(x, &h);
    grid_end(&x->grid);
    while (x->table_depth-- > 0)
        doc_table_end(out);
    doc_end(out);
    doc_pages_total(out, x->pages > x->page_no ? x->pages : x->page_no);
    return opc_forgive(in, out, rc);
}

/* doc_docx.c: a Word document (OOXML). Text goes into word/document.xml as it is read; links and
 * numbered lists are gathered, since the parts that name them are written after it. Styles and
 * other fixed parts: doc_docx_parts.c. */
#include "document/doc_docx_in.h"
#include "document/doc_in.h"
#include "document/xml_write.h"
#include "document/zip_write.h"

#include <stdio.h>
#include <string.h>

enum {
    LINKS_MAX = 20000,
    LISTS_MAX = 30000,
    GRID_MAX = 1024,
    A4_WIDTH = 11906, /* twips */
    A4_HEIGHT = 16838,
    MARGIN = 1304,
    TWIPS = 20,
};

typedef struct Word {
    ZipOut *zip;
    Buf b, rels, nums;
    bool begun;
    int links, lists; /* made so far */
    struct {
        bool ordered;
        int64_t number;
        int id; /* of <w:num> */
    } level[DOC_LEVELS];
    int depth;
    int merge_left[GRID_MAX], merge_span[GRID_MAX]; /* cells that reach down, by column */
    size_t columns;
    bool header;
} Word;

static void part(Word *w, const char *name, Str bytes)
{
    zip_out_entry(w->zip, name, false);
    zip_out_put(w->zip, bytes);
}

static void begin(Doc *d)
{
    Word *w = arena_new(d->arena, Word, 1);
    ZipOut *zip = w != NULL ? zip_out_open(d->arena, d->fd) : NULL;
    if (zip == NULL) {
        doc_fail(d, ERR_LIMIT_MEMORY, "beginning the document");
        return;
    }
    w->zip = zip;
    w->b = buf_init(d->arena, 4 * DOC_ROW_MAX);
    w->rels = buf_init(d->arena, 16 * MIB);
    w->nums = buf_init(d->arena, 8 * MIB);
    d->own = w;
    part(w, "[Content_Types].xml", str_from_c(docx_content_types));
    part(w, "_rels/.rels", str_from_c(docx_package_rels));
    docx_add_styles(&w->b, d->options.style == DOC_STYLE_BOOK);
    part(w, "word/styles.xml", buf_str(&w->b));
    buf_clear(&w->b);
    part(w, "word/settings.xml", str_from_c(docx_settings));
    zip_out_entry(w->zip, "word/document.xml", false);
    zip_out_put(w->zip, STR(DOCX_XML "<w:document " DOCX_W "><w:body>"));
}

static void flush(Doc *d, Word *w)
{
    if (w->b.failed || w->rels.failed || w->nums.failed)
        doc_fail(d, ERR_LIMIT_MEMORY, "a block of the document is too long to write");
    zip_out_put(w->zip, buf_str(&w->b));
    buf_clear(&w->b);
}

/* --- the inside of a paragraph */

/* What a URI cannot hold is written as %XX: Word calls the file damaged otherwise. */
static void add_target(Buf *b, Str href)
{
    for (size_t i = 0; i < href.len; i++) {
        Str c = str_slice(href, i, i + 1);
        if (strchr(" <>\"{}|\\^`", href.ptr[i]) != NULL)
            buf_addf(b, "%%%02X", (unsigned char)href.ptr[i]);
        else if ((unsigned char)href.ptr[i] < 0x80)
            xml_add(b, c);
        else
            buf_add(b, c);
    }
}

static bool open_link(Word *w, Str href)
{
    if (w->links == LINKS_MAX || !str_is_utf8(href) || href.ptr[0] == '#')
        return false;
    w->links++;
    buf_addf(&w->rels,
             "<Relationship Id=\"link%d\" Type=\"http://schemas.openxmlformats.org/officeDocument/"
             "2006/relationships/hyperlink\" Target=\"",
             w->links);
    add_target(&w->rels, href);
    buf_add_c(&w->rels, "\" TargetMode=\"External\"/>");
    buf_addf(&w->b, "<w:hyperlink r:id=\"link%d\">", w->links);
    return true;
}

static void add_run_style(Buf *b, unsigned marks, bool rtl)
{
    if (marks == 0 && !rtl)
        return;
    buf_add_c(b, "<w:rPr>");
    if (marks & 1u << MARK_LINK)
        buf_add_c(b, "<w:rStyle w:val=\"Hyperlink\"/>");
    else if (marks & 1u << MARK_CODE)
        buf_add_c(b, "<w:rStyle w:val=\"VerbatimChar\"/>");
    if ((marks & 1u << MARK_LINK) && (marks & 1u << MARK_CODE))
        buf_add_c(b, "<w:rFonts w:ascii=\"Consolas\" w:hAnsi=\"Consolas\" w:cs=\"Consolas\"/>");
    if (marks & 1u << MARK_BOLD)
        buf_add_c(b, "<w:b/><w:bCs/>");
    if (marks & 1u << MARK_ITALIC)
        buf_add_c(b, "<w:i/><w:iCs/>");
    if (marks & 1u << MARK_STRIKE)
        buf_add_c(b, "<w:strike/>");
    if (rtl)
        buf_add_c(b, "<w:rtl/>");
    buf_add_c(b, "</w:rPr>");
}

/* Text as it stands, with breaks and tabs as elements. */
static void add_text(Buf *b, Str text)
{
    size_t from = 0;
    for (size_t at = 0; at <= text.len; at++) {
        bool end = at == text.len;
        if (!end && text.ptr[at] != '\n' && text.ptr[at] != '\t')
            continue;
        if (at > from) {
            buf_add_c(b, "<w:t xml:space=\"preserve\">");
            xml_add(b, str_slice(text, from, at));
            buf_add_c(b, "</w:t>");
        }
        if (!end)
            buf_add_c(b, text.ptr[at] == '\n' ? "<w:br/>" : "<w:tab/>");
        from = at + 1;
    }
}

static void add_run(Word *w, unsigned marks, Str text)
{
    buf_add_c(&w->b, "<w:r>");
    add_run_style(&w->b, marks, xml_is_rtl(text));
    add_text(&w->b, text);
    buf_add_c(&w->b, "</w:r>");
}

static void add_inline(Doc *d, Word *w, const DocSpan *s)
{
    const unsigned link = 1u << MARK_LINK;
    Str href = {0};
    bool linked = false;
    for (size_t i = 0; i < s->runs_len; i++) {
        const DocRun *r = &s->runs[i];
        bool wants = (r->marks & link) != 0;
        bool same = linked && wants && str_eq(href, doc_run_href(d, r));
        if (linked && !same)
            buf_add_c(&w->b, "</w:hyperlink>");
        if (!same) {
            href = wants ? doc_run_href(d, r) : (Str){0};
            linked = wants && open_link(w, href);
        }
        add_run(w, linked ? r->marks : r->marks & ~link,
                str_slice(s->text, r->from - s->base, r->to - s->base));
    }
    if (linked)
        buf_add_c(&w->b, "</w:hyperlink>");
}

/* --- paragraphs. The order inside pPr is the schema's: style, numPr, bidi, spacing, ind. */

typedef struct Look {
    const char *style; /* NULL: the default */
    int num, level;    /* num 0: not in a list */
    int indent;        /* twips */
} Look;

static void open_paragraph(Word *w, const Look *k, Str text)
{
    bool rtl = xml_is_rtl(text);
    buf_add_c(&w->b, "<w:p>");
    if (k->style == NULL && k->num == 0 && k->indent == 0 && !rtl)
        return;
    buf_add_c(&w->b, "<w:pPr>");
    if (k->style != NULL)
        buf_addf(&w->b, "<w:pStyle w:val=\"%s\"/>", k->style);
    if (k->num > 0)
        buf_addf(&w->b, "<w:numPr><w:ilvl w:val=\"%d\"/><w:numId w:val=\"%d\"/></w:numPr>",
                 k->level, k->num);
    if (rtl)
        buf_add_c(&w->b, "<w:bidi/>");
    if (k->indent > 0)
        buf_addf(&w->b, "<w:ind w:left=\"%d\"/>", k->indent);
    buf_add_c(&w->b, "</w:pPr>");
}

static void paragraph(Doc *d, Word *w, const Look *k, const DocSpan *s)
{
    open_paragraph(w, k, s->text);
    add_inline(d, w, s);
    buf_add_c(&w->b, "</w:p>");
}

/* A list that begins: numbers get a <w:num> of their own, so that they start where they should. */
static int new_list(Word *w, int level, int64_t number)
{
    if (number <= 0 || w->lists == LISTS_MAX)
        return DOCX_NUM_BULLETS;
    int id = DOCX_NUM_BULLETS + ++w->lists;
    buf_addf(&w->nums,
             "<w:num w:numId=\"%d\"><w:abstractNumId w:val=\"1\"/><w:lvlOverride w:ilvl=\"%d\">"
             "<w:startOverride w:val=\"%d\"/></w:lvlOverride></w:num>",
             id, level, number < 100000000 ? (int)number : 1);
    return id;
}

static void item(Doc *d, Word *w, const DocBlock *b)
{
    int level = b->level < w->depth ? b->level : w->depth;
    level = level < DOCX_LIST_LEVELS ? level : DOCX_LIST_LEVELS - 1;
    bool open = level < w->depth;
    bool goes_on = open && w->level[level].ordered == (b->number > 0) &&
                   (b->number == 0 || b->number == w->level[level].number + 1);
    if (!goes_on)
        w->level[level].id = new_list(w, level, b->number);
    w->level[level].ordered = b->number > 0;
    w->level[level].number = b->number;
    w->depth = level + 1;
    paragraph(d, w, &(Look){"ListParagraph", w->level[level].id, level, 0}, &b->span);
}

static void note(Doc *d, Word *w, const DocBlock *b)
{
    char number[32];
    open_paragraph(w, &(Look){.style = "FootnoteText"}, b->span.text);
    if (b->level > 0) {
        snprintf(number, sizeof number, "[%d] ", b->level);
        add_run(w, 0, str_from_c(number));
    }
    add_inline(d, w, &b->span);
    buf_add_c(&w->b, "</w:p>");
}

static void put_block(Doc *d, Word *w, const DocBlock *b, int indent)
{
    static const char *const headings[] = {"Heading1", "Heading2", "Heading3",
                                           "Heading4", "Heading5", "Heading6"};
    Look k = {.indent = indent};
    switch (b->kind) {
    case BLOCK_HEADING:
        k.style = headings[b->level - 1];
        break;
    case BLOCK_CODE:
        open_paragraph(w, &(Look){.style = "SourceCode", .indent = indent}, STR(""));
        add_run(w, 0, b->span.text);
        buf_add_c(&w->b, "</w:p>");
        return;
    case BLOCK_QUOTE:
        k.style = "Quote";
        k.indent = b->level > 1 ? 360 * b->level : 0;
        break;
    case BLOCK_NOTE:
        note(d, w, b);
        return;
    case BLOCK_PARAGRAPH:
    case BLOCK_ITEM:
        k.style = indent > 0 ? "ListParagraph" : NULL;
        break;
    }
    paragraph(d, w, &k, &b->span);
}

static void block(Doc *d, const DocBlock *b)
{
    Word *w = d->own;
    bool inside = (b->kind == BLOCK_PARAGRAPH || b->kind == BLOCK_CODE) && b->level > 0;
    if (b->kind == BLOCK_ITEM) {
        item(d, w, b);
    } else {
        int level = inside && b->level < w->depth ? b->level : inside ? w->depth : 0;
        if (level < w->depth)
            w->depth = level;
        put_block(d, w, b, level > 0 ? 120 + 420 * level : 0);
    }
    flush(d, w);
}

/* --- tables */

static int text_width(const Doc *d)
{
    const DocOptions *o = &d->options;
    if (o->paper_width <= 0)
        return A4_WIDTH - 2 * MARGIN;
    float width = (o->paper_width - 2 * o->margin) * TWIPS;
    return width > 1000 ? (int)width : 1000;
}

/* Columns by how much their cells hold, as far as the rows in hand show; Word fits them again, other
 * programs take them as they are. */
static void add_grid(const Doc *d, Word *w)
{
    enum { LEAST = 4, MOST = 50 };
    size_t wants[GRID_MAX] = {0}, all = 0, len;
    const DocRow *rows = (const DocRow *)(void *)d->rows.ptr;
    for (size_t r = 0; r < d->rows.len / sizeof(DocRow); r++) {
        const DocCell *cells = doc_cells(d, &rows[r], &len);
        for (size_t i = 0, column = 0; i < len && column < w->columns; i++) {
            size_t chars = str_count_utf8(doc_cell_span(d, &cells[i]).text);
            if (cells[i].colspan == 1 && chars > wants[column])
                wants[column] = chars;
            column += (size_t)cells[i].colspan;
        }
    }
    for (size_t i = 0; i < w->columns; i++) {
        wants[i] = wants[i] < LEAST ? LEAST : wants[i] > MOST ? MOST : wants[i];
        all += wants[i];
    }
    buf_add_c(&w->b, "<w:tblGrid>");
    for (size_t i = 0; i < w->columns; i++)
        buf_addf(&w->b, "<w:gridCol w:w=\"%zu\"/>", (size_t)text_width(d) * wants[i] / all);
    buf_add_c(&w->b, "</w:tblGrid>");
}

static void table_begin(Doc *d)
{
    Word *w = d->own;
    w->depth = 0;
    w->header = true;
    w->columns = d->columns < GRID_MAX ? d->columns : GRID_MAX;
    w->columns = w->columns > 0 ? w->columns : 1;
    memset(w->merge_left, 0, sizeof w->merge_left);
    buf_add_c(&w->b, "<w:tbl><w:tblPr><w:tblStyle w:val=\"TableGrid\"/>"
                     "<w:tblW w:w=\"0\" w:type=\"auto\"/>"
                     "<w:tblLook w:val=\"0020\" w:firstRow=\"1\"/></w:tblPr>");
    add_grid(d, w);
}

static void open_cell(Word *w, int span, const char *merge)
{
    buf_add_c(&w->b, "<w:tc><w:tcPr>");
    if (span > 1)
        buf_addf(&w->b, "<w:gridSpan w:val=\"%d\"/>", span);
    if (merge != NULL)
        buf_addf(&w->b, "<w:vMerge w:val=\"%s\"/>", merge);
    buf_add_c(&w->b, "</w:tcPr>");
}

static void empty_cell(Word *w, int span, const char *merge)
{
    open_cell(w, span, merge);
    buf_add_c(&w->b, "<w:p><w:pPr><w:pStyle w:val=\"TableText\"/></w:pPr></w:p></w:tc>");
}

static int put_cell(Doc *d, Word *w, const DocCell *c, size_t column)
{
    int span = c->colspan;
    if (column + (size_t)span > w->columns)
        span = (int)(w->columns - column);
    for (int i = 1; i < span; i++) /* a cell from above that is in the way ends it */
        if (w->merge_left[column + (size_t)i] > 0)
            span = i;
    w->merge_left[column] = c->rowspan - 1;
    w->merge_span[column] = span;
    DocSpan s = doc_cell_span(d, c);
    open_cell(w, span, c->rowspan > 1 ? "restart" : NULL);
    paragraph(d, w, &(Look){.style = "TableText"}, &s);
    buf_add_c(&w->b, "</w:tc>");
    return span;
}

static void row(Doc *d, const DocRow *r)
{
    Word *w = d->own;
    size_t len, next = 0;
    const DocCell *cells = doc_cells(d, r, &len);
    buf_add_c(&w->b, w->header ? "<w:tr><w:trPr><w:tblHeader/></w:trPr>" : "<w:tr>");
    w->header = false;
    for (size_t column = 0; column < w->columns;) {
        if (w->merge_left[column] > 0) {
            w->merge_left[column]--;
            empty_cell(w, w->merge_span[column], "continue");
            column += (size_t)w->merge_span[column];
        } else if (next < len) {
            column += (size_t)put_cell(d, w, &cells[next++], column);
        } else {
            empty_cell(w, 1, NULL);
            column++;
        }
    }
    buf_add_c(&w->b, "</w:tr>");
    flush(d, w);
}

/* Word wants a paragraph between two tables, and after the last. */
static void table_end(Doc *d)
{
    Word *w = d->own;
    buf_add_c(&w->b, "</w:tbl><w:p><w:pPr><w:spacing w:after=\"0\" w:line=\"200\" "
                     "w:lineRule=\"exact\"/></w:pPr></w:p>");
    flush(d, w);
}

/* --- the end */

static void add_section(const Doc *d, Buf *b)
{
    const DocOptions *o = &d->options;
    bool own = o->paper_width > 0;
    int width = own ? (int)(o->paper_width * TWIPS) : A4_WIDTH;
    int height = own ? (int)(o->paper_height * TWIPS) : A4_HEIGHT;
    int margin = own ? (int)(o->margin * TWIPS) : MARGIN;
    buf_addf(b, "<w:sectPr><w:pgSz w:w=\"%d\" w:h=\"%d\"%s/>", width, height,
             width > height ? " w:orient=\"landscape\"" : "");
    buf_addf(b,
             "<w:pgMar w:top=\"%d\" w:right=\"%d\" w:bottom=\"%d\" w:left=\"%d\" "
             "w:header=\"600\" w:footer=\"600\" w:gutter=\"0\"/></w:sectPr>",
             margin, margin, margin, margin);
}

static void add_property(const Doc *d, Buf *b, const char *element, Str value)
{
    (void)d;
    if (value.len == 0)
        return;
    buf_addf(b, "<%s>", element);
    xml_add(b, value);
    buf_addf(b, "</%s>", element);
}

static void add_time(const Doc *d, Buf *b, const char *name)
{
    Str when = doc_metadata(d, name);
    if (when.len < 19 || when.ptr[4] != '-' || when.ptr[10] != 'T')
        return;
    buf_addf(b, "<dcterms:%s xsi:type=\"dcterms:W3CDTF\">", name);
    xml_add(b, str_slice(when, 0, 19));
    buf_addf(b, "Z</dcterms:%s>", name);
}

static void put_properties(Doc *d, Word *w)
{
    Buf *b = &w->b;
    buf_add_c(b, DOCX_XML "<cp:coreProperties "
                          "xmlns:cp=\"http://schemas.openxmlformats.org/package/2006/metadata/"
                          "core-properties\" xmlns:dc=\"http://purl.org/dc/elements/1.1/\" "
                          "xmlns:dcterms=\"http://purl.org/dc/terms/\" "
                          "xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\">");
    Str own = d->options.title;
    add_property(d, b, "dc:title", own.len > 0 ? own : doc_metadata(d, "title"));
    add_property(d, b, "dc:subject", doc_metadata(d, "subject"));
    add_property(d, b, "dc:creator", doc_metadata(d, "author"));
    add_property(d, b, "cp:keywords", doc_metadata(d, "keywords"));
    add_property(d, b, "dc:language", doc_metadata(d, "language"));
    add_time(d, b, "created");
    add_time(d, b, "modified");
    buf_add_c(b, "</cp:coreProperties>");
    part(w, "docProps/core.xml", buf_str(b));
    buf_clear(b);
}

static void put_relations(Word *w)
{
    static const char *const fixed[] = {"styles", "settings", "numbering"};
    Buf *b = &w->b;
    buf_add_c(b,
              DOCX_XML "<Relationships "
                       "xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\">");
    for (size_t i = 0; i < COUNT_OF(fixed); i++)
        buf_addf(b,
                 "<Relationship Id=\"%s\" Type=\"http://schemas.openxmlformats.org/officeDocument/"
                 "2006/relationships/%s\" Target=\"%s.xml\"/>",
                 fixed[i], fixed[i], fixed[i]);
    buf_add(b, buf_str(&w->rels));
    buf_add_c(b, "</Relationships>");
    part(w, "word/_rels/document.xml.rels", buf_str(b));
    buf_clear(b);
}

static void end(Doc *d)
{
    Word *w = d->own;
    if (w == NULL || d->err.code != OK)
        return;
    add_section(d, &w->b);
    buf_add_c(&w->b, "</w:body></w:document>");
    flush(d, w);
    docx_add_numbering(&w->b);
    buf_add(&w->b, buf_str(&w->nums));
    buf_add_c(&w->b, "</w:numbering>");
    part(w, "word/numbering.xml", buf_str(&w->b));
    buf_clear(&w->b);
    put_relations(w);
    put_properties(d, w);
    Err err = {0};
    if (zip_out_end(w->zip, &err) != OK && d->err.code == OK)
        d->err = err;
}

static void drop(Doc *d)
{
    if (d->own != NULL)
        zip_out_drop(&((Word *)d->own)->zip);
}

const DocWriter doc_docx_writer = {
    .format = "docx",
    .media_type = "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    .extension = "docx",
    .begin = begin,
    .block = block,
    .table_begin = table_begin,
    .row = row,
    .table_end = table_end,
    .end = end,
    .drop = drop,
};

/* doc_html.c: one HTML page: the head with title, language and style sheet, then the blocks. The
 * head is written with the first block, when the reader has told the metadata. */
#include "document/doc_html_in.h"
#include "document/xml_write.h"

typedef struct Page {
    HtmlBlocks blocks;
    bool head;
} Page;

static void begin(Doc *d)
{
    Page *p = arena_new(d->arena, Page, 1);
    d->own = p;
    if (p == NULL)
        doc_fail(d, ERR_LIMIT_MEMORY, "beginning the page");
    else
        p->blocks.b = buf_init(d->arena, 2 * DOC_ROW_MAX);
}

static void put_meta(Doc *d, Buf *b, const char *name, const char *key)
{
    Str value = doc_metadata(d, key);
    if (value.len == 0)
        return;
    buf_addf(b, "<meta name=\"%s\"", name);
    xml_add_attribute(b, "content", value);
    buf_add_c(b, "/>\n");
}

static void put_head(Doc *d, Page *p)
{
    Buf *b = &p->blocks.b;
    Str language = doc_metadata(d, "language");
    const char *style = html_style(d->options.style);
    p->head = true;
    buf_add_c(b, "<!DOCTYPE html>\n<html");
    if (language.len > 0)
        xml_add_attribute(b, "lang", language);
    buf_add_c(b, ">\n<head>\n<meta charset=\"utf-8\"/>\n<meta name=\"viewport\" "
                 "content=\"width=device-width, initial-scale=1\"/>\n<title>");
    xml_add(b, doc_title(d));
    buf_add_c(b, "</title>\n");
    put_meta(d, b, "author", "author");
    put_meta(d, b, "description", "subject");
    put_meta(d, b, "keywords", "keywords");
    put_meta(d, b, "dcterms.created", "created");
    if (style != NULL)
        buf_addf(b, "<style>\n%s</style>\n", style);
    buf_add_c(b, "</head>\n<body>\n");
}

static Page *ready(Doc *d)
{
    Page *p = d->own;
    if (!p->head)
        put_head(d, p);
    return p;
}

static void flush(Doc *d, Page *p)
{
    if (p->blocks.b.failed)
        doc_fail(d, ERR_LIMIT_MEMORY, "a block of the document is too long to write");
    doc_put_raw(d, buf_str(&p->blocks.b));
    buf_clear(&p->blocks.b);
}

static void block(Doc *d, const DocBlock *b)
{
    Page *p = ready(d);
    html_block(d, &p->blocks, b);
    flush(d, p);
}

static void table_begin(Doc *d)
{
    html_table_begin(d, &ready(d)->blocks);
}

static void row(Doc *d, const DocRow *r)
{
    Page *p = d->own;
    html_row(d, &p->blocks, r);
    flush(d, p);
}

static void table_end(Doc *d)
{
    html_table_end(d, &((Page *)d->own)->blocks);
}

static void end(Doc *d)
{
    if (d->own == NULL)
        return;
    Page *p = ready(d);
    html_close(d, &p->blocks);
    buf_add_c(&p->blocks.b, "</body>\n</html>\n");
    flush(d, p);
}

const DocWriter doc_html_writer = {
    .format = "html",
    .media_type = "text/html",
    .extension = "html",
    .begin = begin,
    .block = block,
    .table_begin = table_begin,
    .row = row,
    .table_end = table_end,
    .end = end,
};

/* doc_html_in.h: blocks as XHTML elements, for the writers of HTML and EPUB. */
#ifndef PLATEN_DOCUMENT_DOC_HTML_IN_H
#define PLATEN_DOCUMENT_DOC_HTML_IN_H

#include "document/doc_in.h"

enum { HTML_LISTS = DOC_LEVELS };

typedef struct HtmlBlocks {
    Buf b; /* what is to be written; the writer takes and clears it after each block */
    struct {
        bool ordered;
        int64_t number;
    } lists[HTML_LISTS];
    int depth;  /* lists open; the item of each is open too */
    int quotes; /* block quotes open */
    bool body;  /* of the table: its head is written */
    int64_t headings;
    bool book; /* EPUB: headings are called s1, s2 …, and only links to the web are kept */
} HtmlBlocks;

extern const char html_style_clean[], html_style_book[];

/* NULL for DOC_STYLE_NONE. */
const char *html_style(DocStyle style);
void html_block(Doc *d, HtmlBlocks *h, const DocBlock *block);
void html_table_begin(Doc *d, HtmlBlocks *h);
void html_row(Doc *d, HtmlBlocks *h, const DocRow *row);
void html_table_end(Doc *d, HtmlBlocks *h);
/* Close lists and quotes: at the end, and where a chapter ends. */
void html_close(Doc *d, HtmlBlocks *h);

#endif

/* doc_markdown_in.h: the text of one block or cell as Markdown. */
#ifndef PLATEN_DOCUMENT_DOC_MARKDOWN_IN_H
#define PLATEN_DOCUMENT_DOC_MARKDOWN_IN_H

#include "document/doc_in.h"

typedef struct MdPlace {
    const char *breaks; /* how a line break is written here */
    int indent;         /* columns before the lines after the first */
    int quote;          /* "> " this often before the lines after the first */
    bool line_start;    /* the text begins a line: what would begin a list or heading is escaped */
    bool cell, heading;
} MdPlace;

void md_put_inline(Doc *d, const DocSpan *s, const MdPlace *where);
void md_put_spaces(Doc *d, int count);

#endif

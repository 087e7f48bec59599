/* html_in.h: html.c parses, html_blocks.c walks. */
#ifndef PLATEN_DOCUMENT_HTML_IN_H
#define PLATEN_DOCUMENT_HTML_IN_H

#include "document/readers.h"

#include <gumbo.h>

/* html_main.c: the part of a page that it is about: the element whose text is the most and the least
 * made of links, by the names and shapes that menus, margins and comments have. NULL: it cannot be
 * told. What stands in it but is not of it (a box of links, a form) is in `drop`; so is every
 * ancestor's neighbour. */
typedef struct HtmlMain {
    const GumboNode **roots; /* in the order of the page */
    size_t roots_len;
    const GumboNode **drop; /* sorted by address */
    size_t drop_len;
} HtmlMain;
bool html_main(const GumboNode *root, Arena *a, HtmlMain *out);
bool html_main_drops(const HtmlMain *m, const GumboNode *n);

/* Walk the tree in reading order, without recursion. `meta`: also take title, language and author
 * from the head. */
void html_walk(const GumboNode *root, bool meta, StepCtx *c, Doc *out);
/* The same for the parts of a page that it is about; the head is looked at as well. */
void html_walk_main(const GumboNode *root, const HtmlMain *m, StepCtx *c, Doc *out);

#endif

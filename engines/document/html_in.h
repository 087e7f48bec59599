/* html_in.h: html.c parses, html_blocks.c walks. */
#ifndef PLATEN_DOCUMENT_HTML_IN_H
#define PLATEN_DOCUMENT_HTML_IN_H

#include "document/readers.h"

#include <gumbo.h>

/* Walk the tree in reading order, without recursion. `meta`: also take title, language and author
 * from the head. */
void html_walk(const GumboNode *root, bool meta, StepCtx *c, Doc *out);

#endif

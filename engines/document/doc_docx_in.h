/* doc_docx_in.h: the parts of a Word file that are the same in every document. */
#ifndef PLATEN_DOCUMENT_DOC_DOCX_IN_H
#define PLATEN_DOCUMENT_DOC_DOCX_IN_H

#include "base/buf.h"

enum { DOCX_NUM_BULLETS = 1, DOCX_LIST_LEVELS = 9 };

#define DOCX_W                                                                                     \
    "xmlns:w=\"http://schemas.openxmlformats.org/wordprocessingml/2006/main\" "                    \
    "xmlns:r=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships\""
#define DOCX_XML "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n"

extern const char docx_content_types[], docx_package_rels[], docx_settings[];
/* word/styles.xml: headings, code, quotes, lists, links, notes, tables. */
void docx_add_styles(Buf *b, bool serif);
/* word/numbering.xml up to its <w:num> elements: abstract 0 are bullets, abstract 1 numbers. */
void docx_add_numbering(Buf *b);

#endif

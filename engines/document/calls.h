/* calls.h: the steps of other engines that reading a document may need (step_call), and what they
 * answer. */
#ifndef PLATEN_DOCUMENT_CALLS_H
#define PLATEN_DOCUMENT_CALLS_H

#include "document/readers.h"

/* office.convert: the file as another kind ("docx", "xlsx", "pptx", "odt", "pdf"). `extension` is
 * that of what it is. *out is mapped: document_unmap. What the called step says when it fails;
 * without that engine UNSUPPORTED_TYPE, with what would help. */
MUST_CHECK ErrCode calls_office(const DocInput *in, const char *extension, const char *to,
                                Str *out);

/* ocr.document: pages of the file (pages: "1-3,7", "": all) read from their pictures. *out is the
 * list of pages of its JSON, in `a`. `force`: also pages that have text. Without that
 * engine NO_TEXT. */
MUST_CHECK ErrCode calls_ocr(const DocInput *in, const char *extension, Str pages, bool force,
                             Arena *a, const Json **out);
/* The page of this number among them, or NULL. */
const Json *calls_ocr_page(const Json *pages, int64_t page_no);
/* Write its lines as paragraphs into the sink, on the page in hand. False: it has none. */
bool calls_ocr_put(Doc *out, Arena *a, const Json *page);

#endif

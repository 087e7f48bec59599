/* pdf_ocr.h: pages of a PDF whose text is a picture, read by OCR in the order of the pages.
 *
 * A page asks when it is to be written: then it and the next ones of its kind are read in one call,
 * so that the other engine can work on several at once; what they say is kept until their turn. */
#ifndef PLATEN_DOCUMENT_PDF_OCR_H
#define PLATEN_DOCUMENT_PDF_OCR_H

#include "document/pdf_in.h"

enum { PDF_OCR_BATCH = 24, PDF_OCR_LOOK = 64 };

/* Is the page to be read by OCR: no text or garbage where something is drawn, or as was asked? */
bool pdf_ocr_wants(const PdfReader *r, const PdfPage *p);
/* Write the page's text as OCR reads it. False: it gave none (the first failure is kept and noted);
 * the page's own text is what there is then. */
bool pdf_ocr_put(PdfReader *r, const PdfPage *p);
void pdf_ocr_done(PdfOcr *o);

#endif

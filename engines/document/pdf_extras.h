/* pdf_extras.h: what a PDF holds beside its pages: fields of forms, annotations, files. Damage in
 * them costs them only. */
#ifndef PLATEN_DOCUMENT_PDF_EXTRAS_H
#define PLATEN_DOCUMENT_PDF_EXTRAS_H

#include "document/pdf_in.h"

/* The fields of its form, with what is filled in (doc_field). */
void pdf_put_form(PdfReader *r);
/* What people wrote onto the page (notes, marks with a comment), as notes with their authors. */
void pdf_put_comments(PdfReader *r, int64_t page_no);
/* Files in it: read when `attachments` says so, else named in a note. */
void pdf_put_files(PdfReader *r);

#endif

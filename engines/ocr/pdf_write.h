/* pdf_write.h: a PDF with a text layer: a given one, whose pages get one more content stream and
 * nothing else, or a new one made of pictures.
 *
 * Threads: one. */
#ifndef PLATEN_OCR_PDF_WRITE_H
#define PLATEN_OCR_PDF_WRITE_H

#include "ocr/picture.h"

typedef struct PdfWrite PdfWrite;
/* `bytes` must outlive it. ERR_INPUT_ENCRYPTED, ERR_INPUT_DAMAGED, ERR_LIMIT_MEMORY. */
MUST_CHECK ErrCode pdf_write_open(Str bytes, Str password, Arena *a, PdfWrite **out, Err *err);
MUST_CHECK ErrCode pdf_write_new(Arena *a, PdfWrite **out, Err *err);
void pdf_write_close(PdfWrite **w);

/* Lay the words of `p` under page `page_index`. `turn`: also have it shown upright. */
MUST_CHECK ErrCode pdf_write_layer(PdfWrite *w, int64_t page_index, const OcrPage *p, bool turn,
                                   Err *err);
/* Replace what page `page_index` shows by a picture of it, as the page is shown now. Lay the words
 * after it. */
MUST_CHECK ErrCode pdf_write_redraw(PdfWrite *w, int64_t page_index, struct Pix *picture, Err *err);
/* A new last page that shows a picture at `dpi`. The file's own bytes are taken over where a PDF
 * can show them; `from` may be NULL. */
MUST_CHECK ErrCode pdf_write_picture(PdfWrite *w, const Picture *from, struct Pix *picture,
                                     double dpi, Err *err);
MUST_CHECK ErrCode pdf_write_end(PdfWrite *w, int fd, Err *err);

#endif

/* output.h: pages that have been read, written as files: text, JSON, hOCR, TSV.
 *
 *   outputs_begin ── outputs_page … (in the order of pages) ── outputs_end
 *
 * The writers are pure (output_text.c, output_markup.c); outputs.c gives each its file and empties
 * it page by page, so memory does not grow with the number of pages. */
#ifndef PLATEN_OCR_OUTPUT_H
#define PLATEN_OCR_OUTPUT_H

#include "ocr/ocr.h"

enum {
    OUTPUT_TEXT = 1,
    OUTPUT_JSON = 2,
    OUTPUT_HOCR = 4,
    OUTPUT_TSV = 8,
    OUTPUT_PDF = 16, /* not written here: see pdf_write.h */
    OUTPUT_STREAMS = 4,
};

/* A line's words with the spaces between them. */
void output_line(Buf *b, const OcrPage *p, const OcrLine *l);
/* Lines; a blank line between paragraphs. */
void output_text(Buf *b, const OcrPage *p);
/* {"page","width","height","rotation","confidence","language","lines":[…]} */
void output_json(Buf *b, const OcrPage *p);
/* As Tesseract writes them. `scale`: pixels per unit of the page's boxes. */
void output_hocr(Buf *b, const OcrPage *p, double scale);
void output_tsv(Buf *b, const OcrPage *p, double scale);
extern const char output_hocr_head[], output_hocr_tail[], output_tsv_head[];

/* "text", "json", "hocr", "tsv", "pdf" as bits. ERR_BAD_PARAM (param format). */
MUST_CHECK ErrCode outputs_parse(const StrList *names, bool pdf_allowed, int *out, Err *err);

typedef struct Outputs {
    StepCtx *c;
    int which;
    double scale;
    Str base; /* file name without folder and extension */
    int fds[OUTPUT_STREAMS];
    bool any_page;
} Outputs;
/* Creates the files. Close with outputs_close on every way out. */
MUST_CHECK ErrCode outputs_begin(StepCtx *c, int which, double scale, Outputs *out);
MUST_CHECK ErrCode outputs_page(Outputs *o, const OcrPage *p);
MUST_CHECK ErrCode outputs_end(Outputs *o);
void outputs_close(Outputs *o);
/* "scan" for "letters/scan.pdf". */
Str outputs_base_name(Str input);

#endif

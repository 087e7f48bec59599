/* ocr.h: what the parts of the OCR engine say to each other: a page that has been read.
 *
 *   picture.h (bytes → pixels)  ─┐                          ┌─> output.h  text, JSON, hOCR, TSV
 *   render.h  (PDF page → pixels)┴─> read.h (clean, tess.h) ┴─> text_layer.h ─> pdf_write.h
 *
 * Units: a page's boxes are pixels of the upright picture, or points of the upright page when it
 * comes from a PDF; x from the left, y from the top. "Upright" is how the text stands: a page that
 * was scanned lying on its side is turned by `rotation` first. Confidence is 0 to 1.
 *
 * Threads: an OcrPage belongs to one thread at a time; its memory is its own arena. */
#ifndef PLATEN_OCR_OCR_H
#define PLATEN_OCR_OCR_H

#include "core/step.h"

enum { OCR_PIXELS_MAX = 100 * 1000 * 1000 };

typedef struct OcrBox {
    double x0, y0, x1, y1;
} OcrBox;

typedef struct OcrPoint {
    double x, y;
} OcrPoint;

/* x' = a x + c y + e; y' = b x + d y + f, as PDF writes it. */
typedef struct OcrMatrix {
    double a, b, c, d, e, f;
} OcrMatrix;
#define OCR_IDENTITY ((OcrMatrix){1, 0, 0, 1, 0, 0})
/* First m, then n. */
OcrMatrix ocr_matrix_then(OcrMatrix m, OcrMatrix n);
OcrMatrix ocr_matrix_invert(OcrMatrix m); /* of one that scales, turns and moves */
OcrPoint ocr_matrix_point(OcrMatrix m, OcrPoint p);
OcrBox ocr_matrix_box(OcrMatrix m, OcrBox b); /* the box around the four corners */
/* Turns a picture of w x h clockwise by a multiple of 90 degrees, into positive coordinates. */
OcrMatrix ocr_matrix_turn(int degrees, double w, double h);

typedef struct OcrWord {
    Str text; /* in the order of reading */
    OcrBox box;
    double confidence;
    bool space_before; /* not in scripts that write without spaces, and not at a line's start */
    bool rtl;
} OcrWord;

typedef struct OcrLine {
    OcrBox box;
    OcrPoint from, to; /* baseline, in the direction in which the letters follow each other */
    double confidence;
    int block, paragraph; /* from 1; a paragraph's number counts within its block */
    size_t first, len;    /* of OcrPage.words */
    bool vertical, rtl;
} OcrLine;

typedef struct OcrPage {
    Arena *arena;
    int64_t page_no;      /* from 1 */
    double width, height; /* upright */
    int rotation;      /* degrees the page was turned clockwise to stand upright: 0, 90, 180, 270 */
    double skew;       /* degrees it was turned besides, clockwise; only the reader saw that */
    double dpi;        /* of the picture that was read, 0: unknown */
    double confidence; /* mean of the words' */
    const char *language; /* codes as read, "eng" or "eng+deu"; "" when nothing was */
    bool had_text;        /* the page had text of its own and was left as it is */
    OcrLine *lines;
    size_t lines_len;
    OcrWord *words;
    size_t words_len;
} OcrPage;

OcrPage *ocr_page_new(Arena *a, int64_t page_no);
/* Map all boxes and baselines, which are of the picture that was read, by m. */
void ocr_page_map(OcrPage *p, OcrMatrix m);
/* Unicode characters of all words. */
int64_t ocr_page_characters(const OcrPage *p);

extern const Step step_ocr_image, step_ocr_document;

#endif

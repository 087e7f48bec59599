/* render.h: the pages of a PDF as pictures: render_mupdf.c, or render_poppler.c in builds that must
 * not carry MuPDF's licence.
 *
 * Threads: one; only the pictures go to others. */
#ifndef PLATEN_OCR_RENDER_H
#define PLATEN_OCR_RENDER_H

#include "ocr/ocr.h"

struct Pix;

MUST_CHECK ErrCode render_warm(Err *err);

typedef struct Render Render;
/* `bytes` must outlive it. ERR_INPUT_ENCRYPTED, ERR_INPUT_DAMAGED, ERR_LIMIT_MEMORY. */
MUST_CHECK ErrCode render_open(Str bytes, Str password, Arena *a, Render **out, Err *err);
void render_close(Render **r);
int64_t render_pages(const Render *r);

typedef struct RenderPage {
    double width, height;  /* points, as shown: after the page's own rotation */
    int64_t characters;    /* of text the page has already, white space aside */
    double picture_dpi;    /* of the largest picture on it, 0: none */
    double picture_covers; /* share of the page that it covers */
} RenderPage;
MUST_CHECK ErrCode render_look(Render *r, int64_t page_index, RenderPage *out, Err *err);
/* Grey, 8 bits, or colour, 32 bits. */
MUST_CHECK ErrCode render_draw(Render *r, int64_t page_index, double dpi, bool colour,
                               struct Pix **out, Err *err);

/* The text that the page has already, as lines and words into the empty page *out, in points. */
MUST_CHECK ErrCode render_text(Render *r, int64_t page_index, OcrPage *out, Err *err);

/* At which resolution to draw a page for reading: that of the scan on it, within bounds. Pure. */
double render_dpi(const RenderPage *p);
/* Whether a page has text of its own. A scan with a stamp of few letters has none. Pure. */
bool render_has_text(const RenderPage *p);

#endif

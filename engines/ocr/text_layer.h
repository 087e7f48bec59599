/* text_layer.h: the words of a page as PDF content that is not seen but can be searched and copied:
 * text render mode 3, in a font without outlines. Pure.
 *
 * Each word lies exactly over its picture: its width is that of its box, its height that of its
 * line, its direction that of the baseline, so also on pages that lie on their side, in vertical
 * Japanese and in lines that lean. Right-to-left lines are written as they are seen, from the left,
 * as other producers do: what reads a PDF expects that and turns them back.
 *
 * Character codes are UTF-16, two bytes each; a character beyond the basic plane gets one of the
 * codes that no character has (surrogates), see TextGlyphs. */
#ifndef PLATEN_OCR_TEXT_LAYER_H
#define PLATEN_OCR_TEXT_LAYER_H

#include "ocr/ocr.h"

enum { TEXT_GLYPHS_MAX = 2048, TEXT_GLYPHS_FIRST = 0xd800 };
/* Characters beyond U+FFFF of a document, by code; zeroed by the caller. */
typedef struct TextGlyphs {
    uint32_t extra[TEXT_GLYPHS_MAX];
    size_t len;
} TextGlyphs;

/* From units of the upright page to the page's own space, for a page whose visible part is `box`
 * (x0, y0, x1, y1 in its own space), shown turned clockwise by `rotate`, whose picture was turned
 * by `rotation` once more to stand upright; `unit` is the page's UserUnit. */
OcrMatrix text_layer_matrix(OcrBox box, int rotate, double unit, int rotation);
/* Content of its own graphics state (q … Q); `font` is its name among the page's resources. */
void text_layer_content(Buf *b, const OcrPage *p, OcrMatrix to_page, const char *font,
                        TextGlyphs *glyphs);

/* A TrueType font of blank glyphs, and the CMap that says what the codes mean. */
void text_layer_font_file(Buf *b);
void text_layer_to_unicode(Buf *b, const TextGlyphs *glyphs);

#endif

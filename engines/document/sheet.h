/* sheet.h: a PDF file, written page by page: text by glyphs, lines, pictures, links, an outline.
 *
 *   Sheet *s = sheet_open(arena, fd, 0);
 *   sheet_begin_page(s, 595, 842);
 *   int font = sheet_font(s, face);  sheet_glyph_used(s, font, glyph, cps, cps_len);
 *   buf_addf(sheet_content(s), "BT /F%d 11 Tf … ET\n", font);
 *   sheet_link(s, rect, href);   sheet_bookmark(s, 1, title, y);
 *   sheet_end_page(s);   …
 *   rc = sheet_end(s, &facts, err);   sheet_drop(&s);
 *
 * Objects go to the file as they are ready, so memory does not grow with pages. Fonts are written at
 * the end, with only the glyphs that were used. All measures are points, y upwards from the bottom
 * left. The first failure is remembered; sheet_end tells it. The same calls give the same bytes. */
#ifndef PLATEN_DOCUMENT_SHEET_H
#define PLATEN_DOCUMENT_SHEET_H

#include "base/buf.h"
#include "base/err.h"
#include "document/face.h"

typedef struct Sheet Sheet;

typedef struct SheetRect {
    float x0, y0, x1, y1;
} SheetRect;

typedef struct SheetFacts {
    Str title, author, subject, keywords, language;
    Str created; /* RFC 3339, or "" */
} SheetFacts;

typedef struct SheetPicture {
    int width, height;
    int channels; /* 1 grey, 3 RGB, 4 CMYK */
    Str icc;      /* their profile, or "" */
    int bits;
    const char *filter; /* "DCTDecode", "FlateDecode" */
    const char *more;   /* further entries of its dictionary, or "" */
    Str bytes;
} SheetPicture;

/* pdf_a: 0 none; 1, 2, 3: PDF/A of that part, level b. `icc`: the sRGB profile that PDF/A needs. */
Sheet *sheet_open(Arena *a, int fd, int pdf_a, Str icc);
void sheet_begin_page(Sheet *s, float width, float height);
Buf *sheet_content(Sheet *s);
void sheet_link(Sheet *s, SheetRect where, Str href);
/* A heading stands at this height of the page in hand; levels nest. */
void sheet_bookmark(Sheet *s, int level, Str title, float y);
void sheet_end_page(Sheet *s);
int64_t sheet_pages(const Sheet *s);

/* The font's number: /F<n> in contents. */
int sheet_font(Sheet *s, const Face *face);
/* The glyph was used for these characters. */
void sheet_glyph_used(Sheet *s, int font, uint32_t glyph, const uint32_t *cps, size_t cps_len);
/* The picture's number: /I<n> in contents; 0 after a failure. */
int sheet_picture(Sheet *s, const SheetPicture *p);

MUST_CHECK ErrCode sheet_end(Sheet *s, const SheetFacts *facts, Err *err);
void sheet_drop(Sheet **s);

#endif

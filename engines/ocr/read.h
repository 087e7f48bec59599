/* read.h: one picture of a page to its words: clean it, read it, and when it reads badly find out
 * why (it lies on its side; it is in another language) and read it again.
 *
 * Looking at every page for its script and pose first would cost more than reading it, so that is
 * done only for pages that read badly: most stand upright.
 *
 * Threads: any, each Tess from one at a time. */
#ifndef PLATEN_OCR_READ_H
#define PLATEN_OCR_READ_H

#include "ocr/tess.h"

enum { READ_TURN_AUTO = -1 };
typedef enum ReadDeskew { DESKEW_AUTO, DESKEW_ALWAYS, DESKEW_NEVER } ReadDeskew;

typedef struct ReadOptions {
    const char *languages; /* "eng+deu"; "": find out */
    int layout;            /* TESS_LAYOUT_… */
    int turn;              /* READ_TURN_AUTO, or the degrees to turn clockwise */
    ReadDeskew deskew;
    bool denoise;
} ReadOptions;

/* Read `picture` into the empty page *out, in pixels of the upright picture. `before` (or NULL) is
 * the language in which the page before was read: with languages "" it is tried first. A page
 * without words is no error. */
MUST_CHECK ErrCode read_page(Tess *t, const ReadOptions *o, struct Pix *picture, double dpi,
                             const char *before, OcrPage *out, Err *err);

#endif

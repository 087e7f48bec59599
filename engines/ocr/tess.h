/* tess.h: Tesseract with language files that were mapped before the sandbox closed.
 *
 * tess_warm maps every installed file read-only and keeps readers of the first language ready, so
 * that a forked task starts at once. Any other installed language is set up inside the sandbox,
 * from the mapped bytes.
 *
 * Threads: after tess_warm every function may be called from any thread, each Tess from one at a
 * time. Recognition runs on the calling thread alone: Tesseract's own threads make it slower
 * (tess_alone). */
#ifndef PLATEN_OCR_TESS_H
#define PLATEN_OCR_TESS_H

#include "ocr/languages.h"
#include "ocr/ocr.h"

struct Pix;

/* Have Tesseract start no threads of its own. OpenMP reads its environment when it is loaded, so
 * the process starts itself again with the right one; first thing in main. */
void tess_alone(char **argv);

MUST_CHECK ErrCode tess_warm(Err *err);
LanguageSet tess_installed(void);
bool tess_has_osd(void);

typedef struct Tess Tess;
/* A recogniser for one thread; `nth` (from 0) chooses among those kept warm. NULL: no memory. */
Tess *tess_open(size_t nth);
void tess_close(Tess **t);

/* How the page is laid out, by Tesseract's numbers. */
enum {
    TESS_LAYOUT_AUTO = 3,
    TESS_LAYOUT_COLUMN = 4,
    TESS_LAYOUT_BLOCK = 6,
    TESS_LAYOUT_LINE = 7,
    TESS_LAYOUT_WORD = 8,
    TESS_LAYOUT_SPARSE = 11,
};

/* Read a picture (any depth): lines and words are added to the empty page *out, in pixels of that
 * picture. *turned is the way most words stand: degrees the picture must be turned clockwise. */
MUST_CHECK ErrCode tess_read(Tess *t, struct Pix *picture, const char *languages, int layout,
                             int dpi, OcrPage *out, int *turned, Err *err);

typedef struct TessPose {
    int turn; /* degrees to turn clockwise */
    double turn_confidence,
        script_confidence; /* Tesseract's own scale: above 1 and 2 is credible */
    char script[32];
} TessPose;
/* False: it cannot be told (too little text, or no osd file). */
bool tess_pose(Tess *t, struct Pix *picture, int dpi, TessPose *out);

/* The language of a text ("de", "zh-Hant"), NULL: not certain. */
const char *tess_language_of(Str text);

#endif

/* clean.h: what is done to a picture before it is read, and the way back to where things were.
 *
 * Each operation replaces a->pix and adds itself to a->back, which leads from pixels of a->pix to
 * pixels of the upright picture.
 *
 * Threads: any, each Cleaning from one at a time. */
#ifndef PLATEN_OCR_CLEAN_H
#define PLATEN_OCR_CLEAN_H

#include "ocr/ocr.h"

struct Pix;

typedef struct Cleaning {
    struct Pix *pix; /* grey, 8 bits, or 1 bit; owned */
    OcrMatrix back;
    double width, height; /* of the upright picture */
    double skew;          /* degrees it was turned clockwise */
    double dpi;           /* of pix; 0: unknown */
} Cleaning;

/* A grey copy of `picture`, turned clockwise by a multiple of 90 degrees. False: no memory. */
bool clean_begin(struct Pix *picture, int turn, double dpi, Cleaning *out);
void clean_done(Cleaning *c);

/* Bring the letters to the size that is read best: monsters down, small print up. */
bool clean_scale(Cleaning *c);
/* Smooth the grain and blocks of a poor small picture and enlarge it by half: measured on receipts,
 * this reads as well as or better than any other size. */
bool clean_enlarge(Cleaning *c);
/* Level the lines when they lean by at least `from` degrees. */
bool clean_deskew(Cleaning *c, double from);
/* Remove specks and grain. */
bool clean_denoise(Cleaning *c);

/* By how much to scale a picture of this size, resolution (0: unknown) and height of letters (0:
 * unknown). Pure. */
double clean_scale_factor(double width, double height, double dpi, double letter);

#endif

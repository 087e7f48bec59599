/* likeness.h: how alike two pictures look, as a number: 1 for equal ones.
 *
 * Multi-scale SSIM (Wang, Simoncelli, Bovik 2003) of brightness: structure is compared in windows
 * of 8 x 8 pixels, four pixels apart, at up to five sizes, each half the one before; brightness at
 * the smallest. Windows count by what there is to see in them (as in Wang, Li 2011): a page is
 * mostly white, and yet its letters are what counts. The two colour differences are compared at
 * half the size and count for a fifth. What the eye forgives (a little noise) costs little, what it
 * sees (edges gone, blocks, colours that run) costs much. */
#ifndef PLATEN_IMAGE_LIKENESS_H
#define PLATEN_IMAGE_LIKENESS_H

#include "image/image.h"

enum { LIKENESS_SCALES = 5 };

/* The brightness of a picture at every size, and its colour at half the size. */
typedef struct Likeness {
    unsigned char *luma[LIKENESS_SCALES], *blue, *red; /* blue, red: NULL in grey pictures */
    int width[LIKENESS_SCALES], height[LIKENESS_SCALES];
    int scales;
} Likeness;

/* Of 8-bit sRGB or grey, with or without alpha (laid on middle grey), in memory. False: no memory.
 */
MUST_CHECK bool likeness_of(VipsImage *v, Likeness *out);
void likeness_free(Likeness *l); /* for CLEANUP */

/* 0 to 1; -1: no memory. The two have the same size. */
double likeness_compare(const Likeness *a, const Likeness *b);

#endif

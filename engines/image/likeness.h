/* likeness.h: how alike two pictures look, as a number: multi-scale SSIM of their brightness
 * (Wang, Simoncelli, Bovik 2003), 1 for equal ones.
 *
 * Structure is compared in windows of 8 x 8 pixels, four pixels apart, at up to five sizes, each
 * half the one before; brightness at the smallest. What the eye forgives (a little noise) costs
 * little, what it sees (edges gone, blocks) costs much: 0.99 is hard to tell from the original side
 * by side, 0.95 is not. */
#ifndef PLATEN_IMAGE_LIKENESS_H
#define PLATEN_IMAGE_LIKENESS_H

#include "image/image.h"

enum { LIKENESS_SCALES = 5 };

/* The brightness of a picture at every size. */
typedef struct Likeness {
    unsigned char *luma[LIKENESS_SCALES];
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

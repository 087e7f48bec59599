/* picture_out.h: pixels as a PNG or JPEG file. */
#ifndef PLATEN_DOCUMENT_PICTURE_OUT_H
#define PLATEN_DOCUMENT_PICTURE_OUT_H

#include "base/err.h"

typedef struct Picture {
    int width, height, channels; /* 1: grey, 3: red, green, blue */
    size_t stride;               /* bytes from row to row */
    const unsigned char *samples;
    int dpi; /* for the file's head; 0: not said */
} Picture;

/* All pixels grey? Then one channel says the same: writes it over the first of each pixel's three
 * and gives the picture that reads it so. */
Picture picture_as_grey(Picture p, unsigned char *samples);
/* To the descriptor, from where it stands. NO_MEMORY, or what writing says. */
MUST_CHECK ErrCode picture_put_png(const Picture *p, int fd, Err *err);
MUST_CHECK ErrCode picture_put_jpeg(const Picture *p, int quality, int fd, Err *err);

#endif

/* picture.h: pictures in, by leptonica: JPEG, PNG, TIFF (all its pages), WebP, GIF, BMP, PNM, JPEG
 * 2000. Size, page count and camera orientation are read from the bytes first, so that a limit is
 * met before a pixel is decoded.
 *
 * Threads: any; a Picture is constant once it is open. */
#ifndef PLATEN_OCR_PICTURE_H
#define PLATEN_OCR_PICTURE_H

#include "ocr/ocr.h"

struct Pix;

enum { PICTURE_PAGES_MAX = 5000 };

typedef enum PictureKind {
    PICTURE_NONE,
    PICTURE_JPEG,
    PICTURE_PNG,
    PICTURE_TIFF,
    PICTURE_WEBP,
    PICTURE_GIF,
    PICTURE_BMP,
    PICTURE_PNM,
    PICTURE_JP2,
} PictureKind;

/* What the first bytes say. Pure; for untrusted bytes. */
PictureKind picture_kind(Str bytes);
/* A kind that is known but not read ("a HEIC picture"), or NULL. */
const char *picture_other(Str bytes);
/* Pages of a TIFF file, 1 for the others; at most PICTURE_PAGES_MAX. */
int64_t picture_pages(PictureKind kind, Str bytes);
/* EXIF orientation of a JPEG, 1 to 8; 1: upright, or not said. */
int picture_orientation(PictureKind kind, Str bytes);

typedef struct Picture {
    Str bytes;
    PictureKind kind;
    int64_t pages;
    int orientation;
} Picture;

/* ERR_INPUT_EMPTY, ERR_UNSUPPORTED_TYPE. */
MUST_CHECK ErrCode picture_open(Str bytes, Picture *out, Err *err);
/* The pixels of a page (from 0), turned upright as the camera said. *dpi: what the file says, 0
 * when it says nothing credible. ERR_INPUT_DAMAGED, ERR_LIMIT_PIXELS, ERR_LIMIT_MEMORY. */
MUST_CHECK ErrCode picture_load(const Picture *p, int64_t page_index, struct Pix **out, double *dpi,
                                Err *err);
void picture_unref(struct Pix **p); /* for CLEANUP */

/* The input of a task, mapped. */
MUST_CHECK ErrCode picture_map(StepCtx *c, Str *out);
void picture_unmap(Str *bytes); /* for CLEANUP */

#endif

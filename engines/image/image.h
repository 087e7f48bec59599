/* image.h: pictures in and out of libvips, for the steps of the image engine.
 *
 * An input is mapped, never copied, and its kind is told from its first bytes; then exactly the
 * loader of that kind is called, so no other parser of libvips ever sees the file. image_open reads
 * the header only: a step compares the size with its limit before a single pixel is decoded.
 *
 *   image_open ──> image_load (pixels, shrunk while decoding where the format can) ──>
 * image_to_srgb ──> image_save
 *
 * libvips evaluates lazily: decoding happens inside image_save, so a damaged file is often noticed
 * only there. image_fail turns what libvips says into the reason that belongs to it.
 *
 * Threads: libvips starts its own (one for pixels, one that writes behind); everything here is for
 * the main thread, and SVG is rendered on it, because the warmed fonts belong to it (fonts.c). */
#ifndef PLATEN_IMAGE_IMAGE_H
#define PLATEN_IMAGE_IMAGE_H

#include "core/step.h"

#include <vips/vips.h>

enum { IMAGE_PIXELS_MAX = 100 * 1000 * 1000 };

typedef enum ImageFormat {
    IMAGE_NONE,
    IMAGE_JPEG,
    IMAGE_PNG,
    IMAGE_WEBP,
    IMAGE_AVIF,
    IMAGE_HEIC,
    IMAGE_GIF,
    IMAGE_TIFF,
    IMAGE_JXL,
    IMAGE_SVG,
    IMAGE_FORMATS
} ImageFormat;

typedef struct ImageFormatInfo {
    const char *name, *type, *ext;
    const char *loader; /* libvips operation */
    int side_max;       /* pixels along one side that the format can hold; 0: it is never written */
    int quality;        /* default, 0: the format has none */
    int effort; /* default, on platen's scale of 1 (fast) to 6 (small); 0: the format has none */
    bool alpha, pages, animates, deep; /* deep: 16 bits are kept */
} ImageFormatInfo;

const ImageFormatInfo *image_format(ImageFormat f);
/* From the first bytes. IMAGE_NONE: not one of ours; *other then names a kind we know but do not
 * read, or is NULL. */
ImageFormat image_sniff(const unsigned char *bytes, size_t size, const char **other);

typedef struct Image {
    const void *map;
    size_t map_size;
    VipsImage *header; /* no pixels may be read from it */
    ImageFormat format;
    int64_t width, height; /* of one page, as shown: after EXIF rotation */
    int pages;             /* pages or frames in the file, at least 1 */
    int orientation;       /* EXIF 1 to 8; 1 when it has none */
} Image;

/* ERR_INPUT_EMPTY, ERR_UNSUPPORTED_TYPE, ERR_INPUT_DAMAGED. Close it after every VipsImage made
 * from it. */
MUST_CHECK ErrCode image_open(StepCtx *c, int fd, Image **out);
void image_close(Image **img);

typedef struct ImageLoad {
    int page;      /* from 0 */
    bool animated; /* all pages from `page` on, stacked */
    double scale;  /* how much smaller or larger the caller is going to make it; 1: as it is */
} ImageLoad;
/* The pixels, possibly already smaller than the original but never smaller than scale asks for. Not
 * yet rotated. *out is released with image_unref. */
MUST_CHECK ErrCode image_load(StepCtx *c, const Image *img, const ImageLoad *how, VipsImage **out);
void image_unref(VipsImage **v); /* for CLEANUP */
/* Replace *v by what an operation has made of it. */
void image_replace(VipsImage **v, VipsImage *next);

/* sRGB or grey, 8 or (deep) 16 bits, at most one alpha band. `keep_profile` leaves RGB and grey
 * pictures that carry a profile in their own colours. */
MUST_CHECK ErrCode image_to_srgb(StepCtx *c, VipsImage **v, bool keep_profile, bool deep);

typedef struct ImageSave {
    ImageFormat format;
    int quality, effort; /* 0: the format's default */
    bool lossless, keep_metadata;
    bool small;           /* progressive JPEG, PNG with filters: smaller, slower to make or read */
    bool palette;         /* PNG of 256 colours at most, as good as `quality` says */
    double background[3]; /* 0 to 255, for formats without alpha */
} ImageSave;
/* Encode into a new output called `name`; *bytes is its size. Reports progress on the way. */
MUST_CHECK ErrCode image_save(StepCtx *c, VipsImage *v, const ImageSave *how, Str name,
                              int64_t *bytes);

/* Encode into memory, without progress. */
typedef struct ImageBytes {
    const void *ptr;
    size_t len;
    VipsBlob *blob; /* owns them */
} ImageBytes;
MUST_CHECK ErrCode image_encode(StepCtx *c, VipsImage *v, const ImageSave *how, ImageBytes *out);
void image_bytes_free(ImageBytes *b); /* for CLEANUP */
/* What has been encoded, as pixels in memory. */
MUST_CHECK ErrCode image_decode(StepCtx *c, ImageFormat format, const ImageBytes *bytes,
                                bool animated, VipsImage **out);

/* A GIF without its end; what is there can be read. image_load says it in a note. */
bool image_gif_is_cut(const unsigned char *bytes, size_t size);

/* Sets c->err from libvips' error text and clears that. `doing` is what was tried: "reading the
 * picture". */
ErrCode image_fail(StepCtx *c, const char *doing);

/* Load modules, fonts and tables; afterwards nothing is opened or dlopened any more. Starts no
 * thread. */
MUST_CHECK ErrCode image_warm(Err *err);

extern const Step step_image_convert, step_image_crop, step_image_filter, step_image_info,
    step_image_montage, step_image_optimize, step_image_watermark;

#endif

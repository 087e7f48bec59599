#include "ocr/clean.h"
#include "base/fault.h"

#include <leptonica/allheaders.h>
#include <math.h>

enum {
    DPI_MOST = 350, /* more costs time and reads no better */
    PIXELS_MOST = 40 * 1000 * 1000,
    PIXELS_SMALL = 4 * 1000 * 1000, /* only then is it worth measuring the letters */
    LETTER_SMALL = 10,              /* pixels; Tesseract reads from about 20 on at its best */
    LETTER_GOOD = 22,
};

/* False when memory ran out: the operation gave nothing. */
static bool replace(Cleaning *c, struct Pix *next)
{
    if (fault_hit("ocr.clean"))
        pixDestroy(&next);
    if (next == NULL)
        return false;
    pixDestroy(&c->pix);
    c->pix = next;
    return true;
}

/* Coloured ink on paper is darkest in one channel, and that one shows it best. */
static struct Pix *to_grey(struct Pix *picture)
{
    if (pixGetDepth(picture) == 1)
        return pixClone(picture);
    struct Pix *flat = pixRemoveColormap(picture, REMOVE_CMAP_BASED_ON_SRC);
    if (flat == NULL)
        return NULL;
    if (pixGetDepth(flat) == 32 && pixGetSpp(flat) == 4) {
        struct Pix *opaque = pixAlphaBlendUniform(flat, 0xffffff00);
        pixDestroy(&flat);
        flat = opaque;
    }
    struct Pix *grey = flat != NULL ? pixConvertTo8(flat, 0) : NULL;
    pixDestroy(&flat);
    return grey;
}

bool clean_begin(struct Pix *picture, int turn, double dpi, Cleaning *out)
{
    *out = (Cleaning){.back = OCR_IDENTITY, .dpi = dpi};
    if (!replace(out, to_grey(picture)))
        return false;
    if (turn != 0 && !replace(out, pixRotateOrth(out->pix, turn / 90)))
        return false;
    out->width = pixGetWidth(out->pix);
    out->height = pixGetHeight(out->pix);
    return true;
}

void clean_done(Cleaning *c)
{
    pixDestroy(&c->pix);
}

double clean_scale_factor(double width, double height, double dpi, double letter)
{
    double factor = 1;
    if (dpi > DPI_MOST)
        factor = 300 / dpi;
    else if (letter > 0 && letter < LETTER_SMALL)
        factor = fmin(LETTER_GOOD / letter, 3);
    double pixels = width * height * factor * factor;
    return pixels > PIXELS_MOST ? factor * sqrt(PIXELS_MOST / pixels) : factor;
}

static int by_size(const void *a, const void *b)
{
    return *(const l_int32 *)a - *(const l_int32 *)b;
}

/* Median height of what is as high as a letter, 0: too little to tell. */
static double letter_height(struct Pix *pix)
{
    enum { SEEN_MAX = 20000, FEWEST = 20 };
    static const l_int32 lowest = 5, highest = 100;
    struct Pix *dark = NULL;
    if (pixGetDepth(pix) == 1)
        dark = pixClone(pix);
    else if (pixOtsuAdaptiveThreshold(pix, 300, 300, 0, 0, 0.1f, NULL, &dark) != 0)
        return 0;
    BOXA *boxes = dark != NULL ? pixConnCompBB(dark, 8) : NULL;
    pixDestroy(&dark);
    l_int32 *heights = boxes != NULL ? calloc(SEEN_MAX, sizeof *heights) : NULL;
    size_t n = 0;
    for (l_int32 i = 0; heights != NULL && i < boxaGetCount(boxes) && n < SEEN_MAX; i++) {
        l_int32 w = 0, h = 0;
        boxaGetBoxGeometry(boxes, i, NULL, NULL, &w, &h);
        if (h >= lowest && h <= highest && w >= 2 && w <= 3 * h)
            heights[n++] = h;
    }
    double median = 0;
    if (n >= FEWEST) {
        qsort(heights, n, sizeof *heights, by_size);
        median = heights[n / 2];
    }
    free(heights);
    boxaDestroy(&boxes);
    return median;
}

static bool scale_by(Cleaning *c, double factor)
{
    double w = pixGetWidth(c->pix), h = pixGetHeight(c->pix);
    float f = (float)factor;
    struct Pix *grey = pixConvertTo8(c->pix, 0);
    struct Pix *scaled = grey != NULL ? pixScale(grey, f, f) : NULL;
    pixDestroy(&grey);
    if (!replace(c, scaled))
        return false;
    double sx = w / pixGetWidth(c->pix), sy = h / pixGetHeight(c->pix);
    c->back = ocr_matrix_then((OcrMatrix){sx, 0, 0, sy, 0, 0}, c->back);
    c->dpi /= sx;
    return true;
}

bool clean_scale(Cleaning *c)
{
    double w = pixGetWidth(c->pix), h = pixGetHeight(c->pix);
    double letter = w * h < PIXELS_SMALL ? letter_height(c->pix) : 0;
    double factor = clean_scale_factor(w, h, c->dpi, letter);
    return fabs(factor - 1) < 0.05 || scale_by(c, factor);
}

bool clean_enlarge(Cleaning *c)
{
    L_KERNEL *across = NULL, *down = NULL;
    makeGaussianKernelSep(2, 2, 0.6f, 1, &across, &down);
    struct Pix *grey = pixConvertTo8(c->pix, 0);
    struct Pix *smooth = grey != NULL && across != NULL && down != NULL
                             ? pixConvolveSep(grey, across, down, 8, 1)
                             : NULL;
    kernelDestroy(&across);
    kernelDestroy(&down);
    pixDestroy(&grey);
    return replace(c, smooth) && scale_by(c, 1.5);
}

static bool find_skew(struct Pix *pix, double *degrees)
{
    enum { SURE = 3 };
    struct Pix *dark = pixGetDepth(pix) == 1 ? pixClone(pix) : pixConvertTo1(pix, 130);
    l_float32 angle = 0, confidence = 0;
    l_ok bad = dark == NULL || pixFindSkew(dark, &angle, &confidence) != 0;
    pixDestroy(&dark);
    *degrees = (double)angle;
    return bad == 0 && confidence >= SURE;
}

bool clean_deskew(Cleaning *c, double from)
{
    double degrees;
    if (!find_skew(c->pix, &degrees) || fabs(degrees) < from)
        return true; /* level, or nothing to level */
    double angle = degrees * M_PI / 180;
    double cx = pixGetWidth(c->pix) / 2.0, cy = pixGetHeight(c->pix) / 2.0;
    struct Pix *grey = pixConvertTo8(c->pix, 0);
    struct Pix *turned =
        grey != NULL ? pixRotate(grey, (float)angle, L_ROTATE_AREA_MAP, L_BRING_IN_WHITE, 0, 0)
                     : NULL;
    pixDestroy(&grey);
    if (!replace(c, turned))
        return false;
    OcrMatrix to_middle = {1, 0, 0, 1, -cx, -cy}, from_middle = {1, 0, 0, 1, cx, cy};
    OcrMatrix unturn = {cos(angle), -sin(angle), sin(angle), cos(angle), 0, 0};
    OcrMatrix back = ocr_matrix_then(ocr_matrix_then(to_middle, unturn), from_middle);
    c->back = ocr_matrix_then(back, c->back);
    c->skew = degrees;
    return true;
}

/* White where no blot is larger than two by two pixels. */
static struct Pix *without_specks(struct Pix *grey)
{
    struct Pix *dark = NULL, *kept = NULL, *specks = NULL;
    if (pixOtsuAdaptiveThreshold(grey, 300, 300, 0, 0, 0.1f, NULL, &dark) != 0)
        return NULL;
    kept = pixSelectBySize(dark, 3, 3, 8, L_SELECT_IF_EITHER, L_SELECT_IF_GTE, NULL);
    specks = kept != NULL ? pixSubtract(NULL, dark, kept) : NULL;
    struct Pix *wide = specks != NULL ? pixDilateBrick(NULL, specks, 3, 3) : NULL;
    struct Pix *out = wide != NULL ? pixCopy(NULL, grey) : NULL;
    if (out != NULL)
        pixSetMasked(out, wide, 255);
    pixDestroy(&dark);
    pixDestroy(&kept);
    pixDestroy(&specks);
    pixDestroy(&wide);
    return out;
}

bool clean_denoise(Cleaning *c)
{
    struct Pix *grey = pixConvertTo8(c->pix, 0);
    struct Pix *smooth = grey != NULL ? pixMedianFilter(grey, 3, 3) : NULL;
    pixDestroy(&grey);
    struct Pix *clean = smooth != NULL ? without_specks(smooth) : NULL;
    pixDestroy(&smooth);
    return replace(c, clean);
}

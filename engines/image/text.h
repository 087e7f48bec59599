/* text.h: text as a picture, in any script that an installed font has.
 *
 * Drawn by pango and cairo on the main thread, because the fonts that were opened before the
 * sandbox closed belong to it (fonts.c). */
#ifndef PLATEN_IMAGE_TEXT_H
#define PLATEN_IMAGE_TEXT_H

#include "image/image.h"

typedef struct TextStyle {
    Str font;       /* as fontconfig understands it: "Sans Bold"; no size */
    double size;    /* pixels; or 0: as large as makes it `fit_width` wide */
    int fit_width;  /* with size 0 */
    int width_max;  /* longer lines end in an ellipsis; 0: any length */
    int height_max; /* with size 0: no higher than this; 0: any */
} TextStyle;

/* One band: how much of each pixel is ink. ERR_BAD_PARAM about `text` when no font has any of its
 * characters; when some are missing, a note says how many. */
MUST_CHECK ErrCode text_mask(StepCtx *c, Str text, const TextStyle *style, VipsImage **out);

#endif

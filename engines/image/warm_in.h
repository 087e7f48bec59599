/* warm_in.h: parts of image_warm that have a file of their own. */
#ifndef PLATEN_IMAGE_WARM_IN_H
#define PLATEN_IMAGE_WARM_IN_H

#include "image/image.h"

/* Number of font faces that are open now. */
int image_warm_fonts(void);

#endif

/* metadata.h: what a picture says about itself. */
#ifndef PLATEN_IMAGE_METADATA_H
#define PLATEN_IMAGE_METADATA_H

#include "image/image.h"

/* The value of an EXIF field as text ("exif-ifd0-Make"), trimmed; empty when it is not there. */
Str metadata_exif(Arena *a, VipsImage *v, const char *field);
/* "2016-04-02T14:25:01", with the offset when the camera wrote one; empty: unknown. Local time of
 * the camera. */
Str metadata_taken_at(Arena *a, VipsImage *v);
/* Degrees, north and east positive. False: the picture holds no position. */
bool metadata_position(Arena *a, VipsImage *v, double *latitude, double *longitude);
/* Name of the embedded ICC profile, empty when there is none or it cannot be read. */
Str metadata_profile_name(Arena *a, VipsImage *v);

#endif

/* fonts.h: fonts for burned-in subtitles, in memory before the sandbox closes the file system. */
#ifndef PLATEN_MEDIA_FONTS_H
#define PLATEN_MEDIA_FONTS_H

#include "base/err.h"

#include <ass/ass.h>

/* Map one file for each script that the system has a font for. */
MUST_CHECK ErrCode fonts_warm(Err *err);
/* Give them to the library. False: the system has none. */
bool fonts_add(ASS_Library *library);
const char *fonts_default(void); /* family of the Latin one */

#endif

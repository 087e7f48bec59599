/* pdf_profile.h: the sRGB colour profile (ICC version 2), as PDF/A wants one in the file. Computed
 * from the standard's numbers: no profile of anybody is carried along. */
#ifndef PLATEN_DOCUMENT_PDF_PROFILE_H
#define PLATEN_DOCUMENT_PDF_PROFILE_H

#include "base/str.h"

/* In `a`; ptr NULL: no memory. */
Str pdf_profile(Arena *a);

#endif

/* pdf_profile.h: the sRGB colour profile, as bytes, for PDF/A; "" when the PDF library has none. */
#ifndef PLATEN_DOCUMENT_PDF_PROFILE_H
#define PLATEN_DOCUMENT_PDF_PROFILE_H

#include "base/str.h"

Str pdf_profile(void);

#endif

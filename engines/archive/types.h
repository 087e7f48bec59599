/* types.h: the media type a name suggests, for outputs. The next step looks at the bytes anyway. */
#ifndef PLATEN_ARCHIVE_TYPES_H
#define PLATEN_ARCHIVE_TYPES_H

#include "base/str.h"

Str types_of(Str name); /* "application/octet-stream" when it suggests none */

#endif

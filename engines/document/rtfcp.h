/* rtfcp.h: compressed RTF of Outlook's messages ([MS-OXRTFCP]), and the HTML that such RTF often
 * only wraps ([MS-OXRTFEX]). */
#ifndef PLATEN_DOCUMENT_RTFCP_H
#define PLATEN_DOCUMENT_RTFCP_H

#include "base/err.h"

enum { RTFCP_MAX = 64 << 20 };

/* The RTF, in `a` or a slice of `packed`. A stream that was cut gives what came before.
 * INPUT_DAMAGED: not such a stream; LIMIT_MEMORY: more than RTFCP_MAX bytes or than `a` has. */
MUST_CHECK ErrCode rtfcp_unpack(Arena *a, Str packed, Str *out, Err *err);

/* The HTML in RTF that says \fromhtml, in `a`; "" when it holds none. Bytes are in the RTF's
 * charset: *codepage is its number (0: not said). */
Str rtfcp_html(Arena *a, Str rtf, int64_t *codepage);

#endif

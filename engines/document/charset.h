/* charset.h: what charset.c offers besides charset_to_utf8 (readers.h). */
#ifndef PLATEN_DOCUMENT_CHARSET_H
#define PLATEN_DOCUMENT_CHARSET_H

#include "document/readers.h"

/* Load every table, once, before the sandbox closes. */
MUST_CHECK ErrCode charset_warm(Err *err);
/* The IANA name for a label ("latin1" → "windows-1252"), or NULL. */
const char *charset_name(Str label);
/* What an XML declaration or a <meta> in the first 4 KiB says; "" when nothing does. */
Str charset_declared(Arena *a, Str bytes);

#endif

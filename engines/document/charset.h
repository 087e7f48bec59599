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
/* Exactly as `name` says, without looking at the bytes: for formats that name the encoding of every
 * run of text. Bytes that do not fit become U+FFFD. UNSUPPORTED_TYPE: an unknown name. */
MUST_CHECK ErrCode charset_decode(Arena *a, Str bytes, const char *name, Str *out, Err *err);

#endif

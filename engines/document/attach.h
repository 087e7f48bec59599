/* attach.h: files that lie within a file (attached to mail, embedded in a document), read by their
 * own readers into the same sink. */
#ifndef PLATEN_DOCUMENT_ATTACH_H
#define PLATEN_DOCUMENT_ATTACH_H

#include "document/readers.h"

enum { ATTACH_DEPTH = 4, ATTACH_FILES = 200 };
#define ATTACH_BYTES (256 * MIB)

/* Read one: a heading with its name, then what it says. What cannot be read is a note, never a
 * failure of the whole; so are limits: ATTACH_DEPTH files within files, ATTACH_FILES in all,
 * ATTACH_BYTES together. `type` is what the outer file declares, or "". */
void attach_read(const DocInput *outer, Doc *out, Str name, Str type, Str bytes);

#endif

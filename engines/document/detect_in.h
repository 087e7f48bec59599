/* detect_in.h: the parts of type detection.
 *
 *   detect.c       the table of types, the order of the tests, names
 *   detect_magic.c magic numbers
 *   detect_pdf.c   what a PDF carries: encryption, scripts, files
 *   detect_zip.c   what kind of ZIP: Office, OpenDocument, EPUB, Java, Android, plain
 *   detect_ole.c   what kind of compound file: Word, Excel, PowerPoint, Outlook, encrypted
 *   detect_text.c  what kind of text, by how it begins and by its shape */
#ifndef PLATEN_DOCUMENT_DETECT_IN_H
#define PLATEN_DOCUMENT_DETECT_IN_H

#include "document/readers.h"

typedef enum TypeId {
#define TYPE(id, media_type, extension, name, family, others) TYPE_##id,
#include "document/types.def"
#undef TYPE
    TYPE_COUNT
} TypeId;

typedef struct TypeFlags {
    bool encrypted, macros, javascript, embedded, strict;
} TypeFlags;

TypeId detect_zip(Arena *a, Str bytes, TypeFlags *flags);
TypeId detect_ole(Arena *a, Str bytes, TypeFlags *flags);
TypeId detect_magic(Str bytes);
bool detect_archive_encrypted(TypeId t, Str bytes);
/* The flags of a PDF. */
void detect_pdf(Arena *a, Str bytes, TypeFlags *flags);
/* `text` is the beginning as UTF-8. */
TypeId detect_text(Str text);
/* The flags of text formats: scripts in pages, objects in RTF, files in mail. */
void detect_text_flags(TypeId t, Str text, Str bytes, TypeFlags *flags);

#endif

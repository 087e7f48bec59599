/* detect_in.h: the parts of type detection.
 *
 *   detect.c       the table of types, magic numbers, the order of the tests
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
    bool encrypted, macros;
} TypeFlags;

TypeId detect_zip(Arena *a, Str bytes, TypeFlags *flags);
TypeId detect_ole(Arena *a, Str bytes, TypeFlags *flags);
/* `text` is the beginning as UTF-8. */
TypeId detect_text(Str text);

/* Little-endian numbers; 0 where the bytes end. */
uint32_t detect_u16(Str s, size_t at);
uint32_t detect_u32(Str s, size_t at);

#endif

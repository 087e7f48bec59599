/* face.h: the fonts that documents are set in.
 *
 * Liberation (sans, serif, mono) is the text; DejaVu has what it lacks of symbols; other scripts come
 * from the Noto fonts that MuPDF carries. All are in memory before the sandbox closes: files are
 * mapped by faces_warm, the others are part of the program. */
#ifndef PLATEN_DOCUMENT_FACE_H
#define PLATEN_DOCUMENT_FACE_H

#include "base/err.h"

#include <hb.h>

typedef enum FaceFamily { FACE_SANS, FACE_SERIF, FACE_MONO } FaceFamily;

typedef struct Face {
    hb_face_t *face;
    hb_font_t *font; /* scaled to its own units */
    unsigned upem;
    char name[64]; /* PostScript name */
} Face;

/* ERR_INTERNAL: the fonts are not installed. May be called again. */
MUST_CHECK ErrCode faces_warm(Err *err);
const Face *face_of(FaceFamily family, bool bold, bool italic);
/* The one that has this character: the wanted one if it can, else the nearest; the wanted one when
 * none has it. */
const Face *face_with(const Face *wanted, FaceFamily family, bool bold, uint32_t cp);
bool face_has(const Face *f, uint32_t cp);

/* face_script.c: the n-th font in memory (from 0) to be tried for the character; false: no more. */
bool face_builtin(uint32_t cp, int n, const void **bytes, size_t *len, unsigned *index);

#endif

/* reading.h: from bytes of any kind to the reader that takes them. Tells the type from the content,
 * unlocks what is encrypted, has what only an office suite reads converted by one, and says of the
 * rest what would help. */
#ifndef PLATEN_DOCUMENT_READING_H
#define PLATEN_DOCUMENT_READING_H

#include "document/readers.h"

typedef struct Reading {
    FileType type; /* of the bytes as they were given */
    DocInput in;   /* what the reader gets */
    DocReader read;
    Str mapped; /* what was converted, mapped; "" otherwise */
} Reading;

/* UNSUPPORTED_TYPE, INPUT_ENCRYPTED, INPUT_DAMAGED, and what a called step says. `in->name` helps
 * where the content is text of no certain kind. Memory is the step's arena. */
MUST_CHECK ErrCode reading_open(const DocInput *in, Reading *out);
void reading_close(Reading *r);

/* The charset parameter of a declared media type: "text/csv; charset=utf-8"; "" when there is none. */
Str reading_charset(Str type);

#endif

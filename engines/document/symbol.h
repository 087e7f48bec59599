/* symbol.h: characters of the Symbol and Wingdings fonts as Unicode. Word and RTF files keep them
 * as the font's own codes. */
#ifndef PLATEN_DOCUMENT_SYMBOL_H
#define PLATEN_DOCUMENT_SYMBOL_H

#include "base/str.h"

/* The character `code` (also as F000 to F0FF) of `font`. 0: it has no equivalent worth showing.
 * Other fonts give the code itself. */
uint32_t symbol_to_unicode(Str font, uint32_t code);

#endif

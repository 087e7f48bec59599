/* typeset_in.h: where lines may end; see typeset_break.c. */
#ifndef PLATEN_DOCUMENT_TYPESET_IN_H
#define PLATEN_DOCUMENT_TYPESET_IN_H

#include "document/typeset.h"

enum { BREAK_NONE, BREAK_MAY, BREAK_MUST };

void set_find_breaks(SetText *t);

#endif

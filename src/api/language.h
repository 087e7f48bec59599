/* language.h: what may stand in a pipeline, for editors. */
#ifndef PLATEN_API_LANGUAGE_H
#define PLATEN_API_LANGUAGE_H

#include "core/schema.h"

extern const Field language_fields[];

#endif

/* session_schemas.h: what the routes of sessions take and answer. */
#ifndef PLATEN_API_SESSION_SCHEMAS_H
#define PLATEN_API_SESSION_SCHEMAS_H

#include "core/param.h"
#include "core/schema.h"

typedef struct SessionBody {
    Str key;
} SessionBody;
extern const Param session_body_params[];

extern const Field session_fields[];

#endif

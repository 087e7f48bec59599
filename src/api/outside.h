/* outside.h: the API of work that is done outside: shared by its handlers. */
#ifndef PLATEN_API_OUTSIDE_H
#define PLATEN_API_OUTSIDE_H

#include "api/call.h"
#include "core/schema.h"

/* An answer's data as the job keeps it: an object, {} when it is left out. ERR_BAD_PARAM,
 * ERR_LIMIT_OUTPUT. */
MUST_CHECK ErrCode outside_data(const Json *data, Arena *a, Str *out, Err *err);

/* outside_schemas.c */
extern const Field lease_fields[], task_answer_fields[], handler_fields[], bulk_fields[],
    bridge_fields[], bridge_list_fields[], bridge_check_fields[];

#endif

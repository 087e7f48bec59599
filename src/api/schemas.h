/* schemas.h: what the API answers, as Field tables: OpenAPI is written from them, and the
 * end-to-end tests check every answer against that. The writers are in write.c and beside the
 * handlers. */
#ifndef PLATEN_API_SCHEMAS_H
#define PLATEN_API_SCHEMAS_H

#include "core/schema.h"

extern const SchemaName api_schemas[]; /* ends with {0} */

#endif

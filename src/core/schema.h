/* schema.h: a step's contract as JSON Schema 2020-12.
 *
 * Used by OpenAPI, by MCP later, and by forms: units, examples, secrets and replacements travel as
 * x-unit, examples, writeOnly and deprecated. */
#ifndef PLATEN_CORE_SCHEMA_H
#define PLATEN_CORE_SCHEMA_H

#include "core/step.h"

void schema_put_params(
    const Param *params,
    JsonOut *j); /* {"type":"object","properties":…,"additionalProperties":false} */
void schema_put_param(const Param *p, JsonOut *j);
void schema_put_data(const Field *fields,
                     JsonOut *j); /* {"type":"object",…}; additional properties are allowed */

/* Named schemas: a field whose `items` is one of these tables is written as
 * {"$ref":"#/components/schemas/<name>"}. */
typedef struct SchemaName {
    const char *name; /* "Job" */
    const char *help; /* one sentence */
    const Field *fields;
} SchemaName;
/* As schema_put_data, with a description (NULL: none) and references to `named` (ends with {0};
 * NULL: none). */
void schema_put_fields(const Field *fields, const char *help, const SchemaName *named, JsonOut *j);

#endif

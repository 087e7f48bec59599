/* schema.h: a step's contract as JSON Schema 2020-12.
 *
 * Used by OpenAPI, by MCP later, and by forms: units, examples, secrets and replacements travel as x-unit, examples,
 * writeOnly and deprecated. */
#ifndef PLATEN_CORE_SCHEMA_H
#define PLATEN_CORE_SCHEMA_H

#include "core/step.h"

void schema_put_params(const Param *params, JsonOut *j); /* {"type":"object","properties":…,"additionalProperties":false} */
void schema_put_param(const Param *p, JsonOut *j);
void schema_put_data(const Field *fields, JsonOut *j); /* {"type":"object",…}; additional properties are allowed */

#endif

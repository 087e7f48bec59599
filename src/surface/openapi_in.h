/* openapi_in.h: the pieces of an operation, shared by openapi.c and openapi_step.c. */
#ifndef PLATEN_SURFACE_OPENAPI_IN_H
#define PLATEN_SURFACE_OPENAPI_IN_H

#include "surface/openapi.h"

/* One member of "parameters". `required` counts only where the table says so too. */
void openapi_put_query(const Param *p, bool may_be_required, JsonOut *j);
void openapi_put_idempotency(const ApiOperation *op, JsonOut *j);
void openapi_put_security(const ApiOperation *op, JsonOut *j);
/* One response: this row and those after it of the same status, which are its other media types.
 * Returns the row after them. */
const ApiResponse *openapi_put_response(const ApiResponse *r, JsonOut *j);
/* The failures of the operation, of the step (NULL: none) and those every operation of its kind can
 * have. */
void openapi_put_problems(const ApiOperation *op, const Step *s, JsonOut *j);
/* {"type":"string","format":"binary" …}: bytes of any type. */
void openapi_put_binary(JsonOut *j);

/* The form field "file": one, or a list of at most `max`. */
void openapi_put_file_field(int max, JsonOut *j);

/* openapi_step.c */
void openapi_put_step_path(const ApiOperation *op, const Step *s, JsonOut *j);
void openapi_put_step_schemas(const Step *s, JsonOut *j);
void openapi_put_input_schema(JsonOut *j); /* StepInputs */

#endif

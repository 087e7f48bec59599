/* operations.h: the one table of what the API can do: routes, query parameters, bodies, answers and
 * roles. HTTP's routes and the OpenAPI document are both made from it (routes.c). */
#ifndef PLATEN_API_OPERATIONS_H
#define PLATEN_API_OPERATIONS_H

#include "api/app.h"
#include "surface/openapi.h"

extern const ApiDoc api_doc;

/* The routes of `app` for HttpOptions, in the app's arena. */
MUST_CHECK ErrCode operations_routes(App *app, const HttpRoute **out, size_t *len, Err *err);
/* The OpenAPI document. .ptr NULL when the arena is full. */
Str operations_openapi(const Registry *r, Arena *a);

#endif

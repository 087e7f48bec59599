/* route_in.h: from method and path to a route. The table is compiled once, at http_open, into a
 * tree of segments; a literal segment wins over {name}, and {name} over {name...}. HEAD finds GET's
 * route unless it has its own. */
#ifndef PLATEN_HTTP_ROUTE_IN_H
#define PLATEN_HTTP_ROUTE_IN_H

#include "http/http.h"

enum { HTTP_METHODS = HTTP_OPTIONS + 1 };

typedef struct HttpRouter HttpRouter;

typedef struct HttpMatch {
    const HttpRoute *route;           /* NULL: no such path, or not with this method */
    unsigned allow;                   /* bit per HttpMethod that the path takes; 0: no such path */
    Str params[HTTP_PATH_PARAMS_MAX]; /* slices of the path */
} HttpMatch;

/* ERR_INTERNAL for a table that contradicts itself. Everything is kept in `a`; routes must outlive
 * it. */
MUST_CHECK ErrCode http_router_build(Arena *a, const HttpRoute *routes, size_t len,
                                     HttpRouter **out, Err *err);
HttpMatch http_router_find(const HttpRouter *r, HttpMethod method, Str path);
/* "GET, HEAD, OPTIONS" */
void http_allow_text(unsigned allow, char *out, size_t size);
const char *http_method_name(HttpMethod m);

#endif

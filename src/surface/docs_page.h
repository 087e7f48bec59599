/* docs_page.h: the explorer: a page that reads /openapi.json, shows every operation and lets a
 * person try it.
 *
 * Its files stand in assets/ and are embedded at build time; the page needs no other server.
 * Routes: GET /docs and GET /docs/{file...} answer with docs_page_find(path), under DOCS_PAGE_CSP
 * (no inline script or style, no other origin). */
#ifndef PLATEN_SURFACE_DOCS_PAGE_H
#define PLATEN_SURFACE_DOCS_PAGE_H

#include "base/str.h"

#define DOCS_PAGE_CSP                                                                              \
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "        \
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

typedef struct DocsAsset {
    const char *path; /* "/docs", "/docs/explorer.js" … */
    const char *type; /* "text/javascript; charset=utf-8" */
    const char *etag; /* 64 hex digits: SHA-256 of the body */
    Str body;
} DocsAsset;

/* NULL: there is no such file. "/docs/" is "/docs". */
const DocsAsset *docs_page_find(Str path);

#endif

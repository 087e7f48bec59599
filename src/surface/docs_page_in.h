/* docs_page_in.h: the table that tools/embed.py writes from assets/. */
#ifndef PLATEN_SURFACE_DOCS_PAGE_IN_H
#define PLATEN_SURFACE_DOCS_PAGE_IN_H

#include "surface/docs_page.h"

extern const DocsAsset docs_page_assets[];
extern const size_t docs_page_assets_len;

#endif

/* step_docs.h: the pages of docs/steps, written from the registry. */
#ifndef PLATEN_SURFACE_STEP_DOCS_H
#define PLATEN_SURFACE_STEP_DOCS_H

#include "core/registry.h"

/* docs/steps/image.convert.md */
void step_docs_page(const Step *s, Buf *b);
/* docs/steps/README.md: all steps that are not internal, grouped by noun, with links. */
void step_docs_index(const Registry *r, Buf *b);

#endif

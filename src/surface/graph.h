/* graph.h: a pipeline's nodes and what needs what, for people and for tools that draw.
 *
 * TEXT is a tree: a node stands below the last of those it needs, the others are named beside it. */
#ifndef PLATEN_SURFACE_GRAPH_H
#define PLATEN_SURFACE_GRAPH_H

#include "core/pipeline.h"

typedef enum GraphFormat { GRAPH_TEXT, GRAPH_MERMAID, GRAPH_DOT } GraphFormat;

void graph_put(const Pipeline *p, GraphFormat f, Buf *b);
const char *graph_section_name(NodeSection s); /* "steps", "on-failure", "finally" */

#endif

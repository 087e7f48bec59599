/* source_in.h: how the blocks of a source are found. */
#ifndef PLATEN_TEXT_SOURCE_IN_H
#define PLATEN_TEXT_SOURCE_IN_H

#include "text/source.h"

typedef struct Blocks {
    Arena *arena;
    SourceBlock *items;
    size_t len, room;
    bool failed; /* the arena is full */
} Blocks;
void blocks_add(Blocks *b, const SourceBlock *block);

/* source_lines.c: paragraphs (divided by empty lines) and pages (by form feeds) of plain text; with
 * `markdown` also headings, lists, fenced code, tables and quotes. *pages: 0 without form feeds. */
void lines_read(Str text, bool markdown, Blocks *out, int64_t *pages);

/* source_json.c: the JSON of document.extract as the text it stands for, and its blocks. */
MUST_CHECK ErrCode blocks_json_read(StepCtx *c, Str json, Source *out);

#endif

/* pack.h: units of text put together into chunks.
 *
 * Chunks are ranges that follow each other without a gap: put together they are the text. Each is
 * filled with units (a block, a sentence, a row …) while it stays within `limit`; one that does not
 * fit goes into the next, and one that never fits is taken apart: a table between its rows,
 * code between its lines, a paragraph between its sentences, those between their words. A heading
 * goes with what follows it.
 *
 *   pack_begin(&p, …);
 *   pack_unit(&p, &(PackUnit){.from, .to, .block, .starts}, err)     in order, without gaps
 *   pack_end(&p, err)
 *
 * Each chunk is given to `take` as soon as it is certain that nothing will be added to it. */
#ifndef PLATEN_TEXT_PACK_H
#define PLATEN_TEXT_PACK_H

#include "text/meter.h"
#include "text/source.h"

typedef struct PackChunk {
    size_t from, to;
    size_t head_from,
        head_to; /* the head of the table it begins within, to be repeated; or empty */
    bool last;
} PackChunk;

typedef struct Pack {
    /* set by the caller */
    const Source *source;
    Meter meter;
    int64_t limit;    /* of a chunk, in the meter's unit */
    int64_t smallest; /* a chunk is not ended by a wish (`starts`) before it has this much */
    bool words;       /* fill up word by word instead of keeping sentences and blocks whole */
    bool heads;       /* repeat a table's head, and leave room for it */
    ErrCode (*take)(void *ctx, const PackChunk *chunk, Err *err);
    void *ctx;
    /* of the packer */
    size_t from, to;     /* the chunk in the making */
    size_t heading_from; /* the headings at its end begin here; == to: none */
    bool only_headings;  /* nothing but headings in it so far */
    int64_t room;        /* limit, less a repeated head */
    PackChunk held;      /* the chunk before it, still to be taken; held.to == held.from: none */
    size_t head_from, head_to;           /* the table being taken apart; empty: none */
    size_t next_head_from, next_head_to; /* belongs to the chunk in the making */
} Pack;

typedef struct PackUnit {
    size_t from, to;
    const SourceBlock *block; /* what it is, or a part of; NULL: only words */
    bool starts;              /* a chunk should begin here */
} PackUnit;

void pack_begin(Pack *p);
MUST_CHECK ErrCode pack_unit(Pack *p, const PackUnit *u, Err *err);
MUST_CHECK ErrCode pack_end(Pack *p, Err *err);

#endif

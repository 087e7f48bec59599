/* walk_in.h: what walk.c (levels and entries) and content.c (the bytes of one file) share. */
#ifndef PLATEN_ARCHIVE_WALK_IN_H
#define PLATEN_ARCHIVE_WALK_IN_H

#include "archive/reader.h"
#include "archive/walk.h"

typedef struct Walk {
    StepCtx *c;
    const WalkArgs *args;
    const WalkSink *sink;
    WalkTotals *totals;
    Arena *scratch;   /* rewound after each entry */
    int64_t unpacked; /* bytes that count for the ratio */
    int64_t reported; /* of these, at the last progress message */
    int64_t buffered; /* bytes of inner archives in memory now */
    int64_t looked;   /* entries seen while only looking */
} Walk;

/* One archive: the outermost, or one inside another. */
typedef struct WalkLevel {
    Reader reader;
    Str bytes;
    Str prefix;      /* before every path: "" or "inner.zip/" */
    Str single_path; /* the path of its content when it is one compressed file */
    int depth;       /* 1: the outermost */
    bool deliver;    /* false: only looking */
    bool in_order;   /* a ZIP whose directory is damaged */
    bool zip;        /* known when it was walked through */
    int64_t entries; /* seen on this level */
    int charset;     /* NAMES_AUTO: not guessed yet */
} WalkLevel;

/* An inner archive that is to be walked through next, in memory of its own. */
typedef struct WalkInner {
    Str bytes;
    int64_t cap;
    bool found, open; /* open: deliver its entries in place of itself */
} WalkInner;

/* Read (or pass over) the current entry, a file. e->size_bytes is set when it becomes known.
 * `wanted`: a step asked for the content and it is delivered unless it turns out to be an archive
 * to open. */
MUST_CHECK ErrCode content_take(Walk *w, WalkLevel *l, WalkEntry *e, bool wanted, WalkInner *inner);
void content_inner_free(Walk *w, WalkInner *inner);
/* Before anything of `size` more bytes is unpacked: would it break a limit? */
MUST_CHECK ErrCode content_announce(Walk *w, int64_t size, bool delivered, Str name);

#endif

/* analyze.h: what kind of document it is, by what is in it. Pure. */
#ifndef PLATEN_TEXT_ANALYZE_H
#define PLATEN_TEXT_ANALYZE_H

#include "base/arena.h"
#include "base/str.h"

/* What the kind is told from. */
typedef struct KindFacts {
    Str text;  /* the first part of it */
    Str heads; /* its headings: what stands there counts double */
    Str type;  /* media type */
    int64_t pages, headings, tables, table_cells, items, words, fields, code;
} KindFacts;

enum { KIND_REASONS_MAX = 6 };
typedef struct Kind {
    const char *name; /* "invoice" …, "document" when nothing fits */
    double confidence;
    const char *reasons[KIND_REASONS_MAX]; /* sentences */
    size_t reasons_len;
} Kind;
void kind_of(const KindFacts *f, Kind *out);

#endif

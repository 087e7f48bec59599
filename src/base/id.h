/* id.h: 64-bit ids that sort by time.
 *
 * 41 bits of milliseconds since 2025-01-01 UTC, 10 bits of node, 12 bits of sequence: positive,
 * unique per node for 4,096,000 ids a second, good until 2094. Shown with a prefix and 13
 * characters of Crockford base 32 ("job_0r3k…"); reading accepts either case and o/i/l for 0/1/1.
 *
 * Threads: any. The clock going back does not make an id repeat: the last millisecond is kept. */
#ifndef PLATEN_BASE_ID_H
#define PLATEN_BASE_ID_H

#include "base/str.h"

enum { ID_NODES = 1024, ID_TEXT_SIZE = 24 };

/* Which node this process is, 0 to ID_NODES - 1. Call once, before the first id_new; 0 without
 * it. */
void id_set_node(int node);
int64_t id_new(void);
/* The first of `count` ids that follow each other without a gap; id_nth gives the others. */
int64_t id_new_block(int count);
int64_t id_nth(int64_t first, int64_t n);
/* Ids from here on are above `id` (one that was stored): the clock may have been set back since. */
void id_follow(int64_t id);
/* When it was made, milliseconds since 1970. */
int64_t id_time_ms(int64_t id);
/* The lowest id of that millisecond: a span of time is a span of ids. */
int64_t id_first(int64_t ms);
/* "job_0r3k…" into `out`; prefix is at most 9 characters, without the underscore. Returns out. */
char *id_text(const char *prefix, int64_t id, char out[ID_TEXT_SIZE]);
/* The id in `text`, which must carry exactly this prefix. False on anything else. */
bool id_parse(const char *prefix, Str text, int64_t *out);
/* The ids whose text begins with `text`, which has the prefix and perhaps some characters of the
 * number: *low <= id < *high (INT64_MAX: the last). False on anything else. */
bool id_span(const char *prefix, Str text, int64_t *low, int64_t *high);

#endif

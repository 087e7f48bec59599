/* feed.h: what happened in a project that others may react to, in order.
 *
 * One row per happening, written in the transaction that causes it: ends of jobs that people or
 * triggers started (not of items and steps of pipelines), waits, documents, schedules, queues, and
 * what callers publish themselves. Everything that reacts is a cursor over it: streams
 * (/api/v1/events), webhooks out, triggers. Nobody misses a row, and the hot path pays one append.
 *
 *   write function … feed_add_tx(tx, &(FeedNew){…})        id: rises in the order of commits
 *   reader         … feed_read(reader, project, after, …)   then remember the last id
 *   feed_listen    … the writer's thread calls (ctx, project, id) after the commit
 *
 * ids come from id_new in the writer's thread, so their order is the order of commits. Rows go
 * after FEED_KEPT_MS, or when a project has more than FEED_KEPT_MAX: a cursor that was away longer
 * is told by *gap. Types are dotted names: those of events.def that concern jobs and documents,
 * and whatever callers publish ("user.created").
 * Cost: an append of about 200 bytes; reading is O(rows read). Threads: any. */
#ifndef PLATEN_FLOW_FEED_H
#define PLATEN_FLOW_FEED_H

#include "db/db.h"

enum {
    FEED_TYPE_MAX = 64,
    FEED_DATA_MAX = 16 * 1024,
    FEED_READ_MAX = 1000,
    FEED_KEPT_MAX = 1000000
};
#define FEED_KEPT_MS (INT64_C(7) * 24 * 3600 * 1000)

typedef struct FeedNew {
    int64_t project;
    Str type;    /* "job.done" */
    int64_t job; /* 0: none */
    Str subject; /* what else it is about: "doc_…", a pipeline's or queue's name; "": nothing */
    Str data;    /* JSON object; "": {} */
} FeedNew;

typedef struct FeedRow {
    int64_t id, project, time_ms, job;
    Str type, subject, data;
} FeedRow;

MUST_CHECK ErrCode feed_add_tx(DbConn *tx, const FeedNew *n, Err *err);
/* The same as one write of its own; *id may be NULL. */
MUST_CHECK ErrCode feed_add(Db *db, const FeedNew *n, int64_t *id, Err *err);
/* Rows with an id above `after`, oldest first, at most `limit`. project 0: of all projects. types:
 * patterns joined by commas ("job.*,document.added"); "": all. *next: where to go on, also past
 * rows that were filtered out. *gap: rows after `after` are gone already. */
MUST_CHECK ErrCode feed_read(DbConn *reader, int64_t project, int64_t after, Str types, int limit,
                             Arena *a, FeedRow **out, size_t *len, int64_t *next, bool *gap,
                             Err *err);
bool feed_type_matches(Str types, Str type);
/* The newest id, 0 when there is none. */
MUST_CHECK ErrCode feed_last(DbConn *reader, int64_t project, int64_t *id, Err *err);
/* Remove what is too old; in batches. */
MUST_CHECK ErrCode feed_trim(Db *db, int64_t *count, Err *err);

#endif

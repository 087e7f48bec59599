/* feed.h: what happened in a project that others may react to, in order.
 *
 * One row per happening, written in the transaction that causes it: ends of jobs that people or
 * triggers started (not of items and steps of pipelines), waits, documents, schedules, queues, and
 * what callers publish themselves. Everything that reacts is a cursor over it: streams
 * (/api/v1/events), webhooks out, triggers. Nobody misses a row, and the hot path pays one append.
 *
 *   write function … feed_add_tx(tx, &(FeedNew){…})        id: rises in the order of commits
 *   reader         … feed_read(reader, project, after, …)   then remember the last id
 *   FeedHook       … the writer's thread calls (ctx, project, id) after the commit
 *
 * ids come from id_new in the writer's thread, so their order is the order of commits; feed_start
 * keeps it so when the clock was set back between two starts. Rows go after FEED_KEPT_MS, or when a
 * project has more than FEED_KEPT_MAX: a cursor that was away longer is told by *gap.
 *
 * Types are dotted names. Ours are those of FEED_OWN (job.* task.* …); callers publish all others
 * ("user.created").
 *
 *   type                                        subject            data
 *   job.done, job.failed, job.canceled          step or pipeline   state attempts started finished
 *                                                                  reason detail hint
 *   task.dead                                   queue              step attempts reason detail
 *   wait.approval                               pipeline           node who
 *   document.added, document.deleted            doc_…              name type bytes blob
 *   document.changed, document.restored         doc_…              name type bytes blob
 *
 * job.done has neither subject nor data of its own: reading takes them from the job's rows.
 *
 * Cost: an append of 30 to 200 bytes to the end of the project's rows (1 us for job.done); reading is O(rows read), and
 * what another project does costs a reader nothing. Threads: any. */
#ifndef PLATEN_FEED_FEED_H
#define PLATEN_FEED_FEED_H

#include "base/json.h"
#include "db/db.h"

enum {
    FEED_TYPE_MAX = 64,
    FEED_SUBJECT_MAX = 200,
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
    Str type, subject, data; /* data: a JSON object, never empty */
} FeedRow;

MUST_CHECK ErrCode feed_add_tx(DbConn *tx, const FeedNew *n, Err *err);
/* The same, and the subject is the pipeline or step of the job, read from its row by the same statement. */
MUST_CHECK ErrCode feed_add_job_tx(DbConn *tx, const FeedNew *n, Err *err);
/* As feed_add_tx with an id made by the caller in the write function (id_new). */
MUST_CHECK ErrCode feed_add_as_tx(DbConn *tx, int64_t id, const FeedNew *n, Err *err);
/* Nothing has happened, but whoever follows shall look: the hook is called with id 0. */
MUST_CHECK ErrCode feed_poke_tx(DbConn *tx, int64_t project, Err *err);
/* feed_add_tx as one write of its own; *id may be NULL. */
MUST_CHECK ErrCode feed_add(Db *db, const FeedNew *n, int64_t *id, Err *err);

/* Rows with an id above `after`, oldest first, at most `limit`. project 0: of all projects. types:
 * patterns joined by commas ("job.*,document.added"); "": all. *next: where to go on, also past
 * rows that were filtered out. *gap: rows after `after` are gone already (never for after = 0).
 * At most FEED_READ_MAX rows are looked at: *len may be 0 with *next > after; call again until
 * *next == after. */
MUST_CHECK ErrCode feed_read(DbConn *reader, int64_t project, int64_t after, Str types, int limit,
                             Arena *a, FeedRow **out, size_t *len, int64_t *next, bool *gap,
                             Err *err);
/* One row; ERR_NOT_FOUND. */
MUST_CHECK ErrCode feed_get(DbConn *reader, int64_t project, int64_t id, Arena *a, FeedRow *out,
                            Err *err);
bool feed_type_matches(Str types, Str type);
/* Patterns: names with an optional * at the end, joined by commas. ERR_BAD_PARAM "types". */
MUST_CHECK ErrCode feed_check_types(Str types, Err *err);
/* A type that callers may publish: [a-z0-9_.], dotted, not one of ours. ERR_BAD_PARAM "type". */
MUST_CHECK ErrCode feed_check_type(Str type, Err *err);
/* The newest id, 0 when there is none. project 0: of all. */
MUST_CHECK ErrCode feed_last(DbConn *reader, int64_t project, int64_t *id, Err *err);

/* As everybody sees it: {id: "evt_…", type, time, job: "job_…" or null, subject or null, data}. */
void feed_put(JsonOut *j, const FeedRow *r);

/* Before the first row is written: later ids are above those that are stored. */
MUST_CHECK ErrCode feed_start(Db *db, Err *err);
/* Remove what is too old; in batches. */
MUST_CHECK ErrCode feed_trim(Db *db, int64_t *count, Err *err);

/* Who wants to hear of rows: called on the writer's thread after the commit with (ctx, project,
 * id). The pointer that hangs onto the database (db_attach) points at this: flow's hooks begin with
 * it. */
typedef struct FeedHook {
    DbAfterFn fn;
    void *ctx;
} FeedHook;

#endif

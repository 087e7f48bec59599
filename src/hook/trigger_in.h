/* trigger_in.h: shared by the files of triggers.
 *
 *   trigger_read.c    on: → specs, all faults at once
 *   trigger_set.c     specs ↔ rows
 *   trigger_start.c   a trigger's job
 *   trigger_hook.c    webhooks
 *   trigger_file.c    a file that is taken, once
 *   trigger_folder.c  files in watched folders
 *   trigger_bucket.c  objects in buckets
 *   trigger_queue.c   messages of a queue of outside work
 *   trigger.c         the thread; events */
#ifndef PLATEN_HOOK_TRIGGER_IN_H
#define PLATEN_HOOK_TRIGGER_IN_H

#include "flow/schedule.h"
#include "hook/trigger.h"

typedef enum Verify { VERIFY_STANDARD, VERIFY_GITHUB, VERIFY_TOKEN } Verify;

typedef struct TriggerSpec {
    TriggerKind kind;
    Str name;           /* "event-2" */
    const Json *source; /* an object; members as declared, the main one under its name */
    Str types;          /* EVENT, PIPELINE: of the feed, joined by commas */
    const Json *names;  /* PIPELINE: list of texts */
    Verify verify;
    Str path, match;                             /* FOLDER; BUCKET: match */
    Str url, region, prefix, access_key, secret; /* BUCKET; secret: name of the project's */
    int64_t every_ms;
    Str queue; /* QUEUE */
    ScheduleSpec schedule;
    const Template *with; /* NULL: none */
    const Expr *when;     /* NULL: always */
} TriggerSpec;

/* What is wrong with a trigger goes here; NULL: it was checked before. */
typedef struct TriggerFaults {
    const Json *lines;
    const Pipeline *pipeline;
    PipelineFaults *faults;
} TriggerFaults;

/* ERR_BAD_PIPELINE when something is wrong. */
MUST_CHECK ErrCode trigger_read(const Json *on, const TriggerFaults *f, Arena *a, TriggerSpec **out,
                                size_t *len, Err *err);
/* From a row. */
MUST_CHECK ErrCode trigger_read_row(const Trigger *t, Arena *a, TriggerSpec *out, Err *err);

MUST_CHECK ErrCode trigger_row(DbConn *c, int64_t id, Arena *a, Trigger *out, Err *err);
MUST_CHECK ErrCode trigger_rows(DbConn *c, const Query *q, const DbVal *args, size_t args_len,
                                Arena *a, Trigger **out, size_t *len, Err *err);
/* Start the trigger's job. `scope`: the value of `trigger`; `file`: goes into the first file input
 * that `with` does not name. *job 0: its condition is false. */
typedef struct TriggerStart {
    const Trigger *trigger;
    const Json *scope;
    const JobFile *file; /* NULL: none */
    Str idempotency_key, trace;
    JobAdded added;
} TriggerStart;
MUST_CHECK ErrCode trigger_start_tx(DbConn *tx, TriggerStart *s, Arena *a, Err *err);
/* Is it this trigger's own fault (an input that does not fit), so that trying again is no use? */
bool trigger_is_hopeless(ErrCode rc);
MUST_CHECK ErrCode trigger_note_tx(DbConn *tx, int64_t trigger, int64_t job, int64_t feed_id,
                                   Str fault, Err *err);

/* {name, type, bytes, blob} */
void trigger_put_file(JsonOut *j, const JobFile *f);
Str trigger_type_of(Str name); /* media type by the name's end; "" unknown */

/* trigger_queue.c: what waits in the trigger's queue; *again: look again in a moment. */
MUST_CHECK ErrCode trigger_queue_take(Db *db, const Trigger *t, Arena *a, bool *again, Err *err);

/* trigger_file.c */
typedef struct TriggerFile {
    const Trigger *trigger;
    Str path, name; /* "inbox/a.pdf", "a.pdf" */
    int64_t size_bytes, changed_ns;
    JobFile file; /* trigger_file_named */
    const Json *scope;
    Str fault;
    JobAdded added;
} TriggerFile;
/* Nothing has changed since it was taken. */
MUST_CHECK ErrCode trigger_file_seen(DbConn *reader, const TriggerFile *k, bool *out, Err *err);
/* The project may see the blob; k->file is it. */
MUST_CHECK ErrCode trigger_file_named(Db *db, TriggerFile *k, const Blob *blob, Arena *a, Err *err);
/* Its job, and that it was taken, in one transaction. */
MUST_CHECK ErrCode trigger_file_start(Db *db, TriggerFile *k, Arena *a, Err *err);

/* trigger_bucket.c: a thread of its own, as a large object must not keep events waiting. */
typedef struct Buckets Buckets;
MUST_CHECK ErrCode buckets_open(const TriggerOptions *o, Buckets **out, Err *err);
void buckets_close(Buckets **b);
void buckets_changed(Buckets *b); /* look at the rows now */

/* trigger_folder.c */
typedef struct Folders Folders;
MUST_CHECK ErrCode folders_open(const TriggerOptions *o, Folders **out, Err *err);
void folders_close(Folders **f);
int folders_fd(const Folders *f); /* readable: something changed */
/* Watch these, and scan what is new. *again: something is not whole yet, or could not be done now. */
void folders_set(Folders *f, const Trigger *list, size_t len, bool retry, bool *again);
void folders_read(Folders *f, bool *again);

#endif

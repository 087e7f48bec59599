/* trigger.h: what starts a pipeline besides people: events, other pipelines, webhooks, files.
 *
 *   on:
 *     event: document.added                       # or [types], or {types: [job.*], if: …, with: …}
 *     pipeline: {names: [extract], states: [done]}        # done (default), failed, canceled
 *     webhook: {verify: standard}                 # standard (default), github, token
 *     folder: {path: inbox, match: "*.pdf"}       # under the server's --watch-root
 *     bucket: {url: "https://s3.eu-central-1.amazonaws.com/scans", region: eu-central-1, prefix: in/,
 *              access-key: AKIA…, secret: S3_KEY, every: 5m}   # secret: name of a project's secret
 *     queue: orders                                         # messages of a queue of outside work
 *     schedule: {cron: "0 6 * * *", zone: Europe/Berlin}  # kept and run by flow/schedule.h, or every: 10m
 *
 * Several of a kind: a list of objects. `with` gives inputs from expressions over `trigger`:
 *   {source: "${{ trigger.document }}"}. `if` is an expression over it; false: no job. Without a
 * `with` for it, the file that a webhook or a folder brings is the first file input.
 *
 *   event, pipeline   trigger: {kind, id, type, time, job, subject, document, data}
 *   webhook           trigger: {kind, body, headers, query, file}
 *   folder, bucket    trigger: {kind, path, name, bytes, modified, file}
 *   schedule          trigger: {kind, schedule, time}; also every, start, end, missed, overlap, jitter
 *
 * Storing a version of a pipeline (re)writes its triggers in the same transaction, deleting it takes
 * them away; one that was paused stays paused. Events and files start their job in the transaction
 * that remembers them (a row of the feed by a cursor, a file by its path, size, time and hash): once
 * each, whatever dies when. What cannot start a job (an input that does not fit) is told in the
 * trigger's fault and left behind. A trigger never reacts to the ends of its own pipeline's jobs.
 *
 * One thread: it sleeps until a row of the feed of a project that has such triggers comes, a watched
 * folder changes (inotify), or a trigger does. At its start it reads what it missed.
 *
 * Threads: any; functions with tx run in a write function. */
#ifndef PLATEN_HOOK_TRIGGER_H
#define PLATEN_HOOK_TRIGGER_H

#include "blob/blob.h"
#include "flow/offers.h"
#include "flow/hub.h"
#include "flow/pipeline.h"

enum {
    TRIGGERS_MAX = 32, /* of one pipeline */
    TRIGGER_TOKEN_SIZE = 48,
    TRIGGER_HEADERS_MAX = 64,
};

typedef enum TriggerKind {
    TRIGGER_EVENT,
    TRIGGER_PIPELINE,
    TRIGGER_WEBHOOK,
    TRIGGER_FOLDER,
    TRIGGER_BUCKET,
    TRIGGER_SCHEDULE,
    TRIGGER_QUEUE,
    TRIGGER_KIND_COUNT
} TriggerKind;
const char *trigger_kind_name(TriggerKind k); /* "event" … */

typedef struct Trigger {
    int64_t id, project, key; /* id 0: of a pipeline that comes with platen, not turned on yet */
    Str pipeline, name;       /* name: "event", "folder-2" */
    TriggerKind kind;
    Str spec;          /* JSON object */
    Str token, secret; /* of a webhook */
    bool paused;
    int64_t feed_id, fired, last_ms, last_job, created_ms;
    Str fault;
} Trigger;

/* Check `on:` of a pipeline that pipeline_read has accepted; faults are added, with lines.
 * ERR_BAD_PIPELINE. */
MUST_CHECK ErrCode trigger_check(const Pipeline *p, const Json *lines, Arena *a,
                                 PipelineFaults *faults, Err *err);

/* The kinds with their keys for editors, as a member "triggers" of an open object. */
void trigger_put_language(JsonOut *j);

/* What storing triggers needs to know: the steps (for schedules), and whom to tell. */
typedef struct TriggerWorld {
    const Registry *registry;
    Hub *hub; /* NULL: nobody */
} TriggerWorld;

/* FlowHooks.stored: a version was stored (definition: its JSON) or the pipeline was deleted ("").
 * ctx: a TriggerWorld. */
MUST_CHECK ErrCode trigger_stored(void *ctx, DbConn *tx, int64_t project, int64_t key, Str pipeline,
                                  Str definition, Err *err);

/* All of the project, those of built-in pipelines too. */
MUST_CHECK ErrCode trigger_list(DbConn *reader, int64_t project, Arena *a, Trigger **out,
                                size_t *len, Err *err);
/* ERR_NOT_FOUND. */
MUST_CHECK ErrCode trigger_get(DbConn *reader, int64_t project, Str pipeline, Str name, Arena *a,
                               Trigger *out, Err *err);
/* Pause it, or let it go on: from now on, what happened in between is left out. The first resume of
 * a built-in pipeline's trigger makes it. ERR_NOT_FOUND. */
MUST_CHECK ErrCode trigger_pause(Db *db, const TriggerWorld *w, int64_t project, int64_t key,
                                 Str pipeline, Str name, bool paused, Err *err);

typedef struct HookHeader {
    Str name, value;
} HookHeader;
typedef struct HookCall {
    Str token, type, body, query;
    const HookHeader *headers;
    size_t headers_len;
    int64_t now_ms;
    Str trace;
} HookCall;
/* A webhook came in. ERR_NOT_FOUND: nobody has this address, or it is paused; ERR_BAD_SIGNATURE; and
 * what starting a pipeline may answer. The same webhook-id (or X-GitHub-Delivery) starts one job. */
MUST_CHECK ErrCode trigger_hook(Db *db, BlobStore *blobs, const HookCall *call, Arena *a,
                                JobAdded *out, Err *err);

typedef struct TriggerOptions {
    Db *db;
    BlobStore *blobs;
    Hub *hub;
    Offers *offers;            /* told of messages in queues; NULL: nobody is */
    const char *watch_root;    /* folders of triggers lie in it; NULL: none may */
    const char *allow_private; /* of buckets, as in OutboundOptions */
    int64_t file_max;          /* bytes; 0: 1 GiB */
} TriggerOptions;
typedef struct Triggers Triggers;
MUST_CHECK ErrCode triggers_open(const TriggerOptions *o, Triggers **out, Err *err);
void triggers_close(Triggers **t);
/* Wait until everything that was there at the call is done; for tests. */
void triggers_settle(Triggers *t);

#endif

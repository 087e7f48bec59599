/* params.h: query parameters and bodies that operations share, as Param tables (params.c): checked,
 * documented and shown in the explorer from here alone. */
#ifndef PLATEN_API_PARAMS_H
#define PLATEN_API_PARAMS_H

#include "core/param.h"
#include "flow/flow.h"

typedef struct WaitQuery {
    int64_t wait; /* seconds */
} WaitQuery;
extern const Param wait_query_params[];

typedef struct PageQuery {
    int64_t limit;
    Str cursor;
} PageQuery;
extern const Param page_query_params[];

typedef struct JobsQuery {
    int64_t limit;
    Str cursor;
    StrList state; /* names of states; none: any */
    Str step, pipeline, queue, key, q;
    int64_t since_ms, until_ms;
    bool batches;
} JobsQuery;
extern const Param jobs_query_params[];

typedef struct ItemsQuery {
    int64_t limit;
    Str cursor;
    int state; /* 0: any, else JobState + 1 */
    Str node;  /* of a pipeline's job: children of this one */
} ItemsQuery;
extern const Param items_query_params[];

typedef struct EventsQuery {
    int64_t after, limit;
} EventsQuery;
extern const Param events_query_params[];

typedef struct FeedQuery {
    Str types, after;
    int64_t limit;
} FeedQuery;
extern const Param feed_query_params[];

typedef struct PublishBody {
    Str type, subject;
    const Json *data;
} PublishBody;
extern const Param publish_body_params[];

typedef struct WebhookBody {
    Str url, types, description, secret;
} WebhookBody;
extern const Param webhook_body_params[];

typedef struct WebhookChange {
    Str url, types, description;
    int state; /* -1: as it is, else WebhookState */
} WebhookChange;
extern const Param webhook_change_params[];

typedef struct DeliveriesQuery {
    int64_t limit;
    Str cursor;
    bool failed;
} DeliveriesQuery;
extern const Param deliveries_query_params[];

typedef struct RedeliverBody {
    int64_t since_ms;
} RedeliverBody;
extern const Param redeliver_body_params[];

typedef struct DeadQuery {
    int64_t limit;
    Str cursor, queue, step, reason;
} DeadQuery;
extern const Param dead_query_params[];

/* How a job is to be run: in the query of an upload, or beside "params" in a JSON body. */
typedef struct RunOptions {
    int64_t wait, priority, delay_ms, attempts, timeout_ms;
    Str queue, concurrency_key, unique_key, callback_url;
    int64_t concurrency_limit, start_within_ms, deadline_ms, retry_ms;
    bool dry_run, keep_archives; /* keep_archives: of a batch only */
} RunOptions;
/* What they mean for a job. */
void run_options_take(const RunOptions *o, JobNew *n);
extern const Param run_option_params[];
extern const Param batch_option_params[];
extern const Param bulk_option_params[]; /* of one job of many */

typedef struct BulkQuery {
    bool partial;
} BulkQuery;
extern const Param bulk_query_params[];
extern const Param bulk_body_params[]; /* described only: bulk.c reads it */

typedef struct LeaseBody {
    int64_t max, lease_seconds, wait;
    Str worker;
} LeaseBody;
extern const Param lease_body_params[];

typedef struct CompleteBody {
    int64_t attempt;
    const Json *data, *outputs, *usage;
} CompleteBody;
extern const Param complete_body_params[];

typedef struct FailBody {
    int64_t attempt, retry_after_ms;
    Str detail;
    bool retry;
} FailBody;
extern const Param fail_body_params[];

typedef struct ExtendBody {
    int64_t attempt, lease_seconds, done, total;
    Str note;
} ExtendBody;
extern const Param extend_body_params[];

typedef struct HandlerBody {
    int kind; /* 0: workers, 1: push */
    Str url, secret;
    int64_t concurrency, timeout_ms;
} HandlerBody;
extern const Param handler_body_params[];

typedef struct BridgeBody {
    Str name, account, remote, dead_remote, token_env, queue, step, base_url;
    int direction; /* 0: in, 1: out */
    int64_t poison;
} BridgeBody;
extern const Param bridge_body_params[]; /* the command line offers the same */

extern const Param task_body_params[]; /* run_option_params with payload and inputs */

/* Pipelines. */
typedef struct PipelinePut {
    bool dry_run;
    int64_t base_version; /* -1: not given */
} PipelinePut;
extern const Param pipeline_put_params[];

typedef struct VersionQuery {
    int64_t version; /* 0: the newest */
} VersionQuery;
extern const Param version_query_params[];

typedef struct DiffQuery {
    int64_t from, to; /* 0: the one before `to`; the newest */
} DiffQuery;
extern const Param diff_query_params[];

typedef struct GraphQuery {
    int64_t version;
    int format; /* GraphFormat */
} GraphQuery;
extern const Param graph_query_params[];
extern const Choice graph_formats[]; /* by GraphFormat; the command line offers the same */

typedef struct PipelineOptions {
    int64_t wait, priority, delay_ms, timeout_ms, version;
    Str callback_url;
    bool dry_run, no_memo;
} PipelineOptions;
extern const Param pipeline_option_params[];

/* Of a batch of a pipeline. */
typedef struct PipelineBatchOptions {
    int64_t wait, priority, timeout_ms, version, concurrency;
    Str input, callback_url;
    bool dry_run, no_memo, keep_archives;
} PipelineBatchOptions;
extern const Param pipeline_batch_option_params[];

typedef struct NodesQuery {
    bool deep;
} NodesQuery;
extern const Param nodes_query_params[];

typedef struct ApprovalBody {
    bool approved;
    Str comment;
} ApprovalBody;
extern const Param approval_body_params[];

typedef struct ReplayOptions {
    Str from;
    int64_t wait;
} ReplayOptions;
extern const Param replay_option_params[];

/* Whose settings of a queue are meant. */
enum { SCOPE_PROJECT, SCOPE_ALL };
typedef struct ScopeQuery {
    int scope;
} ScopeQuery;
extern const Param scope_query_params[];

typedef struct PurgeQuery {
    int scope;
    bool dry_run;
} PurgeQuery;
extern const Param purge_query_params[];

typedef struct QueueBody {
    int64_t concurrency, rate, rate_window_ms, key_rate, weight, retention_ms, runners;
} QueueBody;
extern const Param queue_body_params[];

/* Which jobs a verb for many means. */
typedef struct ManyBody {
    int state; /* 0: any that it can change, else JobState + 1 */
    Str step, queue, reason, pipeline, key;
    StrList ids;
    int64_t since_ms, until_ms;
    bool dry_run;
} ManyBody;
extern const Param many_body_params[];
extern const Param letter_body_params[]; /* without state */

typedef struct KeyBody {
    Str name;
    int role;
} KeyBody;
extern const Param key_body_params[];

typedef struct SecretBody {
    Str value;
} SecretBody;
extern const Param secret_body_params[];
extern const Choice role_choices[]; /* by Role; the command line offers the same */

typedef struct ScheduleBody {
    Str name, cron, every, zone, step, pipeline, queue, start, end;
    const Json *params, *inputs;
    int64_t priority, attempts, timeout_ms, jitter_ms;
    int missed, overlap; /* enum Missed, enum Overlap */
    bool paused;
} ScheduleBody;
extern const Param schedule_body_params[];
extern const Choice missed_choices[]; /* by Missed; the command line offers the same */
extern const Choice overlap_choices[];

typedef struct PreviewQuery {
    int64_t count;
} PreviewQuery;
extern const Param preview_query_params[];

typedef struct PreviewBody {
    Str cron, every, zone, start, end;
    int64_t count;
} PreviewBody;
extern const Param preview_body_params[];

#endif

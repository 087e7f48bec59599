/* webhook.h: addresses that hear of a project's events, and what was sent to them (deliver.h sends).
 *
 *   active <──────> paused      people
 *     │  ▲
 *     ▼  │ people
 *   disabled                    410, or a message that used up its attempts
 *
 * A webhook is a cursor over the feed: while it is not active, nothing is sent and nothing is lost
 * for as long as the feed keeps its rows; it goes on where it stood. The secret is shown when it is
 * made and is stored sealed. A project has one row more for the callback_url of its jobs.
 *
 * Threads: any. */
#ifndef PLATEN_HOOK_WEBHOOK_H
#define PLATEN_HOOK_WEBHOOK_H

#include "base/seal.h"
#include "feed/feed.h"
#include "net/signing.h"

enum {
    WEBHOOKS_MAX = 100, /* of one project */
    WEBHOOK_TYPES_MAX = 1000,
    WEBHOOK_ATTEMPTS = 10,
    WEBHOOK_ANSWER_KEPT = 500,
};
#define WEBHOOK_KEPT_MS    (INT64_C(30) * 24 * 3600 * 1000) /* messages and their attempts */
#define WEBHOOK_OVERLAP_MS (INT64_C(24) * 3600 * 1000)      /* both secrets sign */

typedef enum WebhookState { WEBHOOK_ACTIVE, WEBHOOK_PAUSED, WEBHOOK_DISABLED } WebhookState;
const char *webhook_state_name(WebhookState s);

typedef struct Webhook {
    int64_t id, project, cursor, created_ms, changed_ms, old_until_ms;
    bool callback;
    WebhookState state;
    Str url, types, description;
    Str disabled_for;       /* a reason; "" */
    Str secret, old_secret; /* sealed */
} Webhook;

typedef struct WebhookNew {
    int64_t project;
    Str url, types, description; /* checked by the caller: outbound_check_url, feed_check_types */
    Str secret;                  /* "": one is made */
} WebhookNew;

/* It hears of what happens from now on. *id and the secret in the clear. ERR_LIMIT_COUNT. */
MUST_CHECK ErrCode webhook_add(Db *db, const Seal *seal, const WebhookNew *n, Arena *a, int64_t *id,
                               Str *secret, Err *err);
MUST_CHECK ErrCode webhook_get(DbConn *reader, int64_t project, int64_t id, Arena *a, Webhook *out,
                               Err *err);
MUST_CHECK ErrCode webhook_list(DbConn *reader, int64_t project, Arena *a, Webhook **out,
                                size_t *len, Err *err);
/* All active ones of all projects. */
MUST_CHECK ErrCode webhook_active(DbConn *reader, Arena *a, Webhook **out, size_t *len, Err *err);
/* url, types, description and state (active or paused) of `w`. */
MUST_CHECK ErrCode webhook_change(Db *db, const Webhook *w, Err *err);
MUST_CHECK ErrCode webhook_delete(Db *db, int64_t project, int64_t id, Err *err);
/* A new secret; the one before signs too for WEBHOOK_OVERLAP_MS. */
MUST_CHECK ErrCode webhook_rotate(Db *db, const Seal *seal, int64_t project, int64_t id, Arena *a,
                                  Str *secret, Err *err);
/* Secrets that sign now, in the clear: the newest first. A callback's row without one gets it. */
MUST_CHECK ErrCode webhook_secrets(Db *db, const Seal *seal, const Webhook *w, Arena *a, Str out[2],
                                   size_t *len, Err *err);

typedef struct Delivery {
    int64_t id, webhook, event, attempts, next_ms, status, ended_ms;
    Str type, state;
    Str body, url; /* delivery_get only */
} Delivery;
typedef struct DeliveryAttempt {
    int64_t number, time_ms, took_ms, status;
    Str reason, detail, answer;
} DeliveryAttempt;

/* The body of a message: {type, timestamp, id, job, subject, data}. .ptr NULL: no memory. */
Str delivery_body(const FeedRow *row, Arena *a);
/* In a write function: one message, due at once; `url` of a callback, else "". */
MUST_CHECK ErrCode delivery_add_tx(DbConn *tx, const Webhook *w, const FeedRow *row, Str url,
                                   Str body, int64_t id, Err *err);
/* A message of the type webhook.ping. ERR_CONFLICT when the webhook is not active. */
MUST_CHECK ErrCode webhook_ping(Db *db, int64_t project, int64_t id, int64_t *delivery, Err *err);
/* Newest first; before 0: from the newest. */
MUST_CHECK ErrCode delivery_list(DbConn *reader, int64_t project, int64_t webhook, bool failed,
                                 int64_t before, int limit, Arena *a, Delivery **out, size_t *len,
                                 bool *more, Err *err);
MUST_CHECK ErrCode delivery_get(DbConn *reader, int64_t project, int64_t webhook, int64_t id,
                                Arena *a, Delivery *out, DeliveryAttempt **attempts, size_t *len,
                                Err *err);
/* Send one again, whatever became of it (ERR_CONFLICT while it is pending), or all that failed
 * since `since_ms`; the webhook-id stays. */
MUST_CHECK ErrCode delivery_again(Db *db, int64_t project, int64_t webhook, int64_t id, Err *err);
MUST_CHECK ErrCode delivery_again_failed(Db *db, int64_t project, int64_t webhook, int64_t since_ms,
                                         int64_t *count, Err *err);
/* Remove what is older than WEBHOOK_KEPT_MS. */
MUST_CHECK ErrCode delivery_trim(Db *db, Err *err);

/* How long after attempt number `attempt` (from 1) failed the next one follows: the table of
 * Standard Webhooks with up to 10 % more; asked_ms (of a Retry-After) goes before it. -1: none
 * follows. dice in [0,1). Pure. */
int64_t delivery_backoff_ms(int64_t attempt, int64_t asked_ms, double dice);

#endif

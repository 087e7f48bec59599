/* bridge.h: work that comes from, or goes to, a queue of Cloudflare Queues.
 *
 *   in    their queue ──pull──► jobs, in one transaction ──commit──► ack        (message id: taken once)
 *                                └─ cannot be taken: retry later; `poison` times: a local dead letter, ack
 *   out   tasks of a local queue ──lease──► push in batches ──► done             (the queue's handler is "bridge")
 *                                └─ refused: tried again, then a local dead letter
 *
 * Over their HTTP API (pull, ack, push); bridge_wire.h has the forms. Their dead letter queue can be
 * mirrored: each of its messages becomes a local dead letter. A message of type json is the payload,
 * text a JSON text, bytes {"bytes": base64}. With `step` the payload is the parameters of that step;
 * else it is the payload of a task for outside workers in `queue`.
 *
 * The token is never stored: token_env names a variable of the server's environment, which must
 * begin with CLOUDFLARE_ or PLATEN_BRIDGE_, so that nobody can have another one sent away. Nothing
 * of this is needed, looked at or missed by who has no bridge.
 *
 * One thread per bridge. When nothing comes it waits ever longer, up to 10 s; when something is
 * missing or wrong a minute, and says so: bridge_status. Threads: any. */
#ifndef PLATEN_HOOK_BRIDGE_H
#define PLATEN_HOOK_BRIDGE_H

#include "flow/offers.h"
#include "flow/outside.h"

enum {
    BRIDGES_MAX = 32,
    BRIDGE_BATCH = 100, /* messages per request, theirs */
    BRIDGE_POISON = 5,
    BRIDGE_MESSAGE_MAX = 128 * 1000,
    BRIDGE_BATCH_BYTES = 256 * 1000,
};
#define BRIDGE_URL "https://api.cloudflare.com/client/v4"

typedef struct Bridge {
    int64_t id, project;
    bool out;
    Str name, account, remote, dead_remote; /* remote: id of their queue */
    Str token_env, queue, step, base_url;   /* base_url "": BRIDGE_URL */
    int64_t poison;
} Bridge;

typedef struct BridgeStatus {
    ErrCode code; /* of the last round; OK: fine */
    Err err;
    int64_t at_ms;                  /* 0: no round yet */
    int64_t messages, dead_letters; /* taken or sent since the start */
} BridgeStatus;

typedef struct Bridges Bridges;
typedef struct BridgeOptions {
    Db *db;
    Offers *offers;
    const Registry *registry;
    const char *allow_private; /* as in OutboundOptions */
} BridgeOptions;

MUST_CHECK ErrCode bridges_open(const BridgeOptions *o, Bridges **out, Err *err);
void bridges_close(Bridges **b); /* before the database; NULL allowed */

/* Check it, store it, start it. ERR_BRIDGE_MISSING names what lacks; ERR_BAD_PARAM, ERR_CONFLICT
 * (there is one of that name), ERR_UNKNOWN_STEP. An `account` that is empty is taken from
 * CLOUDFLARE_ACCOUNT_ID. */
MUST_CHECK ErrCode bridge_add(Bridges *b, Bridge *bridge, Err *err);
MUST_CHECK ErrCode bridge_remove(Bridges *b, int64_t project, Str name, Err *err);
MUST_CHECK ErrCode bridge_get(DbConn *reader, int64_t project, Str name, Arena *a, Bridge *out,
                              Err *err);
/* project 0: of all. */
MUST_CHECK ErrCode bridge_list(DbConn *reader, int64_t project, Arena *a, Bridge **out, size_t *len,
                               Err *err);
BridgeStatus bridge_status(Bridges *b, int64_t id);

/* Ask their API whether account, token and queue fit together, and whether the queue can be pulled:
 * ERR_BRIDGE_MISSING says what does not. *name: what they call the queue. */
MUST_CHECK ErrCode bridge_check(Bridges *b, const Bridge *bridge, Arena *a, Str *name, Err *err);

#endif

/* bridge_in.h: what the files of bridges share.
 *
 *   bridge.c        threads, and their rounds
 *   bridge_take.c   messages of theirs become jobs
 *   bridge_send.c   tasks of ours become messages
 *   bridge_store.c  the tables
 *   bridge_wire.c   the JSON */
#ifndef PLATEN_HOOK_BRIDGE_IN_H
#define PLATEN_HOOK_BRIDGE_IN_H

#include "base/thread.h"
#include "hook/bridge.h"
#include "hook/bridge_wire.h"
#include "net/outbound.h"

/* One bridge's thread, and what it needs for a round. */
typedef struct BridgeLine {
    Bridges *all;
    Arena *own; /* the line lies in it */
    Bridge bridge;
    int64_t hash; /* of the local queue */

    /* The thread's. */
    Arena *arena; /* of one round */
    Outbound *outbound;
    Str token;
    int64_t due_ms;

    /* Bridges.lock */
    Cond wake;
    bool poked, leave;
    BridgeStatus status;
    pthread_t thread;
    struct BridgeLine *next;
} BridgeLine;

struct Bridges {
    BridgeOptions o;
    OfferSub sub;
    Mutex lock; /* guards the lines; never held while calling the database */
    BridgeLine *first;
    atomic_bool stop; /* requests end too */
};

/* bridge.c: one request to their API about queue `remote`; tail: "/messages/pull" …, "" the queue
 * itself. body.len 0: GET. *result may be NULL. */
MUST_CHECK ErrCode bridge_call(const Bridge *b, Outbound *o, Str token, const atomic_bool *stop,
                               Str remote, const char *tail, Str body, Arena *a,
                               const Json **result, Err *err);
/* bridge_send.c: one batch of tasks of the local queue; *sent: how many were dealt with. */
MUST_CHECK ErrCode bridge_send(BridgeLine *l, int64_t *sent, Err *err);

/* bridge_store.c */
MUST_CHECK ErrCode bridge_form(const BridgeOptions *o, Bridge *b, Err *err);
MUST_CHECK ErrCode bridge_token(const Bridge *b, Arena *a, Str *out, Err *err);
MUST_CHECK ErrCode bridge_add_write(DbConn *tx, void *bridge, Err *err);
MUST_CHECK ErrCode bridge_remove_write(DbConn *tx, void *bridge, Err *err);
void bridge_forget_old(Db *db);

/* bridge_take.c: one write makes jobs of the messages; keep[i]: it may be acknowledged. delay_s[i]:
 * when it may come again otherwise. `dead`: all of them are dead letters of theirs. *made, *died:
 * how many jobs, how many dead letters. */
MUST_CHECK ErrCode bridge_take(const BridgeOptions *o, const Bridge *b, const WireMessage *m,
                               size_t len, bool dead, Arena *a, bool *keep, int *delay_s,
                               int64_t *made, int64_t *died, Err *err);

#endif

/* deliver.h: sends what webhooks are to hear.
 *
 *   feed ──cursor of each webhook──► delivery rows ──due──► queue ──► threads ──► the address
 *          (one transaction: rows                                      │
 *           and the cursor's new place)      done, next attempt, failed┘ (one transaction: attempt and state)
 *
 * One planning thread; sending threads are started as needed, at most DELIVER_THREADS. An address gets
 * at most DELIVER_PER_WEBHOOK messages at once, so a slow one holds up nobody else. Messages to one
 * address begin in the order of events, but a failed one is overtaken.
 * A message that was being sent when the process died is sent again, under the same webhook-id:
 * receivers see each at least once.
 *
 * The planner sleeps until the next message is due or the feed's hook pokes it. Threads: open and close
 * from one thread; deliver_changed from any. */
#ifndef PLATEN_HOOK_DELIVER_H
#define PLATEN_HOOK_DELIVER_H

#include "flow/hub.h"
#include "hook/webhook.h"

enum { DELIVER_THREADS = 32, DELIVER_PER_WEBHOOK = 2, DELIVER_TIMEOUT_MS = 20000 };

typedef struct Deliver Deliver;
typedef struct DeliverOptions {
    Db *db;
    Hub *hub;
    const Seal *seal;
    const char *allow_private; /* net/outbound.h */
} DeliverOptions;

/* ERR_USAGE: allow_private is no list of ranges. */
MUST_CHECK ErrCode deliver_open(const DeliverOptions *o, Deliver **out, Err *err);
/* What is being sent is given up and sent again at the next start. */
void deliver_close(Deliver **d);
/* Webhooks or messages were changed by people: look at them. */
void deliver_changed(Deliver *d);

#endif

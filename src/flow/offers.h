/* offers.h: who waits for tasks of outside work: leases over HTTP, pushes, bridges.
 *
 *   OfferSub sub = {.fn = wake_me, .ctx = me};
 *   offers_listen(o, &sub);  …  offers_leave(o, &sub);     // after it returns, fn does not run
 *
 * The dispatcher calls offers_tell when a task became ready (or is due at run_at_ms) in a queue that
 * none of its lanes serves. Which task is not said: whoever listens leases, and finds it or not.
 *
 * Threads: any. fn runs on the writer's thread with the offers locked: it must not block, and hands
 * over. */
#ifndef PLATEN_FLOW_OFFERS_H
#define PLATEN_FLOW_OFFERS_H

#include "base/err.h"

typedef struct Offers Offers;
typedef struct OfferSub {
    void (*fn)(void *ctx, int64_t queue, int64_t run_at_ms); /* queue: queue_hash(name) */
    void *ctx;
    struct OfferSub *next, **link; /* the offers' */
} OfferSub;

Offers *offers_open(void); /* NULL: no memory */
void offers_close(Offers **o);
void offers_listen(Offers *o, OfferSub *sub);
void offers_leave(Offers *o, OfferSub *sub); /* allowed for a zeroed one */
void offers_tell(Offers *o, int64_t queue, int64_t run_at_ms);

#endif

/* lease.h: outside workers that lease tasks over HTTP, and wait for them without a thread each.
 *
 * POST /api/v1/queues/{queue}/lease looks at once; with `wait` and nothing there the request is
 * parked until a task becomes ready in the queue (flow/offers.h) or the time is up. Of those who
 * wait for a queue one per project is woken for each task, the one that waits longest; when it has
 * taken as much as it asked for, or has gone away meanwhile, the next is. One thread keeps deadlines
 * and the times of delayed tasks. Cost: one small struct per waiting request. */
#ifndef PLATEN_API_LEASE_H
#define PLATEN_API_LEASE_H

#include "api/call.h"

MUST_CHECK ErrCode leases_open(App *app, Leases **out, Err *err);
/* Answer all who wait now; further ones do not wait. Before http_close. */
void leases_stop(Leases *l);
/* After http_close. */
void leases_close(Leases **l);

#endif

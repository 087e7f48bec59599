/* push.h: queues whose tasks this server sends to an address, one request per task.
 *
 *   POST url   {"type":"queue.task","timestamp":…,"data":{the task, as a lease gives it}}
 *   webhook-id: task_…   webhook-timestamp, webhook-signature (Standard Webhooks, net/signing.h)
 *
 * The id is the same for every attempt of a task, so a receiver can tell a repetition. The answer is
 * the result:
 *
 *   2xx                       done; a JSON object is the job's data, other JSON its "value", text its "text"
 *   429, 503, 408, 5xx, 3xx   task_failed: tried again, not before Retry-After
 *   other 4xx                 task_refused: a dead letter
 *   no answer                 unreachable: tried again
 *
 * A queue has up to `concurrency` threads, started as there is work; they sleep until a task becomes
 * ready (flow/offers.h) or due. Requests go through the guard of net/outbound.h. At the end what
 * runs may finish for a while, then is given back without counting the attempt.
 *
 * Threads: open and close from one, push_changed from any. */
#ifndef PLATEN_HOOK_PUSH_H
#define PLATEN_HOOK_PUSH_H

#include "flow/offers.h"
#include "flow/outside.h"
#include "net/signing.h"

typedef struct Push Push;

typedef struct PushOptions {
    Db *db;
    Offers *offers;
    const char *allow_private; /* as in OutboundOptions; NULL: none */
} PushOptions;

MUST_CHECK ErrCode push_open(const PushOptions *o, Push **out, Err *err);
/* A queue's handler was set: look. */
void push_changed(Push *p);
/* At most grace_ms for what runs. Before the database closes. NULL allowed. */
void push_close(Push **p, int64_t grace_ms);

/* What a caller wants as handler: ERR_BAD_PARAM, ERR_ADDRESS_REFUSED. Without a secret one is made
 * into `made` and h->secret is it; made is "" otherwise. */
MUST_CHECK ErrCode push_check(const char *allow_private, QueueHandler *h,
                              char made[SIGNING_SECRET_SIZE], Err *err);

/* What an answer means for the task; pure but for the clock. r->data is in `a`. */
typedef struct OutboundAnswer OutboundAnswer;
void push_judge(const OutboundAnswer *answer, Arena *a, TaskResult *r);

#endif

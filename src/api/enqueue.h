/* enqueue.h: a job on its way to disk while no thread waits: the request is parked, the writer
 * adds the job with others, and the commit itself answers. */
#ifndef PLATEN_API_ENQUEUE_H
#define PLATEN_API_ENQUEUE_H

#include "api/call.h"

typedef struct Enqueue Enqueue;
/* In a write function: add the job e->id, set e->added. */
typedef ErrCode (*EnqueueFn)(DbConn *tx, Enqueue *e, Err *err);

/* Lives in the parked request's arena until the commit has answered. */
struct Enqueue {
    /* Set by the caller. */
    EnqueueFn add;
    const void *what; /* for `add` */
    int64_t id;
    int64_t wait; /* seconds to wait for the end before answering; 0: answer at once */
    Str accepted; /* the answer (202) when it is on disk; "": the job as it is then */

    JobAdded added;
    DbWrite write;
    App *app;
    HttpRequest *req;
    int64_t project;
};

/* The handler returns right after. */
void enqueue(Call *c, Enqueue *e);

/* SHA-256 over all that makes a request what it is, for its idempotency key; hex, in the arena. */
MUST_CHECK ErrCode enqueue_hash(Call *c, Str name, Str params, const JobFile *inputs, size_t len,
                                Str *out);

#endif

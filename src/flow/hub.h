/* hub.h: who listens to a job or to all jobs of a project.
 *
 *   HubSub sub = {.fn = wake_me, .ctx = me};
 *   hub_subscribe(hub, HUB_JOB, job, &sub);
 *   … read the job: what happened before is seen here, what happens after calls wake_me …
 *   hub_unsubscribe(hub, &sub);              // after it returns, fn does not run and will not
 *
 * The hub says that there is news, not what: the listener reads flow_events after the number it saw
 * last, so nothing is lost when two news become one. hub_news is O(1): one look when nobody
 * listens, one chain of a table otherwise. A HubSub is the caller's memory (200 bytes of nothing
 * else), so subscribing cannot fail.
 *
 * Threads: all from any thread. fn runs on the thread of hub_news (the writer's) with the hub
 * locked: it must not block and must not call the hub; it hands over and returns. */
#ifndef PLATEN_FLOW_HUB_H
#define PLATEN_FLOW_HUB_H

#include "flow/flow.h"

#include <stdatomic.h>

typedef struct Hub Hub;
/* HUB_FEED: rows of a project's feed (feed/feed.h), key 0: of all projects; fn gets the row's id
 * in place of a job's. */
typedef enum HubKind { HUB_JOB, HUB_PROJECT, HUB_FEED } HubKind;

typedef struct HubSub {
    void (*fn)(void *ctx, int64_t project, int64_t job);
    void *ctx;
    /* the hub's */
    HubKind kind;
    int64_t key;
    struct HubSub *next, **link;
} HubSub;

Hub *hub_open(void);     /* NULL: no memory */
void hub_close(Hub **h); /* nobody may be subscribed */
void hub_subscribe(Hub *h, HubKind kind, int64_t key, HubSub *sub);
/* Allowed for one that is not subscribed (zeroed). */
void hub_unsubscribe(Hub *h, HubSub *sub);
void hub_news(Hub *h, int64_t project, int64_t job);
void hub_feed(Hub *h, int64_t project, int64_t id);
size_t hub_count(Hub *h);

/* Wait until the job has ended, at most timeout_ms, and read it. OK with out->state still queued or
 * running: time is up. `stop` (NULL allowed) ends the wait early; it is looked at four times a
 * second. */
MUST_CHECK ErrCode hub_wait(Hub *h, Db *db, int64_t project, int64_t job, int64_t timeout_ms,
                            const atomic_bool *stop, Arena *a, Job *out, Err *err);
bool job_state_ended(JobState s);

#endif

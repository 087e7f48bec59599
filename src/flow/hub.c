/* hub.c: a table of listeners, chained by what they listen to. */
#include "flow/hub.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/thread.h"

#include <assert.h>
#include <stdlib.h>

enum { CHAINS = 4096, STOP_LOOK_MS = 250 };

struct Hub {
    _Atomic size_t count, feeds; /* feeds: those of HUB_FEED, which the others do not count */
    Mutex lock;                  /* guards the chains; held while listeners are called */
    HubSub *chains[CHAINS];
};

Hub *hub_open(void)
{
    Hub *h = fault_hit("hub.open") ? NULL : calloc(1, sizeof *h);
    if (h != NULL)
        mutex_init(&h->lock);
    return h;
}

void hub_close(Hub **h)
{
    if (*h == NULL)
        return;
    assert(hub_count(*h) == 0);
    mutex_done(&(*h)->lock);
    free(*h);
    *h = NULL;
}

static HubSub **chain_of(Hub *h, HubKind kind, int64_t key)
{
    uint64_t x = ((uint64_t)key + (uint64_t)kind) * 0x9e3779b97f4a7c15;
    return &h->chains[x >> 52]; /* the top 12 bits: CHAINS */
}

static _Atomic size_t *counter_of(Hub *h, HubKind kind)
{
    return kind == HUB_FEED ? &h->feeds : &h->count;
}

void hub_subscribe(Hub *h, HubKind kind, int64_t key, HubSub *sub)
{
    MUTEX_HELD(&h->lock);
    HubSub **chain = chain_of(h, kind, key);
    sub->kind = kind;
    sub->key = key;
    sub->next = *chain;
    sub->link = chain;
    if (sub->next != NULL)
        sub->next->link = &sub->next;
    *chain = sub;
    atomic_fetch_add(counter_of(h, kind), 1);
}

void hub_unsubscribe(Hub *h, HubSub *sub)
{
    MUTEX_HELD(&h->lock);
    if (sub->link == NULL)
        return;
    *sub->link = sub->next;
    if (sub->next != NULL)
        sub->next->link = sub->link;
    sub->next = NULL;
    sub->link = NULL;
    atomic_fetch_sub(counter_of(h, sub->kind), 1);
}

static void call_locked(Hub *h, HubKind kind, int64_t key, int64_t project, int64_t job)
{
    mutex_assert_held(&h->lock);
    for (HubSub *s = *chain_of(h, kind, key); s != NULL; s = s->next)
        if (s->kind == kind && s->key == key)
            s->fn(s->ctx, project, job);
}

void hub_news(Hub *h, int64_t project, int64_t job)
{
    /* Who subscribes after this look reads after the commit, and sees it. */
    if (atomic_load(&h->count) == 0)
        return;
    MUTEX_HELD(&h->lock);
    call_locked(h, HUB_JOB, job, project, job);
    call_locked(h, HUB_PROJECT, project, project, job);
}

void hub_feed(Hub *h, int64_t project, int64_t id)
{
    if (atomic_load(&h->feeds) == 0)
        return;
    MUTEX_HELD(&h->lock);
    call_locked(h, HUB_FEED, project, project, id);
    call_locked(h, HUB_FEED, 0, project, id);
}

size_t hub_count(Hub *h)
{
    return atomic_load(&h->count) + atomic_load(&h->feeds);
}

bool job_state_ended(JobState s)
{
    return s == JOB_DONE || s == JOB_FAILED || s == JOB_CANCELED;
}

typedef struct Waiter {
    Mutex lock; /* guards news */
    Cond wake;
    bool news;
} Waiter;

static void wake_waiter(void *ctx, int64_t project, int64_t job)
{
    (void)project;
    (void)job;
    Waiter *w = ctx;
    MUTEX_HELD(&w->lock);
    w->news = true;
    cond_signal(&w->wake);
}

/* True: there is news. False: it is time to look at the clock and at `stop`. */
static bool wait_for_news(Waiter *w, int64_t until_us)
{
    MUTEX_HELD(&w->lock);
    int64_t look_us = clock_mono_us() + STOP_LOOK_MS * 1000;
    while (!w->news)
        if (!cond_wait_until(&w->wake, &w->lock, look_us < until_us ? look_us : until_us))
            return false;
    w->news = false;
    return true;
}

static ErrCode wait_for_end(Waiter *w, Db *db, int64_t project, int64_t job, int64_t until_us,
                            const atomic_bool *stop, Arena *a, Job *out, Err *err)
{
    DbConn *reader = NULL;
    ErrCode rc = db_reader(db, &reader, err);
    ArenaMark mark = arena_mark(a);
    while (rc == OK) {
        arena_rewind(a, mark);
        rc = flow_get(reader, project, job, a, out, err);
        if (rc != OK || job_state_ended(out->state))
            return rc;
        do
            if (clock_mono_us() >= until_us || (stop != NULL && atomic_load(stop)))
                return OK;
        while (!wait_for_news(w, until_us));
    }
    return rc;
}

ErrCode hub_wait(Hub *h, Db *db, int64_t project, int64_t job, int64_t timeout_ms,
                 const atomic_bool *stop, Arena *a, Job *out, Err *err)
{
    Waiter w = {.news = false};
    HubSub sub = {.fn = wake_waiter, .ctx = &w};
    mutex_init(&w.lock);
    cond_init(&w.wake);
    hub_subscribe(h, HUB_JOB, job, &sub);
    ErrCode rc =
        wait_for_end(&w, db, project, job, clock_mono_us() + timeout_ms * 1000, stop, a, out, err);
    hub_unsubscribe(h, &sub);
    cond_done(&w.wake);
    mutex_done(&w.lock);
    return rc;
}

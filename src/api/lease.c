#include "api/lease.h"
#include "api/params.h"
#include "api/routes.h"
#include "base/clock.h"
#include "base/thread.h"
#include "flow/outside.h"

#include <stdlib.h>

/* As in wait.c: while a look is under way, news are only remembered; once armed, the first wake takes
 * the waiter.
 *
 *   LOOKING --news--> NEWS       ARMED --news, deadline, stop--> WOKEN (resumed: it looks again, or answers)
 *      \----------- arm --------->  ^                              ^
 *                    \--- NEWS ---------------- arm --------------/ */
enum { LOOKING, NEWS, ARMED, WOKEN };

typedef struct LeaseWaiter {
    struct LeaseWaiter *before, *next;
    HttpTicket ticket;
    int64_t project, queue; /* queue: its hash */
    int64_t deadline_us, due_ms, woken_us;
    int state;
} LeaseWaiter;

struct Leases {
    App *app;
    OfferSub sub;
    Mutex lock; /* guards the rest; inside it only http_resume is called */
    Cond changed;
    LeaseWaiter *first, *last; /* who waits longest comes first */
    bool stopping;
    pthread_t thread;
};

/* One request, in its own arena. */
typedef struct LeaseAsk {
    DbWrite write;
    App *app;
    HttpRequest *req;
    OutsideLease lease;
    Arena *arena;
    TaskLease *tasks;
    size_t tasks_len;
    int64_t due_ms;
    LeaseWaiter *waiter; /* NULL: it does not wait */
    ErrCode rc;
    Err err;
} LeaseAsk;

static void lease_look(HttpRequest *req);

/* --- who waits --- */

static void wake_locked(Leases *l, LeaseWaiter *w)
{
    mutex_assert_held(&l->lock);
    if (w->state == ARMED) {
        w->state = WOKEN;
        w->woken_us = clock_mono_us();
        http_resume(l->app->http, w->ticket, lease_look);
    } else if (w->state == LOOKING) {
        w->state = NEWS;
    }
}

/* The longest waiting of each project: a task is for one of them, and only leasing tells whose. Those
 * that are just looking hear of it too, but do not stand for others: their client may be gone. */
static void wake_queue_locked(Leases *l, int64_t queue)
{
    mutex_assert_held(&l->lock);
    int64_t projects[64];
    size_t n = 0;
    for (LeaseWaiter *w = l->first; w != NULL && n < COUNT_OF(projects); w = w->next) {
        if (w->queue != queue || w->state == WOKEN)
            continue;
        bool first = true;
        for (size_t i = 0; i < n && first; i++)
            first = projects[i] != w->project;
        if (!first)
            continue;
        if (w->state == ARMED)
            projects[n++] = w->project;
        wake_locked(l, w);
    }
}

static void on_offer(void *ctx, int64_t queue, int64_t run_at_ms)
{
    Leases *l = ctx;
    MUTEX_HELD(&l->lock);
    if (l->first == NULL)
        return;
    if (run_at_ms <= clock_now_ms()) {
        wake_queue_locked(l, queue);
        return;
    }
    for (LeaseWaiter *w = l->first; w != NULL; w = w->next)
        if (w->queue == queue && run_at_ms < w->due_ms)
            w->due_ms = run_at_ms;
    cond_signal(&l->changed);
}

static void forget_locked(Leases *l, LeaseWaiter *w)
{
    mutex_assert_held(&l->lock);
    if (w->before != NULL)
        w->before->next = w->next;
    else
        l->first = w->next;
    if (w->next != NULL)
        w->next->before = w->before;
    else
        l->last = w->before;
    free(w);
}

/* `pass`: what it was woken for may still be there. */
static void forget(Leases *l, LeaseWaiter **waiter, bool pass)
{
    LeaseWaiter *w = *waiter;
    if (w == NULL)
        return;
    MUTEX_HELD(&l->lock);
    int64_t queue = w->queue;
    forget_locked(l, w);
    *waiter = NULL;
    if (pass)
        wake_queue_locked(l, queue);
}

static LeaseWaiter *remember(Leases *l, const OutsideLease *lease, int64_t wait_s)
{
    LeaseWaiter *w = calloc(1, sizeof *w);
    if (w == NULL)
        return NULL;
    w->project = lease->project;
    w->queue = queue_hash(lease->queue);
    w->due_ms = INT64_MAX;
    MUTEX_HELD(&l->lock);
    w->deadline_us = l->stopping ? 0 : clock_mono_us() + wait_s * 1000000;
    w->before = l->last;
    if (l->last != NULL)
        l->last->next = w;
    else
        l->first = w;
    l->last = w;
    return w;
}

/* --- the thread --- */

/* Wake those whose time has come; when to look next. */
static int64_t wake_due_locked(Leases *l)
{
    mutex_assert_held(&l->lock);
    enum { LOOK_US = 1000000 }; /* the wall clock may be set while we wait for it */
    int64_t now_us = clock_mono_us(), now_ms = clock_now_ms(), next_us = INT64_MAX;
    for (LeaseWaiter *w = l->first; w != NULL; w = w->next) {
        if (w->state == WOKEN) { /* its client went in the moment of waking: another takes over */
            if (w->woken_us != 0 && now_us - w->woken_us > LOOK_US) {
                w->woken_us = 0;
                wake_queue_locked(l, w->queue);
            } else if (w->woken_us != 0) {
                next_us = now_us + LOOK_US < next_us ? now_us + LOOK_US : next_us;
            }
            continue;
        }
        int64_t left_us = w->due_ms == INT64_MAX ? INT64_MAX : (w->due_ms - now_ms) * 1000;
        if (l->stopping || w->deadline_us <= now_us || left_us <= 0) {
            w->due_ms = INT64_MAX;
            wake_locked(l, w);
            continue;
        }
        if (left_us > LOOK_US && left_us != INT64_MAX)
            left_us = LOOK_US;
        int64_t at_us = left_us == INT64_MAX ? w->deadline_us : now_us + left_us;
        at_us = at_us < w->deadline_us ? at_us : w->deadline_us;
        next_us = at_us < next_us ? at_us : next_us;
    }
    return next_us;
}

static void *keep_times(void *arg)
{
    Leases *l = arg;
    MUTEX_HELD(&l->lock);
    while (!l->stopping) {
        int64_t next_us = wake_due_locked(l);
        if (next_us == INT64_MAX)
            cond_wait(&l->changed, &l->lock);
        else
            (void)cond_wait_until(&l->changed, &l->lock, next_us);
    }
    (void)wake_due_locked(l);
    return NULL;
}

ErrCode leases_open(App *app, Leases **out, Err *err)
{
    Leases *l = calloc(1, sizeof *l);
    if (l == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory");
    l->app = app;
    l->sub = (OfferSub){.fn = on_offer, .ctx = l};
    mutex_init(&l->lock);
    cond_init(&l->changed);
    ErrCode rc = thread_start(&l->thread, "leases", keep_times, l, err);
    if (rc != OK) {
        cond_done(&l->changed);
        mutex_done(&l->lock);
        free(l);
        return rc;
    }
    offers_listen(app->offers, &l->sub);
    *out = l;
    return OK;
}

void leases_stop(Leases *l)
{
    {
        MUTEX_HELD(&l->lock);
        l->stopping = true;
        cond_signal(&l->changed);
    }
    pthread_join(l->thread, NULL);
}

void leases_close(Leases **leases)
{
    Leases *l = *leases;
    if (l == NULL)
        return;
    offers_leave(l->app->offers, &l->sub);
    mutex_lock(&l->lock);
    while (l->first != NULL) /* requests whose clients went away with the server */
        forget_locked(l, l->first);
    mutex_unlock(&l->lock);
    cond_done(&l->changed);
    mutex_done(&l->lock);
    free(l);
    *leases = NULL;
}

/* --- the answer --- */

static void answer(LeaseAsk *k)
{
    Call c;
    call_begin_public(k->req, &c);
    c.json = json_out(&c.body);
    ErrCode rc = k->tasks_len > 0 ? db_reader(k->app->db, &c.reader, &c.err) : OK;
    json_begin(&c.json, '{');
    json_key(&c.json, "tasks");
    json_begin(&c.json, '[');
    for (size_t i = 0; rc == OK && i < k->tasks_len; i++)
        rc = flow_put_task(c.reader, &k->tasks[i], k->lease.queue, c.arena, &c.json, &c.err);
    json_end(&c.json, ']');
    json_end(&c.json, '}');
    if (rc == OK)
        call_answer(&c, 200);
    else
        call_fail(&c); /* the leases run out, visibly */
}

/* --- the look --- */

static ErrCode lease_write(DbConn *tx, void *arg, Err *err)
{
    LeaseAsk *k = arg;
    k->tasks_len = 0;
    return flow_lease_outside_tx(tx, &k->lease, k->arena, &k->tasks, &k->tasks_len, &k->due_ms,
                                 err);
}

static bool is_over(Leases *l, const LeaseWaiter *w)
{
    MUTEX_HELD(&l->lock);
    return l->stopping || w->deadline_us <= clock_mono_us();
}

/* The client is gone, while its request was parked: on the loop's thread. */
static void on_gone(void *ctx, HttpTicket t)
{
    LeaseAsk *k = ctx;
    (void)t;
    forget(k->app->leases, &k->waiter, true);
}

/* The last thing the handler does: from here on the request may go at any moment. */
static void wait_for_news(LeaseAsk *k)
{
    Leases *l = k->app->leases;
    LeaseWaiter *w = k->waiter;
    HttpTicket ticket = http_park(k->req);
    http_on_gone(k->req, on_gone, k);
    MUTEX_HELD(&l->lock);
    w->ticket = ticket;
    w->due_ms = k->due_ms < w->due_ms ? k->due_ms : w->due_ms;
    bool news = w->state == NEWS || l->stopping;
    w->state = ARMED;
    if (news)
        wake_locked(l, w);
    else
        cond_signal(&l->changed);
}

/* On the pool, after the look. */
static void lease_looked(HttpRequest *req)
{
    LeaseAsk *k = req->state;
    Leases *l = k->app->leases;
    if (k->rc != OK) {
        forget(l, &k->waiter, true);
        http_answer_err(req, &k->err, (Str){0});
        return;
    }
    if (k->tasks_len > 0)
        work_lease_ends(k->app->work, k->tasks[0].lease_until_ms);
    if (k->tasks_len == 0 && k->waiter != NULL && !is_over(l, k->waiter)) {
        wait_for_news(k);
        return;
    }
    /* Who got all it asked for has perhaps left some. */
    forget(l, &k->waiter, k->tasks_len == (size_t)k->lease.max);
    answer(k);
}

static void lease_written(DbWrite *w, ErrCode rc, const Err *err)
{
    LeaseAsk *k = w->arg;
    k->rc = rc;
    if (rc != OK)
        k->err = *err;
    http_resume(k->app->http, k->req->ticket, lease_looked);
}

static void look(LeaseAsk *k)
{
    http_park(k->req);
    k->write = (DbWrite){.fn = lease_write, .done = lease_written, .arg = k};
    db_write_async(k->app->db, &k->write);
}

/* On the pool: woken by a task, the deadline, or the end of the server. */
static void lease_look(HttpRequest *req)
{
    LeaseAsk *k = req->state;
    Leases *l = k->app->leases;
    if (is_over(l, k->waiter)) {
        forget(l, &k->waiter, true);
        answer(k);
        return;
    }
    mutex_lock(&l->lock);
    k->waiter->state = LOOKING;
    mutex_unlock(&l->lock);
    look(k);
}

static ErrCode check_queue(Call *c, Str queue)
{
    if (!work_serves(c->app->work, queue))
        return OK;
    err_set(&c->err, ERR_BAD_PARAM,
            "queue must not be \"" STR_FMT "\": this server serves it itself", STR_ARG(queue));
    err_param(&c->err, "queue");
    return ERR_BAD_PARAM;
}

/* On the loop: nothing here waits. */
void queues_lease(HttpRequest *req)
{
    Call c;
    call_begin_public(req, &c);
    c.who = *(const Caller *)req->state;
    LeaseBody b = {0};
    ParamFaults faults = {0};
    LeaseAsk *k = arena_new(c.arena, LeaseAsk, 1);
    ErrCode rc = k != NULL ? OK : err_set(&c.err, ERR_NO_MEMORY, "no memory for the request");
    if (rc == OK)
        rc = call_body(&c, lease_body_params, &b, &faults);
    if (rc == OK)
        rc = check_queue(&c, req->params[0]);
    if (rc != OK) {
        call_refuse(&c, rc, &faults);
        return;
    }
    k->app = c.app;
    k->req = req;
    k->arena = req->arena;
    k->lease = (OutsideLease){.project = c.who.project,
                              .queue = req->params[0],
                              .worker = b.worker,
                              .max = (int)b.max,
                              .lease_ms = b.lease_seconds * 1000};
    if (b.wait > 0)
        k->waiter = remember(c.app->leases, &k->lease, b.wait);
    req->state = k;
    look(k);
}

#include "api/wait.h"
#include "api/routes.h"
#include "api/write.h"
#include "base/clock.h"
#include "base/thread.h"

#include <stdlib.h>

/* While the handler that made it still works on it, a waiter only remembers that there was news;
 * once armed, the first wake takes it.
 *
 *   SETTING_UP --news--> NEWS      ARMED --news, deadline, stop--> WOKEN (request resumed; its handler frees the waiter)
 *        \------------ arm --------->  ^                              ^
 *                       \-- NEWS ----------------- arm --------------/
 */
enum { SETTING_UP, NEWS, ARMED, WOKEN };

typedef struct Waiter {
    HubSub sub;
    Waiters *all;
    struct Waiter *before, *next;
    HttpTicket ticket;
    int64_t project, job, deadline_us;
    WaitAnswer answer;
    _Atomic int state;
} Waiter;

struct Waiters {
    App *app;
    Mutex lock; /* guards the list and `stopping` */
    Cond changed;
    Waiter *first;
    bool stopping;
    pthread_t thread;
};

static void continue_waiting(HttpRequest *req);

static void resume(Waiter *w)
{
    http_resume(w->all->app->http, w->ticket, continue_waiting);
}

/* From any thread; does not block. */
static void wake(Waiter *w)
{
    int armed = ARMED, setting_up = SETTING_UP;
    if (atomic_compare_exchange_strong(&w->state, &armed, WOKEN))
        resume(w);
    else if (armed == SETTING_UP)
        atomic_compare_exchange_strong(&w->state, &setting_up, NEWS);
}

/* The last thing the handler does with it: from here on it may be gone at any moment. */
static void arm(Waiter *w)
{
    int setting_up = SETTING_UP;
    if (atomic_compare_exchange_strong(&w->state, &setting_up, ARMED))
        return;
    atomic_store(&w->state, WOKEN);
    resume(w);
}

static void on_news(void *ctx, int64_t project, int64_t job)
{
    (void)project;
    (void)job;
    wake(ctx);
}

/* Wake those whose time is up; returns the next deadline, INT64_MAX when there is none. */
static int64_t wake_late_locked(Waiters *all, int64_t now_us)
{
    mutex_assert_held(&all->lock);
    int64_t next = INT64_MAX;
    for (Waiter *w = all->first; w != NULL; w = w->next) {
        if (atomic_load(&w->state) == WOKEN)
            continue;
        if (all->stopping || w->deadline_us <= now_us)
            wake(w);
        else if (w->deadline_us < next)
            next = w->deadline_us;
    }
    return next;
}

static void *keep_deadlines(void *arg)
{
    Waiters *all = arg;
    MUTEX_HELD(&all->lock);
    while (!all->stopping) {
        int64_t next = wake_late_locked(all, clock_mono_us());
        if (next == INT64_MAX)
            cond_wait(&all->changed, &all->lock);
        else
            cond_wait_until(&all->changed, &all->lock, next);
    }
    wake_late_locked(all, clock_mono_us());
    return NULL;
}

ErrCode waiters_open(App *app, Waiters **out, Err *err)
{
    Waiters *all = calloc(1, sizeof *all);
    if (all == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory");
    all->app = app;
    mutex_init(&all->lock);
    cond_init(&all->changed);
    ErrCode rc = thread_start(&all->thread, "platen-wait", keep_deadlines, all, err);
    if (rc != OK) {
        cond_done(&all->changed);
        mutex_done(&all->lock);
        free(all);
        return rc;
    }
    *out = all;
    return OK;
}

void waiters_stop(Waiters *all)
{
    {
        MUTEX_HELD(&all->lock);
        all->stopping = true;
        cond_signal(&all->changed);
    }
    pthread_join(all->thread, NULL);
}

static void forget(Waiter *w)
{
    hub_unsubscribe(w->all->app->hub, &w->sub);
    MUTEX_HELD(&w->all->lock);
    if (w->before != NULL)
        w->before->next = w->next;
    else
        w->all->first = w->next;
    if (w->next != NULL)
        w->next->before = w->before;
}

void waiters_close(Waiters **all)
{
    if (*all == NULL)
        return;
    while ((*all)->first != NULL) { /* requests whose clients went away with the server */
        Waiter *w = (*all)->first;
        forget(w);
        free(w);
    }
    cond_done(&(*all)->changed);
    mutex_done(&(*all)->lock);
    free(*all);
    *all = NULL;
}

static void remember(Waiter *w)
{
    MUTEX_HELD(&w->all->lock);
    w->next = w->all->first;
    if (w->next != NULL)
        w->next->before = w;
    w->all->first = w;
    if (w->all->stopping)
        w->deadline_us = 0;
    cond_signal(&w->all->changed);
}

static void answer_job(Call *c, const Job *job)
{
    Job shown = *job;
    nodes_read_waits(c, &shown);
    write_job(&c->json, &shown, c->app->registry, c->arena, true);
    call_answer(c, job_state_ended(job->state) ? 200 : 202);
}

/* The reading order matters: subscribed first, then read, so that an end between the two wakes
 * us. */
static void wait_until(Call *c, int64_t job, int64_t deadline_us, WaitAnswer answer)
{
    Waiter *w = calloc(1, sizeof *w);
    if (w == NULL) {
        err_set(&c->err, ERR_NO_MEMORY, "no memory to wait");
        call_fail(c);
        return;
    }
    *w = (Waiter){.all = c->app->waiters,
                  .project = c->who.project,
                  .job = job,
                  .deadline_us = deadline_us,
                  .answer = answer};
    w->sub = (HubSub){.fn = on_news, .ctx = w};
    c->req->state = w;
    w->ticket = http_park(c->req);
    hub_subscribe(c->app->hub, HUB_JOB, job, &w->sub);
    remember(w);
    JobStand now;
    if (flow_stand(c->reader, w->project, job, &now, NULL) != OK || job_state_ended(now.state))
        wake(w);
    arm(w);
}

/* On the pool: the job has ended, there is other news of it, or the time is up. News of a batch comes
 * with each of its items, so what is read for it must not grow with the job. */
static void continue_waiting(HttpRequest *req)
{
    Call c;
    Waiter *w = req->state;
    int64_t project = w->project, id = w->job, deadline_us = w->deadline_us;
    bool stopping = w->all->stopping;
    WaitAnswer answer = w->answer;
    forget(w);
    free(w);
    call_begin_public(req, &c);
    c.json = json_out(&c.body);
    c.who.project = project;
    Job job;
    JobStand now = {0};
    ErrCode rc = db_reader(c.app->db, &c.reader, &c.err);
    if (rc == OK)
        rc = flow_stand(c.reader, project, id, &now, &c.err);
    bool over = job_state_ended(now.state) || stopping || clock_mono_us() >= deadline_us;
    if (rc == OK && over)
        rc = flow_get(c.reader, project, id, c.arena, &job, &c.err);
    if (rc != OK)
        call_fail(&c);
    else if (over)
        answer(&c, &job);
    else
        wait_until(&c, id, deadline_us, answer);
}

void wait_for_job(Call *c, int64_t job, int64_t seconds)
{
    wait_for_job_then(c, job, seconds, answer_job);
}

void wait_for_job_then(Call *c, int64_t job, int64_t seconds, WaitAnswer answer)
{
    wait_until(c, job, clock_mono_us() + seconds * 1000000, answer);
}

#include "hook/push.h"
#include "base/clock.h"
#include "base/id.h"
#include "base/thread.h"
#include "net/outbound.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    PUSH_THREADS_MAX = 128, /* of all queues */
    LEASE_EXTRA_MS = 15000, /* more than a request may take */
    BODY_MAX = 4 << 20,
    TASK_MEMORY_MAX = 64 << 20,
    HANDLERS_MEMORY = 4 << 20,
    PAUSE_MS = 500,
};

typedef struct PushLane {
    /* Set when it is made, then constant. */
    Push *push;
    Arena *arena; /* the lane lies in it */
    QueueHandler h;
    int64_t hash;

    /* Push.lock */
    Cond wake;
    bool poked;     /* something may be ready */
    bool retired;   /* its handler was changed: the threads leave */
    int64_t due_ms; /* next delayed task; INT64_MAX: none known */
    int threads_len, idle, live;
    pthread_t threads[PUSH_CONCURRENCY_MAX];
    struct PushLane *next;
} PushLane;

struct Push {
    PushOptions o;
    OfferSub sub;
    Mutex lock; /* guards the lanes and the rest; never held while calling the database */
    Cond changed;
    PushLane *first;
    bool reload, stop;
    int threads;
    atomic_bool abort; /* requests end now */
    pthread_t manager;
};

/* --- one task --- */

typedef struct Runner {
    PushLane *lane;
    Arena *arena;
    Outbound *outbound;
    TaskLease *tasks;
    size_t len;
    int64_t due_ms;
    TaskResult result;
    bool give_back;
} Runner;

static ErrCode put_body(Runner *r, const TaskLease *t, Str *out, Err *err)
{
    char now[CLOCK_TEXT_SIZE];
    DbConn *reader = NULL;
    Buf b = buf_init(r->arena, BODY_MAX);
    JsonOut j = json_out(&b);
    ErrCode rc = db_reader(r->lane->push->o.db, &reader, err);
    clock_text(clock_now_ms(), now);
    json_begin(&j, '{');
    json_kv_c(&j, "type", "queue.task");
    json_kv_c(&j, "timestamp", now);
    json_key(&j, "data");
    if (rc == OK)
        rc = flow_put_task(reader, t, r->lane->h.queue, r->arena, &j, err);
    json_end(&j, '}');
    if (rc == OK && b.failed)
        rc = err_set(err, ERR_LIMIT_OUTPUT, "the task is larger than %d bytes", BODY_MAX);
    *out = buf_str(&b);
    return rc;
}

static ErrCode post(Runner *r, const TaskLease *t, OutboundAnswer *answer, Err *err)
{
    char id[ID_TEXT_SIZE];
    const QueueHandler *h = &r->lane->h;
    Str body, signature, headers[4];
    int64_t now_s = clock_now_ms() / 1000;
    ErrCode rc = put_body(r, t, &body, err);
    if (rc == OK)
        rc = signing_sign(&h->secret, 1, str_from_c(id_text("task", t->id, id)), now_s, body,
                          r->arena, &signature, err);
    if (rc != OK)
        return rc;
    headers[0] = STR("content-type: application/json");
    headers[1] = str_printf(r->arena, "webhook-id: %s", id);
    headers[2] = str_printf(r->arena, "webhook-timestamp: %" PRId64, now_s);
    headers[3] = str_printf(r->arena, "webhook-signature: " STR_FMT, STR_ARG(signature));
    for (size_t i = 0; i < COUNT_OF(headers); i++)
        if (headers[i].ptr == NULL)
            return err_set(err, ERR_NO_MEMORY, "pushing a task");
    const OutboundRequest request = {.method = "POST",
                                     .url = h->url,
                                     .headers = headers,
                                     .headers_len = COUNT_OF(headers),
                                     .body = body,
                                     .body_max = STEP_DATA_MAX,
                                     .total_ms = h->timeout_ms,
                                     .stop = &r->lane->push->abort};
    return outbound_send(r->outbound, r->arena, &request, answer, err);
}

static void put_data(const OutboundAnswer *answer, Arena *a, JsonOut *j)
{
    const Json *value = NULL;
    Str text = str_trim(answer->body);
    if (text.len == 0) {
        json_put_raw(j, STR("{}"));
        return;
    }
    bool is_json = json_parse(a, text, &value, NULL) == OK;
    if (is_json && json_is(value, JSON_OBJECT)) {
        json_put(j, value);
        return;
    }
    json_begin(j, '{');
    json_key(j, is_json ? "value" : "text");
    if (is_json)
        json_put(j, value);
    else
        json_put_str(j, text);
    json_end(j, '}');
}

static void judge_done(const OutboundAnswer *answer, Arena *a, TaskResult *r)
{
    Buf b = buf_init(a, STEP_DATA_MAX + KIB);
    JsonOut j = json_out(&b);
    if (!answer->cut)
        put_data(answer, a, &j);
    if (answer->cut || b.failed || b.len > STEP_DATA_MAX)
        r->code =
            err_set(&r->err, ERR_LIMIT_OUTPUT, "the answer is larger than %d bytes", STEP_DATA_MAX);
    else
        r->data = buf_str(&b);
}

void push_judge(const OutboundAnswer *answer, Arena *a, TaskResult *r)
{
    int s = answer->status;
    bool refused = s >= 400 && s < 500 && s != 408 && s != 425 && s != 429;
    if (s >= 200 && s < 300) {
        judge_done(answer, a, r);
        return;
    }
    Str shown = str_trim(str_slice(answer->body, 0, 160));
    r->code = err_set(&r->err, refused ? ERR_TASK_REFUSED : ERR_TASK_FAILED,
                      shown.len > 0 ? "status %d: " STR_FMT : "status %d", s, STR_ARG(shown));
    r->retry_after_ms = answer->retry_after_ms;
}

static void run(Runner *r)
{
    const TaskLease *t = &r->tasks[0];
    OutboundAnswer answer = {0};
    r->result = (TaskResult){
        .task = t->id, .job = t->job, .attempt = t->attempt, .started_ms = clock_now_ms()};
    ErrCode rc = post(r, t, &answer, &r->result.err);
    r->give_back = rc == ERR_SHUTTING_DOWN;
    r->result.code = rc;
    if (rc == OK)
        push_judge(&answer, r->arena, &r->result);
    r->result.finished_ms = clock_now_ms();
}

static ErrCode record_write(DbConn *tx, void *arg, Err *err)
{
    const Runner *r = arg;
    return r->give_back ? flow_give_back_tx(tx, r->result.task, r->result.attempt, err)
                        : flow_finish_tx(tx, &r->result, 1, err);
}

static void pause_ms(Push *p, Cond *wake, int64_t ms)
{
    MUTEX_HELD(&p->lock);
    int64_t until_us = clock_mono_us() + ms * 1000;
    while (!p->stop && clock_mono_us() < until_us)
        (void)cond_wait_until(wake, &p->lock, until_us);
}

/* Until it is on disk; when the server ends before, the lease is taken back at the next start. */
static void record(Runner *r)
{
    Push *p = r->lane->push;
    Err err = {0};
    while (db_write(p->o.db, record_write, r, &err) != OK && !atomic_load(&p->abort))
        pause_ms(p, &r->lane->wake, PAUSE_MS);
}

/* --- its lane --- */

static ErrCode lease_write(DbConn *tx, void *arg, Err *err)
{
    Runner *r = arg;
    const QueueHandler *h = &r->lane->h;
    const OutsideLease l = {.project = h->project,
                            .queue = h->queue,
                            .worker = STR("push"),
                            .max = 1,
                            .lease_ms = h->timeout_ms + LEASE_EXTRA_MS};
    arena_reset(r->arena);
    r->len = 0;
    return flow_lease_handler_tx(tx, &l, r->arena, &r->tasks, &r->len, &r->due_ms, err);
}

static void poke_locked(PushLane *l)
{
    mutex_assert_held(&l->push->lock);
    l->poked = true;
    if (l->idle > 0)
        cond_signal(&l->wake);
    else
        cond_signal(&l->push->changed); /* for a further thread, if there may be one */
}

/* Wait until there may be a task. False: leave. */
static bool wait_for_task(PushLane *l)
{
    enum { LOOK_MS = 1000 }; /* the wall clock may be set while we wait for it */
    Push *p = l->push;
    MUTEX_HELD(&p->lock);
    while (!p->stop && !l->retired) {
        int64_t left_ms = l->due_ms == INT64_MAX ? INT64_MAX : l->due_ms - clock_now_ms();
        if (l->poked || left_ms <= 0) {
            l->poked = false;
            if (left_ms <= 0)
                l->due_ms = INT64_MAX;
            return true;
        }
        l->idle++;
        if (left_ms == INT64_MAX)
            cond_wait(&l->wake, &p->lock);
        else
            (void)cond_wait_until(&l->wake, &p->lock,
                                  clock_mono_us() + (left_ms < LOOK_MS ? left_ms : LOOK_MS) * 1000);
        l->idle--;
    }
    return false;
}

static bool take(Runner *r)
{
    PushLane *l = r->lane;
    Err err = {0};
    while (wait_for_task(l)) {
        ErrCode rc = db_write(l->push->o.db, lease_write, r, &err);
        if (rc != OK)
            pause_ms(l->push, &l->wake, PAUSE_MS);
        MUTEX_HELD(&l->push->lock);
        if (rc != OK || r->len > 0)
            poke_locked(l); /* there may be more: for another thread, or this one later */
        if (rc == OK && r->len > 0)
            return true;
        if (rc == OK && r->due_ms < l->due_ms)
            l->due_ms = r->due_ms;
    }
    return false;
}

static void *lane_main(void *arg)
{
    PushLane *l = arg;
    Push *p = l->push;
    Err err = {0};
    Runner r = {.lane = l, .arena = arena_open(TASK_MEMORY_MAX)};
    const OutboundOptions o = {.allow_private = p->o.allow_private};
    if (r.arena != NULL && outbound_open(&o, &r.outbound, &err) == OK)
        while (take(&r)) {
            run(&r);
            record(&r);
        }
    outbound_close(&r.outbound);
    arena_close(&r.arena);
    MUTEX_HELD(&p->lock);
    l->live--;
    cond_signal(&p->changed);
    return NULL;
}

/* --- all lanes --- */

static void on_offer(void *ctx, int64_t queue, int64_t run_at_ms)
{
    Push *p = ctx;
    MUTEX_HELD(&p->lock);
    for (PushLane *l = p->first; l != NULL; l = l->next) {
        if (l->hash != queue || l->retired)
            continue;
        if (run_at_ms <= clock_now_ms()) {
            poke_locked(l);
        } else if (run_at_ms < l->due_ms) {
            l->due_ms = run_at_ms;
            if (l->threads_len == 0)
                l->poked = true; /* somebody has to wait for it */
            poke_locked(l);
        }
    }
}

static void start_threads_locked(Push *p)
{
    mutex_assert_held(&p->lock);
    char name[16];
    Err err = {0};
    for (PushLane *l = p->first; l != NULL; l = l->next) {
        bool wanted = l->poked && l->idle == 0 && !l->retired;
        if (!wanted || l->threads_len >= l->h.concurrency || p->threads >= PUSH_THREADS_MAX)
            continue;
        snprintf(name, sizeof name, "push-%.10s", l->h.queue.ptr);
        if (thread_start(&l->threads[l->threads_len], name, lane_main, l, &err) != OK)
            continue; /* those that run do it; with the next poke it is tried again */
        l->threads_len++;
        l->live++;
        p->threads++;
    }
}

static void lane_free(PushLane *l)
{
    for (int i = 0; i < l->threads_len; i++)
        pthread_join(l->threads[i], NULL);
    cond_done(&l->wake);
    Arena *a = l->arena;
    arena_close(&a);
}

/* Lanes of former handlers whose threads have all left. */
static void bury_locked(Push *p)
{
    mutex_assert_held(&p->lock);
    for (PushLane **at = &p->first; *at != NULL;) {
        PushLane *l = *at;
        if (!l->retired || l->live > 0) {
            at = &l->next;
            continue;
        }
        *at = l->next;
        p->threads -= l->threads_len;
        lane_free(l); /* its threads have let go of the lock for good */
    }
}

static bool is_served_locked(Push *p, const QueueHandler *h)
{
    for (const PushLane *l = p->first; l != NULL; l = l->next)
        if (!l->retired && l->h.project == h->project && str_eq(l->h.queue, h->queue))
            return true;
    return false;
}

static PushLane *lane_new(Push *p, const QueueHandler *h)
{
    Arena *a = arena_open(64 * KIB);
    PushLane *l = a != NULL ? arena_new(a, PushLane, 1) : NULL;
    if (l == NULL) {
        arena_close(&a);
        return NULL;
    }
    l->push = p;
    l->arena = a;
    l->h = *h;
    l->h.queue = str_from_c(str_to_c(a, h->queue));
    l->h.url = str_copy(a, h->url);
    l->h.secret = str_copy(a, h->secret);
    l->h.concurrency =
        h->concurrency < PUSH_CONCURRENCY_MAX ? h->concurrency : PUSH_CONCURRENCY_MAX;
    l->hash = queue_hash(h->queue);
    l->due_ms = INT64_MAX;
    l->poked = true; /* for what stands there already */
    cond_init(&l->wake);
    return l;
}

static bool is_same(const QueueHandler *a, const QueueHandler *b)
{
    return a->project == b->project && a->changed_ms == b->changed_ms && str_eq(a->queue, b->queue);
}

static void adopt_locked(Push *p, const QueueHandler *handlers, size_t len)
{
    mutex_assert_held(&p->lock);
    for (PushLane *l = p->first; l != NULL; l = l->next) {
        bool kept = false;
        for (size_t i = 0; i < len && !kept; i++)
            kept = is_same(&l->h, &handlers[i]);
        if (!kept && !l->retired) {
            l->retired = true;
            cond_broadcast(&l->wake);
        }
    }
    for (size_t i = 0; i < len; i++) {
        PushLane *l = is_served_locked(p, &handlers[i]) ? NULL : lane_new(p, &handlers[i]);
        if (l == NULL)
            continue;
        l->next = p->first;
        p->first = l;
    }
}

/* False: try again in a moment. */
static bool load(Push *p)
{
    CLEANUP(arena_close) Arena *a = arena_open(HANDLERS_MEMORY);
    DbConn *reader = NULL;
    QueueHandler *handlers = NULL;
    size_t len = 0;
    Err err = {0};
    if (a == NULL || db_reader(p->o.db, &reader, &err) != OK ||
        flow_handlers_push(reader, a, &handlers, &len, &err) != OK)
        return false;
    MUTEX_HELD(&p->lock);
    adopt_locked(p, handlers, len);
    return true;
}

static void *manage(void *arg)
{
    Push *p = arg;
    mutex_lock(&p->lock);
    while (!p->stop) {
        if (p->reload) {
            p->reload = false;
            mutex_unlock(&p->lock);
            bool loaded = load(p);
            mutex_lock(&p->lock);
            if (!loaded) {
                p->reload = true;
                (void)cond_wait_until(&p->changed, &p->lock, clock_mono_us() + PAUSE_MS * 1000);
                continue;
            }
        }
        bury_locked(p);
        start_threads_locked(p);
        if (!p->reload && !p->stop)
            cond_wait(&p->changed, &p->lock);
    }
    mutex_unlock(&p->lock);
    return NULL;
}

ErrCode push_open(const PushOptions *o, Push **out, Err *err)
{
    Push *p = calloc(1, sizeof *p);
    if (p == NULL)
        return err_set(err, ERR_NO_MEMORY, "starting the pushes");
    p->o = *o;
    p->reload = true;
    p->sub = (OfferSub){.fn = on_offer, .ctx = p};
    mutex_init(&p->lock);
    cond_init(&p->changed);
    ErrCode rc = thread_start(&p->manager, "push", manage, p, err);
    if (rc != OK) {
        cond_done(&p->changed);
        mutex_done(&p->lock);
        free(p);
        return rc;
    }
    offers_listen(o->offers, &p->sub);
    *out = p;
    return OK;
}

void push_changed(Push *p)
{
    MUTEX_HELD(&p->lock);
    p->reload = true;
    cond_signal(&p->changed);
}

static bool is_quiet_locked(const Push *p)
{
    for (const PushLane *l = p->first; l != NULL; l = l->next)
        if (l->live > 0)
            return false;
    return true;
}

void push_close(Push **push, int64_t grace_ms)
{
    Push *p = *push;
    if (p == NULL)
        return;
    offers_leave(p->o.offers, &p->sub);
    mutex_lock(&p->lock);
    p->stop = true;
    cond_broadcast(&p->changed);
    for (PushLane *l = p->first; l != NULL; l = l->next)
        cond_broadcast(&l->wake);
    mutex_unlock(&p->lock);
    pthread_join(p->manager, NULL);
    mutex_lock(&p->lock);
    int64_t until_us = clock_mono_us() + grace_ms * 1000;
    while (!is_quiet_locked(p) && clock_mono_us() < until_us)
        (void)cond_wait_until(&p->changed, &p->lock, until_us);
    mutex_unlock(&p->lock);
    atomic_store(&p->abort, true);
    while (p->first != NULL) {
        PushLane *l = p->first;
        p->first = l->next;
        lane_free(l);
    }
    cond_done(&p->changed);
    mutex_done(&p->lock);
    free(p);
    *push = NULL;
}

ErrCode push_check(const char *allow_private, QueueHandler *h, char made[SIGNING_SECRET_SIZE],
                   Err *err)
{
    CLEANUP(outbound_close) Outbound *o = NULL;
    made[0] = 0;
    if (h->url.len == 0) {
        err_set(err, ERR_BAD_PARAM, "url is required: where the tasks are sent");
        err_param(err, "url");
        return ERR_BAD_PARAM;
    }
    ErrCode rc = outbound_open(&(OutboundOptions){.allow_private = allow_private}, &o, err);
    if (rc == OK && (rc = outbound_check_url(o, h->url, err)) != OK)
        err_param(err, "url");
    if (rc == OK && h->secret.len > 0)
        return signing_secret_check(h->secret, err);
    if (rc == OK && (rc = signing_secret_make(made, err)) == OK)
        h->secret = str_from_c(made);
    return rc;
}

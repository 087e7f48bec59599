#include "hook/deliver.h"
#include "base/clock.h"
#include "base/id.h"
#include "base/log.h"
#include "base/thread.h"
#include "db/queries.h"
#include "net/outbound.h"

#include <stdlib.h>

enum {
    QUEUE_MAX = 64,
    GATHER_MS = 20,  /* between two looks at the feed: many events share one transaction */
    AGAIN_MS = 2000, /* after a failed read or write */
    TRIM_EVERY_MS = 3600 * 1000,
    LOOK_MS = 60 * 1000, /* the wall clock may be set while we sleep */
    LIST_MEMORY = 64 * 1024 * 1024,
    SENDING_MEMORY = 1024 * 1024,
};

/* One message on its way. */
typedef struct Sending {
    Arena *arena; /* holds it */
    Webhook hook;
    int64_t id, attempts, round; /* before this attempt */
    Str type, url, body;
    struct Sending *next;  /* in the queue */
    struct Sending *newer; /* in flight: in the queue or with a thread */
} Sending;

struct Deliver {
    DeliverOptions o;
    Mutex lock; /* guards all up to the next comment; inside the hub's */
    Cond plan, work;
    Sending *first, **last; /* the queue */
    Sending *flight;
    int queued, idle, threads;
    bool poked, stale; /* look again; the webhooks have changed */
    pthread_t sender[DELIVER_THREADS], planner;
    bool planner_runs;

    atomic_bool stop, news; /* news: the feed has grown since it was read */
    atomic_bool any;        /* there are webhooks at all */
    HubSub sub;

    /* The planner's. */
    Arena *list_arena, *arena;
    Webhook *hooks;
    size_t hooks_len, turn;
    int64_t trim_at_us, read_at_us;
};

/* --- what is in flight --- */

static void sending_free(Sending **s)
{
    Arena *a = *s != NULL ? (*s)->arena : NULL;
    *s = NULL;
    arena_close(&a);
}

static void land(Deliver *d, Sending *s)
{
    MUTEX_HELD(&d->lock);
    for (Sending **at = &d->flight; *at != NULL; at = &(*at)->newer)
        if (*at == s) {
            *at = s->newer;
            break;
        }
    d->poked = true;
    cond_signal(&d->plan);
}

typedef struct Flight {
    int64_t ids[DELIVER_PER_WEBHOOK];
    int len;
} Flight;

static Flight in_flight(Deliver *d, int64_t hook)
{
    MUTEX_HELD(&d->lock);
    Flight f = {.len = 0};
    for (const Sending *s = d->flight; s != NULL; s = s->newer)
        if (s->hook.id == hook && f.len < DELIVER_PER_WEBHOOK)
            f.ids[f.len++] = s->id;
    return f;
}

static bool flies(const Flight *f, int64_t id)
{
    for (int i = 0; i < f->len; i++)
        if (f->ids[i] == id)
            return true;
    return false;
}

/* --- sending --- */

typedef struct Outcome {
    const Sending *s;
    OutboundAnswer answer;
    ErrCode code;
    Err why;
    Str first_bytes; /* of the answer */
    int64_t began_ms, took_ms, next_ms;
    const char *state, *disable; /* disable: a reason, NULL: not */
} Outcome;

/* Valid UTF-8 without zeros, as PostgreSQL wants it. */
static Str shown(Str bytes, Arena *a)
{
    Buf b = buf_init(a, 4 * WEBHOOK_ANSWER_KEPT);
    Str s = str_slice(bytes, 0, WEBHOOK_ANSWER_KEPT);
    for (size_t at = 0; at < s.len;) {
        uint32_t cp = str_next_utf8(s, &at);
        buf_add_utf8(&b, cp != 0 ? cp : ' ');
    }
    return b.failed ? (Str){0} : buf_str(&b);
}

static void decide(Outcome *o)
{
    const Sending *s = o->s;
    int status = o->answer.status;
    bool asked = status == 429 || status == 503;
    double dice = (double)arc4random() / 4294967296.0;
    int64_t wait_ms = delivery_backoff_ms(s->round + 1, asked ? o->answer.retry_after_ms : 0, dice);
    bool hopeless = o->code == ERR_ADDRESS_REFUSED || o->code == ERR_BAD_PARAM;
    o->state = "failed";
    if (o->code == OK) {
        o->state = "done";
    } else if (status == 410) {
        o->disable = "gone";
    } else if (!hopeless && wait_ms < 0) {
        o->disable = err_reason(o->code);
    } else if (!hopeless) {
        o->state = "pending";
        o->next_ms = clock_now_ms() + wait_ms;
    }
    if (s->hook.callback)
        o->disable = NULL;
}

static ErrCode disable(DbConn *tx, const Outcome *o, Err *err)
{
    char subject[ID_TEXT_SIZE];
    const Webhook *w = &o->s->hook;
    int64_t changed = 0;
    ErrCode rc = db_exec(tx, &sql_webhook_disable,
                         DB_ARGS(DB_I(w->id), DB_S(str_from_c(o->disable)), DB_I(clock_now_ms())),
                         &changed, err);
    if (rc != OK || changed == 0)
        return rc;
    Buf b = buf_init(o->s->arena, 8 * KIB);
    JsonOut j = json_out(&b);
    json_begin(&j, '{');
    json_kv_str(&j, "url", w->url);
    json_kv_c(&j, "reason", o->disable);
    json_kv_c(&j, "detail", o->why.text);
    json_end(&j, '}');
    if (b.failed)
        return err_set(err, ERR_NO_MEMORY, "telling of a webhook");
    return feed_add_tx(tx,
                       &(FeedNew){.project = w->project,
                                  .type = STR("webhook.disabled"),
                                  .subject = str_from_c(id_text("whk", w->id, subject)),
                                  .data = buf_str(&b)},
                       err);
}

static ErrCode record_write(DbConn *tx, void *arg, Err *err)
{
    const Outcome *o = arg;
    const Sending *s = o->s;
    bool done = o->code == OK, ended = o->next_ms == 0;
    ErrCode rc = db_exec(
        tx, &sql_delivery_attempt_add,
        DB_ARGS(DB_I(s->id), DB_I(s->attempts + 1), DB_I(o->began_ms), DB_I(o->took_ms),
                DB_I(o->answer.status), done ? DB_N : DB_S(str_from_c(err_reason(o->code))),
                done ? DB_N : DB_S(str_from_c(o->why.text)), db_text_or_null(o->first_bytes)),
        NULL, err);
    if (rc == OK)
        rc = db_exec(tx, &sql_delivery_tried,
                     DB_ARGS(DB_I(s->id), DB_S(str_from_c(o->state)), DB_I(s->attempts + 1),
                             DB_I(s->round + 1), DB_I(o->next_ms), DB_I(o->answer.status),
                             DB_I(ended ? clock_now_ms() : 0)),
                     NULL, err);
    return rc == OK && o->disable != NULL ? disable(tx, o, err) : rc;
}

static ErrCode post(Deliver *d, Outbound *out, Sending *s, OutboundAnswer *answer, Err *err)
{
    enum { HEADERS = 4 };
    char id[ID_TEXT_SIZE];
    Str secrets[2], signature = {0}, headers[HEADERS];
    size_t len = 0;
    int64_t now_s = clock_now_ms() / 1000;
    id_text("msg", s->id, id);
    ErrCode rc = webhook_secrets(d->o.db, d->o.seal, &s->hook, s->arena, secrets, &len, err);
    if (rc == OK)
        rc = signing_sign(secrets, len, str_from_c(id), now_s, s->body, s->arena, &signature, err);
    if (rc != OK)
        return rc;
    headers[0] = STR("Content-Type: application/json");
    headers[1] = str_printf(s->arena, "webhook-id: %s", id);
    headers[2] = str_printf(s->arena, "webhook-timestamp: %" PRId64, now_s);
    headers[3] = str_printf(s->arena, "webhook-signature: " STR_FMT, STR_ARG(signature));
    for (size_t i = 0; i < HEADERS; i++)
        if (headers[i].ptr == NULL)
            return err_set(err, ERR_NO_MEMORY, "sending a message");
    const OutboundRequest r = {.method = "POST",
                               .url = s->url,
                               .headers = headers,
                               .headers_len = HEADERS,
                               .body = s->body,
                               .body_max = 4 * KIB,
                               .total_ms = DELIVER_TIMEOUT_MS,
                               .stop = &d->stop};
    return outbound_send(out, s->arena, &r, answer, err);
}

static void send_one(Deliver *d, Outbound *out, Sending *s)
{
    Outcome o = {.s = s, .began_ms = clock_now_ms()};
    int64_t began_us = clock_mono_us();
    o.code = post(d, out, s, &o.answer, &o.why);
    o.took_ms = (clock_mono_us() - began_us) / 1000;
    if (o.code == ERR_SHUTTING_DOWN)
        return;
    if (o.code == OK) {
        o.first_bytes = shown(o.answer.body, s->arena);
        o.code = outbound_verdict(&o.answer, &o.why);
    }
    decide(&o);
    Err err;
    if (db_write(d->o.db, record_write, &o, &err) != OK)
        return; /* the database has logged it; the message is still pending */
    if (o.disable != NULL)
        deliver_changed(d);
}

static Sending *take(Deliver *d)
{
    MUTEX_HELD(&d->lock);
    d->idle++;
    while (d->first == NULL && !atomic_load(&d->stop))
        cond_wait(&d->work, &d->lock);
    d->idle--;
    Sending *s = atomic_load(&d->stop) ? NULL : d->first;
    if (s == NULL)
        return NULL;
    d->first = s->next;
    if (d->first == NULL)
        d->last = &d->first;
    d->queued--;
    return s;
}

static void *sender_main(void *arg)
{
    Deliver *d = arg;
    CLEANUP(outbound_close) Outbound *out = NULL;
    Err err;
    if (outbound_open(&(OutboundOptions){.allow_private = d->o.allow_private}, &out, &err) != OK)
        return NULL; /* the planner goes on to start others */
    for (Sending *s; (s = take(d)) != NULL;) {
        send_one(d, out, s);
        land(d, s);
        sending_free(&s);
    }
    return NULL;
}

/* --- planning: the feed becomes messages --- */

typedef struct Ingest {
    const Webhook *hook;
    const FeedRow *rows;
    const Str *urls; /* of callbacks; .ptr NULL: not this row */
    size_t len;
    int64_t next;
    Arena *arena;
} Ingest;

static ErrCode ingest_write(DbConn *tx, void *arg, Err *err)
{
    const Ingest *in = arg;
    ErrCode rc = OK;
    for (size_t i = 0; rc == OK && i < in->len; i++) {
        ArenaMark mark = arena_mark(in->arena);
        if (in->urls != NULL && in->urls[i].ptr == NULL)
            continue;
        Str body = delivery_body(&in->rows[i], in->arena);
        rc = body.ptr != NULL
                 ? delivery_add_tx(tx, in->hook, &in->rows[i],
                                   in->urls != NULL ? in->urls[i] : STR(""), body, id_new(), err)
                 : err_set(err, ERR_NO_MEMORY, "making a message");
        arena_rewind(in->arena, mark);
    }
    return rc == OK ? db_exec(tx, &sql_webhook_move, DB_ARGS(DB_I(in->hook->id), DB_I(in->next)),
                              NULL, err)
                    : rc;
}

/* Which of the rows somebody wants to be called for. */
static ErrCode find_callbacks(DbConn *reader, Ingest *in, bool *any, Err *err)
{
    Str *urls = arena_new(in->arena, Str, in->len);
    if (urls == NULL)
        return err_set(err, ERR_NO_MEMORY, "looking for callbacks");
    ErrCode rc = OK;
    *any = false;
    for (size_t i = 0; rc == OK && i < in->len; i++) {
        CLEANUP(db_rows_done) DbRows rows = {0};
        rc = db_query(reader, &sql_callback_get, DB_ARGS(DB_I(in->rows[i].job)), &rows, err);
        while (rc == OK && db_next(&rows, &rc, err)) {
            urls[i] = db_str_copy(&rows, 0, in->arena);
            *any = true;
        }
    }
    in->urls = urls;
    return rc;
}

/* Messages for what has happened since. The cursor is stored with them; passing rows that nobody wants
 * is only remembered. */
static ErrCode ingest(Deliver *d, DbConn *reader, Webhook *w, Err *err)
{
    enum { PAGE = 200 };
    int64_t next = w->cursor;
    do {
        FeedRow *rows = NULL;
        bool gap = false, any = true;
        arena_reset(d->arena);
        w->cursor = next;
        Ingest in = {.hook = w, .arena = d->arena};
        ErrCode rc = feed_read(reader, w->project, w->cursor, w->types, PAGE, d->arena, &rows,
                               &in.len, &next, &gap, err);
        in.rows = rows;
        in.next = next;
        if (rc == OK && w->callback && in.len > 0)
            rc = find_callbacks(reader, &in, &any, err);
        if (rc == OK && in.len > 0 && any)
            rc = db_write(d->o.db, ingest_write, &in, err);
        if (rc != OK)
            return rc;
    } while (next != w->cursor && !atomic_load(&d->stop));
    return OK;
}

/* --- planning: messages that are due --- */

static ErrCode read_sending(const DbRows *rows, const Webhook *w, Sending **out, Err *err)
{
    Arena *a = arena_open(SENDING_MEMORY);
    Sending *s = a != NULL ? arena_new(a, Sending, 1) : NULL;
    if (s == NULL) {
        arena_close(&a);
        return err_set(err, ERR_NO_MEMORY, "sending a message");
    }
    *s = (Sending){.arena = a,
                   .hook = *w,
                   .id = db_int(rows, 0),
                   .type = db_str_copy(rows, 2, a),
                   .body = db_str_copy(rows, 4, a),
                   .attempts = db_int(rows, 5),
                   .round = db_int(rows, 6)};
    s->hook.url = str_copy(a, w->url);
    s->hook.secret = str_copy(a, w->secret);
    s->hook.old_secret = str_copy(a, w->old_secret);
    s->hook.types = s->hook.description = s->hook.disabled_for = STR("");
    s->url = db_is_null(rows, 3) ? s->hook.url : db_str_copy(rows, 3, a);
    *out = s;
    if (s->body.ptr != NULL && s->url.ptr != NULL && s->hook.secret.ptr != NULL &&
        s->hook.old_secret.ptr != NULL)
        return OK;
    sending_free(out);
    return err_set(err, ERR_NO_MEMORY, "sending a message");
}

static void start_thread(Deliver *d)
{
    mutex_assert_held(&d->lock);
    Err err;
    if (d->idle >= d->queued || d->threads == DELIVER_THREADS)
        return;
    if (thread_start(&d->sender[d->threads], "webhooks", sender_main, d, &err) == OK)
        d->threads++;
}

static void put(Deliver *d, Sending *s)
{
    MUTEX_HELD(&d->lock);
    s->next = NULL;
    *d->last = s;
    d->last = &s->next;
    s->newer = d->flight;
    d->flight = s;
    d->queued++;
    start_thread(d);
    cond_signal(&d->work);
}

static bool is_full(Deliver *d)
{
    MUTEX_HELD(&d->lock);
    return d->queued >= QUEUE_MAX;
}

/* What is due of one webhook, as far as it has room. Who is in flight is asked before the rows are
 * read: one that lands in between is excluded nevertheless. */
static ErrCode fill(Deliver *d, DbConn *reader, const Webhook *w, int64_t *next_ms, Err *err)
{
    Flight f = in_flight(d, w->id);
    int room = DELIVER_PER_WEBHOOK - f.len;
    int64_t now_ms = clock_now_ms(), due_ms = INT64_MAX;
    if (room == 0)
        return OK; /* the one that lands pokes */
    CLEANUP(db_rows_done) DbRows rows = {0};
    ErrCode rc =
        db_query(reader, &sql_delivery_due,
                 DB_ARGS(DB_I(w->id), DB_I(now_ms), DB_I(DELIVER_PER_WEBHOOK)), &rows, err);
    while (rc == OK && room > 0 && db_next(&rows, &rc, err)) {
        Sending *s = NULL;
        if (flies(&f, db_int(&rows, 0)))
            continue;
        rc = read_sending(&rows, w, &s, err);
        if (rc == OK)
            put(d, s);
        room--;
    }
    db_rows_done(&rows);
    if (rc == OK && room > 0)
        rc = db_get_int(reader, &sql_delivery_next, DB_ARGS(DB_I(w->id), DB_I(now_ms)), INT64_MAX,
                        &due_ms, err);
    *next_ms = due_ms < *next_ms ? due_ms : *next_ms;
    return rc;
}

/* --- the planner --- */

static ErrCode reload(Deliver *d, DbConn *reader, Err *err)
{
    arena_reset(d->list_arena);
    d->hooks_len = 0;
    ErrCode rc = webhook_active(reader, d->list_arena, &d->hooks, &d->hooks_len, err);
    atomic_store(&d->any, d->hooks_len > 0);
    atomic_store(&d->news, true); /* what happened before is read now */
    return rc;
}

static ErrCode ingest_all(Deliver *d, DbConn *reader, Err *err)
{
    ErrCode rc = OK;
    atomic_store(&d->news, false); /* first: what comes while we read sets it again */
    for (size_t i = 0; rc == OK && i < d->hooks_len; i++)
        rc = ingest(d, reader, &d->hooks[i], err);
    d->read_at_us = clock_mono_us();
    return rc;
}

/* Each time another one begins: the queue is short. */
static ErrCode fill_all(Deliver *d, DbConn *reader, int64_t *next_ms, Err *err)
{
    ErrCode rc = OK;
    for (size_t i = 0; rc == OK && i < d->hooks_len && !is_full(d); i++)
        rc = fill(d, reader, &d->hooks[(d->turn + i) % d->hooks_len], next_ms, err);
    d->turn++;
    return rc;
}

static ErrCode plan(Deliver *d, bool stale, int64_t *next_ms, Err *err)
{
    DbConn *reader = NULL;
    ErrCode rc = db_reader(d->o.db, &reader, err);
    if (rc == OK && stale)
        rc = reload(d, reader, err);
    if (rc == OK && atomic_load(&d->news))
        rc = ingest_all(d, reader, err);
    if (rc == OK)
        rc = fill_all(d, reader, next_ms, err);
    if (rc == OK && clock_mono_us() >= d->trim_at_us) {
        d->trim_at_us = clock_mono_us() + INT64_C(1000) * TRIM_EVERY_MS;
        rc = delivery_trim(d->o.db, err);
    }
    return rc;
}

static int64_t wake_at_us(const Deliver *d, int64_t next_ms)
{
    int64_t at_us = d->trim_at_us, now_us = clock_mono_us();
    int64_t left_ms = next_ms != INT64_MAX ? next_ms - clock_now_ms() : LOOK_MS;
    int64_t due_us = now_us + (left_ms < LOOK_MS ? left_ms : LOOK_MS) * 1000;
    return due_us < at_us ? due_us : at_us;
}

/* Until a message is due, somebody pokes, or the feed has grown and the last look is a while ago.
 * *stale: the webhooks are to be read again. */
static void rest(Deliver *d, int64_t next_ms, bool *stale)
{
    int64_t until_us = wake_at_us(d, next_ms), gather_us = d->read_at_us + GATHER_MS * 1000;
    MUTEX_HELD(&d->lock);
    while (!d->poked && !d->stale && !atomic_load(&d->stop)) {
        bool news = atomic_load(&d->news);
        if (!cond_wait_until(&d->plan, &d->lock,
                             news && gather_us < until_us ? gather_us : until_us))
            break;
    }
    *stale = d->stale;
    d->poked = d->stale = false;
}

static void *planner_main(void *arg)
{
    Deliver *d = arg;
    bool stale = true;
    while (!atomic_load(&d->stop)) {
        int64_t next_ms = INT64_MAX;
        Err err;
        if (plan(d, stale, &next_ms, &err) != OK) {
            next_ms = clock_now_ms() + AGAIN_MS; /* the database has logged why */
            deliver_changed(d);
            MUTEX_HELD(&d->lock);
            (void)cond_wait_until(&d->plan, &d->lock, clock_mono_us() + AGAIN_MS * 1000);
        }
        rest(d, next_ms, &stale);
    }
    return NULL;
}

/* On the writer's thread, for each row of any project. id 0: somebody wants callbacks. */
static void on_feed(void *ctx, int64_t project, int64_t id)
{
    Deliver *d = ctx;
    (void)project;
    if (id == 0) {
        deliver_changed(d);
        return;
    }
    if (!atomic_load(&d->any) || atomic_exchange(&d->news, true))
        return;
    MUTEX_HELD(&d->lock);
    cond_signal(&d->plan);
}

void deliver_changed(Deliver *d)
{
    MUTEX_HELD(&d->lock);
    d->stale = true;
    cond_signal(&d->plan);
}

/* --- open and close --- */

ErrCode deliver_open(const DeliverOptions *o, Deliver **out, Err *err)
{
    CLEANUP(outbound_close)
    Outbound *probe = NULL; /* the ranges are checked here, not by a thread */
    ErrCode rc = outbound_open(&(OutboundOptions){.allow_private = o->allow_private}, &probe, err);
    Deliver *d = rc == OK ? calloc(1, sizeof *d) : NULL;
    if (d == NULL)
        return rc != OK ? rc : err_set(err, ERR_NO_MEMORY, "starting webhooks");
    d->o = *o;
    d->last = &d->first;
    d->list_arena = arena_open(LIST_MEMORY);
    d->arena = arena_open(LIST_MEMORY);
    mutex_init(&d->lock);
    cond_init(&d->plan);
    cond_init(&d->work);
    d->sub = (HubSub){.fn = on_feed, .ctx = d};
    hub_subscribe(o->hub, HUB_FEED, 0, &d->sub);
    rc = d->list_arena != NULL && d->arena != NULL
             ? thread_start(&d->planner, "webhook-plan", planner_main, d, err)
             : err_set(err, ERR_NO_MEMORY, "starting webhooks");
    d->planner_runs = rc == OK;
    if (rc != OK)
        deliver_close(&d);
    *out = d;
    return rc;
}

static void stop_threads(Deliver *d)
{
    {
        MUTEX_HELD(&d->lock);
        atomic_store(&d->stop, true);
        cond_broadcast(&d->plan);
        cond_broadcast(&d->work);
    }
    if (d->planner_runs)
        pthread_join(d->planner, NULL); /* from here on nobody starts threads */
    {
        MUTEX_HELD(&d->lock);
        cond_broadcast(&d->work);
    }
    for (int i = 0; i < d->threads; i++)
        pthread_join(d->sender[i], NULL);
}

void deliver_close(Deliver **slot)
{
    Deliver *d = *slot;
    if (d == NULL)
        return;
    hub_unsubscribe(d->o.hub, &d->sub);
    stop_threads(d);
    for (Sending *s; (s = d->flight) != NULL;) {
        d->flight = s->newer;
        sending_free(&s);
    }
    cond_done(&d->plan);
    cond_done(&d->work);
    mutex_done(&d->lock);
    arena_close(&d->list_arena);
    arena_close(&d->arena);
    free(d);
    *slot = NULL;
}

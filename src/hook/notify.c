/* notify.c: one thread that reads the feed, writes what browsers are to hear, and sends it.
 *
 *   feed ──cursor (meta)──► push_message rows ──due──► the browser's push service
 *          (one transaction)                   arrived, later, or never (one transaction)
 *
 * A message that was being sent when the process died is sent again; its topic lets the push service
 * replace the one before. */
#include "base/clock.h"
#include "base/id.h"
#include "base/log.h"
#include "base/thread.h"
#include "db/queries.h"
#include "hook/browser.h"
#include "net/outbound.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    PAGE_ROWS = 200,
    DUE_ROWS = 16,
    BROWSERS_MAX = 10000,
    AGAIN_MS = 2000,
    NEWS_MS = 3600 * 1000,
    LOOK_MS = 60 * 1000,
    GATHER_MS = 50,
    SEND_MS = 10000,
    TRIM_EVERY_US = 600 * 1000 * 1000,
    TRIM_ROWS = 1000,
    MEMORY = 32 * 1024 * 1024,
    SPENT_SLOTS = 256,
};

/* Somebody to tell. */
typedef struct Listener {
    int64_t id, project, key;
    int wants;
    char language[8];
} Listener;

/* How many messages a browser got in the minute that began then. Two that meet share a slot's
 * memory, and the later one begins anew. */
typedef struct Spent {
    int64_t browser, since_us;
    int count;
} Spent;

struct Notify {
    NotifyOptions o;
    Mutex lock;
    Cond changed;
    bool poked; /* guarded by lock */
    pthread_t thread;
    bool runs;
    atomic_bool stop, news, any; /* any: there are browsers at all */
    HubSub sub;

    /* The thread's. */
    Arena *list_arena, *arena;
    Outbound *out;
    Listener *listeners;
    size_t len;
    Spent spent[SPENT_SLOTS];
    int64_t trim_at_us;
};

/* --- who listens --- */

static ErrCode read_listeners(Notify *n, DbConn *reader, Err *err)
{
    arena_reset(n->list_arena);
    n->len = 0;
    n->listeners = arena_new(n->list_arena, Listener, BROWSERS_MAX);
    if (n->listeners == NULL)
        return err_set(err, ERR_NO_MEMORY, "reading browsers");
    CLEANUP(db_rows_done) DbRows rows = {0};
    ErrCode rc = db_query(reader, &sql_browser_awake,
                          DB_ARGS(DB_I(0), DB_I(clock_now_ms()), DB_I(BROWSERS_MAX)), &rows, err);
    while (rc == OK && n->len < BROWSERS_MAX && db_next(&rows, &rc, err)) {
        Listener *l = &n->listeners[n->len++];
        Str language = str_slice(db_str(&rows, 3), 0, sizeof l->language - 1);
        *l = (Listener){.id = db_int(&rows, 0),
                        .project = db_int(&rows, 1),
                        .key = db_int(&rows, 2),
                        .wants = (int)db_int(&rows, 4)};
        memcpy(l->language, language.ptr, language.len);
    }
    atomic_store(&n->any, n->len > 0);
    return rc;
}

/* The key of the row's job; read once, and only when somebody of the project cares. */
static ErrCode job_key(DbConn *reader, const FeedRow *row, int64_t *key, Err *err)
{
    return *key != 0
               ? OK
               : db_get_int(reader, &sql_browser_job_key, DB_ARGS(DB_I(row->job)), -1, key, err);
}

static ErrCode concerns(DbConn *reader, const Listener *l, const FeedRow *row, int64_t *key,
                        bool *out, Err *err)
{
    bool failed = str_eq_c(row->type, "job.failed");
    *out = (failed && (l->wants & BROWSER_FAILED) != 0) ||
           (str_eq_c(row->type, "wait.approval") && (l->wants & BROWSER_APPROVALS) != 0);
    if (*out || (l->wants & BROWSER_MINE) == 0 || !str_starts(row->type, STR("job.")))
        return OK;
    ErrCode rc = job_key(reader, row, key, err);
    *out = rc == OK && *key == l->key;
    return rc;
}

static bool may_tell(Notify *n, int64_t browser)
{
    Spent *s = &n->spent[(uint64_t)browser % SPENT_SLOTS];
    int64_t now_us = clock_mono_us();
    if (s->browser != browser || now_us - s->since_us > INT64_C(60) * 1000000)
        *s = (Spent){.browser = browser, .since_us = now_us};
    return s->count++ < BROWSER_PER_MINUTE;
}

/* --- the feed becomes messages --- */

typedef struct Letter {
    int64_t browser;
    Str body, topic;
    bool urgent;
    struct Letter *next;
} Letter;

typedef struct Ingest {
    const Letter *first;
    int64_t cursor;
} Ingest;

static ErrCode ingest_write(DbConn *tx, void *arg, Err *err)
{
    const Ingest *in = arg;
    char text[24];
    ErrCode rc = OK;
    for (const Letter *l = in->first; rc == OK && l != NULL; l = l->next)
        rc = db_exec(tx, &sql_push_message_add,
                     DB_ARGS(DB_I(id_new()), DB_I(l->browser), DB_S(l->body), DB_S(l->topic),
                             DB_I(l->urgent), DB_I(clock_now_ms())),
                     NULL, err);
    snprintf(text, sizeof text, "%" PRId64, in->cursor);
    if (rc == OK)
        rc = db_exec(tx, &sql_meta_set,
                     DB_ARGS(DB_I(0), DB_S(str_from_c(browser_cursor_key)), DB_S(str_from_c(text))),
                     NULL, err);
    return rc;
}

static ErrCode write_letter(Notify *n, const Listener *l, const FeedRow *row, Letter **list,
                            Err *err)
{
    char topic[ID_TEXT_SIZE];
    Letter *letter = arena_new(n->arena, Letter, 1);
    if (letter == NULL)
        return err_set(err, ERR_NO_MEMORY, "telling browsers");
    *letter = (Letter){.browser = l->id,
                       .body = browser_body(row, str_from_c(l->language), n->arena),
                       .topic = str_copy(n->arena, str_from_c(id_text("evt", row->id, topic))),
                       .urgent = !str_eq_c(row->type, "job.done"),
                       .next = *list};
    *list = letter;
    return letter->body.ptr != NULL && letter->topic.ptr != NULL
               ? OK
               : err_set(err, ERR_NO_MEMORY, "telling browsers");
}

static ErrCode write_letters(Notify *n, DbConn *reader, const FeedRow *row, Letter **list, Err *err)
{
    int64_t key = 0;
    ErrCode rc = OK;
    for (size_t i = 0; rc == OK && i < n->len; i++) {
        const Listener *l = &n->listeners[i];
        bool hears = false;
        if (l->project == row->project && row->id > l->id) /* since it is there */
            rc = concerns(reader, l, row, &key, &hears, err);
        if (rc == OK && hears && may_tell(n, l->id))
            rc = write_letter(n, l, row, list, err);
    }
    return rc;
}

static ErrCode read_cursor(DbConn *reader, int64_t *out, Err *err)
{
    CLEANUP(db_rows_done) DbRows rows = {0};
    *out = 0;
    ErrCode rc = db_query(reader, &sql_meta_get,
                          DB_ARGS(DB_I(0), DB_S(str_from_c(browser_cursor_key))), &rows, err);
    while (rc == OK && db_next(&rows, &rc, err))
        if (!str_to_i64(db_str(&rows, 0), out))
            rc = err_set(err, ERR_DB_DAMAGED, "the place of pushes in the feed is no number");
    return rc;
}

static ErrCode ingest(Notify *n, DbConn *reader, Err *err)
{
    int64_t at = 0, next = 0;
    atomic_store(&n->news, false); /* first: what comes while we read sets it again */
    ErrCode rc = read_cursor(reader, &at, err);
    /* What is long over is no news, say after a time when nobody listened. */
    int64_t oldest = id_first(clock_now_ms() - NEWS_MS);
    at = at > oldest ? at : oldest;
    while (rc == OK && !atomic_load(&n->stop)) {
        FeedRow *rows = NULL;
        size_t len = 0;
        bool gap = false;
        Letter *letters = NULL;
        arena_reset(n->arena);
        rc = feed_read(reader, 0, at, STR("job.*,wait.approval"), PAGE_ROWS, n->arena, &rows, &len,
                       &next, &gap, err);
        if (rc != OK || next == at)
            return rc;
        for (size_t i = 0; rc == OK && i < len; i++)
            rc = write_letters(n, reader, &rows[i], &letters, err);
        Ingest in = {letters, next};
        if (rc == OK)
            rc = db_write(n->o.db, ingest_write, &in, err);
        at = next;
    }
    return rc;
}

/* --- sending --- */

typedef struct Due {
    int64_t id, browser, attempts;
    bool urgent;
    Str body, topic, endpoint, p256dh, auth, subject;
} Due;

typedef struct Outcome {
    const Due *due;
    bool arrived, gone; /* gone: the browser */
    int64_t next_ms;    /* 0: it is not tried again */
} Outcome;

static ErrCode outcome_write(DbConn *tx, void *arg, Err *err)
{
    const Outcome *o = arg;
    const Due *d = o->due;
    if (o->gone) {
        ErrCode rc = db_exec(tx, &sql_browser_gone, DB_ARGS(DB_I(d->browser)), NULL, err);
        return rc == OK ? db_exec(tx, &sql_push_message_drop, DB_ARGS(DB_I(d->browser)), NULL, err)
                        : rc;
    }
    if (o->next_ms != 0)
        return db_exec(tx, &sql_push_message_later,
                       DB_ARGS(DB_I(d->id), DB_I(d->attempts + 1), DB_I(o->next_ms)), NULL, err);
    ErrCode rc = db_exec(tx, &sql_push_message_end, DB_ARGS(DB_I(d->id)), NULL, err);
    return rc == OK && o->arrived
               ? db_exec(tx, &sql_browser_told, DB_ARGS(DB_I(d->browser), DB_I(clock_now_ms())),
                         NULL, err)
               : rc;
}

static ErrCode encrypt(Notify *n, const Due *d, Str *body, Err *err)
{
    static const SealPlace place = {.kind = "push", .name = {"auth", 4}};
    WebpushTarget to;
    Str auth;
    ErrCode rc = seal_read(n->o.seal, &place, d->auth, n->arena, &auth, err);
    if (rc == OK)
        rc = webpush_target(d->p256dh, auth, &to, err);
    return rc == OK ? webpush_encrypt(&to, d->body, n->arena, body, err) : rc;
}

static ErrCode post(Notify *n, const Due *d, OutboundAnswer *answer, Err *err)
{
    enum { HEADERS = 6 };
    WebpushPair pair;
    Str body = {0}, who = {0}, headers[HEADERS];
    ErrCode rc = browser_keys(n->o.db, n->o.seal, &pair, err);
    if (rc == OK)
        rc = encrypt(n, d, &body, err);
    if (rc == OK)
        rc = webpush_authorization(&pair, d->endpoint, d->subject, clock_now_ms() / 1000, n->arena,
                                   &who, err);
    if (rc != OK)
        return rc;
    headers[0] = STR("Content-Type: application/octet-stream");
    headers[1] = STR("Content-Encoding: aes128gcm");
    headers[2] = str_printf(n->arena, "TTL: %d", BROWSER_TTL_S);
    headers[3] = d->urgent ? STR("Urgency: high") : STR("Urgency: normal");
    headers[4] = str_printf(n->arena, "Topic: " STR_FMT, STR_ARG(d->topic));
    headers[5] = str_printf(n->arena, "Authorization: " STR_FMT, STR_ARG(who));
    for (size_t i = 0; i < HEADERS; i++)
        if (headers[i].ptr == NULL)
            return err_set(err, ERR_NO_MEMORY, "sending a push");
    const OutboundRequest r = {.method = "POST",
                               .url = d->endpoint,
                               .headers = headers,
                               .headers_len = HEADERS,
                               .body = body,
                               .body_max = 4 * KIB,
                               .total_ms = SEND_MS,
                               .stop = &n->stop};
    rc = outbound_send(n->out, n->arena, &r, answer, err);
    return rc == OK ? outbound_verdict(answer, err) : rc;
}

static ErrCode send_one(Notify *n, const Due *d, Err *err)
{
    OutboundAnswer answer = {0};
    Outcome o = {.due = d};
    Err why = {0};
    ErrCode rc = post(n, d, &answer, &why);
    if (rc == ERR_SHUTTING_DOWN)
        return OK;
    bool may_work = rc == ERR_REMOTE_FAILED || rc == ERR_UNREACHABLE || rc == ERR_NO_MEMORY;
    o.arrived = rc == OK;
    o.gone = answer.status == 404 || answer.status == 410;
    int64_t wait_ms = browser_backoff_ms(d->attempts + 1, answer.retry_after_ms);
    if (may_work && wait_ms >= 0)
        o.next_ms = clock_now_ms() + wait_ms;
    if (o.gone)
        LOG(INFO, BROWSER_GONE, KV("browser", d->browser), KV("status", answer.status));
    else if (rc != OK && o.next_ms == 0)
        LOG(WARN, BROWSER_REFUSED, KV("browser", d->browser), KV("status", answer.status),
            KV("detail", (const char *)why.text));
    return db_write(n->o.db, outcome_write, &o, err);
}

static bool read_due(const DbRows *rows, Arena *a, Due *d)
{
    *d = (Due){.id = db_int(rows, 0),
               .browser = db_int(rows, 1),
               .body = db_str_copy(rows, 2, a),
               .topic = db_str_copy(rows, 3, a),
               .urgent = db_int(rows, 4) != 0,
               .attempts = db_int(rows, 5),
               .endpoint = db_str_copy(rows, 6, a),
               .p256dh = db_str_copy(rows, 7, a),
               .auth = db_str_copy(rows, 8, a),
               .subject = db_str_copy(rows, 9, a)};
    return d->body.ptr != NULL && d->topic.ptr != NULL && d->endpoint.ptr != NULL &&
           d->p256dh.ptr != NULL && d->auth.ptr != NULL && d->subject.ptr != NULL;
}

/* *more: there may be further ones. */
static ErrCode send_due(Notify *n, DbConn *reader, bool *more, Err *err)
{
    size_t len = 0;
    arena_reset(n->arena);
    Due *due = arena_new(n->arena, Due, DUE_ROWS);
    if (due == NULL)
        return err_set(err, ERR_NO_MEMORY, "sending pushes");
    CLEANUP(db_rows_done) DbRows rows = {0};
    ErrCode rc = db_query(reader, &sql_push_message_due,
                          DB_ARGS(DB_I(clock_now_ms()), DB_I(DUE_ROWS)), &rows, err);
    while (rc == OK && len < DUE_ROWS && db_next(&rows, &rc, err))
        if (!read_due(&rows, n->arena, &due[len++]))
            rc = err_set(err, ERR_NO_MEMORY, "sending pushes");
    db_rows_done(&rows);
    *more = len == DUE_ROWS;
    for (size_t i = 0; rc == OK && i < len && !atomic_load(&n->stop); i++)
        rc = send_one(n, &due[i], err);
    return rc;
}

/* --- keeping --- */

static ErrCode trim_write(DbConn *tx, void *arg, Err *err)
{
    (void)arg;
    int64_t now_ms = clock_now_ms(), old = id_first(now_ms - INT64_C(1000) * BROWSER_TTL_S);
    ErrCode rc =
        db_exec(tx, &sql_push_message_trim, DB_ARGS(DB_I(old), DB_I(TRIM_ROWS)), NULL, err);
    return rc == OK ? db_exec(tx, &sql_browser_drop_asleep,
                              DB_ARGS(DB_I(now_ms), DB_I(0), DB_I(TRIM_ROWS)), NULL, err)
                    : rc;
}

static ErrCode trim(Notify *n, Err *err)
{
    if (clock_mono_us() < n->trim_at_us || !atomic_load(&n->any))
        return OK;
    n->trim_at_us = clock_mono_us() + TRIM_EVERY_US;
    return db_write(n->o.db, trim_write, n, err);
}

/* --- the thread --- */

static ErrCode work(Notify *n, int64_t *next_ms, Err *err)
{
    DbConn *reader = NULL;
    bool more = true;
    ErrCode rc = db_reader(n->o.db, &reader, err);
    if (rc == OK)
        rc = read_listeners(n, reader, err);
    if (rc == OK && n->len > 0)
        rc = ingest(n, reader, err);
    while (rc == OK && more && !atomic_load(&n->stop))
        rc = send_due(n, reader, &more, err);
    if (rc == OK)
        rc = trim(n, err);
    return rc == OK
               ? db_get_int(reader, &sql_push_message_next, DB_NO_ARGS, INT64_MAX, next_ms, err)
               : rc;
}

static void rest(Notify *n, int64_t next_ms)
{
    int64_t left_ms = next_ms != INT64_MAX ? next_ms - clock_now_ms() : LOOK_MS;
    int64_t now_us = clock_mono_us();
    int64_t until_us = now_us + (left_ms < LOOK_MS ? left_ms : LOOK_MS) * 1000;
    int64_t gather_us = now_us + GATHER_MS * 1000;
    MUTEX_HELD(&n->lock);
    while (!n->poked && !atomic_load(&n->stop)) {
        bool news = atomic_load(&n->news);
        if (!cond_wait_until(&n->changed, &n->lock,
                             news && gather_us < until_us ? gather_us : until_us))
            break;
    }
    n->poked = false;
}

static void *notify_main(void *arg)
{
    Notify *n = arg;
    while (!atomic_load(&n->stop)) {
        int64_t next_ms = INT64_MAX;
        Err err = {0};
        if (work(n, &next_ms, &err) != OK)
            next_ms = clock_now_ms() + AGAIN_MS; /* the database has logged why */
        rest(n, next_ms);
    }
    return NULL;
}

/* On the writer's thread, for each row of any project. */
static void on_feed(void *ctx, int64_t project, int64_t id)
{
    Notify *n = ctx;
    (void)project;
    (void)id;
    if (!atomic_load(&n->any) || atomic_exchange(&n->news, true))
        return;
    MUTEX_HELD(&n->lock);
    cond_signal(&n->changed);
}

void notify_changed(Notify *n)
{
    if (n == NULL)
        return;
    MUTEX_HELD(&n->lock);
    n->poked = true;
    cond_signal(&n->changed);
}

ErrCode notify_open(const NotifyOptions *o, Notify **out, Err *err)
{
    Notify *n = calloc(1, sizeof *n);
    if (n == NULL)
        return err_set(err, ERR_NO_MEMORY, "starting pushes");
    n->o = *o;
    mutex_init(&n->lock);
    cond_init(&n->changed);
    n->sub = (HubSub){.fn = on_feed, .ctx = n};
    hub_subscribe(o->hub, HUB_FEED, 0, &n->sub);
    n->list_arena = arena_open(MEMORY);
    n->arena = arena_open(MEMORY);
    ErrCode rc = outbound_open(&(OutboundOptions){.allow_private = o->allow_private}, &n->out, err);
    if (rc == OK && (n->list_arena == NULL || n->arena == NULL))
        rc = err_set(err, ERR_NO_MEMORY, "starting pushes");
    if (rc == OK)
        rc = thread_start(&n->thread, "browser-push", notify_main, n, err);
    n->runs = rc == OK;
    if (rc != OK)
        notify_close(&n);
    *out = n;
    return rc;
}

void notify_close(Notify **slot)
{
    Notify *n = *slot;
    if (n == NULL)
        return;
    hub_unsubscribe(n->o.hub, &n->sub);
    {
        MUTEX_HELD(&n->lock);
        atomic_store(&n->stop, true);
        cond_broadcast(&n->changed);
    }
    if (n->runs)
        pthread_join(n->thread, NULL);
    outbound_close(&n->out);
    cond_done(&n->changed);
    mutex_done(&n->lock);
    arena_close(&n->list_arena);
    arena_close(&n->arena);
    free(n);
    *slot = NULL;
}

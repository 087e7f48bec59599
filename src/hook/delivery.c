/* delivery.c: messages and their history. */
#include "base/clock.h"
#include "base/id.h"
#include "db/queries.h"
#include "hook/webhook.h"

enum { BODY_MAX = 20000, AGAIN_BATCH = 500, TRIM_BATCH = 1000, ATTEMPTS_SHOWN = 200 };

int64_t delivery_backoff_ms(int64_t attempt, int64_t asked_ms, double dice)
{
    static const int64_t seconds[WEBHOOK_ATTEMPTS - 1] = {5,     300,   1800,  7200, 18000,
                                                          36000, 50400, 72000, 86400};
    if (attempt < 1 || attempt >= WEBHOOK_ATTEMPTS)
        return -1;
    if (asked_ms > 0)
        return asked_ms;
    int64_t ms = seconds[attempt - 1] * 1000;
    return ms + (int64_t)((double)ms * 0.1 * dice);
}

Str delivery_body(const FeedRow *row, Arena *a)
{
    char text[CLOCK_TEXT_SIZE], id[ID_TEXT_SIZE];
    Buf b = buf_init(a, BODY_MAX);
    JsonOut j = json_out(&b);
    clock_text(row->time_ms, text);
    json_begin(&j, '{');
    json_kv_str(&j, "type", row->type);
    json_kv_c(&j, "timestamp", text);
    json_kv_c(&j, "id", id_text("evt", row->id, id));
    json_kv_c(&j, "job", row->job != 0 ? id_text("job", row->job, id) : NULL);
    if (row->subject.len > 0)
        json_kv_str(&j, "subject", row->subject);
    json_kv_raw(&j, "data", row->data);
    json_end(&j, '}');
    return b.failed ? (Str){0} : buf_str(&b);
}

ErrCode delivery_add_tx(DbConn *tx, const Webhook *w, const FeedRow *row, Str url, Str body,
                        int64_t id, Err *err)
{
    return db_exec(tx, &sql_delivery_add,
                   DB_ARGS(DB_I(id), DB_I(w->project), DB_I(w->id), DB_I(row->id), DB_S(row->type),
                           db_text_or_null(url), DB_S(body), DB_I(clock_now_ms())),
                   NULL, err);
}

/* --- ping --- */

typedef struct Ping {
    int64_t project, webhook, id;
} Ping;

static ErrCode ping_write(DbConn *tx, void *arg, Err *err)
{
    const Ping *p = arg;
    Webhook w;
    CLEANUP(arena_close) Arena *a = arena_open(MIB);
    if (a == NULL)
        return err_set(err, ERR_NO_MEMORY, "making a message");
    ErrCode rc = webhook_get(tx, p->project, p->webhook, a, &w, err);
    if (rc != OK)
        return rc;
    if (w.state != WEBHOOK_ACTIVE || w.callback)
        return err_set(err, ERR_CONFLICT, "the webhook is %s",
                       w.callback ? "for callbacks" : webhook_state_name(w.state));
    const FeedRow row = {.id = p->id,
                         .project = p->project,
                         .time_ms = clock_now_ms(),
                         .type = STR("webhook.ping"),
                         .data = STR("{}")};
    Str body = delivery_body(&row, a);
    if (body.ptr == NULL)
        return err_set(err, ERR_NO_MEMORY, "making a message");
    rc = delivery_add_tx(tx, &w, &row, STR(""), body, p->id, err);
    return rc;
}

ErrCode webhook_ping(Db *db, int64_t project, int64_t id, int64_t *delivery, Err *err)
{
    Ping p = {.project = project, .webhook = id, .id = id_new()};
    ErrCode rc = db_write(db, ping_write, &p, err);
    if (rc == OK)
        *delivery = p.id;
    return rc;
}

/* --- reading --- */

static ErrCode read_delivery(const DbRows *rows, Arena *a, Delivery *out, Err *err)
{
    *out = (Delivery){.id = db_int(rows, 0),
                      .webhook = db_int(rows, 1),
                      .event = db_int(rows, 2),
                      .type = db_str_copy(rows, 3, a),
                      .state = db_str_copy(rows, 4, a),
                      .attempts = db_int(rows, 5),
                      .next_ms = db_int(rows, 6),
                      .status = db_int(rows, 7),
                      .ended_ms = db_int(rows, 8)};
    if (out->type.ptr == NULL || out->state.ptr == NULL)
        return err_set(err, ERR_NO_MEMORY, "reading a message");
    return OK;
}

ErrCode delivery_list(DbConn *reader, int64_t project, int64_t webhook, bool failed, int64_t before,
                      int limit, Arena *a, Delivery **out, size_t *len, bool *more, Err *err)
{
    size_t n = 0;
    Delivery *items = arena_new(a, Delivery, (size_t)limit);
    if (items == NULL)
        return err_set(err, ERR_NO_MEMORY, "listing messages");
    CLEANUP(db_rows_done) DbRows rows = {0};
    ErrCode rc = db_query(reader, failed ? &sql_delivery_list_failed : &sql_delivery_list,
                          DB_ARGS(DB_I(project), DB_I(webhook),
                                  DB_I(before > 0 ? before : INT64_MAX), DB_I(limit + 1)),
                          &rows, err);
    for (*more = false; rc == OK && !*more && db_next(&rows, &rc, err);) {
        *more = n == (size_t)limit;
        if (!*more)
            rc = read_delivery(&rows, a, &items[n++], err);
    }
    *out = items;
    *len = n;
    return rc;
}

static ErrCode read_attempts(DbConn *reader, int64_t id, Arena *a, DeliveryAttempt **out,
                             size_t *len, Err *err)
{
    size_t n = 0;
    DeliveryAttempt *items = arena_new(a, DeliveryAttempt, ATTEMPTS_SHOWN);
    if (items == NULL)
        return err_set(err, ERR_NO_MEMORY, "reading attempts");
    CLEANUP(db_rows_done) DbRows rows = {0};
    ErrCode rc = db_query(reader, &sql_delivery_attempts, DB_ARGS(DB_I(id)), &rows, err);
    while (rc == OK && n < ATTEMPTS_SHOWN && db_next(&rows, &rc, err))
        items[n++] =
            (DeliveryAttempt){.number = db_int(&rows, 0),
                              .time_ms = db_int(&rows, 1),
                              .took_ms = db_int(&rows, 2),
                              .status = db_int(&rows, 3),
                              .reason = db_is_null(&rows, 4) ? STR("") : db_str_copy(&rows, 4, a),
                              .detail = db_is_null(&rows, 5) ? STR("") : db_str_copy(&rows, 5, a),
                              .answer = db_is_null(&rows, 6) ? STR("") : db_str_copy(&rows, 6, a)};
    *out = items;
    *len = n;
    return rc;
}

ErrCode delivery_get(DbConn *reader, int64_t project, int64_t webhook, int64_t id, Arena *a,
                     Delivery *out, DeliveryAttempt **attempts, size_t *len, Err *err)
{
    bool found = false;
    CLEANUP(db_rows_done) DbRows rows = {0};
    ErrCode rc = db_query(reader, &sql_delivery_get,
                          DB_ARGS(DB_I(project), DB_I(webhook), DB_I(id)), &rows, err);
    while (rc == OK && db_next(&rows, &rc, err)) {
        found = true;
        rc = read_delivery(&rows, a, out, err);
        out->body = db_str_copy(&rows, 9, a);
        out->url = db_is_null(&rows, 10) ? STR("") : db_str_copy(&rows, 10, a);
        if (out->body.ptr == NULL || out->url.ptr == NULL)
            return err_set(err, ERR_NO_MEMORY, "reading a message");
    }
    db_rows_done(&rows);
    if (rc == OK && !found)
        return err_set(err, ERR_NOT_FOUND, "there is no such message, or not any more");
    return rc == OK ? read_attempts(reader, id, a, attempts, len, err) : rc;
}

/* --- again --- */

typedef struct Again {
    int64_t project, webhook, id, count;
} Again;

static ErrCode again_write(DbConn *tx, void *arg, Err *err)
{
    Again *r = arg;
    return db_exec(tx, &sql_delivery_again,
                   DB_ARGS(DB_I(r->project), DB_I(r->webhook), DB_I(r->id), DB_I(clock_now_ms())),
                   &r->count, err);
}

ErrCode delivery_again(Db *db, int64_t project, int64_t webhook, int64_t id, Err *err)
{
    Again r = {project, webhook, id, 0};
    ErrCode rc = db_write(db, again_write, &r, err);
    return rc == OK && r.count == 0
               ? err_set(err, ERR_CONFLICT, "the message is pending, or there is none")
               : rc;
}

static ErrCode again_failed_write(DbConn *tx, void *arg, Err *err)
{
    Again *r = arg;
    return db_exec(tx, &sql_delivery_again_failed,
                   DB_ARGS(DB_I(r->project), DB_I(r->webhook), DB_I(r->id), DB_I(clock_now_ms()),
                           DB_I(AGAIN_BATCH)),
                   &r->count, err);
}

ErrCode delivery_again_failed(Db *db, int64_t project, int64_t webhook, int64_t since_ms,
                              int64_t *count, Err *err)
{
    Again r = {project, webhook, id_first(since_ms), 0};
    ErrCode rc = OK;
    *count = 0;
    do {
        rc = db_write(db, again_failed_write, &r, err);
        *count += rc == OK ? r.count : 0;
    } while (rc == OK && r.count == AGAIN_BATCH);
    return rc;
}

/* --- keeping --- */

typedef struct Trim {
    const Query *query;
    int64_t below, removed;
} Trim;

static ErrCode trim_write(DbConn *tx, void *arg, Err *err)
{
    Trim *t = arg;
    return db_exec(tx, t->query, DB_ARGS(DB_I(t->below), DB_I(TRIM_BATCH)), &t->removed, err);
}

ErrCode delivery_trim(Db *db, Err *err)
{
    static const Query *const queries[] = {&sql_delivery_attempt_drop_old, &sql_delivery_drop_old,
                                           &sql_callback_drop_old};
    ErrCode rc = OK;
    for (size_t i = 0; rc == OK && i < COUNT_OF(queries); i++) {
        Trim t = {.query = queries[i], .below = id_first(clock_now_ms() - WEBHOOK_KEPT_MS)};
        do
            rc = db_write(db, trim_write, &t, err);
        while (rc == OK && t.removed > 0);
    }
    return rc;
}

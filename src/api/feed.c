/* The project's feed: as a list, as a stream that never ends (SSE, resumed by Last-Event-ID), over a
 * WebSocket; and what callers publish themselves. */
#include "feed/feed.h"
#include "api/params.h"
#include "api/routes.h"
#include "api/stream.h"
#include "api/write.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/id.h"
#include "db/queries.h"

#define KIND_EVENT STR("event")
enum { KEY_MAX = 255 };

/* --- following --- */

static bool send_row(const Stream *s, const FeedRow *row, Arena *a)
{
    char id[ID_TEXT_SIZE];
    arena_reset(a);
    Buf b = buf_init(a, MIB);
    JsonOut j = json_out(&b);
    feed_put(&j, row);
    return !b.failed &&
           stream_send(s, a, str_from_c(id_text("evt", row->id, id)), row->type, buf_str(&b));
}

/* Rows that were to come next are gone: the reader must know that it has missed some. */
static bool send_gap(const Stream *s, int64_t next, Arena *a)
{
    const FeedRow row = {.id = next,
                         .time_ms = clock_now_ms(),
                         .type = STR("feed.gap"),
                         .subject = STR(""),
                         .data = STR("{\"detail\":\"older events are gone\"}")};
    return send_row(s, &row, a);
}

static bool send_page(Stream *s, const FeedPage *page, Arena *a)
{
    if (page->gap && !send_gap(s, s->sent, a))
        return false;
    for (size_t i = 0; i < page->len; i++)
        if (feed_type_matches(s->types, page->rows[i].type) && !send_row(s, &page->rows[i], a))
            return false;
    return true;
}

/* Where the stream begins: who loses the connection before the first event resumes from here. */
static bool send_place(Stream *s, Arena *a)
{
    char id[ID_TEXT_SIZE];
    s->begun = true;
    return stream_send(s, a, str_from_c(id_text("evt", s->sent, id)), STR(""), STR(""));
}

static bool send_news(Stream *s, Arena *a)
{
    FeedPage page = {0};
    if (!s->begun && !send_place(s, a))
        return true;
    do {
        if (!stream_feed(s, &page) || !send_page(s, &page, a))
            return true;
        s->sent = page.next;
    } while (page.len > 0);
    return false;
}

/* "evt_…", also from Last-Event-ID, which is newer. *given: there was one. */
static ErrCode read_place(Call *c, Str after, int64_t *id, bool *given)
{
    Str last = http_header(c->req, "last-event-id");
    Str text = last.len > 0 ? last : after;
    *given = text.len > 0;
    *id = 0;
    if (*given && !id_parse("evt", text, id)) {
        err_set(&c->err, ERR_BAD_PARAM, "\"%.40s\" is no event's id, evt_…",
                text.ptr != NULL ? str_to_c(c->arena, str_slice(text, 0, 40)) : "");
        err_param(&c->err, last.len > 0 ? "Last-Event-ID" : "after");
        return ERR_BAD_PARAM;
    }
    return OK;
}

/* A stream without a place begins now. */
static void follow(Call *c, const FeedQuery *q, int64_t after, bool given, bool socket)
{
    Stream *s = NULL;
    ErrCode rc = given ? OK : feed_last(c->reader, c->who.project, &after, &c->err);
    if (rc == OK)
        s = stream_new(c, send_news, 0, q->types, socket);
    if (s == NULL) {
        call_fail(c);
        return;
    }
    s->sent = after;
    stream_start(c, s);
}

static void list(Call *c, const FeedQuery *q, int64_t after)
{
    FeedRow *rows = NULL;
    size_t len = 0;
    int64_t next = after, was;
    bool gap = false, any_gap = false;
    ErrCode rc;
    do { /* filtered rows are passed until there is something to show */
        was = next;
        rc = feed_read(c->reader, c->who.project, was, q->types, (int)q->limit, c->arena, &rows,
                       &len, &next, &gap, &c->err);
        any_gap |= gap;
    } while (rc == OK && len == 0 && next != was);
    if (rc != OK) {
        call_fail(c);
        return;
    }
    json_begin(&c->json, '{');
    json_key(&c->json, "events");
    json_begin(&c->json, '[');
    for (size_t i = 0; i < len; i++)
        feed_put(&c->json, &rows[i]);
    json_end(&c->json, ']');
    write_id(&c->json, "next", "evt", next);
    json_kv_bool(&c->json, "gap", any_gap);
    json_end(&c->json, '}');
    call_answer(c, 200);
}

static bool begin(HttpRequest *req, Call *c, FeedQuery *q, int64_t *after, bool *given)
{
    ParamFaults faults = {0};
    if (!call_begin(req, c))
        return false;
    ErrCode rc = call_query(c, feed_query_params, q, &faults);
    if (rc == OK)
        rc = feed_check_types(q->types, &c->err);
    if (rc == OK)
        rc = read_place(c, q->after, after, given);
    if (rc != OK)
        call_refuse(c, rc, &faults);
    return rc == OK;
}

void feed_events(HttpRequest *req)
{
    Call c;
    FeedQuery q = {0};
    int64_t after = 0;
    bool given = false;
    if (!begin(req, &c, &q, &after, &given))
        return;
    if (str_find(http_header(req, "accept"), STR("text/event-stream")) != STR_NONE)
        follow(&c, &q, after, given, false);
    else
        list(&c, &q, after);
}

void feed_socket(HttpRequest *req)
{
    Call c;
    FeedQuery q = {0};
    int64_t after = 0;
    bool given = false;
    if (begin(req, &c, &q, &after, &given))
        follow(&c, &q, after, given, true);
}

/* --- publishing --- */

typedef struct Publish {
    const FeedNew *row;
    Str key, hash;
    int64_t id;
    bool existed;
} Publish;

static ErrCode known_key(DbConn *tx, Publish *p, Err *err)
{
    CLEANUP(db_rows_done) DbRows rows = {0};
    ErrCode rc = db_query(tx, &sql_idempotency_get, DB_ARGS(DB_I(p->row->project), DB_S(p->key)),
                          &rows, err);
    p->existed = false;
    while (rc == OK && db_next(&rows, &rc, err)) {
        if (!str_eq(db_str(&rows, 0), p->hash) || !str_eq(db_str(&rows, 1), KIND_EVENT))
            return err_set(err, ERR_IDEMPOTENCY_MISMATCH,
                           "the idempotency key came with another request before");
        p->existed = true;
        p->id = db_int(&rows, 2);
    }
    return rc;
}

static ErrCode publish_write(DbConn *tx, void *arg, Err *err)
{
    Publish *p = arg;
    ErrCode rc = p->key.len > 0 ? known_key(tx, p, err) : OK;
    if (rc != OK || p->existed)
        return rc;
    p->id = id_new();
    rc = feed_add_as_tx(tx, p->id, p->row, err);
    if (rc == OK && p->key.len > 0)
        rc = db_exec(tx, &sql_idempotency_add,
                     DB_ARGS(DB_I(p->row->project), DB_S(p->key), DB_S(p->hash), DB_S(KIND_EVENT),
                             DB_I(p->id), DB_I(clock_now_ms())),
                     NULL, err);
    return rc;
}

static bool hash_of(Arena *a, const FeedNew *n, char out[HASH_HEX_SIZE])
{
    Str all = str_printf(a, STR_FMT "\n" STR_FMT "\n" STR_FMT, STR_ARG(n->type),
                         STR_ARG(n->subject), STR_ARG(n->data));
    return all.ptr != NULL && hash_sha256(all, out);
}

static ErrCode bad(Call *c, const char *param, const char *why)
{
    err_set(&c->err, ERR_BAD_PARAM, "%s", why);
    err_param(&c->err, param);
    return ERR_BAD_PARAM;
}

/* The body as a row. */
static ErrCode read_event(Call *c, const PublishBody *body, FeedNew *out)
{
    ErrCode rc = feed_check_type(body->type, &c->err);
    if (rc != OK)
        return rc;
    if (body->data != NULL && !json_is(body->data, JSON_OBJECT) && !json_is(body->data, JSON_NULL))
        return bad(c, "data", "data must be a JSON object");
    *out = (FeedNew){.project = c->who.project, .type = body->type, .subject = body->subject};
    if (!json_is(body->data, JSON_OBJECT))
        return OK;
    Buf b = buf_init(c->arena, FEED_DATA_MAX);
    JsonOut j = json_out(&b);
    json_put(&j, body->data);
    if (b.failed)
        return bad(c, "data", "data must be at most 16 KiB of JSON");
    out->data = buf_str(&b);
    return OK;
}

void feed_publish(HttpRequest *req)
{
    Call c;
    PublishBody body = {0};
    ParamFaults faults = {0};
    FeedNew row = {0};
    FeedRow got;
    char hash[HASH_HEX_SIZE];
    if (!call_begin(req, &c))
        return;
    Publish p = {.row = &row, .key = http_header(req, "idempotency-key")};
    ErrCode rc = call_body(&c, publish_body_params, &body, &faults);
    if (rc == OK && p.key.len > KEY_MAX)
        rc = bad(&c, "Idempotency-Key", "Idempotency-Key must be at most 255 bytes");
    if (rc == OK)
        rc = read_event(&c, &body, &row);
    if (rc == OK && !hash_of(c.arena, &row, hash))
        rc = err_set(&c.err, ERR_NO_MEMORY, "no memory for an event");
    if (rc == OK) {
        p.hash = (Str){hash, HASH_HEX_SIZE - 1};
        rc = db_write(c.app->db, publish_write, &p, &c.err);
    }
    if (rc == OK)
        rc = feed_get(c.reader, c.who.project, p.id, c.arena, &got, &c.err);
    if (rc != OK) {
        call_refuse(&c, rc, &faults);
        return;
    }
    feed_put(&c.json, &got);
    call_answer(&c, 201);
}

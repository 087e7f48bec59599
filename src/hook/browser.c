/* browser.c: which browsers there are, and the keys of the one who writes to them. */
#include "hook/browser.h"
#include "base/clock.h"
#include "base/id.h"
#include "db/queries.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>

enum { DETAIL_MAX = 300, TITLE_MAX = 100 };
static const char vapid_key[] = "push.vapid";
const char browser_cursor_key[] = "push.cursor";

/* --- the sender's keys --- */

static const SealPlace vapid_place = {.kind = "push", .name = {"vapid", 5}};

/* *found false: there are none yet. */
static ErrCode read_keys(DbConn *c, const Seal *seal, WebpushPair *out, bool *found, Err *err)
{
    CLEANUP(arena_close) Arena *a = arena_open(64 * KIB);
    CLEANUP(db_rows_done) DbRows rows = {0};
    unsigned char raw[WEBPUSH_PRIVATE];
    Str text;
    *found = false;
    if (a == NULL)
        return err_set(err, ERR_NO_MEMORY, "reading the keys of pushes");
    ErrCode rc =
        db_query(c, &sql_meta_get, DB_ARGS(DB_I(0), DB_S(str_from_c(vapid_key))), &rows, err);
    if (rc != OK || !db_next(&rows, &rc, err))
        return rc;
    rc = seal_read(seal, &vapid_place, db_str(&rows, 0), a, &text, err);
    if (rc == OK && !webpush_bytes(text, raw, sizeof raw))
        rc = err_set(err, ERR_SECRET_KEY, "the keys of pushes are damaged");
    if (rc == OK)
        rc = webpush_pair_of(raw, out, err);
    OPENSSL_cleanse(raw, sizeof raw);
    *found = rc == OK;
    return rc;
}

typedef struct KeyWrite {
    const Seal *seal;
    WebpushPair *out;
} KeyWrite;

/* Two threads may come here; the second finds what the first has made. */
static ErrCode write_keys(DbConn *tx, void *arg, Err *err)
{
    const KeyWrite *w = arg;
    bool found = false;
    Str sealed;
    CLEANUP(arena_close) Arena *a = arena_open(64 * KIB);
    if (a == NULL)
        return err_set(err, ERR_NO_MEMORY, "making the keys of pushes");
    ErrCode rc = read_keys(tx, w->seal, w->out, &found, err);
    if (rc != OK || found)
        return rc;
    rc = webpush_pair_make(w->out, err);
    if (rc != OK)
        return rc;
    Str text = webpush_text(a, w->out->private_key, WEBPUSH_PRIVATE);
    if (text.ptr == NULL)
        return err_set(err, ERR_NO_MEMORY, "making the keys of pushes");
    rc = seal_text(w->seal, &vapid_place, text, a, &sealed, err);
    if (rc == OK)
        rc = db_exec(tx, &sql_meta_set, DB_ARGS(DB_I(0), DB_S(str_from_c(vapid_key)), DB_S(sealed)),
                     NULL, err);
    return rc;
}

ErrCode browser_keys(Db *db, const Seal *seal, WebpushPair *out, Err *err)
{
    DbConn *reader = NULL;
    bool found = false;
    KeyWrite w = {seal, out};
    ErrCode rc = db_reader(db, &reader, err);
    if (rc == OK)
        rc = read_keys(reader, seal, out, &found, err);
    return rc != OK || found ? rc : db_write(db, write_keys, &w, err);
}

/* --- coming and going --- */

typedef struct Add {
    const Browser *b;
    Str p256dh, auth; /* auth: sealed */
    int64_t id;
} Add;

/* The first browser begins with what happens from now on. */
static ErrCode begin_cursor(DbConn *tx, Err *err)
{
    int64_t any = 0, last = 0;
    char text[24];
    ErrCode rc = db_get_int(tx, &sql_browser_any, DB_NO_ARGS, 0, &any, err);
    if (rc != OK || any)
        return rc;
    rc = feed_last(tx, 0, &last, err);
    if (rc != OK)
        return rc;
    snprintf(text, sizeof text, "%" PRId64, last);
    return db_exec(tx, &sql_meta_set,
                   DB_ARGS(DB_I(0), DB_S(str_from_c(browser_cursor_key)), DB_S(str_from_c(text))),
                   NULL, err);
}

static ErrCode add_write(DbConn *tx, void *arg, Err *err)
{
    Add *add = arg;
    const Browser *b = add->b;
    int64_t others = 0;
    ErrCode rc =
        db_get_int(tx, &sql_browser_count,
                   DB_ARGS(DB_I(b->project), DB_I(b->key), DB_S(b->endpoint)), 0, &others, err);
    if (rc == OK && others >= BROWSERS_PER_KEY)
        return err_set(err, ERR_LIMIT_COUNT, "a key has at most %d browsers", BROWSERS_PER_KEY);
    if (rc == OK)
        rc = begin_cursor(tx, err);
    if (rc == OK)
        rc = db_exec(tx, &sql_browser_put,
                     DB_ARGS(DB_I(id_new()), DB_I(b->project), DB_I(b->key), DB_I(b->session),
                             DB_S(b->endpoint), DB_S(add->p256dh), DB_S(add->auth),
                             DB_S(b->subject), DB_S(b->label), DB_S(b->language), DB_I(b->wants),
                             DB_I(clock_now_ms())),
                     NULL, err);
    if (rc == OK)
        rc = db_get_int(tx, &sql_browser_by_endpoint, DB_ARGS(DB_S(b->endpoint)), 0, &add->id, err);
    return rc;
}

static SealPlace auth_place(void)
{
    return (SealPlace){.kind = "push", .name = STR("auth")};
}

ErrCode browser_add(Db *db, const Seal *seal, const Browser *b, Str p256dh, Str auth, Arena *a,
                    int64_t *id, Err *err)
{
    WebpushTarget checked;
    Add add = {.b = b, .p256dh = p256dh};
    SealPlace where = auth_place();
    ErrCode rc = webpush_target(p256dh, auth, &checked, err);
    OPENSSL_cleanse(&checked, sizeof checked);
    if (rc == OK)
        rc = seal_text(seal, &where, auth, a, &add.auth, err);
    if (rc == OK)
        rc = db_write(db, add_write, &add, err);
    if (rc == OK)
        *id = add.id;
    return rc;
}

ErrCode browser_list(DbConn *reader, int64_t project, int64_t key, Arena *a, Browser **out,
                     size_t *len, Err *err)
{
    size_t n = 0;
    Browser *list = arena_new(a, Browser, BROWSERS_PER_KEY);
    if (list == NULL)
        return err_set(err, ERR_NO_MEMORY, "listing browsers");
    CLEANUP(db_rows_done) DbRows rows = {0};
    ErrCode rc = db_query(reader, &sql_browser_list,
                          DB_ARGS(DB_I(project), DB_I(key), DB_I(BROWSERS_PER_KEY)), &rows, err);
    while (rc == OK && n < BROWSERS_PER_KEY && db_next(&rows, &rc, err)) {
        Browser *b = &list[n++];
        *b = (Browser){.id = db_int(&rows, 0),
                       .project = project,
                       .key = key,
                       .endpoint = db_str_copy(&rows, 1, a),
                       .label = db_str_copy(&rows, 2, a),
                       .language = db_str_copy(&rows, 3, a),
                       .wants = (int)db_int(&rows, 4),
                       .created_ms = db_int(&rows, 5),
                       .told_ms = db_int(&rows, 6)};
        if (b->endpoint.ptr == NULL || b->label.ptr == NULL || b->language.ptr == NULL)
            rc = err_set(err, ERR_NO_MEMORY, "listing browsers");
    }
    *out = list;
    *len = n;
    return rc;
}

typedef struct One {
    int64_t project, key, id;
} One;

static ErrCode remove_write(DbConn *tx, void *arg, Err *err)
{
    const One *one = arg;
    int64_t changed = 0;
    ErrCode rc = db_exec(tx, &sql_browser_remove,
                         DB_ARGS(DB_I(one->project), DB_I(one->key), DB_I(one->id)), &changed, err);
    if (rc == OK && changed == 0)
        return err_set(err, ERR_NOT_FOUND, "there is no such browser");
    return rc == OK ? db_exec(tx, &sql_push_message_drop, DB_ARGS(DB_I(one->id)), NULL, err) : rc;
}

ErrCode browser_remove(Db *db, int64_t project, int64_t key, int64_t id, Err *err)
{
    One one = {project, key, id};
    return db_write(db, remove_write, &one, err);
}

/* --- messages --- */

static const char *path_of(const FeedRow *row, char job[ID_TEXT_SIZE], char out[64])
{
    snprintf(out, 64, row->job != 0 ? "/jobs/%s" : "/%s",
             row->job != 0 ? id_text("job", row->job, job) : "settings/notifications");
    return out;
}

/* At most `max` bytes, and no half characters. */
static Str cut(Str text, size_t max)
{
    if (text.len <= max)
        return text;
    while (max > 0 && ((unsigned char)text.ptr[max] & 0xc0) == 0x80)
        max--;
    return str_slice(text, 0, max);
}

Str browser_body(const FeedRow *row, Str language, Arena *a)
{
    char job[ID_TEXT_SIZE], path[64], time[CLOCK_TEXT_SIZE];
    const Json *data = NULL;
    Buf b = buf_init(a, WEBPUSH_CLEAR_MAX);
    JsonOut j = json_out(&b);
    if (json_parse(a, row->data, &data, NULL) != OK)
        data = NULL;
    clock_text(row->time_ms, time);
    json_begin(&j, '{');
    json_kv_str(&j, "type", row->type);
    json_kv_c(&j, "path", path_of(row, job, path));
    json_kv_c(&j, "job", row->job != 0 ? job : NULL);
    json_kv_str(&j, "name", cut(row->subject, TITLE_MAX));
    static const char *const fields[] = {"reason", "detail", "node"};
    for (size_t i = 0; i < COUNT_OF(fields); i++)
        if (json_text(json_get(data, fields[i])).len > 0)
            json_kv_str(&j, fields[i], cut(json_text(json_get(data, fields[i])), DETAIL_MAX));
    json_kv_c(&j, "time", time);
    json_kv_str(&j, "language", language);
    json_end(&j, '}');
    return b.failed ? (Str){0} : buf_str(&b);
}

static ErrCode test_write(DbConn *tx, void *arg, Err *err)
{
    const One *one = arg;
    CLEANUP(arena_close) Arena *a = arena_open(64 * KIB);
    const FeedRow row = {.type = STR("test"), .time_ms = clock_now_ms(), .data = STR("{}")};
    Str body = {0};
    if (a == NULL)
        return err_set(err, ERR_NO_MEMORY, "making a message");
    {
        CLEANUP(db_rows_done) DbRows rows = {0};
        ErrCode rc =
            db_query(tx, &sql_browser_language,
                     DB_ARGS(DB_I(one->project), DB_I(one->key), DB_I(one->id)), &rows, err);
        if (rc == OK && !db_next(&rows, &rc, err) && rc == OK)
            rc = err_set(err, ERR_NOT_FOUND, "there is no such browser");
        if (rc != OK)
            return rc;
        body = browser_body(&row, db_str(&rows, 0), a);
    }
    if (body.ptr == NULL)
        return err_set(err, ERR_NO_MEMORY, "making a message");
    return db_exec(tx, &sql_push_message_add,
                   DB_ARGS(DB_I(id_new()), DB_I(one->id), DB_S(body), DB_S(STR("test")), DB_I(1),
                           DB_I(clock_now_ms())),
                   NULL, err);
}

ErrCode browser_test(Db *db, int64_t project, int64_t key, int64_t id, Err *err)
{
    One one = {project, key, id};
    return db_write(db, test_write, &one, err);
}

int64_t browser_backoff_ms(int64_t attempt, int64_t asked_ms)
{
    static const int64_t seconds[] = {5, 60, 600, 3600, 4 * 3600};
    if (attempt < 1 || attempt > (int64_t)COUNT_OF(seconds))
        return -1;
    return asked_ms > 0 ? asked_ms : seconds[attempt - 1] * 1000;
}

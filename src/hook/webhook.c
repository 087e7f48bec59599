#include "hook/webhook.h"
#include "base/clock.h"
#include "base/id.h"
#include "db/queries.h"

enum { COLUMN_SECRET = 7 };

const char *webhook_state_name(WebhookState s)
{
    static const char *const names[] = {"active", "paused", "disabled"};
    return names[s];
}

static WebhookState state_from(Str name)
{
    for (int s = WEBHOOK_ACTIVE; s < WEBHOOK_DISABLED; s++)
        if (str_eq_c(name, webhook_state_name((WebhookState)s)))
            return (WebhookState)s;
    return WEBHOOK_DISABLED;
}

/* --- reading --- */

static Str text_at(const DbRows *rows, int column, Arena *a)
{
    return db_is_null(rows, column) ? STR("") : db_str_copy(rows, column, a);
}

static ErrCode read_row(const DbRows *rows, Arena *a, Webhook *out, Err *err)
{
    *out = (Webhook){.id = db_int(rows, 0),
                     .callback = db_int(rows, 1) != 0,
                     .url = db_str_copy(rows, 2, a),
                     .types = db_str_copy(rows, 3, a),
                     .description = db_str_copy(rows, 4, a),
                     .state = state_from(db_str(rows, 5)),
                     .disabled_for = text_at(rows, 6, a),
                     .secret = text_at(rows, COLUMN_SECRET, a),
                     .old_secret = text_at(rows, COLUMN_SECRET + 1, a),
                     .old_until_ms = db_int(rows, 9),
                     .cursor = db_int(rows, 10),
                     .created_ms = db_int(rows, 11),
                     .changed_ms = db_int(rows, 12),
                     .project = db_int(rows, 13)};
    if (out->url.ptr == NULL || out->types.ptr == NULL || out->description.ptr == NULL ||
        out->disabled_for.ptr == NULL || out->secret.ptr == NULL || out->old_secret.ptr == NULL)
        return err_set(err, ERR_NO_MEMORY, "reading a webhook");
    return OK;
}

ErrCode webhook_get(DbConn *reader, int64_t project, int64_t id, Arena *a, Webhook *out, Err *err)
{
    CLEANUP(db_rows_done) DbRows rows = {0};
    ErrCode rc = db_query(reader, &sql_webhook_get, DB_ARGS(DB_I(project), DB_I(id)), &rows, err);
    if (rc == OK && db_next(&rows, &rc, err))
        return read_row(&rows, a, out, err);
    return rc != OK ? rc : err_set(err, ERR_NOT_FOUND, "there is no such webhook");
}

static ErrCode read_list(DbConn *reader, const Query *q, const DbVal *args, size_t args_len,
                         Arena *a, Webhook **out, size_t *len, Err *err)
{
    size_t n = 0, cap = 0;
    Webhook *items = NULL;
    CLEANUP(db_rows_done) DbRows rows = {0};
    ErrCode rc = db_query(reader, q, args, args_len, &rows, err);
    while (rc == OK && db_next(&rows, &rc, err)) {
        if (n == cap) {
            size_t more = cap > 0 ? 2 * cap : 16;
            items = arena_grow(a, items, cap * sizeof *items, more * sizeof *items);
            if (items == NULL)
                return err_set(err, ERR_NO_MEMORY, "listing webhooks");
            cap = more;
        }
        rc = read_row(&rows, a, &items[n++], err);
    }
    *out = items;
    *len = n;
    return rc;
}

ErrCode webhook_list(DbConn *reader, int64_t project, Arena *a, Webhook **out, size_t *len,
                     Err *err)
{
    return read_list(reader, &sql_webhook_list, DB_ARGS(DB_I(project)), a, out, len, err);
}

ErrCode webhook_active(DbConn *reader, Arena *a, Webhook **out, size_t *len, Err *err)
{
    return read_list(reader, &sql_webhook_active, DB_NO_ARGS, a, out, len, err);
}

/* --- secrets --- */

static SealPlace place_of(int64_t project, int64_t id)
{
    return (SealPlace){.project = project, .kind = "webhook", .owner = id, .name = STR("secret")};
}

static ErrCode open_secret(const Seal *seal, const Webhook *w, Str sealed, Arena *a, Str *out,
                           Err *err)
{
    const SealPlace place = place_of(w->project, w->id);
    return seal_read(seal, &place, sealed, a, out, err);
}

/* A new one, in the clear and sealed. */
static ErrCode make_secret(const Seal *seal, int64_t project, int64_t id, Str wanted, Arena *a,
                           Str *clear, Str *sealed, Err *err)
{
    char text[SIGNING_SECRET_SIZE];
    ErrCode rc = OK;
    if (wanted.len > 0)
        rc = signing_secret_check(wanted, err);
    else if ((rc = signing_secret_make(text, err)) == OK)
        wanted = str_from_c(text);
    if (rc == OK && (*clear = str_copy(a, wanted)).ptr == NULL)
        rc = err_set(err, ERR_NO_MEMORY, "making a secret");
    const SealPlace place = place_of(project, id);
    return rc == OK ? seal_text(seal, &place, *clear, a, sealed, err) : rc;
}

/* --- changing --- */

typedef struct Change {
    const WebhookNew *add;
    const Webhook *set;
    int64_t project, id, changed;
    Str secret; /* sealed */
} Change;

static ErrCode count_hooks(DbConn *tx, int64_t project, size_t *out, Err *err)
{
    CLEANUP(db_rows_done) DbRows rows = {0};
    ErrCode rc = db_query(tx, &sql_webhook_list, DB_ARGS(DB_I(project)), &rows, err);
    for (*out = 0; rc == OK && db_next(&rows, &rc, err);)
        ++*out;
    return rc;
}

static ErrCode add_write(DbConn *tx, void *arg, Err *err)
{
    const Change *c = arg;
    size_t count = 0;
    int64_t cursor = 0;
    ErrCode rc = count_hooks(tx, c->project, &count, err);
    if (rc == OK && count >= WEBHOOKS_MAX)
        return err_set(err, ERR_LIMIT_COUNT, "a project has at most %d webhooks", WEBHOOKS_MAX);
    if (rc == OK)
        rc = feed_last(tx, c->project, &cursor, err);
    if (rc == OK)
        rc = db_exec(tx, &sql_webhook_add,
                     DB_ARGS(DB_I(c->id), DB_I(c->project), DB_S(c->add->url), DB_S(c->add->types),
                             DB_S(c->add->description), DB_S(c->secret), DB_I(cursor),
                             DB_I(clock_now_ms())),
                     NULL, err);
    return rc;
}

ErrCode webhook_add(Db *db, const Seal *seal, const WebhookNew *n, Arena *a, int64_t *id,
                    Str *secret, Err *err)
{
    Change c = {.add = n, .project = n->project, .id = id_new()};
    ErrCode rc = make_secret(seal, n->project, c.id, n->secret, a, secret, &c.secret, err);
    if (rc == OK)
        rc = db_write(db, add_write, &c, err);
    if (rc == OK)
        *id = c.id;
    return rc;
}

static ErrCode change_write(DbConn *tx, void *arg, Err *err)
{
    Change *c = arg;
    const Webhook *w = c->set;
    return db_exec(tx, &sql_webhook_change,
                   DB_ARGS(DB_I(w->project), DB_I(w->id), DB_S(w->url), DB_S(w->types),
                           DB_S(w->description), DB_S(str_from_c(webhook_state_name(w->state))),
                           DB_I(clock_now_ms())),
                   &c->changed, err);
}

static ErrCode done_or_missing(ErrCode rc, int64_t changed, Err *err)
{
    return rc == OK && changed == 0 ? err_set(err, ERR_NOT_FOUND, "there is no such webhook") : rc;
}

ErrCode webhook_change(Db *db, const Webhook *w, Err *err)
{
    Change c = {.set = w};
    ErrCode rc = db_write(db, change_write, &c, err);
    return done_or_missing(rc, c.changed, err);
}

enum { DROP_BATCH = 1000 };

static ErrCode delete_write(DbConn *tx, void *arg, Err *err)
{
    Change *c = arg;
    return db_exec(tx, &sql_webhook_delete, DB_ARGS(DB_I(c->project), DB_I(c->id)), &c->changed,
                   err);
}

static ErrCode drop_write(DbConn *tx, void *arg, Err *err)
{
    Change *c = arg;
    return db_exec(tx, &sql_delivery_drop_webhook, DB_ARGS(DB_I(c->id), DB_I(DROP_BATCH)),
                   &c->changed, err);
}

ErrCode webhook_delete(Db *db, int64_t project, int64_t id, Err *err)
{
    Change c = {.project = project, .id = id};
    ErrCode rc = db_write(db, delete_write, &c, err);
    rc = done_or_missing(rc, c.changed, err);
    for (c.changed = DROP_BATCH; rc == OK && c.changed == DROP_BATCH;)
        rc = db_write(db, drop_write, &c, err); /* their attempts go with the month */
    return rc;
}

static ErrCode rotate_write(DbConn *tx, void *arg, Err *err)
{
    Change *c = arg;
    int64_t now_ms = clock_now_ms();
    return db_exec(tx, &sql_webhook_rotate,
                   DB_ARGS(DB_I(c->project), DB_I(c->id), DB_S(c->secret),
                           DB_I(now_ms + WEBHOOK_OVERLAP_MS), DB_I(now_ms)),
                   &c->changed, err);
}

ErrCode webhook_rotate(Db *db, const Seal *seal, int64_t project, int64_t id, Arena *a, Str *secret,
                       Err *err)
{
    Change c = {.project = project, .id = id};
    ErrCode rc = make_secret(seal, project, id, STR(""), a, secret, &c.secret, err);
    if (rc == OK)
        rc = db_write(db, rotate_write, &c, err);
    return done_or_missing(rc, c.changed, err);
}

ErrCode webhook_secrets(Db *db, const Seal *seal, const Webhook *w, Arena *a, Str out[2],
                        size_t *len, Err *err)
{
    *len = 1;
    if (w->secret.len == 0)
        return webhook_rotate(db, seal, w->project, w->id, a, &out[0], err);
    ErrCode rc = open_secret(seal, w, w->secret, a, &out[0], err);
    if (rc == OK && w->old_secret.len > 0 && clock_now_ms() < w->old_until_ms)
        rc = open_secret(seal, w, w->old_secret, a, &out[(*len)++], err);
    return rc;
}

/* bridge_store.c: bridges in the database. */
#include "hook/bridge_in.h"
#include "base/clock.h"
#include "base/id.h"
#include "db/queries.h"

#include <stdlib.h>
#include <string.h>

static ErrCode missing(Err *err, const char *param, const char *what, const char *hint)
{
    err_set(err, ERR_BRIDGE_MISSING, "%s is missing: %s", param, what);
    err_param(err, param);
    err_hint(err, "%s", hint);
    return ERR_BRIDGE_MISSING;
}

static bool is_word(Str s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        bool ok = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '-' || c == '_';
        if (!ok)
            return false;
    }
    return s.len > 0 && s.len <= 64;
}

static ErrCode bad(Err *err, const char *param, const char *why)
{
    err_set(err, ERR_BAD_PARAM, "%s %s", param, why);
    err_param(err, param);
    return ERR_BAD_PARAM;
}

static ErrCode check_token_env(Str name, Err *err)
{
    bool ours = str_starts(name, STR("CLOUDFLARE_")) || str_starts(name, STR("PLATEN_BRIDGE_"));
    return ours && is_word(name)
               ? OK
               : bad(err, "token_env", "must begin with CLOUDFLARE_ or PLATEN_BRIDGE_");
}

ErrCode bridge_token(const Bridge *b, Arena *a, Str *out, Err *err)
{
    char *name = str_to_c(a, b->token_env);
    const char *token = name != NULL ? getenv(name) : NULL;
    if (token != NULL && token[0] != 0) {
        *out = str_from_c(token);
        return OK;
    }
    err_set(err, ERR_BRIDGE_MISSING,
            "token is missing: " STR_FMT " is not in the server's environment",
            STR_ARG(b->token_env));
    err_param(err, "token_env");
    err_hint(err,
             "Make an API token with the permission Queues Edit and start the server with it.");
    return ERR_BRIDGE_MISSING;
}

ErrCode bridge_form(const BridgeOptions *o, Bridge *b, Err *err)
{
    const char *account = getenv("CLOUDFLARE_ACCOUNT_ID");
    if (b->account.len == 0 && account != NULL)
        b->account = str_from_c(account);
    if (b->account.len == 0)
        return missing(err, "account", "the id of the Cloudflare account",
                       "Give it, or start the server with CLOUDFLARE_ACCOUNT_ID.");
    if (b->remote.len == 0)
        return missing(err, "remote", "the id of the Cloudflare queue",
                       "`wrangler queues info NAME` shows it.");
    if (!is_word(b->name))
        return bad(err, "name", "must be 1 to 64 letters, digits, - or _");
    if (!is_word(b->account) || !is_word(b->remote))
        return bad(err, is_word(b->account) ? "remote" : "account",
                   "must be an id of Cloudflare's");
    if (b->dead_remote.len > 0 && !is_word(b->dead_remote))
        return bad(err, "dead_remote", "must be an id of Cloudflare's");
    if (b->out && (b->step.len > 0 || b->dead_remote.len > 0))
        return bad(err, b->step.len > 0 ? "step" : "dead_remote", "goes with direction in only");
    if (b->step.len > 0 && registry_find(o->registry, b->step) == NULL)
        return err_set(err, ERR_UNKNOWN_STEP, "there is no step \"" STR_FMT "\"", STR_ARG(b->step));
    if (b->step.len > 0 && b->queue.len > 0)
        return bad(err, "queue", "is not needed with a step");
    ErrCode rc = check_token_env(b->token_env, err);
    return rc == OK && b->step.len == 0 ? flow_check_queue(b->queue, "queue", err) : rc;
}

static Bridge read_row(const DbRows *r, Arena *a)
{
    return (Bridge){.id = db_int(r, 0),
                    .project = db_int(r, 1),
                    .name = db_str_copy(r, 2, a),
                    .out = str_eq_c(db_str(r, 3), "out"),
                    .account = db_str_copy(r, 4, a),
                    .remote = db_str_copy(r, 5, a),
                    .dead_remote = db_str_copy(r, 6, a),
                    .token_env = db_str_copy(r, 7, a),
                    .queue = db_str_copy(r, 8, a),
                    .step = db_str_copy(r, 9, a),
                    .base_url = db_str_copy(r, 10, a),
                    .poison = db_int(r, 11)};
}

static ErrCode read_all(DbConn *c, const Query *q, const DbVal *args, size_t args_len, Arena *a,
                        Bridge **out, size_t *len, Err *err)
{
    Bridge *list = arena_new(a, Bridge, BRIDGES_MAX);
    if (list == NULL)
        return err_set(err, ERR_NO_MEMORY, "reading bridges");
    size_t n = 0;
    CLEANUP(db_rows_done) DbRows rows = {0};
    ErrCode rc = db_query(c, q, args, args_len, &rows, err);
    while (rc == OK && n < BRIDGES_MAX && db_next(&rows, &rc, err)) {
        list[n] = read_row(&rows, a);
        if (list[n++].base_url.ptr == NULL)
            return err_set(err, ERR_NO_MEMORY, "reading bridges");
    }
    *out = list;
    *len = n;
    return rc;
}

ErrCode bridge_get(DbConn *reader, int64_t project, Str name, Arena *a, Bridge *out, Err *err)
{
    Bridge *list = NULL;
    size_t len = 0;
    ErrCode rc =
        read_all(reader, &sql_bridge_get, DB_ARGS(DB_I(project), DB_S(name)), a, &list, &len, err);
    if (rc == OK && len == 0)
        return err_set(err, ERR_NOT_FOUND, "there is no bridge \"" STR_FMT "\"",
                       STR_ARG(str_slice(name, 0, 64)));
    if (rc == OK)
        *out = list[0];
    return rc;
}

ErrCode bridge_list(DbConn *reader, int64_t project, Arena *a, Bridge **out, size_t *len, Err *err)
{
    int64_t to = project != 0 ? project : INT64_MAX;
    return read_all(reader, &sql_bridge_list, DB_ARGS(DB_I(project), DB_I(to)), a, out, len, err);
}

static ErrCode set_handler(DbConn *tx, const Bridge *b, HandlerKind kind, Err *err)
{
    const QueueHandler h = {.project = b->project, .queue = b->queue, .kind = kind};
    return flow_handler_put_tx(tx, &h, err);
}

ErrCode bridge_add_write(DbConn *tx, void *arg, Err *err)
{
    const Bridge *b = arg;
    int64_t old = 0;
    ErrCode rc =
        db_get_int(tx, &sql_bridge_get, DB_ARGS(DB_I(b->project), DB_S(b->name)), 0, &old, err);
    if (rc == OK && old != 0)
        return err_set(err, ERR_CONFLICT, "there is a bridge \"" STR_FMT "\"", STR_ARG(b->name));
    if (rc == OK)
        rc = db_exec(tx, &sql_bridge_add,
                     DB_ARGS(DB_I(b->id), DB_I(b->project), DB_S(b->name),
                             DB_S(b->out ? STR("out") : STR("in")), DB_S(b->account),
                             DB_S(b->remote), db_text_or_null(b->dead_remote), DB_S(b->token_env),
                             DB_S(b->queue), db_text_or_null(b->step), db_text_or_null(b->base_url),
                             DB_I(b->poison), DB_I(clock_now_ms())),
                     NULL, err);
    if (rc == OK && b->step.len == 0)
        rc = set_handler(tx, b, b->out ? HANDLER_BRIDGE : HANDLER_WORKERS, err);
    return rc;
}

ErrCode bridge_remove_write(DbConn *tx, void *arg, Err *err)
{
    const Bridge *b = arg;
    ErrCode rc = db_exec(tx, &sql_bridge_delete, DB_ARGS(DB_I(b->id)), NULL, err);
    return rc == OK && b->out ? set_handler(tx, b, HANDLER_WORKERS, err) : rc;
}

static ErrCode trim_write(DbConn *tx, void *arg, Err *err)
{
    enum { KEPT_DAYS = 15, BATCH = 1000 }; /* longer than they keep a message */
    (void)arg;
    int64_t before_ms = clock_now_ms() - INT64_C(86400000) * KEPT_DAYS;
    return db_exec(tx, &sql_bridge_seen_trim, DB_ARGS(DB_I(before_ms), DB_I(BATCH)), NULL, err);
}

void bridge_forget_old(Db *db)
{
    Err err = {0};
    if (db_write(db, trim_write, NULL, &err) != OK)
        return; /* in an hour again */
}

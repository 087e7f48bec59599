/* Webhooks that come in: who may, what they bring, which job they start. */
#include "hook/trigger_in.h"
#include "base/clock.h"
#include "content/document.h"
#include "db/queries.h"
#include "net/signing.h"

#include <stdio.h>

static Str header(const HookCall *c, const char *name)
{
    for (size_t i = 0; i < c->headers_len; i++)
        if (str_eq_nocase(c->headers[i].name, str_from_c(name)))
            return c->headers[i].value;
    return STR("");
}

static ErrCode verify(const Trigger *t, const TriggerSpec *spec, const HookCall *c, Err *err)
{
    switch (spec->verify) {
    case VERIFY_STANDARD:
        return signing_verify(&t->secret, 1, header(c, "webhook-id"),
                              header(c, "webhook-timestamp"), header(c, "webhook-signature"),
                              c->body, c->now_ms / 1000, err);
    case VERIFY_GITHUB:
        return signing_verify_github(t->secret, header(c, "x-hub-signature-256"), c->body, err);
    case VERIFY_TOKEN:
        break; /* the address is the permission */
    }
    return OK;
}

static bool is_json(Str type)
{
    Str main = str_trim(str_slice(type, 0, str_find_char(type, ';')));
    return str_eq_nocase(main, STR("application/json")) || str_ends_nocase(main, STR("+json"));
}

static bool is_text(Str type)
{
    return str_starts(type, STR("text/")) ||
           str_starts(type, STR("application/x-www-form-urlencoded"));
}

/* What says who called stays out of the job: keys, cookies, signatures. */
static bool is_private(Str name)
{
    static const char *const names[] = {"authorization",   "x-api-key",
                                        "cookie",          "webhook-signature",
                                        "x-hub-signature", "x-hub-signature-256"};
    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (str_eq_nocase(name, str_from_c(names[i])))
            return true;
    return false;
}

static ErrCode put_headers(const HookCall *c, Arena *a, JsonOut *j, Err *err)
{
    json_begin(j, '{');
    for (size_t i = 0; i < c->headers_len && i < TRIGGER_HEADERS_MAX; i++) {
        Str name = str_lower(a, c->headers[i].name);
        if (name.ptr == NULL)
            return err_set(err, ERR_NO_MEMORY, "reading a webhook");
        if (is_private(name))
            continue;
        json_key_str(j, name);
        json_put_str(j, c->headers[i].value);
    }
    json_end(j, '}');
    return OK;
}

static ErrCode put_body(const HookCall *c, Arena *a, JsonOut *j, Err *err)
{
    const Json *body = NULL;
    json_key(j, "body");
    if (c->body.len == 0) {
        json_put_null(j);
    } else if (is_json(c->type)) {
        ErrCode rc = json_parse(a, c->body, &body, err);
        if (rc != OK)
            return rc;
        json_put(j, body);
    } else if (is_text(c->type)) {
        json_put_str(j, c->body);
    } else {
        json_put_null(j);
    }
    return OK;
}

/* A body that is neither JSON nor text is a file. */
static ErrCode take_file(Db *db, BlobStore *blobs, const Trigger *t, const HookCall *c, Arena *a,
                         JobFile *out, Err *err)
{
    Blob blob;
    ErrCode rc = blob_put(blobs, c->body, &blob, err);
    if (rc == OK)
        rc = blob_row_add(db, t->project, &blob, err);
    if (rc != OK)
        return rc;
    Str type = c->type.len > 0 ? c->type : STR("application/octet-stream");
    *out = (JobFile){.name = STR("body"),
                     .type = str_slice(type, 0, str_find_char(type, ';')),
                     .hash = str_copy(a, str_from_c(blob.hash)),
                     .size_bytes = blob.size_bytes};
    return out->hash.ptr != NULL ? OK : err_set(err, ERR_NO_MEMORY, "reading a webhook");
}

static ErrCode scope_of(const HookCall *c, const JobFile *file, Arena *a, const Json **out,
                        Err *err)
{
    Buf b = buf_init(a, 16 * MIB);
    JsonOut j = json_out(&b);
    json_begin(&j, '{');
    json_kv_c(&j, "kind", "webhook");
    json_kv_str(&j, "query", c->query);
    json_key(&j, "headers");
    ErrCode rc = put_headers(c, a, &j, err);
    if (rc == OK)
        rc = put_body(c, a, &j, err);
    if (rc != OK)
        return rc;
    if (file != NULL) {
        json_key(&j, "file");
        trigger_put_file(&j, file);
    }
    json_end(&j, '}');
    if (b.failed)
        return err_set(err, ERR_NO_MEMORY, "reading a webhook");
    return json_parse(a, buf_str(&b), out, err);
}

typedef struct HookWrite {
    TriggerStart start;
    Str fault;
} HookWrite;

static ErrCode hook_write(DbConn *tx, void *arg, Err *err)
{
    HookWrite *w = arg;
    CLEANUP(arena_close) Arena *a = arena_open(64 * MIB);
    if (a == NULL)
        return err_set(err, ERR_NO_MEMORY, "starting a webhook's job");
    ErrCode rc = trigger_start_tx(tx, &w->start, a, err);
    if (rc != OK || w->start.added.existed)
        return rc;
    const Trigger *t = w->start.trigger;
    return trigger_note_tx(tx, t->id, w->start.added.job, t->feed_id, STR(""), err);
}

static ErrCode fault_write(DbConn *tx, void *arg, Err *err)
{
    const HookWrite *w = arg;
    return trigger_note_tx(tx, w->start.trigger->id, 0, w->start.trigger->feed_id, w->fault, err);
}

static ErrCode start(Db *db, HookWrite *w, JobAdded *out, Err *err)
{
    ErrCode rc = db_write(db, hook_write, w, err);
    *out = w->start.added;
    if (trigger_is_hopeless(rc)) {
        Err ignored = {0};
        w->fault = str_from_c(err->text);
        if (db_write(db, fault_write, w, &ignored) !=
            OK) /* the caller hears of the first failure */
            return rc;
    }
    return rc;
}

/* The sender's own id of the message, so that one that is sent again starts nothing. */
static Str message_key(const Trigger *t, const HookCall *c, Arena *a)
{
    Str id = header(c, "webhook-id");
    if (id.len == 0)
        id = header(c, "x-github-delivery");
    if (id.len == 0 || id.len > 100)
        return STR("");
    return str_printf(a, "hook-%" PRId64 "-" STR_FMT, t->id, STR_ARG(id));
}

ErrCode trigger_hook(Db *db, BlobStore *blobs, const HookCall *call, Arena *a, JobAdded *out,
                     Err *err)
{
    DbConn *reader = NULL;
    Trigger *rows = NULL;
    size_t len = 0;
    TriggerSpec spec;
    JobFile file = {0};
    ErrCode rc = db_reader(db, &reader, err);
    if (rc == OK)
        rc = trigger_rows(reader, &sql_trigger_by_token, DB_ARGS(DB_S(call->token)), a, &rows, &len,
                          err);
    if (rc == OK && (len == 0 || rows[0].paused))
        return err_set(err, ERR_NOT_FOUND, "nobody listens at this address");
    if (rc == OK)
        rc = trigger_read_row(&rows[0], a, &spec, err);
    if (rc == OK)
        rc = verify(&rows[0], &spec, call, err);
    bool has_file = call->body.len > 0 && !is_json(call->type) && !is_text(call->type);
    if (rc == OK && has_file)
        rc = take_file(db, blobs, &rows[0], call, a, &file, err);
    HookWrite w = {
        .start = {.trigger = rows, .file = has_file ? &file : NULL, .trace = call->trace}};
    if (rc == OK)
        rc = scope_of(call, w.start.file, a, &w.start.scope, err);
    if (rc != OK)
        return rc;
    w.start.idempotency_key = message_key(&rows[0], call, a);
    return start(db, &w, out, err);
}

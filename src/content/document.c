#include "content/document_in.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/id.h"
#include "feed/feed.h"

#include <stdio.h>

enum {
    COLUMN_ID,
    COLUMN_NAME,
    COLUMN_TYPE,
    COLUMN_HASH,
    COLUMN_SIZE,
    COLUMN_VERSION,
    COLUMN_CREATED,
    COLUMN_CHANGED,
    COLUMN_CONTENT,
    COLUMN_CONTENT_MS,
    COLUMN_TAGS,
    COLUMN_WORDS
};

typedef struct AddAll {
    DocumentNew *docs;
    size_t len;
    Str idempotency_key;
    int64_t *ids; /* made once, so that running the write again gives the same */
} AddAll;

static Str hash_of(const Blob *b)
{
    return (Str){b->hash, BLOB_HASH_LEN};
}

ErrCode document_blob_add(DbConn *tx, int64_t project, Str hash, int64_t size_bytes, Err *err)
{
    return db_exec(tx, &sql_blob_add,
                   DB_ARGS(DB_I(project), DB_S(hash), DB_I(size_bytes), DB_I(clock_now_ms())), NULL,
                   err);
}

ErrCode document_hold(DbConn *tx, int64_t project, Str hash, Str kind, int64_t id, Err *err)
{
    return db_exec(tx, &sql_blob_ref_add, DB_ARGS(DB_I(project), DB_S(hash), DB_S(kind), DB_I(id)),
                   NULL, err);
}

ErrCode document_tell(DbConn *tx, const Document *d, Str type, Err *err)
{
    char subject[ID_TEXT_SIZE];
    CLEANUP(arena_close) Arena *a = fault_hit("document.feed") ? NULL : arena_open(64 * KIB);
    if (a == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory to tell of a document");
    Buf b = buf_init(a, FEED_DATA_MAX);
    JsonOut j = json_out(&b);
    json_begin(&j, '{');
    json_kv_str(&j, "name", d->name);
    json_kv_str(&j, "type", d->type);
    json_kv_int(&j, "bytes", d->size_bytes);
    json_kv_str(&j, "blob", d->hash);
    json_end(&j, '}');
    if (b.failed)
        return err_set(err, ERR_NO_MEMORY, "no memory to tell of a document");
    return feed_add_tx(tx,
                       &(FeedNew){.project = d->project,
                                  .type = type,
                                  .subject = str_from_c(id_text("doc", d->id, subject)),
                                  .data = buf_str(&b)},
                       err);
}

/* --- add --- */

static void fill_added(DocumentNew *d, int64_t id)
{
    int64_t now = id_time_ms(id);
    d->added = (Document){
        .id = id,
        .project = d->project,
        .size_bytes = d->blob.size_bytes,
        .created_ms = now,
        .changed_ms = now,
        .content_ms = now,
        .revision = 1,
        .content = 1,
        .name = d->name,
        .type = d->type,
        .tags = d->tags,
        .hash = hash_of(&d->blob),
    };
}

static ErrCode add_row(DbConn *tx, DocumentNew *d, Arena *a, Err *err)
{
    Document *doc = &d->added;
    doc->words = document_words(a, d->name, d->tags);
    if (doc->words.ptr == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for the words of a name");
    ErrCode rc =
        db_exec(tx, &sql_document_add,
                DB_ARGS(DB_I(doc->id), DB_I(d->project), DB_S(d->name), DB_S(d->type),
                        DB_S(doc->hash), DB_I(d->blob.size_bytes), DB_I(doc->created_ms),
                        DB_S(d->tags), DB_S(family_of(d->type, d->name)), DB_S(doc->words)),
                NULL, err);
    return rc == OK ? document_index(tx, doc, err) : rc;
}

static ErrCode add_one(DbConn *tx, DocumentNew *d, int64_t id, Err *err)
{
    fill_added(d, id);
    CLEANUP(arena_close) Arena *a = arena_open(64 * KIB);
    if (a == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory to add a document");
    ErrCode rc = document_blob_add(tx, d->project, d->added.hash, d->blob.size_bytes, err);
    if (rc == OK)
        rc = document_hold(tx, d->project, d->added.hash, KIND_DOCUMENT, id, err);
    if (rc == OK)
        rc = add_row(tx, d, a, err);
    d->added.words = STR(""); /* they were in `a` */
    return rc == OK ? document_tell(tx, &d->added, STR("document.added"), err) : rc;
}

/* The documents that the key stood for, one key row each: "key", "key/1", "key/2" … */
enum { KEY_MAX = 255, KEY_TEXT = KEY_MAX + 24 };
static Str key_of(const AddAll *all, size_t index, char out[KEY_TEXT])
{
    if (index == 0)
        return all->idempotency_key;
    int n = snprintf(out, KEY_TEXT, STR_FMT "/%zu", STR_ARG(all->idempotency_key), index);
    return (Str){out, n > 0 && n < KEY_TEXT ? (size_t)n : 0};
}

/* *known: the key was there; its document's id is in *id. */
static ErrCode look_up(DbConn *tx, const DocumentNew *d, Str key, bool *known, int64_t *id,
                       Err *err)
{
    CLEANUP(db_rows_done) DbRows rows = {0};
    *known = false;
    ErrCode rc =
        db_query(tx, &sql_idempotency_get, DB_ARGS(DB_I(d->project), DB_S(key)), &rows, err);
    if (rc != OK || !db_next(&rows, &rc, err))
        return rc;
    if (!str_eq(db_str(&rows, 0), hash_of(&d->blob)) || !str_eq(db_str(&rows, 1), KIND_DOCUMENT))
        return err_set(err, ERR_IDEMPOTENCY_MISMATCH,
                       "the idempotency key came with another request before");
    *known = true;
    *id = db_int(&rows, 2);
    return OK;
}

/* What the key stands for is the name, too; a document that was deleted since has none to
 * compare. */
static ErrCode same_document(DbConn *tx, const DocumentNew *d, int64_t id, Err *err)
{
    CLEANUP(db_rows_done) DbRows rows = {0};
    ErrCode rc = db_query(tx, &sql_document_get, DB_ARGS(DB_I(d->project), DB_I(id)), &rows, err);
    if (rc == OK && db_next(&rows, &rc, err) &&
        (!str_eq(db_str(&rows, COLUMN_NAME), d->name) ||
         !str_eq(db_str(&rows, COLUMN_TYPE), d->type)))
        rc = err_set(err, ERR_IDEMPOTENCY_MISMATCH,
                     "the idempotency key came with another name or type before");
    return rc;
}

static ErrCode add_once(DbConn *tx, const AddAll *all, size_t i, Err *err)
{
    char text[KEY_TEXT];
    DocumentNew *d = &all->docs[i];
    Str key = key_of(all, i, text);
    bool known = false;
    int64_t id = all->ids[i];
    if (key.len == 0)
        return add_one(tx, d, id, err);
    ErrCode rc = look_up(tx, d, key, &known, &id, err);
    if (rc != OK)
        return rc;
    if (known) {
        rc = same_document(tx, d, id, err);
        if (rc != OK)
            return rc;
        fill_added(d, id);
        return OK;
    }
    rc = db_exec(tx, &sql_idempotency_add,
                 DB_ARGS(DB_I(d->project), DB_S(key), DB_S(hash_of(&d->blob)), DB_S(KIND_DOCUMENT),
                         DB_I(id), DB_I(clock_now_ms())),
                 NULL, err);
    return rc != OK ? rc : add_one(tx, d, id, err);
}

static ErrCode add_all(DbConn *tx, void *arg, Err *err)
{
    const AddAll *all = arg;
    for (size_t i = 0; i < all->len; i++) {
        ErrCode rc = add_once(tx, all, i, err);
        if (rc != OK)
            return rc;
    }
    return OK;
}

ErrCode document_add_all(Db *db, DocumentNew *docs, size_t len, Str idempotency_key, Err *err)
{
    if (idempotency_key.len > KEY_MAX) {
        err_set(err, ERR_BAD_PARAM, "Idempotency-Key must be at most %d bytes", KEY_MAX);
        err_param(err, "Idempotency-Key");
        return ERR_BAD_PARAM;
    }
    CLEANUP(arena_close) Arena *a = arena_open(len * sizeof(int64_t) + 4 * KIB);
    int64_t *ids = a != NULL ? arena_new(a, int64_t, len) : NULL;
    if (ids == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory to add %zu documents", len);
    for (size_t i = 0; i < len; i++)
        ids[i] = id_new();
    AddAll all = {docs, len, idempotency_key, ids};
    return db_write(db, add_all, &all, err);
}

/* --- read --- */

ErrCode document_read(const DbRows *rows, int64_t project, Arena *a, Document *out, Err *err)
{
    *out = (Document){
        .id = db_int(rows, COLUMN_ID),
        .project = project,
        .name = db_str_copy(rows, COLUMN_NAME, a),
        .type = db_str_copy(rows, COLUMN_TYPE, a),
        .hash = db_str_copy(rows, COLUMN_HASH, a),
        .tags = db_str_copy(rows, COLUMN_TAGS, a),
        .words = db_str_copy(rows, COLUMN_WORDS, a),
        .size_bytes = db_int(rows, COLUMN_SIZE),
        .created_ms = db_int(rows, COLUMN_CREATED),
        .changed_ms = db_int(rows, COLUMN_CHANGED),
        .content_ms = db_int(rows, COLUMN_CONTENT_MS),
        .content = db_int(rows, COLUMN_CONTENT),
        .revision = db_int(rows, COLUMN_VERSION),
    };
    if (out->content_ms == 0)
        out->content_ms = out->created_ms;
    if (out->name.ptr == NULL || out->type.ptr == NULL || out->hash.ptr == NULL ||
        out->tags.ptr == NULL || out->words.ptr == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for a document");
    return OK;
}

ErrCode document_look(DbConn *conn, const Query *q, int64_t project, int64_t id, Arena *a,
                      Document *out, Err *err)
{
    CLEANUP(db_rows_done) DbRows rows = {0};
    ErrCode rc = db_query(conn, q, DB_ARGS(DB_I(project), DB_I(id)), &rows, err);
    *out = (Document){0};
    if (rc == OK && db_next(&rows, &rc, err))
        rc = document_read(&rows, project, a, out, err);
    return rc;
}

ErrCode document_get(DbConn *reader, int64_t project, int64_t id, Arena *a, Document *out, Err *err)
{
    ErrCode rc = document_look(reader, &sql_document_get, project, id, a, out, err);
    if (rc == OK && out->id == 0)
        rc = err_set(err, ERR_NOT_FOUND, "there is no such document");
    return rc;
}

/* --- which project may see which blob --- */

typedef struct BlobRow {
    int64_t project;
    const Blob *blob;
} BlobRow;

static ErrCode blob_write_row(DbConn *tx, void *arg, Err *err)
{
    const BlobRow *row = arg;
    return document_blob_add(tx, row->project, hash_of(row->blob), row->blob->size_bytes, err);
}

ErrCode blob_row_add(Db *db, int64_t project, const Blob *blob, Err *err)
{
    BlobRow row = {project, blob};
    return db_write(db, blob_write_row, &row, err);
}

ErrCode blob_row_seen(DbConn *reader, int64_t project, Str hash, bool *out, Err *err)
{
    int64_t size = -1;
    ErrCode rc =
        db_get_int(reader, &sql_blob_get, DB_ARGS(DB_I(project), DB_S(hash)), -1, &size, err);
    *out = rc == OK && size >= 0;
    return rc;
}

ErrCode blob_row_get(DbConn *reader, int64_t project, Str hash, Blob *out, Err *err)
{
    int64_t size = -1;
    ErrCode rc =
        db_get_int(reader, &sql_blob_get, DB_ARGS(DB_I(project), DB_S(hash)), -1, &size, err);
    if (rc == OK && (size < 0 || hash.len != BLOB_HASH_LEN))
        rc = err_set(err, ERR_NOT_FOUND, "there is no such blob in this project");
    if (rc != OK)
        return rc;
    snprintf(out->hash, sizeof out->hash, STR_FMT, STR_ARG(hash));
    out->size_bytes = size;
    return OK;
}

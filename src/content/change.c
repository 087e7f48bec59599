/* What happens to a document after it was added: another name, other tags, other bytes, its end and
 * its return. */
#include "base/clock.h"
#include "base/fault.h"
#include "content/document_in.h"

#include <stdio.h>

/* One change of one document; `out` lives in `a`, which is the caller's. */
typedef struct Change {
    int64_t project, id, revision;
    Str name, tags; /* .ptr NULL: as they are */
    Blob blob;
    Str type;
    Arena *a;
    Document out;
} Change;

/* The document as it is, if it may be changed. */
static ErrCode begin(DbConn *tx, Change *c, Err *err)
{
    if (fault_hit("document.change"))
        return err_set(err, ERR_NO_MEMORY, "no memory to change a document");
    ErrCode rc = document_look(tx, &sql_document_get, c->project, c->id, c->a, &c->out, err);
    if (rc == OK && c->out.id == 0)
        rc = err_set(err, ERR_NOT_FOUND, "there is no such document");
    if (rc == OK && c->revision != DOCUMENT_ANY_REVISION && c->revision != c->out.revision)
        rc = err_set(err, ERR_PRECONDITION_FAILED,
                     "the document is at revision %" PRId64 ", not %" PRId64, c->out.revision,
                     c->revision);
    return rc;
}

static ErrCode run(Db *db, DbWriteFn fn, Change *c, Document *out, Err *err)
{
    ErrCode rc = db_write(db, fn, c, err);
    if (rc == OK && out != NULL)
        *out = c->out;
    return rc;
}

/* --- name and tags --- */

static ErrCode change_write(DbConn *tx, void *arg, Err *err)
{
    Change *c = arg;
    ErrCode rc = begin(tx, c, err);
    if (rc != OK)
        return rc;
    Document now = c->out;
    if (c->name.ptr != NULL)
        now.name = c->name;
    if (c->tags.ptr != NULL)
        now.tags = c->tags;
    if (str_eq(now.name, c->out.name) && str_eq(now.tags, c->out.tags))
        return OK;
    now.words = document_words(c->a, now.name, now.tags);
    now.changed_ms = clock_now_ms();
    if (now.words.ptr == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for the words of a name");
    rc = document_unindex(tx, &c->out, err);
    if (rc == OK)
        rc = db_exec(tx, &sql_document_change,
                     DB_ARGS(DB_I(c->project), DB_I(c->id), DB_I(now.revision), DB_S(now.name),
                             DB_S(now.tags), DB_S(now.words), DB_I(now.changed_ms)),
                     NULL, err);
    if (rc == OK)
        rc = document_index(tx, &now, err);
    now.revision++;
    c->out = now;
    return rc == OK ? document_tell(tx, &c->out, STR("document.changed"), err) : rc;
}

ErrCode document_change(Db *db, int64_t project, int64_t id, int64_t revision, Str name, Str tags,
                        Arena *a, Document *out, Err *err)
{
    Change c = {
        .project = project, .id = id, .revision = revision, .name = name, .tags = tags, .a = a};
    ErrCode rc = name.ptr != NULL ? document_name_check(name, err) : OK;
    return rc == OK ? run(db, change_write, &c, out, err) : rc;
}

/* --- bytes --- */

/* The content that was becomes an earlier one; the oldest goes when there are too many. */
static ErrCode keep_version(DbConn *tx, const Document *d, Err *err)
{
    ErrCode rc = db_exec(tx, &sql_document_version_add,
                         DB_ARGS(DB_I(d->id), DB_I(d->content), DB_I(d->project), DB_S(d->type),
                                 DB_S(d->hash), DB_I(d->size_bytes), DB_I(d->content_ms)),
                         NULL, err);
    return rc == OK ? document_hold(tx, d->project, d->hash, KIND_VERSION, d->id, err) : rc;
}

static ErrCode drop_oldest(DbConn *tx, const Document *d, Arena *a, Err *err)
{
    DocumentVersion old;
    int64_t content = d->content - DOCUMENT_VERSIONS_MAX;
    if (content < 1)
        return OK;
    ErrCode rc = document_version_get(tx, d, content, a, &old, err);
    if (rc == ERR_NOT_FOUND)
        return OK;
    if (rc == OK)
        rc =
            db_exec(tx, &sql_document_version_drop, DB_ARGS(DB_I(d->id), DB_I(content)), NULL, err);
    if (rc == OK)
        rc = db_exec(tx, &sql_document_version_unref,
                     DB_ARGS(DB_I(d->project), DB_I(d->id), DB_S(old.hash)), NULL, err);
    return rc;
}

static ErrCode put_content(DbConn *tx, const Change *c, const Document *now, Err *err)
{
    ErrCode rc = db_exec(tx, &sql_document_replace,
                         DB_ARGS(DB_I(c->project), DB_I(c->id), DB_I(c->out.revision),
                                 DB_S(now->type), DB_S(now->hash), DB_I(now->size_bytes),
                                 DB_I(now->changed_ms), DB_S(family_of(now->type, now->name))),
                         NULL, err);
    if (rc == OK)
        rc = document_blob_add(tx, c->project, now->hash, now->size_bytes, err);
    if (rc == OK)
        rc = db_exec(tx, &sql_blob_ref_drop,
                     DB_ARGS(DB_I(c->project), DB_S(KIND_DOCUMENT), DB_I(c->id)), NULL, err);
    return rc == OK ? document_hold(tx, c->project, now->hash, KIND_DOCUMENT, c->id, err) : rc;
}

static ErrCode replace_write(DbConn *tx, void *arg, Err *err)
{
    Change *c = arg;
    ErrCode rc = begin(tx, c, err);
    if (rc != OK)
        return rc;
    Document now = c->out;
    now.hash = str_copy(c->a, (Str){c->blob.hash, BLOB_HASH_LEN});
    now.type = c->type.len > 0 ? c->type : now.type;
    now.size_bytes = c->blob.size_bytes;
    if (now.hash.ptr == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory to change a document");
    if (str_eq(now.hash, c->out.hash) && str_eq(now.type, c->out.type))
        return OK;
    now.changed_ms = now.content_ms = clock_now_ms();
    rc = keep_version(tx, &c->out, err);
    if (rc == OK)
        rc = put_content(tx, c, &now, err);
    if (rc == OK)
        rc = drop_oldest(tx, &c->out, c->a, err);
    now.revision++;
    now.content++;
    c->out = now;
    return rc == OK ? document_tell(tx, &c->out, STR("document.changed"), err) : rc;
}

ErrCode document_replace(Db *db, int64_t project, int64_t id, int64_t revision, const Blob *blob,
                         Str type, Arena *a, Document *out, Err *err)
{
    Change c = {
        .project = project, .id = id, .revision = revision, .blob = *blob, .type = type, .a = a};
    return run(db, replace_write, &c, out, err);
}

/* --- its end and its return --- */

static ErrCode delete_write(DbConn *tx, void *arg, Err *err)
{
    Change *c = arg;
    ErrCode rc = begin(tx, c, err);
    if (rc != OK)
        return rc;
    int64_t now = clock_now_ms();
    rc = db_exec(tx, &sql_document_delete, DB_ARGS(DB_I(c->project), DB_I(c->id), DB_I(now)), NULL,
                 err);
    if (rc == OK)
        rc = document_unindex(tx, &c->out, err);
    if (rc == OK) /* for as long as it may come back, the sweep leaves its bytes */
        rc = db_exec(tx, &sql_document_blobs_seen,
                     DB_ARGS(DB_I(c->project), DB_I(c->id), DB_I(now)), NULL, err);
    if (rc == OK)
        rc = document_tell(tx, &c->out, STR("document.deleted"), err);
    if (rc == OK)
        rc = db_exec(tx, &sql_blob_ref_drop,
                     DB_ARGS(DB_I(c->project), DB_S(KIND_DOCUMENT), DB_I(c->id)), NULL, err);
    if (rc == OK)
        rc = db_exec(tx, &sql_blob_ref_drop,
                     DB_ARGS(DB_I(c->project), DB_S(KIND_VERSION), DB_I(c->id)), NULL, err);
    return rc;
}

ErrCode document_delete(Db *db, int64_t project, int64_t id, Err *err)
{
    CLEANUP(arena_close) Arena *a = arena_open(64 * KIB);
    if (a == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory to delete a document");
    Change c = {.project = project, .id = id, .a = a};
    return run(db, delete_write, &c, NULL, err);
}

static ErrCode bytes_are_there(DbConn *tx, const Document *d, Err *err)
{
    int64_t size = -1;
    ErrCode rc =
        db_get_int(tx, &sql_blob_get, DB_ARGS(DB_I(d->project), DB_S(d->hash)), -1, &size, err);
    if (rc != OK || size >= 0)
        return rc;
    err_set(err, ERR_NOT_FOUND, "the document was deleted long ago: its bytes are gone");
    err_hint(err, "A deleted document can come back for a day. Restore it from a backup.");
    return ERR_NOT_FOUND;
}

static ErrCode undelete_write(DbConn *tx, void *arg, Err *err)
{
    Change *c = arg;
    if (fault_hit("document.change"))
        return err_set(err, ERR_NO_MEMORY, "no memory to bring a document back");
    ErrCode rc = document_look(tx, &sql_document_deleted, c->project, c->id, c->a, &c->out, err);
    if (rc == OK && c->out.id == 0)
        rc = err_set(err, ERR_NOT_FOUND, "there is no such deleted document");
    if (rc == OK)
        rc = bytes_are_there(tx, &c->out, err);
    if (rc != OK)
        return rc;
    c->out.changed_ms = clock_now_ms();
    rc = db_exec(tx, &sql_document_undelete,
                 DB_ARGS(DB_I(c->project), DB_I(c->id), DB_I(c->out.changed_ms)), NULL, err);
    if (rc == OK)
        rc = document_hold(tx, c->project, c->out.hash, KIND_DOCUMENT, c->id, err);
    if (rc == OK)
        rc = db_exec(tx, &sql_document_version_lost, DB_ARGS(DB_I(c->project), DB_I(c->id)), NULL,
                     err);
    if (rc == OK)
        rc = db_exec(tx, &sql_document_version_refs, DB_ARGS(DB_I(c->project), DB_I(c->id)), NULL,
                     err);
    if (rc == OK)
        rc = document_index(tx, &c->out, err);
    c->out.revision++;
    return rc == OK ? document_tell(tx, &c->out, STR("document.restored"), err) : rc;
}

ErrCode document_undelete(Db *db, int64_t project, int64_t id, Arena *a, Document *out, Err *err)
{
    Change c = {.project = project, .id = id, .a = a};
    return run(db, undelete_write, &c, out, err);
}

/* --- versions --- */

static ErrCode read_version(const DbRows *rows, Arena *a, DocumentVersion *out, Err *err)
{
    *out = (DocumentVersion){.content = db_int(rows, 0),
                             .type = db_str_copy(rows, 1, a),
                             .hash = db_str_copy(rows, 2, a),
                             .size_bytes = db_int(rows, 3),
                             .made_ms = db_int(rows, 4)};
    return out->type.ptr != NULL && out->hash.ptr != NULL
               ? OK
               : err_set(err, ERR_NO_MEMORY, "no memory for a version");
}

static DocumentVersion current(const Document *d)
{
    return (DocumentVersion){d->content, d->size_bytes, d->content_ms, d->type, d->hash};
}

ErrCode document_versions(DbConn *reader, const Document *d, int64_t before, int limit, Arena *a,
                          DocumentVersion **out, size_t *len, bool *more, Err *err)
{
    CLEANUP(db_rows_done) DbRows rows = {0};
    DocumentVersion *all = arena_new(a, DocumentVersion, (size_t)limit);
    if (all == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for the versions");
    size_t n = 0;
    if (before == 0 || before > d->content)
        all[n++] = current(d);
    ErrCode rc = db_query(
        reader, &sql_document_version_list,
        DB_ARGS(DB_I(d->id), DB_I(before > 0 ? before : d->content), DB_I((int64_t)limit + 1)),
        &rows, err);
    *more = false;
    while (rc == OK && db_next(&rows, &rc, err)) {
        *more = n == (size_t)limit;
        if (*more)
            break;
        rc = read_version(&rows, a, &all[n++], err);
    }
    *out = all;
    *len = n;
    return rc;
}

ErrCode document_version_get(DbConn *reader, const Document *d, int64_t content, Arena *a,
                             DocumentVersion *out, Err *err)
{
    if (content == d->content) {
        *out = current(d);
        return OK;
    }
    CLEANUP(db_rows_done) DbRows rows = {0};
    ErrCode rc = db_query(reader, &sql_document_version_get, DB_ARGS(DB_I(d->id), DB_I(content)),
                          &rows, err);
    if (rc == OK && db_next(&rows, &rc, err))
        return read_version(&rows, a, out, err);
    return rc != OK ? rc
                    : err_set(err, ERR_NOT_FOUND, "the document has no version %" PRId64, content);
}

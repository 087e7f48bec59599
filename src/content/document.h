/* document.h: named files of a project, and which project may see which blob.
 *
 * A document has an id, a name and the blob it is now; versions and sections come with the studio.
 * Deleting takes it from sight at once; its bytes go with the sweep once nothing else names them.
 *
 * Threads: any. Functions with a Db wait for the write to be on disk. */
#ifndef PLATEN_CONTENT_DOCUMENT_H
#define PLATEN_CONTENT_DOCUMENT_H

#include "blob/blob.h"
#include "db/db.h"

typedef struct Document {
    int64_t id, project, size_bytes, created_ms;
    Str name, type, hash;
} Document;

typedef struct DocumentNew {
    int64_t project;
    Str name, type;
    Blob blob;
    Document added; /* out */
} DocumentNew;

/* All or none, in one transaction. With an idempotency key that is known, `added` is what the
 * earlier request added; ERR_IDEMPOTENCY_MISMATCH when that was something else. */
MUST_CHECK ErrCode document_add_all(Db *db, DocumentNew *docs, size_t len, Str idempotency_key,
                                    Err *err);
/* ERR_NOT_FOUND. Texts are in `a`. */
MUST_CHECK ErrCode document_get(DbConn *reader, int64_t project, int64_t id, Arena *a,
                                Document *out, Err *err);
/* Newest first; `before`: older than this id, 0 for the newest. */
MUST_CHECK ErrCode document_list(DbConn *reader, int64_t project, int64_t before, int limit,
                                 Arena *a, Document **out, size_t *len, bool *more, Err *err);
MUST_CHECK ErrCode document_delete(Db *db, int64_t project, int64_t id, Err *err);

/* The project may see this blob from now on (an upload that is not a document yet; kept for a day
 * if nothing names it). */
MUST_CHECK ErrCode blob_row_add(Db *db, int64_t project, const Blob *blob, Err *err);
MUST_CHECK ErrCode blob_row_seen(DbConn *reader, int64_t project, Str hash, bool *out, Err *err);

#endif

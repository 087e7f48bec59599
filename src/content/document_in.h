/* document_in.h: what the files of src/content share. All run inside a write, but document_read. */
#ifndef PLATEN_CONTENT_DOCUMENT_IN_H
#define PLATEN_CONTENT_DOCUMENT_IN_H

#include "content/document.h"
#include "content/words.h"
#include "db/queries.h"

#define KIND_DOCUMENT STR("document")
#define KIND_VERSION  STR("version")

/* A row of the columns that all queries for documents give, with its texts in `a`. */
MUST_CHECK ErrCode document_read(const DbRows *rows, int64_t project, Arena *a, Document *out,
                                 Err *err);
/* By sql_document_get or sql_document_deleted. *out is zero when there is none. */
MUST_CHECK ErrCode document_look(DbConn *conn, const Query *q, int64_t project, int64_t id,
                                 Arena *a, Document *out, Err *err);
/* What happened to it, as others hear of it. */
MUST_CHECK ErrCode document_tell(DbConn *tx, const Document *d, Str type, Err *err);
/* Its words and tags are found, or not any more. */
MUST_CHECK ErrCode document_index(DbConn *tx, const Document *d, Err *err);
MUST_CHECK ErrCode document_unindex(DbConn *tx, const Document *d, Err *err);
/* The words of a name and tags, in `a`. .ptr NULL: no memory. */
Str document_words(Arena *a, Str name, Str tags);
/* The project sees the blob, and this owner holds it. */
MUST_CHECK ErrCode document_hold(DbConn *tx, int64_t project, Str hash, Str kind, int64_t id,
                                 Err *err);
MUST_CHECK ErrCode document_blob_add(DbConn *tx, int64_t project, Str hash, int64_t size_bytes,
                                     Err *err);

#endif

/* document.h: named files of a project, and which project may see which blob.
 *
 *               document_add_all              document_delete
 *   (nothing) ------------------> THERE (n) -------------------> GONE ---- a day ----> its bytes go
 *                                  |    ^  \<-------------------/
 *                                  \----/       document_undelete
 *        document_replace, document_change
 *
 * A document has an id, a name, tags and the blob it is now. Another content makes the one before an
 * earlier version: kept under its number, readable, and restored by becoming the newest one again;
 * the oldest goes when there are DOCUMENT_VERSIONS_MAX. `revision` rises with every change and is
 * what If-Match names. Deleting takes a document from sight at once; for a day it can come back,
 * then its bytes go with the sweep unless something else names them.
 *
 * Finding: words of names and tags (words.h), a tag, a family; newest first. A page walks at most
 * DOCUMENT_WALK_MAX rows and says where the next one goes on, so no search reads a whole table.
 *
 * Threads: any. Functions with a Db wait for the write to be on disk. */
#ifndef PLATEN_CONTENT_DOCUMENT_H
#define PLATEN_CONTENT_DOCUMENT_H

#include "blob/blob.h"
#include "db/db.h"

enum {
    DOCUMENT_NAME_MAX = 255,
    DOCUMENT_TAGS_MAX = 32,
    DOCUMENT_TAG_BYTES_MAX = 64,
    DOCUMENT_VERSIONS_MAX = 500,
    DOCUMENT_WALK_MAX = 2000,
    DOCUMENT_UNDO_MS = 24 * 60 * 60 * 1000, /* as long as the sweep leaves what nothing names */
};

typedef struct Document {
    int64_t id, project, size_bytes, created_ms, changed_ms, content_ms;
    int64_t revision; /* rises with every change */
    int64_t content;  /* number of the content, from 1 */
    Str name, type, hash;
    Str tags;  /* joined by commas, in order */
    Str words; /* words.h */
} Document;

typedef struct DocumentNew {
    int64_t project;
    Str name, type, tags; /* tags: as document_tags gives them */
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

typedef struct DocumentQuery {
    int64_t before; /* older than this id; 0: from the newest */
    Str q, tag, family;
    int limit;
} DocumentQuery;
/* Newest first. *next: where to go on (`before`), 0 at the end; a page may be short or empty and
 * still have one. */
MUST_CHECK ErrCode document_find(DbConn *reader, int64_t project, const DocumentQuery *q, Arena *a,
                                 Document **out, size_t *len, int64_t *next, Err *err);

/* Where If-Match allows any: */
enum { DOCUMENT_ANY_REVISION = 0 };

/* Another name (.ptr NULL: as it is) and other tags (the same). ERR_NOT_FOUND, ERR_BAD_PARAM, and
 * ERR_PRECONDITION_FAILED when it has changed since `revision`. *out is what it is now, in `a`. */
MUST_CHECK ErrCode document_change(Db *db, int64_t project, int64_t id, int64_t revision, Str name,
                                   Str tags, Arena *a, Document *out, Err *err);
/* Other bytes; `type` "": as it is. The same bytes and type change nothing. */
MUST_CHECK ErrCode document_replace(Db *db, int64_t project, int64_t id, int64_t revision,
                                    const Blob *blob, Str type, Arena *a, Document *out, Err *err);
MUST_CHECK ErrCode document_delete(Db *db, int64_t project, int64_t id, Err *err);
/* ERR_NOT_FOUND when it is not deleted, or its bytes are gone. */
MUST_CHECK ErrCode document_undelete(Db *db, int64_t project, int64_t id, Arena *a, Document *out,
                                     Err *err);

typedef struct DocumentVersion {
    int64_t content, size_bytes, made_ms;
    Str type, hash;
} DocumentVersion;
/* Newest first, the current one included; before: 0: from the newest. */
MUST_CHECK ErrCode document_versions(DbConn *reader, const Document *d, int64_t before, int limit,
                                     Arena *a, DocumentVersion **out, size_t *len, bool *more,
                                     Err *err);
/* ERR_NOT_FOUND. */
MUST_CHECK ErrCode document_version_get(DbConn *reader, const Document *d, int64_t content,
                                        Arena *a, DocumentVersion *out, Err *err);

/* Is it fit for a name? ERR_BAD_PARAM. */
MUST_CHECK ErrCode document_name_check(Str name, Err *err);
/* Tags in order, each once, joined by commas. ERR_BAD_PARAM. */
MUST_CHECK ErrCode document_tags(const Str *tags, size_t len, Arena *a, Str *out, Err *err);
typedef struct TagCount {
    Str tag;
    int64_t documents;
} TagCount;
/* Tags in use, in order, after `after` ("": from the first). */
MUST_CHECK ErrCode document_tag_list(DbConn *reader, int64_t project, Str after, int limit,
                                     Arena *a, TagCount **out, size_t *len, bool *more, Err *err);

/* Documents from before words were kept get theirs; at start, in small writes. */
MUST_CHECK ErrCode document_index_all(Db *db, Err *err);

/* The project may see this blob from now on (an upload that is not a document yet; kept for a day
 * if nothing names it). */
MUST_CHECK ErrCode blob_row_add(Db *db, int64_t project, const Blob *blob, Err *err);
MUST_CHECK ErrCode blob_row_seen(DbConn *reader, int64_t project, Str hash, bool *out, Err *err);
/* The same with its size; ERR_NOT_FOUND. */
MUST_CHECK ErrCode blob_row_get(DbConn *reader, int64_t project, Str hash, Blob *out, Err *err);

#endif

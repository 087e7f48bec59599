/* blob.h: immutable bytes, named by their SHA-256.
 *
 * A blob exists whole or not at all: it is written to an unnamed temporary file (O_TMPFILE),
 * hashed, synced, and only then linked under blobs/ab/cd/<hash>, whose folder is synced too. The
 * same bytes twice are one file. Nothing here knows projects: which project may see a blob, and
 * what refers to it, are rows of the database.
 *
 * Life of a blob: blob_create → write → blob_finish (or blob_adopt for a descriptor somebody else
 * has filled) → rows name it → no row names it → blob_sweep removes it after the grace period.
 *
 * One process per store: open it after the database, whose lock keeps a second one away.
 *
 * Threads: a BlobStore is constant after open; a BlobWriter belongs to one thread at a time. */
#ifndef PLATEN_BLOB_BLOB_H
#define PLATEN_BLOB_BLOB_H

#include "base/err.h"

enum { BLOB_HASH_LEN = 64 };

typedef struct BlobStore BlobStore;
typedef struct Blob {
    char hash[BLOB_HASH_LEN + 1]; /* lower-case hex, 0 at the end */
    int64_t size_bytes;
} Blob;

MUST_CHECK ErrCode blob_store_open(const char *dir, bool fast_and_loose, BlobStore **out, Err *err);
void blob_store_close(BlobStore **s);

/* Write a blob piece by piece, hashing on the way. `limit_bytes` < 0: none; past it
 * ERR_INPUT_TOO_LARGE. Fault sites: blob.create, blob.write, blob.sync, blob.link. */
typedef struct BlobWriter BlobWriter;
MUST_CHECK ErrCode blob_create(BlobStore *s, int64_t limit_bytes, BlobWriter **out, Err *err);
MUST_CHECK ErrCode blob_write(BlobWriter *w, const void *bytes, size_t size, Err *err);
MUST_CHECK ErrCode blob_finish(BlobWriter **w, Blob *out,
                               Err *err); /* on disk when OK; *w is NULL afterwards either way */
void blob_abandon(BlobWriter **w);

/* An unnamed file for somebody else (an engine) to fill, and its adoption: hashed from the start,
 * synced, linked. `fd` stays the caller's. */
MUST_CHECK ErrCode blob_temp(BlobStore *s, int *out_fd, Err *err);
MUST_CHECK ErrCode blob_adopt(BlobStore *s, int fd, Blob *out, Err *err);

MUST_CHECK ErrCode blob_put(BlobStore *s, Str bytes, Blob *out, Err *err);
/* Read-only descriptor, positioned at 0. ERR_NOT_FOUND. `hash` may be anything: it is checked for
 * form first. */
MUST_CHECK ErrCode blob_open(BlobStore *s, Str hash, int *out_fd, int64_t *size_bytes, Err *err);
bool blob_hash_valid(Str hash);
/* Path for a person ("where the result is"). */
Str blob_path(const BlobStore *s, Str hash, Arena *a);

/* Visit every blob file older than `grace_ms`; remove those for which keep(ctx, hash) is false. */
typedef struct BlobSweep {
    int64_t seen, removed, removed_bytes;
} BlobSweep;
MUST_CHECK ErrCode blob_sweep(BlobStore *s, int64_t grace_ms, bool (*keep)(void *ctx, Str hash),
                              void *ctx, BlobSweep *out, Err *err);
/* Read every blob again and compare it with its name; `bad` is called for each that differs. */
MUST_CHECK ErrCode blob_verify(BlobStore *s, void (*bad)(void *ctx, Str hash, const char *why),
                               void *ctx, int64_t *seen, Err *err);
/* Free bytes on the store's file system, -1 when unknown. */
int64_t blob_free_bytes(const BlobStore *s);

#endif

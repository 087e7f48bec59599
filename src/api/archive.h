/* archive.h: a backup as one POSIX tar (ustar): platen.db first, then blobs/<hash>, then a last
 * member "complete".
 *
 * Making one: the writer copies the database between two transactions (db_backup); the blobs that
 * copy names are then added. Restoring checks every header's sum, every blob's hash and the last
 * member, so a cut file is refused and the folder left empty. */
#ifndef PLATEN_API_ARCHIVE_H
#define PLATEN_API_ARCHIVE_H

#include "blob/blob.h"
#include "db/db.h"

typedef struct ArchiveTotals {
    int64_t blobs, bytes;
} ArchiveTotals;

/* Write the backup to `fd` (a temporary file of `dir`, which holds the copy of the database
 * meanwhile). */
MUST_CHECK ErrCode archive_create(Db *db, BlobStore *blobs, const char *dir, int fd,
                                  ArchiveTotals *out, Err *err);
/* `dir` must be empty or missing. ERR_CONFLICT when it is not; ERR_INPUT_DAMAGED when the file is
 * not a whole backup. */
MUST_CHECK ErrCode archive_restore(const char *file, const char *dir, ArchiveTotals *out, Err *err);

#endif

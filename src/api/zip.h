/* zip.h: files of the blob store as one ZIP (PKWARE APPNOTE 6.3.10), stored without compression:
 * results are mostly compressed already, and copying is as fast as the disk.
 *
 * Names are kept with their folders; the second "a.pdf" becomes "a-2.pdf". Sizes and offsets above
 * 4 GiB and more than 65,535 files use the ZIP64 records. Same files, same time: same bytes. */
#ifndef PLATEN_API_ZIP_H
#define PLATEN_API_ZIP_H

#include "blob/blob.h"
#include "flow/flow.h"

typedef struct Zip Zip;
/* An archive of at most files_max files, and as many folders, on `fd`, a regular file. */
MUST_CHECK ErrCode zip_begin(BlobStore *blobs, size_t files_max, int64_t time_ms, Arena *a, int fd,
                             Zip **out, Err *err);
/* A name that nobody has yet: `wanted`, or "wanted-2". The texts live as long as the archive. */
MUST_CHECK ErrCode zip_take_name(Zip *z, Str wanted, Str *out, Err *err);
MUST_CHECK ErrCode zip_add_blob(Zip *z, Str name, Str hash, Err *err);
MUST_CHECK ErrCode zip_add_text(Zip *z, Str name, Str text, Err *err);
/* The position of the file is its start again. */
MUST_CHECK ErrCode zip_finish(Zip *z, Err *err);

/* All at once. Write the archive to `fd`, a regular file, from its start; the position is its start again
 * afterwards. time_ms: the time of every file in it. ERR_NOT_FOUND when a blob is gone. */
MUST_CHECK ErrCode zip_write(BlobStore *blobs, const JobFile *files, size_t len, int64_t time_ms,
                             Arena *a, int fd, Err *err);

#endif

/* zip.h: files of the blob store as one ZIP (PKWARE APPNOTE 6.3.10), stored without compression:
 * results are mostly compressed already, and copying is as fast as the disk.
 *
 * Names are kept with their folders; the second "a.pdf" becomes "a-2.pdf". Sizes and offsets above
 * 4 GiB and more than 65,535 files use the ZIP64 records. Same files, same time: same bytes. */
#ifndef PLATEN_API_ZIP_H
#define PLATEN_API_ZIP_H

#include "blob/blob.h"
#include "flow/flow.h"

/* Write the archive to `fd`, a regular file, from its start; the position is its start again
 * afterwards. time_ms: the time of every file in it. ERR_NOT_FOUND when a blob is gone. */
MUST_CHECK ErrCode zip_write(BlobStore *blobs, const JobFile *files, size_t len, int64_t time_ms,
                             Arena *a, int fd, Err *err);

#endif

/* reader.h: libarchive over bytes in memory, with its errors as reasons.
 *
 * Everything is read from memory: the outermost archive is a mapped file, an inner one a buffer. So
 * ZIP and 7z can seek at every level, and a second reader over the same bytes costs nothing. */
#ifndef PLATEN_ARCHIVE_READER_H
#define PLATEN_ARCHIVE_READER_H

#include "core/step.h"

#include <archive.h>
#include <archive_entry.h>

typedef struct Reader {
    struct archive *a;
    Str bytes;
} Reader;

/* Nothing is looked at yet: the first reader_next says whether it is an archive. `password` may be
 * empty. zip_in_order reads a ZIP from front to back, without the directory at its end. */
MUST_CHECK ErrCode reader_open(StepCtx *c, Str bytes, Str password, bool zip_in_order, Reader *out);
void reader_close(Reader *r);

/* *out is NULL after the last entry; it is valid until the next call. ERR_UNSUPPORTED_TYPE: not an
 * archive. */
MUST_CHECK ErrCode reader_next(StepCtx *c, Reader *r, struct archive_entry **out);
/* The next block of the current entry; *len is 0 at its end. `name` is for messages. */
MUST_CHECK ErrCode reader_data(StepCtx *c, Reader *r, Str name, const void **block, size_t *len,
                               int64_t *offset);

/* Valid after the first reader_next. */
const char *
reader_format(const Reader *r); /* "zip", "tar", "7z" …; "gzip" … for a single compressed file */
const char *reader_compression(const Reader *r); /* outer compression: "gzip", "xz" … or NULL */
bool reader_is_single(const Reader *r);          /* one compressed file without a name of its own */
bool reader_is_zip(const Reader *r);
/* Reaching the next entry means decompressing this one. */
bool reader_is_stream(const Reader *r);

/* Bytes that begin like an archive: the kind ("zip"), or NULL. */
const char *reader_sniff(const void *bytes, size_t size);
/* Raw bytes of a name as the archive has them, or as UTF-8. Empty when there is none. */
Str reader_path(struct archive_entry *e);
Str reader_link(struct archive_entry *e, bool *hard);

#endif

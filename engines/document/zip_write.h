/* zip_write.h: a ZIP archive written from front to back, entry by entry.
 *
 *   ZipOut *z = zip_out_open(arena, fd);
 *   zip_out_entry(z, "mimetype", true);   zip_out_put(z, STR("application/epub+zip"));
 *   zip_out_entry(z, "content.opf", false);   zip_out_put(…);   …
 *   rc = zip_out_end(z, err);   zip_out_drop(&z);
 *
 * The first failure is remembered and told by zip_out_end; calls after it do nothing. A stored entry
 * holds at most 4 KiB, so its size and checksum stand before its bytes, as EPUB wants of its first.
 * An archive of less than 4 GiB and at most 65,535 entries; the date of every entry is 1980-01-01, so
 * that the same document gives the same bytes. */
#ifndef PLATEN_DOCUMENT_ZIP_WRITE_H
#define PLATEN_DOCUMENT_ZIP_WRITE_H

#include "base/buf.h"
#include "base/err.h"

typedef struct ZipOut ZipOut;

ZipOut *zip_out_open(Arena *a, int fd); /* NULL: no memory; the descriptor stays the caller's */
void zip_out_entry(ZipOut *z, const char *name, bool stored);
void zip_out_put(ZipOut *z, Str bytes);
MUST_CHECK ErrCode zip_out_end(ZipOut *z, Err *err);
void zip_out_drop(ZipOut **z);

#endif

/* zip.h: a read-only ZIP archive over bytes in memory: entries by name, each read as a stream.
 *
 * What    OOXML, OpenDocument and EPUB are ZIP files whose parts refer to each other by name, in any order, and some are read twice.
 * Why own libarchive reads front to back: reaching "word/styles.xml" after "word/document.xml"
 * means starting again, and it does
 *         not read the central directory of a mapping. So the directory is read here (about 200 lines) and zlib does the inflating.
 * Limits  At most ZIP_ENTRIES_MAX entries; all entries together expand to at most ZIP_TOTAL_MAX bytes (LIMIT_RATIO); an entry
 *         that is larger than ZIP_RATIO_FREE and more than ZIP_RATIO_MAX times its packed size is a bomb (LIMIT_RATIO), refused
 *         before the first byte when the directory admits to it. Entries that share packed bytes are refused the same way.
 * Damage  Without a usable directory the local headers are searched. A cut or wrong entry gives its readable beginning, then
 *         INPUT_DAMAGED. Of two entries with one name the first counts.
 *
 * Nothing is copied: names and packed bytes stay in the mapping, which must outlive the Zip. */
#ifndef PLATEN_DOCUMENT_ZIP_H
#define PLATEN_DOCUMENT_ZIP_H

#include "base/err.h"

enum { ZIP_ENTRIES_MAX = 100 * 1000, ZIP_RATIO_MAX = 200 };
#define ZIP_RATIO_FREE (50 * MIB)
#define ZIP_TOTAL_MAX  (1 * GIB)

typedef struct ZipEntry {
    Str name;
    uint64_t header;       /* offset of the local header */
    uint64_t packed, size; /* bytes in the archive, bytes as claimed */
    uint32_t crc;
    uint16_t method; /* 0: stored, 8: deflate */
    bool encrypted;
    bool trusted; /* sizes and crc come from a directory */
} ZipEntry;

typedef struct Zip {
    Str bytes;
    ZipEntry *entries; /* in the order of the directory */
    size_t len;
    uint64_t expanded; /* bytes given out so far, of all entries */
    bool repaired;     /* the directory was unusable; the entries were searched */
} Zip;

typedef struct ZipStream ZipStream;

/* INPUT_EMPTY, INPUT_DAMAGED (not one entry), INPUT_ENCRYPTED (an Office file encrypted as a whole:
 * an OLE container), LIMIT_COUNT, LIMIT_RATIO. */
MUST_CHECK ErrCode zip_open(Arena *a, Str bytes, Zip *out, Err *err);

/* NULL: there is none. Exact name first, then without regard to ASCII case, a slash in front and
 * the direction of slashes. */
const ZipEntry *zip_find(const Zip *z, Str name);

/* INPUT_ENCRYPTED, INPUT_DAMAGED, UNSUPPORTED_TYPE (another compression), LIMIT_RATIO. */
MUST_CHECK ErrCode zip_stream_open(Zip *z, const ZipEntry *e, ZipStream **out, Err *err);
/* The next bytes; *got 0 is the end, and then the checksum was right. */
MUST_CHECK ErrCode zip_stream_read(ZipStream *s, void *buffer, size_t size, size_t *got, Err *err);
void zip_stream_close(ZipStream **s);

/* A whole entry of at most `max` bytes (more: INPUT_TOO_LARGE). */
MUST_CHECK ErrCode zip_read(Zip *z, const ZipEntry *e, Arena *a, size_t max, Str *out, Err *err);

#endif

/* listing.h: entries as JSON: the first ones in the step's data, all of them in a file when there
 * are more. */
#ifndef PLATEN_ARCHIVE_LISTING_H
#define PLATEN_ARCHIVE_LISTING_H

#include "archive/walk.h"

/* Data travels in one message, so it holds at most this many entries and bytes of them. */
enum { LISTING_FIRST = 100, LISTING_FIRST_BYTES = 48 * 1024 };

typedef struct Listing {
    StepCtx *c;
    bool file_when_long; /* true at first */
    int64_t entries, first;
    Buf head, all;
    JsonOut head_json, all_json;
} Listing;

void listing_init(Listing *l, StepCtx *c);
MUST_CHECK ErrCode listing_add(Listing *l, const WalkEntry *e);
/* Puts totals and entries into c->data. */
MUST_CHECK ErrCode listing_finish(Listing *l, const WalkTotals *t);

extern const Field listing_entry_fields[];
#define LISTING_FIELDS                                                                             \
    {"format", FIELD_TYPE_TEXT,                                                                    \
     "One of zip, tar, 7z, rar, cpio, ar, cab, lha, iso; or gzip, xz and so on for one "           \
     "compressed file."},                                                                          \
        {"compression", FIELD_TYPE_TEXT,                                                           \
         "Compression around the whole: gzip, bzip2, xz, zstd and others.", .optional = true},     \
        {"files", FIELD_TYPE_INT, "Files."},                                                       \
        {"folders", FIELD_TYPE_INT, "Folders with an entry of their own."},                        \
        {"links", FIELD_TYPE_INT, "Links; they are not unpacked."},                                \
        {"archives", FIELD_TYPE_INT, "Archives inside that were opened."},                         \
        {"others", FIELD_TYPE_INT, "Devices and the like; they are not unpacked."},                \
        {"skipped", FIELD_TYPE_INT, "Entries left out because their path is unsafe."},             \
        {"bytes", FIELD_TYPE_INT, "Size of the files together."},                                  \
        {"packed_bytes", FIELD_TYPE_INT, "Size of the archive."},                                  \
        {"encrypted", FIELD_TYPE_BOOL, "Some entries need a password."},                           \
        {"entries", FIELD_TYPE_LIST, "The first entries, 100 at most.",                            \
         .items = listing_entry_fields},                                                           \
    {                                                                                              \
        "complete", FIELD_TYPE_BOOL, "`entries` has them all."                                     \
    }

#define ARCHIVE_ACCEPTS                                                                            \
    "application/zip,application/x-zip-compressed,application/x-tar,application/x-gtar,"           \
    "application/gzip,application/x-gzip,application/x-compressed-tar,application/x-tgz,"          \
    "application/x-bzip2,application/x-bzip,application/x-xz,application/x-lzma,application/zstd," \
    "application/x-zstd,application/x-lz4,application/x-compress,application/x-7z-compressed,"     \
    "application/vnd.rar,application/x-rar,application/x-rar-compressed,application/x-cpio,"       \
    "application/x-archive,application/x-unix-archive,application/vnd.debian.binary-package,"      \
    "application/vnd.ms-cab-compressed,application/x-lzh-compressed,application/x-iso9660-image,"  \
    "application/java-archive"

#define ARCHIVE_ERRORS                                                                             \
    (const ErrCode[])                                                                              \
    {                                                                                              \
        ERR_UNSUPPORTED_TYPE, ERR_INPUT_EMPTY, ERR_INPUT_DAMAGED, ERR_INPUT_ENCRYPTED,             \
            ERR_PATH_ESCAPE, ERR_LIMIT_RATIO, ERR_LIMIT_COUNT, ERR_LIMIT_DEPTH, ERR_LIMIT_OUTPUT,  \
            ERR_LIMIT_MEMORY, OK                                                                   \
    }

#endif

/* ole.h: a compound file ([MS-CFB]), read-only, over bytes in memory: storages and streams by name.
 *
 * What    DOC, XLS, PPT, MSG, PUB, VSD and encrypted OOXML are compound files: sectors, a table that chains them, and a directory
 *         that is a tree. Entry 0 is the root.
 * Limits  OLE_ENTRIES_MAX entries; a chain never has more sectors than the file, so loops end.
 * Damage  Wrong chains end early: a stream then gives what was there. Entries that the tree does not reach have no parent (-1),
 *         and are found all the same by ole_find_any.
 *
 * Nothing is copied but streams whose sectors do not lie in a row. The bytes must outlive the Ole. */
#ifndef PLATEN_DOCUMENT_OLE_H
#define PLATEN_DOCUMENT_OLE_H

#include "base/err.h"

enum { OLE_ENTRIES_MAX = 100 * 1000, OLE_NAME_MAX = 96 };

typedef enum OleKind { OLE_UNUSED = 0, OLE_STORAGE = 1, OLE_STREAM = 2, OLE_ROOT = 5 } OleKind;

typedef struct OleEntry {
    Str name; /* UTF-8 */
    OleKind kind;
    int parent; /* the storage it lies in; -1: the root, or lost */
    uint32_t start, left, right, child;
    uint64_t size_bytes;
    Str clsid; /* 16 bytes */
} OleEntry;

typedef struct Ole {
    Arena *arena;
    Str bytes;
    size_t sector_size, sectors;
    uint32_t *tables; /* the sectors that hold the chains, in order */
    size_t tables_len;
    uint32_t *mini_tables, *mini_sectors; /* the same for small streams, and where they lie */
    size_t mini_tables_len, mini_sectors_len;
    OleEntry *entries;
    size_t len;
} Ole;

/* Is this the magic number of one? */
bool ole_is(Str bytes);
/* INPUT_DAMAGED: no directory; LIMIT_MEMORY. */
MUST_CHECK ErrCode ole_open(Arena *a, Str bytes, Ole *out, Err *err);
/* The entry of this name in a storage, without regard to ASCII case; -1: there is none. */
int ole_find(const Ole *o, int storage, const char *name);
/* The first entry of this name anywhere. */
int ole_find_any(const Ole *o, const char *name);
/* A stream's bytes, at most `max`; "" when there is no such stream. In `a` when they must be put
 * together; .ptr == NULL when `a` is full. */
Str ole_read(const Ole *o, int entry, Arena *a, size_t max);

#endif

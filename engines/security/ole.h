/* ole.h: a read-only compound file (MS-CFB) over bytes in memory: storages and streams by index.
 *
 * Why own  files that attack lie in their tables: chains that loop, entries out of reach, sizes that
 *          are not there. Everything here is checked against the file, and a stream gives what there
 *          is. Entries that no storage lists are listed too: that is where things are hidden.
 * Limits   OLE_ENTRIES_MAX entries; a stream is at most as long as the file. */
#ifndef PLATEN_SECURITY_OLE_H
#define PLATEN_SECURITY_OLE_H

#include "base/err.h"

enum { OLE_ENTRIES_MAX = 20000, OLE_NONE = 0xFFFFFFFF };

typedef struct OleEntry {
    Str name; /* UTF-8, control characters as they are ("\1CompObj") */
    bool storage, root, orphan;
    uint32_t parent, left, right, child; /* indices; OLE_NONE */
    uint32_t start;
    uint64_t size;
    unsigned char clsid[16];
    bool visited;
} OleEntry;

typedef struct Ole {
    Arena *arena;
    Str bytes;
    size_t sector, mini_sector, cutoff;
    uint32_t *fat, *mini_fat;
    size_t fat_len, mini_fat_len;
    Str mini; /* the root's stream */
    OleEntry *entries;
    size_t len;
} Ole;

/* ERR_INPUT_DAMAGED, ERR_NO_MEMORY. */
MUST_CHECK ErrCode ole_open(Arena *a, Str bytes, Ole *out, Err *err);
bool ole_is(Str bytes);
/* At most `max` bytes of the stream, in `a`; "" when nothing can be read. */
Str ole_stream(Ole *o, size_t entry, Arena *a, size_t max);
/* The entry called `name` (ASCII case aside) in storage `parent`; OLE_NONE. */
uint32_t ole_find(const Ole *o, uint32_t parent, const char *name);

#endif

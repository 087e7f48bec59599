/* access_in.h: what the files of this folder share. */
#ifndef PLATEN_ACCESS_ACCESS_IN_H
#define PLATEN_ACCESS_ACCESS_IN_H

#include "access/access.h"
#include "base/thread.h"

/* "pk_" + 43 characters and a 0; the hash in hex and a 0. */
enum { KEY_TEXT_LEN = 46, KEY_HASH_LEN = 64, KEY_HINT_LEN = 7 };

/* key.c: the text of a key and its hash. */
MUST_CHECK ErrCode access_key_make(char text[ACCESS_KEY_TEXT], Err *err);
/* False when the text does not have the form of a key. */
bool access_key_hash(Str text, char out[KEY_HASH_LEN + 1]);

/* A check that was answered. Direct-mapped by the hash's first bytes: two keys that meet push each
 * other out. */
typedef struct CacheSlot {
    char hash[KEY_HASH_LEN + 1]; /* "": empty */
    Caller caller;
    int64_t until_us, used_ms; /* used_ms: as last written, or handed in to be */
} CacheSlot;

enum { CACHE_SLOTS = 256 };

struct Access {
    Db *db;
    Mutex lock; /* guards the rest; never held while calling the database */
    Cond changed;
    CacheSlot cache[CACHE_SLOTS];
    uint64_t revocations; /* an answer read before one of these must not enter the cache after it */
    int under_way;        /* used_ms updates handed in and not answered */
};

#endif

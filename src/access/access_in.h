/* access_in.h: what the files of this folder share. */
#ifndef PLATEN_ACCESS_ACCESS_IN_H
#define PLATEN_ACCESS_ACCESS_IN_H

#include "access/access.h"
#include "base/thread.h"

/* "pk_" + 43 characters and a 0; the hash in hex and a 0. */
enum { KEY_TEXT_LEN = 46, KEY_HASH_LEN = 64, KEY_HINT_LEN = 7 };

/* key.c: the text of a key ("pk_") or a session ("ps_") and its hash. */
#define KEY_PREFIX     "pk_"
#define SESSION_PREFIX "ps_"
MUST_CHECK ErrCode access_token_make(const char *prefix, char text[ACCESS_KEY_TEXT], Err *err);
/* False when the text does not have this form. */
bool access_token_hash(const char *prefix, Str text, char out[KEY_HASH_LEN + 1]);

/* A check that was answered. Direct-mapped by the hash's first bytes: two keys that meet push each
 * other out. */
typedef struct CacheSlot {
    char hash[KEY_HASH_LEN + 1]; /* "": empty */
    Caller caller;
    int64_t until_us, used_ms; /* used_ms: as last written, or handed in to be */
} CacheSlot;

enum { CACHE_SLOTS = 256 };

/* Wrong keys of a peer in the minute that began then. Direct-mapped as well: who meets another peer
 * there starts anew, so the table is bounded and nobody is refused for somebody else's guesses. */
typedef struct GuessSlot {
    uint64_t peer; /* a hash of its address */
    int64_t since_us;
    int wrong;
} GuessSlot;

enum { GUESS_SLOTS = 1024 };

/* What the database says about a key or a session. */
typedef struct Found {
    Caller who;
    int64_t used_ms, left_ms; /* left_ms: how long it lasts at most */
} Found;
typedef ErrCode (*LookUp)(Access *a, Str hash, Found *out, Err *err);

struct Access {
    Db *db;
    Mutex lock; /* guards the rest; never held while calling the database */
    Cond changed;
    CacheSlot cache[CACHE_SLOTS];
    GuessSlot guesses[GUESS_SLOTS];
    uint64_t revocations; /* an answer read before one of these must not enter the cache after it */
    int under_way;        /* used_ms updates handed in and not answered */
};

/* access.c: who this is the hash of: from memory, or by `look_up`. */
MUST_CHECK ErrCode access_find(Access *a, const char *hash, LookUp look_up, Caller *out, Err *err);
/* Something was taken back: forget every check, also those that are under way. */
void access_forget(Access *a);

#endif

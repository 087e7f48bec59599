/* blob_in.h: what the files of this folder share. */
#ifndef PLATEN_BLOB_BLOB_IN_H
#define PLATEN_BLOB_BLOB_IN_H

#include "base/thread.h"
#include "blob/blob.h"

#include <openssl/evp.h>

enum { BLOB_DIR_MAX = 3072, BLOB_CHUNK = 128 * 1024 };

struct BlobStore {
    /* Set in blob_store_open, then constant. */
    char dir[BLOB_DIR_MAX];
    int dir_fd;
    int tmp_fd; /* where files under way have names, because the system has no unnamed ones; else -1
                 */
    bool fast_and_loose;
    EVP_MD *sha256;
    Mutex publish; /* held while a name appears or goes: a sweep must not remove what was just found
                      again */
};

/* A digest under way. */
typedef struct BlobHash {
    EVP_MD_CTX *ctx;
} BlobHash;
MUST_CHECK ErrCode blob_hash_start(const BlobStore *s, BlobHash *h, Err *err);
void blob_hash_done(BlobHash *h);
void blob_hash_hex(BlobHash *h, char out[BLOB_HASH_LEN + 1]);
/* Hash `fd` from its start, without moving its position; *size gets the number of bytes. */
MUST_CHECK ErrCode blob_hash_file(const BlobStore *s, int fd, char out[BLOB_HASH_LEN + 1],
                                  int64_t *size, Err *err);

#endif

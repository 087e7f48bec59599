/* disk.c: blobs as files of one folder.
 *
 * Bytes are hashed while they are still in the processor's cache, and the kernel is told to begin
 * writing every few megabytes, so that the sync at the end finds little left to do. Where unnamed
 * files or /proc are missing, files under way live in blobs/tmp under a name; what a crash leaves
 * there is removed at the next start. */
#include "base/fault.h"
#include "base/fd.h"
#include "blob/blob_in.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

enum { WRITEBACK_BYTES = 8 * 1024 * 1024, TMP_NAME = 40, REL_PATH = BLOB_HASH_LEN + 8 };

struct BlobWriter {
    BlobStore *store;
    int fd;
    char tmp_name[TMP_NAME]; /* "": unnamed */
    BlobHash hash;
    int64_t size, limit, flushed; /* flushed: the kernel was told to write so far */
    Err failed;                   /* the first failure; nothing works after it */
    size_t used;                  /* of chunk: small pieces are gathered */
    unsigned char chunk[BLOB_CHUNK];
};

/* --- names --- */

bool blob_hash_valid(Str hash)
{
    if (hash.len != BLOB_HASH_LEN)
        return false;
    for (size_t i = 0; i < hash.len; i++) {
        char c = hash.ptr[i];
        if ((c < '0' || c > '9') && (c < 'a' || c > 'f'))
            return false;
    }
    return true;
}

static void relative_path(const char *hash, char out[REL_PATH])
{
    snprintf(out, REL_PATH, "%.2s/%.2s/%.64s", hash, hash + 2, hash);
}

Str blob_path(const BlobStore *s, Str hash, Arena *a)
{
    return blob_hash_valid(hash)
               ? str_printf(a, "%s/%.2s/%.2s/%.64s", s->dir, hash.ptr, hash.ptr + 2, hash.ptr)
               : STR("");
}

/* --- hashing --- */

ErrCode blob_hash_start(const BlobStore *s, BlobHash *h, Err *err)
{
    h->ctx = fault_hit("blob.hash") ? NULL : EVP_MD_CTX_new();
    if (h->ctx == NULL || EVP_DigestInit_ex2(h->ctx, s->sha256, NULL) != 1) {
        blob_hash_done(h);
        return err_set(err, ERR_NO_MEMORY, "no memory for a hash");
    }
    return OK;
}

void blob_hash_done(BlobHash *h)
{
    EVP_MD_CTX_free(h->ctx);
    h->ctx = NULL;
}

void blob_hash_hex(BlobHash *h, char out[BLOB_HASH_LEN + 1])
{
    static const char digits[] = "0123456789abcdef";
    unsigned char raw[BLOB_HASH_LEN / 2];
    EVP_DigestFinal_ex(h->ctx, raw, NULL);
    for (size_t i = 0; i < sizeof raw; i++) {
        out[2 * i] = digits[raw[i] >> 4];
        out[2 * i + 1] = digits[raw[i] & 15];
    }
    out[BLOB_HASH_LEN] = 0;
}

ErrCode blob_hash_file(const BlobStore *s, int fd, char out[BLOB_HASH_LEN + 1], int64_t *size,
                       Err *err)
{
    CLEANUP(blob_hash_done) BlobHash h = {0};
    unsigned char *chunk = malloc(BLOB_CHUNK);
    ErrCode rc = chunk != NULL ? blob_hash_start(s, &h, err)
                               : err_set(err, ERR_NO_MEMORY, "no memory for a hash");
    int64_t at = 0;
    while (rc == OK) {
        ssize_t n = fault_hit("blob.read") ? (errno = EIO, -1) : pread(fd, chunk, BLOB_CHUNK, at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            rc = err_set_errno(err, ERR_IO, errno, "could not read");
        if (n <= 0)
            break;
        EVP_DigestUpdate(h.ctx, chunk, (size_t)n);
        at += n;
    }
    free(chunk);
    if (rc == OK) {
        blob_hash_hex(&h, out);
        *size = at;
    }
    return rc;
}

/* --- store --- */

static void empty_tmp(int tmp_fd)
{
    int fd = dup(tmp_fd);
    DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
    for (struct dirent *e = d != NULL ? readdir(d) : NULL; e != NULL; e = readdir(d))
        if (e->d_name[0] != '.')
            unlinkat(tmp_fd, e->d_name, 0);
    if (d != NULL)
        closedir(d);
}

/* Whether the file system makes unnamed files, and /proc is there to name them. */
static bool has_unnamed(int dir_fd)
{
    CLEANUP(fd_close) int fd = openat(dir_fd, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
    return fd >= 0 && access("/proc/self/fd", X_OK) == 0;
}

static ErrCode open_folders(BlobStore *s, Err *err)
{
    if (mkdir(s->dir, 0700) != 0 && errno != EEXIST)
        return err_set_errno(err, ERR_IO, errno, "could not make the folder of the blobs");
    s->dir_fd = open(s->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (s->dir_fd < 0)
        return err_set_errno(err, ERR_IO, errno, "could not open the folder of the blobs");
    if (has_unnamed(s->dir_fd))
        return OK;
    if (mkdirat(s->dir_fd, "tmp", 0700) != 0 && errno != EEXIST)
        return err_set_errno(err, ERR_IO, errno, "could not make the folder of temporary blobs");
    s->tmp_fd = openat(s->dir_fd, "tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (s->tmp_fd < 0)
        return err_set_errno(err, ERR_IO, errno, "could not open the folder of temporary blobs");
    empty_tmp(s->tmp_fd);
    return OK;
}

ErrCode blob_store_open(const char *dir, bool fast_and_loose, BlobStore **out, Err *err)
{
    CLEANUP(blob_store_close) BlobStore *s = calloc(1, sizeof *s);
    if (s == NULL)
        return err_set(err, ERR_NO_MEMORY, "opening the blob store");
    s->dir_fd = s->tmp_fd = -1;
    s->fast_and_loose = fast_and_loose;
    mutex_init(&s->publish);
    if (strlen(dir) >= sizeof s->dir)
        return err_set(err, ERR_IO, "the path of the blob store is too long");
    snprintf(s->dir, sizeof s->dir, "%s", dir);
    s->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    if (s->sha256 == NULL)
        return err_set(err, ERR_INTERNAL, "the crypto library has no SHA-256");
    ErrCode rc = open_folders(s, err);
    if (rc == OK) {
        *out = s;
        s = NULL;
    }
    return rc;
}

void blob_store_close(BlobStore **store)
{
    BlobStore *s = *store;
    if (s == NULL)
        return;
    fd_close(&s->dir_fd);
    fd_close(&s->tmp_fd);
    EVP_MD_free(s->sha256);
    mutex_done(&s->publish);
    free(s);
    *store = NULL;
}

/* --- from bytes to a blob --- */

/* A new empty file; `name` is "" when it has none. */
static ErrCode new_file(BlobStore *s, int *out_fd, char name[TMP_NAME], Err *err)
{
    int fd = -1;
    name[0] = 0;
    if (fault_hit("blob.create")) {
        errno = ENOSPC;
    } else if (s->tmp_fd < 0) {
        fd = openat(s->dir_fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    } else {
        uint64_t dice[2];
        if (getrandom(dice, sizeof dice, 0) == sizeof dice) {
            snprintf(name, TMP_NAME, "%016" PRIx64 "%016" PRIx64, dice[0], dice[1]);
            fd = openat(s->tmp_fd, name, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
        }
    }
    if (fd < 0)
        return err_set_errno(err, ERR_IO, errno, "could not make a temporary file");
    *out_fd = fd;
    return OK;
}

static ErrCode sync_fd(const BlobStore *s, int fd, bool data_only, Err *err)
{
    if (fault_hit("blob.sync"))
        return err_set_errno(err, ERR_IO, EIO, "could not sync a blob");
    if (s->fast_and_loose)
        return OK;
    return (data_only ? fdatasync(fd) : fsync(fd)) == 0
               ? OK
               : err_set_errno(err, ERR_IO, errno, "could not sync a blob");
}

/* Open the folder `name` of `parent`, made and synced when it is not there. */
static ErrCode enter(const BlobStore *s, int parent, const char *name, int *out_fd, Err *err)
{
    int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT) {
        if (mkdirat(parent, name, 0700) != 0 && errno != EEXIST)
            return err_set_errno(err, ERR_IO, errno, "could not make a folder for a blob");
        ErrCode rc = sync_fd(s, parent, false, err);
        if (rc != OK) {
            unlinkat(parent, name, AT_REMOVEDIR); /* else nobody would sync it again */
            return rc;
        }
        fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    }
    if (fd < 0)
        return err_set_errno(err, ERR_IO, errno, "could not open a folder of blobs");
    *out_fd = fd;
    return OK;
}

static ErrCode enter_leaf(const BlobStore *s, const char *hash, int *out_fd, Err *err)
{
    CLEANUP(fd_close) int outer = -1;
    const char first[] = {hash[0], hash[1], 0}, second[] = {hash[2], hash[3], 0};
    ErrCode rc = enter(s, s->dir_fd, first, &outer, err);
    return rc == OK ? enter(s, outer, second, out_fd, err) : rc;
}

/* Give the file its name. When the name exists, its bytes are ours already: it only becomes young
 * again, so that a sweep that has just decided to remove it does not. */
static int give_name(const BlobStore *s, int fd, const char *tmp_name, int leaf, const char *hash)
{
    char self[32];
    snprintf(self, sizeof self, "/proc/self/fd/%d", fd);
    int rc = tmp_name[0] != 0 ? linkat(s->tmp_fd, tmp_name, leaf, hash, 0)
                              : linkat(AT_FDCWD, self, leaf, hash, AT_SYMLINK_FOLLOW);
    if (rc != 0 && errno == EEXIST)
        rc = utimensat(leaf, hash, NULL, 0);
    return rc;
}

/* `fd` is whole and synced: from here on it is a blob. *foreign: the file cannot be linked from
 * where it is. */
static ErrCode publish(BlobStore *s, int fd, const char *tmp_name, const char *hash, bool *foreign,
                       Err *err)
{
    CLEANUP(fd_close) int leaf = -1;
    fchmod(fd, 0400); /* against accidents */
    ErrCode rc = enter_leaf(s, hash, &leaf, err);
    if (rc != OK)
        return rc;
    mutex_lock(&s->publish);
    if (fault_hit("blob.link")) {
        rc = err_set_errno(err, ERR_IO, ENOSPC, "could not name a blob");
    } else if (give_name(s, fd, tmp_name, leaf, hash) != 0) {
        *foreign = errno == ENOENT || errno == EXDEV || errno == EPERM;
        rc = err_set_errno(err, ERR_IO, errno, "could not name a blob");
    }
    mutex_unlock(&s->publish);
    return rc == OK ? sync_fd(s, leaf, false, err) : rc;
}

ErrCode blob_create(BlobStore *s, int64_t limit_bytes, BlobWriter **out, Err *err)
{
    CLEANUP(blob_abandon) BlobWriter *w = malloc(sizeof *w);
    if (w == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for a blob");
    memset(w, 0, offsetof(BlobWriter, chunk));
    w->store = s;
    w->fd = -1;
    w->limit = limit_bytes;
    ErrCode rc = new_file(s, &w->fd, w->tmp_name, err);
    if (rc == OK)
        rc = blob_hash_start(s, &w->hash, err);
    if (rc == OK) {
        *out = w;
        w = NULL;
    }
    return rc;
}

static ErrCode put(BlobWriter *w, const void *bytes, size_t size, Err *err)
{
    EVP_DigestUpdate(w->hash.ctx, bytes, size);
    ErrCode rc = fault_hit("blob.write")
                     ? err_set_errno(err, ERR_IO, ENOSPC, "could not write a blob")
                     : fd_write_all(w->fd, bytes, size, err);
    w->size += (int64_t)size;
    if (rc == OK && w->size - w->flushed >= WRITEBACK_BYTES && !w->store->fast_and_loose) {
        sync_file_range(w->fd, w->flushed, w->size - w->flushed, SYNC_FILE_RANGE_WRITE);
        w->flushed = w->size;
    }
    return rc;
}

static ErrCode add(BlobWriter *w, const unsigned char *bytes, size_t size, Err *err)
{
    if (w->limit >= 0 && (uint64_t)w->size + w->used + size > (uint64_t)w->limit)
        return err_set(err, ERR_INPUT_TOO_LARGE, "more than %" PRId64 " bytes", w->limit);
    ErrCode rc = OK;
    while (rc == OK && size > 0) {
        if (w->used == 0 && size >= BLOB_CHUNK) { /* large pieces are not copied */
            rc = put(w, bytes, BLOB_CHUNK, err);
            bytes += BLOB_CHUNK;
            size -= BLOB_CHUNK;
            continue;
        }
        size_t n = size < BLOB_CHUNK - w->used ? size : BLOB_CHUNK - w->used;
        memcpy(w->chunk + w->used, bytes, n);
        w->used += n;
        bytes += n;
        size -= n;
        if (w->used == BLOB_CHUNK) {
            rc = put(w, w->chunk, w->used, err);
            w->used = 0;
        }
    }
    return rc;
}

ErrCode blob_write(BlobWriter *w, const void *bytes, size_t size, Err *err)
{
    if (w->failed.code == OK && add(w, bytes, size, &w->failed) == OK)
        return OK;
    if (err != NULL)
        *err = w->failed;
    return w->failed.code;
}

static ErrCode finish(BlobWriter *w, Blob *out, Err *err)
{
    bool foreign = false;
    Blob blob;
    if (w->failed.code != OK) {
        if (err != NULL)
            *err = w->failed;
        return w->failed.code;
    }
    ErrCode rc = w->used > 0 ? put(w, w->chunk, w->used, err) : OK;
    if (rc != OK)
        return rc;
    blob.size_bytes = w->size;
    blob_hash_hex(&w->hash, blob.hash);
    rc = sync_fd(w->store, w->fd, true, err);
    if (rc == OK)
        rc = publish(w->store, w->fd, w->tmp_name, blob.hash, &foreign, err);
    if (rc == OK)
        *out = blob;
    return rc;
}

ErrCode blob_finish(BlobWriter **w, Blob *out, Err *err)
{
    ErrCode rc = finish(*w, out, err);
    blob_abandon(w);
    return rc;
}

void blob_abandon(BlobWriter **writer)
{
    BlobWriter *w = *writer;
    if (w == NULL)
        return;
    fd_close(&w->fd);
    if (w->tmp_name[0] != 0)
        unlinkat(w->store->tmp_fd, w->tmp_name, 0);
    blob_hash_done(&w->hash);
    free(w);
    *writer = NULL;
}

ErrCode blob_put(BlobStore *s, Str bytes, Blob *out, Err *err)
{
    CLEANUP(blob_abandon) BlobWriter *w = NULL;
    ErrCode rc = blob_create(s, -1, &w, err);
    if (rc == OK)
        rc = blob_write(w, bytes.ptr, bytes.len, err);
    return rc == OK ? blob_finish(&w, out, err) : rc;
}

/* --- files that others fill --- */

ErrCode blob_temp(BlobStore *s, int *out_fd, Err *err)
{
    char name[TMP_NAME];
    ErrCode rc = new_file(s, out_fd, name, err);
    if (rc == OK && name[0] != 0)
        unlinkat(s->tmp_fd, name, 0); /* blob_adopt copies it */
    return rc;
}

static ErrCode adopt_copy(BlobStore *s, int fd, Blob *out, Err *err)
{
    CLEANUP(blob_abandon) BlobWriter *w = NULL;
    unsigned char *chunk = malloc(BLOB_CHUNK);
    ErrCode rc = chunk != NULL ? blob_create(s, -1, &w, err)
                               : err_set(err, ERR_NO_MEMORY, "no memory for a blob");
    for (int64_t at = 0; rc == OK;) {
        ssize_t n = fault_hit("blob.read") ? (errno = EIO, -1) : pread(fd, chunk, BLOB_CHUNK, at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            rc = err_set_errno(err, ERR_IO, errno, "could not read");
        if (n <= 0)
            break;
        rc = blob_write(w, chunk, (size_t)n, err);
        at += n;
    }
    free(chunk);
    return rc == OK ? blob_finish(&w, out, err) : rc;
}

ErrCode blob_adopt(BlobStore *s, int fd, Blob *out, Err *err)
{
    bool foreign = false;
    Blob blob;
    if (s->tmp_fd >= 0)
        return adopt_copy(s, fd, out, err);
    if (!s->fast_and_loose)
        sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE); /* the disk works while we hash */
    ErrCode rc = blob_hash_file(s, fd, blob.hash, &blob.size_bytes, err);
    if (rc == OK)
        rc = sync_fd(s, fd, true, err);
    if (rc == OK)
        rc = publish(s, fd, "", blob.hash, &foreign, err);
    if (rc == OK)
        *out = blob;
    return foreign ? adopt_copy(s, fd, out, err) : rc;
}

/* --- reading --- */

ErrCode blob_open(BlobStore *s, Str hash, int *out_fd, int64_t *size_bytes, Err *err)
{
    char path[REL_PATH];
    if (!blob_hash_valid(hash))
        return err_set(err, ERR_NOT_FOUND, "this is not the name of a blob");
    relative_path(hash.ptr, path);
    CLEANUP(fd_close)
    int fd = fault_hit("blob.open") ? (errno = EIO, -1)
                                    : openat(s->dir_fd, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return err_set_errno(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, errno,
                             "could not open blob " STR_FMT, STR_ARG(hash));
    int64_t size = fd_size(fd);
    if (size < 0)
        return err_set_errno(err, ERR_IO, errno, "could not read blob " STR_FMT, STR_ARG(hash));
    *size_bytes = size;
    *out_fd = fd_take(&fd);
    return OK;
}

/* sweep.c: walks over all blobs: removing what nothing names, finding what is damaged. */
#include "base/clock.h"
#include "base/fault.h"
#include "base/fd.h"
#include "blob/blob_in.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

typedef ErrCode (*Visit)(void *ctx, int folder, const char *name, Err *err);
typedef struct Walk {
    Visit visit;
    void *ctx;
} Walk;

static void folder_done(DIR **d)
{
    if (*d != NULL)
        closedir(*d);
}

static ErrCode open_folder(int parent, const char *name, DIR **out, Err *err)
{
    int fd = fault_hit("blob.list")
                 ? (errno = EIO, -1)
                 : openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    *out = fd >= 0 ? fdopendir(fd) : NULL;
    if (*out != NULL)
        return OK;
    ErrCode rc = err_set_errno(err, ERR_IO, errno, "could not list the blobs");
    fd_close(&fd);
    return rc;
}

static bool is_folder_name(const char *name)
{
    return strlen(name) == 2 && strspn(name, "0123456789abcdef") == 2;
}

/* depth 0 and 1: folders of two digits; 2: blobs. */
static ErrCode walk(int parent, const char *name, int depth, const Walk *w, Err *err)
{
    CLEANUP(folder_done) DIR *d = NULL;
    ErrCode rc = open_folder(parent, name, &d, err);
    if (rc != OK)
        return rc;
    for (struct dirent *e = readdir(d); rc == OK && e != NULL; e = readdir(d)) {
        if (depth == 2 && blob_hash_valid(str_from_c(e->d_name)))
            rc = w->visit(w->ctx, dirfd(d), e->d_name, err);
        else if (depth < 2 && is_folder_name(e->d_name))
            rc = walk(dirfd(d), e->d_name, depth + 1, w, err);
    }
    return rc;
}

/* --- sweep --- */

typedef struct Sweeper {
    BlobStore *store;
    int64_t older_than_ms;
    bool (*keep)(void *ctx, Str hash);
    void *ctx;
    BlobSweep *out;
} Sweeper;

static bool is_old(const Sweeper *s, int folder, const char *name, int64_t *size)
{
    struct stat st;
    if (fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return false;
    *size = st.st_size;
    return (int64_t)st.st_mtim.tv_sec * 1000 + st.st_mtim.tv_nsec / 1000000 < s->older_than_ms;
}

static ErrCode sweep_one(void *ctx, int folder, const char *name, Err *err)
{
    Sweeper *s = ctx;
    int64_t size;
    s->out->seen++;
    if (!is_old(s, folder, name, &size) || s->keep(s->ctx, str_from_c(name)))
        return OK;
    MUTEX_HELD(&s->store->publish);
    if (!is_old(s, folder, name, &size)) /* the same bytes came in while we asked */
        return OK;
    if (fault_hit("blob.unlink") || unlinkat(folder, name, 0) != 0)
        return err_set_errno(err, ERR_IO, errno, "could not remove a blob");
    s->out->removed++;
    s->out->removed_bytes += size;
    return OK;
}

ErrCode blob_sweep(BlobStore *s, int64_t grace_ms, bool (*keep)(void *ctx, Str hash), void *ctx,
                   BlobSweep *out, Err *err)
{
    *out = (BlobSweep){0};
    Sweeper sweeper = {s, clock_now_ms() - grace_ms, keep, ctx, out};
    return walk(s->dir_fd, ".", 0, &(Walk){sweep_one, &sweeper}, err);
}

/* --- verify --- */

typedef struct Verifier {
    BlobStore *store;
    void (*bad)(void *ctx, Str hash, const char *why);
    void *ctx;
    int64_t seen;
} Verifier;

static ErrCode verify_one(void *ctx, int folder, const char *name, Err *err)
{
    Verifier *v = ctx;
    char hash[BLOB_HASH_LEN + 1];
    int64_t size;
    Err why;
    (void)err; /* a blob that cannot be read is a finding, not the end of the walk */
    CLEANUP(fd_close) int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        return OK; /* swept meanwhile */
    v->seen++;
    if (fd < 0) {
        err_set_errno(&why, ERR_IO, errno, "could not open");
        v->bad(v->ctx, str_from_c(name), why.text);
        return OK;
    }
    posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    if (blob_hash_file(v->store, fd, hash, &size, &why) != OK)
        v->bad(v->ctx, str_from_c(name), why.text);
    else if (strcmp(hash, name) != 0)
        v->bad(v->ctx, str_from_c(name), "the bytes are not those the name stands for");
    posix_fadvise(fd, 0, 0,
                  POSIX_FADV_DONTNEED); /* nobody asked for it: leave the cache to those who do */
    return OK;
}

ErrCode blob_verify(BlobStore *s, void (*bad)(void *ctx, Str hash, const char *why), void *ctx,
                    int64_t *seen, Err *err)
{
    Verifier v = {.store = s, .bad = bad, .ctx = ctx};
    ErrCode rc = walk(s->dir_fd, ".", 0, &(Walk){verify_one, &v}, err);
    *seen = v.seen;
    return rc;
}

int64_t blob_free_bytes(const BlobStore *s)
{
    struct statvfs st;
    return fstatvfs(s->dir_fd, &st) == 0 ? (int64_t)(st.f_bavail * st.f_frsize) : -1;
}

#include "api/archive.h"
#include "base/fd.h"
#include "db/queries.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ustar, POSIX.1-1988, with GNU's base-256 for sizes from 8 GiB. Offsets into the 512-byte
 * header. */
enum {
    BLOCK = 512,
    AT_MODE = 100,
    AT_UID = 108,
    AT_GID = 116,
    AT_SIZE = 124,
    AT_MTIME = 136,
    AT_SUM = 148,
    AT_TYPE = 156,
    AT_MAGIC = 257,
    NAME_SIZE = 100,
    SIZE_SIZE = 12,
    COPY_BUFFER = 256 * 1024,
    HASHES_AT_ONCE = 1000,
};
static const char member_db[] = "platen.db", member_blobs[] = "blobs/", member_end[] = "complete";

typedef struct Block {
    unsigned char bytes[BLOCK];
} Block;

static void put_octal(Block *b, int at, int digits, uint64_t v)
{
    for (int i = digits - 1; i >= 0; i--) {
        b->bytes[at + i] = (unsigned char)('0' + (v & 7));
        v >>= 3;
    }
}

static void put_size(Block *b, int64_t size)
{
    if (size < (int64_t)1 << 33) {
        put_octal(b, AT_SIZE, SIZE_SIZE - 1, (uint64_t)size);
        return;
    }
    for (int i = SIZE_SIZE - 1; i > 0; i--) {
        b->bytes[AT_SIZE + i] = (unsigned char)(size & 0xFF);
        size >>= 8;
    }
    b->bytes[AT_SIZE] = 0x80;
}

static int64_t get_size(const Block *b)
{
    int64_t v = 0;
    bool binary = (b->bytes[AT_SIZE] & 0x80) != 0;
    for (int i = binary ? 4 : 0; i < SIZE_SIZE; i++) {
        unsigned char c = b->bytes[AT_SIZE + i];
        if (binary)
            v = v << 8 | c;
        else if (c >= '0' && c <= '7')
            v = v << 3 | (c - '0');
    }
    return v;
}

/* The sum of all bytes, with the sum's own field taken as spaces. */
static unsigned checksum(const Block *b)
{
    unsigned sum = 0;
    for (int i = 0; i < BLOCK; i++)
        sum += i >= AT_SUM && i < AT_SUM + 8 ? ' ' : b->bytes[i];
    return sum;
}

static ErrCode put_header(int fd, const char *name, int64_t size, Err *err)
{
    Block b = {{0}};
    snprintf((char *)b.bytes, NAME_SIZE, "%s", name);
    put_octal(&b, AT_MODE, 7, 0600);
    put_octal(&b, AT_UID, 7, 0);
    put_octal(&b, AT_GID, 7, 0);
    put_octal(&b, AT_MTIME, 11, 0);
    put_size(&b, size);
    b.bytes[AT_TYPE] = '0';
    memcpy(b.bytes + AT_MAGIC, "ustar\00000", 8);
    put_octal(&b, AT_SUM, 6, checksum(&b));
    b.bytes[AT_SUM + 7] = ' ';
    return fd_write_all(fd, &b, sizeof b, err);
}

static ErrCode read_exactly(int fd, void *to, size_t size, Err *err)
{
    char *p = to;
    while (size > 0) {
        ssize_t n = read(fd, p, size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_set_errno(err, ERR_IO, errno, "could not read");
        if (n == 0)
            return err_set(err, ERR_INPUT_DAMAGED, "the backup is cut short");
        p += n;
        size -= (size_t)n;
    }
    return OK;
}

typedef ErrCode (*PutBytes)(void *to, const void *bytes, size_t size, Err *err);

static ErrCode put_to_fd(void *to, const void *bytes, size_t size, Err *err)
{
    return fd_write_all(*(const int *)to, bytes, size, err);
}

static ErrCode put_to_blob(void *to, const void *bytes, size_t size, Err *err)
{
    return blob_write(to, bytes, size, err);
}

/* Exactly `size` bytes of `from`, a piece at a time. */
static ErrCode copy(int from, int64_t size, PutBytes put, void *to, Err *err)
{
    char *buffer = malloc(COPY_BUFFER);
    ErrCode rc = buffer != NULL ? OK : err_set(err, ERR_NO_MEMORY, "no memory");
    for (int64_t left = size; rc == OK && left > 0;) {
        size_t n = left < COPY_BUFFER ? (size_t)left : COPY_BUFFER;
        rc = read_exactly(from, buffer, n, err);
        if (rc == OK)
            rc = put(to, buffer, n, err);
        left -= (int64_t)n;
    }
    free(buffer);
    return rc;
}

static size_t padding(int64_t size)
{
    return (size_t)((BLOCK - size % BLOCK) % BLOCK);
}

static ErrCode add_file(int fd, const char *name, int from, int64_t size, Err *err)
{
    ErrCode rc = put_header(fd, name, size, err);
    if (rc == OK)
        rc = copy(from, size, put_to_fd, &fd, err);
    Block zeros = {{0}};
    return rc != OK ? rc : fd_write_all(fd, &zeros, padding(size), err);
}

static ErrCode add_database(Db *db, const char *dir, int fd, ArchiveTotals *totals, Err *err)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/backup-%ld.db", dir, (long)getpid());
    unlink(path);
    ErrCode rc = db_backup(db, path, err);
    CLEANUP(fd_close) int from = rc == OK ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (rc == OK && from < 0)
        rc = err_set_errno(err, ERR_IO, errno, "could not open the copy of the database");
    unlink(path); /* the descriptor keeps it */
    if (rc != OK)
        return rc;
    int64_t size = fd_size(from);
    totals->bytes += size;
    return add_file(fd, member_db, from, size, err);
}

static ErrCode add_blob(BlobStore *blobs, Str hash, int fd, ArchiveTotals *totals, Err *err)
{
    CLEANUP(fd_close) int from = -1;
    int64_t size = 0;
    char name[NAME_SIZE];
    snprintf(name, sizeof name, "%s" STR_FMT, member_blobs, STR_ARG(hash));
    ErrCode rc = blob_open(blobs, hash, &from, &size, err);
    if (rc != OK)
        return rc;
    totals->blobs++;
    totals->bytes += size;
    return add_file(fd, name, from, size, err);
}

/* A page of hashes at a time, so that no read transaction stays open while files are copied. */
static ErrCode add_blobs(Db *db, BlobStore *blobs, int fd, ArchiveTotals *totals, Err *err)
{
    CLEANUP(arena_close) Arena *a = arena_open(MIB);
    Str last = STR("");
    char kept[BLOB_HASH_LEN];
    for (size_t n = HASHES_AT_ONCE; n == HASHES_AT_ONCE;) {
        CLEANUP(db_rows_done) DbRows rows = {0};
        DbConn *reader = NULL;
        Str *hashes = a != NULL ? arena_new(a, Str, HASHES_AT_ONCE) : NULL;
        ErrCode rc =
            hashes != NULL ? db_reader(db, &reader, err) : err_set(err, ERR_NO_MEMORY, "no memory");
        if (rc == OK)
            rc = db_query(reader, &sql_blob_hashes, DB_ARGS(DB_S(last), DB_I(HASHES_AT_ONCE)),
                          &rows, err);
        for (n = 0; rc == OK && n < HASHES_AT_ONCE && db_next(&rows, &rc, err); n++)
            hashes[n] = db_str_copy(&rows, 0, a);
        db_rows_done(&rows);
        for (size_t i = 0; rc == OK && i < n; i++)
            rc = add_blob(blobs, hashes[i], fd, totals, err);
        if (rc != OK)
            return rc;
        if (n > 0) {
            memcpy(kept, hashes[n - 1].ptr, BLOB_HASH_LEN);
            last = (Str){kept, BLOB_HASH_LEN};
        }
        arena_reset(a);
    }
    return OK;
}

ErrCode archive_create(Db *db, BlobStore *blobs, const char *dir, int fd, ArchiveTotals *out,
                       Err *err)
{
    ArchiveTotals totals = {0};
    Block end[2] = {{{0}}};
    ErrCode rc = add_database(db, dir, fd, &totals, err);
    if (rc == OK)
        rc = add_blobs(db, blobs, fd, &totals, err);
    if (rc == OK)
        rc = put_header(fd, member_end, 0, err);
    if (rc == OK)
        rc = fd_write_all(fd, end, sizeof end, err);
    if (rc == OK)
        *out = totals;
    return rc;
}

/* restoring */

static ErrCode make_empty_dir(const char *dir, bool *made, Err *err)
{
    *made = mkdir(dir, 0700) == 0;
    if (*made)
        return OK;
    if (errno != EEXIST)
        return err_set_errno(err, ERR_IO, errno, "could not make \"%s\"", dir);
    DIR *d = opendir(dir);
    if (d == NULL)
        return err_set_errno(err, ERR_IO, errno, "could not open \"%s\"", dir);
    int entries = 0;
    while (readdir(d) != NULL)
        entries++;
    closedir(d);
    if (entries > 2)
        return err_set(err, ERR_CONFLICT, "\"%s\" is not empty", dir);
    return OK;
}

static ErrCode restore_database(int from, const char *dir, int64_t size, Err *err)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s.part", dir, member_db);
    CLEANUP(fd_close) int to = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (to < 0)
        return err_set_errno(err, ERR_IO, errno, "could not create \"%s\"", path);
    ErrCode rc = copy(from, size, put_to_fd, &to, err);
    if (rc == OK && fsync(to) != 0)
        rc = err_set_errno(err, ERR_IO, errno, "could not write \"%s\"", path);
    return rc;
}

static ErrCode restore_blob(int from, BlobStore *blobs, const char *hash, int64_t size, Err *err)
{
    BlobWriter *w = NULL;
    Blob blob;
    ErrCode rc = blob_create(blobs, size, &w, err);
    if (rc == OK)
        rc = copy(from, size, put_to_blob, w, err);
    if (rc != OK) {
        blob_abandon(&w);
        return rc;
    }
    rc = blob_finish(&w, &blob, err);
    if (rc == OK && strcmp(blob.hash, hash) != 0)
        return err_set(err, ERR_INPUT_DAMAGED, "blob %.12s… has other bytes than its name says",
                       hash);
    return rc;
}

static ErrCode restore_member(int from, const char *name, int64_t size, const char *dir,
                              BlobStore *blobs, ArchiveTotals *totals, Err *err)
{
    size_t prefix = sizeof member_blobs - 1;
    totals->bytes += size;
    if (strcmp(name, member_db) == 0)
        return restore_database(from, dir, size, err);
    if (strncmp(name, member_blobs, prefix) == 0 && blob_hash_valid(str_from_c(name + prefix))) {
        totals->blobs++;
        return restore_blob(from, blobs, name + prefix, size, err);
    }
    return err_set(err, ERR_INPUT_DAMAGED, "this is not a backup of platen");
}

static ErrCode restore_members(int from, const char *dir, BlobStore *blobs, ArchiveTotals *totals,
                               Err *err)
{
    for (;;) {
        Block b;
        char name[NAME_SIZE + 1] = "", skipped[BLOCK];
        ErrCode rc = read_exactly(from, &b, sizeof b, err);
        if (rc != OK)
            return rc;
        memcpy(name, b.bytes, NAME_SIZE);
        char sum[8];
        snprintf(sum, sizeof sum, "%06o", checksum(&b) & 0777777);
        if (memcmp(sum, b.bytes + AT_SUM, 6) != 0)
            return err_set(err, ERR_INPUT_DAMAGED,
                           "this is not a backup of platen, or it is damaged");
        int64_t size = get_size(&b);
        if (strcmp(name, member_end) == 0)
            return OK;
        if (size < 0)
            return err_set(err, ERR_INPUT_DAMAGED, "the backup is damaged");
        rc = restore_member(from, name, size, dir, blobs, totals, err);
        if (rc == OK)
            rc = read_exactly(from, skipped, padding(size), err);
        if (rc != OK)
            return rc;
    }
}

static int remove_below(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st;
    (void)type;
    if (at->level > 0)
        remove(path);
    return 0;
}

/* The folder was empty before, so all that is in it came from this restore. */
static void undo(const char *dir, bool made)
{
    enum { OPEN_FOLDERS = 16 };
    nftw(dir, remove_below, OPEN_FOLDERS, FTW_DEPTH | FTW_PHYS);
    if (made)
        rmdir(dir);
}

/* The database gets its name last: a folder without it is no data folder, so an interrupted restore
 * is not mistaken for one. */
ErrCode archive_restore(const char *file, const char *dir, ArchiveTotals *out, Err *err)
{
    ArchiveTotals totals = {0};
    CLEANUP(blob_store_close) BlobStore *blobs = NULL;
    char part[4096], final[4096], blob_dir[4096];
    snprintf(part, sizeof part, "%s/%s.part", dir, member_db);
    snprintf(final, sizeof final, "%s/%s", dir, member_db);
    snprintf(blob_dir, sizeof blob_dir, "%s/blobs", dir);
    CLEANUP(fd_close) int from = open(file, O_RDONLY | O_CLOEXEC);
    if (from < 0)
        return err_set_errno(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, errno,
                             "could not open \"%s\"", file);
    bool made = false;
    ErrCode rc = make_empty_dir(dir, &made, err);
    if (rc != OK)
        return rc;
    rc = blob_store_open(blob_dir, false, &blobs, err);
    if (rc == OK)
        rc = restore_members(from, dir, blobs, &totals, err);
    if (rc == OK && rename(part, final) != 0)
        rc = err_set_errno(err, ERR_IO, errno, "the backup holds no database");
    if (rc == OK) {
        *out = totals;
        return OK;
    }
    blob_store_close(&blobs);
    undo(dir, made);
    return rc;
}

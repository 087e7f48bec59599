#include "api/archive.c" /* white box: static functions are in reach */
#include "unit/harness.h"

#include <ftw.h>

typedef struct Folder {
    char path[64];
} Folder;

static int remove_entry(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st;
    (void)kind;
    (void)at;
    return remove(path);
}

static Folder new_folder(void)
{
    Folder f = {"/tmp/platen-test-XXXXXX"};
    assert_non_null(mkdtemp(f.path));
    return f;
}

static void drop_folder(Folder *f)
{
    nftw(f->path, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

static ErrCode name_blob(DbConn *tx, void *arg, Err *err)
{
    const Blob *b = arg;
    return db_exec(tx, &sql_blob_add,
                   DB_ARGS(DB_I(1), DB_S(str_from_c(b->hash)), DB_I(b->size_bytes), DB_I(1)), NULL,
                   err);
}

/* A data folder with one blob, backed up into `file`. */
static ErrCode make_backup(const char *dir, const char *file, Blob *blob, Err *err)
{
    char path[128];
    Db *db = NULL;
    CLEANUP(blob_store_close) BlobStore *blobs = NULL;
    ArchiveTotals totals;
    snprintf(path, sizeof path, "%s/platen.db", dir);
    ErrCode rc = db_open(&(DbOptions){.path = path}, &db, err);
    snprintf(path, sizeof path, "%s/blobs", dir);
    if (rc == OK)
        rc = blob_store_open(path, false, &blobs, err);
    if (rc == OK)
        rc = blob_put(blobs, STR("hello"), blob, err);
    if (rc == OK)
        rc = db_write(db, name_blob, blob, err);
    CLEANUP(fd_close) int fd = open(file, O_RDWR | O_CREAT | O_TRUNC, 0600);
    if (rc == OK)
        rc = archive_create(db, blobs, dir, fd, &totals, err);
    db_close(&db);
    return rc;
}

TEST(what_was_backed_up_comes_back)
{
    CLEANUP(drop_folder) Folder from = new_folder();
    CLEANUP(drop_folder) Folder to = new_folder();
    char file[256], restored[128];
    Err err = {0};
    Blob blob;
    ArchiveTotals totals;
    snprintf(file, sizeof file, "%s/backup.tar", from.path);
    snprintf(restored, sizeof restored, "%s/data", to.path);
    assert_ok(make_backup(from.path, file, &blob, &err), &err);
    assert_ok(archive_restore(file, restored, &totals, &err), &err);
    assert_int_equal(totals.blobs, 1);
    assert_int_equal(archive_restore(file, restored, &totals, &err),
                     ERR_CONFLICT); /* not over data */
    CLEANUP(blob_store_close) BlobStore *blobs = NULL;
    CLEANUP(fd_close) int fd = -1;
    int64_t size = 0;
    snprintf(file, sizeof file, "%s/blobs", restored);
    assert_ok(blob_store_open(file, false, &blobs, &err), &err);
    assert_ok(blob_open(blobs, str_from_c(blob.hash), &fd, &size, &err), &err);
    assert_int_equal(size, 5);
}

/* Cut at every block: refused each time, and no database stands there afterwards. */
TEST(a_cut_backup_is_refused)
{
    CLEANUP(drop_folder) Folder from = new_folder();
    char file[128], part[128], restored[128], db[160];
    Err err = {0};
    Blob blob;
    ArchiveTotals totals;
    snprintf(file, sizeof file, "%s/backup.tar", from.path);
    snprintf(part, sizeof part, "%s/part.tar", from.path);
    assert_ok(make_backup(from.path, file, &blob, &err), &err);
    CLEANUP(arena_close) Arena *a = arena_open(64 * MIB);
    Str whole;
    assert_ok(fd_read_path(file, a, 32 * MIB, &whole, &err), &err);
    size_t end = whole.len - 3 * BLOCK; /* the member "complete" */
    for (size_t cut = 0; cut <= end; cut += cut + 5 * BLOCK < end ? 7 * BLOCK : BLOCK / 2) {
        CLEANUP(fd_close) int fd = open(part, O_RDWR | O_CREAT | O_TRUNC, 0600);
        assert_ok(fd_write_all(fd, whole.ptr, cut, &err), &err);
        snprintf(restored, sizeof restored, "%s/r%zu", from.path, cut);
        snprintf(db, sizeof db, "%s/platen.db", restored);
        if (archive_restore(part, restored, &totals, &err) == OK)
            fail_msg("accepted when cut at %zu of %zu", cut, whole.len);
        assert_int_not_equal(access(db, F_OK), 0);
    }
}

TEST(sizes_survive_both_spellings)
{
    static const int64_t sizes[] = {
        0, 1, 511, ((int64_t)1 << 33) - 1, (int64_t)1 << 33, (int64_t)5 << 40};
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        Block b = {{0}};
        put_size(&b, sizes[i]);
        assert_int_equal(get_size(&b), sizes[i]);
    }
}

TEST_MAIN(what_was_backed_up_comes_back, a_cut_backup_is_refused, sizes_survive_both_spellings)

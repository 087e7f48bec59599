#include "blob/disk.c" /* white box: the fallback without unnamed files is chosen here */
#include "unit/db/folder.h"

#include <sys/mman.h>

#define ABC_HASH "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

typedef struct Place {
    Folder folder;
    BlobStore *s;
    Err err;
} Place;

static Place place_open(bool named)
{
    Place p = {.folder = folder_open()};
    assert_ok(blob_store_open(p.folder.path, false, &p.s, &p.err), &p.err);
    if (named && p.s->tmp_fd < 0) {
        assert_int_equal(mkdirat(p.s->dir_fd, "tmp", 0700), 0);
        p.s->tmp_fd = openat(p.s->dir_fd, "tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    }
    return p;
}

static void place_close(Place *p)
{
    blob_store_close(&p->s);
    folder_close(&p->folder);
}

/* What lies in the store: blobs whose bytes do not match count as wrong, files under way as left.
 */
typedef struct Content {
    int64_t blobs, wrong, left;
} Content;

static void count_bad(void *ctx, Str hash, const char *why)
{
    (void)hash;
    (void)why;
    ++*(int64_t *)ctx;
}

static Content content(Place *p)
{
    Content c = {0};
    assert_ok(blob_verify(p->s, count_bad, &c.wrong, &c.blobs, &p->err), &p->err);
    int fd = openat(p->s->dir_fd, "tmp", O_RDONLY | O_DIRECTORY);
    DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
    for (struct dirent *e = d != NULL ? readdir(d) : NULL; e != NULL; e = readdir(d))
        c.left += e->d_name[0] != '.';
    if (d != NULL)
        closedir(d);
    return c;
}

static void assert_content(Place *p, int64_t blobs)
{
    Content c = content(p);
    assert_int_equal(c.blobs, blobs);
    assert_int_equal(c.wrong, 0);
    assert_int_equal(c.left, 0);
}

static void check_reads_back(Place *p, const char *hash, Str want)
{
    CLEANUP(arena_close) Arena *a = arena_open(8 * MIB);
    CLEANUP(fd_close) int fd = -1;
    int64_t size = -1;
    Str got;
    assert_ok(blob_open(p->s, str_from_c(hash), &fd, &size, &p->err), &p->err);
    assert_int_equal(size, want.len);
    assert_ok(fd_read_file(fd, a, 4 * MIB, &got, &p->err), &p->err);
    assert_true(str_eq(got, want));
    assert_int_not_equal(write(fd, "x", 1), 1);
}

static void put_and_find(bool named)
{
    static const struct {
        const char *why;
        size_t size, piece;
    } cases[] = {
        {"nothing", 0, 1},
        {"one byte", 1, 1},
        {"odd pieces", 300001, 777},
        {"one chunk", BLOB_CHUNK, BLOB_CHUNK},
        {"a large piece after a small one", 3 * BLOB_CHUNK + 5, BLOB_CHUNK + 3},
        {"all at once", 1000000, 1000000},
    };
    static char bytes[1000000];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)(i * 31 + i / 251);
    Place p = place_open(named);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        BlobWriter *w = NULL;
        Blob blob, again;
        assert_ok(blob_create(p.s, (int64_t)cases[i].size, &w, &p.err), &p.err);
        for (size_t at = 0; at < cases[i].size; at += cases[i].piece) {
            size_t n = cases[i].size - at < cases[i].piece ? cases[i].size - at : cases[i].piece;
            assert_ok(blob_write(w, bytes + at, n, &p.err), &p.err);
        }
        assert_ok(blob_finish(&w, &blob, &p.err), &p.err);
        assert_null(w);
        assert_int_equal(blob.size_bytes, cases[i].size);
        assert_ok(blob_put(p.s, (Str){bytes, cases[i].size}, &again, &p.err), &p.err);
        assert_string_equal(blob.hash, again.hash);
        check_reads_back(&p, blob.hash, (Str){bytes, cases[i].size});
        assert_content(&p, (int64_t)i + 1);
    }
    Blob abc;
    assert_ok(blob_put(p.s, STR("abc"), &abc, &p.err), &p.err);
    assert_string_equal(abc.hash, ABC_HASH);
    place_close(&p);
}

TEST(bytes_come_back_under_their_hash)
{
    put_and_find(false);
    put_and_find(true);
}

TEST(a_limit_refuses_and_leaves_nothing)
{
    for (int named = 0; named < 2; named++) {
        Place p = place_open(named);
        BlobWriter *w = NULL;
        Blob blob;
        assert_ok(blob_create(p.s, 10, &w, &p.err), &p.err);
        assert_ok(blob_write(w, "0123456789", 10, &p.err), &p.err);
        assert_int_equal(blob_write(w, "x", 1, &p.err), ERR_INPUT_TOO_LARGE);
        assert_int_equal(blob_write(w, "", 0, &p.err), ERR_INPUT_TOO_LARGE); /* it stays failed */
        assert_int_equal(blob_finish(&w, &blob, &p.err), ERR_INPUT_TOO_LARGE);
        assert_int_equal(p.err.code, ERR_INPUT_TOO_LARGE);
        assert_ok(blob_create(p.s, -1, &w, &p.err), &p.err);
        assert_ok(blob_write(w, "abc", 3, &p.err), &p.err);
        blob_abandon(&w);
        assert_content(&p, 0);
        place_close(&p);
    }
}

TEST(files_of_others_are_adopted)
{
    for (int named = 0; named < 2; named++) {
        Place p = place_open(named);
        CLEANUP(fd_close) int fd = -1;
        CLEANUP(fd_close) int elsewhere = memfd_create("x", MFD_CLOEXEC);
        Blob blob;
        assert_ok(blob_temp(p.s, &fd, &p.err), &p.err);
        assert_ok(fd_write_all(fd, "abc", 3, &p.err), &p.err);
        assert_ok(blob_adopt(p.s, fd, &blob, &p.err), &p.err);
        assert_string_equal(blob.hash, ABC_HASH);
        assert_ok(fd_write_all(elsewhere, "else", 4, &p.err), &p.err);
        assert_ok(blob_adopt(p.s, elsewhere, &blob, &p.err), &p.err);
        check_reads_back(&p, blob.hash, STR("else"));
        assert_content(&p, 2);
        place_close(&p);
    }
}

TEST(only_names_of_blobs_are_opened)
{
    static const char *const bad[] = {
        "",
        "abc",
        "../../../../../../../../../../../../../../../../../etc/passwd",
        "BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD",
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015a/",
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015adf",
        "0000000000000000000000000000000000000000000000000000000000000000",
    };
    Place p = place_open(false);
    Blob blob;
    assert_ok(blob_put(p.s, STR("abc"), &blob, &p.err), &p.err);
    CLEANUP(arena_close) Arena *a = arena_open(4 * KIB);
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        int fd = -1;
        int64_t size;
        assert_int_equal(blob_open(p.s, str_from_c(bad[i]), &fd, &size, &p.err), ERR_NOT_FOUND);
        assert_int_equal(fd, -1);
    }
    assert_int_equal(blob_path(p.s, STR("../x"), a).len, 0);
    assert_int_equal(access(blob_path(p.s, STR(ABC_HASH), a).ptr, R_OK), 0);
    assert_true(blob_free_bytes(p.s) > 0);
    place_close(&p);
}

static bool keep_abc(void *ctx, Str hash)
{
    ++*(int *)ctx;
    return str_eq_c(hash, ABC_HASH);
}

static void make_old(Place *p, const char *hash)
{
    char path[REL_PATH];
    relative_path(hash, path);
    struct timespec old[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
    assert_int_equal(utimensat(p->s->dir_fd, path, old, 0), 0);
}

/* Asked about an old blob, somebody sends the same bytes again. */
static bool send_again(void *ctx, Str hash)
{
    Place *p = ctx;
    Blob blob;
    (void)hash;
    assert_ok(blob_put(p->s, STR("gone"), &blob, &p->err), &p->err);
    return false;
}

TEST(the_sweep_takes_what_is_old_and_unnamed)
{
    Place p = place_open(false);
    Blob abc, gone, fresh;
    BlobSweep swept;
    int asked = 0;
    assert_ok(blob_put(p.s, STR("abc"), &abc, &p.err), &p.err);
    assert_ok(blob_put(p.s, STR("gone"), &gone, &p.err), &p.err);
    assert_ok(blob_put(p.s, STR("fresh"), &fresh, &p.err), &p.err);
    make_old(&p, abc.hash);
    make_old(&p, gone.hash);
    assert_ok(blob_sweep(p.s, 60000, send_again, &p, &swept, &p.err), &p.err);
    assert_int_equal(swept.removed, 1); /* abc, which was not sent again */
    assert_ok(blob_put(p.s, STR("abc"), &abc, &p.err), &p.err);
    make_old(&p, abc.hash);
    make_old(&p, gone.hash);
    assert_ok(blob_sweep(p.s, 60000, keep_abc, &asked, &swept, &p.err), &p.err);
    assert_int_equal(asked, 2);
    assert_int_equal(swept.seen, 3);
    assert_int_equal(swept.removed, 1);
    assert_int_equal(swept.removed_bytes, 4);
    assert_content(&p, 2);
    place_close(&p);
}

enum { PUTTERS = 4, PUTS = 40 };

static void *put_many(void *arg)
{
    Place *p = arg;
    for (int i = 0; i < PUTS; i++) {
        char text[32];
        Blob blob;
        Err err = {0};
        snprintf(text, sizeof text, "the same %d", i / 2);
        assert_ok(blob_put(p->s, str_from_c(text), &blob, &err), &err);
    }
    return NULL;
}

TEST(threads_may_store_the_same_at_once)
{
    Place p = place_open(false);
    pthread_t threads[PUTTERS];
    for (int i = 0; i < PUTTERS; i++)
        assert_ok(thread_start(&threads[i], "putter", put_many, &p, &p.err), &p.err);
    for (int i = 0; i < PUTTERS; i++)
        pthread_join(threads[i], NULL);
    assert_content(&p, PUTS / 2);
    place_close(&p);
}

TEST(damage_is_found)
{
    Place p = place_open(false);
    Blob blob;
    char path[REL_PATH];
    assert_ok(blob_put(p.s, STR("abc"), &blob, &p.err), &p.err);
    assert_ok(blob_put(p.s, STR("whole"), &blob, &p.err), &p.err);
    relative_path(ABC_HASH, path);
    assert_int_equal(fchmodat(p.s->dir_fd, path, 0600, 0), 0);
    int fd = openat(p.s->dir_fd, path, O_WRONLY);
    assert_int_equal(pwrite(fd, "abd", 3, 0), 3);
    close(fd);
    Content c = content(&p);
    assert_int_equal(c.blobs, 2);
    assert_int_equal(c.wrong, 1);
    place_close(&p);
}

TEST(what_a_crash_left_goes_at_the_next_start)
{
    Place p = place_open(true);
    BlobWriter *w = NULL;
    assert_ok(blob_create(p.s, -1, &w, &p.err), &p.err);
    assert_int_equal(content(&p).left, 1);
    empty_tmp(p.s->tmp_fd); /* as blob_store_open does */
    assert_int_equal(content(&p).left, 0);
    blob_abandon(&w);
    place_close(&p);
}

#ifdef PLATEN_FAULTS
static ErrCode store_and_adopt(Place *p, Err *err)
{
    CLEANUP(fd_close) int fd = -1;
    Blob blob;
    char large[BLOB_CHUNK + 10] = "large";
    ErrCode rc = blob_put(p->s, (Str){large, sizeof large}, &blob, err);
    if (rc == OK)
        rc = blob_temp(p->s, &fd, err);
    if (rc == OK && write(fd, "abc", 3) != 3)
        fail_msg("write");
    if (rc == OK)
        rc = blob_adopt(p->s, fd, &blob, err);
    return rc;
}

static void fail_each_once(bool named)
{
    for (int nth = 1;; nth++) {
        Place p = place_open(named);
        int before = folder_open_fds();
        Err err = {0};
        fault_arm(nth);
        ErrCode rc = store_and_adopt(&p, &err);
        bool delivered = fault_disarm();
        assert_int_equal(folder_open_fds(), before);
        assert_int_equal(err.code, rc);
        Content c = content(&p);
        assert_int_equal(c.wrong, 0); /* a blob is whole or not there */
        assert_int_equal(c.left, 0);
        assert_ok(store_and_adopt(&p, &err), &err); /* and nothing is in the way of the next try */
        assert_content(&p, 2);
        place_close(&p);
        if (!delivered) {
            assert_int_equal(rc, OK);
            assert_true(nth > 8);
            return;
        }
        assert_int_not_equal(rc, OK);
    }
}

TEST(survives_every_failure)
{
    fail_each_once(false);
    fail_each_once(true);
}

TEST(a_full_disk_refuses_and_recovers)
{
    Place p = place_open(false);
    Err err = {0};
    fault_arm_on(1);
    assert_int_equal(store_and_adopt(&p, &err), ERR_DISK_FULL);
    assert_int_equal(store_and_adopt(&p, &err), ERR_DISK_FULL);
    fault_disarm();
    assert_content(&p, 0);
    assert_ok(store_and_adopt(&p, &err), &err);
    assert_content(&p, 2);
    place_close(&p);
}
#else
TEST(survives_every_failure)
{
    skip();
}
TEST(a_full_disk_refuses_and_recovers)
{
    skip();
}
#endif

TEST_MAIN(bytes_come_back_under_their_hash, a_limit_refuses_and_leaves_nothing,
          files_of_others_are_adopted, only_names_of_blobs_are_opened,
          the_sweep_takes_what_is_old_and_unnamed, threads_may_store_the_same_at_once,
          damage_is_found, what_a_crash_left_goes_at_the_next_start, survives_every_failure,
          a_full_disk_refuses_and_recovers)

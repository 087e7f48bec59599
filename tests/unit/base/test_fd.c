#include "base/fd.h"
#include "base/clock.h"
#include "base/thread.h"
#include "unit/harness.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

static int temp_file(void)
{
    char path[] = "/tmp/platen-fd-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    unlink(path);
    return fd;
}

TEST(closes_once_and_hands_over)
{
    int fd = temp_file(), copy = fd;
    assert_int_equal(fd_take(&fd), copy);
    assert_int_equal(fd, -1);
    fd_close(&fd);
    errno = 7;
    fd_close(&copy);
    assert_int_equal(errno, 7);
    assert_int_equal(copy, -1);
    fd_close(&copy);
}

TEST(writes_and_reads_whole_files)
{
    CLEANUP(fd_close) int fd = temp_file();
    CLEANUP(arena_close) Arena *a = arena_open(1 * MIB);
    char big[200000];
    Err err = {0};
    Str got;
    memset(big, 'x', sizeof big);
    assert_ok(fd_write_all(fd, big, sizeof big, &err), &err);
    assert_ok(fd_write_all(fd, "", 0, &err), &err);
    assert_int_equal(fd_size(fd), sizeof big);
    off_t at = lseek(fd, 5, SEEK_SET);
    assert_ok(fd_read_file(fd, a, sizeof big, &got, &err), &err);
    assert_int_equal(got.len, sizeof big);
    assert_memory_equal(got.ptr, big, sizeof big);
    assert_int_equal(lseek(fd, 0, SEEK_CUR), at);
    assert_int_equal(fd_read_file(fd, a, sizeof big - 1, &got, &err), ERR_INPUT_TOO_LARGE);
    CLEANUP(arena_close) Arena *small = arena_open(1000);
    assert_int_equal(fd_read_file(fd, small, sizeof big, &got, &err), ERR_NO_MEMORY);
}

TEST(says_what_cannot_be_done)
{
    CLEANUP(arena_close) Arena *a = arena_open(64 * KIB);
    Err err = {0};
    Str got;
    assert_int_equal(fd_read_path("/nowhere/at/all", a, 100, &got, &err), ERR_NOT_FOUND);
    assert_int_equal(fd_read_path("/tmp", a, 1 * MIB, &got, &err), ERR_IO);
    assert_int_equal(fd_read_file(-1, a, 100, &got, &err), ERR_IO);
    assert_int_equal(fd_size(-1), -1);
    CLEANUP(fd_close) int readable = open("/dev/null", O_RDONLY | O_CLOEXEC);
    assert_int_equal(fd_write_all(readable, "x", 1, &err), ERR_IO);
    CLEANUP(fd_close) int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
    assert_int_equal(fd_write_all(full, "x", 1, &err), ERR_DISK_FULL);
    assert_ok(fd_read_path("/dev/null", a, 100, &got, &err), &err);
    assert_int_equal(got.len, 0);
}

static void *drain(void *arg)
{
    int fd = *(int *)arg;
    char buffer[777];
    int64_t total = 0;
    for (ssize_t n; (n = read(fd, buffer, sizeof buffer)) > 0;)
        total += n;
    return (void *)(intptr_t)total;
}

/* A pipe takes a write in pieces. */
TEST(writes_through_short_writes)
{
    int ends[2];
    pthread_t reader;
    Err err = {0};
    static char big[1 << 20];
    void *total = NULL;
    assert_int_equal(pipe(ends), 0);
    assert_ok(thread_start(&reader, "a name that is far too long", drain, &ends[0], &err), &err);
    assert_ok(fd_write_all(ends[1], big, sizeof big, &err), &err);
    close(ends[1]);
    pthread_join(reader, &total);
    close(ends[0]);
    assert_int_equal((intptr_t)total, sizeof big);
}

typedef struct Shared {
    Mutex lock;
    Cond changed;
    int value;
    bool blocked;
    char name[16];
} Shared;

static void *count_up(void *arg)
{
    Shared *s = arg;
    sigset_t now;
    pthread_sigmask(SIG_SETMASK, NULL, &now);
    for (int i = 0; i < 10000; i++) {
        MUTEX_HELD(&s->lock);
        mutex_assert_held(&s->lock);
        s->value++;
    }
    MUTEX_HELD(&s->lock);
    s->blocked = sigismember(&now, SIGTERM) == 1;
    pthread_getname_np(pthread_self(), s->name, sizeof s->name);
    cond_broadcast(&s->changed);
    return NULL;
}

TEST(threads_share_under_a_lock)
{
    Shared s = {.value = 0};
    pthread_t threads[3];
    Err err = {0};
    mutex_init(&s.lock);
    cond_init(&s.changed);
    for (size_t i = 0; i < COUNT_OF(threads); i++)
        assert_ok(thread_start(&threads[i], "counting-thread-1", count_up, &s, &err), &err);
    mutex_lock(&s.lock);
    while (s.value < 30000)
        cond_wait(&s.changed, &s.lock);
    mutex_assert_held(&s.lock);
    mutex_unlock(&s.lock);
    for (size_t i = 0; i < COUNT_OF(threads); i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(s.value, 30000);
    assert_true(s.blocked);
    assert_string_equal(s.name, "counting-thread");
    mutex_lock(&s.lock);
    assert_false(cond_wait_until(&s.changed, &s.lock, clock_mono_us() + 2000));
    assert_false(cond_wait_until(&s.changed, &s.lock, clock_mono_us() - 1));
    mutex_unlock(&s.lock);
    cond_done(&s.changed);
    mutex_done(&s.lock);
}

#ifdef PLATEN_FAULTS
TEST(fails_when_told_to)
{
    CLEANUP(fd_close) int fd = temp_file();
    CLEANUP(arena_close) Arena *a = arena_open(64 * KIB);
    Err err = {0};
    Str got;
    pthread_t thread;
    fault_arm(1);
    assert_int_equal(fd_write_all(fd, "x", 1, &err), ERR_DISK_FULL);
    assert_true(fault_disarm());
    assert_int_equal(fd_size(fd), 0);
    assert_ok(fd_write_all(fd, "xyz", 3, &err), &err);
    fault_arm(2); /* the first is the arena's chunk */
    assert_int_equal(fd_read_file(fd, a, 10, &got, &err), ERR_IO);
    assert_true(fault_disarm());
    fault_arm(1);
    assert_int_equal(thread_start(&thread, "never", drain, &fd, &err), ERR_NO_MEMORY);
    assert_true(fault_disarm());
    fault_arm_on(1);
    assert_int_equal(fd_write_all(fd, "x", 1, &err), ERR_DISK_FULL);
    assert_int_equal(fd_write_all(fd, "x", 1, &err), ERR_DISK_FULL);
    assert_true(fault_disarm());
    assert_ok(fd_write_all(fd, "x", 1, &err), &err);
    assert_false(fault_disarm());
}
#else
TEST(fails_when_told_to)
{
    skip();
}
#endif

TEST_MAIN(closes_once_and_hands_over, writes_and_reads_whole_files, says_what_cannot_be_done,
          writes_through_short_writes, threads_share_under_a_lock, fails_when_told_to)

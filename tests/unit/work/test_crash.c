/* kill -9 at any moment: no accepted job is lost, and at most the attempts that were running are
 * repeated. */
#include "unit/work/bench_work.h"

#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>

enum { ROUNDS = 6, ADDERS = 4, IDS_MAX = 200000 };

typedef struct Adder {
    Bench *bench;
    int fd;
    uint64_t n;
} Adder;

/* Tell the parent every job that was accepted. */
static void *add_for_ever(void *arg)
{
    Adder *a = arg;
    for (;; a->n++) {
        int64_t id = a->n % 5 == 0
                         ? bench_add(a->bench, "test.sleep", "{\"ms\":3}", (JobNew){.attempts = 50})
                         : bench_add(a->bench, "test.noop", "{}", (JobNew){.attempts = 50});
        if (write(a->fd, &id, sizeof id) != (ssize_t)sizeof id)
            _exit(1);
    }
    return NULL;
}

static void child(Folder folder, int fd)
{
    static Bench benches[ADDERS];
    Bench b = {.folder = folder, .arena = arena_open(256 * MIB)};
    b.registry = registry_open(b.arena);
    if (steps_register(b.registry, &b.err) != OK || bench_try_open_store(&b) != OK)
        _exit(1);
    WorkOptions o = bench_options(&b);
    if (work_open(&o, &b.work, &b.err) != OK)
        _exit(1);
    for (int i = 0; i < ADDERS; i++) {
        static Adder adders[ADDERS];
        pthread_t thread;
        benches[i] = b;
        adders[i] = (Adder){.bench = &benches[i], .fd = fd};
        if (pthread_create(&thread, NULL, add_for_ever, &adders[i]) != 0)
            _exit(1);
    }
    for (;;)
        pause();
}

/* Read until the pipe ends; kill the writer once `after` jobs have come. */
static size_t read_ids(int fd, pid_t pid, size_t after, int64_t *ids, size_t room)
{
    size_t n = 0;
    bool killed = false;
    while (n < room && read(fd, &ids[n], sizeof ids[n]) == (ssize_t)sizeof ids[n]) {
        n++;
        if (n >= after && !killed)
            killed = kill(pid, SIGKILL) == 0;
    }
    return n;
}

TEST(killed_at_any_moment)
{
    static int64_t ids[IDS_MAX];
    size_t n = 0;
    log_set_level(LOG_OFF);
    Folder folder = folder_open();
    for (int round = 0; round < ROUNDS; round++) {
        int fds[2];
        assert_int_equal(pipe(fds), 0);
        pid_t pid = fork();
        if (pid == 0) {
            close(fds[0]);
            child(folder, fds[1]);
        }
        close(fds[1]);
        n += read_ids(fds[0], pid, 50 + 97 * (size_t)round, ids + n, IDS_MAX - n);
        close(fds[0]);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
    }
    assert_true(n > ROUNDS * 50);

    Bench b = {.folder = folder, .arena = arena_open(256 * MIB)};
    b.registry = registry_open(b.arena);
    assert_ok(steps_register(b.registry, &b.err), &b.err);
    assert_ok(bench_try_open_store(&b), &b.err);
    bench_start(&b);
    assert_ok(db_check(b.db, true, &b.err), &b.err);
    for (size_t i = 0; i < n; i++) {
        ArenaMark mark = arena_mark(b.arena);
        Job j = bench_wait(&b, ids[i]);
        assert_int_equal(j.state, JOB_DONE);
        assert_true(j.attempts <= ROUNDS + 1); /* one more per crash at most */
        bench_events(&b, ids[i]);              /* without gaps */
        arena_rewind(b.arena, mark);
    }
    bench_close(&b);
}

TEST_MAIN(killed_at_any_moment)

/* Resident workers: they serve on, are replaced when they should be, and leave nothing behind. */
#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "engine/engine.h"
#include "kit/sandbox.h"
#include "unit/harness.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <glob.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static struct {
    char dir[64];
    Arena *arena;
    BlobStore *blobs;
    EnginePool *pool;
    Registry *registry;
} f;

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st, (void)type, (void)ftw;
    return remove(path);
}

static void open_all(void)
{
    Err err = {0};
    char dirs[600], blobs[128];
    const char *build = getenv("PLATEN_BUILD");
    if (build == NULL)
        fail_msg("run this test by meson test: PLATEN_BUILD is not set");
    log_set_level(LOG_OFF);
    snprintf(f.dir, sizeof f.dir, "/tmp/platen-toy-XXXXXX");
    assert_non_null(mkdtemp(f.dir));
    setenv("TMPDIR", f.dir, 1); /* the workers' folders */
    assert_int_equal(chmod(f.dir, 0755), 0);
    snprintf(dirs, sizeof dirs, "%s/tests/unit/kit", build);
    snprintf(blobs, sizeof blobs, "%s/blobs", f.dir);
    f.arena = arena_open(64 * MIB);
    assert_non_null(f.arena);
    assert_ok(blob_store_open(blobs, true, &f.blobs, &err), &err);
    EngineOptions o = {
        .dirs = dirs,
        .blobs = f.blobs,
        .limits = {
            .time_ms = 30000, .cpu_ms = 30000, .memory_bytes = 256 << 20, .output_bytes = 1 << 20}};
    assert_ok(engine_pool_open(&o, &f.pool, &err), &err);
    f.registry = registry_open(f.arena);
    assert_ok(engine_describe_all(f.pool, f.registry, f.arena, &err), &err);
}

static int folders_left(void)
{
    int n = 0;
    DIR *d = opendir(f.dir);
    for (struct dirent *e; (e = readdir(d)) != NULL;)
        n += strncmp(e->d_name, "platen-resident-", 16) == 0;
    closedir(d);
    return n;
}

static void close_all(void)
{
    engine_pool_close(&f.pool);
    int left = folders_left();
    blob_store_close(&f.blobs);
    arena_close(&f.arena);
    nftw(f.dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    assert_int_equal(left, 0);
}

static bool is_alive(int64_t pid)
{
    char path[64], text[256] = "";
    snprintf(path, sizeof path, "/proc/%" PRId64 "/stat", pid);
    CLEANUP(fd_close) int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || read(fd, text, sizeof text - 1) <= 0)
        return false;
    const char *state = strrchr(text, ')');
    return state != NULL && state[2] != 'Z' && state[2] != 'X';
}

static void assert_dies(int64_t pid)
{
    for (int i = 0; i < 500; i++) {
        if (!is_alive(pid))
            return;
        usleep(10 * 1000);
    }
    fail_msg("process %" PRId64 " is still there", pid);
}

typedef struct Did {
    ErrCode rc;
    Err err;
    int64_t pid, sleeper, served;
    const Json *data;
    EngineResult result;
} Did;

static Did tell_with(const char *what, int64_t time_ms, const char *input)
{
    Did d = {0};
    StepInput in = {.fd = -1};
    if (input != NULL) {
        in.fd = memfd_create("input", MFD_CLOEXEC);
        assert_int_equal(write(in.fd, input, strlen(input)), (ssize_t)strlen(input));
        in.size_bytes = (int64_t)strlen(input);
    }
    const Step *step = registry_find(f.registry, STR("toy.do"));
    assert_non_null(step);
    EngineTask t = {.step = step,
                    .params = str_printf(f.arena, "{\"what\":\"%s\"}", what),
                    .inputs = &in,
                    .inputs_len = input != NULL,
                    .limits = {.time_ms = time_ms}};
    d.rc = engine_run(f.pool, &t, f.arena, &d.result, &d.err);
    fd_close(&in.fd);
    Err err = {0};
    if (d.rc == OK)
        assert_ok(json_parse(f.arena, d.result.data, &d.data, &err), &err);
    d.pid = json_int(json_get(d.data, "pid"), 0);
    d.sleeper = json_int(json_get(d.data, "sleeper"), 0);
    d.served = json_int(json_get(d.data, "served"), 0);
    return d;
}

static Did tell(const char *what)
{
    return tell_with(what, 0, NULL);
}

static Did serve(void)
{
    Did d = tell("serve");
    assert_ok(d.rc, &d.err);
    assert_true(d.pid > 0);
    return d;
}

TEST(a_worker_serves_again_and_is_replaced_after_its_share)
{
    open_all();
    int64_t pids[40], most = 0;
    size_t n = 0;
    for (int i = 0; i < 23; i++) {
        Did d = serve();
        most = d.served > most ? d.served : most;
        size_t k = 0;
        while (k < n && pids[k] != d.pid)
            k++;
        if (k == n)
            pids[n++] = d.pid;
    }
    assert_int_equal(most, 5); /* served again, and never more than tasks_max */
    assert_true(n >= 5 && n <= 12);
    close_all();
    for (size_t i = 0; i < n; i++)
        assert_dies(pids[i]);
}

TEST(files_go_in_and_out_and_only_files)
{
    open_all();
    Did d = tell_with("copy", 0, "forty-two bytes of text");
    assert_ok(d.rc, &d.err);
    assert_int_equal(d.result.outputs_len, 1);
    assert_int_equal(d.result.outputs[0].blob.size_bytes, 23);
    d = tell("pipe");
    assert_int_equal(d.rc, ERR_ENGINE_PROTOCOL);
    serve();
    close_all();
}

TEST(a_worker_is_shut_in)
{
    open_all();
    Did d = tell("look");
    assert_ok(d.rc, &d.err);
    static const char *const refused[] = {"network", "fork", "exec", "kill"};
    for (size_t i = 0; i < COUNT_OF(refused); i++)
        if (json_int(json_get(d.data, refused[i]), 0) == 0)
            fail_msg("%s was not refused", refused[i]);
    if (sandbox_layers().landlock_abi > 0)
        assert_true(json_int(json_get(d.data, "outside"), 0) != 0);
    assert_true(json_int(json_get(d.data, "uid"), 0) != 0 || getuid() != 0);
    assert_int_equal(json_int(json_get(d.data, "files"), 0), 4); /* 0 to 2 and its socket */
    close_all();
}

/* The reason, and whether the worker that had the task serves on. */
TEST(each_way_to_fail_has_its_reason_and_the_next_task_works)
{
    static const struct {
        const char *what;
        ErrCode want;
        int64_t time_ms;
    } cases[] = {
        {"crash", ERR_ENGINE_CRASHED, 0},
        {"leave", ERR_ENGINE_CRASHED, 0},
        {"hang", ERR_LIMIT_TIME, 300},
        {"fail", ERR_INPUT_DAMAGED, 0},
        {"harmless", ERR_INPUT_ENCRYPTED, 0},
        {"unasked", ERR_INPUT_DAMAGED, 0},
        {"spoil", OK, 0},
    };
    open_all();
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        Did d = tell_with(cases[i].what, cases[i].time_ms, NULL);
        if (d.rc != cases[i].want)
            fail_msg("%s: got %s (%s)", cases[i].what, err_reason(d.rc), d.err.text);
        serve();
        serve();
    }
    close_all();
}

TEST(a_worker_that_is_killed_is_replaced_and_its_program_dies)
{
    open_all();
    Did d = serve();
    assert_int_equal(kill((pid_t)d.pid, SIGKILL), 0);
    assert_dies(d.sleeper);
    for (int i = 0; i < 6; i++)
        assert_true(serve().pid != d.pid);
    close_all();
}

/* The worker that hangs says who it is in its folder. */
static pid_t hanging(void)
{
    glob_t found = {0};
    pid_t pid = 0;
    char pattern[128], text[32] = "";
    snprintf(pattern, sizeof pattern, "%s/platen-resident-toy-*/w*/hangs", f.dir);
    if (glob(pattern, 0, NULL, &found) == 0) {
        CLEANUP(fd_close) int fd = open(found.gl_pathv[0], O_RDONLY | O_CLOEXEC);
        if (fd >= 0 && read(fd, text, sizeof text - 1) > 0)
            pid = (pid_t)strtol(text, NULL, 10);
    }
    globfree(&found);
    return pid;
}

static void *hang(void *arg)
{
    Did *d = arg;
    const Step *step = registry_find(f.registry, STR("toy.do"));
    CLEANUP(arena_close) Arena *a = arena_open(4 * MIB);
    EngineTask t = {
        .step = step, .params = STR("{\"what\":\"hang\"}"), .limits = {.time_ms = 25000}};
    d->rc = engine_run(f.pool, &t, a, &d->result, &d->err);
    return NULL;
}

TEST(a_worker_killed_in_mid_task_is_a_crash_of_that_task)
{
    open_all();
    Did hung = {0};
    pid_t pid = 0;
    pthread_t t;
    serve(); /* the parent is there */
    assert_int_equal(pthread_create(&t, NULL, hang, &hung), 0);
    for (int i = 0; i < 1000 && pid == 0; i++) {
        usleep(10 * 1000);
        pid = hanging();
    }
    assert_true(pid > 0);
    serve(); /* the others go on meanwhile */
    assert_int_equal(kill(pid, SIGKILL), 0);
    pthread_join(t, NULL);
    assert_int_equal(hung.rc, ERR_ENGINE_CRASHED);
    serve();
    close_all();
}

TEST(when_the_parent_dies_all_die_and_the_next_one_sweeps)
{
    open_all();
    Did d = serve();
    EngineInfo *list;
    assert_int_equal(engine_list(f.pool, f.arena, &list), 1);
    assert_int_equal(kill((pid_t)list[0].pid, SIGKILL), 0);
    assert_dies(d.pid);
    assert_dies(d.sleeper);
    assert_int_equal(folders_left(), 1);
    serve(); /* a new parent */
    assert_int_equal(folders_left(), 1);
    close_all();
}

TEST(workers_that_cannot_start_are_a_reason)
{
    setenv("PLATEN_ENGINE_TOY_BROKEN", "1", 1);
    open_all();
    Did d = tell("serve");
    assert_int_equal(d.rc, ERR_ENGINE_MISSING);
    assert_non_null(strstr(d.err.text, "the toy is broken"));
    close_all();
    unsetenv("PLATEN_ENGINE_TOY_BROKEN");
}

TEST_MAIN(a_worker_serves_again_and_is_replaced_after_its_share, files_go_in_and_out_and_only_files,
          a_worker_is_shut_in, each_way_to_fail_has_its_reason_and_the_next_task_works,
          a_worker_that_is_killed_is_replaced_and_its_program_dies,
          a_worker_killed_in_mid_task_is_a_crash_of_that_task,
          when_the_parent_dies_all_die_and_the_next_one_sweeps,
          workers_that_cannot_start_are_a_reason)

/* fixture.h: a pool over the engines built for the tests, with a blob store in a temporary folder.
 */
#ifndef PLATEN_TESTS_ENGINE_FIXTURE_H
#define PLATEN_TESTS_ENGINE_FIXTURE_H

#include "engine/engine.h"
#include "kit/sandbox.h"
#include "base/fd.h"
#include "base/log.h"
#include "unit/harness.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct Fixture {
    char dir[64], dirs[2048], cache[128];
    Arena *arena;
    BlobStore *blobs;
    EnginePool *pool;
    Registry *registry;
} Fixture;

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st, (void)type, (void)ftw;
    return remove(path);
}

static const char *test_env(const char *name)
{
    const char *v = getenv(name);
    if (v == NULL)
        fail_msg("run this test by meson test: %s is not set", name);
    return v;
}

static void fixture_open_pool(Fixture *f)
{
    Err err = {0};
    EngineOptions o = {
        .dirs = f->dirs,
        .cache_path = f->cache,
        .blobs = f->blobs,
        .limits = {
            .time_ms = 60000, .cpu_ms = 30000, .memory_bytes = 256 << 20, .output_bytes = 1 << 20}};
    assert_ok(engine_pool_open(&o, &f->pool, &err), &err);
    f->registry = registry_open(f->arena);
    assert_ok(engine_describe_all(f->pool, f->registry, f->arena, &err), &err);
}

static void fixture_open(Fixture *f)
{
    Err err = {0};
    log_set_level(LOG_OFF);
    *f = (Fixture){.dir = "/tmp/platen-engine-test-XXXXXX"};
    assert_non_null(mkdtemp(f->dir));
    /* A root server's plain engines run as nobody. */
    assert_int_equal(chmod(f->dir, 0755), 0);
    snprintf(f->cache, sizeof f->cache, "%s/engines.json", f->dir);
    const char *root = test_env("PLATEN_ROOT");
    snprintf(f->dirs, sizeof f->dirs,
             "%s/tests/unit/engine:%s/samples/engines:%s/tests/unit/engine:%s/more",
             test_env("PLATEN_BUILD"), root, root, f->dir);
    f->arena = arena_open(64 * MIB);
    assert_non_null(f->arena);
    char blobs[128];
    snprintf(blobs, sizeof blobs, "%s/blobs", f->dir);
    assert_ok(blob_store_open(blobs, true, &f->blobs, &err), &err);
    fixture_open_pool(f);
}

static void fixture_close(Fixture *f)
{
    engine_pool_close(&f->pool);
    blob_store_close(&f->blobs);
    arena_close(&f->arena);
    nftw(f->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static int memory_file(const char *text)
{
    int fd = memfd_create("input", MFD_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    lseek(fd, 0, SEEK_SET);
    return fd;
}

/* The task bad.<name> with `params`. */
static EngineTask bad_task(const Fixture *f, const char *name, const char *params)
{
    char full[64];
    snprintf(full, sizeof full, "bad.%s", name);
    const Step *step = registry_find(f->registry, str_from_c(full));
    if (step == NULL)
        fail_msg("there is no step %s", full);
    return (EngineTask){.step = step, .params = str_from_c(params)};
}

static int open_files(void)
{
    int n = 0;
    DIR *d = opendir("/proc/self/fd");
    assert_non_null(d);
    while (readdir(d) != NULL)
        n++;
    closedir(d);
    return n;
}

/* Processes whose parent is `pid`. */
static int children_of(int64_t pid)
{
    char path[64];
    char text[4096];
    snprintf(path, sizeof path, "/proc/%" PRId64 "/task/%" PRId64 "/children", pid, pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    ssize_t n = read(fd, text, sizeof text);
    close(fd);
    int count = 0;
    for (ssize_t i = 0; i < n; i++)
        count += text[i] == ' ';
    return count;
}

static EngineInfo info_of_engine(const Fixture *f, const char *name)
{
    EngineInfo *list;
    size_t n = engine_list(f->pool, f->arena, &list);
    for (size_t i = 0; i < n; i++)
        if (strcmp(list[i].name, name) == 0)
            return list[i];
    fail_msg("engine %s is not listed", name);
    return (EngineInfo){0};
}

/* Children end a moment after their task: wait until they have, or fail. */
static void assert_no_children(int64_t pid)
{
    for (int i = 0; i < 500; i++) {
        if (children_of(pid) == 0)
            return;
        usleep(10 * 1000);
    }
    fail_msg("process %" PRId64 " still has %d children", pid, children_of(pid));
}

#endif

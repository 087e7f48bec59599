/* describe.c: which engines there are, and what they can do.
 *
 * The cache is a file
 * {"platen":1,"engines":[{"path","device","inode","size","mtime_ns","description":{…}}]}: an entry
 * counts as long as the file it describes is the same. A cache that cannot be read is as good as
 * none. */
#include "engine/engine_in.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/fd.h"
#include "base/log.h"
#include "kit/kit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    DESCRIBE_MS = 15 * 1000,
    CACHE_MAX = 32 * 1024 * 1024,
    SCRATCH_MAX = 256 * 1024 * 1024,
    STEPS_MAX = 1000
};
static const char prefix[] = "platen-engine-";

typedef struct Found {
    char *path;
    const char *file; /* the last part of path */
    struct stat is;
} Found;

/* The work of engine_describe_all; all but the registry's steps lives in `scratch`. */
typedef struct Survey {
    EnginePool *pool;
    Registry *registry;
    Arena *arena, *scratch;
    Found found[ENGINES_MAX];
    size_t found_len;
    Str descriptions[ENGINES_MAX]; /* ptr NULL: none */
    const Json *cache;
    bool cache_is_old;
} Survey;

/* ---- folders ---- */

static bool is_known(const Survey *s, const char *file)
{
    for (size_t i = 0; i < s->found_len; i++)
        if (strcmp(s->found[i].file, file) == 0)
            return true;
    return false;
}

static ErrCode look_at(Survey *s, Str dir, const char *file, Err *err)
{
    if (strncmp(file, prefix, sizeof prefix - 1) != 0 || is_known(s, file) ||
        s->found_len == ENGINES_MAX)
        return OK;
    char *path =
        str_to_c(s->pool->arena, str_printf(s->scratch, STR_FMT "/%s", STR_ARG(dir), file));
    if (path == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for the list of engines");
    Found f = {.path = path, .file = path + dir.len + 1};
    if (stat(path, &f.is) == 0 && S_ISREG(f.is.st_mode) && access(path, X_OK) == 0)
        s->found[s->found_len++] = f;
    return OK;
}

static void close_dir(DIR **d)
{
    if (*d != NULL)
        closedir(*d);
}

static ErrCode look_in(Survey *s, Str dir, Err *err)
{
    char *path = str_to_c(s->scratch, dir);
    if (path == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for the list of engines");
    CLEANUP(close_dir) DIR *d = opendir(path);
    ErrCode rc = OK;
    for (struct dirent *e; d != NULL && rc == OK && (e = readdir(d)) != NULL;)
        rc = look_at(s, dir, e->d_name, err);
    return rc;
}

static int by_file(const void *a, const void *b)
{
    return strcmp(((const Found *)a)->file, ((const Found *)b)->file);
}

/* Folders come first to last; the order within a folder is the disk's, so the names are sorted. */
static ErrCode look_everywhere(Survey *s, Err *err)
{
    Str rest = str_from_c(s->pool->options.dirs), dir;
    ErrCode rc = OK;
    while (rc == OK && str_next(&rest, ':', &dir))
        if (dir.len > 0)
            rc = look_in(s, dir, err);
    qsort(s->found, s->found_len, sizeof *s->found, by_file);
    return rc;
}

/* ---- asking ---- */

static ErrCode read_answer(int fd, char *buffer, size_t *len, Err *err)
{
    int64_t until = clock_mono_us() + (int64_t)DESCRIBE_MS * 1000;
    *len = 0;
    for (;;) {
        int64_t left = (until - clock_mono_us()) / 1000;
        struct pollfd f = {.fd = fd, .events = POLLIN};
        if (left <= 0 || poll(&f, 1, (int)left) == 0)
            return err_set(err, ERR_ENGINE_MISSING, "no answer to --describe within %d s",
                           DESCRIBE_MS / 1000);
        ssize_t n = read(fd, buffer + *len, ENGINE_DESCRIPTION_MAX - *len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_set_errno(err, ERR_IO, errno, "could not read the answer to --describe");
        if (n == 0)
            return OK;
        *len += (size_t)n;
        if (*len == ENGINE_DESCRIPTION_MAX)
            return err_set(err, ERR_ENGINE_PROTOCOL,
                           "an answer to --describe of more than %d bytes", ENGINE_DESCRIPTION_MAX);
    }
}

ErrCode engine_ask(EnginePool *p, const char *path, Arena *a, Str *out, Err *err)
{
    int ends[2];
    char *buffer = arena_alloc_raw(a, ENGINE_DESCRIPTION_MAX);
    if (buffer == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for a description");
    if (fault_hit("engine.pipe") || pipe2(ends, O_CLOEXEC) != 0)
        return err_set(err, ERR_IO, "no descriptors to describe an engine");
    CLEANUP(fd_close) int mine = ends[0];
    CLEANUP(fd_close) int theirs = ends[1];
    EngineProcess process = ENGINE_NO_PROCESS;
    EngineEnd end = {0};
    ErrCode rc = engine_spawn(p, path, "--describe", -1, theirs, &process, err);
    fd_close(&theirs);
    if (rc != OK)
        return rc;
    size_t len;
    rc = read_answer(mine, buffer, &len, err);
    if (rc == OK) /* its end of the pipe is closed; give it the moment it needs to exit */
        (void)engine_ended(process.pidfd, clock_mono_us() + 1000 * 1000);
    engine_end(&process, &end);
    if (rc == OK && len == 0)
        return err_set(err, ERR_ENGINE_MISSING, "--describe said nothing and ended with %s %d",
                       end.signaled ? "signal" : "status", end.status);
    *out = (Str){buffer, len};
    return rc;
}

/* ---- the cache ---- */

static bool is_same(const Json *entry, const Found *f)
{
    return str_eq_c(json_text(json_get(entry, "path")), f->path) &&
           json_int(json_get(entry, "device"), -1) == (int64_t)f->is.st_dev &&
           json_int(json_get(entry, "inode"), -1) == (int64_t)f->is.st_ino &&
           json_int(json_get(entry, "size"), -1) == (int64_t)f->is.st_size &&
           json_int(json_get(entry, "mtime_ns"), -1) ==
               (int64_t)f->is.st_mtim.tv_sec * 1000000000 + f->is.st_mtim.tv_nsec;
}

static const Json *cached(const Survey *s, const Found *f)
{
    json_each(entry, json_get(s->cache, "engines")) {
        if (is_same(entry, f) && json_is(json_get(entry, "description"), JSON_OBJECT))
            return json_get(entry, "description");
    }
    return NULL;
}

static void read_cache(Survey *s)
{
    Str text;
    if (s->pool->options.cache_path == NULL ||
        fd_read_path(s->pool->options.cache_path, s->scratch, CACHE_MAX, &text, NULL) != OK ||
        json_parse(s->scratch, text, &s->cache, NULL) != OK ||
        json_int(json_get(s->cache, "platen"), 0) != KIT_PROTOCOL)
        s->cache = NULL;
}

static void put_entry(JsonOut *j, const Found *f, Str description)
{
    json_begin(j, '{');
    json_kv_c(j, "path", f->path);
    json_kv_int(j, "device", (int64_t)f->is.st_dev);
    json_kv_int(j, "inode", (int64_t)f->is.st_ino);
    json_kv_int(j, "size", (int64_t)f->is.st_size);
    json_kv_int(j, "mtime_ns", (int64_t)f->is.st_mtim.tv_sec * 1000000000 + f->is.st_mtim.tv_nsec);
    json_kv_raw(j, "description", description);
    json_end(j, '}');
}

/* Written beside and renamed, so that a reader sees the old file or the new one. Failing costs time
 * at the next start, nothing else. */
static void write_cache(Survey *s)
{
    Buf b = buf_init(s->scratch, CACHE_MAX);
    JsonOut j = json_out(&b);
    json_begin(&j, '{');
    json_kv_int(&j, "platen", KIT_PROTOCOL);
    json_key(&j, "engines");
    json_begin(&j, '[');
    for (size_t i = 0; i < s->found_len; i++)
        if (s->descriptions[i].ptr != NULL)
            put_entry(&j, &s->found[i], s->descriptions[i]);
    json_end(&j, ']');
    json_end(&j, '}');
    const char *path = s->pool->options.cache_path;
    char *beside = str_to_c(s->scratch, str_printf(s->scratch, "%s.%d.tmp", path, (int)getpid()));
    if (b.failed || beside == NULL)
        return;
    CLEANUP(fd_close) int fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return;
    if (fd_write_all(fd, b.ptr, b.len, NULL) != OK || rename(beside, path) != 0)
        unlink(beside);
}

/* ---- into the registry ---- */

static bool is_engine_name(Str s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((s.ptr[i] < 'a' || s.ptr[i] > 'z') && (s.ptr[i] < '0' || s.ptr[i] > '9') &&
            s.ptr[i] != '-')
            return false;
    return s.len > 0 && s.len <= 32;
}

static ErrCode add_step(Survey *s, Engine *e, const char *engine_name, const Json *j, Err *err)
{
    Step *step = arena_new(s->arena, Step, 1);
    if (step == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for the steps of engine %s", e->name);
    ErrCode rc = step_from_json(j, s->arena, step, err);
    if (rc != OK)
        return rc;
    step->engine = engine_name;
    rc = registry_add(s->registry, step, err);
    e->steps += rc == OK;
    return rc;
}

static ErrCode read_description(Survey *s, Engine *e, const Json *d, Err *err)
{
    Str name = json_text(json_get(d, "engine"));
    if (json_int(json_get(d, "platen"), 0) != KIT_PROTOCOL)
        return err_set(err, ERR_ENGINE_PROTOCOL, "it does not speak protocol %d", KIT_PROTOCOL);
    const Json *steps = json_get(d, "steps");
    if (!is_engine_name(name) || !json_is(steps, JSON_LIST) || steps->len > STEPS_MAX)
        return err_set(err, ERR_ENGINE_PROTOCOL, "its description lacks an engine's name or steps");
    /* Once for the steps, which may outlive the pool, and once for the pool. */
    const char *kept = str_to_c(s->arena, name), *own = str_to_c(s->pool->arena, name);
    e->version = str_to_c(s->pool->arena, str_slice(json_text(json_get(d, "version")), 0, 64));
    if (kept == NULL || own == NULL || e->version == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for a description");
    if (engine_find(s->pool, own) != NULL)
        return err_set(err, ERR_CONFLICT, "two engines are called %s", own);
    e->name = own;
    e->warm = json_bool(json_get(d, "warm"), false);
    ErrCode first = OK;
    json_each(step, steps) {
        Err why = {0};
        ErrCode rc = add_step(s, e, kept, step, &why);
        if (rc == ERR_NO_MEMORY) {
            *err = why;
            return rc;
        }
        if (rc != OK && first == OK) {
            first = rc;
            *err = why;
        }
    }
    return e->steps > 0 || first == OK ? OK : first;
}

/* The description of one engine, from the cache or from itself. */
static ErrCode get_description(Survey *s, size_t i, const Json **out, Err *err)
{
    const Json *d = cached(s, &s->found[i]);
    ErrCode rc = OK;
    if (d == NULL) {
        Str text;
        s->cache_is_old = true;
        rc = engine_ask(s->pool, s->found[i].path, s->scratch, &text, err);
        if (rc == OK)
            rc = json_parse(s->scratch, text, &d, err);
    }
    if (rc != OK)
        return rc;
    Buf b = buf_init(s->scratch, ENGINE_DESCRIPTION_MAX * 2);
    JsonOut j = json_out(&b);
    json_put(&j, d);
    if (b.failed)
        return err_set(err, ERR_NO_MEMORY, "no memory for a description");
    s->descriptions[i] = buf_str(&b);
    *out = d;
    return OK;
}

static ErrCode survey_engine(Survey *s, size_t i, Err *err)
{
    const Found *f = &s->found[i];
    const Json *d = NULL;
    Engine *e = &s->pool->engines[s->pool->engines_len];
    *e = (Engine){.name = f->file + sizeof prefix - 1,
                  .path = f->path,
                  .version = "",
                  .control = -1,
                  .parent = ENGINE_NO_PROCESS};
    Err why = {0};
    ErrCode rc = get_description(s, i, &d, &why);
    if (rc == OK)
        rc = read_description(s, e, d, &why);
    if (rc == ERR_NO_MEMORY) {
        *err = why;
        return rc;
    }
    if (rc != OK || why.code != OK)
        LOG(WARN, ENGINE_FAILED, KV("engine", e->name), KV("path", e->path),
            KV("detail", why.text));
    if (rc != OK) {
        s->descriptions[i] = (Str){0};
        e->bad = str_to_c(s->pool->arena, str_from_c(why.text));
        if (e->bad == NULL)
            e->bad = "it could not be described";
    } else if (why.code != OK) {
        snprintf(e->problem, sizeof e->problem, "%.199s", why.text);
    }
    mutex_init(&e->lock);
    s->pool->engines_len++;
    return OK;
}

ErrCode engine_describe_all(EnginePool *p, Registry *r, Arena *a, Err *err)
{
    CLEANUP(arena_close) Arena *scratch = arena_open(SCRATCH_MAX);
    Survey *s = scratch != NULL ? arena_new(scratch, Survey, 1) : NULL;
    if (s == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory to describe engines");
    p->registry = r;
    *s = (Survey){.pool = p, .registry = r, .arena = a, .scratch = scratch};
    ErrCode rc = look_everywhere(s, err);
    read_cache(s);
    for (size_t i = 0; i < s->found_len && rc == OK; i++)
        rc = survey_engine(s, i, err);
    if (rc == OK && s->cache_is_old && p->options.cache_path != NULL)
        write_cache(s);
    return rc;
}

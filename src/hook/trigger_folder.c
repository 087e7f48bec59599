/* Files that arrive in watched folders. A file is taken when it was closed after writing or moved in
 * (inotify says so); at the start, and after a failure, the whole folder is looked through, and there
 * a file counts as whole when it has not changed for SETTLED_MS.
 *
 * A folder lies in the server's --watch-root: the path is opened component by component without
 * following links, so that nothing outside of it can be reached. Names that begin with a dot are
 * left alone (that is how programs name what is not whole yet). */
#include "hook/trigger_in.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    WATCHES_MAX = 1000,
    SCRATCH = 64 << 20,
    SETTLED_MS = 2000,
    COPY_BYTES = 256 * 1024,
    ENTRIES_MAX = 100000, /* of one scan */
};

typedef struct Watch {
    int wd, dir_fd;
    int64_t trigger;
    char *path, *match;
} Watch;

struct Folders {
    TriggerOptions o;
    int inotify_fd, root_fd;
    Watch *watches;
    size_t len;
};

static void drop_watches(Folders *f)
{
    for (size_t i = 0; i < f->len; i++) {
        Watch *w = &f->watches[i];
        if (w->wd >= 0)
            inotify_rm_watch(f->inotify_fd, w->wd);
        fd_close(&w->dir_fd);
        free(w->path);
        free(w->match);
    }
    f->len = 0;
}

ErrCode folders_open(const TriggerOptions *o, Folders **out, Err *err)
{
    Folders *f = calloc(1, sizeof *f);
    if (f == NULL)
        return err_set(err, ERR_NO_MEMORY, "watching folders");
    *out = f;
    f->o = *o;
    f->root_fd = f->inotify_fd = -1;
    f->watches = calloc(WATCHES_MAX, sizeof *f->watches);
    if (f->watches == NULL)
        return err_set(err, ERR_NO_MEMORY, "watching folders");
    if (o->watch_root == NULL)
        return OK;
    f->root_fd = open(o->watch_root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (f->root_fd < 0)
        return err_set_errno(err, ERR_IO, errno, "could not open the folder \"%s\" to watch",
                             o->watch_root);
    f->inotify_fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    return f->inotify_fd >= 0 ? OK : err_set_errno(err, ERR_IO, errno, "watching folders");
}

void folders_close(Folders **slot)
{
    Folders *f = *slot;
    if (f == NULL)
        return;
    *slot = NULL;
    if (f->watches != NULL)
        drop_watches(f);
    free(f->watches);
    fd_close(&f->inotify_fd);
    fd_close(&f->root_fd);
    free(f);
}

int folders_fd(const Folders *f)
{
    return f->inotify_fd;
}

/* --- one file --- */

static int64_t changed_ns(const struct stat *st)
{
    return (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec;
}

/* Into the store, as it is now; *same is false when it changed meanwhile. */
static ErrCode copy_in(const Folders *f, int fd, TriggerFile *k, Arena *a, bool *same, Err *err)
{
    CLEANUP(blob_abandon) BlobWriter *w = NULL;
    struct stat after;
    Blob blob;
    char *bytes = arena_alloc_raw(a, COPY_BYTES);
    int64_t max = f->o.file_max > 0 ? f->o.file_max : (int64_t)GIB;
    ErrCode rc = bytes != NULL ? blob_create(f->o.blobs, max, &w, err)
                               : err_set(err, ERR_NO_MEMORY, "taking a file");
    while (rc == OK) {
        ssize_t n = read(fd, bytes, COPY_BYTES);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_set_errno(err, ERR_IO, errno, "reading a watched file");
        if (n == 0)
            break;
        rc = blob_write(w, bytes, (size_t)n, err);
    }
    if (rc != OK)
        return rc;
    if (fstat(fd, &after) != 0)
        return err_set_errno(err, ERR_IO, errno, "reading a watched file");
    *same = after.st_size == k->size_bytes && changed_ns(&after) == k->changed_ns;
    if (!*same)
        return OK;
    rc = blob_finish(&w, &blob, err);
    return rc == OK ? trigger_file_named(f->o.db, k, &blob, a, err) : rc;
}

/* *again: it is not whole yet. */
static ErrCode take(const Folders *f, const Watch *w, const char *name, bool scanned, bool *again,
                    Err *err)
{
    CLEANUP(fd_close) int fd = -1;
    CLEANUP(arena_close) Arena *a = arena_open(SCRATCH);
    DbConn *reader = NULL;
    Trigger t;
    bool seen = false;
    if (name[0] == '.' || fnmatch(w->match, name, 0) != 0)
        return OK;
    if (a == NULL)
        return err_set(err, ERR_NO_MEMORY, "taking a file");
    fd = openat(w->dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return errno == ENOENT || errno == ELOOP
                   ? OK
                   : err_set_errno(err, ERR_IO, errno, "could not open \"%s/%s\"", w->path, name);
    struct stat st;
    TriggerFile k = {
        .trigger = &t, .path = str_printf(a, "%s/%s", w->path, name), .name = str_from_c(name)};
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || !str_is_utf8(k.name))
        return OK;
    k.size_bytes = st.st_size;
    k.changed_ns = changed_ns(&st);
    if (scanned && clock_now_ms() - k.changed_ns / 1000000 < SETTLED_MS) {
        *again = true;
        return OK;
    }
    ErrCode rc = db_reader(f->o.db, &reader, err);
    if (rc == OK)
        rc = trigger_row(reader, w->trigger, a, &t, err);
    if (rc == OK)
        rc = trigger_file_seen(reader, &k, &seen, err);
    if (rc != OK || seen)
        return rc;
    bool same = false;
    rc = copy_in(f, fd, &k, a, &same, err);
    if (rc == OK && !same) {
        *again = true;
        return OK;
    }
    return rc == OK ? trigger_file_start(f->o.db, &k, a, err) : rc;
}

static void take_or_tell(const Folders *f, const Watch *w, const char *name, bool scanned,
                         bool *again)
{
    Err err = {0};
    ErrCode rc = take(f, w, name, scanned, again, &err);
    if (rc == OK || rc == ERR_NOT_FOUND)
        return;
    *again |= !trigger_is_hopeless(rc);
    LOG(WARN, TRIGGER_FAILED, KV("path", (const char *)w->path), KV("file", name),
        KV("reason", err_reason(rc)), KV("detail", (const char *)err.text));
}

/* --- folders --- */

static void scan(const Folders *f, const Watch *w, bool *again)
{
    int fd = openat(w->dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    if (dir == NULL) {
        fd_close(&fd);
        *again = true;
        return;
    }
    const struct dirent *e;
    for (int n = 0; n < ENTRIES_MAX && (e = readdir(dir)) != NULL; n++)
        take_or_tell(f, w, e->d_name, true, again);
    closedir(dir);
}

/* Component by component: a link on the way is refused. */
static int open_below(int root_fd, const char *path)
{
    int at = fcntl(root_fd, F_DUPFD_CLOEXEC, 0);
    Str rest = str_from_c(path), part;
    char name[NAME_MAX + 1];
    while (at >= 0 && str_next(&rest, '/', &part)) {
        if (part.len == 0 || str_eq_c(part, "."))
            continue;
        int below = -1;
        if (part.len <= NAME_MAX) {
            snprintf(name, sizeof name, STR_FMT, STR_ARG(part));
            below = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        }
        int number = errno;
        fd_close(&at);
        errno = number;
        at = below;
    }
    return at;
}

static void tell_unwatched(const Trigger *t, const char *path, const char *why)
{
    LOG(WARN, TRIGGER_FAILED, KV("pipeline", t->pipeline), KV("trigger", t->name), KV("path", path),
        KV("detail", why));
}

static void add_watch(Folders *f, const Trigger *t, bool retry, bool *again)
{
    CLEANUP(arena_close) Arena *a = arena_open(1 * MIB);
    TriggerSpec spec;
    Err err = {0};
    if (a == NULL || trigger_read_row(t, a, &spec, &err) != OK || f->len == WATCHES_MAX)
        return;
    Watch w = {.wd = -1, .dir_fd = -1, .trigger = t->id};
    w.path = strndup(spec.path.ptr, spec.path.len);
    w.match = strndup(spec.match.ptr, spec.match.len);
    if (f->root_fd < 0)
        tell_unwatched(t, w.path, "the server was started without --watch-root");
    else if (w.path != NULL && w.match != NULL &&
             (w.dir_fd = open_below(f->root_fd, w.path)) >= 0) {
        char self[64];
        snprintf(self, sizeof self, "/proc/self/fd/%d", w.dir_fd);
        w.wd = inotify_add_watch(f->inotify_fd, self, IN_CLOSE_WRITE | IN_MOVED_TO | IN_ONLYDIR);
        f->watches[f->len++] = w;
        scan(f, &f->watches[f->len - 1], again);
        return;
    } else {
        *again = true; /* it may come */
        if (!retry)
            tell_unwatched(t, w.path, "there is no such folder in --watch-root");
    }
    free(w.path);
    free(w.match);
}

void folders_set(Folders *f, const Trigger *list, size_t len, bool retry, bool *again)
{
    drop_watches(f);
    for (size_t i = 0; i < len; i++)
        add_watch(f, &list[i], retry, again);
}

static void scan_all(Folders *f, bool *again)
{
    for (size_t i = 0; i < f->len; i++)
        scan(f, &f->watches[i], again);
}

static void one_event(Folders *f, const struct inotify_event *e, bool *again)
{
    if ((e->mask & IN_Q_OVERFLOW) != 0)
        scan_all(f, again);
    for (size_t i = 0; i < f->len && e->len > 0; i++)
        if (f->watches[i].wd == e->wd)
            take_or_tell(f, &f->watches[i], e->name, false, again);
}

void folders_read(Folders *f, bool *again)
{
    _Alignas(struct inotify_event) char bytes[16 * 1024];
    ssize_t n;
    while (f->inotify_fd >= 0 && (n = read(f->inotify_fd, bytes, sizeof bytes)) > 0)
        for (char *at = bytes; at < bytes + n;) {
            const struct inotify_event *e = (const void *)at;
            one_event(f, e, again);
            at += sizeof *e + e->len;
        }
}

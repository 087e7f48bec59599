/* resident_pool.c: the places for resident workers in the warm parent. One thread; every function
 * returns at once. The drawing is in resident.h. */
#include "kit/resident_in.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/fd.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    WORKERS_DEFAULT = 2,
    TASKS_DEFAULT = 100,
    START_DEFAULT_MS = 60 * 1000,
    SETTLE_MS = 10 * 1000,
    RETRY_FIRST_MS = 500,
    RETRY_DOUBLINGS = 7,
    NOBODY = 65534,
    DEPTH_MAX = 32,
    WORD_MAX = 4096,
};

static int first_set(int own, int otherwise)
{
    return own > 0 ? own : otherwise;
}

/* ---- folders ---- */

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st, (void)type, (void)at;
    remove(path);
    return 0;
}

static void remove_folder(const char *path)
{
    if (path[0] != 0)
        nftw(path, remove_one, DEPTH_MAX, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

static const char *temp_folder(void)
{
    const char *dir = getenv("TMPDIR");
    return dir != NULL && dir[0] == '/' && strlen(dir) < 32 ? dir : "/tmp";
}

/* Folders of parents that were killed: nobody holds their lock. */
static void sweep(const char *prefix)
{
    DIR *d = opendir(temp_folder());
    for (struct dirent *e; d != NULL && (e = readdir(d)) != NULL;) {
        char path[96];
        if (strncmp(e->d_name, prefix, strlen(prefix)) != 0 ||
            snprintf(path, sizeof path, "%s/%.60s", temp_folder(), e->d_name) >= (int)sizeof path)
            continue;
        struct stat st;
        CLEANUP(fd_close) int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd >= 0 && fstat(fd, &st) == 0 && st.st_uid == geteuid() &&
            flock(fd, LOCK_EX | LOCK_NB) == 0)
            remove_folder(path);
    }
    if (d != NULL)
        closedir(d);
}

static ErrCode make_base(Residents *r, Err *err)
{
    char prefix[48];
    snprintf(prefix, sizeof prefix, "platen-resident-%.20s-", r->engine->name);
    sweep(prefix);
    snprintf(r->base, sizeof r->base, "%s/%sXXXXXX", temp_folder(), prefix);
    if (fault_hit("resident.folder") || mkdtemp(r->base) == NULL) {
        r->base[0] = 0;
        return err_set_errno(err, ERR_IO, errno, "could not make a folder for workers");
    }
    /* Others may pass through, to the folder that is theirs, and see nothing. */
    r->base_fd = open(r->base, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (r->base_fd < 0 || flock(r->base_fd, LOCK_EX | LOCK_NB) != 0 || chmod(r->base, 0711) != 0)
        return err_set_errno(err, ERR_IO, errno, "could not lock the workers' folder");
    return OK;
}

static ErrCode make_folder(const Residents *r, Resident *w, Err *err)
{
    snprintf(w->folder, sizeof w->folder, "%s/wXXXXXX", r->base);
    if (fault_hit("resident.folder") || mkdtemp(w->folder) == NULL ||
        (geteuid() == 0 && chown(w->folder, NOBODY, NOBODY) != 0)) {
        err_set_errno(err, ERR_IO, errno, "could not make a worker's folder");
        return ERR_IO;
    }
    return OK;
}

/* ---- one place ---- */

static void give_up_start(Residents *r, const Err *why)
{
    int doublings = r->failed_starts < RETRY_DOUBLINGS ? r->failed_starts : RETRY_DOUBLINGS;
    r->failed_starts++;
    r->retry_at_us = clock_mono_us() + ((int64_t)RETRY_FIRST_MS << doublings) * 1000;
    r->problem = *why;
    if (r->problem.code == OK)
        err_set(&r->problem, ERR_ENGINE_MISSING, "a worker of engine %s did not start",
                r->engine->name);
}

/* Its group first: while the worker is not waited for, the number cannot be another's. */
static void end_worker(Resident *w)
{
    if (w->pid != 0) {
        kill(-w->pid, SIGKILL);
        kill(w->pid, SIGKILL);
    }
}

static void empty_place(Resident *w)
{
    fd_close(&w->socket);
    remove_folder(w->folder);
    *w = (Resident){.socket = -1};
}

static ErrCode start_worker(Residents *r, Resident *w, Err *err)
{
    int ends[2];
    ErrCode rc = r->base[0] == 0 ? make_base(r, err) : OK;
    if (rc == OK)
        rc = make_folder(r, w, err);
    if (rc != OK)
        return rc;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
        return err_set_errno(err, ERR_IO, errno, "no socket for a worker");
    w->socket = ends[0];
    CLEANUP(fd_close) int theirs = ends[1];
    pid_t parent = getpid();
    pid_t pid = fault_hit("resident.fork") ? (errno = EAGAIN, -1) : fork();
    if (pid == 0)
        resident_live(r->engine, theirs, w->folder, parent);
    if (pid < 0)
        return err_set_errno(err, ERR_NO_MEMORY, errno, "could not fork a worker");
    setpgid(pid, pid); /* here too, so that it is true when we return */
    w->pid = pid;
    w->state = RESIDENT_STARTING;
    w->due = clock_mono_us() + (int64_t)first_set(r->kind->start_ms, START_DEFAULT_MS) * 1000;
    return OK;
}

static void fill_places(Residents *r)
{
    for (int i = 0; i < r->len && clock_mono_us() >= r->retry_at_us; i++) {
        Resident *w = &r->items[i];
        Err err = {0};
        if (w->state != RESIDENT_EMPTY || start_worker(r, w, &err) == OK)
            continue;
        empty_place(w);
        give_up_start(r, &err);
    }
}

/* {"error":{…}} of a worker that could not start. */
static void read_problem(Str text, Err *out)
{
    CLEANUP(arena_close) Arena *a = arena_open(256 * KIB);
    const Json *doc = NULL;
    if (a == NULL || json_parse(a, text, &doc, NULL) != OK)
        return;
    const Json *e = json_get(doc, "error");
    ErrCode code = err_from_reason(json_text(json_get(e, "reason")));
    Str hint = json_text(json_get(e, "hint"));
    err_set(out, code != OK ? code : ERR_ENGINE_MISSING, STR_FMT,
            STR_ARG(json_text(json_get(e, "message"))));
    if (hint.len > 0)
        err_hint(out, STR_FMT, STR_ARG(hint));
}

/* A word of a worker that no clerk is talking to. */
static void hear(Residents *r, Resident *w)
{
    char buffer[WORD_MAX];
    Str text;
    Err why = {0};
    ErrCode rc = kit_receive(w->socket, buffer, sizeof buffer, &text, NULL, NULL, NULL);
    bool starting = w->state == RESIDENT_STARTING;
    if (rc == OK && starting && str_starts(text, STR("{\"ready\""))) {
        w->state = RESIDENT_READY;
        r->failed_starts = 0;
        r->problem = (Err){0};
        return;
    }
    if (rc == OK && w->state == RESIDENT_SETTLING && str_starts(text, STR("{\"idle\""))) {
        w->state = RESIDENT_READY;
        if (w->tasks >= first_set(r->kind->tasks_max, TASKS_DEFAULT))
            end_worker(w);
        else
            return;
    }
    if (rc == OK && starting)
        read_problem(text, &why);
    if (starting)
        give_up_start(r, &why);
    w->state = RESIDENT_BUSY; /* never to be given a task again; its end is on the way */
    w->clerk = 0;
    end_worker(w);
}

void residents_tend(Residents *r)
{
    int64_t now = clock_mono_us();
    for (int i = 0; i < r->len; i++) {
        Resident *w = &r->items[i];
        bool waits = w->state == RESIDENT_STARTING || w->state == RESIDENT_SETTLING;
        struct pollfd f = {.fd = w->socket, .events = POLLIN};
        if (waits && poll(&f, 1, 0) > 0) {
            hear(r, w);
        } else if (waits && now > w->due) {
            if (w->state == RESIDENT_STARTING)
                give_up_start(r, &(Err){0});
            w->state = RESIDENT_BUSY;
            w->clerk = 0;
            end_worker(w);
        }
    }
    fill_places(r);
}

static void settle(Resident *w)
{
    w->clerk = 0;
    w->state = RESIDENT_SETTLING;
    w->due = clock_mono_us() + (int64_t)SETTLE_MS * 1000;
    if (kit_send(w->socket, STR("{\"ping\":{}}"), NULL, 0, NULL) != OK)
        end_worker(w); /* SIGCHLD brings it back to us */
}

/* It died while it started. Its end of the socket may still be open in something it had started, so
 * nothing is waited for. */
static void hear_last(Residents *r, Resident *w)
{
    struct pollfd f = {.fd = w->socket, .events = POLLIN};
    if (poll(&f, 1, 0) > 0)
        hear(r, w);
    else
        give_up_start(r, &(Err){0});
}

void residents_note_end(Residents *r, pid_t pid, bool well)
{
    for (int i = 0; i < r->len; i++) {
        Resident *w = &r->items[i];
        if (w->pid == pid) {
            kill(-pid, SIGKILL); /* what it has started */
            if (w->state == RESIDENT_STARTING)
                hear_last(r, w);
            empty_place(w);
        } else if (w->state == RESIDENT_BUSY && w->clerk == pid) {
            if (well || atomic_load(&r->marks[i]) != RESIDENT_ASKED)
                settle(w);
            else
                end_worker(w);
        }
    }
}

/* ---- for warm.c and desk.c ---- */

Resident *residents_ready(Residents *r)
{
    for (int i = 0; i < r->len; i++)
        if (r->items[i].state == RESIDENT_READY)
            return &r->items[i];
    return NULL;
}

_Atomic int *residents_mark(Residents *r, const Resident *w)
{
    _Atomic int *mark = &r->marks[w - r->items];
    atomic_store(mark, RESIDENT_UNASKED);
    return mark;
}

void residents_take(Resident *w, pid_t clerk)
{
    if (clerk == 0)
        return;
    w->state = RESIDENT_BUSY;
    w->clerk = clerk;
    w->tasks++;
}

bool residents_hopeless(const Residents *r)
{
    for (int i = 0; i < r->len; i++)
        if (r->items[i].state != RESIDENT_EMPTY && r->items[i].pid != 0)
            return false;
    return r->problem.code != OK;
}

size_t residents_watch(const Residents *r, struct pollfd *fds)
{
    size_t n = 0;
    for (int i = 0; i < r->len; i++) {
        const Resident *w = &r->items[i];
        if (w->state == RESIDENT_STARTING || w->state == RESIDENT_SETTLING)
            fds[n++] = (struct pollfd){.fd = w->socket, .events = POLLIN};
    }
    return n;
}

int residents_timeout_ms(const Residents *r)
{
    int64_t next = INT64_MAX, now = clock_mono_us();
    for (int i = 0; i < r->len; i++) {
        const Resident *w = &r->items[i];
        if (w->state == RESIDENT_EMPTY && r->retry_at_us < next)
            next = r->retry_at_us;
        if ((w->state == RESIDENT_STARTING || w->state == RESIDENT_SETTLING) && w->due < next)
            next = w->due;
    }
    if (next == INT64_MAX)
        return -1;
    return next <= now ? 0 : (int)((next - now) / 1000 + 1);
}

ErrCode residents_open(Residents *r, const KitEngine *engine, Err *err)
{
    *r = (Residents){.engine = engine, .kind = engine->resident, .base_fd = -1};
    r->len = first_set(r->kind->workers, WORKERS_DEFAULT);
    if (r->len > RESIDENTS_MAX)
        r->len = RESIDENTS_MAX;
    for (int i = 0; i < RESIDENTS_MAX; i++)
        r->items[i].socket = -1;
    r->marks = mmap(NULL, sizeof(_Atomic int) * RESIDENTS_MAX, PROT_READ | PROT_WRITE,
                    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (r->marks == MAP_FAILED)
        return err_set_errno(err, ERR_NO_MEMORY, errno, "no memory for workers");
    fill_places(r);
    return OK;
}

void residents_tidy(Residents *r)
{
    remove_folder(r->base);
    fd_close(&r->base_fd);
    r->base[0] = 0;
}

void residents_close(Residents *r)
{
    for (int i = 0; i < r->len; i++) {
        end_worker(&r->items[i]);
        if (r->items[i].pid != 0)
            while (waitpid(r->items[i].pid, NULL, 0) < 0 && errno == EINTR)
                ;
        empty_place(&r->items[i]);
    }
    residents_tidy(r);
    r->len = 0;
}

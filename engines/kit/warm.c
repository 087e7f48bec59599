/* warm.c: the warm parent: load once, fork per task, tell how each child ended.
 *
 * One thread, one poll over the control socket, SIGCHLD, and channels whose last message did not
 * fit yet. It never reads what a child sends: it only keeps the engine's end of each channel open,
 * so that the host can tell a dead child (an exit message) from a dead engine (the end of the
 * channel).
 *
 * An engine with resident workers (resident.h) starts a task when one of them is ready; until then
 * its channel waits here in line. */
#include "kit/task_in.h"
#include "kit/resident_in.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/fd.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__SANITIZE_THREAD__)
#define THREAD_SANITIZER true /* has a thread of its own */
#else
#define THREAD_SANITIZER false
#endif

enum { CHILDREN_MAX = 256, EXIT_TEXT_MAX = 160, THREADS_GONE_MS = 20 * 1000 };

typedef struct Child {
    pid_t pid;                     /* 0: has ended */
    int channel;                   /* -1: the slot is free */
    char exit_text[EXIT_TEXT_MAX]; /* of one that has ended: still to be sent */
    size_t exit_len;
} Child;

typedef struct Warm {
    const KitEngine *engine;
    int child_signals;      /* signalfd */
    size_t waiting;         /* children whose exit text is still to be sent */
    Residents *residents;   /* NULL: the engine has none */
    int line[CHILDREN_MAX]; /* channels of tasks that wait for a worker, first come first */
    size_t line_len;
    Child children[CHILDREN_MAX];
    char buffer[KIT_MESSAGE_MAX];
} Warm;

static void refuse(int channel, const char *reason, const char *message)
{
    char text[256];
    int n = snprintf(text, sizeof text, "{\"error\":{\"reason\":\"%s\",\"message\":\"%s\"}}",
                     reason, message);
    (void)!kit_send(channel, (Str){text, (size_t)n}, NULL, 0, NULL);
}

static void put_error(Buf *b, ErrCode rc, const Err *err)
{
    JsonOut j = json_out(b);
    json_begin(&j, '{');
    json_key(&j, "error");
    json_begin(&j, '{');
    json_kv_c(&j, "reason", err_reason(rc));
    json_kv_c(&j, "message", err->text);
    if (err->hint[0] != 0)
        json_kv_c(&j, "hint", err->hint);
    json_end(&j, '}');
    json_end(&j, '}');
}

static Child *free_slot(Warm *w)
{
    for (size_t i = 0; i < CHILDREN_MAX; i++)
        if (w->children[i].channel < 0)
            return &w->children[i];
    return NULL;
}

/* {"task":{"pid":n}} with a pidfd: the host's handle on the child. */
static bool introduce(pid_t pid, int channel)
{
    CLEANUP(fd_close) int pidfd = pidfd_open(pid, 0);
    if (pidfd < 0)
        return false;
    char text[64];
    int n = snprintf(text, sizeof text, "{\"task\":{\"pid\":%d}}", (int)pid);
    return kit_send(channel, (Str){text, (size_t)n}, &pidfd, 1, NULL) == OK;
}

static void start_child(Warm *w, int *channel, Resident *worker)
{
    Child *slot = free_slot(w);
    if (slot == NULL) {
        refuse(*channel, "overloaded", "the engine runs as many tasks as it can");
        return;
    }
    pid_t parent = getpid();
    _Atomic int *mark = worker != NULL ? residents_mark(w->residents, worker) : NULL;
    pid_t pid = fault_hit("warm.fork") ? (errno = EAGAIN, -1) : fork();
    if (pid == 0) {
        sigset_t none;
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
        resident_clerk(mark);
        task_serve(w->engine, *channel, worker != NULL ? worker->socket : -1, TASK_SANDBOX, parent);
    }
    if (pid < 0) {
        refuse(*channel, "no_memory", "could not fork");
        return;
    }
    if (!introduce(pid, *channel))
        kill(pid, SIGKILL); /* ours and not yet waited for, so the id is still its own */
    *slot = (Child){.pid = pid, .channel = fd_take(channel)};
    if (worker != NULL)
        residents_take(worker, pid);
}

static bool has_hung_up(int channel)
{
    struct pollfd f = {.fd = channel, .events = POLLRDHUP};
    return poll(&f, 1, 0) > 0;
}

static void refuse_all(Warm *w)
{
    residents_tidy(w->residents);
    const Err *why = &w->residents->problem;
    for (size_t i = 0; i < w->line_len; i++) {
        char text[1024];
        Buf b = {.ptr = text, .cap = sizeof text, .ceiling = sizeof text};
        put_error(&b, why->code, why);
        (void)!kit_send(w->line[i], buf_str(&b), NULL, 0, NULL);
        fd_close(&w->line[i]);
    }
    w->line_len = 0;
}

/* Give ready workers to those that wait. */
static void serve_line(Warm *w)
{
    Resident *worker;
    while (w->line_len > 0 && (worker = residents_ready(w->residents)) != NULL) {
        CLEANUP(fd_close) int channel = w->line[0];
        w->line_len--;
        memmove(w->line, w->line + 1, w->line_len * sizeof *w->line);
        if (!has_hung_up(channel))
            start_child(w, &channel, worker);
    }
    if (w->line_len > 0 && residents_hopeless(w->residents))
        refuse_all(w);
}

static void stand_in_line(Warm *w, int *channel)
{
    if (w->line_len == CHILDREN_MAX) {
        refuse(*channel, "overloaded", "the engine runs as many tasks as it can");
        return;
    }
    w->line[w->line_len++] = fd_take(channel);
}

/* False: the host is gone, or speaks something else. */
static bool take_order(Warm *w)
{
    Str text;
    int fds[1];
    size_t fds_len = 1;
    Err err = {0};
    ErrCode rc = kit_receive(KIT_FD, w->buffer, sizeof w->buffer, &text, fds, &fds_len, &err);
    if (rc == OK && fds_len == 1 && str_starts(text, STR("{\"task\"")))
        w->residents != NULL ? stand_in_line(w, &fds[0]) : start_child(w, &fds[0], NULL);
    else if (rc == OK)
        err_set(&err, rc = ERR_ENGINE_PROTOCOL, "not an order: " STR_FMT,
                STR_ARG(str_slice(text, 0, 80)));
    if (fds_len == 1)
        fd_close(&fds[0]);
    if (rc != OK && rc != ERR_WORKER_LOST)
        dprintf(STDERR_FILENO, "platen-engine-%s: %s\n", w->engine->name, err.text);
    return rc == OK;
}

/* Waiting here would let one host thread that does not read stop all tasks. */
static bool send_exit(Child *c)
{
    ssize_t n = send(c->channel, c->exit_text, c->exit_len, MSG_NOSIGNAL | MSG_DONTWAIT);
    return n >= 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
}

static void finish(Warm *w, Child *c)
{
    if (!send_exit(c)) {
        w->waiting++;
        return;
    }
    fd_close(&c->channel);
}

static void note_end(Warm *w, pid_t pid, int status, const struct rusage *used)
{
    for (size_t i = 0; i < CHILDREN_MAX; i++) {
        Child *c = &w->children[i];
        if (c->channel < 0 || c->pid != pid)
            continue;
        int64_t cpu_ms = (used->ru_utime.tv_sec + used->ru_stime.tv_sec) * 1000 +
                         (used->ru_utime.tv_usec + used->ru_stime.tv_usec) / 1000;
        c->pid = 0;
        c->exit_len = (size_t)snprintf(c->exit_text, sizeof c->exit_text,
                                       "{\"exit\":{\"%s\":%d,\"cpu_ms\":%" PRId64
                                       ",\"memory_bytes\":%" PRId64 "}}",
                                       WIFSIGNALED(status) ? "signal" : "code",
                                       WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status),
                                       cpu_ms, (int64_t)used->ru_maxrss * 1024);
        finish(w, c);
        return;
    }
}

static void reap(Warm *w)
{
    struct signalfd_siginfo ignored[8];
    while (read(w->child_signals, ignored, sizeof ignored) > 0)
        ;
    int status;
    struct rusage used;
    for (pid_t pid; (pid = wait4(-1, &status, WNOHANG, &used)) > 0;) {
        note_end(w, pid, status, &used);
        if (w->residents != NULL)
            residents_note_end(w->residents, pid, WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
}

static void send_waiting(Warm *w)
{
    w->waiting = 0;
    for (size_t i = 0; i < CHILDREN_MAX; i++)
        if (w->children[i].channel >= 0 && w->children[i].pid == 0)
            finish(w, &w->children[i]);
}

static size_t watch(const Warm *w, struct pollfd *fds)
{
    size_t n = 0;
    fds[n++] = (struct pollfd){.fd = KIT_FD, .events = POLLIN};
    fds[n++] = (struct pollfd){.fd = w->child_signals, .events = POLLIN};
    for (size_t i = 0; w->waiting > 0 && i < CHILDREN_MAX; i++)
        if (w->children[i].channel >= 0 && w->children[i].pid == 0)
            fds[n++] = (struct pollfd){.fd = w->children[i].channel, .events = POLLOUT};
    if (w->residents != NULL)
        n += residents_watch(w->residents, fds + n);
    return n;
}

static int serve(Warm *w)
{
    struct pollfd fds[2 + CHILDREN_MAX + RESIDENTS_MAX];
    for (;;) {
        size_t n = watch(w, fds);
        if (poll(fds, n, w->residents != NULL ? residents_timeout_ms(w->residents) : -1) < 0 &&
            errno != EINTR)
            return 1;
        if (fds[1].revents != 0)
            reap(w);
        if (w->waiting > 0)
            send_waiting(w);
        if (fds[0].revents != 0 && !take_order(w))
            return 0;
        if (w->residents != NULL) {
            residents_tend(w->residents);
            serve_line(w);
        }
    }
}

static int count_threads(void)
{
    int n = -2; /* "." and ".." */
    DIR *d = opendir("/proc/self/task");
    while (d != NULL && readdir(d) != NULL)
        n++;
    if (d != NULL)
        closedir(d);
    return d != NULL ? n : 1;
}

ErrCode warm_up(const KitEngine *engine, Err *err)
{
    ErrCode rc = engine->warm != NULL ? engine->warm(err) : OK;
    /* A library's worker may still be on its way out. */
    int64_t until_us = clock_mono_us() + (int64_t)THREADS_GONE_MS * 1000;
    while (rc == OK && !THREAD_SANITIZER && count_threads() > 1) {
        if (clock_mono_us() > until_us)
            return err_set(err, ERR_INTERNAL, "%d threads are left after warming up",
                           count_threads() - 1);
        poll(NULL, 0, 1);
    }
    return rc;
}

static int say_why(ErrCode rc, const Err *err)
{
    char text[1024];
    Buf b = {.ptr = text, .cap = sizeof text, .ceiling = sizeof text};
    put_error(&b, rc, err);
    (void)!kit_send(KIT_FD, buf_str(&b), NULL, 0, NULL);
    return 1;
}

int warm_serve(const KitEngine *engine)
{
    static Warm w;
    Err err = {0};
    ErrCode rc = warm_up(engine, &err);
    if (rc == OK)
        rc = sandbox_prepare(SANDBOX_TASK, &err); /* after loading: it measures what is mapped */
    if (rc != OK)
        return say_why(rc, &err);
    sigset_t child;
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    sigprocmask(SIG_BLOCK, &child, NULL);
    signal(SIGPIPE, SIG_IGN);
    w.engine = engine;
    w.child_signals = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
    for (size_t i = 0; i < CHILDREN_MAX; i++)
        w.children[i].channel = -1;
    if (w.child_signals < 0)
        return 1;
    if (engine->resident == NULL)
        return serve(&w);
    static Residents residents;
    w.residents = &residents;
    rc = residents_open(&residents, engine, &err);
    int status = rc == OK ? serve(&w) : say_why(rc, &err);
    residents_close(&residents);
    return status;
}

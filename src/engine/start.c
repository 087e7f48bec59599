/* start.c: engine processes. The server has threads, so a child makes nothing but system calls
 * before exec. */
#include "engine/engine_in.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/fd.h"
#include "kit/kit.h"
#include "kit/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

enum { FIRST_FREE_FD = 10 };

static bool may_see(Str variable)
{
    static const char *const allowed[] = {"PATH=",         "LANG=",
                                          "LC_",           "TZ=",
                                          "TMPDIR=",       "LD_LIBRARY_PATH=",
                                          "FONTCONFIG_",   "TESSDATA_PREFIX=",
                                          "VIPS_",         "PLATEN_ENGINE_",
                                          "PLATEN_CLAMD=", "PLATEN_FAULT",
                                          "ASAN_OPTIONS=", "UBSAN_OPTIONS=",
                                          "LSAN_OPTIONS=", "TSAN_OPTIONS="};
    for (size_t i = 0; i < COUNT_OF(allowed); i++)
        if (str_starts(variable, str_from_c(allowed[i])))
            return true;
    return false;
}

ErrCode engine_make_env(Arena *a, char *env[ENGINE_ENV_MAX + 1], Err *err)
{
    /* One thread a process: a warm parent must not have more, and tasks run side by side already.
     */
    static char *const fixed[] = {"OMP_THREAD_LIMIT=1", "VIPS_CONCURRENCY=1",
                                  "PYTHONDONTWRITEBYTECODE=1"};
    size_t n = 0;
    for (size_t i = 0; i < COUNT_OF(fixed); i++)
        env[n++] = fixed[i];
    for (char **v = environ; v != NULL && *v != NULL && n < ENGINE_ENV_MAX; v++) {
        if (!may_see(str_from_c(*v)))
            continue;
        env[n] = str_to_c(a, str_from_c(*v));
        if (env[n++] == NULL)
            return err_set(err, ERR_NO_MEMORY, "no memory for the engines' environment");
    }
    env[n] = NULL;
    return OK;
}

/* Out of the way of descriptors 0 to 3, which the child fills in. */
static int high_copy(int fd)
{
    return fcntl(fd, F_DUPFD_CLOEXEC, FIRST_FREE_FD);
}

/* With an own session, so that Ctrl-C in the server's terminal does not reach engines before the
 * server has drained. */
static int spawn_with(const char *path, char *const argv[], char *const env[], const int fds[4],
                      pid_t *out)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attr;
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    int rc = posix_spawn_file_actions_init(&actions);
    if (rc != 0)
        return rc;
    rc = posix_spawnattr_init(&attr);
    if (rc == 0) {
        for (int to = 0; to < 4 && rc == 0; to++)
            if (fds[to] >= 0)
                rc = posix_spawn_file_actions_adddup2(&actions, fds[to], to);
        rc = rc != 0 ? rc : posix_spawn_file_actions_addclosefrom_np(&actions, fds[3] >= 0 ? 4 : 3);
        rc = rc != 0 ? rc : posix_spawnattr_setsigmask(&attr, &none);
        rc = rc != 0 ? rc : posix_spawnattr_setsigdefault(&attr, &all);
        rc = rc != 0 ? rc
                     : posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK |
                                                           POSIX_SPAWN_SETSIGDEF);
        rc = rc != 0 ? rc : posix_spawn(out, path, &actions, &attr, argv, env);
        posix_spawnattr_destroy(&attr);
    }
    posix_spawn_file_actions_destroy(&actions);
    return rc;
}

/* A handle that keeps its meaning. Without one the process is of no use. */
static ErrCode adopt_process(pid_t pid, EngineProcess *out, Err *err)
{
    int pidfd = fault_hit("engine.pidfd") ? (errno = EMFILE, -1) : pidfd_open(pid, 0);
    *out = (EngineProcess){.pid = pid, .pidfd = pidfd};
    if (pidfd >= 0)
        return OK;
    err_set_errno(err, ERR_IO, errno, "could not get hold of an engine");
    engine_end(out, NULL);
    return ERR_IO;
}

ErrCode engine_spawn(EnginePool *p, const char *path, const char *option, int fd3, int out,
                     EngineProcess *process, Err *err)
{
    CLEANUP(fd_close) int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    CLEANUP(fd_close) int high_null = null >= 0 ? high_copy(null) : -1;
    CLEANUP(fd_close) int high_3 = fd3 >= 0 ? high_copy(fd3) : -1;
    CLEANUP(fd_close) int high_out = out >= 0 ? high_copy(out) : -1;
    if (high_null < 0 || (fd3 >= 0 && high_3 < 0) || (out >= 0 && high_out < 0))
        return err_set_errno(err, ERR_IO, errno, "no descriptors for an engine");
    pid_t pid = 0;
    int fds[4] = {high_null, high_out >= 0 ? high_out : high_null, -1, high_3};
    char *argv[] = {(char *)path, (char *)option, NULL};
    int rc = fault_hit("engine.spawn") ? EAGAIN : spawn_with(path, argv, p->env, fds, &pid);
    if (rc != 0)
        return err_set_errno(err, ERR_ENGINE_MISSING, rc, "could not start \"%s\"", path);
    return adopt_process(pid, process, err);
}

/* In the child of a threaded process: system calls only. */
static _Noreturn void become_plain(EnginePool *p, const char *path, const StepLimits *limits,
                                   int fd3, int null, int says)
{
    sigset_t none;
    sigemptyset(&none);
    for (int sig = 1; sig < NSIG; sig++)
        signal(sig, SIG_DFL);
    sigprocmask(SIG_SETMASK, &none, NULL);
    setsid();
    char *argv[] = {(char *)path, NULL};
    if (dup2(null, 0) == 0 && dup2(null, 1) == 1 && dup2(says, 2) == 2 &&
        dup2(fd3, KIT_FD) == KIT_FD &&
        sandbox_enter(SANDBOX_PROGRAM, limits, p->readable, NULL) == OK &&
        close_range(KIT_FD + 1, ~0U, 0) == 0)
        execve(path, argv, p->env);
    (void)!kit_send(KIT_FD,
                    STR("{\"error\":{\"reason\":\"engine_missing\",\"message\":\"could not be "
                        "executed in the sandbox\"}}"),
                    NULL, 0, NULL);
    _exit(127);
}

ErrCode engine_spawn_plain(EnginePool *p, const char *path, const StepLimits *limits, int fd3,
                           EngineProcess *process, int *out_says, Err *err)
{
    int ends[2];
    if (fault_hit("engine.pipe") || pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0)
        return err_set(err, ERR_IO, "no descriptors for an engine");
    CLEANUP(fd_close) int mine = ends[0];
    CLEANUP(fd_close) int theirs = ends[1];
    CLEANUP(fd_close) int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    CLEANUP(fd_close) int high_null = null >= 0 ? high_copy(null) : -1;
    CLEANUP(fd_close) int high_3 = high_copy(fd3);
    CLEANUP(fd_close) int high_says = high_copy(theirs);
    if (high_null < 0 || high_3 < 0 || high_says < 0)
        return err_set_errno(err, ERR_IO, errno, "no descriptors for an engine");
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all,
                    &before); /* the server's handlers must not run in the child */
    pid_t pid = fault_hit("engine.spawn") ? (errno = EAGAIN, -1) : fork();
    if (pid == 0)
        become_plain(p, path, limits, high_3, high_null, high_says);
    int number = errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (pid < 0)
        return err_set_errno(err, ERR_ENGINE_MISSING, number, "could not start \"%s\"", path);
    ErrCode rc = adopt_process(pid, process, err);
    if (rc == OK)
        *out_says = fd_take(&mine);
    return rc;
}

/* The kernel's peak of a process includes what it was before its exec: a copy of this one. A peak
 * that is not above our own therefore says nothing (0). */
static int64_t peak_of(const struct rusage *used)
{
    struct rusage own = {0};
    getrusage(RUSAGE_SELF, &own);
    return used->ru_maxrss > own.ru_maxrss ? (int64_t)used->ru_maxrss * 1024 : 0;
}

void engine_end(EngineProcess *process, EngineEnd *out)
{
    if (process->pid == 0)
        return;
    int status = 0;
    struct rusage used = {0};
    kill(-process->pid, SIGKILL); /* its session: what it has started dies with it */
    kill(process->pid, SIGKILL);  /* when it has not come to setsid yet */
    pid_t got;
    do
        got = wait4(process->pid, &status, 0, &used);
    while (got < 0 && errno == EINTR);
    fd_close(&process->pidfd);
    process->pid = 0;
    if (out != NULL)
        *out = (EngineEnd){.signaled = WIFSIGNALED(status),
                           .status = WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status),
                           .cpu_ms = (used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000 +
                                     (used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1000,
                           .memory_bytes = peak_of(&used)};
}

bool engine_ended(int pidfd, int64_t mono_us)
{
    for (;;) {
        int64_t left = mono_us - clock_mono_us();
        struct pollfd f = {.fd = pidfd, .events = POLLIN};
        int n = poll(&f, 1, left > 0 ? (int)(left / 1000 + 1) : 0);
        if (n > 0)
            return (f.revents & (POLLIN | POLLHUP)) != 0;
        if ((n == 0 && left <= 0) || (n < 0 && errno != EINTR))
            return false;
    }
}

#include "kit/sandbox.h"
#include "kit/sandbox_in.h"
#include "base/fault.h"
#include "base/fd.h"
#include "base/thread.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
#define ADDRESS_SANITIZER true
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ADDRESS_SANITIZER true
#endif
#endif
#ifndef ADDRESS_SANITIZER
#define ADDRESS_SANITIZER false
#endif

enum {
    NOBODY = 65534,
    OPEN_FILES_MAX = 256,
    PROGRAM_PROCESSES_MAX = 4096,
    RESIDENT_FILES_MAX = 1024,
    BROWSER_FILES_MAX = 8192,
    KINDS = SANDBOX_BROWSER + 1
};

/* A forked child whose memory is counted on top of its parent's, and that has no files at all? */
static bool is_task(SandboxKind kind)
{
    return kind == SANDBOX_TASK || kind == SANDBOX_DESK;
}

/* Made once by sandbox_prepare, then constant. */
typedef struct Prepared {
    bool ready;
    struct sock_fprog calls;
    int64_t mapped_bytes; /* of this process when it was made */
} Prepared;
static Prepared prepared[KINDS];
static pthread_mutex_t prepare_lock = PTHREAD_MUTEX_INITIALIZER;

static int64_t mapped_bytes(void)
{
    char text[128];
    CLEANUP(fd_close) int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, text, sizeof text - 1) : -1;
    if (n <= 0)
        return -1;
    text[n] = 0;
    return strtoll(text, NULL, 10) * sysconf(_SC_PAGESIZE);
}

static ErrCode prepare_locked(SandboxKind kind, Prepared *p, Err *err)
{
    if (fault_hit("sandbox.prepare"))
        return err_set(err, ERR_INTERNAL, "could not build the seccomp filter");
    int64_t mapped = mapped_bytes();
    if (mapped < 0 && is_task(kind))
        return err_set_errno(err, ERR_INTERNAL, errno, "could not read /proc/self/statm");
    struct sock_fprog calls;
    ErrCode rc = sandbox_calls_build(kind, &calls, err);
    if (rc != OK)
        return rc;
    *p = (Prepared){.ready = true, .calls = calls, .mapped_bytes = mapped};
    return OK;
}

ErrCode sandbox_prepare(SandboxKind kind, Err *err)
{
    pthread_mutex_lock(&prepare_lock);
    ErrCode rc = prepared[kind].ready ? OK : prepare_locked(kind, &prepared[kind], err);
    pthread_mutex_unlock(&prepare_lock);
    return rc;
}

static bool limit(int which, int64_t soft, int64_t hard)
{
    struct rlimit r = {.rlim_cur = (rlim_t)soft, .rlim_max = (rlim_t)hard}, now;
    /* A limit that is lower already stays. */
    if (getrlimit((__rlimit_resource_t)which, &now) == 0 && now.rlim_max != RLIM_INFINITY) {
        if (r.rlim_max > now.rlim_max)
            r.rlim_max = now.rlim_max;
        if (r.rlim_cur > now.rlim_max)
            r.rlim_cur = now.rlim_max;
    }
    return setrlimit((__rlimit_resource_t)which, &r) == 0;
}

static bool set_limits(SandboxKind kind, const StepLimits *l, int64_t mapped)
{
    int files = kind == SANDBOX_RESIDENT  ? RESIDENT_FILES_MAX
                : kind == SANDBOX_BROWSER ? BROWSER_FILES_MAX
                                          : OPEN_FILES_MAX;
    bool ok = limit(RLIMIT_CORE, 0, 0) && limit(RLIMIT_NOFILE, files, files);
    if (l->memory_bytes > 0 && !ADDRESS_SANITIZER) {
        int64_t bytes = l->memory_bytes + (is_task(kind) ? mapped : 0);
        ok = ok && limit(is_task(kind) ? RLIMIT_AS : RLIMIT_DATA, bytes, bytes);
    }
    if (l->cpu_ms > 0) {
        /* The kernel counts whole seconds. SIGXCPU at the first limit, SIGKILL at the second. */
        int64_t seconds = (l->cpu_ms + 999) / 1000;
        ok = ok && limit(RLIMIT_CPU, seconds, seconds + 1);
    }
    if (l->output_bytes > 0)
        ok = ok && limit(RLIMIT_FSIZE, l->output_bytes, l->output_bytes);
    if (kind == SANDBOX_PROGRAM)
        ok = ok && limit(RLIMIT_NPROC, PROGRAM_PROCESSES_MAX, PROGRAM_PROCESSES_MAX);
    return ok;
}

/* The library's wrappers would tell all threads of a forked server; system calls concern this
 * process alone. */
static bool stop_being_root(void)
{
    if (geteuid() != 0)
        return true;
    return syscall(SYS_setgroups, 0, NULL) == 0 &&
           syscall(SYS_setresgid, NOBODY, NOBODY, NOBODY) == 0 &&
           syscall(SYS_setresuid, NOBODY, NOBODY, NOBODY) == 0;
}

static bool install(const struct sock_fprog *program)
{
    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, program) == 0;
}

/* Signals to itself only. A filter of its own, because the process id is not known when the big one
 * is built. */
static bool install_own_signals(uint32_t otherwise)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_tgkill, 0, 2),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)getpid(), 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        BPF_STMT(BPF_RET | BPF_K, otherwise),
    };
    return install(&(struct sock_fprog){.len = COUNT_OF(code), .filter = code});
}

/* Desk only: say which call it was, then die of it as in production. */
static void name_forbidden_call(int sig, siginfo_t *info, void *context)
{
    (void)context;
    char *name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, info->si_syscall);
    dprintf(STDERR_FILENO, "sandbox: system call %d (%s) is forbidden\n", info->si_syscall,
            name != NULL ? name : "?");
    signal(sig, SIG_DFL);
    raise(sig);
}

static const char *enter(SandboxKind kind, const StepLimits *limits, int readable,
                         const Prepared *p)
{
    /* Limits and ruleset first: a root process may set them without further conditions. */
    if (!set_limits(kind, limits, p->mapped_bytes))
        return "setting limits";
    if (!stop_being_root())
        return "becoming nobody";
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return "giving up new privileges";
    /* After the change of user, which resets both. */
    if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
        return "hiding from others";
    if (is_task(kind) ? !sandbox_files_give_up() : readable >= 0 && !sandbox_files_enter(readable))
        return "giving up files";
    if (kind == SANDBOX_DESK)
        sigaction(SIGSYS,
                  &(struct sigaction){.sa_sigaction = name_forbidden_call,
                                      .sa_flags = SA_SIGINFO | SA_NODEFER},
                  NULL);
    /* A browser's children signal themselves by ids that are not known yet. */
    if (kind != SANDBOX_BROWSER &&
        !install_own_signals(is_task(kind) ? SECCOMP_RET_KILL_PROCESS : SECCOMP_RET_ERRNO | EACCES))
        return "giving up signals";
    if (!install(&p->calls))
        return "giving up system calls";
    return NULL;
}

ErrCode sandbox_enter(SandboxKind kind, const StepLimits *limits, int readable, Err *err)
{
    const Prepared *p = &prepared[kind];
    if (!p->ready)
        return err_set(err, ERR_INTERNAL, "the sandbox was not prepared");
    const char *failed = enter(kind, limits, readable, p);
    return failed == NULL ? OK
                          : err_set(err, ERR_INTERNAL,
                                    "could not enter the sandbox: %s failed (%d)", failed, errno);
}

SandboxLayers sandbox_layers(void)
{
    uint32_t kill_process = SECCOMP_RET_KILL_PROCESS;
    return (SandboxLayers){
        .no_new_privs = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) >= 0,
        .seccomp = syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &kill_process) == 0,
        .landlock_abi = sandbox_files_abi(),
        .memory_limit = !ADDRESS_SANITIZER,
    };
}

static bool can_unshare(int flags, bool as_nobody)
{
    pid_t pid = fork();
    if (pid == 0) {
        bool ok = !as_nobody || (stop_being_root() && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
        _exit(ok && unshare(flags) == 0 ? 0 : 1);
    }
    int status = 1;
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return pid > 0 && status == 0;
}

SandboxNamespaces sandbox_namespaces(void)
{
    int network = CLONE_NEWNET | (geteuid() != 0 ? CLONE_NEWUSER : 0);
    return (SandboxNamespaces){.network = can_unshare(network, false),
                               .user = can_unshare(CLONE_NEWUSER, true)};
}

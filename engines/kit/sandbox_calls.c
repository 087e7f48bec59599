/* sandbox_calls.c: the seccomp layer: which system calls a process may still make. */
#include "kit/sandbox_in.h"
#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* One call a line would be three pages. */
/* clang-format off */
/* What parsing a file needs. Names a machine does not have are skipped. */
static const char *const task_allowed[] = {
    "read", "write", "readv", "writev", "pread64", "pwrite64", "preadv", "pwritev", "preadv2",
    "pwritev2", "lseek", "_llseek", "close", "close_range", "dup", "dup2", "dup3", "fstat",
    "ftruncate", "fallocate", "fsync", "fdatasync", "fadvise64", "copy_file_range", "sendfile",
    "sendmsg", "recvmsg", "pipe", "pipe2", "eventfd2", "poll", "ppoll", "select", "pselect6",
    "munmap", "mremap", "madvise", "msync", "mincore", "brk", "futex", "set_robust_list",
    "get_robust_list", "set_tid_address", "rseq", "membarrier", "sched_yield",
    "sched_getaffinity", "sched_getparam", "sched_getscheduler", "sched_get_priority_max",
    "sched_get_priority_min", "getpriority", "clock_gettime", "clock_getres", "gettimeofday",
    "time", "clock_nanosleep", "nanosleep", "getrusage", "times", "sysinfo", "uname", "getcpu",
    "getrlimit", "getrandom", "umask", "getpid", "gettid", "getppid", "getpgrp", "getuid",
    "geteuid", "getgid", "getegid", "getresuid", "getresgid", "rt_sigreturn", "rt_sigprocmask",
    "rt_sigaction", "rt_sigpending", "rt_sigtimedwait", "sigaltstack", "restart_syscall", "exit",
    "exit_group",
    /* Only to itself: sandbox_enter adds a second filter that knows the process's own id. */
    "tgkill",
};

/* What libraries try by habit and can go on without. */
static const char *const task_refused[] = {
    "open", "openat", "creat", "stat", "lstat", "statfs", "fstatfs", "access", "faccessat",
    "readlink", "readlinkat", "getcwd", "chdir", "fchdir", "mkdir", "mkdirat", "rmdir", "unlink",
    "unlinkat", "rename", "renameat", "renameat2", "link", "linkat", "symlink", "symlinkat",
    "truncate", "chmod", "fchmod", "fchmodat", "chown", "fchown", "lchown", "fchownat", "utime",
    "utimes", "utimensat", "futimesat", "getdents", "getdents64", "getxattr", "lgetxattr",
    "fgetxattr", "listxattr", "llistxattr", "flistxattr", "flock", "inotify_init",
    "inotify_init1", "inotify_add_watch", "socket", "socketpair", "connect", "bind", "listen",
    "accept", "accept4", "getsockname", "getpeername", "getsockopt", "setsockopt",
    "sched_setscheduler", "sched_setparam", "sched_setaffinity", "setpriority", "ioprio_set",
    "setrlimit", "mlock", "munlock", "mlockall",
};

/* Newer calls that the C library replaces by older ones when the kernel does not know them. */
static const char *const task_unknown[] = {
    "clone3", "openat2", "faccessat2", "statx", "memfd_create", "sched_setattr", "sched_getattr",
    "get_mempolicy", "set_mempolicy", "mbind", "arch_prctl", "epoll_create1",
};

/* No program that reads a document needs these; trying one is reason enough to end it. */
static const char *const program_killed[] = {
    "ptrace", "process_vm_readv", "process_vm_writev", "process_madvise", "pidfd_getfd", "kcmp",
    "mount", "umount2", "pivot_root", "chroot", "move_mount", "fsopen", "fsconfig", "fsmount",
    "fspick", "open_tree", "mount_setattr", "setns", "unshare", "bpf", "perf_event_open",
    "userfaultfd", "io_uring_setup", "io_uring_enter", "io_uring_register", "keyctl", "add_key",
    "request_key", "init_module", "finit_module", "delete_module", "kexec_load",
    "kexec_file_load", "reboot", "swapon", "swapoff", "settimeofday", "clock_settime", "adjtimex",
    "clock_adjtime", "sethostname", "setdomainname", "open_by_handle_at", "quotactl", "acct",
    "personality", "syslog", "iopl", "ioperm", "vhangup", "nfsservctl", "lookup_dcookie", "mknod",
    "mknodat", "modify_ldt",
};

/* The same for browsers, whose own sandbox makes namespaces and changes its root. */
static const char *const browser_killed[] = {
    "process_vm_writev", "pidfd_getfd", "mount", "umount2", "pivot_root", "move_mount", "fsopen",
    "fsconfig", "fsmount", "fspick", "open_tree", "mount_setattr", "setns", "bpf",
    "perf_event_open", "userfaultfd", "io_uring_setup", "io_uring_enter", "io_uring_register",
    "keyctl", "add_key", "request_key", "init_module", "finit_module", "delete_module",
    "kexec_load", "kexec_file_load", "reboot", "swapon", "swapoff", "settimeofday",
    "clock_settime", "sethostname", "setdomainname", "open_by_handle_at", "quotactl", "acct",
    "syslog", "iopl", "ioperm", "vhangup", "mknod", "mknodat", "modify_ldt",
};

/* A worker starts nothing. */
static const char *const resident_refused[] = {"execve", "execveat", "fork", "vfork"};

/* Network, other processes, and leaving the process group by which the host ends it. */
static const char *const program_refused[] = {
    "socket", "connect", "bind", "listen", "accept", "accept4", "setsid", "setpgid", "kill",
    "tkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo", "pidfd_send_signal", "pidfd_open",
    "setpriority", "ioprio_set", "sched_setaffinity", "sched_setscheduler", "sched_setattr",
    "sched_setparam", "setuid", "setgid", "setreuid", "setregid", "setresuid", "setresgid",
    "setgroups", "setfsuid", "setfsgid", "capset", "chmod", "fchmod", "fchmodat", "chown",
    "fchown", "lchown", "fchownat", "setxattr", "lsetxattr", "fsetxattr", "shmget", "shmat",
    "shmctl", "semget", "semctl", "semop", "msgget", "msgsnd", "msgrcv", "msgctl", "mq_open",
    "mq_unlink",
};
/* clang-format on */

enum { CLONE_THREAD_NEEDS = CLONE_VM | CLONE_THREAD | CLONE_SIGHAND };
static const uint64_t clone_namespaces = CLONE_NEWNS | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET |
                                         CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP;

/* Rules add up; the first that cannot be added is kept in rc. */
typedef struct Rules {
    scmp_filter_ctx ctx;
    int rc;
} Rules;

static void add_all(Rules *r, uint32_t action, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count && r->rc == 0; i++) {
        int nr = seccomp_syscall_resolve_name(names[i]);
        if (nr >= 0)
            r->rc = seccomp_rule_add(r->ctx, action, nr, 0);
    }
}

static void add_when(Rules *r, uint32_t action, int nr, size_t count,
                     const struct scmp_arg_cmp *when)
{
    if (r->rc == 0)
        r->rc = seccomp_rule_add_array(r->ctx, action, nr, (unsigned)count, when);
}

static void add_task_rules(Rules *r)
{
    add_all(r, SCMP_ACT_ALLOW, task_allowed, COUNT_OF(task_allowed));
    add_all(r, SCMP_ACT_ERRNO(EACCES), task_refused, COUNT_OF(task_refused));
    add_all(r, SCMP_ACT_ERRNO(ENOSYS), task_unknown, COUNT_OF(task_unknown));

    /* fstat(fd) of this C library is newfstatat(fd, "", …, AT_EMPTY_PATH). The filter cannot see
     * that the path is empty, so names and sizes of files could be asked for; nothing can be
     * opened. */
    struct scmp_arg_cmp empty = SCMP_A3(SCMP_CMP_MASKED_EQ, AT_EMPTY_PATH, AT_EMPTY_PATH);
    struct scmp_arg_cmp named = SCMP_A3(SCMP_CMP_MASKED_EQ, AT_EMPTY_PATH, 0);
    add_when(r, SCMP_ACT_ALLOW, SCMP_SYS(newfstatat), 1, &empty);
    add_when(r, SCMP_ACT_ERRNO(EACCES), SCMP_SYS(newfstatat), 1, &named);

    /* Memory, but none that can be executed: there is no code to load any more, and a compiler at
     * run time (orc, PCRE) falls back to its interpreter. */
    struct scmp_arg_cmp data = SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0);
    struct scmp_arg_cmp code = SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, PROT_EXEC);
    add_when(r, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1, &data);
    add_when(r, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1, &data);
    add_when(r, SCMP_ACT_ERRNO(EACCES), SCMP_SYS(mmap), 1, &code);
    add_when(r, SCMP_ACT_ERRNO(EACCES), SCMP_SYS(mprotect), 1, &code);

    /* Threads, but no processes and no namespaces. */
    struct scmp_arg_cmp thread =
        SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD_NEEDS | clone_namespaces, CLONE_THREAD_NEEDS);
    add_when(r, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1, &thread);

    static const int fcntl_allowed[] = {F_GETFD, F_SETFD, F_GETFL,
                                        F_SETFL, F_DUPFD, F_DUPFD_CLOEXEC};
    for (size_t i = 0; i < COUNT_OF(fcntl_allowed); i++) {
        struct scmp_arg_cmp is = SCMP_A1(SCMP_CMP_EQ, (scmp_datum_t)fcntl_allowed[i]);
        add_when(r, SCMP_ACT_ALLOW, SCMP_SYS(fcntl), 1, &is);
    }
    static const int prctl_allowed[] = {PR_SET_NAME, PR_GET_NAME, PR_GET_DUMPABLE};
    for (size_t i = 0; i < COUNT_OF(prctl_allowed); i++) {
        struct scmp_arg_cmp is = SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)prctl_allowed[i]);
        add_when(r, SCMP_ACT_ALLOW, SCMP_SYS(prctl), 1, &is);
    }
    /* Naming memory and the like, which newer C libraries try. */
    struct scmp_arg_cmp later = SCMP_A0(SCMP_CMP_GT, PR_GET_NAME);
    add_when(r, SCMP_ACT_ERRNO(EINVAL), SCMP_SYS(prctl), 1, &later);
    /* Reading one's own limits. Setting them could not raise them, but has no use either. */
    struct scmp_arg_cmp own_limits[] = {SCMP_A0(SCMP_CMP_EQ, 0), SCMP_A2(SCMP_CMP_EQ, 0)};
    add_when(r, SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), 2, own_limits);
    struct scmp_arg_cmp set_limits = SCMP_A2(SCMP_CMP_NE, 0);
    add_when(r, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(prlimit64), 1, &set_limits);
    add_when(r, SCMP_ACT_ERRNO(ENOTTY), SCMP_SYS(ioctl), 0, NULL);
}

static void add_program_rules(Rules *r)
{
    add_all(r, SCMP_ACT_KILL_PROCESS, program_killed, COUNT_OF(program_killed));
    add_all(r, SCMP_ACT_ERRNO(EACCES), program_refused, COUNT_OF(program_refused));
    add_when(r, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0, NULL);
    for (int bit = 0; bit < 32; bit++) {
        uint64_t flag = UINT64_C(1) << bit;
        struct scmp_arg_cmp has = SCMP_A0(SCMP_CMP_MASKED_EQ, flag, flag);
        if ((clone_namespaces & flag) != 0)
            add_when(r, SCMP_ACT_KILL_PROCESS, SCMP_SYS(clone), 1, &has);
    }
    /* Pushing characters into the server's terminal. */
    struct scmp_arg_cmp type_for = SCMP_A1(SCMP_CMP_MASKED_EQ, 0xffffffff, 0x5412 /* TIOCSTI */);
    add_when(r, SCMP_ACT_ERRNO(EACCES), SCMP_SYS(ioctl), 1, &type_for);
}

static void add_resident_rules(Rules *r)
{
    add_program_rules(r);
    add_all(r, SCMP_ACT_ERRNO(EACCES), resident_refused, COUNT_OF(resident_refused));
    struct scmp_arg_cmp process = SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, 0);
    add_when(r, SCMP_ACT_ERRNO(EACCES), SCMP_SYS(clone), 1, &process);
}

static void add_browser_rules(Rules *r)
{
    add_all(r, SCMP_ACT_KILL_PROCESS, browser_killed, COUNT_OF(browser_killed));
    struct scmp_arg_cmp not_unix = SCMP_A0(SCMP_CMP_NE, AF_UNIX);
    add_when(r, SCMP_ACT_ERRNO(EACCES), SCMP_SYS(socket), 1, &not_unix);
}

/* The library writes programs to descriptors only. */
static ErrCode export_program(scmp_filter_ctx ctx, struct sock_fprog *out, Err *err)
{
    CLEANUP(fd_close) int fd = memfd_create("filter", MFD_CLOEXEC);
    if (fd < 0 || seccomp_export_bpf(ctx, fd) != 0)
        return err_set_errno(err, ERR_INTERNAL, errno, "could not export the seccomp filter");
    int64_t size = fd_size(fd);
    struct sock_filter *code = size > 0 ? malloc((size_t)size) : NULL;
    if (code == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for the seccomp filter");
    if (pread(fd, code, (size_t)size, 0) != size) {
        free(code);
        return err_set(err, ERR_INTERNAL, "could not read the seccomp filter");
    }
    *out =
        (struct sock_fprog){.len = (unsigned short)((size_t)size / sizeof *code), .filter = code};
    return OK;
}

ErrCode sandbox_calls_build(SandboxKind kind, struct sock_fprog *out, Err *err)
{
    uint32_t otherwise = kind == SANDBOX_TASK   ? SCMP_ACT_KILL_PROCESS
                         : kind == SANDBOX_DESK ? SCMP_ACT_TRAP
                                                : SCMP_ACT_ALLOW;
    Rules r = {.ctx = seccomp_init(otherwise)};
    if (r.ctx == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for the seccomp filter");
    r.rc = seccomp_attr_set(r.ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
    if (r.rc == 0)
        r.rc = seccomp_attr_set(r.ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2); /* a binary tree */
    if (kind == SANDBOX_PROGRAM)
        add_program_rules(&r);
    else if (kind == SANDBOX_RESIDENT)
        add_resident_rules(&r);
    else if (kind == SANDBOX_BROWSER)
        add_browser_rules(&r);
    else
        add_task_rules(&r);
    ErrCode rc =
        r.rc == 0 ? export_program(r.ctx, out, err)
                  : err_set_errno(err, ERR_INTERNAL, -r.rc, "could not build the seccomp filter");
    seccomp_release(r.ctx);
    return rc;
}

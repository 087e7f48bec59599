/* sandbox_files.c: the Landlock layer: which files a process may still reach by name.
 *
 * The constants of later ABIs than Debian 12's headers know are written out here. */
#include "kit/sandbox_in.h"
#include "base/fault.h"
#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/landlock.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

typedef struct Ruleset {
    uint64_t files, net, scoped;
} Ruleset;

enum {
    FILES_ABI_1 = (1 << 13) - 1, /* execute, write, read, make …, of ABI 1 */
    FILE_REFER = 1 << 13,        /* ABI 2 */
    FILE_TRUNCATE = 1 << 14,     /* ABI 3 */
    NET_TCP = 3,                 /* bind and connect, ABI 4 */
    FILE_IOCTL_DEV = 1 << 15,    /* ABI 5 */
    SCOPE_SOCKETS = 1,           /* abstract Unix sockets, ABI 6 */
    SCOPE_SIGNALS = 2,
    FILES_READ =
        LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR,
};

int sandbox_files_abi(void)
{
    long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    return abi > 0 ? (int)abi : 0;
}

static Ruleset ruleset_for(int abi)
{
    return (Ruleset){
        .files = FILES_ABI_1 | (abi >= 2 ? FILE_REFER : 0) | (abi >= 3 ? FILE_TRUNCATE : 0) |
                 (abi >= 5 ? FILE_IOCTL_DEV : 0),
        .net = abi >= 4 ? NET_TCP : 0,
        .scoped = abi >= 6 ? SCOPE_SOCKETS | SCOPE_SIGNALS : 0,
    };
}

static int new_ruleset(int abi, bool with_signals)
{
    Ruleset want = ruleset_for(abi);
    if (!with_signals)
        want.scoped &= ~(uint64_t)SCOPE_SIGNALS;
    size_t size = abi >= 6   ? sizeof want
                  : abi >= 4 ? offsetof(Ruleset, scoped)
                             : offsetof(Ruleset, net);
    return (int)syscall(SYS_landlock_create_ruleset, &want, size, 0);
}

/* What is not there needs no rule. */
static bool allow_path(int ruleset, const char *path, uint64_t access)
{
    struct stat st;
    CLEANUP(fd_close) int fd = open(path, O_PATH | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) != 0)
        return true;
    if (!S_ISDIR(st.st_mode))
        access &= ~(uint64_t)LANDLOCK_ACCESS_FS_READ_DIR;
    struct landlock_path_beneath_attr rule = {.allowed_access = access, .parent_fd = fd};
    return syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) == 0;
}

/* Programs, libraries and what they look up. Not /etc as a whole, /home, /var or /tmp: that is
 * where secrets and data are. */
static bool allow_system(int ruleset)
{
    static const char *const readable[] = {"/usr",
                                           "/bin",
                                           "/sbin",
                                           "/lib",
                                           "/lib32",
                                           "/lib64",
                                           "/libx32",
                                           "/opt",
                                           "/proc",
                                           "/sys/devices/system/cpu",
                                           "/dev/null",
                                           "/dev/zero",
                                           "/dev/full",
                                           "/dev/random",
                                           "/dev/urandom",
                                           "/dev/fd",
                                           "/etc/ld.so.cache",
                                           "/etc/ld.so.preload",
                                           "/etc/alternatives",
                                           "/etc/localtime",
                                           "/etc/passwd",
                                           "/etc/group",
                                           "/etc/nsswitch.conf",
                                           "/etc/mime.types",
                                           "/etc/magic",
                                           "/etc/fonts",
                                           "/etc/ssl/openssl.cnf",
                                           "/etc/ImageMagick-6",
                                           "/etc/python3",
                                           "/etc/perl",
                                           "/etc/java-17-openjdk"};
    for (size_t i = 0; i < COUNT_OF(readable); i++)
        if (!allow_path(ruleset, readable[i], FILES_READ))
            return false;
    /* Programs open it for writing by habit; it keeps nothing. */
    return allow_path(ruleset, "/dev/null",
                      LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE);
}

static bool allow_each(int ruleset, const char *folders, uint64_t access)
{
    char path[PATH_MAX];
    Str rest = str_from_c(folders), part;
    while (str_next(&rest, ':', &part)) {
        if (part.len == 0 || part.len >= sizeof path)
            continue;
        memcpy(path, part.ptr, part.len);
        path[part.len] = 0;
        if (!allow_path(ruleset, path, access))
            return false;
    }
    return true;
}

static ErrCode make_readable(const char *folders, bool with_signals, int *out_fd, Err *err)
{
    int abi = sandbox_files_abi();
    *out_fd = -1;
    if (abi == 0)
        return OK;
    CLEANUP(fd_close)
    int fd = fault_hit("sandbox.files") ? (errno = EMFILE, -1) : new_ruleset(abi, with_signals);
    if (fd < 0 || !allow_system(fd) || !allow_each(fd, folders, FILES_READ))
        return err_set_errno(err, ERR_INTERNAL, errno, "could not make a Landlock ruleset");
    *out_fd = fd_take(&fd);
    return OK;
}

/* Signals are left to the call filter: the kernel sends the one that ends a browser with its worker
 * in the dying worker's name, and Landlock would keep it back. */
ErrCode sandbox_workplace(const char *readable, const char *writable, int *out_fd, Err *err)
{
    ErrCode rc = make_readable(readable, false, out_fd, err);
    if (rc != OK || *out_fd < 0)
        return rc;
    /* All that can be done to files, but for special ones. */
    uint64_t access = (FILES_ABI_1 | (sandbox_files_abi() >= 2 ? FILE_REFER : 0) |
                       (sandbox_files_abi() >= 3 ? FILE_TRUNCATE : 0)) &
                      ~(uint64_t)(LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_MAKE_CHAR |
                                  LANDLOCK_ACCESS_FS_MAKE_BLOCK);
    if (allow_each(*out_fd, writable, access))
        return OK;
    fd_close(out_fd);
    return err_set_errno(err, ERR_INTERNAL, errno, "could not allow the worker's folder");
}

ErrCode sandbox_readable(const char *folders, int *out_fd, Err *err)
{
    return make_readable(folders, true, out_fd, err);
}

bool sandbox_files_give_up(void)
{
    int abi = sandbox_files_abi();
    CLEANUP(fd_close) int fd = abi > 0 ? new_ruleset(abi, true) : -1;
    return abi == 0 || (fd >= 0 && sandbox_files_enter(fd));
}

bool sandbox_files_enter(int ruleset_fd)
{
    return syscall(SYS_landlock_restrict_self, ruleset_fd, 0) == 0;
}

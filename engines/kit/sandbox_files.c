/* sandbox_files.c: the Landlock layer: which files a process may still reach by name.
 *
 * The constants of later ABIs than Debian 12's headers know are written out here. */
#include "kit/sandbox_in.h"
#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
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
    SCOPE_ALL = 3,               /* abstract Unix sockets and signals, ABI 6 */
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
        .scoped = abi >= 6 ? SCOPE_ALL : 0,
    };
}

static bool allow_path(int ruleset, const char *path, uint64_t access)
{
    CLEANUP(fd_close) int fd = open(path, O_PATH | O_CLOEXEC);
    struct landlock_path_beneath_attr rule = {.allowed_access = access, .parent_fd = fd};
    return fd >= 0 &&
           syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) == 0;
}

ErrCode sandbox_files_build(SandboxKind kind, int *out_fd, Err *err)
{
    int abi = sandbox_files_abi();
    *out_fd = -1;
    if (abi == 0)
        return OK;
    Ruleset want = ruleset_for(abi);
    size_t size = abi >= 6   ? sizeof want
                  : abi >= 4 ? offsetof(Ruleset, scoped)
                             : offsetof(Ruleset, net);
    CLEANUP(fd_close) int fd = (int)syscall(SYS_landlock_create_ruleset, &want, size, 0);
    if (fd < 0)
        return err_set_errno(err, ERR_INTERNAL, errno, "could not make a Landlock ruleset");
    if (kind == SANDBOX_PROGRAM) {
        if (!allow_path(fd, "/", FILES_READ))
            return err_set_errno(err, ERR_INTERNAL, errno, "could not add a Landlock rule");
        /* Programs open it for writing by habit; it keeps nothing. */
        (void)!allow_path(fd, "/dev/null",
                          LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE);
    }
    *out_fd = fd_take(&fd);
    return OK;
}

bool sandbox_files_enter(int ruleset_fd)
{
    return syscall(SYS_landlock_restrict_self, ruleset_fd, 0) == 0;
}

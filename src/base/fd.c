#include "base/fd.h"
#include "base/fault.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

void fd_close(int *fd)
{
    if (*fd < 0)
        return;
    int saved = errno;
    close(*fd);
    errno = saved;
    *fd = -1;
}

int fd_take(int *fd)
{
    int taken = *fd;
    *fd = -1;
    return taken;
}

ErrCode fd_write_all(int fd, const void *bytes, size_t size, Err *err)
{
    const char *p = bytes;
    if (fault_hit("fd.write"))
        return err_set_errno(err, ERR_IO, ENOSPC, "could not write");
    while (size > 0) {
        ssize_t n = write(fd, p, size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_set_errno(err, ERR_IO, errno, "could not write");
        p += n;
        size -= (size_t)n;
    }
    return OK;
}

int64_t fd_size(int fd)
{
    struct stat st;
    return fstat(fd, &st) == 0 ? (int64_t)st.st_size : -1;
}

ErrCode fd_read_file(int fd, Arena *a, size_t max, Str *out, Err *err)
{
    int64_t size = fd_size(fd);
    if (size < 0)
        return err_set_errno(err, ERR_IO, errno, "could not read");
    if ((uint64_t)size > max)
        return err_set(err, ERR_INPUT_TOO_LARGE, "%" PRId64 " bytes, the limit is %zu", size, max);
    char *p = arena_alloc_raw(a, (size_t)size + 1);
    if (p == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for a file of %" PRId64 " bytes", size);
    size_t got = 0;
    while (got < (size_t)size) {
        ssize_t n = fault_hit("fd.read") ? (errno = EIO, -1)
                                         : pread(fd, p + got, (size_t)size - got, (off_t)got);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_set_errno(err, ERR_IO, errno, "could not read");
        if (n == 0)
            break;
        got += (size_t)n;
    }
    p[got] = 0;
    *out = (Str){p, got};
    return OK;
}

ErrCode fd_read_path(const char *path, Arena *a, size_t max, Str *out, Err *err)
{
    CLEANUP(fd_close) int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return err_set_errno(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, errno,
                             "could not open \"%s\"", path);
    return fd_read_file(fd, a, max, out, err);
}

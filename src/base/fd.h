/* fd.h: file descriptors with an owner, and reads and writes that finish. */
#ifndef PLATEN_BASE_FD_H
#define PLATEN_BASE_FD_H

#include "base/err.h"

/* Close *fd when it is open (>= 0) and set it to -1; for CLEANUP(fd_close) int fd = -1. errno is
 * kept. */
void fd_close(int *fd);
/* Hand the descriptor over: returns it and leaves -1 behind. */
int fd_take(int *fd);

/* Write all of it, through short writes and EINTR. ERR_IO or ERR_DISK_FULL. Fault site
 * "fd.write". */
MUST_CHECK ErrCode fd_write_all(int fd, const void *bytes, size_t size, Err *err);
/* The whole file from its start, into the arena, at most `max` bytes (more: ERR_INPUT_TOO_LARGE).
 * Does not move the file position (pread). */
MUST_CHECK ErrCode fd_read_file(int fd, Arena *a, size_t max, Str *out, Err *err);
MUST_CHECK ErrCode fd_read_path(const char *path, Arena *a, size_t max, Str *out, Err *err);
/* Size in bytes, -1 on error. */
int64_t fd_size(int fd);

#endif

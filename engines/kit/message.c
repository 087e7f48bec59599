/* message.c: one protocol message in or out of a SOCK_SEQPACKET socket. */
#include "kit/kit.h"
#include "base/fault.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

typedef union FdControl {
    struct cmsghdr head; /* for its alignment */
    char bytes[CMSG_SPACE(KIT_FDS_MAX * sizeof(int))];
} FdControl;

ErrCode kit_send(int socket, Str json, const int *fds, size_t fds_len, Err *err)
{
    if (json.len == 0 || json.len > KIT_MESSAGE_MAX || fds_len > KIT_FDS_MAX)
        return err_set(err, ERR_ENGINE_PROTOCOL, "a message of %zu bytes with %zu descriptors",
                       json.len, fds_len);
    FdControl control = {0};
    struct iovec iov = {.iov_base = (char *)json.ptr, .iov_len = json.len};
    struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};
    if (fds_len > 0) {
        m.msg_control = control.bytes;
        m.msg_controllen = CMSG_SPACE(fds_len * sizeof(int));
        struct cmsghdr *c = CMSG_FIRSTHDR(&m);
        *c = (struct cmsghdr){.cmsg_level = SOL_SOCKET,
                              .cmsg_type = SCM_RIGHTS,
                              .cmsg_len = CMSG_LEN(fds_len * sizeof(int))};
        memcpy(CMSG_DATA(c), fds, fds_len * sizeof(int));
    }
    ssize_t n;
    do
        n = fault_hit("kit.send") ? (errno = EPIPE, -1) : sendmsg(socket, &m, MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    if (n >= 0)
        return OK;
    if (errno == EPIPE || errno == ECONNRESET || errno == ENOTCONN)
        return err_set(err, ERR_WORKER_LOST, "the other side has closed the channel");
    return err_set_errno(err, ERR_IO, errno, "could not send a message");
}

/* Take the descriptors out of a received message; those without room are closed. False: some had
 * none. */
static bool take_fds(struct msghdr *m, int *fds, size_t room, size_t *got)
{
    bool all = true;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c != NULL; c = CMSG_NXTHDR(m, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
            continue;
        size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < count; i++) {
            int fd;
            memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
            if (*got < room) {
                fds[(*got)++] = fd;
            } else {
                close(fd);
                all = false;
            }
        }
    }
    return all;
}

/* Zero bytes are either the end or an empty message, which a hostile engine may send to look like
 * an end. */
static bool has_hung_up(int socket)
{
    struct pollfd p = {.fd = socket, .events = POLLRDHUP};
    return poll(&p, 1, 0) > 0 && (p.revents & (POLLHUP | POLLRDHUP)) != 0;
}

ErrCode kit_receive(int socket, char *buffer, size_t size, Str *out, int *fds, size_t *fds_len,
                    Err *err)
{
    size_t room = fds_len != NULL ? *fds_len : 0, got = 0;
    FdControl control;
    struct iovec iov = {.iov_base = buffer, .iov_len = size};
    struct msghdr m = {.msg_iov = &iov,
                       .msg_iovlen = 1,
                       .msg_control = control.bytes,
                       .msg_controllen = sizeof control.bytes};
    if (fds_len != NULL)
        *fds_len = 0;
    ssize_t n;
    do
        n = fault_hit("kit.receive") ? (errno = ECONNRESET, -1)
                                     : recvmsg(socket, &m, MSG_CMSG_CLOEXEC);
    while (n < 0 && errno == EINTR);
    if (n < 0 && errno != ECONNRESET)
        return err_set_errno(err, ERR_IO, errno, "could not receive a message");
    if (n < 0)
        return err_set(err, ERR_WORKER_LOST, "the other side has closed the channel");

    bool fits = take_fds(&m, fds, room, &got);
    if (n > 0 && fits && (m.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) == 0) {
        *out = (Str){buffer, (size_t)n};
        if (fds_len != NULL)
            *fds_len = got;
        return OK;
    }
    for (size_t i = 0; i < got; i++)
        close(fds[i]);
    if (n == 0 && has_hung_up(socket))
        return err_set(err, ERR_WORKER_LOST, "the other side has closed the channel");
    if (n == 0)
        return err_set(err, ERR_ENGINE_PROTOCOL, "an empty message");
    return err_set(err, ERR_ENGINE_PROTOCOL,
                   "a message that is too long or has too many descriptors");
}

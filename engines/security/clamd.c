/* clamd.c: INSTREAM over a local socket. */
#include "security/clamd.h"

#include "base/fd.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { PIECE = 256 << 10, WAIT_SECONDS = 60, ANSWER_MAX = 1024 };

/* Of this process, which is one task's: set before the sandbox closes, used once. */
static int connection = -1;
static char why_not[200];

static const char *const usual[] = {"/run/clamav/clamd.ctl", "/var/run/clamav/clamd.ctl"};

static int connect_to(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path) {
        snprintf(why_not, sizeof why_not, "the socket's path is too long");
        return -1;
    }
    memcpy(address.sun_path, path, strlen(path) + 1);
    CLEANUP(fd_close) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    /* A daemon that hangs must not hang the scan. */
    struct timeval wait = {.tv_sec = WAIT_SECONDS};
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait) != 0 ||
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait) != 0 ||
        connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
        snprintf(why_not, sizeof why_not, "no daemon at %.100s (%s)", path, strerror(errno));
        return -1;
    }
    return fd_take(&fd);
}

void clamd_connect(void)
{
    const char *own = getenv("PLATEN_CLAMD");
    fd_close(&connection);
    why_not[0] = 0;
    if (own != NULL && own[0] != 0) {
        connection = connect_to(own);
        return;
    }
    for (size_t i = 0; i < COUNT_OF(usual) && connection < 0; i++)
        connection = connect_to(usual[i]);
}

static bool send_all(const void *bytes, size_t len)
{
    for (size_t at = 0; at < len;) {
        struct iovec piece = {(char *)(uintptr_t)bytes + at, len - at};
        struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1};
        ssize_t n = sendmsg(connection, &message, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        at += (size_t)n;
    }
    return true;
}

static bool send_piece(Str piece)
{
    uint32_t len = htonl((uint32_t)piece.len);
    return send_all(&len, sizeof len) && send_all(piece.ptr, piece.len);
}

static Str read_answer(char *buffer, size_t size)
{
    size_t len = 0;
    while (len < size) {
        ssize_t n = read(connection, buffer + len, size - len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        len += (size_t)n;
        if (buffer[len - 1] == 0)
            break;
    }
    Str text = {buffer, len};
    while (text.len > 0 && (text.ptr[text.len - 1] == 0 || text.ptr[text.len - 1] == '\n'))
        text.len--;
    return text;
}

/* "stream: OK", "stream: Eicar-Test FOUND", "INSTREAM size limit exceeded. ERROR". */
static void understand(Str answer, ClamdResult *out)
{
    Str what = answer;
    if (str_starts(what, STR("stream: ")))
        what = str_slice(what, 8, what.len);
    if (str_ends(what, STR(" FOUND"))) {
        out->asked = true;
        snprintf(out->signature, sizeof out->signature, STR_FMT,
                 STR_ARG(str_slice(what, 0, what.len - 6)));
    } else if (str_eq_c(what, "OK")) {
        out->asked = true;
    } else {
        snprintf(out->message, sizeof out->message, "the daemon said \"" STR_FMT "\"",
                 STR_ARG(str_slice(answer, 0, 120)));
    }
}

void clamd_scan(Str bytes, ClamdResult *out)
{
    char buffer[ANSWER_MAX];
    *out = (ClamdResult){0};
    if (connection < 0) {
        snprintf(out->message, sizeof out->message, "%s",
                 why_not[0] != 0 ? why_not : "no daemon was looked for");
        return;
    }
    bool sent = send_all("zINSTREAM", sizeof "zINSTREAM");
    for (size_t at = 0; sent && at < bytes.len; at += PIECE)
        sent = send_piece(str_slice(bytes, at, at + PIECE));
    if (sent)
        sent = send_piece((Str){0});
    /* A daemon that has had enough answers before it has read all. */
    Str answer = read_answer(buffer, sizeof buffer);
    if (answer.len > 0)
        understand(answer, out);
    else
        snprintf(out->message, sizeof out->message, "the daemon did not answer");
    fd_close(&connection);
}

#include "base/fault.h"
#include "base/fd.h"
#include "http/http_in.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 1024, ACCEPTS_PER_ROUND = 64, REST_US = 200 * 1000 };

typedef struct Address {
    struct sockaddr_storage at;
    socklen_t len;
} Address;

/* "host:port", "[v6]:port", ":port" (all interfaces). */
static ErrCode parse_address(const char *text, Address *out, Err *err)
{
    char host[256] = "";
    Str s = str_from_c(text);
    size_t colon = str_rfind_char(s, ':');
    Str name = str_slice(s, 0, colon);
    if (name.len >= 2 && name.ptr[0] == '[' && name.ptr[name.len - 1] == ']')
        name = str_slice(name, 1, name.len - 1);
    if (colon == STR_NONE || name.len >= sizeof host)
        return err_set(err, ERR_IO, "\"%s\" is not an address and port", text);
    if (name.len > 0)
        memcpy(host, name.ptr, name.len);
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV},
                    *found = NULL;
    int rc = getaddrinfo(host[0] != 0 ? host : NULL, text + colon + 1, &hints, &found);
    if (rc != 0)
        return err_set(err, ERR_IO, "\"%s\" is not an address and port: %s", text,
                       gai_strerror(rc));
    memcpy(&out->at, found->ai_addr, found->ai_addrlen);
    out->len = found->ai_addrlen;
    freeaddrinfo(found);
    return OK;
}

static int port_of(const struct sockaddr_storage *a)
{
    return ntohs(a->ss_family == AF_INET6 ? ((const struct sockaddr_in6 *)a)->sin6_port
                                          : ((const struct sockaddr_in *)a)->sin_port);
}

static int bound(const Address *a, bool shared)
{
    int one = 1;
    int fd = fault_hit("http.listen")
                 ? -1
                 : socket(a->at.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (shared)
        setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one); /* accepted sockets inherit it */
    if (bind(fd, (const struct sockaddr *)&a->at, a->len) != 0)
        fd_close(&fd);
    return fd;
}

/* SO_REUSEPORT would let a second server take a share of the first one's clients. A socket without
 * it finds out. */
static bool is_free(const Address *a)
{
    int fd = bound(a, false);
    bool free = fd >= 0 && listen(fd, 1) == 0;
    fd_close(&fd);
    return free;
}

ErrCode http_listen(const char *address, int count, int *fds, int *port, Err *err)
{
    Address a;
    ErrCode rc = parse_address(address, &a, err);
    if (rc != OK)
        return rc;
    if (port_of(&a.at) != 0 && !is_free(&a))
        return err_set_errno(err, ERR_IO, errno, "could not listen on \"%s\"", address);
    for (int i = 0; i < count; i++) {
        fds[i] = bound(&a, true);
        if (fds[i] < 0 || listen(fds[i], BACKLOG) != 0)
            return err_set_errno(err, ERR_IO, errno, "could not listen on \"%s\"", address);
        a.len = sizeof a.at; /* the first one finds the port for all */
        if (getsockname(fds[i], (struct sockaddr *)&a.at, &a.len) != 0)
            return err_set_errno(err, ERR_IO, errno, "could not listen on \"%s\"", address);
    }
    *port = port_of(&a.at);
    return OK;
}

/* --- accepting --- */

static void peer_text(const struct sockaddr_storage *a, char out[HTTP_PEER_SIZE])
{
    const void *ip = &((const struct sockaddr_in *)a)->sin_addr;
    int family = a->ss_family;
    if (family == AF_INET6) {
        const struct in6_addr *six = &((const struct sockaddr_in6 *)a)->sin6_addr;
        bool mapped = IN6_IS_ADDR_V4MAPPED(six);
        ip = mapped ? (const void *)(six->s6_addr + 12) : six;
        family = mapped ? AF_INET : AF_INET6;
    }
    memset(out, 0, HTTP_PEER_SIZE);
    inet_ntop(family, ip, out, HTTP_PEER_SIZE);
}

/* More connections than are allowed: say so and close, so that clients do not hang. */
static void turn_away(HttpLoop *l, int fd)
{
    static const char full[] =
        "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nRetry-After: 1\r\n"
        "Connection: close\r\n\r\n";
    if (l->server->tls == NULL) {
        ssize_t n = send(fd, full, sizeof full - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
        (void)n;
    }
    http_count(&l->n.refused, 1);
    fd_close(&fd);
}

/* No descriptors or memory: clients wait in the backlog while the listener rests. */
static void rest(HttpLoop *l)
{
    struct epoll_event e = {.events = 0, .data.ptr = &l->listener};
    epoll_ctl(l->epoll, EPOLL_CTL_MOD, l->listener, &e);
    l->accept_again_us = l->now_us + REST_US;
}

void http_accept(HttpLoop *l)
{
    for (int i = 0; i < ACCEPTS_PER_ROUND && l->listener >= 0; i++) {
        struct sockaddr_storage from;
        socklen_t len = sizeof from;
        int fd = fault_hit("http.accept") ? (errno = EMFILE, -1)
                                          : accept4(l->listener, (struct sockaddr *)&from, &len,
                                                    SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) {
            if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
                rest(l);
            if (errno != ECONNABORTED && errno != EINTR)
                return;
            continue;
        }
        char peer[HTTP_PEER_SIZE];
        peer_text(&from, peer);
        if (atomic_load(&l->server->connections) >= l->server->o.connections_max)
            turn_away(l, fd);
        else
            http_conn_open(l, fd, peer);
    }
}

#include "live.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"

#include <errno.h>

#include <arpa/inet.h>
#include <ftw.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { PATIENCE_S = 20 };

/* --- the server --- */

Live live_open(const HttpRoute *routes, size_t len, HttpOptions o)
{
    Live l = {.dir = "/tmp/platen-http-XXXXXX", .arena = arena_open(256 * MIB)};
    Err err = {0};
    log_set_level(LOG_OFF);
    assert_non_null(mkdtemp(l.dir));
    assert_ok(blob_store_open(l.dir, true, &l.blobs, &err), &err);
    o.listen = "127.0.0.1:0";
    o.routes = routes;
    o.routes_len = len;
    o.blobs = l.blobs;
    if (o.loops == 0)
        o.loops = 2;
    assert_ok(http_open(&o, &l.server, &err), &err);
    assert_true(http_port(l.server) > 0);
    return l;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st;
    (void)type;
    (void)at;
    return remove(path);
}

void live_close(Live *l)
{
    http_close(&l->server, 5000);
    assert_null(l->server);
    blob_store_close(&l->blobs);
    nftw(l->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    arena_close(&l->arena);
}

static int files_seen;

static int count_file(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)path;
    (void)st;
    (void)at;
    files_seen += type == FTW_F;
    return 0;
}

int live_blob_count(const Live *l)
{
    files_seen = 0;
    nftw(l->dir, count_file, 16, FTW_PHYS);
    return files_seen;
}

/* --- a client --- */

Link *link_open(const Live *l)
{
    Link *k = calloc(1, sizeof *k);
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)http_port(l->server)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct timeval patience = {.tv_sec = PATIENCE_S};
    k->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(k->fd >= 0);
    setsockopt(k->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(k->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    assert_int_equal(connect(k->fd, (struct sockaddr *)&to, sizeof to), 0);
    return k;
}

Link *link_open_tls(const Live *l)
{
    Link *k = link_open(l);
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    k->tls = SSL_new(ctx);
    SSL_CTX_free(ctx);
    SSL_set_fd(k->tls, k->fd);
    assert_int_equal(SSL_connect(k->tls), 1);
    return k;
}

void link_close(Link **k)
{
    if (*k == NULL)
        return;
    SSL_free((*k)->tls);
    fd_close(&(*k)->fd);
    free(*k);
    *k = NULL;
}

void link_send_bytes(Link *k, const void *bytes, size_t size)
{
    const char *p = bytes;
    while (size > 0) {
        ssize_t n =
            k->tls != NULL ? SSL_write(k->tls, p, (int)size) : send(k->fd, p, size, MSG_NOSIGNAL);
        if (n <= 0)
            return; /* the server has closed: what it said is for the test to read */
        p += n;
        size -= (size_t)n;
    }
}

void link_send(Link *k, const char *text)
{
    link_send_bytes(k, text, strlen(text));
}

static bool more(Link *k)
{
    assert_true(k->len < sizeof k->bytes);
    size_t room = sizeof k->bytes - k->len;
    ssize_t n = k->tls != NULL ? SSL_read(k->tls, k->bytes + k->len, (int)room)
                               : recv(k->fd, k->bytes + k->len, room, 0);
    if (n > 0)
        k->len += (size_t)n;
    return n > 0;
}

static void take(Link *k, char *out, size_t size)
{
    memcpy(out, k->bytes, size);
    memmove(k->bytes, k->bytes + size, k->len - size);
    k->len -= size;
}

bool link_read(Link *k, void *out, size_t size)
{
    char *to = out;
    while (size > 0) {
        if (k->len == 0 && !more(k))
            return false;
        size_t n = k->len < size ? k->len : size;
        take(k, to, n);
        to += n;
        size -= n;
    }
    return true;
}

Str link_until(Link *k, Arena *a, const char *end)
{
    size_t at;
    while ((at = str_find((Str){k->bytes, k->len}, str_from_c(end))) == STR_NONE)
        if (!more(k))
            fail_msg("the connection ended or went silent before \"%s\"; so far: %.*s", end,
                     (int)k->len, k->bytes);
    size_t size = at + strlen(end);
    char *text = arena_alloc(a, size);
    take(k, text, size);
    return (Str){text, size};
}

bool link_ended(Link *k)
{
    if (k->len > 0)
        return false;
    char c;
    ssize_t n = k->tls != NULL ? SSL_read(k->tls, &c, 1) : recv(k->fd, &c, 1, 0);
    return n == 0 || (n < 0 && (k->tls != NULL || errno == ECONNRESET));
}

Str answer_header(const Answer *r, const char *name)
{
    Str rest = r->head, line;
    while (str_next(&rest, '\n', &line)) {
        size_t colon = str_find_char(line, ':');
        if (colon != STR_NONE && str_eq_nocase(str_slice(line, 0, colon), str_from_c(name)))
            return str_trim(str_slice(line, colon + 1, line.len));
    }
    return STR("");
}

Answer link_answer_head(Link *k, Arena *a)
{
    Answer r = {.head = link_until(k, a, "\r\n\r\n")};
    int64_t status = 0;
    assert_true(str_starts(r.head, STR("HTTP/1.1 ")));
    assert_true(str_to_i64(str_slice(r.head, 9, 12), &status));
    r.status = (int)status;
    return r;
}

Answer link_answer(Link *k, Arena *a)
{
    Answer r = link_answer_head(k, a);
    int64_t len = 0;
    if (str_to_i64(answer_header(&r, "Content-Length"), &len) && r.status != 304) {
        char *body = arena_alloc(a, (size_t)len);
        if (!link_read(k, body, (size_t)len))
            fail_msg("the connection ended within a body of %" PRId64 " bytes", len);
        r.body = (Str){body, (size_t)len};
    }
    return r;
}

Answer link_ask(Link *k, Arena *a, const char *request)
{
    link_send(k, request);
    return link_answer(k, a);
}

/* --- waiting for other threads --- */

void gate_init(Gate *g)
{
    mutex_init(&g->lock);
    cond_init(&g->wake);
    g->count = 0;
}

void gate_done(Gate *g)
{
    cond_done(&g->wake);
    mutex_done(&g->lock);
}

void gate_open(Gate *g)
{
    MUTEX_HELD(&g->lock);
    g->count++;
    cond_broadcast(&g->wake);
}

bool gate_wait(Gate *g, int count)
{
    int64_t end = clock_mono_us() + PATIENCE_S * 1000000ll;
    MUTEX_HELD(&g->lock);
    while (g->count < count)
        if (!cond_wait_until(&g->wake, &g->lock, end))
            return false;
    return true;
}

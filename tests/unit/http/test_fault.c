/* Whatever fails (memory, descriptors, sockets, disk), one client may suffer; the server goes on
 * and nothing leaks. */
#include "live.h"
#include "base/fd.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static Live live;

static void echo(HttpRequest *req)
{
    http_answer_text(req, 200, "text/plain", req->body);
}

static void upload(HttpRequest *req)
{
    http_answer_json(req, 200, STR("{}"));
}

static void blob(HttpRequest *req)
{
    int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    http_answer_file(req, fd, 100000, STR(""), STR("e"), STR("n"));
}

static void stream(HttpRequest *req)
{
    HttpTicket t = http_stream(req, NULL, NULL);
    http_stream_send(http_server(req), t, STR("data: x\n\n"));
    http_stream_end(http_server(req), t);
}

static void on_message(void *ctx, HttpTicket t, bool text, Str payload)
{
    (void)ctx;
    http_socket_send(live.server, t, text, payload);
    http_socket_close(live.server, t, 1000);
}

static void socket_open(HttpRequest *req)
{
    static const HttpSocketHandler h = {.message = on_message};
    http_websocket(req, &h);
}

static const HttpRoute routes[] = {
    {.method = HTTP_POST, .path = "/echo", .body = BODY_MEMORY, .handler = echo},
    {.method = HTTP_PUT, .path = "/upload", .body = BODY_UPLOAD, .handler = upload},
    {.method = HTTP_GET, .path = "/file", .handler = blob},
    {.method = HTTP_GET, .path = "/events", .handler = stream},
    {.method = HTTP_GET, .path = "/ws", .handler = socket_open},
};

#ifdef PLATEN_FAULTS
static const char *const requests[] = {
    "POST /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello",
    "POST /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: "
    "chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    "GET /nope HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    "GET /file HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    "PUT /upload HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello",
    "PUT /upload HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: multipart/form-data; "
    "boundary=b\r\n"
    "Content-Length: 85\r\n\r\n--b\r\nContent-Disposition: form-data; name=f; "
    "filename=\"x.txt\"\r\n\r\nhello world\r\n--b--\r\n",
    "GET /events HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: "
    "websocket\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: "
    "dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n\x81\x81\x01\x01\x01\x01\x60\x88\x80\x01\x01\x01\x01",
};

/* Cut in two, so that what is kept between reads can fail as well; then whatever comes, to the end
 * of the connection. */
static void try(const char *request)
{
    static char bin[1 << 16];
    Link *k = link_open(&live);
    struct timeval short_time = {.tv_sec = 1};
    setsockopt(k->fd, SOL_SOCKET, SO_RCVTIMEO, &short_time, sizeof short_time);
    size_t len = strlen(request), cut = len / 3;
    link_send_bytes(k, request, cut);
    link_send_bytes(k, request + cut, len - cut);
    while (recv(k->fd, bin, sizeof bin, 0) > 0)
        ;
    link_close(&k);
}

static int open_files(void)
{
    int n = 0;
    for (int fd = 0; fd < 256; fd++)
        n += fcntl(fd, F_GETFD) >= 0;
    return n;
}

#endif

TEST(one_client_suffers_not_the_server)
{
#ifdef PLATEN_FAULTS
    live = live_open(routes, COUNT_OF(routes), (HttpOptions){.loops = 1, .pool_threads = 1});
    for (size_t i = 0; i < COUNT_OF(requests); i++)
        for (int nth = 1;; nth++) {
            fault_arm(nth);
            try(requests[i]);
            bool hit = fault_disarm();
            Link *k = link_open(&live);
            Answer r = link_ask(k, live.arena,
                                "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nok");
            assert_str_equal(r.body, "ok");
            link_close(&k);
            if (!hit) {
                assert_true(nth > 3); /* there was something to fail */
                break;
            }
            assert_true(nth < 1000);
        }
    live_close(&live);
#else
    skip();
#endif
}

TEST(opening_fails_cleanly)
{
#ifdef PLATEN_FAULTS
    int before = open_files();
    for (int nth = 1;; nth++) {
        HttpServer *s = NULL;
        Err err = {0};
        HttpOptions o = {
            .listen = "127.0.0.1:0", .routes = routes, .routes_len = COUNT_OF(routes), .loops = 2};
        fault_arm(nth);
        ErrCode rc = http_open(&o, &s, &err);
        bool hit = fault_disarm();
        if (rc != OK)
            assert_true(hit && s == NULL && err.text[0] != 0);
        http_close(&s, 0);
        assert_int_equal(open_files(), before);
        if (!hit)
            break;
    }
#else
    skip();
#endif
}

static int64_t cpu_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* No new descriptor from here on. */
static struct rlimit no_more_files(void)
{
    struct rlimit before, none;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = before;
    int next = dup(0);
    close(next);
    none.rlim_cur = (rlim_t)next;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    assert_int_equal(dup(0), -1);
    return before;
}

/* Without descriptors new clients wait, and the server with them, quietly; they are served when
 * there are some again. */
TEST(no_descriptors_left_is_survived)
{
    enum { LOOK_MS = 400 };
    live = live_open(routes, COUNT_OF(routes), (HttpOptions){.loops = 1});
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)http_port(live.server)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    Link *k = calloc(1, sizeof *k);
    k->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0); /* ours, but not the server's yet */
    struct rlimit before = no_more_files();
    assert_int_equal(connect(k->fd, (struct sockaddr *)&to, sizeof to), 0);
    link_send(k, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nok");
    struct pollfd p = {.fd = k->fd, .events = POLLIN};
    int64_t cpu = cpu_ms();
    assert_int_equal(poll(&p, 1, LOOK_MS), 0);
    assert_true(cpu_ms() - cpu < LOOK_MS / 2); /* it does not spin */
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_str_equal(link_answer(k, live.arena).body, "ok");
    link_close(&k);
    live_close(&live);
}

TEST_MAIN(one_client_suffers_not_the_server, opening_fails_cleanly, no_descriptors_left_is_survived)

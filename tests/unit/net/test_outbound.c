/* Requests to a small server on loopback, and those that the guard does not let out. */
#include "net/outbound.h"
#include "base/fd.h"
#include "unit/harness.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

/* Answers each connection with one text and keeps what it was asked. */
typedef struct Server {
    int fd, port;
    const char *answer; /* NULL: none, until the client goes away */
    char asked[4096];
    pthread_t thread;
} Server;

static void *serve(void *arg)
{
    Server *s = arg;
    int c = accept(s->fd, NULL, NULL);
    if (c < 0)
        return NULL;
    size_t n = 0;
    ssize_t got;
    do {
        got = read(c, s->asked + n, sizeof s->asked - 1 - n);
        n += got > 0 ? (size_t)got : 0;
        s->asked[n] = 0;
    } while (got > 0 && (strstr(s->asked, "\r\n\r\n") == NULL || s->answer == NULL));
    if (s->answer != NULL)
        (void)!write(c, s->answer, strlen(s->answer));
    close(c);
    return NULL;
}

static void server_open(Server *s, const char *answer)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    *s = (Server){.answer = answer, .fd = socket(AF_INET, SOCK_STREAM, 0)};
    assert_int_equal(bind(s->fd, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(s->fd, 4), 0);
    assert_int_equal(getsockname(s->fd, (struct sockaddr *)&at, &len), 0);
    s->port = ntohs(at.sin_port);
    assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
}

static void server_close(Server *s)
{
    shutdown(s->fd, SHUT_RDWR);
    pthread_join(s->thread, NULL);
    close(s->fd);
}

static Outbound *open_for(const char *ranges)
{
    Outbound *o = NULL;
    Err err;
    assert_ok(outbound_open(&(OutboundOptions){.allow_private = ranges}, &o, &err), &err);
    return o;
}

TEST(a_request_and_its_answer)
{
    CLEANUP(arena_close) Arena *a = arena_open(MIB);
    CLEANUP(outbound_close) Outbound *o = open_for("127.0.0.0/8");
    Server s;
    OutboundAnswer got;
    Err err;
    server_open(&s, "HTTP/1.1 503 No\r\nRetry-After: 7\r\nContent-Type: text/plain\r\n"
                    "Content-Length: 5\r\nConnection: close\r\n\r\nlater");
    const Str headers[] = {STR("webhook-id: msg_1"), STR("Content-Type: application/json")};
    const OutboundRequest r = {.method = "POST",
                               .url = str_printf(a, "http://127.0.0.1:%d/hook?x=1", s.port),
                               .headers = headers,
                               .headers_len = 2,
                               .body = STR("{}")};
    assert_ok(outbound_send(o, a, &r, &got, &err), &err);
    server_close(&s);
    assert_int_equal(got.status, 503);
    assert_str_equal(got.body, "later");
    assert_str_equal(got.content_type, "text/plain");
    assert_int_equal(got.retry_after_ms, 7000);
    assert_false(got.cut);
    assert_int_equal(outbound_verdict(&got, &err), ERR_REMOTE_FAILED);
    assert_non_null(strstr(s.asked, "POST /hook?x=1 HTTP/1.1\r\n"));
    assert_non_null(strstr(s.asked, "webhook-id: msg_1\r\n"));
    assert_non_null(strstr(s.asked, "User-Agent: platen/"));
    assert_non_null(strstr(s.asked, "Content-Length: 2\r\n"));
    assert_null(strstr(s.asked, "Expect"));
}

TEST(no_redirect_and_a_limited_answer)
{
    CLEANUP(arena_close) Arena *a = arena_open(MIB);
    CLEANUP(outbound_close) Outbound *o = open_for("127.0.0.1");
    Server s;
    OutboundAnswer got;
    Err err;
    server_open(&s, "HTTP/1.1 302 There\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 10\r\n"
                    "Connection: close\r\n\r\n0123456789");
    OutboundRequest r = {
        .method = "GET", .url = str_printf(a, "http://127.0.0.1:%d/", s.port), .body_max = 4};
    assert_ok(outbound_send(o, a, &r, &got, &err), &err);
    server_close(&s);
    assert_int_equal(got.status, 302);
    assert_str_equal(got.body, "0123");
    assert_true(got.cut);
    assert_int_equal(outbound_verdict(&got, &err), ERR_REMOTE_REFUSED);
}

TEST(no_answer)
{
    CLEANUP(arena_close) Arena *a = arena_open(MIB);
    CLEANUP(outbound_close) Outbound *o = open_for("127.0.0.0/8");
    Server s;
    OutboundAnswer got;
    Err err;
    server_open(&s, NULL);
    OutboundRequest r = {
        .method = "GET", .url = str_printf(a, "http://127.0.0.1:%d/", s.port), .total_ms = 150};
    assert_int_equal(outbound_send(o, a, &r, &got, &err), ERR_UNREACHABLE);
    server_close(&s);
    r.total_ms = 0; /* nobody listens there any more */
    assert_int_equal(outbound_send(o, a, &r, &got, &err), ERR_UNREACHABLE);
    server_open(&s, NULL);
    atomic_bool stop = true;
    r.url = str_printf(a, "http://127.0.0.1:%d/", s.port);
    r.stop = &stop;
    assert_int_equal(outbound_send(o, a, &r, &got, &err), ERR_SHUTTING_DOWN);
    server_close(&s);
}

TEST(the_guard)
{
    CLEANUP(arena_close) Arena *a = arena_open(MIB);
    CLEANUP(outbound_close) Outbound *o = open_for(NULL);
    static const struct {
        const char *url;
        ErrCode want;
    } cases[] = {
        {"http://127.0.0.1:%d/", ERR_ADDRESS_REFUSED},
        {"http://localhost:%d/", ERR_ADDRESS_REFUSED}, /* only known after looking it up */
        {"http://2130706433:%d/", ERR_ADDRESS_REFUSED},
        {"http://0x7f.1:%d/", ERR_ADDRESS_REFUSED},
        {"http://0:%d/", ERR_ADDRESS_REFUSED},
        {"http://[::1]:%d/", ERR_ADDRESS_REFUSED},
        {"http://[::ffff:127.0.0.1]:%d/", ERR_ADDRESS_REFUSED},
        {"http://169.254.169.254/latest?%d", ERR_ADDRESS_REFUSED},
        {"http://user:word@127.0.0.1:%d/", ERR_BAD_PARAM},
        {"http://user@127.0.0.1:%d/", ERR_BAD_PARAM},
        {"ftp://127.0.0.1:%d/", ERR_BAD_PARAM},
        {"file:///etc/passwd?%d", ERR_BAD_PARAM},
        {"gopher://127.0.0.1:%d/", ERR_BAD_PARAM},
        {"127.0.0.1:%d", ERR_BAD_PARAM},
        {"http://a b:%d/", ERR_BAD_PARAM},
        {"http://a:99999%d/", ERR_BAD_PARAM},
    };
    Server s;
    server_open(&s, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char url[256];
        OutboundAnswer got;
        Err err = {0};
        snprintf(url, sizeof url, cases[i].url, s.port);
        OutboundRequest r = {.method = "GET", .url = str_from_c(url)};
        ErrCode rc = outbound_send(o, a, &r, &got, &err);
        if (rc != cases[i].want)
            fail_msg("%s: %s: %s", url, err_reason(rc), err.text);
    }
    server_close(&s);
    assert_string_equal(s.asked, ""); /* nobody got through */
}

TEST(retry_after)
{
    const int64_t now = 784111777000; /* Sun, 06 Nov 1994 08:49:37 GMT */
    static const struct {
        const char *value;
        int64_t want;
    } cases[] = {{"120", 120000},
                 {" 5 ", 5000},
                 {"0", 0},
                 {"-3", 0},
                 {"99999999999", 86400000},
                 {"Sun, 06 Nov 1994 08:50:37 GMT", 60000},
                 {"Sun, 06 Nov 1994 08:48:37 GMT", 0},
                 {"soon", 0},
                 {"", 0}};
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        if (outbound_retry_after_ms(str_from_c(cases[i].value), now) != cases[i].want)
            fail_msg("%s", cases[i].value);
}

TEST_MAIN(a_request_and_its_answer, no_redirect_and_a_limited_answer, no_answer, the_guard,
          retry_after)

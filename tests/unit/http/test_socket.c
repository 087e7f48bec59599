#include "live.h"

#include <sys/socket.h>

#define UPGRADE                                                                                    \
    "GET /ws HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n"     \
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"

enum { TEXT = 1, BINARY = 2, CLOSE = 8, PING = 9, PONG = 10, FIN = 0x80 };

static Gate opened, gone;
static HttpTicket ticket;
static Live live;

static void echo(void *ctx, HttpTicket t, bool text, Str payload)
{
    assert_ptr_equal(ctx, &live);
    http_socket_send(live.server, t, text, payload);
}

static void note_gone(void *ctx, HttpTicket t)
{
    (void)ctx;
    (void)t;
    gate_open(&gone);
}

static void upgrade(HttpRequest *req)
{
    static const HttpSocketHandler h = {
        .message = echo, .gone = note_gone, .ctx = &live, .message_max = 100 * 1000};
    ticket = http_websocket(req, &h);
    if (ticket.generation != 0)
        http_socket_send(http_server(req), ticket, true,
                         STR("welcome")); /* before the upgrade is answered */
    gate_open(&opened);
}

static const HttpRoute routes[] = {
    {.method = HTTP_GET, .path = "/ws", .handler = upgrade},
};

static void begin(void)
{
    gate_init(&opened);
    gate_init(&gone);
    live = live_open(routes, COUNT_OF(routes), (HttpOptions){0});
}

static void end(void)
{
    live_close(&live);
    gate_done(&opened);
    gate_done(&gone);
}

static void send_frame(Link *k, int first_byte, const char *payload, size_t len)
{
    static const unsigned char key[4] = {1, 2, 3, 250};
    unsigned char *f = malloc(len + 14);
    size_t n = 0;
    f[n++] = (unsigned char)first_byte;
    if (len < 126) {
        f[n++] = (unsigned char)(0x80 | len);
    } else if (len < 65536) {
        f[n++] = 0x80 | 126;
        f[n++] = (unsigned char)(len >> 8);
        f[n++] = (unsigned char)len;
    } else {
        f[n++] = 0x80 | 127;
        for (int shift = 56; shift >= 0; shift -= 8)
            f[n++] = (unsigned char)((uint64_t)len >> shift);
    }
    memcpy(f + n, key, 4);
    n += 4;
    for (size_t i = 0; i < len; i++)
        f[n++] = (unsigned char)payload[i] ^ key[i % 4];
    link_send_bytes(k, f, n);
    free(f);
}

/* One frame; returns its first byte, -1 at the end of the connection. */
static int read_frame(Link *k, Str *payload)
{
    unsigned char head[2], more[8];
    if (!link_read(k, head, 2))
        return -1;
    assert_int_equal(head[1] & 0x80, 0); /* servers do not mask */
    size_t len = head[1];
    int extra = len == 126 ? 2 : len == 127 ? 8 : 0;
    if (extra > 0) {
        assert_true(link_read(k, more, (size_t)extra));
        len = 0;
        for (int i = 0; i < extra; i++)
            len = len << 8 | more[i];
    }
    char *bytes = arena_alloc(live.arena, len + 1);
    assert_true(link_read(k, bytes, len));
    *payload = (Str){bytes, len};
    return head[0];
}

static void expect_frame(Link *k, int first_byte, Str want)
{
    Str got = {0};
    int first = read_frame(k, &got);
    if (first != first_byte || !str_eq(got, want))
        fail_msg("frame %x of %zu bytes, want %x of %zu", first, got.len, first_byte, want.len);
}

static void expect_close(Link *k, int code, const char *why)
{
    Str got = {0};
    int first = read_frame(k, &got);
    int got_code = got.len >= 2 ? (unsigned char)got.ptr[0] << 8 | (unsigned char)got.ptr[1] : 0;
    if (first != (FIN | CLOSE) || got_code != code)
        fail_msg("%s: frame %x, code %d, want %d", why, first, got_code, code);
}

static Link *open_socket(void)
{
    Link *k = link_open(&live);
    link_send(k, UPGRADE);
    Answer r = link_answer_head(k, live.arena);
    assert_int_equal(r.status, 101);
    assert_str_equal(answer_header(&r, "Sec-WebSocket-Accept"), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    assert_str_equal(answer_header(&r, "Connection"), "Upgrade");
    assert_str_equal(answer_header(&r, "Upgrade"), "websocket");
    expect_frame(k, FIN | TEXT, STR("welcome"));
    return k;
}

TEST(messages_go_there_and_back)
{
    static char large[100 * 1000];
    memset(large, 'y', sizeof large);
    begin();
    Link *k = open_socket();
    send_frame(k, FIN | TEXT, "hello", 5);
    expect_frame(k, FIN | TEXT, STR("hello"));
    send_frame(k, FIN | BINARY, "\x00\xff", 2);
    expect_frame(k, FIN | BINARY, (Str){"\x00\xff", 2});
    send_frame(k, FIN | TEXT, "", 0);
    expect_frame(k, FIN | TEXT, STR(""));
    send_frame(k, FIN | BINARY, large, sizeof large);
    expect_frame(k, FIN | BINARY, (Str){large, sizeof large});
    send_frame(k, TEXT, "one ", 4); /* fragments, with a ping in between */
    send_frame(k, 0, "two ", 4);
    send_frame(k, FIN | PING, "p", 1);
    send_frame(k, FIN | 0, "three", 5);
    expect_frame(k, FIN | PONG, STR("p"));
    expect_frame(k, FIN | TEXT, STR("one two three"));
    for (int i = 0; i < 300; i++)
        send_frame(k, FIN | TEXT, "many", 4);
    for (int i = 0; i < 300; i++)
        expect_frame(k, FIN | TEXT, STR("many"));
    assert_int_equal(http_stats(live.server).sockets, 1);
    link_close(&k);
    assert_true(gate_wait(&gone, 1));
    assert_false(http_socket_send(live.server, (HttpTicket){.generation = 999999}, true, STR("x")));
    end();
}

TEST(closing_says_why)
{
    static char large[100 * 1000 + 1];
    static const struct {
        const char *why;
        int first_byte;
        const char *payload;
        size_t len;
        int code;
    } cases[] = {
        {"normal", FIN | CLOSE, "\x03\xe8", 2, 1000},
        {"reserved bit", FIN | 0x40 | TEXT, "a", 1, 1002},
        {"unknown opcode", FIN | 3, "a", 1, 1002},
        {"continuation of nothing", FIN, "a", 1, 1002},
        {"ping in fragments", PING, "a", 1, 0},
        {"close code that is reserved", FIN | CLOSE, "\x03\xed", 2, 1002},
        {"text that is not UTF-8", FIN | TEXT, "\xff\xfe", 2, 1007},
        {"too large", FIN | BINARY, large, sizeof large, 1009},
    };
    begin();
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        Link *k = open_socket();
        send_frame(k, cases[i].first_byte, cases[i].payload, cases[i].len);
        expect_close(k, cases[i].code, cases[i].why);
        if (cases[i].code != 1000)
            send_frame(k, FIN | CLOSE, "\x03\xe8", 2);
        assert_true(link_ended(k));
        link_close(&k);
        assert_true(gate_wait(&gone, (int)i + 1));
    }
    Link *k = open_socket();
    http_socket_close(live.server, ticket, 4000);
    expect_close(k, 4000, "by the handler");
    send_frame(k, FIN | CLOSE, "\x0f\xa0", 2);
    assert_true(link_ended(k));
    link_close(&k);
    k = open_socket();
    unsigned char unmasked[] = {FIN | TEXT, 1, 'a'};
    link_send_bytes(k, unmasked, sizeof unmasked);
    expect_close(k, 1002, "not masked");
    link_close(&k);
    k = open_socket();
    shutdown(k->fd, SHUT_RDWR);
    link_close(&k);
    assert_true(gate_wait(&gone, (int)COUNT_OF(cases) + 3));
    k = open_socket();
    http_close(&live.server, 200);
    expect_close(k, 1001, "the server stops");
    link_close(&k);
    assert_int_equal(gone.count, (int)COUNT_OF(cases) + 4);
    end();
}

TEST(bad_upgrades_are_refused)
{
    static const char *const bad[] = {
        "GET /ws HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nSec-WebSocket-Version: "
        "13\r\nSec-WebSocket-Key: "
        "dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        "GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: "
        "websocket\r\nSec-WebSocket-Version: 8\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        "GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: "
        "websocket\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ\r\n\r\n",
        "GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: "
        "websocket\r\nSec-WebSocket-Version: 13\r\n\r\n",
        "HEAD /ws HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    };
    begin();
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        Link *k = link_open(&live);
        link_send(k, bad[i]);
        Answer r = link_answer_head(k, live.arena);
        assert_int_equal(r.status, 426);
        assert_str_equal(answer_header(&r, "Sec-WebSocket-Version"), "13");
        link_close(&k);
    }
    assert_int_equal(gone.count, 0);
    end();
}

TEST(slow_readers_are_dropped)
{
    static char large[60 * 1000];
    begin();
    Link *k = open_socket();
    int sent = 0;
    while (http_socket_send(live.server, ticket, false, (Str){large, sizeof large}))
        if (++sent > 2000)
            fail_msg("120 MB were taken for a client that reads nothing");
    assert_true(gate_wait(&gone, 1));
    link_close(&k);
    end();
}

TEST_MAIN(messages_go_there_and_back, closing_says_why, bad_upgrades_are_refused,
          slow_readers_are_dropped)

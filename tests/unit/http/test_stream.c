#include "live.h"
#include "base/clock.h"

#include <malloc.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define GET(path) "GET " path " HTTP/1.1\r\nHost: a\r\n\r\n"

static Gate opened, gone;
static HttpTicket ticket;
static Live live;

static void note_gone(void *ctx, HttpTicket t)
{
    (void)ctx;
    (void)t;
    gate_open(&gone);
}

static void stream(HttpRequest *req)
{
    http_set_header(req, "X-Stream", STR("yes"));
    ticket = http_stream(req, note_gone, NULL);
    gate_open(&opened);
}

/* Events that are sent before the handler has returned come after the head all the same. */
static void stream_early(HttpRequest *req)
{
    stream(req);
    assert_true(http_stream_send(http_server(req), ticket, STR("data: early\n\n")));
    assert_true(http_stream_send(http_server(req), ticket, STR("data: bird\n\n")));
}

static void stream_and_end(HttpRequest *req)
{
    stream_early(req);
    http_stream_end(http_server(req), ticket);
}

static const HttpRoute routes[] = {
    {.method = HTTP_GET, .path = "/events", .handler = stream},
    {.method = HTTP_GET, .path = "/events/loop", .handler = stream, .on_loop = true},
    {.method = HTTP_GET, .path = "/early", .handler = stream_early},
    {.method = HTTP_GET, .path = "/end", .handler = stream_and_end},
};

static void begin(HttpOptions o)
{
    gate_init(&opened);
    gate_init(&gone);
    live = live_open(routes, COUNT_OF(routes), o);
}

static void end(void)
{
    live_close(&live);
    gate_done(&opened);
    gate_done(&gone);
}

static Link *open_stream(const char *request)
{
    int before = opened.count;
    Link *k = link_open(&live);
    link_send(k, request);
    Answer r = link_answer_head(k, live.arena);
    assert_int_equal(r.status, 200);
    assert_str_equal(answer_header(&r, "Content-Type"), "text/event-stream");
    assert_str_equal(answer_header(&r, "Content-Length"), "");
    assert_str_equal(answer_header(&r, "X-Stream"), "yes");
    assert_str_equal(answer_header(&r, "X-Content-Type-Options"), "nosniff");
    assert_true(gate_wait(&opened, before + 1));
    return k;
}

TEST(events_arrive)
{
    static const char *const requests[] = {GET("/events"), GET("/events/loop"), GET("/early")};
    begin((HttpOptions){0});
    for (size_t i = 0; i < COUNT_OF(requests); i++) {
        Link *k = open_stream(requests[i]);
        if (i == 2)
            assert_str_equal(link_until(k, live.arena, "bird\n\n"),
                             "data: early\n\ndata: bird\n\n");
        for (int n = 0; n < 100; n++)
            assert_true(http_stream_send(live.server, ticket, STR("data: x\n\n")));
        assert_true(http_stream_send(live.server, ticket, STR("data: end\n\n")));
        assert_int_equal(link_until(k, live.arena, "end\n\n").len, 911);
        assert_int_equal(http_stats(live.server).streams, 1);
        link_close(&k);
        assert_true(gate_wait(&gone, (int)i + 1));
        assert_false(http_stream_send(live.server, (HttpTicket){.loop = 9}, STR("x")));
    }
    end();
}

TEST(streams_end_from_both_sides)
{
    begin((HttpOptions){0});
    Link *k = open_stream(GET("/events"));
    http_stream_send(live.server, ticket, STR("data: last\n\n"));
    http_stream_end(live.server, ticket);
    link_until(k, live.arena, "last\n\n");
    assert_true(link_ended(k));
    assert_true(gate_wait(&gone, 1));
    link_close(&k);
    k = open_stream(GET("/end"));
    link_until(k, live.arena, "bird\n\n");
    assert_true(link_ended(k));
    assert_true(gate_wait(&gone, 2));
    link_close(&k);
    k = link_open(&live);
    link_send(k, "HEAD /events HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_int_equal(link_answer_head(k, live.arena).status, 200);
    assert_true(link_ended(k));
    assert_true(gate_wait(&gone, 3));
    link_close(&k);
    k = open_stream(GET("/events"));
    http_close(&live.server, 1000); /* a stream does not hold the server up */
    assert_true(link_ended(k));
    assert_int_equal(gone.count, 4);
    link_close(&k);
    end();
}

TEST(slow_readers_are_dropped)
{
    static char event[16 * 1024];
    memset(event, 'x', sizeof event);
    begin((HttpOptions){0});
    Link *k = open_stream(GET("/events"));
    int sent = 0;
    while (http_stream_send(live.server, ticket, (Str){event, sizeof event})) {
        if (++sent > 4096)
            fail_msg("64 MiB were taken for a client that reads nothing");
        if (sent % 8 == 0)
            usleep(1000); /* let the kernel's buffers fill: only what is left over counts */
    }
    assert_true(sent >= 15);
    assert_true(gate_wait(&gone, 1));
    assert_false(http_stream_send(live.server, ticket, STR("x")));
    link_close(&k);
    end();
}

/* Many threads, one stream: whole events only, and each once. */
enum { SENDERS = 4, EVENTS = 500 };

static void *send_events(void *arg)
{
    for (int i = 0; i < EVENTS; i++) {
        char text[32];
        int n = snprintf(text, sizeof text, "%d:%d\n", (int)(intptr_t)arg, i);
        assert_true(http_stream_send(live.server, ticket, (Str){text, (size_t)n}));
    }
    return NULL;
}

TEST(threads_do_not_mix_their_events)
{
    begin((HttpOptions){0});
    Link *k = open_stream(GET("/events"));
    pthread_t threads[SENDERS];
    int next[SENDERS] = {0};
    Err err = {0};
    for (intptr_t i = 0; i < SENDERS; i++)
        assert_ok(thread_start(&threads[i], "sender", send_events, (void *)i, &err), &err);
    for (int i = 0; i < SENDERS * EVENTS; i++) {
        Str line = link_until(k, live.arena, "\n");
        int64_t sender, no;
        assert_true(str_to_i64(str_slice(line, 0, 1), &sender));
        assert_true(str_to_i64(str_slice(line, 2, line.len - 1), &no));
        assert_int_equal(next[sender]++, no);
    }
    for (int i = 0; i < SENDERS; i++)
        pthread_join(threads[i], NULL);
    link_close(&k);
    end();
}

static long resident_kb(void)
{
    long pages = 0, ignored = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    assert_non_null(f);
    assert_int_equal(fscanf(f, "%ld %ld", &ignored, &pages), 2);
    fclose(f);
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

/* Printed, not asserted: what an idle stream costs. The client's side is descriptors only. */
TEST(idle_streams_cost_little)
{
    enum { STREAMS = 2000 };
    static int fds[STREAMS];
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    if (files.rlim_cur < STREAMS * 2 + 100)
        skip();
    begin((HttpOptions){0});
    Link *first = open_stream(GET("/events"));
    malloc_trim(0);
    long before = resident_kb();
    for (int i = 0; i < STREAMS; i++) {
        Link *k = link_open(&live);
        char c[512];
        link_send(k, GET("/events"));
        assert_true(recv(k->fd, c, sizeof c, 0) > 0);
        fds[i] = dup(k->fd);
        link_close(&k);
    }
    malloc_trim(0);
    assert_int_equal(http_stats(live.server).streams, STREAMS + 1);
    print_message("%d idle streams: %ld bytes each\n", STREAMS,
                  (resident_kb() - before) * 1024 / STREAMS);
    for (int i = 0; i < STREAMS; i++)
        close(fds[i]);
    assert_true(gate_wait(&gone, STREAMS));
    link_close(&first);
    end();
}

TEST_MAIN(events_arrive, streams_end_from_both_sides, slow_readers_are_dropped,
          threads_do_not_mix_their_events, idle_streams_cost_little)

#include "live.h"

#define GET(path) "GET " path " HTTP/1.1\r\nHost: a\r\n\r\n"

static Gate entered, gone;
static HttpTicket ticket;
static HttpRequest *held;
static Live live;

static void hello(HttpRequest *req)
{
    http_answer_json(req, 200, STR("{\"hello\":true}"));
}

static void resumed(HttpRequest *req)
{
    http_answer_text(req, 200, "text/plain", str_from_c(req->state));
}

static void parks(HttpRequest *req)
{
    req->state = "kept";
    ticket = http_park(req);
    gate_open(&entered);
}

static void note_gone(void *ctx, HttpTicket t)
{
    assert_ptr_equal(ctx, &gone);
    assert_int_equal(t.generation, ticket.generation);
    gate_open(ctx);
}

static void parks_watched(HttpRequest *req)
{
    http_on_gone(req, note_gone, &gone);
    parks(req);
}

static void holds(HttpRequest *req)
{
    http_answer_text(req, 201, "text/plain", STR("held"));
    held = req;
    http_park(req);
    gate_open(&entered);
}

static const HttpRoute routes[] = {
    {.method = HTTP_GET, .path = "/hello", .handler = hello},
    {.method = HTTP_GET, .path = "/park", .handler = parks},
    {.method = HTTP_GET, .path = "/park/watched", .handler = parks_watched},
    {.method = HTTP_GET, .path = "/park/loop", .handler = parks_watched, .on_loop = true},
    {.method = HTTP_GET, .path = "/hold", .handler = holds},
    {.method = HTTP_GET, .path = "/hold/loop", .handler = holds, .on_loop = true},
};

static void begin(void)
{
    gate_init(&entered);
    gate_init(&gone);
    live = live_open(routes, COUNT_OF(routes), (HttpOptions){0});
}

static void end(void)
{
    live_close(&live);
    gate_done(&entered);
    gate_done(&gone);
}

TEST(parked_requests_are_resumed_once)
{
    begin();
    Link *k = link_open(&live);
    for (int i = 1; i <= 3; i++) {
        link_send(k, GET("/park"));
        assert_true(gate_wait(&entered, i));
        http_resume(live.server, ticket, resumed);
        http_resume(live.server, ticket, resumed);
        Answer r = link_answer(k, live.arena);
        assert_str_equal(r.body, "kept");
    }
    http_resume(live.server, ticket, resumed); /* long gone */
    http_resume(live.server, (HttpTicket){.loop = 77, .slot = 99999999, .generation = 1}, resumed);
    assert_int_equal(link_ask(k, live.arena, GET("/hello")).status, 200);
    link_close(&k);
    end();
}

TEST(parked_requests_are_replied_to)
{
    begin();
    Link *k = link_open(&live);
    static const char *const paths[] = {GET("/hold"), GET("/hold/loop")};
    for (int i = 0; i < 2; i++) {
        link_send(k, paths[i]);
        assert_true(gate_wait(&entered, i + 1));
        http_reply(live.server, held);
        Answer r = link_answer(k, live.arena);
        assert_int_equal(r.status, 201);
    }
    link_close(&k);
    end();
}

TEST(clients_may_leave_while_parked)
{
    begin();
    Link *k = link_open(&live);
    link_send(k, GET("/park/watched"));
    assert_true(gate_wait(&entered, 1));
    link_close(&k);
    assert_true(gate_wait(&gone, 1));
    http_resume(live.server, ticket, resumed); /* ignored */
    k = link_open(&live);
    link_send(k, GET("/hold"));
    assert_true(gate_wait(&entered, 2));
    link_close(&k);
    http_reply(live.server, held); /* nobody reads it; nothing else happens */
    k = link_open(&live);
    link_send(k, GET("/park"));
    assert_true(gate_wait(&entered, 3));
    link_close(&k);
    http_resume(live.server, ticket, resumed);
    k = link_open(&live);
    assert_int_equal(link_ask(k, live.arena, GET("/hello")).status, 200);
    link_close(&k);
    assert_int_equal(gone.count, 1);
    end();
}

/* Many requests from several connections, each parked and answered from another thread: none is
 * lost or answered twice. */
enum { CLIENTS = 4, ROUNDS = 500 };

static void *reply_from_another_thread(void *req)
{
    http_reply(live.server, req);
    return NULL;
}

static void hands_over(HttpRequest *req)
{
    pthread_t t;
    Err err = {0};
    http_answer_text(req, 200, "text/plain", str_copy(req->arena, req->params[0]));
    http_park(req);
    assert_ok(thread_start(&t, "replier", reply_from_another_thread, req, &err), &err);
    pthread_detach(t);
}

static void *client(void *arg)
{
    CLEANUP(arena_close) Arena *a = arena_open(64 * MIB);
    Link *k = link_open(&live);
    for (int i = 0; i < ROUNDS; i++) {
        char request[128], want[64];
        snprintf(want, sizeof want, "%p-%d", arg, i);
        snprintf(request, sizeof request, "GET /x/%s HTTP/1.1\r\nHost: a\r\n\r\n", want);
        Answer r = link_ask(k, a, request);
        assert_str_equal(r.body, want);
    }
    link_close(&k);
    return NULL;
}

TEST(none_is_lost_between_threads)
{
    static const HttpRoute hand[] = {
        {.method = HTTP_GET, .path = "/x/{id}", .handler = hands_over}};
    live = live_open(hand, 1, (HttpOptions){0});
    pthread_t threads[CLIENTS];
    Err err = {0};
    for (intptr_t i = 0; i < CLIENTS; i++)
        assert_ok(thread_start(&threads[i], "client", client, (void *)(i + 1), &err), &err);
    for (int i = 0; i < CLIENTS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(http_stats(live.server).requests, CLIENTS * ROUNDS);
    live_close(&live);
}

TEST_MAIN(parked_requests_are_resumed_once, parked_requests_are_replied_to,
          clients_may_leave_while_parked, none_is_lost_between_threads)

#include "live.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define GET(path) "GET " path " HTTP/1.1\r\nHost: a\r\n\r\n"

static Gate entered, leave, gone;
static HttpRequest *held;
static Live live;

/* --- handlers --- */

static void hello(HttpRequest *req)
{
    http_answer_json(req, 200, STR("{\"hello\":true}"));
}

static void echo(HttpRequest *req)
{
    http_answer_text(req, 200, "application/octet-stream", req->body);
}

static void show(HttpRequest *req)
{
    Buf b = buf_init(req->arena, 64 * KIB);
    Str name, value;
    buf_addf(&b, STR_FMT "|" STR_FMT "|", STR_ARG(req->path), STR_ARG(req->params[0]));
    for (size_t at = 0; http_query_next(req, &at, &name, &value);)
        buf_addf(&b, STR_FMT "=" STR_FMT ";", STR_ARG(name), STR_ARG(value));
    Str q = http_query(req, "q", req->arena);
    buf_addf(&b, "|%s|" STR_FMT "|%s", q.ptr != NULL ? "q" : "no q",
             STR_ARG(http_header(req, "x-some")), req->peer);
    http_answer_text(req, 200, "text/plain", buf_str(&b));
}

static void nothing(HttpRequest *req)
{
    (void)req;
}

static void inject(HttpRequest *req)
{
    http_set_header(req, "X-Bad", STR("a\r\nSet-Cookie: b=c"));
    http_set_header(req, "Cache-Control", STR("max-age=60"));
    http_set_header(req, "Content-Length", STR("7"));
    http_set_header(req, "Set-Cookie", STR("a=1"));
    http_set_header(req, "Set-Cookie", STR("b=2"));
    hello(req);
}

static void wait_inside(HttpRequest *req)
{
    gate_open(&entered);
    gate_wait(&leave, 1);
    hello(req);
}

static void big(HttpRequest *req)
{
    enum { SIZE = 5 * 1024 * 1024 };
    char *bytes = arena_alloc(req->arena, SIZE);
    for (size_t i = 0; i < SIZE; i++)
        bytes[i] = (char)(i * 31 >> 8);
    http_answer_text(req, 200, "application/octet-stream", (Str){bytes, SIZE});
}

static bool guard(HttpRequest *req)
{
    if (http_header(req, "Authorization").len > 0)
        return true;
    Err err = {0};
    err_set(&err, ERR_UNAUTHORIZED, "no key \"\n\x01\"");
    http_answer_err(req, &err, STR("[{\"param\":\"a\"}]"));
    return false;
}

static void parks(HttpRequest *req)
{
    http_park(req); /* nobody resumes it */
    gate_open(&entered);
}

static void note_gone(void *ctx, HttpTicket t)
{
    (void)t;
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

static void replies_at_once(HttpRequest *req)
{
    http_answer_text(req, 201, "text/plain", STR("at once"));
    http_park(req);
    http_reply(http_server(req), req);
}

static const HttpRoute routes[] = {
    {.method = HTTP_GET, .path = "/hello", .handler = hello},
    {.method = HTTP_GET, .path = "/loop", .handler = hello, .on_loop = true},
    {.method = HTTP_POST, .path = "/echo", .body = BODY_MEMORY, .handler = echo},
    {.method = HTTP_POST,
     .path = "/loop/echo",
     .body = BODY_MEMORY,
     .handler = echo,
     .on_loop = true},
    {.method = HTTP_GET, .path = "/show/{what...}", .handler = show},
    {.method = HTTP_GET, .path = "/nothing", .handler = nothing},
    {.method = HTTP_GET, .path = "/inject", .handler = inject},
    {.method = HTTP_GET, .path = "/wait", .handler = wait_inside},
    {.method = HTTP_GET, .path = "/big", .handler = big},
    {.method = HTTP_GET, .path = "/guarded", .handler = hello, .guard = guard},
    {.method = HTTP_GET, .path = "/park/watched", .handler = parks_watched},
    {.method = HTTP_GET, .path = "/hold", .handler = holds},
    {.method = HTTP_GET, .path = "/at/once", .handler = replies_at_once},
    {.method = HTTP_GET, .path = "/at/once/loop", .handler = replies_at_once, .on_loop = true},
};

static void begin(HttpOptions o)
{
    gate_init(&entered);
    gate_init(&leave);
    gate_init(&gone);
    live = live_open(routes, COUNT_OF(routes), o);
}

static void end(void)
{
    live_close(&live);
    gate_done(&entered);
    gate_done(&leave);
    gate_done(&gone);
}

/* --- answers --- */

static void assert_header(const Answer *r, const char *name, const char *want)
{
    Str got = answer_header(r, name);
    if (!str_eq_c(got, want))
        fail_msg("%s: \"" STR_FMT "\", want \"%s\"", name, STR_ARG(got), want);
}

TEST(answers_carry_what_they_must)
{
    begin((HttpOptions){0});
    Link *k = link_open(&live);
    Answer r = link_ask(k, live.arena, GET("/hello"));
    assert_int_equal(r.status, 200);
    assert_str_equal(r.body, "{\"hello\":true}");
    assert_header(&r, "Content-Type", "application/json");
    assert_header(&r, "X-Content-Type-Options", "nosniff");
    assert_header(&r, "Referrer-Policy", "no-referrer");
    assert_header(&r, "Cross-Origin-Opener-Policy", "same-origin");
    assert_header(&r, "X-Frame-Options", "DENY");
    assert_header(&r, "Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'");
    assert_header(&r, "Cache-Control", "no-store");
    assert_header(&r, "Connection", "");
    assert_header(&r, "Strict-Transport-Security", "");
    assert_int_equal(answer_header(&r, "X-Trace-Id").len, 32);
    assert_int_equal(answer_header(&r, "Date").len, 29);
    r = link_ask(k, live.arena, GET("/inject"));
    assert_header(&r, "X-Bad", "");
    assert_header(&r, "Cache-Control", "max-age=60");
    assert_header(&r, "Content-Length", "14");
    assert_true(str_find(r.head, STR("Set-Cookie: a=1\r\nSet-Cookie: b=2\r\n")) != STR_NONE);
    r = link_ask(k, live.arena,
                 "GET /hello HTTP/1.1\r\nHost: a\r\ntraceparent: "
                 "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n\r\n");
    assert_header(&r, "X-Trace-Id", "0af7651916cd43dd8448eb211c80319c");
    assert_true(
        str_starts(answer_header(&r, "traceparent"), STR("00-0af7651916cd43dd8448eb211c80319c-")));
    link_close(&k);
    end();
}

TEST(requests_find_their_way)
{
    static const struct {
        const char *request;
        int status;
        const char *header, *value;
    } cases[] = {
        {GET("/nope"), 404, "Content-Type", "application/problem+json"},
        {"DELETE /hello HTTP/1.1\r\nHost: a\r\n\r\n", 405, "Allow", "GET, HEAD, OPTIONS"},
        {"OPTIONS /echo HTTP/1.1\r\nHost: a\r\n\r\n", 204, "Allow", "POST, OPTIONS"},
        {"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", 204, "Content-Length", ""},
        {GET("/nothing"), 500, "Content-Type", "application/problem+json"},
        {GET("/guarded"), 401, "Content-Type", "application/problem+json"},
        {"GET /guarded HTTP/1.1\r\nHost: a\r\nAuthorization: x\r\n\r\n", 200, "Content-Type",
         "application/json"},
        {GET("/at/once"), 201, "Content-Length", "7"},
        {GET("/at/once/loop"), 201, "Content-Length", "7"},
        {GET("/loop"), 200, "Content-Length", "14"},
        {"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", 200, "Content-Length", "0"},
        {"POST /echo HTTP/1.1\r\nHost: a\r\n\r\n", 200, "Content-Length", "0"},
        {"GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", 200, "Connection", "keep-alive"},
    };
    begin((HttpOptions){0});
    Link *k = link_open(&live); /* all on one connection */
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        Answer r = link_ask(k, live.arena, cases[i].request);
        if (r.status != cases[i].status)
            fail_msg("%s: %d", cases[i].request, r.status);
        assert_header(&r, cases[i].header, cases[i].value);
    }
    link_send(k, "HEAD /hello HTTP/1.1\r\nHost: a\r\n\r\n" GET("/hello"));
    Answer r = link_answer_head(k, live.arena);
    assert_header(&r, "Content-Length", "14");
    r = link_answer(k, live.arena);
    assert_str_equal(r.body, "{\"hello\":true}");
    assert_true(http_stats(live.server).connections == 1);
    link_close(&k);
    end();
}

TEST(problems_are_json_whatever_is_in_them)
{
    begin((HttpOptions){0});
    Link *k = link_open(&live);
    Answer r = link_ask(k, live.arena, GET("/guarded"));
    const Json *j = NULL;
    Err err = {0};
    assert_ok(json_parse(live.arena, r.body, &j, &err), &err);
    assert_str_equal(json_text(json_get(j, "type")), "urn:platen:problem:unauthorized");
    assert_str_equal(json_text(json_get(j, "reason")), "unauthorized");
    assert_str_equal(json_text(json_get(j, "detail")), "no key \"\n\x01\"");
    assert_int_equal(json_int(json_get(j, "status"), 0), 401);
    assert_true(str_eq(json_text(json_get(j, "trace")), answer_header(&r, "X-Trace-Id")));
    assert_true(json_text(json_get(j, "hint")).len > 0);
    assert_str_equal(json_text(json_get(json_get(j, "errors")->first, "param")), "a");
    r = link_ask(k, live.arena, GET("/%22%5B%5D"));
    assert_ok(json_parse(live.arena, r.body, &j, &err), &err);
    assert_str_equal(json_text(json_get(j, "detail")), "there is nothing at \"/\"[]\"");
    link_close(&k);
    end();
}

TEST(handlers_see_the_request)
{
    begin((HttpOptions){0});
    Link *k = link_open(&live);
    Answer r = link_ask(
        k, live.arena,
        "GET /show/a%20b/c?x=1&&y=%41+b&z&q=r HTTP/1.1\r\nHost: a\r\nX-Some:  thing \r\n\r\n");
    assert_str_equal(r.body, "/show/a b/c|a b/c|x=1;y=A b;z=;q=r;|q|thing|127.0.0.1");
    r = link_ask(k, live.arena, GET("/show/"));
    assert_str_equal(r.body, "/show/|||no q||127.0.0.1");
    link_close(&k);
    end();
}

TEST(refusals_close)
{
    static const struct {
        const char *request;
        int status;
    } cases[] = {
        {"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400},
        {"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: "
         "chunked\r\n\r\n0\r\n\r\n",
         400},
        {"GET / HTTP/3.0\r\nHost: a\r\n\r\n", 505},
        {"BREW / HTTP/1.1\r\nHost: a\r\n\r\n", 501},
        {"GET /a/../b HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"GET /hello HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc", 400},
        {"POST /nope HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc", 404},
        {"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999\r\n\r\n", 413},
        {"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nfffffff\r\n", 413},
        {"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", 400},
        {"POST /echo HTTP/1.1\r\nHost: a\r\nExpect: more\r\nContent-Length: 3\r\n\r\nabc", 417},
    };
    begin((HttpOptions){.memory_body_max = 1000});
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        Link *k = link_open(&live);
        link_send(k, cases[i].request);
        if (cases[i].status == 413) {
            char filler[2000];
            memset(filler, 'x', sizeof filler);
            link_send_bytes(k, filler, sizeof filler);
        }
        Answer r = link_answer(k, live.arena);
        if (r.status != cases[i].status)
            fail_msg("%s: %d", cases[i].request, r.status);
        assert_header(&r, "Connection", "close");
        assert_header(&r, "Content-Type", "application/problem+json");
        assert_true(link_ended(k));
        link_close(&k);
    }
    assert_true(http_stats(live.server).refused >= 9);
    end();
}

TEST(bodies_arrive_however_they_are_cut)
{
    static const char chunked[] = "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: "
                                  "chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n"
                                  "T: u\r\n\r\n";
    static const char sized[] =
        "POST /loop/echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nabcde";
    begin((HttpOptions){0});
    Link *k = link_open(&live);
    for (size_t cut = 1; cut < sizeof chunked - 1; cut += 3) {
        link_send_bytes(k, chunked, cut);
        link_send_bytes(k, chunked + cut, sizeof chunked - 1 - cut);
        link_send_bytes(k, sized, cut < sizeof sized - 1 ? cut : sizeof sized - 1);
        if (cut < sizeof sized - 1)
            link_send_bytes(k, sized + cut, sizeof sized - 1 - cut);
        for (int i = 0; i < 2; i++) {
            Answer r = link_answer(k, live.arena);
            assert_str_equal(r.body, "abcde");
        }
    }
    link_close(&k);
    end();
}

TEST(continue_is_sent_when_asked_for)
{
    begin((HttpOptions){0});
    Link *k = link_open(&live);
    link_send(
        k, "POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
    Str line = link_until(k, live.arena, "\r\n\r\n");
    assert_str_equal(line, "HTTP/1.1 100 Continue\r\n\r\n");
    Answer r = link_ask(k, live.arena, "abc");
    assert_str_equal(r.body, "abc");
    r = link_ask(
        k, live.arena,
        "POST /nope HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
    assert_int_equal(r.status, 404); /* a final answer, and no body is waited for */
    assert_true(link_ended(k));
    link_close(&k);
    end();
}

/* As while an engine is started: a forked child holds the server's end of a connection that the
 * server closes. */
TEST(a_closed_connection_is_not_heard_of_again)
{
    begin((HttpOptions){.loops = 1});
    Link *links[8];
    for (size_t i = 0; i < COUNT_OF(links); i++) {
        links[i] = link_open(&live);
        assert_int_equal(link_ask(links[i], live.arena, GET("/hello")).status, 200);
    }
    int release[2];
    assert_int_equal(pipe(release), 0);
    pid_t child = fork();
    if (child == 0) {
        char c;
        close(release[1]);
        _exit(read(release[0], &c, 1) == 0 ? 0 : 1);
    }
    close(release[0]);
    for (size_t i = 0; i < COUNT_OF(links); i++) {
        Answer r = link_ask(links[i], live.arena,
                            "GET /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        assert_int_equal(r.status, 200);
    }
    while (http_stats(live.server).connections > 0)
        usleep(1000);
    for (size_t i = 0; i < COUNT_OF(links); i++)
        link_send(links[i], GET("/hello"));
    Link *k = link_open(&live); /* two rounds of the loop: the events above are over */
    for (int i = 0; i < 2; i++)
        assert_int_equal(link_ask(k, live.arena, GET("/hello")).status, 200);
    close(release[1]);
    int status = 1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    for (size_t i = 0; i < COUNT_OF(links); i++)
        link_close(&links[i]);
    link_close(&k);
    end();
}

TEST(pipelined_requests_are_answered_in_order)
{
    begin((HttpOptions){0});
    Link *k = link_open(&live);
    link_send(k,
              GET("/wait")
                  GET("/loop") "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc" GET(
                      "/hold"));
    assert_true(gate_wait(&entered, 1));
    gate_open(&leave);
    Answer r = link_answer(k, live.arena);
    assert_str_equal(r.body, "{\"hello\":true}");
    r = link_answer(k, live.arena);
    assert_str_equal(r.body, "{\"hello\":true}");
    r = link_answer(k, live.arena);
    assert_str_equal(r.body, "abc");
    assert_true(gate_wait(&entered, 2));
    http_reply(live.server, held);
    r = link_answer(k, live.arena);
    assert_str_equal(r.body, "held");
    for (int i = 0; i < 200; i++)
        link_send(k, GET("/loop"));
    for (int i = 0; i < 200; i++)
        assert_int_equal(link_answer(k, live.arena).status, 200);
    link_close(&k);
    end();
}

TEST(connections_close_when_asked)
{
    begin((HttpOptions){0});
    Link *k = link_open(&live);
    Answer r =
        link_ask(k, live.arena, "GET /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    assert_header(&r, "Connection", "close");
    assert_true(link_ended(k));
    link_close(&k);
    k = link_open(&live);
    r = link_ask(k, live.arena, "GET /hello HTTP/1.0\r\n\r\n");
    assert_int_equal(r.status, 200);
    assert_true(link_ended(k));
    link_close(&k);
    k = link_open(&live); /* a client that closes its half still gets its answer */
    link_send(k, GET("/hello"));
    shutdown(k->fd, SHUT_WR);
    assert_int_equal(link_answer(k, live.arena).status, 200);
    assert_true(link_ended(k));
    link_close(&k);
    end();
}

TEST(large_answers_wait_for_their_reader)
{
    begin((HttpOptions){0});
    Link *k = link_open(&live);
    link_send(k, GET("/big") GET("/hello"));
    Answer r = link_answer(k, live.arena);
    assert_int_equal(r.body.len, 5 * 1024 * 1024);
    for (size_t i = 0; i < r.body.len; i++)
        if (r.body.ptr[i] != (char)(i * 31 >> 8))
            fail_msg("byte %zu differs", i);
    assert_int_equal(link_answer(k, live.arena).status, 200);
    link_close(&k);
    end();
}

/* --- time --- */

TEST(slow_clients_are_not_waited_for)
{
    begin((HttpOptions){.head_timeout_ms = 200, .body_idle_ms = 200, .keepalive_ms = 300});
    Link *head = link_open(&live), *body = link_open(&live), *idle = link_open(&live),
         *silent = link_open(&live);
    link_send(head, "GET /hello HT");
    link_send(body, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc");
    assert_int_equal(link_ask(idle, live.arena, GET("/hello")).status, 200);
    Answer r = link_answer(head, live.arena);
    assert_int_equal(r.status, 408);
    assert_true(link_ended(head));
    r = link_answer(body, live.arena);
    assert_int_equal(r.status, 408);
    assert_true(link_ended(body));
    assert_true(link_ended(idle));
    assert_true(link_ended(silent));
    link_close(&head);
    link_close(&body);
    link_close(&idle);
    link_close(&silent);
    end();
}

/* --- the server --- */

TEST(closing_lets_running_requests_end)
{
    begin((HttpOptions){0});
    Link *k = link_open(&live), *idle = link_open(&live), *parked = link_open(&live);
    assert_int_equal(link_ask(idle, live.arena, GET("/hello")).status, 200);
    link_send(parked, GET("/park/watched"));
    assert_true(gate_wait(&entered, 1));
    link_send(k, GET("/wait"));
    assert_true(gate_wait(&entered, 2));
    gate_open(&leave); /* its handler may end any time now */
    http_close(&live.server, 300);
    Answer r = link_answer(k, live.arena);
    assert_int_equal(r.status, 200);
    assert_true(link_ended(idle));
    assert_true(link_ended(parked));
    link_close(&k);
    link_close(&idle);
    link_close(&parked);
    end();
}

TEST(a_taken_port_is_an_error)
{
    begin((HttpOptions){0});
    char address[64];
    snprintf(address, sizeof address, "127.0.0.1:%d", http_port(live.server));
    static const char *const bad[] = {NULL, "127.0.0.1", "127.0.0.1:x", "256.1.1.1:80", ""};
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        HttpServer *second = NULL;
        Err err = {0};
        HttpOptions o = {
            .listen = bad[i] != NULL ? bad[i] : address, .routes = routes, .routes_len = 1};
        assert_int_equal(http_open(&o, &second, &err), ERR_IO);
        assert_null(second);
        assert_non_null(strstr(err.text, o.listen));
    }
    end();
}

TEST(too_many_connections_are_turned_away)
{
    begin((HttpOptions){.connections_max = 2, .loops = 1});
    Link *a = link_open(&live), *b = link_open(&live);
    assert_int_equal(link_ask(a, live.arena, GET("/hello")).status, 200);
    assert_int_equal(link_ask(b, live.arena, GET("/hello")).status, 200);
    Link *c = link_open(&live);
    assert_int_equal(link_answer(c, live.arena).status, 503);
    assert_true(link_ended(c));
    assert_int_equal(link_ask(a, live.arena, GET("/hello")).status, 200);
    link_close(&a);
    link_close(&b);
    link_close(&c);
    end();
}

TEST_MAIN(answers_carry_what_they_must, requests_find_their_way,
          problems_are_json_whatever_is_in_them, handlers_see_the_request, refusals_close,
          bodies_arrive_however_they_are_cut, continue_is_sent_when_asked_for,
          a_closed_connection_is_not_heard_of_again, pipelined_requests_are_answered_in_order,
          connections_close_when_asked, large_answers_wait_for_their_reader,
          slow_clients_are_not_waited_for, too_many_connections_are_turned_away,
          closing_lets_running_requests_end, a_taken_port_is_an_error)

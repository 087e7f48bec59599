#include "http/route_in.h"
#include "unit/harness.h"

static void handler(HttpRequest *req)
{
    (void)req;
}

static const HttpRoute routes[] = {
    {.method = HTTP_GET, .path = "/", .handler = handler},
    {.method = HTTP_GET, .path = "/jobs", .handler = handler},
    {.method = HTTP_POST, .path = "/jobs", .handler = handler},
    {.method = HTTP_GET, .path = "/jobs/{id}", .handler = handler},
    {.method = HTTP_GET, .path = "/jobs/stats", .handler = handler},
    {.method = HTTP_GET, .path = "/jobs/{id}/events/{no}", .handler = handler},
    {.method = HTTP_PUT, .path = "/jobs/{id}/tags", .handler = handler},
    {.method = HTTP_GET, .path = "/files/{path...}", .handler = handler},
    {.method = HTTP_GET, .path = "/files/readme", .handler = handler},
    {.method = HTTP_HEAD, .path = "/jobs/stats", .handler = handler},
    {.method = HTTP_OPTIONS, .path = "/own", .handler = handler},
    {.method = HTTP_GET, .path = "/a/{x}/c", .handler = handler},
    {.method = HTTP_GET, .path = "/{y}/b/d", .handler = handler},
};

TEST(paths_find_their_routes)
{
    static const struct {
        HttpMethod method;
        const char *path;
        int route; /* -1: none */
        const char *allow, *params;
    } cases[] = {
        {HTTP_GET, "/", 0, "GET, HEAD, OPTIONS", ""},
        {HTTP_GET, "/jobs", 1, "GET, HEAD, POST, OPTIONS", ""},
        {HTTP_POST, "/jobs", 2, "GET, HEAD, POST, OPTIONS", ""},
        {HTTP_HEAD, "/jobs", 1, "GET, HEAD, POST, OPTIONS", ""},
        {HTTP_DELETE, "/jobs", -1, "GET, HEAD, POST, OPTIONS", ""},
        {HTTP_OPTIONS, "/jobs", -1, "GET, HEAD, POST, OPTIONS", ""},
        {HTTP_OPTIONS, "/own", 10, "OPTIONS", ""},
        {HTTP_GET, "/jobs/7", 3, "GET, HEAD, OPTIONS", "7"},
        {HTTP_GET, "/jobs/stats", 4, "GET, HEAD, OPTIONS", ""},
        {HTTP_HEAD, "/jobs/stats", 9, "GET, HEAD, OPTIONS", ""},
        {HTTP_GET, "/jobs/7/events/8", 5, "GET, HEAD, OPTIONS", "7,8"},
        {HTTP_PUT, "/jobs/stats/tags", 6, "PUT, OPTIONS", "stats"},
        {HTTP_GET, "/jobs/7/tags", -1, "PUT, OPTIONS", "7"},
        {HTTP_GET, "/jobs/", -1, "", ""},
        {HTTP_GET, "/jobs/7/", -1, "", ""},
        {HTTP_GET, "/jobs/7/events", -1, "", ""},
        {HTTP_GET, "/files/a/b/c", 7, "GET, HEAD, OPTIONS", "a/b/c"},
        {HTTP_GET, "/files/readme", 8, "GET, HEAD, OPTIONS", ""},
        {HTTP_GET, "/files/readme/x", 7, "GET, HEAD, OPTIONS", "readme/x"},
        {HTTP_GET, "/files/", 7, "GET, HEAD, OPTIONS", ""},
        {HTTP_GET, "/files", -1, "", ""},
        {HTTP_GET, "/a/b/c", 11, "GET, HEAD, OPTIONS", "b"},
        {HTTP_GET, "/a/b/d", 12, "GET, HEAD, OPTIONS", "a"},
        {HTTP_GET, "/nothing", -1, "", ""},
    };
    CLEANUP(arena_close) Arena *a = arena_open(1 * MIB);
    HttpRouter *r = NULL;
    Err err = {0};
    assert_ok(http_router_build(a, routes, COUNT_OF(routes), &r, &err), &err);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        HttpMatch m = http_router_find(r, cases[i].method, str_from_c(cases[i].path));
        int got = m.route != NULL ? (int)(m.route - routes) : -1;
        char allow[64], params[128] = "";
        http_allow_text(m.allow, allow, sizeof allow);
        Str want_params = str_from_c(cases[i].params), part;
        for (int p = 0; want_params.len > 0 && str_next(&want_params, ',', &part); p++)
            if (!str_eq(part, m.params[p]))
                fail_msg("%s: parameter %d is \"" STR_FMT "\"", cases[i].path, p,
                         STR_ARG(m.params[p]));
        (void)params;
        if (got != cases[i].route || strcmp(allow, cases[i].allow) != 0)
            fail_msg("%s: route %d (%s), want %d (%s)", cases[i].path, got, allow, cases[i].route,
                     cases[i].allow);
    }
}

TEST(tables_that_make_no_sense_are_refused)
{
    static const HttpRoute bad[][2] = {
        {{.method = HTTP_GET, .path = "/a"}, {.method = HTTP_GET, .path = "/a"}},
        {{.method = HTTP_GET, .path = "/{a}"}, {.method = HTTP_GET, .path = "/{b}"}},
        {{.method = HTTP_GET, .path = "/{a...}/b"}, {.method = HTTP_GET, .path = "/b"}},
        {{.method = HTTP_GET, .path = "/{a"}, {.method = HTTP_GET, .path = "/b"}},
        {{.method = HTTP_GET, .path = "a"}, {.method = HTTP_GET, .path = "/b"}},
        {{.method = HTTP_GET, .path = "/{a}/{b}/{c}/{d}/{e}"}, {.method = HTTP_GET, .path = "/b"}},
    };
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        CLEANUP(arena_close) Arena *a = arena_open(1 * MIB);
        HttpRouter *r = NULL;
        Err err = {0};
        if (http_router_build(a, bad[i], 2, &r, &err) == OK)
            fail_msg("case %zu was accepted", i);
        assert_true(err.text[0] != 0);
    }
}

TEST_MAIN(paths_find_their_routes, tables_that_make_no_sense_are_refused)

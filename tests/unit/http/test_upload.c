#include "live.h"
#include "base/clock.h"
#include "base/fd.h"

#include <sys/socket.h>

#define PUT  "PUT /upload HTTP/1.1\r\nHost: a\r\n"
#define FORM "POST /upload HTTP/1.1\r\nHost: a\r\nContent-Type: multipart/form-data; boundary=b\r\n"
#define CD   "Content-Disposition: form-data; "

static Live live;

/* One line per upload and field. */
static void show(HttpRequest *req)
{
    Buf b = buf_init(req->arena, 1 * MIB);
    for (size_t i = 0; i < req->uploads_len; i++) {
        const HttpUpload *u = &req->uploads[i];
        buf_addf(&b, "%s|%s|%s|%" PRId64 "|%.8s\n", str_to_c(req->arena, u->field),
                 str_to_c(req->arena, u->filename), str_to_c(req->arena, u->type),
                 u->blob.size_bytes, u->blob.hash);
    }
    for (size_t i = 0; i < req->form_len; i++)
        buf_addf(&b, STR_FMT "=" STR_FMT "\n", STR_ARG(req->form[i].name),
                 STR_ARG(req->form[i].value));
    if (req->body.len > 0)
        buf_addf(&b, "body " STR_FMT "\n", STR_ARG(req->body));
    http_answer_text(req, 200, "text/plain", buf_str(&b));
}

static bool guard(HttpRequest *req)
{
    if (http_header(req, "Authorization").len > 0)
        return true;
    Err err = {0};
    err_set(&err, ERR_UNAUTHORIZED, "no key");
    http_answer_err(req, &err, (Str){0});
    return false;
}

static void blob(HttpRequest *req)
{
    int fd = -1;
    int64_t size = 0;
    Err err = {0};
    if (blob_open(live.blobs, req->params[0], &fd, &size, &err) != OK)
        http_answer_err(req, &err, (Str){0});
    else
        http_answer_file(req, fd, size, STR("text/plain"), STR("tag"), STR("na\"me"));
}

static const HttpRoute routes[] = {
    {.method = HTTP_PUT, .path = "/upload", .body = BODY_UPLOAD, .handler = show},
    {.method = HTTP_POST, .path = "/upload", .body = BODY_UPLOAD, .handler = show},
    {.method = HTTP_PUT, .path = "/guarded", .body = BODY_UPLOAD, .handler = show, .guard = guard},
    {.method = HTTP_GET, .path = "/blobs/{hash}", .handler = blob},
};

static void begin(HttpOptions o)
{
    live = live_open(routes, COUNT_OF(routes), o);
}

/* SHA-256 of "hello" begins 2cf24dba; of nothing e3b0c442. */
TEST(bodies_become_blobs)
{
    static const struct {
        const char *request, *want;
    } cases[] = {
        {PUT "Content-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello",
         "||text/plain|5|2cf24dba\n"},
        {PUT "Content-Length: 5\r\n\r\nhello", "|||5|2cf24dba\n"},
        {PUT
         "Content-Length: 5\r\nContent-Disposition: attachment; filename=\"x/a.txt\"\r\n\r\nhello",
         "|a.txt||5|2cf24dba\n"},
        {PUT "Transfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n",
         "|||5|2cf24dba\n"},
        {PUT "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "|||0|e3b0c442\n"},
        {PUT "Content-Type: image/png\r\nContent-Length: 0\r\n\r\n", "||image/png|0|e3b0c442\n"},
        {PUT "Content-Length: 0\r\n\r\n", ""},
        {PUT "\r\n", ""},
        {PUT "Content-Type: application/json; charset=utf-8\r\nContent-Length: 2\r\n\r\n{}",
         "body {}\n"},
        {FORM "Content-Length: 153\r\n\r\n--b\r\n" CD
              "name=\"f\"; filename=\"a.txt\"\r\nContent-Type: text/x\r\n\r\nhello\r\n--b\r\n" CD
              "name=q\r\n\r\n1\r\n--b--\r\n",
         "f|a.txt|text/x|5|2cf24dba\nq=1\n"},
        {FORM "Transfer-Encoding: chunked\r\n\r\n5a\r\n--b\r\n" CD
              "name=\"params\"\r\nContent-Type: application/json\r\n\r\n{\"a\"\r\na\r\n"
              ":1}\r\n--b--\r\n0\r\n\r\n",
         "params={\"a\":1}\nbody {\"a\":1}\n"},
        {FORM "Content-Length: 5\r\n\r\n--b--", ""},
    };
    begin((HttpOptions){0});
    Link *k = link_open(&live);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        Answer r = link_ask(k, live.arena, cases[i].request);
        if (r.status != 200 || !str_eq_c(r.body, cases[i].want))
            fail_msg("%s\n: %d " STR_FMT, cases[i].request, r.status, STR_ARG(r.body));
    }
    assert_int_equal(live_blob_count(&live), 2);
    link_close(&k);
    live_close(&live);
}

TEST(uploads_that_are_wrong_are_refused)
{
    static const struct {
        const char *request;
        int status;
    } cases[] = {
        {PUT "Content-Length: 2001\r\n\r\n", 413},
        {PUT "Content-Length: 99999999999\r\n\r\nx", 413},
        {PUT "Transfer-Encoding: chunked\r\n\r\nx", 400},
        {FORM "Content-Length: 5\r\n\r\n--b\r\n", 400},
        {FORM "Content-Length: 6\r\n\r\nnothin", 400},
        {"POST /upload HTTP/1.1\r\nHost: a\r\nContent-Type: multipart/form-data\r\nContent-Length: "
         "5\r\n\r\n--b--",
         400},
        {"POST /upload HTTP/1.1\r\nHost: a\r\nContent-Type: multipart/mixed; "
         "boundary=b\r\nContent-Length: 5\r\n\r\n--b--",
         400},
        {"PUT /guarded HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n", 401},
        {"PUT /guarded HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n",
         401},
    };
    begin((HttpOptions){.upload_max = 2000});
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        Link *k = link_open(&live);
        Answer r = link_ask(k, live.arena, cases[i].request);
        if (r.status != cases[i].status)
            fail_msg("%s\n: %d " STR_FMT, cases[i].request, r.status, STR_ARG(r.body));
        assert_true(link_ended(k));
        link_close(&k);
    }
    Link *k = link_open(&live); /* too much, but only seen on the way */
    link_send(k, PUT "Transfer-Encoding: chunked\r\n\r\n");
    for (int i = 0; i < 300; i++)
        link_send(k, "a\r\n0123456789\r\n");
    assert_int_equal(link_answer(k, live.arena).status, 413);
    link_close(&k);
    assert_int_equal(live_blob_count(&live), 0);
    live_close(&live);
}

TEST(guards_come_before_the_body)
{
    begin((HttpOptions){0});
    Link *k = link_open(&live);
    link_send(k, "PUT /guarded HTTP/1.1\r\nHost: a\r\nAuthorization: x\r\nExpect: "
                 "100-continue\r\nContent-Length: 5\r\n\r\n");
    Str line = link_until(k, live.arena, "\r\n\r\n");
    assert_str_equal(line, "HTTP/1.1 100 Continue\r\n\r\n");
    assert_str_equal(link_ask(k, live.arena, "hello").body, "|||5|2cf24dba\n");
    link_close(&k);
    live_close(&live);
}

static void send_form(Link *k, int files, int fields)
{
    static char body[512 * 1024];
    size_t n = 0;
    for (int i = 0; i < files; i++)
        n += (size_t)snprintf(body + n, sizeof body - n,
                              "--b\r\n" CD "name=f; filename=x\r\n\r\nhello\r\n");
    for (int i = 0; i < fields; i++)
        n += (size_t)snprintf(body + n, sizeof body - n, "--b\r\n" CD "name=f\r\n\r\n%d\r\n", i);
    n += (size_t)snprintf(body + n, sizeof body - n, "--b--\r\n");
    char head[256];
    snprintf(head, sizeof head, FORM "Content-Length: %zu\r\n\r\n", n);
    link_send(k, head);
    link_send_bytes(k, body, n);
}

TEST(parts_and_fields_have_a_largest_number)
{
    static const struct {
        int files, fields, status;
    } cases[] = {{1000, 1000, 200}, {1001, 0, 422}, {0, 1001, 422}};
    begin((HttpOptions){0});
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        Link *k = link_open(&live);
        send_form(k, cases[i].files, cases[i].fields);
        assert_int_equal(link_answer(k, live.arena).status, cases[i].status);
        link_close(&k);
    }
    live_close(&live);
}

TEST(fields_have_a_largest_size)
{
    static char field[4096];
    memset(field, 'x', sizeof field);
    begin((HttpOptions){.memory_body_max = 4000});
    Link *k = link_open(&live);
    link_send(k, FORM "Content-Length: 100000\r\n\r\n--b\r\n" CD "name=f\r\n\r\n");
    link_send_bytes(k, field, sizeof field);
    assert_int_equal(link_answer(k, live.arena).status, 413);
    link_close(&k);
    live_close(&live);
}

/* A client that goes away in the middle leaves nothing behind, wherever the cut is. */
TEST(a_cut_upload_leaves_no_blob)
{
    static char piece[600 * 1024];
    memset(piece, 'x', sizeof piece);
    begin((HttpOptions){0});
    for (int round = 0; round < 6; round++) {
        Link *k = link_open(&live);
        link_send(k, round % 2 == 0 ? PUT "Content-Length: 90000000\r\n\r\n"
                                    : FORM "Content-Length: 90000000\r\n\r\n--b\r\n" CD
                                           "name=f; filename=x\r\n\r\n");
        link_send_bytes(k, piece, (size_t)round * 110 * 1024);
        if (round > 3)
            shutdown(k->fd, SHUT_WR);
        link_close(&k);
    }
    Link *k = link_open(&live);
    assert_int_equal(link_ask(k, live.arena, PUT "Content-Length: 5\r\n\r\nhello").status, 200);
    link_close(&k);
    http_close(&live.server, 5000); /* all that was going on has ended */
    assert_int_equal(live_blob_count(&live), 1);
    live_close(&live);
}

TEST(a_slow_upload_is_given_up)
{
    begin((HttpOptions){.body_idle_ms = 200});
    Link *k = link_open(&live);
    Answer r = link_ask(k, live.arena, PUT "Content-Length: 10\r\n\r\nhello");
    assert_int_equal(r.status, 408);
    assert_true(link_ended(k));
    link_close(&k);
    assert_int_equal(live_blob_count(&live), 0);
    live_close(&live);
}

static void *send_slowly(void *link)
{
    static char piece[100 * 1000];
    for (int i = 0; i < 200; i++) {
        memset(piece, 'a' + i % 26, sizeof piece);
        link_send_bytes(link, piece, sizeof piece);
    }
    return NULL;
}

TEST(large_files_go_there_and_back)
{
    begin((HttpOptions){0});
    Link *k = link_open(&live);
    pthread_t sender;
    Err err = {0};
    link_send(k, PUT "Content-Length: 20000000\r\n\r\n");
    assert_ok(thread_start(&sender, "sender", send_slowly, k, &err), &err);
    Answer r = link_answer(k, live.arena);
    pthread_join(sender, NULL);
    assert_true(str_starts(r.body, STR("|||20000000|")));
    Blob blob_found = {0};
    assert_int_equal(live_blob_count(&live), 1);
    Str whole = {arena_alloc_raw(live.arena, 20000000), 20000000};
    for (size_t i = 0; i < whole.len; i++)
        ((char *)whole.ptr)[i] = (char)('a' + (int)(i / 100000) % 26);
    assert_ok(blob_put(live.blobs, whole, &blob_found, &err), &err);
    assert_int_equal(live_blob_count(&live), 1); /* the same bytes */
    char request[256];
    snprintf(request, sizeof request, "GET /blobs/%s HTTP/1.1\r\nHost: a\r\n\r\n", blob_found.hash);
    r = link_ask(k, live.arena, request);
    assert_true(str_eq(r.body, whole));
    link_close(&k);
    live_close(&live);
}

TEST(files_answer_conditions_and_ranges)
{
    static const struct {
        const char *headers;
        int status;
        const char *body, *range;
    } cases[] = {
        {"", 200, "hello", ""},
        {"Range: bytes=1-2\r\n", 206, "el", "bytes 1-2/5"},
        {"Range: bytes=-2\r\n", 206, "lo", "bytes 3-4/5"},
        {"Range: bytes=1-2\r\nIf-Range: \"tag\"\r\n", 206, "el", "bytes 1-2/5"},
        {"Range: bytes=1-2\r\nIf-Range: \"other\"\r\n", 200, "hello", ""},
        {"Range: bytes=1-2\r\nIf-Range: W/\"tag\"\r\n", 200, "hello", ""},
        {"Range: bytes=1-2\r\nIf-Range: Sun, 06 Nov 1994 08:49:37 GMT\r\n", 200, "hello", ""},
        {"Range: bytes=5-\r\n", 416, NULL, "bytes */5"},
        {"Range: bytes=0-1,3-4\r\n", 200, "hello", ""},
        {"If-None-Match: \"x\", W/\"tag\"\r\n", 304, "", ""},
        {"If-None-Match: \"x\"\r\n", 200, "hello", ""},
    };
    begin((HttpOptions){0});
    Blob b = {0};
    Err err = {0};
    assert_ok(blob_put(live.blobs, STR("hello"), &b, &err), &err);
    Link *k = link_open(&live);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char request[512];
        snprintf(request, sizeof request, "GET /blobs/%s HTTP/1.1\r\nHost: a\r\n%s\r\n", b.hash,
                 cases[i].headers);
        Answer r = link_ask(k, live.arena, request);
        if (r.status != cases[i].status ||
            (cases[i].body != NULL && !str_eq_c(r.body, cases[i].body)))
            fail_msg("%s: %d " STR_FMT, cases[i].headers, r.status, STR_ARG(r.body));
        assert_str_equal(answer_header(&r, "Content-Range"), cases[i].range);
        assert_str_equal(answer_header(&r, "ETag"), "\"tag\"");
        if (r.status < 300)
            assert_str_equal(answer_header(&r, "Content-Disposition"),
                             "attachment; filename=\"na_me\"; filename*=UTF-8''na%22me");
    }
    char request[512];
    snprintf(request, sizeof request,
             "HEAD /blobs/%s HTTP/1.1\r\nHost: a\r\nRange: bytes=1-2\r\n\r\n", b.hash);
    link_send(k, request);
    Answer r = link_answer_head(k, live.arena);
    assert_int_equal(r.status, 200);
    assert_str_equal(answer_header(&r, "Content-Length"), "5");
    assert_int_equal(link_ask(k, live.arena, "GET /blobs/x HTTP/1.1\r\nHost: a\r\n\r\n").status,
                     404);
    link_close(&k);
    live_close(&live);
}

TEST_MAIN(bodies_become_blobs, uploads_that_are_wrong_are_refused, guards_come_before_the_body,
          parts_and_fields_have_a_largest_number, fields_have_a_largest_size,
          a_cut_upload_leaves_no_blob, a_slow_upload_is_given_up, large_files_go_there_and_back,
          files_answer_conditions_and_ranges)

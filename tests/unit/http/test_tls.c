#include "live.h"
#include "base/fd.h"

#include <fcntl.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <sys/socket.h>
#include <unistd.h>

#define GET(path) "GET " path " HTTP/1.1\r\nHost: a\r\n\r\n"

static char cert_path[64], key_path[64];
static Live live;
static HttpTicket ticket;
static Gate opened;

/* A certificate for this test alone, signed by itself. */
static void make_certificate(void)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *x = X509_new();
    X509_NAME *name = X509_get_subject_name(x);
    X509_set_version(x, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
    X509_gmtime_adj(X509_getm_notBefore(x), -3600);
    X509_gmtime_adj(X509_getm_notAfter(x), 3600);
    X509_set_pubkey(x, key);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"localhost", -1, -1,
                               0);
    X509_set_issuer_name(x, name);
    assert_true(X509_sign(x, key, EVP_sha256()) > 0);
    snprintf(cert_path, sizeof cert_path, "/tmp/platen-cert-%d.pem", (int)getpid());
    snprintf(key_path, sizeof key_path, "/tmp/platen-key-%d.pem", (int)getpid());
    FILE *f = fopen(cert_path, "w");
    assert_true(f != NULL && PEM_write_X509(f, x) == 1);
    fclose(f);
    f = fopen(key_path, "w");
    assert_true(f != NULL && PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL) == 1);
    fclose(f);
    X509_free(x);
    EVP_PKEY_free(key);
}

static void remove_certificate(void)
{
    unlink(cert_path);
    unlink(key_path);
}

static void echo(HttpRequest *req)
{
    http_answer_text(req, req->tls ? 200 : 500, "application/octet-stream", req->body);
}

static void upload(HttpRequest *req)
{
    http_answer_text(req, 200, "text/plain",
                     str_copy(req->arena, str_from_c(req->uploads[0].blob.hash)));
}

static void blob(HttpRequest *req)
{
    int fd = -1;
    int64_t size = 0;
    Err err = {0};
    if (blob_open(live.blobs, req->params[0], &fd, &size, &err) != OK)
        http_answer_err(req, &err, (Str){0});
    else
        http_answer_file(req, fd, size, STR(""), STR(""), STR(""));
}

static void stream(HttpRequest *req)
{
    ticket = http_stream(req, NULL, NULL);
    gate_open(&opened);
}

static const HttpRoute routes[] = {
    {.method = HTTP_POST, .path = "/echo", .body = BODY_MEMORY, .handler = echo},
    {.method = HTTP_GET, .path = "/loop", .handler = echo, .on_loop = true},
    {.method = HTTP_PUT, .path = "/upload", .body = BODY_UPLOAD, .handler = upload},
    {.method = HTTP_GET, .path = "/blobs/{hash}", .handler = blob},
    {.method = HTTP_GET, .path = "/events", .handler = stream},
};

static void begin(HttpOptions o)
{
    gate_init(&opened);
    make_certificate();
    o.tls_cert = cert_path;
    o.tls_key = key_path;
    o.memory_body_max = 4 * MIB;
    live = live_open(routes, COUNT_OF(routes), o);
}

static void end(void)
{
    live_close(&live);
    remove_certificate();
    gate_done(&opened);
}

TEST(requests_go_through)
{
    enum { SIZE = 3 * 1000 * 1000 };
    begin((HttpOptions){0});
    Link *k = link_open_tls(&live);
    Answer r =
        link_ask(k, live.arena,
                 GET("/loop") "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello");
    assert_int_equal(r.status, 200);
    assert_str_equal(answer_header(&r, "Strict-Transport-Security"), "max-age=31536000");
    assert_str_equal(link_answer(k, live.arena).body, "hello");
    char *bytes = arena_alloc(live.arena, SIZE);
    for (size_t i = 0; i < SIZE; i++)
        bytes[i] = (char)(i * 7 >> 4);
    link_send(k, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3000000\r\n\r\n");
    link_send_bytes(k, bytes, SIZE);
    r = link_answer(k, live.arena);
    assert_true(str_eq(r.body, (Str){bytes, SIZE}));
    link_send(k, "PUT /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 3000000\r\n\r\n");
    link_send_bytes(k, bytes, SIZE);
    r = link_answer(k, live.arena);
    assert_int_equal(r.body.len, BLOB_HASH_LEN);
    char request[256];
    snprintf(request, sizeof request,
             "GET /blobs/%.64s HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", r.body.ptr);
    r = link_ask(k, live.arena, request);
    assert_true(str_eq(r.body, (Str){bytes, SIZE}));
    assert_true(link_ended(k));
    assert_int_equal(SSL_get_shutdown(k->tls) & SSL_RECEIVED_SHUTDOWN,
                     SSL_RECEIVED_SHUTDOWN); /* not just cut */
    link_close(&k);
    end();
}

TEST(streams_go_through)
{
    begin((HttpOptions){0});
    Link *k = link_open_tls(&live);
    link_send(k, GET("/events"));
    assert_int_equal(link_answer_head(k, live.arena).status, 200);
    assert_true(gate_wait(&opened, 1));
    for (int i = 0; i < 50; i++)
        assert_true(http_stream_send(live.server, ticket, STR("data: x\n\n")));
    http_stream_end(live.server, ticket);
    for (int i = 0; i < 50; i++)
        assert_str_equal(link_until(k, live.arena, "\n\n"), "data: x\n\n");
    assert_true(link_ended(k));
    link_close(&k);
    end();
}

TEST(old_and_other_protocols_are_refused)
{
    begin((HttpOptions){.head_timeout_ms = 300});
    Link *plain = link_open(&live);
    link_send(plain, GET("/loop"));
    char alert[64];
    while (recv(plain->fd, alert, sizeof alert, 0) > 0)
        ; /* an alert at most, then the end */
    link_close(&plain);
    Link *silent = link_open(&live);
    assert_true(link_ended(silent)); /* a handshake has its time too */
    link_close(&silent);
    Link *old = link_open(&live);
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_security_level(ctx, 0);
    SSL_CTX_set_min_proto_version(ctx, TLS1_VERSION);
    SSL_CTX_set_max_proto_version(ctx, TLS1_1_VERSION);
    SSL *ssl = SSL_new(ctx);
    SSL_set_fd(ssl, old->fd);
    assert_int_not_equal(SSL_connect(ssl), 1);
    SSL_free(ssl);
    SSL_CTX_free(ctx);
    link_close(&old);
    Link *k = link_open_tls(&live);
    assert_int_equal(link_ask(k, live.arena, GET("/loop")).status, 200);
    link_close(&k);
    end();
}

TEST(certificates_must_fit)
{
    make_certificate();
    static char *const files[][2] = {
        {cert_path, cert_path}, {key_path, key_path}, {"/nowhere", key_path}};
    for (size_t i = 0; i < COUNT_OF(files); i++) {
        HttpServer *s = NULL;
        Err err = {0};
        HttpOptions o = {.listen = "127.0.0.1:0", .tls_cert = files[i][0], .tls_key = files[i][1]};
        assert_int_equal(http_open(&o, &s, &err), ERR_IO);
        assert_null(s);
        assert_true(err.text[0] != 0);
    }
    remove_certificate();
}

TEST_MAIN(requests_go_through, streams_go_through, old_and_other_protocols_are_refused,
          certificates_must_fit)

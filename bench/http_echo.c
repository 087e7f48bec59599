/* http_echo.c: a server with nothing behind it, to measure src/http with wrk and curl.
 *
 *   http_echo [address] [folder]      prints the port; ends at SIGINT or SIGTERM
 *
 *   GET  /json, /loop/json            28 bytes of JSON from the pool, from the loop
 *   POST /park, /loop/park            parks; another thread answers in batches, as the database's
 * writer does PUT  /upload                      raw or multipart; answers the hashes GET
 * /blobs/{hash}                a file GET  /events                      a stream that says nothing
 */
#include "base/clock.h"
#include "http/http.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/thread.h"

typedef struct Waiting {
    struct Waiting *next;
    HttpRequest *req;
} Waiting;

static struct {
    Mutex lock;
    Cond wake;
    Waiting *first, *last;
    bool stop;
    HttpServer *server;
    BlobStore *blobs;
} bench;

static void answer_json(HttpRequest *req)
{
    http_answer_json(req, 200, STR("{\"hello\":\"world\",\"answer\":42}"));
}

static void park(HttpRequest *req)
{
    Waiting *w = arena_new(req->arena, Waiting, 1);
    w->req = req;
    http_answer_json(req, 201, STR("{\"id\":\"job_0r3k\"}"));
    http_park(req);
    MUTEX_HELD(&bench.lock);
    if (bench.first == NULL) {
        bench.first = w;
        cond_signal(&bench.wake);
    } else {
        bench.last->next = w;
    }
    bench.last = w;
}

static void *write_all(void *arg)
{
    (void)arg;
    mutex_lock(&bench.lock);
    while (!bench.stop) {
        if (bench.first == NULL)
            cond_wait(&bench.wake, &bench.lock);
        Waiting *w = bench.first;
        bench.first = NULL;
        mutex_unlock(&bench.lock);
        while (w != NULL) {
            Waiting *next = w->next;
            http_reply(bench.server, w->req);
            w = next;
        }
        mutex_lock(&bench.lock);
    }
    mutex_unlock(&bench.lock);
    return NULL;
}

static void upload(HttpRequest *req)
{
    Buf b = buf_init(req->arena, 256 * KIB);
    JsonOut j = json_out(&b);
    json_begin(&j, '[');
    for (size_t i = 0; i < req->uploads_len; i++)
        json_put_c(&j, req->uploads[i].blob.hash);
    json_end(&j, ']');
    http_answer_json(req, 201, buf_str(&b));
}

static void blob(HttpRequest *req)
{
    int fd = -1;
    int64_t size = 0;
    Err err = {0};
    if (blob_open(bench.blobs, req->params[0], &fd, &size, &err) != OK)
        http_answer_err(req, &err, (Str){0});
    else
        http_answer_file(req, fd, size, STR(""), req->params[0], (Str){0});
}

static void events(HttpRequest *req)
{
    http_stream(req, NULL, NULL);
}

static const HttpRoute routes[] = {
    {.method = HTTP_GET, .path = "/json", .handler = answer_json},
    {.method = HTTP_GET, .path = "/loop/json", .handler = answer_json, .on_loop = true},
    {.method = HTTP_POST, .path = "/park", .body = BODY_MEMORY, .handler = park},
    {.method = HTTP_POST,
     .path = "/loop/park",
     .body = BODY_MEMORY,
     .handler = park,
     .on_loop = true},
    {.method = HTTP_PUT, .path = "/upload", .body = BODY_UPLOAD, .handler = upload},
    {.method = HTTP_POST, .path = "/upload", .body = BODY_UPLOAD, .handler = upload},
    {.method = HTTP_GET, .path = "/blobs/{hash}", .handler = blob},
    {.method = HTTP_GET, .path = "/events", .handler = events},
};

static ErrCode serve(const char *address, const char *dir, Err *err)
{
    HttpOptions o = {.listen = address,
                     .tls_cert = getenv("BENCH_CERT"),
                     .tls_key = getenv("BENCH_KEY"),
                     .upload_max = 64 * (int64_t)GIB,
                     .routes = routes,
                     .routes_len = COUNT_OF(routes)};
    ErrCode rc = dir != NULL ? blob_store_open(dir, false, &bench.blobs, err) : OK;
    o.blobs = bench.blobs;
    if (rc == OK)
        rc = http_open(&o, &bench.server, err);
    return rc;
}

int main(int argc, char **argv)
{
    Err err = {0};
    sigset_t stop;
    sigemptyset(&stop);
    sigaddset(&stop, SIGINT);
    sigaddset(&stop, SIGTERM);
    sigprocmask(SIG_BLOCK, &stop, NULL);
    mutex_init(&bench.lock);
    cond_init(&bench.wake);
    pthread_t writer;
    if (serve(argc > 1 ? argv[1] : "127.0.0.1:0", argc > 2 ? argv[2] : NULL, &err) != OK ||
        thread_start(&writer, "writer", write_all, NULL, &err) != OK) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    printf("%d\n", http_port(bench.server));
    fflush(stdout);
    int signal_no;
    sigwait(&stop, &signal_no);
    http_close(&bench.server, 1000);
    mutex_lock(&bench.lock);
    bench.stop = true;
    cond_signal(&bench.wake);
    mutex_unlock(&bench.lock);
    pthread_join(writer, NULL);
    blob_store_close(&bench.blobs);
    return 0;
}

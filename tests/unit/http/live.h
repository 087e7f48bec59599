/* live.h: a server on a free port of loopback and clients that speak raw bytes. Every read has a
 * time limit, so a server that says nothing fails the test instead of hanging it. */
#ifndef PLATEN_TESTS_HTTP_LIVE_H
#define PLATEN_TESTS_HTTP_LIVE_H

#include "base/thread.h"
#include "http/http.h"
#include "unit/harness.h"

struct ssl_st;

typedef struct Live {
    HttpServer *server;
    BlobStore *blobs;
    char dir[64];
    Arena *arena;
} Live;

typedef struct Link {
    int fd;
    struct ssl_st *tls;
    char bytes[1 << 16]; /* read and not yet looked at */
    size_t len;
} Link;

typedef struct Answer {
    int status;
    Str head, body; /* status line and headers; body by Content-Length */
} Answer;

/* listen, routes and blobs are filled in; the rest of `o` counts. */
Live live_open(const HttpRoute *routes, size_t len, HttpOptions o);
void live_close(Live *l);
int live_blob_count(const Live *l); /* files anywhere below the store */

Link *link_open(const Live *l);
Link *link_open_tls(const Live *l);
void link_close(Link **k);
void link_send(Link *k, const char *text);
void link_send_bytes(Link *k, const void *bytes, size_t size);
/* Exactly `size` more bytes; false when the connection ends before. */
bool link_read(Link *k, void *out, size_t size);
/* Up to and including `end`. */
Str link_until(Link *k, Arena *a, const char *end);
bool link_ended(Link *k); /* the server has closed, and said nothing more */
Answer link_answer(Link *k, Arena *a);
Answer link_answer_head(Link *k, Arena *a); /* of a HEAD request: no body */
/* Send, read the answer. */
Answer link_ask(Link *k, Arena *a, const char *request);
Str answer_header(const Answer *r, const char *name);

/* Something that happens on another thread. */
typedef struct Gate {
    Mutex lock;
    Cond wake;
    int count;
} Gate;
void gate_init(Gate *g);
void gate_done(Gate *g);
void gate_open(Gate *g);            /* count one more */
bool gate_wait(Gate *g, int count); /* until it was opened that often; false after 20 s */

#endif

/* http.h: the HTTP server: strict HTTP/1.1 (RFC 9110, 9112), TLS 1.2+, SSE, WebSocket (RFC 6455).
 *
 *   I/O thread (one loop per core, epoll, SO_REUSEPORT)          request pool (plain blocking handlers)
 *   accept → TLS → parse head → [body in memory] ──────────────►  handler(req)
 *                            └─ [body as stream] ⇄ upload sink ─►  handler(req) when it is all on disk
 *   write the response ◄──── inbox (slot, generation) ◄────────── http_reply / return
 *
 * A connection belongs to one loop for life; other threads post to its inbox by ticket, never by
 * pointer. While a request is with the pool, or its body sink is behind, nothing is read from that
 * descriptor. Idle connections hold no buffers.
 *
 * Handlers are straight-line code on a pool thread. They fill req->res and return. Three other ways
 * to end:
 *   http_park(req)           the handler returns without an answer; later http_reply(ticket, …) or http_resume(ticket)
 *   http_stream(req, …)      the response becomes a stream of events (SSE); http_stream_send(ticket, …) from any thread
 *   http_websocket(req, …)   the connection becomes a WebSocket
 *
 * Refused before any handler sees it, with a problem answer and a closed connection: bare CR or LF,
 * obs-fold, spaces before a colon, control bytes, two Hosts or none, Content-Length with
 * Transfer-Encoding, several or odd lengths, bad chunks, unknown transfer codings, oversized heads,
 * slow heads and bodies, absolute-form targets of another scheme, bad percent-encoding, NUL. */
#ifndef PLATEN_HTTP_HTTP_H
#define PLATEN_HTTP_HTTP_H

#include "base/json.h"
#include "blob/blob.h"

typedef struct HttpServer HttpServer;
typedef struct HttpRequest HttpRequest;

typedef enum HttpMethod {
    HTTP_GET,
    HTTP_HEAD,
    HTTP_POST,
    HTTP_PUT,
    HTTP_PATCH,
    HTTP_DELETE,
    HTTP_OPTIONS
} HttpMethod;

typedef struct HttpHeader {
    Str name, value;
} HttpHeader;

enum { HTTP_PATH_PARAMS_MAX = 4, HTTP_HEADERS_MAX = 100, HTTP_UPLOADS_MAX = 1000 };

/* One file of a multipart or raw upload, already on disk as a blob. */
typedef struct HttpUpload {
    Str field;    /* form field; "" for a raw body */
    Str filename; /* base name as sent, "" when none */
    Str type;     /* Content-Type of the part */
    Blob blob;
} HttpUpload;

typedef struct HttpResponse {
    int status;
    HttpHeader headers[24];
    size_t headers_len;
    Str body;                     /* in the request's arena */
    int file_fd;                  /* >= 0: send this file instead of body; closed by the server */
    int64_t file_from, file_size; /* the part of it to send */
} HttpResponse;

/* Names a request or stream from any thread, for as long as it lives; stale tickets are ignored. */
typedef struct HttpTicket {
    uint32_t loop, slot;
    uint64_t generation;
} HttpTicket;

struct HttpRequest {
    HttpMethod method;
    Str path;  /* decoded, without query; never contains NUL, "//" or dot segments */
    Str query; /* raw */
    const HttpHeader *headers;
    size_t headers_len;
    Str params[HTTP_PATH_PARAMS_MAX]; /* what {…} of the route matched, decoded */
    Str body; /* BODY_MEMORY, and the JSON part of a BODY_UPLOAD with application/json */
    const HttpHeader *form; /* small form fields of multipart, name and value */
    size_t form_len;
    const HttpUpload *uploads;
    size_t uploads_len;
    char trace[33]; /* 32 hex digits: from traceparent, or new */
    char peer[64];  /* address of the other side */
    bool tls;
    Arena *arena; /* gone when the answer is written */
    HttpResponse res;
    HttpTicket ticket;
    void *user;  /* the route's ctx */
    void *state; /* for a handler that parks: kept until it is resumed */
};

typedef enum HttpBody {
    BODY_NONE,   /* a body is refused */
    BODY_MEMORY, /* up to memory_body_max, into req->body */
    BODY_UPLOAD, /* multipart/form-data, or any raw type: streamed to blobs (application/json: as
                    BODY_MEMORY) */
} HttpBody;

typedef void (*HttpHandler)(HttpRequest *req);

typedef struct HttpRoute {
    HttpMethod method;
    const char
        *path; /* "/api/v1/jobs/{id}"; {name} matches one segment, {name...} at the end the rest */
    HttpBody body;
    HttpHandler handler;
    /* For BODY_UPLOAD: called on a pool thread after the head, before any of the body is read:
     * authorise, refuse early. True to go on; otherwise it has filled req->res and the connection
     * closes. Also called for the others, before handler. A client that leaves in the middle leaves
     * no blob of the file it was sending; the whole files of earlier parts stay until the sweep. */
    bool (*guard)(HttpRequest *req);
    void *user;
    /* The handler (and guard) provably never block: no disk, no database read, no lock held for
     * long. They run on the loop's thread, without the pool. For tiny answers and for hot paths
     * that check, hand their write to the writer and park. */
    bool on_loop;
} HttpRoute;

typedef struct HttpOptions {
    const char *listen;                              /* "127.0.0.1:8080", "[::1]:0", port 0: any */
    const char *tls_cert, *tls_key;                  /* PEM files; NULL: plain */
    int loops;                                       /* 0: one per core, at most 4 */
    int pool_threads;                                /* 0: 8 */
    size_t head_max;                                 /* 0: 32 KiB */
    size_t memory_body_max;                          /* 0: 1 MiB */
    int64_t upload_max;                              /* bytes per request; 0: 1 GiB */
    int head_timeout_ms, body_idle_ms, keepalive_ms; /* 0: 10 s, 30 s, 75 s */
    int connections_max;                             /* 0: 10,000 */
    BlobStore *blobs;                                /* where uploads go */
    const HttpRoute *routes;
    size_t routes_len;
    /* Takes GET and HEAD of every path that no route has; `path` is not looked at. NULL: a plain 404
     * problem, as for all other methods. */
    const HttpRoute *fallback;
    /* Metrics; NULL: none. On the loop's thread when the answer is written; must not block. us:
     * since the head was there. */
    void (*observe)(const HttpRequest *req, int status, int64_t us);
} HttpOptions;

/* Bind, listen, start loops and pool. ERR_IO with the address when it cannot be bound. */
MUST_CHECK ErrCode http_open(const HttpOptions *o, HttpServer **out, Err *err);
int http_port(const HttpServer *s);
/* Stop accepting, end streams and sockets, let running requests end (at most grace_ms), close.
 * Waits for handlers and for other threads' calls that have begun; nobody may use `s`, or a request
 * parked by owner, once it has returned. */
void http_close(HttpServer **s, int grace_ms);

Str http_header(const HttpRequest *req, const char *name); /* "" when absent; case-insensitive */
Str http_query(const HttpRequest *req, const char *name,
               Arena *a); /* decoded; .ptr NULL when absent */
/* Walk all query parameters, decoded: size_t at = 0; while (http_query_next(req, &at, &name,
 * &value)) … */
bool http_query_next(const HttpRequest *req, size_t *at, Str *name, Str *value);

/* Replaces a header of this name, but for Set-Cookie and Link. `name` is a constant; value lives as
 * long as the request. Lengths, Date and Connection are the server's; a value with control bytes is
 * left out. The security headers, Cache-Control (no-store) and Content-Security-Policy are there by
 * default and can be set to something else. */
void http_set_header(HttpRequest *req, const char *name, Str value);
void http_answer_json(HttpRequest *req, int status, Str json);
void http_answer_text(HttpRequest *req, int status, const char *type, Str body);
/* RFC 9457 application/problem+json: type, title, status, reason, detail, hint, trace, param;
 * `extra` (NULL allowed) is a list of {"param","detail"} shown as "errors". Adds Retry-After for
 * RETRY_AFTER reasons. */
void http_answer_err(HttpRequest *req, const Err *err, Str errors_json);
/* Is `etag` (without quotes) in an If-None-Match: "a", W/"b", or *? */
bool http_etag_listed(Str list, Str etag);
/* A blob with ETag, Range (single), If-None-Match, If-Range, Content-Disposition. Takes the
 * descriptor. */
void http_answer_file(HttpRequest *req, int fd, int64_t size, Str type, Str etag,
                      Str download_name);

/* The handler returns without an answer; req stays alive (memory, uploads) until it is resumed or
 * the client goes away. */
HttpTicket http_park(HttpRequest *req);
/* Run `handler` on the pool with the parked request. Ignored when it is gone. From any thread. */
void http_resume(HttpServer *s, HttpTicket t, HttpHandler handler);
/* Send req->res of a parked request, filled beforehand or by the thread that now owns it (hot path:
 * the writer's done()). The request must not be touched afterwards. From any thread. */
void http_reply(HttpServer *s, HttpRequest *req);
/* Called once when a parked request's client goes away or a stream ends, on the loop's thread; must
 * not block. */
void http_on_gone(HttpRequest *req, void (*fn)(void *ctx, HttpTicket t), void *ctx);

/* SSE: sends the head now; the request's memory is freed when the handler returns. `gone` is called
 * exactly once, on the loop's thread, after which the ticket is stale; it must not block. Events
 * may be sent as soon as the ticket is known. */
HttpTicket http_stream(HttpRequest *req, void (*gone)(void *ctx, HttpTicket t), void *ctx);
/* Queue bytes ("id: 7\nevent: job.done\ndata: {…}\n\n"). False: the ticket is stale, or the reader
 * was too slow (256 KiB unsent) and is dropped. The server sends a comment every 15 s by itself. */
bool http_stream_send(HttpServer *s, HttpTicket t, Str bytes);
void http_stream_end(HttpServer *s, HttpTicket t);

/* WebSocket: answers the upgrade. Refused (not an upgrade): the ticket's generation is 0 and the
 * handler is never called. `message` runs on a pool thread, one at a time per connection. */
typedef struct HttpSocketHandler {
    void (*message)(void *ctx, HttpTicket t, bool text, Str payload);
    void (*gone)(void *ctx, HttpTicket t);
    void *ctx;
    size_t message_max; /* 0: 64 KiB */
} HttpSocketHandler;
HttpTicket http_websocket(HttpRequest *req, const HttpSocketHandler *h);
bool http_socket_send(HttpServer *s, HttpTicket t, bool text, Str payload);
void http_socket_close(HttpServer *s, HttpTicket t, int code);

typedef struct HttpStats {
    int64_t connections, streams, sockets, requests, refused, bytes_in, bytes_out, pool_waiting;
} HttpStats;
HttpStats http_stats(HttpServer *s);
HttpServer *http_server(const HttpRequest *req);

#endif

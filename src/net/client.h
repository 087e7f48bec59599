/* client.h: outbound HTTP by libcurl, blocking, for the command line's talk with a server.
 *
 * Threads: net_open once per thread that uses it. A NetClient keeps its connection between
 * requests. */
#ifndef PLATEN_NET_CLIENT_H
#define PLATEN_NET_CLIENT_H

#include "base/buf.h"
#include "base/err.h"

typedef struct NetClient NetClient;

/* `base_url` "http://127.0.0.1:8080" (no slash at the end), `key` for Authorization: Bearer or "".
 * Copied. */
MUST_CHECK ErrCode net_open(Str base_url, Str key, NetClient **out, Err *err);
void net_close(NetClient **c);

typedef struct NetFile {
    const char *path; /* streamed from disk */
    Str field, name;
} NetFile;

typedef struct NetRequest {
    const char *method;   /* "GET" … */
    const char *accept;   /* media type; NULL: any */
    Str path;             /* with query: "/api/v1/jobs?limit=5" */
    Str json;             /* body, "" none */
    const char *type;     /* of that body; NULL: application/json */
    const NetFile *files; /* not NULL: multipart/form-data with these files and the form fields */
    size_t files_len;
    const Str *form; /* name, value, name, value … */
    size_t form_len; /* number of pairs */
    int out_fd;      /* > 0: a successful body goes here instead of NetResponse.body */
    size_t body_max; /* 0: 64 MiB */
    int timeout_s;   /* 0: 120 */
    /* Called with each piece of the body as it comes (event streams); false ends the request
     * without an error. */
    bool (*piece)(void *ctx, Str bytes);
    void *ctx;
} NetRequest;

typedef struct NetResponse {
    int status;
    Str body; /* in the arena given */
} NetResponse;

/* Any HTTP answer is OK, also 4xx and 5xx; ERR_UNREACHABLE when there was none. */
MUST_CHECK ErrCode net_send(NetClient *c, Arena *a, const NetRequest *r, NetResponse *out,
                            Err *err);

#endif

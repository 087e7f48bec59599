/* outbound.h: requests to servers of other people: webhooks, pushes, bridges.
 *
 *   Outbound *o;  outbound_open(&(OutboundOptions){.allow_private = "127.0.0.0/8"}, &o, err)
 *   outbound_send(o, arena, &(OutboundRequest){.method = "POST", .url = url, …}, &answer, err)
 *
 * The guard: an address is looked up once; those in loopback, private, link-local, carrier, multicast,
 * documentation and metadata ranges are refused (v4, v6, and v4 inside of v6: mapped, compatible,
 * NAT64, 6to4, Teredo) unless `allow_private` names their range; the connection goes to the very
 * address that was checked. Only http and https, no user or password in the URL, no redirects, no
 * proxy of the environment.
 *
 * One Outbound per thread; it keeps connections between requests. Blocking: lookups end with the
 * time limit too. Threads: different objects from different threads. */
#ifndef PLATEN_NET_OUTBOUND_H
#define PLATEN_NET_OUTBOUND_H

#include "base/buf.h"
#include "base/err.h"

#include <stdatomic.h>
#include <sys/socket.h>

enum {
    OUTBOUND_URL_MAX = 2048,
    OUTBOUND_BODY_MAX = 64 * 1024, /* of an answer, when the request does not say */
    OUTBOUND_CONNECT_MS = 10000,
    OUTBOUND_TOTAL_MS = 30000
};

typedef struct Outbound Outbound;

typedef struct OutboundOptions {
    const char *allow_private; /* ranges joined by commas: "127.0.0.0/8,10.1.2.3,fd00::/8"; NULL */
    const char *user_agent;    /* NULL: "platen/VERSION" */
} OutboundOptions;

/* ERR_USAGE: a range is none. */
MUST_CHECK ErrCode outbound_open(const OutboundOptions *options, Outbound **out, Err *err);
void outbound_close(Outbound **o);

typedef struct OutboundRequest {
    const char *method; /* "GET", "POST", "PUT", "DELETE" */
    Str url;
    const Str *headers; /* whole lines, "webhook-id: msg_1" */
    size_t headers_len;
    Str body;        /* .ptr NULL: none */
    size_t body_max; /* of the answer; 0: OUTBOUND_BODY_MAX. What is above it is cut off */
    int64_t connect_ms, total_ms; /* 0: the defaults */
    const atomic_bool *stop;      /* NULL allowed; set: the request ends with ERR_SHUTTING_DOWN */
    /* AWS Signature Version 4, of requests without a body: "aws:amz:eu-central-1:s3", with the two
     * keys; the query must be in the order of the alphabet. NULL: none. */
    const char *aws_sigv4;
    Str access_key, secret_key;
    /* A successful body goes here piece by piece instead of into the answer; false: the request
     * ends with ERR_IO. NULL: into the answer. */
    bool (*piece)(void *ctx, Str bytes);
    void *piece_ctx;
} OutboundRequest;

typedef struct OutboundAnswer {
    int status;             /* 100 … 599 */
    Str body, content_type; /* in the arena given */
    bool cut;               /* the body was longer */
    int64_t retry_after_ms; /* 0: not said */
    int64_t took_ms;
} OutboundAnswer;

/* Any answer is OK, also 3xx, 4xx and 5xx. ERR_BAD_PARAM: the URL; ERR_ADDRESS_REFUSED: the guard;
 * ERR_UNREACHABLE: no answer (in time); ERR_SHUTTING_DOWN: *stop. */
MUST_CHECK ErrCode outbound_send(Outbound *o, Arena *a, const OutboundRequest *r,
                                 OutboundAnswer *out, Err *err);
/* What an answer means for one who wanted 2xx: OK, ERR_REMOTE_FAILED (408, 425, 429 and 5xx: may
 * work later) or ERR_REMOTE_REFUSED (everything else). */
ErrCode outbound_verdict(const OutboundAnswer *answer, Err *err);

/* The form alone, without looking the host up: ERR_BAD_PARAM; ERR_ADDRESS_REFUSED for a number that
 * the guard refuses. For checking what people enter. */
MUST_CHECK ErrCode outbound_check_url(const Outbound *o, Str url, Err *err);
/* "120", or a date of HTTP; 0: neither, or in the past. At most a day. */
int64_t outbound_retry_after_ms(Str value, int64_t now_ms);
/* May a connection be made to this address? */
bool outbound_allows(const Outbound *o, const struct sockaddr *address);

#endif

#include "net/outbound.h"
#include "base/clock.h"
#include "base/fault.h"
#include "net/guard.h"
#include "net/net_in.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct Outbound {
    CURL *curl;
    Guard guard;
    char user_agent[64];
    bool refused; /* the guard has refused an address of this request */
};

typedef struct Receiver {
    Buf body;
    size_t max;
    bool cut;
    const atomic_bool *stop;
    const OutboundRequest *request;
    CURL *curl;
    const char *access_key, *secret_key;
} Receiver;

void outbound_close(Outbound **o)
{
    if (*o == NULL)
        return;
    curl_easy_cleanup((*o)->curl);
    free(*o);
    *o = NULL;
}

ErrCode outbound_open(const OutboundOptions *options, Outbound **out, Err *err)
{
    net_start_curl();
    CLEANUP(outbound_close) Outbound *o = fault_hit("outbound.open") ? NULL : calloc(1, sizeof *o);
    if (o != NULL)
        o->curl = curl_easy_init();
    if (o == NULL || o->curl == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for an HTTP client");
    ErrCode rc = guard_read(options->allow_private, &o->guard, err);
    if (rc != OK)
        return rc;
    snprintf(o->user_agent, sizeof o->user_agent, "%s",
             options->user_agent != NULL ? options->user_agent : "platen/" PLATEN_VERSION);
    *out = o;
    o = NULL;
    return OK;
}

bool outbound_allows(const Outbound *o, const struct sockaddr *address)
{
    return guard_allows(&o->guard, address);
}

/* --- the URL --- */

static ErrCode bad_url(Err *err, const char *why)
{
    err_set(err, ERR_BAD_PARAM, "%s", why);
    err_param(err, "url");
    return ERR_BAD_PARAM;
}

static bool has_part(CURLU *u, CURLUPart part)
{
    char *text = NULL;
    bool has = curl_url_get(u, part, &text, 0) == CURLUE_OK && text != NULL;
    curl_free(text);
    return has;
}

/* A host that is a number already can be judged without asking anybody. */
static ErrCode check_number(const Outbound *o, CURLU *u, Err *err)
{
    char *host = NULL;
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } at = {0};
    if (curl_url_get(u, CURLUPART_HOST, &host, 0) != CURLUE_OK)
        return bad_url(err, "the URL has no host");
    Str name = str_from_c(host);
    char bare[INET6_ADDRSTRLEN] = "";
    bool number = false;
    if (name.len > 2 && name.ptr[0] == '[' && name.len - 2 < sizeof bare) {
        memcpy(bare, name.ptr + 1, name.len - 2);
        at.v6.sin6_family = AF_INET6;
        number = inet_pton(AF_INET6, bare, &at.v6.sin6_addr) == 1;
    } else {
        at.v4.sin_family = AF_INET;
        number = inet_pton(AF_INET, host, &at.v4.sin_addr) == 1;
    }
    ErrCode rc = OK;
    if (number && !outbound_allows(o, &at.any)) {
        rc = err_set(err, ERR_ADDRESS_REFUSED, "%.100s is not an address on the public internet",
                     host);
        err_param(err, "url");
    }
    curl_free(host);
    return rc;
}

static ErrCode check_parts(const Outbound *o, CURLU *u, Str url, Err *err)
{
    char text[OUTBOUND_URL_MAX + 1];
    memcpy(text, url.ptr, url.len);
    text[url.len] = 0;
    CURLUcode rc =
        curl_url_set(u, CURLUPART_URL, text, CURLU_DISALLOW_USER | CURLU_NON_SUPPORT_SCHEME);
    if (rc == CURLUE_USER_NOT_ALLOWED || has_part(u, CURLUPART_USER))
        return bad_url(err, "a URL must not have a user or a password in it");
    if (rc != CURLUE_OK)
        return bad_url(err, "the URL is not well-formed");
    char *scheme = NULL;
    bool http = curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
                (strcmp(scheme, "http") == 0 || strcmp(scheme, "https") == 0);
    curl_free(scheme);
    return http ? check_number(o, u, err)
                : bad_url(err, "only http:// and https:// URLs are called");
}

ErrCode outbound_check_url(const Outbound *o, Str url, Err *err)
{
    if (url.len == 0 || url.len > OUTBOUND_URL_MAX)
        return bad_url(err, url.len == 0 ? "the URL is empty" : "the URL is too long");
    for (size_t i = 0; i < url.len; i++)
        if ((unsigned char)url.ptr[i] <= ' ' || (unsigned char)url.ptr[i] == 0x7f)
            return bad_url(err, "the URL has a blank or a control character in it");
    CURLU *u = curl_url();
    ErrCode rc = u == NULL ? err_set(err, ERR_NO_MEMORY, "no memory for a URL")
                           : check_parts(o, u, url, err);
    curl_url_cleanup(u);
    return rc;
}

/* --- a request --- */

/* libcurl asks for a socket to the address it has looked up and is about to connect to. */
static curl_socket_t open_socket(void *ctx, curlsocktype purpose, struct curl_sockaddr *to)
{
    Outbound *o = ctx;
    (void)purpose;
    if (!outbound_allows(o, &to->addr)) {
        o->refused = true;
        return CURL_SOCKET_BAD;
    }
    return socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
}

#define EMPTY_SHA256 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static size_t receive(char *bytes, size_t size, size_t count, void *ctx)
{
    Receiver *r = ctx;
    size_t n = size * count, room = r->max - r->body.len;
    long status = 0;
    if (r->request->piece != NULL) {
        curl_easy_getinfo(r->curl, CURLINFO_RESPONSE_CODE, &status);
        if (status >= 200 && status < 300)
            return r->request->piece(r->request->piece_ctx, (Str){bytes, n}) ? n : 0;
    }
    r->cut = n > room;
    buf_add(&r->body, (Str){bytes, r->cut ? room : n});
    return r->cut || r->body.failed ? 0 : n;
}

static int look_at_stop(void *ctx, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    const Receiver *r = ctx;
    (void)a, (void)b, (void)c, (void)d;
    return r->stop != NULL && atomic_load(r->stop);
}

static ErrCode build_headers(Arena *a, const OutboundRequest *r, struct curl_slist **out, Err *err)
{
    /* libcurl signs each header of this list, so one that only keeps another away must not be in it:
     * a signed request (a GET) has no Expect anyway. The service wants the hash of the body, none. */
    const char *first = r->aws_sigv4 == NULL ? "Expect:" : "x-amz-content-sha256: " EMPTY_SHA256;
    struct curl_slist *list = curl_slist_append(NULL, first), *longer = list;
    for (size_t i = 0; longer != NULL && i < r->headers_len; i++) {
        const char *line = str_to_c(a, r->headers[i]);
        bool one_line = line != NULL && strpbrk(line, "\r\n") == NULL;
        longer = one_line ? curl_slist_append(list, line) : NULL;
    }
    *out = list;
    return longer != NULL ? OK : err_set(err, ERR_NO_MEMORY, "could not build the headers");
}

static void set_up(Outbound *o, const OutboundRequest *r, const char *url, Receiver *to)
{
    CURL *c = o->curl;
    curl_easy_reset(c);
    curl_easy_setopt(c, CURLOPT_URL, url);
    curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(c, CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
    curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(c, CURLOPT_PROXY, ""); /* also none of the environment */
    curl_easy_setopt(c, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(c, CURLOPT_USERAGENT, o->user_agent);
    curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS,
                     (long)(r->connect_ms > 0 ? r->connect_ms : OUTBOUND_CONNECT_MS));
    curl_easy_setopt(c, CURLOPT_TIMEOUT_MS,
                     (long)(r->total_ms > 0 ? r->total_ms : OUTBOUND_TOTAL_MS));
    curl_easy_setopt(c, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    curl_easy_setopt(c, CURLOPT_OPENSOCKETDATA, o);
    curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, receive);
    curl_easy_setopt(c, CURLOPT_WRITEDATA, to);
    curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, look_at_stop);
    curl_easy_setopt(c, CURLOPT_XFERINFODATA, to);
    if (r->aws_sigv4 != NULL) {
        curl_easy_setopt(c, CURLOPT_AWS_SIGV4, r->aws_sigv4);
        curl_easy_setopt(c, CURLOPT_USERNAME, to->access_key);
        curl_easy_setopt(c, CURLOPT_PASSWORD, to->secret_key);
    }
    if (r->body.ptr != NULL) {
        curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->body.len);
        curl_easy_setopt(c, CURLOPT_POSTFIELDS, r->body.ptr);
    }
    curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, r->method);
}

static void read_answer(Outbound *o, Arena *a, const Receiver *to, OutboundAnswer *out)
{
    long status = 0;
    char *type = NULL;
    curl_off_t took_us = 0;
    struct curl_header *after = NULL;
    curl_easy_getinfo(o->curl, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(o->curl, CURLINFO_CONTENT_TYPE, &type);
    curl_easy_getinfo(o->curl, CURLINFO_TOTAL_TIME_T, &took_us);
    *out = (OutboundAnswer){.status = (int)status,
                            .body = buf_str(&to->body),
                            .content_type = str_copy(a, str_from_c(type)),
                            .cut = to->cut,
                            .took_ms = took_us / 1000};
    if (curl_easy_header(o->curl, "retry-after", 0, CURLH_HEADER, -1, &after) == CURLHE_OK)
        out->retry_after_ms = outbound_retry_after_ms(str_from_c(after->value), clock_now_ms());
}

static ErrCode perform(Outbound *o, Arena *a, const OutboundRequest *r, Receiver *to,
                       OutboundAnswer *out, Err *err)
{
    char why[CURL_ERROR_SIZE] = "";
    curl_easy_setopt(o->curl, CURLOPT_ERRORBUFFER, why);
    o->refused = false;
    CURLcode rc = fault_hit("outbound.send") ? CURLE_COULDNT_CONNECT : curl_easy_perform(o->curl);
    curl_easy_setopt(o->curl, CURLOPT_ERRORBUFFER, NULL);
    if (rc == CURLE_OK || to->cut) {
        read_answer(o, a, to, out);
        return OK;
    }
    if (rc == CURLE_ABORTED_BY_CALLBACK)
        return err_set(err, ERR_SHUTTING_DOWN, "the request was given up");
    if (o->refused)
        return err_set(err, ERR_ADDRESS_REFUSED,
                       "the host's address is not on the public internet");
    if (rc == CURLE_WRITE_ERROR && r->piece != NULL)
        return err_set(err, ERR_IO, "the answer could not be taken");
    if (to->body.failed)
        return err_set(err, ERR_NO_MEMORY, "no memory for the answer");
    return err_set(err, ERR_UNREACHABLE, "%s: %s", r->method,
                   why[0] != 0 ? why : curl_easy_strerror(rc));
}

ErrCode outbound_send(Outbound *o, Arena *a, const OutboundRequest *r, OutboundAnswer *out,
                      Err *err)
{
    ErrCode rc = outbound_check_url(o, r->url, err);
    if (rc != OK)
        return rc;
    size_t max = r->body_max > 0 ? r->body_max : OUTBOUND_BODY_MAX;
    Receiver to = {.body = buf_init(a, max),
                   .max = max,
                   .stop = r->stop,
                   .request = r,
                   .curl = o->curl,
                   .access_key = str_to_c(a, r->access_key),
                   .secret_key = str_to_c(a, r->secret_key)};
    const char *url = str_to_c(a, r->url);
    struct curl_slist *headers = NULL;
    if (url == NULL || to.access_key == NULL || to.secret_key == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for the request");
    rc = build_headers(a, r, &headers, err);
    if (rc == OK) {
        set_up(o, r, url, &to);
        curl_easy_setopt(o->curl, CURLOPT_HTTPHEADER, headers);
        rc = perform(o, a, r, &to, out, err);
    }
    curl_easy_reset(o->curl); /* nothing of this request is left in it but the connection */
    curl_slist_free_all(headers);
    return rc;
}

/* --- the answer --- */

int64_t outbound_retry_after_ms(Str value, int64_t now_ms)
{
    static const int64_t day_ms = INT64_C(24) * 3600 * 1000;
    char text[64];
    int64_t ms = 0, seconds;
    value = str_trim(value);
    if (str_to_i64(value, &seconds)) {
        ms = seconds < 24 * 3600 ? seconds * 1000 : day_ms;
    } else if (value.len < sizeof text) {
        memcpy(text, value.ptr, value.len);
        text[value.len] = 0;
        time_t at = curl_getdate(text, NULL);
        ms = at > 0 ? (int64_t)at * 1000 - now_ms : 0;
    }
    return ms < 0 ? 0 : ms > day_ms ? day_ms : ms;
}

ErrCode outbound_verdict(const OutboundAnswer *answer, Err *err)
{
    int s = answer->status;
    if (s >= 200 && s < 300)
        return OK;
    bool later = s >= 500 || s == 408 || s == 425 || s == 429;
    return err_set(err, later ? ERR_REMOTE_FAILED : ERR_REMOTE_REFUSED, "the answer was status %d",
                   s);
}

/* write.c: an answer on its way out. */
#include "base/clock.h"
#include "base/fault.h"
#include "base/fd.h"
#include "base/log.h"
#include "http/http_in.h"
#include "http/trace_in.h"

#include <errno.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

enum { REFUSALS_LOGGED_PER_SECOND = 10, FILE_AT_ONCE = 1 << 20, TLS_RECORD = 16 * 1024 };

/* --- what is sent --- */

static void head_of(HttpLoop *l, HttpExchange *ex)
{
    Buf b = {.ptr = l->head_out, .cap = sizeof l->head_out, .ceiling = sizeof l->head_out};
    http_head_text(l, ex, &b);
    if (b.failed) { /* unusually long headers */
        b = buf_init(ex->req.arena, 256 * KIB);
        http_head_text(l, ex, &b);
    }
    ex->out_head = b.failed ? (Str){0} : buf_str(&b);
}

/* With TLS one record is better than two; writev does it without. */
static void join_small(HttpLoop *l, HttpExchange *ex)
{
    if (ex->out_head.ptr != l->head_out || ex->out_body.len > sizeof l->head_out - ex->out_head.len)
        return;
    if (ex->out_body.len > 0)
        memcpy(l->head_out + ex->out_head.len, ex->out_body.ptr, ex->out_body.len);
    ex->out_head.len += ex->out_body.len;
    ex->out_body.len = 0;
}

void http_respond(HttpLoop *l, HttpConn *c)
{
    HttpExchange *ex = c->ex;
    HttpResponse *res = &ex->req.res;
    if (ex->unread_body || l->closing ||
        atomic_load_explicit(&l->server->closing, memory_order_relaxed))
        ex->keep_alive = false;
    bool bodiless = ex->req.method == HTTP_HEAD || res->status == 204 || res->status == 304;
    http_out_free(l, c); /* whatever was sent to it as to a stream */
    head_of(l, ex);
    ex->out_body = bodiless || res->file_fd >= 0 ? (Str){0} : res->body;
    if (bodiless)
        fd_close(&res->file_fd);
    if (ex->out_head.len == 0) {
        http_conn_state(l, c, CONN_WRITE);
        http_conn_close(l, c);
        return;
    }
    if (c->tls != NULL)
        join_small(l, ex);
    http_conn_state(l, c, CONN_WRITE);
    while (http_write_step(l, c) && c->state == CONN_WRITE)
        ; /* while the head is still in the loop's buffer */
}

static void log_refusal(HttpLoop *l, const HttpConn *c, const char *why)
{
    int64_t s = l->now_us / 1000000;
    if (s != l->refused_s) {
        l->refused_s = s;
        l->refused_logged = 0;
    }
    if (l->refused_logged++ < REFUSALS_LOGGED_PER_SECOND)
        LOG(WARN, HTTP_REFUSED, KV("peer", str_from_c(c->peer)), KV("why", why));
}

void http_refuse(HttpLoop *l, HttpConn *c, int status, ErrCode code, const char *why)
{
    HttpExchange *ex = c->ex;
    Err err = {0};
    err_set(&err, code, "%s", why);
    http_count(&l->n.refused, 1);
    log_refusal(l, c, why);
    if (ex->req.trace[0] == 0)
        http_trace_new(l, ex->req.trace);
    ex->req.method = ex->parse.method;
    http_problem(&ex->req, status, &err, (Str){0});
    ex->unread_body = true;
    http_respond(l, c);
}

/* --- the end of an answer --- */

static bool done(HttpLoop *l, HttpConn *c)
{
    HttpExchange *ex = c->ex;
    bool keep = ex->keep_alive;
    bool unread = ex->unread_body || c->in.len > 0 ||
                  c->readable; /* closing on unread bytes would send a reset */
    if (l->server->o.observe != NULL && ex->req.headers != NULL)
        l->server->o.observe(&ex->req, ex->req.res.status, clock_mono_us() - ex->started_us);
    http_exchange_close(l, ex);
    if (keep) {
        http_conn_state(l, c, CONN_HEAD);
        return true;
    }
    if (!unread) {
        http_conn_close(l, c);
        return false;
    }
    http_conn_linger(l, c);
    return true;
}

/* --- steps --- */

/* Bytes of `n` that were sent, off the front of both. */
static void sent(HttpExchange *ex, size_t n)
{
    size_t of_head = n < ex->out_head.len ? n : ex->out_head.len;
    ex->out_head = str_slice(ex->out_head, of_head, ex->out_head.len);
    ex->out_body = str_slice(ex->out_body, n - of_head, ex->out_body.len);
}

static ssize_t write_both(HttpLoop *l, HttpConn *c)
{
    HttpExchange *ex = c->ex;
    Str first = ex->out_head.len > 0 ? ex->out_head : ex->out_body;
    if (c->tls != NULL || ex->out_head.len == 0 || ex->out_body.len == 0)
        return http_conn_write(l, c, first.ptr, first.len);
    struct iovec parts[2] = {{(char *)ex->out_head.ptr, ex->out_head.len},
                             {(char *)ex->out_body.ptr, ex->out_body.len}};
    struct msghdr m = {.msg_iov = parts, .msg_iovlen = 2};
    ssize_t n;
    do
        n = fault_hit("http.write") ? (errno = EPIPE, -1) : sendmsg(c->fd, &m, MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    if (n < (ssize_t)(parts[0].iov_len + parts[1].iov_len))
        c->writable = false;
    http_count(&l->n.bytes_out, n > 0 ? n : 0);
    return n < 0 && errno == EAGAIN ? 0 : n;
}

/* TLS encrypts in our memory, so the file has to come there. Nothing is lost when a record cannot
 * be sent: it is read again. */
static ssize_t send_file_tls(HttpLoop *l, HttpConn *c)
{
    HttpResponse *res = &c->ex->req.res;
    size_t want = res->file_size < TLS_RECORD ? (size_t)res->file_size : TLS_RECORD;
    ssize_t n = pread(res->file_fd, l->scratch, want, res->file_from);
    if (n <= 0)
        return -1;
    n = http_conn_write(l, c, l->scratch, (size_t)n);
    if (n > 0) {
        res->file_from += n;
        res->file_size -= n;
    }
    return n;
}

static ssize_t send_file(HttpLoop *l, HttpConn *c)
{
    HttpResponse *res = &c->ex->req.res;
    if (c->tls != NULL)
        return send_file_tls(l, c);
    size_t want = res->file_size < FILE_AT_ONCE ? (size_t)res->file_size : FILE_AT_ONCE;
    off_t at = res->file_from;
    ssize_t n =
        fault_hit("http.sendfile") ? (errno = EIO, -1) : sendfile(c->fd, res->file_fd, &at, want);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
        c->writable = errno == EINTR;
        return 0;
    }
    if (n <= 0)
        return -1; /* also a file that has become shorter: what was promised cannot be sent */
    res->file_from += n;
    res->file_size -= n;
    http_count(&l->n.bytes_out, n);
    return n;
}

/* The loop's head buffer belongs to the next answer: keep what is left of ours. */
static bool keep_head(HttpLoop *l, HttpExchange *ex)
{
    if (ex->out_head.len == 0 || ex->out_head.ptr < l->head_out ||
        ex->out_head.ptr >= l->head_out + sizeof l->head_out)
        return true;
    ex->out_head = str_copy(ex->req.arena, ex->out_head);
    return ex->out_head.ptr != NULL;
}

bool http_write_step(HttpLoop *l, HttpConn *c)
{
    HttpExchange *ex = c->ex;
    bool text = ex->out_head.len + ex->out_body.len > 0;
    if (!text && (ex->req.res.file_fd < 0 || ex->req.res.file_size == 0))
        return done(l, c);
    ssize_t n = !c->writable ? 0 : text ? write_both(l, c) : send_file(l, c);
    if (n > 0) {
        c->since_us = l->now_us;
        if (text)
            sent(ex, (size_t)n);
    }
    if (n < 0 || (n == 0 && !keep_head(l, ex))) {
        http_conn_close(l, c);
        return false;
    }
    return n > 0;
}

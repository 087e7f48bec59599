/* input.c: bytes on their way in, and bytes of streams on their way out. */
#include "base/fault.h"
#include "http/http_in.h"

#include <stdlib.h>
#include <string.h>

enum { OUT_MAX = 64 * 1024 * 1024 };

void http_input_free(HttpConn *c)
{
    free(c->in.base);
    c->in = (HttpInput){0};
}

void http_input_used(HttpConn *c, size_t n)
{
    c->in.ptr += n;
    c->in.len -= n;
    c->hungry = false;
    if (c->in.len == 0)
        http_input_free(c);
}

static char *room(HttpConn *c, size_t more)
{
    HttpInput *in = &c->in;
    size_t need = in->len + more;
    if (in->base == NULL || in->cap < need) {
        size_t cap = need + need / 2;
        char *base = fault_hit("http.input") ? NULL : malloc(cap);
        if (base == NULL)
            return NULL;
        memcpy(base, in->ptr, in->len);
        free(in->base);
        in->base = base;
        in->cap = cap;
    } else {
        memmove(in->base, in->ptr, in->len);
    }
    in->ptr = in->base;
    return in->base + in->len;
}

bool http_input_keep(HttpConn *c)
{
    return c->in.len == 0 || c->in.base != NULL || room(c, 0) != NULL;
}

bool http_input_fill(HttpLoop *l, HttpConn *c, size_t max)
{
    if (!c->readable && !c->peer_done)
        return false;
    if (!http_input_keep(c)) {
        http_conn_close(l, c);
        return false;
    }
    ssize_t n = http_conn_read(l, c, l->scratch, max < sizeof l->scratch ? max : sizeof l->scratch);
    if (n == 0)
        return false;
    char *to = n > 0 && c->in.len > 0 ? room(c, (size_t)n) : l->scratch;
    if (n < 0 || to == NULL) {
        http_conn_close(l, c);
        return false;
    }
    if (to == l->scratch)
        c->in.ptr = l->scratch;
    else
        memcpy(to, l->scratch, (size_t)n);
    c->in.len += (size_t)n;
    c->hungry = false;
    return true;
}

/* --- out --- */

static void count_queued(HttpLoop *l, const HttpConn *c, int64_t more)
{
    atomic_fetch_add_explicit(&http_slot(l, c->slot)->queued, more, memory_order_relaxed);
}

void http_out_free(HttpLoop *l, HttpConn *c)
{
    count_queued(l, c, -(int64_t)(c->out.len - c->out.at));
    free(c->out.ptr);
    c->out = (HttpOut){0};
}

bool http_out_add(HttpLoop *l, HttpConn *c, Str bytes)
{
    HttpOut *o = &c->out;
    if (bytes.len > OUT_MAX)
        return false;
    if (o->at > 0 && o->len + bytes.len > o->cap) {
        memmove(o->ptr, o->ptr + o->at, o->len - o->at);
        o->len -= o->at;
        o->at = 0;
    }
    if (o->len + bytes.len > o->cap) {
        size_t cap = o->len + bytes.len + o->len / 2;
        char *ptr = fault_hit("http.out") ? NULL : realloc(o->ptr, cap);
        if (ptr == NULL)
            return false;
        o->ptr = ptr;
        o->cap = (uint32_t)cap;
    }
    memcpy(o->ptr + o->len, bytes.ptr, bytes.len);
    o->len += (uint32_t)bytes.len;
    count_queued(l, c, (int64_t)bytes.len);
    return true;
}

bool http_out_flush(HttpLoop *l, HttpConn *c)
{
    HttpOut *o = &c->out;
    while (o->at < o->len && c->writable) {
        ssize_t n = http_conn_write(l, c, o->ptr + o->at, o->len - o->at);
        if (n < 0)
            return false;
        if (n == 0)
            break;
        o->at += (uint32_t)n;
        count_queued(l, c, -n);
        c->since_us = l->now_us;
    }
    if (o->at == o->len)
        http_out_free(l, c);
    return true;
}

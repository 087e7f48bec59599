/* tls.c: OpenSSL on the connection's own descriptor; TLS 1.2 and later. */
#include "base/fault.h"
#include "http/http_in.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <string.h>

static ErrCode tls_error(Err *err, const char *what, const char *file)
{
    char text[128];
    ERR_error_string_n(ERR_get_error(), text, sizeof text);
    ERR_clear_error();
    return err_set(err, ERR_IO, "%s \"%s\": %s", what, file, text);
}

/* Only HTTP/1.1 is spoken; a client that offers only others is told so. */
static int choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *out_len,
                           const unsigned char *in, unsigned in_len, void *arg)
{
    static const unsigned char ours[] = "\x08http/1.1";
    (void)ssl;
    (void)arg;
    if (SSL_select_next_proto((unsigned char **)out, out_len, ours, sizeof ours - 1, in, in_len) !=
        OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    return SSL_TLSEXT_ERR_OK;
}

static void configure(SSL_CTX *ctx)
{
    SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
    SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                 SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
    /* A renegotiation is refused; buffers of quiet connections are given back. */
    SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                              SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_session_cache_mode(ctx,
                                   SSL_SESS_CACHE_OFF); /* tickets resume without memory of ours */
    SSL_CTX_set_alpn_select_cb(ctx, choose_protocol, NULL);
}

ErrCode http_tls_open(const char *cert, const char *key, SSL_CTX **out, Err *err)
{
    SSL_CTX *ctx = fault_hit("http.tls") ? NULL : SSL_CTX_new(TLS_server_method());
    if (ctx == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for TLS");
    configure(ctx);
    ErrCode rc = OK;
    if (SSL_CTX_use_certificate_chain_file(ctx, cert) != 1)
        rc = tls_error(err, "could not use the certificate", cert);
    else if (SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) != 1 ||
             SSL_CTX_check_private_key(ctx) != 1)
        rc = tls_error(err, "could not use the key", key);
    if (rc == OK)
        *out = ctx;
    else
        http_tls_close(&ctx);
    return rc;
}

void http_tls_close(SSL_CTX **tls)
{
    if (*tls != NULL)
        SSL_CTX_free(*tls);
    *tls = NULL;
}

bool http_tls_accept(HttpLoop *l, HttpConn *c)
{
    c->tls = fault_hit("http.tls") ? NULL : SSL_new(l->server->tls);
    if (c->tls == NULL || SSL_set_fd(c->tls, c->fd) != 1)
        return false;
    SSL_set_accept_state(c->tls);
    return true;
}

/* What an SSL call that did not succeed means: 0: wait, -1: over. */
static ssize_t outcome(HttpConn *c, int rc)
{
    int why = SSL_get_error(c->tls, rc);
    if (why == SSL_ERROR_WANT_READ) {
        c->readable = false;
        return 0;
    }
    if (why == SSL_ERROR_WANT_WRITE) {
        c->writable = false;
        return 0;
    }
    ERR_clear_error();
    if (why == SSL_ERROR_SSL || why == SSL_ERROR_SYSCALL)
        SSL_set_quiet_shutdown(c->tls, 1); /* no goodbye after a fatal error */
    return -1;
}

bool http_tls_step(HttpLoop *l, HttpConn *c)
{
    int rc = SSL_do_handshake(c->tls);
    if (rc == 1) {
        http_conn_state(l, c, CONN_HEAD);
        return true;
    }
    if (outcome(c, rc) < 0)
        http_conn_close(l, c);
    return false;
}

ssize_t http_tls_read(HttpConn *c, void *bytes, size_t size)
{
    int rc = SSL_read(c->tls, bytes, size < INT32_MAX ? (int)size : INT32_MAX);
    return rc > 0 ? rc : outcome(c, rc);
}

ssize_t http_tls_write(HttpConn *c, const void *bytes, size_t size)
{
    int rc = SSL_write(c->tls, bytes, size < INT32_MAX ? (int)size : INT32_MAX);
    return rc > 0 ? rc : outcome(c, rc);
}

void http_tls_end(HttpConn *c)
{
    if (c->tls == NULL)
        return;
    if (SSL_is_init_finished(c->tls))
        SSL_shutdown(c->tls);
    ERR_clear_error();
    SSL_free(c->tls);
    c->tls = NULL;
}

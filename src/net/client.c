#include "net/client.h"
#include "base/fd.h"
#include "net/net_in.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct NetClient {
    CURL *curl;
    char *base_url, *authorization;
};

typedef struct Receiver {
    const NetRequest *request;
    CURL *curl;
    Buf body;
    bool stopped; /* by the piece callback */
} Receiver;

static pthread_once_t curl_once = PTHREAD_ONCE_INIT;

static void start_curl(void)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

void net_start_curl(void)
{
    pthread_once(&curl_once, start_curl);
}

void net_close(NetClient **c)
{
    if (*c == NULL)
        return;
    curl_easy_cleanup((*c)->curl);
    free((*c)->base_url);
    free((*c)->authorization);
    free(*c);
    *c = NULL;
}

ErrCode net_open(Str base_url, Str key, NetClient **out, Err *err)
{
    net_start_curl();
    CLEANUP(net_close) NetClient *c = calloc(1, sizeof *c);
    if (c != NULL) {
        c->curl = curl_easy_init();
        c->base_url = strndup(base_url.ptr, base_url.len);
        if (key.len > 0 &&
            asprintf(&c->authorization, "Authorization: Bearer " STR_FMT, STR_ARG(key)) < 0)
            c->authorization = NULL;
    }
    if (c == NULL || c->curl == NULL || c->base_url == NULL ||
        (key.len > 0 && c->authorization == NULL))
        return err_set(err, ERR_NO_MEMORY, "no memory for an HTTP client");
    *out = c;
    c = NULL;
    return OK;
}

static size_t receive(char *bytes, size_t size, size_t count, void *ctx)
{
    Receiver *r = ctx;
    Str piece = {bytes, size * count};
    long status = 0;
    curl_easy_getinfo(r->curl, CURLINFO_RESPONSE_CODE, &status);
    if (r->request->piece != NULL && status < 300) {
        r->stopped = !r->request->piece(r->request->ctx, piece);
        return r->stopped ? 0 : piece.len;
    }
    if (r->request->out_fd > 0 && status < 300)
        return fd_write_all(r->request->out_fd, piece.ptr, piece.len, NULL) == OK ? piece.len : 0;
    buf_add(&r->body, piece);
    return r->body.failed ? 0 : piece.len;
}

static bool add_part(curl_mime *form, Str name, Str value, const NetFile *file)
{
    char field[128], filename[256];
    curl_mimepart *part = curl_mime_addpart(form);
    snprintf(field, sizeof field, STR_FMT, STR_ARG(name));
    if (part == NULL || curl_mime_name(part, field) != CURLE_OK)
        return false;
    if (file == NULL)
        return curl_mime_data(part, value.ptr, value.len) == CURLE_OK;
    snprintf(filename, sizeof filename, STR_FMT, STR_ARG(file->name));
    return curl_mime_filedata(part, file->path) == CURLE_OK &&
           curl_mime_filename(part, filename) == CURLE_OK;
}

static bool build_form(curl_mime *form, const NetRequest *r)
{
    bool ok = true;
    for (size_t i = 0; ok && i < r->form_len; i++)
        ok = add_part(form, r->form[2 * i], r->form[2 * i + 1], NULL);
    for (size_t i = 0; ok && i < r->files_len; i++)
        ok = add_part(form, r->files[i].field, STR(""), &r->files[i]);
    return ok;
}

static struct curl_slist *build_headers(const NetClient *c, const NetRequest *r)
{
    struct curl_slist *list = curl_slist_append(NULL, "Expect:");
    if (c->authorization != NULL)
        list = curl_slist_append(list, c->authorization);
    char accept[128], type[128];
    if (r->accept != NULL) {
        snprintf(accept, sizeof accept, "Accept: %s", r->accept);
        list = curl_slist_append(list, accept);
    }
    if (r->json.ptr != NULL) {
        snprintf(type, sizeof type, "Content-Type: %s",
                 r->type != NULL ? r->type : "application/json");
        list = curl_slist_append(list, type);
    }
    return list;
}

static ErrCode perform(NetClient *c, const NetRequest *r, Receiver *to, NetResponse *out, Err *err)
{
    char why[CURL_ERROR_SIZE] = "";
    curl_easy_setopt(c->curl, CURLOPT_ERRORBUFFER, why);
    CURLcode rc = curl_easy_perform(c->curl);
    curl_easy_setopt(c->curl, CURLOPT_ERRORBUFFER, NULL);
    if (rc != CURLE_OK && !to->stopped)
        return err_set(err, rc == CURLE_WRITE_ERROR ? ERR_IO : ERR_UNREACHABLE, "%s %s: %s",
                       r->method, c->base_url, why[0] != 0 ? why : curl_easy_strerror(rc));
    long status = 0;
    curl_easy_getinfo(c->curl, CURLINFO_RESPONSE_CODE, &status);
    out->status = (int)status;
    out->body = buf_str(&to->body);
    return OK;
}

ErrCode net_send(NetClient *c, Arena *a, const NetRequest *r, NetResponse *out, Err *err)
{
    Receiver to = {.request = r,
                   .curl = c->curl,
                   .body = buf_init(a, r->body_max > 0 ? r->body_max : 64 * MIB)};
    Str base = str_from_c(c->base_url);
    Str url = str_printf(a, STR_FMT STR_FMT, STR_ARG(base), STR_ARG(r->path));
    char *url_c = url.ptr != NULL ? str_to_c(a, url) : NULL;
    if (url_c == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for the request");

    curl_easy_reset(c->curl);
    curl_easy_setopt(c->curl, CURLOPT_URL, url_c);
    curl_easy_setopt(c->curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(c->curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(c->curl, CURLOPT_CONNECTTIMEOUT, 10L);
    curl_easy_setopt(c->curl, CURLOPT_TIMEOUT, (long)(r->timeout_s > 0 ? r->timeout_s : 120));
    curl_easy_setopt(c->curl, CURLOPT_WRITEFUNCTION, receive);
    curl_easy_setopt(c->curl, CURLOPT_WRITEDATA, &to);
    if (r->json.ptr != NULL) {
        curl_easy_setopt(c->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->json.len);
        curl_easy_setopt(c->curl, CURLOPT_POSTFIELDS, r->json.ptr);
    }
    curl_mime *form = r->files != NULL || r->form != NULL ? curl_mime_init(c->curl) : NULL;
    struct curl_slist *headers = build_headers(c, r);
    ErrCode rc = OK;
    if (form != NULL && !build_form(form, r))
        rc = err_set(err, ERR_IO, "could not build the upload");
    curl_easy_setopt(c->curl, CURLOPT_HTTPHEADER, headers);
    if (form != NULL)
        curl_easy_setopt(c->curl, CURLOPT_MIMEPOST, form);
    curl_easy_setopt(c->curl, CURLOPT_CUSTOMREQUEST, r->method);
    if (rc == OK)
        rc = perform(c, r, &to, out, err);
    curl_slist_free_all(headers);
    curl_mime_free(form);
    return rc;
}

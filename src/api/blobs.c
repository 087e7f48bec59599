/* blobs: upload bytes, read them by hash. A project sees only blobs that its own rows name. */
#include "api/routes.h"
#include "content/document.h"

static void write_blob(JsonOut *j, const HttpUpload *u)
{
    json_begin(j, '{');
    json_kv_c(j, "blob", u->blob.hash);
    json_kv_int(j, "bytes", u->blob.size_bytes);
    json_kv_str(j, "name", u->filename);
    json_kv_str(j, "type", u->type);
    json_end(j, '}');
}

void blobs_add(HttpRequest *req)
{
    Call c;
    if (!call_begin(req, &c))
        return;
    ErrCode rc = OK;
    if (req->uploads_len != 1)
        rc =
            err_set(&c.err, ERR_INPUT_MISSING, "one file was expected, %zu came", req->uploads_len);
    if (rc == OK)
        rc = blob_row_add(c.app->db, c.who.project, &req->uploads[0].blob, &c.err);
    if (rc != OK) {
        call_fail(&c);
        return;
    }
    write_blob(&c.json, &req->uploads[0]);
    call_answer(&c, 201);
}

void blobs_get(HttpRequest *req)
{
    Call c;
    if (!call_begin(req, &c))
        return;
    Str hash = req->params[0];
    bool seen = false;
    int fd = -1;
    int64_t size = 0;
    ErrCode rc = blob_row_seen(c.reader, c.who.project, hash, &seen, &c.err);
    if (rc == OK && !seen)
        rc = err_set(&c.err, ERR_NOT_FOUND, "there is no such blob in this project");
    if (rc == OK)
        rc = blob_open(c.app->blobs, hash, &fd, &size, &c.err);
    if (rc != OK) {
        call_fail(&c);
        return;
    }
    http_answer_file(req, fd, size, STR("application/octet-stream"), hash, hash);
}

/* documents: named files of a project. */
#include "api/params.h"
#include "api/routes.h"
#include "api/write.h"
#include "content/document.h"

static void write_document(JsonOut *j, const Document *d)
{
    json_begin(j, '{');
    write_id(j, "id", "doc", d->id);
    json_kv_str(j, "name", d->name);
    json_kv_str(j, "type", d->type);
    json_kv_int(j, "bytes", d->size_bytes);
    json_kv_str(j, "blob", d->hash);
    write_time(j, "created", d->created_ms);
    json_end(j, '}');
}

void documents_add(HttpRequest *req)
{
    Call c;
    if (!call_begin(req, &c))
        return;
    if (req->uploads_len == 0) {
        err_set(&c.err, ERR_INPUT_MISSING, "no file came with the request");
        call_fail(&c);
        return;
    }
    DocumentNew *docs = arena_new(c.arena, DocumentNew, req->uploads_len);
    ErrCode rc = docs != NULL ? OK : err_set(&c.err, ERR_NO_MEMORY, "no memory for the documents");
    for (size_t i = 0; rc == OK && i < req->uploads_len; i++) {
        const HttpUpload *u = &req->uploads[i];
        docs[i] = (DocumentNew){.project = c.who.project,
                                .name = u->filename.len > 0 ? u->filename : STR("untitled"),
                                .type = u->type,
                                .blob = u->blob};
    }
    Str idempotency_key = http_header(req, "idempotency-key");
    if (rc == OK)
        rc = document_add_all(c.app->db, docs, req->uploads_len, idempotency_key, &c.err);
    if (rc != OK) {
        call_fail(&c);
        return;
    }
    json_begin(&c.json, '{');
    json_key(&c.json, "documents");
    json_begin(&c.json, '[');
    for (size_t i = 0; i < req->uploads_len; i++)
        write_document(&c.json, &docs[i].added);
    json_end(&c.json, ']');
    json_end(&c.json, '}');
    call_answer(&c, 201);
}

void documents_list(HttpRequest *req)
{
    Call c;
    if (!call_begin(req, &c))
        return;
    PageQuery q = {0};
    ParamFaults faults = {0};
    int64_t before = 0;
    Document *docs = NULL;
    size_t len = 0;
    bool more = false;
    ErrCode rc = call_query(&c, page_query_params, &q, &faults);
    if (rc == OK)
        rc = call_cursor(&c, "doc", q.cursor, &before);
    if (rc == OK)
        rc = document_list(c.reader, c.who.project, before, (int)q.limit, c.arena, &docs, &len,
                           &more, &c.err);
    if (rc != OK) {
        call_refuse(&c, rc, &faults);
        return;
    }
    json_begin(&c.json, '{');
    json_key(&c.json, "documents");
    json_begin(&c.json, '[');
    for (size_t i = 0; i < len; i++)
        write_document(&c.json, &docs[i]);
    json_end(&c.json, ']');
    if (more)
        write_id(&c.json, "next", "doc", docs[len - 1].id);
    json_end(&c.json, '}');
    call_answer(&c, 200);
}

static bool find(Call *c, Document *out)
{
    int64_t id;
    ErrCode rc = call_path_id(c, 0, "doc", &id);
    if (rc == OK)
        rc = document_get(c->reader, c->who.project, id, c->arena, out, &c->err);
    if (rc != OK)
        call_fail(c);
    return rc == OK;
}

void documents_get(HttpRequest *req)
{
    Call c;
    Document d;
    if (!call_begin(req, &c) || !find(&c, &d))
        return;
    write_document(&c.json, &d);
    call_answer(&c, 200);
}

void documents_content(HttpRequest *req)
{
    Call c;
    Document d;
    if (!call_begin(req, &c) || !find(&c, &d))
        return;
    int fd = -1;
    int64_t size = 0;
    if (blob_open(c.app->blobs, d.hash, &fd, &size, &c.err) != OK) {
        call_fail(&c);
        return;
    }
    http_answer_file(req, fd, size, d.type.len > 0 ? d.type : STR("application/octet-stream"),
                     d.hash, d.name);
}

void documents_delete(HttpRequest *req)
{
    Call c;
    if (!call_begin(req, &c))
        return;
    int64_t id;
    ErrCode rc = call_path_id(&c, 0, "doc", &id);
    if (rc == OK)
        rc = document_delete(c.app->db, c.who.project, id, &c.err);
    if (rc != OK)
        call_fail(&c);
    else
        call_answer_empty(&c, 204);
}

/* documents: named files of a project, their versions and tags. */
#include "api/files.h"
#include "api/params.h"
#include "api/routes.h"
#include "api/write.h"
#include "content/words.h"

void document_write_tags(JsonOut *j, Str tags)
{
    Str rest = tags, tag;
    json_key(j, "tags");
    json_begin(j, '[');
    while (tags.len > 0 && str_next(&rest, ',', &tag))
        json_put_str(j, tag);
    json_end(j, ']');
}

void document_write(JsonOut *j, const Document *d)
{
    json_begin(j, '{');
    write_id(j, "id", "doc", d->id);
    json_kv_str(j, "name", d->name);
    json_kv_str(j, "type", d->type);
    json_kv_int(j, "bytes", d->size_bytes);
    json_kv_str(j, "blob", d->hash);
    document_write_tags(j, d->tags);
    json_kv_int(j, "version", d->content);
    json_kv_int(j, "revision", d->revision);
    write_time(j, "created", d->created_ms);
    write_time(j, "changed", d->changed_ms);
    json_end(j, '}');
}

/* One document as the answer, with its revision as ETag. */
static void answer_document(Call *c, int status, const Document *d)
{
    Str etag = str_printf(c->arena, "\"%" PRId64 "\"", d->revision);
    if (etag.ptr != NULL)
        http_set_header(c->req, "ETag", etag);
    document_write(&c->json, d);
    call_answer(c, status);
}

/* The revision that If-Match names; DOCUMENT_ANY_REVISION when it names none. */
static ErrCode if_match(Call *c, int64_t *out)
{
    Str text = str_trim(http_header(c->req, "if-match"));
    *out = DOCUMENT_ANY_REVISION;
    if (text.len == 0 || str_eq(text, STR("*")))
        return OK;
    if (str_starts(text, STR("W/")))
        text = str_slice(text, 2, text.len);
    if (text.len > 2 && text.ptr[0] == '"' && text.ptr[text.len - 1] == '"' &&
        str_to_i64(str_slice(text, 1, text.len - 1), out) && *out > 0)
        return OK;
    return err_set(&c->err, ERR_PRECONDITION_FAILED,
                   "If-Match must be the ETag of the document, like \"3\"");
}

/* --- add --- */

static void add_documents(Call *c, DocumentNew *docs, size_t len)
{
    Str idempotency_key = http_header(c->req, "idempotency-key");
    if (document_add_all(c->app->db, docs, len, idempotency_key, &c->err) != OK) {
        call_fail(c);
        return;
    }
    json_begin(&c->json, '{');
    json_key(&c->json, "documents");
    json_begin(&c->json, '[');
    for (size_t i = 0; i < len; i++)
        document_write(&c->json, &docs[i].added);
    json_end(&c->json, ']');
    json_end(&c->json, '}');
    call_answer(c, 201);
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
    if (docs == NULL) {
        err_set(&c.err, ERR_NO_MEMORY, "no memory for the documents");
        call_fail(&c);
        return;
    }
    for (size_t i = 0; i < req->uploads_len; i++) {
        const HttpUpload *u = &req->uploads[i];
        docs[i] = (DocumentNew){.project = c.who.project,
                                .name = u->filename.len > 0 ? u->filename : STR("untitled"),
                                .type = u->type,
                                .tags = STR(""),
                                .blob = u->blob};
    }
    add_documents(&c, docs, req->uploads_len);
}

void documents_keep(HttpRequest *req)
{
    Call c;
    if (!call_begin(req, &c))
        return;
    KeepBody b = {0};
    ParamFaults faults = {0};
    DocumentNew *doc = arena_new(c.arena, DocumentNew, 1);
    ErrCode rc = doc != NULL ? call_body(&c, keep_body_params, &b, &faults)
                             : err_set(&c.err, ERR_NO_MEMORY, "no memory for the document");
    if (rc == OK)
        rc = document_name_check(b.name, &c.err);
    if (rc == OK) {
        *doc = (DocumentNew){.project = c.who.project, .name = b.name, .type = b.type};
        rc = document_tags(b.tags.items, b.tags.len, c.arena, &doc->tags, &c.err);
    }
    if (rc == OK)
        rc = blob_row_get(c.reader, c.who.project, b.blob, &doc->blob, &c.err);
    if (rc != OK) {
        call_refuse(&c, rc, &faults);
        return;
    }
    add_documents(&c, doc, 1);
}

/* --- read --- */

void documents_list(HttpRequest *req)
{
    Call c;
    if (!call_begin(req, &c))
        return;
    DocumentsQuery q = {0};
    ParamFaults faults = {0};
    DocumentQuery find = {0};
    Document *docs = NULL;
    size_t len = 0;
    int64_t next = 0;
    ErrCode rc = call_query(&c, documents_query_params, &q, &faults);
    if (rc == OK)
        rc = call_cursor(&c, "doc", q.cursor, &find.before);
    find.q = q.q;
    find.tag = q.tag;
    find.family = q.type > 0 ? str_from_c(family_choices[q.type].name) : STR("");
    find.limit = (int)q.limit;
    if (rc == OK)
        rc = document_find(c.reader, c.who.project, &find, c.arena, &docs, &len, &next, &c.err);
    if (rc != OK) {
        call_refuse(&c, rc, &faults);
        return;
    }
    json_begin(&c.json, '{');
    json_key(&c.json, "documents");
    json_begin(&c.json, '[');
    for (size_t i = 0; i < len; i++)
        document_write(&c.json, &docs[i]);
    json_end(&c.json, ']');
    if (next != 0)
        write_id(&c.json, "next", "doc", next);
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
    if (call_begin(req, &c) && find(&c, &d))
        answer_document(&c, 200, &d);
}

void documents_content(HttpRequest *req)
{
    Call c;
    Document d;
    if (!call_begin(req, &c) || !find(&c, &d))
        return;
    ContentQuery q = {0};
    ParamFaults faults = {0};
    DocumentVersion v = {0};
    int fd = -1;
    int64_t size = 0;
    ErrCode rc = call_query(&c, content_query_params, &q, &faults);
    if (rc == OK)
        rc = document_version_get(c.reader, &d, q.version > 0 ? q.version : d.content, c.arena, &v,
                                  &c.err);
    if (rc == OK)
        rc = blob_open(c.app->blobs, v.hash, &fd, &size, &c.err);
    if (rc != OK) {
        call_refuse(&c, rc, &faults);
        return;
    }
    http_answer_file(req, fd, size, v.type.len > 0 ? v.type : STR("application/octet-stream"),
                     v.hash, d.name);
}

void documents_versions(HttpRequest *req)
{
    Call c;
    Document d;
    if (!call_begin(req, &c) || !find(&c, &d))
        return;
    PageQuery q = {0};
    ParamFaults faults = {0};
    DocumentVersion *all = NULL;
    size_t len = 0;
    bool more = false;
    int64_t before = 0;
    ErrCode rc = call_query(&c, page_query_params, &q, &faults);
    if (rc == OK && q.cursor.len > 0 && (!str_to_i64(q.cursor, &before) || before < 1))
        rc = err_set(&c.err, ERR_BAD_CURSOR, "the cursor must be the \"next\" of the page before");
    if (rc == OK)
        rc = document_versions(c.reader, &d, before, (int)q.limit, c.arena, &all, &len, &more,
                               &c.err);
    if (rc != OK) {
        call_refuse(&c, rc, &faults);
        return;
    }
    json_begin(&c.json, '{');
    json_key(&c.json, "versions");
    json_begin(&c.json, '[');
    for (size_t i = 0; i < len; i++) {
        json_begin(&c.json, '{');
        json_kv_int(&c.json, "version", all[i].content);
        json_kv_bool(&c.json, "current", all[i].content == d.content);
        json_kv_str(&c.json, "type", all[i].type);
        json_kv_int(&c.json, "bytes", all[i].size_bytes);
        json_kv_str(&c.json, "blob", all[i].hash);
        write_time(&c.json, "created", all[i].made_ms);
        json_end(&c.json, '}');
    }
    json_end(&c.json, ']');
    if (more)
        json_kv_str(&c.json, "next", str_printf(c.arena, "%" PRId64, all[len - 1].content));
    json_end(&c.json, '}');
    call_answer(&c, 200);
}

/* --- change --- */

void documents_change(HttpRequest *req)
{
    Call c;
    if (!call_begin(req, &c))
        return;
    DocumentBody b = {0};
    ParamFaults faults = {0};
    Document d;
    const Json *given = NULL;
    Str name = {0}, tags = {0};
    int64_t id = 0, revision = 0;
    ErrCode rc = call_path_id(&c, 0, "doc", &id);
    if (rc == OK)
        rc = call_json(&c, &given);
    if (rc == OK)
        rc = call_body(&c, document_body_params, &b, &faults);
    if (rc == OK)
        rc = if_match(&c, &revision);
    if (rc == OK && json_is(json_get(given, "tags"), JSON_LIST))
        rc = document_tags(b.tags.items, b.tags.len, c.arena, &tags, &c.err);
    if (json_is(json_get(given, "name"), JSON_TEXT))
        name = b.name.ptr != NULL ? b.name : STR("");
    if (rc == OK)
        rc = document_change(c.app->db, c.who.project, id, revision, name, tags, c.arena, &d,
                             &c.err);
    if (rc != OK)
        call_refuse(&c, rc, &faults);
    else
        answer_document(&c, 200, &d);
}

void documents_replace(HttpRequest *req)
{
    Call c;
    if (!call_begin(req, &c))
        return;
    Document d;
    int64_t id = 0, revision = 0;
    ErrCode rc = call_path_id(&c, 0, "doc", &id);
    if (rc == OK && req->uploads_len != 1)
        rc =
            err_set(&c.err, ERR_INPUT_MISSING, "one file was expected, %zu came", req->uploads_len);
    if (rc == OK)
        rc = if_match(&c, &revision);
    if (rc == OK)
        rc = document_replace(c.app->db, c.who.project, id, revision, &req->uploads[0].blob,
                              req->uploads[0].type, c.arena, &d, &c.err);
    if (rc != OK)
        call_fail(&c);
    else
        answer_document(&c, 200, &d);
}

void documents_restore(HttpRequest *req)
{
    Call c;
    Document d;
    if (!call_begin(req, &c) || !find(&c, &d))
        return;
    int64_t number = 0, revision = 0;
    DocumentVersion v = {0};
    Blob blob = {0};
    ErrCode rc = str_to_i64(req->params[1], &number) && number > 0
                     ? if_match(&c, &revision)
                     : err_set(&c.err, ERR_NOT_FOUND, "a version is a number from 1");
    if (rc == OK)
        rc = document_version_get(c.reader, &d, number, c.arena, &v, &c.err);
    if (rc == OK)
        rc = blob_row_get(c.reader, c.who.project, v.hash, &blob, &c.err);
    if (rc == OK)
        rc = document_replace(c.app->db, c.who.project, d.id, revision, &blob, v.type, c.arena, &d,
                              &c.err);
    if (rc != OK)
        call_fail(&c);
    else
        answer_document(&c, 200, &d);
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

void documents_undelete(HttpRequest *req)
{
    Call c;
    if (!call_begin(req, &c))
        return;
    Document d;
    int64_t id;
    ErrCode rc = call_path_id(&c, 0, "doc", &id);
    if (rc == OK)
        rc = document_undelete(c.app->db, c.who.project, id, c.arena, &d, &c.err);
    if (rc != OK)
        call_fail(&c);
    else
        answer_document(&c, 200, &d);
}

/* --- tags --- */

void tags_list(HttpRequest *req)
{
    Call c;
    if (!call_begin(req, &c))
        return;
    TagsQuery q = {0};
    ParamFaults faults = {0};
    TagCount *tags = NULL;
    size_t len = 0;
    bool more = false;
    ErrCode rc = call_query(&c, tags_query_params, &q, &faults);
    if (rc == OK)
        rc = document_tag_list(c.reader, c.who.project, q.after, (int)q.limit, c.arena, &tags, &len,
                               &more, &c.err);
    if (rc != OK) {
        call_refuse(&c, rc, &faults);
        return;
    }
    json_begin(&c.json, '{');
    json_key(&c.json, "tags");
    json_begin(&c.json, '[');
    for (size_t i = 0; i < len; i++) {
        json_begin(&c.json, '{');
        json_kv_str(&c.json, "tag", tags[i].tag);
        json_kv_int(&c.json, "documents", tags[i].documents);
        json_end(&c.json, '}');
    }
    json_end(&c.json, ']');
    if (more)
        json_kv_str(&c.json, "next", tags[len - 1].tag);
    json_end(&c.json, '}');
    call_answer(&c, 200);
}

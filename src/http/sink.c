/* sink.c: the pool's side of an upload: pieces of a body become blobs and form fields. */
#include "base/fault.h"
#include "http/upload_in.h"

#include <stdlib.h>
#include <string.h>

static ErrCode no_memory(Err *err)
{
    return err_set(err, ERR_NO_MEMORY, "no memory for the upload");
}

/* Room for one more element of a growing array in the request's arena. NULL: there is none. */
static void *grown(Arena *a, void *list, size_t len, size_t *cap, size_t size)
{
    if (len < *cap)
        return list;
    size_t more = *cap > 0 ? *cap * 2 : 8;
    void *bigger = arena_grow(a, list, *cap * size, more * size);
    if (bigger != NULL)
        *cap = more;
    return bigger;
}

/* --- one file --- */

static ErrCode file_begin(HttpExchange *ex, Str field, Str filename, Str type, Err *err)
{
    HttpSink *s = ex->sink;
    Arena *a = ex->req.arena;
    if (s->uploads_len == HTTP_UPLOADS_MAX)
        return err_set(err, ERR_LIMIT_COUNT, "more than %d files in one request", HTTP_UPLOADS_MAX);
    s->now = (HttpUpload){
        .field = str_copy(a, field), .filename = str_copy(a, filename), .type = str_copy(a, type)};
    if (s->now.field.ptr == NULL || s->now.filename.ptr == NULL || s->now.type.ptr == NULL)
        return no_memory(err);
    return blob_create(ex->server->o.blobs, ex->server->o.upload_max, &s->writer, err);
}

static ErrCode file_end(HttpExchange *ex, Err *err)
{
    HttpSink *s = ex->sink;
    HttpUpload *list =
        grown(ex->req.arena, s->uploads, s->uploads_len, &s->uploads_cap, sizeof *list);
    if (list == NULL)
        return no_memory(err);
    s->uploads = list;
    ErrCode rc = blob_finish(&s->writer, &s->now.blob, err);
    if (rc == OK)
        s->uploads[s->uploads_len++] = s->now;
    return rc;
}

/* --- one form field --- */

static ErrCode field_begin(HttpExchange *ex, Str name, Err *err)
{
    HttpSink *s = ex->sink;
    if (s->form_len == HTTP_FIELDS_MAX)
        return err_set(err, ERR_LIMIT_COUNT, "more than %d fields in one request", HTTP_FIELDS_MAX);
    s->field_name = str_copy(ex->req.arena, name);
    s->field = buf_init(ex->req.arena, ex->server->o.memory_body_max - s->form_bytes);
    return s->field_name.ptr != NULL ? OK : no_memory(err);
}

static ErrCode field_end(HttpExchange *ex, Err *err)
{
    HttpSink *s = ex->sink;
    HttpHeader *list = grown(ex->req.arena, s->form, s->form_len, &s->form_cap, sizeof *list);
    if (list == NULL)
        return no_memory(err);
    s->form = list;
    s->form_bytes += s->field.len;
    s->form[s->form_len++] = (HttpHeader){s->field_name, buf_str(&s->field)};
    if (str_eq_nocase(s->now.type, STR("application/json")) && ex->req.body.len == 0)
        ex->req.body = buf_str(&s->field);
    return OK;
}

/* --- parts --- */

static ErrCode part_begin(HttpExchange *ex, Err *err)
{
    HttpSink *s = ex->sink;
    HttpMultipart *m = s->multi;
    if (m->file)
        return file_begin(ex, m->name, m->filename, m->type, err);
    Str type = str_slice(m->type, 0, str_find_char(m->type, ';'));
    s->now.type = str_copy(ex->req.arena, str_trim(type));
    return field_begin(ex, m->name, err);
}

static ErrCode part_data(HttpExchange *ex, Str data, Err *err)
{
    HttpSink *s = ex->sink;
    if (s->writer != NULL)
        return blob_write(s->writer, data.ptr, data.len, err);
    buf_add(&s->field, data);
    if (s->field.failed)
        return err_set(err, ERR_INPUT_TOO_LARGE, "form fields larger than %zu bytes",
                       ex->server->o.memory_body_max);
    return OK;
}

static ErrCode parts(HttpExchange *ex, Str in, Err *err)
{
    HttpSink *s = ex->sink;
    ErrCode rc = OK;
    while (rc == OK) {
        Str data;
        switch (http_multipart(s->multi, &in, &data)) {
        case MULTIPART_MORE:
            return OK;
        case MULTIPART_PART:
            rc = part_begin(ex, err);
            break;
        case MULTIPART_DATA:
            rc = part_data(ex, data, err);
            break;
        case MULTIPART_PART_END:
            rc = s->writer != NULL ? file_end(ex, err) : field_end(ex, err);
            break;
        case MULTIPART_END:
            s->multi_ended = true;
            return OK;
        case MULTIPART_BAD:
            return err_set(err, ERR_BAD_REQUEST, "%s", s->multi->why);
        }
    }
    return rc;
}

static ErrCode finish(HttpExchange *ex, Err *err)
{
    HttpSink *s = ex->sink;
    if (s->multi == NULL) {
        ErrCode rc = file_end(ex, err);
        if (rc != OK)
            return rc;
    } else if (!s->multi_ended) {
        return err_set(err, ERR_BAD_REQUEST, "the body ends before its last boundary");
    }
    ex->req.uploads = s->uploads;
    ex->req.uploads_len = s->uploads_len;
    ex->req.form = s->form;
    ex->req.form_len = s->form_len;
    return OK;
}

/* --- the job --- */

static ErrCode open_sink(HttpExchange *ex, Err *err)
{
    Str type = http_header(&ex->req, "Content-Type");
    bool multipart = str_eq_nocase(str_slice(type, 0, 10), STR("multipart/"));
    HttpSink *s = fault_hit("http.sink") ? NULL : calloc(1, sizeof *s);
    ex->sink = s;
    if (s == NULL)
        return no_memory(err);
    if (!multipart)
        return OK;
    s->multi = fault_hit("http.sink") ? NULL : malloc(sizeof *s->multi);
    if (s->multi == NULL)
        return no_memory(err);
    if (!http_multipart_init(s->multi, type))
        return err_set(err, ERR_BAD_REQUEST,
                       "the Content-Type is not multipart/form-data with a boundary");
    return OK;
}

bool http_sink_open(HttpExchange *ex)
{
    Err err = {0};
    if (open_sink(ex, &err) == OK)
        return true;
    http_answer_err(&ex->req, &err, (Str){0});
    return false;
}

void http_sink_abandon(HttpSink *s)
{
    if (s->writer != NULL)
        blob_abandon(&s->writer);
}

/* A raw body becomes a blob when its first piece comes. */
static ErrCode raw_begin(HttpExchange *ex, Err *err)
{
    char name[MULTIPART_NAME_MAX * 4];
    Str filename = STR("");
    Str disposition = http_header(&ex->req, "Content-Disposition");
    if (disposition.len > 0)
        http_disposition_filename(disposition, name, &filename);
    return file_begin(ex, STR(""), filename, http_header(&ex->req, "Content-Type"), err);
}

static ErrCode take(HttpExchange *ex, Err *err)
{
    HttpSink *s = ex->sink;
    if (s->multi != NULL)
        return parts(ex, s->given, err);
    ErrCode rc = s->writer == NULL ? raw_begin(ex, err) : OK;
    if (rc == OK && s->given.len > 0)
        rc = blob_write(s->writer, s->given.ptr, s->given.len, err);
    return rc;
}

void http_sink_run(HttpExchange *ex)
{
    HttpSink *s = ex->sink;
    if (ex->phase == PHASE_ABANDON) {
        http_sink_abandon(s);
        return;
    }
    Err err = {0};
    ErrCode rc = take(ex, &err);
    bool last = s->last;
    if (rc == OK && last)
        rc = finish(ex, &err);
    if (rc != OK) {
        http_sink_abandon(s);
        http_answer_err(&ex->req, &err, (Str){0});
        ex->unread_body = true;
    }
    if (rc != OK || last)
        ex->phase = PHASE_HANDLER;
    if (rc == OK && last) {
        http_sink_free(&ex->sink); /* the handler may take its time, or park */
        http_run_handler(ex);
    }
}

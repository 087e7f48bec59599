/* job_archive.c: all that a job gave as one ZIP.
 *
 *   a step            its outputs
 *   a pipeline        its outputs, and result.json: what its `outputs` are
 *   batch of a step   the outputs of its items
 *   of a pipeline     a folder for each item, called as its file: the outputs, and result.json */
#include "api/routes.h"
#include "api/zip.h"
#include "base/fd.h"
#include "base/id.h"

static const char result_name[] = "result.json";

static bool says_something(Str data)
{
    return data.len > 2; /* "{}" */
}

static ErrCode zip_files(Call *c, const JobFile *files, size_t len, Str data, int64_t time_ms,
                         int fd)
{
    Zip *z = NULL;
    ErrCode rc = zip_begin(c->app->blobs, len + 1, time_ms, c->arena, fd, &z, &c->err);
    for (size_t i = 0; rc == OK && i < len; i++)
        rc = zip_add_blob(z, files[i].name, files[i].hash, &c->err);
    if (rc == OK && says_something(data))
        rc = zip_add_text(z, str_from_c(result_name), data, &c->err);
    return rc == OK ? zip_finish(z, &c->err) : rc;
}

/* "../a/./b.pdf" is "a/b.pdf": a folder's name comes from outside. */
static Str safe_path(Arena *a, Str name)
{
    Buf b = buf_init(a, 4 * KIB);
    for (size_t at = 0; at <= name.len;) {
        size_t end = at;
        while (end < name.len && name.ptr[end] != '/' && name.ptr[end] != '\\')
            end++;
        Str part = str_slice(name, at, end);
        at = end + 1;
        if (part.len == 0 || str_eq_c(part, ".") || str_eq_c(part, ".."))
            continue;
        if (b.len > 0)
            buf_add_char(&b, '/');
        buf_add(&b, part);
    }
    return b.failed || b.len == 0 ? STR("item") : buf_str(&b);
}

static ErrCode add_data(Call *c, Zip *z, int64_t item, Str folder)
{
    Str data;
    Str name = str_printf(c->arena, STR_FMT "/%s", STR_ARG(folder), result_name);
    ArenaMark inner = arena_mark(c->arena);
    ErrCode rc = flow_data(c->reader, item, c->arena, &data, &c->err);
    if (rc == OK && name.ptr == NULL)
        rc = err_set(&c->err, ERR_NO_MEMORY, "no memory for an archive");
    if (rc == OK && says_something(data))
        rc = zip_add_text(z, name, data, &c->err);
    arena_rewind(c->arena, inner);
    return rc;
}

static ErrCode zip_items(Call *c, const Job *job, int fd)
{
    ItemResult *all = NULL;
    size_t len = 0;
    Zip *z = NULL;
    Str folder = {0};
    ErrCode rc = flow_item_results(c->reader, job->id, c->arena, &all, &len, &c->err);
    if (rc == OK)
        rc = zip_begin(c->app->blobs, 2 * len + 1, id_time_ms(job->id), c->arena, fd, &z, &c->err);
    for (size_t i = 0; rc == OK && i < len; i++) {
        const ItemResult *r = &all[i];
        bool first = i == 0 || all[i - 1].item != r->item;
        if (first)
            rc = zip_take_name(z, safe_path(c->arena, r->input), &folder, &c->err);
        if (rc == OK && first)
            rc = add_data(c, z, r->item, folder);
        Str name = str_printf(c->arena, STR_FMT "/" STR_FMT, STR_ARG(folder),
                              STR_ARG(safe_path(c->arena, r->file.name)));
        if (rc == OK && name.ptr == NULL)
            rc = err_set(&c->err, ERR_NO_MEMORY, "no memory for an archive");
        if (rc == OK && r->file.hash.len > 0)
            rc = zip_add_blob(z, name, r->file.hash, &c->err);
    }
    return rc == OK ? zip_finish(z, &c->err) : rc;
}

static ErrCode zip_job(Call *c, const Job *job, int fd)
{
    JobFile *files = NULL;
    size_t len = 0;
    if (job->batch && job->pipeline.len > 0)
        return zip_items(c, job, fd);
    ErrCode rc = flow_outputs(c->reader, job, c->arena, &files, &len, &c->err);
    Str data = job->pipeline.len > 0 ? job->data : (Str){0};
    return rc == OK ? zip_files(c, files, len, data, id_time_ms(job->id), fd) : rc;
}

void jobs_archive(HttpRequest *req)
{
    Call c;
    if (!call_begin(req, &c))
        return;
    int64_t id;
    Job job;
    CLEANUP(fd_close) int fd = -1;
    ErrCode rc = call_path_id(&c, 0, "job", &id);
    if (rc == OK)
        rc = flow_get(c.reader, c.who.project, id, c.arena, &job, &c.err);
    if (rc == OK)
        rc = blob_temp(c.app->blobs, &fd, &c.err);
    if (rc == OK)
        rc = zip_job(&c, &job, fd);
    if (rc != OK) {
        call_fail(&c);
        return;
    }
    char text[ID_TEXT_SIZE];
    int64_t size = fd_size(fd);
    Str name = str_printf(c.arena, "%s.zip", id_text("job", id, text));
    http_answer_file(req, fd_take(&fd), size, STR("application/zip"), (Str){0}, name);
}

#include "cli/session.h"
#include "api/app.h"
#include "api/write.h"
#include "base/fd.h"
#include "base/id.h"
#include "cli/scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { COPY_BUFFER = 256 * 1024, CLOSE_GRACE_MS = 2000, SERVER_WAIT_MAX_S = 60 };

struct Session {
    Arena *arena;
    Target *target; /* a server, or */
    App *app;       /* this process */
    char *dir;      /* throwaway data folder of the app */
};

void session_close(Session **s)
{
    if (*s == NULL)
        return;
    target_close(&(*s)->target);
    app_close(&(*s)->app, CLOSE_GRACE_MS);
    scratch_remove((*s)->dir);
    free(*s);
    *s = NULL;
}

static ErrCode open_local(Session *s, bool internal_steps, Err *err)
{
    ErrCode rc = scratch_make(s->arena, "platen", &s->dir, err);
    if (rc != OK)
        return rc;
    const AppOptions options = {
        .data_dir = s->dir, .throwaway = true, .internal_steps = internal_steps};
    return app_open(&options, &s->app, err);
}

ErrCode session_open(Cli *cli, const TargetArgs *args, bool internal_steps, Session **out, Err *err)
{
    CLEANUP(session_close) Session *s = calloc(1, sizeof *s);
    if (s == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory");
    s->arena = cli->arena;
    const char *server = getenv("PLATEN_SERVER");
    bool remote = args->server.len > 0 || (server != NULL && server[0] != 0);
    ErrCode rc =
        remote ? target_open(cli, args, &s->target, err) : open_local(s, internal_steps, err);
    if (rc != OK)
        return rc;
    *out = s;
    s = NULL;
    return OK;
}

ErrCode session_step(Session *s, Str name, const Step **out, Err *err)
{
    if (s->app != NULL) {
        *out = registry_find(s->app->registry, name);
        if (*out != NULL)
            return OK;
        const Step *near = registry_nearest(s->app->registry, name);
        err_set(err, ERR_UNKNOWN_STEP, "there is no step \"" STR_FMT "\"", STR_ARG(name));
        if (near != NULL)
            err_hint(err, "Did you mean %s? `platen steps` lists them all.", near->name);
        return ERR_UNKNOWN_STEP;
    }
    const Json *contract = NULL;
    Buf path = buf_init(s->arena, KIB);
    buf_add_c(&path, "/api/v1/steps/");
    buf_add_url(&path, name);
    Step *step = arena_new(s->arena, Step, 1);
    if (step == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory");
    ErrCode rc = target_call(s->target, s->arena, "GET", buf_str(&path), (Str){0}, &contract, err);
    if (rc == OK)
        rc = step_from_json(contract, s->arena, step, err);
    *out = step;
    return rc;
}

static ErrCode store_file(Session *s, const char *path, Blob *out, Err *err)
{
    CLEANUP(fd_close) int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        ErrCode rc = err_set_errno(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, errno,
                                   "could not open \"%s\"", path);
        err_hint(err, "Check the path and who may read it.");
        return rc;
    }
    BlobWriter *w = NULL;
    char *buffer = malloc(COPY_BUFFER);
    ErrCode rc = buffer != NULL ? blob_create(s->app->blobs, -1, &w, err)
                                : err_set(err, ERR_NO_MEMORY, "no memory");
    while (rc == OK) {
        ssize_t n = read(fd, buffer, COPY_BUFFER);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            rc = err_set_errno(err, ERR_IO, errno, "could not read \"%s\"", path);
        if (n <= 0)
            break;
        rc = blob_write(w, buffer, (size_t)n, err);
    }
    free(buffer);
    if (rc != OK) {
        blob_abandon(&w);
        return rc;
    }
    return blob_finish(&w, out, err);
}

static ErrCode submit_local(Session *s, const Step *step, Str params, const char *path, Str name,
                            Str *job_id, Err *err)
{
    Blob blob = {0};
    ErrCode rc = path != NULL ? store_file(s, path, &blob, err) : OK;
    JobFile input = {.name = name,
                     .type = STR(""),
                     .hash = {blob.hash, BLOB_HASH_LEN},
                     .size_bytes = blob.size_bytes};
    const JobNew n = {.project = s->app->project,
                      .step = step,
                      .params = params,
                      .inputs = &input,
                      .inputs_len = path != NULL ? 1 : 0};
    JobAdded added;
    if (rc == OK)
        rc = flow_add(s->app->db, &n, &added, err);
    if (rc != OK)
        return rc;
    char text[ID_TEXT_SIZE];
    *job_id = str_copy(s->arena, str_from_c(id_text("job", added.job, text)));
    return job_id->ptr != NULL ? OK : err_set(err, ERR_NO_MEMORY, "no memory");
}

static ErrCode submit_remote(Session *s, const Step *step, Str params, const char *path, Str name,
                             Str *job_id, Err *err)
{
    const Json *given = NULL, *job = NULL;
    NetFile file = {.path = path, .field = STR("file"), .name = name};
    Buf url = buf_init(s->arena, KIB);
    buf_addf(&url, "/api/v1/steps/%s", step->name);
    ErrCode rc = json_parse(s->arena, params, &given, err);
    Str *form = rc == OK ? arena_new(s->arena, Str, given->len * 2) : NULL;
    if (rc == OK && form == NULL)
        rc = err_set(err, ERR_NO_MEMORY, "no memory");
    if (rc != OK)
        return rc;
    size_t pairs = 0;
    Buf body = buf_init(s->arena, PARAM_TEXT_MAX * 2);
    JsonOut j = json_out(&body);
    json_begin(&j, '{');
    json_key(&j, "params");
    json_put(&j, given);
    json_end(&j, '}');
    json_each(p, given) {
        Buf text = buf_init(s->arena, PARAM_TEXT_MAX);
        JsonOut value = json_out(&text);
        if (p->type == JSON_TEXT)
            buf_add(&text, p->text);
        else if (p->type == JSON_LIST)
            json_each(item, p)
                buf_addf(&text, "%s" STR_FMT, item == p->first ? "" : ",", STR_ARG(item->text));
        else
            json_put(&value, p);
        form[2 * pairs] = p->key;
        form[2 * pairs++ + 1] = buf_str(&text);
    }
    NetRequest request = {.method = "POST", .path = buf_str(&url)};
    if (path != NULL) {
        request.files = &file;
        request.files_len = 1;
        request.form = form;
        request.form_len = pairs;
    } else {
        request.json = buf_str(&body);
    }
    NetResponse response;
    rc = net_send(target_client(s->target), s->arena, &request, &response, err);
    if (rc == OK)
        rc = target_problem(s->arena, &response, err);
    if (rc == OK)
        rc = json_parse(s->arena, response.body, &job, err);
    if (rc == OK)
        *job_id = json_text(json_get(job, "id"));
    return rc;
}

ErrCode session_submit(Session *s, const Step *step, Str params, const char *path, Str name,
                       Str *job_id, Err *err)
{
    return s->app != NULL ? submit_local(s, step, params, path, name, job_id, err)
                          : submit_remote(s, step, params, path, name, job_id, err);
}

static ErrCode wait_local(Session *s, Str job_id, int timeout_ms, Arena *a, const Json **out,
                          Err *err)
{
    int64_t id = 0;
    Job job;
    Buf text = buf_init(a, 4 * MIB);
    JsonOut j = json_out(&text);
    if (!id_parse("job", job_id, &id))
        return err_set(err, ERR_NOT_FOUND, "not a job's id");
    ErrCode rc =
        hub_wait(s->app->hub, s->app->db, s->app->project, id, timeout_ms, NULL, a, &job, err);
    if (rc != OK)
        return rc;
    write_job(&j, &job, s->app->registry, a, true);
    return json_parse(a, buf_str(&text), out, err);
}

ErrCode session_wait(Session *s, Str job_id, int timeout_ms, Arena *a, const Json **out, Err *err)
{
    if (s->app != NULL)
        return wait_local(s, job_id, timeout_ms, a, out, err);
    int seconds = (timeout_ms + 999) / 1000;
    Str path = str_printf(a, "/api/v1/jobs/" STR_FMT "?wait=%d", STR_ARG(job_id),
                          seconds < SERVER_WAIT_MAX_S ? seconds : SERVER_WAIT_MAX_S);
    return target_call(s->target, a, "GET", path, (Str){0}, out, err);
}

static ErrCode copy(int from, int to, Err *err)
{
    char *buffer = malloc(COPY_BUFFER);
    if (buffer == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory");
    ErrCode rc = OK;
    for (ssize_t n = 1; rc == OK && n > 0;) {
        n = read(from, buffer, COPY_BUFFER);
        if (n < 0 && errno == EINTR)
            n = 1;
        else if (n < 0)
            rc = err_set_errno(err, ERR_IO, errno, "could not read the result");
        else
            rc = fd_write_all(to, buffer, (size_t)n, err);
    }
    free(buffer);
    return rc;
}

static const Json *output_at(const Json *job, size_t index)
{
    json_each(output, json_get(job, "outputs"))
        if (index-- == 0)
            return output;
    return NULL;
}

ErrCode session_fetch(Session *s, const Json *job, size_t index, int to_fd, Err *err)
{
    CLEANUP(arena_close) Arena *a = arena_open(MIB);
    if (a == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory");
    if (s->app != NULL) {
        CLEANUP(fd_close) int from = -1;
        int64_t size = 0;
        ErrCode rc = blob_open(s->app->blobs, json_text(json_get(output_at(job, index), "blob")),
                               &from, &size, err);
        return rc != OK ? rc : copy(from, to_fd, err);
    }
    Str id = json_text(json_get(job, "id"));
    NetRequest request = {
        .method = "GET",
        .path = str_printf(a, "/api/v1/jobs/" STR_FMT "/outputs/%zu", STR_ARG(id), index),
        .out_fd = to_fd,
        .timeout_s = 3600};
    NetResponse response;
    ErrCode rc = net_send(target_client(s->target), a, &request, &response, err);
    return rc != OK ? rc : target_problem(a, &response, err);
}

void session_cancel(Session *s, Str job_id)
{
    CLEANUP(arena_close) Arena *a = arena_open(MIB);
    int64_t id;
    const Json *answer = NULL;
    ErrCode ignored = OK; /* it may have ended meanwhile */
    if (s->app != NULL && id_parse("job", job_id, &id))
        ignored = flow_cancel(s->app->db, s->app->project, id, NULL);
    else if (a != NULL && s->target != NULL)
        ignored = target_call(s->target, a, "POST",
                              str_printf(a, "/api/v1/jobs/" STR_FMT "/cancel", STR_ARG(job_id)),
                              STR("{}"), &answer, NULL);
    (void)ignored;
}

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

static ErrCode store_files(Session *s, const SessionFile *files, size_t len, JobFile *out, Err *err)
{
    for (size_t i = 0; i < len; i++) {
        Blob *blob = arena_new(s->arena, Blob, 1); /* its hash is part of the job's row to be */
        ErrCode rc = blob == NULL ? err_set(err, ERR_NO_MEMORY, "no memory")
                                  : store_file(s, files[i].path, blob, err);
        if (rc != OK)
            return rc;
        out[i] = (JobFile){.name = files[i].name,
                           .type = STR(""),
                           .hash = {blob->hash, BLOB_HASH_LEN},
                           .size_bytes = blob->size_bytes};
    }
    return OK;
}

static ErrCode submit_local(Session *s, const Step *step, Str params, const SessionFile *files,
                            size_t files_len, Str *job_id, Err *err)
{
    JobFile *inputs = arena_new(s->arena, JobFile, files_len + 1);
    ErrCode rc = inputs == NULL ? err_set(err, ERR_NO_MEMORY, "no memory")
                                : store_files(s, files, files_len, inputs, err);
    const JobNew n = {.project = s->app->project,
                      .step = step,
                      .params = params,
                      .inputs = inputs,
                      .inputs_len = files_len};
    JobAdded added;
    if (rc == OK)
        rc = flow_add(s->app->db, &n, &added, err);
    if (rc != OK)
        return rc;
    char text[ID_TEXT_SIZE];
    *job_id = str_copy(s->arena, str_from_c(id_text("job", added.job, text)));
    return job_id->ptr != NULL ? OK : err_set(err, ERR_NO_MEMORY, "no memory");
}

/* A value as a form field says it. */
static Str form_text(Arena *a, const Json *value)
{
    Buf text = buf_init(a, PARAM_TEXT_MAX);
    JsonOut j = json_out(&text);
    if (value->type == JSON_TEXT)
        buf_add(&text, value->text);
    else if (value->type == JSON_LIST)
        json_each(item, value)
            buf_addf(&text, "%s" STR_FMT, item == value->first ? "" : ",", STR_ARG(item->text));
    else
        json_put(&j, value);
    return buf_str(&text);
}

static ErrCode post_files(Session *s, Str url, const Json *params, const SessionFile *files,
                          size_t len, NetResponse *out, Err *err)
{
    Str *form = arena_new(s->arena, Str, params->len * 2 + 1);
    NetFile *parts = arena_new(s->arena, NetFile, len);
    size_t at = 0;
    if (form == NULL || parts == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory");
    for (size_t i = 0; i < len; i++)
        parts[i] = (NetFile){.path = files[i].path, .field = STR("file"), .name = files[i].name};
    json_each(p, params) {
        form[at++] = p->key;
        form[at++] = form_text(s->arena, p);
    }
    const NetRequest request = {.method = "POST",
                                .path = url,
                                .files = parts,
                                .files_len = len,
                                .form = form,
                                .form_len = at / 2};
    return net_send(target_client(s->target), s->arena, &request, out, err);
}

static ErrCode post_params(Session *s, Str url, const Json *params, NetResponse *out, Err *err)
{
    Buf body = buf_init(s->arena, PARAM_TEXT_MAX * 2);
    JsonOut j = json_out(&body);
    json_begin(&j, '{');
    json_key(&j, "params");
    json_put(&j, params);
    json_end(&j, '}');
    const NetRequest request = {.method = "POST", .path = url, .json = buf_str(&body)};
    return net_send(target_client(s->target), s->arena, &request, out, err);
}

static ErrCode submit_remote(Session *s, const Step *step, Str params, const SessionFile *files,
                             size_t files_len, Str *job_id, Err *err)
{
    const Json *given = NULL, *job = NULL;
    NetResponse response;
    Str url = str_printf(s->arena, "/api/v1/steps/%s", step->name);
    ErrCode rc = json_parse(s->arena, params, &given, err);
    if (rc == OK)
        rc = files_len > 0 ? post_files(s, url, given, files, files_len, &response, err)
                           : post_params(s, url, given, &response, err);
    if (rc == OK)
        rc = target_problem(s->arena, &response, err);
    if (rc == OK)
        rc = json_parse(s->arena, response.body, &job, err);
    if (rc == OK)
        *job_id = json_text(json_get(job, "id"));
    return rc;
}

ErrCode session_submit(Session *s, const Step *step, Str params, const SessionFile *files,
                       size_t files_len, Str *job_id, Err *err)
{
    if (s->app != NULL && step->outside != NULL) { /* nobody would ever come for it */
        err_set(err, ERR_USAGE, "%s needs a server that outside workers can reach", step->name);
        err_hint(err, "Start one with `platen serve` and name it with --server URL.");
        return ERR_USAGE;
    }
    return s->app != NULL ? submit_local(s, step, params, files, files_len, job_id, err)
                          : submit_remote(s, step, params, files, files_len, job_id, err);
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

enum { NOTES_MAX = 20, NOTES_EVENTS_MAX = 1000 };

static void add_note(Arena *a, StrList *out, Str type, const Json *data)
{
    Str note = json_text(json_get(data, "note"));
    if (out->items == NULL)
        out->items = arena_new(a, Str, NOTES_MAX);
    if (str_eq_c(type, "task.note") && note.len > 0 && out->items != NULL && out->len < NOTES_MAX)
        out->items[out->len++] = note;
}

static void notes_local(Session *s, Str job_id, Arena *a, StrList *out)
{
    DbConn *reader = NULL;
    JobEvent *events = NULL;
    size_t len = 0;
    int64_t id;
    if (!id_parse("job", job_id, &id) || db_reader(s->app->db, &reader, NULL) != OK ||
        flow_events(reader, s->app->project, id, 0, NOTES_EVENTS_MAX, a, &events, &len, NULL) != OK)
        return;
    for (size_t i = 0; i < len; i++) {
        const Json *data = NULL;
        if (str_eq_c(events[i].type, "task.note") &&
            json_parse(a, events[i].data, &data, NULL) == OK)
            add_note(a, out, events[i].type, data);
    }
}

void session_notes(Session *s, Str job_id, Arena *a, StrList *out)
{
    const Json *answer = NULL;
    *out = (StrList){0};
    if (s->app != NULL) {
        notes_local(s, job_id, a, out);
        return;
    }
    Str path = str_printf(a, "/api/v1/jobs/" STR_FMT "/events?limit=%d", STR_ARG(job_id),
                          NOTES_EVENTS_MAX);
    if (target_call(s->target, a, "GET", path, (Str){0}, &answer, NULL) != OK)
        return;
    json_each(e, json_get(answer, "events"))
        add_note(a, out, json_text(json_get(e, "type")), json_get(e, "data"));
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

#include "cli/target.h"
#include "api/app.h"
#include "base/fd.h"
#include "cli/scratch.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

enum { FILE_MAX = 4096, CLOSE_GRACE_MS = 5000, INLINE_GRACE_MS = 500 };

struct Target {
    NetClient *client;
    App *app;  /* the server inside this process, or NULL */
    char *dir; /* its folder when that is thrown away, or NULL */
    Str url, key, data;
};

void target_close(Target **t)
{
    if (*t == NULL)
        return;
    net_close(&(*t)->client);
    app_close(&(*t)->app, (*t)->dir != NULL ? INLINE_GRACE_MS : CLOSE_GRACE_MS);
    scratch_remove((*t)->dir);
    free(*t);
    *t = NULL;
}

NetClient *target_client(Target *t)
{
    return t->client;
}

Str target_url(const Target *t)
{
    return t->url;
}

Str target_key(const Target *t)
{
    return t->key;
}

Str target_dir(const Target *t)
{
    return t->data;
}

static Str first_of(Str given, const char *variable)
{
    return given.len > 0 ? given : str_from_c(getenv(variable));
}

/* server.json is believed only while its writer holds the folder's lock. */
static bool folder_in_use(Arena *a, Str dir)
{
    Str path = str_printf(a, STR_FMT "/lock", STR_ARG(dir));
    CLEANUP(fd_close) int fd = path.ptr != NULL ? open(path.ptr, O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0)
        return false;
    if (flock(fd, LOCK_EX | LOCK_NB) != 0)
        return true;
    flock(fd, LOCK_UN);
    return false;
}

static ErrCode running_server(Arena *a, Str dir, Str *url, Err *err)
{
    Str path = str_printf(a, STR_FMT "/server.json", STR_ARG(dir)), text;
    const Json *j = NULL;
    if (path.ptr == NULL || fd_read_path(path.ptr, a, FILE_MAX, &text, NULL) != OK ||
        json_parse(a, text, &j, NULL) != OK || json_text(json_get(j, "url")).len == 0) {
        err_set(err, ERR_DATA_LOCKED, "a process without a listener uses \"" STR_FMT "\"",
                STR_ARG(dir));
        err_hint(err, "Wait until it ends, or name the server with --server.");
        return ERR_DATA_LOCKED;
    }
    *url = json_text(json_get(j, "url"));
    return OK;
}

static ErrCode folder_key(Arena *a, Str dir, Str *key, Err *err)
{
    Str path = str_printf(a, STR_FMT "/cli-key", STR_ARG(dir));
    if (path.ptr == NULL || fd_read_path(path.ptr, a, FILE_MAX, key, err) != OK) {
        err_set(err, ERR_UNAUTHORIZED, "\"" STR_FMT "/cli-key\" cannot be read", STR_ARG(dir));
        err_hint(err,
                 "Give a key with --key or PLATEN_KEY, or run the command as the server's user.");
        return ERR_UNAUTHORIZED;
    }
    *key = str_trim(*key);
    return OK;
}

static ErrCode open_folder(Cli *cli, Str dir, Target *t, Str *key, Err *err)
{
    char *dir_c = str_to_c(cli->arena, dir);
    Str path = str_printf(cli->arena, STR_FMT "/platen.db", STR_ARG(dir));
    if (dir_c == NULL || path.ptr == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory");
    if (access(path.ptr, F_OK) != 0) {
        err_set(err, ERR_NOT_FOUND, "there is no platen data in \"" STR_FMT "\"", STR_ARG(dir));
        err_hint(
            err,
            "Start a server (platen serve), or name one: --server URL --key KEY, or --data DIR.");
        return ERR_NOT_FOUND;
    }
    ErrCode rc = OK;
    if (folder_in_use(cli->arena, dir)) {
        rc = running_server(cli->arena, dir, &t->url, err);
    } else {
        const AppOptions options = {.data_dir = dir_c, .listen = "127.0.0.1:0"};
        rc = app_open(&options, &t->app, err);
        if (rc == OK)
            t->url = app_url(t->app, cli->arena);
    }
    return rc != OK ? rc : folder_key(cli->arena, dir, key, err);
}

ErrCode target_open(Cli *cli, const TargetArgs *args, Target **out, Err *err)
{
    CLEANUP(target_close) Target *t = calloc(1, sizeof *t);
    if (t == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory");
    Str key = first_of(args->key, "PLATEN_KEY");
    t->url = first_of(args->server, "PLATEN_SERVER");
    if (t->url.len > 0 && t->url.ptr[t->url.len - 1] == '/')
        t->url.len--;
    ErrCode rc = OK;
    if (t->url.len == 0) {
        const char *variable = getenv("PLATEN_DATA");
        bool by_default = str_eq_c(args->data, "data") && variable != NULL;
        t->data = by_default ? str_from_c(variable) : args->data;
        rc = open_folder(cli, t->data, t, &key, err);
    }
    t->key = key;
    if (rc == OK)
        rc = net_open(t->url, key, &t->client, err);
    if (rc != OK)
        return rc;
    *out = t;
    t = NULL;
    return OK;
}

ErrCode target_open_inline(Cli *cli, Target **out, Err *err)
{
    CLEANUP(target_close) Target *t = calloc(1, sizeof *t);
    if (t == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory");
    ErrCode rc = scratch_make(cli->arena, "platen", &t->dir, err);
    if (rc != OK)
        return rc;
    const AppOptions options = {
        .data_dir = t->dir, .throwaway = true, .internal_steps = true, .listen = "127.0.0.1:0"};
    rc = app_open(&options, &t->app, err);
    if (rc == OK)
        t->url = app_url(t->app, cli->arena);
    if (rc == OK)
        rc = net_open(t->url, str_from_c(t->app->owner_key), &t->client, err);
    if (rc != OK)
        return rc;
    *out = t;
    t = NULL;
    return OK;
}

void target_find(char **words, int len, TargetArgs *out)
{
    const struct {
        Str flag;
        Str *to;
    } flags[] = {
        {STR("--server"), &out->server}, {STR("--key"), &out->key}, {STR("--data"), &out->data}};
    if (out->data.len == 0)
        out->data = STR("data");
    for (int i = 0; i < len; i++)
        for (size_t k = 0; k < COUNT_OF(flags); k++) {
            Str word = str_from_c(words[i]), flag = flags[k].flag;
            if (str_eq(word, flag) && i + 1 < len)
                *flags[k].to = str_from_c(words[i + 1]);
            else if (str_starts(word, flag) && word.len > flag.len && word.ptr[flag.len] == '=')
                *flags[k].to = str_slice(word, flag.len + 1, word.len);
        }
}

bool target_is_named(const TargetArgs *args)
{
    return first_of(args->server, "PLATEN_SERVER").len > 0;
}

bool target_is_inside(const Target *t)
{
    return t->app != NULL;
}

bool target_is_inline(const Target *t)
{
    return t->dir != NULL;
}

ErrCode target_problem(Arena *a, const NetResponse *r, Err *err)
{
    if (r->status < 400)
        return OK;
    const Json *problem = NULL;
    ErrCode code = OK;
    if (json_parse(a, r->body, &problem, NULL) == OK)
        code = err_from_reason(json_text(json_get(problem, "reason")));
    if (code == OK)
        return err_set(err, ERR_UNREACHABLE, "the server answered with status %d", r->status);
    Buf detail = buf_init(a, 64 * KIB);
    buf_add(&detail, json_text(json_get(problem, "detail")));
    const Json *errors = json_get(problem, "errors");
    if (errors != NULL && errors->len > 1) {
        buf_clear(&detail);
        json_each(e, errors) {
            buf_add_c(&detail, e == errors->first ? "" : "; ");
            buf_add(&detail, json_text(json_get(e, "param")));
            buf_add_char(&detail, ' ');
            buf_add(&detail, json_text(json_get(e, "detail")));
        }
    }
    Str text = buf_str(&detail), hint = json_text(json_get(problem, "hint"));
    err_set(err, code, STR_FMT, STR_ARG(text));
    err_hint(err, STR_FMT, STR_ARG(hint));
    return code;
}

ErrCode target_call(Target *t, Arena *a, const char *method, Str path, Str json, const Json **out,
                    Err *err)
{
    NetRequest request = {.method = method, .path = path, .json = json};
    NetResponse response;
    *out = NULL;
    if (path.ptr == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for the request");
    ErrCode rc = net_send(t->client, a, &request, &response, err);
    if (rc == OK)
        rc = target_problem(a, &response, err);
    if (rc != OK || response.body.len == 0)
        return rc;
    return json_parse(a, response.body, out, err);
}

#include "api/app.h"
#include "api/lease.h"
#include "api/operations.h"
#include "api/routes.h"
#include "api/preview.h"
#include "api/stream.h"
#include "api/sweep.h"
#include "api/wait.h"
#include "base/clock.h"
#include "content/document.h"
#include "base/fd.h"
#include "base/log.h"
#include "steps/steps.h"
#include "trace/alerts.h"
#include "trace/metrics.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { APP_ARENA_MAX = 64 * 1024 * 1024, FILE_SMALL = 4096 };
#define CLI_KEY_NAME STR("command line on this machine")

static const char *in_dir(App *app, const char *name)
{
    Str path = str_printf(app->arena, "%s/%s", app->options.data_dir, name);
    return path.ptr;
}

Str app_program_dir(Arena *a)
{
    char path[4096];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path);
    if (n <= 0 || (size_t)n == sizeof path)
        return STR("");
    Str whole = {path, (size_t)n};
    size_t slash = str_rfind_char(whole, '/');
    return slash == STR_NONE ? STR("") : str_copy(a, str_slice(whole, 0, slash));
}

/* A small file that only this user reads, whole or not at all. */
static ErrCode write_private(App *app, const char *name, Str text, Err *err)
{
    const char *path = in_dir(app, name);
    Str part = str_printf(app->arena, "%s.part", path != NULL ? path : "");
    if (path == NULL || part.ptr == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory");
    CLEANUP(fd_close) int fd = open(part.ptr, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_set_errno(err, ERR_IO, errno, "could not create \"%s\"", part.ptr);
    ErrCode rc = fd_write_all(fd, text.ptr, text.len, err);
    if (rc == OK && rename(part.ptr, path) != 0)
        rc = err_set_errno(err, ERR_IO, errno, "could not create \"%s\"", path);
    return rc;
}

static ErrCode open_store(App *app, Err *err)
{
    const AppOptions *o = &app->options;
    if (mkdir(o->data_dir, 0700) != 0 && errno != EEXIST)
        return err_set_errno(err, ERR_IO, errno, "could not make the data folder \"%s\"",
                             o->data_dir);
    const char *db = in_dir(app, "platen.db"), *blobs = in_dir(app, "blobs");
    if (db == NULL || blobs == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory");
    ErrCode rc = db_open(&(DbOptions){.path = db, .fast_and_loose = o->throwaway}, &app->db, err);
    if (rc == OK) /* the folder is ours alone from here on */
        rc = seal_open(o->throwaway ? NULL : in_dir(app, "secret.key"), &app->seal, err);
    if (rc == OK)
        db_attach_seal(app->db, app->seal);
    if (rc == OK)
        rc = blob_store_open(blobs, o->throwaway, &app->blobs, err);
    if (rc == OK)
        rc = document_index_all(app->db, err);
    return rc;
}

/* The key that commands on this machine use: made once, and again when the file or the key is
 * gone. */
static ErrCode keep_cli_key(App *app, Err *err)
{
    Str text;
    Caller who;
    char key[ACCESS_KEY_TEXT];
    int64_t id;
    const char *path = in_dir(app, "cli-key");
    if (path != NULL && fd_read_path(path, app->arena, FILE_SMALL, &text, NULL) == OK &&
        access_check(app->access, str_trim(text), &who, NULL) == OK)
        return OK;
    ErrCode rc =
        access_key_create(app->access, app->project, CLI_KEY_NAME, ROLE_OWNER, &id, key, err);
    return rc != OK ? rc : write_private(app, "cli-key", str_from_c(key), err);
}

static ErrCode open_access(App *app, Err *err)
{
    ErrCode rc = access_open(app->db, &app->access, err);
    if (rc == OK)
        rc = access_first_start(app->access, &app->project, app->owner_key, &app->first_start, err);
    if (rc == OK && !app->options.throwaway)
        rc = keep_cli_key(app, err);
    return rc;
}

/* Contracts are cached where they outlive this process: with the data, or, for throwaway data, with
 * the user's caches. */
static const char *user_cache(Arena *a)
{
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    bool has_cache = cache != NULL && cache[0] == '/';
    if (!has_cache && (home == NULL || home[0] != '/'))
        return NULL;
    Str dir = has_cache ? str_from_c(cache) : str_printf(a, "%s/.cache", home);
    char *dir_c = dir.ptr != NULL ? str_to_c(a, dir) : NULL;
    if (dir_c == NULL || (mkdir(dir_c, 0700) != 0 && errno != EEXIST))
        return NULL;
    return str_printf(a, "%s/platen-engines.json", dir_c).ptr;
}

static ErrCode fill_registry(const EngineOptions *engines, Arena *a, EnginePool **pool,
                             Registry **out, Err *err)
{
    EngineOptions o = *engines;
    if (o.dirs == NULL)
        o.dirs = str_to_c(a, app_program_dir(a));
    *out = registry_open(a);
    if (*out == NULL || o.dirs == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for the registry");
    ErrCode rc = engine_pool_open(&o, pool, err);
    if (rc == OK)
        rc = engine_describe_all(*pool, *out, a, err);
    return rc != OK ? rc : steps_register(*out, err);
}

static ErrCode open_steps(App *app, Err *err)
{
    const EngineOptions engines = {
        .dirs = app->options.engine_dirs,
        .blobs = app->blobs,
        .cache_path = app->options.throwaway ? user_cache(app->arena) : in_dir(app, "engines.json"),
    };
    return fill_registry(&engines, app->arena, &app->engines, &app->registry, err);
}

ErrCode app_registry(const char *engine_dirs, Arena *a, Registry **out, Err *err)
{
    CLEANUP(engine_pool_close) EnginePool *pool = NULL;
    const EngineOptions engines = {.dirs = engine_dirs, .cache_path = user_cache(a)};
    return fill_registry(&engines, a, &pool, out, err);
}

static ErrCode open_work(App *app, Err *err)
{
    app->hub = hub_open();
    app->offers = offers_open();
    if (app->hub == NULL || app->offers == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory");
    const WorkOptions work = {
        .db = app->db,
        .registry = app->registry,
        .blobs = app->blobs,
        .engines = app->engines,
        .hub = app->hub,
        .offers = app->offers,
        .runners = app->options.engine_threads,
        .schedules = app->options.schedules,
        .built_in = built_in_pipelines,
        .stored = trigger_stored,
        .stored_ctx = &app->trigger_world,
    };
    app->trigger_world = (TriggerWorld){app->registry, app->hub};
    int64_t retention_ms = app->options.retention_ms;
    ErrCode rc = OK;
    if (retention_ms != 0)
        rc = flow_set_retention(app->db, retention_ms > 0 ? retention_ms : 0, err);
    if (rc == OK)
        rc = work_open(&work, &app->work, err);
    if (rc != OK || !app->options.schedules)
        return rc;
    const TriggerOptions triggers = {.db = app->db,
                                     .blobs = app->blobs,
                                     .hub = app->hub,
                                     .offers = app->offers,
                                     .allow_private = app->options.allow_private,
                                     .watch_root = app->options.watch_root,
                                     .file_max = app->options.upload_max};
    return triggers_open(&triggers, &app->triggers, err);
}

static ErrCode open_webhooks(App *app, Err *err)
{
    const DeliverOptions o = {.db = app->db,
                              .hub = app->hub,
                              .seal = app->seal,
                              .allow_private = app->options.allow_private};
    ErrCode rc =
        outbound_open(&(OutboundOptions){.allow_private = o.allow_private}, &app->guard, err);
    const NotifyOptions notify = {o.db, o.hub, o.seal, o.allow_private};
    if (rc == OK && !app->options.throwaway)
        rc = deliver_open(&o, &app->deliver, err);
    return rc == OK && !app->options.throwaway ? notify_open(&notify, &app->notify, err) : rc;
}

static void observe(const HttpRequest *req, int status, int64_t us)
{
    metrics_answer(status, us);
    LOG(DEBUG, HTTP_REQUEST, KV("path", req->path), KV("status", status), KV("us", us),
        KV("trace", req->trace));
}

static ErrCode open_http(App *app, Err *err)
{
    const AppOptions *o = &app->options;
    static const HttpRoute web = {.path = "/", .handler = pages_web, .on_loop = true};
    HttpOptions http = {
        .listen = o->listen,
        .tls_cert = o->tls_cert,
        .tls_key = o->tls_key,
        .loops = o->loops,
        .pool_threads = o->pool_threads,
        .upload_max = o->upload_max,
        .blobs = app->blobs,
        .observe = observe,
        .fallback = &web,
    };
    app->openapi = operations_openapi(app->registry, app->arena);
    ErrCode rc = app->openapi.ptr != NULL
                     ? OK
                     : err_set(err, ERR_NO_MEMORY, "no memory for the API's description");
    if (rc == OK)
        rc = operations_routes(app, &http.routes, &http.routes_len, err);
    if (rc == OK)
        rc = waiters_open(app, &app->waiters, err);
    if (rc == OK)
        rc = streams_open(app, &app->streams, err);
    if (rc == OK)
        rc = leases_open(app, &app->leases, err);
    if (rc == OK)
        rc = previews_open(app, &app->previews, err);
    if (rc == OK)
        rc = http_open(&http, &app->http, err);
    if (rc != OK || o->throwaway)
        return rc;
    Str url = app_url(app, app->arena);
    return write_private(app, "server.json",
                         str_printf(app->arena, "{\"url\":\"" STR_FMT "\"}\n", STR_ARG(url)), err);
}

static ErrCode open_hooks(App *app, Err *err)
{
    const PushOptions push = {
        .db = app->db, .offers = app->offers, .allow_private = app->options.allow_private};
    const BridgeOptions bridges = {.db = app->db,
                                   .offers = app->offers,
                                   .registry = app->registry,
                                   .allow_private = app->options.allow_private};
    ErrCode rc = push_open(&push, &app->push, err);
    return rc == OK ? bridges_open(&bridges, &app->bridges, err) : rc;
}

ErrCode app_open(const AppOptions *o, App **out, Err *err)
{
    Arena *a = arena_open(APP_ARENA_MAX);
    App *app = a != NULL ? arena_new(a, App, 1) : NULL;
    if (app == NULL) {
        arena_close(&a);
        return err_set(err, ERR_NO_MEMORY, "no memory");
    }
    *app = (App){.options = *o, .arena = a, .started_ms = clock_now_ms()};
    ErrCode rc = alerts_open(&app->alerts, err);
    if (rc == OK)
        rc = open_store(app, err);
    if (rc == OK)
        rc = open_access(app, err);
    if (rc == OK)
        rc = open_steps(app, err);
    if (rc == OK)
        rc = open_work(app, err);
    if (rc == OK)
        rc = open_webhooks(app, err);
    if (rc == OK && o->listen != NULL)
        rc = open_http(app, err);
    if (rc == OK && o->listen != NULL)
        rc = open_hooks(app, err);
    if (rc == OK && !o->throwaway)
        rc = sweeper_open(app, &app->sweeper, err);
    if (rc != OK) {
        app_close(&app, 0);
        return rc;
    }
    *out = app;
    return OK;
}

void app_close(App **slot, int grace_ms)
{
    App *app = *slot;
    if (app == NULL)
        return;
    *slot = NULL;
    const char *address = in_dir(app, "server.json");
    sweeper_close(&app->sweeper);
    if (app->http != NULL && address != NULL)
        unlink(address);
    if (app->waiters != NULL)
        waiters_stop(app->waiters);
    triggers_close(&app->triggers);
    if (app->leases != NULL)
        leases_stop(app->leases);
    if (app->previews != NULL)
        previews_stop(app->previews);
    bridges_close(&app->bridges);
    push_close(&app->push, grace_ms);
    if (app->work != NULL)
        work_drain(app->work, grace_ms);
    http_close(&app->http, grace_ms);
    streams_close(&app->streams);
    waiters_close(&app->waiters);
    notify_close(&app->notify);
    previews_close(&app->previews);
    deliver_close(&app->deliver);
    outbound_close(&app->guard);
    work_close(&app->work);
    leases_close(&app->leases);
    offers_close(&app->offers);
    hub_close(&app->hub);
    engine_pool_close(&app->engines);
    access_close(&app->access);
    blob_store_close(&app->blobs);
    db_close(&app->db);
    seal_close(&app->seal);
    alerts_close(&app->alerts);
    Arena *a = app->arena; /* holds *app itself */
    arena_close(&a);
}

Str app_url(const App *app, Arena *a)
{
    Str listen = str_from_c(app->options.listen);
    size_t colon = str_rfind_char(listen, ':');
    Str host = str_slice(listen, 0, colon);
    if (str_eq_c(host, "0.0.0.0"))
        host = STR("127.0.0.1");
    else if (str_eq_c(host, "[::]"))
        host = STR("[::1]");
    return str_printf(a, "%s://" STR_FMT ":%d", app->options.tls_cert != NULL ? "https" : "http",
                      STR_ARG(host), http_port(app->http));
}

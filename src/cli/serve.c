/* platen serve: the server. */
#include "api/app.h"
#include "base/fd.h"
#include "base/log.h"
#include "cli/demo.h"

#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct ServeArgs {
    Str data, listen, tls_cert, tls_key, engines, demo, allow_private, retention, watch_root;
    int64_t upload_max, threads, grace;
    int log_level;
    bool internal_steps;
} ServeArgs;

static const Choice log_levels[] = {
    [LOG_DEBUG] = {"debug", "Everything, each request included."},
    [LOG_INFO] = {"info", "What an operator wants to know."},
    [LOG_WARN] = {"warn", "What may need a look."},
    [LOG_ERROR] = {"error", "What failed."},
    [LOG_OFF] = {"off", "Nothing."},
    {0},
};
enum { DEFAULT_LEVEL = LOG_INFO, UPLOAD_DEFAULT_MB = 1024 };

static const Param serve_params[] = {
    PARAM_TEXT(ServeArgs, data, .def_text = "data",
               .help = "Data folder, also -d; made when missing."),
    PARAM_TEXT(ServeArgs, listen, .def_text = "127.0.0.1:8080", .example = "0.0.0.0:8080",
               .help = "Address and port to listen on; port 0 takes a free one."),
    PARAM_TEXT(ServeArgs, tls_cert, .unit = "FILE",
               .help = "Certificate chain in PEM form; needs --tls-key."),
    PARAM_TEXT(ServeArgs, tls_key, .unit = "FILE", .help = "Private key in PEM form."),
    PARAM_TEXT(ServeArgs, engines, .unit = "DIRS",
               .help =
                   "Folders with engines, joined by colons; the folder of this program otherwise."),
    PARAM_TEXT(ServeArgs, watch_root, .unit = "FOLDER",
               .help = "Folders that triggers of pipelines watch lie in this one; none otherwise."),
    PARAM_INT(ServeArgs, upload_max, .min = 1, .max = 1000000, .def = UPLOAD_DEFAULT_MB,
              .unit = "MB", .help = "Largest upload."),
    PARAM_INT(ServeArgs, threads, .min = 1, .max = 256,
              .help = "Tasks at once per engine; two per core otherwise."),
    PARAM_INT(ServeArgs, grace, .min = 0, .max = 3600, .def = 10, .unit = "s",
              .help = "How long running work may go on after a stop."),
    PARAM_TEXT(ServeArgs, allow_private, .unit = "RANGES", .example = "10.0.0.0/8,192.168.1.7",
               .help = "Private networks that webhooks, pushes and bridges may reach; others are "
                       "refused."),
    PARAM_TEXT(ServeArgs, retention, .example = "30d",
               .help =
                   "How long ended jobs are kept whose queue does not say it: 30d, 12h; for ever "
                   "otherwise."),
    PARAM_CHOICE(ServeArgs, log_level, .choices = log_levels, .def = DEFAULT_LEVEL,
                 .help = "What goes to the log on standard error."),
    PARAM_TEXT(ServeArgs, demo, .unit = "FOLDER",
               .help =
                   "After the start, put the folder's files through the server and show a table."),
    PARAM_BOOL(ServeArgs, internal_steps, .help = "Also list steps made for tests and benchmarks."),
    PARAM_END,
};

static sigset_t stop_signals;

static bool stop_asked(void)
{
    sigset_t pending;
    return sigpending(&pending) == 0 &&
           (sigismember(&pending, SIGINT) || sigismember(&pending, SIGTERM));
}

static const char *c_or_null(Arena *a, Str s)
{
    return s.len > 0 ? str_to_c(a, s) : NULL;
}

static void print_welcome(Cli *cli, const App *app)
{
    Str url = app_url(app, cli->arena);
    const char *bold = term_style(STDOUT_FILENO, TERM_BOLD),
               *plain = term_style(STDOUT_FILENO, TERM_PLAIN);
    printf("platen " PLATEN_VERSION "  %s" STR_FMT "%s  (explorer: " STR_FMT "/docs)\n", bold,
           STR_ARG(url), plain, STR_ARG(url));
    if (app->first_start)
        printf("owner key   %s%s%s  shown this once; platen keeps its hash\n", bold, app->owner_key,
               plain);
    if (app->first_start) /* a fragment stays in the browser: no server or log sees it */
        printf("open        " STR_FMT "/#key=%s\n", STR_ARG(url), app->owner_key);
    else
        printf("open        platen open --data %s\n", app->options.data_dir);
    printf("data        %s, %zu steps\n\n", app->options.data_dir, registry_count(app->registry));
    fflush(stdout);
}

/* The demo uses the folder's own key: on a later start the owner's is not known any more. */
static void run_demo(Cli *cli, App *app, const ServeArgs *args)
{
    Str results = str_printf(cli->arena, "%s/demo", app->options.data_dir), key = {0};
    Str key_path = str_printf(cli->arena, "%s/cli-key", app->options.data_dir);
    char *folder = str_to_c(cli->arena, args->demo);
    Err err = {0};
    if (folder == NULL || results.ptr == NULL || key_path.ptr == NULL ||
        fd_read_path(key_path.ptr, cli->arena, KIB, &key, &err) != OK) {
        term_error(&err);
        return;
    }
    demo_run(cli, app, str_trim(key), folder, results.ptr, stop_asked);
    Str url = app_url(app, cli->arena);
    if (!stop_asked())
        printf("\nserving " STR_FMT " until Ctrl-C\n", STR_ARG(url));
    fflush(stdout);
}

static int serve(Cli *cli, const ServeArgs *args)
{
    Err err = {0};
    int64_t retention_ms = -1; /* for ever */
    if (args->retention.len > 0 && !term_read_time(args->retention, &retention_ms)) {
        err_set(&err, ERR_USAGE, "--retention \"" STR_FMT "\" is no time: say 30d, 12h or 90m",
                STR_ARG(args->retention));
        return term_fail(&err);
    }
    const AppOptions options = {
        .data_dir = str_to_c(cli->arena, args->data),
        .listen = str_to_c(cli->arena, args->listen),
        .tls_cert = c_or_null(cli->arena, args->tls_cert),
        .tls_key = c_or_null(cli->arena, args->tls_key),
        .engine_dirs = c_or_null(cli->arena, args->engines),
        .allow_private = c_or_null(cli->arena, args->allow_private),
        .engine_threads = (int)args->threads,
        .upload_max = args->upload_max * 1000000,
        .internal_steps = args->internal_steps,
        .schedules = true,
        .retention_ms = retention_ms,
        .watch_root = c_or_null(cli->arena, args->watch_root),
    };
    App *app = NULL;
    if ((options.tls_cert == NULL) != (options.tls_key == NULL)) {
        err_set(&err, ERR_USAGE, "--tls-cert and --tls-key belong together");
        return term_fail(&err);
    }
    if (app_open(&options, &app, &err) != OK) {
        LOG(ERROR, SERVER_FAILED, KV("reason", err_reason(err.code)),
            KV("detail", (const char *)err.text));
        return term_fail(&err);
    }
    LOG(INFO, SERVER_STARTED, KV("url", app_url(app, cli->arena)), KV("version", PLATEN_VERSION));
    print_welcome(cli, app);
    if (args->demo.len > 0)
        run_demo(cli, app, args);
    int number = 0;
    sigwait(&stop_signals, &number);
    LOG(INFO, SERVER_STOPPING, KV("signal", number));
    sigprocmask(SIG_UNBLOCK, &stop_signals, NULL); /* a second Ctrl-C ends at once */
    app_close(&app, (int)args->grace * 1000);
    LOG(INFO, SERVER_STOPPED, KV("signal", number));
    return EXIT_DONE;
}

/* As many descriptors as the system lets us have: every connection is one. */
static void raise_descriptor_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(
            RLIMIT_NOFILE,
            &limit); /* refused: the limit stays as it is, and connections are refused earlier */
    }
}

static int run(Cli *cli, const void *raw, const Str *operands, size_t len)
{
    const ServeArgs *args = raw;
    (void)operands;
    if (len > 0) {
        Err err = {0};
        err_set(&err, ERR_USAGE, "usage: platen serve [OPTIONS]");
        return term_fail(&err);
    }
    umask(077); /* what is in the data folder is nobody else's business */
    log_set_level((LogLevel)args->log_level);
    sigemptyset(&stop_signals);
    sigaddset(&stop_signals, SIGINT);
    sigaddset(&stop_signals, SIGTERM);
    sigprocmask(SIG_BLOCK, &stop_signals, NULL);
    signal(SIGPIPE, SIG_IGN);
    raise_descriptor_limit();
    return serve(cli, args);
}

const Command command_serve = {
    .name = "serve",
    .summary = "Start the server: API, queue and engines in one process.",
    .detail = "The first start makes a project and prints its owner key once. Stop with Ctrl-C or "
              "SIGTERM: running work may end,\n"
              "the rest stays queued. kill -9 loses nothing that was accepted.",
    .params = serve_params,
    .args_size = sizeof(ServeArgs),
    .examples =
        (const char *const[]){
            "platen serve", "platen serve --data /var/lib/platen --listen 127.0.0.1:8080",
            "platen serve --listen 0.0.0.0:8443 --tls-cert cert.pem --tls-key key.pem", NULL},
    .run = run,
};

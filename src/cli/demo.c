#include "cli/demo.h"
#include "base/clock.h"
#include "base/fd.h"
#include "cli/scratch.h"
#include "cli/session.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    FILES_MAX = 1000,
    STEP_WAIT_MS = 60000,
    ROW_ARENA = 64 * 1024 * 1024,
    CLOSE_GRACE_MS = 5000
};

/* What follows on detection: the first whose contract accepts the type. */
static const struct {
    const char *step, *params;
} followers[] = {
    {"image.convert", "{\"format\":\"webp\",\"width\":800}"},
    {"document.extract", "{}"},
    {"archive.list", "{}"},
    {"media.probe", "{}"},
};

typedef struct Demo {
    Cli *cli;
    App *app;
    Session *session;
    const char *folder, *results_dir;
    TermTable table;
    TermProgress progress;
    size_t failed, refused; /* refused: locked, or nothing to read in it */
} Demo;

static int keep_files(const struct dirent *e)
{
    return e->d_name[0] != '.' && e->d_type == DT_REG &&
           !str_ends(str_from_c(e->d_name), STR(".py"));
}

static ErrCode run_step(Demo *d, const Step *step, Str params, const char *path, Str name, Arena *a,
                        const Json **job, Err *err)
{
    Str id;
    const SessionFile file = {path, name};
    ErrCode rc = session_submit(d->session, step, params, &file, path != NULL ? 1 : 0, &id, err);
    if (rc == OK)
        rc = session_wait(d->session, id, STEP_WAIT_MS, a, job, err);
    if (rc != OK || str_eq_c(json_text(json_get(*job, "state")), "done"))
        return rc;
    ErrCode code = err_from_reason(json_text(json_get(*job, "reason")));
    Str detail = json_text(json_get(*job, "detail"));
    return err_set(err, code != OK ? code : ERR_LIMIT_TIME, STR_FMT, STR_ARG(detail));
}

static ErrCode run_named(Demo *d, const char *name, const char *given, const char *path, Str file,
                         Arena *a, const Json **job, Err *err)
{
    const Step *step = NULL;
    const Json *parsed = NULL;
    ParamFaults faults = {0};
    Str params;
    ErrCode rc = session_step(d->session, str_from_c(name), &step, err);
    if (rc == OK)
        rc = json_parse(a, str_from_c(given), &parsed, err);
    if (rc == OK)
        rc = param_check(step->params, parsed, a, &params, &faults, err);
    return rc != OK ? rc : run_step(d, step, params, path, file, a, job, err);
}

static ErrCode create(const char *path, int *out_fd, Err *err)
{
    *out_fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    return *out_fd >= 0 ? OK : err_set_errno(err, ERR_IO, errno, "could not create \"%s\"", path);
}

/* The first output under its own name, or the data as JSON when there is none. */
static ErrCode save(Demo *d, const Json *job, Str file, Str *where, Err *err)
{
    CLEANUP(fd_close) int fd = -1;
    Arena *a = d->cli->arena;
    const Json *outputs = json_get(job, "outputs");
    bool has_output = outputs != NULL && outputs->first != NULL;
    Str name = has_output ? json_text(json_get(outputs->first, "name"))
                          : str_printf(a, STR_FMT ".json", STR_ARG(file));
    size_t slash = str_rfind_char(name, '/');
    name = slash == STR_NONE ? name : str_slice(name, slash + 1, name.len);
    Str path = str_printf(a, "%s/" STR_FMT, d->results_dir, STR_ARG(name));
    ErrCode rc =
        path.ptr != NULL ? create(path.ptr, &fd, err) : err_set(err, ERR_NO_MEMORY, "no memory");
    if (rc != OK)
        return rc;
    *where = path;
    if (has_output)
        return session_fetch(d->session, job, 0, fd, err);
    Buf b = buf_init(a, MIB);
    JsonOut j = json_out(&b);
    json_put(&j, json_get(job, "data"));
    return fd_write_all(fd, b.ptr, b.len, err);
}

static Str number_or_dash(Arena *a, const Json *data, const char *field)
{
    const Json *v = json_get(data, field);
    return json_int(v, 0) > 0 ? str_printf(a, "%" PRId64, v->integer) : STR("-");
}

static ErrCode process(Demo *d, const char *path, Str name, Arena *a, Str cells[6], Err *err)
{
    const Json *job = NULL;
    cells[1] = STR("-");
    ErrCode rc = run_named(d, "file.detect", "{}", path, name, a, &job, err);
    if (rc != OK)
        return rc;
    Str type = str_copy(d->cli->arena, json_text(json_get(json_get(job, "data"), "type")));
    cells[1] = str_copy(d->cli->arena, json_text(json_get(json_get(job, "data"), "extension")));
    for (size_t i = 0; i < COUNT_OF(followers); i++) {
        const Step *step = registry_find(d->app->registry, str_from_c(followers[i].step));
        if (step == NULL || !step_accepts(step, type))
            continue;
        rc = run_named(d, followers[i].step, followers[i].params, path, name, a, &job, err);
        break;
    }
    if (rc == OK)
        rc = save(d, job, name, &cells[5], err);
    const Json *data = json_get(job, "data");
    cells[2] = number_or_dash(d->cli->arena, data, "pages");
    cells[3] = number_or_dash(d->cli->arena, data, "characters");
    return rc;
}

static void one_file(Demo *d, const char *name)
{
    CLEANUP(arena_close) Arena *a = arena_open(ROW_ARENA);
    Err err = {0};
    Str path = str_printf(d->cli->arena, "%s/%s", d->folder, name);
    Str cells[6] = {str_copy(d->cli->arena, str_from_c(name)),
                    STR("-"),
                    STR("-"),
                    STR("-"),
                    STR("-"),
                    STR("-")};
    if (a == NULL || path.ptr == NULL)
        return;
    int64_t started = clock_mono_us();
    ErrCode rc = process(d, path.ptr, cells[0], a, cells, &err);
    cells[4] = str_printf(d->cli->arena, "%" PRId64 " ms", (clock_mono_us() - started) / 1000);
    if (rc != OK) {
        /* What is locked, or has nothing to read in it, is told so: that is a result. */
        bool refused = rc == ERR_INPUT_ENCRYPTED || rc == ERR_NO_TEXT;
        d->refused += refused;
        d->failed += !refused;
        cells[5] = str_printf(d->cli->arena, "%s: %s", err_reason(rc), err.text);
    }
    term_table_row(&d->table, cells);
}

int demo_run(Cli *cli, App *app, Str key, const char *folder, const char *results_dir,
             bool (*stop)(void))
{
    static const char *const titles[] = {"FILE", "TYPE",   "PAGES", "CHARACTERS",
                                         "TIME", "RESULT", NULL};
    Err err = {0};
    struct dirent **files = NULL;
    int count = scandir(folder, &files, keep_files, alphasort);
    if (count < 0) {
        err_set_errno(&err, ERR_NOT_FOUND, errno, "could not read \"%s\"", folder);
        return term_fail(&err);
    }
    if (mkdir(results_dir, 0777) != 0 && errno != EEXIST) {
        err_set_errno(&err, ERR_IO, errno, "could not make \"%s\"", results_dir);
        return term_fail(&err);
    }
    CLEANUP(session_close) Session *session = NULL;
    const TargetArgs target = {.server = app_url(app, cli->arena), .key = key};
    if (session_open(cli, &target, false, &session, &err) != OK)
        return term_fail(&err);
    Demo d = {.cli = cli,
              .app = app,
              .session = session,
              .folder = folder,
              .results_dir = results_dir,
              .table = term_table(cli->arena, titles)};
    int64_t started = clock_mono_us();
    bool stopped = false;
    for (int i = 0; i < count; i++) {
        term_progress(&d.progress, i, count, (int64_t)i * 100, str_from_c(files[i]->d_name));
        stopped = stopped || (stop != NULL && stop());
        if (!stopped)
            one_file(&d, files[i]->d_name);
        free(files[i]);
    }
    free(files);
    term_progress_end(&d.progress);
    term_table_print(&d.table);
    Str time = term_duration(cli->arena, (clock_mono_us() - started) / 1000);
    printf("\n%zu of %d files, " STR_FMT "%s\n", d.table.rows - d.failed, count, STR_ARG(time),
           d.failed > 0 ? "; the others say why" : "");
    if (d.refused > 0)
        printf("%zu of them gave no result, for the reason in their row\n", d.refused);
    fflush(stdout);
    return d.failed > 0 || stopped || count == 0 ? EXIT_FAILED : EXIT_DONE;
}

typedef struct DemoArgs {
    Str results;
} DemoArgs;

static const Param demo_params[] = {
    PARAM_TEXT(DemoArgs, results, .unit = "DIR",
               .help = "Where results go; a new folder under TMPDIR otherwise."),
    PARAM_END,
};

static int run(Cli *cli, const void *raw, const Str *operands, size_t len)
{
    const DemoArgs *args = raw;
    Err err = {0};
    const char *folder = len > 0 ? str_to_c(cli->arena, operands[0]) : "samples";
    char *data = NULL,
         *results = args->results.len > 0 ? str_to_c(cli->arena, args->results) : NULL;
    if (len > 1) {
        err_set(&err, ERR_USAGE, "usage: platen demo [FOLDER]");
        return term_fail(&err);
    }
    ErrCode rc = folder != NULL ? scratch_make(cli->arena, "platen-demo-data", &data, &err)
                                : err_set(&err, ERR_NO_MEMORY, "no memory");
    if (rc == OK && results == NULL)
        rc = scratch_make(cli->arena, "platen-demo", &results, &err);
    if (rc != OK) {
        scratch_remove(data);
        return term_fail(&err);
    }
    const AppOptions options = {.data_dir = data, .listen = "127.0.0.1:0"};
    App *app = NULL;
    int status = EXIT_FAILED;
    if (app_open(&options, &app, &err) != OK)
        status = term_fail(&err);
    else
        status = demo_run(cli, app, str_from_c(app->owner_key), folder, results, NULL);
    app_close(&app, CLOSE_GRACE_MS);
    scratch_remove(data);
    return status;
}

const Command command_demo = {
    .name = "demo",
    .operands = "[FOLDER]",
    .summary = "Start a server on a free port with throwaway data, put a folder of files through "
               "it, and end.",
    .params = demo_params,
    .args_size = sizeof(DemoArgs),
    .examples = (const char *const[]){"platen demo samples", NULL},
    .run = run,
};

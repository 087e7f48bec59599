/* flow_batch.c: a pipeline for each of many files: one job on a server, followed, its results kept. */
#include "base/fd.h"
#include "cli/files.h"
#include "cli/flow_in.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    BODY_MAX = 64 * 1024 * 1024,
    AT_ONCE_MAX = 5000, /* what one call of the API takes */
    LOOK_MS = 300,
    FAILURES_SHOWN = 50,
};

static volatile sig_atomic_t interrupted;

static void on_signal(int signal)
{
    (void)signal;
    interrupted = 1;
}

/* --- the request --- */

static bool is_needed(const Json *file)
{
    return json_bool(json_get(file, "required"), false);
}

/* The input that takes the files, as the server finds it. */
static ErrCode main_input(Flow *f, const FlowInputs *in, Str *out, Err *err)
{
    size_t needed = 0;
    *out = f->args.input;
    json_each(file, in->files) {
        if (f->args.input.len > 0)
            break;
        if (is_needed(file) || in->files->len == 1)
            *out = json_text(json_get(file, "name"));
        needed += is_needed(file) || in->files->len == 1;
    }
    if (f->args.input.len > 0 || needed == 1)
        return OK;
    err_set(err, ERR_USAGE,
            in->files == NULL || in->files->len == 0
                ? "the pipeline takes no file, so there is nothing to batch"
                : "--input must say which input of the pipeline takes the files");
    return ERR_USAGE;
}

/* That input is given by operands: it is no flag. */
static void without_main(FlowInputs *in, Str main)
{
    Param *to = (Param *)(uintptr_t)in->contract.params;
    for (const Param *p = to; p->type != PARAM_TYPE_END; p++)
        if (!str_eq_c(main, p->name))
            *to++ = *p;
    *to = (Param)PARAM_END;
}

static ErrCode put_files(Flow *f, const InputFiles *files, JsonOut *j, Err *err)
{
    ErrCode rc = OK;
    json_begin(j, '[');
    for (size_t i = 0; rc == OK && i < files->len; i++) {
        ArenaMark mark = arena_mark(f->cli->arena);
        const InputFile *file = &files->items[i];
        rc = flow_upload(f, str_from_c(file->path), file->name, j, err);
        arena_rewind(f->cli->arena, mark);
        if (!f->args.quiet && !f->args.json && term_is_tty(STDERR_FILENO))
            fprintf(stderr, "\r%zu of %zu files sent", i + 1, files->len);
    }
    if (files->len > 0 && !f->args.quiet && !f->args.json && term_is_tty(STDERR_FILENO))
        fputc('\n', stderr);
    json_end(j, ']');
    return rc;
}

static ErrCode start(Flow *f, Str name, Str main, const FlowInputs *in, const InputFiles *files,
                     const Json **job, Err *err)
{
    CLEANUP(arena_close) Arena *a = arena_open(BODY_MAX + MIB);
    if (a == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for the request");
    Buf body = buf_init(a, BODY_MAX);
    JsonOut j = json_out(&body);
    json_begin(&j, '{');
    json_kv_str(&j, "input", main);
    if (f->args.concurrency > 0)
        json_kv_int(&j, "concurrency", f->args.concurrency);
    if (f->args.priority != 0)
        json_kv_int(&j, "priority", f->args.priority);
    if (f->args.version > 0)
        json_kv_int(&j, "version", f->args.version);
    if (f->args.no_memo)
        json_kv_bool(&j, "no_memo", true);
    json_key(&j, "inputs");
    json_begin(&j, '{');
    ErrCode rc = flow_put_inputs(f, in, 0, NULL, &j, err);
    json_key_str(&j, main);
    if (rc == OK)
        rc = put_files(f, files, &j, err);
    json_end(&j, '}');
    json_end(&j, '}');
    if (rc == OK && body.failed)
        rc = err_set(err, ERR_INPUT_TOO_LARGE, "the request is larger than %d bytes", BODY_MAX);
    return rc != OK ? rc
                    : target_call(f->target, f->cli->arena, "POST",
                                  flow_pipeline_path(f, name, "/batch"), buf_str(&body), job, err);
}

/* --- until it has ended --- */

static int64_t count(const Json *job, const char *what)
{
    return json_int(json_get(json_get(job, "items"), what), 0);
}

static Str standing(Arena *a, const Json *job)
{
    int64_t done = count(job, "done"), failed = count(job, "failed"),
            canceled = count(job, "canceled"), total = count(job, "total");
    Str text = str_printf(a, "%" PRId64 " of %" PRId64 " done", done, total);
    if (failed > 0)
        text = str_printf(a, STR_FMT ", %" PRId64 " failed", STR_ARG(text), failed);
    if (canceled > 0)
        text = str_printf(a, STR_FMT ", %" PRId64 " cancelled", STR_ARG(text), canceled);
    return text;
}

static bool has_ended(const Json *job)
{
    return json_text(json_get(job, "finished")).len > 0;
}

/* A line that is written again on a terminal; elsewhere one when something has changed. */
static void show(Flow *f, Str text, Str *last)
{
    bool terminal = term_is_tty(STDERR_FILENO);
    if (f->args.quiet || f->args.json || str_eq(text, *last))
        return;
    fprintf(stderr, terminal ? "\r\033[K" STR_FMT : STR_FMT "\n", STR_ARG(text));
    *last = str_copy(f->cli->arena, text);
}

static ErrCode follow(Flow *f, Str id, const Json **job, Err *err)
{
    Str path = flow_job_path(f, id, "", (Str){0}), last = {0};
    CLEANUP(arena_close) Arena *frame = arena_open(64 * MIB);
    const Json *now = NULL;
    struct sigaction act = {.sa_handler = on_signal};
    if (frame == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory");
    sigaction(SIGINT, &act, NULL);
    sigaction(SIGTERM, &act, NULL);
    do {
        arena_recycle(frame);
        ErrCode rc = target_call(f->target, frame, "GET", path, (Str){0}, &now, err);
        if (rc != OK)
            return rc;
        show(f, standing(frame, now), &last);
        if (!has_ended(now))
            usleep(LOOK_MS * 1000);
    } while (!has_ended(now) && !interrupted);
    if (!f->args.quiet && !f->args.json && term_is_tty(STDERR_FILENO))
        fputc('\n', stderr);
    return target_call(f->target, f->cli->arena, "GET", path, (Str){0}, job, err);
}

/* --- its items --- */

typedef ErrCode (*ItemFn)(Flow *f, const Json *item, Err *err);

/* Every item in this state, a page at a time. */
static ErrCode each_item(Flow *f, Str id, const char *state, size_t most, ItemFn fn, Err *err)
{
    Str next = {0};
    for (size_t seen = 0; seen < most;) {
        ArenaMark mark = arena_mark(f->cli->arena);
        const Json *page = NULL;
        Str path = flow_job_path(f, id, "/items", (Str){0});
        path = str_printf(f->cli->arena, STR_FMT "?limit=200&state=%s%s" STR_FMT, STR_ARG(path),
                          state, next.len > 0 ? "&cursor=" : "", STR_ARG(next));
        ErrCode rc = target_call(f->target, f->cli->arena, "GET", path, (Str){0}, &page, err);
        json_each(item, json_get(page, "items"))
            if (rc == OK && seen++ < most)
                rc = fn(f, item, err);
        char cursor[64] = "";
        if (rc == OK)
            snprintf(cursor, sizeof cursor, STR_FMT, STR_ARG(json_text(json_get(page, "next"))));
        arena_rewind(f->cli->arena, mark);
        if (rc != OK || cursor[0] == 0)
            return rc;
        next = str_copy(f->cli->arena, str_from_c(cursor));
    }
    return OK;
}

static Str name_of(const Json *item)
{
    const Json *inputs = json_get(item, "inputs");
    return inputs != NULL && inputs->len > 0 ? json_text(json_get(inputs->first, "name"))
                                             : STR("item");
}

static ErrCode tell_failure(Flow *f, const Json *item, Err *err)
{
    (void)f;
    (void)err;
    fprintf(stderr, "%s" STR_FMT "  failed: " STR_FMT ": " STR_FMT "%s\n",
            term_style(STDERR_FILENO, TERM_RED), STR_ARG(name_of(item)),
            STR_ARG(json_text(json_get(item, "reason"))),
            STR_ARG(json_text(json_get(item, "detail"))), term_style(STDERR_FILENO, TERM_PLAIN));
    return OK;
}

/* Names come from outside: no path leaves the folder. */
static Str folder_name(Arena *a, Str name)
{
    char *text = str_to_c(a, name);
    for (char *c = text; c != NULL && *c != 0; c++)
        if (*c == '/' || *c == '\\')
            *c = '_';
    bool dots = text == NULL || strcmp(text, ".") == 0 || strcmp(text, "..") == 0 || *text == 0;
    return dots ? STR("item") : str_from_c(text);
}

static ErrCode make_folder(Arena *a, Str dir, Str name, Str *out, Err *err)
{
    for (int i = 1; i <= AT_ONCE_MAX; i++) {
        *out = i == 1 ? str_printf(a, STR_FMT "/" STR_FMT, STR_ARG(dir), STR_ARG(name))
                      : str_printf(a, STR_FMT "/" STR_FMT "-%d", STR_ARG(dir), STR_ARG(name), i);
        if (out->ptr == NULL)
            return err_set(err, ERR_NO_MEMORY, "no memory");
        if (mkdir(out->ptr, 0777) == 0)
            return OK;
        if (errno != EEXIST)
            break;
    }
    return err_set_errno(err, ERR_IO, errno, "could not make the folder \"" STR_FMT "\"",
                         STR_ARG(*out));
}

static ErrCode save_data(Flow *f, const Json *item, Str dir, Err *err)
{
    const Json *data = json_get(item, "data");
    Str path;
    if (data == NULL || data->len == 0)
        return OK;
    CLEANUP(fd_close) int fd = flow_create_in(f->cli->arena, dir, STR("result.json"), &path, err);
    Buf b = buf_init(f->cli->arena, 4 * MIB);
    JsonOut j = json_out(&b);
    json_put(&j, data);
    if (fd < 0)
        return ERR_IO;
    return b.failed ? err_set(err, ERR_NO_MEMORY, "no memory for a result")
                    : fd_write_all(fd, b.ptr, b.len, err);
}

static ErrCode save_item(Flow *f, const Json *item, Err *err)
{
    Str dir;
    bool quiet = f->args.quiet;
    if (!str_eq_c(json_text(json_get(item, "step")), "flow.run"))
        return OK; /* it unpacked an archive */
    ErrCode rc = make_folder(f->cli->arena, f->args.output,
                             folder_name(f->cli->arena, name_of(item)), &dir, err);
    f->args.quiet = true; /* thousands of lines help nobody */
    if (rc == OK)
        rc = flow_save_outputs(f, item, dir, err);
    f->args.quiet = quiet;
    return rc == OK ? save_data(f, item, dir, err) : rc;
}

static ErrCode save(Flow *f, Str id, Err *err)
{
    const char *dir = str_to_c(f->cli->arena, f->args.output);
    if (dir == NULL || (mkdir(dir, 0777) != 0 && errno != EEXIST))
        return err_set_errno(err, ERR_IO, errno, "could not make the folder \"" STR_FMT "\"",
                             STR_ARG(f->args.output));
    return each_item(f, id, "done", SIZE_MAX, save_item, err);
}

static int finish(Flow *f, const Json *job)
{
    Err err = {0};
    Str id = json_text(json_get(job, "id"));
    bool done = str_eq_c(json_text(json_get(job, "state")), "done");
    ErrCode rc = f->args.output.len > 0 ? save(f, id, &err) : OK;
    if (rc == OK && count(job, "failed") > 0 && !f->args.quiet && !f->args.json)
        rc = each_item(f, id, "failed", FAILURES_SHOWN, tell_failure, &err);
    if (rc != OK)
        return term_fail(&err);
    if (f->args.json) {
        term_print_json(f->cli->arena, job);
        return done ? EXIT_DONE : EXIT_FAILED;
    }
    if (!f->args.quiet && f->args.output.len > 0)
        fprintf(stderr, "Results are in " STR_FMT "\n", STR_ARG(f->args.output));
    if (count(job, "failed") > 0 && !target_is_inside(f->target))
        fprintf(stderr, "Run what failed again: platen jobs retry " STR_FMT "\n", STR_ARG(id));
    return flow_tell_end(f, job);
}

static int after_start(Flow *f, const Json *job)
{
    Err err = {0};
    Str id = json_text(json_get(job, "id"));
    const Json *end = NULL;
    bool inside = target_is_inside(f->target);
    if (!f->args.follow && !inside && f->args.output.len == 0) {
        if (f->args.json)
            term_print_json(f->cli->arena, job);
        else
            printf(STR_FMT "\n", STR_ARG(id));
        return EXIT_DONE;
    }
    if (!f->args.quiet && !f->args.json && !inside)
        fprintf(stderr, STR_FMT "\n", STR_ARG(id));
    if (follow(f, id, &end, &err) != OK)
        return term_fail(&err);
    if (!interrupted || has_ended(end))
        return finish(f, end);
    fprintf(stderr, "\n" STR_FMT " goes on. Stop it: platen jobs cancel " STR_FMT "\n", STR_ARG(id),
            STR_ARG(id));
    return 128 + SIGINT;
}

/* --- the words --- */

static ErrCode read_files(Flow *f, int *argc, char ***argv, InputFiles *out, Err *err)
{
    int n = 0;
    while (n < *argc && (*argv)[n][0] != '-')
        n++;
    Str *operands = arena_new(f->cli->arena, Str, (size_t)n + 1);
    if (operands == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory");
    for (int i = 0; i < n; i++)
        operands[i] = str_from_c((*argv)[i]);
    *argc -= n;
    *argv += n;
    if (n == 0)
        return err_set(err, ERR_USAGE, "name files or folders right after the pipeline");
    ErrCode rc = files_expand(f->cli->arena, operands, (size_t)n, NULL, out, err);
    if (rc == OK && out->len > AT_ONCE_MAX)
        return err_set(err, ERR_LIMIT_COUNT,
                       "%zu files, a batch takes %d at once; archives count "
                       "as one file and are unpacked",
                       out->len, AT_ONCE_MAX);
    return rc;
}

static int batch_words(Flow *f, int argc, char **argv)
{
    Err err = {0};
    FlowInputs in;
    InputFiles files = {0};
    Str name, main = {0};
    int status;
    const Json *job = NULL;
    const FlowVerb *v = &flow_batch_verb;
    if (argc == 0 || argv[0][0] == '-')
        return flow_wants_help(argc, argv) ? flow_print_help(f, v, NULL) : flow_fail_usage(v);
    target_find(argv, argc, &f->args.target);
    if (!flow_open_pipeline(f, str_from_c(argv[0]), &name, &status))
        return status;
    bool help = flow_wants_help(argc, argv);
    for (int i = 1; i + 1 < argc; i++) /* which flags there are depends on it */
        if (strcmp(argv[i], "--input") == 0)
            f->args.input = str_from_c(argv[i + 1]);
    ErrCode rc = flow_find_inputs(f, name, flow_version_in(argc, argv), &in, &err);
    if (rc == OK)
        rc = main_input(f, &in, &main, &err);
    if (rc == OK)
        without_main(&in, main);
    if (rc == OK && help)
        return flow_print_help(f, v, &in);
    argc--;
    argv++;
    if (rc == OK)
        rc = read_files(f, &argc, &argv, &files, &err);
    if (rc == OK)
        rc = flow_sort_words(f, v, &in, argc, argv, &err);
    if (rc == OK)
        rc = start(f, name, main, &in, &files, &job, &err);
    return rc != OK ? term_fail(&err) : after_start(f, job);
}

static const Param batch_params[] = {
    PARAM_BOOL(FlowArgs, follow, .help = "Show how many are done until the last one has ended."),
    PARAM_TEXT(FlowArgs, output, .unit = "DIR", .example = "out/",
               .help = "Folder for the results, one in it for each file, also -o; waits for the "
                       "end."),
    PARAM_TEXT(FlowArgs, input, .unit = "NAME", .example = "source",
               .help = "Input of the pipeline that takes the files; needed when several could."),
    PARAM_INT(FlowArgs, concurrency, .min = 1, .max = 1000, .example = "4",
              .help = "How many of the pipelines run at once; 16 otherwise."),
    PARAM_INT(FlowArgs, version, .min = 1, .max = INT64_MAX,
              .help = "Version of the pipeline; the newest otherwise."),
    PARAM_INT(FlowArgs, priority, .min = -100, .max = 100, .help = "Higher runs first."),
    PARAM_BOOL(FlowArgs, no_memo,
               .help = "Run every step, also those whose result is known from an earlier run."),
    PARAM_BOOL(FlowArgs, json, .help = "Print the job as JSON."),
    PARAM_BOOL(FlowArgs, quiet, .help = "No progress, also -q."),
    TARGET_PARAMS(FlowArgs),
    PARAM_END,
};

const FlowVerb flow_batch_verb = {
    .help = {.name = "flow batch",
             .operands = "NAME|FILE FILES… [INPUTS]",
             .summary = "Run a pipeline on many files: one job, one item per file.",
             .detail = "Files, folders with all below them, and archives, which are unpacked. The "
                       "other inputs of the pipeline are options and the same for all.\n"
                       "One item that fails does not stop the others; `platen jobs retry` of the "
                       "job runs only what failed.\n"
                       "Exit code: 0 all done, 1 some failed, 2 wrong usage, 130 interrupted.",
             .params = batch_params,
             .examples =
                 (const char *const[]){"platen flow batch blog notes/*.docx -o out/",
                                       "platen flow batch photos pictures/ --width 400 --follow",
                                       NULL}},
    .run_words = batch_words,
};

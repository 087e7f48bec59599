/* platen run STEP FILE…: run a step on files, here or on a server. */
#include "base/clock.h"
#include "base/fd.h"
#include "cli/outputs.h"
#include "cli/session.h"
#include "core/registry.h"
#include "surface/help.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

typedef struct RunArgs {
    Str output;
    bool json, quiet;
    TargetArgs target;
} RunArgs;

static const Param run_params[] = {
    PARAM_TEXT(RunArgs, output, .unit = "DIR|FILE", .example = "out/",
               .help =
                   "Where results go, also -o: a folder, or a file name when there is one input."),
    PARAM_BOOL(RunArgs, json,
               .help = "Print one JSON line per input; without --output results stay in a new "
                       "folder under TMPDIR."),
    PARAM_BOOL(RunArgs, quiet, .help = "No progress, also -q."),
    {.name = "server",
     .type = PARAM_TYPE_TEXT,
     .offset = offsetof(RunArgs, target.server),
     .unit = "URL",
     .help = "Run on this server instead of here; PLATEN_SERVER says it too."},
    {.name = "key",
     .type = PARAM_TYPE_TEXT,
     .offset = offsetof(RunArgs, target.key),
     .secret = true,
     .help =
         "API key for the server; PLATEN_KEY says it too, and keeps it out of the process list."},
    PARAM_END,
};

enum { WINDOW = 32, WAIT_MS = 250, INPUT_ARENA_MAX = 256 * 1024 * 1024 };

static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
    (void)number;
    interrupted = 1;
}

typedef struct Input {
    const char *path; /* NULL: the step takes none */
    Str name;         /* for people and for the job */
    Str job_id;
    Err err; /* when it could not even be submitted */
    bool submitted;
    int64_t started_us;
} Input;

typedef struct Run {
    Cli *cli;
    Session *session;
    const Step *step;
    const RunArgs *args;
    Str params;
    Input *inputs;
    size_t inputs_len, next; /* next: to submit */
    Outputs outputs;
    TermProgress progress;
    size_t failed;
} Run;

static void submit(Run *r, Input *in)
{
    in->submitted = true;
    in->started_us = clock_mono_us();
    ErrCode rc =
        session_submit(r->session, r->step, r->params, in->path, in->name, &in->job_id, &in->err);
    in->err.code = rc;
}

static void show_progress(Run *r, size_t done, const Json *job)
{
    if (r->args->quiet || r->args->json)
        return;
    const Json *p = json_get(job, "progress");
    int64_t part = json_int(json_get(p, "done"), 0), whole = json_int(json_get(p, "total"), 0);
    int64_t scale = whole > 0 ? 100 : 1;
    term_progress(&r->progress, (int64_t)done * scale + (whole > 0 ? part * 100 / whole : 0),
                  (int64_t)r->inputs_len * scale,
                  done < r->inputs_len ? r->inputs[done].name : STR(""));
}

/* Wait for the end of inputs[index]. */
static ErrCode wait_end(Run *r, size_t index, Arena *a, const Json **job, Err *err)
{
    for (;;) {
        arena_reset(a);
        ErrCode rc = session_wait(r->session, r->inputs[index].job_id, WAIT_MS, a, job, err);
        if (rc != OK)
            return rc;
        if (json_text(json_get(*job, "finished")).len > 0)
            return OK;
        show_progress(r, index, *job);
        if (interrupted) {
            session_cancel(r->session, r->inputs[index].job_id);
            return err_set(err, ERR_CANCELED, "interrupted");
        }
    }
}

static void report_failure(Run *r, const Input *in, const Err *err, int64_t ms)
{
    r->failed++;
    if (r->args->json) {
        outputs_print_failure(&r->outputs, in->name, err, ms);
        return;
    }
    Err shown;
    Str name = in->path != NULL ? in->name : str_from_c(r->step->name);
    err_set(&shown, err->code, STR_FMT ": %s: %s", STR_ARG(name), err_reason(err->code), err->text);
    err_hint(&shown, "%s", err_advice(err));
    term_progress_end(&r->progress);
    term_error(&shown);
}

static void err_from_job(const Json *job, Err *err)
{
    Str reason = json_text(json_get(job, "reason")), detail = json_text(json_get(job, "detail"));
    Str hint = json_text(json_get(job, "hint"));
    ErrCode code = err_from_reason(reason);
    bool canceled = str_eq_c(json_text(json_get(job, "state")), "canceled");
    err_set(err,
            canceled     ? ERR_CANCELED
            : code != OK ? code
                         : ERR_INTERNAL,
            STR_FMT, STR_ARG(detail));
    err_hint(err, STR_FMT, STR_ARG(hint));
}

static void finish(Run *r, size_t index)
{
    Input *in = &r->inputs[index];
    CLEANUP(arena_close) Arena *a = arena_open(INPUT_ARENA_MAX);
    const Json *job = NULL;
    ErrCode rc = in->err.code;
    if (rc == OK && a == NULL)
        rc = err_set(&in->err, ERR_NO_MEMORY, "no memory");
    if (rc == OK)
        rc = wait_end(r, index, a, &job, &in->err);
    int64_t ms = (clock_mono_us() - in->started_us) / 1000;
    if (rc == OK && !str_eq_c(json_text(json_get(job, "state")), "done")) {
        err_from_job(job, &in->err);
        rc = in->err.code;
    }
    if (rc == OK) {
        term_progress_end(&r->progress);
        rc = outputs_take(&r->outputs, r->session, job, in->name, ms, a, &in->err);
    }
    in->err.code = rc;
    if (rc != OK)
        report_failure(r, in, &in->err, ms);
}

/* A window of inputs is under way at once; results are taken in the order of the command line. */
static int run_inputs(Run *r)
{
    for (size_t i = 0; i < r->inputs_len && !interrupted; i++) {
        while (r->next < r->inputs_len && r->next < i + WINDOW)
            submit(r, &r->inputs[r->next++]);
        show_progress(r, i, NULL);
        finish(r, i);
    }
    term_progress_end(&r->progress);
    for (size_t i = 0; interrupted && i < r->next; i++)
        if (r->inputs[i].err.code == OK && r->inputs[i].job_id.len > 0)
            session_cancel(r->session, r->inputs[i].job_id);
    if (!r->args->quiet && !r->args->json)
        outputs_summary(&r->outputs, r->inputs_len, r->failed);
    return interrupted ? 128 + SIGINT : r->failed > 0 ? EXIT_FAILED : EXIT_DONE;
}

/* "-" is standard input, kept in memory so that it can be read like a file. */
static const char *spool_stdin(Arena *a, Err *err)
{
    char buffer[65536];
    int fd = memfd_create("stdin", 0);
    if (fd < 0) {
        err_set_errno(err, ERR_NO_MEMORY, errno, "could not keep standard input");
        return NULL;
    }
    for (ssize_t n = 1; n > 0;) {
        n = read(STDIN_FILENO, buffer, sizeof buffer);
        if (n < 0 && errno == EINTR)
            n = 1;
        else if (n > 0 && fd_write_all(fd, buffer, (size_t)n, err) != OK)
            return NULL;
    }
    return str_printf(a, "/proc/self/fd/%d", fd).ptr; /* open until the process ends */
}

static Str base_name(Str path)
{
    size_t slash = str_rfind_char(path, '/');
    return slash == STR_NONE ? path : str_slice(path, slash + 1, path.len);
}

static ErrCode make_inputs(Run *r, const Str *operands, size_t len, Err *err)
{
    Arena *a = r->cli->arena;
    bool takes_file = r->step->accepts != NULL;
    if (!takes_file && len > 0)
        return err_set(err, ERR_USAGE, "%s takes no file", r->step->name);
    if (takes_file && len == 0 && !r->step->input_optional)
        return err_set(err, ERR_USAGE, "%s needs a file: platen run %s FILE…", r->step->name,
                       r->step->name);
    r->inputs_len = len > 0 ? len : 1;
    r->inputs = arena_new(a, Input, r->inputs_len);
    if (r->inputs == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for %zu inputs", r->inputs_len);
    for (size_t i = 0; i < len; i++) {
        Input *in = &r->inputs[i];
        bool is_stdin = str_eq_c(operands[i], "-");
        in->name = is_stdin ? STR("stdin") : base_name(operands[i]);
        in->path = is_stdin ? spool_stdin(a, err) : str_to_c(a, operands[i]);
        if (in->path == NULL)
            return err->code != OK ? err->code : err_set(err, ERR_NO_MEMORY, "no memory");
    }
    return OK;
}

/* The server, if any, must be known before the step is: its options come from the step's
 * contract. */
static void find_target(char **words, int words_len, TargetArgs *out)
{
    for (int i = 0; i < words_len; i++) {
        Str word = str_from_c(words[i]),
            next = i + 1 < words_len ? str_from_c(words[i + 1]) : STR("");
        if (str_eq_c(word, "--server"))
            out->server = next;
        else if (str_starts(word, STR("--server=")))
            out->server = str_slice(word, 9, word.len);
        else if (str_eq_c(word, "--key"))
            out->key = next;
        else if (str_starts(word, STR("--key=")))
            out->key = str_slice(word, 6, word.len);
    }
}

static int print_help(Cli *cli, const Step *step)
{
    const HelpCommand run_help = cli_help_command(&command_run);
    const HelpLook look = cli_help_look();
    Buf b = buf_init(cli->arena, MIB);
    if (step != NULL)
        help_run(step, &run_help, &look, &b);
    else
        help_command(&run_help, &look, &b);
    fputs(buf_c(&b), stdout);
    return EXIT_DONE;
}

static ErrCode parse(Run *r, int argc, char **argv, RunArgs *args, Str **operands, size_t *len,
                     bool *help, Err *err)
{
    ArgsTable tables[] = {{.params = r->step->params}, {.params = run_params}};
    const Json *canonical = NULL;
    ErrCode rc =
        args_sort(r->cli->arena, argv, argc, tables, COUNT_OF(tables), operands, len, help, err);
    if (rc != OK || *help)
        return rc;
    r->params = tables[0].json;
    rc = json_parse(r->cli->arena, tables[1].json, &canonical, err);
    return rc != OK ? rc : param_fill(run_params, canonical, r->cli->arena, args, err);
}

static int run_words(Cli *cli, int argc, char **argv)
{
    Err err = {0};
    RunArgs args = {0};
    if (argc > 0 && (strcmp(argv[0], "--help") == 0 || strcmp(argv[0], "-h") == 0))
        return print_help(cli, NULL);
    if (argc == 0 || argv[0][0] == '-') {
        err_set(&err, ERR_USAGE, "which step? usage: platen run STEP FILE… [OPTIONS]");
        err_hint(&err, "`platen steps` lists the steps.");
        return term_fail(&err);
    }
    signal(SIGINT, on_signal);
    signal(SIGTERM, on_signal);
    signal(SIGPIPE, SIG_IGN);
    CLEANUP(session_close) Session *session = NULL;
    Run r = {.cli = cli, .args = &args};
    find_target(argv, argc, &args.target);
    ErrCode rc = session_open(cli, &args.target, true, &session, &err);
    r.session = session;
    if (rc == OK)
        rc = session_step(session, str_from_c(argv[0]), &r.step, &err);
    Str *operands = NULL;
    size_t len = 0;
    bool help = false;
    if (rc == OK)
        rc = parse(&r, argc - 1, argv + 1, &args, &operands, &len, &help, &err);
    if (rc == OK && help)
        return print_help(cli, r.step);
    if (rc == OK)
        rc = make_inputs(&r, operands, len, &err);
    if (rc == OK)
        rc = outputs_open(&r.outputs, cli->arena, r.step, args.output, args.json, r.inputs_len,
                          &err);
    if (rc != OK)
        return rc == ERR_UNKNOWN_STEP ? (term_fail(&err), EXIT_USAGE) : term_fail(&err);
    return run_inputs(&r);
}

const Command command_run = {
    .name = "run",
    .operands = "STEP FILE…",
    .summary = "Run a step on files: text to standard output, or results into a folder.",
    .detail = "Files are parsed by sandboxed engines on this machine; no server is needed. With "
              "--server the same runs there.\n"
              "platen run STEP --help lists what the step takes.",
    .params = run_params,
    .args_size = sizeof(RunArgs),
    .examples =
        (const char *const[]){"platen run document.extract report.pdf",
                              "platen run document.extract *.docx --format text -o texts/",
                              "platen run image.convert *.jpg --format webp --width 1600 -o out/",
                              NULL},
    .run_words = run_words,
};

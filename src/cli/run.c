/* platen run STEP FILE…: run a step on files, here or on a server. */
#include "cli/run_in.h"
#include "core/registry.h"
#include "surface/help.h"

#include <stdio.h>
#include <string.h>

static const Param run_params[] = {
    PARAM_TEXT(RunArgs, output, .unit = "DIR|FILE", .example = "out/",
               .help = "Where results go, also -o: a folder; a file name when there is one result; "
                       "or - for standard output."),
    PARAM_BOOL(RunArgs, each,
               .help = "Run a step that takes several files on each file alone; by itself it gets "
                       "them all."),
    PARAM_LIST(RunArgs, with, .unit = "FILE", .example = "logo.png",
               .help = "A further file for each job, such as a watermark; means --each."),
    PARAM_BOOL(RunArgs, json,
               .help = "Print one JSON line per input; without --output results stay in a new "
                       "folder under TMPDIR."),
    PARAM_BOOL(RunArgs, quiet, .help = "No progress and no lines about files, also -q."),
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

static void on_signal(int number)
{
    (void)number;
    run_interrupted = 1;
}

static size_t inputs_max(const Step *s)
{
    return s->accepts == NULL ? 0 : s->inputs_max > 1 ? (size_t)s->inputs_max : 1;
}

static ErrCode check_counts(const Run *r, bool each, Err *err)
{
    const Step *s = r->step;
    size_t max = inputs_max(s), together = (each ? 1 : r->files.len) + r->with.len;
    if (max == 0 && r->files.len + r->with.len > 0)
        return err_set(err, ERR_USAGE, "%s takes no file", s->name);
    if (max > 0 && r->files.len == 0 && !s->input_optional)
        return err_set(err, ERR_USAGE, "%s needs a file: platen run %s FILE…", s->name, s->name);
    if (r->files.len == 0 || together <= max)
        return OK;
    err_set(err, ERR_USAGE, "%s takes at most %zu file%s at once, not %zu", s->name, max,
            max == 1 ? "" : "s", together);
    err_hint(err, each ? "Give fewer files with --with." : "--each runs it on each file alone.");
    return ERR_USAGE;
}

/* A file a job, or all in one where the step takes several. */
static ErrCode make_jobs(Run *r, Err *err)
{
    Arena *a = r->cli->arena;
    bool each = r->args->each || r->with.len > 0 || inputs_max(r->step) <= 1;
    ErrCode rc = check_counts(r, each, err);
    if (rc != OK)
        return rc;
    r->jobs_len = each && r->files.len > 0 ? r->files.len : 1;
    r->jobs = arena_new(a, RunJob, r->jobs_len);
    if (r->jobs == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for %zu jobs", r->jobs_len);
    for (size_t i = 0; i < r->jobs_len; i++)
        r->jobs[i] = (RunJob){.first = i, .count = each ? r->files.len > 0 : r->files.len};
    return OK;
}

/* Files of a folder keep their paths in one result, where the step lets names be given. */
static ErrCode keep_paths(Run *r, Err *err)
{
    const Param *p = param_find(r->step->params, STR("names"));
    const Json *given = NULL;
    if (p == NULL || p->type != PARAM_TYPE_LIST || !r->files.folders || r->jobs[0].count < 2)
        return OK;
    ErrCode rc = json_parse(r->cli->arena, r->params, &given, err);
    if (rc != OK || json_get(given, p->name) != NULL)
        return rc;
    Buf b = buf_init(r->cli->arena, 4 * MIB);
    JsonOut j = json_out(&b);
    json_begin(&j, '{');
    json_each(member, given) {
        json_key_str(&j, member->key);
        json_put(&j, member);
    }
    json_key(&j, p->name);
    json_begin(&j, '[');
    for (size_t i = 0; i < r->files.len; i++)
        json_put_str(&j, r->files.items[i].packed);
    json_end(&j, ']');
    json_end(&j, '}');
    r->params = buf_str(&b);
    return b.failed ? err_set(err, ERR_NO_MEMORY, "no memory for the list of names") : OK;
}

/* The folder of the results may lie in the folder of the files: it is not read again. */
static ErrCode make_inputs(Run *r, const Str *operands, size_t len, Err *err)
{
    Arena *a = r->cli->arena;
    const char *except = r->args->output.len > 0 ? str_to_c(a, r->args->output) : NULL;
    if (inputs_max(r->step) == 0 && len > 0)
        return err_set(err, ERR_USAGE, "%s takes no file", r->step->name);
    ErrCode rc = files_expand(a, operands, len, except, &r->files, err);
    if (rc == OK)
        rc = files_expand(a, r->args->with.items, r->args->with.len, NULL, &r->with, err);
    if (rc == OK)
        rc = make_jobs(r, err);
    return rc == OK ? keep_paths(r, err) : rc;
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

/* What people write for a choice as a file's ending. */
static Str choice_of_ending(Str ending)
{
    static const struct {
        const char *ending, *choice;
    } known[] = {{"jpg", "jpeg"}, {"tif", "tiff"}, {"md", "markdown"},
                 {"txt", "text"}, {"htm", "html"}, {"tgz", "tar.gz"}};
    for (size_t i = 0; i < COUNT_OF(known); i++)
        if (str_eq_c(ending, known[i].ending))
            return str_from_c(known[i].choice);
    return ending;
}

/* A list of formats has no table of them; its help names them. */
static bool takes(const Param *p, Str choice)
{
    Str rest = str_from_c(p->help), word;
    if (p->type == PARAM_TYPE_CHOICE)
        return param_choice_index(p, choice) >= 0;
    while (str_next(&rest, ' ', &word)) {
        while (word.len > 0 && strchr(",.;:()", word.ptr[word.len - 1]) != NULL)
            word.len--;
        if (choice.len > 0 && str_eq(word, choice))
            return true;
    }
    return false;
}

/* The choice of `p` that the name ends with: "x.tar.gz" has two endings, the longer one first. */
static Str choice_of_name(Arena *a, const Param *p, Str name)
{
    size_t slash = str_rfind_char(name, '/');
    Str rest = str_lower(a, slash == STR_NONE ? name : str_slice(name, slash + 1, name.len));
    for (size_t dot; (dot = str_find_char(rest, '.')) != STR_NONE;) {
        rest = str_slice(rest, dot + 1, rest.len);
        Str choice = choice_of_ending(rest);
        if (takes(p, choice))
            return choice;
    }
    return (Str){0};
}

/* Has the caller given this option of the step? -o is the command's. */
static bool is_given(int argc, char **argv, Str flag)
{
    for (int i = 0; i < argc; i++) {
        Str word = str_from_c(argv[i]);
        if (str_eq(str_slice(word, 0, str_find_char(word, '=')), flag))
            return true;
    }
    return false;
}

/* "-o x.png" says the format as well as --format png does: the option of the step that goes with
 * the name, as a word; NULL: none does, or the caller has given it. */
static char *format_word(Run *r, int argc, char **argv)
{
    static const char *const names[] = {"format", "output", "to"};
    Arena *a = r->cli->arena;
    Str out = {0};
    for (int i = 0; i < argc; i++)
        if (i + 1 < argc && strcmp(argv[i], "-o") == 0)
            out = str_from_c(argv[i + 1]);
        else if (i + 1 < argc && strcmp(argv[i], "--output") == 0)
            out = str_from_c(argv[i + 1]);
        else if (strncmp(argv[i], "--output=", 9) == 0)
            out = str_from_c(argv[i] + 9);
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        const Param *p = param_find(r->step->params, str_from_c(names[i]));
        if (p == NULL || (p->type != PARAM_TYPE_CHOICE && p->type != PARAM_TYPE_LIST) ||
            is_given(argc, argv, str_printf(a, "--%s", p->name)))
            continue;
        Str choice = choice_of_name(a, p, out);
        if (choice.len > 0)
            return (char *)(uintptr_t)str_printf(a, "--%s=" STR_FMT, p->name, STR_ARG(choice)).ptr;
    }
    return NULL;
}

static ErrCode parse(Run *r, int argc, char **argv, RunArgs *args, Str **operands, size_t *len,
                     bool *help, Err *err)
{
    ArgsTable tables[] = {{.params = r->step->params}, {.params = run_params}};
    const Json *canonical = NULL;
    char **words = arena_new(r->cli->arena, char *, (size_t)argc + 1);
    if (words == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory");
    words[0] = format_word(r, argc, argv);
    int first = words[0] != NULL;
    if (argc > 0)
        memcpy(words + first, argv, (size_t)argc * sizeof *argv);
    ErrCode rc = args_sort(r->cli->arena, words, argc + first, tables, COUNT_OF(tables), operands,
                           len, help, err);
    if (rc != OK || *help)
        return rc;
    r->params = tables[0].json;
    rc = json_parse(r->cli->arena, tables[1].json, &canonical, err);
    return rc != OK ? rc : param_fill(run_params, canonical, r->cli->arena, args, err);
}

static ErrCode prepare(Run *r, int argc, char **argv, RunArgs *args, bool *help, Err *err)
{
    Str *operands = NULL;
    size_t len = 0;
    ErrCode rc = session_step(r->session, str_from_c(argv[0]), &r->step, err);
    if (rc == OK)
        rc = parse(r, argc - 1, argv + 1, args, &operands, &len, help, err);
    if (rc != OK || *help)
        return rc;
    rc = make_inputs(r, operands, len, err);
    return rc != OK ? rc
                    : outputs_open(&r->outputs, r->cli->arena, r->step, args->output, args->json,
                                   r->jobs_len, &r->files, err);
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
    bool help = false;
    target_find(argv, argc, &args.target);
    ErrCode rc = session_open(cli, &args.target, true, &session, &err);
    r.session = session;
    if (rc == OK)
        rc = prepare(&r, argc, argv, &args, &help, &err);
    if (rc != OK)
        return rc == ERR_UNKNOWN_STEP ? (term_fail(&err), EXIT_USAGE) : term_fail(&err);
    return help ? print_help(cli, r.step) : run_jobs(&r);
}

const Command command_run = {
    .name = "run",
    .operands = "STEP FILE|FOLDER…",
    .summary = "Run a step on files: text to standard output, or results into a folder.",
    .detail = "Files are parsed by sandboxed engines on this machine; no server is needed. With "
              "--server the same runs there.\n"
              "Each file is a job of its own, several at a time; a step that takes several files "
              "gets all in one job, or with --each one by one. Of a folder all files are taken, in "
              "folders below too, and results keep those folders. \"-\" is standard input.\n"
              "Results are called as their file, with the new ending; no file that was given is "
              "written over.\n"
              "Exit code: 0 all done, 1 at least one failed (the others are done), 2 wrong usage. "
              "Files of a folder that the step does not read are skipped and no failure.\n"
              "platen run STEP --help lists what the step takes.",
    .params = run_params,
    .args_size = sizeof(RunArgs),
    .examples =
        (const char *const[]){"platen run document.extract report.pdf",
                              "platen run document.extract *.docx --format text -o texts/",
                              "platen run image.optimize photos/ -o web/",
                              "platen run image.convert photo.jpg -o photo.png",
                              "platen run image.watermark photos/ --with logo.png -o marked/",
                              NULL},
    .takes_step = true,
    .run_words = run_words,
};

/* flow_run.c: run a pipeline with inputs from flags, or a job of one again; then its results. */
#include "base/fd.h"
#include "cli/flow_in.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BODY_MAX = 8 * 1024 * 1024, NAMES_MAX = 1000 };

/* --- the flags --- */

static const Json *file_input(const FlowInputs *in, Str name)
{
    json_each(file, in->files)
        if (str_eq(json_text(json_get(file, "name")), name))
            return file;
    return NULL;
}

static Param file_param(Arena *a, const Json *file)
{
    Str accepts = json_text(json_get(file, "accepts")), help = json_text(json_get(file, "help"));
    if (help.len == 0)
        help = accepts.len > 0 ? str_printf(a, "A file: " STR_FMT ".", STR_ARG(accepts))
                               : STR("A file.");
    return (Param){.name = str_to_c(a, json_text(json_get(file, "name"))),
                   .type =
                       json_bool(json_get(file, "many"), false) ? PARAM_TYPE_LIST : PARAM_TYPE_TEXT,
                   .required = json_bool(json_get(file, "required"), false),
                   .help = str_to_c(a, help),
                   .unit = "FILE"};
}

static ErrCode read_inputs(Flow *f, const Json *pipeline, FlowInputs *out, Err *err)
{
    Arena *a = f->cli->arena;
    size_t count = 0;
    *out = (FlowInputs){.files = json_get(pipeline, "files")};
    ErrCode rc = step_from_json(json_get(pipeline, "contract"), a, &out->contract, err);
    if (rc != OK)
        return rc;
    param_each(p, out->contract.params)
        count++;
    size_t files = out->files != NULL ? out->files->len : 0;
    Param *all = arena_new(a, Param, count + files + 1);
    if (all == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for the inputs");
    for (size_t i = 0; i < count; i++)
        all[i] = out->contract.params[i];
    json_each(file, out->files)
        all[count++] = file_param(a, file);
    out->contract.params = all;
    return OK;
}

/* Words that stand right after the name are the files of the one file input there is: each gets
 * its flag. */
static ErrCode flag_files(Flow *f, const FlowInputs *in, char ***words, int *len, Err *err)
{
    Arena *a = f->cli->arena;
    int files = 0, n = 0;
    while (files < *len && (*words)[files][0] != '-')
        files++;
    if (files == 0)
        return OK;
    if (in->files == NULL || in->files->len != 1)
        return err_set(err, ERR_USAGE, "\"%s\" is no option: the files of this pipeline have names",
                       (*words)[0]);
    char **more = arena_new(a, char *, (size_t)(*len + files));
    char *name = str_to_c(a, json_text(json_get(in->files->first, "name")));
    char *flag = name != NULL ? str_to_c(a, args_flag(a, name)) : NULL;
    if (more == NULL || flag == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory");
    for (int i = 0; i < *len; i++) {
        if (i < files)
            more[n++] = flag;
        more[n++] = (*words)[i];
    }
    *words = more;
    *len = n;
    return OK;
}

/* --- the request --- */

ErrCode flow_upload(Flow *f, Str path, Str name, JsonOut *j, Err *err)
{
    Arena *a = f->cli->arena;
    char *path_c = str_to_c(a, path);
    const NetFile file = {.path = path_c, .field = STR("file"), .name = name};
    const NetRequest request = {.method = "POST",
                                .path = STR("/api/v1/blobs"),
                                .files = &file,
                                .files_len = 1,
                                .timeout_s = 3600};
    NetResponse response;
    const Json *blob = NULL;
    if (path_c == NULL || access(path_c, R_OK) != 0) {
        err_set_errno(err, ERR_NOT_FOUND, errno, "could not open \"" STR_FMT "\"", STR_ARG(path));
        err_hint(err, "Check the path and who may read it.");
        return ERR_NOT_FOUND;
    }
    ErrCode rc = net_send(target_client(f->target), a, &request, &response, err);
    if (rc == OK)
        rc = target_problem(a, &response, err);
    if (rc == OK)
        rc = json_parse(a, response.body, &blob, err);
    if (rc != OK)
        return rc;
    json_begin(j, '{');
    json_kv_str(j, "blob", json_text(json_get(blob, "blob")));
    json_kv_str(j, "name", name);
    json_kv_str(j, "type", json_text(json_get(blob, "type")));
    json_end(j, '}');
    return OK;
}

/* A path is uploaded, an id of a document is one already. */
static ErrCode put_file(Flow *f, Str text, JsonOut *j, Err *err)
{
    size_t slash = str_rfind_char(text, '/');
    Str name = slash == STR_NONE ? text : str_slice(text, slash + 1, text.len);
    if (!str_starts(text, STR("doc_")))
        return flow_upload(f, text, name, j, err);
    json_begin(j, '{');
    json_kv_str(j, "document", text);
    json_end(j, '}');
    return OK;
}

static ErrCode put_files(Flow *f, const Json *value, JsonOut *j, Err *err)
{
    ErrCode rc = OK;
    if (!json_is(value, JSON_LIST))
        return put_file(f, json_text(value), j, err);
    json_begin(j, '[');
    json_each(item, value)
        if (rc == OK)
            rc = put_file(f, json_text(item), j, err);
    json_end(j, ']');
    return rc;
}

static bool is_given(Arena *a, int argc, char **argv, Str name)
{
    Str flag = args_flag(a, str_to_c(a, name));
    for (int i = 0; i < argc; i++) {
        Str word = str_from_c(argv[i]);
        if (str_eq(str_slice(word, 0, str_find_char(word, '=')), flag))
            return true;
    }
    return false;
}

/* "inputs": {…}; with words (argv not NULL) only what they name, without defaults. */
static ErrCode put_inputs(Flow *f, const FlowInputs *in, int argc, char **argv, JsonOut *j,
                          Err *err)
{
    json_key(j, "inputs");
    json_begin(j, '{');
    ErrCode rc = flow_put_inputs(f, in, argc, argv, j, err);
    json_end(j, '}');
    return rc;
}

ErrCode flow_put_inputs(Flow *f, const FlowInputs *in, int argc, char **argv, JsonOut *j, Err *err)
{
    const Json *given = NULL;
    ErrCode rc = json_parse(f->cli->arena, in->json, &given, err);
    json_each(member, given) {
        bool is_file = file_input(in, member->key) != NULL;
        if (rc != OK || (argv != NULL && !is_given(f->cli->arena, argc, argv, member->key)) ||
            (is_file && json_is(member, JSON_TEXT) && member->text.len == 0))
            continue;
        json_key_str(j, member->key);
        if (is_file)
            rc = put_files(f, member, j, err);
        else
            json_put(j, member);
    }
    return rc;
}

/* --- results --- */

static Str base_name(Str name)
{
    size_t slash = str_rfind_char(name, '/');
    Str base = slash == STR_NONE ? name : str_slice(name, slash + 1, name.len);
    return base.len == 0 || str_eq_c(base, ".") || str_eq_c(base, "..") ? STR("output") : base;
}

/* DIR/name, or DIR/name-2.ext when it is there already: nothing is written over. */
int flow_create_in(Arena *a, Str dir, Str name, Str *path, Err *err)
{
    size_t dot = str_rfind_char(name, '.');
    Str stem = dot == STR_NONE || dot == 0 ? name : str_slice(name, 0, dot);
    Str end = str_slice(name, stem.len, name.len);
    int fd = -1;
    for (int i = 1; fd < 0 && i <= NAMES_MAX; i++) {
        *path = i == 1 ? str_printf(a, STR_FMT "/" STR_FMT, STR_ARG(dir), STR_ARG(name))
                       : str_printf(a, STR_FMT "/" STR_FMT "-%d" STR_FMT, STR_ARG(dir),
                                    STR_ARG(stem), i, STR_ARG(end));
        fd =
            path->ptr != NULL ? open(path->ptr, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666) : -1;
        if (fd < 0 && errno != EEXIST)
            break;
    }
    if (fd < 0)
        err_set_errno(err, ERR_IO, errno, "could not create a file in \"" STR_FMT "\"",
                      STR_ARG(dir));
    return fd;
}

static ErrCode fetch(Flow *f, Str job, size_t index, int fd, Err *err)
{
    Arena *a = f->cli->arena;
    const NetRequest request = {
        .method = "GET",
        .path = str_printf(a, "/api/v1/jobs/" STR_FMT "/outputs/%zu", STR_ARG(job), index),
        .out_fd = fd,
        .timeout_s = 3600};
    NetResponse response;
    ErrCode rc = net_send(target_client(f->target), a, &request, &response, err);
    return rc != OK ? rc : target_problem(a, &response, err);
}

ErrCode flow_save_outputs(Flow *f, const Json *job, Str dir, Err *err)
{
    Arena *a = f->cli->arena;
    Str path;
    const char *dir_c = str_to_c(a, dir);
    size_t index = 0;
    if (dir_c == NULL || (mkdir(dir_c, 0777) != 0 && errno != EEXIST))
        return err_set_errno(err, ERR_IO, errno, "could not make the folder \"" STR_FMT "\"",
                             STR_ARG(dir));
    while (dir.len > 1 && dir.ptr[dir.len - 1] == '/')
        dir.len--;
    json_each(output, json_get(job, "outputs")) {
        Str name = base_name(json_text(json_get(output, "name")));
        CLEANUP(fd_close) int fd = flow_create_in(a, dir, name, &path, err);
        ErrCode rc = fd >= 0 ? fetch(f, json_text(json_get(job, "id")), index++, fd, err) : ERR_IO;
        if (rc != OK)
            return rc;
        if (!f->args.quiet && !f->args.json)
            fprintf(stderr, STR_FMT "  " STR_FMT "\n", STR_ARG(path),
                    STR_ARG(term_bytes(a, json_int(json_get(output, "bytes"), 0))));
    }
    return OK;
}

/* What the job gave, to standard output: its one text, or its data. */
static ErrCode print_result(Flow *f, const Json *job, Err *err)
{
    const Json *outputs = json_get(job, "outputs"), *data = json_get(job, "data");
    bool one = outputs != NULL && outputs->len == 1;
    if (one && str_starts(json_text(json_get(outputs->first, "type")), STR("text/"))) {
        fflush(stdout);
        return fetch(f, json_text(json_get(job, "id")), 0, STDOUT_FILENO, err);
    }
    if (data != NULL && data->len > 0)
        term_print_json(f->cli->arena, data);
    if (outputs != NULL && outputs->len > 0 && !f->args.quiet)
        fprintf(stderr, "%zu file%s made; -o DIR keeps %s\n", outputs->len,
                outputs->len == 1 ? " was" : "s were", outputs->len == 1 ? "it" : "them");
    return OK;
}

static int finish(Flow *f, const Json *job)
{
    Err err = {0};
    bool done = str_eq_c(json_text(json_get(job, "state")), "done");
    ErrCode rc = OK;
    if (f->args.json)
        term_print_json(f->cli->arena, job);
    if (done && f->args.output.len > 0)
        rc = flow_save_outputs(f, job, f->args.output, &err);
    else if (done && !f->args.json)
        rc = print_result(f, job, &err);
    if (rc != OK)
        return term_fail(&err);
    return f->args.json ? (done ? EXIT_DONE : EXIT_FAILED) : flow_tell_end(f, job);
}

/* Follow it, or leave it to the server. */
static int after_start(Flow *f, const Json *job)
{
    Str id = json_text(json_get(job, "id"));
    const Json *end = NULL;
    bool inside = target_is_inside(f->target), gets = f->args.output.len > 0;
    if (!f->args.follow && !inside && !gets) {
        if (f->args.json)
            term_print_json(f->cli->arena, job);
        else
            printf(STR_FMT "\n", STR_ARG(id));
        if (term_is_tty(STDERR_FILENO) && !f->args.quiet)
            fprintf(stderr, "It runs on the server. Show it: platen jobs show " STR_FMT "\n",
                    STR_ARG(id));
        return EXIT_DONE;
    }
    if (!f->args.quiet && !f->args.json && !inside)
        fprintf(stderr, STR_FMT "\n", STR_ARG(id));
    int status;
    return flow_watch(f, id, &end, &status) ? finish(f, end) : status;
}

/* --- run --- */

static const Param run_params[] = {
    PARAM_BOOL(FlowArgs, follow,
               .help = "Draw how its steps stand until the end; the results come then."),
    PARAM_TEXT(FlowArgs, output, .unit = "DIR", .example = "out/",
               .help = "Folder for the files that it gives, also -o; waits for the end."),
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

bool flow_wants_help(int argc, char **argv)
{
    for (int i = 0; i < argc; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return true;
    return false;
}

int flow_print_help(Flow *f, const FlowVerb *v, const FlowInputs *in)
{
    const HelpLook look = cli_help_look();
    Buf b = buf_init(f->cli->arena, MIB);
    if (in != NULL)
        help_flow(&in->contract, &v->help, &look, &b);
    else
        help_command(&v->help, &look, &b);
    fputs(buf_c(&b), stdout);
    return EXIT_DONE;
}

/* "--version 3" among words that cannot be read before the version is known. */
int64_t flow_version_in(int argc, char **argv)
{
    int64_t version = 0;
    for (int i = 0; i < argc; i++) {
        Str word = str_from_c(argv[i]), value = {0};
        if (str_eq_c(word, "--version") && i + 1 < argc)
            value = str_from_c(argv[i + 1]);
        else if (str_starts(word, STR("--version=")))
            value = str_slice(word, 10, word.len);
        if (value.len > 0 && str_to_i64(value, &version))
            return version;
    }
    return 0;
}

ErrCode flow_find_inputs(Flow *f, Str name, int64_t version, FlowInputs *in, Err *err)
{
    const Json *pipeline = NULL;
    Str path = flow_pipeline_path(f, name, "");
    if (version > 0)
        path = str_printf(f->cli->arena, STR_FMT "?version=%" PRId64, STR_ARG(path), version);
    ErrCode rc = target_call(f->target, f->cli->arena, "GET", path, (Str){0}, &pipeline, err);
    return rc != OK ? rc : read_inputs(f, pipeline, in, err);
}

ErrCode flow_sort_words(Flow *f, const FlowVerb *v, FlowInputs *in, int argc, char **argv, Err *err)
{
    Arena *a = f->cli->arena;
    ArgsTable tables[] = {{.params = in->contract.params}, {.params = v->help.params}};
    Str *operands = NULL;
    size_t len = 0;
    bool help = false;
    ErrCode rc = flag_files(f, in, &argv, &argc, err);
    if (rc == OK)
        rc = args_sort(a, argv, argc, tables, COUNT_OF(tables), &operands, &len, &help, err);
    if (rc == OK && len > 0)
        rc = err_set(err, ERR_USAGE,
                     "\"" STR_FMT "\" belongs to no option: files stand right after "
                     "the name",
                     STR_ARG(operands[0]));
    in->json = tables[0].json;
    return rc != OK ? rc : flow_fill(f, v, tables[1].json, err);
}

static ErrCode start(Flow *f, Str name, const FlowInputs *in, const Json **job, Err *err)
{
    Buf body = buf_init(f->cli->arena, BODY_MAX);
    JsonOut j = json_out(&body);
    json_begin(&j, '{');
    ErrCode rc = put_inputs(f, in, 0, NULL, &j, err);
    if (f->args.priority != 0)
        json_kv_int(&j, "priority", f->args.priority);
    if (f->args.version > 0)
        json_kv_int(&j, "version", f->args.version);
    if (f->args.no_memo)
        json_kv_bool(&j, "no_memo", true);
    json_end(&j, '}');
    if (rc == OK && body.failed)
        rc = err_set(err, ERR_INPUT_TOO_LARGE, "the inputs are larger than %d bytes", BODY_MAX);
    return rc != OK ? rc
                    : target_call(f->target, f->cli->arena, "POST",
                                  flow_pipeline_path(f, name, "/run"), buf_str(&body), job, err);
}

static int run_words(Flow *f, int argc, char **argv)
{
    Err err = {0};
    FlowInputs in;
    Str name;
    int status;
    const Json *job = NULL;
    const FlowVerb *v = &flow_run_verb;
    if (argc == 0 || argv[0][0] == '-')
        return flow_wants_help(argc, argv) ? flow_print_help(f, v, NULL) : flow_fail_usage(v);
    target_find(argv, argc, &f->args.target);
    if (!flow_open_pipeline(f, str_from_c(argv[0]), &name, &status))
        return status;
    ErrCode rc = flow_find_inputs(f, name, flow_version_in(argc, argv), &in, &err);
    if (rc == OK && flow_wants_help(argc, argv))
        return flow_print_help(f, v, &in);
    if (rc == OK)
        rc = flow_sort_words(f, v, &in, argc - 1, argv + 1, &err);
    if (rc == OK)
        rc = start(f, name, &in, &job, &err);
    return rc != OK ? term_fail(&err) : after_start(f, job);
}

const FlowVerb flow_run_verb = {
    .help = {.name = "flow run",
             .operands = "NAME|FILE [INPUTS]",
             .summary = "Run a pipeline; its inputs are options.",
             .detail = "`platen flow run NAME --help` lists the inputs. A FILE is run here, on a "
                       "folder that is thrown away, unless --server names a server: there it is "
                       "stored first.\n"
                       "Files after the name are the pipeline's one file input. The result goes to "
                       "standard output, the steps to standard error.\n"
                       "Ctrl-C leaves the job of a server running.\n"
                       "Exit code: 0 done, 1 failed, 2 wrong usage, 130 interrupted.",
             .params = run_params,
             .examples = (const char *const[]){"platen flow run blog.yaml notes.docx -o out/",
                                               "platen flow run blog --tone warm --follow", NULL}},
    .run_words = run_words,
};

/* --- replay --- */

static const Param replay_params[] = {
    PARAM_TEXT(FlowArgs, from, .unit = "STEP", .example = "outline",
               .help = "Begin again at this step; what does not come after it keeps its result."),
    PARAM_BOOL(FlowArgs, follow,
               .help = "Draw how its steps stand until the end; the results come then."),
    PARAM_TEXT(FlowArgs, output, .unit = "DIR", .example = "out/",
               .help = "Folder for the files that it gives, also -o; waits for the end."),
    PARAM_BOOL(FlowArgs, json, .help = "Print the job as JSON."),
    PARAM_BOOL(FlowArgs, quiet, .help = "No progress, also -q."),
    TARGET_PARAMS(FlowArgs),
    PARAM_END,
};

/* Nothing is asked for: what is not given stays as it was. */
static void make_optional(FlowInputs *in)
{
    for (Param *p = (Param *)(uintptr_t)in->contract.params; p->type != PARAM_TYPE_END; p++)
        p->required = false;
}

static ErrCode start_again(Flow *f, Str id, const FlowInputs *in, int argc, char **argv,
                           const Json **job, Err *err)
{
    Buf body = buf_init(f->cli->arena, BODY_MAX);
    JsonOut j = json_out(&body);
    json_begin(&j, '{');
    if (f->args.from.len > 0)
        json_kv_str(&j, "from", f->args.from);
    ErrCode rc = put_inputs(f, in, argc, argv, &j, err);
    json_end(&j, '}');
    return rc != OK
               ? rc
               : target_call(f->target, f->cli->arena, "POST",
                             flow_job_path(f, id, "/replay", (Str){0}), buf_str(&body), job, err);
}

static int replay_words(Flow *f, int argc, char **argv)
{
    Err err = {0};
    FlowInputs in;
    int status;
    const Json *old = NULL, *job = NULL;
    const FlowVerb *v = &flow_replay_verb;
    if (argc == 0 || argv[0][0] == '-')
        return flow_wants_help(argc, argv) ? flow_print_help(f, v, NULL) : flow_fail_usage(v);
    Str id = str_from_c(argv[0]);
    target_find(argv, argc, &f->args.target);
    if (!flow_open(f, &status))
        return status;
    ErrCode rc = target_call(f->target, f->cli->arena, "GET", flow_job_path(f, id, "", (Str){0}),
                             (Str){0}, &old, &err);
    Str name = json_text(json_get(old, "pipeline"));
    if (rc == OK && name.len == 0)
        rc = err_set(&err, ERR_CONFLICT, STR_FMT " is no job of a pipeline", STR_ARG(id));
    if (rc == OK)
        rc = flow_find_inputs(f, name, json_int(json_get(old, "version"), 0), &in, &err);
    if (rc != OK)
        return term_fail(&err);
    make_optional(&in);
    if (flow_wants_help(argc, argv))
        return flow_print_help(f, v, &in);
    rc = flow_sort_words(f, v, &in, argc - 1, argv + 1, &err);
    if (rc == OK)
        rc = start_again(f, id, &in, argc - 1, argv + 1, &job, &err);
    return rc != OK ? term_fail(&err) : after_start(f, job);
}

const FlowVerb flow_replay_verb = {
    .help = {.name = "flow replay",
             .operands = "JOB [--from STEP] [INPUTS]",
             .summary = "Run a job's pipeline again: from a step on, or with other inputs.",
             .detail = "A new job on the same version. What the change does not reach keeps the "
                       "result it has.",
             .params = replay_params,
             .examples =
                 (const char *const[]){"platen flow replay job_0r3k5d2m9x1qz --from outline",
                                       "platen flow replay job_0r3k5d2m9x1qz --tone warm "
                                       "--follow",
                                       NULL}},
    .run_words = replay_words,
};

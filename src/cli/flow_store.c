/* flow_store.c: texts of pipelines on their way to a server, and what is wrong with them. */
#include "base/fd.h"
#include "cli/flow_in.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

bool flow_is_file(Str operand)
{
    static const char *const ends[] = {".yaml", ".yml", ".json"};
    char path[4096];
    if (operand.len >= sizeof path)
        return false;
    snprintf(path, sizeof path, STR_FMT, STR_ARG(operand));
    for (size_t i = 0; i < COUNT_OF(ends); i++)
        if (str_ends(operand, str_from_c(ends[i])))
            return true;
    return str_eq_c(operand, "-") || str_find_char(operand, '/') != STR_NONE ||
           access(path, F_OK) == 0;
}

static ErrCode read_stdin(Arena *a, Str *out, Err *err)
{
    Buf b = buf_init(a, FLOW_TEXT_MAX);
    char piece[64 * 1024];
    for (size_t n; (n = fread(piece, 1, sizeof piece, stdin)) > 0;)
        buf_add(&b, (Str){piece, n});
    *out = buf_str(&b);
    return b.failed ? err_set(err, ERR_INPUT_TOO_LARGE, "more than %d bytes", FLOW_TEXT_MAX) : OK;
}

static ErrCode read_text(Flow *f, Str file, Str *out, Err *err)
{
    const char *path = str_to_c(f->cli->arena, file);
    if (str_eq_c(file, "-"))
        return read_stdin(f->cli->arena, out, err);
    CLEANUP(fd_close) int fd = path != NULL ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0) {
        ErrCode rc = err_set_errno(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, errno,
                                   "could not open \"" STR_FMT "\"", STR_ARG(file));
        err_hint(err, "Check the path and who may read it.");
        return rc;
    }
    return fd_read_file(fd, f->cli->arena, FLOW_TEXT_MAX, out, err);
}

/* --- faults --- */

/* One pipeline's text and what the server says to it. */
typedef struct Text {
    Str file, text;
    const Json *info;   /* when it is well */
    const Json *faults; /* list; NULL: none */
    Err err;            /* why it is not */
} Text;

/* As compilers say it, so that editors find the place. */
static void print_faults(const Text *t)
{
    const char *red = term_style(STDERR_FILENO, TERM_RED),
               *plain = term_style(STDERR_FILENO, TERM_PLAIN);
    if (t->faults == NULL || t->faults->first == NULL) {
        fprintf(stderr, STR_FMT ": %s%s%s\n", STR_ARG(t->file), red, t->err.text, plain);
        if (err_advice(&t->err)[0] != 0)
            fprintf(stderr, "        %s\n", err_advice(&t->err));
        return;
    }
    json_each(fault, t->faults) {
        Str path = json_text(json_get(fault, "param")),
            detail = json_text(json_get(fault, "detail"));
        int64_t line = json_int(json_get(fault, "line"), 0);
        fprintf(stderr, STR_FMT ":", STR_ARG(t->file));
        if (line > 0)
            fprintf(stderr, "%" PRId64 ":", line);
        if (path.len > 0)
            fprintf(stderr, " " STR_FMT ":", STR_ARG(path));
        fprintf(stderr, " %s" STR_FMT "%s\n", red, STR_ARG(detail), plain);
    }
}

/* Send the text; what is wrong with it is no failure of the request. */
static ErrCode send(Flow *f, Text *t, bool dry_run, Err *err)
{
    Arena *a = f->cli->arena;
    const NetRequest request = {.method = "POST",
                                .path = dry_run ? STR("/api/v1/pipelines?dry_run=true")
                                                : STR("/api/v1/pipelines"),
                                .json = t->text,
                                .type = "application/yaml"};
    NetResponse response;
    const Json *body = NULL;
    t->info = t->faults = NULL;
    t->err = (Err){0};
    ErrCode rc = net_send(target_client(f->target), a, &request, &response, err);
    if (rc != OK)
        return rc;
    if (json_parse(a, response.body, &body, NULL) == OK && response.status >= 400)
        t->faults = json_get(body, "errors");
    rc = target_problem(a, &response, &t->err);
    if (rc == OK)
        t->info = body;
    bool texts_fault = rc == OK || rc == ERR_BAD_PIPELINE || rc == ERR_INPUT_TOO_LARGE;
    if (!texts_fault)
        *err = t->err;
    return texts_fault ? OK : rc;
}

/* --- opening --- */

bool flow_open(Flow *f, int *status)
{
    Err err = {0};
    if (f->target != NULL || target_open(f->cli, &f->args.target, &f->target, &err) == OK)
        return true;
    *status = term_fail(&err);
    return false;
}

/* For files: the server that is named, or one inside this process. */
static bool open_for_files(Flow *f, int *status)
{
    Err err = {0};
    if (f->target != NULL || target_is_named(&f->args.target))
        return flow_open(f, status);
    if (target_open_inline(f->cli, &f->target, &err) == OK)
        return true;
    *status = term_fail(&err);
    return false;
}

bool flow_open_pipeline(Flow *f, Str operand, Str *name, int *status)
{
    Err err = {0};
    Text t = {.file = operand};
    *name = operand;
    if (!flow_is_file(operand))
        return flow_open(f, status);
    if (read_text(f, operand, &t.text, &err) != OK) {
        *status = term_fail(&err);
        return false;
    }
    if (!open_for_files(f, status))
        return false;
    if (send(f, &t, false, &err) != OK) {
        *status = term_fail(&err);
        return false;
    }
    if (t.info == NULL) {
        print_faults(&t);
        *status = EXIT_FAILED;
        return false;
    }
    *name = json_text(json_get(t.info, "name"));
    if (!target_is_inside(f->target) && !f->args.quiet)
        fprintf(stderr, "stored as " STR_FMT ", version %" PRId64 "\n", STR_ARG(*name),
                json_int(json_get(t.info, "version"), 0));
    return true;
}

/* --- check, import --- */

static ErrCode read_texts(Flow *f, const Str *files, size_t len, Text *out, Err *err)
{
    ErrCode rc = OK;
    for (size_t i = 0; rc == OK && i < len; i++) {
        out[i] = (Text){.file = files[i]};
        rc = read_text(f, files[i], &out[i].text, err);
    }
    return rc;
}

/* Files may call each other, in any order: what is well is stored, then the others have another
 * look, until nothing changes. */
static ErrCode store_all(Flow *f, Text *texts, size_t len, bool dry_run, Err *err)
{
    ErrCode rc = OK;
    for (bool again = true; rc == OK && again;) {
        again = false;
        for (size_t i = 0; rc == OK && i < len; i++) {
            if (texts[i].info != NULL)
                continue;
            rc = send(f, &texts[i], dry_run, err);
            again |= texts[i].info != NULL;
        }
        again = again && !dry_run;
    }
    return rc;
}

static void print_json(Flow *f, const Text *texts, size_t len)
{
    Buf b = buf_init(f->cli->arena, 16 * MIB);
    JsonOut j = json_out(&b);
    json_begin(&j, '[');
    for (size_t i = 0; i < len; i++) {
        json_begin(&j, '{');
        json_kv_str(&j, "file", texts[i].file);
        json_kv_bool(&j, "ok", texts[i].info != NULL);
        if (texts[i].info == NULL)
            json_kv_c(&j, "detail", texts[i].err.text);
        json_key(&j, texts[i].info != NULL ? "pipeline" : "errors");
        if (texts[i].info != NULL)
            json_put(&j, texts[i].info);
        else if (texts[i].faults != NULL)
            json_put(&j, texts[i].faults);
        else
            json_put_raw(&j, STR("[]"));
        json_end(&j, '}');
    }
    json_end(&j, ']');
    puts(buf_c(&b));
}

static void print_result(const Text *t, bool stored)
{
    Str name = json_text(json_get(t->info, "name"));
    if (t->info == NULL)
        print_faults(t);
    else if (stored)
        printf(STR_FMT "  version %" PRId64 "\n", STR_ARG(name),
               json_int(json_get(t->info, "version"), 0));
    else
        printf(STR_FMT ": ok, " STR_FMT "\n", STR_ARG(t->file), STR_ARG(name));
}

static int send_files(Flow *f, const Str *files, size_t len, bool store)
{
    Err err = {0};
    int status = EXIT_DONE;
    Text *texts = arena_new(f->cli->arena, Text, len);
    if (texts == NULL)
        return EXIT_FAILED;
    if (read_texts(f, files, len, texts, &err) != OK)
        return term_fail(&err);
    if (!(store ? flow_open(f, &status) : open_for_files(f, &status)))
        return status;
    bool dry_run = !store && !target_is_inside(f->target);
    if (store_all(f, texts, len, dry_run, &err) != OK)
        return term_fail(&err);
    if (f->args.json)
        print_json(f, texts, len);
    for (size_t i = 0; i < len; i++) {
        if (!f->args.json)
            print_result(&texts[i], store);
        if (texts[i].info == NULL)
            status = EXIT_FAILED;
    }
    return status;
}

static int check(Flow *f, const Str *operands, size_t len)
{
    return send_files(f, operands, len, false);
}

static int import(Flow *f, const Str *operands, size_t len)
{
    return send_files(f, operands, len, true);
}

static const Param params[] = {
    PARAM_BOOL(FlowArgs, json, .help = "Print JSON: one entry per file."),
    TARGET_PARAMS(FlowArgs),
    PARAM_END,
};

const FlowVerb flow_check_verb = {
    .help = {.name = "flow check",
             .operands = "FILE…",
             .summary = "Check pipelines without running or storing them: every fault with its "
                        "line.",
             .detail = "Nothing is needed but the files; with --server they are checked against "
                       "what that server can do. Files may call each other.\n"
                       "Exit code: 0 all are well, 1 there are faults, 2 wrong usage.",
             .params = params,
             .examples = (const char *const[]){"platen flow check blog.yaml",
                                               "platen flow check pipelines/*.yaml", NULL}},
    .operands_min = 1,
    .operands_max = ARGS_OPERANDS_MAX,
    .run = check,
};

const FlowVerb flow_import_verb = {
    .help = {.name = "flow import",
             .operands = "FILE…",
             .summary = "Store pipelines: new ones, or further versions of those there are.",
             .params = params,
             .examples = (const char *const[]){"platen flow import blog.yaml", NULL}},
    .operands_min = 1,
    .operands_max = ARGS_OPERANDS_MAX,
    .run = import,
};

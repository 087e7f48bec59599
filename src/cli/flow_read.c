/* flow_read.c: pipelines as they are stored. */
#include "cli/flow_in.h"
#include "api/params.h"
#include "base/fd.h"
#include "surface/graph.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

Str flow_pipeline_path(Flow *f, Str name, const char *rest)
{
    Buf path = buf_init(f->cli->arena, FLOW_PATH_MAX);
    buf_add_c(&path, "/api/v1/pipelines/");
    buf_add_url(&path, name);
    buf_add_c(&path, rest);
    return buf_str(&path);
}

Str flow_job_path(Flow *f, Str job, const char *verb, Str rest)
{
    Buf path = buf_init(f->cli->arena, FLOW_PATH_MAX);
    buf_add_c(&path, "/api/v1/jobs/");
    buf_add_url(&path, job);
    buf_add_c(&path, verb);
    if (rest.len > 0) {
        buf_add_char(&path, '/');
        buf_add_url(&path, rest);
    }
    return buf_str(&path);
}

ErrCode flow_get_text(Flow *f, Str path, Str *out, Err *err)
{
    const NetRequest request = {.method = "GET", .path = path};
    NetResponse response;
    ErrCode rc = net_send(target_client(f->target), f->cli->arena, &request, &response, err);
    if (rc == OK)
        rc = target_problem(f->cli->arena, &response, err);
    if (rc == OK)
        *out = response.body;
    return rc;
}

/* --- list --- */

static Str day_of(const Json *p, const char *field)
{
    Str t = json_text(json_get(p, field));
    return t.len >= 19 ? str_slice(t, 0, 19) : STR("-");
}

static int list(Flow *f, const Str *operands, size_t len)
{
    static const char *const titles[] = {"PIPELINE", "VERSION", "CHANGED (UTC)", "TITLE", NULL};
    (void)operands;
    (void)len;
    Err err = {0};
    int status;
    Arena *a = f->cli->arena;
    const Json *page = NULL;
    if (!flow_open(f, &status))
        return status;
    if (target_call(f->target, a, "GET", STR("/api/v1/pipelines"), (Str){0}, &page, &err) != OK)
        return term_fail(&err);
    if (f->args.json) {
        term_print_json(a, page);
        return EXIT_DONE;
    }
    TermTable table = term_table(a, titles);
    json_each(p, json_get(page, "pipelines")) {
        bool built_in = json_bool(json_get(p, "built_in"), false);
        term_table_row(
            &table,
            (const Str[]){json_text(json_get(p, "name")),
                          built_in ? STR("built in")
                                   : str_printf(a, "%" PRId64, json_int(json_get(p, "version"), 0)),
                          built_in ? STR("-") : day_of(p, "changed"),
                          json_text(json_get(p, "title"))});
    }
    if (table.rows == 0)
        printf("No pipelines yet. Store one: platen flow import FILE\n");
    else
        term_table_print(&table);
    return EXIT_DONE;
}

static const Param list_params[] = {
    PARAM_BOOL(FlowArgs, json, .help = "Print the server's JSON."),
    TARGET_PARAMS(FlowArgs),
    PARAM_END,
};

const FlowVerb flow_list_verb = {
    .help = {.name = "flow list",
             .summary = "List the pipelines of a server.",
             .params = list_params,
             .examples = (const char *const[]){"platen flow list", NULL}},
    .run = list,
};

/* --- show --- */

static Str with_version(Flow *f, Str name, const char *rest)
{
    Str path = flow_pipeline_path(f, name, rest);
    return f->args.version > 0 ? str_printf(f->cli->arena, STR_FMT "?version=%" PRId64,
                                            STR_ARG(path), f->args.version)
                               : path;
}

static void print_field(const char *name, Str value)
{
    if (value.len > 0)
        printf("%-10s " STR_FMT "\n", name, STR_ARG(value));
}

static void print_inputs(const Json *p)
{
    const char *dim = term_style(STDOUT_FILENO, TERM_DIM),
               *plain = term_style(STDOUT_FILENO, TERM_PLAIN);
    json_each(file, json_get(p, "files")) {
        Str name = json_text(json_get(file, "name")), help = json_text(json_get(file, "help"));
        printf("%-10s " STR_FMT "  %s%s%s%s " STR_FMT "\n", "input", STR_ARG(name), dim,
               json_bool(json_get(file, "many"), false) ? "files" : "file",
               json_bool(json_get(file, "required"), false) ? ", required" : "", plain,
               STR_ARG(help));
    }
    json_each(param, json_get(json_get(p, "contract"), "params")) {
        Str name = json_text(json_get(param, "name")), type = json_text(json_get(param, "type"));
        Str help = json_text(json_get(param, "help"));
        printf("%-10s " STR_FMT "  %s" STR_FMT "%s%s " STR_FMT "\n", "input", STR_ARG(name), dim,
               STR_ARG(type), json_bool(json_get(param, "required"), false) ? ", required" : "",
               plain, STR_ARG(help));
    }
}

static int show_source(Flow *f, Str name)
{
    Err err = {0};
    Str text;
    if (flow_get_text(f, with_version(f, name, "/source"), &text, &err) != OK)
        return term_fail(&err);
    fwrite(text.ptr, 1, text.len, stdout);
    if (text.len > 0 && text.ptr[text.len - 1] != '\n')
        putchar('\n');
    return EXIT_DONE;
}

static int show(Flow *f, const Str *operands, size_t len)
{
    (void)len;
    Err err = {0};
    int status;
    Str name, graph;
    const Json *p = NULL;
    if (!flow_open_pipeline(f, operands[0], &name, &status))
        return status;
    if (f->args.source)
        return show_source(f, name);
    if (target_call(f->target, f->cli->arena, "GET", with_version(f, name, ""), (Str){0}, &p,
                    &err) != OK)
        return term_fail(&err);
    if (f->args.json) {
        term_print_json(f->cli->arena, p);
        return EXIT_DONE;
    }
    if (flow_get_text(f, with_version(f, name, "/graph"), &graph, &err) != OK)
        return term_fail(&err);
    print_field("pipeline", json_text(json_get(p, "name")));
    print_field("title", json_text(json_get(p, "title")));
    print_field("summary", json_text(json_get(p, "summary")));
    printf("%-10s %" PRId64 " of %" PRId64 "%s\n", "version", json_int(json_get(p, "version"), 0),
           json_int(json_get(p, "versions"), 0),
           json_bool(json_get(p, "built_in"), false) ? ", comes with platen" : "");
    print_field("changed", json_text(json_get(p, "changed")));
    print_inputs(p);
    printf("\n" STR_FMT, STR_ARG(graph));
    return EXIT_DONE;
}

#define VERSION                                                                                    \
    PARAM_INT(FlowArgs, version, .min = 1, .max = INT64_MAX,                                       \
              .help = "Version; the newest otherwise.")

static const Param show_params[] = {
    VERSION,
    PARAM_BOOL(FlowArgs, source, .help = "Print the text as it was written."),
    PARAM_BOOL(FlowArgs, json, .help = "Print the server's JSON."),
    TARGET_PARAMS(FlowArgs),
    PARAM_END,
};

const FlowVerb flow_show_verb = {
    .help = {.name = "flow show",
             .operands = "NAME|FILE",
             .summary = "Show a pipeline: its inputs, its steps and what needs what.",
             .params = show_params,
             .examples = (const char *const[]){"platen flow show blog",
                                               "platen flow show blog --version 2 --source", NULL}},
    .operands_min = 1,
    .operands_max = 1,
    .run = show,
};

/* --- diff --- */

static int diff(Flow *f, const Str *operands, size_t len)
{
    Err err = {0};
    int status;
    Str texts[2], names[2];
    int64_t versions[2] = {0, 0};
    Arena *a = f->cli->arena;
    const Json *newest = NULL;
    for (size_t i = 1; i < len; i++)
        if (!str_to_i64(operands[i], &versions[i - 1]) || versions[i - 1] < 1) {
            err_set(&err, ERR_USAGE, "a version is a number, not \"" STR_FMT "\"",
                    STR_ARG(operands[i]));
            return term_fail(&err);
        }
    if (!flow_open(f, &status))
        return status;
    if (target_call(f->target, a, "GET", flow_pipeline_path(f, operands[0], ""), (Str){0}, &newest,
                    &err) != OK)
        return term_fail(&err);
    if (versions[1] == 0)
        versions[1] = json_int(json_get(newest, "version"), 1);
    if (versions[0] == 0)
        versions[0] = versions[1] > 1 ? versions[1] - 1 : 1;
    for (size_t i = 0; i < 2; i++) {
        f->args.version = versions[i];
        names[i] = str_printf(a, STR_FMT " %" PRId64, STR_ARG(operands[0]), versions[i]);
        if (flow_get_text(f, with_version(f, operands[0], "/source"), &texts[i], &err) != OK)
            return term_fail(&err);
    }
    if (!flow_diff_print(a, texts[0], texts[1], names[0].ptr, names[1].ptr))
        fprintf(stderr, STR_FMT " and " STR_FMT " are equal\n", STR_ARG(names[0]),
                STR_ARG(names[1]));
    return EXIT_DONE;
}

static const Param target_params[] = {
    TARGET_PARAMS(FlowArgs),
    PARAM_END,
};

const FlowVerb flow_diff_verb = {
    .help = {.name = "flow diff",
             .operands = "NAME [A] [B]",
             .summary = "Show the lines that differ between two versions of a pipeline.",
             .detail = "Without A and B: the newest version and the one before it; with A alone: "
                       "that one and the newest.",
             .params = target_params,
             .examples =
                 (const char *const[]){"platen flow diff blog", "platen flow diff blog 1 3", NULL}},
    .operands_min = 1,
    .operands_max = 3,
    .run = diff,
};

/* --- graph --- */

static int graph(Flow *f, const Str *operands, size_t len)
{
    (void)len;
    Err err = {0};
    int status;
    Str name, text;
    if (!flow_open_pipeline(f, operands[0], &name, &status))
        return status;
    Str path = with_version(f, name, "/graph");
    path = str_printf(f->cli->arena, STR_FMT "%sformat=%s", STR_ARG(path),
                      f->args.version > 0 ? "&" : "?", graph_formats[f->args.format].name);
    if (flow_get_text(f, path, &text, &err) != OK)
        return term_fail(&err);
    printf(STR_FMT, STR_ARG(text));
    return EXIT_DONE;
}

static const Param graph_params[] = {
    PARAM_CHOICE(FlowArgs, format, .choices = graph_formats, .help = "How it is drawn."),
    VERSION,
    TARGET_PARAMS(FlowArgs),
    PARAM_END,
};

const FlowVerb flow_graph_verb = {
    .help = {.name = "flow graph",
             .operands = "NAME|FILE",
             .summary = "Draw a pipeline: as a tree, for Mermaid or for Graphviz.",
             .params = graph_params,
             .examples =
                 (const char *const[]){"platen flow graph blog",
                                       "platen flow graph blog.yaml --format mermaid", NULL}},
    .operands_min = 1,
    .operands_max = 1,
    .run = graph,
};

/* --- export, delete --- */

static int export(Flow *f, const Str *operands, size_t len)
{
    (void)len;
    Err err = {0};
    int status;
    Str text;
    if (!flow_open(f, &status))
        return status;
    if (f->args.output.len == 0 || str_eq_c(f->args.output, "-"))
        return show_source(f, operands[0]);
    if (flow_get_text(f, with_version(f, operands[0], "/source"), &text, &err) != OK)
        return term_fail(&err);
    const char *path = str_to_c(f->cli->arena, f->args.output);
    CLEANUP(fd_close)
    int fd = path != NULL ? open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666) : -1;
    if (fd < 0)
        err_set_errno(&err, ERR_IO, errno, "could not create \"" STR_FMT "\"",
                      STR_ARG(f->args.output));
    if (fd < 0 || fd_write_all(fd, text.ptr, text.len, &err) != OK)
        return term_fail(&err);
    return EXIT_DONE;
}

static const Param export_params[] = {
    PARAM_TEXT(FlowArgs, output, .unit = "FILE", .example = "blog.yaml",
               .help = "Where it goes, also -o; standard output otherwise."),
    VERSION,
    TARGET_PARAMS(FlowArgs),
    PARAM_END,
};

const FlowVerb flow_export_verb = {
    .help = {.name = "flow export",
             .operands = "NAME",
             .summary = "Write a pipeline as it was stored.",
             .params = export_params,
             .examples = (const char *const[]){"platen flow export blog -o blog.yaml", NULL}},
    .operands_min = 1,
    .operands_max = 1,
    .run = export,
};

static int delete (Flow *f, const Str *operands, size_t len)
{
    (void)len;
    Err err = {0};
    int status;
    const Json *none = NULL;
    if (!flow_open(f, &status))
        return status;
    if (target_call(f->target, f->cli->arena, "DELETE", flow_pipeline_path(f, operands[0], ""),
                    (Str){0}, &none, &err) != OK)
        return term_fail(&err);
    printf("deleted " STR_FMT "; its jobs that run go on\n", STR_ARG(operands[0]));
    return EXIT_DONE;
}

const FlowVerb flow_delete_verb = {
    .help = {.name = "flow delete",
             .operands = "NAME",
             .summary = "Delete a pipeline with all its versions; its jobs that run go on.",
             .params = target_params,
             .examples = (const char *const[]){"platen flow delete blog", NULL}},
    .operands_min = 1,
    .operands_max = 1,
    .run = delete,
};

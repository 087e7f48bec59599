/* platen flow: pipelines, and the jobs that they are. */
#include "cli/flow_in.h"
#include "core/nearest.h"

#include <string.h>

static const FlowVerb *const verbs[] = {
    &flow_check_verb,   &flow_run_verb,    &flow_batch_verb,  &flow_list_verb,   &flow_show_verb,
    &flow_diff_verb,    &flow_graph_verb,  &flow_import_verb, &flow_export_verb, &flow_delete_verb,
    &flow_approve_verb, &flow_signal_verb, &flow_pause_verb,  &flow_resume_verb, &flow_replay_verb,
};

static Str verb_name(const FlowVerb *v)
{
    Str name = str_from_c(v->help.name);
    return str_slice(name, sizeof "flow " - 1, name.len);
}

static const FlowVerb *find_verb(Str name)
{
    for (size_t i = 0; i < COUNT_OF(verbs); i++)
        if (str_eq(verb_name(verbs[i]), name))
            return verbs[i];
    return NULL;
}

static int unknown_verb(const char *name)
{
    Err err = {0};
    Nearest n = nearest_to(str_from_c(name));
    for (size_t i = 0; i < COUNT_OF(verbs); i++)
        nearest_try(&n, verb_name(verbs[i]).ptr);
    err_set(&err, ERR_USAGE, "there is no \"platen flow %s\"", name);
    if (n.name != NULL)
        err_hint(&err, "Did you mean \"flow %s\"? platen flow --help lists all.", n.name);
    else
        err_hint(&err, "platen flow --help lists all.");
    return term_fail(&err);
}

int flow_fail_usage(const FlowVerb *v)
{
    Err err = {0};
    err_set(&err, ERR_USAGE, "usage: platen %s %s", v->help.name,
            v->help.operands != NULL ? v->help.operands : "");
    return term_fail(&err);
}

ErrCode flow_fill(Flow *f, const FlowVerb *v, Str canonical, Err *err)
{
    const Json *args = NULL;
    ErrCode rc = json_parse(f->cli->arena, canonical, &args, err);
    return rc != OK ? rc : param_fill(v->help.params, args, f->cli->arena, &f->args, err);
}

static int print_help(Cli *cli, const HelpCommand *c)
{
    const HelpLook look = cli_help_look();
    Buf b = buf_init(cli->arena, 256 * KIB);
    help_command(c, &look, &b);
    fputs(buf_c(&b), stdout);
    return EXIT_DONE;
}

static int run_verb(Flow *f, const FlowVerb *v, int argc, char **argv)
{
    Err err = {0};
    ArgsTable table = {.params = v->help.params};
    Str *operands = NULL;
    size_t len = 0;
    bool help = false;
    ErrCode rc = args_sort(f->cli->arena, argv, argc, &table, 1, &operands, &len, &help, &err);
    if (rc == OK && help)
        return print_help(f->cli, &v->help);
    if (rc == OK)
        rc = flow_fill(f, v, table.json, &err);
    if (rc != OK)
        return term_fail(&err);
    if (len < v->operands_min || len > v->operands_max)
        return flow_fail_usage(v);
    return v->run(f, operands, len);
}

static int run_words(Cli *cli, int argc, char **argv)
{
    if (argc == 0 || strcmp(argv[0], "--help") == 0 || strcmp(argv[0], "-h") == 0) {
        const HelpCommand self = cli_help_command(&command_flow);
        return argc == 0 ? (print_help(cli, &self), EXIT_USAGE) : print_help(cli, &self);
    }
    const FlowVerb *v = find_verb(str_from_c(argv[0]));
    if (v == NULL)
        return unknown_verb(argv[0]);
    Flow f = {.cli = cli};
    int status = v->run_words != NULL ? v->run_words(&f, argc - 1, argv + 1)
                                      : run_verb(&f, v, argc - 1, argv + 1);
    target_close(&f.target);
    return status;
}

static const HelpCommand *verb_helps(void)
{
    static HelpCommand helps[COUNT_OF(verbs)];
    for (size_t i = 0; i < COUNT_OF(verbs); i++)
        helps[i] = verbs[i]->help;
    return helps;
}

const Command command_flow = {
    .name = "flow",
    .operands = "COMMAND",
    .summary = "Pipelines: check, store, run and follow them, and decide what they wait for.",
    .detail = "A pipeline is YAML or JSON: steps, what goes from one into the next, what is asked "
              "of people in between. A FILE is run here, without a server; a NAME is one that a "
              "server has stored.",
    .verbs = verb_helps,
    .verbs_len = COUNT_OF(verbs),
    .examples =
        (const char *const[]){"platen flow check blog.yaml",
                              "platen flow run photos.yaml --pictures a.jpg --follow",
                              "platen flow import blog.yaml", "platen flow run blog --help", NULL},
    .run_words = run_words,
};

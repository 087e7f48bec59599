#include "cli/cli.h"
#include "core/nearest.h"
#include "surface/help.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const Command *const cli_commands[] = {
#define COMMAND(name) &command_##name,
#include "cli/commands.def"
#undef COMMAND
};
const size_t cli_commands_len = COUNT_OF(cli_commands);

enum { CLI_ARENA_MAX = 512 * 1024 * 1024 };

static void print_overview(FILE *to)
{
    fprintf(to, "platen " PLATEN_VERSION ": any file in; text, pictures and data out; every result kept.\n\n"
                "usage: platen COMMAND [OPTIONS]\n\n");
    for (size_t i = 0; i < cli_commands_len; i++)
        fprintf(to, "  %-11s %s\n", cli_commands[i]->name, cli_commands[i]->summary);
    fprintf(to, "\nFirst steps:\n"
                "  platen run document.extract report.pdf      Markdown on standard output, no server needed\n"
                "  platen steps                                everything platen can do\n"
                "  platen serve                                the same, as a server with an API\n\n"
                "platen COMMAND --help says more. Exit codes: 0 done, 1 something failed, 2 wrong usage.\n");
}

static void print_command_help(const Command *c, Arena *a)
{
    printf("platen %s: %s\n\nusage: platen %s%s%s%s\n", c->name, c->summary, c->name, c->operands != NULL ? " " : "",
           c->operands != NULL ? c->operands : "", c->params != NULL ? " [OPTIONS]" : "");
    if (c->detail != NULL)
        printf("\n%s\n", c->detail);
    Buf b = buf_init(a, 64 * KIB);
    help_put_options(c->params, &b);
    if (b.len > 0)
        printf("\noptions:\n%s", buf_c(&b));
    if (c->examples != NULL)
        printf("\nexamples:\n");
    for (const char *const *e = c->examples; e != NULL && *e != NULL; e++)
        printf("  %s\n", *e);
}

static const Command *find_command(const char *name)
{
    for (size_t i = 0; i < cli_commands_len; i++)
        if (strcmp(cli_commands[i]->name, name) == 0)
            return cli_commands[i];
    return NULL;
}

static int unknown_command(const char *name)
{
    Nearest n = nearest_to(str_from_c(name));
    Err err = {0};
    for (size_t i = 0; i < cli_commands_len; i++)
        nearest_try(&n, cli_commands[i]->name);
    err_set(&err, ERR_USAGE, "there is no command \"%s\"", name);
    if (n.name != NULL)
        err_hint(&err, "Did you mean \"%s\"? platen --help lists the commands.", n.name);
    else
        err_hint(&err, "platen --help lists the commands.");
    return term_fail(&err);
}

static int run_parsed(Cli *cli, const Command *c, int argc, char **argv)
{
    Err err = {0};
    ArgsTable table = {.params = c->params};
    Str *operands = NULL;
    size_t operands_len = 0;
    bool help = false;
    ErrCode rc = args_sort(cli->arena, argv, argc, &table, 1, &operands, &operands_len, &help, &err);
    if (rc == OK && help) {
        print_command_help(c, cli->arena);
        return EXIT_DONE;
    }
    const Json *canonical = NULL;
    void *args = arena_alloc(cli->arena, c->args_size);
    if (rc == OK && args == NULL)
        rc = err_set(&err, ERR_NO_MEMORY, "no memory");
    if (rc == OK)
        rc = json_parse(cli->arena, table.json, &canonical, &err);
    if (rc == OK)
        rc = param_fill(c->params, canonical, cli->arena, args, &err);
    return rc != OK ? term_fail(&err) : c->run(cli, args, operands, operands_len);
}

int cli_main(int argc, char **argv)
{
    if (argc < 2) {
        print_overview(stderr);
        return EXIT_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0) {
        print_overview(stdout);
        return EXIT_DONE;
    }
    const Command *c = find_command(strcmp(argv[1], "--version") == 0 ? "version" : argv[1]);
    if (c == NULL)
        return unknown_command(argv[1]);
    CLEANUP(arena_close) Arena *a = arena_open(CLI_ARENA_MAX);
    if (a == NULL)
        return term_fail(&(Err){.code = ERR_NO_MEMORY});
    Cli cli = {.arena = a, .program = argv[0]};
    int status = c->run_words != NULL ? c->run_words(&cli, argc - 2, argv + 2) : run_parsed(&cli, c, argc - 2, argv + 2);
    if (fflush(stdout) != 0 && status == EXIT_DONE)
        status = EXIT_FAILED; /* a full disk behind a pipe is a failure, not a success */
    return status;
}

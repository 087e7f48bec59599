#include "cli/cli.h"
#include "base/log.h"
#include "core/nearest.h"

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

HelpCommand cli_help_command(const Command *c)
{
    return (HelpCommand){.name = c->name,
                         .operands = c->operands,
                         .summary = c->summary,
                         .detail = c->detail,
                         .params = c->params,
                         .examples = c->examples,
                         .takes_step = c->takes_step,
                         .verbs = c->verbs != NULL ? c->verbs() : NULL,
                         .verbs_len = c->verbs_len};
}

HelpCommand *cli_help_commands(Arena *a)
{
    HelpCommand *all = arena_new(a, HelpCommand, cli_commands_len);
    for (size_t i = 0; all != NULL && i < cli_commands_len; i++)
        all[i] = cli_help_command(cli_commands[i]);
    return all;
}

HelpLook cli_help_look(void)
{
    /* Into a file it is as wide as always, however wide the terminal beside it is. */
    return (HelpLook){.width = term_is_tty(STDOUT_FILENO) ? term_width() : TERM_WIDTH_DEFAULT,
                      .bold = term_style(STDOUT_FILENO, TERM_BOLD),
                      .dim = term_style(STDOUT_FILENO, TERM_DIM),
                      .plain = term_style(STDOUT_FILENO, TERM_PLAIN)};
}

static void print_overview(Arena *a, FILE *to)
{
    const HelpLook look = cli_help_look();
    const HelpCommand *all = cli_help_commands(a);
    Buf b = buf_init(a, 64 * KIB);
    if (all != NULL)
        help_program(all, cli_commands_len, &look, &b);
    fputs(buf_c(&b), to);
}

static void print_command_help(const Command *c, Arena *a)
{
    const HelpLook look = cli_help_look();
    const HelpCommand one = cli_help_command(c);
    Buf b = buf_init(a, 64 * KIB);
    help_command(&one, &look, &b);
    fputs(buf_c(&b), stdout);
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
    ErrCode rc =
        args_sort(cli->arena, argv, argc, &table, 1, &operands, &operands_len, &help, &err);
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
    CLEANUP(arena_close) Arena *a = arena_open(CLI_ARENA_MAX);
    if (a == NULL)
        return term_fail(&(Err){.code = ERR_NO_MEMORY});
    if (argc < 2) {
        print_overview(a, stderr);
        return EXIT_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
        strcmp(argv[1], "help") == 0) {
        print_overview(a, stdout);
        return EXIT_DONE;
    }
    const Command *c = find_command(strcmp(argv[1], "--version") == 0 ? "version" : argv[1]);
    if (c == NULL)
        return unknown_command(argv[1]);
    const char *level = getenv("PLATEN_LOG");
    log_set_level(level != NULL ? log_level_from(str_from_c(level))
                                : LOG_OFF); /* a command speaks for itself; serve sets its own */
    Cli cli = {.arena = a, .program = argv[0]};
    int status = c->run_words != NULL ? c->run_words(&cli, argc - 2, argv + 2)
                                      : run_parsed(&cli, c, argc - 2, argv + 2);
    if (fflush(stdout) != 0 && status == EXIT_DONE)
        status = EXIT_FAILED; /* a full disk behind a pipe is a failure, not a success */
    return status;
}

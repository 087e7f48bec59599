/* platen openapi, docs, completion, version: what the contracts say, for other programs. */
#include "api/app.h"
#include "api/operations.h"
#include "base/fd.h"
#include "cli/cli.h"
#include "surface/step_docs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum { REGISTRY_MAX = 64 * 1024 * 1024, TEXT_MAX = 16 * 1024 * 1024 };
typedef struct NoArgs {
    char unused;
} NoArgs;

static int run_openapi(Cli *cli, const void *raw, const Str *operands, size_t len)
{
    (void)raw;
    (void)operands;
    (void)len;
    Err err = {0};
    CLEANUP(arena_close) Arena *a = arena_open(REGISTRY_MAX);
    Registry *r = NULL;
    if (a == NULL || app_registry(NULL, a, &r, &err) != OK)
        return term_fail(&err);
    Str text = operations_openapi(r, cli->arena);
    const Json *doc = NULL;
    if (text.ptr == NULL || json_parse(cli->arena, text, &doc, &err) != OK)
        return term_fail(&err);
    printf(STR_FMT "\n", STR_ARG(text));
    return EXIT_DONE;
}

const Command command_openapi = {
    .name = "openapi",
    .summary = "Print the API's OpenAPI 3.1 document.",
    .args_size = sizeof(NoArgs),
    .run = run_openapi,
};

static ErrCode write_page(const char *dir, const char *name, Buf *b, Err *err)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s.md", dir, name);
    CLEANUP(fd_close) int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0)
        return err_set_errno(err, ERR_IO, errno, "could not create \"%s\"", path);
    if (b->failed)
        return err_set(err, ERR_NO_MEMORY, "no memory for \"%s\"", path);
    return fd_write_all(fd, b->ptr, b->len, err);
}

static int run_docs(Cli *cli, const void *raw, const Str *operands, size_t len)
{
    (void)raw;
    Err err = {0};
    CLEANUP(arena_close) Arena *a = arena_open(REGISTRY_MAX);
    Registry *r = NULL;
    char *dir = str_to_c(cli->arena, len > 0 ? operands[0] : STR("docs/steps"));
    if (a == NULL || dir == NULL || app_registry(NULL, a, &r, &err) != OK)
        return term_fail(&err);
    if (mkdir(dir, 0777) != 0 && errno != EEXIST) {
        err_set_errno(&err, ERR_IO, errno, "could not make \"%s\"", dir);
        return term_fail(&err);
    }
    Buf b = buf_init(cli->arena, TEXT_MAX);
    step_docs_index(r, &b);
    ErrCode rc = write_page(dir, "README", &b, &err);
    for (size_t i = 0; rc == OK && i < registry_count(r); i++) {
        const Step *s = registry_at(r, i);
        buf_clear(&b);
        step_docs_page(s, &b);
        if (!s->internal)
            rc = write_page(dir, s->name, &b, &err);
    }
    return rc != OK ? term_fail(&err) : EXIT_DONE;
}

const Command command_docs = {
    .name = "docs",
    .operands = "[DIR]",
    .summary = "Write a Markdown page per step into a folder.",
    .args_size = sizeof(NoArgs),
    .examples = (const char *const[]){"platen docs docs/steps", NULL},
    .run = run_docs,
};

static int run_completion(Cli *cli, const void *raw, const Str *operands, size_t len)
{
    (void)raw;
    Err err = {0};
    CLEANUP(arena_close) Arena *a = arena_open(REGISTRY_MAX);
    Registry *r = NULL;
    Buf b = buf_init(cli->arena, TEXT_MAX);
    const HelpCommand *commands = cli_help_commands(cli->arena);
    if (a == NULL || commands == NULL || app_registry(NULL, a, &r, &err) != OK)
        return term_fail(&err);
    if (len != 1 || !help_completion(operands[0], r, commands, cli_commands_len, &b)) {
        err_set(&err, ERR_USAGE, "usage: platen completion bash|zsh|fish");
        return term_fail(&err);
    }
    fputs(buf_c(&b), stdout);
    return EXIT_DONE;
}

const Command command_completion = {
    .name = "completion",
    .operands = "bash|zsh|fish",
    .summary = "Print a script that completes commands, steps and their options.",
    .args_size = sizeof(NoArgs),
    .examples =
        (const char *const[]){"platen completion bash > /etc/bash_completion.d/platen", NULL},
    .run = run_completion,
};

static int run_version(Cli *cli, const void *raw, const Str *operands, size_t len)
{
    (void)cli;
    (void)raw;
    (void)operands;
    (void)len;
    puts("platen " PLATEN_VERSION);
    return EXIT_DONE;
}

const Command command_version = {
    .name = "version",
    .summary = "Print the version.",
    .args_size = sizeof(NoArgs),
    .run = run_version,
};

/* platen secrets: values that pipelines use as secrets.NAME. A value comes from standard input, never
 * from the words of the command: those are for everybody on the machine to see. */
#include "base/seal.h"
#include "cli/target.h"
#include "secret/secret.h"

#include <errno.h>
#include <stdio.h>
#include <termios.h>
#include <unistd.h>

typedef struct SecretsArgs {
    bool json;
    TargetArgs target;
} SecretsArgs;

static const Param secrets_params[] = {
    PARAM_BOOL(SecretsArgs, json, .help = "Print the server's JSON."),
    TARGET_PARAMS(SecretsArgs),
    PARAM_END,
};

static int list(Cli *cli, Target *t, const SecretsArgs *args)
{
    static const char *const titles[] = {"NAME", "CREATED (UTC)", "CHANGED (UTC)", NULL};
    Err err = {0};
    const Json *page = NULL;
    if (target_call(t, cli->arena, "GET", STR("/api/v1/secrets"), (Str){0}, &page, &err) != OK)
        return term_fail(&err);
    if (args->json) {
        term_print_json(cli->arena, page);
        return EXIT_DONE;
    }
    TermTable table = term_table(cli->arena, titles);
    json_each(secret, json_get(page, "secrets"))
        term_table_row(&table,
                       (const Str[]){json_text(json_get(secret, "name")),
                                     str_slice(json_text(json_get(secret, "created")), 0, 19),
                                     str_slice(json_text(json_get(secret, "changed")), 0, 19)});
    term_table_print(&table);
    return EXIT_DONE;
}

/* All of standard input, or one line of the terminal. */
static ErrCode read_bytes(char *to, size_t size, bool line, Str *out, Err *err)
{
    size_t n = 0;
    while (n < size) {
        ssize_t got = read(STDIN_FILENO, to + n, size - n);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return err_set_errno(err, ERR_IO, errno, "could not read the value");
        n += (size_t)got;
        if (got == 0 || (line && to[n - 1] == '\n'))
            break;
    }
    *out = (Str){to, n};
    return OK;
}

static ErrCode ask(Str name, char *to, size_t size, Str *out, Err *err)
{
    struct termios before, quiet;
    bool tty = term_is_tty(STDIN_FILENO) && tcgetattr(STDIN_FILENO, &before) == 0;
    if (tty) {
        quiet = before;
        quiet.c_lflag &= ~(tcflag_t)ECHO;
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
        fprintf(stderr, "Value of " STR_FMT " (it is not shown): ", STR_ARG(name));
    }
    ErrCode rc = read_bytes(to, size, tty, out, err);
    if (tty) {
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
        fprintf(stderr, "\n");
    }
    if (rc != OK)
        return rc;
    /* What `echo` and the return key add. */
    if (str_ends(*out, STR("\n")))
        out->len--;
    if (str_ends(*out, STR("\r")))
        out->len--;
    if (out->len == 0)
        return err_set(err, ERR_USAGE, "the value is empty; nothing was stored");
    if (out->len > SECRET_VALUE_MAX)
        return err_set(err, ERR_INPUT_TOO_LARGE, "a secret has at most %d bytes", SECRET_VALUE_MAX);
    return str_is_utf8(*out) ? OK : err_set(err, ERR_BAD_PARAM, "the value is not UTF-8 text");
}

static Str path_of(Cli *cli, Str name)
{
    Buf path = buf_init(cli->arena, KIB);
    buf_add_c(&path, "/api/v1/secrets/");
    buf_add_url(&path, name);
    return buf_str(&path);
}

static int set(Cli *cli, Target *t, const SecretsArgs *args, Str name)
{
    static char bytes[SECRET_VALUE_MAX + 2];
    Err err = {0};
    Str value;
    const Json *stored = NULL;
    if (ask(name, bytes, sizeof bytes, &value, &err) != OK)
        return term_fail(&err);
    Buf body = buf_init(cli->arena, 8 * MIB);
    JsonOut j = json_out(&body);
    json_begin(&j, '{');
    json_kv_str(&j, "value", value);
    json_end(&j, '}');
    seal_wipe(bytes, sizeof bytes);
    ErrCode rc =
        target_call(t, cli->arena, "PUT", path_of(cli, name), buf_str(&body), &stored, &err);
    if (body.ptr != NULL)
        seal_wipe(body.ptr, body.len);
    if (rc != OK)
        return term_fail(&err);
    if (args->json)
        term_print_json(cli->arena, stored);
    else
        printf("stored " STR_FMT "\n", STR_ARG(name));
    return EXIT_DONE;
}

static int remove_one(Cli *cli, Target *t, Str name)
{
    Err err = {0};
    const Json *none = NULL;
    if (target_call(t, cli->arena, "DELETE", path_of(cli, name), (Str){0}, &none, &err) != OK)
        return term_fail(&err);
    printf("removed " STR_FMT "\n", STR_ARG(name));
    return EXIT_DONE;
}

static int run(Cli *cli, const void *raw, const Str *operands, size_t len)
{
    const SecretsArgs *args = raw;
    Err err = {0};
    Str verb = len > 0 ? operands[0] : STR("list");
    bool lists = str_eq_c(verb, "list") && len <= 1, sets = str_eq_c(verb, "set") && len == 2;
    bool removes = str_eq_c(verb, "remove") && len == 2;
    if (!lists && !sets && !removes) {
        err_set(&err, ERR_USAGE, "usage: platen secrets list | set NAME | remove NAME");
        if (str_eq_c(verb, "set") && len > 2)
            err_hint(&err, "the value comes from standard input, where nobody else sees it");
        return term_fail(&err);
    }
    CLEANUP(target_close) Target *t = NULL;
    if (target_open(cli, &args->target, &t, &err) != OK)
        return term_fail(&err);
    return lists  ? list(cli, t, args)
           : sets ? set(cli, t, args, operands[1])
                  : remove_one(cli, t, operands[1]);
}

const Command command_secrets = {
    .name = "secrets",
    .operands = "list | set NAME | remove NAME",
    .summary = "Store values that pipelines use as secrets.NAME; they are never shown again.",
    .detail =
        "The value is read from standard input, or asked for without showing it. It is stored\n"
        "sealed with the key of the data folder (secret.key), which backups do not hold:\n"
        "keep a copy of that file elsewhere.",
    .params = secrets_params,
    .args_size = sizeof(SecretsArgs),
    .examples = (const char *const[]){"platen secrets set WORDPRESS_PASSWORD",
                                      "pass show wordpress | platen secrets set WORDPRESS_PASSWORD",
                                      "platen secrets list",
                                      "platen secrets remove WORDPRESS_PASSWORD", NULL},
    .run = run,
};

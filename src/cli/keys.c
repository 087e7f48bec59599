/* platen keys: who may use the server. */
#include "access/access.h"
#include "api/params.h"
#include "cli/target.h"

#include <stdio.h>

typedef struct KeysArgs {
    Str name;
    int role;
    bool json;
    TargetArgs target;
} KeysArgs;

static const Param keys_params[] = {
    PARAM_TEXT(KeysArgs, name, .example = "build server", .help = "What the new key is for."),
    PARAM_CHOICE(KeysArgs, role, .choices = role_choices, .def = ROLE_RUNNER,
                 .help = "What the new key may do."),
    PARAM_BOOL(KeysArgs, json, .help = "Print the server's JSON."),
    TARGET_PARAMS(KeysArgs),
    PARAM_END,
};

static int list(Cli *cli, Target *t, const KeysArgs *args)
{
    static const char *const titles[] = {"KEY",           "NAME",       "ROLE",  "BEGINS WITH",
                                         "CREATED (UTC)", "USED (UTC)", "STATE", NULL};
    Err err = {0};
    const Json *page = NULL;
    if (target_call(t, cli->arena, "GET", STR("/api/v1/keys"), (Str){0}, &page, &err) != OK)
        return term_fail(&err);
    if (args->json) {
        term_print_json(cli->arena, page);
        return EXIT_DONE;
    }
    TermTable table = term_table(cli->arena, titles);
    json_each(key, json_get(page, "keys"))
        term_table_row(
            &table,
            (const Str[]){json_text(json_get(key, "id")), json_text(json_get(key, "name")),
                          json_text(json_get(key, "role")), json_text(json_get(key, "hint")),
                          str_slice(json_text(json_get(key, "created")), 0, 19),
                          str_slice(json_text(json_get(key, "used")), 0, 19),
                          json_text(json_get(key, "revoked")).len > 0 ? STR("revoked")
                                                                      : STR("valid")});
    term_table_print(&table);
    return EXIT_DONE;
}

static int create(Cli *cli, Target *t, const KeysArgs *args)
{
    Err err = {0};
    Buf body = buf_init(cli->arena, 4 * KIB);
    JsonOut j = json_out(&body);
    json_begin(&j, '{');
    json_kv_str(&j, "name", args->name);
    json_kv_c(&j, "role", role_choices[args->role].name);
    json_end(&j, '}');
    const Json *key = NULL;
    if (target_call(t, cli->arena, "POST", STR("/api/v1/keys"), buf_str(&body), &key, &err) != OK)
        return term_fail(&err);
    if (args->json) {
        term_print_json(cli->arena, key);
        return EXIT_DONE;
    }
    Str text = json_text(json_get(key, "key"));
    printf(STR_FMT "\n", STR_ARG(text));
    fprintf(stderr, "This is the only time the key is shown; platen keeps its hash.\n");
    return EXIT_DONE;
}

static int revoke(Cli *cli, Target *t, Str id)
{
    Err err = {0};
    Buf path = buf_init(cli->arena, KIB);
    buf_add_c(&path, "/api/v1/keys/");
    buf_add_url(&path, id);
    const Json *none = NULL;
    if (target_call(t, cli->arena, "DELETE", buf_str(&path), (Str){0}, &none, &err) != OK)
        return term_fail(&err);
    printf("revoked " STR_FMT "\n", STR_ARG(id));
    return EXIT_DONE;
}

static int run(Cli *cli, const void *raw, const Str *operands, size_t len)
{
    const KeysArgs *args = raw;
    Err err = {0};
    Str verb = len > 0 ? operands[0] : STR("list");
    bool lists = str_eq_c(verb, "list") && len <= 1, creates = str_eq_c(verb, "create") && len == 1;
    bool revokes = str_eq_c(verb, "revoke") && len == 2;
    if (!lists && !creates && !revokes) {
        err_set(&err, ERR_USAGE,
                "usage: platen keys list | create [--name NAME] [--role ROLE] | revoke KEY");
        return term_fail(&err);
    }
    CLEANUP(target_close) Target *t = NULL;
    if (target_open(cli, &args->target, &t, &err) != OK)
        return term_fail(&err);
    return lists     ? list(cli, t, args)
           : creates ? create(cli, t, args)
                     : revoke(cli, t, operands[1]);
}

const Command command_keys = {
    .name = "keys",
    .operands = "list | create | revoke KEY",
    .summary = "List API keys, create one (shown once), or revoke one.",
    .params = keys_params,
    .args_size = sizeof(KeysArgs),
    .examples = (const char *const[]){"platen keys create --name \"build server\" --role runner",
                                      "platen keys list", NULL},
    .run = run,
};

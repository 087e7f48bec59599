/* platen bridges: work that comes from, or goes to, a queue of Cloudflare's. */
#include "api/params.h"
#include "cli/target.h"

#include <stdio.h>

typedef struct BridgesArgs {
    BridgeBody b;
    bool json;
    TargetArgs target;
} BridgesArgs;

#define B(field_, type_, ...)                                                                      \
    {                                                                                              \
        .name = #field_, .type = type_, .offset = offsetof(BridgesArgs, b.field_), __VA_ARGS__     \
    }

static const Choice directions[] = {
    {"in", "Their messages become jobs here."},
    {"out", "Tasks of a queue here become their messages."},
    {0},
};

static const Param bridges_params[] = {
    B(direction, PARAM_TYPE_CHOICE, .choices = directions, .help = "Which way work goes."),
    B(account, PARAM_TYPE_TEXT, .unit = "ID",
      .help = "Cloudflare account; CLOUDFLARE_ACCOUNT_ID of the server when left out."),
    B(remote, PARAM_TYPE_TEXT, .unit = "ID",
      .help = "Their queue; `wrangler queues info` shows it."),
    B(dead_remote, PARAM_TYPE_TEXT, .unit = "ID",
      .help = "Its dead letter queue, to be mirrored into the dead letters here."),
    B(token_env, PARAM_TYPE_TEXT, .unit = "NAME",
      .help = "Variable of the server's environment with the API token; CLOUDFLARE_API_TOKEN "
              "otherwise."),
    B(queue, PARAM_TYPE_TEXT,
      .help = "Queue here whose outside workers get the messages, or whose tasks go out."),
    B(step, PARAM_TYPE_TEXT, .help = "Step that each message is run with, instead of a queue."),
    B(base_url, PARAM_TYPE_TEXT, .unit = "URL", .help = "Another address of the API, for tests."),
    B(poison, PARAM_TYPE_INT, .min = 1, .max = 100, .def = 5,
      .help = "A message that came so often and cannot be taken becomes a dead letter."),
    PARAM_BOOL(BridgesArgs, json, .help = "Print the server's JSON."),
    TARGET_PARAMS(BridgesArgs),
    PARAM_END,
};

static Str said(bool json, Cli *cli, const Json *answer)
{
    if (json)
        term_print_json(cli->arena, answer);
    return json ? (Str){0} : json_text(json_get(answer, "name"));
}

static int list(Cli *cli, Target *t, const BridgesArgs *args)
{
    static const char *const titles[] = {"BRIDGE",   "DIRECTION", "THEIR QUEUE", "HERE",
                                         "MESSAGES", "STATE",     NULL};
    Err err = {0};
    const Json *page = NULL;
    if (target_call(t, cli->arena, "GET", STR("/api/v1/bridges"), (Str){0}, &page, &err) != OK)
        return term_fail(&err);
    if (args->json) {
        term_print_json(cli->arena, page);
        return EXIT_DONE;
    }
    TermTable table = term_table(cli->arena, titles);
    json_each(b, json_get(page, "bridges")) {
        const Json *status = json_get(b, "status");
        Str step = json_text(json_get(b, "step")), detail = json_text(json_get(status, "detail"));
        bool ok = json_bool(json_get(status, "ok"), false);
        bool begun = json_text(json_get(status, "at")).len > 0;
        term_table_row(&table, (const Str[]){json_text(json_get(b, "name")),
                                             json_text(json_get(b, "direction")),
                                             json_text(json_get(b, "remote")),
                                             step.len > 0 ? step : json_text(json_get(b, "queue")),
                                             str_printf(cli->arena, "%" PRId64,
                                                        json_int(json_get(status, "messages"), 0)),
                                             !begun ? STR("starting")
                                             : ok   ? STR("fine")
                                                    : detail});
    }
    term_table_print(&table);
    return EXIT_DONE;
}

static void put_if(JsonOut *j, const char *key, Str v)
{
    if (v.len > 0)
        json_kv_str(j, key, v);
}

static int add(Cli *cli, Target *t, const BridgesArgs *args, Str name)
{
    Err err = {0};
    Buf body = buf_init(cli->arena, 16 * KIB);
    JsonOut j = json_out(&body);
    json_begin(&j, '{');
    json_kv_str(&j, "name", name);
    json_kv_c(&j, "direction", directions[args->b.direction].name);
    put_if(&j, "account", args->b.account);
    put_if(&j, "remote", args->b.remote);
    put_if(&j, "dead_remote", args->b.dead_remote);
    put_if(&j, "token_env", args->b.token_env);
    put_if(&j, "queue", args->b.queue);
    put_if(&j, "step", args->b.step);
    put_if(&j, "base_url", args->b.base_url);
    json_kv_int(&j, "poison", args->b.poison);
    json_end(&j, '}');
    const Json *made = NULL;
    if (target_call(t, cli->arena, "POST", STR("/api/v1/bridges"), buf_str(&body), &made, &err) !=
        OK)
        return term_fail(&err);
    Str shown = said(args->json, cli, made);
    if (shown.len > 0)
        printf("added " STR_FMT "; `platen bridges check " STR_FMT "` says whether it fits\n",
               STR_ARG(shown), STR_ARG(shown));
    return EXIT_DONE;
}

static int one(Cli *cli, Target *t, const BridgesArgs *args, Str name, bool check)
{
    Err err = {0};
    Buf path = buf_init(cli->arena, KIB);
    buf_add_c(&path, "/api/v1/bridges/");
    buf_add_url(&path, name);
    if (check)
        buf_add_c(&path, "/check");
    const Json *answer = NULL;
    if (target_call(t, cli->arena, check ? "POST" : "DELETE", buf_str(&path), (Str){0}, &answer,
                    &err) != OK)
        return term_fail(&err);
    if (!check) {
        printf("removed " STR_FMT "\n", STR_ARG(name));
        return EXIT_DONE;
    }
    Str shown = said(args->json, cli, answer), remote = json_text(json_get(answer, "remote_name"));
    if (shown.len > 0)
        printf(STR_FMT " fits: account, token and queue \"" STR_FMT "\" are there\n",
               STR_ARG(shown), STR_ARG(remote));
    return EXIT_DONE;
}

static int run(Cli *cli, const void *raw, const Str *operands, size_t len)
{
    const BridgesArgs *args = raw;
    Err err = {0};
    Str verb = len > 0 ? operands[0] : STR("list");
    bool lists = str_eq_c(verb, "list") && len <= 1, adds = str_eq_c(verb, "add") && len == 2;
    bool checks = str_eq_c(verb, "check") && len == 2,
         removes = str_eq_c(verb, "remove") && len == 2;
    if (!lists && !adds && !checks && !removes) {
        err_set(&err, ERR_USAGE,
                "usage: platen bridges list | add NAME --remote ID --queue QUEUE | check NAME | "
                "remove NAME");
        return term_fail(&err);
    }
    CLEANUP(target_close) Target *t = NULL;
    if (target_open(cli, &args->target, &t, &err) != OK)
        return term_fail(&err);
    return lists  ? list(cli, t, args)
           : adds ? add(cli, t, args, operands[1])
                  : one(cli, t, args, operands[1], checks);
}

const Command command_bridges = {
    .name = "bridges",
    .operands = "list | add NAME | check NAME | remove NAME",
    .summary = "Take work from queues of Cloudflare's, or send it there.",
    .detail =
        "The API token is read from the server's environment and never stored; it needs the "
        "permission Queues Edit.\n"
        "A queue that is taken from needs an HTTP pull consumer: wrangler queues consumer http "
        "add NAME.",
    .params = bridges_params,
    .args_size = sizeof(BridgesArgs),
    .examples =
        (const char *const[]){
            "platen bridges add orders --remote 023e105f4ecef8ad9ca31a8372d0c353 --queue orders",
            "platen bridges add out --direction out --remote 023e105f… --queue outgoing",
            "platen bridges check orders", "platen bridges", NULL},
    .run = run,
};

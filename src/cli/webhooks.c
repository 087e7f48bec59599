/* platen webhooks: addresses that are told of events. */
#include "cli/target.h"

#include <stdio.h>

typedef struct WebhooksArgs {
    Str types, description, secret;
    int64_t limit;
    bool failed, json;
    TargetArgs target;
} WebhooksArgs;

static const Param webhooks_params[] = {
    PARAM_TEXT(WebhooksArgs, types, .example = "job.*,document.added",
               .help = "Of add: the types of events to send; all otherwise."),
    PARAM_TEXT(WebhooksArgs, description, .example = "our CRM", .help = "Of add: what it is for."),
    PARAM_TEXT(WebhooksArgs, secret, .secret = true,
               .help = "Of add: the secret to sign with; one is made otherwise."),
    PARAM_BOOL(WebhooksArgs, failed, .help = "Of log: only messages that failed."),
    PARAM_INT(WebhooksArgs, limit, .min = 1, .max = 200, .def = 20,
              .help = "Of log: how many messages, newest first."),
    PARAM_BOOL(WebhooksArgs, json, .help = "Print the server's JSON."),
    TARGET_PARAMS(WebhooksArgs),
    PARAM_END,
};

typedef struct Run {
    Cli *cli;
    Target *t;
    const WebhooksArgs *args;
    Str id, more; /* WEBHOOK; MESSAGE or URL */
} Run;

static Str path_of(const Run *r, const char *rest)
{
    Buf b = buf_init(r->cli->arena, 4 * KIB);
    buf_add_c(&b, "/api/v1/webhooks");
    if (r->id.len > 0) {
        buf_add_char(&b, '/');
        buf_add_url(&b, r->id);
    }
    buf_add_c(&b, rest);
    return b.failed ? (Str){0} : buf_str(&b);
}

static Str time_of(const Json *j, const char *field)
{
    Str t = json_text(json_get(j, field));
    return t.len >= 19 ? str_slice(t, 0, 19) : STR("-");
}

static void print_hooks(const Run *r, const Json *page)
{
    static const char *const titles[] = {"WEBHOOK", "STATE", "TYPES", "URL", NULL};
    TermTable table = term_table(r->cli->arena, titles);
    json_each(w, json_get(page, "webhooks")) {
        Str types = json_text(json_get(w, "types")), url = json_text(json_get(w, "url"));
        term_table_row(&table,
                       (const Str[]){json_text(json_get(w, "id")), json_text(json_get(w, "state")),
                                     types.len > 0 ? types : STR("all"),
                                     url.len > 0 ? url : STR("(callback_url of jobs)")});
    }
    if (table.rows == 0)
        printf("No webhooks yet. Add one: platen webhooks add https://example.com/hook\n");
    else
        term_table_print(&table);
}

static void print_log(const Run *r, const Json *page)
{
    static const char *const titles[] = {"MESSAGE", "TYPE",       "STATE",       "ATTEMPTS",
                                         "STATUS",  "NEXT (UTC)", "ENDED (UTC)", NULL};
    TermTable table = term_table(r->cli->arena, titles);
    json_each(d, json_get(page, "deliveries"))
        term_table_row(
            &table, (const Str[]){
                        json_text(json_get(d, "id")), json_text(json_get(d, "type")),
                        json_text(json_get(d, "state")),
                        str_printf(r->cli->arena, "%" PRId64, json_int(json_get(d, "attempts"), 0)),
                        str_printf(r->cli->arena, "%" PRId64, json_int(json_get(d, "status"), 0)),
                        time_of(d, "next"), time_of(d, "ended")});
    if (table.rows == 0)
        printf("No such messages. Send one: platen webhooks ping " STR_FMT "\n", STR_ARG(r->id));
    else
        term_table_print(&table);
}

static void print_one(const Run *r, const Json *j)
{
    Str secret = json_text(json_get(j, "secret"));
    const Json *count = json_get(j, "count");
    Str id = json_text(json_get(j, "id")), state = json_text(json_get(j, "state"));
    if (count != NULL)
        printf("%" PRId64 " sent again\n", json_int(count, 0));
    else if (j != NULL)
        printf(STR_FMT "  " STR_FMT "\n", STR_ARG(id), STR_ARG(state));
    else
        printf("deleted " STR_FMT "\n", STR_ARG(r->id));
    if (secret.len == 0)
        return;
    printf(STR_FMT "\n", STR_ARG(secret));
    fprintf(stderr,
            "This is the only time the secret is shown; receivers check signatures with it.\n");
}

static int call(const Run *r, const char *method, Str path, Str body,
                void (*print)(const Run *, const Json *))
{
    Err err = {0};
    const Json *got = NULL;
    if (target_call(r->t, r->cli->arena, method, path, body, &got, &err) != OK)
        return term_fail(&err);
    if (r->args->json && got != NULL)
        term_print_json(r->cli->arena, got);
    else
        print(r, got);
    return EXIT_DONE;
}

static int list(const Run *r)
{
    return call(r, "GET", path_of(r, ""), (Str){0}, print_hooks);
}

static int add(const Run *r)
{
    Buf b = buf_init(r->cli->arena, 16 * KIB);
    JsonOut j = json_out(&b);
    json_begin(&j, '{');
    json_kv_str(&j, "url", r->more);
    json_kv_str(&j, "types", r->args->types);
    json_kv_str(&j, "description", r->args->description);
    if (r->args->secret.len > 0)
        json_kv_str(&j, "secret", r->args->secret);
    json_end(&j, '}');
    return call(r, "POST", path_of(r, ""), buf_str(&b), print_one);
}

static int set_state(const Run *r, const char *state)
{
    Str body = str_printf(r->cli->arena, "{\"state\":\"%s\"}", state);
    return call(r, "PATCH", path_of(r, ""), body, print_one);
}

static int pause_it(const Run *r)
{
    return set_state(r, "paused");
}

static int resume(const Run *r)
{
    return set_state(r, "active");
}

static int rotate(const Run *r)
{
    return call(r, "POST", path_of(r, "/rotate"), STR("{}"), print_one);
}

static int ping(const Run *r)
{
    return call(r, "POST", path_of(r, "/ping"), STR("{}"), print_one);
}

static int show_log(const Run *r)
{
    Str rest = str_printf(r->cli->arena, "/deliveries?limit=%" PRId64 "%s", r->args->limit,
                          r->args->failed ? "&failed=true" : "");
    return call(r, "GET", path_of(r, rest.ptr != NULL ? rest.ptr : ""), (Str){0}, print_log);
}

static int redeliver(const Run *r)
{
    Buf rest = buf_init(r->cli->arena, KIB);
    if (r->more.len > 0) {
        buf_add_c(&rest, "/deliveries/");
        buf_add_url(&rest, r->more);
    }
    buf_add_c(&rest, "/redeliver");
    return call(r, "POST", path_of(r, buf_c(&rest)), STR("{}"), print_one);
}

static int delete (const Run *r)
{
    return call(r, "DELETE", path_of(r, ""), (Str){0}, print_one);
}

static const struct {
    const char *name;
    int (*fn)(const Run *r);
    size_t least, most; /* operands after the verb */
    bool is_url;        /* the operand is no webhook */
} verbs[] = {
    {"list", list, 0, 0, false},      {"add", add, 1, 1, true},
    {"pause", pause_it, 1, 1, false}, {"resume", resume, 1, 1, false},
    {"rotate", rotate, 1, 1, false},  {"ping", ping, 1, 1, false},
    {"log", show_log, 1, 1, false},   {"redeliver", redeliver, 1, 2, false},
    {"delete", delete, 1, 1, false},
};

static int run(Cli *cli, const void *raw, const Str *operands, size_t len)
{
    const WebhooksArgs *args = raw;
    Err err = {0};
    Str verb = len > 0 ? operands[0] : STR("list");
    size_t rest = len > 0 ? len - 1 : 0, at = 0;
    while (at < COUNT_OF(verbs) && !str_eq_c(verb, verbs[at].name))
        at++;
    if (at == COUNT_OF(verbs) || rest < verbs[at].least || rest > verbs[at].most) {
        err_set(&err, ERR_USAGE,
                "usage: platen webhooks list | add URL | pause, resume, rotate, ping, log, delete "
                "WEBHOOK | redeliver WEBHOOK [MESSAGE]");
        return term_fail(&err);
    }
    CLEANUP(target_close) Target *t = NULL;
    if (target_open(cli, &args->target, &t, &err) != OK)
        return term_fail(&err);
    Run r = {.cli = cli, .t = t, .args = args};
    if (rest > 0 && !verbs[at].is_url)
        r.id = operands[1];
    if (rest > 0)
        r.more = verbs[at].is_url ? operands[1] : rest > 1 ? operands[2] : (Str){0};
    return verbs[at].fn(&r);
}

const Command command_webhooks = {
    .name = "webhooks",
    .operands = "list | add URL | pause|resume|rotate|ping|log|delete WEBHOOK | redeliver WEBHOOK "
                "[MESSAGE]",
    .summary = "Have events sent to addresses, signed; see what was sent, send it again.",
    .detail =
        "Messages are signed as Standard Webhooks says (docs/webhooks.md). `redeliver` without a "
        "message sends all that failed.\nAddresses in private networks are refused unless "
        "`platen serve --allow-private` names their range.",
    .params = webhooks_params,
    .args_size = sizeof(WebhooksArgs),
    .examples =
        (const char *const[]){
            "platen webhooks add https://example.com/hook --types job.failed,task.dead",
            "platen webhooks log whk_0m8gnkabg0000 --failed",
            "platen webhooks redeliver whk_0m8gnkabg0000", NULL},
    .run = run,
};

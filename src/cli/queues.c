/* platen queues: what waits, what is set, and the verbs of a queue. */
#include "cli/target.h"

#include <stdio.h>

typedef struct QueuesArgs {
    int64_t concurrency, rate, rate_window_ms, key_rate, weight, runners;
    Str retention;
    bool all, json;
    TargetArgs target;
} QueuesArgs;

enum { LEAVE = -1 }; /* what was not said stays as it is */

static const Param queues_params[] = {
    PARAM_INT(QueuesArgs, concurrency, .min = LEAVE, .max = 1000000, .def = LEAVE,
              .help = "For set: at most so many tasks run at once; 0 takes the limit away."),
    PARAM_INT(QueuesArgs, rate, .min = LEAVE, .max = 1000000, .def = LEAVE,
              .help = "For set: at most so many tasks start in the window; 0 takes it away."),
    PARAM_INT(QueuesArgs, key_rate, .min = LEAVE, .max = 1000000, .def = LEAVE,
              .help = "For set: the same for one concurrency key."),
    PARAM_INT(QueuesArgs, rate_window_ms, .min = LEAVE, .max = 86400000, .def = LEAVE, .unit = "ms",
              .help = "For set: the time that the rates count in, a second at first."),
    PARAM_INT(QueuesArgs, weight, .min = LEAVE, .max = 1000, .def = LEAVE,
              .help = "For set: share of the project among those that wait, 1 at first."),
    PARAM_TEXT(QueuesArgs, retention, .example = "30d",
               .help = "For set: how long ended jobs are kept: 30d, 12h, 90m; \"keep\" for ever, 0 "
                       "as the server says."),
    PARAM_INT(QueuesArgs, runners, .min = LEAVE, .max = 64, .def = LEAVE,
              .help = "For set, with --all: tasks at once in the server."),
    PARAM_BOOL(QueuesArgs, all, .help = "For every project instead of yours."),
    PARAM_BOOL(QueuesArgs, json, .help = "Print the server's JSON."),
    TARGET_PARAMS(QueuesArgs),
    PARAM_END,
};

static Str number(Arena *a, const Json *object, const char *key)
{
    return str_printf(a, "%" PRId64, json_int(json_get(object, key), 0));
}

static bool is_true(const Json *object, const char *key)
{
    return json_bool(json_get(object, key), false);
}

static Str state_of(const Json *queue)
{
    return is_true(queue, "paused")     ? STR("paused")
           : is_true(queue, "draining") ? STR("draining")
                                        : STR("open");
}

/* "4 at once, 10 in 1 s" */
static void add_settings(Buf *b, Arena *a, const Json *s, const char *whose)
{
    int64_t window_ms = json_int(json_get(s, "rate_window_ms"), 0);
    int64_t retention_ms = json_int(json_get(s, "retention_ms"), 0);
    const struct {
        const char *key, *fmt;
        int64_t usual;
    } shown[] = {{"concurrency", "%" PRId64 " at once", 0},
                 {"rate", "%" PRId64 " per window", 0},
                 {"key_rate", "%" PRId64 " per key and window", 0},
                 {"weight", "weight %" PRId64, 1},
                 {"runners", "%" PRId64 " runners", 0}};
    size_t before = b->len;
    for (size_t i = 0; s != NULL && i < COUNT_OF(shown); i++) {
        int64_t value = json_int(json_get(s, shown[i].key), 0);
        if (value == shown[i].usual)
            continue;
        buf_add_c(b, b->len > 0 ? ", " : "");
        buf_addf(b, shown[i].fmt, value);
    }
    if (s != NULL && json_int(json_get(s, "rate"), 0) + json_int(json_get(s, "key_rate"), 0) > 0)
        buf_addf(b, " (%" PRId64 " ms)", window_ms);
    if (s != NULL && retention_ms != 0) {
        Str time = retention_ms < 0 ? STR("always") : term_duration(a, retention_ms);
        buf_addf(b, "%skept " STR_FMT, b->len > 0 ? ", " : "", STR_ARG(time));
    }
    if (b->len > before)
        buf_add_c(b, whose);
}

static Str settings_of(Arena *a, const Json *queue)
{
    Buf b = buf_init(a, 4 * KIB);
    add_settings(&b, a, json_get(queue, "settings"), "");
    add_settings(&b, a, json_get(queue, "settings_for_all"), " (all projects)");
    return b.failed || b.len == 0 ? STR("-") : buf_str(&b);
}

static void add_row(TermTable *t, Arena *a, const Json *q)
{
    Str oldest = json_int(json_get(q, "ready"), 0) > 0
                     ? term_duration(a, json_int(json_get(q, "oldest_ms"), 0))
                     : STR("-");
    term_table_row(t, (const Str[]){json_text(json_get(q, "name")), state_of(q),
                                    number(a, q, "ready"), number(a, q, "delayed"),
                                    number(a, q, "blocked"), number(a, q, "leased"),
                                    number(a, q, "dead"), oldest, settings_of(a, q)});
}

static const char *const titles[] = {"QUEUE",   "STATE", "READY",  "DELAYED",  "BLOCKED",
                                     "RUNNING", "DEAD",  "OLDEST", "SETTINGS", NULL};

static int list(Cli *cli, Target *t, const QueuesArgs *args)
{
    Err err = {0};
    const Json *page = NULL;
    if (target_call(t, cli->arena, "GET", STR("/api/v1/queues"), (Str){0}, &page, &err) != OK)
        return term_fail(&err);
    if (args->json) {
        term_print_json(cli->arena, page);
        return EXIT_DONE;
    }
    TermTable table = term_table(cli->arena, titles);
    json_each(q, json_get(page, "queues"))
        add_row(&table, cli->arena, q);
    if (table.rows == 0)
        printf("No queue has tasks, dead letters or settings.\n");
    else
        term_table_print(&table);
    return EXIT_DONE;
}

static Str path_of(Cli *cli, Str name, Str verb, bool all)
{
    Buf path = buf_init(cli->arena, KIB);
    buf_add_c(&path, "/api/v1/queues/");
    buf_add_url(&path, name);
    if (verb.len > 0) {
        buf_add_char(&path, '/');
        buf_add(&path, verb);
    }
    if (all)
        buf_add_c(&path, "?scope=all");
    return buf_str(&path);
}

static int show(Cli *cli, const QueuesArgs *args, const Json *queue)
{
    if (args->json) {
        term_print_json(cli->arena, queue);
        return EXIT_DONE;
    }
    TermTable table = term_table(cli->arena, titles);
    add_row(&table, cli->arena, queue);
    term_table_print(&table);
    return EXIT_DONE;
}

/* A time, keep, or 0. */
static bool read_retention(Str text, int64_t *out)
{
    if (str_eq_c(text, "keep") || str_eq_c(text, "0")) {
        *out = text.len == 1 ? 0 : -1;
        return true;
    }
    return term_read_time(text, out);
}

static void put(JsonOut *j, const char *key, int64_t said, const Json *before, int64_t usual)
{
    json_kv_int(j, key, said != LEAVE ? said : json_int(json_get(before, key), usual));
}

/* The server replaces all settings: what was not said is sent as it is. */
static int set(Cli *cli, Target *t, const QueuesArgs *args, Str name)
{
    Err err = {0};
    const Json *queue = NULL;
    int64_t retention_ms = 0;
    if (args->retention.len > 0 && !read_retention(args->retention, &retention_ms)) {
        err_set(&err, ERR_USAGE,
                "--retention \"" STR_FMT "\" is no time: say 30d, 12h, 90m or keep",
                STR_ARG(args->retention));
        return term_fail(&err);
    }
    if (target_call(t, cli->arena, "GET", path_of(cli, name, (Str){0}, false), (Str){0}, &queue,
                    &err) != OK)
        return term_fail(&err);
    const Json *before = json_get(queue, args->all ? "settings_for_all" : "settings");
    Buf body = buf_init(cli->arena, 4 * KIB);
    JsonOut j = json_out(&body);
    json_begin(&j, '{');
    put(&j, "concurrency", args->concurrency, before, 0);
    put(&j, "rate", args->rate, before, 0);
    put(&j, "key_rate", args->key_rate, before, 0);
    int64_t window_ms = json_int(json_get(before, "rate_window_ms"), 0);
    if (args->rate_window_ms > 0 || window_ms > 0)
        json_kv_int(&j, "rate_window_ms",
                    args->rate_window_ms > 0 ? args->rate_window_ms : window_ms);
    put(&j, "weight", args->weight, before, 1);
    put(&j, "retention_ms",
        args->retention.len > 0 ? retention_ms : json_int(json_get(before, "retention_ms"), 0),
        NULL, 0);
    put(&j, "runners", args->runners, before, 0);
    json_end(&j, '}');
    if (target_call(t, cli->arena, "PUT", path_of(cli, name, (Str){0}, args->all), buf_str(&body),
                    &queue, &err) != OK)
        return term_fail(&err);
    return show(cli, args, queue);
}

static int one(Cli *cli, Target *t, const QueuesArgs *args, Str verb, Str name)
{
    Err err = {0};
    const Json *answer = NULL;
    bool reads = str_eq_c(verb, "show");
    Str path = path_of(cli, name, reads ? (Str){0} : verb, args->all && !reads);
    if (target_call(t, cli->arena, reads ? "GET" : "POST", path, (Str){0}, &answer, &err) != OK)
        return term_fail(&err);
    if (!str_eq_c(verb, "purge") || args->json)
        return show(cli, args, answer);
    printf("%" PRId64 " cancelled\n", json_int(json_get(answer, "count"), 0));
    return EXIT_DONE;
}

static bool is_verb(Str verb)
{
    static const char *const verbs[] = {"show", "set", "pause", "resume", "drain", "purge"};
    for (size_t i = 0; i < COUNT_OF(verbs); i++)
        if (str_eq_c(verb, verbs[i]))
            return true;
    return false;
}

static int run(Cli *cli, const void *raw, const Str *operands, size_t len)
{
    const QueuesArgs *args = raw;
    Err err = {0};
    Str verb = len > 0 ? operands[0] : STR("list");
    bool lists = str_eq_c(verb, "list") && len <= 1;
    if (!lists && !(len == 2 && is_verb(verb))) {
        err_set(&err, ERR_USAGE,
                "usage: platen queues list | show QUEUE | set QUEUE [--rate N …] | pause QUEUE | "
                "resume QUEUE | drain QUEUE | purge QUEUE");
        return term_fail(&err);
    }
    CLEANUP(target_close) Target *t = NULL;
    if (target_open(cli, &args->target, &t, &err) != OK)
        return term_fail(&err);
    return lists                   ? list(cli, t, args)
           : str_eq_c(verb, "set") ? set(cli, t, args, operands[1])
                                   : one(cli, t, args, verb, operands[1]);
}

const Command command_queues = {
    .name = "queues",
    .operands = "list | show|set|pause|resume|drain|purge QUEUE",
    .summary = "List queues, set their limits, pause, drain or empty them.",
    .params = queues_params,
    .args_size = sizeof(QueuesArgs),
    .examples = (const char *const[]){"platen queues",
                                      "platen queues set document --concurrency 4 --retention 30d",
                                      "platen queues pause ocr", NULL},
    .run = run,
};

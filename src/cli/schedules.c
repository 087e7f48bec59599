/* platen schedules: what starts by the clock. */
#include "api/params.h"
#include "cli/target.h"
#include "flow/schedule.h"

#include <stdio.h>

typedef struct SchedulesArgs {
    Str cron, every, zone, step, pipeline, queue, start, end;
    const Json *params, *inputs;
    int64_t priority, attempts, timeout_ms, jitter_ms, count;
    int missed, overlap;
    bool paused, replace, json;
    TargetArgs target;
} SchedulesArgs;

static const Param schedules_params[] = {
    PARAM_TEXT(SchedulesArgs, cron, .example = "0 9 * * mon-fri",
               .help = "When: minute hour day month weekday; with seconds first if six; or @daily "
                       "and the like."),
    PARAM_TEXT(SchedulesArgs, every, .example = "90s",
               .help = "Instead of --cron: the time between two starts, like 90s or 1h30m."),
    PARAM_TEXT(SchedulesArgs, zone, .def_text = "UTC", .example = "Europe/Berlin",
               .help = "Time zone of --cron."),
    PARAM_TEXT(SchedulesArgs, step, .example = "text.stats", .help = "The step that starts."),
    PARAM_JSON(SchedulesArgs, params, .help = "Parameters of the step."),
    PARAM_TEXT(SchedulesArgs, pipeline, .help = "Instead of --step: the pipeline that starts."),
    PARAM_JSON(SchedulesArgs, inputs, .help = "Inputs of the pipeline."),
    PARAM_TEXT(SchedulesArgs, queue, .help = "Queue of the jobs of a step."),
    PARAM_INT(SchedulesArgs, priority, .min = -100, .max = 100, .help = "Higher runs first."),
    PARAM_INT(SchedulesArgs, attempts, .min = 1, .max = 100, .help = "How often a job is tried."),
    PARAM_INT(SchedulesArgs, timeout_ms, .min = 1, .max = 86400000, .unit = "ms",
              .help = "Wall-clock limit of one attempt."),
    PARAM_CHOICE(SchedulesArgs, missed, .choices = missed_choices, .def = MISSED_SKIP,
                 .help = "What becomes of times that were missed."),
    PARAM_CHOICE(SchedulesArgs, overlap, .choices = overlap_choices, .def = OVERLAP_ALLOW,
                 .help = "What happens when the job before has not ended."),
    PARAM_INT(SchedulesArgs, jitter_ms, .min = 0, .max = 86400000, .unit = "ms",
              .help = "Start up to this much later, at random."),
    PARAM_TEXT(SchedulesArgs, start, .example = "2026-12-01T00:00:00Z",
               .help = "Not before this time."),
    PARAM_TEXT(SchedulesArgs, end, .example = "2027-12-01T00:00:00Z",
               .help = "Not after this time."),
    PARAM_BOOL(SchedulesArgs, paused, .help = "Make it, but do not start anything yet."),
    PARAM_BOOL(SchedulesArgs, replace,
               .help = "Change the schedule of this name, if there is one."),
    PARAM_INT(SchedulesArgs, count, .min = 1, .max = 100, .def = 5,
              .help = "How many times a preview shows."),
    PARAM_BOOL(SchedulesArgs, json, .help = "Print the server's JSON."),
    TARGET_PARAMS(SchedulesArgs),
    PARAM_END,
};

static Str text(const Json *object, const char *key)
{
    return json_text(json_get(object, key));
}

static Str minute(const Json *object, const char *key)
{
    Str t = text(object, key);
    return t.len >= 19 ? str_slice(t, 0, 19) : STR("-");
}

static Str target_of(const Json *s)
{
    Str step = text(s, "step");
    return step.len > 0 ? step : text(s, "pipeline");
}

static int list(Cli *cli, Target *t, const SchedulesArgs *args)
{
    static const char *const titles[] = {"SCHEDULE", "STARTS", "NEXT (UTC)", "LAST (UTC)",
                                         "JOBS",     "WHEN",   NULL};
    Err err = {0};
    const Json *page = NULL;
    if (target_call(t, cli->arena, "GET", STR("/api/v1/schedules"), (Str){0}, &page, &err) != OK)
        return term_fail(&err);
    if (args->json) {
        term_print_json(cli->arena, page);
        return EXIT_DONE;
    }
    TermTable table = term_table(cli->arena, titles);
    json_each(s, json_get(page, "schedules"))
        term_table_row(
            &table, (const Str[]){
                        text(s, "name"), target_of(s),
                        json_bool(json_get(s, "paused"), false) ? STR("paused") : minute(s, "next"),
                        minute(s, "last_time"),
                        str_printf(cli->arena, "%" PRId64, json_int(json_get(s, "fired"), 0)),
                        text(s, "words")});
    if (table.rows == 0)
        printf("No schedules yet. Make one: platen schedules create nightly --cron \"0 2 * * *\" "
               "--zone Europe/Berlin --step STEP\n");
    else
        term_table_print(&table);
    return EXIT_DONE;
}

static void print_field(const char *name, Str value)
{
    if (value.len > 0)
        printf("%-12s " STR_FMT "\n", name, STR_ARG(value));
}

static void print_schedule(Cli *cli, const Json *s)
{
    print_field("schedule", text(s, "name"));
    print_field("when", text(s, "words"));
    print_field("cron", text(s, "cron"));
    print_field("zone", text(s, "zone"));
    print_field("step", text(s, "step"));
    print_field("pipeline", text(s, "pipeline"));
    print_field("missed", text(s, "missed"));
    print_field("overlap", text(s, "overlap"));
    print_field("declared by", text(s, "declared_by"));
    print_field("next",
                json_bool(json_get(s, "paused"), false) ? STR("paused") : minute(s, "next"));
    print_field("last", minute(s, "last_time"));
    print_field("last job", text(s, "last_job"));
    print_field("jobs",
                str_printf(cli->arena, "%" PRId64 " started, %" PRId64 " times left out",
                           json_int(json_get(s, "fired"), 0), json_int(json_get(s, "skipped"), 0)));
    print_field("left out", text(s, "skip_reason"));
}

static void print_preview(const Json *p)
{
    Str words = text(p, "words");
    printf(STR_FMT "\n", STR_ARG(words));
    json_each(time, json_get(p, "times")) {
        Str local = text(time, "local"), utc = minute(time, "time");
        printf("  " STR_FMT "   (" STR_FMT " UTC)\n", STR_ARG(local), STR_ARG(utc));
    }
}

static void put_text(JsonOut *j, const char *key, Str value)
{
    if (value.len > 0)
        json_kv_str(j, key, value);
}

static void put_number(JsonOut *j, const char *key, int64_t value)
{
    if (value != 0)
        json_kv_int(j, key, value);
}

static void put_json(JsonOut *j, const char *key, const Json *value)
{
    if (value == NULL || value->type == JSON_NULL)
        return;
    json_key(j, key);
    json_put(j, value);
}

static void put_when(JsonOut *j, const SchedulesArgs *a)
{
    put_text(j, "cron", a->cron);
    put_text(j, "every", a->every);
    put_text(j, "zone", a->zone);
    put_text(j, "start", a->start);
    put_text(j, "end", a->end);
}

static Str new_body(Cli *cli, const SchedulesArgs *a, Str name)
{
    Buf b = buf_init(cli->arena, 1 * MIB);
    JsonOut j = json_out(&b);
    json_begin(&j, '{');
    json_kv_str(&j, "name", name);
    put_when(&j, a);
    put_text(&j, "step", a->step);
    put_json(&j, "params", a->params);
    put_text(&j, "pipeline", a->pipeline);
    put_json(&j, "inputs", a->inputs);
    put_text(&j, "queue", a->queue);
    put_number(&j, "priority", a->priority);
    put_number(&j, "attempts", a->attempts);
    put_number(&j, "timeout_ms", a->timeout_ms);
    put_number(&j, "jitter_ms", a->jitter_ms);
    json_kv_c(&j, "missed", missed_name((Missed)a->missed));
    json_kv_c(&j, "overlap", overlap_name((Overlap)a->overlap));
    json_kv_bool(&j, "paused", a->paused);
    json_end(&j, '}');
    return buf_str(&b);
}

static Str preview_body(Cli *cli, const SchedulesArgs *a)
{
    Buf b = buf_init(cli->arena, 64 * KIB);
    JsonOut j = json_out(&b);
    json_begin(&j, '{');
    put_when(&j, a);
    json_kv_int(&j, "count", a->count);
    json_end(&j, '}');
    return buf_str(&b);
}

/* "/api/v1/schedules/NAME/VERB" */
static Str path_of(Cli *cli, Str name, Str verb)
{
    Buf path = buf_init(cli->arena, 4 * KIB);
    buf_add_c(&path, "/api/v1/schedules/");
    buf_add_url(&path, name);
    if (verb.len > 0)
        buf_add_char(&path, '/');
    buf_add(&path, verb);
    return buf_str(&path);
}

typedef enum Shape { SHOWS_SCHEDULE, SHOWS_PREVIEW, SHOWS_JOB, SHOWS_NOTHING } Shape;

static int call(Cli *cli, Target *t, const SchedulesArgs *args, const char *method, Str path,
                Str body, Shape shape)
{
    Err err = {0};
    const Json *answer = NULL;
    if (target_call(t, cli->arena, method, path, body, &answer, &err) != OK)
        return term_fail(&err);
    if (args->json && answer != NULL) {
        term_print_json(cli->arena, answer);
    } else if (shape == SHOWS_SCHEDULE) {
        print_schedule(cli, answer);
    } else if (shape == SHOWS_PREVIEW) {
        print_preview(answer);
    } else if (shape == SHOWS_JOB) {
        Str id = text(answer, "id");
        printf("started " STR_FMT "\n", STR_ARG(id));
    }
    return EXIT_DONE;
}

static int create(Cli *cli, Target *t, const SchedulesArgs *args, Str name)
{
    Str body = new_body(cli, args, name);
    if (args->replace)
        return call(cli, t, args, "PUT", path_of(cli, name, (Str){0}), body, SHOWS_SCHEDULE);
    return call(cli, t, args, "POST", STR("/api/v1/schedules"), body, SHOWS_SCHEDULE);
}

static int preview(Cli *cli, Target *t, const SchedulesArgs *args, const Str *name)
{
    if (name == NULL)
        return call(cli, t, args, "POST", STR("/api/v1/schedules/preview"), preview_body(cli, args),
                    SHOWS_PREVIEW);
    Str verb = str_printf(cli->arena, "preview?count=%" PRId64, args->count);
    return call(cli, t, args, "GET", path_of(cli, *name, verb), (Str){0}, SHOWS_PREVIEW);
}

static int one(Cli *cli, Target *t, const SchedulesArgs *args, Str verb, Str name)
{
    if (str_eq_c(verb, "show"))
        return call(cli, t, args, "GET", path_of(cli, name, (Str){0}), (Str){0}, SHOWS_SCHEDULE);
    if (str_eq_c(verb, "create"))
        return create(cli, t, args, name);
    if (str_eq_c(verb, "preview"))
        return preview(cli, t, args, &name);
    if (!str_eq_c(verb, "delete"))
        return call(cli, t, args, "POST", path_of(cli, name, verb), (Str){0},
                    str_eq_c(verb, "run") ? SHOWS_JOB : SHOWS_SCHEDULE);
    int code = call(cli, t, args, "DELETE", path_of(cli, name, (Str){0}), (Str){0}, SHOWS_NOTHING);
    if (code == EXIT_DONE)
        printf("deleted " STR_FMT "\n", STR_ARG(name));
    return code;
}

static bool takes_name(Str verb)
{
    static const char *const verbs[] = {"show",   "create", "delete", "pause",
                                        "resume", "run",    "preview"};
    for (size_t i = 0; i < COUNT_OF(verbs); i++)
        if (str_eq_c(verb, verbs[i]))
            return true;
    return false;
}

static int run(Cli *cli, const void *raw, const Str *operands, size_t len)
{
    const SchedulesArgs *args = raw;
    Err err = {0};
    Str verb = len > 0 ? operands[0] : STR("list");
    bool lists = str_eq_c(verb, "list") && len <= 1;
    bool previews = str_eq_c(verb, "preview") && len == 1;
    if (!lists && !previews && !(len == 2 && takes_name(verb))) {
        err_set(&err, ERR_USAGE,
                "usage: platen schedules list | create NAME --cron … --step STEP | show NAME | "
                "delete NAME | pause NAME | resume NAME | run NAME | preview [NAME]");
        return term_fail(&err);
    }
    CLEANUP(target_close) Target *t = NULL;
    if (target_open(cli, &args->target, &t, &err) != OK)
        return term_fail(&err);
    return lists      ? list(cli, t, args)
           : previews ? preview(cli, t, args, NULL)
                      : one(cli, t, args, verb, operands[1]);
}

const Command command_schedules = {
    .name = "schedules",
    .operands =
        "list | create NAME | show NAME | delete NAME | pause NAME | resume NAME | run NAME "
        "| preview [NAME]",
    .summary = "Start steps and pipelines by the clock.",
    .detail =
        "A cron expression has five fields, minute hour day month weekday, or six with seconds "
        "first: * , - / as usual,\n"
        "names (mon, jan), L (last day), 15W (nearest weekday), mon#2 (second Monday), friL (last "
        "Friday).\n"
        "Each time starts exactly one job. In spring a time of day that the clock leaves out "
        "starts "
        "right after it; in autumn\n"
        "one that comes twice starts once; what begins with * in minute or hour goes on by elapsed "
        "time.\n"
        "`preview --cron …` shows the next times without making anything.",
    .params = schedules_params,
    .args_size = sizeof(SchedulesArgs),
    .examples =
        (const char *const[]){
            "platen schedules create report --cron \"0 9 * * mon-fri\" --zone Europe/Berlin "
            "--pipeline reports",
            "platen schedules create pulse --every 90s --step text.stats --params "
            "'{\"text\":\"hi\"}'",
            "platen schedules preview --cron \"30 2 * * *\" --zone Europe/Berlin --count 3",
            "platen schedules pause report", NULL},
    .run = run,
};

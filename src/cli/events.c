/* platen events: what happens in the project; publish one. */
#include "base/clock.h"
#include "base/id.h"
#include "cli/target.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { FOLLOW_S = 24 * 3600, AGAIN_US = 500000, LINE_MAX_BYTES = 64 * 1024, DATA_SHOWN = 160 };

typedef struct EventsArgs {
    Str types, after, subject, fields;
    int64_t minutes;
    bool follow, json;
    TargetArgs target;
} EventsArgs;

static const Param events_params[] = {
    PARAM_BOOL(EventsArgs, follow,
               .help = "Go on with what happens from now on; after a broken connection nothing is "
                       "missed."),
    PARAM_TEXT(EventsArgs, types, .example = "job.*,document.added",
               .help = "Only events of these types; * at the end stands for all that begin so."),
    PARAM_TEXT(EventsArgs, after, .example = "evt_0m8gnkabg0000",
               .help = "Only events after this one."),
    PARAM_INT(EventsArgs, minutes, .min = 1, .max = 7 * 24 * 60, .def = 60, .unit = "min",
              .help = "Without --after: how far to look back."),
    PARAM_TEXT(EventsArgs, subject, .example = "user-7",
               .help = "Of publish: what the event is about."),
    PARAM_TEXT(EventsArgs, fields, .unit = "JSON",
               .help = "Of publish: an object with what belongs to it."),
    PARAM_BOOL(EventsArgs, json, .help = "Print each event as one line of JSON."),
    TARGET_PARAMS(EventsArgs),
    PARAM_END,
};

static void print_event(Arena *a, const Json *e, bool as_json)
{
    Buf b = buf_init(a, MIB);
    JsonOut j = json_out(&b);
    json_put(&j, as_json ? e : json_get(e, "data"));
    Str text = buf_str(&b);
    if (as_json) {
        printf(STR_FMT "\n", STR_ARG(text));
    } else {
        Str time = str_slice(json_text(json_get(e, "time")), 0, 19);
        Str type = json_text(json_get(e, "type")), subject = json_text(json_get(e, "subject"));
        Str job = json_text(json_get(e, "job")), about = job.len > 0 ? job : subject;
        printf(STR_FMT "  %-18.*s  %-22.*s  %.*s%s%.*s%s\n", STR_ARG(time), STR_ARG(type),
               STR_ARG(about), (int)(job.len > 0 ? subject.len : 0), subject.ptr,
               job.len > 0 && subject.len > 0 ? "  " : "",
               (int)(text.len < DATA_SHOWN ? text.len : DATA_SHOWN), text.ptr,
               text.len > DATA_SHOWN ? "…" : "");
    }
    fflush(stdout);
}

static Str path_of(Arena *a, const EventsArgs *args, Str after)
{
    Buf b = buf_init(a, 8 * KIB);
    buf_add_c(&b, "/api/v1/events?limit=1000&after=");
    buf_add_url(&b, after);
    if (args->types.len > 0) {
        buf_add_c(&b, "&types=");
        buf_add_url(&b, args->types);
    }
    return b.failed ? (Str){0} : buf_str(&b);
}

/* --- what was --- */

static Str first_place(Arena *a, const EventsArgs *args)
{
    char *text = arena_alloc(a, ID_TEXT_SIZE);
    int64_t from_ms = clock_now_ms() - args->minutes * 60000;
    if (args->after.len > 0 || text == NULL)
        return args->after;
    return str_from_c(id_text("evt", id_first(from_ms), text));
}

static int list(Cli *cli, Target *t, const EventsArgs *args)
{
    CLEANUP(arena_close) Arena *a = arena_open(64 * MIB);
    char place[ID_TEXT_SIZE] = "";
    Err err = {0};
    int64_t shown = 0;
    if (a == NULL)
        return EXIT_FAILED;
    Str after = first_place(cli->arena, args);
    for (size_t n = 1; n > 0;) {
        const Json *page = NULL;
        arena_reset(a);
        if (target_call(t, a, "GET", path_of(a, args, after), (Str){0}, &page, &err) != OK)
            return term_fail(&err);
        const Json *events = json_get(page, "events");
        json_each(e, events)
            print_event(a, e, args->json);
        n = events != NULL ? events->len : 0;
        shown += (int64_t)n;
        Str next = json_text(json_get(page, "next"));
        snprintf(place, sizeof place, STR_FMT, STR_ARG(next));
        after = str_from_c(place);
    }
    if (shown == 0)
        fprintf(stderr, "No such events. --minutes looks further back, --follow waits for them.\n");
    return EXIT_DONE;
}

/* --- what happens --- */

typedef struct Follow {
    const EventsArgs *args;
    Arena *a;
    char last[ID_TEXT_SIZE]; /* where to go on */
    char line[LINE_MAX_BYTES];
    size_t len;
    bool heard; /* of this connection */
} Follow;

static void take_line(Follow *f, Str line)
{
    const Json *e = NULL;
    if (str_starts(line, STR("id: "))) {
        Str id = str_slice(line, 4, line.len);
        snprintf(f->last, sizeof f->last, STR_FMT, STR_ARG(id));
    } else if (str_starts(line, STR("data: "))) {
        arena_reset(f->a);
        if (json_parse(f->a, str_slice(line, 6, line.len), &e, NULL) == OK)
            print_event(f->a, e, f->args->json);
    }
}

static bool take_piece(void *ctx, Str bytes)
{
    Follow *f = ctx;
    f->heard = true;
    for (size_t i = 0; i < bytes.len; i++) {
        if (bytes.ptr[i] == '\n') {
            take_line(f, (Str){f->line, f->len});
            f->len = 0;
        } else if (f->len < sizeof f->line) {
            f->line[f->len++] = bytes.ptr[i];
        }
    }
    return true;
}

/* Until it is stopped: a connection that breaks is made anew, from the last event on. */
static int follow(Cli *cli, Target *t, const EventsArgs *args)
{
    CLEANUP(arena_close) Arena *a = arena_open(MIB);
    CLEANUP(arena_close) Arena *event = arena_open(4 * MIB);
    Follow *f = arena_new(cli->arena, Follow, 1);
    bool lost = false, ever = false;
    if (a == NULL || event == NULL || f == NULL)
        return EXIT_FAILED;
    *f = (Follow){.args = args, .a = event};
    snprintf(f->last, sizeof f->last, STR_FMT, STR_ARG(args->after));
    for (;;) {
        Err err = {0};
        NetResponse response = {0};
        arena_reset(a);
        f->heard = false;
        f->len = 0;
        const NetRequest request = {.method = "GET",
                                    .accept = "text/event-stream",
                                    .path = path_of(a, args, str_from_c(f->last)),
                                    .timeout_s = FOLLOW_S,
                                    .piece = take_piece,
                                    .ctx = f};
        ErrCode rc = net_send(target_client(t), a, &request, &response, &err);
        if (rc == OK)
            rc = target_problem(a, &response, &err);
        ever |= f->heard;
        if (rc != OK && (!ever || (rc != ERR_UNREACHABLE && rc != ERR_SHUTTING_DOWN)))
            return term_fail(&err);
        if (!lost || f->heard)
            fprintf(stderr, "platen: the connection is lost; trying again\n");
        lost = true;
        usleep(AGAIN_US);
    }
}

/* --- publish --- */

static int publish(Cli *cli, Target *t, const EventsArgs *args, Str type)
{
    Err err = {0};
    const Json *made = NULL, *data = NULL;
    Buf body = buf_init(cli->arena, MIB);
    JsonOut j = json_out(&body);
    if (args->fields.len > 0 && json_parse(cli->arena, args->fields, &data, &err) != OK)
        return term_fail(&err);
    json_begin(&j, '{');
    json_kv_str(&j, "type", type);
    if (args->subject.len > 0)
        json_kv_str(&j, "subject", args->subject);
    json_key(&j, "data");
    json_put(&j, data);
    json_end(&j, '}');
    if (target_call(t, cli->arena, "POST", STR("/api/v1/events"), buf_str(&body), &made, &err) !=
        OK)
        return term_fail(&err);
    print_event(cli->arena, made, args->json);
    return EXIT_DONE;
}

static int run(Cli *cli, const void *raw, const Str *operands, size_t len)
{
    const EventsArgs *args = raw;
    Err err = {0};
    bool lists = len == 0 || (len == 1 && str_eq_c(operands[0], "list"));
    if (!lists && !(len == 2 && str_eq_c(operands[0], "publish"))) {
        err_set(&err, ERR_USAGE, "usage: platen events [--follow] | events publish TYPE");
        return term_fail(&err);
    }
    CLEANUP(target_close) Target *t = NULL;
    if (target_open(cli, &args->target, &t, &err) != OK)
        return term_fail(&err);
    if (!lists)
        return publish(cli, t, args, operands[1]);
    return args->follow ? follow(cli, t, args) : list(cli, t, args);
}

const Command command_events = {
    .name = "events",
    .operands = "list | publish TYPE",
    .summary = "Show what happens in the project, follow it, or publish an event.",
    .detail = "Types: job.done, job.failed, job.canceled, task.dead, document.added, "
              "document.deleted … and what was published.\n"
              "Events are kept for a week; webhooks and triggers react to the same ones.",
    .params = events_params,
    .args_size = sizeof(EventsArgs),
    .examples =
        (const char *const[]){"platen events --minutes 5",
                              "platen events --follow --types job.failed,task.dead",
                              "platen events publish user.created --fields '{\"id\": 7}'", NULL},
    .run = run,
};

/* Triggers on a database: read, stored, started once each, with the test as everybody else. */
#include "hook/trigger_in.h"
#include "feed/feed.h"
#include "net/signing.h"
#include "unit/flow/bench_db.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct EchoArgs {
    const Json *value;
} EchoArgs;

static const Param echo_params[] = {
    PARAM_JSON(EchoArgs, value, .help = "What comes back."),
    PARAM_END,
};
static const Field echo_data[] = {{"value", FIELD_TYPE_ANY, "What came."}, {0}};
static const Step echo = {.name = "t.echo",
                          .title = "Echo",
                          .summary = "Give back.",
                          .since = "0.1",
                          .internal = true,
                          .params = echo_params,
                          .args_size = sizeof(EchoArgs),
                          .data = echo_data,
                          .attempts = 1};
static const BuiltInPipeline built_in[] = {
    {"greet", "Greet", "Says hello.",
     "{\"name\":\"greet\",\"on\":{\"event\":\"user.created\"},"
     "\"steps\":{\"a\":{\"uses\":\"t.echo\"}}}",
     "…"},
    {0}};

typedef struct Desk {
    Bench b;
    Arena *arena;
    FlowHooks hooks;
    TriggerWorld world;
    BlobStore *blobs;
    Triggers *triggers;
    char root[256];
} Desk;

static void on_feed(void *ctx, int64_t project, int64_t id)
{
    hub_feed(ctx, project, id);
}

static void desk_start(Desk *d)
{
    const TriggerOptions o = {
        .db = d->b.db, .blobs = d->blobs, .hub = d->world.hub, .watch_root = d->root};
    assert_ok(triggers_open(&o, &d->triggers, &d->b.err), &d->b.err);
}

static Desk *desk_open(void)
{
    Desk *d = calloc(1, sizeof *d);
    d->b = bench_open();
    d->arena = arena_open(16 * MIB);
    Registry *registry = registry_open(d->arena);
    assert_ok(registry_add(registry, &echo, &d->b.err), &d->b.err);
    d->world = (TriggerWorld){registry, hub_open()};
    d->hooks = (FlowHooks){.feed = {on_feed, d->world.hub},
                           .pipelines = pipeline_cache_open(registry),
                           .built_in = built_in,
                           .stored = trigger_stored,
                           .stored_ctx = &d->world};
    flow_set_hooks(d->b.db, &d->hooks);
    snprintf(d->root, sizeof d->root, "%s/watched", d->b.folder.path);
    assert_int_equal(mkdir(d->root, 0700), 0);
    Str blobs = str_printf(d->arena, "%s/blobs", d->b.folder.path);
    assert_ok(blob_store_open(blobs.ptr, true, &d->blobs, &d->b.err), &d->b.err);
    return d;
}

static void desk_close(Desk *d)
{
    PipelineCache *cache = d->hooks.pipelines;
    triggers_close(&d->triggers);
    blob_store_close(&d->blobs);
    bench_close(&d->b);
    pipeline_cache_close(&cache);
    hub_close(&d->world.hub);
    arena_close(&d->arena);
    free(d);
}

/* JSON with ' for ". */
static Str json_of(Arena *a, const char *text)
{
    char *c = str_to_c(a, str_from_c(text));
    for (char *p = c; p != NULL && *p != 0; p++)
        if (*p == '\'')
            *p = '"';
    return str_from_c(c);
}

static void store(Desk *d, const char *name, const char *on, const char *inputs)
{
    PipelineInfo info;
    bool made = false;
    Str text =
        str_printf(d->b.arena, "{'name':'%s','inputs':%s,'on':%s,'steps':{'a':{'uses':'t.echo'}}}",
                   name, inputs, on);
    const PipelineNew n = {
        .project = PROJECT, .name = str_from_c(name), .definition = json_of(d->b.arena, text.ptr)};
    assert_ok(flow_pipeline_put(d->b.db, &n, &info, &made, d->b.arena, &d->b.err), &d->b.err);
    assert_true(made);
}

static Trigger get(Desk *d, const char *pipeline, const char *name)
{
    Trigger t;
    assert_ok(trigger_get(d->b.reader, PROJECT, str_from_c(pipeline), str_from_c(name), d->b.arena,
                          &t, &d->b.err),
              &d->b.err);
    return t;
}

static void publish(Desk *d, const char *type, const char *data)
{
    const FeedNew n = {
        .project = PROJECT, .type = str_from_c(type), .data = json_of(d->b.arena, data)};
    assert_ok(feed_add(d->b.db, &n, NULL, &d->b.err), &d->b.err);
}

static void set_paused(Desk *d, const char *pipeline, const char *name, bool paused)
{
    assert_ok(trigger_pause(d->b.db, &d->world, PROJECT, 1, str_from_c(pipeline), str_from_c(name),
                            paused, &d->b.err),
              &d->b.err);
}

TEST(an_event_starts_one_job_whoever_dies)
{
    Desk *d = desk_open();
    store(d, "p", "{'event':{'types':'a.*','if':'trigger.data.n > 1'}}", "{}");
    publish(d, "a.b", "{'n':1}");
    publish(d, "a.b", "{'n':2}");
    publish(d, "c.d", "{'n':3}");
    desk_start(d); /* what came before it ran is made up */
    triggers_settle(d->triggers);
    assert_int_equal(get(d, "p", "event").fired, 1);
    triggers_close(&d->triggers);
    desk_start(d);
    triggers_settle(d->triggers);
    assert_int_equal(get(d, "p", "event").fired, 1);
    publish(d, "a.c", "{'n':4}");
    triggers_settle(d->triggers);
    assert_int_equal(get(d, "p", "event").fired, 2);
    desk_close(d);
}

TEST(what_cannot_start_is_told_and_left_behind)
{
    Desk *d = desk_open();
    desk_start(d);
    store(d, "p", "{'event':{'types':'a.b','with':{'size':'${{ trigger.data.n }}'}}}",
          "{'size':{'type':'int','required':true}}");
    publish(d, "a.b", "{'n':'many'}");
    triggers_settle(d->triggers);
    Trigger t = get(d, "p", "event");
    assert_int_equal(t.fired, 0);
    assert_true(str_find(t.fault, STR("size")) != STR_NONE);
    publish(d, "a.b", "{'n':5}");
    triggers_settle(d->triggers);
    t = get(d, "p", "event");
    assert_int_equal(t.fired, 1);
    assert_str_equal(t.fault, "");
    desk_close(d);
}

TEST(paused_ones_leave_out_and_built_in_ones_wait)
{
    Desk *d = desk_open();
    desk_start(d);
    store(d, "p", "{'event':'a.b'}", "{}");
    set_paused(d, "p", "event", true);
    publish(d, "a.b", "{}");
    set_paused(d, "p", "event", false);
    triggers_settle(d->triggers);
    assert_int_equal(get(d, "p", "event").fired, 0);
    Trigger t = get(d, "greet", "event");
    assert_true(t.paused && t.id == 0);
    publish(d, "user.created", "{}");
    set_paused(d, "greet", "event", false);
    publish(d, "user.created", "{}");
    triggers_settle(d->triggers);
    t = get(d, "greet", "event");
    assert_true(!t.paused && t.id != 0);
    assert_int_equal(t.fired, 1);
    assert_ok(flow_pipeline_delete(d->b.db, PROJECT, STR("p"), &d->b.err), &d->b.err);
    Trigger *all;
    size_t len;
    assert_ok(trigger_list(d->b.reader, PROJECT, d->b.arena, &all, &len, &d->b.err), &d->b.err);
    assert_int_equal(len, 1);
    desk_close(d);
}

static HookCall signed_call(Desk *d, const Trigger *t, const char *body, HookHeader headers[3])
{
    Str signature;
    HookCall c = {.token = t->token,
                  .type = STR("application/json"),
                  .body = str_from_c(body),
                  .now_ms = INT64_C(1800000000000),
                  .headers = headers,
                  .headers_len = 3};
    assert_ok(signing_sign(&t->secret, 1, STR("msg_1"), c.now_ms / 1000, c.body, d->b.arena,
                           &signature, &d->b.err),
              &d->b.err);
    headers[0] = (HookHeader){STR("webhook-id"), STR("msg_1")};
    headers[1] = (HookHeader){STR("Webhook-Timestamp"), STR("1800000000")};
    headers[2] = (HookHeader){STR("webhook-signature"), signature};
    return c;
}

TEST(a_webhook_starts_one_job)
{
    Desk *d = desk_open();
    HookHeader headers[3];
    JobAdded first, second;
    store(d, "p", "{'webhook':true}", "{}");
    Trigger t = get(d, "p", "webhook");
    HookCall c = signed_call(d, &t, "{\"n\":1}", headers);
    assert_ok(trigger_hook(d->b.db, d->blobs, &c, d->b.arena, &first, &d->b.err), &d->b.err);
    assert_ok(trigger_hook(d->b.db, d->blobs, &c, d->b.arena, &second, &d->b.err), &d->b.err);
    assert_true(first.job != 0 && first.job == second.job && second.existed);
    assert_int_equal(get(d, "p", "webhook").fired, 1);
    c.body = STR("{\"n\":2}");
    assert_int_equal(trigger_hook(d->b.db, d->blobs, &c, d->b.arena, &second, &d->b.err),
                     ERR_BAD_SIGNATURE);
    c.token = STR("nobody");
    assert_int_equal(trigger_hook(d->b.db, d->blobs, &c, d->b.arena, &second, &d->b.err),
                     ERR_NOT_FOUND);
    c.token = STR("");
    assert_int_equal(trigger_hook(d->b.db, d->blobs, &c, d->b.arena, &second, &d->b.err),
                     ERR_NOT_FOUND);
    store(d, "p", "{'webhook':{'verify':'github'}}", "{}");
    assert_true(str_eq(get(d, "p", "webhook").token, t.token)); /* the address stays */
    desk_close(d);
}

static void write_file(Desk *d, const char *name, const char *text)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", d->root, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static void age_file(Desk *d, const char *name, int64_t s)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", d->root, name);
    const struct timespec times[2] = {{.tv_sec = s}, {.tv_sec = s}};
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static int64_t settled(Desk *d)
{
    triggers_settle(d->triggers);
    return get(d, "p", "folder").fired;
}

TEST(a_file_is_taken_once)
{
    Desk *d = desk_open();
    char inbox[300];
    snprintf(inbox, sizeof inbox, "%s/in", d->root);
    assert_int_equal(mkdir(inbox, 0700), 0);
    write_file(d, "in/a.txt", "one");
    age_file(d, "in/a.txt", 1000);
    desk_start(d);
    store(d, "p", "{'folder':{'path':'in','match':'*.txt'}}", "{'file':{'type':'file'}}");
    assert_int_equal(settled(d), 1);
    write_file(d, "in/b.txt", "two");
    write_file(d, "in/c.pdf", "not this");
    assert_int_equal(settled(d), 2);
    age_file(d, "in/a.txt", 2000); /* touched, the same bytes */
    triggers_close(&d->triggers);
    age_file(d, "in/b.txt", 3000);
    desk_start(d);
    assert_int_equal(settled(d), 2);
    write_file(d, "in/a.txt", "three");
    assert_int_equal(settled(d), 3);
    desk_close(d);
}

TEST(a_folder_stays_below_the_root)
{
    Desk *d = desk_open();
    char link[300];
    snprintf(link, sizeof link, "%s/up", d->root);
    assert_int_equal(symlink("..", link), 0);
    desk_start(d);
    store(d, "p", "{'folder':'up'}", "{'file':{'type':'file'}}");
    write_file(d, "../outside.txt", "x");
    assert_int_equal(settled(d), 0);
    desk_close(d);
}

static const struct {
    const char *on, *path, *detail;
} faulty[] = {
    {"{'evnt':'a.b'}", "on.evnt", "mean \"event\"?"},
    {"{'event':3}", "on.event.types", "a name, or a list"},
    {"{'event':{'types':'A b'}}", "on.event.types", ""},
    {"{'event':{'types':'a.b','wth':{}}}", "on.event.wth", "mean \"with\"?"},
    {"{'event':{'types':'a.b','with':{'siz':1}}}", "on.event.with", "mean \"size\"?"},
    {"{'event':{'types':'a.b','with':{'size':'${{ steps.a }}'}}}", "on.event.with", "only trigger"},
    {"{'event':[{'types':'a.b'},{'types':'a.b','if':'1 +'}]}", "on.event[1].if", "column"},
    {"{'pipeline':{'names':['a'],'states':['lost']}}", "on.pipeline.states", "done, failed"},
    {"{'webhook':{'verify':'githb'}}", "on.webhook.verify", "mean \"github\"?"},
    {"{'folder':'../x'}", "on.folder.path", "--watch-root"},
    {"{'folder':'/x'}", "on.folder.path", "--watch-root"},
    {"{'folder':{'path':'x','match':'a/b'}}", "on.folder.match", "pattern"},
    {"{'schedule':'often'}", "on.schedule.cron", ""},
    {"{'schedule':{'cron':'@daily','with':{'size':'${{ trigger.x }}'}}}", "on.schedule.with",
     "brings no values"},
};

TEST(tells_every_fault)
{
    static const Param inputs[] = {{.name = "size", .type = PARAM_TYPE_INT}, PARAM_END};
    for (size_t i = 0; i < COUNT_OF(faulty); i++) {
        CLEANUP(arena_close) Arena *a = arena_open(4 * MIB);
        PipelineFaults *faults = arena_new(a, PipelineFaults, 1);
        Pipeline p = {.inputs = inputs};
        Err err = {0};
        const Json *lines;
        assert_ok(json_parse(a, json_of(a, faulty[i].on), &p.on, &err), &err);
        assert_ok(json_parse(a, STR("{\"/on/event\":4}"), &lines, &err), &err);
        assert_int_equal(trigger_check(&p, lines, a, faults, &err), ERR_BAD_PIPELINE);
        const PipelineFault *f = &faults->items[0];
        if (faults->len != 1 || !str_eq_c(f->path, faulty[i].path) ||
            str_find(f->detail, str_from_c(faulty[i].detail)) == STR_NONE)
            fail_msg("%s: %zu " STR_FMT ": " STR_FMT, faulty[i].on, faults->len, STR_ARG(f->path),
                     STR_ARG(f->detail));
    }
}

TEST(survives_every_failure)
{
    Desk *d = desk_open();
    HookHeader headers[3];
    store(d, "p", "{'webhook':{'verify':'standard'}}", "{}");
    Trigger t = get(d, "p", "webhook");
    HookCall c = signed_call(d, &t, "{\"n\":1}", headers);
    for (int nth = 1;; nth++) {
        JobAdded added = {0};
        CLEANUP(arena_close) Arena *a = arena_open(4 * MIB);
        fault_arm(nth);
        ErrCode rc = trigger_hook(d->b.db, d->blobs, &c, a, &added, &d->b.err);
        if (!fault_disarm()) {
            assert_ok(rc, &d->b.err);
            break;
        }
    }
    assert_int_equal(get(d, "p", "webhook").fired, 1);
    desk_close(d);
}

TEST_MAIN(an_event_starts_one_job_whoever_dies, what_cannot_start_is_told_and_left_behind,
          paused_ones_leave_out_and_built_in_ones_wait, a_webhook_starts_one_job,
          a_file_is_taken_once, a_folder_stays_below_the_root, tells_every_fault,
          survives_every_failure)

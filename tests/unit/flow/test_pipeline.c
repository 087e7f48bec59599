/* The drawing of flow/pipeline.h, edge by edge, on a database, with the test as the worker. */
#include "flow/pipeline.h"
#include "unit/flow/bench_db.h"

#define assert_err(call, code) assert_int_equal((call), (code))

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
static const Step pure = {.name = "t.pure",
                          .title = "Pure",
                          .summary = "Give back, always the same.",
                          .since = "0.1",
                          .internal = true,
                          .cacheable = true,
                          .version = 1,
                          .params = echo_params,
                          .args_size = sizeof(EchoArgs),
                          .data = echo_data,
                          .attempts = 1};

typedef struct Desk {
    Bench b;
    Arena *arena;
    Registry *registry;
    FlowHooks hooks;
} Desk;

static Desk *desk_open(void)
{
    Desk *d = calloc(1, sizeof *d);
    d->b = bench_open();
    d->arena = arena_open(16 * MIB);
    d->registry = registry_open(d->arena);
    assert_ok(registry_add(d->registry, &echo, &d->b.err), &d->b.err);
    assert_ok(registry_add(d->registry, &pure, &d->b.err), &d->b.err);
    d->hooks = (FlowHooks){.pipelines = pipeline_cache_open(d->registry)};
    flow_set_hooks(d->b.db, &d->hooks);
    return d;
}

static void desk_close(Desk *d)
{
    PipelineCache *cache = d->hooks.pipelines;
    bench_close(&d->b);
    pipeline_cache_close(&cache);
    arena_close(&d->arena);
    free(d);
}

/* JSON with ' for ". */
static Str json_of(Desk *d, const char *text)
{
    Str s = str_printf(d->b.arena, "%s", text);
    for (char *p = (char *)(uintptr_t)s.ptr; p < s.ptr + s.len; p++)
        if (*p == '\'')
            *p = '"';
    return s;
}

static void store(Desk *d, const char *name, const char *definition)
{
    PipelineInfo info;
    bool made = false;
    Buf named = buf_init(d->b.arena, 64 * KIB);
    buf_addf(&named, "{'name':'%s',%s", name, definition + 1);
    const PipelineNew n = {
        .project = PROJECT, .name = str_from_c(name), .definition = json_of(d, buf_c(&named))};
    assert_ok(flow_pipeline_put(d->b.db, &n, &info, &made, d->b.arena, &d->b.err), &d->b.err);
    assert_true(made);
}

static int64_t run(Desk *d, const char *name, const char *inputs)
{
    JobAdded added = {0};
    const PipelineRun n = {
        .project = PROJECT, .name = str_from_c(name), .inputs = json_of(d, inputs)};
    assert_ok(flow_run(d->b.db, &n, &added, &d->b.err), &d->b.err);
    return added.job;
}

/* Do what is ready, at most `most`: a value of "fail" fails, anything else comes back. */
static int work(Desk *d, int most)
{
    TaskLease *l = NULL;
    size_t n = bench_lease(&d->b, "default", most, &l);
    for (size_t i = 0; i < n; i++) {
        const Json *params = NULL;
        assert_ok(json_parse(d->b.arena, l[i].params, &params, &d->b.err), &d->b.err);
        const Json *value = json_get(params, "value");
        bool fails = str_eq_c(json_text(value), "fail");
        TaskResult r = result_of(&l[i], fails ? ERR_INPUT_DAMAGED : OK);
        Buf b = buf_init(d->b.arena, 64 * KIB);
        JsonOut j = json_out(&b);
        json_begin(&j, '{');
        json_key(&j, "value");
        json_put(&j, value);
        json_end(&j, '}');
        if (!fails)
            r.data = buf_str(&b);
        bench_finish(&d->b, &r);
    }
    return (int)n;
}

static int work_all(Desk *d)
{
    int all = 0;
    for (int n = work(d, 100); n > 0; n = work(d, 100))
        all += n;
    return all;
}

/* "a:done b:skipped …" */
static const char *nodes(Desk *d, int64_t job)
{
    NodeView *v = NULL;
    size_t n = 0;
    Buf b = buf_init(d->b.arena, 64 * KIB);
    assert_ok(flow_nodes(d->b.reader, PROJECT, job, d->b.arena, &v, &n, &d->b.err), &d->b.err);
    for (size_t i = 0; i < n; i++)
        buf_addf(&b, "%s" STR_FMT ":%s", i > 0 ? " " : "", STR_ARG(v[i].id),
                 node_state_name(v[i].state));
    return buf_c(&b);
}

static void assert_ends(Desk *d, int64_t job, JobState state, const char *data_or_reason)
{
    Job j = bench_get(&d->b, job);
    if (j.state != state)
        fail_msg("it is %s: " STR_FMT " (%s)", job_state_name(j.state), STR_ARG(j.detail),
                 nodes(d, job));
    if (state == JOB_DONE)
        assert_str_equal(j.data, json_of(d, data_or_reason).ptr);
    else
        assert_str_equal(j.reason, data_or_reason);
    bench_events(&d->b, job); /* numbered without gaps */
}

TEST(a_chain_hands_values_on)
{
    Desk *d = desk_open();
    store(d, "chain",
          "{'inputs':{'n':{'type':'int','default':1}},"
          "'steps':{'a':{'uses':'t.echo','with':{'value':'${{ inputs.n + 1 }}'}},"
          "'b':{'uses':'t.echo','with':{'value':'got ${{ steps.a.value }}'}}},"
          "'outputs':{'text':'${{ steps.b.value }}'}}");
    int64_t job = run(d, "chain", "{'n':4}");
    assert_string_equal(nodes(d, job), "a:running b:pending");
    assert_int_equal(work(d, 9), 1);
    assert_string_equal(nodes(d, job), "a:done b:running");
    assert_int_equal(work_all(d), 1);
    assert_ends(d, job, JOB_DONE, "{'text':'got 5'}");
    assert_string_equal(bench_events(&d->b, job),
                        "job.added step.started step.done step.started step.done job.done");
    Job j = bench_get(&d->b, job);
    assert_str_equal(j.pipeline, "chain");
    assert_int_equal(j.pipeline_version, 1);
    desk_close(d);
}

TEST(a_condition_skips_and_those_behind_go_on)
{
    Desk *d = desk_open();
    store(d, "cond",
          "{'steps':{'a':{'uses':'t.echo','with':{'value':1}},"
          "'b':{'uses':'t.echo','if':'${{ steps.a.value > 1 }}','with':{'value':2}},"
          "'c':{'uses':'t.echo','needs':['b'],'with':{'value':'${{ steps.b }}'}}},"
          "'outputs':{'c':'${{ steps.c.value }}'}}");
    int64_t job = run(d, "cond", "{}");
    assert_int_equal(work_all(d), 2);
    assert_string_equal(nodes(d, job), "a:done b:skipped c:done");
    assert_ends(d, job, JOB_DONE, "{'c':null}");
    desk_close(d);
}

static const char each[] =
    "{'steps':{'e':{'uses':'t.echo','foreach':[3,1,2,'x',5],'max-parallel':2,"
    "'with':{'value':'${{ item }}'}}},'outputs':{'n':'${{ length(steps.e) }}',"
    "'last':'${{ steps.e[4].value }}'}}";

TEST(items_run_a_few_at_a_time)
{
    Desk *d = desk_open();
    store(d, "each", each);
    int64_t job = run(d, "each", "{}");
    assert_int_equal(work(d, 100), 2);
    assert_int_equal(work(d, 100), 2);
    assert_int_equal(work(d, 100), 1);
    assert_ends(d, job, JOB_DONE, "{'n':5,'last':5}");
    desk_close(d);
}

TEST(a_failed_item_fails_its_node_after_the_others)
{
    Desk *d = desk_open();
    store(d, "each",
          "{'steps':{'e':{'uses':'t.echo','foreach':['a','fail','c'],"
          "'with':{'value':'${{ item }}'}},'f':{'uses':'t.echo','needs':['e']}},"
          "'on-failure':{'tell':{'uses':'t.echo','with':{'value':'${{ failure.step }}'}}},"
          "'finally':{'tidy':{'uses':'t.echo'}}}");
    int64_t job = run(d, "each", "{}");
    work_all(d);
    assert_string_equal(nodes(d, job), "e:failed f:omitted tell:done tidy:done");
    assert_ends(d, job, JOB_FAILED, "items_failed");
    desk_close(d);
}

TEST(a_failure_that_is_allowed_is_a_value)
{
    Desk *d = desk_open();
    store(d, "may",
          "{'steps':{'a':{'uses':'t.echo','with':{'value':'fail'},'continue-on-error':true},"
          "'b':{'uses':'t.echo','with':{'value':'${{ steps.a.reason }}'}}},"
          "'outputs':{'why':'${{ steps.b.value }}'}}");
    int64_t job = run(d, "may", "{}");
    work_all(d);
    assert_string_equal(nodes(d, job), "a:failed b:done");
    assert_ends(d, job, JOB_DONE, "{'why':'input_damaged'}");
    desk_close(d);
}

TEST(parameters_that_turn_out_wrong_fail_the_step)
{
    Desk *d = desk_open();
    store(d, "bad",
          "{'steps':{'a':{'uses':'t.echo','foreach':'${{ inputs.list }}','with':{'value':1}}},"
          "'inputs':{'list':{'type':'json'}}}");
    int64_t job = run(d, "bad", "{'list':7}");
    assert_ends(d, job, JOB_FAILED, "not_a_list");
    job = run(d, "bad", "{'list':[]}");
    assert_ends(d, job, JOB_DONE, "{'a':[]}");
    desk_close(d);
}

TEST(a_result_is_remembered)
{
    Desk *d = desk_open();
    store(d, "memo",
          "{'inputs':{'x':{'type':'int'}},'steps':{'a':{'uses':'t.pure','with':{'value':7}},"
          "'b':{'uses':'t.pure','with':{'value':'${{ inputs.x }}'}}},"
          "'outputs':{'a':'${{ steps.a.value }}','b':'${{ steps.b.value }}'}}");
    int64_t one = run(d, "memo", "{'x':1}");
    assert_int_equal(work_all(d), 2);
    assert_ends(d, one, JOB_DONE, "{'a':7,'b':1}");
    int64_t two = run(d, "memo", "{'x':2}");
    assert_int_equal(work_all(d), 1);
    assert_ends(d, two, JOB_DONE, "{'a':7,'b':2}");
    int64_t three = run(d, "memo", "{'x':2}");
    assert_int_equal(work_all(d), 0);
    assert_ends(d, three, JOB_DONE, "{'a':7,'b':2}");
    assert_string_equal(bench_events(&d->b, three), "job.added step.reused step.reused job.done");
    desk_close(d);
}

static int rank(Str role)
{
    return str_eq_c(role, "owner") ? 4 : str_eq_c(role, "reviewer") ? 2 : 0;
}

TEST(an_approval_lets_it_go_on)
{
    Desk *d = desk_open();
    store(d, "ask",
          "{'steps':{'r':{'wait':'approval','who':'reviewer'},"
          "'p':{'uses':'t.echo','if':'${{ steps.r.approved }}','with':{'value':1}}}}");
    int64_t job = run(d, "ask", "{}");
    assert_string_equal(nodes(d, job), "r:waiting p:pending");
    assert_err(
        flow_approve(d->b.db, PROJECT, job, STR("r"), true, STR(""), STR("me"), 1, rank, &d->b.err),
        ERR_FORBIDDEN);
    assert_ok(flow_approve(d->b.db, PROJECT, job, STR("r"), false, STR("no"), STR("me"), 2, rank,
                           &d->b.err),
              &d->b.err);
    assert_string_equal(nodes(d, job), "r:done p:skipped");
    assert_int_equal(bench_get(&d->b, job).state, JOB_DONE);
    assert_err(
        flow_approve(d->b.db, PROJECT, job, STR("r"), true, STR(""), STR("me"), 2, rank, &d->b.err),
        ERR_CONFLICT);
    desk_close(d);
}

TEST(a_signal_may_come_early_or_late)
{
    Desk *d = desk_open();
    store(d, "sig",
          "{'steps':{'a':{'uses':'t.echo','with':{'value':1}},"
          "'s':{'wait':'signal','needs':['a'],'signal':'go'}},"
          "'outputs':{'v':'${{ steps.s.payload }}'}}");
    int64_t early = run(d, "sig", "{}"), late = run(d, "sig", "{}");
    assert_ok(flow_signal(d->b.db, PROJECT, early, STR("go"), STR("41"), &d->b.err), &d->b.err);
    work_all(d);
    assert_ends(d, early, JOB_DONE, "{'v':41}");
    assert_string_equal(nodes(d, late), "a:done s:waiting");
    assert_ok(flow_signal(d->b.db, PROJECT, late, STR("go"), STR("[1]"), &d->b.err), &d->b.err);
    assert_ends(d, late, JOB_DONE, "{'v':[1]}");
    assert_err(flow_signal(d->b.db, PROJECT, late, STR("go"), STR("1"), &d->b.err), ERR_CONFLICT);
    assert_err(flow_signal(d->b.db, PROJECT + 1, late, STR("go"), STR("1"), &d->b.err),
               ERR_NOT_FOUND);
    desk_close(d);
}

TEST(a_wait_ends_by_itself)
{
    Desk *d = desk_open();
    int64_t count = 0, next = 0, now = clock_now_ms();
    store(d, "late",
          "{'steps':{'t':{'wait':'time','for':'1h'},'r':{'wait':'approval','timeout':'2h'},"
          "'s':{'wait':'signal','timeout':'2h','on-timeout':'continue'}}}");
    int64_t job = run(d, "late", "{}");
    assert_ok(flow_waits_due(d->b.db, now, &count, &next, &d->b.err), &d->b.err);
    assert_int_equal(count, 0);
    assert_true(next > now && next <= now + 3600 * 1000 + 5000);
    assert_ok(flow_waits_due(d->b.db, next, &count, &next, &d->b.err), &d->b.err);
    assert_int_equal(count, 1);
    assert_string_equal(nodes(d, job), "t:done r:waiting s:waiting");
    assert_ok(flow_waits_due(d->b.db, next + 1000, &count, &next, &d->b.err), &d->b.err);
    assert_ends(d, job, JOB_FAILED, "wait_over"); /* the two began a moment apart */
    assert_string_equal(nodes(d, job), "t:done r:failed s:done");
    assert_true(next == INT64_MAX);
    desk_close(d);
}

TEST(a_pipeline_calls_another)
{
    Desk *d = desk_open();
    store(d, "inner",
          "{'inputs':{'x':{'type':'int','required':true}},"
          "'steps':{'a':{'uses':'t.echo','with':{'value':'${{ inputs.x * 2 }}'}}},"
          "'outputs':{'y':'${{ steps.a.value }}'}}");
    store(d, "outer",
          "{'steps':{'i':{'call':'inner','foreach':[1,2],'with':{'x':'${{ item }}'}},"
          "'w':{'call':'inner','with':{'x':'no'},'continue-on-error':true}},"
          "'outputs':{'a':'${{ steps.i[0].y }}','b':'${{ steps.i[1].y }}',"
          "'w':'${{ steps.w.reason }}'}}");
    int64_t job = run(d, "outer", "{}");
    work_all(d);
    assert_ends(d, job, JOB_DONE, "{'a':2,'b':4,'w':'bad_param'}");
    store(d, "endless", "{'steps':{'a':{'call':'other'}}}");
    store(d, "other", "{'steps':{'a':{'call':'endless'}}}");
    job = run(d, "endless", "{}");
    assert_ends(d, job, JOB_FAILED, "limit_depth");
    desk_close(d);
}

TEST(cancel_reaches_everything_and_finally_still_runs)
{
    Desk *d = desk_open();
    store(d, "plain",
          "{'steps':{'a':{'uses':'t.echo'},'s':{'wait':'signal'},"
          "'i':{'call':'sub'}}}");
    store(d, "sub", "{'steps':{'b':{'uses':'t.echo'}}}");
    store(d, "tidy",
          "{'steps':{'a':{'uses':'t.echo'},'s':{'wait':'signal'}},"
          "'finally':{'f':{'uses':'t.echo'}}}");
    int64_t job = run(d, "plain", "{}");
    assert_ok(flow_cancel(d->b.db, PROJECT, job, &d->b.err), &d->b.err);
    assert_ends(d, job, JOB_CANCELED, "canceled");
    assert_int_equal(work_all(d), 0);
    job = run(d, "tidy", "{}");
    assert_ok(flow_cancel(d->b.db, PROJECT, job, &d->b.err), &d->b.err);
    assert_string_equal(nodes(d, job), "a:canceled s:canceled f:running");
    assert_int_equal(work_all(d), 1);
    assert_ends(d, job, JOB_CANCELED, "canceled");
    job = run(d, "tidy", "{}");
    assert_ok(flow_cancel(d->b.db, PROJECT, job, &d->b.err), &d->b.err);
    assert_ok(flow_cancel(d->b.db, PROJECT, job, &d->b.err), &d->b.err);
    assert_ends(d, job, JOB_CANCELED, "canceled");
    assert_int_equal(work_all(d), 0);
    desk_close(d);
}

/* No child is left whose end would end the node: found by tests/model/pipeline.pml. */
TEST(cancel_ends_a_node_that_was_paused_between_items)
{
    Desk *d = desk_open();
    store(d, "each",
          "{'steps':{'e':{'uses':'t.echo','foreach':[1,2],'max-parallel':1,"
          "'with':{'value':'${{ item }}'}}},'finally':{'f':{'uses':'t.echo'}}}");
    int64_t job = run(d, "each", "{}");
    TaskLease *l = NULL;
    assert_int_equal(bench_lease(&d->b, "default", 1, &l), 1);
    assert_ok(flow_pause(d->b.db, PROJECT, job, &d->b.err), &d->b.err);
    TaskResult r = result_of(&l[0], OK);
    bench_finish(&d->b, &r);
    assert_string_equal(nodes(d, job), "e:running f:pending");
    assert_ok(flow_cancel(d->b.db, PROJECT, job, &d->b.err), &d->b.err);
    assert_string_equal(nodes(d, job), "e:canceled f:running");
    assert_int_equal(work_all(d), 1);
    assert_ends(d, job, JOB_CANCELED, "canceled");
    desk_close(d);
}

TEST(a_retry_runs_what_failed_and_what_that_held_up)
{
    Desk *d = desk_open();
    store(d, "again",
          "{'inputs':{'x':{'type':'text'}},'steps':{'a':{'uses':'t.echo','with':{'value':1}},"
          "'b':{'uses':'t.echo','needs':['a'],'with':{'value':'${{ inputs.x }}'}},"
          "'c':{'uses':'t.echo','needs':['b'],'with':{'value':3}}}}");
    int64_t job = run(d, "again", "{'x':'fail'}");
    assert_int_equal(work_all(d), 2);
    assert_string_equal(nodes(d, job), "a:done b:failed c:omitted");
    assert_ends(d, job, JOB_FAILED, "input_damaged");
    assert_ok(flow_retry(d->b.db, PROJECT, job, &d->b.err), &d->b.err);
    assert_string_equal(nodes(d, job), "a:done b:running c:pending");
    TaskLease *l = NULL;
    assert_int_equal(bench_lease(&d->b, "default", 9, &l), 1);
    TaskResult r = result_of(&l[0], OK);
    bench_finish(&d->b, &r);
    assert_int_equal(work_all(d), 1);
    assert_string_equal(nodes(d, job), "a:done b:done c:done");
    assert_int_equal(bench_get(&d->b, job).state, JOB_DONE);
    bench_events(&d->b, job);
    desk_close(d);
}

TEST(pause_holds_what_has_not_begun)
{
    Desk *d = desk_open();
    store(d, "hold",
          "{'steps':{'a':{'uses':'t.echo','with':{'value':1}},"
          "'b':{'uses':'t.echo','needs':['a']}}}");
    int64_t job = run(d, "hold", "{}");
    assert_ok(flow_pause(d->b.db, PROJECT, job, &d->b.err), &d->b.err);
    assert_true(bench_get(&d->b, job).paused);
    assert_int_equal(work_all(d), 0);
    assert_err(flow_pause(d->b.db, PROJECT, job, &d->b.err), ERR_CONFLICT);
    assert_ok(flow_resume(d->b.db, PROJECT, job, &d->b.err), &d->b.err);
    TaskLease *l = NULL;
    assert_int_equal(bench_lease(&d->b, "default", 1, &l), 1);
    assert_ok(flow_pause(d->b.db, PROJECT, job, &d->b.err), &d->b.err);
    TaskResult r = result_of(&l[0], OK);
    bench_finish(&d->b, &r);
    assert_string_equal(nodes(d, job), "a:done b:pending");
    assert_ok(flow_resume(d->b.db, PROJECT, job, &d->b.err), &d->b.err);
    assert_int_equal(work_all(d), 1);
    assert_int_equal(bench_get(&d->b, job).state, JOB_DONE);
    int64_t one = bench_add(&d->b, (JobNew){.step = &echo});
    assert_ok(flow_pause(d->b.db, PROJECT, one, &d->b.err), &d->b.err);
    assert_true(bench_get(&d->b, one).paused);
    assert_int_equal(work_all(d), 0);
    assert_ok(flow_resume(d->b.db, PROJECT, one, &d->b.err), &d->b.err);
    assert_int_equal(work_all(d), 1);
    assert_string_equal(bench_events(&d->b, one),
                        "job.added job.paused job.resumed task.started task.done job.done");
    desk_close(d);
}

TEST(a_replay_keeps_what_comes_before)
{
    Desk *d = desk_open();
    store(d, "re",
          "{'inputs':{'x':{'type':'int'},'y':{'type':'int'}},"
          "'steps':{'a':{'uses':'t.echo','with':{'value':'${{ inputs.x }}'}},"
          "'b':{'uses':'t.echo','with':{'value':'${{ steps.a.value + inputs.y }}'}},"
          "'c':{'uses':'t.echo','foreach':[1,2],'with':{'value':'${{ item }}'}}},"
          "'outputs':{'b':'${{ steps.b.value }}','c':'${{ steps.c[1].value }}'}}");
    int64_t job = run(d, "re", "{'x':1,'y':10}");
    assert_int_equal(work_all(d), 4);
    JobAdded added;
    Replay r = {.project = PROJECT, .job = job, .from = STR("b")};
    assert_ok(flow_replay(d->b.db, &r, &added, &d->b.err), &d->b.err);
    assert_string_equal(nodes(d, added.job), "a:done b:running c:done");
    assert_int_equal(work_all(d), 1);
    assert_ends(d, added.job, JOB_DONE, "{'b':11,'c':2}");
    assert_int_equal(bench_get(&d->b, added.job).origin, job);
    r = (Replay){.project = PROJECT, .job = job, .inputs = json_of(d, "{'x':1,'y':20}")};
    assert_ok(flow_replay(d->b.db, &r, &added, &d->b.err), &d->b.err);
    assert_int_equal(work_all(d), 1);
    assert_ends(d, added.job, JOB_DONE, "{'b':21,'c':2}");
    r.from = STR("nothing");
    assert_err(flow_replay(d->b.db, &r, &added, &d->b.err), ERR_NOT_FOUND);
    desk_close(d);
}

TEST(jobs_stay_on_their_version)
{
    Desk *d = desk_open();
    store(d, "v",
          "{'steps':{'a':{'uses':'t.echo'},'b':{'uses':'t.echo','needs':['a'],"
          "'with':{'value':1}}},'outputs':{'b':'${{ steps.b.value }}'}}");
    int64_t old = run(d, "v", "{}");
    store(d, "v",
          "{'steps':{'a':{'uses':'t.echo','with':{'value':2}}},"
          "'outputs':{'b':'${{ steps.a.value }}'}}");
    int64_t new = run(d, "v", "{}");
    work_all(d);
    assert_ends(d, old, JOB_DONE, "{'b':1}");
    assert_ends(d, new, JOB_DONE, "{'b':2}");
    assert_ok(flow_pipeline_delete(d->b.db, PROJECT, STR("v"), &d->b.err), &d->b.err);
    JobAdded added;
    assert_err(
        flow_run(d->b.db, &(PipelineRun){.project = PROJECT, .name = STR("v")}, &added, &d->b.err),
        ERR_UNKNOWN_PIPELINE);
    assert_string_equal(nodes(d, old), "a:done b:done");
    desk_close(d);
}

TEST(a_delayed_start_waits)
{
    Desk *d = desk_open();
    int64_t count, next;
    JobAdded added;
    store(d, "later", "{'steps':{'a':{'uses':'t.echo'}}}");
    const PipelineRun n = {.project = PROJECT, .name = STR("later"), .delay_ms = 60000};
    assert_ok(flow_run(d->b.db, &n, &added, &d->b.err), &d->b.err);
    assert_int_equal(work_all(d), 0);
    assert_ok(flow_waits_due(d->b.db, clock_now_ms() + 61000, &count, &next, &d->b.err), &d->b.err);
    assert_int_equal(work_all(d), 1);
    assert_int_equal(bench_get(&d->b, added.job).state, JOB_DONE);
    desk_close(d);
}

TEST(jobs_of_one_key_follow_each_other)
{
    Desk *d = desk_open();
    store(d, "one",
          "{'inputs':{'who':{'type':'text'}},'concurrency':{'key':'${{ inputs.who }}'},"
          "'steps':{'a':{'uses':'t.echo'}}}");
    int64_t first = run(d, "one", "{'who':'ann'}"), second = run(d, "one", "{'who':'ann'}");
    int64_t third = run(d, "one", "{'who':'ann'}"), other = run(d, "one", "{'who':'bob'}");
    assert_string_equal(nodes(d, second), "a:pending");
    assert_int_equal(bench_get(&d->b, second).state, JOB_QUEUED);
    assert_int_equal(work(d, 9), 2);
    assert_int_equal(bench_get(&d->b, first).state, JOB_DONE);
    assert_int_equal(bench_get(&d->b, other).state, JOB_DONE);
    assert_string_equal(nodes(d, second), "a:running");
    assert_ok(flow_cancel(d->b.db, PROJECT, second, &d->b.err), &d->b.err);
    assert_string_equal(nodes(d, third), "a:running");
    int64_t fourth = run(d, "one", "{'who':'ann'}");
    assert_ok(flow_cancel(d->b.db, PROJECT, fourth, &d->b.err), &d->b.err);
    assert_int_equal(work_all(d), 1);
    assert_int_equal(bench_get(&d->b, third).state, JOB_DONE);
    int64_t wrong = -1;
    assert_ok(queue_slots_check(d->b.reader, &wrong, &d->b.err), &d->b.err);
    assert_int_equal(wrong, 0);
    desk_close(d);
}

TEST(a_job_ends_by_its_deadline)
{
    Desk *d = desk_open();
    int64_t count, next;
    store(d, "slow",
          "{'timeout':'1h','steps':{'s':{'wait':'signal'},'a':{'uses':'t.echo'}},"
          "'finally':{'f':{'uses':'t.echo'}}}");
    int64_t job = run(d, "slow", "{}");
    assert_ok(flow_timers_due(d->b.db, clock_now_ms() + 3601 * 1000, &count, &next, &d->b.err),
              &d->b.err);
    assert_string_equal(nodes(d, job), "s:canceled a:canceled f:running");
    assert_int_equal(work_all(d), 1);
    assert_ends(d, job, JOB_FAILED, "deadline_passed");
    desk_close(d);
}

TEST_MAIN(jobs_of_one_key_follow_each_other, a_job_ends_by_its_deadline, a_chain_hands_values_on,
          a_condition_skips_and_those_behind_go_on, items_run_a_few_at_a_time,
          a_failed_item_fails_its_node_after_the_others, a_failure_that_is_allowed_is_a_value,
          parameters_that_turn_out_wrong_fail_the_step, a_result_is_remembered,
          an_approval_lets_it_go_on, a_signal_may_come_early_or_late, a_wait_ends_by_itself,
          a_pipeline_calls_another, cancel_reaches_everything_and_finally_still_runs,
          cancel_ends_a_node_that_was_paused_between_items,
          a_retry_runs_what_failed_and_what_that_held_up, pause_holds_what_has_not_begun,
          a_replay_keeps_what_comes_before, jobs_stay_on_their_version, a_delayed_start_waits)

/* Through the host and the closed sandbox, with small limits: programs that never end, eat memory or
 * nest without end are stopped, each with its reason. */
#include "base/log.h"
#include "desk.h"
#include "engine/engine.h"

#if defined(__SANITIZE_ADDRESS__)
#define LIMITS_MEMORY false /* it maps terabytes */
#else
#define LIMITS_MEMORY true
#endif

static Arena *arena;
static BlobStore *blobs;
static EnginePool *pool;
static Registry *registry;
static char dir[] = "/tmp/platen-data-XXXXXX";

static ErrCode run_in(int64_t cpu_ms, int64_t memory_bytes, const char *step, const char *params,
                      EngineResult *out, Err *err)
{
    const Step *s = registry_find(registry, str_from_c(step));
    assert_non_null(s);
    EngineTask t = {.step = s,
                    .params = str_from_c(params),
                    .limits = {.time_ms = 30000, .cpu_ms = cpu_ms, .memory_bytes = memory_bytes}};
    *err = (Err){0};
    return engine_run(pool, &t, arena, out, err);
}

static ErrCode run(const char *step, const char *params, EngineResult *out, Err *err)
{
    return run_in(20000, 64 << 20, step, params, out, err);
}

TEST(what_runs_away_is_stopped)
{
    static const struct {
        const char *program;
        ErrCode code;
        bool memory;
    } cases[] = {
        {"def f: f; f", ERR_LIMIT_CPU, false},
        {"last(range(1e12))", ERR_LIMIT_CPU, false},
        {"[range(1e9)]", ERR_LIMIT_MEMORY, true},
        {"def f: 1 + f; f", ERR_LIMIT_MEMORY, true},
        {"\\\"aaaaaaaaaaaaaaaaaaaa\\\" * 1e7 | length", ERR_LIMIT_MEMORY, true},
        {"reduce range(600000) as $i (1; [.]) | length", ERR_LIMIT_DEPTH, true},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char params[256];
        EngineResult r;
        Err err;
        if (cases[i].memory && !LIMITS_MEMORY)
            continue;
        snprintf(params, sizeof params, "{\"program\":\"%s\"}", cases[i].program);
        int64_t cpu_ms = cases[i].code == ERR_LIMIT_CPU ? 1000 : 20000;
        int64_t memory = cases[i].code == ERR_LIMIT_DEPTH ? 512 << 20 : 64 << 20;
        ErrCode rc = run_in(cpu_ms, memory, "data.transform", params, &r, &err);
        if (rc != cases[i].code)
            fail_msg("%s: %s %s", cases[i].program, err_reason(rc), err.text);
    }
}

TEST(what_may_be_opened_late)
{
    static const char *const programs[] = {
        "now | localtime | mktime | strftime(\\\"%A %Z\\\")",
        "\\\"2015-03-05T23:51:47Z\\\" | strptime(\\\"%Y-%m-%dT%H:%M:%SZ\\\") | mktime | todate",
        "\\\"\xc3\x84pfel\\\" | test(\\\"\\\\\\\\p{Lu}\\\"; \\\"ix\\\")",
        "[1.5, 2] | map(pow(.; 2) | floor) | @json, @csv, @base64, @uri, @html, @sh",
        "{a: 1} | debug | stderr | tojson | ascii_downcase | @text",
        "input_filename, ([splits(\\\"a\\\")]? // 1), ltrimstr(\\\"x\\\")",
    };
    for (size_t i = 0; i < COUNT_OF(programs); i++) {
        char params[256];
        EngineResult r;
        Err err;
        snprintf(params, sizeof params, "{\"program\":\"%s\",\"list\":true}", programs[i]);
        ErrCode rc = run("data.transform", params, &r, &err);
        if (rc != OK)
            fail_msg("%s: %s %s", programs[i], err_reason(rc), err.text);
    }
}

TEST(yaml_in_the_sandbox)
{
    EngineResult r;
    Err err;
    assert_ok(run("data.yaml", "{\"text\":\"a: [1, on]\\n\"}", &r, &err), &err);
    const Json *data = NULL;
    assert_ok(json_parse(arena, r.data, &data, &err), &err);
    assert_int_equal(json_int(json_get(json_get(data, "lines"), "/a/1"), -1), 1);
    assert_int_equal(r.outputs_len, 1);
    char *path = str_to_c(arena, str_printf(arena, "%s/samples/bomb.yaml", getenv("PLATEN_ROOT")));
    DeskRun d = desk_run(arena, "data", "data.yaml", "{}", path, dir);
    assert_true(d.ended_well);
    assert_str_equal(d.reason, "limit_ratio");
}

static int begin(void **state)
{
    (void)state;
    Err err = {0};
    char path[256], engine[512];
    log_set_level(LOG_OFF);
    arena = arena_open(256 * MIB);
    if (arena == NULL || mkdtemp(dir) == NULL)
        return 1;
    snprintf(engine, sizeof engine, "%s/platen-engine-data", getenv("PLATEN_BUILD"));
    snprintf(path, sizeof path, "%s/platen-engine-data", dir);
    if (symlink(engine, path) != 0)
        return 1;
    snprintf(path, sizeof path, "%s/blobs", dir);
    if (blob_store_open(path, true, &blobs, &err) != OK)
        return 1;
    EngineOptions o = {.dirs = dir, .blobs = blobs, .limits = {.output_bytes = 64 << 20}};
    registry = registry_open(arena);
    return engine_pool_open(&o, &pool, &err) != OK ||
           engine_describe_all(pool, registry, arena, &err) != OK;
}

static int end(void **state)
{
    (void)state;
    engine_pool_close(&pool);
    blob_store_close(&blobs);
    desk_remove(dir);
    arena_close(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {TEST_ENTRY(what_runs_away_is_stopped),
                                       TEST_ENTRY(what_may_be_opened_late),
                                       TEST_ENTRY(yaml_in_the_sandbox)};
    return cmocka_run_group_tests(tests, begin, end);
}

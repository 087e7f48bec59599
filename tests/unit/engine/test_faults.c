/* Let the 1st thing that can fail do so, then the 2nd, the 3rd …, until nothing is left to fail. */
#include "engine/fixture.h"

#ifdef PLATEN_FAULTS

static ErrCode run_fine(Fixture *f, Arena *a, int input, Err *err)
{
    StepInput in = {.name = STR("in"), .fd = input, .size_bytes = 5};
    EngineResult result;
    EngineTask t = bad_task(f, "fine", "{\"count\":2}");
    t.inputs = &in;
    t.inputs_len = 1;
    ErrCode rc = engine_run(f->pool, &t, a, &result, err);
    if (rc == OK)
        assert_str_equal(result.data, "{\"bytes\":5}");
    return rc;
}

TEST(a_task_survives_every_failure)
{
    Fixture f;
    Err err = {0};
    fixture_open(&f);
    CLEANUP(fd_close) int input = memory_file("hello");
    assert_ok(run_fine(&f, f.arena, input, &err), &err);
    int files = open_files();
    for (int nth = 1;; nth++) {
        err = (Err){0};
        CLEANUP(arena_close) Arena *a = arena_open(8 * MIB);
        fault_arm(nth);
        ErrCode rc = run_fine(&f, a, input, &err);
        bool failed = fault_disarm();
        if (rc != OK && (err.code != rc || err.text[0] == 0))
            fail_msg("fault %d: %s without a message", nth, err_reason(rc));
        if (!failed) {
            assert_int_equal(rc, OK);
            assert_true(nth > 10);
            break;
        }
        /* Nothing is left behind, and the next task works. */
        assert_ok(run_fine(&f, a, input, &err), &err);
        assert_int_equal(open_files(), files);
        assert_no_children(info_of_engine(&f, "bad").pid);
    }
    fixture_close(&f);
    assert_int_equal(children_of(getpid()), 0);
}

TEST(a_program_survives_every_failure)
{
    Fixture f;
    Err err = {0};
    EngineResult result;
    fixture_open(&f);
    EngineTask t = {.step = registry_find(f.registry, STR("plain.hello")), .params = STR("{}")};
    int files = open_files();
    for (int nth = 1;; nth++) {
        err = (Err){0};
        CLEANUP(arena_close) Arena *a = arena_open(8 * MIB);
        fault_arm(nth);
        ErrCode rc = engine_run(f.pool, &t, a, &result, &err);
        bool failed = fault_disarm();
        if (rc != OK && (err.code != rc || err.text[0] == 0))
            fail_msg("fault %d: %s without a message", nth, err_reason(rc));
        assert_int_equal(open_files(), files);
        assert_int_equal(children_of(getpid()), 0);
        if (!failed) {
            assert_int_equal(rc, OK);
            assert_int_equal(result.outputs_len, 1);
            assert_int_equal(result.outputs[0].blob.size_bytes, 5);
            break;
        }
    }
    fixture_close(&f);
}

TEST(opening_survives_every_failure)
{
    Fixture f;
    Err err = {0};
    fixture_open(&f);
    /* One engine and no cache to save it from being asked. */
    char more[128], from[1200], to[200];
    snprintf(more, sizeof more, "%s/more", f.dir);
    snprintf(to, sizeof to, "%s/platen-engine-plain", more);
    snprintf(from, sizeof from, "%s/tests/unit/engine/platen-engine-plain",
             test_env("PLATEN_BUILD"));
    assert_int_equal(mkdir(more, 0755), 0);
    assert_int_equal(symlink(from, to), 0);
    int files = open_files();
    for (int nth = 1;; nth++) {
        CLEANUP(arena_close) Arena *a = arena_open(16 * MIB);
        EngineOptions o = {.dirs = more, .blobs = f.blobs};
        EnginePool *p = NULL;
        Registry *r = registry_open(a);
        err = (Err){0};
        fault_arm(nth);
        ErrCode rc = engine_pool_open(&o, &p, &err);
        if (rc == OK)
            rc = engine_describe_all(p, r, a, &err);
        bool failed = fault_disarm();
        if (rc != OK && (err.code != rc || err.text[0] == 0))
            fail_msg("fault %d: %s without a message", nth, err_reason(rc));
        engine_pool_close(&p);
        assert_int_equal(open_files(), files);
        assert_int_equal(children_of(getpid()), 0);
        if (!failed) {
            assert_int_equal(rc, OK);
            break;
        }
    }
    fixture_close(&f);
}

TEST_MAIN(a_task_survives_every_failure, a_program_survives_every_failure,
          opening_survives_every_failure)

#else

TEST(needs_a_build_with_faults)
{
    skip();
}
TEST_MAIN(needs_a_build_with_faults)

#endif

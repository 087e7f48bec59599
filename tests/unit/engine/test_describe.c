/* Which engines there are, what they can do, and the cache of it. */
#include "engine/fixture.h"

static void write_file(const char *path, const char *text, mode_t mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    assert_int_equal(fchmod(fd, mode), 0);
    close(fd);
}

/* An engine that leaves a byte in a file each time it is asked. */
static void write_engine(const Fixture *f, const char *name, const char *says)
{
    char path[256], text[1024];
    snprintf(path, sizeof path, "%s/more", f->dir);
    mkdir(path, 0755);
    snprintf(path, sizeof path, "%s/more/platen-engine-%s", f->dir, name);
    snprintf(text, sizeof text, "#!/bin/sh\nprintf x >> %s/asked-%s\n%s%s%s", f->dir, name,
             says[0] != 0 ? "cat <<'E'\n" : "exit 3\n", says, says[0] != 0 ? "\nE\n" : "");
    write_file(path, text, 0755);
}

static int64_t times_asked(const Fixture *f, const char *name)
{
    char path[256];
    struct stat st;
    snprintf(path, sizeof path, "%s/asked-%s", f->dir, name);
    return stat(path, &st) == 0 ? (int64_t)st.st_size : 0;
}

static void reopen_pool(Fixture *f)
{
    engine_pool_close(&f->pool);
    fixture_open_pool(f);
}

#define STEP_TEXT(name)                                                                            \
    "{\"name\":\"" name                                                                            \
    "\",\"title\":\"T\",\"summary\":\"Does it.\",\"since\":\"0.1\",\"internal\":true}"
#define ENGINE_TEXT(name, steps)                                                                   \
    "{\"platen\":1,\"engine\":\"" name "\",\"version\":\"3\",\"steps\":[" steps "]}"

TEST(an_engine_is_asked_once)
{
    Fixture f;
    fixture_open(&f);
    write_engine(&f, "once", ENGINE_TEXT("once", STEP_TEXT("once.it")));
    reopen_pool(&f);
    assert_int_equal(times_asked(&f, "once"), 1);
    assert_non_null(registry_find(f.registry, STR("once.it")));
    assert_string_equal(registry_find(f.registry, STR("once.it"))->engine, "once");
    reopen_pool(&f);
    assert_int_equal(times_asked(&f, "once"), 1);
    assert_non_null(registry_find(f.registry, STR("once.it")));
    assert_string_equal(info_of_engine(&f, "once").version, "3");

    /* Another file under the same name is another engine. */
    write_engine(&f, "once",
                 ENGINE_TEXT("once", STEP_TEXT("once.other") "," STEP_TEXT("once.more")));
    reopen_pool(&f);
    assert_int_equal(times_asked(&f, "once"), 2);
    assert_null(registry_find(f.registry, STR("once.it")));
    assert_int_equal(info_of_engine(&f, "once").steps, 2);

    static const char *const damaged[] = {
        "", "{", "[]", "{\"platen\":1}", "{\"platen\":1,\"engines\":[1,{}]}", "{\"platen\":2}"};
    for (size_t i = 0; i < COUNT_OF(damaged); i++) {
        write_file(f.cache, damaged[i], 0600);
        reopen_pool(&f);
        assert_int_equal(times_asked(&f, "once"), (int64_t)(3 + i));
        assert_non_null(registry_find(f.registry, STR("once.more")));
    }
    fixture_close(&f);
}

TEST(an_engine_that_does_not_answer_is_listed_with_its_problem)
{
    static const struct {
        const char *name, *says, *problem;
    } cases[] = {
        {"silent", "", "--describe said nothing"},
        {"garbled", "hello", "line 1"},
        {"future", "{\"platen\":2,\"engine\":\"future\",\"steps\":[]}", "protocol 1"},
        {"nameless", "{\"platen\":1,\"engine\":\"No/Name\",\"steps\":[]}", "lacks"},
        {"thief", ENGINE_TEXT("bad", STEP_TEXT("thief.it")), "two engines are called bad"},
        {"twice", ENGINE_TEXT("twice", STEP_TEXT("bad.fine")), "two steps are called bad.fine"},
        {"half", ENGINE_TEXT("half", STEP_TEXT("half.it") ",{\"name\":\"half\"}"), ""},
    };
    Fixture f;
    fixture_open(&f);
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        write_engine(&f, cases[i].name, cases[i].says);
    reopen_pool(&f);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        EngineInfo info = info_of_engine(&f, cases[i].name);
        if (info.problem == NULL || strstr(info.problem, cases[i].problem) == NULL)
            fail_msg("%s: problem is \"%s\", want \"%s\"", cases[i].name,
                     info.problem != NULL ? info.problem : "(none)", cases[i].problem);
    }
    assert_non_null(registry_find(f.registry, STR("half.it")));
    assert_null(registry_find(f.registry, STR("thief.it")));
    assert_string_equal(registry_find(f.registry, STR("bad.fine"))->engine, "bad");
    fixture_close(&f);
}

TEST(an_engine_that_does_not_come_up_is_left_alone_for_a_while)
{
    Fixture f;
    Err err = {0};
    EngineResult result;
    fixture_open(&f);
    write_engine(&f, "stillborn",
                 "{\"platen\":1,\"engine\":\"stillborn\",\"warm\":true,\"steps\":[" STEP_TEXT(
                     "stillborn.it") "]}");
    reopen_pool(&f);
    EngineTask t = {.step = registry_find(f.registry, STR("stillborn.it")), .params = STR("{}")};
    assert_int_equal(engine_run(f.pool, &t, f.arena, &result, &err), ERR_ENGINE_MISSING);
    assert_non_null(strstr(err.text, "stillborn"));
    int64_t asked = times_asked(&f, "stillborn");
    for (int i = 0; i < 20; i++)
        assert_int_equal(engine_probe(f.pool, "stillborn", &err), ERR_ENGINE_MISSING);
    assert_true(times_asked(&f, "stillborn") <= asked + 1);
    assert_non_null(info_of_engine(&f, "stillborn").problem);
    assert_int_equal(engine_probe(f.pool, "nobody", &err), ERR_ENGINE_MISSING);
    assert_ok(engine_probe(f.pool, "bad", &err), &err);
    assert_ok(engine_probe(f.pool, "wordcount", &err), &err);
    assert_no_children(info_of_engine(&f, "bad").pid);
    fixture_close(&f);
}

TEST_MAIN(an_engine_is_asked_once, an_engine_that_does_not_answer_is_listed_with_its_problem,
          an_engine_that_does_not_come_up_is_left_alone_for_a_while)

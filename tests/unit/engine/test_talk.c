/* What an engine says, checked: the table is the specification. */
#include "engine/talk_in.h"
#include "unit/harness.h"

#include <signal.h>

static const ErrCode declared[] = {ERR_TOO_MANY_REQUESTS, OK};
static const Step step = {.name = "x.y", .errors = declared};

TEST(nonsense_is_refused)
{
    static const struct {
        const char *text;
        size_t fds;
    } cases[] = {
        {"x"},
        {"[]"},
        {"7"},
        {"{}"},
        {"{\"note\":7}"},
        {"{\"note\":{},\"usage\":{}}"},
        {"{\"unknown\":{}}"},
        {"{\"run\":{}}"},
        {"{\"result\":{}}"},
        {"{\"result\":{\"data\":[]}}"},
        {"{\"error\":{}}"},
        {"{\"error\":{\"reason\":\"\"}}"},
        {"{\"error\":{\"reason\":\"ok\"}}"},
        {"{\"error\":{\"reason\":\"unauthorized\"}}"},
        {"{\"error\":{\"reason\":\"shutting_down\"}}"},
        {"{\"usage\":{}}"},
        {"{\"usage\":{\"unit\":\"pages\"}}"},
        {"{\"usage\":{\"unit\":\"pages\",\"amount\":-1}}"},
        {"{\"usage\":{\"unit\":\"Pages!\",\"amount\":1}}"},
        {"{\"usage\":{\"unit\":\"_\",\"amount\":1}}"},
        {"{\"usage\":{\"unit\":\"pages\",\"amount\":9007199254740993}}"},
        {"{\"usage\":{\"unit\":\"pages\",\"amount\":1.5}}"},
        {"{\"usage\":{\"unit\":\"abcdefghijklmnopqrstuvwxyzabcdefg\",\"amount\":1}}"},
        {"{\"exit\":{}}"},
        {"{\"exit\":{\"signal\":-1}}"},
        {"{\"exit\":{\"code\":256}}"},
        {"{\"note\":{\"text\":\"x\"}}", 1},
        {"{\"task\":{\"pid\":1}}", 0},
        {"{\"task\":{\"pid\":1}}", 2},
        {"{\"result\":{\"data\":{}}} "
         " x"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        CLEANUP(arena_close) Arena *a = arena_open(MIB);
        Said said;
        Err err = {0};
        ErrCode rc = talk_read(str_from_c(cases[i].text), cases[i].fds, &step, a, &said, &err);
        if (rc != ERR_ENGINE_PROTOCOL || err.text[0] == 0)
            fail_msg("%s: got %s", cases[i].text, err_reason(rc));
    }
}

TEST(names_types_and_texts_come_out_harmless)
{
    static const struct {
        const char *text, *name, *type;
    } cases[] = {
        {"{\"output\":{}}", "output", "application/octet-stream"},
        {"{\"output\":{\"name\":\"a.png\",\"type\":\"image/png\"}}", "a.png", "image/png"},
        {"{\"output\":{\"name\":\"a/b/../c\",\"type\":\"text/plain; charset=utf-8\"}}", "a/b/c",
         "text/plain; charset=utf-8"},
        {"{\"output\":{\"name\":\"/./../\",\"type\":\"text\"}}", "output",
         "application/octet-stream"},
        {"{\"output\":{\"name\":\"a\\r\\nb\",\"type\":\"text/\\r\\nx\"}}", "a  b",
         "application/octet-stream"},
        {"{\"output\":{\"name\":\"C:\\\\x\",\"type\":\"/x\"}}", "C:/x", "application/octet-stream"},
        {"{\"output\":{\"name\":7,\"type\":[]}}", "output", "application/octet-stream"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        CLEANUP(arena_close) Arena *a = arena_open(MIB);
        Said said;
        Err err = {0};
        assert_ok(talk_read(str_from_c(cases[i].text), 0, &step, a, &said, &err), &err);
        assert_int_equal(said.kind, SAID_OUTPUT);
        assert_str_equal(said.name, cases[i].name);
        assert_str_equal(said.type, cases[i].type);
    }
}

TEST(a_long_name_is_cut_between_characters)
{
    char text[2048] = "{\"output\":{\"name\":\"a";
    for (int i = 0; i < 300; i++)
        strncat(text, "\u00fc", 3);
    strncat(text, "\"}}", 4);
    CLEANUP(arena_close) Arena *a = arena_open(MIB);
    Said said;
    Err err = {0};
    assert_ok(talk_read(str_from_c(text), 0, &step, a, &said, &err), &err);
    assert_true(said.name.len <= SAID_NAME_MAX && said.name.len > SAID_NAME_MAX - 4);
    assert_true(str_is_utf8(said.name));
}

TEST(errors_keep_what_an_engine_may_say)
{
    static const struct {
        const char *text;
        ErrCode want;
        const char *message;
    } cases[] = {
        {"{\"error\":{\"reason\":\"input_damaged\",\"message\":\"a\\nb\"}}", ERR_INPUT_DAMAGED,
         "a b"},
        {"{\"error\":{\"reason\":\"no_memory\",\"message\":\"full\"}}", ERR_LIMIT_MEMORY, "full"},
        {"{\"error\":{\"reason\":\"too_many_requests\"}}", ERR_TOO_MANY_REQUESTS,
         ""}, /* declared */
        {"{\"error\":{\"reason\":\"bad_param\",\"message\":\"%s%n\",\"param\":\"w\",\"hint\":\"h\"}"
         "}",
         ERR_BAD_PARAM, "%s%n"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        CLEANUP(arena_close) Arena *a = arena_open(MIB);
        Said said;
        Err err = {0};
        assert_ok(talk_read(str_from_c(cases[i].text), 0, &step, a, &said, &err), &err);
        assert_int_equal(said.kind, SAID_ERROR);
        assert_int_equal(said.error.code, cases[i].want);
        assert_string_equal(said.error.text, cases[i].message);
    }
}

TEST(every_end_has_its_reason)
{
    static const StepLimits limits = {
        .time_ms = 1000, .cpu_ms = 2000, .memory_bytes = 1000, .output_bytes = 10};
    static const struct {
        TalkEnd end;
        ErrCode want;
    } cases[] = {
        {{.status = 0}, ERR_ENGINE_CRASHED},
        {{.status = 1}, ERR_ENGINE_CRASHED},
        {{.status = 77}, ERR_LIMIT_MEMORY},
        {{.status = 1, .memory_bytes = 800}, ERR_LIMIT_MEMORY},
        {{.status = 0, .output_full = true}, ERR_LIMIT_OUTPUT},
        {{.signaled = true, .status = SIGSYS}, ERR_ENGINE_FORBIDDEN},
        {{.signaled = true, .status = SIGXCPU}, ERR_LIMIT_CPU},
        {{.signaled = true, .status = SIGXFSZ}, ERR_LIMIT_OUTPUT},
        {{.signaled = true, .status = SIGKILL}, ERR_ENGINE_KILLED},
        {{.signaled = true, .status = SIGKILL, .cpu_ms = 2000}, ERR_LIMIT_CPU},
        {{.signaled = true, .status = SIGKILL, .memory_bytes = 900}, ERR_LIMIT_MEMORY},
        {{.signaled = true, .status = SIGSEGV}, ERR_ENGINE_CRASHED},
        {{.signaled = true, .status = SIGABRT, .memory_bytes = 799}, ERR_ENGINE_CRASHED},
        {{.signaled = true, .status = SIGABRT, .memory_bytes = 800}, ERR_LIMIT_MEMORY},
        {{.signaled = true, .status = 200}, ERR_ENGINE_CRASHED},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        Err err = {0};
        assert_int_equal(talk_judge(&cases[i].end, &limits, &err), cases[i].want);
        assert_int_equal(err.code, cases[i].want);
        assert_true(err.text[0] != 0);
    }
}

/* A name that is cut where a part begins with dots must not end in "..". */
TEST(a_long_name_is_not_cut_to_a_way_up)
{
    char text[SAID_NAME_MAX * 2], as[SAID_NAME_MAX];
    memset(as, 'a', sizeof as);
    int len = SAID_NAME_MAX - 3;
    snprintf(text, sizeof text, "{\"output\":{\"name\":\"%.*s/..tail\",\"type\":\"a/b\"}}", len,
             as);
    CLEANUP(arena_close) Arena *a = arena_open(MIB);
    Said said;
    Err err = {0};
    assert_ok(talk_read(str_from_c(text), 0, &step, a, &said, &err), &err);
    assert_int_equal(said.name.len, len);
    assert_int_equal(str_find_char(said.name, '/'), STR_NONE);
}

TEST_MAIN(a_long_name_is_not_cut_to_a_way_up, nonsense_is_refused,
          names_types_and_texts_come_out_harmless, a_long_name_is_cut_between_characters,
          errors_keep_what_an_engine_may_say, every_end_has_its_reason)

/* What becomes of a message after an attempt. */
#include "hook/deliver.c" /* white box */
#include "unit/harness.h"

TEST(after_an_attempt)
{
    static const struct {
        const char *why;
        ErrCode code;
        int status;
        int64_t round, retry_after_ms;
        bool callback;
        const char *state, *disable;
    } cases[] = {
        {"taken", OK, 204, 0, 0, false, "done", NULL},
        {"down", ERR_REMOTE_FAILED, 500, 0, 0, false, "pending", NULL},
        {"no answer", ERR_UNREACHABLE, 0, 3, 0, false, "pending", NULL},
        {"not found may be mended", ERR_REMOTE_REFUSED, 404, 0, 0, false, "pending", NULL},
        {"gone", ERR_REMOTE_REFUSED, 410, 0, 0, false, "failed", "gone"},
        {"the last attempt", ERR_REMOTE_FAILED, 503, 9, 1000, false, "failed", "remote_failed"},
        {"the last but one", ERR_REMOTE_FAILED, 503, 8, 1000, false, "pending", NULL},
        {"refused by the guard", ERR_ADDRESS_REFUSED, 0, 0, 0, false, "failed", NULL},
        {"a callback is never disabled", ERR_REMOTE_REFUSED, 410, 0, 0, true, "failed", NULL},
        {"nor after its last attempt", ERR_UNREACHABLE, 0, 9, 0, true, "failed", NULL},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const Sending s = {.round = cases[i].round, .hook.callback = cases[i].callback};
        Outcome o = {
            .s = &s,
            .code = cases[i].code,
            .answer = {.status = cases[i].status, .retry_after_ms = cases[i].retry_after_ms}};
        decide(&o);
        bool same = (o.disable == NULL) == (cases[i].disable == NULL) &&
                    (o.disable == NULL || strcmp(o.disable, cases[i].disable) == 0);
        if (strcmp(o.state, cases[i].state) != 0 || !same)
            fail_msg("%s: %s, %s", cases[i].why, o.state, o.disable != NULL ? o.disable : "-");
        assert_int_equal(o.next_ms > 0, strcmp(o.state, "pending") == 0);
        if (cases[i].retry_after_ms > 0 && o.next_ms > 0)
            assert_true(o.next_ms - clock_now_ms() <= cases[i].retry_after_ms);
    }
}

TEST(what_is_kept_of_an_answer)
{
    CLEANUP(arena_close) Arena *a = arena_open(MIB);
    char bytes[2000];
    memset(bytes, 0xff, sizeof bytes);
    assert_str_equal(shown((Str){"a\0b\xff", 4}, a), "a b\xef\xbf\xbd");
    assert_int_equal(shown((Str){bytes, sizeof bytes}, a).len, 3 * WEBHOOK_ANSWER_KEPT);
    assert_str_equal(shown(STR(""), a), "");
}

TEST_MAIN(after_an_attempt, what_is_kept_of_an_answer)

/* The DevTools client: answers, events in between, refusals, silence, nonsense, the end. Chromium
 * itself is met in tests/e2e/test_office.py. */
#include "base/clock.h"
#include "base/fd.h"
#include "browser/cdp.h"
#include "unit/harness.h"

#include <fcntl.h>
#include <unistd.h>

typedef struct Talk {
    Cdp cdp;
    int its_in, its_out; /* the browser's ends */
    int events;
    bool flag;
} Talk;

static void on_event(void *ctx, Str method, Str session, const Json *params)
{
    Talk *t = ctx;
    t->events++;
    t->flag |= str_eq_c(method, "Page.loadEventFired") && session.len == 1 && params != NULL;
}

static void begin(Talk *t)
{
    int to[2], from[2];
    Err err = {0};
    assert_int_equal(pipe2(to, O_CLOEXEC), 0);
    assert_int_equal(pipe2(from, O_CLOEXEC), 0);
    *t = (Talk){.its_in = to[0], .its_out = from[1]};
    assert_ok(cdp_open(&t->cdp, to[1], from[0], &err), &err);
    t->cdp.event = on_event;
    t->cdp.ctx = t;
    t->cdp.deadline_us = clock_mono_us() + 20 * 1000 * 1000;
}

static void end(Talk *t)
{
    cdp_close(&t->cdp);
    fd_close(&t->its_in);
    fd_close(&t->its_out);
}

/* With the NUL that ends it. */
static void say(Talk *t, const char *text)
{
    assert_int_equal(write(t->its_out, text, strlen(text) + 1), (ssize_t)strlen(text) + 1);
}

TEST(a_call_gets_its_answer_and_events_get_their_function)
{
    Talk t;
    begin(&t);
    Err err = {0};
    const Json *out = NULL;
    char sent[256] = "";
    say(&t, "{\"method\":\"A.b\",\"params\":{}}");
    say(&t, "{\"id\":99,\"result\":{\"x\":0}}"); /* somebody else's */
    say(&t, "{\"id\":1,\"result\":{\"x\":42}}");
    assert_ok(cdp_call(&t.cdp, "S", "C.d", STR("{\"p\":1}"), &out, &err), &err);
    assert_int_equal(json_int(json_get(out, "x"), 0), 42);
    assert_int_equal(t.events, 1);
    assert_true(read(t.its_in, sent, sizeof sent - 1) > 0);
    assert_string_equal(sent,
                        "{\"id\":1,\"method\":\"C.d\",\"sessionId\":\"S\",\"params\":{\"p\":1}}");
    end(&t);
}

TEST(refusals_are_the_callers_fault_and_the_end_is_a_crash)
{
    Talk t;
    begin(&t);
    Err err = {0};
    const Json *out = NULL;
    say(&t, "{\"id\":1,\"error\":{\"code\":-1,\"message\":\"no such page\"}}");
    assert_int_equal(cdp_call(&t.cdp, NULL, "C.d", STR(""), &out, &err), ERR_BAD_PARAM);
    assert_non_null(strstr(err.text, "no such page"));
    say(&t, "not json");
    assert_int_equal(cdp_call(&t.cdp, NULL, "C.d", STR(""), &out, &err), ERR_ENGINE_PROTOCOL);
    fd_close(&t.its_out);
    assert_int_equal(cdp_call(&t.cdp, NULL, "C.d", STR(""), &out, &err), ERR_ENGINE_CRASHED);
    end(&t);
}

TEST(silence_ends_at_the_deadline)
{
    Talk t;
    begin(&t);
    Err err = {0};
    const Json *out = NULL;
    t.cdp.deadline_us = clock_mono_us() + 10 * 1000;
    assert_int_equal(cdp_call(&t.cdp, NULL, "C.d", STR(""), &out, &err), ERR_LIMIT_TIME);
    end(&t);
}

TEST(waiting_ends_when_the_event_has_come)
{
    Talk t;
    begin(&t);
    Err err = {0};
    say(&t, "{\"method\":\"A.b\",\"params\":{}}");
    say(&t, "{\"method\":\"Page.loadEventFired\",\"sessionId\":\"S\",\"params\":{}}");
    assert_ok(cdp_wait(&t.cdp, &t.flag, INT64_MAX, &err), &err);
    assert_int_equal(t.events, 2);
    bool never = false;
    assert_int_equal(cdp_wait(&t.cdp, &never, clock_mono_us() + 5000, &err), ERR_LIMIT_TIME);
    end(&t);
}

TEST_MAIN(a_call_gets_its_answer_and_events_get_their_function,
          refusals_are_the_callers_fault_and_the_end_is_a_crash, silence_ends_at_the_deadline,
          waiting_ends_when_the_event_has_come)

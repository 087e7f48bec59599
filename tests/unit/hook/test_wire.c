/* What Cloudflare Queues sends and takes; what an answer to a push means. */
#include "hook/bridge_wire.h"
#include "hook/push.h"
#include "net/outbound.h"
#include "unit/harness.h"

static ErrCode result(Arena *a, int status, const char *body, const Json **out, Err *err)
{
    return wire_result(status, str_from_c(body), a, out, err);
}

TEST(results)
{
    static const struct {
        int status;
        const char *body;
        ErrCode want;
        const char *word;
    } cases[] = {
        {200, "{\"success\":true,\"errors\":[],\"result\":{\"x\":1}}", OK, ""},
        {200, "{\"success\":true}", OK, ""},
        {200, "not json", ERR_REMOTE_FAILED, "JSON"},
        {200, "{\"success\":false,\"errors\":[{\"code\":10104,\"message\":\"no queue\"}]}",
         ERR_BRIDGE_MISSING, "no queue"},
        {404, "", ERR_BRIDGE_MISSING, "queue"},
        {401, "{\"errors\":[{\"code\":10000,\"message\":\"Authentication error\"}]}",
         ERR_BRIDGE_MISSING, "token"},
        {403, "<html>", ERR_BRIDGE_MISSING, "token"},
        {429, "{\"errors\":[{\"code\":10250}]}", ERR_REMOTE_FAILED, "10250"},
        {400, "{\"errors\":[{\"code\":10252}]}", ERR_REMOTE_FAILED, "10252"},
        {500, "", ERR_REMOTE_FAILED, "500"},
        {413, "{\"errors\":[{\"code\":10204,\"message\":\"too big\"}]}", ERR_REMOTE_REFUSED,
         "too big"},
        {302, "", ERR_REMOTE_REFUSED, "302"},
    };
    Arena *a = arena_open(4 * MIB);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const Json *out = NULL;
        Err err = {0};
        ErrCode rc = result(a, cases[i].status, cases[i].body, &out, &err);
        if (rc != cases[i].want || strstr(err.text, cases[i].word) == NULL)
            fail_msg("%d %s: %s %s", cases[i].status, cases[i].body, err_reason(rc), err.text);
    }
    arena_close(&a);
}

TEST(messages)
{
    static const char text[] =
        "{\"result\":{\"messages\":["
        "{\"id\":\"1\",\"lease_id\":\"a\",\"attempts\":2,\"body\":\"eyJuIjogMX0=\","
        "\"metadata\":{\"CF-Content-Type\":\"json\"}},"
        "{\"id\":\"2\",\"lease_id\":\"b\",\"body\":\"plain \\\"text\\\"\","
        "\"metadata\":{\"CF-Content-Type\":\"text\"}},"
        "{\"id\":\"3\",\"lease_id\":\"c\",\"body\":\"AP8=\",\"metadata\":{\"CF-Content-Type\":"
        "\"bytes\"}},"
        "{\"id\":\"4\",\"lease_id\":\"d\",\"body\":\"eyJ\",\"metadata\":{\"CF-Content-Type\":"
        "\"json\"}},"
        "{\"id\":\"5\",\"lease_id\":\"e\",\"body\":\"bm8=\",\"metadata\":{\"CF-Content-Type\":"
        "\"json\"}},"
        "{\"id\":\"6\",\"lease_id\":\"f\",\"body\":\"x\",\"metadata\":{\"CF-Content-Type\":\"v8\"}}"
        ","
        "{\"id\":\"7\",\"body\":\"no lease\"},{\"lease_id\":\"h\"},7]}}";
    static const char *const want[] = {
        "{\"n\":1}", "\"plain \\\"text\\\"\"", "{\"bytes\":\"AP8=\"}", "", "", ""};
    Arena *a = arena_open(4 * MIB);
    const Json *out = NULL;
    WireMessage *m = NULL;
    size_t len = 0;
    Err err = {0};
    assert_ok(result(a, 200, text, &out, &err), &err);
    assert_ok(wire_messages(out, a, &m, &len, &err), &err);
    assert_int_equal(len, COUNT_OF(want));
    assert_int_equal(m[0].attempts, 2);
    for (size_t i = 0; i < len; i++) {
        assert_str_equal(m[i].payload, want[i]);
        assert_int_equal(m[i].problem != NULL, want[i][0] == 0);
    }
    Buf b = buf_init(a, KIB);
    JsonOut j = json_out(&b);
    wire_put_ack(&j, m, (const bool[]){true, false, true}, (const int[]){0, 20, 0}, 3);
    assert_str_equal(buf_str(&b), "{\"acks\":[{\"lease_id\":\"a\"},{\"lease_id\":\"c\"}],"
                                  "\"retries\":[{\"lease_id\":\"b\",\"delay_seconds\":20}]}");
    assert_ok(wire_messages(NULL, a, &m, &len, &err), &err);
    assert_int_equal(len, 0);
    arena_close(&a);
}

TEST(answers_to_pushes)
{
    static const struct {
        int status;
        const char *body, *data;
        ErrCode want;
    } cases[] = {
        {200, "{\"a\":1}", "{\"a\":1}", OK}, {204, " ", "{}", OK},
        {201, "[1]", "{\"value\":[1]}", OK}, {200, "ok", "{\"text\":\"ok\"}", OK},
        {302, "", "", ERR_TASK_FAILED},      {400, "", "", ERR_TASK_REFUSED},
        {408, "", "", ERR_TASK_FAILED},      {410, "", "", ERR_TASK_REFUSED},
        {429, "", "", ERR_TASK_FAILED},      {503, "", "", ERR_TASK_FAILED},
    };
    Arena *a = arena_open(4 * MIB);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        TaskResult r = {0};
        const OutboundAnswer answer = {
            .status = cases[i].status, .body = str_from_c(cases[i].body), .retry_after_ms = 7};
        push_judge(&answer, a, &r);
        assert_int_equal(r.code, cases[i].want);
        assert_str_equal(r.data, cases[i].data);
        if (r.code == ERR_TASK_FAILED)
            assert_int_equal(r.retry_after_ms, 7);
    }
    TaskResult r = {0};
    push_judge(&(OutboundAnswer){.status = 200, .cut = true}, a, &r);
    assert_int_equal(r.code, ERR_LIMIT_OUTPUT);
    arena_close(&a);
}

TEST_MAIN(results, messages, answers_to_pushes)

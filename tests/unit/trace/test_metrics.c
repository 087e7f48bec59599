#include "trace/metrics.h"
#include "unit/harness.h"

TEST(counts_answers_by_class_and_time)
{
    CLEANUP(arena_close) Arena *a = arena_open(MIB);
    Buf b = buf_init(a, MIB);
    metrics_answer(200, 400);
    metrics_answer(304, 600);
    metrics_answer(404, 3000);
    metrics_answer(503, 60000000);
    metrics_put_answers(&b);
    const char *text = buf_c(&b);
    assert_non_null(strstr(text, "platen_http_responses_ok_total 2\n"));
    assert_non_null(strstr(text, "platen_http_responses_client_error_total 1\n"));
    assert_non_null(strstr(text, "platen_http_responses_server_error_total 1\n"));
    assert_non_null(strstr(text, "platen_http_request_seconds_bucket{le=\"0.0005\"} 1\n"));
    assert_non_null(strstr(text, "platen_http_request_seconds_bucket{le=\"0.005\"} 3\n"));
    assert_non_null(strstr(text, "platen_http_request_seconds_bucket{le=\"+Inf\"} 4\n"));
    assert_non_null(strstr(text, "platen_http_request_seconds_count 4\n"));
}

TEST(labels_are_escaped)
{
    CLEANUP(arena_close) Arena *a = arena_open(MIB);
    Buf b = buf_init(a, MIB);
    metrics_sample(&b, "m", "queue", STR("a\"b\\c\nd"), "state", STR("ready"), -3);
    assert_str_equal(buf_str(&b), "m{queue=\"a\\\"b\\\\c\\nd\",state=\"ready\"} -3\n");
    assert_true(metrics_resident_bytes() > 0);
}

TEST_MAIN(counts_answers_by_class_and_time, labels_are_escaped)

/* What went wrong lately: merged, bounded, newest first. */
#include "trace/alerts.h"
#include "unit/harness.h"

static Alerts *open_alerts(void)
{
    Alerts *a = NULL;
    Err err = {0};
    log_set_level(LOG_OFF); /* they hear it all the same */
    assert_ok(alerts_open(&a, &err), &err);
    return a;
}

TEST(lines_about_the_same_are_one_alert)
{
    Alerts *a = open_alerts();
    Alert got[ALERTS_MAX];
    LOG(WARN, ENGINE_ENDED, KV("engine", "image"), KV("detail", "first"));
    LOG(ERROR, DB_FAILED, KV("detail", "disk"));
    LOG(INFO, SERVER_STARTED, KV("detail", "not one"));
    LOG(WARN, ENGINE_ENDED, KV("engine", "ocr"));
    LOG(WARN, ENGINE_ENDED, KV("engine", "image"), KV("detail", "second"));
    assert_int_equal(alerts_read(a, got), 3);
    assert_int_equal(got[0].event, EVENT_ENGINE_ENDED);
    assert_string_equal(got[0].subject, "image");
    assert_string_equal(got[0].detail, "second");
    assert_int_equal(got[0].count, 2);
    assert_true(got[0].first_ms <= got[0].last_ms);
    assert_string_equal(got[1].subject, "ocr");
    assert_int_equal(got[2].level, LOG_ERROR);
    alerts_close(&a);
    LOG(WARN, ENGINE_ENDED, KV("engine", "image")); /* nobody hears it */
}

TEST(the_oldest_goes)
{
    Alerts *a = open_alerts();
    Alert got[ALERTS_MAX];
    for (int i = 0; i < 3 * ALERTS_MAX; i++) {
        char q[300];
        snprintf(q, sizeof q, "q%d-%0250d", i, i);
        LOG(WARN, QUEUE_STUCK, KV("queue", q), KV("detail", q));
    }
    assert_int_equal(alerts_read(a, got), ALERTS_MAX);
    char first[8];
    snprintf(first, sizeof first, "q%d-", 3 * ALERTS_MAX - 1);
    assert_memory_equal(got[0].subject, first, strlen(first));
    assert_int_equal(strlen(got[0].subject), ALERT_SUBJECT_MAX);
    assert_int_equal(strlen(got[0].detail), ALERT_DETAIL_MAX);
    alerts_close(&a);
}

TEST(survives_every_failure)
{
    for (int nth = 1;; nth++) {
        Alerts *a = NULL;
        Err err = {0};
        fault_arm(nth);
        ErrCode rc = alerts_open(&a, &err);
        bool hit = fault_disarm();
        assert_int_equal(rc == OK, a != NULL);
        alerts_close(&a);
        if (!hit)
            return;
    }
}

TEST_MAIN(lines_about_the_same_are_one_alert, the_oldest_goes, survives_every_failure)

#include "trace/diagnose.c" /* white box: static functions are in reach */
#include "unit/harness.h"

static const JobEvent *cause_of(const char *const *types)
{
    static JobEvent events[16];
    size_t len = 0;
    for (; types[len] != NULL; len++)
        events[len] = (JobEvent){.seq = (int64_t)len + 1, .type = str_from_c(types[len])};
    return find_cause(events, len);
}

TEST(the_cause_is_the_first_failure_since_the_last_start)
{
    static const struct {
        const char *types[10];
        int64_t seq; /* 0: none */
    } cases[] = {
        {{"job.added", "task.started", "task.done", "job.done"}, 0},
        {{"job.added", "task.started", "task.retry", "task.started", "task.failed", "job.failed"},
         3},
        {{"job.added", "task.started", "task.failed", "job.failed", "job.retried", "task.started",
          "task.done", "job.done"},
         0},
        {{"job.added", "task.started", "task.failed", "job.failed", "job.retried", "task.started",
          "task.lost"},
         7},
        {{"job.added", "job.canceled"}, 0},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const JobEvent *cause = cause_of(cases[i].types);
        assert_int_equal(cause != NULL ? cause->seq : 0, cases[i].seq);
    }
}

TEST(every_state_has_a_verdict)
{
    for (int s = 0; s < JOB_STATE_COUNT; s++) {
        const Job job = {.state = (JobState)s};
        assert_true(strlen(verdict(&job, &(Holds){0})) > 10);
    }
}

TEST(why_it_waits)
{
    static const struct {
        Job job;
        Holds holds;
        const char *has;
    } cases[] = {
        {{0}, {.paused = true, .limited = true}, "queue is paused"},
        {{.paused = true}, {0}, "somebody paused"},
        {{.blocked = true}, {.limited = true}, "concurrency key"},
        {{.run_at_ms = INT64_MAX}, {.limited = true}, "start time"},
        {{.run_at_ms = INT64_MAX, .attempts = 1}, {0}, "the next one"},
        {{.step = STR("queue.send")}, {.limited = true}, "outside worker"},
        {{0}, {.limited = true, .rated = true}, "so many at once"},
        {{0}, {.rated = true}, "so many in a time"},
        {{0}, {0}, "free worker"},
        {{.state = JOB_RUNNING}, {.waits = STR("approval")}, "approval"},
        {{.state = JOB_RUNNING}, {.waits = STR("publish")}, "signal"},
        {{.state = JOB_RUNNING}, {.waits = STR("time")}, "a time"},
        {{.state = JOB_RUNNING}, {.waits = STR("callback")}, "callback"},
        {{.state = JOB_RUNNING, .paused = true}, {.waits = STR("time")}, "paused the job"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const char *said = verdict(&cases[i].job, &cases[i].holds);
        if (strstr(said, cases[i].has) == NULL)
            fail_msg("\"%s\" does not say \"%s\"", said, cases[i].has);
    }
}

TEST_MAIN(the_cause_is_the_first_failure_since_the_last_start, every_state_has_a_verdict,
          why_it_waits)

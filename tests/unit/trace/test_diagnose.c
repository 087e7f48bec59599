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
        assert_true(strlen(verdict(&job, false)) > 10);
    }
}

TEST_MAIN(the_cause_is_the_first_failure_since_the_last_start, every_state_has_a_verdict)

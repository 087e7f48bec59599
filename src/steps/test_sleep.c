/* test.sleep: take time, and stop at once when cancelled. */
#include "steps/steps.h"
#include "base/clock.h"

#include <time.h>

enum { LOOK_MS = 10, HOUR_MS = 3600 * 1000 };

typedef struct SleepArgs {
    int64_t ms;
} SleepArgs;

static const Param sleep_params[] = {
    PARAM_INT(SleepArgs, ms, .min = 0, .max = HOUR_MS, .def = 100, .unit = "ms",
              .help = "How long to sleep."),
    PARAM_END,
};

static ErrCode sleep_run(StepCtx *c, const void *args)
{
    const SleepArgs *a = args;
    int64_t start_us = clock_mono_us(), end_us = start_us + a->ms * 1000;
    for (int64_t now_us = start_us; now_us < end_us; now_us = clock_mono_us()) {
        if (step_canceled(c))
            return err_set(c->err, ERR_CANCELED, "stopped after %" PRId64 " ms",
                           (now_us - start_us) / 1000);
        step_progress(c, (now_us - start_us) / 1000, a->ms, NULL);
        int64_t left_us = end_us - now_us;
        int64_t nap_us = left_us < LOOK_MS * 1000 ? left_us : LOOK_MS * 1000;
        nanosleep(&(struct timespec){.tv_nsec = nap_us * 1000}, NULL);
    }
    json_kv_int(c->data, "slept_ms", (clock_mono_us() - start_us) / 1000);
    return OK;
}

const Step step_test_sleep = {
    .name = "test.sleep",
    .title = "Sleep",
    .summary = "Take the time that is asked for, to test limits, progress and cancelling.",
    .since = "0.1",
    .internal = true,
    .limits = {.time_ms = HOUR_MS},
    .params = sleep_params,
    .args_size = sizeof(SleepArgs),
    .data =
        (const Field[]){{.name = "slept_ms", .type = FIELD_TYPE_INT, .help = "Milliseconds slept."},
                        {0}},
    .errors = (const ErrCode[]){ERR_CANCELED, ERR_LIMIT_TIME, OK},
    .examples =
        (const Example[]){{.title = "A short nap", .args = "{\"ms\": 5}", .expect = "slept_ms>=5"},
                          {0}},
    .run = sleep_run,
};

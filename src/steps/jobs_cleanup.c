/* jobs.cleanup: ended jobs of the project that are old enough go, with their events and files. */
#include "base/clock.h"
#include "steps/steps.h"

typedef struct CleanupArgs {
    int64_t older_than_days;
} CleanupArgs;

static const Param cleanup_params[] = {
    PARAM_INT(CleanupArgs, older_than_days, .min = 1, .max = 36500, .def = 90, .unit = "days",
              .help = "Jobs that were made before so many days go, when they have ended."),
    PARAM_END,
};

static ErrCode cleanup_run(StepCtx *c, const void *args)
{
    const CleanupArgs *a = args;
    return step_ask(c, "cleanup", clock_now_ms() - a->older_than_days * 24 * 3600 * 1000);
}

const Step step_jobs_cleanup = {
    .name = "jobs.cleanup",
    .title = "Clean up jobs",
    .summary = "Remove ended jobs of this project that are old, with their events and files.",
    .since = "0.1",
    .params = cleanup_params,
    .args_size = sizeof(CleanupArgs),
    .limits = {.time_ms = 600000},
    .data = (const Field[]){{"removed", FIELD_TYPE_INT, "How many jobs went."}, {0}},
    .examples =
        (const Example[]){
            {"Older than a century", NULL, "{\"older_than_days\": 36500}", "removed=0"}, {0}},
    .run = cleanup_run,
};

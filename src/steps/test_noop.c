/* test.noop: nothing, successfully. What the queue itself costs is measured with it. */
#include "steps/steps.h"

static ErrCode noop_run(StepCtx *c, const void *args)
{
    (void)c;
    (void)args;
    return OK;
}

const Step step_test_noop = {
    .name = "test.noop",
    .title = "Do nothing",
    .summary = "Succeed without doing anything, to measure and to test the queue.",
    .since = "0.1",
    .internal = true,
    .run = noop_run,
};

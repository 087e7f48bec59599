/* test.fail: fail with a given reason, for ever or until an attempt, so that retry can be tested.
 */
#include "steps/steps.h"

typedef struct FailArgs {
    Str reason, message;
    int64_t until_attempt;
} FailArgs;

static const Param fail_params[] = {
    PARAM_TEXT(FailArgs, reason, .def_text = "internal", .max_len = 64, .example = "engine_crashed",
               .help = "Reason to fail with, as the table of reasons names it."),
    PARAM_TEXT(FailArgs, message, .def_text = "failed as asked", .max_len = 200,
               .help = "Detail of the failure."),
    PARAM_INT(FailArgs, until_attempt, .min = 0, .max = 100, .def = 0,
              .help = "First attempt that succeeds; 0 means that none does."),
    PARAM_END,
};

static ErrCode fail_run(StepCtx *c, const void *args)
{
    const FailArgs *a = args;
    ErrCode code = err_from_reason(a->reason);
    if (code == OK)
        return err_set(c->err, ERR_BAD_PARAM, "there is no reason \"" STR_FMT "\"",
                       STR_ARG(a->reason));
    if (a->until_attempt > 0 && c->attempt >= a->until_attempt) {
        json_kv_int(c->data, "attempt", c->attempt);
        return OK;
    }
    return err_set(c->err, code, STR_FMT, STR_ARG(a->message));
}

const Step step_test_fail = {
    .name = "test.fail",
    .title = "Fail",
    .summary = "Fail with a given reason, always or up to some attempt, to test what follows.",
    .since = "0.1",
    .internal = true,
    .params = fail_params,
    .args_size = sizeof(FailArgs),
    .data =
        (const Field[]){
            {.name = "attempt", .type = FIELD_TYPE_INT, .help = "The attempt that succeeded."},
            {0}},
    .examples = (const Example[]){{.title = "Fail for good",
                                   .args = "{\"reason\": \"input_damaged\"}",
                                   .expect = "reason=input_damaged"},
                                  {0}},
    .run = fail_run,
};

/* test.echo: give back a value, or fail: what a step of a pipeline may do, in one. */
#include "steps/steps.h"

typedef struct EchoArgs {
    const Json *value;
    bool fail;
    Str reason;
    int64_t times;
} EchoArgs;

static const Param echo_params[] = {
    PARAM_JSON(EchoArgs, value, .def_text = "null", .example = "{\"pages\": 3}",
               .help = "Value to give back."),
    PARAM_BOOL(EchoArgs, fail, .help = "Fail at every attempt."),
    PARAM_TEXT(EchoArgs, reason, .def_text = "input_damaged", .max_len = 64, .example = "no_text",
               .help = "Reason to fail with when asked to, as the table of reasons names it."),
    PARAM_INT(EchoArgs, times, .min = 0, .max = 100, .def = 0,
              .help = "Attempts that fail with the reason io, which is tried again, before one "
                      "succeeds."),
    PARAM_END,
};

static ErrCode echo_run(StepCtx *c, const void *args)
{
    const EchoArgs *a = args;
    ErrCode code = err_from_reason(a->reason);
    if (code == OK)
        return err_set(c->err, ERR_BAD_PARAM, "there is no reason \"" STR_FMT "\"",
                       STR_ARG(a->reason));
    if (c->attempt <= a->times && a->times > 0)
        return err_set(c->err, ERR_IO, "attempt %" PRId64 " failed as asked", c->attempt);
    if (a->fail)
        return err_set(c->err, code, "failed as asked");
    json_key(c->data, "value");
    json_put(c->data, a->value);
    return OK;
}

const Step step_test_echo = {
    .name = "test.echo",
    .title = "Echo",
    .summary = "Give back a value, or fail, to test what pipelines make of it.",
    .since = "0.1",
    .internal = true,
    .cacheable = true,
    .params = echo_params,
    .args_size = sizeof(EchoArgs),
    .data =
        (const Field[]){
            {.name = "value", .type = FIELD_TYPE_ANY, .nullable = true, .help = "The value."}, {0}},
    .examples =
        (const Example[]){
            {.title = "Give back a number", .args = "{\"value\": 7}", .expect = "value=7"},
            {.title = "Fail", .args = "{\"fail\": true}", .expect = "reason=input_damaged"},
            {0}},
    .run = echo_run,
};

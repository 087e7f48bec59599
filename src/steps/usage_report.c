/* usage.report: what the project has used lately, by unit, and how many jobs have failed. */
#include "base/clock.h"
#include "steps/steps.h"

typedef struct UsageArgs {
    int64_t days;
} UsageArgs;

static const Param usage_params[] = {
    PARAM_INT(UsageArgs, days, .min = 1, .max = 366, .def = 7, .unit = "days",
              .help = "How far back to count."),
    PARAM_END,
};

static ErrCode usage_run(StepCtx *c, const void *args)
{
    const UsageArgs *a = args;
    int64_t since_ms = clock_now_ms() - a->days * 24 * 3600 * 1000;
    char since[CLOCK_TEXT_SIZE];
    clock_text(since_ms, since);
    json_kv_c(c->data, "since", since);
    return step_ask(c, "usage", since_ms);
}

const Step step_usage_report = {
    .name = "usage.report",
    .title = "Report usage",
    .summary =
        "Say what this project has used in the last days, by unit, and how many jobs failed.",
    .since = "0.1",
    .params = usage_params,
    .args_size = sizeof(UsageArgs),
    .limits = {.time_ms = 60000},
    .data =
        (const Field[]){
            {"since", FIELD_TYPE_TEXT, "Where the count begins.", .format = "date-time"},
            {"failed", FIELD_TYPE_INT, "Jobs that failed."},
            {"usage", FIELD_TYPE_LIST, "What was used, by unit.",
             .items = (const Field[]){{"unit", FIELD_TYPE_TEXT, "What is counted."},
                                      {"amount", FIELD_TYPE_INT, "How much of it."},
                                      {"tasks", FIELD_TYPE_INT, "By how many attempts."},
                                      {0}}},
            {0}},
    .examples = (const Example[]){{"The last week", NULL, "{\"days\": 7}", "failed>=0"}, {0}},
    .run = usage_run,
};

/* queue.send: hand a payload to programs outside of platen and wait for what one of them answers.
 *
 * The step has no `run`: its task stands in the queue that `to` names until a worker leases it over
 * HTTP, or the queue's handler pushes it to an address (flow/outside.h). The data of the job is the
 * worker's answer, its outputs are files that the worker uploaded. */
#include "steps/steps.h"

typedef struct SendArgs {
    Str to;
    const Json *payload;
} SendArgs;

static const Param send_params[] = {
    PARAM_TEXT(SendArgs, to, .required = true, .max_len = 64, .example = "thumbnails",
               .help = "Queue that the workers lease from: at most 64 of a-z 0-9 - _ and dot."),
    PARAM_JSON(SendArgs, payload, .example = "{\"order\": 17}",
               .help = "What the worker gets, any JSON."),
    PARAM_END,
};

const Step step_queue_send = {
    .name = "queue.send",
    .title = "Hand to a queue",
    .summary = "Hand a payload to the outside workers of a queue; the result is what one answers.",
    .since = "0.2",
    .accepts = "*/*",
    .input_optional = true,
    .inputs_max = 100,
    .returns = "*/*",
    .outside = "to",
    .params = send_params,
    .args_size = sizeof(SendArgs),
    .errors = (const ErrCode[]){ERR_TASK_REFUSED, ERR_TASK_FAILED, ERR_WORKER_LOST, OK},
    .examples = (const Example[]){{.title = "Let a program of yours do it",
                                   .args = "{\"to\": \"orders\", \"payload\": {\"order\": 17}}",
                                   .expect = "application/json"},
                                  {.title = "With a file",
                                   .input = "report.pdf",
                                   .args = "{\"to\": \"orders\"}",
                                   .expect = "application/pdf"},
                                  {0}},
};

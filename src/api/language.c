/* language: the words of pipelines for editors, as the checker knows them. */
#include "api/language.h"
#include "api/call.h"
#include "api/routes.h"
#include "hook/trigger.h"

#define TEXT(field, what)                                                                          \
    {                                                                                              \
        .name = field, .type = FIELD_TYPE_TEXT, .help = what                                       \
    }
#define LIST(field, of, what)                                                                      \
    {                                                                                              \
        .name = field, .type = FIELD_TYPE_LIST, .items = of, .help = what                          \
    }

static const Field key_fields[] = {
    TEXT("name", "The key."),
    LIST("in", NULL,
         "Where it may stand: pipeline, step, call, wait, defaults, retry, concurrency, input or "
         "file_input."),
    TEXT("type", "Its value: text, int, number, bool, duration, expression, object, list, choice, "
                 "retry, step, pipeline, nodes or any."),
    {.name = "values",
     .type = FIELD_TYPE_LIST,
     .items = NULL,
     .optional = true,
     .help = "Of a choice: the words, the first is the default."},
    {.name = "only",
     .type = FIELD_TYPE_TEXT,
     .optional = true,
     .help = "Of a wait: only this kind has it."},
    TEXT("help", "What it does."),
    {0},
};

static const Field function_fields[] = {
    TEXT("name", "Its name."),
    TEXT("usage", "With its arguments."),
    TEXT("help", "What it gives."),
    {0},
};

static const Field named_fields[] = {
    TEXT("name", "The word."),
    TEXT("help", "What it is."),
    {0},
};

static const Field trigger_kind_fields[] = {
    TEXT("name", "The kind: a key of on."),
    TEXT("help", "What starts the pipeline."),
    TEXT("main", "The key that a plain value stands for."),
    LIST("keys", named_fields, "Its keys."),
    {0},
};

static const Field member_fields[] = {
    LIST("step", NULL, "Of every step, besides the fields of its data."),
    LIST("file_types", NULL, "Of a step that gives files: the first of a type."),
    LIST("file", NULL, "Of a file."),
    LIST("approval", NULL, "Of a wait for an approval."),
    LIST("time", NULL, "Of a wait for a time."),
    LIST("failure", NULL, "Of failure."),
    LIST("job", NULL, "Of job."),
    {0},
};

const Field language_fields[] = {
    LIST("keys", key_fields, "Every key, by where it stands."),
    LIST("triggers", trigger_kind_fields, "What may stand in on."),
    LIST("functions", function_fields, "Functions of expressions."),
    LIST("roots", named_fields, "What expressions begin with."),
    {.name = "members",
     .type = FIELD_TYPE_OBJECT,
     .items = member_fields,
     .help = "What may follow a name in expressions."},
    {0},
};

void language_get(HttpRequest *req)
{
    Call c;
    if (!call_begin(req, &c))
        return;
    json_begin(&c.json, '{');
    pipeline_put_language(&c.json);
    trigger_put_language(&c.json);
    json_end(&c.json, '}');
    call_answer(&c, 200);
}

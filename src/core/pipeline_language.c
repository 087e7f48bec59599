/* The words of the language, once: what the reader accepts (pipe_keys, pipe_words) and what editors
 * are told (pipeline_put_language) are the same rows. */
#include "core/pipeline_in.h"

static const char *const input_types[] = {"file", "files",  "document", "text", "int", "number",
                                          "bool", "choice", "list",     "json", NULL};
/* In the order of WaitKind, ItemFailure. */
static const char *const waits[] = {"approval", "signal", "time", "callback", NULL};
static const char *const policies[] = {"finish", "stop", "ignore", NULL};
static const char *const roles[] = {"reviewer", "viewer", "runner", "editor", "owner", NULL};
static const char *const ends[] = {"fail", "continue", NULL};

enum {
    WORK = KEY_STEP | KEY_CALL,
    NODE = KEY_STEP | KEY_CALL | KEY_WAIT,
    ANY_INPUT = KEY_INPUT | KEY_FILE_INPUT
};

/* Rows of one name stand next to each other, so that a reader of the list meets them together. */
static const PipeKey keys[] = {
    {"name", KEY_TOP, "text", NULL, NULL,
     "What it is called: a to z, 0 to 9, -, _ and ., beginning with a letter."},
    {"title", KEY_TOP, "text", NULL, NULL, "The name for people."},
    {"summary", KEY_TOP, "text", NULL, NULL, "What it does, in a sentence."},
    {"inputs", KEY_TOP, "object", NULL, NULL, "What a caller gives: values and files."},
    {"defaults", KEY_TOP, "object", NULL, NULL,
     "What stands for all steps that do not say it themselves."},
    {"secrets", KEY_TOP, "list", NULL, NULL,
     "Names of the project's secrets that secrets.NAME may use."},
    {"concurrency", KEY_TOP, "object", NULL, NULL,
     "At most so many jobs with the same key run at once."},
    {"timeout", KEY_TOP, "duration", NULL, NULL, "Of the whole job, waits included."},
    {"on", KEY_TOP, "object", NULL, NULL,
     "What starts it by itself: events, webhooks, folders, times."},
    {"steps", KEY_TOP, "object", NULL, NULL,
     "What runs; a step begins when all that it names have ended."},
    {"on-failure", KEY_TOP, "object", NULL, NULL,
     "Steps that run after the others when one has failed."},
    {"finally", KEY_TOP, "object", NULL, NULL,
     "Steps that run at the end in any case, also after a cancel."},
    {"outputs", KEY_TOP, "object", NULL, NULL,
     "What the job gives; without it what the steps gave that no other needs."},

    {"uses", KEY_STEP, "step", NULL, NULL, "The step that runs."},
    {"call", KEY_CALL, "pipeline", NULL, NULL, "The pipeline that runs as a step of this one."},
    {"wait", KEY_WAIT, "choice", waits, NULL, "What is waited for."},
    {"with", WORK, "object", NULL, NULL,
     "Parameters, and as file what goes in; of a call the inputs of that pipeline."},
    {"needs", NODE, "nodes", NULL, NULL,
     "Steps that end before this one begins, besides those that its expressions name."},
    {"if", NODE, "expression", NULL, NULL,
     "When it is false the step is skipped: its value is null, and those that need it go on."},
    {"continue-on-error", NODE, "bool", NULL, NULL,
     "A failure counts as done for the others; the value has state and reason."},
    {"timeout", WORK, "duration", NULL, NULL, "Of one attempt."},
    {"timeout", KEY_WAIT, "duration", NULL, NULL, "How long it waits; without it for ever."},
    {"foreach", WORK, "expression", NULL, NULL,
     "Once for each member of a list: item and index stand for it."},
    {"matrix", WORK, "object", NULL, NULL,
     "Once for each combination of lists: matrix.NAME stands for it."},
    {"max-parallel", WORK, "int", NULL, NULL,
     "How many of a foreach or matrix run at once, 100 otherwise."},
    {"on-item-failure", WORK, "choice", policies, NULL,
     "Of foreach and matrix: all items run and the step fails (finish), no further one begins "
     "(stop), or a failed item's value is null (ignore)."},
    {"retry", WORK, "retry", NULL, NULL, "How often it is tried; or {attempts, delay}."},
    {"priority", WORK, "int", NULL, NULL, "From -100 to 100; higher runs first."},
    {"memo", KEY_STEP, "bool", NULL, NULL, "False: it runs even when its result is known."},
    {"queue", KEY_STEP, "text", NULL, NULL, "The queue in which its tasks stand."},
    {"who", KEY_WAIT, "choice", roles, "approval", "The least role that may approve."},
    {"signal", KEY_WAIT, "text", NULL, "signal",
     "Name of the signal; the name of the step otherwise."},
    {"for", KEY_WAIT, "duration", NULL, "time", "How long."},
    {"until", KEY_WAIT, "text", NULL, "time", "Until when, like 2026-12-24T18:00:00Z."},
    {"on-timeout", KEY_WAIT, "choice", ends, NULL,
     "When the time is over: the step fails, or goes on with {timed_out: true}."},

    {"retry", KEY_DEFAULTS, "retry", NULL, NULL, "How often a step is tried."},
    {"timeout", KEY_DEFAULTS, "duration", NULL, NULL, "Of one attempt of a step."},
    {"queue", KEY_DEFAULTS, "text", NULL, NULL, "The queue of all tasks."},
    {"priority", KEY_DEFAULTS, "int", NULL, NULL, "From -100 to 100; higher runs first."},
    {"memo", KEY_DEFAULTS, "bool", NULL, NULL, "False: everything runs, nothing is reused."},

    {"attempts", KEY_RETRY, "int", NULL, NULL, "How often it is tried in all."},
    {"delay", KEY_RETRY, "duration", NULL, NULL,
     "The pause before the second attempt; it doubles each time."},

    {"key", KEY_CONCURRENCY, "expression", NULL, NULL, "What the jobs have in common."},
    {"limit", KEY_CONCURRENCY, "int", NULL, NULL, "How many of them run at once, 1 otherwise."},

    {"type", ANY_INPUT, "choice", input_types, NULL, "What it is."},
    {"required", ANY_INPUT, "bool", NULL, NULL, "It has to be given."},
    {"default", KEY_INPUT, "any", NULL, NULL, "What stands when it is not given."},
    {"choices", KEY_INPUT, "list", NULL, NULL,
     "Of a choice: the values it may be, as texts or {name, help}."},
    {"min", KEY_INPUT, "number", NULL, NULL, "The least value."},
    {"max", KEY_INPUT, "number", NULL, NULL, "The greatest value."},
    {"max-len", KEY_INPUT, "int", NULL, NULL, "Most bytes of a text, or members of a list."},
    {"accepts", KEY_FILE_INPUT, "text", NULL, NULL,
     "Media types joined by commas, such as image/*, application/pdf."},
    {"help", ANY_INPUT, "text", NULL, NULL, "What it is for: stands beside it in forms."},
    {"unit", KEY_INPUT, "text", NULL, NULL, "Unit of its value."},
    {"example", KEY_INPUT, "text", NULL, NULL, "A value, shown in forms."},
};

const PipeKey *pipe_key(Str name, unsigned places)
{
    for (size_t i = 0; i < COUNT_OF(keys); i++)
        if ((keys[i].places & places) != 0 && str_eq_c(name, keys[i].name))
            return &keys[i];
    return NULL;
}

void pipe_nearest_key(Nearest *n, unsigned places)
{
    for (size_t i = 0; i < COUNT_OF(keys); i++)
        if ((keys[i].places & places) != 0)
            nearest_try(n, keys[i].name);
}

const char *const *pipe_words(const char *key, unsigned place)
{
    return pipe_key(str_from_c(key), place)->values;
}

const char *pipe_words_text(Arena *a, const char *const *words)
{
    Buf b = buf_init(a, 512);
    for (size_t i = 0; words[i] != NULL; i++)
        buf_addf(&b, "%s%s", i == 0 ? "" : words[i + 1] == NULL ? " or " : ", ", words[i]);
    return buf_c(&b);
}

/* --- for editors --- */

static void put_places(unsigned places, JsonOut *j)
{
    static const struct {
        PipeKeyPlace place;
        const char *name;
    } names[] = {{KEY_TOP, "pipeline"},
                 {KEY_STEP, "step"},
                 {KEY_CALL, "call"},
                 {KEY_WAIT, "wait"},
                 {KEY_DEFAULTS, "defaults"},
                 {KEY_RETRY, "retry"},
                 {KEY_CONCURRENCY, "concurrency"},
                 {KEY_INPUT, "input"},
                 {KEY_FILE_INPUT, "file_input"}};
    json_key(j, "in");
    json_begin(j, '[');
    for (size_t i = 0; i < COUNT_OF(names); i++)
        if ((places & (unsigned)names[i].place) != 0)
            json_put_c(j, names[i].name);
    json_end(j, ']');
}

static void put_key(const PipeKey *k, JsonOut *j)
{
    json_begin(j, '{');
    json_kv_c(j, "name", k->name);
    put_places(k->places, j);
    json_kv_c(j, "type", k->type);
    if (k->values != NULL) {
        json_key(j, "values");
        json_begin(j, '[');
        for (size_t i = 0; k->values[i] != NULL; i++)
            json_put_c(j, k->values[i]);
        json_end(j, ']');
    }
    if (k->only != NULL)
        json_kv_c(j, "only", k->only);
    json_kv_c(j, "help", k->help);
    json_end(j, '}');
}

static void put_function(void *ctx, const char *name, const char *usage, const char *help)
{
    JsonOut *j = ctx;
    json_begin(j, '{');
    json_kv_c(j, "name", name);
    json_kv_c(j, "usage", usage);
    json_kv_c(j, "help", help);
    json_end(j, '}');
}

void pipeline_put_language(JsonOut *j)
{
    json_key(j, "keys");
    json_begin(j, '[');
    for (size_t i = 0; i < COUNT_OF(keys); i++)
        put_key(&keys[i], j);
    json_end(j, ']');
    json_key(j, "functions");
    json_begin(j, '[');
    expr_each_function(put_function, j);
    json_end(j, ']');
    pipe_put_roots(j);
}

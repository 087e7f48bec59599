/* text.language: which language a text is in, and which others are in it. */
#include "text/source.h"
#include "text/text.h"
#include "kit/language.h"

typedef struct LanguageArgs {
    Str text, pages;
    int read_as;
} LanguageArgs;

static const Param language_params[] = {
    PARAM_TEXT(LanguageArgs, text, .example = "Der Kran steht still.",
               .help = "The text itself, instead of a file."),
    PARAM_CHOICE(LanguageArgs, read_as, .choices = source_choices, .def = SOURCE_AUTO,
                 .help = "What the input is."),
    PARAM_TEXT(LanguageArgs, pages, .max_len = 200, .def_text = "", .example = "1-3,7",
               .help = "Pages of a document to take; all when left out."),
    PARAM_END,
};
static const Field share_fields[] = {
    {"language", FIELD_TYPE_TEXT, "Its code (BCP 47)."},
    {"name", FIELD_TYPE_TEXT, "Its English name."},
    {"percent", FIELD_TYPE_INT, "Share of the letters."},
    {0},
};
static const Field language_fields[] = {
    {"language", FIELD_TYPE_TEXT, "Language of most of it (BCP 47), und when it cannot be told."},
    {"name", FIELD_TYPE_TEXT, "Its English name."},
    {"reliable", FIELD_TYPE_BOOL, "Long and clear enough to be sure."},
    {"languages", FIELD_TYPE_LIST, "Up to three languages, the largest share first.",
     .items = share_fields},
    {0},
};

static ErrCode language_run(StepCtx *c, const void *args)
{
    const LanguageArgs *a = args;
    CLEANUP(source_close) Source s = {0};
    LanguageGuess found[3];
    ErrCode rc = source_open(
        c, &(SourceArgs){.as = (SourceAs)a->read_as, .text = a->text, .pages = a->pages}, &s);
    if (rc != OK)
        return rc;
    int n = language_guess_all(s.text.ptr, s.text.len, s.as == SOURCE_MARKDOWN, found);
    json_kv_c(c->data, "language", n > 0 ? found[0].code : "und");
    json_kv_c(c->data, "name", n > 0 ? language_name(found[0].code) : "");
    json_kv_bool(c->data, "reliable", n > 0 && found[0].reliable);
    json_key(c->data, "languages");
    json_begin(c->data, '[');
    for (int i = 0; i < n; i++) {
        json_begin(c->data, '{');
        json_kv_c(c->data, "language", found[i].code);
        json_kv_c(c->data, "name", language_name(found[i].code));
        json_kv_int(c->data, "percent", found[i].percent);
        json_end(c->data, '}');
    }
    json_end(c->data, ']');
    return OK;
}

const Step step_text_language = {
    .name = "text.language",
    .title = "Detect language",
    .summary = "Say which language a text or document is in, and which others are in it.",
    .since = "0.1",
    .accepts = "text/*,application/*,message/rfc822,image/*",
    .input_optional = true,
    .version = 1,
    .cacheable = true,
    .calls = "document.extract",
    .limits = {.time_ms = 300 * 1000, .cpu_ms = 120 * 1000, .memory_bytes = (int64_t)1 << 30},
    .params = language_params,
    .args_size = sizeof(LanguageArgs),
    .data = language_fields,
    .errors = SOURCE_ERRORS,
    .examples =
        (const Example[]){
            {.title = "A sentence",
             .args = "{\"text\": \"Der Kran im Hafen steht seit gestern "
                     "still, und niemand weiß, warum.\"}",
             .expect = "language=de; reliable=true"},
            {.title = "A file in Cyrillic letters", .input = "koi8-r.txt", .expect = "language=ru"},
            {0}},
    .run = language_run,
};

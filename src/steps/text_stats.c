/* text.stats: how long a text is.
 *
 * What    characters (code points), words, lines, paragraphs, bytes, and how long reading takes.
 * Words   runs of anything but white space; in scripts written without spaces (Han, kana, Thai …) every character
 *         counts as a word, as word processors do.
 * Time    at 238 words a minute, the mean of silent reading in English (Brysbaert 2019). */
#include "steps/steps.h"

enum { WORDS_PER_MINUTE = 238 };

typedef struct StatsArgs {
    Str text;
} StatsArgs;

static const Param stats_params[] = {
    PARAM_TEXT(StatsArgs, text, .required = true, .example = "Two words",
               .help = "Text to measure."),
    PARAM_END,
};

typedef struct Stats {
    int64_t characters, spaces, words, lines, paragraphs;
} Stats;

static bool is_space(uint32_t c)
{
    return c == ' ' || (c >= 0x09 && c <= 0x0d) || c == 0x85 || c == 0xa0 || c == 0x1680 ||
           (c >= 0x2000 && c <= 0x200b) || c == 0x2028 || c == 0x2029 || c == 0x202f ||
           c == 0x205f || c == 0x3000 || c == 0xfeff;
}

/* Scripts that put no space between words. */
static bool stands_alone(uint32_t c)
{
    static const struct {
        uint32_t first, last;
    } ranges[] = {
        {0x0e01, 0x0e2e},   /* Thai letters */
        {0x3041, 0x30ff},   /* Hiragana, Katakana */
        {0x3400, 0x4dbf},   /* Han, extension A */
        {0x4e00, 0x9fff},   /* Han */
        {0xf900, 0xfaff},   /* Han, compatibility */
        {0x20000, 0x3ffff}, /* Han, further extensions */
    };
    for (size_t i = 0; i < COUNT_OF(ranges); i++)
        if (c >= ranges[i].first && c <= ranges[i].last)
            return true;
    return false;
}

/* A line ends at LF, at CR LF, or at a CR alone; the last one needs no end. A paragraph is a run of
 * lines with words. */
static Stats stats_of(Str text)
{
    Stats s = {0};
    bool in_word = false, words_in_line = false, in_paragraph = false, open_line = false;
    uint32_t before = 0;
    for (size_t at = 0; at < text.len;) {
        uint32_t c = str_next_utf8(text, &at);
        s.characters++;
        if (is_space(c)) {
            s.spaces++;
            in_word = false;
        } else {
            bool alone = stands_alone(c);
            s.words += alone || !in_word;
            in_word = !alone;
            words_in_line = true;
            s.paragraphs += !in_paragraph;
            in_paragraph = true;
        }
        bool ends_line = c == '\r' || (c == '\n' && before != '\r');
        if (ends_line) {
            s.lines++;
            in_paragraph = words_in_line;
            words_in_line = false;
        }
        open_line = c != '\n' && c != '\r';
        before = c;
    }
    s.lines += open_line;
    return s;
}

static ErrCode stats_run(StepCtx *c, const void *args)
{
    const StatsArgs *a = args;
    Stats s = stats_of(a->text);
    json_kv_int(c->data, "characters", s.characters);
    json_kv_int(c->data, "characters_without_spaces", s.characters - s.spaces);
    json_kv_int(c->data, "words", s.words);
    json_kv_int(c->data, "lines", s.lines);
    json_kv_int(c->data, "paragraphs", s.paragraphs);
    json_kv_int(c->data, "size_bytes", (int64_t)a->text.len);
    json_kv_int(c->data, "reading_seconds",
                (s.words * 60 + WORDS_PER_MINUTE - 1) / WORDS_PER_MINUTE);
    return OK;
}

const Step step_text_stats = {
    .name = "text.stats",
    .title = "Text statistics",
    .summary =
        "Count characters, words, lines and paragraphs of a text and estimate its reading time.",
    .since = "0.1",
    .version = 1,
    .cacheable = true,
    .params = stats_params,
    .args_size = sizeof(StatsArgs),
    .data =
        (const Field[]){
            {.name = "characters", .type = FIELD_TYPE_INT, .help = "Unicode code points."},
            {.name = "characters_without_spaces",
             .type = FIELD_TYPE_INT,
             .help = "Code points that are not white space."},
            {.name = "words",
             .type = FIELD_TYPE_INT,
             .help = "Runs without white space; in scripts without spaces, characters."},
            {.name = "lines",
             .type = FIELD_TYPE_INT,
             .help = "Lines, the last one even without an end."},
            {.name = "paragraphs",
             .type = FIELD_TYPE_INT,
             .help = "Runs of lines that are not blank."},
            {.name = "size_bytes", .type = FIELD_TYPE_INT, .help = "Size in UTF-8."},
            {.name = "reading_seconds", .type = FIELD_TYPE_INT, .help = "At 238 words a minute."},
            {0}},
    .examples = (const Example[]){{.title = "Count words",
                                   .args = "{\"text\": \"Two words.\\n\\nThree more words.\"}",
                                   .expect = "words=5;lines=3;paragraphs=2"},
                                  {0}},
    .run = stats_run,
};

/* text.chunk: a text cut into pieces that a search index or a model can take.
 *
 * What    any input in, a line of JSON per chunk out: its text, its exact place in the source, its
 *         tokens, pages, headings, and who stands before, after and above it (chunk_out.h).
 * Why     a chunk without its page cannot be cited, one that is too long is cut off by the model,
 *         and one that tears a table apart answers nothing.
 * How     the source becomes blocks (source.h); the method says where chunks should begin (cuts.h);
 *         blocks are put together and, where one is too large, taken apart (pack.h).
 * Sure    put together in order, the chunks are the source, character for character; none is larger
 *         than `size`.
 * Memory  plain text is read from its file and chunks are written as they are made; see source.h
 *         for the limits. */
#include "text/chunk_out.h"
#include "text/cuts.h"
#include "text/text.h"
#include "base/fd.h"

enum {
    TOKENS_DEFAULT = 512,
    CHARACTERS_DEFAULT = 2000,
    SIZE_MIN = 16,
    SIZE_MAX_ = 1 << 20,
    PROGRESS_BYTES = 4 << 20,
};

enum Method { BY_TOKENS, BY_CHARACTERS, BY_SENTENCES, BY_HEADINGS, BY_MEANING, BY_RULES };
static const Choice method_choices[] = {
    [BY_TOKENS] = {"tokens", "As many words as fit, counted in tokens."},
    [BY_CHARACTERS] = {"characters", "As many words as fit, counted in characters."},
    [BY_SENTENCES] = {"sentences", "Whole sentences and whole blocks."},
    [BY_HEADINGS] = {"headings", "A new chunk at each heading; whole blocks."},
    [BY_MEANING] = {"meaning",
                    "A new chunk where neighbouring sentences have least in common; whole blocks."},
    [BY_RULES] = {"rules", "A new chunk at each match of your regular expressions; whole blocks."},
    {0},
};

static const Choice encoding_choices[] = {
    [O200K] = {"o200k", "That of GPT-4o, GPT-4.1, GPT-5, o1, o3 and o4."},
    [CL100K] = {"cl100k", "That of GPT-4, GPT-3.5 and text-embedding-3."},
    {0},
};

static const Choice unit_choices[] = {
    [METER_TOKENS] = {"tokens", "Tokens of the encoding."},
    [METER_CHARACTERS] = {"characters", "Unicode characters."},
    {0},
};

enum Format { FORMAT_JSONL, FORMAT_JSON };
static const Choice format_choices[] = {
    [FORMAT_JSONL] = {"jsonl", "A line of JSON per chunk."},
    [FORMAT_JSON] = {"json", "One JSON document with a list."},
    {0},
};

typedef struct ChunkArgs {
    int method, encoding, unit, read_as, format;
    int64_t size, overlap, min_size, heading_level;
    Str rules, pages, password, text;
    bool after, repeat_header, with_source;
} ChunkArgs;

static const Param chunk_params[] = {
    PARAM_CHOICE(ChunkArgs, method, .choices = method_choices, .def = BY_SENTENCES,
                 .help = "Where chunks begin and end."),
    PARAM_INT(ChunkArgs, size, .min = SIZE_MIN, .max = SIZE_MAX_, .example = "512",
              .help =
                  "Most that a chunk may have, overlap included; left out: 512 tokens, or 2,000 "
                  "characters."),
    PARAM_INT(ChunkArgs, overlap, .min = 0, .max = SIZE_MAX_ / 2, .def = 0, .example = "64",
              .help =
                  "How much of the text before a chunk is given along with it, apart, at most; up "
                  "to half of the size."),
    PARAM_INT(ChunkArgs, min_size, .min = 1, .max = SIZE_MAX_, .example = "100",
              .help = "A heading, a rule or a change of meaning ends no chunk that has less than "
                      "this; left out: 0, for meaning a quarter of the size."),
    PARAM_CHOICE(ChunkArgs, unit, .choices = unit_choices, .def = -1,
                 .help = "What the sizes count; left out: characters for the method of that name, "
                         "else tokens."),
    PARAM_CHOICE(ChunkArgs, encoding, .choices = encoding_choices, .def = O200K,
                 .help = "How tokens are counted."),
    PARAM_INT(ChunkArgs, heading_level, .min = 1, .max = 6, .def = 6,
              .help = "With the method headings: the lowest level that begins a chunk."),
    PARAM_TEXT(ChunkArgs, rules, .max_len = 20000, .example = "^Article \\d+",
               .help =
                   "With the method rules: regular expressions (ICU), one a line; ^ and $ match at "
                   "lines."),
    PARAM_BOOL(ChunkArgs, after, .help = "With the method rules: begin chunks after the matches."),
    PARAM_BOOL(ChunkArgs, repeat_header,
               .help = "Give the head of a table along with each chunk that begins within it."),
    PARAM_CHOICE(ChunkArgs, read_as, .choices = source_choices, .def = SOURCE_AUTO,
                 .help = "What the input is."),
    PARAM_TEXT(ChunkArgs, pages, .max_len = 200, .def_text = "", .example = "1-3,7",
               .help = "Pages of a document to take; all when left out."),
    PARAM_TEXT(ChunkArgs, password, .secret = true, .max_len = 500,
               .help = "Password of an encrypted document."),
    PARAM_TEXT(ChunkArgs, text, .help = "The text itself, instead of a file."),
    PARAM_CHOICE(ChunkArgs, format, .choices = format_choices, .def = FORMAT_JSONL,
                 .help = "How the chunks are written."),
    PARAM_BOOL(ChunkArgs, with_source,
               .help = "Also give the text that the ranges count in, as source.txt."),
    PARAM_END,
};

static const Field chunk_fields[] = {
    {"chunks", FIELD_TYPE_INT, "How many there are."},
    {"tokens", FIELD_TYPE_INT, "Tokens of all chunks, overlap not counted."},
    {"characters", FIELD_TYPE_INT, "Unicode characters of the source."},
    {"pages", FIELD_TYPE_INT, "Pages of the source; 0 when it has none."},
    {"smallest", FIELD_TYPE_INT, "Tokens of the smallest chunk."},
    {"largest", FIELD_TYPE_INT, "Tokens of the largest chunk."},
    {"method", FIELD_TYPE_TEXT, "Where chunks begin and end.", .choices = method_choices},
    {"size", FIELD_TYPE_INT, "Most that a chunk may have."},
    {"unit", FIELD_TYPE_TEXT, "What the size counts.", .choices = unit_choices},
    {"encoding", FIELD_TYPE_TEXT, "Encoding whose tokens are counted."},
    {"read_as", FIELD_TYPE_TEXT, "What the input was read as.", .choices = source_choices},
    {0},
};

typedef struct Work {
    StepCtx *c;
    const ChunkArgs *args;
    Source source;
    int64_t size, smallest;
    MeterUnit unit;
    Cuts cuts;
    Tokenizer *tokenizer;
    ChunkOut out;
    Pack pack;
    size_t told; /* progress up to here */
} Work;

static ErrCode bad(StepCtx *c, const char *param, const char *why)
{
    err_set(c->err, ERR_BAD_PARAM, "%s", why);
    err_param(c->err, param);
    return ERR_BAD_PARAM;
}

static ErrCode plan(Work *w)
{
    const ChunkArgs *a = w->args;
    w->unit = a->unit >= 0                 ? (MeterUnit)a->unit
              : a->method == BY_CHARACTERS ? METER_CHARACTERS
                                           : METER_TOKENS;
    int64_t usual = w->unit == METER_TOKENS ? TOKENS_DEFAULT : CHARACTERS_DEFAULT;
    w->size = a->size > 0 ? a->size : usual;
    w->smallest = a->min_size > 0 ? a->min_size : a->method == BY_MEANING ? w->size / 4 : 0;
    if (a->overlap > w->size / 2)
        return bad(w->c, "overlap", "must be at most half of the size");
    if (w->smallest > w->size - a->overlap)
        return bad(w->c, "min_size", "must be at most the size less the overlap");
    if (a->rules.len > 0 && a->method != BY_RULES)
        return bad(w->c, "rules", "goes with the method \"rules\" only");
    return OK;
}

static ErrCode find_cuts(Work *w)
{
    const ChunkArgs *a = w->args;
    w->cuts.arena = w->c->arena;
    if (a->method == BY_HEADINGS)
        return cuts_by_headings(&w->source, (int)a->heading_level, &w->cuts, w->c->err);
    if (a->method == BY_MEANING)
        return cuts_by_meaning(&w->source, &w->cuts, w->c->err);
    if (a->method == BY_RULES)
        return cuts_by_rules(&w->source, a->rules, a->after, &w->cuts, w->c->err);
    return OK;
}

static ErrCode take(void *ctx, const PackChunk *chunk, Err *err)
{
    Work *w = ctx;
    if (chunk->to - w->told >= PROGRESS_BYTES) {
        w->told = chunk->to;
        step_progress(w->c, (int64_t)chunk->to, (int64_t)w->source.text.len, "cutting");
        if (step_canceled(w->c))
            return err_set(err, ERR_CANCELED, "the job was cancelled");
    }
    return chunk_out_take(&w->out, chunk, err);
}

/* One block, with the white space up to the next; cut where the method says so. */
static ErrCode pack_block(Work *w, const SourceBlock *b, size_t from, size_t to, size_t *cut)
{
    ErrCode rc = OK;
    while (from < to && rc == OK) {
        while (*cut < w->cuts.len && w->cuts.at[*cut] < from)
            *cut += 1;
        bool starts = *cut < w->cuts.len && w->cuts.at[*cut] == from;
        *cut += starts;
        size_t end = *cut < w->cuts.len && w->cuts.at[*cut] < to ? w->cuts.at[*cut] : to;
        rc = pack_unit(&w->pack, &(PackUnit){.from = from, .to = end, .block = b, .starts = starts},
                       w->c->err);
        from = end;
    }
    return rc;
}

static ErrCode pack_all(Work *w)
{
    const Source *s = &w->source;
    size_t cut = 0;
    ErrCode rc = OK;
    pack_begin(&w->pack);
    for (size_t i = 0; i < s->blocks_len && rc == OK; i++)
        rc = pack_block(w, &s->blocks[i], i == 0 ? 0 : s->blocks[i].from,
                        i + 1 < s->blocks_len ? s->blocks[i + 1].from : s->text.len, &cut);
    return rc == OK ? pack_end(&w->pack, w->c->err) : rc;
}

static ErrCode write_chunks(Work *w)
{
    const ChunkArgs *a = w->args;
    CLEANUP(fd_close) int fd = -1;
    bool list = a->format == FORMAT_JSON;
    ErrCode rc = list ? step_output(w->c, STR("chunks.json"), STR("application/json"), &fd)
                      : step_output(w->c, STR("chunks.jsonl"), STR("application/x-ndjson"), &fd);
    if (rc != OK)
        return rc;
    CLEANUP(arena_close) Arena *scratch = arena_open(4 * MIB);
    if (scratch == NULL)
        return err_set(w->c->err, ERR_NO_MEMORY, "no memory to write chunks");
    w->out = (ChunkOut){.step = w->c,
                        .source = &w->source,
                        .tokenizer = w->tokenizer,
                        .unit = w->unit,
                        .size = w->size,
                        .overlap = a->overlap,
                        .list = list,
                        .fd = fd,
                        .scratch = scratch};
    w->pack = (Pack){
        .source = &w->source,
        .meter = {.tokenizer = w->tokenizer, .text = w->source.text, .unit = w->unit},
        .limit = w->size - a->overlap,
        .smallest = w->smallest,
        .words = a->method == BY_TOKENS || a->method == BY_CHARACTERS,
        .heads = a->repeat_header,
        .take = take,
        .ctx = w,
    };
    rc = chunk_out_begin(&w->out);
    if (rc == OK)
        rc = pack_all(w);
    return rc == OK ? chunk_out_end(&w->out) : rc;
}

static void put_data(const Work *w)
{
    JsonOut *j = w->c->data;
    if (j == NULL)
        return;
    json_kv_int(j, "chunks", (int64_t)w->out.count);
    json_kv_int(j, "tokens", w->out.tokens);
    json_kv_int(j, "characters", w->out.characters);
    json_kv_int(j, "pages", w->source.pages);
    json_kv_int(j, "smallest", w->out.tokens_min);
    json_kv_int(j, "largest", w->out.tokens_max);
    json_kv_c(j, "method", method_choices[w->args->method].name);
    json_kv_int(j, "size", w->size);
    json_kv_c(j, "unit", unit_choices[w->unit].name);
    json_kv_c(j, "encoding", encoding_name((Encoding)w->args->encoding));
    json_kv_c(j, "read_as", source_choices[w->source.as].name);
}

static ErrCode chunk(Work *w)
{
    const ChunkArgs *a = w->args;
    ErrCode rc = plan(w);
    if (rc == OK)
        rc = source_open(w->c,
                         &(SourceArgs){.as = (SourceAs)a->read_as,
                                       .text = a->text,
                                       .pages = a->pages,
                                       .password = a->password,
                                       .structure = true},
                         &w->source);
    if (rc == OK)
        rc = find_cuts(w);
    if (rc != OK)
        return rc;
    w->tokenizer = tokenizer_open(w->c->arena, (Encoding)a->encoding);
    if (w->tokenizer == NULL)
        return err_set(w->c->err, ERR_NO_MEMORY, "no memory to count tokens");
    rc = write_chunks(w);
    if (rc != OK)
        return rc;
    put_data(w);
    step_usage(w->c, "tokens", w->out.tokens);
    return a->with_source
               ? step_output_bytes(w->c, STR("source.txt"), STR("text/plain"), w->source.text)
               : OK;
}

static ErrCode chunk_run(StepCtx *c, const void *args)
{
    Work *w = arena_new(c->arena, Work, 1);
    if (w == NULL)
        return err_set(c->err, ERR_NO_MEMORY, "no memory to begin");
    w->c = c;
    w->args = args;
    ErrCode rc = chunk(w);
    source_close(&w->source);
    return rc;
}

const Step step_text_chunk = {
    .name = "text.chunk",
    .title = "Cut into chunks",
    .summary = "Cut a text or any document into chunks for search and models, each with its exact "
               "range, tokens, pages and headings.",
    .since = "0.1",
    .accepts = "text/*,application/*,message/rfc822,image/*",
    .returns = "application/x-ndjson,application/json,text/plain",
    .input_optional = true,
    .version = 1,
    .cacheable = true,
    .calls = "document.extract",
    .limits = {.time_ms = 300 * 1000, .cpu_ms = 120 * 1000, .memory_bytes = (int64_t)1 << 30},
    .params = chunk_params,
    .args_size = sizeof(ChunkArgs),
    .data = chunk_fields,
    .errors = (const ErrCode[]){ERR_BAD_PARAM, ERR_INPUT_MISSING, ERR_INPUT_EMPTY,
                                ERR_INPUT_TOO_LARGE, ERR_INPUT_DAMAGED, ERR_INPUT_ENCRYPTED,
                                ERR_NO_TEXT, ERR_UNSUPPORTED_TYPE, ERR_LIMIT_MEMORY, ERR_LIMIT_CPU,
                                ERR_LIMIT_COUNT, ERR_LIMIT_DEPTH, ERR_LIMIT_RATIO, ERR_LIMIT_PIXELS,
                                ERR_LIMIT_OUTPUT, ERR_ENGINE_MISSING, ERR_CANCELED, OK},
    .examples =
        (const Example[]){
            {.title = "Whole sentences, 64 tokens at most, 16 of them overlap",
             .input = "notes.md",
             .args = "{\"size\": 64, \"overlap\": 16}",
             .expect = "application/x-ndjson;chunks>=2;read_as=markdown"},
            {.title = "A chunk per section of a PDF, with the text it counts in",
             .input = "report.pdf",
             .args = "{\"method\": \"headings\", \"with_source\": true}",
             .expect = "application/x-ndjson;text/plain;pages=3;chunks>=2"},
            {.title = "A table between its rows, its head repeated",
             .input = "people.csv",
             .args = "{\"size\": 48, \"repeat_header\": true}",
             .expect = "application/x-ndjson;chunks>=2;read_as=document"},
            {.title = "At your own rules, as one JSON document",
             .input = "notes.md",
             .args = "{\"method\": \"rules\", \"rules\": \"^#+ \", \"format\": \"json\"}",
             .expect = "application/json;chunks>=2"},
            {0}},
    .run = chunk_run,
};

/* document.analyze: what is in a document: its structure, tables, forms, languages and kind.
 *
 * What    one document in; data says what it is, the outputs hold structure.json (headings as a tree,
 *         languages of blocks, tables as rows, fields) and each table as CSV.
 * How     document.extract reads it (blocks with page and range); the rest is counting. */
#include "text/analyze.h"
#include "text/readability.h"
#include "text/source.h"
#include "text/text.h"
#include "kit/language.h"
#include "base/fd.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum {
    TREE_DATA_MAX = 200,
    TREE_DEPTH = 9,
    TABLES_MAX = 500,
    JSON_MAX = 96 << 20,
    KIND_TEXT_MAX = 20000,
    LANGUAGE_BYTES = 60,
};

typedef struct AnalyzeArgs {
    Str pages, password;
    bool tables;
} AnalyzeArgs;

static const Param analyze_params[] = {
    PARAM_TEXT(AnalyzeArgs, pages, .max_len = 200, .def_text = "", .example = "1-3,7",
               .help = "Pages of the document to take; all when left out."),
    PARAM_TEXT(AnalyzeArgs, password, .secret = true, .max_len = 500,
               .help = "Password of an encrypted document."),
    PARAM_BOOL(AnalyzeArgs, tables, .help = "Also give each table as a CSV file."),
    PARAM_END,
};
static const Field heading_fields[] = {
    {"level", FIELD_TYPE_INT, "1 is the highest."},
    {"title", FIELD_TYPE_TEXT, "Its words."},
    {"page", FIELD_TYPE_INT, "Its page.", .optional = true},
    {"from", FIELD_TYPE_INT, "Where it begins in the text, in characters."},
    {0},
};
static const Field share_fields[] = {
    {"language", FIELD_TYPE_TEXT, "Its code (BCP 47)."},
    {"blocks", FIELD_TYPE_INT, "Blocks in it."},
    {0},
};
static const Field form_fields[] = {
    {"name", FIELD_TYPE_TEXT, "The field's full name."},
    {"kind", FIELD_TYPE_TEXT, "One of text, checkbox, radio, choice, button, signature, date."},
    {"value", FIELD_TYPE_TEXT, "What is filled in."},
    {"page", FIELD_TYPE_INT, "Its page.", .optional = true},
    {0},
};
static const Field readability_fields[] = {
    {"words", FIELD_TYPE_INT, "Words of prose."},
    {"sentences", FIELD_TYPE_INT, "Sentences."},
    {"syllables", FIELD_TYPE_INT, "Syllables."},
    {"flesch", FIELD_TYPE_NUMBER, "Flesch reading ease: 100 is easy, 0 is hard; for English."},
    {"flesch_kincaid", FIELD_TYPE_NUMBER, "Years of school, by Flesch and Kincaid."},
    {"fog", FIELD_TYPE_NUMBER, "Years of school, by Gunning."},
    {"smog", FIELD_TYPE_NUMBER, "Years of school, by McLaughlin."},
    {"ari", FIELD_TYPE_NUMBER, "Automated readability index."},
    {"coleman_liau", FIELD_TYPE_NUMBER, "Years of school, by Coleman and Liau."},
    {"lix", FIELD_TYPE_NUMBER, "LIX: under 30 is easy, over 60 is hard; for most of Europe."},
    {"minutes", FIELD_TYPE_NUMBER, "Time to read it, at 230 words a minute."},
    {0},
};
static const Field analyze_fields[] = {
    {"kind", FIELD_TYPE_TEXT, "Kind of document: invoice, article, slides and so on."},
    {"confidence", FIELD_TYPE_NUMBER, "How sure that is, 0 to 1."},
    {"reasons", FIELD_TYPE_LIST, "Why, in sentences."},
    {"type", FIELD_TYPE_TEXT, "Media type."},
    {"pages", FIELD_TYPE_INT, "Pages; 0 when the format has none."},
    {"words", FIELD_TYPE_INT, "Words."},
    {"headings", FIELD_TYPE_INT, "Headings."},
    {"tables", FIELD_TYPE_INT, "Tables."},
    {"lists", FIELD_TYPE_INT, "Items of lists."},
    {"language", FIELD_TYPE_TEXT, "Language of most of it."},
    {"languages", FIELD_TYPE_LIST, "Languages of its blocks.", .items = share_fields},
    {"outline", FIELD_TYPE_LIST, "Its headings in order, the first 200.", .items = heading_fields},
    {"form_fields", FIELD_TYPE_LIST, "Fields of forms, with what is filled in.",
     .items = form_fields},
    {"readability", FIELD_TYPE_OBJECT, "How hard it is to read.", .items = readability_fields},
    {0},
};

enum { LANGUAGES_MAX = 16 };
typedef struct Share {
    char code[16];
    int64_t blocks;
} Share;

typedef struct Analysis {
    StepCtx *c;
    const AnalyzeArgs *args;
    const Json *doc, *data; /* document.extract's JSON, and its data */
    KindFacts facts;
    Readability reading;
    Share shares[LANGUAGES_MAX];
    size_t shares_len;
    Buf text, heads; /* of the beginning, for the kind */
    JsonOut j;       /* structure.json */
} Analysis;

/* ---- reading the document ---- */

static ErrCode extract(Analysis *n)
{
    StepCtx *c = n->c;
    StepReply reply = {0};
    Str all = {0};
    Buf b = buf_init(c->arena, 4096);
    JsonOut j = json_out(&b);
    json_begin(&j, '{');
    json_kv_c(&j, "format", "json");
    if (n->args->pages.len > 0)
        json_kv_str(&j, "pages", n->args->pages);
    if (n->args->password.len > 0)
        json_kv_str(&j, "password", n->args->password);
    json_end(&j, '}');
    if (b.failed)
        return err_set(c->err, ERR_NO_MEMORY, "calling document.extract");
    ErrCode rc = step_call(c, "document.extract", buf_str(&b), c->inputs, 1, &reply);
    if (rc == OK && reply.outputs_len == 0)
        rc = err_set(c->err, ERR_NO_TEXT, "there is nothing to analyze");
    if (rc == OK)
        rc = fd_read_file(reply.outputs[0].fd, c->arena, JSON_MAX, &all, c->err);
    if (rc == OK)
        rc = json_parse(c->arena, all, &n->doc, c->err);
    n->data = reply.data;
    step_reply_close(&reply);
    return rc;
}

static bool is_kind(const Json *block, const char *kind)
{
    return str_eq_c(json_text(json_get(block, "kind")), kind);
}

static void count_language(Analysis *n, const LanguageGuess *g)
{
    size_t i = 0;
    while (i < n->shares_len && strcmp(n->shares[i].code, g->code) != 0)
        i++;
    if (i == LANGUAGES_MAX)
        return;
    if (i == n->shares_len) {
        n->shares_len++;
        n->shares[i] = (Share){0};
        snprintf(n->shares[i].code, sizeof n->shares[i].code, "%s", g->code);
    }
    n->shares[i].blocks++;
}

/* Short blocks say too little to be sure of their language. */
static bool guess_block(Str text, LanguageGuess *g)
{
    *g = (LanguageGuess){0};
    if (text.len >= LANGUAGE_BYTES)
        language_guess(text.ptr, text.len, false, g);
    return g->code[0] != 0;
}

static void count_table(Analysis *n, const Json *block)
{
    n->facts.tables++;
    json_each(row, json_get(block, "rows"))
        n->facts.table_cells += (int64_t)row->len;
}

static void look_at(Analysis *n, const Json *block)
{
    LanguageGuess g;
    Str text = json_text(json_get(block, "text"));
    if (is_kind(block, "heading")) {
        n->facts.headings++;
        buf_add(&n->heads, str_slice(text, 0, 200));
        buf_add_char(&n->heads, '\n');
    }
    n->facts.items += is_kind(block, "item");
    n->facts.code += is_kind(block, "code");
    if (is_kind(block, "table"))
        count_table(n, block);
    if (guess_block(text, &g))
        count_language(n, &g);
    if (is_kind(block, "paragraph") || is_kind(block, "quote"))
        readability_add(&n->reading, text);
    if (n->text.len < KIND_TEXT_MAX) {
        buf_add(&n->text, str_slice(text, 0, KIND_TEXT_MAX));
        buf_add_char(&n->text, '\n');
        json_each(row, json_get(block, "rows"))
            json_each(cell, row) {
                buf_add(&n->text, str_slice(json_text(json_get(cell, "text")), 0, 200));
                buf_add_char(&n->text, ' ');
            }
    }
}

/* ---- structure.json ---- */

static void put_page(JsonOut *j, const Json *block)
{
    int64_t page = json_int(json_get(block, "page"), 0);
    if (page > 0)
        json_kv_int(j, "page", page);
}

static void begin_section(JsonOut *j, const Json *block, int64_t level)
{
    json_begin(j, '{');
    json_kv_int(j, "level", level);
    json_kv_str(j, "title", json_text(json_get(block, "text")));
    put_page(j, block);
    json_kv_int(j, "from", json_int(json_get(block, "from"), 0));
    json_key(j, "sections");
    json_begin(j, '[');
}

static void end_section(JsonOut *j)
{
    json_end(j, ']');
    json_end(j, '}');
}

static void put_tree(Analysis *n)
{
    int64_t open[TREE_DEPTH];
    size_t depth = 0;
    json_key(&n->j, "sections");
    json_begin(&n->j, '[');
    json_each(block, json_get(n->doc, "blocks")) {
        if (!is_kind(block, "heading"))
            continue;
        int64_t level = json_int(json_get(block, "level"), 1);
        while (depth > 0 && (open[depth - 1] >= level || depth == TREE_DEPTH)) {
            end_section(&n->j);
            depth--;
        }
        begin_section(&n->j, block, level);
        open[depth++] = level;
    }
    while (depth-- > 0)
        end_section(&n->j);
    json_end(&n->j, ']');
}

static void put_table_rows(JsonOut *j, const Json *table)
{
    json_begin(j, '{');
    put_page(j, table);
    json_kv_int(j, "from", json_int(json_get(table, "from"), 0));
    json_kv_int(j, "to", json_int(json_get(table, "to"), 0));
    json_key(j, "rows");
    json_begin(j, '[');
    json_each(row, json_get(table, "rows")) {
        json_begin(j, '[');
        json_each(cell, row)
            json_put_str(j, json_text(json_get(cell, "text")));
        json_end(j, ']');
    }
    json_end(j, ']');
    json_end(j, '}');
}

static void put_tables(Analysis *n)
{
    json_key(&n->j, "tables");
    json_begin(&n->j, '[');
    json_each(block, json_get(n->doc, "blocks"))
        if (is_kind(block, "table"))
            put_table_rows(&n->j, block);
    json_end(&n->j, ']');
}

static void put_block_languages(Analysis *n)
{
    LanguageGuess g;
    json_key(&n->j, "blocks");
    json_begin(&n->j, '[');
    json_each(block, json_get(n->doc, "blocks")) {
        if (!guess_block(json_text(json_get(block, "text")), &g))
            continue;
        json_begin(&n->j, '{');
        json_kv_int(&n->j, "from", json_int(json_get(block, "from"), 0));
        json_kv_int(&n->j, "to", json_int(json_get(block, "to"), 0));
        json_kv_c(&n->j, "language", g.code);
        json_end(&n->j, '}');
    }
    json_end(&n->j, ']');
}

static ErrCode write_structure(Analysis *n)
{
    Buf b = buf_init(n->c->arena, JSON_MAX);
    n->j = json_out(&b);
    json_begin(&n->j, '{');
    put_tree(n);
    put_tables(n);
    put_block_languages(n);
    json_end(&n->j, '}');
    if (b.failed)
        return err_set(n->c->err, ERR_LIMIT_OUTPUT, "the structure is too large");
    return step_output_bytes(n->c, STR("structure.json"), STR("application/json"), buf_str(&b));
}

/* RFC 4180. */
static void put_cell(Buf *b, Str s)
{
    bool quoted = false;
    for (size_t i = 0; i < s.len && !quoted; i++)
        quoted = strchr(",\"\r\n", s.ptr[i]) != NULL;
    if (quoted)
        buf_add_char(b, '"');
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] == '"')
            buf_add_char(b, '"');
        buf_add_char(b, s.ptr[i]);
    }
    if (quoted)
        buf_add_char(b, '"');
}

static ErrCode write_csv(Analysis *n, const Json *table, int number)
{
    Buf b = buf_init(n->c->arena, 32 * MIB);
    json_each(row, json_get(table, "rows")) {
        bool first = true;
        json_each(cell, row) {
            if (!first)
                buf_add_char(&b, ',');
            put_cell(&b, json_text(json_get(cell, "text")));
            int64_t span = json_int(json_get(cell, "colspan"), 1);
            for (int64_t i = 1; i < span; i++)
                buf_add_char(&b, ',');
            first = false;
        }
        buf_add_c(&b, "\r\n");
    }
    if (b.failed)
        return err_set(n->c->err, ERR_LIMIT_OUTPUT, "a table is too large");
    return step_output_bytes(n->c, str_printf(n->c->arena, "table-%03d.csv", number),
                             STR("text/csv"), buf_str(&b));
}

static ErrCode write_tables(Analysis *n)
{
    int number = 0;
    ErrCode rc = OK;
    json_each(block, json_get(n->doc, "blocks")) {
        if (rc != OK || !is_kind(block, "table") || number == TABLES_MAX)
            continue;
        ArenaMark mark = arena_mark(n->c->arena);
        rc = write_csv(n, block, ++number);
        arena_rewind(n->c->arena, mark);
    }
    return rc;
}

/* ---- data ---- */

static void put_outline(Analysis *n)
{
    JsonOut *j = n->c->data;
    int left = TREE_DATA_MAX;
    json_key(j, "outline");
    json_begin(j, '[');
    json_each(block, json_get(n->doc, "blocks")) {
        if (!is_kind(block, "heading") || left-- <= 0)
            continue;
        json_begin(j, '{');
        json_kv_int(j, "level", json_int(json_get(block, "level"), 1));
        json_kv_str(j, "title", str_slice(json_text(json_get(block, "text")), 0, 200));
        put_page(j, block);
        json_kv_int(j, "from", json_int(json_get(block, "from"), 0));
        json_end(j, '}');
    }
    json_end(j, ']');
}

static void put_number(JsonOut *j, const char *key, double v)
{
    json_kv_double(j, key, round(v * 10) / 10);
}

static void put_readability(const Analysis *n)
{
    JsonOut *j = n->c->data;
    const Readability *r = &n->reading;
    json_key(j, "readability");
    json_begin(j, '{');
    json_kv_int(j, "words", r->words);
    json_kv_int(j, "sentences", r->sentences);
    json_kv_int(j, "syllables", r->syllables);
    put_number(j, "flesch", r->words > 0 ? flesch(r) : 0);
    put_number(j, "flesch_kincaid", r->words > 0 ? flesch_kincaid(r) : 0);
    put_number(j, "fog", gunning_fog(r));
    put_number(j, "smog", r->sentences > 0 ? smog(r) : 0);
    put_number(j, "ari", r->words > 0 ? automated_index(r) : 0);
    put_number(j, "coleman_liau", r->words > 0 ? coleman_liau(r) : 0);
    put_number(j, "lix", lix(r));
    put_number(j, "minutes", (double)r->words / 230);
    json_end(j, '}');
}

static void put_languages(const Analysis *n)
{
    JsonOut *j = n->c->data;
    size_t best = 0;
    for (size_t i = 1; i < n->shares_len; i++)
        if (n->shares[i].blocks > n->shares[best].blocks)
            best = i;
    Str said = json_text(json_get(n->data, "language"));
    if (n->shares_len > 0)
        said = str_from_c(n->shares[best].code);
    json_kv_str(j, "language", said.len > 0 ? said : STR("und"));
    json_key(j, "languages");
    json_begin(j, '[');
    for (size_t i = 0; i < n->shares_len; i++) {
        json_begin(j, '{');
        json_kv_c(j, "language", n->shares[i].code);
        json_kv_int(j, "blocks", n->shares[i].blocks);
        json_end(j, '}');
    }
    json_end(j, ']');
}

static void put_data(Analysis *n)
{
    JsonOut *j = n->c->data;
    const Json *fields = json_get(n->data, "form_fields");
    Kind kind;
    kind_of(&n->facts, &kind);
    json_kv_c(j, "kind", kind.name);
    json_kv_double(j, "confidence", kind.confidence);
    json_key(j, "reasons");
    json_begin(j, '[');
    for (size_t i = 0; i < kind.reasons_len; i++)
        json_put_c(j, kind.reasons[i]);
    json_end(j, ']');
    json_kv_str(j, "type", n->facts.type);
    json_kv_int(j, "pages", n->facts.pages);
    json_kv_int(j, "words", n->facts.words);
    json_kv_int(j, "headings", n->facts.headings);
    json_kv_int(j, "tables", n->facts.tables);
    json_kv_int(j, "lists", n->facts.items);
    put_languages(n);
    put_outline(n);
    json_key(j, "form_fields");
    if (fields != NULL)
        json_put(j, fields);
    else
        json_put_raw(j, STR("[]"));
    put_readability(n);
}

static ErrCode analyze_run(StepCtx *c, const void *args)
{
    Analysis n = {.c = c,
                  .args = args,
                  .text = buf_init(c->arena, MIB),
                  .heads = buf_init(c->arena, 8 * MIB)};
    ErrCode rc = extract(&n);
    if (rc != OK)
        return rc;
    const Json *fields = json_get(n.data, "form_fields");
    json_each(block, json_get(n.doc, "blocks"))
        look_at(&n, block);
    n.facts.type = json_text(json_get(n.data, "type"));
    n.facts.pages = json_int(json_get(n.data, "pages"), 0);
    n.facts.words = json_int(json_get(n.data, "words"), 0);
    n.facts.fields = fields != NULL ? (int64_t)fields->len : 0;
    n.facts.text = buf_str(&n.text);
    n.facts.heads = buf_str(&n.heads);
    put_data(&n);
    rc = write_structure(&n);
    return rc == OK && n.args->tables ? write_tables(&n) : rc;
}

const Step step_document_analyze = {
    .name = "document.analyze",
    .title = "Analyze document",
    .summary = "Say what is in a document: its kind, outline, tables, forms, languages and how "
               "hard it is to read.",
    .since = "0.1",
    .accepts = "text/*,application/*,message/rfc822,image/*",
    .returns = "application/json,text/csv",
    .version = 1,
    .cacheable = true,
    .calls = "document.extract",
    .limits = {.time_ms = 300 * 1000, .cpu_ms = 120 * 1000, .memory_bytes = (int64_t)1 << 30},
    .params = analyze_params,
    .args_size = sizeof(AnalyzeArgs),
    .data = analyze_fields,
    .errors = SOURCE_ERRORS,
    .examples = (const Example[]){{.title = "A report with its tables",
                                   .input = "report.docx",
                                   .args = "{\"tables\": true}",
                                   .expect = "text/csv; kind=report; headings>=3; tables>=1"},
                                  {.title = "A workbook",
                                   .input = "budget.xlsx",
                                   .expect = "application/json; kind=spreadsheet"},
                                  {0}},
    .run = analyze_run,
};

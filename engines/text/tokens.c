/* text.tokens: how many tokens a text has for a model, and which.
 *
 * What    any input in; the exact count, as the model's own tokenizer counts it.
 * Why     prices, limits and chunk sizes are in tokens, and guesses (a token is four letters) are
 *         wrong by half in most languages.
 * Not     what a chat wraps around a text; names of special tokens count as the text they are. */
#include "text/pieces.h"
#include "text/source.h"
#include "text/text.h"
#include "text/tokenizer.h"
#include "base/fd.h"

enum { WRITE_BYTES = 64 * 1024, PROGRESS_BYTES = 8 << 20 };

static const Choice ids_choices[] = {
    {"jsonl", "A line [ids…] per piece of text."},
    {"bytes", "Four bytes each, little-endian."},
    {0},
};
enum Ids { IDS_JSONL, IDS_BYTES };

typedef struct TokensArgs {
    Str text, model, pages, password;
    int ids, read_as;
} TokensArgs;

static const Param tokens_params[] = {
    PARAM_TEXT(TokensArgs, password, .secret = true, .max_len = 500,
               .help = "Password of an encrypted document."),
    PARAM_TEXT(TokensArgs, text, .example = "How many tokens is this?",
               .help = "The text itself, instead of a file."),
    PARAM_TEXT(TokensArgs, model, .max_len = 100, .def_text = "o200k", .example = "gpt-4o",
               .help = "A model, or an encoding: o200k or cl100k."),
    PARAM_CHOICE(TokensArgs, ids, .choices = ids_choices, .def = -1,
                 .help = "Also give the tokens' ids, and how."),
    PARAM_CHOICE(TokensArgs, read_as, .choices = source_choices, .def = SOURCE_AUTO,
                 .help = "What the input is."),
    PARAM_TEXT(TokensArgs, pages, .max_len = 200, .def_text = "", .example = "1-3,7",
               .help = "Pages of a document to take; all when left out."),
    PARAM_END,
};

static const Field tokens_fields[] = {
    {"tokens", FIELD_TYPE_INT, "Exact number of tokens."},
    {"characters", FIELD_TYPE_INT, "Unicode characters."},
    {"bytes", FIELD_TYPE_INT, "Bytes of the text in UTF-8."},
    {"encoding", FIELD_TYPE_TEXT, "Encoding whose tokens were counted."},
    {"read_as", FIELD_TYPE_TEXT, "What the input was read as.", .choices = source_choices},
    {0},
};

static ErrCode unknown_model(StepCtx *c, Str model)
{
    err_set(c->err, ERR_BAD_PARAM, "the tokens of \"" STR_FMT "\" are not known",
            STR_ARG(str_slice(model, 0, 60)));
    err_hint(c->err, "models of OpenAI since GPT-3.5 are; or name the encoding, o200k or cl100k");
    err_param(c->err, "model");
    return ERR_BAD_PARAM;
}

static void put_ids(Buf *b, int form, const Tokens *tokens)
{
    if (form == IDS_BYTES) {
        buf_add(b, (Str){(const char *)tokens->ids, tokens->len * sizeof *tokens->ids});
        return;
    }
    for (size_t i = 0; i < tokens->len; i++) {
        buf_add_char(b, i > 0 ? ',' : '[');
        buf_add_int(b, tokens->ids[i]);
    }
    buf_add_c(b, "]\n");
}

typedef struct Count {
    StepCtx *c;
    Tokenizer *tokenizer;
    int form; /* enum Ids, or -1 */
    int fd;   /* for the ids, or -1 */
    Buf ids;
    int64_t tokens;
} Count;

static ErrCode write_ids(Count *n, const Tokens *tokens, bool last)
{
    if (n->fd < 0)
        return OK;
    if (tokens->len > 0)
        put_ids(&n->ids, n->form, tokens);
    if (n->ids.failed)
        return err_set(n->c->err, ERR_NO_MEMORY, "writing the ids");
    if (n->ids.len < WRITE_BYTES && !last)
        return OK;
    ErrCode rc = fd_write_all(n->fd, n->ids.ptr, n->ids.len, n->c->err);
    buf_clear(&n->ids);
    return rc;
}

static ErrCode count(Count *n, Str text)
{
    Tokens tokens = {0};
    size_t told = 0;
    ErrCode rc = OK;
    for (size_t at = 0; at < text.len && rc == OK;) {
        rc = tokenizer_next(n->tokenizer, text, &at, &tokens, n->c->err);
        n->tokens += (int64_t)tokens.len;
        if (rc == OK)
            rc = write_ids(n, &tokens, false);
        if (at - told >= PROGRESS_BYTES) {
            told = at;
            step_progress(n->c, (int64_t)at, (int64_t)text.len, "counting");
        }
    }
    return rc == OK ? write_ids(n, &(Tokens){0}, true) : rc;
}

static ErrCode open_ids(Count *n)
{
    if (n->form < 0)
        return OK;
    n->ids = buf_init(n->c->arena, 256 * MIB);
    return n->form == IDS_BYTES
               ? step_output(n->c, STR("tokens.bin"), STR("application/octet-stream"), &n->fd)
               : step_output(n->c, STR("tokens.jsonl"), STR("application/x-ndjson"), &n->fd);
}

static ErrCode count_source(StepCtx *c, const TokensArgs *a, Encoding e, const Source *s)
{
    CLEANUP(fd_close) int fd = -1;
    Count n = {.c = c, .tokenizer = tokenizer_open(c->arena, e), .form = a->ids, .fd = -1};
    if (n.tokenizer == NULL)
        return err_set(c->err, ERR_NO_MEMORY, "no memory to count tokens");
    ErrCode rc = open_ids(&n);
    fd = n.fd;
    if (rc == OK)
        rc = count(&n, s->text);
    if (rc != OK || c->data == NULL)
        return rc;
    json_kv_int(c->data, "tokens", n.tokens);
    json_kv_int(c->data, "characters", (int64_t)str_count_utf8(s->text));
    json_kv_int(c->data, "bytes", (int64_t)s->text.len);
    json_kv_c(c->data, "encoding", encoding_name(e));
    json_kv_c(c->data, "read_as", source_choices[s->as].name);
    step_usage(c, "tokens", n.tokens);
    return OK;
}

static ErrCode tokens_run(StepCtx *c, const void *args)
{
    const TokensArgs *a = args;
    CLEANUP(source_close) Source s = {0};
    Encoding e = O200K;
    if (!model_encoding(a->model, &e))
        return unknown_model(c, a->model);
    ErrCode rc = source_open(c,
                             &(SourceArgs){.as = (SourceAs)a->read_as,
                                           .text = a->text,
                                           .pages = a->pages,
                                           .password = a->password},
                             &s);
    return rc == OK ? count_source(c, a, e, &s) : rc;
}

const Step step_text_tokens = {
    .name = "text.tokens",
    .title = "Count tokens",
    .summary = "Count the tokens of a text or any document exactly, as the model does, and give "
               "their ids on demand.",
    .since = "0.1",
    .accepts = "text/*,application/*,message/rfc822,image/*",
    .returns = "application/x-ndjson,application/octet-stream",
    .input_optional = true,
    .version = 1,
    .cacheable = true,
    .calls = "document.extract",
    .limits = {.time_ms = 300 * 1000, .cpu_ms = 120 * 1000, .memory_bytes = (int64_t)1 << 30},
    .params = tokens_params,
    .args_size = sizeof(TokensArgs),
    .data = tokens_fields,
    .errors = (const ErrCode[]){ERR_BAD_PARAM, ERR_INPUT_MISSING, ERR_INPUT_EMPTY,
                                ERR_INPUT_TOO_LARGE, ERR_INPUT_DAMAGED, ERR_INPUT_ENCRYPTED,
                                ERR_NO_TEXT, ERR_UNSUPPORTED_TYPE, ERR_LIMIT_MEMORY, ERR_LIMIT_CPU,
                                ERR_LIMIT_COUNT, ERR_LIMIT_DEPTH, ERR_LIMIT_RATIO, ERR_LIMIT_PIXELS,
                                ERR_LIMIT_OUTPUT, ERR_ENGINE_MISSING, OK},
    .examples = (const Example[]){{.title = "A sentence, as GPT-4 counts it",
                                   .args = "{\"text\": \"How many tokens is this?\", \"model\": "
                                           "\"gpt-4\"}",
                                   .expect = "tokens=6;encoding=cl100k_base"},
                                  {.title = "A file, with the ids",
                                   .input = "plain.txt",
                                   .args = "{\"ids\": \"jsonl\"}",
                                   .expect = "application/x-ndjson;tokens>=20"},
                                  {.title = "A PDF",
                                   .input = "report.pdf",
                                   .args = "{}",
                                   .expect = "tokens>=100;read_as=document"},
                                  {0}},
    .run = tokens_run,
};

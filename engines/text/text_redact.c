/* text.redact: personal data taken out of a text.
 *
 * What    mail addresses, phone numbers, cards, bank accounts, network addresses and names from a list
 *         become a label, a row of blocks, or a number that is the same for the same value.
 * Not     pictures of pages: a document's text is redacted, the document is not. */
#include "text/redact.h"
#include "text/source.h"
#include "text/text.h"
#include "text/words.h"
#include "base/fd.h"

enum Style { STYLE_LABEL, STYLE_NUMBER, STYLE_MASK, STYLE_REMOVE };

static const Choice style_choices[] = {
    [STYLE_LABEL] = {"label", "[EMAIL] and so on."},
    [STYLE_NUMBER] = {"number", "[EMAIL-1]: the same value gets the same number."},
    [STYLE_MASK] = {"mask", "A block for each character."},
    [STYLE_REMOVE] = {"remove", "Nothing."},
    {0},
};

typedef struct RedactArgs {
    Str text, pages;
    StrList kinds, names;
    int style, read_as;
} RedactArgs;

enum { KINDS_MAX = 6, NAMES_MAX = 500, FINDINGS_MAX = 1000, WRITE_BYTES = 64 * 1024 };

static const Param redact_params[] = {
    PARAM_TEXT(RedactArgs, text, .example = "Write to ida@example.org.",
               .help = "The text itself, instead of a file."),
    PARAM_LIST(RedactArgs, kinds, .max_len = KINDS_MAX, .def_text = "email,phone,card,iban,ip,name",
               .help = "What to take out: email, phone, card, iban, ip, name."),
    PARAM_LIST(RedactArgs, names, .max_len = NAMES_MAX, .example = "Ida Lund",
               .help = "Names and other words to take out."),
    PARAM_CHOICE(RedactArgs, style, .choices = style_choices, .def = STYLE_LABEL,
                 .help = "What stands there instead."),
    PARAM_CHOICE(RedactArgs, read_as, .choices = source_choices, .def = SOURCE_AUTO,
                 .help = "What the input is."),
    PARAM_TEXT(RedactArgs, pages, .max_len = 200, .def_text = "", .example = "1-3,7",
               .help = "Pages of a document to take; all when left out."),
    PARAM_END,
};
static const Field finding_fields[] = {
    {"kind", FIELD_TYPE_TEXT, "One of email, phone, card, iban, ip, name."},
    {"from", FIELD_TYPE_INT, "Where it began in the source, in characters."},
    {"to", FIELD_TYPE_INT, "Where it ended."},
    {0},
};
static const Field redact_fields[] = {
    {"found", FIELD_TYPE_INT, "How many were taken out."},
    {"email", FIELD_TYPE_INT, "Mail addresses."},
    {"phone", FIELD_TYPE_INT, "Phone numbers."},
    {"card", FIELD_TYPE_INT, "Card numbers."},
    {"iban", FIELD_TYPE_INT, "Bank accounts."},
    {"ip", FIELD_TYPE_INT, "Network addresses."},
    {"name", FIELD_TYPE_INT, "Names of the list."},
    {"findings", FIELD_TYPE_LIST, "Where they were, the first 1,000; never what they were.",
     .items = finding_fields},
    {0},
};

typedef struct Redaction {
    StepCtx *c;
    const RedactArgs *args;
    Str text;
    Buf out;
    int fd;
    Lexicon values[PERSONAL_COUNT]; /* for numbers */
    int64_t counts[PERSONAL_COUNT], found, chars;
    size_t counted; /* bytes up to which chars counts */
} Redaction;

static ErrCode read_kinds(StepCtx *c, const RedactArgs *a, unsigned *out)
{
    *out = 0;
    for (size_t i = 0; i < a->kinds.len; i++) {
        int kind = 0;
        while (kind < PERSONAL_COUNT && !str_eq_c(a->kinds.items[i], personal_name((Personal)kind)))
            kind++;
        if (kind == PERSONAL_COUNT) {
            err_set(c->err, ERR_BAD_PARAM,
                    "\"" STR_FMT "\" is none of email, phone, card, iban, "
                    "ip, name",
                    STR_ARG(str_slice(a->kinds.items[i], 0, 40)));
            err_param(c->err, "kinds");
            return ERR_BAD_PARAM;
        }
        *out |= 1u << kind;
    }
    return OK;
}

static ErrCode flush(Redaction *r, bool last)
{
    if (r->out.failed)
        return err_set(r->c->err, ERR_NO_MEMORY, "no memory for the text");
    if (r->out.len < WRITE_BYTES && !last)
        return OK;
    ErrCode rc = fd_write_all(r->fd, r->out.ptr, r->out.len, r->c->err);
    buf_clear(&r->out);
    return rc;
}

static ErrCode put(Redaction *r, Str s)
{
    ErrCode rc = OK;
    for (size_t from = 0; rc == OK && from < s.len; from += WRITE_BYTES) {
        buf_add(&r->out, str_slice(s, from, from + WRITE_BYTES));
        rc = flush(r, false);
    }
    return rc;
}

static void put_upper(Buf *b, const char *word)
{
    for (; *word != 0; word++)
        buf_add_char(b, (char)(*word - 'a' + 'A'));
}

static void put_instead(Redaction *r, const Found *f)
{
    Str value = str_slice(r->text, f->from, f->to);
    switch (r->args->style) {
    case STYLE_REMOVE:
        return;
    case STYLE_MASK:
        for (size_t i = 0; i < str_count_utf8(value); i++)
            buf_add_c(&r->out, "\xE2\x96\x88");
        return;
    case STYLE_NUMBER:
        buf_add_char(&r->out, '[');
        put_upper(&r->out, personal_name(f->kind));
        buf_addf(&r->out, "-%u]", lexicon_id(&r->values[f->kind], value) + 1);
        return;
    default:
        buf_add_char(&r->out, '[');
        put_upper(&r->out, personal_name(f->kind));
        buf_add_char(&r->out, ']');
    }
}

static int64_t chars_to(Redaction *r, size_t at)
{
    r->chars += (int64_t)str_count_utf8(str_slice(r->text, r->counted, at));
    r->counted = at;
    return r->chars;
}

static void put_finding(Redaction *r, const Found *f)
{
    r->counts[f->kind]++;
    if (r->found++ >= FINDINGS_MAX)
        return;
    json_begin(r->c->data, '{');
    json_kv_c(r->c->data, "kind", personal_name(f->kind));
    json_kv_int(r->c->data, "from", chars_to(r, f->from));
    json_kv_int(r->c->data, "to", chars_to(r, f->to));
    json_end(r->c->data, '}');
}

static ErrCode redact(Redaction *r, unsigned kinds)
{
    Finder f = {.text = r->text,
                .kinds = kinds,
                .names = r->args->names.items,
                .names_len = r->args->names.len};
    Found found;
    size_t done = 0;
    ErrCode rc = OK;
    json_key(r->c->data, "findings");
    json_begin(r->c->data, '[');
    while (rc == OK && finder_next(&f, &found)) {
        rc = put(r, str_slice(r->text, done, found.from));
        put_instead(r, &found);
        put_finding(r, &found);
        done = found.to;
    }
    json_end(r->c->data, ']');
    if (rc == OK)
        rc = put(r, str_slice(r->text, done, r->text.len));
    return rc == OK ? flush(r, true) : rc;
}

static ErrCode redact_run(StepCtx *c, const void *args)
{
    const RedactArgs *a = args;
    CLEANUP(source_close) Source s = {0};
    CLEANUP(fd_close) int fd = -1;
    unsigned kinds;
    ErrCode rc = read_kinds(c, a, &kinds);
    if (rc == OK)
        rc = source_open(
            c, &(SourceArgs){.as = (SourceAs)a->read_as, .text = a->text, .pages = a->pages}, &s);
    bool markdown = rc == OK && s.as == SOURCE_MARKDOWN;
    if (rc == OK)
        rc = step_output(c, markdown ? STR("redacted.md") : STR("redacted.txt"),
                         markdown ? STR("text/markdown") : STR("text/plain"), &fd);
    if (rc != OK)
        return rc;
    Redaction r = {
        .c = c, .args = a, .text = s.text, .out = buf_init(c->arena, 4 * WRITE_BYTES), .fd = fd};
    for (int i = 0; i < PERSONAL_COUNT; i++)
        r.values[i] = lexicon_new(c->arena);
    rc = redact(&r, kinds);
    json_kv_int(c->data, "found", r.found);
    for (int i = 0; i < PERSONAL_COUNT; i++)
        json_kv_int(c->data, personal_name((Personal)i), r.counts[i]);
    return rc;
}

const Step step_text_redact = {
    .name = "text.redact",
    .title = "Redact personal data",
    .summary = "Take mail addresses, phone numbers, cards, accounts and names out of a text.",
    .since = "0.1",
    .accepts = "text/*,application/*,message/rfc822,image/*",
    .returns = "text/plain,text/markdown",
    .input_optional = true,
    .version = 1,
    .cacheable = true,
    .calls = "document.extract",
    .limits = {.time_ms = 300 * 1000, .cpu_ms = 120 * 1000, .memory_bytes = (int64_t)1 << 30},
    .params = redact_params,
    .args_size = sizeof(RedactArgs),
    .data = redact_fields,
    .errors = SOURCE_ERRORS,
    .examples =
        (const Example[]){{.title = "A line with an address and a card",
                           .args = "{\"text\": \"Ida Lund, ida@example.org, 4111 1111 1111 1111\", "
                                   "\"names\": [\"Ida Lund\"]}",
                           .expect = "text/plain; found=3; card=1; email=1; name=1"},
                          {.title = "A mail, with the same number for the same value",
                           .input = "mail.eml",
                           .args = "{\"style\": \"number\"}",
                           .expect = "text/plain; email>=1"},
                          {0}},
    .run = redact_run,
};

/* pdf.encrypt: a password, permissions, or both; AES with 256 bits (PDF 2.0).
 *
 * The user password opens the document; the owner password opens it and lifts what is forbidden.
 * Forbidding is a request that readers honour, not a lock: only a user password hides the content. */
#include "pdf/pdf.h"

typedef struct EncryptArgs {
    Str user_password, owner_password, password;
    StrList forbid;
    bool plain_metadata;
} EncryptArgs;

static const Param encrypt_params[] = {
    PARAM_TEXT(EncryptArgs, user_password, .secret = true, .max_len = 127,
               .help = "Password that opens the document; left out: anybody can open it."),
    PARAM_TEXT(EncryptArgs, owner_password, .secret = true, .max_len = 127,
               .help = "Password that lifts what is forbidden; left out: that of the user."),
    PARAM_LIST(EncryptArgs, forbid, .max_len = 8, .example = "print,copy",
               .help = "What users may not do: print, print_high, copy, modify, annotate, fill, "
                       "assemble or all."),
    PARAM_BOOL(EncryptArgs, plain_metadata,
               .help = "Leave title and author readable for search programs."),
    PARAM_TEXT(EncryptArgs, password, .secret = true, .max_len = 128,
               .help = "Password the file has now."),
    PARAM_END,
};

static const Field encrypt_fields[] = {
    {"pages", FIELD_TYPE_INT, "Pages of the document."},
    {"bytes", FIELD_TYPE_INT, "Size of the new file."},
    {"method", FIELD_TYPE_TEXT, "How it is encrypted."},
    {"was_encrypted", FIELD_TYPE_BOOL, "The source was protected already."},
    {"repairs", FIELD_TYPE_INT, "Damaged places that were repaired while reading."},
    {0},
};

static bool forbid(PdfProtection *p, Str what)
{
    bool all = str_eq_c(what, "all"), known = all;
    const struct {
        const char *name;
        bool *flag;
    } table[] = {
        {"print", &p->no_print},       {"print_high", &p->low_print}, {"copy", &p->no_copy},
        {"modify", &p->no_modify},     {"annotate", &p->no_annotate}, {"fill", &p->no_fill},
        {"assemble", &p->no_assemble},
    };
    for (size_t i = 0; i < COUNT_OF(table); i++)
        if (all || str_eq_c(what, table[i].name)) {
            *table[i].flag = true;
            known = true;
        }
    return known;
}

static ErrCode bad_param(StepCtx *c, const char *param, const char *detail, const char *hint)
{
    err_set(c->err, ERR_BAD_PARAM, "%s", detail);
    err_hint(c->err, "%s", hint);
    err_param(c->err, param);
    return ERR_BAD_PARAM;
}

static ErrCode read_args(StepCtx *c, const EncryptArgs *a, PdfProtection *p)
{
    *p = (PdfProtection){.user = a->user_password,
                         .owner = a->owner_password.len > 0 ? a->owner_password : a->user_password,
                         .plain_metadata = a->plain_metadata};
    for (size_t i = 0; i < a->forbid.len; i++)
        if (!forbid(p, a->forbid.items[i]))
            return bad_param(c, "forbid", "an unknown permission",
                             "the words are print, print_high, copy, modify, annotate, fill, "
                             "assemble and all");
    if (p->owner.len == 0)
        return bad_param(c, "user_password", "a user or an owner password is needed",
                         "with the owner's alone everybody can read it, within what is forbidden");
    if (a->forbid.len > 0 && str_eq(p->user, p->owner))
        return bad_param(c, "owner_password",
                         "must differ from the user's, or nothing is forbidden to anybody",
                         "give an owner password of its own");
    return OK;
}

static ErrCode encrypt_run(StepCtx *c, const void *args)
{
    const EncryptArgs *a = args;
    CLEANUP(pdf_close) Pdf *pdf = NULL;
    PdfProtection p;
    int64_t bytes = 0;
    ErrCode rc = read_args(c, a, &p);
    if (rc == OK)
        rc = pdf_open(c, &c->inputs[0], a->password, &pdf);
    Str name = pagelist_name(c->arena, c->inputs[0].name, "-protected");
    if (rc == OK)
        rc = pdf_write(c, pdf, &(PdfWrite){.protect = &p}, name, &bytes);
    if (rc != OK)
        return rc;
    json_kv_int(c->data, "pages", pdf_page_count(pdf));
    json_kv_int(c->data, "bytes", bytes);
    json_kv_c(c->data, "method", "AES-256");
    json_kv_bool(c->data, "was_encrypted", pdf_is_encrypted(pdf));
    json_kv_int(c->data, "repairs", pdf_note_repairs(c, pdf, c->inputs[0].name));
    step_usage(c, "pages", pdf_page_count(pdf));
    return OK;
}

const Step step_pdf_encrypt = {
    .name = "pdf.encrypt",
    .title = "Encrypt PDF",
    .summary = "Protect a PDF file with a password (AES-256) and say what readers may do with it.",
    .since = "0.1",
    .accepts = "application/pdf",
    .returns = "application/pdf",
    .version = 1,
    .limits = {.time_ms = 120 * 1000, .cpu_ms = 120 * 1000, .memory_bytes = (int64_t)1 << 30},
    .params = encrypt_params,
    .args_size = sizeof(EncryptArgs),
    .data = encrypt_fields,
    .errors = (const ErrCode[]){ERR_INPUT_EMPTY, ERR_UNSUPPORTED_TYPE, ERR_INPUT_DAMAGED,
                                ERR_INPUT_ENCRYPTED, ERR_LIMIT_COUNT, ERR_LIMIT_MEMORY,
                                ERR_BAD_PARAM, OK},
    .examples =
        (const Example[]){{.title = "Only those who know the word may open it",
                           .input = "report.pdf",
                           .args = "{\"user_password\": \"harbour\"}",
                           .expect = "application/pdf; method=AES-256; was_encrypted=false"},
                          {.title = "Everybody may read, nobody may copy",
                           .input = "report.pdf",
                           .args = "{\"owner_password\": \"master\", \"forbid\": [\"copy\"]}",
                           .expect = "application/pdf; pages=3"},
                          {0}},
    .run = encrypt_run,
};

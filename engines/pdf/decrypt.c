/* pdf.decrypt: the same document without password and restrictions, for those who may open it. */
#include "pdf/pdf.h"

typedef struct DecryptArgs {
    Str password;
} DecryptArgs;

static const Param decrypt_params[] = {
    PARAM_TEXT(DecryptArgs, password, .secret = true, .max_len = 128,
               .help = "Password of the file; a file that opens without one needs none."),
    PARAM_END,
};

static const Field decrypt_fields[] = {
    {"pages", FIELD_TYPE_INT, "Pages of the document."},
    {"bytes", FIELD_TYPE_INT, "Size of the new file."},
    {"was_encrypted", FIELD_TYPE_BOOL, "The source was protected."},
    {"owner", FIELD_TYPE_BOOL, "The password was the owner's."},
    {"repairs", FIELD_TYPE_INT, "Damaged places that were repaired while reading."},
    {0},
};

static ErrCode decrypt_run(StepCtx *c, const void *args)
{
    const DecryptArgs *a = args;
    CLEANUP(pdf_close) Pdf *pdf = NULL;
    int64_t bytes = 0;
    ErrCode rc = pdf_open(c, &c->inputs[0], a->password, &pdf);
    Str name = pagelist_name(c->arena, c->inputs[0].name, "-open");
    if (rc == OK)
        rc = pdf_write(c, pdf, &(PdfWrite){.unprotect = true}, name, &bytes);
    if (rc != OK)
        return rc;
    if (!pdf_is_encrypted(pdf))
        step_note(c, STR("the document was not protected"));
    else if (!pdf_is_owner(pdf))
        step_note(c, STR("restrictions were lifted without the owner's password: make sure that "
                         "you may"));
    json_kv_int(c->data, "pages", pdf_page_count(pdf));
    json_kv_int(c->data, "bytes", bytes);
    json_kv_bool(c->data, "was_encrypted", pdf_is_encrypted(pdf));
    json_kv_bool(c->data, "owner", pdf_is_owner(pdf));
    json_kv_int(c->data, "repairs", pdf_note_repairs(c, pdf, c->inputs[0].name));
    step_usage(c, "pages", pdf_page_count(pdf));
    return OK;
}

const Step step_pdf_decrypt = {
    .name = "pdf.decrypt",
    .title = "Decrypt PDF",
    .summary = "Remove password and restrictions from a PDF file that the password opens.",
    .since = "0.1",
    .accepts = "application/pdf",
    .returns = "application/pdf",
    .version = 1,
    .cacheable = true,
    .limits = {.time_ms = 120 * 1000, .cpu_ms = 120 * 1000, .memory_bytes = (int64_t)1 << 30},
    .params = decrypt_params,
    .args_size = sizeof(DecryptArgs),
    .data = decrypt_fields,
    .errors = (const ErrCode[]){ERR_INPUT_EMPTY, ERR_UNSUPPORTED_TYPE, ERR_INPUT_DAMAGED,
                                ERR_INPUT_ENCRYPTED, ERR_LIMIT_COUNT, ERR_LIMIT_MEMORY, OK},
    .examples = (const Example[]){{.title = "Open a protected file for good",
                                   .input = "protected.pdf",
                                   .args = "{\"password\": \"harbour\"}",
                                   .expect = "application/pdf; was_encrypted=true; pages=3"},
                                  {.title = "A wrong password",
                                   .input = "protected.pdf",
                                   .args = "{\"password\": \"guess\"}",
                                   .expect = "reason=input_encrypted"},
                                  {0}},
    .run = decrypt_run,
};

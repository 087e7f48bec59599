/* office.convert: one office file into another format, by LibreOffice.
 *
 * Internal: document.convert and document.extract call it. What happens here is the small part of
 * it: the worker (worker.c) does the work, this process asks and copies the result. */
#include "office/office.h"

#include "base/fd.h"

enum { LEVEL_1B, LEVEL_2B, LEVEL_3B };
static const Choice level_choices[] = {
    [LEVEL_1B] = {"1b", "PDF/A-1b, of 2005: no transparency."},
    [LEVEL_2B] = {"2b", "PDF/A-2b, of 2011."},
    [LEVEL_3B] = {"3b", "PDF/A-3b, of 2012: any file may be embedded."},
    {0},
};

typedef struct ConvertArgs {
    int to; /* OfficeFormat */
    bool pdf_a;
    int pdf_a_level;
    Str password;
} ConvertArgs;

static const Param convert_params[] = {
    PARAM_CHOICE(ConvertArgs, to, .choices = office_format_choices, .def = OFFICE_PDF,
                 .help = "Format to make."),
    PARAM_BOOL(ConvertArgs, pdf_a, .help = "Make PDF/A, for archives."),
    PARAM_CHOICE(ConvertArgs, pdf_a_level, .choices = level_choices, .def = LEVEL_2B,
                 .help = "Which PDF/A."),
    PARAM_TEXT(ConvertArgs, password, .secret = true, .max_len = 500,
               .help = "Password to open the file with."),
    PARAM_END,
};

static const Field convert_fields[] = {
    {"kind", FIELD_TYPE_TEXT,
     "What the file is: text document, spreadsheet, presentation, drawing, web page or formula."},
    {"format", FIELD_TYPE_TEXT, "Format made."},
    {"bytes", FIELD_TYPE_INT, "Size of the new file."},
    {"source_bytes", FIELD_TYPE_INT, "Size of the file before."},
    {0},
};

/* "letters/report.doc" becomes "report.pdf". The host cleans the name. */
static Str output_name(Arena *a, Str input, const char *ext)
{
    size_t slash = str_rfind_char(input, '/');
    if (slash != STR_NONE)
        input = str_slice(input, slash + 1, input.len);
    size_t dot = str_rfind_char(input, '.');
    Str base = dot != STR_NONE && dot > 0 ? str_slice(input, 0, dot) : input;
    return str_printf(a, STR_FMT ".%s", STR_ARG(base.len > 0 ? base : STR("document")), ext);
}

static ErrCode put_request(StepCtx *c, const ConvertArgs *a, Str *out)
{
    Buf b = buf_init(c->arena, RESIDENT_REQUEST_MAX);
    JsonOut j = json_out(&b);
    json_begin(&j, '{');
    json_kv_int(&j, "to", a->to);
    json_kv_str(&j, "extension", office_extension(c->inputs[0].type, c->inputs[0].name));
    json_kv_int(&j, "pdf_version", a->pdf_a ? a->pdf_a_level + 1 : 0);
    if (a->password.len > 0)
        json_kv_str(&j, "password", a->password);
    json_end(&j, '}');
    if (b.failed)
        return err_set(c->err, ERR_NO_MEMORY, "no memory for a request");
    *out = buf_str(&b);
    return OK;
}

static ErrCode convert_run(StepCtx *c, const void *args)
{
    const ConvertArgs *a = args;
    ResidentReply reply = {.fd = -1};
    Str request;
    int64_t bytes = 0;
    if (fd_size(c->input_fd) == 0)
        return err_set(c->err, ERR_INPUT_EMPTY, "the file has no bytes");
    if (a->pdf_a && a->to != OFFICE_PDF) {
        err_set(c->err, ERR_BAD_PARAM, "only a pdf can be PDF/A");
        err_param(c->err, "pdf_a");
        return ERR_BAD_PARAM;
    }
    ErrCode rc = office_check_bomb(c);
    if (rc == OK)
        rc = put_request(c, a, &request);
    if (rc == OK)
        rc = resident_ask(c, request, &c->input_fd, 1, &reply);
    if (rc != OK)
        return rc;
    CLEANUP(fd_close) int result = reply.fd;
    const char *format = office_format_choices[a->to].name;
    rc = resident_output(c, &reply, output_name(c->arena, c->inputs[0].name, format),
                         str_from_c(office_media_type(a->to)), &bytes);
    step_usage(c, "documents", 1);
    json_kv_str(c->data, "kind", json_text(json_get(reply.data, "kind")));
    json_kv_c(c->data, "format", format);
    json_kv_int(c->data, "bytes", bytes);
    json_kv_int(c->data, "source_bytes", fd_size(c->input_fd));
    return rc;
}

const Step step_office_convert = {
    .name = "office.convert",
    .title = "Convert office file",
    .summary = "Turn one office file into PDF or another office format, by LibreOffice.",
    .since = "0.2",
    .accepts =
        "application/msword,application/rtf,text/rtf,text/plain,text/csv,text/html,"
        "text/tab-separated-values,application/xhtml+xml,application/vnd.ms-excel,"
        "application/vnd.ms-powerpoint,application/vnd.ms-publisher,application/vnd.visio,"
        "application/vnd.ms-visio.drawing,application/vnd.wordperfect,application/x-ole-storage,"
        "application/x-ooxml-encrypted,"
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document,"
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet,"
        "application/vnd.openxmlformats-officedocument.presentationml.presentation,"
        "application/vnd.ms-word.document.macroEnabled.12,"
        "application/vnd.ms-excel.sheet.macroEnabled.12,"
        "application/vnd.ms-excel.sheet.binary.macroEnabled.12,"
        "application/vnd.ms-powerpoint.presentation.macroEnabled.12,"
        "application/vnd.oasis.opendocument.text,application/vnd.oasis.opendocument.spreadsheet,"
        "application/vnd.oasis.opendocument.presentation,"
        "application/vnd.oasis.opendocument.graphics,application/vnd.oasis.opendocument.formula,"
        "application/vnd.oasis.opendocument.text-flat-xml,"
        "application/vnd.oasis.opendocument.spreadsheet-flat-xml,"
        "application/vnd.oasis.opendocument.presentation-flat-xml,"
        "application/vnd.oasis.opendocument.graphics-flat-xml,application/octet-stream",
    .returns = "application/pdf,application/octet-stream",
    .internal = true,
    .cacheable = true,
    .concurrency = 2,
    .limits = {.time_ms = 120 * 1000, .output_bytes = (int64_t)1 << 30},
    .params = convert_params,
    .args_size = sizeof(ConvertArgs),
    .data = convert_fields,
    .errors = (const ErrCode[]){ERR_INPUT_EMPTY, ERR_INPUT_DAMAGED, ERR_INPUT_ENCRYPTED,
                                ERR_UNSUPPORTED_TYPE, ERR_LIMIT_RATIO, ERR_BAD_PARAM,
                                ERR_LIMIT_OUTPUT, ERR_ENGINE_CRASHED, ERR_ENGINE_MISSING, OK},
    .examples = (const Example[]){{.title = "Word document to PDF",
                                   .input = "report.docx",
                                   .args = "{\"to\": \"pdf\"}",
                                   .expect = "application/pdf; format=pdf"},
                                  {.title = "Spreadsheet for archives",
                                   .input = "budget.xlsx",
                                   .args = "{\"to\": \"pdf\", \"pdf_a\": true}",
                                   .expect = "application/pdf; kind=spreadsheet"},
                                  {0}},
    .run = convert_run,
};

/* browser.print: an HTML file as PDF, by Chromium.
 *
 * Internal: document.convert calls it. The page is one file; whatever it refers to outside of
 * itself is not fetched. */
#include "browser/browser.h"
#include "base/fd.h"

enum Paper { PAPER_A3, PAPER_A4, PAPER_A5, PAPER_LETTER, PAPER_LEGAL, PAPER_TABLOID, PAPER_CSS };
static const Choice paper_choices[] = {
    [PAPER_A3] = {"a3", "297 x 420 mm."},
    [PAPER_A4] = {"a4", "210 x 297 mm."},
    [PAPER_A5] = {"a5", "148 x 210 mm."},
    [PAPER_LETTER] = {"letter", "8.5 x 11 inches."},
    [PAPER_LEGAL] = {"legal", "8.5 x 14 inches."},
    [PAPER_TABLOID] = {"tabloid", "11 x 17 inches."},
    [PAPER_CSS] = {"css", "What the page's own style sheet says (@page), else a4."},
    {0},
};
static const struct {
    double width_mm, height_mm;
} papers[] = {
    [PAPER_A3] = {297, 420},        [PAPER_A4] = {210, 297},
    [PAPER_A5] = {148, 210},        [PAPER_LETTER] = {215.9, 279.4},
    [PAPER_LEGAL] = {215.9, 355.6}, [PAPER_TABLOID] = {279.4, 431.8},
    [PAPER_CSS] = {210, 297},
};

enum Until { UNTIL_LOAD, UNTIL_IDLE };
static const Choice until_choices[] = {
    [UNTIL_LOAD] = {"load", "The page and its pictures are there."},
    [UNTIL_IDLE] = {"idle",
                    "Nothing has been loaded for half a second: for pages built by scripts."},
    {0},
};

typedef struct PrintArgs {
    int paper; /* enum Paper */
    bool landscape, background;
    double margin_mm, scale;
    Str header, footer, page_ranges;
    bool javascript;
    int until; /* enum Until */
    int64_t until_ms;
} PrintArgs;

static const Param print_params[] = {
    PARAM_CHOICE(PrintArgs, paper, .choices = paper_choices, .def = PAPER_A4,
                 .help = "Size of the pages."),
    PARAM_BOOL(PrintArgs, landscape, .help = "Turn the pages on their side."),
    PARAM_NUMBER(PrintArgs, margin_mm, .min_num = 0, .max_num = 100, .def_num = 15, .unit = "mm",
                 .help = "White space on each side."),
    PARAM_NUMBER(PrintArgs, scale, .min_num = 0.1, .max_num = 2, .def_num = 1,
                 .help = "Size of what is printed, 1 being its own."),
    PARAM_BOOL(PrintArgs, background, .help = "Also print background colours and pictures."),
    PARAM_TEXT(PrintArgs, header, .def_text = "", .max_len = 20000,
               .example = "<span class=title></span>",
               .help = "HTML at the top of each page; classes date, title, url, pageNumber and "
                       "totalPages are filled in."),
    PARAM_TEXT(PrintArgs, footer, .def_text = "", .max_len = 20000,
               .example = "<span class=pageNumber></span>",
               .help = "HTML at the bottom of each page."),
    PARAM_TEXT(PrintArgs, page_ranges, .def_text = "", .max_len = 500, .example = "1-3,7",
               .help = "Pages to print; left out: all."),
    PARAM_BOOL(PrintArgs, javascript, .help = "Let the page run its scripts."),
    PARAM_CHOICE(PrintArgs, until, .choices = until_choices, .def = UNTIL_LOAD,
                 .help = "When the page is ready to be printed."),
    PARAM_INT(PrintArgs, until_ms, .min = 100, .max = 60000, .def = 10000, .unit = "ms",
              .help = "Longest time to wait for that; then what is there is printed."),
    PARAM_END,
};

static const Field print_fields[] = {
    {"bytes", FIELD_TYPE_INT, "Size of the PDF."},
    {"refused", FIELD_TYPE_INT, "Things the page refers to that were not fetched."},
    {"complete", FIELD_TYPE_BOOL, "Whether the page was ready before the longest time to wait."},
    {0},
};

static void put_inches(JsonOut *j, const char *key, double mm)
{
    json_kv_double(j, key, mm / 25.4);
}

static void put_print(JsonOut *j, const PrintArgs *a)
{
    static const char *const margins[] = {"marginTop", "marginBottom", "marginLeft", "marginRight"};
    json_key(j, "print");
    json_begin(j, '{');
    json_kv_c(j, "transferMode", "ReturnAsStream");
    json_kv_bool(j, "landscape", a->landscape);
    json_kv_bool(j, "printBackground", a->background);
    json_kv_double(j, "scale", a->scale);
    put_inches(j, "paperWidth", papers[a->paper].width_mm);
    put_inches(j, "paperHeight", papers[a->paper].height_mm);
    for (size_t i = 0; i < COUNT_OF(margins); i++)
        put_inches(j, margins[i], a->margin_mm);
    json_kv_bool(j, "preferCSSPageSize", a->paper == PAPER_CSS);
    if (a->page_ranges.len > 0)
        json_kv_str(j, "pageRanges", a->page_ranges);
    if (a->header.len > 0 || a->footer.len > 0) {
        json_kv_bool(j, "displayHeaderFooter", true);
        json_kv_str(j, "headerTemplate", a->header.len > 0 ? a->header : STR("<span></span>"));
        json_kv_str(j, "footerTemplate", a->footer.len > 0 ? a->footer : STR("<span></span>"));
    }
    json_end(j, '}');
}

static ErrCode put_request(StepCtx *c, const PrintArgs *a, Str *out)
{
    Buf b = buf_init(c->arena, RESIDENT_REQUEST_MAX);
    JsonOut j = json_out(&b);
    json_begin(&j, '{');
    put_print(&j, a);
    json_kv_bool(&j, "javascript", a->javascript);
    json_kv_bool(&j, "wait_idle", a->until == UNTIL_IDLE);
    json_kv_int(&j, "wait_ms", a->until_ms);
    json_end(&j, '}');
    if (b.failed)
        return err_set(c->err, ERR_BAD_PARAM, "header and footer are too long");
    *out = buf_str(&b);
    return OK;
}

static Str output_name(Arena *a, Str input)
{
    size_t slash = str_rfind_char(input, '/');
    if (slash != STR_NONE)
        input = str_slice(input, slash + 1, input.len);
    size_t dot = str_rfind_char(input, '.');
    Str base = dot != STR_NONE && dot > 0 ? str_slice(input, 0, dot) : input;
    return str_printf(a, STR_FMT ".pdf", STR_ARG(base.len > 0 ? base : STR("page")));
}

static ErrCode print_run(StepCtx *c, const void *args)
{
    ResidentReply reply = {.fd = -1};
    Str request;
    int64_t bytes = 0;
    if (fd_size(c->input_fd) == 0)
        return err_set(c->err, ERR_INPUT_EMPTY, "the page has no bytes");
    ErrCode rc = put_request(c, args, &request);
    if (rc == OK)
        rc = resident_ask(c, request, &c->input_fd, 1, &reply);
    if (rc == ERR_BAD_PARAM)
        err_param(c->err, "page_ranges"); /* the one that only Chromium can check */
    if (rc != OK)
        return rc;
    CLEANUP(fd_close) int result = reply.fd;
    rc = resident_output(c, &reply, output_name(c->arena, c->inputs[0].name),
                         STR("application/pdf"), &bytes);
    step_usage(c, "documents", 1);
    json_kv_int(c->data, "bytes", bytes);
    json_kv_int(c->data, "refused", json_int(json_get(reply.data, "refused"), 0));
    json_kv_bool(c->data, "complete", json_bool(json_get(reply.data, "complete"), false));
    return rc;
}

const Step step_browser_print = {
    .name = "browser.print",
    .title = "Print web page",
    .summary = "Turn one HTML file into a PDF, by Chromium, without network.",
    .since = "0.2",
    .accepts = "text/html,application/xhtml+xml",
    .returns = "application/pdf",
    .internal = true,
    .cacheable = true,
    .concurrency = 2,
    .limits = {.time_ms = 60 * 1000, .output_bytes = (int64_t)1 << 30},
    .params = print_params,
    .args_size = sizeof(PrintArgs),
    .data = print_fields,
    .errors = (const ErrCode[]){ERR_INPUT_EMPTY, ERR_INPUT_DAMAGED, ERR_BAD_PARAM, ERR_LIMIT_OUTPUT,
                                ERR_LIMIT_TIME, ERR_ENGINE_CRASHED, ERR_ENGINE_MISSING, OK},
    .examples = (const Example[]){{.title = "Web page on paper",
                                   .input = "letter.html",
                                   .args = "{\"paper\": \"a5\", \"background\": true}",
                                   .expect = "application/pdf; bytes>=1000"},
                                  {0}},
    .run = print_run,
};

/* ocr.document: a scan made searchable.
 *
 * What    a PDF or pictures of pages in; a PDF out that looks the same and can be searched, copied
 *         and read aloud, and beside it text, JSON, hOCR or TSV as wished.
 * How     pages without text are drawn at the resolution of their scan and read, several at once;
 *         their words are laid invisibly under the picture. Pages that have text stay as they are.
 * Units   boxes: points of the upright page from its top left for a PDF, else pixels. */
#include "ocr/run.h"

static const Choice mode_choices[] = {
    [MODE_SKIP_TEXT] = {"skip_text", "Pages that have text stay as they are."},
    [MODE_FORCE] = {"force",
                    "Reads every page; one that has text becomes a picture with new text."},
    {0},
};

static const Param document_params[] = {
    ASK_PARAMS,
    ASK_FIELD("format", PARAM_TYPE_LIST, output, .def_text = "pdf", .max_len = 5,
              .example = "pdf,text",
              .help = "Files to make: pdf (searchable), text, json (words with boxes), hocr, tsv."),
    PARAM_CHOICE(OcrArgs, mode, .choices = mode_choices, .def = MODE_SKIP_TEXT,
                 .help = "What happens to pages that have text already."),
    PARAM_TEXT(OcrArgs, pages, .max_len = 16384, .def_text = "", .example = "1-3,7",
               .help = "Pages to read; all when left out."),
    PARAM_BOOL(OcrArgs, rotate_pages,
               .help = "Also show pages upright that lie on their side in the file."),
    PARAM_TEXT(OcrArgs, password, .secret = true, .max_len = 500,
               .help = "Password of an encrypted PDF."),
    PARAM_END,
};

static ErrCode document_run(StepCtx *c, const void *args)
{
    return ocr_run(c, args, true);
}

const Step step_ocr_document = {
    .name = "ocr.document",
    .title = "Make a scan searchable",
    .summary = "Recognise the text of a scanned PDF or TIFF and lay it invisibly under the pages, "
               "or give it as text or JSON.",
    .since = "0.1",
    .accepts = "application/pdf,image/*,application/octet-stream",
    .returns = "application/pdf,text/plain,application/json,text/html,text/tab-separated-values",
    .version = 1,
    .cacheable = true,
    .limits = {.time_ms = 60 * 60 * 1000,
               .cpu_ms = 4 * 60 * 60 * 1000,
               .memory_bytes = (int64_t)3 << 30,
               .output_bytes = (int64_t)1 << 30},
    .params = document_params,
    .args_size = sizeof(OcrArgs),
    .data = ocr_fields,
    .errors = ocr_errors,
    .examples = (const Example[]){{.title = "A searchable PDF, and the text beside it",
                                   .input = "scan.pdf",
                                   .args = "{\"format\": [\"pdf\", \"text\"]}",
                                   .expect = "application/pdf;pages=2;pages_read=1;words>=20"},
                                  {.title = "The words of the first page as JSON",
                                   .input = "scan.pdf",
                                   .args = "{\"format\": [\"json\"], \"pages\": \"1\"}",
                                   .expect = "application/json;pages_read=1"},
                                  {0}},
    .run = document_run,
};

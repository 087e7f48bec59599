/* ocr.image: the text of a picture.
 *
 * What    one picture in (all pages of a TIFF), its text out as text, JSON with boxes, hOCR or TSV.
 * How     it is turned upright, levelled and brought to the size that reads best, then read.
 * Units   boxes: pixels of the upright picture, from its top left; confidence: 0 to 1.
 * Errors  limit_pixels above 100 megapixels, seen before anything is decoded; no_text when nothing
 *         is found. */
#include "ocr/run.h"

static const Param image_params[] = {
    ASK_PARAMS,
    ASK_FIELD("format", PARAM_TYPE_LIST, output, .def_text = "text", .max_len = 4,
              .example = "text,json",
              .help = "Files to make: text, json (words with boxes and confidence), hocr, tsv."),
    PARAM_END,
};

static ErrCode image_run(StepCtx *c, const void *args)
{
    return ocr_run(c, args, false);
}

const Step step_ocr_image = {
    .name = "ocr.image",
    .title = "Read text in a picture",
    .summary = "Recognise the text of a photo or scan, with the place and confidence of each word.",
    .since = "0.1",
    .accepts = "image/*,application/octet-stream",
    .returns = "text/plain,application/json,text/html,text/tab-separated-values",
    .version = 1,
    .cacheable = true,
    .limits = {.time_ms = 10 * 60 * 1000,
               .cpu_ms = 20 * 60 * 1000,
               .memory_bytes = (int64_t)2 << 30,
               .output_bytes = 256 << 20},
    .params = image_params,
    .args_size = sizeof(OcrArgs),
    .data = ocr_fields,
    .errors = ocr_errors,
    .examples = (const Example[]){{.title = "The text of a scanned letter",
                                   .input = "scan.png",
                                   .args = "{}",
                                   .expect = "text/plain;words>=20;language=eng"},
                                  {.title = "Every word with its box, on a page that lies on its "
                                            "side",
                                   .input = "scan-turned.png",
                                   .args = "{\"format\": [\"json\"], \"languages\": [\"English\"]}",
                                   .expect = "application/json;words>=20;rotation=90"},
                                  {0}},
    .run = image_run,
};

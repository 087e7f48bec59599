/* ask.h: the parameters that both steps have, once, and what they mean to the reader. */
#ifndef PLATEN_OCR_ASK_H
#define PLATEN_OCR_ASK_H

#include "ocr/read.h"

typedef struct OcrAsk {
    StrList languages, output;
    int layout, orientation, deskew;
    bool denoise;
    int64_t dpi;
} OcrAsk;

extern const Choice ask_layouts[], ask_orientations[], ask_deskews[];

/* Rows of a table of parameters whose struct T has a member `ask`. */
#define ASK_FIELD(name_, type_, field, ...)                                                        \
    {                                                                                              \
        .name = name_, .type = type_, .offset = offsetof(OcrArgs, ask.field), __VA_ARGS__          \
    }
#define ASK_PARAMS                                                                                 \
    ASK_FIELD("languages", PARAM_TYPE_LIST, languages, .def_text = "auto", .max_len = 8,           \
              .example = "eng,deu",                                                                \
              .help = "Languages on the pages, by code or name (eng, de, German), most frequent "  \
                      "first; auto finds out."),                                                   \
        ASK_FIELD("layout", PARAM_TYPE_CHOICE, layout, .choices = ask_layouts,                     \
                  .help = "How the text is laid out on a page."),                                  \
        ASK_FIELD("orientation", PARAM_TYPE_CHOICE, orientation, .choices = ask_orientations,      \
                  .help = "How a page is turned before it is read."),                              \
        ASK_FIELD("deskew", PARAM_TYPE_CHOICE, deskew, .choices = ask_deskews,                     \
                  .help = "Whether lines that lean are levelled before they are read."),           \
        ASK_FIELD("denoise", PARAM_TYPE_BOOL, denoise,                                             \
                  .help = "Remove specks and grain before reading; for dirty scans and faxes."),   \
        ASK_FIELD("dpi", PARAM_TYPE_INT, dpi, .min = 70, .max = 2400, .unit = "dpi",               \
                  .example = "300",                                                                \
                  .help = "Resolution of the pictures; left out: what the file says, or a guess.")

/* `languages` must outlive *out. */
MUST_CHECK ErrCode ask_options(const OcrAsk *a, char languages[static LANGUAGES_TEXT_MAX],
                               ReadOptions *out, Err *err);

#endif

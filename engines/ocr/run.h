/* run.h: from a file to its outputs, for both steps: page by page, several read at once. */
#ifndef PLATEN_OCR_RUN_H
#define PLATEN_OCR_RUN_H

#include "ocr/ask.h"

typedef enum OcrMode { MODE_SKIP_TEXT, MODE_FORCE } OcrMode;

typedef struct OcrArgs {
    OcrAsk ask;
    Str pages, password;
    int mode; /* OcrMode */
    bool rotate_pages;
} OcrArgs;

MUST_CHECK ErrCode ocr_run(StepCtx *c, const OcrArgs *args, bool pdf_allowed);

extern const Field ocr_fields[];
extern const ErrCode ocr_errors[];

#endif

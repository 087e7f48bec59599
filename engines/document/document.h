/* document.h: the engine's own front door: its steps, and the input as bytes. */
#ifndef PLATEN_DOCUMENT_DOCUMENT_H
#define PLATEN_DOCUMENT_DOCUMENT_H

#include "document/readers.h"

extern const Step step_document_extract, step_document_convert, step_document_combine,
    step_file_detect;

/* input.c: the first input as a read-only mapping. ERR_INPUT_EMPTY, ERR_IO. */
MUST_CHECK ErrCode document_map(StepCtx *c, Str *out);
void document_unmap(Str *bytes);

/* extract.c: the step's arguments, and what it does with the bytes. For tests. */
typedef struct ExtractArgs {
    int format; /* enum DocFormat */
    Str pages, password;
    bool comments, main;
    int attachments, ocr; /* enum Attachments, enum OcrWhen */
    StrList languages;
} ExtractArgs;
MUST_CHECK ErrCode extract_bytes(StepCtx *c, Str bytes, const ExtractArgs *args);

/* pdf.c: make MuPDF's context and touch its built-in fonts and tables, once, before the sandbox
 * closes. */
MUST_CHECK ErrCode pdf_warm(Err *err);

/* convert.c: load the fonts that documents are set in. */
MUST_CHECK ErrCode convert_warm(Err *err);

#endif

/* document.h: the engine's own front door: its steps, and the input as bytes. */
#ifndef PLATEN_DOCUMENT_DOCUMENT_H
#define PLATEN_DOCUMENT_DOCUMENT_H

#include "document/readers.h"

extern const Step step_document_extract, step_document_convert, step_file_detect;

/* input.c: the first input as a read-only mapping. ERR_INPUT_EMPTY, ERR_IO. */
MUST_CHECK ErrCode document_map(StepCtx *c, Str *out);
void document_unmap(Str *bytes);

/* extract.c: what document.extract does with the bytes; `args` are the step's. For tests. */
MUST_CHECK ErrCode extract_bytes(StepCtx *c, Str bytes, const void *args);

/* pdf.c: make MuPDF's context and touch its built-in fonts and tables, once, before the sandbox
 * closes. */
MUST_CHECK ErrCode pdf_warm(Err *err);

/* convert.c: load the fonts that documents are set in. */
MUST_CHECK ErrCode convert_warm(Err *err);

#endif

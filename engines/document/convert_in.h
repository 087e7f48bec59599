/* convert_in.h: the parts of document.convert.
 *
 *   convert.c           the contract of document.convert, and what happens to its input
 *   combine.c           document.combine: several inputs, one document
 *   convert_ways.c      the one table: what becomes of which kind of file, and how
 *   convert_model.c     through the document model: a reader and a writer
 *   convert_call.c      through other engines: the office suite, the browser, picture formats
 *   convert_pages.c     pages of a PDF as pictures (MuPDF); convert_poppler.c with the switch
 *   convert_pictures.c  pictures as a PDF
 *
 * A way gets a StepCtx of its own, with one input: outputs it makes go to the task, or, when the
 * result is only half of the way (a PDF that is to become pictures), to a scratch file. */
#ifndef PLATEN_DOCUMENT_CONVERT_IN_H
#define PLATEN_DOCUMENT_CONVERT_IN_H

#include "document/detect_in.h"
#include "document/document.h"

typedef enum To {
    TO_PDF,
    TO_DOCX,
    TO_HTML,
    TO_EPUB,
    TO_MARKDOWN,
    TO_TEXT,
    TO_PNG,
    TO_JPEG,
    TO_WEBP,
    TO_ODT,
    TO_XLSX,
    TO_ODS,
    TO_CSV,
    TO_PPTX,
    TO_ODP,
    TO_COUNT
} To;

typedef enum Paper { PAPER_AUTO, PAPER_A4, PAPER_LETTER, PAPER_LEGAL, PAPER_A3, PAPER_A5 } Paper;
typedef enum PdfA { PDF_A_NONE, PDF_A_1B, PDF_A_2B, PDF_A_3B } PdfA;

typedef struct ConvertArgs {
    int to; /* enum To */
    Str pages;
    int64_t dpi, width, quality;
    int paper; /* enum Paper */
    bool landscape;
    double margin_mm;
    Str title, password;
    int pdf_a; /* enum PdfA */
    int style; /* enum DocStyle */
    bool light;
} ConvertArgs;

typedef enum Way {
    WAY_NONE,
    WAY_MODEL,      /* read, and written by our own writers */
    WAY_OFFICE,     /* the office suite; nothing else can */
    WAY_OFFICE_OWN, /* the office suite, else as WAY_MODEL */
    WAY_BROWSER,    /* the browser, else as WAY_MODEL */
    WAY_PAGES,      /* pages of a PDF as pictures */
    WAY_VIA_PDF,    /* to PDF first, then its pages as pictures */
    WAY_PICTURES,   /* pictures as pages of a PDF */
    WAY_PICTURES_2, /* the same, of kinds that another engine decodes first */
} Way;

typedef struct Job {
    StepCtx *c; /* this input's own */
    const ConvertArgs *a;
    FileType type;
    TypeId id;
    Str bytes;
    To to;
    const char *how; /* for the result: "model", "office" … */
    int64_t pages;   /* made */
    int64_t outputs;
} Job;

/* convert.c */
extern const Choice convert_paper_choices[], convert_pdf_a_choices[], convert_style_choices[];
/* Map the input and tell its type; refuses what has no way to the target. */
MUST_CHECK ErrCode convert_open(Job *j);

/* convert_ways.c */
Way convert_way(TypeId from, To to);
bool convert_is_picture(TypeId from);
const char *convert_extension(To to);
const char *convert_media_type(To to);
const char *convert_name(To to); /* as the parameter says it */
/* "pdf, png, …": what a file of this type can become; "" when nothing. */
Str convert_choices(Arena *a, TypeId from);
TypeId convert_type_id(const FileType *t);
DocReader convert_reader(TypeId from); /* NULL: none */

/* convert_model.c: one input, or several as one document. */
MUST_CHECK ErrCode convert_model(Job *jobs, size_t len);
/* The page the arguments ask for, in points; auto: A4. */
void convert_paper(const ConvertArgs *a, float *width, float *height, float *margin);

/* convert_call.c */
MUST_CHECK ErrCode convert_office(Job *j);
MUST_CHECK ErrCode convert_browser(Job *j);
/* Is this how a call fails when there is nobody to call? */
bool convert_nobody(ErrCode rc);
/* A picture in another format, by the image engine: *out is a new descriptor. */
MUST_CHECK ErrCode convert_image(StepCtx *c, const StepInput *in, const char *format,
                                 int64_t quality, int *out_fd);
/* Copy the whole of `from` to `to`. */
MUST_CHECK ErrCode convert_copy(int from, int to, Err *err);

/* convert_pages.c */
MUST_CHECK ErrCode convert_pages(Job *j, Str pdf);
int64_t convert_count_pages(const Job *j, Str pdf); /* 0: not to be told */

/* convert_pictures.c: one PDF from all of them. */
MUST_CHECK ErrCode convert_pictures(Job *jobs, size_t len);

/* "report" for reports/report.docx; never empty. */
Str convert_base(const StepCtx *c);

#endif

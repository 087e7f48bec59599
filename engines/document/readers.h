/* readers.h: one function per format: bytes in, blocks out.
 *
 * A reader gets the whole input as a read-only mapping (`in->bytes`; the descriptor too, for
 * libraries that seek) and writes into the sink. It returns OK, or the reason: input_damaged,
 * input_encrypted, limit_* … A damaged file whose beginning is readable gives what there is and a
 * note (step_note) that says where it stopped, unless nothing could be read. Readers never open
 * files, never use the network, never recurse without a limit. */
#ifndef PLATEN_DOCUMENT_READERS_H
#define PLATEN_DOCUMENT_READERS_H

#include "document/doc.h"
#include "core/param.h"
#include "kit/pages.h"

typedef enum Attachments { ATTACHMENTS_NONE, ATTACHMENTS_LIST, ATTACHMENTS_READ } Attachments;
typedef enum OcrWhen { OCR_AUTO, OCR_NEVER, OCR_ALWAYS } OcrWhen;

/* What all files within one file may take together. */
typedef struct AttachBudget {
    int64_t files, bytes;
} AttachBudget;

typedef struct DocInput {
    StepCtx *step;
    int fd;        /* of the whole file; -1: it lies within another one */
    Str bytes;     /* the whole file, mapped */
    Str name;      /* for messages */
    Str type;      /* media type, told from the content; "" in tests of one reader */
    Str password;  /* or "" */
    Str pages;     /* "1-3,7", or "": all */
    Str charset;   /* declared by the sender ("text/csv; charset=…"), or "" */
    bool comments; /* also comments, tracked changes and speaker notes */
    bool main;     /* of a web page only what it is about */
    Attachments attachments;
    OcrWhen ocr;
    StrList languages;    /* for OCR; empty: auto */
    int depth;            /* how many files this one lies in */
    AttachBudget *budget; /* NULL: attached files are not read */
} DocInput;

typedef ErrCode (*DocReader)(const DocInput *in, Doc *out);

/* pdf.c */ ErrCode read_pdf(const DocInput *in, Doc *out);
/* html.c */ ErrCode read_html(const DocInput *in, Doc *out);
/* markdown.c */ ErrCode read_markdown(const DocInput *in, Doc *out);
/* text.c */ ErrCode read_text(const DocInput *in, Doc *out);
/* text.c */ ErrCode read_source(const DocInput *in,
                                 Doc *out); /* JSON, YAML, XML, programs: as one block of code */
/* csv.c */ ErrCode read_csv(const DocInput *in, Doc *out); /* comma, semicolon, tab, pipe */
/* docx.c */ ErrCode read_docx(const DocInput *in, Doc *out);
/* xlsx.c */ ErrCode read_xlsx(const DocInput *in, Doc *out);
/* pptx.c */ ErrCode read_pptx(const DocInput *in, Doc *out);
/* odf.c */ ErrCode read_odf(const DocInput *in,
                             Doc *out); /* odt, ods, odp, odg and the flat XML forms */
/* epub.c */ ErrCode read_epub(const DocInput *in, Doc *out);
/* rtf.c */ ErrCode read_rtf(const DocInput *in, Doc *out);
/* eml.c */ ErrCode read_eml(const DocInput *in, Doc *out);
/* picture.c */ ErrCode read_picture(const DocInput *in, Doc *out); /* by OCR */
/* doc97.c */ ErrCode read_doc97(const DocInput *in, Doc *out);     /* where no office suite is */
/* ppt97.c */ ErrCode read_ppt97(const DocInput *in, Doc *out);     /* the same */
/* svg.c */ ErrCode read_svg(const DocInput *in, Doc *out);
/* msg.c */ ErrCode read_msg(const DocInput *in, Doc *out);
/* eml.c: load what GMime needs, once, before the sandbox closes. */
MUST_CHECK ErrCode eml_warm(Err *err);

/* html.c: the same reader for HTML that lies inside another format (EPUB, EML). */
ErrCode read_html_fragment(StepCtx *c, Str html, Str charset, Doc *out);
/* "&eacute;" as text in `out`; what is no entity comes back as it was (cut to 31 bytes). */
Str html_entity(Str entity, char out[32]);

/* charset.c: any encoding to UTF-8. `declared` may be empty or wrong: a BOM wins, then valid UTF-8,
 * the NUL pattern of UTF-16/32, then the declaration, then a guess. *used gets the IANA name. Bytes
 * that do not fit become U+FFFD. */
ErrCode charset_to_utf8(Arena *a, Str bytes, Str declared, Str *out, const char **used, Err *err);

/* detect.c: the true type from content. The media type is a constant; never NULL
 * ("application/octet-stream"). */
typedef struct FileType {
    const char *media_type; /* "application/pdf" */
    const char *extension;  /* "pdf" */
    const char *name;       /* "PDF document" */
    const char
        *family; /* "document", "image", "archive", "audio", "video", "text", "program", "other" */
    bool encrypted, macros, javascript;
    bool embedded;       /* other files lie in it */
    bool strict;         /* OOXML as ISO 29500 Strict has it */
    const char *charset; /* for text, or NULL */
} FileType;
ErrCode detect_type(Arena *a, Str bytes, FileType *out, Err *err);

#endif

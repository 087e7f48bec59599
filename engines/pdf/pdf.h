/* pdf.h: PDF files as the steps of this engine see them.
 *
 * qpdf does the work. Its C API has no forms, no named destinations and no way to write to a
 * descriptor, so what talks to it is C++ (*.cc) behind the functions of this header; contracts,
 * arguments and names of outputs are C. No exception leaves a .cc file: it becomes a reason.
 *
 *   merge.c …         one step each: contract, arguments, what it says
 *   pagelist.c        "1-3,7,odd,last" as page numbers
 *   document.cc       open, write, notes about repairs
 *   compose.cc        a new document from pages of others: forms, links, attachments
 *   outline.cc        bookmarks: read, moved to the new pages, written
 *   stamp.cc          draw something on pages           font.c      text as glyphs of an embedded font
 *   shrink.cc         make it smaller                   picture.c   decode, scale and encode pictures
 *   info.cc           what a document says about itself xmp.c       the same as an XMP packet
 *
 * An opened document keeps its input mapped and reads from it until it is closed, so documents that
 * gave pages to another one are closed after that one is written. */
#ifndef PLATEN_PDF_PDF_H
#define PLATEN_PDF_PDF_H

#ifdef __cplusplus
extern "C" {
#endif

#include "core/step.h"

extern const Step step_pdf_merge, step_pdf_split, step_pdf_rotate, step_pdf_watermark,
    step_pdf_encrypt, step_pdf_decrypt, step_pdf_optimize, step_pdf_metadata;

typedef struct Pdf Pdf;
enum { PDF_PAGES_MAX = 100 * 1000, PDF_BOOKMARKS_MAX = 20 * 1000 };

/* Open an input. ERR_UNSUPPORTED_TYPE: not a PDF (the hint says which step makes one of it);
 * ERR_INPUT_ENCRYPTED; ERR_INPUT_DAMAGED: beyond repair; ERR_LIMIT_COUNT. A document that opens
 * with an empty password needs none. */
MUST_CHECK ErrCode pdf_open(StepCtx *c, const StepInput *in, Str password, Pdf **out);
void pdf_close(Pdf **pdf);
int64_t pdf_page_count(const Pdf *pdf);
int64_t pdf_size_bytes(const Pdf *pdf); /* of the input */
Str pdf_bytes(const Pdf *pdf);          /* the input, mapped */
bool pdf_is_encrypted(const Pdf *pdf);
/* Which password opened it. */
bool pdf_is_owner(const Pdf *pdf);

/* How to write. Zeroed: as the source was, encryption kept. */
typedef struct PdfProtection {
    Str user, owner;
    bool no_print, low_print, no_copy, no_modify, no_annotate, no_fill, no_assemble;
    bool plain_metadata;
} PdfProtection;
typedef struct PdfWrite {
    const PdfProtection *protect; /* AES-256; replaces what the source had */
    Pdf *protect_like;            /* the same passwords and permissions as this one */
    bool unprotect;
    bool compact; /* object streams, and everything compressed again as small as it gets */
    bool linearize;
} PdfWrite;
/* Write to a descriptor from its position on; *bytes says how many. ERR_LIMIT_OUTPUT,
 * ERR_DISK_FULL, ERR_INPUT_DAMAGED. */
MUST_CHECK ErrCode pdf_write_fd(Pdf *pdf, const PdfWrite *how, int fd, int64_t *bytes, Err *err);
/* The same into a new output of the task. */
MUST_CHECK ErrCode pdf_write(StepCtx *c, Pdf *pdf, const PdfWrite *how, Str name, int64_t *bytes);
/* Tell in the history what qpdf had to repair so far; gives the number of repairs. */
int64_t pdf_note_repairs(StepCtx *c, Pdf *pdf, Str name);

/* pagelist.c: "1-3,7,9-,last,odd,even", "3-1" backwards, "" for all. ERR_BAD_PARAM names `param`
 * and a page the document does not have. */
typedef struct PageList {
    int64_t *pages; /* numbers from 1, in the order given */
    size_t len;
} PageList;
MUST_CHECK ErrCode pagelist_parse(Arena *a, Str text, int64_t page_count, const char *param,
                                  PageList *out, Err *err);
/* "report-001.pdf" for a part, "report-rotated.pdf" for a changed one: the input's own name without
 * folder and extension. */
Str pagelist_name(Arena *a, Str input, const char *suffix);

/* compose.cc: a new document from pages of others. */
typedef enum PdfBookmarks {
    PDF_BOOKMARKS_FILES,
    PDF_BOOKMARKS_KEEP,
    PDF_BOOKMARKS_NONE
} PdfBookmarks;
typedef struct PdfPart {
    Pdf *pdf;
    PageList pages;
    Str title; /* of its bookmark */
} PdfPart;
typedef struct PdfCompose {
    PdfBookmarks bookmarks;
    bool attachments; /* those of all parts go along */
} PdfCompose;
MUST_CHECK ErrCode pdf_compose(StepCtx *c, const PdfPart *parts, size_t parts_len,
                               const PdfCompose *how, Pdf **out);
/* Before pages are taken out: fonts and pictures a page does not use are no longer named by it. */
MUST_CHECK ErrCode pdf_drop_unused_resources(Pdf *pdf, Err *err);

/* outline.cc: bookmarks of the first level that lead to a page of the document. */
typedef struct PdfBookmark {
    Str title;
    int64_t page_no;
} PdfBookmark;
MUST_CHECK ErrCode pdf_top_bookmarks(Arena *a, Pdf *pdf, PdfBookmark **out, size_t *len, Err *err);

MUST_CHECK ErrCode pdf_rotate(Pdf *pdf, const PageList *pages, int angle, bool absolute, Err *err);

/* stamp.cc: something drawn on pages. Sizes in points. */
typedef enum StampPlace {
    STAMP_CENTER,
    STAMP_TOP_LEFT,
    STAMP_TOP,
    STAMP_TOP_RIGHT,
    STAMP_LEFT,
    STAMP_RIGHT,
    STAMP_BOTTOM_LEFT,
    STAMP_BOTTOM,
    STAMP_BOTTOM_RIGHT,
    STAMP_TILE,
    STAMP_DIAGONAL, /* from corner to corner, in the middle */
} StampPlace;
typedef struct Stamp {
    StampPlace place;
    double angle;   /* degrees, counterclockwise as seen */
    double opacity; /* 0 to 1 */
    double scale;   /* of the page's width and height that it may fill; 0: its natural size */
    double margin;
    bool under;
} Stamp;
/* A line of text, laid out by font.c. */
typedef struct StampText {
    struct FontRun *run;
    double size;
    double colour[3];
} StampText;
MUST_CHECK ErrCode pdf_stamp_text(Pdf *pdf, const PageList *pages, const Stamp *how,
                                  const StampText *text, Err *err);
/* A JPEG or PNG. ERR_UNSUPPORTED_TYPE, ERR_INPUT_DAMAGED, ERR_LIMIT_PIXELS. */
MUST_CHECK ErrCode pdf_stamp_picture(StepCtx *c, Pdf *pdf, const PageList *pages, const Stamp *how,
                                     Str bytes);
/* A page of another document. */
MUST_CHECK ErrCode pdf_stamp_page(Pdf *pdf, const PageList *pages, const Stamp *how, Pdf *other,
                                  int64_t page_no, Err *err);

/* font.c: text as glyphs of a font that has them all, and the part of the font that is used. */
typedef struct FontGlyph {
    uint16_t id;
    double x, y;    /* place of the glyph, in 1/1000 of the size, from the start of the line */
    double advance; /* as the font says, in 1/1000 */
    uint32_t text_at, text_len; /* bytes of the text it stands for */
} FontGlyph;
typedef struct FontRun {
    Str text;
    FontGlyph *glyphs;
    size_t len;
    double width, ascent, descent; /* in 1/1000 of the size */
    Str name;                      /* PostScript name of the font */
    Str file;                      /* the subset */
    bool cff;
    double bounds[4], cap_height;
} FontRun;
/* Map every font of the system that adds characters, once, before the sandbox closes. */
MUST_CHECK ErrCode font_warm(Err *err);
/* ERR_BAD_PARAM names `text` and the first character no font has. */
MUST_CHECK ErrCode font_shape(Arena *a, Str text, FontRun *out, Err *err);

/* shrink.cc */
typedef struct Shrink {
    int64_t dpi;     /* pictures finer than this are scaled down; 0: none */
    int64_t quality; /* of JPEG */
} Shrink;
typedef struct ShrinkResult {
    int64_t pictures, pictures_changed, duplicates;
} ShrinkResult;
MUST_CHECK ErrCode pdf_shrink(StepCtx *c, Pdf *pdf, const Shrink *how, ShrinkResult *out);

/* picture.c: 8-bit pixels, 1 (grey) or 3 (RGB) a pixel. */
typedef struct Picture {
    uint8_t *pixels;
    int64_t width, height;
    int channels;
} Picture;
/* Scale down by averaging; in `a`. pixels is NULL when the arena is full. */
Picture picture_scale(Arena *a, const Picture *p, int64_t width, int64_t height);
/* false: libjpeg refused, or no memory. *out lies in `a`. */
bool picture_to_jpeg(Arena *a, const Picture *p, int quality, Str *out);
/* Size and number of components of a JPEG, from its header. */
bool picture_jpeg_size(Str bytes, int64_t *width, int64_t *height, int *components, bool *inverted);
/* A PNG as RGB or grey, and its alpha (pixels NULL when it has none). */
MUST_CHECK ErrCode picture_from_png(Arena *a, Str bytes, Picture *out, Picture *alpha, Err *err);

/* info.cc */
typedef struct PdfInfo {
    Str title, author, subject, keywords, creator, producer; /* .ptr NULL: not there */
    Str created, modified;                                   /* ISO 8601, or as it stands there */
    const struct PdfCustom *custom;
} PdfInfo;
typedef struct PdfCustom {
    Str key, value;
    struct PdfCustom *next;
} PdfCustom;
MUST_CHECK ErrCode pdf_info_read(Arena *a, Pdf *pdf, PdfInfo *out, Err *err);
/* Put `info` in the place of what is there, into the document's information dictionary and its XMP
 * packet. An empty value removes the entry. */
MUST_CHECK ErrCode pdf_info_write(Arena *a, Pdf *pdf, const PdfInfo *info, Err *err);
/* Remove the information dictionary, XMP packets of document, pages and pictures, thumbnails and
 * private data of programs. */
MUST_CHECK ErrCode pdf_info_remove(Pdf *pdf, Err *err);
/* version, linearized, encrypted, permissions, page sizes, fonts, attachments … onto `j`. */
MUST_CHECK ErrCode pdf_describe(StepCtx *c, Pdf *pdf, JsonOut *j);
/* "D:20260102030405+01'00'" to "2026-01-02T03:04:05+01:00" and back; empty when it is no date. */
Str pdf_date_to_iso(Arena *a, Str date);
Str pdf_date_from_iso(Arena *a, Str iso);

/* xmp.c: a packet that says `info`; of `old` (may be empty) everything else is kept. */
MUST_CHECK ErrCode xmp_write(Arena *a, Str old, const PdfInfo *info, Str *out, Err *err);

#ifdef __cplusplus
}
#endif
#endif

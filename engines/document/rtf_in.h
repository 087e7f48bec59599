/* rtf_in.h: the inside of the RTF reader.
 *
 *   rtf.c          the scanner: groups, control words, what a word does
 *   rtf_dest.c     destinations: fonts, styles, metadata, fields, what is read later
 *   rtf_chars.c    bytes in the encoding of their font, Unicode, symbols
 *   rtf_blocks.c   paragraphs, lists, tables, notes: the way to the sink
 *   rtf_words.c    the table of control words */
#ifndef PLATEN_DOCUMENT_RTF_IN_H
#define PLATEN_DOCUMENT_RTF_IN_H

#include "base/buf.h"
#include "document/docx_styles.h"
#include "document/readers.h"
#include "document/rtf_words.h"

enum {
    DEPTH_MAX = 512,
    FONTS_MAX = 4096,
    STYLES_MAX = 4096,
    LATER_MAX = 1000,
    LEVELS = 9,
    RUN_MAX = 64 * 1024,
    CAPTURE_MAX = 16 * 1024,
    MARKER_MAX = 12, /* bytes of "iii." or "•" before a tab */
};

typedef struct RtfGroup {
    RtfDest dest;
    bool owner; /* the destination began in this group and ends with it */
    bool starred;
    bool hidden;
    bool linked; /* a field's result that is a link */
    unsigned marks;
    int font;
    int unicode_skip;
} RtfGroup;

typedef struct RtfFont {
    int number;
    const char *charset; /* NULL: the document's */
    bool symbol;
    char name[32];
} RtfFont;

typedef struct RtfStyle {
    int number, based_on, outline;
    DocxKind kind;
    int heading;
} RtfStyle;

typedef struct RtfParagraph {
    int style, outline;
    bool in_table;
    int table_depth;
    int list, level;
    int left, first; /* twentieths of a point */
} RtfParagraph;

typedef struct RtfLater {
    size_t at; /* just behind the word that began the destination */
    RtfDest dest;
    int64_t label;
} RtfLater;

typedef struct Rtf {
    const DocInput *in;
    Doc *out;
    Arena *scratch;
    Err *err;
    Str s;
    size_t at;
    RtfGroup stack[DEPTH_MAX];
    int depth;
    ErrCode rc;

    const char *charset;
    RtfFont *fonts;
    size_t fonts_len;
    int default_font;
    RtfStyle *styles;
    size_t styles_len;

    Buf run;       /* bytes not yet decoded */
    bool run_raw;  /* its high bytes stand in the file as themselves */
    int skip_left; /* substitutes of a \u still to come */
    uint32_t high; /* first half of a surrogate pair */

    Buf capture; /* text of a destination that is not the document's */
    int time[5];

    RtfParagraph par;
    bool begun;
    bool code_open;
    unsigned marks;
    char marker[MARKER_MAX + 1]; /* text at the start of a hanging paragraph, until it is known to
                                    be no list marker */
    size_t marker_len;
    bool marker_open;
    bool item; /* the paragraph is a list item of this number */
    int64_t number;
    char item_marker[64];
    size_t item_marker_len;
    int64_t counts[LEVELS];
    int64_t page;

    bool table_open, row_open, cell_open;

    RtfLater later[LATER_MAX];
    size_t later_len;
    int64_t notes;
    bool in_later;
    int64_t note_label; /* -1: not in a note */
    bool note_begun;
    char href[2048];
    size_t href_len;
} Rtf;

/* rtf.c */
RtfGroup *rtf_top(Rtf *r);
const RtfFont *rtf_font(const Rtf *r, int number);   /* NULL: there is none */
const RtfStyle *rtf_style(const Rtf *r, int number); /* NULL: there is none */
/* Read what was put aside: the group that begins at l->at, as blocks of its own. */
void rtf_run_range(Rtf *r, const RtfLater *l);
void rtf_reset_paragraph(Rtf *r);

/* rtf_dest.c */
void rtf_open_group(Rtf *r);
void rtf_close_group(Rtf *r);
void rtf_begin_dest(Rtf *r, RtfDest dest);
void rtf_add_font(Rtf *r, int number);
const char *rtf_charset_of_font(int fcharset);     /* NULL: the document's */
const char *rtf_charset_of_codepage(int64_t page); /* NULL: unknown */

/* rtf_chars.c */
void rtf_put_byte(Rtf *r, char c, bool raw);
void rtf_put_char(Rtf *r, uint32_t c);
void rtf_put_unicode(Rtf *r, int64_t value);
void rtf_flush(Rtf *r); /* decode the bytes in hand and send them where they belong */

/* rtf_blocks.c */
void rtf_put_body(Rtf *r, Str text);
void rtf_begin(Rtf *r);
void rtf_set_marks(Rtf *r, unsigned want);
void rtf_flush_marker(Rtf *r);
void rtf_be_item(Rtf *r, Str marker);
void rtf_end_paragraph(Rtf *r);
void rtf_end_cell(Rtf *r);
void rtf_end_row(Rtf *r);
void rtf_turn_page(Rtf *r);
void rtf_close_table(Rtf *r);

#endif

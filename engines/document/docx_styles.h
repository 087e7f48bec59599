/* docx_styles.h: what a Word document's styles and numbering say about a paragraph, for docx.c.
 *
 * Styles name their parents; docx_styles_read applies the parents, so a DocxStyle is complete. Word
 * writes the names of its own styles in English whatever the language of the user ("heading 1");
 * other programs write their own ("Überschrift 1"), so both the name and the outline level count.
 *
 * Numbering: a paragraph names a list (num) and a level; docx_number counts. Lists over one
 * abstract list go on counting together unless one says that it starts again. */
#ifndef PLATEN_DOCUMENT_DOCX_STYLES_H
#define PLATEN_DOCUMENT_DOCX_STYLES_H

#include "document/opc.h"

enum { DOCX_LEVELS = 9, DOCX_STYLES_MAX = 20000, DOCX_LISTS_MAX = 50000 };

typedef enum DocxKind { DOCX_PLAIN, DOCX_HEADING, DOCX_CODE, DOCX_QUOTE } DocxKind;

typedef struct DocxStyle {
    Str id, name, based_on;
    DocxKind kind;
    int heading;                      /* 1 to 6 with DOCX_HEADING */
    int outline;                      /* 0 to 9, -1: not said */
    int64_t num_id;                   /* -1: not said, 0: no list */
    int ilvl;                         /* -1: not said */
    int bold, italic, strike, hidden; /* -1: not said */
    bool resolved;
} DocxStyle;

typedef struct DocxStyles {
    DocxStyle *all;
    size_t len, cap;
} DocxStyles;

MUST_CHECK ErrCode docx_styles_read(Opc *o, Str part, DocxStyles *out, Err *err);
const DocxStyle *docx_style(const DocxStyles *s, Str id); /* NULL: there is none */

/* 1 to 6 when the name is that of a heading style in one of many languages ("heading 2", "Titre 2",
 * "标题 2"), else 0. Shared with the RTF and OpenDocument readers. */
int docx_heading_of_name(Str name);
DocxKind docx_kind_of_name(Str name);

typedef struct DocxLevel {
    Str format; /* "decimal", "bullet", "lowerRoman" … */
    Str text;   /* "%1.%2" */
    int64_t start;
    bool legal; /* every part of the label is decimal */
} DocxLevel;

typedef struct DocxAbstract {
    int64_t id;
    Str link; /* the style whose list this is only a reference to */
    DocxLevel levels[DOCX_LEVELS];
    int64_t counts[DOCX_LEVELS];
    bool begun[DOCX_LEVELS];
} DocxAbstract;

typedef struct DocxNum {
    int64_t id, abstract_id;
    DocxAbstract *abstract;
    int64_t starts[DOCX_LEVELS]; /* -1: not overridden */
    bool started[DOCX_LEVELS];
    DocxLevel *levels[DOCX_LEVELS]; /* NULL: those of the abstract list */
} DocxNum;

typedef struct DocxLists {
    DocxAbstract *abstracts;
    size_t abstracts_len, abstracts_cap;
    DocxNum *nums;
    size_t nums_len, nums_cap;
} DocxLists;

MUST_CHECK ErrCode docx_lists_read(Opc *o, Str part, const DocxStyles *styles, DocxLists *out,
                                   Err *err);

typedef enum DocxMarker { DOCX_NO_MARKER, DOCX_BULLET, DOCX_NUMBER } DocxMarker;

/* The next paragraph of list `num_id` at `level`. With DOCX_NUMBER *number is its count, and label
 * gets it as Word shows it ("2.1", "iv)"). */
DocxMarker docx_number(DocxLists *l, int64_t num_id, int level, int64_t *number, Buf *label);

/* `n` in an OOXML number format ("upperRoman"); unknown formats give decimal. */
void docx_put_number(Buf *b, int64_t n, Str format);

#endif

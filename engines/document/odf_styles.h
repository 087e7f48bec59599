/* odf_styles.h: what the styles of an OpenDocument file say about text, for odf.c. */
#ifndef PLATEN_DOCUMENT_ODF_STYLES_H
#define PLATEN_DOCUMENT_ODF_STYLES_H

#include "document/docx_styles.h"

enum { ODF_STYLES_MAX = 200 * 1000, ODF_LIST_LEVELS = 10 };

typedef struct OdfStyle {
    Str family, name, parent, display, list;
    int outline;              /* 1 to 10, 0: none */
    int bold, italic, strike; /* -1: not said */
    bool hidden;              /* text or table that is not shown */
} OdfStyle;

typedef struct OdfList {
    Str name;
    bool numbered[ODF_LIST_LEVELS];
    int64_t start[ODF_LIST_LEVELS];
} OdfList;

typedef struct OdfStyles {
    Arena *arena;
    OdfStyle *all;
    size_t len, cap;
    OdfList *lists;
    size_t lists_len, lists_cap;
    bool sorted;
} OdfStyles;

/* Remember a style:style or a list style. */
void odf_styles_add(OdfStyles *s, const XmlElem *e);

const OdfStyle *odf_style(OdfStyles *s, const char *family, Str name); /* NULL: there is none */
const OdfList *odf_list(OdfStyles *s, Str name);

/* With the parents applied: marks as bits of 1 << MarkKind, whether the text is shown, what kind of
 * paragraph it is. */
unsigned odf_marks(OdfStyles *s, Str text_style, bool *hidden);
DocxKind odf_kind(OdfStyles *s, Str paragraph_style, int *heading);
/* The list style that a paragraph style brings, or "". */
Str odf_list_of(OdfStyles *s, Str paragraph_style);

#endif

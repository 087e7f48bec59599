/* rtf_words.h: the control words of RTF that rtf.c acts on. Every other word is passed over. */
#ifndef PLATEN_DOCUMENT_RTF_WORDS_H
#define PLATEN_DOCUMENT_RTF_WORDS_H

#include "base/str.h"

typedef enum RtfAction {
    RTF_NOTHING,
    RTF_CHAR,      /* arg: a character */
    RTF_SKIP,      /* a destination without text of the document */
    RTF_DEST,      /* arg: enum RtfDest */
    RTF_INFO_TIME, /* arg: 0 year … 4 minute */
    RTF_CHARSET,   /* arg: the whole document is Mac (77), PC (254) or PC 850 (255) */
    RTF_BOLD,
    RTF_ITALIC,
    RTF_STRIKE,
    RTF_HIDDEN,
    RTF_PLAIN,
    RTF_PARD,
    RTF_PAR,
    RTF_LINE,
    RTF_PAGE,
    RTF_STYLE,
    RTF_BASED_ON,
    RTF_OUTLINE,
    RTF_FONT,
    RTF_DEFAULT_FONT,
    RTF_FONT_CHARSET,
    RTF_FONT_CODEPAGE,
    RTF_ANSI_CODEPAGE,
    RTF_UNICODE,
    RTF_UNICODE_SKIP,
    RTF_BINARY,
    RTF_IN_TABLE,
    RTF_TABLE_DEPTH,
    RTF_CELL,
    RTF_ROW,
    RTF_NEST_CELL,
    RTF_NEST_ROW,
    RTF_LIST,
    RTF_LEVEL,
    RTF_LEFT_INDENT,
    RTF_FIRST_INDENT,
    RTF_UNICODE_DEST, /* \ud: the better half of \upr */
} RtfAction;

typedef enum RtfDest {
    DEST_BODY,
    DEST_SKIP,
    DEST_FONTS,
    DEST_STYLES,
    DEST_TITLE,
    DEST_SUBJECT,
    DEST_AUTHOR,
    DEST_KEYWORDS,
    DEST_GENERATOR,
    DEST_CREATED,
    DEST_REVISED,
    DEST_FIELD_INSTRUCTIONS,
    DEST_FIELD_RESULT,
    DEST_LIST_TEXT,
    DEST_FOOTNOTE,
    DEST_COMMENT,
    DEST_TEXT_BOX,
} RtfDest;

typedef struct RtfWord {
    const char *name;
    RtfAction action;
    int arg;
} RtfWord;

/* NULL: not one of ours. */
const RtfWord *rtf_word(Str name);

#endif

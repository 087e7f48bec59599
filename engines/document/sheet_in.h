/* sheet_in.h: objects of the PDF being written; sheet.c pages and structure, sheet_fonts.c fonts,
 * sheet_facts.c metadata. */
#ifndef PLATEN_DOCUMENT_SHEET_IN_H
#define PLATEN_DOCUMENT_SHEET_IN_H

#include "document/sheet.h"

enum {
    SHEET_OBJECTS_MAX = 4 << 20,
    SHEET_FONTS_MAX = 64,
    SHEET_GLYPHS_MAX = 65536,
    SHEET_BOOKMARKS_MAX = 5000,
    SHEET_LINKS_MAX = 2000, /* of one page */
    SHEET_LIGATURES_MAX = 4000,
};

typedef struct SheetFont {
    const Face *face;
    int object;
    hb_set_t *used;
    uint32_t *text; /* per glyph: its character, or an index of `ligatures` with the high bit */
} SheetFont;

typedef struct SheetBookmark {
    int level, page_object;
    float y;
    Str title;
    int object, parent, prev, next, first, last; /* indexes from 1; 0: none */
} SheetBookmark;

struct Sheet {
    Arena *arena;
    int fd;
    Err err;
    uint64_t at;
    uint64_t hash[2];  /* of all that was written: the file's id */
    uint64_t *offsets; /* by object */
    size_t offsets_cap;
    int objects; /* numbers given out */
    int pdf_a;
    Str icc;

    int pages_object, resources_object;
    Buf kids;
    int64_t pages;
    bool page_open;
    int page_object;
    float width, height;
    Buf content, annots;
    int links;

    SheetFont fonts[SHEET_FONTS_MAX];
    int fonts_len;
    uint32_t *ligatures[SHEET_LIGATURES_MAX]; /* length, then characters */
    Buf pictures;                             /* entries of the resources' dictionary */
    int pictures_len;
    SheetBookmark *bookmarks;
    int bookmarks_len;
    Buf scratch;
};

int sheet_new_object(Sheet *s);
void sheet_put(Sheet *s, Str bytes);
void sheet_begin_object(Sheet *s, int object);
/* A whole object from `s->scratch`, which is cleared. */
void sheet_put_scratch(Sheet *s, int object);
/* A stream whose dictionary holds `more` besides its length and filter. */
void sheet_put_stream(Sheet *s, int object, const char *more, Str bytes, bool pack);
void sheet_fail(Sheet *s, ErrCode code, const char *what);
/* "(text)" as PDF writes it: in UTF-16 where it is not ASCII. */
void sheet_add_text(Buf *b, Str text);

/* sheet_fonts.c */
void sheet_put_fonts(Sheet *s);
/* sheet_facts.c: the objects of information and metadata; what the catalog says of them onto *b. */
int sheet_put_info(Sheet *s, const SheetFacts *f);
void sheet_put_archive(Sheet *s, const SheetFacts *f, Buf *catalog);

#endif

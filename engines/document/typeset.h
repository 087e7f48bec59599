/* typeset.h: a paragraph as shaped glyphs, cut into lines, drawn on a sheet.
 *
 *   rc = set_shape(arena, text, runs, runs_len, &look, &t, err);
 *   set_break(&t, width);
 *   for (size_t i = 0; i < t.lines_len; i++)
 *       set_draw(&t, i, sheet, x, baseline - i * t.leading, width);
 *
 * HarfBuzz shapes, FriBidi orders what runs from right to left; a line may end after a space, a
 * hyphen or slash, and between East Asian characters; a word wider than the line is cut. A paragraph
 * that begins from right to left stands at the right. */
#ifndef PLATEN_DOCUMENT_TYPESET_H
#define PLATEN_DOCUMENT_TYPESET_H

#include "document/doc_in.h"
#include "document/sheet.h"

typedef struct SetRun {
    size_t from, to; /* bytes of the text */
    unsigned marks;  /* 1u << MarkKind */
    Str href;
} SetRun;

typedef struct SetLook {
    FaceFamily family;
    bool bold, italic, code; /* code: white space is kept */
    float size, leading;     /* points; from baseline to baseline */
    uint32_t colour;         /* 0xRRGGBB */
} SetLook;

typedef struct SetGlyph {
    uint32_t id, cluster; /* cluster: its first character */
    float advance, dx, dy;
} SetGlyph;

typedef struct SetPiece { /* characters with one font, style and direction */
    const Face *face;
    float size;
    unsigned char level; /* odd: from right to left */
    size_t from, to, glyph_from, glyph_to, run;
} SetPiece;

typedef struct SetLine {
    size_t from, to; /* characters; spaces at the end are left out */
    float width;
} SetLine;

typedef struct SetText {
    Arena *arena;
    SetLook look;
    const SetRun *runs;
    uint32_t *cps;
    float *advances; /* of each cluster, at its first character */
    unsigned char *breaks;
    size_t len;
    SetGlyph *glyphs;
    size_t glyphs_len, glyphs_cap;
    SetPiece *pieces;
    size_t pieces_len, pieces_cap;
    SetLine *lines;
    size_t lines_len, lines_cap;
    bool rtl;
} SetText;

/* LIMIT_MEMORY. What it makes lies in `a`; runs must outlive it. */
MUST_CHECK ErrCode set_shape(Arena *a, Str text, const SetRun *runs, size_t runs_len,
                             const SetLook *look, SetText *out, Err *err);
MUST_CHECK ErrCode set_break(SetText *t, float width, Err *err);
/* The widest line when nothing is broken but where it must be; the widest word. */
float set_widest(const SetText *t);
float set_widest_word(const SetText *t);
void set_draw(const SetText *t, size_t line, Sheet *s, float x, float y, float width);

/* The runs of a block or cell, copied into `a` with their links; NULL: no memory. */
SetRun *set_runs(Arena *a, const Doc *d, const DocSpan *span);

#endif

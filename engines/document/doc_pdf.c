/* doc_pdf.c: the blocks of a document as pages of a PDF, laid out as they come: headings stay with
 * what follows them, code stands on a ground, list markers hang, tables repeat their head. Nothing is
 * kept but the page in hand. */
#include "document/doc_pdf_in.h"
#include "document/pdf_profile.h"

#include <stdio.h>

enum { SCRATCH_BYTES = 512 << 20 };

static Press *press_of(const Doc *d)
{
    return d->own;
}

/* The type area of the paper; margins that leave no room give way. */
static void set_paper(Press *p, const DocOptions *o)
{
    bool own = o->paper_width > 0;
    p->width = own ? o->paper_width : 595.28f;
    p->height = own ? o->paper_height : 841.89f;
    p->margin = own ? o->margin : 56.7f;
    float most = p->width * 0.3f;
    p->margin = p->margin < most ? p->margin : most;
    p->left = p->top = p->margin;
    p->right = p->width - p->margin;
    p->bottom = p->height - p->margin;
}

static void begin(Doc *d)
{
    Press *p = arena_new(d->arena, Press, 1);
    Arena *scratch = arena_open(SCRATCH_BYTES);
    Err err = {0};
    if (p == NULL || scratch == NULL) {
        arena_close(&scratch);
        doc_fail(d, ERR_LIMIT_MEMORY, "beginning the PDF");
        return;
    }
    *p = (Press){.d = d, .scratch = scratch};
    d->own = p;
    p->family = d->options.style == DOC_STYLE_BOOK ? FACE_SERIF : FACE_SANS;
    p->size = d->options.style == DOC_STYLE_BOOK ? 11 : 10;
    set_paper(p, &d->options);
    if (faces_warm(&err) != OK) {
        d->err = err;
        return;
    }
    p->sheet = sheet_open(d->arena, d->fd, d->options.pdf_a, pdf_profile(d->arena));
    if (p->sheet == NULL)
        doc_fail(d, ERR_LIMIT_MEMORY, "beginning the PDF");
}

/* --- how each kind stands */

static PressLook body_look(const Press *p)
{
    return (PressLook){.set = {p->family, false, false, false, p->size, p->size * 1.45f, 0x1C1F23},
                       .before = p->size * 0.3f,
                       .after = p->size * 0.6f};
}

static PressLook heading_look(const Press *p, int level)
{
    static const float scale[] = {2.0f, 1.5f, 1.25f, 1.1f, 1, 1};
    PressLook k = body_look(p);
    k.set.bold = true;
    k.set.size = p->size * scale[level - 1];
    k.set.leading = k.set.size * 1.25f;
    k.set.colour = 0x14263F;
    k.before = k.set.size * 1.05f;
    k.after = k.set.size * 0.4f;
    k.keep = p->size * 8;
    k.level = level;
    return k;
}

static PressLook code_look(const Press *p, float indent)
{
    PressLook k = body_look(p);
    k.set = (SetLook){FACE_MONO, false, false, true, p->size * 0.92f, p->size * 1.25f, 0x24292F};
    k.ground = 0xF4F5F7;
    k.pad = 6;
    k.indent = indent;
    k.before = p->size * 0.4f;
    k.after = p->size * 0.9f;
    return k;
}

static PressLook quote_look(const Press *p, int level)
{
    PressLook k = body_look(p);
    k.bars = level > 0 ? level : 1;
    k.bars = k.bars < 8 ? k.bars : 8;
    k.bar = 0xC6CCD4;
    k.indent = 12 * (float)k.bars;
    k.set.colour = 0x4D5560;
    return k;
}

static PressLook note_look(const Press *p)
{
    PressLook k = body_look(p);
    k.set.size = p->size * 0.88f;
    k.set.leading = p->size * 1.25f;
    k.set.colour = 0x4D5560;
    return k;
}

/* --- lists */

static float indent_of_level(const Press *p, int level)
{
    return level > 0 ? p->item_left[level - 1] : 0;
}

static void put_item(Press *p, const DocBlock *b, const SetRun *runs)
{
    static const char *const bullets[] = {"\xE2\x80\xA2", "\xE2\x80\x93", "\xE2\x96\xAA"};
    char marker[32];
    int level = b->level < p->depth ? b->level : p->depth;
    PressLook k = body_look(p);
    int len = b->number > 0 ? snprintf(marker, sizeof marker, "%" PRId64 ".", b->number)
                            : snprintf(marker, sizeof marker, "%s", bullets[level % 3]);
    float hang = b->number >= 100 ? p->size * 2.6f : p->size * 1.9f;
    k.marker = (Str){marker, (size_t)len};
    k.indent = indent_of_level(p, level) + hang;
    k.before = p->depth > 0 ? p->size * 0.2f : p->size * 0.3f;
    k.after = p->size * 0.2f;
    if (p->depth > 0)
        p->gap = p->size * 0.2f;
    p->item_left[level] = k.indent;
    p->depth = level + 1;
    press_paragraph(p, &k, b->span.text, runs, b->span.runs_len);
}

/* What follows a list stands off from it. */
static void leave_list(Press *p)
{
    if (p->depth > 0)
        p->gap = p->size * 0.6f;
    p->depth = 0;
}

/* --- blocks */

static float inner_indent(Press *p, const DocBlock *b)
{
    bool may = b->kind == BLOCK_PARAGRAPH || b->kind == BLOCK_CODE;
    if (!may || b->level == 0 || p->depth == 0) {
        leave_list(p);
        return 0;
    }
    int level = b->level < p->depth ? b->level : p->depth;
    p->depth = level;
    return indent_of_level(p, level);
}

static void put_note(Press *p, const DocBlock *b, const SetRun *runs)
{
    char number[24];
    PressLook k = note_look(p);
    if (b->level > 0) {
        int len = snprintf(number, sizeof number, "[%d]", b->level);
        k.marker = (Str){number, (size_t)len};
        k.indent = p->size * 2.4f;
    }
    press_paragraph(p, &k, b->span.text, runs, b->span.runs_len);
}

static void put_block(Press *p, const DocBlock *b, const SetRun *runs)
{
    PressLook k;
    if (b->kind == BLOCK_ITEM) {
        put_item(p, b, runs);
        return;
    }
    float indent = inner_indent(p, b);
    switch (b->kind) {
    case BLOCK_HEADING:
        k = heading_look(p, b->level);
        break;
    case BLOCK_CODE:
        k = code_look(p, indent);
        break;
    case BLOCK_QUOTE:
        k = quote_look(p, b->level);
        break;
    case BLOCK_NOTE:
        put_note(p, b, runs);
        return;
    case BLOCK_PARAGRAPH:
    case BLOCK_ITEM:
    default:
        k = body_look(p);
        k.indent = indent;
        break;
    }
    press_paragraph(p, &k, b->span.text, runs, b->span.runs_len);
}

static void block(Doc *d, const DocBlock *b)
{
    Press *p = press_of(d);
    ArenaMark mark = arena_mark(p->scratch);
    SetRun *runs = set_runs(p->scratch, d, &b->span);
    if (runs == NULL)
        doc_fail(d, ERR_LIMIT_MEMORY, "laying out a paragraph");
    else
        put_block(p, b, runs);
    arena_rewind(p->scratch, mark);
}

static void table_begin(Doc *d)
{
    leave_list(press_of(d));
    press_table_begin(press_of(d));
}

static void row(Doc *d, const DocRow *r)
{
    press_row(press_of(d), r);
}

static void table_end(Doc *d)
{
    press_table_end(press_of(d));
}

/* --- the end */

static void end(Doc *d)
{
    Press *p = press_of(d);
    Err err = {0};
    if (p == NULL || p->sheet == NULL || d->err.code != OK)
        return;
    press_end_page(p);
    const SheetFacts facts = {.title = doc_title(d),
                              .author = doc_metadata(d, "author"),
                              .subject = doc_metadata(d, "subject"),
                              .keywords = doc_metadata(d, "keywords"),
                              .language = doc_metadata(d, "language"),
                              .created = doc_metadata(d, "created")};
    d->pages_total = sheet_pages(p->sheet);
    if (d->characters > 0 && sheet_end(p->sheet, &facts, &err) != OK && d->err.code == OK)
        d->err = err;
}

static void drop(Doc *d)
{
    Press *p = press_of(d);
    if (p == NULL)
        return;
    press_table_drop(p);
    sheet_drop(&p->sheet);
    arena_close(&p->scratch);
}

const DocWriter doc_pdf_writer = {
    .format = "pdf",
    .media_type = "application/pdf",
    .extension = "pdf",
    .begin = begin,
    .block = block,
    .table_begin = table_begin,
    .row = row,
    .table_end = table_end,
    .end = end,
    .drop = drop,
};

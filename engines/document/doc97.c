/* doc97.c: the plain text of Word 97-2003 documents ([MS-DOC]), for where no office suite is: text
 * in paragraphs, tables by their cell marks, footnotes at the end. Styles, lists and numbers are
 * not read; office.convert gives those. */
#include "document/readers.h"

#include <string.h>

#include "document/bytes.h"
#include "document/charset.h"
#include "document/ole.h"

enum { STREAM_MAX = 256 << 20, PIECE_CHARS = 16 << 10, FIB_WORD97 = 0xC1 };
enum { CELL = 0x07, LINE = 0x0B, PAGE = 0x0C, PARA = 0x0D };
enum { FIELD_BEGIN = 0x13, FIELD_RESULT = 0x14, FIELD_END = 0x15 };

typedef struct Doc97 {
    const DocInput *in;
    Doc *out;
    Arena *arena;
    Str words; /* the stream that holds the text */
    int64_t page;
    int64_t left; /* characters of the part in hand */
    bool note;    /* the part in hand is footnotes */
    bool open, table, row_open, cell_fresh;
    int field;   /* depth of fields whose instructions are being passed over */
    int results; /* depth of fields whose result is text */
} Doc97;

static void end_table(Doc97 *x)
{
    if (x->table)
        doc_table_end(x->out);
    x->table = x->row_open = false;
}

static void end_paragraph(Doc97 *x)
{
    doc_end(x->out);
    x->open = false;
}

/* A cell mark right after another one ends the row. */
static void end_cell(Doc97 *x)
{
    end_paragraph(x);
    if (x->cell_fresh && x->row_open) {
        x->row_open = x->cell_fresh = false;
        return;
    }
    x->cell_fresh = true;
}

static void put_char(Doc97 *x, uint32_t c)
{
    char utf8[4];
    if (!x->open && !x->table) {
        doc_begin(x->out, x->note ? BLOCK_NOTE : BLOCK_PARAGRAPH, 0);
        x->open = true;
    }
    doc_text(x->out, (Str){utf8, str_put_utf8(utf8, c)});
    x->cell_fresh = false;
}

/* Does this paragraph end in a cell mark? Then it stands in a table. */
static bool in_cell(Str text, size_t at)
{
    for (; at < text.len; at++)
        if (text.ptr[at] == PARA || text.ptr[at] == CELL || text.ptr[at] == PAGE)
            return text.ptr[at] == CELL;
    return false;
}

static void begin_cell(Doc97 *x)
{
    if (!x->table)
        doc_table(x->out);
    if (!x->row_open)
        doc_row(x->out);
    doc_cell(x->out, 1, 1);
    x->table = x->row_open = true;
}

static void take_char(Doc97 *x, uint32_t c)
{
    if (c == FIELD_BEGIN)
        x->field++;
    if (c == FIELD_RESULT && x->field > 0) {
        x->field--;
        x->results++;
    } else if (c == FIELD_END && x->results > 0) {
        x->results--;
    } else if (c == FIELD_END && x->field > 0) {
        x->field--;
    }
    if (x->field > 0 || (c >= FIELD_BEGIN && c <= FIELD_END))
        return;
    if (c == LINE)
        doc_break(x->out);
    else if (c == 0x1E)
        put_char(x, 0x2011);
    else if (c == '\t')
        put_char(x, ' ');
    else if (c >= ' ' && c != 0x7F)
        put_char(x, c);
}

static void take_text(Doc97 *x, Str text)
{
    bool fresh = true; /* at the beginning of a paragraph */
    for (size_t at = 0; at < text.len && x->left > 0 && !doc_failed(x->out); x->left--) {
        if (fresh && !x->note) {
            bool cell = in_cell(text, at);
            if (cell && text.ptr[at] != CELL)
                begin_cell(x);
            else if (!cell)
                end_table(x);
        }
        size_t here = at;
        uint32_t c = str_next_utf8(text, &at);
        fresh = c == PARA || c == CELL || c == PAGE;
        if (c == CELL) {
            if (text.ptr[here] == CELL &&
                (here == 0 || text.ptr[here - 1] == CELL || text.ptr[here - 1] == PARA) &&
                !x->cell_fresh)
                begin_cell(x);
            end_cell(x);
        } else if (c == PARA) {
            end_paragraph(x);
        } else if (c == PAGE) {
            end_paragraph(x);
            doc_page(x->out, ++x->page);
        } else {
            take_char(x, c);
        }
    }
}

/* Text lies in pieces, each in one of two encodings. */
static ErrCode take_piece(Doc97 *x, uint32_t place, uint64_t chars, Buf *all)
{
    bool narrow = (place & 0x40000000) != 0;
    size_t from = narrow ? (place & 0x3FFFFFFF) / 2 : place;
    size_t len = (size_t)(narrow ? chars : chars * 2);
    Str bytes = from < x->words.len ? str_slice(x->words, from, from + len) : STR(""), text;
    ErrCode rc = charset_decode(x->arena, bytes, narrow ? "windows-1252" : "UTF-16LE", &text,
                                x->in->step->err);
    if (rc == OK)
        buf_add(all, text);
    return rc == OK && all->failed
               ? err_set(x->in->step->err, ERR_LIMIT_MEMORY, "the text does not fit into memory")
               : rc;
}

/* The table of pieces: after "grpprl" entries, which start with 1, comes the one that starts with
 * 2: positions in characters, then where each piece lies. */
static ErrCode read_pieces(Doc97 *x, Str clx, Buf *all)
{
    size_t at = 0;
    while (at + 3 <= clx.len && clx.ptr[at] == 1)
        at += 3 + le16(clx, at + 1);
    if (at + 5 > clx.len || clx.ptr[at] != 2)
        return err_set(x->in->step->err, ERR_INPUT_DAMAGED,
                       "the document's table of text is missing");
    Str table = str_slice(clx, at + 5, at + 5 + le32(clx, at + 1));
    size_t count = table.len >= 4 ? (table.len - 4) / 12 : 0;
    ErrCode rc = OK;
    for (size_t i = 0; i < count && rc == OK; i++) {
        uint32_t from = le32(table, i * 4), to = le32(table, i * 4 + 4);
        uint32_t place = le32(table, (count + 1) * 4 + i * 8 + 2);
        if (to > from)
            rc = take_piece(x, place, to - from, all);
    }
    return rc;
}

ErrCode read_doc97(const DocInput *in, Doc *out)
{
    Arena *a = in->step->arena;
    Err *err = in->step->err;
    Ole o;
    ErrCode rc = ole_open(a, in->bytes, &o, err);
    if (rc != OK)
        return rc;
    Doc97 x = {.in = in, .out = out, .arena = a, .page = 1};
    x.words = ole_read(&o, ole_find(&o, 0, "WordDocument"), a, STREAM_MAX);
    if (x.words.len < 0x200)
        return err_set(err, ERR_INPUT_DAMAGED, "the document's head is missing");
    if (le16(x.words, 2) < FIB_WORD97)
        return err_set(err, ERR_UNSUPPORTED_TYPE, "it is from before Word 97");
    bool one = (le16(x.words, 10) & 0x0200) != 0;
    Str tables = ole_read(&o, ole_find(&o, 0, one ? "1Table" : "0Table"), a, STREAM_MAX);
    uint32_t at = le32(x.words, 0x1A2), len = le32(x.words, 0x1A6);
    Buf all = buf_init(a, STREAM_MAX);
    rc = read_pieces(&x, at < tables.len ? str_slice(tables, at, (size_t)at + len) : STR(""), &all);
    if (rc != OK)
        return rc;
    doc_page(out, 1);
    x.left = le32(x.words, 0x4C);
    Str text = buf_str(&all);
    int64_t body = x.left;
    take_text(&x, text);
    end_paragraph(&x);
    end_table(&x);
    size_t notes_at = 0;
    for (int64_t n = 0; n < body && notes_at < text.len; n++)
        (void)str_next_utf8(text, &notes_at);
    x.left = le32(x.words, 0x50);
    x.note = true;
    x.field = x.results = 0;
    take_text(&x, str_slice(text, notes_at, text.len));
    doc_end(out);
    return OK;
}

/* rtf.c: Rich Text Format.
 *
 * RTF is a stream of groups, control words and bytes. A group inherits what surrounds it; a
 * destination says that what it holds is not text of the document (fonts, styles, pictures …) or
 * belongs elsewhere. Footnotes, comments and text boxes stand in the middle of the paragraph they
 * hang on: their place is remembered and they are read after it.
 *
 * Bytes have the encoding of the font in hand (fcharset), or of the document (ansicpg). \u brings
 * Unicode and says how many bytes after it are its substitute for old readers. */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "document/charset.h"
#include "document/docx_styles.h"
#include "document/rtf_words.h"
#include "document/symbol.h"

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

typedef struct Group {
    RtfDest dest;
    bool owner; /* the destination began in this group and ends with it */
    bool starred;
    bool hidden;
    bool linked; /* a field's result that is a link */
    unsigned marks;
    int font;
    int unicode_skip;
} Group;

typedef struct Font {
    int number;
    const char *charset; /* NULL: the document's */
    bool symbol;
    char name[32];
} Font;

typedef struct Style {
    int number, based_on, outline;
    DocxKind kind;
    int heading;
} Style;

typedef struct Paragraph {
    int style, outline;
    bool in_table;
    int table_depth;
    int list, level;
    int left, first; /* twentieths of a point */
} Paragraph;

typedef struct Later {
    size_t at; /* just behind the word that began the destination */
    RtfDest dest;
    int64_t label;
} Later;

typedef struct Rtf {
    const DocInput *in;
    Doc *out;
    Arena *scratch;
    Err *err;
    Str s;
    size_t at;
    Group stack[DEPTH_MAX];
    int depth;
    ErrCode rc;

    const char *charset;
    Font *fonts;
    size_t fonts_len;
    int default_font;
    Style *styles;
    size_t styles_len;

    Buf run;       /* bytes not yet decoded */
    bool run_raw;  /* its high bytes stand in the file as themselves */
    int skip_left; /* substitutes of a \u still to come */
    uint32_t high; /* first half of a surrogate pair */

    Buf capture; /* text of a destination that is not the document's */
    int time[5];

    Paragraph par;
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

    Later later[LATER_MAX];
    size_t later_len;
    int64_t notes;
    bool in_later;
    int64_t note_label; /* -1: not in a note */
    bool note_begun;
    char href[2048];
    size_t href_len;
} Rtf;

static void run_later(Rtf *r);

static Group *top(Rtf *r)
{
    return &r->stack[r->depth];
}

static const Font *font_of(const Rtf *r, int number)
{
    for (size_t i = 0; i < r->fonts_len; i++)
        if (r->fonts[i].number == number)
            return &r->fonts[i];
    return NULL;
}

static const Style *style_of(const Rtf *r, int number)
{
    for (size_t i = 0; i < r->styles_len; i++)
        if (r->styles[i].number == number)
            return &r->styles[i];
    return NULL;
}

/* ---- blocks ---- */

static void close_table(Rtf *r)
{
    if (r->table_open)
        doc_table_end(r->out);
    r->table_open = r->row_open = r->cell_open = false;
}

static void open_cell(Rtf *r)
{
    if (!r->table_open)
        doc_table(r->out);
    if (!r->row_open)
        doc_row(r->out);
    if (!r->cell_open)
        doc_cell(r->out, 1, 1);
    r->table_open = r->row_open = r->cell_open = true;
}

static DocxKind kind_of(const Rtf *r, int *heading)
{
    if (r->par.outline >= 0 && r->par.outline < 9) {
        *heading = r->par.outline < 6 ? r->par.outline + 1 : 6;
        return DOCX_HEADING;
    }
    const Style *st = style_of(r, r->par.style);
    for (int i = 0; st != NULL && i < 8; i++) {
        if (st->kind != DOCX_PLAIN) {
            *heading = st->heading;
            return st->kind;
        }
        st = st->based_on != st->number ? style_of(r, st->based_on) : NULL;
    }
    return DOCX_PLAIN;
}

static void begin_note_line(Rtf *r)
{
    if (r->note_begun)
        doc_break(r->out);
    else
        doc_begin(r->out, BLOCK_NOTE, (int)r->note_label);
    r->note_begun = true;
}

static int64_t marker_number(Rtf *r, Str marker)
{
    size_t end = marker.len;
    while (end > 0 && (marker.ptr[end - 1] < '0' || marker.ptr[end - 1] > '9'))
        end--;
    size_t from = end;
    while (from > 0 && marker.ptr[from - 1] >= '0' && marker.ptr[from - 1] <= '9')
        from--;
    int level = r->par.level;
    int64_t n = 0;
    if (end > from && str_to_i64(str_slice(marker, from, end), &n) && n < 1000000)
        return r->counts[level] = n;
    char c = marker.len > 0 ? marker.ptr[marker.ptr[0] == '(' && marker.len > 1] : 0;
    bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (!letter || (c == 'o' && marker.len == 1))
        return 0; /* a bullet; "o" is one in Courier */
    Str one = str_trim(marker);
    bool first = one.len <= 3 && strchr("aAiI", c) != NULL &&
                 (one.len < 2 || one.ptr[1] == '.' || one.ptr[1] == ')' || one.ptr[0] == '(');
    return r->counts[level] = first ? 1 : r->counts[level] + 1;
}

static void number_item(Rtf *r)
{
    r->number = marker_number(r, (Str){r->item_marker, r->item_marker_len});
    for (int deeper = r->par.level + 1; deeper < LEVELS; deeper++)
        r->counts[deeper] = 0;
}

static void begin_block(Rtf *r)
{
    if (r->begun)
        return;
    r->begun = true;
    r->marks = 0;
    bool table = r->par.in_table && !r->in_later;
    int heading = 1;
    DocxKind kind = kind_of(r, &heading);
    bool code_goes_on = r->code_open && kind == DOCX_CODE && !table && !r->item;
    r->code_open = false;
    if (table)
        open_cell(r);
    else if (!r->in_later)
        close_table(r);
    if (r->note_label >= 0) {
        begin_note_line(r);
    } else if (r->item && kind != DOCX_HEADING) {
        number_item(r);
        doc_item(r->out, r->par.level, r->number);
    } else if (kind == DOCX_HEADING && !table) {
        doc_begin(r->out, BLOCK_HEADING, heading);
    } else if (kind == DOCX_CODE && !table) {
        if (code_goes_on)
            doc_break(r->out);
        else
            doc_begin(r->out, BLOCK_CODE, 0);
        r->code_open = true;
    } else {
        doc_begin(r->out, kind == DOCX_QUOTE && !table ? BLOCK_QUOTE : BLOCK_PARAGRAPH, 0);
    }
}

static void set_marks(Rtf *r, unsigned want)
{
    int heading = 0;
    if (kind_of(r, &heading) == DOCX_HEADING)
        want = 0;
    for (int k = 0; k < MARK_LINK; k++) {
        unsigned bit = 1U << k;
        if ((want & bit) && !(r->marks & bit))
            doc_mark(r->out, (MarkKind)k, STR(""));
        else if (!(want & bit) && (r->marks & bit))
            doc_unmark(r->out, (MarkKind)k);
    }
    r->marks = want;
}

static void put_now(Rtf *r, Str text)
{
    if (!pages_wanted(r->in->pages, r->page))
        return;
    begin_block(r);
    set_marks(r, top(r)->marks);
    doc_text(r->out, text);
}

/* ---- list markers ---- */

/* The level may be said after the marker, so the number waits for the text (number_item). */
static void be_item(Rtf *r, Str marker)
{
    marker = str_slice(str_trim(marker), 0, sizeof(r->item_marker));
    memcpy(r->item_marker, marker.ptr, marker.len);
    r->item_marker_len = marker.len;
    r->item = true;
}

/* "•", "-", "3.", "(iv)" */
static bool is_marker(Str s)
{
    static const char *const bullets[] = {"•", "·", "◦", "▪", "-", "–", "*", "o", "‣", "⁃"};
    s = str_trim(s);
    for (size_t i = 0; i < COUNT_OF(bullets); i++)
        if (str_eq_c(s, bullets[i]))
            return true;
    char last = s.len > 1 ? s.ptr[s.len - 1] : 0;
    if (last != '.' && last != ')')
        return false;
    size_t from = s.ptr[0] == '(', digits = 0, letters = 0;
    for (size_t i = from; i + 1 < s.len; i++) {
        char c = s.ptr[i];
        digits += c >= '0' && c <= '9';
        letters += (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    }
    size_t inner = s.len - 1 - from;
    return inner > 0 && (digits == inner || (letters == inner && inner <= 4));
}

static void flush_marker(Rtf *r)
{
    if (!r->marker_open)
        return;
    r->marker_open = false;
    if (r->marker_len > 0)
        put_now(r, (Str){r->marker, r->marker_len});
    r->marker_len = 0;
}

/* Programs without lists write the marker as text: "•", tab, in a paragraph whose first line hangs
 * out. */
static void put_body(Rtf *r, Str text)
{
    bool hanging = r->par.first < 0 && !r->begun && !r->item && r->note_label < 0;
    if (hanging && !r->marker_open && r->marker_len == 0)
        r->marker_open = true;
    if (!r->marker_open) {
        put_now(r, text);
        return;
    }
    if (str_eq_c(text, "\t") && is_marker((Str){r->marker, r->marker_len})) {
        Str marker = {r->marker, r->marker_len};
        int level = r->par.left > 0 ? (r->par.left - 1) / 360 : 0;
        r->par.level = level <= 1 ? 0 : level / 2 < LEVELS ? level / 2 : LEVELS - 1;
        r->marker_open = false;
        be_item(r, marker);
        r->marker_len = 0;
    } else if (r->marker_len + text.len <= MARKER_MAX && !str_eq_c(text, "\t")) {
        memcpy(r->marker + r->marker_len, text.ptr, text.len);
        r->marker_len += text.len;
    } else {
        flush_marker(r);
        put_now(r, text);
    }
}

/* ---- characters ---- */

static void put_utf8(Rtf *r, Str text)
{
    const Group *g = top(r);
    if (text.len == 0 || g->dest == DEST_SKIP)
        return;
    if (g->dest == DEST_BODY || g->dest == DEST_FIELD_RESULT || g->dest == DEST_FOOTNOTE ||
        g->dest == DEST_COMMENT || g->dest == DEST_TEXT_BOX) {
        if (!g->hidden)
            put_body(r, text);
    } else if (r->capture.len + text.len <= CAPTURE_MAX) {
        buf_add(&r->capture, text);
    }
}

static void put_symbols(Rtf *r, const char *font)
{
    for (size_t i = 0; i < r->run.len; i++) {
        char utf8[4];
        uint32_t c = symbol_to_unicode(str_from_c(font), (unsigned char)r->run.ptr[i]);
        if (c != 0)
            put_utf8(r, (Str){utf8, str_put_utf8(utf8, c)});
    }
}

static bool is_ascii(Str s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.ptr[i] >= 0x80)
            return false;
    return true;
}

static void flush_run(Rtf *r)
{
    if (r->run.len == 0)
        return;
    Str bytes = buf_str(&r->run), text = bytes;
    const Font *f = font_of(r, top(r)->font);
    ArenaMark mark = arena_mark(r->scratch);
    if (f != NULL && f->symbol && top(r)->dest != DEST_FONTS) {
        put_symbols(r, f->name);
    } else {
        Err ignored = {0};
        const char *charset = f != NULL && f->charset != NULL ? f->charset : r->charset;
        bool as_is = is_ascii(bytes) || (r->run_raw && str_is_utf8(bytes));
        if (!as_is && charset_decode(r->scratch, bytes, charset, &text, &ignored) != OK &&
            charset_decode(r->scratch, bytes, "windows-1252", &text, &ignored) != OK)
            text = STR("");
        put_utf8(r, text);
    }
    arena_rewind(r->scratch, mark);
    buf_clear(&r->run);
    r->run_raw = true;
}

static void put_byte(Rtf *r, char c, bool raw)
{
    if (r->skip_left > 0) {
        r->skip_left--;
        return;
    }
    if (top(r)->dest == DEST_SKIP)
        return;
    if (r->run.len >= RUN_MAX)
        flush_run(r);
    r->run_raw = r->run_raw && (raw || (unsigned char)c < 0x80);
    buf_add_char(&r->run, c);
}

static void put_char(Rtf *r, uint32_t c)
{
    flush_run(r);
    char utf8[4];
    put_utf8(r, (Str){utf8, str_put_utf8(utf8, c)});
}

static void put_unicode(Rtf *r, int64_t value)
{
    uint32_t c = (uint32_t)(value < 0 ? value + 65536 : value) & 0x1FFFFF;
    flush_run(r);
    r->skip_left = top(r)->unicode_skip;
    if (c >= 0xD800 && c < 0xDC00) {
        r->high = c;
        return;
    }
    if (c >= 0xDC00 && c < 0xE000)
        c = r->high != 0 ? 0x10000 + ((r->high - 0xD800) << 10) + (c - 0xDC00) : 0xFFFD;
    r->high = 0;
    if (c >= 0xF000 && c <= 0xF0FF) {
        const Font *f = font_of(r, top(r)->font);
        c = symbol_to_unicode(f != NULL ? str_from_c(f->name) : STR("Symbol"), c);
    }
    if (c != 0)
        put_char(r, c);
}

/* ---- destinations ---- */

static const char *charset_of_font(int fcharset)
{
    static const struct {
        int number;
        const char *name;
    } all[] = {
        {77, "macintosh"},     {128, "Shift_JIS"},    {129, "EUC-KR"},       {130, "JOHAB"},
        {134, "GB18030"},      {136, "Big5"},         {161, "windows-1253"}, {162, "windows-1254"},
        {163, "windows-1258"}, {177, "windows-1255"}, {178, "windows-1256"}, {186, "windows-1257"},
        {204, "windows-1251"}, {222, "windows-874"},  {238, "windows-1250"}, {254, "IBM437"},
        {255, "IBM850"},
    };
    for (size_t i = 0; i < COUNT_OF(all); i++)
        if (all[i].number == fcharset)
            return all[i].name;
    return NULL;
}

static const char *charset_of_codepage(int64_t page)
{
    static const struct {
        int number;
        const char *name;
    } all[] = {
        {437, "IBM437"},        {850, "IBM850"},        {852, "IBM852"},
        {866, "IBM866"},        {874, "windows-874"},   {932, "Shift_JIS"},
        {936, "GB18030"},       {949, "EUC-KR"},        {950, "Big5"},
        {1250, "windows-1250"}, {1251, "windows-1251"}, {1252, "windows-1252"},
        {1253, "windows-1253"}, {1254, "windows-1254"}, {1255, "windows-1255"},
        {1256, "windows-1256"}, {1257, "windows-1257"}, {1258, "windows-1258"},
        {10000, "macintosh"},   {65001, "UTF-8"},
    };
    for (size_t i = 0; i < COUNT_OF(all); i++)
        if (all[i].number == page)
            return all[i].name;
    return NULL;
}

/* Fonts and styles end with a semicolon: "{\f0\fswiss Arial;}", "{\s1 heading 1;}" */
static Str captured_name(const Rtf *r)
{
    Str s = str_trim(buf_str(&r->capture));
    size_t end = str_find_char(s, ';');
    return end == STR_NONE ? s : str_slice(s, 0, end);
}

static void name_font(Rtf *r)
{
    Font *f = r->fonts_len > 0 ? &r->fonts[r->fonts_len - 1] : NULL;
    Str name = captured_name(r);
    if (f != NULL && f->name[0] == 0) {
        size_t n = name.len < sizeof(f->name) - 1 ? name.len : sizeof(f->name) - 1;
        memcpy(f->name, name.ptr, n);
        f->symbol =
            f->symbol || str_eq_nocase(name, STR("Symbol")) || str_starts(name, STR("Wingdings"));
        if (f->symbol && f->name[0] != 'W')
            memcpy(f->name, "Symbol", 7);
    }
}

static void name_style(Rtf *r)
{
    Style *st = r->styles_len > 0 ? &r->styles[r->styles_len - 1] : NULL;
    if (st == NULL)
        return;
    Str name = captured_name(r);
    st->kind = docx_kind_of_name(name);
    st->heading = docx_heading_of_name(name);
    if (str_eq_nocase(name, STR("Title")))
        st->kind = DOCX_HEADING, st->heading = 1;
    if (st->kind != DOCX_HEADING && st->outline >= 0 && st->outline < 9) {
        st->kind = DOCX_HEADING;
        st->heading = st->outline < 6 ? st->outline + 1 : 6;
    }
}

static void add_font(Rtf *r, int number)
{
    if (r->fonts_len < FONTS_MAX)
        r->fonts[r->fonts_len++] = (Font){.number = number};
    buf_clear(&r->capture);
}

static void add_style(Rtf *r, int number)
{
    if (r->styles_len < STYLES_MAX)
        r->styles[r->styles_len++] = (Style){.number = number, .based_on = -1, .outline = -1};
    buf_clear(&r->capture);
}

static void put_time(Rtf *r, const char *key)
{
    char text[64];
    int n = snprintf(text, sizeof(text), "%04d-%02d-%02dT%02d:%02d:00Z", r->time[0], r->time[1],
                     r->time[2], r->time[3], r->time[4]);
    if (r->time[0] > 0 && r->time[1] > 0 && r->time[2] > 0 && n > 0)
        doc_meta(r->out, key, (Str){text, (size_t)n});
    memset(r->time, 0, sizeof(r->time));
}

/* HYPERLINK "https://…" */
static void keep_link(Rtf *r)
{
    Str s = str_trim(buf_str(&r->capture));
    r->href_len = 0;
    if (!str_eq_nocase(str_slice(s, 0, 9), STR("HYPERLINK")))
        return;
    s = str_trim(str_slice(s, 9, s.len));
    if (str_starts(s, STR("\"")))
        s = str_slice(s, 1, s.len);
    size_t end = str_find_char(s, '"');
    if (end == STR_NONE)
        end = str_find_char(s, ' ');
    s = end == STR_NONE ? s : str_slice(s, 0, end);
    if (s.len == 0 || s.ptr[0] == '\\' || s.len >= sizeof(r->href))
        return;
    memcpy(r->href, s.ptr, s.len);
    r->href_len = s.len;
}

static void begin_result(Rtf *r)
{
    if (r->href_len == 0 || top(r)->hidden)
        return;
    flush_marker(r);
    begin_block(r);
    set_marks(r, top(r)->marks);
    doc_mark(r->out, MARK_LINK, (Str){r->href, r->href_len});
    top(r)->linked = true;
    r->href_len = 0;
}

static void remember(Rtf *r, RtfDest dest)
{
    bool wanted = dest != DEST_COMMENT || r->in->comments;
    if (!wanted || r->later_len == LATER_MAX || r->in_later)
        return;
    int64_t label = 0;
    if (dest == DEST_FOOTNOTE) {
        label = ++r->notes;
        char text[32];
        int n = snprintf(text, sizeof(text), "[%" PRId64 "]", label);
        put_body(r, (Str){text, (size_t)n});
    }
    r->later[r->later_len++] = (Later){r->at, dest, label};
}

static void begin_dest(Rtf *r, RtfDest dest)
{
    Group *g = top(r);
    if (g->dest == DEST_SKIP)
        return;
    if (dest == DEST_FOOTNOTE || dest == DEST_COMMENT || dest == DEST_TEXT_BOX) {
        flush_run(r);
        remember(r, dest);
        dest = DEST_SKIP;
    }
    flush_run(r);
    bool body = g->dest == DEST_BODY || g->dest == DEST_FIELD_RESULT;
    if (dest == DEST_FIELD_RESULT && !body && g->dest != DEST_FOOTNOTE && g->dest != DEST_COMMENT &&
        g->dest != DEST_TEXT_BOX)
        return; /* a field inside a captured text */
    g->dest = dest == DEST_FIELD_RESULT ? DEST_BODY : dest;
    g->owner = true;
    if (dest == DEST_FIELD_RESULT)
        begin_result(r);
    else if (dest != DEST_SKIP)
        buf_clear(&r->capture);
}

static void end_dest(Rtf *r, const Group *g)
{
    static const struct {
        RtfDest dest;
        const char *key;
    } keys[] = {{DEST_TITLE, "title"},
                {DEST_SUBJECT, "subject"},
                {DEST_AUTHOR, "author"},
                {DEST_KEYWORDS, "keywords"},
                {DEST_GENERATOR, "generator"}};
    for (size_t i = 0; i < COUNT_OF(keys); i++)
        if (keys[i].dest == g->dest)
            doc_meta(r->out, keys[i].key, captured_name(r));
    if (g->dest == DEST_CREATED)
        put_time(r, "created");
    else if (g->dest == DEST_REVISED)
        put_time(r, "modified");
    else if (g->dest == DEST_FIELD_INSTRUCTIONS)
        keep_link(r);
    else if (g->dest == DEST_LIST_TEXT && !r->begun && r->note_label < 0)
        be_item(r, buf_str(&r->capture));
}

/* ---- groups ---- */

static void open_group(Rtf *r)
{
    flush_run(r);
    r->skip_left = 0;
    if (r->depth + 1 == DEPTH_MAX) {
        r->rc = err_set(r->err, ERR_LIMIT_DEPTH, "groups are nested more than %d deep", DEPTH_MAX);
        return;
    }
    r->stack[r->depth + 1] = r->stack[r->depth];
    r->depth++;
    Group *g = top(r);
    g->owner = g->starred = g->linked = false;
    if (g->dest == DEST_STYLES) { /* a style that is not numbered is number 0 */
        add_style(r, 0);
    }
}

static void close_group(Rtf *r)
{
    flush_run(r);
    r->skip_left = 0;
    if (r->depth == 0)
        return;
    Group g = *top(r);
    if (g.linked)
        doc_unmark(r->out, MARK_LINK);
    if (g.dest == DEST_FONTS)
        name_font(r);
    else if (g.dest == DEST_STYLES && !g.owner)
        name_style(r);
    r->depth--;
    if (g.owner)
        end_dest(r, &g);
}

/* ---- paragraphs and tables ---- */

static void end_paragraph(Rtf *r)
{
    flush_run(r);
    flush_marker(r);
    if (r->begun && !r->code_open && r->note_label < 0)
        doc_end(r->out);
    if (!r->begun && r->code_open)
        doc_break(r->out);
    r->begun = r->item = false;
    r->marker_len = 0;
    r->marker_open = false;
    if (!r->par.in_table)
        run_later(r);
}

static void end_cell(Rtf *r)
{
    r->par.in_table = true;
    end_paragraph(r);
    open_cell(r);
    r->cell_open = false;
}

static void end_row(Rtf *r)
{
    end_paragraph(r);
    r->row_open = r->cell_open = false;
}

static void turn_page(Rtf *r)
{
    flush_run(r);
    flush_marker(r);
    r->page++;
    if (!r->table_open) {
        doc_page(r->out, r->page);
        r->begun = r->code_open = false;
    }
}

/* Read what was put aside, each as a block of its own, and come back. */
static void run_range(Rtf *r, const Later *l);

static void run_later(Rtf *r)
{
    if (r->in_later || r->later_len == 0)
        return;
    size_t at = r->at;
    Paragraph par = r->par;
    close_table(r);
    r->code_open = false;
    r->in_later = true;
    for (size_t i = 0; i < r->later_len && r->rc == OK; i++)
        run_range(r, &r->later[i]);
    r->in_later = false;
    r->note_label = -1;
    r->later_len = 0;
    r->par = par;
    r->at = at;
    r->begun = false;
}

/* ---- control words ---- */

static void toggle_mark(Rtf *r, MarkKind kind, bool on)
{
    flush_run(r);
    unsigned bit = 1U << kind;
    top(r)->marks = on ? top(r)->marks | bit : top(r)->marks & ~bit;
}

static void reset_paragraph(Rtf *r)
{
    r->par = (Paragraph){.style = 0, .outline = -1, .list = 0};
}

static void font_word(Rtf *r, const RtfWord *w, int64_t n)
{
    Group *g = top(r);
    Font *last = r->fonts_len > 0 ? &r->fonts[r->fonts_len - 1] : NULL;
    flush_run(r);
    if (w->action == RTF_DEFAULT_FONT)
        r->default_font = g->font = (int)n;
    else if (w->action == RTF_ANSI_CODEPAGE)
        r->charset = charset_of_codepage(n) != NULL ? charset_of_codepage(n) : r->charset;
    else if (w->action == RTF_CHARSET)
        r->charset = charset_of_font(w->arg);
    else if (w->action == RTF_FONT && g->dest == DEST_FONTS)
        add_font(r, (int)n);
    else if (w->action == RTF_FONT)
        g->font = (int)n;
    else if (g->dest == DEST_FONTS && last != NULL && w->action == RTF_FONT_CODEPAGE)
        last->charset = charset_of_codepage(n);
    else if (g->dest == DEST_FONTS && last != NULL) {
        last->charset = charset_of_font((int)n);
        last->symbol = n == 2;
    }
}

static void style_word(Rtf *r, const RtfWord *w, int64_t n)
{
    Style *last = r->styles_len > 0 ? &r->styles[r->styles_len - 1] : NULL;
    if (top(r)->dest == DEST_STYLES) {
        if (last == NULL)
            return;
        if (w->action == RTF_STYLE)
            last->number = (int)n;
        else if (w->action == RTF_BASED_ON)
            last->based_on = (int)n;
        else
            last->outline = (int)n;
    } else if (w->action == RTF_STYLE) {
        r->par.style = (int)n;
    } else if (w->action == RTF_OUTLINE) {
        r->par.outline = (int)n;
    }
}

static void paragraph_word(Rtf *r, RtfAction action, int64_t n)
{
    switch (action) {
    case RTF_PARD:
        reset_paragraph(r);
        break;
    case RTF_IN_TABLE:
        r->par.in_table = true;
        break;
    case RTF_TABLE_DEPTH:
        r->par.table_depth = (int)n;
        r->par.in_table = r->par.in_table || n > 0;
        break;
    case RTF_LIST:
        r->par.list = (int)n;
        break;
    case RTF_LEVEL:
        r->par.level = n >= 0 && n < LEVELS ? (int)n : 0;
        break;
    case RTF_LEFT_INDENT:
        r->par.left = (int)(n < 0 || n > 100000 ? 0 : n);
        break;
    case RTF_FIRST_INDENT:
        r->par.first = (int)(n < -100000 ? 0 : n > 100000 ? 0 : n);
        break;
    default:
        break;
    }
}

static void block_word(Rtf *r, RtfAction action)
{
    switch (action) {
    case RTF_PAR:
        end_paragraph(r);
        break;
    case RTF_LINE:
        flush_run(r);
        flush_marker(r);
        if (r->begun)
            doc_break(r->out);
        break;
    case RTF_PAGE:
        turn_page(r);
        break;
    case RTF_CELL:
        end_cell(r);
        break;
    case RTF_ROW:
        end_row(r);
        break;
    case RTF_NEST_CELL:
        put_char(r, ' ');
        break;
    case RTF_NEST_ROW:
        end_paragraph(r);
        break;
    default:
        break;
    }
}

/* A word that changes how text looks or where it goes. */
static void act(Rtf *r, const RtfWord *w, bool has_arg, int64_t n)
{
    bool on = !has_arg || n != 0;
    Group *g = top(r);
    bool body = g->dest == DEST_BODY;
    switch (w->action) {
    case RTF_CHAR:
        put_char(r, (uint32_t)w->arg);
        break;
    case RTF_SKIP:
        begin_dest(r, DEST_SKIP);
        break;
    case RTF_DEST:
        begin_dest(r, (RtfDest)w->arg);
        break;
    case RTF_UNICODE_DEST:
        if (r->depth >= 2)
            g->dest = r->stack[r->depth - 2].dest;
        break;
    case RTF_INFO_TIME:
        r->time[w->arg] = (int)(n >= 0 && n < 10000 ? n : 0);
        break;
    case RTF_BOLD:
        toggle_mark(r, MARK_BOLD, on);
        break;
    case RTF_ITALIC:
        toggle_mark(r, MARK_ITALIC, on);
        break;
    case RTF_STRIKE:
        toggle_mark(r, MARK_STRIKE, on);
        break;
    case RTF_HIDDEN:
        flush_run(r);
        g->hidden = on;
        break;
    case RTF_PLAIN:
        flush_run(r);
        g->marks = 0;
        g->hidden = false;
        g->font = r->default_font;
        break;
    case RTF_FONT:
    case RTF_DEFAULT_FONT:
    case RTF_FONT_CHARSET:
    case RTF_FONT_CODEPAGE:
    case RTF_ANSI_CODEPAGE:
    case RTF_CHARSET:
        font_word(r, w, n);
        break;
    case RTF_STYLE:
    case RTF_BASED_ON:
    case RTF_OUTLINE:
        style_word(r, w, n);
        break;
    case RTF_UNICODE:
        put_unicode(r, n);
        break;
    case RTF_UNICODE_SKIP:
        g->unicode_skip = n >= 0 && n < 16 ? (int)n : 1;
        break;
    case RTF_NOTHING:
    case RTF_BINARY:
        break;
    default:
        if (!body)
            break;
        block_word(r, w->action);
        paragraph_word(r, w->action, n);
    }
}

static Str scan_letters(const Rtf *r)
{
    size_t end = r->at;
    while (end < r->s.len && end - r->at < 64 && (r->s.ptr[end] | 0x20) >= 'a' &&
           (r->s.ptr[end] | 0x20) <= 'z')
        end++;
    return str_slice(r->s, r->at, end);
}

static bool scan_number(Rtf *r, int64_t *out)
{
    size_t from = r->at, end = from + (from < r->s.len && r->s.ptr[from] == '-');
    size_t digits = end;
    while (end < r->s.len && end - digits < 12 && r->s.ptr[end] >= '0' && r->s.ptr[end] <= '9')
        end++;
    if (end == digits)
        return false;
    r->at = end;
    return str_to_i64(str_slice(r->s, from, end), out);
}

static void control_word(Rtf *r)
{
    Str name = scan_letters(r);
    r->at += name.len;
    int64_t n = 0;
    bool has_arg = scan_number(r, &n);
    if (r->at < r->s.len && r->s.ptr[r->at] == ' ')
        r->at++;
    const RtfWord *w = rtf_word(name);
    if (w != NULL && w->action == RTF_BINARY) {
        r->at += n > 0 && (uint64_t)n < r->s.len - r->at ? (size_t)n : n > 0 ? r->s.len - r->at : 0;
        return;
    }
    if (r->skip_left > 0 && (w == NULL || w->action != RTF_UNICODE)) {
        r->skip_left--; /* a word can be the substitute of a character */
        return;
    }
    Group *g = top(r);
    bool starred = g->starred;
    g->starred = false;
    if (w == NULL) {
        if (starred)
            begin_dest(r, DEST_SKIP);
        return;
    }
    if (g->dest != DEST_SKIP || w->action == RTF_UNICODE_DEST)
        act(r, w, has_arg, n);
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static void control_symbol(Rtf *r)
{
    char c = r->s.ptr[r->at++];
    switch (c) {
    case '\'': {
        int high = r->at < r->s.len ? hex_digit(r->s.ptr[r->at]) : -1;
        int low = r->at + 1 < r->s.len ? hex_digit(r->s.ptr[r->at + 1]) : -1;
        if (high < 0 || low < 0)
            break;
        r->at += 2;
        put_byte(r, (char)(high * 16 + low), false);
        break;
    }
    case '*':
        top(r)->starred = true;
        break;
    case '~':
        put_char(r, 0xA0);
        break;
    case '_':
        put_char(r, 0x2011);
        break;
    case '\\':
    case '{':
    case '}':
        put_byte(r, c, true);
        break;
    case '\n':
    case '\r':
        if (top(r)->dest == DEST_BODY)
            end_paragraph(r);
        break;
    default:
        break; /* \- a possible hyphen, \| \: of indexes */
    }
}

/* Read until the group depth falls below `floor`, or the bytes end. */
static void run_groups(Rtf *r, int floor)
{
    while (r->at < r->s.len && r->rc == OK && r->depth >= floor && !doc_failed(r->out)) {
        char c = r->s.ptr[r->at++];
        if (c == '{')
            open_group(r);
        else if (c == '}')
            close_group(r);
        else if (c == '\\' && r->at < r->s.len) {
            if ((r->s.ptr[r->at] | 0x20) >= 'a' && (r->s.ptr[r->at] | 0x20) <= 'z')
                control_word(r);
            else
                control_symbol(r);
        } else if (c != '\r' && c != '\n' && c != 0)
            put_byte(r, c, true);
    }
    flush_run(r);
}

static void run_range(Rtf *r, const Later *l)
{
    if (r->depth + 2 >= DEPTH_MAX)
        return;
    r->stack[r->depth + 1] = (Group){.dest = DEST_BODY, .unicode_skip = 1, .font = r->default_font};
    int outer = r->depth++;
    r->at = l->at;
    reset_paragraph(r);
    r->begun = r->item = r->note_begun = false;
    r->note_label = l->dest == DEST_TEXT_BOX ? -1 : l->label;
    run_groups(r, outer + 1);
    end_paragraph(r);
    doc_end(r->out);
    r->depth = outer;
}

ErrCode read_rtf(const DocInput *in, Doc *out)
{
    Arena *a = in->step->arena;
    Str s = in->bytes;
    CLEANUP(arena_close) Arena *scratch = arena_open(16 * MIB);
    Rtf *r = arena_new(a, Rtf, 1);
    Font *fonts = arena_new(a, Font, FONTS_MAX);
    Style *styles = arena_new(a, Style, STYLES_MAX);
    if (scratch == NULL || r == NULL || fonts == NULL || styles == NULL)
        return err_set(in->step->err, ERR_NO_MEMORY, "reading an RTF file");
    if (str_find(str_slice(s, 0, 64), STR("{\\rtf")) == STR_NONE)
        return err_set(in->step->err, ERR_INPUT_DAMAGED, "the file does not begin as RTF does");
    *r = (Rtf){.in = in,
               .out = out,
               .scratch = scratch,
               .err = in->step->err,
               .s = s,
               .at = str_find(str_slice(s, 0, 64), STR("{\\rtf")),
               .fonts = fonts,
               .styles = styles,
               .charset = "windows-1252",
               .run = buf_init(a, RUN_MAX + 16),
               .run_raw = true,
               .capture = buf_init(a, CAPTURE_MAX),
               .note_label = -1,
               .page = 1};
    r->stack[0].unicode_skip = 1;
    reset_paragraph(r);
    doc_page(out, 1);
    run_groups(r, 0);
    r->par.in_table = false;
    end_paragraph(r);
    close_table(r);
    if (r->rc == OK && r->depth > 0)
        step_note(in->step, STR("the file ends in the middle of a group: it may be cut short"));
    return r->rc;
}

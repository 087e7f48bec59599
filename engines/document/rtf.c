/* rtf.c: Rich Text Format.
 *
 * RTF is a stream of groups, control words and bytes. A group inherits what surrounds it; a
 * destination says that what it holds is not text of the document (fonts, styles, pictures …) or
 * belongs elsewhere. Footnotes, comments and text boxes stand in the middle of the paragraph they
 * hang on: their place is remembered and they are read after it.
 *
 * Bytes have the encoding of the font in hand (fcharset), or of the document (ansicpg). \u brings
 * Unicode and says how many bytes after it are its substitute for old readers. */
#include "document/rtf_in.h"

RtfGroup *rtf_top(Rtf *r)
{
    return &r->stack[r->depth];
}

const RtfFont *rtf_font(const Rtf *r, int number)
{
    for (size_t i = 0; i < r->fonts_len; i++)
        if (r->fonts[i].number == number)
            return &r->fonts[i];
    return NULL;
}

const RtfStyle *rtf_style(const Rtf *r, int number)
{
    for (size_t i = 0; i < r->styles_len; i++)
        if (r->styles[i].number == number)
            return &r->styles[i];
    return NULL;
}

/* ---- control words ---- */

static void toggle_mark(Rtf *r, MarkKind kind, bool on)
{
    unsigned bit = 1U << kind;
    rtf_top(r)->marks = on ? rtf_top(r)->marks | bit : rtf_top(r)->marks & ~bit;
}

void rtf_reset_paragraph(Rtf *r)
{
    r->par = (RtfParagraph){.style = 0, .outline = -1, .list = 0};
}

static void font_word(Rtf *r, const RtfWord *w, int64_t n)
{
    RtfGroup *g = rtf_top(r);
    RtfFont *last = r->fonts_len > 0 ? &r->fonts[r->fonts_len - 1] : NULL;
    rtf_flush(r);
    if (w->action == RTF_DEFAULT_FONT)
        r->default_font = g->font = (int)n;
    else if (w->action == RTF_ANSI_CODEPAGE)
        r->charset = rtf_charset_of_codepage(n) != NULL ? rtf_charset_of_codepage(n) : r->charset;
    else if (w->action == RTF_CHARSET)
        r->charset = rtf_charset_of_font(w->arg);
    else if (w->action == RTF_FONT && g->dest == DEST_FONTS)
        rtf_add_font(r, (int)n);
    else if (w->action == RTF_FONT)
        g->font = (int)n;
    else if (g->dest == DEST_FONTS && last != NULL && w->action == RTF_FONT_CODEPAGE)
        last->charset = rtf_charset_of_codepage(n);
    else if (g->dest == DEST_FONTS && last != NULL) {
        last->charset = rtf_charset_of_font((int)n);
        last->symbol = n == 2;
    }
}

static void style_word(Rtf *r, const RtfWord *w, int64_t n)
{
    RtfStyle *last = r->styles_len > 0 ? &r->styles[r->styles_len - 1] : NULL;
    if (rtf_top(r)->dest == DEST_STYLES) {
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
        rtf_reset_paragraph(r);
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
        rtf_end_paragraph(r);
        break;
    case RTF_LINE:
        rtf_flush(r);
        rtf_flush_marker(r);
        if (r->begun)
            doc_break(r->out);
        break;
    case RTF_PAGE:
        rtf_turn_page(r);
        break;
    case RTF_CELL:
        rtf_end_cell(r);
        break;
    case RTF_ROW:
        rtf_end_row(r);
        break;
    case RTF_NEST_CELL:
        rtf_put_char(r, ' ');
        break;
    case RTF_NEST_ROW:
        rtf_end_paragraph(r);
        break;
    default:
        break;
    }
}

static void look_word(Rtf *r, RtfAction action, bool on)
{
    RtfGroup *g = rtf_top(r);
    rtf_flush(r);
    switch (action) {
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
        g->hidden = on;
        break;
    default: /* RTF_PLAIN */
        g->marks = 0;
        g->hidden = false;
        g->font = r->default_font;
    }
}

/* A word that changes how text looks or where it goes. */
static void act(Rtf *r, const RtfWord *w, bool has_arg, int64_t n)
{
    RtfGroup *g = rtf_top(r);
    bool body = g->dest == DEST_BODY;
    switch (w->action) {
    case RTF_CHAR:
        rtf_put_char(r, (uint32_t)w->arg);
        break;
    case RTF_SKIP:
        rtf_begin_dest(r, DEST_SKIP);
        break;
    case RTF_DEST:
        rtf_begin_dest(r, (RtfDest)w->arg);
        break;
    case RTF_UNICODE_DEST:
        if (r->depth >= 2)
            g->dest = r->stack[r->depth - 2].dest;
        break;
    case RTF_INFO_TIME:
        r->time[w->arg] = (int)(n >= 0 && n < 10000 ? n : 0);
        break;
    case RTF_BOLD:
    case RTF_ITALIC:
    case RTF_STRIKE:
    case RTF_HIDDEN:
    case RTF_PLAIN:
        look_word(r, w->action, !has_arg || n != 0);
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
        rtf_put_unicode(r, n);
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
    RtfGroup *g = rtf_top(r);
    bool starred = g->starred;
    g->starred = false;
    if (w == NULL) {
        if (starred)
            rtf_begin_dest(r, DEST_SKIP);
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
        rtf_put_byte(r, (char)(high * 16 + low), false);
        break;
    }
    case '*':
        rtf_top(r)->starred = true;
        break;
    case '~':
        rtf_put_char(r, 0xA0);
        break;
    case '_':
        rtf_put_char(r, 0x2011);
        break;
    case '\\':
    case '{':
    case '}':
        rtf_put_byte(r, c, true);
        break;
    case '\n':
    case '\r':
        if (rtf_top(r)->dest == DEST_BODY)
            rtf_end_paragraph(r);
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
            rtf_open_group(r);
        else if (c == '}')
            rtf_close_group(r);
        else if (c == '\\' && r->at < r->s.len) {
            if ((r->s.ptr[r->at] | 0x20) >= 'a' && (r->s.ptr[r->at] | 0x20) <= 'z')
                control_word(r);
            else
                control_symbol(r);
        } else if (c != '\r' && c != '\n' && c != 0)
            rtf_put_byte(r, c, true);
    }
    rtf_flush(r);
}

void rtf_run_range(Rtf *r, const RtfLater *l)
{
    if (r->depth + 2 >= DEPTH_MAX)
        return;
    r->stack[r->depth + 1] =
        (RtfGroup){.dest = DEST_BODY, .unicode_skip = 1, .font = r->default_font};
    int outer = r->depth++;
    r->at = l->at;
    rtf_reset_paragraph(r);
    r->begun = r->item = r->note_begun = false;
    r->note_label = l->dest == DEST_TEXT_BOX ? -1 : l->label;
    run_groups(r, outer + 1);
    rtf_end_paragraph(r);
    doc_end(r->out);
    r->depth = outer;
}

ErrCode read_rtf(const DocInput *in, Doc *out)
{
    Arena *a = in->step->arena;
    Str s = in->bytes;
    CLEANUP(arena_close) Arena *scratch = arena_open(16 * MIB);
    Rtf *r = arena_new(a, Rtf, 1);
    RtfFont *fonts = arena_new(a, RtfFont, FONTS_MAX);
    RtfStyle *styles = arena_new(a, RtfStyle, STYLES_MAX);
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
    rtf_reset_paragraph(r);
    doc_page(out, 1);
    run_groups(r, 0);
    r->par.in_table = false;
    rtf_end_paragraph(r);
    rtf_close_table(r);
    if (r->rc == OK && r->depth > 0)
        step_note(in->step, STR("the file ends in the middle of a group: it may be cut short"));
    return r->rc;
}

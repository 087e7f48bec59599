#include "document/rtf_in.h"

#include <string.h>

static void run_later(Rtf *r);

/* ---- blocks ---- */

void rtf_close_table(Rtf *r)
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
    const RtfStyle *st = rtf_style(r, r->par.style);
    for (int i = 0; st != NULL && i < 8; i++) {
        if (st->kind != DOCX_PLAIN) {
            *heading = st->heading;
            return st->kind;
        }
        st = st->based_on != st->number ? rtf_style(r, st->based_on) : NULL;
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

void rtf_begin(Rtf *r)
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
        rtf_close_table(r);
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

void rtf_set_marks(Rtf *r, unsigned want)
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
    rtf_begin(r);
    rtf_set_marks(r, rtf_top(r)->marks);
    doc_text(r->out, text);
}

/* ---- list markers ---- */

/* The level may be said after the marker, so the number waits for the text (number_item). */
void rtf_be_item(Rtf *r, Str marker)
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

void rtf_flush_marker(Rtf *r)
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
void rtf_put_body(Rtf *r, Str text)
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
        rtf_be_item(r, marker);
        r->marker_len = 0;
    } else if (r->marker_len + text.len <= MARKER_MAX && !str_eq_c(text, "\t")) {
        memcpy(r->marker + r->marker_len, text.ptr, text.len);
        r->marker_len += text.len;
    } else {
        rtf_flush_marker(r);
        put_now(r, text);
    }
}

/* ---- paragraphs and tables ---- */

void rtf_end_paragraph(Rtf *r)
{
    rtf_flush(r);
    rtf_flush_marker(r);
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

void rtf_end_cell(Rtf *r)
{
    r->par.in_table = true;
    rtf_end_paragraph(r);
    open_cell(r);
    r->cell_open = false;
}

void rtf_end_row(Rtf *r)
{
    rtf_end_paragraph(r);
    r->row_open = r->cell_open = false;
}

void rtf_turn_page(Rtf *r)
{
    rtf_flush(r);
    rtf_flush_marker(r);
    r->page++;
    if (!r->table_open) {
        doc_page(r->out, r->page);
        r->begun = r->code_open = false;
    }
}

/* Read what was put aside, each as a block of its own, and come back. */
static void run_later(Rtf *r)
{
    if (r->in_later || r->later_len == 0)
        return;
    size_t at = r->at;
    RtfParagraph par = r->par;
    rtf_close_table(r);
    r->code_open = false;
    r->in_later = true;
    for (size_t i = 0; i < r->later_len && r->rc == OK; i++)
        rtf_run_range(r, &r->later[i]);
    r->in_later = false;
    r->note_label = -1;
    r->later_len = 0;
    r->par = par;
    r->at = at;
    r->begun = false;
}

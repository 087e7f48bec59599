#include "document/rtf_in.h"

#include <stdio.h>
#include <string.h>

#include "document/charset.h"

/* ---- destinations ---- */

const char *rtf_charset_of_font(int fcharset)
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

const char *rtf_charset_of_codepage(int64_t page)
{
    static const struct {
        int number;
        const char *name;
    } all[] = {
        {437, "IBM437"},         {850, "IBM850"},        {852, "IBM852"},
        {866, "IBM866"},         {874, "windows-874"},   {932, "Shift_JIS"},
        {936, "GB18030"},        {949, "EUC-KR"},        {950, "Big5"},
        {1250, "windows-1250"},  {1251, "windows-1251"}, {1252, "windows-1252"},
        {1253, "windows-1253"},  {1254, "windows-1254"}, {1255, "windows-1255"},
        {1256, "windows-1256"},  {1257, "windows-1257"}, {1258, "windows-1258"},
        {10000, "macintosh"},    {65001, "UTF-8"},       {1200, "UTF-16LE"},
        {20127, "windows-1252"}, {20866, "KOI8-R"},      {21866, "KOI8-U"},
        {28591, "windows-1252"}, {28592, "ISO-8859-2"},  {28593, "ISO-8859-3"},
        {28594, "ISO-8859-4"},   {28595, "ISO-8859-5"},  {28596, "ISO-8859-6"},
        {28597, "ISO-8859-7"},   {28598, "ISO-8859-8"},  {28599, "windows-1254"},
        {28605, "ISO-8859-15"},  {50220, "ISO-2022-JP"}, {50221, "ISO-2022-JP"},
        {50225, "ISO-2022-KR"},  {51932, "EUC-JP"},      {51949, "EUC-KR"},
        {52936, "GB18030"},      {54936, "GB18030"},     {1361, "JOHAB"},
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
    RtfFont *f = r->fonts_len > 0 ? &r->fonts[r->fonts_len - 1] : NULL;
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
    RtfStyle *st = r->styles_len > 0 ? &r->styles[r->styles_len - 1] : NULL;
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

void rtf_add_font(Rtf *r, int number)
{
    if (r->fonts_len < FONTS_MAX)
        r->fonts[r->fonts_len++] = (RtfFont){.number = number};
    buf_clear(&r->capture);
}

static void add_style(Rtf *r, int number)
{
    if (r->styles_len < STYLES_MAX)
        r->styles[r->styles_len++] = (RtfStyle){.number = number, .based_on = -1, .outline = -1};
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
    if (r->href_len == 0 || rtf_top(r)->hidden)
        return;
    rtf_flush_marker(r);
    rtf_begin(r);
    rtf_set_marks(r, rtf_top(r)->marks);
    doc_mark(r->out, MARK_LINK, (Str){r->href, r->href_len});
    rtf_top(r)->linked = true;
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
        rtf_put_body(r, (Str){text, (size_t)n});
    }
    r->later[r->later_len++] = (RtfLater){r->at, dest, label};
}

void rtf_begin_dest(Rtf *r, RtfDest dest)
{
    RtfGroup *g = rtf_top(r);
    if (g->dest == DEST_SKIP)
        return;
    if (dest == DEST_FOOTNOTE || dest == DEST_COMMENT || dest == DEST_TEXT_BOX) {
        rtf_flush(r);
        remember(r, dest);
        dest = DEST_SKIP;
    }
    rtf_flush(r);
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

static void end_dest(Rtf *r, const RtfGroup *g)
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
        rtf_be_item(r, buf_str(&r->capture));
}

/* ---- groups ---- */

void rtf_open_group(Rtf *r)
{
    rtf_flush(r);
    r->skip_left = 0;
    if (r->depth + 1 == DEPTH_MAX) {
        r->rc = err_set(r->err, ERR_LIMIT_DEPTH, "groups are nested more than %d deep", DEPTH_MAX);
        return;
    }
    r->stack[r->depth + 1] = r->stack[r->depth];
    r->depth++;
    RtfGroup *g = rtf_top(r);
    g->owner = g->starred = g->linked = false;
    if (g->dest == DEST_STYLES) { /* a style that is not numbered is number 0 */
        add_style(r, 0);
    }
}

void rtf_close_group(Rtf *r)
{
    rtf_flush(r);
    r->skip_left = 0;
    if (r->depth == 0)
        return;
    RtfGroup g = *rtf_top(r);
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

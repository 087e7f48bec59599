#include "document/rtf_in.h"

#include "document/charset.h"
#include "document/symbol.h"

static void put_utf8(Rtf *r, Str text)
{
    const RtfGroup *g = rtf_top(r);
    if (text.len == 0 || g->dest == DEST_SKIP)
        return;
    if (g->dest == DEST_BODY || g->dest == DEST_FIELD_RESULT || g->dest == DEST_FOOTNOTE ||
        g->dest == DEST_COMMENT || g->dest == DEST_TEXT_BOX) {
        if (!g->hidden)
            rtf_put_body(r, text);
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

void rtf_flush(Rtf *r)
{
    if (r->run.len == 0)
        return;
    Str bytes = buf_str(&r->run), text = bytes;
    const RtfFont *f = rtf_font(r, rtf_top(r)->font);
    ArenaMark mark = arena_mark(r->scratch);
    if (f != NULL && f->symbol && rtf_top(r)->dest != DEST_FONTS) {
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

void rtf_put_byte(Rtf *r, char c, bool raw)
{
    if (r->skip_left > 0) {
        r->skip_left--;
        return;
    }
    if (rtf_top(r)->dest == DEST_SKIP)
        return;
    if (r->run.len >= RUN_MAX)
        rtf_flush(r);
    r->run_raw = r->run_raw && (raw || (unsigned char)c < 0x80);
    buf_add_char(&r->run, c);
}

void rtf_put_char(Rtf *r, uint32_t c)
{
    rtf_flush(r);
    char utf8[4];
    put_utf8(r, (Str){utf8, str_put_utf8(utf8, c)});
}

void rtf_put_unicode(Rtf *r, int64_t value)
{
    uint32_t c = (uint32_t)(value < 0 ? value + 65536 : value) & 0x1FFFFF;
    rtf_flush(r);
    r->skip_left = rtf_top(r)->unicode_skip;
    if (c >= 0xD800 && c < 0xDC00) {
        r->high = c;
        return;
    }
    if (c >= 0xDC00 && c < 0xE000)
        c = r->high != 0 ? 0x10000 + ((r->high - 0xD800) << 10) + (c - 0xDC00) : 0xFFFD;
    r->high = 0;
    if (c >= 0xF000 && c <= 0xF0FF) {
        const RtfFont *f = rtf_font(r, rtf_top(r)->font);
        c = symbol_to_unicode(f != NULL ? str_from_c(f->name) : STR("Symbol"), c);
    }
    if (c != 0)
        rtf_put_char(r, c);
}

#include "document/xml_write.h"

static const char *entity_of(uint32_t cp)
{
    switch (cp) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    default:
        return NULL;
    }
}

static bool in_xml(uint32_t cp)
{
    return cp == '\t' || cp == '\n' || cp == '\r' || (cp >= 0x20 && cp != 0x7F && cp < 0xFFFE) ||
           cp > 0xFFFF;
}

void xml_add(Buf *b, Str s)
{
    size_t from = 0;
    for (size_t at = 0; at < s.len;) {
        size_t start = at;
        uint32_t cp = str_next_utf8(s, &at);
        const char *entity = entity_of(cp);
        bool whole = cp != 0xFFFD || at - start == 3;
        if (entity == NULL && whole && in_xml(cp))
            continue;
        buf_add(b, str_slice(s, from, start));
        from = at;
        if (entity != NULL)
            buf_add_c(b, entity);
        else if (!whole)
            buf_add(b, STR("\xEF\xBF\xBD"));
    }
    buf_add(b, str_slice(s, from, s.len));
}

void xml_add_attribute(Buf *b, const char *name, Str value)
{
    buf_addf(b, " %s=\"", name);
    xml_add(b, value);
    buf_add_char(b, '"');
}

static bool is_rtl(uint32_t cp)
{
    return (cp >= 0x590 && cp <= 0x8FF) || (cp >= 0xFB1D && cp <= 0xFDFF) ||
           (cp >= 0xFE70 && cp <= 0xFEFC) || (cp >= 0x10800 && cp <= 0x10FFF) ||
           (cp >= 0x1E800 && cp <= 0x1EFFF);
}

bool xml_is_rtl(Str s)
{
    for (size_t at = 0; at < s.len;) {
        uint32_t cp = str_next_utf8(s, &at);
        bool digit = (cp >= 0x660 && cp <= 0x669) || (cp >= 0x6F0 && cp <= 0x6F9);
        if (is_rtl(cp) && !digit)
            return true;
        bool letter = ((cp | 0x20) >= 'a' && (cp | 0x20) <= 'z' && cp < 0x80) ||
                      (cp >= 0xC0 && cp < 0x2000) || cp >= 0x2C00;
        if (letter && !digit)
            return false;
    }
    return false;
}

#include "document/omath.h"

static bool is_one_char(Str s)
{
    size_t at = 0;
    if (s.len > 0)
        str_next_utf8(s, &at);
    return at == s.len;
}

static bool is_word(Str s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                     c == '.' || (unsigned char)c >= 0x80;
        if (!plain)
            return false;
    }
    return true;
}

/* An argument, in parentheses when it is more than one name or number and has none yet. */
static void put_argument(Buf *b, const XmlElem *e)
{
    size_t from = b->len;
    omath_put(b, e);
    if (b->failed)
        return;
    Str s = str_slice(buf_str(b), from, b->len);
    bool enclosed = s.len > 1 && s.ptr[0] == '(' && str_find_char(s, ')') == s.len - 1;
    if (is_one_char(s) || is_word(s) || enclosed)
        return;
    Buf copy = buf_init(b->arena, s.len + 3);
    buf_add_char(&copy, '(');
    buf_add(&copy, s);
    buf_add_char(&copy, ')');
    b->len = from;
    buf_add(b, buf_str(&copy));
}

static Str property(const XmlElem *e, XmlId properties, XmlId id, Str otherwise)
{
    const XmlElem *c = xml_child(xml_child(e, properties), id);
    return c != NULL && xml_has_attr(c, "om:val") ? xml_attr(c, "om:val") : otherwise;
}

static void put_script(Buf *b, const XmlElem *e)
{
    if (e == NULL)
        return;
    size_t from = b->len;
    buf_add_char(b, e->id == OM_SUB || e->id == OM_LIM ? '_' : '^');
    size_t argument = b->len;
    put_argument(b, e);
    if (b->len == argument)
        b->len = from;
}

static void put_delimited(Buf *b, const XmlElem *e)
{
    Str separator = property(e, OM_D_PR, OM_SEP_CHR, STR("|"));
    buf_add(b, property(e, OM_D_PR, OM_BEG_CHR, STR("(")));
    bool first = true;
    for (const XmlElem *c = e->first; c != NULL; c = c->next) {
        if (c->id != OM_E)
            continue;
        if (!first)
            buf_add(b, separator);
        first = false;
        omath_put(b, c);
    }
    buf_add(b, property(e, OM_D_PR, OM_END_CHR, STR(")")));
}

static void put_matrix(Buf *b, const XmlElem *e)
{
    buf_add_char(b, '[');
    for (const XmlElem *row = e->first; row != NULL; row = row->next) {
        if (row->id != OM_MR)
            continue;
        if (row != xml_child(e, OM_MR))
            buf_add_c(b, "; ");
        for (const XmlElem *cell = row->first; cell != NULL; cell = cell->next) {
            omath_put(b, cell);
            if (cell->next != NULL)
                buf_add_c(b, ", ");
        }
    }
    buf_add_char(b, ']');
}

static void put_structure(Buf *b, const XmlElem *e)
{
    switch (e->id) {
    case OM_F:
        put_argument(b, xml_child(e, OM_NUM));
        buf_add_char(b, '/');
        put_argument(b, xml_child(e, OM_DEN));
        break;
    case OM_S_SUP:
    case OM_S_SUB:
    case OM_S_SUB_SUP:
    case OM_LIM_LOW:
    case OM_LIM_UPP:
        put_argument(b, xml_child(e, OM_E));
        put_script(b, xml_child(e, OM_SUB));
        put_script(b, xml_child(e, OM_SUP));
        put_script(b, xml_child(e, OM_LIM));
        break;
    case OM_RAD:
        put_argument(b, xml_child(e, OM_DEG));
        buf_add_c(b, "√");
        put_argument(b, xml_child(e, OM_E));
        break;
    case OM_NARY:
        buf_add(b, property(e, OM_NARY_PR, OM_CHR, STR("∫")));
        put_script(b, xml_child(e, OM_SUB));
        put_script(b, xml_child(e, OM_SUP));
        buf_add_char(b, ' ');
        omath_put(b, xml_child(e, OM_E));
        break;
    case OM_D:
        put_delimited(b, e);
        break;
    case OM_M:
        put_matrix(b, e);
        break;
    default:
        omath_put(b, e);
    }
}

void omath_put(Buf *b, const XmlElem *math)
{
    for (const XmlElem *c = math != NULL ? math->first : NULL; c != NULL; c = c->next) {
        if (c->id == OM_T || c->id == W_T)
            for (const XmlElem *t = c->first; t != NULL; t = t->next)
                buf_add(b, t->text);
        else if (c->id == OM_FUNC) {
            omath_put(b, xml_child(c, OM_F_NAME));
            buf_add_char(b, ' ');
            put_argument(b, xml_child(c, OM_E));
        } else if (c->id != OM_CTRL_PR && c->id != W_DEL)
            put_structure(b, c);
    }
}

#include "document/odf_styles.h"

#include <stdlib.h>

enum { PARENTS_MAX = 16 };

static void *grow(Arena *a, void *list, size_t len, size_t *cap, size_t size)
{
    if (len < *cap)
        return list;
    size_t more = *cap ? *cap * 2 : 64;
    void *grown = arena_grow(a, list, *cap * size, more * size);
    if (grown != NULL)
        *cap = more;
    return grown;
}

static int said(Str value, const char *off)
{
    return value.ptr == NULL ? -1 : !str_eq_c(value, off);
}

static bool is_bold(Str weight)
{
    int64_t n = 0;
    return str_eq_c(weight, "bold") || (str_to_i64(weight, &n) && n >= 600);
}

static void add_style(OdfStyles *s, const XmlElem *e)
{
    OdfStyle *list =
        s->len < ODF_STYLES_MAX ? grow(s->arena, s->all, s->len, &s->cap, sizeof(*list)) : NULL;
    if (list == NULL)
        return;
    s->all = list;
    const XmlElem *text = xml_child(e, STYLE_TEXT_PROPERTIES),
                  *table = xml_child(e, STYLE_TABLE_PROPERTIES);
    Str weight = xml_attr(text, "fo:font-weight");
    s->all[s->len++] = (OdfStyle){
        .family = str_copy(s->arena, xml_attr(e, "style:family")),
        .name = str_copy(s->arena, xml_attr(e, "style:name")),
        .parent = str_copy(s->arena, xml_attr(e, "style:parent-style-name")),
        .display = str_copy(s->arena, xml_attr(e, "style:display-name")),
        .list = str_copy(s->arena, xml_attr(e, "style:list-style-name")),
        .outline = (int)xml_attr_int(e, "style:default-outline-level", 0),
        .bold = weight.ptr == NULL ? -1 : is_bold(weight),
        .italic = said(xml_attr(text, "fo:font-style"), "normal"),
        .strike = said(xml_attr(text, "style:text-line-through-style"), "none"),
        .hidden = str_eq_c(xml_attr(text, "text:display"), "none") ||
                  str_eq_c(xml_attr(table, "table:display"), "false"),
    };
    s->sorted = false;
}

static void add_list(OdfStyles *s, const XmlElem *e)
{
    OdfList *list = s->lists_len < ODF_STYLES_MAX
                        ? grow(s->arena, s->lists, s->lists_len, &s->lists_cap, sizeof(*list))
                        : NULL;
    if (list == NULL)
        return;
    s->lists = list;
    OdfList *l = &s->lists[s->lists_len++];
    *l = (OdfList){.name = str_copy(s->arena, xml_attr(e, "style:name"))};
    for (const XmlElem *c = e->first; c != NULL; c = c->next) {
        int64_t level = xml_attr_int(c, "text:level", 0);
        if (c->id != TEXT_LIST_LEVEL_STYLE_NUMBER || level < 1 || level > ODF_LIST_LEVELS)
            continue;
        l->numbered[level - 1] = xml_attr(c, "style:num-format").len > 0;
        l->start[level - 1] = xml_attr_int(c, "text:start-value", 1);
    }
    s->sorted = false;
}

void odf_styles_add(OdfStyles *s, const XmlElem *e)
{
    if (e->id == STYLE_STYLE)
        add_style(s, e);
    else
        add_list(s, e);
}

/* ---- looking up ---- */

static int by_name(const void *a, const void *b)
{
    const OdfStyle *x = a, *y = b;
    int order = str_cmp(x->name, y->name);
    return order != 0 ? order : str_cmp(x->family, y->family);
}

static int list_by_name(const void *a, const void *b)
{
    return str_cmp(((const OdfList *)a)->name, ((const OdfList *)b)->name);
}

static void sort_all(OdfStyles *s)
{
    if (s->sorted)
        return;
    s->sorted = true;
    if (s->len > 0)
        qsort(s->all, s->len, sizeof(*s->all), by_name);
    if (s->lists_len > 0)
        qsort(s->lists, s->lists_len, sizeof(*s->lists), list_by_name);
}

const OdfStyle *odf_style(OdfStyles *s, const char *family, Str name)
{
    if (name.len == 0 || s->len == 0)
        return NULL;
    sort_all(s);
    OdfStyle key = {.family = str_from_c(family), .name = name};
    return bsearch(&key, s->all, s->len, sizeof(*s->all), by_name);
}

const OdfList *odf_list(OdfStyles *s, Str name)
{
    if (name.len == 0 || s->lists_len == 0)
        return NULL;
    sort_all(s);
    OdfList key = {.name = name};
    return bsearch(&key, s->lists, s->lists_len, sizeof(*s->lists), list_by_name);
}

unsigned odf_marks(OdfStyles *s, Str text_style, bool *hidden)
{
    int bold = -1, italic = -1, strike = -1;
    unsigned marks = 0;
    const OdfStyle *st = odf_style(s, "text", text_style);
    *hidden = false;
    for (int i = 0; st != NULL && i < PARENTS_MAX; i++, st = odf_style(s, "text", st->parent)) {
        bold = bold < 0 ? st->bold : bold;
        italic = italic < 0 ? st->italic : italic;
        strike = strike < 0 ? st->strike : strike;
        *hidden = *hidden || st->hidden;
        if (str_eq_c(st->name, "Source_20_Text") || str_eq_c(st->name, "Verbatim_20_Char"))
            marks |= 1U << MARK_CODE;
    }
    if (bold == 1)
        marks |= 1U << MARK_BOLD;
    if (italic == 1)
        marks |= 1U << MARK_ITALIC;
    if (strike == 1)
        marks |= 1U << MARK_STRIKE;
    return marks;
}

/* "Preformatted_20_Text" as people see it. */
static Str shown_name(Arena *a, Str name)
{
    Buf b = buf_init(a, 1 * KIB);
    for (size_t i = 0; i < name.len; i++) {
        bool space = str_eq_c(str_slice(name, i, i + 4), "_20_");
        buf_add_char(&b, space ? ' ' : name.ptr[i]);
        i += space ? 3 : 0;
    }
    return b.failed ? STR("") : buf_str(&b);
}

static DocxKind kind_of(Str name, int outline, int *heading)
{
    *heading = docx_heading_of_name(name);
    DocxKind kind = docx_kind_of_name(name);
    if (str_eq_nocase(name, STR("Title")))
        kind = DOCX_HEADING, *heading = 1;
    else if (str_eq_nocase(name, STR("Subtitle")))
        kind = DOCX_HEADING, *heading = 2;
    else if (kind == DOCX_PLAIN && outline > 0)
        kind = DOCX_HEADING, *heading = outline < 6 ? outline : 6;
    return kind;
}

DocxKind odf_kind(OdfStyles *s, Str paragraph_style, int *heading)
{
    DocxKind kind = DOCX_PLAIN;
    Str name = paragraph_style;
    ArenaMark mark = arena_mark(s->arena);
    for (int i = 0; name.len > 0 && i < PARENTS_MAX && kind == DOCX_PLAIN; i++) {
        const OdfStyle *st =
            odf_style(s, "paragraph", name); /* a usual style may be used without being described */
        bool named = st != NULL && st->display.len > 0;
        kind = kind_of(named ? st->display : shown_name(s->arena, name),
                       st != NULL ? st->outline : 0, heading);
        name = st != NULL ? st->parent : STR("");
    }
    arena_rewind(s->arena, mark);
    return kind;
}

Str odf_list_of(OdfStyles *s, Str paragraph_style)
{
    const OdfStyle *st = odf_style(s, "paragraph", paragraph_style);
    for (int i = 0; st != NULL && i < PARENTS_MAX; i++, st = odf_style(s, "paragraph", st->parent))
        if (st->list.len > 0)
            return st->list;
    return STR("");
}

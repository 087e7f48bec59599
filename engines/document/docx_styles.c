#include "document/docx_styles.h"

#include <string.h>

#include "base/buf.h"

/* ---- names of styles ---- */

int docx_heading_of_name(Str name)
{
    static const char *const words[] = {
        "heading",  "berschrift", "titre",   "titolo",     "título",      "titulo",   "encabezado",
        "kop",      "rubrik",     "otsikko", "overskrift", "nagłówek",    "nadpis",   "cabeçalho",
        "cabealho", "címsor",     "başlık",  "заголовок",  "επικεφαλίδα", "标题",     "標題",
        "見出し",   "제목",       "naslov",  "antraštė",   "virsraksts",  "pealkiri", "titlu",
    };
    name = str_trim(name);
    size_t digits = name.len;
    while (digits > 0 && name.ptr[digits - 1] >= '0' && name.ptr[digits - 1] <= '9')
        digits--;
    int64_t level = 0;
    if (!str_to_i64(str_slice(name, digits, name.len), &level) || level < 1 || level > 9)
        return 0;
    Str word = str_trim(str_slice(name, 0, digits));
    if (str_ends(word, STR("_20_"))) /* OpenDocument writes spaces of a style's name like this */
        word = str_slice(word, 0, word.len - 4);
    for (size_t i = 0; i < COUNT_OF(words); i++) {
        Str w = str_from_c(words[i]);
        /* The first letter may be a capital, or be missing where a program drops what is not ASCII.
         */
        size_t first = (unsigned char)w.ptr[0] < 0x80 ? 1 : 2;
        if (str_eq_nocase(word, w) || (word.len >= w.len && word.len <= w.len + 2 && w.len > 6 &&
                                       str_ends_nocase(word, str_slice(w, first, w.len))))
            return level > 6 ? 6 : (int)level;
    }
    return 0;
}

static bool contains_nocase(Str s, const char *word)
{
    Str w = str_from_c(word);
    for (size_t i = 0; i + w.len <= s.len; i++)
        if (str_eq_nocase(str_slice(s, i, i + w.len), w))
            return true;
    return false;
}

DocxKind docx_kind_of_name(Str name)
{
    static const char *const code[] = {"source code", "html preformatted", "preformatted text",
                                       "code block",  "codeblock",         "verbatim",
                                       "plain code"};
    static const char *const quote[] = {"quote", "block text", "intense quote", "quotations",
                                        "blockquote"};
    if (docx_heading_of_name(name) > 0)
        return DOCX_HEADING;
    for (size_t i = 0; i < COUNT_OF(code); i++)
        if (contains_nocase(name, code[i]))
            return DOCX_CODE;
    if (str_eq_nocase(name, STR("code")))
        return DOCX_CODE;
    for (size_t i = 0; i < COUNT_OF(quote); i++)
        if (str_eq_nocase(name, str_from_c(quote[i])))
            return DOCX_QUOTE;
    return DOCX_PLAIN;
}

/* ---- styles ---- */

typedef struct StylesReader {
    Arena *arena;
    DocxStyles *out;
    bool failed;
} StylesReader;

/* Room for one more of `size` bytes. */
static void *grow_list(Arena *a, void *list, size_t len, size_t *cap, size_t size)
{
    if (len < *cap)
        return list;
    size_t more = *cap ? *cap * 2 : 32;
    void *grown = arena_grow(a, list, *cap * size, more * size);
    if (grown != NULL)
        *cap = more;
    return grown;
}

static int toggle(const XmlElem *rpr, XmlId id)
{
    const XmlElem *e = xml_child(rpr, id);
    return e == NULL ? -1 : xml_attr_on(e, "w:val", true);
}

static XmlWant styles_start(void *ctx, const XmlElem *e)
{
    (void)ctx;
    return e->id == W_STYLE ? XML_TREE : XML_ENTER;
}

static void styles_tree(void *ctx, const XmlElem *e)
{
    StylesReader *r = ctx;
    DocxStyles *s = r->out;
    if (s->len == DOCX_STYLES_MAX)
        return;
    void *grown = grow_list(r->arena, s->all, s->len, &s->cap, sizeof(DocxStyle));
    if (grown == NULL) {
        r->failed = true;
        return;
    }
    s->all = grown;
    const XmlElem *ppr = xml_child(e, W_P_PR), *rpr = xml_child(e, W_R_PR);
    const XmlElem *num = xml_child(ppr, W_NUM_PR);
    s->all[s->len++] = (DocxStyle){
        .id = str_copy(r->arena, xml_attr(e, "w:styleId")),
        .name = str_copy(r->arena, xml_attr(xml_child(e, W_NAME), "w:val")),
        .based_on = str_copy(r->arena, xml_attr(xml_child(e, W_BASED_ON), "w:val")),
        .outline = (int)xml_attr_int(xml_child(ppr, W_OUTLINE_LVL), "w:val", -1),
        .num_id = num != NULL ? xml_attr_int(xml_child(num, W_NUM_ID), "w:val", -1) : -1,
        .ilvl = num != NULL ? (int)xml_attr_int(xml_child(num, W_ILVL), "w:val", -1) : -1,
        .bold = toggle(rpr, W_B),
        .italic = toggle(rpr, W_I),
        .strike = toggle(rpr, W_STRIKE),
        .hidden = toggle(rpr, W_VANISH),
    };
}

static DocxStyle *find_style(const DocxStyles *s, Str id)
{
    for (size_t i = 0; i < s->len && id.len > 0; i++)
        if (str_eq(s->all[i].id, id))
            return &s->all[i];
    return NULL;
}

const DocxStyle *docx_style(const DocxStyles *s, Str id)
{
    return find_style(s, id);
}

static void own_kind(DocxStyle *s)
{
    s->kind = docx_kind_of_name(s->name);
    s->heading = docx_heading_of_name(s->name);
    if (str_eq_nocase(s->name, STR("title")))
        s->kind = DOCX_HEADING, s->heading = 1;
    else if (str_eq_nocase(s->name, STR("subtitle")))
        s->kind = DOCX_HEADING, s->heading = 2;
    if (s->kind != DOCX_HEADING && s->outline >= 0 && s->outline <= 8) {
        s->kind = DOCX_HEADING;
        s->heading = s->outline < 6 ? s->outline + 1 : 6;
    }
}

static void inherit(int *own, int parent)
{
    if (*own < 0)
        *own = parent;
}

static void resolve(DocxStyles *all, DocxStyle *s, int depth)
{
    if (s->resolved)
        return;
    s->resolved = true; /* before the parent: a circle ends here */
    own_kind(s);
    DocxStyle *parent = depth < 32 ? find_style(all, s->based_on) : NULL;
    if (parent == NULL)
        return;
    resolve(all, parent, depth + 1);
    if (s->kind == DOCX_PLAIN && s->outline < 0) {
        s->kind = parent->kind;
        s->heading = parent->heading;
    }
    inherit(&s->outline, parent->outline);
    inherit(&s->ilvl, parent->ilvl);
    inherit(&s->bold, parent->bold);
    inherit(&s->italic, parent->italic);
    inherit(&s->strike, parent->strike);
    inherit(&s->hidden, parent->hidden);
    if (s->num_id < 0)
        s->num_id = parent->num_id;
}

ErrCode docx_styles_read(Opc *o, Str part, DocxStyles *out, Err *err)
{
    *out = (DocxStyles){0};
    StylesReader r = {.arena = o->arena, .out = out};
    CLEANUP(arena_close) Arena *scratch = arena_open(32 * MIB);
    if (scratch == NULL)
        return err_set(err, ERR_NO_MEMORY, "reading styles");
    XmlHandler h = {.ctx = &r, .start = styles_start, .tree = styles_tree};
    ErrCode rc = opc_parse(o, part, scratch, &h, err);
    if (r.failed)
        rc = err_set(err, ERR_LIMIT_MEMORY, "the document has too many styles");
    for (size_t i = 0; i < out->len; i++)
        resolve(out, &out->all[i], 0);
    return rc;
}

/* ---- numbering ---- */

typedef struct ListsReader {
    Arena *arena;
    DocxLists *out;
    bool failed;
} ListsReader;

static XmlWant lists_start(void *ctx, const XmlElem *e)
{
    (void)ctx;
    return e->id == W_ABSTRACT_NUM || e->id == W_NUM ? XML_TREE : XML_ENTER;
}

static DocxLevel read_level(Arena *a, const XmlElem *e)
{
    return (DocxLevel){
        .format = str_copy(a, xml_attr(xml_child(e, W_NUM_FMT), "w:val")),
        .text = str_copy(a, xml_attr(xml_child(e, W_LVL_TEXT), "w:val")),
        .start = xml_attr_int(xml_child(e, W_START), "w:val", 0),
        .legal = xml_child(e, W_IS_LGL) != NULL,
    };
}

static int level_index(const XmlElem *e)
{
    int64_t i = xml_attr_int(e, "w:ilvl", -1);
    return i >= 0 && i < DOCX_LEVELS ? (int)i : -1;
}

static void read_abstract(ListsReader *r, const XmlElem *e)
{
    DocxLists *l = r->out;
    void *grown = grow_list(r->arena, l->abstracts, l->abstracts_len, &l->abstracts_cap,
                            sizeof(DocxAbstract));
    if (grown == NULL || l->abstracts_len == DOCX_LISTS_MAX) {
        r->failed = true;
        return;
    }
    l->abstracts = grown;
    DocxAbstract *abstract = &l->abstracts[l->abstracts_len++];
    *abstract = (DocxAbstract){
        .id = xml_attr_int(e, "w:abstractNumId", -1),
        .link = str_copy(r->arena, xml_attr(xml_child(e, W_NUM_STYLE_LINK), "w:val")),
    };
    for (const XmlElem *c = e->first; c != NULL; c = c->next)
        if (c->id == W_LVL && level_index(c) >= 0)
            abstract->levels[level_index(c)] = read_level(r->arena, c);
}

static void read_override(ListsReader *r, DocxNum *num, const XmlElem *e)
{
    int i = level_index(e);
    if (i < 0)
        return;
    num->starts[i] = xml_attr_int(xml_child(e, W_START_OVERRIDE), "w:val", -1);
    const XmlElem *level = xml_child(e, W_LVL);
    if (level == NULL)
        return;
    num->levels[i] = arena_new(r->arena, DocxLevel, 1);
    if (num->levels[i] != NULL)
        *num->levels[i] = read_level(r->arena, level);
}

static void lists_tree(void *ctx, const XmlElem *e)
{
    ListsReader *r = ctx;
    DocxLists *l = r->out;
    if (e->id == W_ABSTRACT_NUM) {
        read_abstract(r, e);
        return;
    }
    void *grown = grow_list(r->arena, l->nums, l->nums_len, &l->nums_cap, sizeof(DocxNum));
    if (grown == NULL || l->nums_len == DOCX_LISTS_MAX) {
        r->failed = true;
        return;
    }
    l->nums = grown;
    DocxNum *num = &l->nums[l->nums_len++];
    *num = (DocxNum){
        .id = xml_attr_int(e, "w:numId", -1),
        .abstract_id = xml_attr_int(xml_child(e, W_ABSTRACT_NUM_ID), "w:val", -1),
    };
    for (int i = 0; i < DOCX_LEVELS; i++)
        num->starts[i] = -1;
    for (const XmlElem *c = e->first; c != NULL; c = c->next)
        if (c->id == W_LVL_OVERRIDE)
            read_override(r, num, c);
}

static DocxAbstract *find_abstract(DocxLists *l, int64_t id)
{
    for (size_t i = 0; i < l->abstracts_len; i++)
        if (l->abstracts[i].id == id)
            return &l->abstracts[i];
    return NULL;
}

static DocxNum *find_num(DocxLists *l, int64_t id)
{
    for (size_t i = 0; i < l->nums_len; i++)
        if (l->nums[i].id == id)
            return &l->nums[i];
    return NULL;
}

static void link_lists(DocxLists *l, const DocxStyles *styles)
{
    for (size_t i = 0; i < l->nums_len; i++)
        l->nums[i].abstract = find_abstract(l, l->nums[i].abstract_id);
    for (size_t i = 0; i < l->nums_len; i++) {
        DocxNum *num = &l->nums[i];
        if (num->abstract == NULL || num->abstract->link.len == 0)
            continue;
        const DocxStyle *style = docx_style(styles, num->abstract->link);
        DocxNum *real = style != NULL ? find_num(l, style->num_id) : NULL;
        if (real != NULL && real->abstract != NULL && real->abstract->link.len == 0)
            num->abstract = real->abstract;
    }
}

ErrCode docx_lists_read(Opc *o, Str part, const DocxStyles *styles, DocxLists *out, Err *err)
{
    *out = (DocxLists){0};
    ListsReader r = {.arena = o->arena, .out = out};
    CLEANUP(arena_close) Arena *scratch = arena_open(32 * MIB);
    if (scratch == NULL)
        return err_set(err, ERR_NO_MEMORY, "reading numbering");
    XmlHandler h = {.ctx = &r, .start = lists_start, .tree = lists_tree};
    ErrCode rc = opc_parse(o, part, scratch, &h, err);
    if (r.failed)
        rc = err_set(err, ERR_LIMIT_MEMORY, "the document has too many lists");
    link_lists(out, styles);
    return rc;
}

/* ---- counting ---- */

static void put_roman(Buf *b, int64_t n, bool upper)
{
    static const struct {
        int value;
        const char *lower, *upper;
    } digits[] = {{1000, "m", "M"}, {900, "cm", "CM"}, {500, "d", "D"}, {400, "cd", "CD"},
                  {100, "c", "C"},  {90, "xc", "XC"},  {50, "l", "L"},  {40, "xl", "XL"},
                  {10, "x", "X"},   {9, "ix", "IX"},   {5, "v", "V"},   {4, "iv", "IV"},
                  {1, "i", "I"}};
    for (size_t i = 0; i < COUNT_OF(digits); i++)
        for (; n >= digits[i].value; n -= digits[i].value)
            buf_add_c(b, upper ? digits[i].upper : digits[i].lower);
}

void docx_put_number(Buf *b, int64_t n, Str format)
{
    bool upper = str_starts(format, STR("upper"));
    if (str_ends(format, STR("Roman")) && n > 0 && n < 4000) {
        put_roman(b, n, upper);
    } else if (str_ends(format, STR("Letter")) && n > 0 && n <= 26 * 100) {
        for (int64_t i = 0; i <= (n - 1) / 26; i++) /* after z come aa, bb, cc */
            buf_add_char(b, (char)((upper ? 'A' : 'a') + (n - 1) % 26));
    } else if (str_eq_c(format, "decimalZero") && n < 10) {
        buf_addf(b, "0%" PRId64, n);
    } else {
        buf_add_int(b, n);
    }
}

static const DocxLevel *level_of(const DocxNum *num, int level)
{
    return num->levels[level] != NULL ? num->levels[level] : &num->abstract->levels[level];
}

static void put_label(Buf *b, const DocxNum *num, int level)
{
    const DocxLevel *own = level_of(num, level);
    for (size_t i = 0; i < own->text.len; i++) {
        char c = own->text.ptr[i];
        int at = i + 1 < own->text.len ? own->text.ptr[i + 1] - '1' : -1;
        if (c != '%' || at < 0 || at >= DOCX_LEVELS) {
            buf_add_char(b, c);
            continue;
        }
        const DocxLevel *l = level_of(num, at);
        int64_t n = num->abstract->begun[at] ? num->abstract->counts[at] : l->start;
        docx_put_number(b, n, own->legal ? STR("decimal") : l->format);
        i++;
    }
}

static int64_t count_next(DocxNum *num, int level)
{
    DocxAbstract *a = num->abstract;
    if (num->starts[level] >= 0 && !num->started[level]) {
        num->started[level] = true;
        a->counts[level] = num->starts[level];
    } else if (a->begun[level]) {
        a->counts[level]++;
    } else {
        a->counts[level] =
            num->starts[level] >= 0 ? num->starts[level] : level_of(num, level)->start;
    }
    a->begun[level] = true;
    for (int deeper = level + 1; deeper < DOCX_LEVELS; deeper++)
        a->begun[deeper] = false;
    return a->counts[level];
}

DocxMarker docx_number(DocxLists *l, int64_t num_id, int level, int64_t *number, Buf *label)
{
    DocxNum *num = num_id > 0 ? find_num(l, num_id) : NULL;
    if (num_id <= 0)
        return DOCX_NO_MARKER;
    if (num == NULL || num->abstract == NULL)
        return DOCX_BULLET; /* a list that the file does not describe */
    level = level < 0 ? 0 : level >= DOCX_LEVELS ? DOCX_LEVELS - 1 : level;
    Str format = level_of(num, level)->format;
    int64_t n = count_next(num, level);
    if (str_eq_c(format, "bullet"))
        return DOCX_BULLET;
    if (str_eq_c(format, "none"))
        return DOCX_NO_MARKER;
    *number = n;
    put_label(label, num, level);
    return DOCX_NUMBER;
}

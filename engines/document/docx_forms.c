/* docx_forms.c: the fields of forms in Word documents: content controls (w:sdt) and the older form
 * fields (w:fldChar with w:ffData). Read in a pass of their own over the body, which is made only
 * when the body has shown some. */
#include "document/docx_in.h"

#include <string.h>

enum { CONTROLS_OPEN = 16, VALUE_MAX = 2000, ENTRIES_MAX = 100 };

typedef struct Control {
    Buf name, value;
    const char *kind;    /* NULL: plain text unless it is no field at all */
    bool building_block; /* a table of contents and the like */
} Control;

typedef struct Forms {
    Docx *x;
    Control controls[CONTROLS_OPEN];
    int open, beyond;
    bool in_properties, in_text;
    Control old; /* the older kind does not nest */
    bool old_open, old_result;
    int64_t chosen; /* of a list of the older kind */
    Str entries[ENTRIES_MAX];
    size_t entries_len;
} Forms;

static void start_control(Control *c, Arena *a)
{
    *c = (Control){.name = buf_init(a, VALUE_MAX), .value = buf_init(a, VALUE_MAX + 8)};
}

static void add(Buf *b, Str s)
{
    if (b->len + s.len <= VALUE_MAX)
        buf_add(b, s);
}

static void put(Forms *f, const Control *c)
{
    bool field = c->kind != NULL || (c->name.len > 0 && !c->building_block);
    if (field)
        doc_field(f->x->out, (DocField){.name = buf_str(&c->name),
                                        .kind = str_from_c(c->kind != NULL ? c->kind : "text"),
                                        .value = str_trim(buf_str(&c->value))});
}

/* What stands in w:sdtPr. */
static void property(Control *c, const XmlElem *e)
{
    static const struct {
        const char *element, *kind;
    } kinds[] = {{"date", "date"},
                 {"comboBox", "choice"},
                 {"dropDownList", "choice"},
                 {"text", "text"},
                 {"checkbox", "checkbox"}};
    bool named = str_eq_c(e->local, "alias") || (str_eq_c(e->local, "tag") && c->name.len == 0);
    if (named) {
        buf_clear(&c->name);
        add(&c->name, xml_attr(e, "w:val"));
    }
    c->building_block = c->building_block || str_eq_c(e->local, "docPartObj") ||
                        str_eq_c(e->local, "bibliography") || str_eq_c(e->local, "group");
    for (size_t i = 0; i < COUNT_OF(kinds); i++)
        if (str_eq_c(e->local, kinds[i].element))
            c->kind = kinds[i].kind;
    if (str_eq_c(e->local, "checked")) { /* its namespace is one of several */
        Str v = e->attrs_len > 0 ? e->attrs[0].value : STR("1");
        add(&c->value, str_eq_c(v, "1") || str_eq_c(v, "true") ? STR("true") : STR("false"));
    }
}

/* What stands in w:ffData. */
static void old_property(Forms *f, const XmlElem *e)
{
    Control *c = &f->old;
    if (str_eq_c(e->local, "name"))
        add(&c->name, xml_attr(e, "w:val"));
    else if (str_eq_c(e->local, "checkBox"))
        c->kind = "checkbox";
    else if (str_eq_c(e->local, "ddList"))
        c->kind = "choice";
    else if (str_eq_c(e->local, "textInput"))
        c->kind = "text";
    else if (str_eq_c(e->local, "listEntry") && f->entries_len < ENTRIES_MAX)
        f->entries[f->entries_len++] = str_copy(f->x->trees, xml_attr(e, "w:val"));
    else if (str_eq_c(e->local, "result"))
        f->chosen = xml_attr_int(e, "w:val", 0);
    else if (str_eq_c(e->local, "checked") ||
             (str_eq_c(e->local, "default") && c->kind != NULL && c->kind[0] == 'c')) {
        buf_clear(&c->value);
        add(&c->value, xml_attr_on(e, "w:val", true) ? STR("true") : STR("false"));
    }
}

static void old_boundary(Forms *f, const XmlElem *e)
{
    Str type = xml_attr(e, "w:fldCharType");
    if (str_eq_c(type, "begin")) {
        start_control(&f->old, f->x->trees);
        f->old_open = true;
        f->old_result = false;
        f->chosen = 0;
        f->entries_len = 0;
    } else if (str_eq_c(type, "separate")) {
        f->old_result = true;
    } else if (str_eq_c(type, "end") && f->old_open) {
        bool list = f->old.kind != NULL && strcmp(f->old.kind, "choice") == 0;
        if (list && f->chosen >= 0 && f->chosen < (int64_t)f->entries_len)
            add(&f->old.value, f->entries[f->chosen]);
        if (f->old.kind != NULL)
            put(f, &f->old);
        f->old_open = f->old_result = false;
    }
}

static XmlWant form_start(void *ctx, const XmlElem *e)
{
    Forms *f = ctx;
    Control *c = f->open > 0 ? &f->controls[f->open - 1] : NULL;
    if (e->id == W_SDT) {
        if (f->open == CONTROLS_OPEN)
            f->beyond++;
        else
            start_control(&f->controls[f->open++], f->x->trees);
    } else if (e->id == W_SDT_PR) {
        f->in_properties = f->beyond == 0;
    } else if (f->in_properties && c != NULL) {
        property(c, e);
    } else if (e->id == W_FLD_CHAR) {
        old_boundary(f, e);
    } else if (f->old_open && !f->old_result) {
        old_property(f, e);
    }
    f->in_text = e->id == W_T;
    return XML_ENTER;
}

static void form_end(void *ctx, XmlId id)
{
    Forms *f = ctx;
    if (id == W_SDT_PR)
        f->in_properties = false;
    if (id == W_T)
        f->in_text = false;
    if (id == W_P)
        for (int i = 0; i < f->open; i++)
            add(&f->controls[i].value, STR(" "));
    if (id != W_SDT)
        return;
    if (f->beyond > 0)
        f->beyond--;
    else if (f->open > 0)
        put(f, &f->controls[--f->open]);
}

static void form_text(void *ctx, Str text)
{
    Forms *f = ctx;
    for (int i = 0; f->in_text && i < f->open; i++) {
        bool box = f->controls[i].kind != NULL && strcmp(f->controls[i].kind, "checkbox") == 0;
        if (!box) /* of a box the text is its picture */
            add(&f->controls[i].value, text);
    }
    bool input = f->old.kind != NULL && strcmp(f->old.kind, "text") == 0;
    if (f->in_text && f->old_result && input)
        add(&f->old.value, text);
}

ErrCode docx_forms_read(Docx *x, Err *err)
{
    ArenaMark mark = arena_mark(x->trees);
    Forms *f = arena_new(x->trees, Forms, 1);
    if (f == NULL)
        return err_set(err, ERR_LIMIT_MEMORY, "reading the fields of a form");
    f->x = x;
    XmlHandler h = {.ctx = f, .start = form_start, .end = form_end, .text = form_text};
    CLEANUP(arena_close) Arena *own = arena_open(4 * MIB);
    ErrCode rc = own != NULL ? opc_parse(&x->opc, x->opc.main_part, own, &h, err)
                             : err_set(err, ERR_NO_MEMORY, "reading the fields of a form");
    arena_rewind(x->trees, mark);
    return rc;
}

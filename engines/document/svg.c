/* svg.c: the text of SVG drawings: title, description, and every <text> as a paragraph, in the
 * order of the file. Styles, scripts and what is only defined are left out. */
#include "document/readers.h"

#include "document/xml.h"

enum { TREE_BYTES = 32 << 20 };

typedef struct Svg {
    Doc *out;
    int depth;
    int text_from;  /* depth of the <text> that is open, 0: none */
    int title_from; /* the same for <title> and <desc> */
    bool title;
    bool named; /* the drawing's own title was read */
    Buf words;
} Svg;

static XmlWant svg_start(void *ctx, const XmlElem *e)
{
    static const char *const skipped[] = {"script", "style", "metadata"};
    Svg *x = ctx;
    for (size_t i = 0; i < COUNT_OF(skipped); i++)
        if (str_eq_c(e->local, skipped[i]))
            return XML_SKIP;
    x->depth++;
    bool text = str_eq_c(e->local, "text") || str_eq_c(e->local, "flowRoot") ||
                str_eq_c(e->local, "foreignObject");
    bool title = str_eq_c(e->local, "title");
    if (text && x->text_from == 0) {
        x->text_from = x->depth;
        doc_begin(x->out, BLOCK_PARAGRAPH, 0);
    } else if (x->text_from > 0 && (xml_has_attr(e, "x") || xml_has_attr(e, "y") ||
                                    str_eq_c(e->local, "p") || str_eq_c(e->local, "div"))) {
        doc_break(x->out); /* a piece with a place of its own is a line */
    } else if (x->text_from == 0 && x->title_from == 0 && (title || str_eq_c(e->local, "desc"))) {
        x->title_from = x->depth;
        x->title = title;
        buf_clear(&x->words);
    }
    return XML_ENTER;
}

static void svg_text(void *ctx, Str text)
{
    Svg *x = ctx;
    if (x->text_from > 0)
        doc_text(x->out, text);
    else if (x->title_from > 0)
        buf_add(&x->words, text);
}

static void put_title(Svg *x)
{
    bool own = x->title && x->title_from == 2 && !x->named;
    if (own)
        doc_meta(x->out, "title", buf_str(&x->words));
    x->named = x->named || own;
    doc_begin(x->out, own ? BLOCK_HEADING : BLOCK_PARAGRAPH, 1);
    doc_text(x->out, buf_str(&x->words));
    doc_end(x->out);
}

static void svg_end(void *ctx, XmlId id)
{
    Svg *x = ctx;
    (void)id;
    if (x->depth == x->text_from) {
        doc_end(x->out);
        x->text_from = 0;
    } else if (x->depth == x->title_from) {
        put_title(x);
        x->title_from = 0;
    }
    x->depth--;
}

static bool svg_enough(void *ctx)
{
    return doc_failed(((Svg *)ctx)->out);
}

ErrCode read_svg(const DocInput *in, Doc *out)
{
    CLEANUP(arena_close) Arena *own = arena_open(TREE_BYTES);
    if (own == NULL)
        return err_set(in->step->err, ERR_NO_MEMORY, "reading a drawing");
    Svg x = {.out = out, .words = buf_init(own, 1 * MIB)};
    XmlHandler h = {
        .ctx = &x, .start = svg_start, .end = svg_end, .text = svg_text, .enough = svg_enough};
    doc_page(out, 1);
    ErrCode rc = xml_parse_bytes(in->bytes, own, &h, in->step->err);
    doc_end(out);
    if (rc == ERR_INPUT_DAMAGED && doc_took_text(out)) {
        step_note(in->step, STR("the drawing is damaged; what could be read is there"));
        return OK;
    }
    return rc;
}

#include "document/pdf_extras.h"

#include "document/attach.h"

#include <mupdf/pdf.h>

enum { FIELD_DEPTH = 32, FIELDS_WALKED = 20000, NAME_MAX_BYTES = 500, COMMENTS_MAX = 500 };
enum { FLAG_RADIO = 1 << 15, FLAG_PUSH = 1 << 16 };
#define FILE_MAX (128 * MIB)

/* --- forms: a tree; names are joined by dots, kinds and values are inherited */

typedef struct Form {
    PdfReader *r;
    pdf_document *pdf;
    int walked;
} Form;

static Str kind_of(fz_context *ctx, pdf_obj *field, bool *on_off)
{
    pdf_obj *kind = pdf_dict_get_inheritable(ctx, field, PDF_NAME(FT));
    int flags = pdf_to_int(ctx, pdf_dict_get_inheritable(ctx, field, PDF_NAME(Ff)));
    *on_off = false;
    if (pdf_name_eq(ctx, kind, PDF_NAME(Btn))) {
        *on_off = !(flags & (FLAG_PUSH | FLAG_RADIO));
        return flags & FLAG_PUSH    ? STR("button")
               : flags & FLAG_RADIO ? STR("radio")
                                    : STR("checkbox");
    }
    if (pdf_name_eq(ctx, kind, PDF_NAME(Ch)))
        return STR("choice");
    return pdf_name_eq(ctx, kind, PDF_NAME(Sig)) ? STR("signature") : STR("text");
}

static void add_value(fz_context *ctx, pdf_obj *v, Buf *b)
{
    if (b->len > 0)
        buf_add_c(b, ", ");
    if (pdf_is_name(ctx, v))
        buf_add_c(b, pdf_to_name(ctx, v));
    else if (pdf_is_string(ctx, v))
        buf_add_c(b, pdf_to_text_string(ctx, v));
    else if (pdf_is_stream(ctx, v)) { /* long texts may be streams */
        fz_buffer *bytes = pdf_load_stream(ctx, v);
        unsigned char *data;
        size_t len = fz_buffer_storage(ctx, bytes, &data);
        buf_add(b, (Str){(char *)data, len < 2000 ? len : 2000});
        fz_drop_buffer(ctx, bytes);
    } else if (pdf_is_dict(ctx, v)) { /* a signature: who */
        buf_add_c(b, pdf_dict_get_text_string(ctx, v, PDF_NAME(Name)));
    }
}

static int64_t page_of(Form *f, pdf_obj *field)
{
    fz_context *ctx = f->r->ctx;
    pdf_obj *page = pdf_dict_get(ctx, field, PDF_NAME(P));
    pdf_obj *first = pdf_array_get(ctx, pdf_dict_get(ctx, field, PDF_NAME(Kids)), 0);
    if (page == NULL)
        page = pdf_dict_get(ctx, first, PDF_NAME(P));
    return page != NULL ? pdf_lookup_page_number(ctx, f->pdf, page) + 1 : 0;
}

static void put_field(Form *f, pdf_obj *field, Str name)
{
    fz_context *ctx = f->r->ctx;
    Arena *a = f->r->in->step->arena;
    ArenaMark mark = arena_mark(a);
    Buf b = buf_init(a, 64 * KIB);
    bool on_off;
    Str kind = kind_of(ctx, field, &on_off);
    pdf_obj *v = pdf_dict_get_inheritable(ctx, field, PDF_NAME(V));
    if (on_off) {
        if (v == NULL)
            v = pdf_dict_get(ctx, field, PDF_NAME(AS));
        bool on = pdf_is_name(ctx, v) && !pdf_name_eq(ctx, v, PDF_NAME(Off));
        buf_add_c(&b, on ? "true" : "false");
    } else if (pdf_is_array(ctx, v)) {
        for (int i = 0; i < pdf_array_len(ctx, v) && i < 100; i++)
            add_value(ctx, pdf_array_get(ctx, v, i), &b);
    } else if (v != NULL && !pdf_name_eq(ctx, v, PDF_NAME(Off))) {
        add_value(ctx, v, &b);
    }
    int64_t page = 0;
    fz_try(ctx)
    {
        page = page_of(f, field);
    }
    fz_catch(ctx)
    {
        page = 0; /* a field that lies on no page */
    }
    doc_field(f->r->out, (DocField){name, kind, buf_str(&b), page});
    arena_rewind(a, mark);
}

/* A node with named children is a group; children without names are places where it is shown. */
static void walk_field(Form *f, pdf_obj *field, Str parent, int depth)
{
    fz_context *ctx = f->r->ctx;
    if (depth > FIELD_DEPTH || f->walked++ > FIELDS_WALKED || !pdf_is_dict(ctx, field))
        return;
    pdf_obj *own = pdf_dict_get(ctx, field, PDF_NAME(T)),
            *kids = pdf_dict_get(ctx, field, PDF_NAME(Kids));
    const char *part = own != NULL ? pdf_to_text_string(ctx, own) : "";
    Str name = parent.len > 0 && part[0] != 0
                   ? str_printf(f->r->in->step->arena, STR_FMT ".%s", STR_ARG(parent), part)
               : part[0] != 0 ? str_copy(f->r->in->step->arena, str_from_c(part))
                              : parent;
    if (name.ptr == NULL || name.len > NAME_MAX_BYTES)
        return;
    bool group = false;
    for (int i = 0; i < pdf_array_len(ctx, kids) && !group; i++)
        group = pdf_dict_get(ctx, pdf_array_get(ctx, kids, i), PDF_NAME(T)) != NULL;
    if (!group) {
        put_field(f, field, name);
        return;
    }
    for (int i = 0; i < pdf_array_len(ctx, kids); i++)
        walk_field(f, pdf_array_get(ctx, kids, i), name, depth + 1);
}

void pdf_put_form(PdfReader *r)
{
    fz_context *ctx = r->ctx;
    Form f = {.r = r, .pdf = pdf_specifics(ctx, r->doc)};
    if (f.pdf == NULL)
        return;
    fz_try(ctx)
    {
        pdf_obj *fields = pdf_dict_getl(ctx, pdf_trailer(ctx, f.pdf), PDF_NAME(Root),
                                        PDF_NAME(AcroForm), PDF_NAME(Fields), NULL);
        for (int i = 0; i < pdf_array_len(ctx, fields); i++)
            walk_field(&f, pdf_array_get(ctx, fields, i), STR(""), 0);
    }
    fz_catch(ctx)
    {
        step_note(r->in->step, STR("the PDF's form is damaged; fields may be missing"));
    }
}

/* --- annotations */

/* Free text stands in the page's text already; links, fields and pop-ups say nothing. */
static bool is_comment(fz_context *ctx, pdf_obj *annot)
{
    pdf_obj *kind = pdf_dict_get(ctx, annot, PDF_NAME(Subtype));
    pdf_obj *const other[] = {PDF_NAME(Link),   PDF_NAME(Widget),   PDF_NAME(Popup),
                              PDF_NAME(Screen), PDF_NAME(FreeText), PDF_NAME(PrinterMark)};
    for (size_t i = 0; i < COUNT_OF(other); i++)
        if (pdf_name_eq(ctx, kind, other[i]))
            return false;
    return true;
}

static void put_comment(PdfReader *r, pdf_obj *annot)
{
    fz_context *ctx = r->ctx;
    if (!is_comment(ctx, annot))
        return;
    Str text = str_trim(str_from_c(pdf_dict_get_text_string(ctx, annot, PDF_NAME(Contents))));
    if (text.len == 0)
        return;
    text = str_copy(r->in->step->arena, text); /* the library's string is used again */
    Str author = str_trim(str_from_c(pdf_dict_get_text_string(ctx, annot, PDF_NAME(T))));
    if (text.ptr == NULL)
        return;
    doc_begin(r->out, BLOCK_NOTE, 0);
    doc_text(r->out, author);
    if (author.len > 0)
        doc_text(r->out, STR(": "));
    doc_text(r->out, text);
    doc_end(r->out);
}

void pdf_put_comments(PdfReader *r, int64_t page_no)
{
    fz_context *ctx = r->ctx;
    pdf_document *pdf = pdf_specifics(ctx, r->doc);
    if (pdf == NULL || !r->in->comments)
        return;
    fz_try(ctx)
    {
        pdf_obj *annots =
            pdf_dict_get(ctx, pdf_lookup_page_obj(ctx, pdf, (int)page_no - 1), PDF_NAME(Annots));
        for (int i = 0; i < pdf_array_len(ctx, annots) && i < COMMENTS_MAX; i++)
            put_comment(r, pdf_array_get(ctx, annots, i));
    }
    fz_catch(ctx)
    {
        return; /* of a page that cannot be read the rest is read all the same */
    }
}

/* --- files */

static void put_file(PdfReader *r, pdf_obj *spec)
{
    fz_context *ctx = r->ctx;
    fz_buffer *bytes = NULL;
    fz_var(bytes);
    if (!pdf_is_embedded_file(ctx, spec))
        return;
    const char *said = pdf_dict_get_text_string(ctx, spec, PDF_NAME(UF));
    if (said[0] == 0)
        said = pdf_dict_get_text_string(ctx, spec, PDF_NAME(F));
    Str name = str_copy(r->in->step->arena, str_slice(str_from_c(said), 0, NAME_MAX_BYTES));
    if (name.ptr == NULL)
        return;
    if (r->in->attachments != ATTACHMENTS_READ) {
        Str note = str_printf(r->in->step->arena,
                              "the file \"" STR_FMT "\" lies in it; attachments=read reads it",
                              STR_ARG(name));
        if (note.ptr != NULL)
            step_note(r->in->step, note);
        return;
    }
    fz_try(ctx)
    {
        unsigned char *data;
        bytes = pdf_load_embedded_file_contents(ctx, spec);
        size_t len = fz_buffer_storage(ctx, bytes, &data);
        if (len <= FILE_MAX)
            attach_read(r->in, r->out, name, STR(""), (Str){(char *)data, len});
    }
    fz_always(ctx)
    {
        fz_drop_buffer(ctx, bytes);
    }
    fz_catch(ctx)
    {
        step_note(r->in->step, STR("a file in the PDF is damaged"));
    }
}

void pdf_put_files(PdfReader *r)
{
    fz_context *ctx = r->ctx;
    pdf_document *pdf = pdf_specifics(ctx, r->doc);
    pdf_obj *tree = NULL;
    fz_var(tree);
    if (pdf == NULL || r->in->attachments == ATTACHMENTS_NONE)
        return;
    fz_try(ctx)
    {
        tree = pdf_load_name_tree(ctx, pdf, PDF_NAME(EmbeddedFiles));
        for (int i = 0; i < pdf_dict_len(ctx, tree) && i < ATTACH_FILES; i++)
            put_file(r, pdf_dict_get_val(ctx, tree, i));
        for (int64_t n = 0; n < r->pages && n < 200; n++) {
            pdf_obj *annots =
                pdf_dict_get(ctx, pdf_lookup_page_obj(ctx, pdf, (int)n), PDF_NAME(Annots));
            for (int i = 0; i < pdf_array_len(ctx, annots) && i < COMMENTS_MAX; i++) {
                pdf_obj *annot = pdf_array_get(ctx, annots, i);
                if (pdf_name_eq(ctx, pdf_dict_get(ctx, annot, PDF_NAME(Subtype)),
                                PDF_NAME(FileAttachment)))
                    put_file(r, pdf_dict_get(ctx, annot, PDF_NAME(FS)));
            }
        }
    }
    fz_always(ctx)
    {
        pdf_drop_obj(ctx, tree);
    }
    fz_catch(ctx)
    {
        step_note(r->in->step, STR("the list of files in the PDF is damaged"));
    }
}

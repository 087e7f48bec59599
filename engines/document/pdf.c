/* pdf.c: PDF by MuPDF. See pdf_in.h for the parts. */
#include "document/document.h"
#include "document/pdf_extras.h"
#include "document/pdf_ocr.h"

#include <mupdf/pdf.h>
#include <string.h>

enum { STORE_BYTES = 48 << 20, PROGRESS_EVERY = 16 };

static fz_context *warm_context; /* made in the warm parent; each task uses its own copy of it */

static void quiet(void *user, const char *message)
{
    (void)user, (void)message; /* goes nowhere: it may quote the document */
}

static fz_context *context_new(void)
{
    fz_context *ctx = fz_new_context(NULL, NULL, STORE_BYTES);
    if (ctx == NULL)
        return NULL;
    fz_set_warning_callback(ctx, quiet, NULL);
    fz_set_error_callback(ctx, quiet, NULL);
    fz_try(ctx)
    {
        fz_register_document_handlers(ctx);
    }
    fz_catch(ctx)
    {
        fz_drop_context(ctx);
        return NULL;
    }
    return ctx;
}

ErrCode pdf_warm(Err *err)
{
    if (warm_context == NULL)
        warm_context = context_new();
    return warm_context != NULL ? OK : err_set(err, ERR_NO_MEMORY, "starting the PDF library");
}

ErrCode pdf_context(fz_context **out, Err *err)
{
    ErrCode rc = pdf_warm(err);
    *out = warm_context;
    return rc;
}

/* --- metadata */

static void put_info(PdfReader *r, const char *from, const char *to)
{
    char value[2048] = "";
    fz_try(r->ctx)
    {
        fz_lookup_metadata(r->ctx, r->doc, from, value, sizeof value);
    }
    fz_catch(r->ctx)
    {
        return;
    }
    doc_meta(r->out, to, str_from_c(value));
}

static bool digits(const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (s[i] < '0' || s[i] > '9')
            return false;
    return true;
}

/* "D:20260131120000+01'00'" → "2026-01-31T12:00:00+01:00" */
static void put_date(PdfReader *r, const char *from, const char *to)
{
    char value[128] = "", out[40], zone[8] = "Z";
    fz_try(r->ctx)
    {
        fz_lookup_metadata(r->ctx, r->doc, from, value, sizeof value);
    }
    fz_catch(r->ctx)
    {
        return;
    }
    const char *s = strncmp(value, "D:", 2) == 0 ? value + 2 : value;
    size_t len = strlen(s);
    if (len < 8 || !digits(s, 8))
        return;
    const char *hour = len >= 14 && digits(s + 8, 6) ? s + 8 : "000000";
    const char *z = len >= 14 ? s + 14 : "";
    if ((z[0] == '+' || z[0] == '-') && strlen(z) >= 3 && digits(z + 1, 2))
        snprintf(zone, sizeof zone, "%c%.2s:%.2s", z[0], z + 1,
                 strlen(z) >= 6 && z[3] == '\'' && digits(z + 4, 2) ? z + 4 : "00");
    snprintf(out, sizeof out, "%.4s-%.2s-%.2sT%.2s:%.2s:%.2s%s", s, s + 4, s + 6, hour, hour + 2,
             hour + 4, zone);
    doc_meta(r->out, to, str_from_c(out));
}

static void put_language(PdfReader *r)
{
    char value[64] = "";
    fz_try(r->ctx)
    {
        pdf_obj *root = pdf_dict_get(r->ctx, pdf_trailer(r->ctx, (pdf_document *)(void *)r->doc),
                                     PDF_NAME(Root));
        const char *lang = pdf_dict_get_text_string(r->ctx, root, PDF_NAME(Lang));
        snprintf(value, sizeof value, "%s", lang != NULL ? lang : "");
    }
    fz_catch(r->ctx)
    {
        return;
    }
    doc_meta(r->out, "language", str_from_c(value));
}

static void put_metadata(PdfReader *r)
{
    put_info(r, FZ_META_INFO_TITLE, "title");
    put_info(r, FZ_META_INFO_AUTHOR, "author");
    put_info(r, FZ_META_INFO_SUBJECT, "subject");
    put_info(r, FZ_META_INFO_KEYWORDS, "keywords");
    put_info(r, FZ_META_INFO_PRODUCER, "generator");
    put_date(r, FZ_META_INFO_CREATIONDATE, "created");
    put_date(r, FZ_META_INFO_MODIFICATIONDATE, "modified");
    if (pdf_specifics(r->ctx, r->doc) != NULL)
        put_language(r);
}

/* --- outline: its titles tell which lines are headings, and of which level */

static uint64_t title_hash(const char *title)
{
    PdfChar chars[256];
    PdfLine l = {.chars = chars};
    Str s = str_from_c(title);
    for (size_t at = 0; at < s.len && l.len < COUNT_OF(chars);)
        chars[l.len++] = (PdfChar){.cp = str_next_utf8(s, &at)};
    return pdf_line_hash(&l, 0, true);
}

static void take_outline(PdfReader *r, const fz_outline *o, int level)
{
    for (; o != NULL && r->titles_len < PDF_OUTLINE_MAX; o = o->next) {
        if (o->title != NULL && o->title[0] != 0)
            r->titles[r->titles_len++] =
                (PdfTitle){title_hash(o->title), o->page.page + 1, level < 6 ? level : 6};
        if (level < 16)
            take_outline(r, o->down, level + 1);
    }
}

static void read_outline(PdfReader *r)
{
    fz_outline *o = NULL;
    fz_var(o);
    r->titles = arena_new(r->in->step->arena, PdfTitle, PDF_OUTLINE_MAX);
    if (r->titles == NULL)
        return;
    fz_try(r->ctx)
    {
        o = fz_load_outline(r->ctx, r->doc);
        take_outline(r, o, 1);
    }
    fz_always(r->ctx)
    {
        fz_drop_outline(r->ctx, o);
    }
    fz_catch(r->ctx)
    {
        return; /* a damaged outline costs levels of headings, nothing else */
    }
}

/* --- pages */

static void learn_body_size(PdfReader *r)
{
    size_t best = 0;
    for (size_t i = 1; i < PDF_SIZES; i++)
        if (r->sizes[i] > r->sizes[best])
            best = i;
    r->body = (float)best / 2;
}

static void write_first(PdfReader *r)
{
    learn_body_size(r);
    PdfPage *p = &r->ahead[0];
    doc_page(r->out, p->page_no);
    if (!pdf_ocr_wants(r, p) || !pdf_ocr_put(r, p))
        pdf_layout(r, p);
    pdf_put_comments(r, p->page_no);
    if (!doc_took_text(r->out)) {
        r->first_empty = r->empty++ == 0 ? p->page_no : r->first_empty;
        if (p->failed)
            r->first_failed = r->failed++ == 0 ? p->page_no : r->first_failed;
    } else if (p->failed) {
        r->first_failed = r->failed++ == 0 ? p->page_no : r->first_failed;
    }
    pdf_page_done(p);
    memmove(r->ahead, r->ahead + 1, (--r->ahead_len) * sizeof *r->ahead);
}

static ErrCode read_pages(PdfReader *r)
{
    StepCtx *c = r->in->step;
    for (int64_t n = 1; n <= r->pages && !doc_failed(r->out); n++) {
        if (!pages_wanted(r->in->pages, n))
            continue;
        if (step_canceled(c))
            return err_set(c->err, ERR_CANCELED, "cancelled at page %" PRId64, n);
        r->wanted++;
        if (r->ahead_len == PDF_AHEAD)
            write_first(r);
        ErrCode rc = pdf_page_read(r, n, &r->ahead[r->ahead_len]);
        if (rc != OK)
            return rc;
        r->ahead_len++;
        if (n % PROGRESS_EVERY == 0)
            step_progress(c, n, r->pages, "pages");
    }
    while (r->ahead_len > 0 && !doc_failed(r->out))
        write_first(r);
    return OK;
}

static void note(PdfReader *r, const char *fmt, int64_t a, int64_t b)
{
    Str text = str_printf(r->in->step->arena, fmt, a, b);
    if (text.ptr != NULL)
        step_note(r->in->step, text);
}

static void put_notes(PdfReader *r)
{
    pdf_document *pdf = pdf_specifics(r->ctx, r->doc);
    if (pdf != NULL && pdf_was_repaired(r->ctx, pdf))
        step_note(r->in->step,
                  STR("the PDF is damaged; it was repaired, and something may be missing"));
    if (r->failed > 0)
        note(r, "%" PRId64 " pages could not be read whole, the first of them page %" PRId64,
             r->failed, r->first_failed);
    if (r->empty > 0 && r->empty < r->wanted)
        note(r,
             r->in->ocr == OCR_NEVER
                 ? "%" PRId64 " pages hold no text, the first of them page %" PRId64
                   ": perhaps scans; `ocr` would read them"
                 : "%" PRId64 " pages hold no text, the first of them page %" PRId64,
             r->empty, r->first_empty);
    if (r->in->step->data != NULL && r->wanted > r->empty)
        json_kv_int(r->in->step->data, "pages_without_text", r->empty);
}

/* --- opening */

static ErrCode damaged(PdfReader *r)
{
    Err *err = r->in->step->err;
    if (fz_caught(r->ctx) == FZ_ERROR_MEMORY)
        return err_set(err, ERR_LIMIT_MEMORY, "the PDF does not fit into memory");
    return err_set(err, ERR_INPUT_DAMAGED, "not readable as PDF: %.120s",
                   fz_caught_message(r->ctx));
}

static ErrCode unlock(PdfReader *r)
{
    Err *err = r->in->step->err;
    if (!fz_needs_password(r->ctx, r->doc))
        return OK;
    const char *password = str_to_c(r->in->step->arena, r->in->password);
    if (password != NULL && password[0] != 0 && fz_authenticate_password(r->ctx, r->doc, password))
        return OK;
    err_set(err, ERR_INPUT_ENCRYPTED,
            password != NULL && password[0] != 0 ? "the password does not open the PDF"
                                                 : "the PDF is encrypted");
    err_hint(err, "pass its password as `password`");
    return ERR_INPUT_ENCRYPTED;
}

/* The file says how many pages it has, and may say anything; each is an object of its own. */
static int64_t count_pages(PdfReader *r)
{
    pdf_document *pdf = pdf_specifics(r->ctx, r->doc);
    int64_t pages = fz_count_pages(r->ctx, r->doc);
    int64_t objects = pdf != NULL ? pdf_xref_len(r->ctx, pdf) : pages;
    if (pages > objects)
        note(r, "the PDF claims %" PRId64 " pages but has %" PRId64 " objects; it is damaged",
             pages, objects);
    return pages < objects ? pages : objects;
}

static ErrCode open_document(PdfReader *r)
{
    fz_context *ctx = r->ctx;
    fz_stream *stream = NULL;
    ErrCode rc = OK;
    fz_var(stream);
    fz_var(rc);
    fz_try(ctx)
    {
        stream = fz_open_memory(ctx, (const unsigned char *)r->in->bytes.ptr, r->in->bytes.len);
        r->doc = fz_open_document_with_stream(ctx, "application/pdf", stream);
        rc = unlock(r);
        if (rc == OK)
            r->pages = count_pages(r);
    }
    fz_always(ctx)
    {
        fz_drop_stream(ctx, stream);
    }
    fz_catch(ctx)
    {
        rc = damaged(r);
    }
    if (rc == OK && r->pages == 0)
        rc = err_set(r->in->step->err, ERR_INPUT_DAMAGED, "the PDF has no readable pages");
    return rc;
}

static ErrCode read_document(PdfReader *r)
{
    ErrCode rc = open_document(r);
    if (rc != OK)
        return rc;
    doc_pages_total(r->out, r->pages);
    put_metadata(r);
    read_outline(r);
    rc = read_pages(r);
    if (rc != OK)
        return rc;
    pdf_put_form(r);
    pdf_put_files(r);
    Err *err = r->in->step->err;
    if (r->wanted == 0) {
        err_set(err, ERR_BAD_PARAM,
                "the PDF has %" PRId64 " pages, none of them in \"" STR_FMT "\"", r->pages,
                STR_ARG(r->in->pages));
        err_param(err, "pages");
        return ERR_BAD_PARAM;
    }
    if (r->empty == r->wanted && r->ocr.failure.code != OK) {
        *err = r->ocr.failure;
        return err->code;
    }
    if (r->failed == r->wanted && r->empty == r->wanted)
        return err_set(err, ERR_INPUT_DAMAGED, "not one page of the PDF could be read");
    put_notes(r);
    return OK;
}

ErrCode read_pdf(const DocInput *in, Doc *out)
{
    PdfReader *r = arena_new(in->step->arena, PdfReader, 1);
    if (r == NULL)
        return err_set(in->step->err, ERR_LIMIT_MEMORY, "reading the PDF");
    ErrCode rc = pdf_warm(in->step->err);
    if (rc != OK)
        return rc;
    *r = (PdfReader){.ctx = warm_context, .in = in, .out = out};
    rc = read_document(r);
    for (size_t i = 0; i < r->ahead_len; i++)
        pdf_page_done(&r->ahead[i]);
    pdf_ocr_done(&r->ocr);
    fz_drop_document(r->ctx, r->doc);
    return rc;
}

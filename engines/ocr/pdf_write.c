#include "ocr/pdf_write.h"
#include "ocr/text_layer.h"
#include "base/fault.h"
#include "base/fd.h"

#include <leptonica/allheaders.h>
#include <math.h>
#include <qpdf/qpdf-c.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CONTENT_MAX = 16 << 20, CMAP_MAX = 1 << 20, FONT_NAMES_MAX = 100, ALL_GLYPHS = 65536 };

struct PdfWrite {
    qpdf_data q;
    Arena *arena;
    qpdf_oh font; /* reserved at the first layer, filled at the end */
    bool has_font;
    char font_name[24];
    TextGlyphs *glyphs;
};

/* What qpdf has to say about the last calls. */
static ErrCode check(PdfWrite *w, const char *doing, Err *err)
{
    if (fault_hit("ocr.pdf"))
        return err_set(err, ERR_LIMIT_MEMORY, "%s: no memory", doing);
    if (!qpdf_has_error(w->q))
        return OK;
    qpdf_error e = qpdf_get_error(w->q);
    const char *said = qpdf_get_error_message_detail(w->q, e);
    switch (qpdf_get_error_code(w->q, e)) {
    case qpdf_e_password:
        err_set(err, ERR_INPUT_ENCRYPTED, "the password does not open the PDF");
        err_hint(err, "pass its password as `password`");
        return ERR_INPUT_ENCRYPTED;
    case qpdf_e_system:
        return err_set(err, ERR_LIMIT_MEMORY, "%s: %.120s", doing, said);
    default:
        return err_set(err, ERR_INPUT_DAMAGED, "%s: %.120s", doing, said);
    }
}

static ErrCode new_writer(Arena *a, PdfWrite **out, Err *err)
{
    PdfWrite *w = arena_new(a, PdfWrite, 1);
    TextGlyphs *glyphs = arena_new(a, TextGlyphs, 1);
    qpdf_data q = w != NULL && glyphs != NULL ? qpdf_init() : NULL;
    if (q == NULL)
        return err_set(err, ERR_LIMIT_MEMORY, "no memory to write a PDF");
    *w = (PdfWrite){.q = q, .arena = a, .font_name = "PlatenOcr", .glyphs = glyphs};
    qpdf_set_suppress_warnings(q, QPDF_TRUE);
    qpdf_silence_errors(q);
    *out = w;
    return OK;
}

void pdf_write_close(PdfWrite **w)
{
    if (*w != NULL)
        qpdf_cleanup(&(*w)->q);
    *w = NULL;
}

/* --- small objects */

static qpdf_oh parse(PdfWrite *w, const char *text)
{
    return qpdf_oh_parse(w->q, text);
}

static void set_int(PdfWrite *w, qpdf_oh dict, const char *key, int64_t v)
{
    qpdf_oh_replace_key(w->q, dict, key, qpdf_oh_new_integer(w->q, v));
}

static void set_name(PdfWrite *w, qpdf_oh dict, const char *key, const char *name)
{
    qpdf_oh_replace_key(w->q, dict, key, qpdf_oh_new_name(w->q, name));
}

static qpdf_oh new_stream(PdfWrite *w, const void *bytes, size_t len, const char *filter,
                          const char *parms)
{
    qpdf_oh s = qpdf_oh_new_stream(w->q);
    qpdf_oh_replace_stream_data(w->q, s, bytes, len,
                                filter != NULL ? qpdf_oh_new_name(w->q, filter)
                                               : qpdf_oh_new_null(w->q),
                                parms != NULL ? parse(w, parms) : qpdf_oh_new_null(w->q));
    return s;
}

/* The dictionary under `key`, made when there is none. */
static qpdf_oh sub_dict(PdfWrite *w, qpdf_oh dict, const char *key)
{
    qpdf_oh d = qpdf_oh_get_key(w->q, dict, key);
    if (qpdf_oh_is_dictionary(w->q, d))
        return d;
    d = qpdf_oh_new_dictionary(w->q);
    qpdf_oh_replace_key(w->q, dict, key, d);
    return qpdf_oh_get_key(w->q, dict, key);
}

static bool box_of(PdfWrite *w, qpdf_oh page, const char *key, OcrBox *out)
{
    qpdf_oh a = qpdf_oh_get_key(w->q, page, key);
    double v[4];
    if (!qpdf_oh_is_array(w->q, a) || qpdf_oh_get_array_n_items(w->q, a) < 4)
        return false;
    for (int i = 0; i < 4; i++) {
        qpdf_oh item = qpdf_oh_get_array_item(w->q, a, i);
        if (!qpdf_oh_is_number(w->q, item))
            return false;
        v[i] = qpdf_oh_get_numeric_value(w->q, item);
    }
    *out = (OcrBox){fmin(v[0], v[2]), fmin(v[1], v[3]), fmax(v[0], v[2]), fmax(v[1], v[3])};
    return out->x1 > out->x0 && out->y1 > out->y0;
}

/* What is shown of a page. */
static OcrBox visible_box(PdfWrite *w, qpdf_oh page)
{
    OcrBox media, crop;
    if (!box_of(w, page, "/MediaBox", &media))
        media = (OcrBox){0, 0, 612, 792};
    if (!box_of(w, page, "/CropBox", &crop))
        return media;
    OcrBox both = {fmax(media.x0, crop.x0), fmax(media.y0, crop.y0), fmin(media.x1, crop.x1),
                   fmin(media.y1, crop.y1)};
    return both.x1 > both.x0 && both.y1 > both.y0 ? both : media;
}

static int rotate_of(PdfWrite *w, qpdf_oh page)
{
    qpdf_oh r = qpdf_oh_get_key(w->q, page, "/Rotate");
    double v = qpdf_oh_is_number(w->q, r) ? qpdf_oh_get_numeric_value(w->q, r) : 0;
    int quarter = isfinite(v) ? (int)lround(fmod(v, 360) / 90) : 0;
    return ((quarter % 4 + 4) % 4) * 90;
}

static double unit_of(PdfWrite *w, qpdf_oh page)
{
    qpdf_oh u = qpdf_oh_get_key(w->q, page, "/UserUnit");
    double v = qpdf_oh_is_number(w->q, u) ? qpdf_oh_get_numeric_value(w->q, u) : 1;
    return v > 0 && v <= 75000 ? v : 1;
}

/* --- the font */

static bool name_taken(PdfWrite *w, const char *name)
{
    int pages = qpdf_get_num_pages(w->q);
    bool taken = false;
    for (int i = 0; i < pages && !taken; i++) {
        qpdf_oh page = qpdf_get_page_n(w->q, (size_t)i);
        qpdf_oh res = qpdf_oh_get_key(w->q, page, "/Resources");
        qpdf_oh fonts = qpdf_oh_is_dictionary(w->q, res) ? qpdf_oh_get_key(w->q, res, "/Font")
                                                         : qpdf_oh_new_null(w->q);
        taken = qpdf_oh_is_dictionary(w->q, fonts) && qpdf_oh_has_key(w->q, fonts, name);
        qpdf_oh_release_all(w->q);
    }
    return taken;
}

/* Another OCR of ours may have left its font in the file. */
static void choose_name(PdfWrite *w)
{
    char key[32];
    for (int i = 1; i < FONT_NAMES_MAX; i++) {
        snprintf(key, sizeof key, i == 1 ? "/PlatenOcr" : "/PlatenOcr%d", i);
        if (!name_taken(w, key))
            break;
    }
    snprintf(w->font_name, sizeof w->font_name, "%.20s", key + 1);
}

static void ensure_font(PdfWrite *w)
{
    if (w->has_font)
        return;
    w->font = qpdf_make_indirect_object(
        w->q, parse(w, "<< /Type /Font /Subtype /Type0 /BaseFont /PlatenOcr "
                       "/Encoding /Identity-H >>"));
    w->has_font = true;
}

static ErrCode finish_font(PdfWrite *w, Err *err)
{
    if (!w->has_font)
        return OK;
    Buf file = buf_init(w->arena, CMAP_MAX), cmap = buf_init(w->arena, CMAP_MAX);
    uint8_t *ids = arena_alloc(w->arena, (size_t)ALL_GLYPHS * 2);
    text_layer_font_file(&file);
    text_layer_to_unicode(&cmap, w->glyphs);
    if (ids == NULL || file.failed || cmap.failed)
        return err_set(err, ERR_LIMIT_MEMORY, "no memory for the font of the text");
    for (size_t i = 0; i < ALL_GLYPHS; i++)
        ids[2 * i + 1] = 1; /* whatever the code, the blank glyph */
    qpdf_oh program = new_stream(w, file.ptr, file.len, NULL, NULL);
    set_int(w, qpdf_oh_get_dict(w->q, program), "/Length1", (int64_t)file.len);
    qpdf_oh about = parse(w, "<< /Type /FontDescriptor /FontName /PlatenOcr /Flags 5 /FontBBox [0 "
                             "-200 500 800] /ItalicAngle 0 /Ascent 800 /Descent -200 /CapHeight "
                             "800 /StemV 80 >>");
    qpdf_oh_replace_key(w->q, about, "/FontFile2", program);
    qpdf_oh cid = parse(w, "<< /Type /Font /Subtype /CIDFontType2 /BaseFont /PlatenOcr "
                           "/CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 "
                           ">> /DW 500 >>");
    qpdf_oh_replace_key(w->q, cid, "/FontDescriptor", qpdf_make_indirect_object(w->q, about));
    qpdf_oh_replace_key(w->q, cid, "/CIDToGIDMap",
                        new_stream(w, ids, (size_t)ALL_GLYPHS * 2, NULL, NULL));
    qpdf_oh list = qpdf_oh_new_array(w->q);
    qpdf_oh_append_item(w->q, list, qpdf_make_indirect_object(w->q, cid));
    qpdf_oh_replace_key(w->q, w->font, "/DescendantFonts", list);
    qpdf_oh_replace_key(w->q, w->font, "/ToUnicode", new_stream(w, cmap.ptr, cmap.len, NULL, NULL));
    return check(w, "writing the font of the text", err);
}

/* --- pages */

ErrCode pdf_write_open(Str bytes, Str password, Arena *a, PdfWrite **out, Err *err)
{
    PdfWrite *w;
    const char *key = str_to_c(a, password);
    ErrCode rc = key == NULL ? err_set(err, ERR_LIMIT_MEMORY, "opening the PDF") : OK;
    if (rc == OK)
        rc = new_writer(a, &w, err);
    if (rc != OK)
        return rc;
    (void)qpdf_read_memory(w->q, "input", bytes.ptr, bytes.len, key);
    rc = check(w, "the PDF cannot be added to", err);
    if (rc == OK) {
        (void)qpdf_push_inherited_attributes_to_page(w->q);
        rc = check(w, "the PDF's pages are not readable", err);
    }
    if (rc != OK) {
        pdf_write_close(&w);
        return rc;
    }
    choose_name(w);
    *out = w;
    return OK;
}

ErrCode pdf_write_new(Arena *a, PdfWrite **out, Err *err)
{
    PdfWrite *w;
    ErrCode rc = new_writer(a, &w, err);
    if (rc != OK)
        return rc;
    (void)qpdf_empty_pdf(w->q);
    rc = check(w, "beginning a PDF", err);
    if (rc != OK)
        pdf_write_close(&w);
    else
        *out = w;
    return rc;
}

/* Before what the page shows: under it, and out of reach of the state that leaves behind. */
static void put_first(PdfWrite *w, qpdf_oh page, qpdf_oh stream)
{
    qpdf_oh old = qpdf_oh_get_key(w->q, page, "/Contents"), all = qpdf_oh_new_array(w->q);
    qpdf_oh_append_item(w->q, all, stream);
    if (qpdf_oh_is_array(w->q, old)) {
        int n = qpdf_oh_get_array_n_items(w->q, old);
        for (int i = 0; i < n; i++)
            qpdf_oh_append_item(w->q, all, qpdf_oh_get_array_item(w->q, old, i));
    } else if (qpdf_oh_is_stream(w->q, old)) {
        qpdf_oh_append_item(w->q, all, old);
    }
    qpdf_oh_replace_key(w->q, page, "/Contents", all);
}

ErrCode pdf_write_layer(PdfWrite *w, int64_t page_index, const OcrPage *p, bool turn, Err *err)
{
    qpdf_oh page = qpdf_get_page_n(w->q, (size_t)page_index);
    if (!qpdf_oh_is_dictionary(w->q, page))
        return err_set(err, ERR_INPUT_DAMAGED, "page %" PRId64 " cannot be added to",
                       page_index + 1);
    int rotate = rotate_of(w, page);
    if (p->lines_len > 0) {
        OcrMatrix m =
            text_layer_matrix(visible_box(w, page), rotate, unit_of(w, page), p->rotation);
        ArenaMark mark = arena_mark(w->arena);
        Buf b = buf_init(w->arena, CONTENT_MAX);
        text_layer_content(&b, p, m, w->font_name, w->glyphs);
        if (b.failed)
            return err_set(err, ERR_LIMIT_MEMORY, "no memory for the text of page %" PRId64,
                           page_index + 1);
        char key[32];
        snprintf(key, sizeof key, "/%s", w->font_name);
        ensure_font(w);
        put_first(w, page, new_stream(w, b.ptr, b.len, NULL, NULL));
        qpdf_oh fonts = sub_dict(w, sub_dict(w, page, "/Resources"), "/Font");
        qpdf_oh_replace_key(w->q, fonts, key, w->font);
        arena_rewind(w->arena, mark);
    }
    if (turn && p->rotation != 0)
        set_int(w, page, "/Rotate", (rotate + p->rotation) % 360);
    return check(w, "adding the text", err);
}

/* --- pictures */

typedef struct Encoded {
    uint8_t *bytes; /* from `from` on; freed as a whole */
    size_t from, len;
    const char *filter;
    char parms[96];
    int bits, colours;
} Encoded;

static uint32_t be32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* The pixel data of a PNG is what PDF calls Flate with predictors: its parts are put together in
 * place. */
static bool join_png(Encoded *e, size_t size, int width)
{
    uint8_t *b = e->bytes;
    size_t at = 8, to = 0;
    if (size < 33)
        return false;
    e->bits = b[24];
    e->colours = b[25] == 2 ? 3 : 1;
    bool plain = (b[25] == 0 || b[25] == 2) && b[28] == 0;
    while (plain && size - at >= 12) {
        size_t len = be32(b + at);
        if (len > size - at - 12)
            return false;
        if (memcmp(b + at + 4, "IDAT", 4) == 0) {
            memmove(b + to, b + at + 8, len);
            to += len;
        }
        at += len + 12;
    }
    e->len = to;
    e->filter = "/FlateDecode";
    snprintf(e->parms, sizeof e->parms,
             "<< /Predictor 15 /Colors %d /BitsPerComponent %d /Columns %d >>", e->colours, e->bits,
             width);
    return plain && to > 0;
}

static bool encode_exactly(struct Pix *pix, Encoded *e)
{
    size_t size = 0;
    struct Pix *flat = pixRemoveColormap(pix, REMOVE_CMAP_BASED_ON_SRC), *plain = NULL;
    if (flat != NULL && pixGetDepth(flat) == 32 && pixGetSpp(flat) == 4)
        plain = pixAlphaBlendUniform(flat, 0xffffff00);
    else if (flat != NULL && pixGetDepth(flat) > 8 && pixGetDepth(flat) < 32)
        plain = pixConvertTo8(flat, 0);
    else if (flat != NULL)
        plain = pixClone(flat);
    pixDestroy(&flat);
    bool ok = plain != NULL && pixWriteMemPng(&e->bytes, &size, plain, 0) == 0;
    int width = plain != NULL ? pixGetWidth(plain) : 0;
    pixDestroy(&plain);
    return ok && join_png(e, size, width);
}

static bool encode_jpeg(struct Pix *pix, Encoded *e)
{
    enum { QUALITY = 85 };
    if (pixWriteMemJpeg(&e->bytes, &e->len, pix, QUALITY, 0) != 0)
        return false;
    e->filter = "/DCTDecode";
    e->bits = 8;
    e->colours = pixGetDepth(pix) == 32 ? 3 : 1;
    return true;
}

/* A JPEG in grey or RGB goes into the PDF as it is. */
static bool take_over(const Picture *from, Encoded *e)
{
    l_int32 format = 0, samples = 0;
    if (from == NULL || from->kind != PICTURE_JPEG || from->orientation != 1 ||
        pixReadHeaderMem((const l_uint8 *)from->bytes.ptr, from->bytes.len, &format, NULL, NULL,
                         NULL, &samples, NULL) != 0 ||
        (samples != 1 && samples != 3))
        return false;
    *e = (Encoded){.bytes = NULL, .filter = "/DCTDecode", .bits = 8, .colours = samples};
    return true;
}

static qpdf_oh picture_object(PdfWrite *w, const Picture *from, struct Pix *pix, Encoded *e)
{
    const void *bytes = from != NULL ? (const void *)from->bytes.ptr : e->bytes;
    size_t len = from != NULL ? from->bytes.len : e->len;
    qpdf_oh s = new_stream(w, bytes, len, e->filter, e->parms[0] != 0 ? e->parms : NULL);
    qpdf_oh d = qpdf_oh_get_dict(w->q, s);
    set_name(w, d, "/Type", "/XObject");
    set_name(w, d, "/Subtype", "/Image");
    set_int(w, d, "/Width", pixGetWidth(pix));
    set_int(w, d, "/Height", pixGetHeight(pix));
    set_int(w, d, "/BitsPerComponent", e->bits);
    set_name(w, d, "/ColorSpace", e->colours == 3 ? "/DeviceRGB" : "/DeviceGray");
    return s;
}

/* Have `page` show the picture, and nothing else, on width x height points. */
static void show_picture(PdfWrite *w, qpdf_oh page, qpdf_oh picture, double width, double height)
{
    char content[96], box[64];
    int n = snprintf(content, sizeof content, "q %.3f 0 0 %.3f 0 0 cm /Im0 Do Q\n", width, height);
    snprintf(box, sizeof box, "[0 0 %.3f %.3f]", width, height);
    qpdf_oh pictures = qpdf_oh_new_dictionary(w->q), resources = qpdf_oh_new_dictionary(w->q);
    qpdf_oh_replace_key(w->q, pictures, "/Im0", picture);
    qpdf_oh_replace_key(w->q, resources, "/XObject", pictures);
    qpdf_oh_replace_key(w->q, page, "/Resources", resources);
    qpdf_oh_replace_key(w->q, page, "/MediaBox", parse(w, box));
    qpdf_oh_replace_key(w->q, page, "/Contents", new_stream(w, content, (size_t)n, NULL, NULL));
}

ErrCode pdf_write_redraw(PdfWrite *w, int64_t page_index, struct Pix *picture, Err *err)
{
    static const char *const gone[] = {"/CropBox", "/TrimBox",  "/BleedBox", "/ArtBox",
                                       "/Rotate",  "/UserUnit", "/Annots",   "/StructParents"};
    Encoded e = {0};
    qpdf_oh page = qpdf_get_page_n(w->q, (size_t)page_index);
    if (!qpdf_oh_is_dictionary(w->q, page))
        return err_set(err, ERR_INPUT_DAMAGED, "page %" PRId64 " cannot be redrawn",
                       page_index + 1);
    if (!encode_jpeg(picture, &e))
        return err_set(err, ERR_LIMIT_MEMORY, "no memory for the picture of a page");
    OcrBox box = visible_box(w, page);
    double unit = unit_of(w, page);
    bool lies = rotate_of(w, page) % 180 != 0;
    double width = (box.x1 - box.x0) * unit, height = (box.y1 - box.y0) * unit;
    for (size_t i = 0; i < COUNT_OF(gone); i++)
        qpdf_oh_remove_key(w->q, page, gone[i]);
    show_picture(w, page, picture_object(w, NULL, picture, &e), lies ? height : width,
                 lies ? width : height);
    free(e.bytes);
    return check(w, "redrawing a page", err);
}

ErrCode pdf_write_picture(PdfWrite *w, const Picture *from, struct Pix *picture, double dpi,
                          Err *err)
{
    Encoded e = {0};
    bool whole = take_over(from, &e);
    if (!whole && !encode_exactly(picture, &e)) {
        free(e.bytes);
        return err_set(err, ERR_LIMIT_MEMORY, "no memory for the picture of a page");
    }
    double scale = 72 / dpi;
    qpdf_oh page = qpdf_make_indirect_object(w->q, parse(w, "<< /Type /Page >>"));
    show_picture(w, page, picture_object(w, whole ? from : NULL, picture, &e),
                 pixGetWidth(picture) * scale, pixGetHeight(picture) * scale);
    free(e.bytes);
    (void)qpdf_add_page(w->q, w->q, page, QPDF_FALSE);
    return check(w, "adding a page", err);
}

ErrCode pdf_write_end(PdfWrite *w, int fd, Err *err)
{
    ErrCode rc = finish_font(w, err);
    if (rc != OK)
        return rc;
    (void)qpdf_init_write_memory(w->q);
    if (!qpdf_is_encrypted(w->q)) /* the same input gives the same file */
        qpdf_set_deterministic_ID(w->q, QPDF_TRUE);
    (void)qpdf_write(w->q);
    rc = check(w, "writing the PDF", err);
    if (rc != OK)
        return rc;
    return fd_write_all(fd, qpdf_get_buffer(w->q), qpdf_get_buffer_length(w->q), err);
}

/* convert_pictures.c: pictures as pages of a PDF. A JPEG goes in as it is; others are unpacked by
 * MuPDF and packed without loss, in one bit a pixel when they are black and white. Kinds that MuPDF
 * does not know come as PNG from the image engine. */
#include "document/convert_in.h"
#include "document/pdf_in.h"
#include "document/pdf_profile.h"
#include "document/sheet.h"

#include "base/fd.h"

#include <string.h>
#include <sys/mman.h>
#include <zlib.h>

enum { PIXELS_MAX = 150 * 1000 * 1000, PAGES_MAX = 2000 };
static const float side_max = 14400, paper_margin_max = 0.25f;

typedef struct Album {
    fz_context *ctx;
    Sheet *sheet;
    Arena *arena; /* of the picture in hand */
    const ConvertArgs *a;
    Job *j; /* whose picture it is */
} Album;

typedef struct Shown {
    int number;        /* of the sheet's picture */
    int width, height; /* pixels */
    int dpi;           /* of itself; 0: not known */
    uint8_t turn;      /* as fz_image_orientation says it */
} Shown;

/* --- pixels */

static bool is_grey(const fz_pixmap *pix)
{
    for (int y = 0; y < pix->h; y++) {
        const unsigned char *s = pix->samples + (ptrdiff_t)y * pix->stride;
        for (int x = 0; x < pix->w; x++, s += 3)
            if (s[0] != s[1] || s[1] != s[2])
                return false;
    }
    return true;
}

static bool is_black_and_white(const fz_pixmap *pix, int step)
{
    for (int y = 0; y < pix->h; y++) {
        const unsigned char *s = pix->samples + (ptrdiff_t)y * pix->stride;
        for (int x = 0; x < pix->w; x++)
            if (s[x * step] != 0 && s[x * step] != 255)
                return false;
    }
    return true;
}

/* A row for PNG's predictor: the filter's number, then what differs from the row above. */
static void predict_row(unsigned char *to, const fz_pixmap *pix, int y, int channels)
{
    const unsigned char *row = pix->samples + (ptrdiff_t)y * pix->stride;
    const unsigned char *above = row - pix->stride;
    *to++ = 2;
    for (int x = 0; x < pix->w; x++)
        for (int k = 0; k < channels; k++) {
            int at = x * pix->n + k;
            *to++ = (unsigned char)(row[at] - (y > 0 ? above[at] : 0));
        }
}

static void bits_row(unsigned char *to, const fz_pixmap *pix, int y)
{
    const unsigned char *row = pix->samples + (ptrdiff_t)y * pix->stride;
    memset(to, 0, (size_t)(pix->w + 7) / 8);
    for (int x = 0; x < pix->w; x++)
        if (row[x * pix->n] != 0)
            to[x / 8] |= (unsigned char)(0x80 >> (x % 8));
}

static bool pack_rows(Album *w, const fz_pixmap *pix, int channels, bool bits, Str *out)
{
    size_t line = bits ? (size_t)(pix->w + 7) / 8 : (size_t)pix->w * (size_t)channels + 1;
    unsigned char *row = arena_alloc(w->arena, line);
    uLong most = compressBound((uLong)line * (uLong)pix->h);
    unsigned char *to = row != NULL ? arena_alloc_raw(w->arena, most) : NULL;
    z_stream z = {0};
    if (to == NULL || deflateInit(&z, 5) != Z_OK)
        return false;
    z.next_out = to;
    z.avail_out = (uInt)most;
    for (int y = 0; y < pix->h; y++) {
        if (bits)
            bits_row(row, pix, y);
        else
            predict_row(row, pix, y, channels);
        z.next_in = row;
        z.avail_in = (uInt)line;
        deflate(&z, y + 1 == pix->h ? Z_FINISH : Z_NO_FLUSH);
    }
    *out = (Str){(char *)to, z.total_out};
    deflateEnd(&z);
    return true;
}

static ErrCode put_pixels(Album *w, const fz_pixmap *pix, Shown *out)
{
    char more[96];
    bool grey = pix->n == 1 || is_grey(pix);
    bool bits = grey && is_black_and_white(pix, pix->n);
    int channels = grey ? 1 : 3;
    SheetPicture p = {.width = pix->w,
                      .height = pix->h,
                      .channels = channels,
                      .bits = bits ? 1 : 8,
                      .filter = "FlateDecode",
                      .more = ""};
    if (!pack_rows(w, pix, channels, bits, &p.bytes))
        return err_set(w->j->c->err, ERR_LIMIT_MEMORY, "the picture does not fit into memory");
    if (!bits) {
        snprintf(more, sizeof more,
                 "/DecodeParms<</Predictor 15/Colors %d/BitsPerComponent 8/Columns %d>>", channels,
                 pix->w);
        p.more = more;
    }
    out->number = sheet_picture(w->sheet, &p);
    out->width = pix->w;
    out->height = pix->h;
    return OK;
}

/* Grey or RGB on white, whatever it was. */
static fz_pixmap *plain_pixels(fz_context *ctx, fz_pixmap *pix)
{
    bool grey = pix->colorspace != NULL && pix->colorspace->n == 1;
    fz_colorspace *to = grey ? fz_device_gray(ctx) : fz_device_rgb(ctx);
    fz_pixmap *out = NULL;
    if (pix->alpha == 0 && pix->colorspace == to)
        return fz_keep_pixmap(ctx, pix);
    if (pix->alpha == 0)
        return fz_convert_pixmap(ctx, pix, to, NULL, NULL, fz_default_color_params, 0);
    fz_rect box = {0, 0, (float)pix->w, (float)pix->h};
    fz_device *dev = NULL;
    fz_image *image = NULL;
    fz_var(dev);
    fz_var(image);
    fz_var(out);
    fz_try(ctx)
    {
        out = fz_new_pixmap(ctx, fz_device_rgb(ctx), pix->w, pix->h, NULL, 0);
        fz_clear_pixmap_with_value(ctx, out, 255);
        image = fz_new_image_from_pixmap(ctx, pix, NULL);
        dev = fz_new_draw_device(ctx, fz_identity, out);
        fz_fill_image(ctx, dev, image, fz_make_matrix(box.x1, 0, 0, box.y1, 0, 0), 1,
                      fz_default_color_params);
        fz_close_device(ctx, dev);
    }
    fz_always(ctx)
    {
        fz_drop_device(ctx, dev);
        fz_drop_image(ctx, image);
    }
    fz_catch(ctx)
    {
        fz_drop_pixmap(ctx, out);
        fz_rethrow(ctx);
    }
    return out;
}

/* --- how a JPEG is to be turned. MuPDF reads some Exif data and not other. */

static uint32_t number_at(Str s, size_t at, int bytes, bool little)
{
    uint32_t v = 0;
    if (at > s.len || s.len - at < (size_t)bytes)
        return 0;
    for (int i = 0; i < bytes; i++)
        v = v << 8 | (unsigned char)s.ptr[at + (size_t)(little ? bytes - 1 - i : i)];
    return v;
}

/* Exif's orientation (tag 0x112 of the first directory) as MuPDF counts turns; 0: none. */
static uint8_t turn_of_exif(Str tiff)
{
    enum { ENTRY = 12, ENTRIES_MAX = 200 };
    static const uint8_t turns[] = {0, 1, 5, 3, 7, 6, 4, 8, 2};
    bool little = str_starts(tiff, STR("II"));
    size_t at = number_at(tiff, 4, 4, little);
    uint32_t count = number_at(tiff, at, 2, little);
    for (uint32_t i = 0; i < count && i < ENTRIES_MAX; i++) {
        size_t entry = at + 2 + (size_t)i * ENTRY;
        if (number_at(tiff, entry, 2, little) != 0x112)
            continue;
        uint32_t v = number_at(tiff, entry + 8, 2, little);
        return v < COUNT_OF(turns) ? turns[v] : 0;
    }
    return 0;
}

static uint8_t turn_of_jpeg(Str s)
{
    for (size_t at = 2; at + 4 <= s.len && (unsigned char)s.ptr[at] == 0xFF;) {
        uint32_t marker = (unsigned char)s.ptr[at + 1], len = number_at(s, at + 2, 2, false);
        Str segment = str_slice(s, at + 4, at + 2 + len);
        if (marker == 0xDA || len < 2)
            return 0; /* pixels begin */
        if (marker == 0xE1 && str_starts(segment, STR("Exif\0\0")))
            return turn_of_exif(str_slice(segment, 6, segment.len));
        at += 2 + len;
    }
    return 0;
}

/* --- one picture */

static bool is_plain_jpeg(const Album *w, fz_image *image)
{
    fz_compressed_buffer *b = fz_compressed_image_buffer(w->ctx, image);
    return b != NULL && b->params.type == FZ_IMAGE_JPEG && (image->n == 1 || image->n == 3);
}

static Str profile_of(const Album *w, const fz_image *image)
{
    const fz_colorspace *cs = image->colorspace;
    unsigned char *bytes = NULL;
    if (cs == NULL || cs == fz_device_rgb(w->ctx) || cs == fz_device_gray(w->ctx) ||
        !(cs->flags & FZ_COLORSPACE_IS_ICC) || cs->u.icc.buffer == NULL)
        return STR("");
    size_t len = fz_buffer_storage(w->ctx, cs->u.icc.buffer, &bytes);
    return (Str){(const char *)bytes, len};
}

static void put_jpeg(Album *w, fz_image *image, Str bytes, Shown *out)
{
    const SheetPicture p = {.width = image->w,
                            .height = image->h,
                            .channels = image->n,
                            .icc = profile_of(w, image),
                            .bits = 8,
                            .filter = "DCTDecode",
                            .more = "",
                            .bytes = bytes};
    out->number = sheet_picture(w->sheet, &p);
    out->width = image->w;
    out->height = image->h;
}

/* MuPDF says 96 when the picture says nothing, and 72 is what programs write that do not know. */
static int known_dpi(int dpi)
{
    return dpi > 30 && dpi != 72 && dpi != 96 && dpi < 5000 ? dpi : 0;
}

static ErrCode take_image(Album *w, Str bytes, Shown *out)
{
    fz_context *ctx = w->ctx;
    fz_buffer *buffer = NULL;
    fz_image *image = NULL;
    fz_pixmap *pix = NULL, *plain = NULL;
    ErrCode rc = OK;
    fz_var(buffer);
    fz_var(image);
    fz_var(pix);
    fz_var(plain);
    fz_var(rc);
    fz_try(ctx)
    {
        int x = 0, y = 0;
        buffer = fz_new_buffer_from_shared_data(ctx, (const unsigned char *)bytes.ptr, bytes.len);
        image = fz_new_image_from_buffer(ctx, buffer);
        fz_image_resolution(image, &x, &y);
        out->dpi = known_dpi(x);
        out->turn = fz_image_orientation(ctx, image);
        if (out->turn <= 1 && str_starts(bytes, STR("\xFF\xD8")))
            out->turn = turn_of_jpeg(bytes);
        if ((int64_t)image->w * image->h > PIXELS_MAX) {
            rc = err_set(w->j->c->err, ERR_LIMIT_PIXELS, "%d x %d pixels; the limit is %d",
                         image->w, image->h, PIXELS_MAX);
        } else if (is_plain_jpeg(w, image)) {
            put_jpeg(w, image, bytes, out);
        } else {
            pix = fz_get_pixmap_from_image(ctx, image, NULL, NULL, NULL, NULL);
            plain = plain_pixels(ctx, pix);
            rc = put_pixels(w, plain, out);
        }
    }
    fz_always(ctx)
    {
        fz_drop_pixmap(ctx, plain);
        fz_drop_pixmap(ctx, pix);
        fz_drop_image(ctx, image);
        fz_drop_buffer(ctx, buffer);
    }
    fz_catch(ctx)
    {
        if (fz_caught(ctx) == FZ_ERROR_MEMORY)
            return err_set(w->j->c->err, ERR_LIMIT_MEMORY, "the picture does not fit into memory");
        return err_set(w->j->c->err, ERR_INPUT_DAMAGED, "not readable as a picture: %.120s",
                       fz_caught_message(ctx));
    }
    return rc;
}

static ErrCode take_tiff_page(Album *w, Str bytes, int page, Shown *out)
{
    fz_context *ctx = w->ctx;
    fz_pixmap *pix = NULL, *plain = NULL;
    ErrCode rc = OK;
    fz_var(pix);
    fz_var(plain);
    fz_var(rc);
    fz_try(ctx)
    {
        pix = fz_load_tiff_subimage(ctx, (const unsigned char *)bytes.ptr, bytes.len, page);
        out->dpi = known_dpi(pix->xres);
        plain = plain_pixels(ctx, pix);
        rc = put_pixels(w, plain, out);
    }
    fz_always(ctx)
    {
        fz_drop_pixmap(ctx, plain);
        fz_drop_pixmap(ctx, pix);
    }
    fz_catch(ctx)
    {
        return err_set(w->j->c->err, ERR_INPUT_DAMAGED, "page %d is not readable: %.120s", page + 1,
                       fz_caught_message(ctx));
    }
    return rc;
}

/* --- its page */

/* The picture's matrix in its box: EXIF's turns, done by the page and not to the pixels. */
static void add_matrix(Buf *b, uint8_t turn, float x, float y, float w, float h)
{
    static const signed char matrices[9][6] = {
        {1, 0, 0, 1, 0, 0},   {1, 0, 0, 1, 0, 0},  {0, 1, -1, 0, 1, 0},
        {-1, 0, 0, -1, 1, 1}, {0, -1, 1, 0, 0, 1}, {-1, 0, 0, 1, 1, 0},
        {0, -1, -1, 0, 1, 1}, {1, 0, 0, -1, 0, 1}, {0, 1, 1, 0, 0, 0}};
    const signed char *m = matrices[turn < 9 ? turn : 0];
    buf_addf(b, "%.3f %.3f %.3f %.3f %.3f %.3f cm ", (double)(m[0] * w), (double)(m[1] * h),
             (double)(m[2] * w), (double)(m[3] * h), (double)(x + m[4] * w),
             (double)(y + m[5] * h));
}

static bool is_turned(uint8_t turn)
{
    return turn == 2 || turn == 4 || turn == 6 || turn == 8;
}

static void put_page(Album *w, const Shown *p)
{
    const ConvertArgs *a = w->a;
    float dpi = (float)(p->dpi > 0 ? p->dpi : a->dpi);
    float width = (float)p->width * 72 / dpi, height = (float)p->height * 72 / dpi;
    float page_w, page_h, margin = 0;
    if (is_turned(p->turn)) {
        float kept = width;
        width = height;
        height = kept;
    }
    if (a->paper == PAPER_AUTO) {
        float most = width > height ? width : height;
        float scale = most > side_max ? side_max / most : 1;
        page_w = width *= scale;
        page_h = height *= scale;
    } else {
        convert_paper(a, &page_w, &page_h, &margin);
        if ((width > height) != (page_w > page_h) && !a->landscape) {
            float kept = page_w; /* the paper turns with the picture */
            page_w = page_h;
            page_h = kept;
        }
        float least = page_w < page_h ? page_w : page_h;
        margin = margin < least * paper_margin_max ? margin : least * paper_margin_max;
        float sx = (page_w - 2 * margin) / width, sy = (page_h - 2 * margin) / height;
        float scale = sx < sy ? sx : sy;
        width *= scale;
        height *= scale;
    }
    sheet_begin_page(w->sheet, page_w, page_h);
    Buf *b = sheet_content(w->sheet);
    buf_add_c(b, "q ");
    add_matrix(b, p->turn, (page_w - width) / 2, (page_h - height) / 2, width, height);
    buf_addf(b, "/I%d Do Q\n", p->number);
    sheet_end_page(w->sheet);
}

static int tiff_pages(fz_context *ctx, Str bytes)
{
    int pages = 0;
    fz_var(pages);
    fz_try(ctx)
    {
        pages = fz_load_tiff_subimage_count(ctx, (const unsigned char *)bytes.ptr, bytes.len);
    }
    fz_catch(ctx)
    {
        return 0; /* reading the picture itself will say why */
    }
    return pages < PAGES_MAX ? pages : PAGES_MAX;
}

static ErrCode put_tiff(Album *w, Str bytes, int pages)
{
    ErrCode rc = OK;
    for (int i = 0; i < pages && rc == OK; i++) {
        Shown shown = {0};
        if (!pages_wanted(w->a->pages, i + 1))
            continue;
        arena_reset(w->arena);
        rc = take_tiff_page(w, bytes, i, &shown);
        if (rc == OK)
            put_page(w, &shown);
    }
    return rc;
}

static ErrCode put_bytes(Album *w, Str bytes, TypeId id)
{
    Shown shown = {0};
    int pages = id == TYPE_TIFF ? tiff_pages(w->ctx, bytes) : 1;
    if (pages > 1)
        return put_tiff(w, bytes, pages);
    arena_reset(w->arena);
    ErrCode rc = take_image(w, bytes, &shown);
    if (rc == OK)
        put_page(w, &shown);
    return rc;
}

static ErrCode put_decoded(Album *w)
{
    CLEANUP(fd_close) int fd = -1;
    StepCtx *c = w->j->c;
    ErrCode rc = convert_image(c, c->inputs, "png", 0, &fd);
    if (rc != OK)
        return rc;
    int64_t size = fd_size(fd);
    void *map = size > 0 ? mmap(NULL, (size_t)size, PROT_READ, MAP_PRIVATE, fd, 0) : MAP_FAILED;
    if (map == MAP_FAILED)
        return err_set(c->err, ERR_IO, "could not map the decoded picture");
    rc = put_bytes(w, (Str){map, (size_t)size}, TYPE_PNG);
    munmap(map, (size_t)size);
    return rc;
}

static ErrCode put_all(Album *w, Job *jobs, size_t len)
{
    ErrCode rc = OK;
    for (size_t i = 0; i < len && rc == OK; i++) {
        w->j = &jobs[i];
        bool other = convert_way(jobs[i].id, TO_PDF) == WAY_PICTURES_2;
        rc = other ? put_decoded(w) : put_bytes(w, jobs[i].bytes, jobs[i].id);
        if (len > 1)
            step_progress(jobs[0].c, (int64_t)i + 1, (int64_t)len, "pictures");
        if (rc == OK && step_canceled(jobs[0].c))
            rc = err_set(jobs[0].c->err, ERR_CANCELED, "stopped after %zu pictures", i + 1);
    }
    return rc;
}

ErrCode convert_pictures(Job *jobs, size_t len)
{
    Job *j = &jobs[0];
    StepCtx *c = j->c;
    CLEANUP(fd_close) int fd = -1;
    CLEANUP(arena_close) Arena *arena = arena_open(1u << 30);
    Album w = {.arena = arena, .a = j->a};
    Str base = convert_base(c);
    Str name = str_printf(c->arena, STR_FMT ".pdf", STR_ARG(base));
    if (arena == NULL || name.ptr == NULL)
        return err_set(c->err, ERR_NO_MEMORY, "beginning the PDF");
    ErrCode rc = pdf_context(&w.ctx, c->err);
    if (rc == OK)
        rc = step_output(c, name, STR("application/pdf"), &fd);
    if (rc == OK &&
        (w.sheet = sheet_open(c->arena, fd, j->a->pdf_a, pdf_profile(c->arena))) == NULL)
        rc = err_set(c->err, ERR_NO_MEMORY, "beginning the PDF");
    if (rc == OK)
        rc = put_all(&w, jobs, len);
    const SheetFacts facts = {.title = j->a->title.len > 0 ? j->a->title : base};
    if (rc == OK && sheet_pages(w.sheet) == 0) {
        rc = err_set(c->err, ERR_BAD_PARAM, "none of the pages is in \"" STR_FMT "\"",
                     STR_ARG(j->a->pages));
        err_param(c->err, "pages");
    }
    if (rc == OK)
        rc = sheet_end(w.sheet, &facts, c->err);
    j->pages = w.sheet != NULL ? sheet_pages(w.sheet) : 0;
    sheet_drop(&w.sheet);
    j->outputs = 1;
    j->how = "pictures";
    return rc;
}

#include "image/edit.h"

#include <stdarg.h>
#include <string.h>

const Choice edit_format_choices[] = {
    [EDIT_WEBP] = {"webp", "Small, read by every browser; transparency and animation."},
    [EDIT_AVIF] = {"avif", "Smallest, slowest to make; transparency."},
    [EDIT_JPEG] = {"jpeg", "Read by everything; no transparency."},
    [EDIT_PNG] = {"png", "Exact, for drawings and screenshots; transparency, 16 bits."},
    [EDIT_GIF] = {"gif", "256 colours, animation."},
    [EDIT_TIFF] = {"tiff", "Exact, for print and archives; 16 bits."},
    [EDIT_KEEP] = {"keep", "That of the input; HEIC becomes jpeg, SVG and JPEG XL become png."},
    {0},
};
const Choice edit_metadata_choices[] = {
    [EDIT_STRIP] = {"strip", "Remove EXIF, XMP and profile; colours are converted to sRGB."},
    [EDIT_KEEP_METADATA] = {"keep", "Keep them, position and camera included."},
    {0},
};

Size edit_inside(Size in, int64_t w, int64_t h)
{
    if ((w == 0 || in.w <= w) && (h == 0 || in.h <= h))
        return in;
    /* Is width the tighter side? Asked without a division, so without rounding. */
    bool by_width = h == 0 || (w != 0 && w * in.h <= h * in.w);
    Size out = by_width ? (Size){w, (in.h * w + in.w / 2) / in.w}
                        : (Size){(in.w * h + in.h / 2) / in.h, h};
    return (Size){out.w > 0 ? out.w : 1, out.h > 0 ? out.h : 1};
}

bool edit_colour(Str s, double out[3])
{
    static const char digits[] = "0123456789abcdef";
    if ((s.len != 4 && s.len != 7) || s.ptr[0] != '#')
        return false;
    size_t each = (s.len - 1) / 3;
    for (size_t i = 0; i < 3; i++) {
        int value = 0;
        for (size_t k = 0; k < 2; k++) {
            char ch = s.ptr[1 + i * each + (each == 2 ? k : 0)];
            const char *at = ch == 0 ? NULL : strchr(digits, ch >= 'A' && ch <= 'F' ? ch + 32 : ch);
            if (at == NULL)
                return false;
            value = value * 16 + (int)(at - digits);
        }
        out[i] = value;
    }
    return true;
}

ErrCode edit_bad_param(StepCtx *c, const char *param, const char *fmt, ...)
{
    char text[256];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    err_set(c->err, ERR_BAD_PARAM, "%s", text);
    err_param(c->err, param);
    return ERR_BAD_PARAM;
}

/* The host cleans the name; here it only has to make sense. */
Str edit_name(Arena *a, Str input, const char *ext)
{
    for (size_t i = input.len; i > 0; i--)
        if (input.ptr[i - 1] == '/' || input.ptr[i - 1] == '\\') {
            input = str_slice(input, i, input.len);
            break;
        }
    size_t dot = str_rfind_char(input, '.');
    Str base = dot != STR_NONE && dot > 0 ? str_slice(input, 0, dot) : input;
    return str_printf(a, STR_FMT ".%s", STR_ARG(base.len > 0 ? base : STR("image")), ext);
}

ImageFormat edit_format(int choice, ImageFormat source)
{
    static const ImageFormat made[] = {
        [EDIT_WEBP] = IMAGE_WEBP, [EDIT_AVIF] = IMAGE_AVIF, [EDIT_JPEG] = IMAGE_JPEG,
        [EDIT_PNG] = IMAGE_PNG,   [EDIT_GIF] = IMAGE_GIF,   [EDIT_TIFF] = IMAGE_TIFF,
    };
    if (choice != EDIT_KEEP)
        return made[choice];
    if (source == IMAGE_HEIC)
        return IMAGE_JPEG;
    return image_format(source)->side_max > 0 ? source : IMAGE_PNG;
}

int edit_gravity_x(int gravity)
{
    static const int x[EDIT_GRAVITIES] = {
        [EDIT_CENTRE] = 1, [EDIT_NORTH] = 1,      [EDIT_SOUTH] = 1,
        [EDIT_EAST] = 2,   [EDIT_NORTH_EAST] = 2, [EDIT_SOUTH_EAST] = 2,
    };
    return x[gravity];
}

int edit_gravity_y(int gravity)
{
    static const int y[EDIT_GRAVITIES] = {
        [EDIT_CENTRE] = 1, [EDIT_EAST] = 1,       [EDIT_WEST] = 1,
        [EDIT_SOUTH] = 2,  [EDIT_SOUTH_EAST] = 2, [EDIT_SOUTH_WEST] = 2,
    };
    return y[gravity];
}

void edit_close(Edit *e)
{
    image_unref(&e->pixels);
    image_close(&e->img);
}

ErrCode edit_done(StepCtx *c, int rc, VipsImage *next, const char *doing, VipsImage **v)
{
    if (rc != 0) {
        image_unref(&next);
        return image_fail(c, doing);
    }
    image_replace(v, next);
    return OK;
}

ErrCode edit_to_memory(StepCtx *c, VipsImage **v)
{
    VipsImage *out = vips_image_copy_memory(*v);
    return edit_done(c, out == NULL ? -1 : 0, out, "decoding the picture", v);
}

ErrCode edit_upright(StepCtx *c, Size want, VipsImage **v)
{
    VipsImage *out = NULL;
    Size now = {(*v)->Xsize, vips_image_get_page_height(*v)};
    int orientation = vips_image_get_orientation(*v);
    if (orientation >= 5)
        now = (Size){now.h, now.w};
    if (now.w != want.w || now.h != want.h) {
        /* libvips rotates as well, after scaling, when there is less to rotate */
        int rc = vips_thumbnail_image(*v, &out, (int)want.w, "height", (int)want.h, "size",
                                      VIPS_SIZE_FORCE, NULL);
        return edit_done(c, rc, out, "scaling the picture", v);
    }
    if (orientation == 1)
        return OK;
    /* Rotation reads lines out of order, and the decoder delivers them in order: so all pixels
     * first. */
    ErrCode rc = edit_to_memory(c, v);
    if (rc != OK)
        return rc;
    int turned = vips_autorot(*v, &out, NULL);
    return edit_done(c, turned, out, "rotating the picture", v);
}

ErrCode edit_check_pixels(StepCtx *c, const Image *img, int frames)
{
    int64_t pixels = img->width * img->height;
    if (pixels * frames > IMAGE_PIXELS_MAX && frames > 1)
        return err_set(c->err, ERR_LIMIT_PIXELS,
                       "%d frames of %" PRId64 " pixels, the limit is %d in all", frames, pixels,
                       IMAGE_PIXELS_MAX);
    if (pixels > IMAGE_PIXELS_MAX)
        return err_set(c->err, ERR_LIMIT_PIXELS,
                       "%" PRId64 " x %" PRId64 " pixels, the limit is %d in all", img->width,
                       img->height, IMAGE_PIXELS_MAX);
    return OK;
}

ErrCode edit_open(StepCtx *c, size_t index, Size box, bool keep_metadata, Edit *out)
{
    CLEANUP(edit_close) Edit e = {.keep_metadata = keep_metadata};
    ErrCode rc = image_open(c, c->inputs[index].fd, &e.img);
    if (rc == OK)
        rc = edit_check_pixels(c, e.img, 1);
    if (rc != OK)
        return rc;
    Size in = {e.img->width, e.img->height}, want = edit_inside(in, box.w, box.h);
    double x = (double)want.w / (double)in.w, y = (double)want.h / (double)in.h;
    rc = image_load(c, e.img, &(ImageLoad){.scale = x > y ? x : y}, &e.pixels);
    if (rc == OK)
        rc = edit_upright(c, want, &e.pixels);
    if (rc == OK)
        rc = image_to_srgb(c, &e.pixels, keep_metadata, false);
    if (rc == OK)
        rc = edit_to_memory(c, &e.pixels);
    if (rc != OK)
        return rc;
    if (e.img->pages > 1)
        step_note(
            c, str_printf(c->arena, "only the first of %d pages or frames is taken", e.img->pages));
    *out = e;
    e = (Edit){0};
    return OK;
}

ErrCode edit_save(StepCtx *c, const Edit *e, const EditArgs *args)
{
    ImageSave how = {.format = edit_format(args->format, e->img->format),
                     .quality = (int)args->quality,
                     .keep_metadata = args->metadata == EDIT_KEEP_METADATA};
    if (!edit_colour(args->background, how.background))
        return edit_bad_param(c, "background", "must be a colour such as #ffcc00");
    const ImageFormatInfo *to = image_format(how.format);
    int64_t bytes = 0;
    if (e->pixels->Xsize > to->side_max || e->pixels->Ysize > to->side_max)
        return edit_bad_param(c, "format", "%s holds at most %d pixels along one side, not %d x %d",
                              to->name, to->side_max, e->pixels->Xsize, e->pixels->Ysize);
    Str name = edit_name(c->arena, c->inputs[0].name, to->ext);
    ErrCode rc = image_save(c, e->pixels, &how, name, &bytes);
    if (rc != OK)
        return rc;
    json_kv_int(c->data, "width", e->pixels->Xsize);
    json_kv_int(c->data, "height", e->pixels->Ysize);
    json_kv_c(c->data, "format", to->name);
    json_kv_int(c->data, "bytes", bytes);
    json_kv_int(c->data, "source_width", e->img->width);
    json_kv_int(c->data, "source_height", e->img->height);
    json_kv_c(c->data, "source_format", image_format(e->img->format)->name);
    json_kv_int(c->data, "source_bytes", (int64_t)e->img->map_size);
    step_usage(c, "images", 1);
    step_usage(c, "megapixels", (e->img->width * e->img->height + 999999) / 1000000);
    return OK;
}

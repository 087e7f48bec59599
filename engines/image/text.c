#include "image/text.h"
#include "base/fault.h"

#include <pango/pangocairo.h>
#include <string.h>

enum { TRIAL_SIZE = 64, SIDE_MAX = 16384 };

static void layout_unref(PangoLayout **l)
{
    if (*l != NULL)
        g_object_unref(*l);
}

static void set_size(PangoLayout *l, Str font, double size, Arena *a)
{
    const char *name = str_to_c(a, font);
    PangoFontDescription *d =
        pango_font_description_from_string(name != NULL && font.len > 0 ? name : "Sans");
    pango_font_description_set_absolute_size(d, (size < 1 ? 1 : size) * PANGO_SCALE);
    pango_layout_set_font_description(l, d);
    pango_font_description_free(d);
}

/* The layout at its final size. */
static PangoLayout *lay_out(Str text, const TextStyle *s, Arena *a)
{
    PangoContext *context = pango_font_map_create_context(pango_cairo_font_map_get_default());
    PangoLayout *l = pango_layout_new(context);
    g_object_unref(context);
    pango_layout_set_text(l, text.ptr, (int)text.len);
    double size = s->size;
    if (size <= 0) {
        int w = 0, h = 0;
        set_size(l, s->font, TRIAL_SIZE, a);
        pango_layout_get_pixel_size(l, &w, &h);
        size = w > 0 ? (double)TRIAL_SIZE * s->fit_width / w : TRIAL_SIZE;
        if (s->height_max > 0 && h > 0 && size * h / TRIAL_SIZE > s->height_max)
            size = (double)TRIAL_SIZE * s->height_max / h;
    }
    set_size(l, s->font, size, a);
    if (s->width_max > 0) {
        pango_layout_set_width(l, s->width_max * PANGO_SCALE);
        pango_layout_set_ellipsize(l, PANGO_ELLIPSIZE_MIDDLE);
        pango_layout_set_single_paragraph_mode(l, TRUE);
    }
    return l;
}

static ErrCode check_fonts(StepCtx *c, PangoLayout *l, Str text)
{
    int unknown = pango_layout_get_unknown_glyphs_count(l), characters = 0;
    for (size_t at = 0; at < text.len;)
        characters += str_next_utf8(text, &at) > ' ';
    if (unknown == 0)
        return OK;
    if (unknown < characters) {
        step_note(c, str_printf(c->arena,
                                "no font here has %d of the characters: boxes stand for "
                                "them",
                                unknown));
        return OK;
    }
    err_set(c->err, ERR_BAD_PARAM, "no font on this machine has these characters");
    err_hint(c->err, "install a font of this script where the engine runs, such as fonts-noto");
    err_param(c->err, "text");
    return ERR_BAD_PARAM;
}

/* Cairo's lines as a picture of our own. */
static VipsImage *picture_of(cairo_surface_t *s, int w, int h)
{
    VipsImage *v = fault_hit("image.text") ? NULL : vips_image_new_memory();
    if (v == NULL)
        return NULL;
    vips_image_init_fields(v, w, h, 1, VIPS_FORMAT_UCHAR, VIPS_CODING_NONE, VIPS_INTERPRETATION_B_W,
                           1, 1);
    if (vips_image_write_prepare(v) != 0) {
        image_unref(&v);
        return NULL;
    }
    cairo_surface_flush(s);
    for (int y = 0; y < h; y++)
        memcpy(VIPS_IMAGE_ADDR(v, 0, y),
               cairo_image_surface_get_data(s) + (ptrdiff_t)y * cairo_image_surface_get_stride(s),
               (size_t)w);
    return v;
}

static VipsImage *draw(PangoLayout *l, PangoRectangle ink)
{
    cairo_surface_t *s = cairo_image_surface_create(CAIRO_FORMAT_A8, ink.width, ink.height);
    cairo_t *cr = cairo_create(s);
    cairo_move_to(cr, -ink.x, -ink.y);
    pango_cairo_show_layout(cr, l);
    VipsImage *v =
        cairo_status(cr) == CAIRO_STATUS_SUCCESS ? picture_of(s, ink.width, ink.height) : NULL;
    cairo_destroy(cr);
    cairo_surface_destroy(s);
    return v;
}

ErrCode text_mask(StepCtx *c, Str text, const TextStyle *style, VipsImage **out)
{
    CLEANUP(layout_unref) PangoLayout *l = lay_out(text, style, c->arena);
    PangoRectangle ink, logical;
    ErrCode rc = check_fonts(c, l, text);
    if (rc != OK)
        return rc;
    pango_layout_get_pixel_extents(l, &ink, &logical);
    if (ink.width < 1 || ink.height < 1) {
        err_set(c->err, ERR_BAD_PARAM, "the text has nothing to draw");
        err_param(c->err, "text");
        return ERR_BAD_PARAM;
    }
    if (ink.width > SIDE_MAX || ink.height > SIDE_MAX)
        return err_set(c->err, ERR_LIMIT_PIXELS, "the text would be %d x %d pixels", ink.width,
                       ink.height);
    *out = draw(l, ink);
    return *out != NULL ? OK : err_set(c->err, ERR_NO_MEMORY, "drawing text");
}

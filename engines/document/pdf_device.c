/* pdf_device.c: a device that passes text on to MuPDF's text device and keeps thin lines and edges
 * of boxes for itself.
 *
 * One run of the page serves both: text, and the rulings that tables are made of. Pictures are
 * noticed, not decoded. */
#include "document/pdf_in.h"

#include <math.h>

enum { THIN = 3 }; /* points: a filled box not thicker than this is a ruling */

typedef struct PdfDevice {
    fz_device super;
    fz_device *text;
    PdfPage *page;
} PdfDevice;

static PdfDevice *of(fz_device *dev)
{
    return (PdfDevice *)(void *)dev;
}

static void add_rule(PdfPage *p, float x0, float y0, float x1, float y1)
{
    if (p->rules_len < PDF_RULES_MAX && (fabsf(x1 - x0) > 4 || fabsf(y1 - y0) > 4))
        p->rules[p->rules_len++] =
            (PdfRule){fminf(x0, x1), fminf(y0, y1), fmaxf(x0, x1), fmaxf(y0, y1)};
}

static void add_box(PdfPage *p, fz_rect b, bool stroked)
{
    float w = b.x1 - b.x0, h = b.y1 - b.y0;
    if (w <= THIN && h <= THIN)
        return;
    if (h <= THIN) {
        add_rule(p, b.x0, (b.y0 + b.y1) / 2, b.x1, (b.y0 + b.y1) / 2);
    } else if (w <= THIN) {
        add_rule(p, (b.x0 + b.x1) / 2, b.y0, (b.x0 + b.x1) / 2, b.y1);
    } else if (stroked) {
        add_rule(p, b.x0, b.y0, b.x1, b.y0);
        add_rule(p, b.x0, b.y1, b.x1, b.y1);
        add_rule(p, b.x0, b.y0, b.x0, b.y1);
        add_rule(p, b.x1, b.y0, b.x1, b.y1);
    }
}

typedef struct Walk {
    PdfPage *page;
    fz_matrix ctm;
    fz_point at, start;
    fz_rect box; /* of the figure in hand */
    bool stroked, curved;
    int corners;
} Walk;

static void end_figure(Walk *w)
{
    if (w->corners >= 3 && !w->curved && !w->stroked)
        add_box(w->page, w->box, false);
    w->corners = 0;
    w->curved = false;
    w->box = fz_empty_rect;
}

static void move_to(fz_context *ctx, void *arg, float x, float y)
{
    Walk *w = arg;
    (void)ctx;
    end_figure(w);
    w->at = w->start = fz_transform_point_xy(x, y, w->ctm);
    w->box = (fz_rect){w->at.x, w->at.y, w->at.x, w->at.y};
}

static void go(Walk *w, fz_point to)
{
    bool straight = fabsf(to.x - w->at.x) < 0.5f || fabsf(to.y - w->at.y) < 0.5f;
    if (!straight)
        w->curved = true;
    else if (w->stroked)
        add_rule(w->page, w->at.x, w->at.y, to.x, to.y);
    w->box = fz_include_point_in_rect(w->box, to);
    w->corners++;
    w->at = to;
}

static void line_to(fz_context *ctx, void *arg, float x, float y)
{
    Walk *w = arg;
    (void)ctx;
    go(w, fz_transform_point_xy(x, y, w->ctm));
}

static void curve_to(fz_context *ctx, void *arg, float x1, float y1, float x2, float y2, float x3,
                     float y3)
{
    Walk *w = arg;
    (void)ctx, (void)x1, (void)y1, (void)x2, (void)y2;
    w->curved = true;
    w->page->curves++;
    w->at = fz_transform_point_xy(x3, y3, w->ctm);
}

static void close_path(fz_context *ctx, void *arg)
{
    Walk *w = arg;
    (void)ctx;
    go(w, w->start);
    end_figure(w);
}

static void rect_to(fz_context *ctx, void *arg, float x1, float y1, float x2, float y2)
{
    Walk *w = arg;
    (void)ctx;
    end_figure(w);
    fz_rect b = fz_transform_rect(
        (fz_rect){fminf(x1, x2), fminf(y1, y2), fmaxf(x1, x2), fmaxf(y1, y2)}, w->ctm);
    add_box(w->page, b, w->stroked);
}

static void walk(fz_context *ctx, fz_device *dev, const fz_path *path, fz_matrix ctm, bool stroked)
{
    static const fz_path_walker walker = {.moveto = move_to,
                                          .lineto = line_to,
                                          .curveto = curve_to,
                                          .closepath = close_path,
                                          .rectto = rect_to};
    PdfPage *p = of(dev)->page;
    if (p->rules_len == PDF_RULES_MAX)
        return;
    Walk w = {.page = p, .ctm = ctm, .stroked = stroked, .box = fz_empty_rect};
    fz_walk_path(ctx, path, &walker, &w);
    end_figure(&w);
}

static void fill_path(fz_context *ctx, fz_device *dev, const fz_path *path, int even_odd,
                      fz_matrix ctm, fz_colorspace *cs, const float *color, float alpha,
                      fz_color_params params)
{
    (void)even_odd, (void)cs, (void)color, (void)alpha, (void)params;
    walk(ctx, dev, path, ctm, false);
}

static void stroke_path(fz_context *ctx, fz_device *dev, const fz_path *path,
                        const fz_stroke_state *stroke, fz_matrix ctm, fz_colorspace *cs,
                        const float *color, float alpha, fz_color_params params)
{
    (void)stroke, (void)cs, (void)color, (void)alpha, (void)params;
    walk(ctx, dev, path, ctm, true);
}

/* Text is passed on by the functions of the text device themselves: the library's wrappers around
 * them would open a second try for each piece. What is thrown ends in the wrapper around ours. */

static void fill_text(fz_context *ctx, fz_device *dev, const fz_text *text, fz_matrix ctm,
                      fz_colorspace *cs, const float *color, float alpha, fz_color_params params)
{
    fz_device *to = of(dev)->text;
    to->fill_text(ctx, to, text, ctm, cs, color, alpha, params);
}

static void stroke_text(fz_context *ctx, fz_device *dev, const fz_text *text,
                        const fz_stroke_state *stroke, fz_matrix ctm, fz_colorspace *cs,
                        const float *color, float alpha, fz_color_params params)
{
    fz_device *to = of(dev)->text;
    to->stroke_text(ctx, to, text, stroke, ctm, cs, color, alpha, params);
}

static void clip_text(fz_context *ctx, fz_device *dev, const fz_text *text, fz_matrix ctm,
                      fz_rect scissor)
{
    fz_device *to = of(dev)->text;
    to->clip_text(ctx, to, text, ctm, scissor);
}

static void clip_stroke_text(fz_context *ctx, fz_device *dev, const fz_text *text,
                             const fz_stroke_state *stroke, fz_matrix ctm, fz_rect scissor)
{
    fz_device *to = of(dev)->text;
    to->clip_stroke_text(ctx, to, text, stroke, ctm, scissor);
}

static void ignore_text(fz_context *ctx, fz_device *dev, const fz_text *text, fz_matrix ctm)
{
    fz_device *to = of(dev)->text;
    to->ignore_text(ctx, to, text, ctm);
}

static void fill_image(fz_context *ctx, fz_device *dev, fz_image *image, fz_matrix ctm, float alpha,
                       fz_color_params params)
{
    (void)ctx, (void)image, (void)alpha, (void)params;
    PdfPage *p = of(dev)->page;
    float page = p->width * p->height, area = fabsf(ctm.a * ctm.d - ctm.b * ctm.c);
    p->pictures = true;
    if (page > 0 && area / page > p->picture_share)
        p->picture_share = area / page;
}

static void fill_image_mask(fz_context *ctx, fz_device *dev, fz_image *image, fz_matrix ctm,
                            fz_colorspace *cs, const float *color, float alpha,
                            fz_color_params params)
{
    (void)cs, (void)color;
    fill_image(ctx, dev, image, ctm, alpha, params);
}

static void close_device(fz_context *ctx, fz_device *dev)
{
    fz_close_device(ctx, of(dev)->text);
}

static void drop_device(fz_context *ctx, fz_device *dev)
{
    fz_drop_device(ctx, of(dev)->text);
}

fz_device *pdf_device_new(fz_context *ctx, fz_stext_page *text, PdfPage *p)
{
    PdfDevice *d = fz_new_derived_device(ctx, PdfDevice);
    d->super.close_device = close_device;
    d->super.drop_device = drop_device;
    d->super.fill_path = fill_path;
    d->super.stroke_path = stroke_path;
    d->super.fill_text = fill_text;
    d->super.stroke_text = stroke_text;
    d->super.clip_text = clip_text;
    d->super.clip_stroke_text = clip_stroke_text;
    d->super.ignore_text = ignore_text;
    d->super.fill_image = fill_image;
    d->super.fill_image_mask = fill_image_mask;
    d->page = p;
    fz_try(ctx)
    {
        d->text = fz_new_stext_device(ctx, text, NULL);
    }
    fz_catch(ctx)
    {
        fz_drop_device(ctx, &d->super);
        fz_rethrow(ctx);
    }
    return &d->super;
}

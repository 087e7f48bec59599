#include "core/nearest.h"
#include "image/filter_in.h"

#include <math.h>

/* Operations on colour leave alpha alone. */
typedef int (*ColourOp)(VipsImage *in, double value, VipsImage **out);

static int on_colour(VipsImage *in, ColourOp op, double value, VipsImage **out)
{
    if (!vips_image_hasalpha(in))
        return op(in, value, out);
    CLEANUP(image_unref) VipsImage *colour = NULL;
    CLEANUP(image_unref) VipsImage *alpha = NULL;
    CLEANUP(image_unref) VipsImage *done = NULL;
    if (vips_extract_band(in, &colour, 0, "n", in->Bands - 1, NULL) != 0 ||
        vips_extract_band(in, &alpha, in->Bands - 1, NULL) != 0 || op(colour, value, &done) != 0)
        return -1;
    return vips_bandjoin2(done, alpha, out, NULL);
}

static int linear(VipsImage *in, double times, double plus, VipsImage **out)
{
    return vips_linear1(in, out, times, plus, "uchar", TRUE, NULL);
}

static int brighten(VipsImage *in, double value, VipsImage **out)
{
    return linear(in, value, 0, out);
}

static int contrast(VipsImage *in, double value, VipsImage **out)
{
    return linear(in, value, 128 - 128 * value, out);
}

static int gamma_curve(VipsImage *in, double value, VipsImage **out)
{
    return vips_gamma(in, out, "exponent", value, NULL);
}

static int negate(VipsImage *in, double value, VipsImage **out)
{
    (void)value;
    return vips_invert(in, out, NULL);
}

static int in_lch(VipsImage *in, double chroma_times, double hue_plus, VipsImage **out)
{
    if (in->Bands < 3)
        return vips_copy(in, out, NULL);
    double times[] = {1, chroma_times, 1}, plus[] = {0, 0, hue_plus};
    CLEANUP(image_unref) VipsImage *lch = NULL;
    CLEANUP(image_unref) VipsImage *changed = NULL;
    if (vips_colourspace(in, &lch, VIPS_INTERPRETATION_LCH, NULL) != 0 ||
        vips_linear(lch, &changed, times, plus, 3, NULL) != 0)
        return -1;
    return vips_colourspace(changed, out, VIPS_INTERPRETATION_sRGB, NULL);
}

static int saturate(VipsImage *in, double value, VipsImage **out)
{
    return in_lch(in, value, 0, out);
}

static int turn_hue(VipsImage *in, double value, VipsImage **out)
{
    return in_lch(in, 1, value, out);
}

static int to_rgb(VipsImage *in, VipsImage **out)
{
    return vips_colourspace(in, out, VIPS_INTERPRETATION_sRGB, NULL);
}

/* Between the picture (0) and its brown version (1). */
static int sepia(VipsImage *in, double share, VipsImage **out)
{
    static const double brown[9] = {0.393, 0.769, 0.189, 0.349, 0.686, 0.168, 0.272, 0.534, 0.131};
    double mixed[9];
    for (int i = 0; i < 9; i++)
        mixed[i] = brown[i] * share + (i % 4 == 0 ? 1 - share : 0);
    CLEANUP(image_unref) VipsImage *rgb = NULL;
    CLEANUP(image_unref) VipsImage *matrix = vips_image_new_matrix_from_array(3, 3, mixed, 9);
    return matrix != NULL && to_rgb(in, &rgb) == 0 ? vips_recomb(rgb, out, matrix, NULL) : -1;
}

/* The darkest and the lightest hundredth become black and white. */
static int normalise(VipsImage *in, double value, VipsImage **out)
{
    (void)value;
    CLEANUP(image_unref) VipsImage *grey = NULL;
    int low = 0, high = 0;
    if (vips_colourspace(in, &grey, VIPS_INTERPRETATION_B_W, NULL) != 0 ||
        vips_percent(grey, 1, &low, NULL) != 0 || vips_percent(grey, 99, &high, NULL) != 0)
        return -1;
    if (high <= low)
        return vips_copy(in, out, NULL);
    double times = 255.0 / (high - low);
    return linear(in, times, -low * times, out);
}

static int threshold(VipsImage *in, double level, VipsImage **out)
{
    CLEANUP(image_unref) VipsImage *grey = NULL;
    return vips_colourspace(in, &grey, VIPS_INTERPRETATION_B_W, NULL) == 0
               ? vips_moreeq_const1(grey, out, level, NULL)
               : -1;
}

static int grey(VipsImage *in, double value, VipsImage **out)
{
    (void)value;
    return vips_colourspace(in, out, VIPS_INTERPRETATION_B_W, NULL);
}

#define ON_COLOUR(name, op)                                                                        \
    static int name(VipsImage *in, const FilterOp *o, const FilterPaper *paper, VipsImage **out)   \
    {                                                                                              \
        (void)paper;                                                                               \
        return on_colour(in, op, o->value, out);                                                   \
    }
ON_COLOUR(run_brightness, brighten)
ON_COLOUR(run_contrast, contrast)
ON_COLOUR(run_gamma, gamma_curve)
ON_COLOUR(run_negate, negate)
ON_COLOUR(run_saturation, saturate)
ON_COLOUR(run_hue, turn_hue)
ON_COLOUR(run_sepia, sepia)
ON_COLOUR(run_normalise, normalise)
ON_COLOUR(run_threshold, threshold)
ON_COLOUR(run_grayscale, grey)

/* --- operations on the place of pixels --- */

static int run_blur(VipsImage *in, const FilterOp *o, const FilterPaper *paper, VipsImage **out)
{
    (void)paper;
    return vips_gaussblur(in, out, o->value, NULL);
}

static int run_sharpen(VipsImage *in, const FilterOp *o, const FilterPaper *paper, VipsImage **out)
{
    (void)paper;
    return vips_sharpen(in, out, "sigma", o->value, NULL);
}

static int run_median(VipsImage *in, const FilterOp *o, const FilterPaper *paper, VipsImage **out)
{
    (void)paper;
    return vips_median(in, out, (int)o->value | 1, NULL);
}

static int run_pixelate(VipsImage *in, const FilterOp *o, const FilterPaper *paper, VipsImage **out)
{
    (void)paper;
    int size = (int)o->value;
    CLEANUP(image_unref) VipsImage *small = NULL;
    CLEANUP(image_unref) VipsImage *large = NULL;
    if (vips_shrink(in, &small, size, size, "ceil", TRUE, NULL) != 0 ||
        vips_zoom(small, &large, size, size, NULL) != 0)
        return -1;
    return vips_crop(large, out, 0, 0, in->Xsize, in->Ysize, NULL);
}

/* The paper's colour in as many bands as the picture has; see-through where there is alpha. */
static VipsArrayDouble *paper_of(const VipsImage *v, const FilterPaper *paper)
{
    const double *p = paper->colour, grey_level = (p[0] + p[1] + p[2]) / 3;
    bool alpha = vips_image_hasalpha((VipsImage *)(uintptr_t)v);
    double ink[4] = {p[0], p[1], p[2], 0};
    if (v->Bands <= 2) {
        ink[0] = grey_level;
        ink[1] = 0;
    }
    return vips_array_double_new(ink, alpha ? v->Bands : v->Bands <= 2 ? 1 : 3);
}

static int run_rotate(VipsImage *in, const FilterOp *o, const FilterPaper *paper, VipsImage **out)
{
    double turn = fmod(fmod(o->value, 360) + 360, 360);
    if (turn == 0)
        return vips_copy(in, out, NULL);
    if (turn == 90 || turn == 180 || turn == 270)
        return vips_rot(in, out, (VipsAngle)(turn / 90), NULL);
    VipsArrayDouble *ink = paper_of(in, paper);
    int rc = vips_rotate(in, out, turn, "background", ink, NULL);
    vips_area_unref(VIPS_AREA(ink));
    return rc;
}

static int run_flip(VipsImage *in, const FilterOp *o, const FilterPaper *paper, VipsImage **out)
{
    (void)o;
    (void)paper;
    return vips_flip(in, out, VIPS_DIRECTION_VERTICAL, NULL);
}

static int run_mirror(VipsImage *in, const FilterOp *o, const FilterPaper *paper, VipsImage **out)
{
    (void)o;
    (void)paper;
    return vips_flip(in, out, VIPS_DIRECTION_HORIZONTAL, NULL);
}

static int run_border(VipsImage *in, const FilterOp *o, const FilterPaper *paper, VipsImage **out)
{
    const double *p = paper->colour;
    int by = (int)o->value;
    bool coloured = in->Bands >= 3;
    double ink[4] = {p[0], p[1], p[2], 255};
    if (!coloured) {
        ink[0] = (p[0] + p[1] + p[2]) / 3;
        ink[1] = 255;
    }
    VipsArrayDouble *array = vips_array_double_new(ink, in->Bands);
    int rc = vips_embed(in, out, by, by, in->Xsize + 2 * by, in->Ysize + 2 * by, "extend",
                        VIPS_EXTEND_BACKGROUND, "background", array, NULL);
    vips_area_unref(VIPS_AREA(array));
    return rc;
}

/* How much of the pixel lies inside the rounded rectangle, 0 to 255. */
static unsigned char coverage(double x, double y, double w, double h, double r)
{
    double dx = fmax(fmax(r - x, x - (w - r)), 0), dy = fmax(fmax(r - y, y - (h - r)), 0);
    double inside = r - sqrt(dx * dx + dy * dy) + 0.5;
    return (unsigned char)(255 * fmin(fmax(inside, 0), 1) + 0.5);
}

static VipsImage *round_mask(int w, int h, double r)
{
    VipsImage *mask = vips_image_new_memory();
    vips_image_init_fields(mask, w, h, 1, VIPS_FORMAT_UCHAR, VIPS_CODING_NONE,
                           VIPS_INTERPRETATION_B_W, 1, 1);
    if (vips_image_write_prepare(mask) != 0)
        image_unref(&mask);
    for (int y = 0; mask != NULL && y < h; y++) {
        VipsPel *line = VIPS_IMAGE_ADDR(mask, 0, y);
        for (int x = 0; x < w; x++)
            line[x] = coverage(x + 0.5, y + 0.5, w, h, r);
    }
    return mask;
}

static int run_round(VipsImage *in, const FilterOp *o, const FilterPaper *paper, VipsImage **out)
{
    (void)paper;
    double shorter = in->Xsize < in->Ysize ? in->Xsize : in->Ysize;
    double r = fmin(o->percent ? shorter * o->value / 100 : o->value, shorter / 2);
    CLEANUP(image_unref) VipsImage *mask = round_mask(in->Xsize, in->Ysize, r);
    if (mask == NULL)
        return -1;
    if (!vips_image_hasalpha(in))
        return vips_bandjoin2(in, mask, out, NULL);
    CLEANUP(image_unref) VipsImage *colour = NULL;
    CLEANUP(image_unref) VipsImage *alpha = NULL;
    CLEANUP(image_unref) VipsImage *product = NULL;
    CLEANUP(image_unref) VipsImage *both = NULL;
    if (vips_extract_band(in, &colour, 0, "n", in->Bands - 1, NULL) != 0 ||
        vips_extract_band(in, &alpha, in->Bands - 1, NULL) != 0 ||
        vips_multiply(alpha, mask, &product, NULL) != 0 ||
        vips_linear1(product, &both, 1.0 / 255, 0, "uchar", TRUE, NULL) != 0)
        return -1;
    return vips_bandjoin2(colour, both, out, NULL);
}

static const FilterKind kinds[] = {
    {"blur", 0.3, 100, 2, .run = run_blur},
    {"sharpen", 0.3, 10, 0.8, .run = run_sharpen},
    {"median", 1, 15, 3, .run = run_median},
    {"pixelate", 2, 500, 10, .run = run_pixelate},
    {"grayscale", 0, 0, 0, .run = run_grayscale},
    {"sepia", 0, 1, 1, .run = run_sepia},
    {"brightness", 0, 10, 1, .run = run_brightness},
    {"contrast", 0, 10, 1, .run = run_contrast},
    {"saturation", 0, 10, 1, .run = run_saturation},
    {"hue", -360, 360, 0, .run = run_hue},
    {"gamma", 0.1, 10, 1, .run = run_gamma},
    {"normalise", 0, 0, 0, .run = run_normalise},
    {"negate", 0, 0, 0, .run = run_negate},
    {"threshold", 1, 255, 128, .run = run_threshold},
    {"rotate", -360, 360, 90, .run = run_rotate},
    {"flip", 0, 0, 0, .run = run_flip},
    {"mirror", 0, 0, 0, .run = run_mirror},
    {"round", 0, 8192, 16, true, run_round},
    {"border", 1, 1000, 10, .run = run_border},
};

const FilterKind *filter_kind(Str name)
{
    static const struct {
        const char *also, *name;
    } synonyms[] = {{"greyscale", "grayscale"}, {"gray", "grayscale"},   {"grey", "grayscale"},
                    {"normalize", "normalise"}, {"invert", "negate"},    {"denoise", "median"},
                    {"flop", "mirror"},         {"pixelize", "pixelate"}};
    for (size_t i = 0; i < COUNT_OF(synonyms); i++)
        if (str_eq_c(name, synonyms[i].also))
            name = str_from_c(synonyms[i].name);
    for (size_t i = 0; i < COUNT_OF(kinds); i++)
        if (str_eq_c(name, kinds[i].name))
            return &kinds[i];
    return NULL;
}

const char *filter_near(Str name)
{
    Nearest n = nearest_to(name);
    for (size_t i = 0; i < COUNT_OF(kinds); i++)
        nearest_try(&n, kinds[i].name);
    return n.name;
}

ErrCode filter_apply(StepCtx *c, const FilterOp *op, const FilterPaper *paper, VipsImage **v)
{
    VipsImage *out = NULL;
    int rc = op->kind->run(*v, op, paper, &out);
    ErrCode code = edit_done(c, rc, out, op->kind->name, v);
    if (code == OK && (*v)->BandFmt != VIPS_FORMAT_UCHAR) {
        out = NULL;
        rc = vips_cast_uchar(*v, &out, NULL);
        code = edit_done(c, rc, out, op->kind->name, v);
    }
    if (code == OK && ((int64_t)(*v)->Xsize * (*v)->Ysize > IMAGE_PIXELS_MAX))
        return err_set(c->err, ERR_LIMIT_PIXELS, "%s makes %d x %d pixels, the limit is %d in all",
                       op->kind->name, (*v)->Xsize, (*v)->Ysize, IMAGE_PIXELS_MAX);
    return code == OK ? edit_to_memory(c, v) : code;
}

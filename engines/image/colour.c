/* colour.c: whatever the picture's colours are described by, sRGB or grey comes out. */
#include "image/image.h"

#include <string.h>

static bool is_grey(const VipsImage *v)
{
    return v->Type == VIPS_INTERPRETATION_B_W || v->Type == VIPS_INTERPRETATION_GREY16;
}

/* A profile that cannot be used (damaged, or for other colours than the picture's) must not cost
 * the picture: then the numbers are taken as what they say they are. */
static VipsImage *through_profile(VipsImage *v, bool deep)
{
    VipsImage *out = NULL;
    if (vips_icc_transform(v, &out, "srgb", "embedded", TRUE, "intent", VIPS_INTENT_RELATIVE,
                           "black_point_compensation", TRUE, "depth", deep ? 16 : 8, NULL) == 0)
        return out;
    image_unref(&out);
    vips_error_clear();
    return NULL;
}

/* Into the colour space `to`; false: libvips has said why not. */
static bool into_space(VipsImage **v, VipsInterpretation to)
{
    if ((*v)->Type == to)
        return true;
    VipsImage *out = NULL;
    if (vips_colourspace(*v, &out, to, NULL) != 0) {
        image_unref(&out);
        return false;
    }
    image_replace(v, out);
    return true;
}

static bool first_bands(VipsImage **v, int bands)
{
    VipsImage *out = NULL;
    if ((*v)->Bands <= bands)
        return true;
    if (vips_extract_band(*v, &out, 0, "n", bands, NULL) != 0) {
        image_unref(&out);
        return false;
    }
    image_replace(v, out);
    return true;
}

ErrCode image_to_srgb(StepCtx *c, VipsImage **v, bool keep_profile, bool deep)
{
    bool grey = is_grey(*v) || (*v)->Bands <= 2;
    bool cmyk = (*v)->Type == VIPS_INTERPRETATION_CMYK;
    deep = deep && (*v)->BandFmt != VIPS_FORMAT_UCHAR;
    bool profiled = vips_image_get_typeof(*v, VIPS_META_ICC_NAME) != 0;

    if (cmyk || (profiled && !keep_profile)) {
        VipsImage *out = through_profile(*v, deep);
        if (out != NULL)
            image_replace(v, out);
    }
    VipsInterpretation space = grey ? (deep ? VIPS_INTERPRETATION_GREY16 : VIPS_INTERPRETATION_B_W)
                                    : (deep ? VIPS_INTERPRETATION_RGB16 : VIPS_INTERPRETATION_sRGB);
    if (!into_space(v, space) || !first_bands(v, grey ? 2 : 4))
        return image_fail(c, "converting the colours");

    VipsBandFormat want = deep ? VIPS_FORMAT_USHORT : VIPS_FORMAT_UCHAR;
    if ((*v)->BandFmt != want) {
        VipsImage *out = NULL;
        if (vips_cast(*v, &out, want, NULL) != 0) {
            image_unref(&out);
            return image_fail(c, "converting the colours");
        }
        image_replace(v, out);
    }
    return OK;
}

/* image.watermark: a text, or a second picture, laid over a picture.
 *
 * What    the mark is as wide as a share of the picture, at a side or all over it, more or less
 *         see-through. The second input, when there is one, is the mark.
 * Errors  bad_param when there is neither text nor mark, or no font for the text. */
#include "image/edit.h"
#include "image/text.h"

enum { MARK_SIDE_MIN = 4 };

static const Choice position_choices[] = {EDIT_GRAVITY_CHOICES, {0}};

typedef struct WatermarkArgs {
    Str text, font, colour;
    int position;
    double opacity, size, margin, angle;
    bool tile;
    EditArgs edit;
} WatermarkArgs;

static const Param watermark_params[] = {
    PARAM_TEXT(WatermarkArgs, text, .max_len = 1000, .example = "© Platen",
               .help = "Text of the mark, in any script; left out: the second file is the mark."),
    PARAM_CHOICE(WatermarkArgs, position, .choices = position_choices, .def = EDIT_SOUTH_EAST,
                 .help = "Where the mark lies."),
    PARAM_BOOL(WatermarkArgs, tile, .help = "Repeat the mark all over the picture."),
    PARAM_NUMBER(WatermarkArgs, opacity, .min_num = 0.01, .max_num = 1, .def_num = 0.5,
                 .help = "How much the mark covers: 1 hides what is behind it."),
    PARAM_NUMBER(WatermarkArgs, size, .min_num = 1, .max_num = 100, .def_num = 25, .unit = "%",
                 .help = "Width of the mark as a share of the picture's."),
    PARAM_NUMBER(WatermarkArgs, margin, .min_num = 0, .max_num = 50, .def_num = 2, .unit = "%",
                 .help = "Distance from the sides, and between tiles, as a share of the picture's "
                         "shorter side."),
    PARAM_NUMBER(WatermarkArgs, angle, .min_num = -180, .max_num = 180, .example = "-30",
                 .unit = "°", .help = "Turn the mark clockwise."),
    PARAM_TEXT(WatermarkArgs, colour, .def_text = "#ffffff", .max_len = 7, .example = "#202020",
               .help = "Colour of the text."),
    PARAM_TEXT(WatermarkArgs, font, .def_text = "Sans Bold", .max_len = 100,
               .example = "DejaVu Serif", .help = "Family and style of the text, without a size."),
    EDIT_PARAMS(WatermarkArgs),
    PARAM_END,
};

static const Field watermark_fields[] = {
    EDIT_FIELDS,
    {"mark_width", FIELD_TYPE_INT, "Width of the mark, before it is repeated."},
    {"mark_height", FIELD_TYPE_INT, "Its height."},
    {0},
};

static ErrCode vips_did(StepCtx *c, int rc, const char *doing)
{
    return rc == 0 ? OK : image_fail(c, doing);
}

/* Text as colour with alpha. */
static ErrCode text_mark(StepCtx *c, const WatermarkArgs *a, Size room, int width, VipsImage **out)
{
    double ink[3];
    CLEANUP(image_unref) VipsImage *mask = NULL;
    CLEANUP(image_unref) VipsImage *plain = NULL;
    CLEANUP(image_unref) VipsImage *colour = NULL;
    if (!edit_colour(a->colour, ink))
        return edit_bad_param(c, "colour", "must be a colour such as #ffcc00");
    const TextStyle style = {.font = a->font, .fit_width = width, .height_max = (int)room.h};
    ErrCode rc = text_mask(c, a->text, &style, &mask);
    if (rc != OK)
        return rc;
    plain = vips_image_new_from_image(mask, ink, 3);
    int done = plain == NULL
                   ? -1
                   : vips_copy(plain, &colour, "interpretation", VIPS_INTERPRETATION_sRGB, NULL);
    return vips_did(c, done == 0 ? vips_bandjoin2(colour, mask, out, NULL) : -1,
                    "drawing the mark");
}

/* The second input, scaled, as colour with alpha. */
static ErrCode picture_mark(StepCtx *c, Size room, int width, VipsImage **out)
{
    CLEANUP(edit_close) Edit e = {0};
    CLEANUP(image_unref) VipsImage *rgb = NULL;
    CLEANUP(image_unref) VipsImage *scaled = NULL;
    ErrCode rc = edit_open(c, 1, (Size){0}, false, &e);
    if (rc != OK)
        return rc;
    int done = vips_thumbnail_image(e.pixels, &scaled, width, "height", (int)room.h, NULL);
    if (done == 0)
        done = vips_colourspace(scaled, &rgb, VIPS_INTERPRETATION_sRGB, NULL);
    if (done == 0)
        done = vips_image_hasalpha(rgb) ? vips_copy(rgb, out, NULL)
                                        : vips_bandjoin_const1(rgb, out, 255, NULL);
    return vips_did(c, done, "reading the mark");
}

static ErrCode fade(StepCtx *c, double opacity, VipsImage **mark)
{
    double times[] = {1, 1, 1, opacity}, plus[] = {0, 0, 0, 0};
    VipsImage *out = NULL;
    int rc = vips_linear(*mark, &out, times, plus, 4, "uchar", TRUE, NULL);
    return edit_done(c, rc, out, "fading the mark", mark);
}

static ErrCode turn(StepCtx *c, double angle, VipsImage **mark)
{
    VipsImage *out = NULL;
    if (angle == 0)
        return OK;
    VipsArrayDouble *clear = vips_array_double_newv(4, 0.0, 0.0, 0.0, 0.0);
    int rc = vips_rotate(*mark, &out, angle, "background", clear, NULL);
    vips_area_unref(VIPS_AREA(clear));
    return edit_done(c, rc, out, "turning the mark", mark);
}

/* The mark again and again, over at least w x h. Every other row is shifted by half a tile. */
static ErrCode repeat(StepCtx *c, int gap, int w, int h, VipsImage **mark)
{
    CLEANUP(image_unref) VipsImage *cell = NULL;
    CLEANUP(image_unref) VipsImage *shifted = NULL;
    CLEANUP(image_unref) VipsImage *pair = NULL;
    CLEANUP(image_unref) VipsImage *sheet = NULL;
    VipsImage *out = NULL;
    int cw = (*mark)->Xsize + gap, ch = (*mark)->Ysize + gap;
    int rc = vips_embed(*mark, &cell, gap / 2, gap / 2, cw, ch, NULL);
    if (rc == 0)
        rc = vips_wrap(cell, &shifted, "x", cw / 2, "y", 0, NULL);
    if (rc == 0)
        rc = vips_join(cell, shifted, &pair, VIPS_DIRECTION_VERTICAL, NULL);
    if (rc == 0)
        rc = vips_replicate(pair, &sheet, w / cw + 1, h / (2 * ch) + 1, NULL);
    if (rc == 0)
        rc = vips_crop(sheet, &out, 0, 0, w, h, NULL);
    return edit_done(c, rc, out, "repeating the mark", mark);
}

static ErrCode lay_over(StepCtx *c, VipsImage **base, VipsImage *mark, int x, int y)
{
    CLEANUP(image_unref) VipsImage *rgb = NULL;
    CLEANUP(image_unref) VipsImage *both = NULL;
    VipsImage *out = NULL;
    bool alpha = vips_image_hasalpha(*base);
    int rc = vips_colourspace(*base, &rgb, VIPS_INTERPRETATION_sRGB, NULL);
    if (rc == 0)
        rc = vips_composite2(rgb, mark, &both, VIPS_BLEND_MODE_OVER, "x", x, "y", y, NULL);
    CLEANUP(image_unref) VipsImage *bands = NULL;
    if (rc == 0)
        rc = vips_extract_band(both, &bands, 0, "n", alpha ? 4 : 3, NULL);
    if (rc == 0)
        rc = vips_cast_uchar(bands, &out, NULL);
    ErrCode code = edit_done(c, rc, out, "laying the mark over the picture", base);
    return code == OK ? edit_to_memory(c, base) : code;
}

static ErrCode place(StepCtx *c, const WatermarkArgs *a, Edit *e, VipsImage **mark)
{
    VipsImage *v = e->pixels;
    int shorter = v->Xsize < v->Ysize ? v->Xsize : v->Ysize;
    int margin = (int)(shorter * a->margin / 100);
    if (a->tile) {
        ErrCode rc = repeat(c, margin, v->Xsize, v->Ysize, mark);
        return rc == OK ? lay_over(c, &e->pixels, *mark, 0, 0) : rc;
    }
    int free_x = v->Xsize - (*mark)->Xsize - 2 * margin,
        free_y = v->Ysize - (*mark)->Ysize - 2 * margin;
    return lay_over(c, &e->pixels, *mark, margin + free_x * edit_gravity_x(a->position) / 2,
                    margin + free_y * edit_gravity_y(a->position) / 2);
}

static ErrCode watermark_run(StepCtx *c, const void *args)
{
    const WatermarkArgs *a = args;
    CLEANUP(edit_close) Edit e = {0};
    CLEANUP(image_unref) VipsImage *mark = NULL;
    if ((a->text.len > 0) == (c->inputs_len > 1))
        return edit_bad_param(c, "text", "give a text, or a second file as the mark%s",
                              a->text.len > 0 ? ", not both" : "");
    ErrCode rc = edit_open(c, 0, (Size){0}, a->edit.metadata == EDIT_KEEP_METADATA, &e);
    if (rc != OK)
        return rc;
    int width = (int)(e.pixels->Xsize * a->size / 100);
    width = width > MARK_SIDE_MIN ? width : MARK_SIDE_MIN;
    Size room = {e.pixels->Xsize,
                 e.pixels->Ysize > MARK_SIDE_MIN ? e.pixels->Ysize : MARK_SIDE_MIN};
    rc =
        a->text.len > 0 ? text_mark(c, a, room, width, &mark) : picture_mark(c, room, width, &mark);
    if (rc == OK)
        rc = fade(c, a->opacity, &mark);
    if (rc == OK)
        rc = turn(c, a->angle, &mark);
    int mark_w = rc == OK ? mark->Xsize : 0, mark_h = rc == OK ? mark->Ysize : 0;
    if (rc == OK)
        rc = edit_to_memory(c, &mark);
    if (rc == OK)
        rc = place(c, a, &e, &mark);
    if (rc == OK)
        rc = edit_save(c, &e, &a->edit);
    if (rc != OK)
        return rc;
    json_kv_int(c->data, "mark_width", mark_w);
    json_kv_int(c->data, "mark_height", mark_h);
    return OK;
}

const Step step_image_watermark = {
    .name = "image.watermark",
    .title = "Watermark image",
    .summary = "Lay a text or a second picture over an image.",
    .since = "0.2",
    .accepts = "image/*",
    .returns = EDIT_RETURNS,
    .inputs_max = 2,
    .version = 1,
    .cacheable = true,
    .limits = EDIT_LIMITS,
    .params = watermark_params,
    .args_size = sizeof(WatermarkArgs),
    .data = watermark_fields,
    .errors = EDIT_ERRORS,
    .examples =
        (const Example[]){
            {.title = "A name in the corner",
             .input = "photo.jpg",
             .args = "{\"text\": \"© Platen\"}",
             .expect = "image/jpeg; width=780; mark_width>=150"},
            {.title = "All over, slanted, in Greek",
             .input = "photo.jpg",
             .args = "{\"text\": \"ΔΕΙΓΜΑ\", \"tile\": true, \"angle\": -30, \"opacity\": 0.2}",
             .expect = "image/jpeg; height=1040"},
            {.title = "Without text or mark", .input = "photo.jpg", .expect = "reason=bad_param"},
            {0}},
    .run = watermark_run,
};

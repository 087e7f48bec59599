/* image.crop: a part of a picture.
 *
 * What    a box given as left,top,width,height; or width x height (or a shape such as 16:9, as large
 *         as fits) placed by gravity: a side, or where the picture is interesting; or the picture
 *         without its plain border.
 * Units   pixels of the upright picture, from its top left.
 * Errors  bad_param when the box lies outside the picture. */
#include "image/edit.h"

enum { GRAVITY_ATTENTION = EDIT_GRAVITIES, GRAVITY_ENTROPY };
static const Choice gravity_choices[] = {
    EDIT_GRAVITY_CHOICES,
    [GRAVITY_ATTENTION] = {"attention", "Where the eye goes: skin, strong colours, edges."},
    [GRAVITY_ENTROPY] = {"entropy", "Where most is to see."},
    {0},
};

typedef struct CropArgs {
    StrList box;
    int64_t width, height;
    Str aspect;
    int gravity;
    bool trim;
    EditArgs edit;
} CropArgs;

static const Param crop_params[] = {
    PARAM_INT(CropArgs, width, .min = 1, .max = EDIT_SIDE_MAX, .unit = "px", .example = "400",
              .help = "Width of the part; left out: as wide as it can be."),
    PARAM_INT(CropArgs, height, .min = 1, .max = EDIT_SIDE_MAX, .unit = "px", .example = "300",
              .help = "Height of the part; left out: as high as it can be."),
    PARAM_LIST(CropArgs, box, .max_len = 4, .example = "120,80,400,300",
               .help = "The part as left, top, width and height in pixels, instead of width, "
                       "height and gravity."),
    PARAM_TEXT(CropArgs, aspect, .max_len = 11, .example = "16:9",
               .help = "Shape of the part, instead of width and height."),
    PARAM_CHOICE(CropArgs, gravity, .choices = gravity_choices, .def = EDIT_CENTRE,
                 .help = "Where the part lies."),
    PARAM_BOOL(CropArgs, trim, .help = "First cut off a border of one colour."),
    EDIT_PARAMS(CropArgs),
    PARAM_END,
};

static const Field crop_fields[] = {
    EDIT_FIELDS,
    {"left", FIELD_TYPE_INT,
     "Where the part begins, from the left of the upright picture; not said with attention and "
     "entropy.",
     .optional = true},
    {"top", FIELD_TYPE_INT, "Where it begins, from the top.", .optional = true},
    {0},
};

typedef struct Box {
    int64_t left, top, width, height;
} Box;

/* "16:9" as the largest box of that shape. */
static bool aspect_box(Str aspect, Size in, Box *out)
{
    size_t colon = str_find_char(aspect, ':');
    int64_t w, h;
    if (colon == STR_NONE || !str_to_i64(str_slice(aspect, 0, colon), &w) ||
        !str_to_i64(str_slice(aspect, colon + 1, aspect.len), &h) || w < 1 || h < 1 || w > 10000 ||
        h > 10000)
        return false;
    bool by_width = in.w * h <= in.h * w;
    out->width = by_width ? in.w : in.h * w / h;
    out->height = by_width ? in.w * h / w : in.h;
    out->width += out->width == 0;
    out->height += out->height == 0;
    return true;
}

static bool parse_box(const StrList *list, Box *out)
{
    int64_t n[4] = {0};
    for (size_t i = 0; i < COUNT_OF(n); i++)
        if (list->len != COUNT_OF(n) || !str_to_i64(str_trim(list->items[i]), &n[i]) || n[i] < 0 ||
            n[i] > EDIT_SIDE_MAX)
            return false;
    *out = (Box){n[0], n[1], n[2], n[3]};
    return n[2] > 0 && n[3] > 0;
}

/* One way to say what part it is, and only one. */
static ErrCode check_args(StepCtx *c, const CropArgs *a)
{
    bool size = a->width > 0 || a->height > 0;
    Box box;
    if (a->box.len > 0 && (size || a->aspect.len > 0))
        return edit_bad_param(c, "box", "stands instead of width, height and aspect");
    if (a->aspect.len > 0 && size)
        return edit_bad_param(c, "aspect", "stands instead of width and height");
    if (a->box.len > 0 && !parse_box(&a->box, &box))
        return edit_bad_param(c, "box", "must be left,top,width,height such as 120,80,400,300");
    if (a->box.len == 0 && !size && a->aspect.len == 0 && !a->trim)
        return edit_bad_param(c, "width", "say what part: width and height, box, aspect or trim");
    return OK;
}

static ErrCode plan_box(StepCtx *c, const CropArgs *a, Size in, Box *out)
{
    Box b = {.width = a->width > 0 ? a->width : in.w, .height = a->height > 0 ? a->height : in.h};
    if (a->aspect.len > 0 && !aspect_box(a->aspect, in, &b))
        return edit_bad_param(c, "aspect", "must be a shape such as 16:9");
    bool boxed = a->box.len > 0 && parse_box(&a->box, &b);
    if (b.left + b.width > in.w)
        return edit_bad_param(c, boxed ? "box" : "width",
                              "%" PRId64 " + %" PRId64 " leaves the picture, which is %" PRId64
                              " wide",
                              b.left, b.width, in.w);
    if (b.top + b.height > in.h)
        return edit_bad_param(c, boxed ? "box" : "height",
                              "%" PRId64 " + %" PRId64 " leaves the picture, which is %" PRId64
                              " high",
                              b.top, b.height, in.h);
    if (!boxed && a->gravity < EDIT_GRAVITIES) {
        b.left = (in.w - b.width) * edit_gravity_x(a->gravity) / 2;
        b.top = (in.h - b.height) * edit_gravity_y(a->gravity) / 2;
    }
    *out = b;
    return OK;
}

/* Cut off the border; *from is where the rest begins. */
static ErrCode trim(StepCtx *c, Edit *e, Box *from)
{
    VipsImage *out = NULL;
    int left, top, width, height;
    double *corner = NULL;
    int bands = 0;
    if (vips_getpoint(e->pixels, &corner, &bands, 0, 0, NULL) != 0)
        return image_fail(c, "looking for the border");
    VipsArrayDouble *colour = vips_array_double_new(corner, bands);
    g_free(corner);
    int rc = vips_find_trim(e->pixels, &left, &top, &width, &height, "threshold", 12.0,
                            "background", colour, NULL);
    vips_area_unref(VIPS_AREA(colour));
    if (rc != 0)
        return image_fail(c, "looking for the border");
    if (width < 1 || height < 1) {
        step_note(c, STR("the picture is all border: nothing was trimmed"));
        return OK;
    }
    rc = vips_crop(e->pixels, &out, left, top, width, height, NULL);
    *from = (Box){.left = left, .top = top};
    ErrCode code = edit_done(c, rc, out, "cutting the border", &e->pixels);
    return code == OK ? edit_to_memory(c, &e->pixels) : code;
}

static ErrCode smart_cut(StepCtx *c, VipsImage **v, int gravity, const Box *b)
{
    VipsImage *out = NULL;
    int rc = vips_smartcrop(
        *v, &out, (int)b->width, (int)b->height, "interesting",
        gravity == GRAVITY_ATTENTION ? VIPS_INTERESTING_ATTENTION : VIPS_INTERESTING_ENTROPY, NULL);
    return edit_done(c, rc, out, "choosing a part", v);
}

/* libvips chooses the place, and does not tell it. */
static bool is_smart(const CropArgs *a)
{
    return a->gravity >= EDIT_GRAVITIES && a->box.len == 0;
}

static ErrCode cut(StepCtx *c, const CropArgs *a, Edit *e, const Box *b)
{
    VipsImage *out = NULL;
    if (is_smart(a))
        return smart_cut(c, &e->pixels, a->gravity, b);
    int rc =
        vips_crop(e->pixels, &out, (int)b->left, (int)b->top, (int)b->width, (int)b->height, NULL);
    return edit_done(c, rc, out, "cutting the picture", &e->pixels);
}

static ErrCode crop_run(StepCtx *c, const void *args)
{
    const CropArgs *a = args;
    CLEANUP(edit_close) Edit e = {0};
    Box from = {0}, box = {0};
    ErrCode rc = check_args(c, a);
    if (rc == OK)
        rc = edit_open(c, 0, (Size){0}, a->edit.metadata == EDIT_KEEP_METADATA, &e);
    if (rc == OK && a->trim)
        rc = trim(c, &e, &from);
    if (rc == OK)
        rc = plan_box(c, a, (Size){e.pixels->Xsize, e.pixels->Ysize}, &box);
    if (rc == OK)
        rc = cut(c, a, &e, &box);
    if (rc == OK)
        rc = edit_save(c, &e, &a->edit);
    if (rc != OK || is_smart(a))
        return rc;
    json_kv_int(c->data, "left", from.left + box.left);
    json_kv_int(c->data, "top", from.top + box.top);
    return OK;
}

const Step step_image_crop = {
    .name = "image.crop",
    .title = "Crop image",
    .summary = "Cut a part out of an image: a box, a shape, or what is interesting.",
    .since = "0.2",
    .accepts = "image/*",
    .returns = EDIT_RETURNS,
    .version = 1,
    .cacheable = true,
    .limits = EDIT_LIMITS,
    .params = crop_params,
    .args_size = sizeof(CropArgs),
    .data = crop_fields,
    .errors = EDIT_ERRORS,
    .examples = (const Example[]){{.title = "A square around what catches the eye",
                                   .input = "photo.jpg",
                                   .args = "{\"aspect\": \"1:1\", \"gravity\": \"attention\"}",
                                   .expect = "image/jpeg; width=780; height=780"},
                                  {.title = "A box",
                                   .input = "picture.png",
                                   .args = "{\"box\": [\"20\", \"10\", \"100\", \"50\"]}",
                                   .expect = "image/png; width=100; height=50; left=20; top=10"},
                                  {.title = "A box that leaves the picture",
                                   .input = "picture.png",
                                   .args = "{\"box\": [\"300\", \"0\", \"100\", \"50\"]}",
                                   .expect = "reason=bad_param"},
                                  {0}},
    .run = crop_run,
};

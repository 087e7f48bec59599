/* image.convert: another format, another size, or both.
 *
 * What    one image in, one image out. It stands upright (EXIF rotation is applied), and its
 * colours are right: with metadata stripped they are converted to sRGB, with metadata kept the
 * embedded profile goes along. Why     uploads arrive far larger than a page, a thumbnail or a
 * model needs, and in formats that few programs read. Speed   JPEG and WebP are shrunk while they
 * are decoded. Units   width, height: pixels after EXIF rotation; quality: 1 (small) to 100;
 * effort: 1 (fast) to 6 (small). Errors  limit_pixels above 100 megapixels, seen before anything is
 * decoded. */
#include "image/edit.h"

enum Fit { FIT_INSIDE, FIT_COVER, FIT_CROP, FIT_STRETCH };
static const Choice fit_choices[] = {
    [FIT_INSIDE] = {"inside", "As large as fits in the box."},
    [FIT_COVER] = {"cover", "As small as covers the box."},
    [FIT_CROP] = {"crop", "Covers the box; what hangs over is cut off on both sides."},
    [FIT_STRETCH] = {"stretch", "Exactly the box; the picture may distort."},
    {0},
};

typedef struct ConvertArgs {
    int format; /* enum EditFormat */
    int64_t width, height;
    int fit; /* enum Fit */
    bool enlarge;
    int64_t quality, effort;
    bool lossless;
    int metadata; /* enum EditMetadata */
    Str background;
    int64_t page;
    bool animated;
} ConvertArgs;

static const Param convert_params[] = {
    PARAM_CHOICE(ConvertArgs, format, .choices = edit_format_choices, .def = EDIT_WEBP,
                 .help = "Format to make."),
    PARAM_INT(ConvertArgs, width, .min = 1, .max = EDIT_SIDE_MAX, .unit = "px", .example = "1600",
              .help = "Width of the box; left out: any."),
    PARAM_INT(ConvertArgs, height, .min = 1, .max = EDIT_SIDE_MAX, .unit = "px", .example = "1200",
              .help = "Height of the box; left out: any."),
    PARAM_CHOICE(ConvertArgs, fit, .choices = fit_choices, .def = FIT_INSIDE,
                 .help = "How the image meets the box."),
    PARAM_BOOL(ConvertArgs, enlarge, .help = "Also scale up images smaller than the box."),
    PARAM_INT(ConvertArgs, quality, .min = 1, .max = 100, .example = "82",
              .help = "Quality of webp (80), jpeg (82) and avif (60)."),
    PARAM_INT(
        ConvertArgs, effort, .min = 1, .max = 6, .example = "2",
        .help = "Time spent on a smaller file: webp and avif take 2, png and gif 4 by themselves."),
    PARAM_BOOL(ConvertArgs, lossless, .help = "Keep every pixel exactly, in webp and avif."),
    PARAM_CHOICE(ConvertArgs, metadata, .choices = edit_metadata_choices, .def = EDIT_STRIP,
                 .help = "What happens to EXIF, XMP and colour profile."),
    PARAM_TEXT(ConvertArgs, background, .def_text = "#ffffff", .max_len = 7, .example = "#f4f1ea",
               .help = "Colour behind transparent parts where the format has no transparency."),
    PARAM_INT(ConvertArgs, page, .min = 1, .max = 100000, .def = 1,
              .help = "Page or frame to take, from 1."),
    PARAM_BOOL(ConvertArgs, animated,
               .help = "Keep all frames of an animation, in webp and gif, or all pages, in tiff."),
    PARAM_END,
};

static const Field convert_fields[] = {
    {"width", FIELD_TYPE_INT, "Pixels across."},
    {"height", FIELD_TYPE_INT, "Pixels down."},
    {"format", FIELD_TYPE_TEXT, "Format made."},
    {"bytes", FIELD_TYPE_INT, "Size of the new file."},
    {"pages", FIELD_TYPE_INT, "Frames or pages in the new file."},
    {"source_width", FIELD_TYPE_INT, "Pixels across before, upright."},
    {"source_height", FIELD_TYPE_INT, "Pixels down before, upright."},
    {"source_format", FIELD_TYPE_TEXT, "Format before."},
    {"source_pages", FIELD_TYPE_INT, "Pages or frames before."},
    {"source_bytes", FIELD_TYPE_INT, "Size of the file before."},
    {0},
};

typedef struct Plan {
    Size scale; /* the picture is scaled to this … */
    Size crop;  /* … and then cut to this, around its middle */
} Plan;

static Size at_least_one(Size s)
{
    return (Size){s.w > 0 ? s.w : 1, s.h > 0 ? s.h : 1};
}

/* Scale so that the width (or else the height) is met exactly. */
static Size scaled(Size in, Size box, bool by_width)
{
    return at_least_one(by_width ? (Size){box.w, (in.h * box.w + in.w / 2) / in.w}
                                 : (Size){(in.w * box.h + in.h / 2) / in.h, box.h});
}

/* What to make of a picture of size `in`. Pure, so the test can walk every corner of it. */
static Plan convert_plan(Size in, const ConvertArgs *a)
{
    Size box = {a->width, a->height}, scale;
    if (box.w == 0 && box.h == 0)
        return (Plan){in, in};
    if (box.w == 0 || box.h == 0) {
        scale = scaled(in, box, box.h == 0);
        return !a->enlarge && (scale.w > in.w || scale.h > in.h) ? (Plan){in, in}
                                                                 : (Plan){scale, scale};
    }
    if (a->fit == FIT_STRETCH)
        return (Plan){box, box};

    /* Is width / in.w the smaller scale? Asked without a division, so without rounding. */
    bool by_width = a->width * in.h < a->height * in.w;
    if (a->fit != FIT_INSIDE)
        by_width = !by_width;
    scale = scaled(in, box, by_width);
    if (!a->enlarge && (scale.w > in.w || scale.h > in.h))
        scale = in;
    if (a->fit != FIT_CROP)
        return (Plan){scale, scale};
    return (Plan){scale, {scale.w < box.w ? scale.w : box.w, scale.h < box.h ? scale.h : box.h}};
}

typedef struct Work {
    const ConvertArgs *args;
    Image *img;
    ImageSave save;
    Plan plan;
    int frames; /* how many pages are made */
} Work;

static ErrCode check_limits(StepCtx *c, const Work *w)
{
    const ImageFormatInfo *to = image_format(w->save.format);
    ErrCode rc = edit_check_pixels(c, w->img, w->frames);
    if (rc != OK)
        return rc;
    if (w->plan.scale.w * w->plan.scale.h * w->frames > IMAGE_PIXELS_MAX) {
        err_set(c->err, ERR_LIMIT_PIXELS,
                "%" PRId64 " x %" PRId64 " pixels would be made, the limit is %d", w->plan.scale.w,
                w->plan.scale.h, IMAGE_PIXELS_MAX);
        err_hint(c->err, "ask for a smaller width or height");
        return ERR_LIMIT_PIXELS;
    }
    if (w->plan.crop.w > to->side_max || w->plan.crop.h > to->side_max) {
        err_set(c->err, ERR_BAD_PARAM,
                "%s holds at most %d pixels along one side, not %" PRId64 " x %" PRId64, to->name,
                to->side_max, w->plan.crop.w, w->plan.crop.h);
        err_hint(c->err, "choose a smaller size or another format");
        err_param(c->err, "format");
        return ERR_BAD_PARAM;
    }
    return OK;
}

static ErrCode plan_work(StepCtx *c, Work *w)
{
    const ConvertArgs *a = w->args;
    w->save = (ImageSave){.format = edit_format(a->format, w->img->format),
                          .quality = (int)a->quality,
                          .effort = (int)a->effort,
                          .lossless = a->lossless,
                          .keep_metadata = a->metadata == EDIT_KEEP_METADATA};
    if (!edit_colour(a->background, w->save.background))
        return edit_bad_param(c, "background", "must be a colour such as #ffcc00");
    if (a->page > w->img->pages) {
        err_set(c->err, ERR_BAD_PARAM, "page %" PRId64 " of %d", a->page, w->img->pages);
        err_param(c->err, "page");
        return ERR_BAD_PARAM;
    }
    bool pages = w->save.format == IMAGE_TIFF;
    if (a->animated && !pages && !image_format(w->save.format)->animates)
        return edit_bad_param(c, "animated",
                              "only webp, gif and tiff hold several frames or pages");
    bool frames = a->animated && (pages || image_format(w->img->format)->animates);
    w->frames = frames ? w->img->pages - (int)a->page + 1 : 1;
    w->plan = convert_plan((Size){w->img->width, w->img->height}, a);
    return check_limits(c, w);
}

/* Frames are stacked in one tall picture, so each is cut on its own and they are stacked again. */
static int crop_frames(VipsImage *v, VipsImage **cut, int count, int left, int top, Size to,
                       VipsImage **out)
{
    int frame_height = vips_image_get_page_height(v);
    for (int i = 0; i < count; i++)
        if (vips_crop(v, &cut[i], left, top + i * frame_height, (int)to.w, (int)to.h, NULL) != 0)
            return -1;
    CLEANUP(image_unref) VipsImage *joined = NULL;
    if (vips_arrayjoin(cut, &joined, count, "across", 1, NULL) != 0 ||
        vips_copy(joined, out, NULL) != 0)
        return -1;
    vips_image_set_int(*out, VIPS_META_PAGE_HEIGHT, (int)to.h);
    return 0;
}

static ErrCode crop(StepCtx *c, const Work *w, VipsImage **v)
{
    Size from = w->plan.scale, to = w->plan.crop;
    if (from.w == to.w && from.h == to.h)
        return OK;
    VipsImage *out = NULL, **cut = arena_new(c->arena, VipsImage *, (size_t)w->frames);
    if (cut == NULL)
        return err_set(c->err, ERR_NO_MEMORY, "cutting %d frames", w->frames);
    int left = (int)((from.w - to.w) / 2), top = (int)((from.h - to.h) / 2);
    int rc = w->frames > 1 ? crop_frames(*v, cut, w->frames, left, top, to, &out)
                           : vips_crop(*v, &out, left, top, (int)to.w, (int)to.h, NULL);
    for (int i = 0; i < w->frames; i++)
        image_unref(&cut[i]);
    if (rc != 0) {
        image_unref(&out);
        return image_fail(c, "cutting the picture");
    }
    image_replace(v, out);
    return OK;
}

static ErrCode make(StepCtx *c, const Work *w, int64_t *bytes)
{
    CLEANUP(image_unref) VipsImage *v = NULL;
    /* How much the larger of the two scales is: nothing may be decoded smaller than it will be. */
    double x = (double)w->plan.scale.w / (double)w->img->width,
           y = (double)w->plan.scale.h / (double)w->img->height;
    ImageLoad how = {
        .page = (int)w->args->page - 1, .animated = w->frames > 1, .scale = x > y ? x : y};
    ErrCode rc = image_load(c, w->img, &how, &v);
    if (rc == OK)
        rc = edit_upright(c, w->plan.scale, &v);
    if (rc == OK)
        rc = crop(c, w, &v);
    if (rc == OK)
        rc = image_to_srgb(c, &v, w->save.keep_metadata, image_format(w->save.format)->deep);
    if (rc != OK)
        return rc;
    Str name = edit_name(c->arena, c->inputs[0].name, image_format(w->save.format)->ext);
    return image_save(c, v, &w->save, name, bytes);
}

/* One of several is what was asked for only if somebody asked. */
static void note_left_out(StepCtx *c, const Work *w)
{
    int left = w->img->pages - w->frames;
    if (left > 0 && w->frames == 1 && w->args->page == 1)
        step_note(
            c, str_printf(c->arena, "only the first of %d %s is kept%s", w->img->pages,
                          image_format(w->img->format)->animates ? "frames" : "pages",
                          w->args->animated ? "" : ": animated keeps all, where the format can"));
}

static void put_result(StepCtx *c, const Work *w, int64_t bytes)
{
    note_left_out(c, w);
    json_kv_int(c->data, "width", w->plan.crop.w);
    json_kv_int(c->data, "height", w->plan.crop.h);
    json_kv_c(c->data, "format", image_format(w->save.format)->name);
    json_kv_int(c->data, "bytes", bytes);
    json_kv_int(c->data, "pages", w->frames);
    json_kv_int(c->data, "source_width", w->img->width);
    json_kv_int(c->data, "source_height", w->img->height);
    json_kv_c(c->data, "source_format", image_format(w->img->format)->name);
    json_kv_int(c->data, "source_pages", w->img->pages);
    json_kv_int(c->data, "source_bytes", (int64_t)w->img->map_size);
    step_usage(c, "images", 1);
    step_usage(c, "megapixels", (w->img->width * w->img->height * w->frames + 999999) / 1000000);
}

static ErrCode convert_run(StepCtx *c, const void *args)
{
    CLEANUP(image_close) Image *img = NULL;
    Work w = {.args = args};
    int64_t bytes;
    ErrCode rc = image_open(c, c->input_fd, &img);
    if (rc != OK)
        return rc;
    w.img = img;
    rc = plan_work(c, &w);
    if (rc == OK)
        rc = make(c, &w, &bytes);
    if (rc == OK)
        put_result(c, &w, bytes);
    return rc;
}

const Step step_image_convert = {
    .name = "image.convert",
    .title = "Convert image",
    .summary = "Make another format or size of an image, upright and in the right colours.",
    .since = "0.1",
    .accepts = "image/*",
    .returns = "image/webp,image/avif,image/jpeg,image/png,image/gif,image/tiff",
    .version = 2,
    .cacheable = true,
    .limits = {.time_ms = 120 * 1000, .cpu_ms = 120 * 1000, .memory_bytes = (int64_t)2 << 30},
    .params = convert_params,
    .args_size = sizeof(ConvertArgs),
    .data = convert_fields,
    .errors = (const ErrCode[]){ERR_UNSUPPORTED_TYPE, ERR_INPUT_EMPTY, ERR_INPUT_DAMAGED,
                                ERR_LIMIT_PIXELS, ERR_LIMIT_MEMORY, ERR_BAD_PARAM, OK},
    .examples =
        (const Example[]){
            {.title = "Make a thumbnail for the web",
             .input = "photo.jpg",
             .args = "{\"width\": 320, \"height\": 320}",
             .expect = "image/webp; width=240; height=320; source_format=jpeg"},
            {.title = "Fill a square exactly",
             .input = "photo.jpg",
             .args = "{\"width\": 200, \"height\": 200, \"fit\": \"crop\", \"format\": \"jpeg\"}",
             .expect = "image/jpeg; width=200; height=200"},
            {.title = "Draw a logo at any size",
             .input = "logo.svg",
             .args = "{\"format\": \"png\", \"width\": 512, \"enlarge\": true}",
             .expect = "image/png; width=512"},
            {.title = "Keep an animation moving",
             .input = "animated.gif",
             .args = "{\"animated\": true}",
             .expect = "image/webp; pages>=4"},
            {0}},
    .run = convert_run,
};

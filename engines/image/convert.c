/* image.convert: another format, another size, or both.
 *
 * What    one image in, one image out. It stands upright (EXIF rotation is applied), and its
 * colours are right: with metadata stripped they are converted to sRGB, with metadata kept the
 * embedded profile goes along. Why     uploads arrive far larger than a page, a thumbnail or a
 * model needs, and in formats that few programs read. Speed   JPEG and WebP are shrunk while they
 * are decoded. Units   width, height: pixels after EXIF rotation; quality: 1 (small) to 100;
 * effort: 1 (fast) to 6 (small). Errors  limit_pixels above 100 megapixels, seen before anything is
 * decoded. */
#include "image/image.h"

#include <string.h>

enum { SIDE_MAX = 16384 };

enum Fit { FIT_INSIDE, FIT_COVER, FIT_CROP, FIT_STRETCH };
static const Choice fit_choices[] = {
    [FIT_INSIDE] = {"inside", "As large as fits in the box."},
    [FIT_COVER] = {"cover", "As small as covers the box."},
    [FIT_CROP] = {"crop", "Covers the box; what hangs over is cut off on both sides."},
    [FIT_STRETCH] = {"stretch", "Exactly the box; the picture may distort."},
    {0},
};

enum Format {
    FORMAT_WEBP,
    FORMAT_AVIF,
    FORMAT_JPEG,
    FORMAT_PNG,
    FORMAT_GIF,
    FORMAT_TIFF,
    FORMAT_KEEP
};
static const Choice format_choices[] = {
    [FORMAT_WEBP] = {"webp", "Small, read by every browser; transparency and animation."},
    [FORMAT_AVIF] = {"avif", "Smallest, slowest to make; transparency."},
    [FORMAT_JPEG] = {"jpeg", "Read by everything; no transparency."},
    [FORMAT_PNG] = {"png", "Exact, for drawings and screenshots; transparency, 16 bits."},
    [FORMAT_GIF] = {"gif", "256 colours, animation."},
    [FORMAT_TIFF] = {"tiff", "Exact, for print and archives; 16 bits."},
    [FORMAT_KEEP] = {"keep", "That of the input; HEIC becomes jpeg, SVG and JPEG XL become png."},
    {0},
};

enum Metadata { METADATA_STRIP, METADATA_KEEP };
static const Choice metadata_choices[] = {
    [METADATA_STRIP] = {"strip", "Remove EXIF, XMP and profile; colours are converted to sRGB."},
    [METADATA_KEEP] = {"keep", "Keep them, position and camera included."},
    {0},
};

typedef struct ConvertArgs {
    int format; /* enum Format */
    int64_t width, height;
    int fit; /* enum Fit */
    bool enlarge;
    int64_t quality, effort;
    bool lossless;
    int metadata; /* enum Metadata */
    Str background;
    int64_t page;
    bool animated;
} ConvertArgs;

static const Param convert_params[] = {
    PARAM_CHOICE(ConvertArgs, format, .choices = format_choices, .def = FORMAT_WEBP,
                 .help = "Format to make."),
    PARAM_INT(ConvertArgs, width, .min = 1, .max = SIDE_MAX, .unit = "px", .example = "1600",
              .help = "Width of the box; left out: any."),
    PARAM_INT(ConvertArgs, height, .min = 1, .max = SIDE_MAX, .unit = "px", .example = "1200",
              .help = "Height of the box; left out: any."),
    PARAM_CHOICE(ConvertArgs, fit, .choices = fit_choices, .def = FIT_INSIDE,
                 .help = "How the image meets the box."),
    PARAM_BOOL(ConvertArgs, enlarge, .help = "Also scale up images smaller than the box."),
    PARAM_INT(ConvertArgs, quality, .min = 1, .max = 100, .example = "82",
              .help = "Quality of webp (82), jpeg (82) and avif (60)."),
    PARAM_INT(
        ConvertArgs, effort, .min = 1, .max = 6, .example = "2",
        .help = "Time spent on a smaller file: webp and avif take 2, png and gif 4 by themselves."),
    PARAM_BOOL(ConvertArgs, lossless, .help = "Keep every pixel exactly, in webp and avif."),
    PARAM_CHOICE(ConvertArgs, metadata, .choices = metadata_choices, .def = METADATA_STRIP,
                 .help = "What happens to EXIF, XMP and colour profile."),
    PARAM_TEXT(ConvertArgs, background, .def_text = "#ffffff", .max_len = 7, .example = "#f4f1ea",
               .help = "Colour behind transparent parts where the format has no transparency."),
    PARAM_INT(ConvertArgs, page, .min = 1, .max = 100000, .def = 1,
              .help = "Page or frame to take, from 1."),
    PARAM_BOOL(ConvertArgs, animated, .help = "Keep all frames, in webp and gif."),
    PARAM_END,
};

static const Field convert_fields[] = {
    {"width", FIELD_TYPE_INT, "Pixels across."},
    {"height", FIELD_TYPE_INT, "Pixels down."},
    {"format", FIELD_TYPE_TEXT, "Format made."},
    {"bytes", FIELD_TYPE_INT, "Size of the new file."},
    {"pages", FIELD_TYPE_INT, "Frames in the new file."},
    {"source_width", FIELD_TYPE_INT, "Pixels across before, upright."},
    {"source_height", FIELD_TYPE_INT, "Pixels down before, upright."},
    {"source_format", FIELD_TYPE_TEXT, "Format before."},
    {"source_pages", FIELD_TYPE_INT, "Pages or frames before."},
    {"source_bytes", FIELD_TYPE_INT, "Size of the file before."},
    {0},
};

typedef struct Size {
    int64_t w, h;
} Size;
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

/* "#ffcc00" or "#fc0". */
static bool parse_colour(Str s, double out[3])
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

static ImageFormat target_format(int choice, ImageFormat source)
{
    static const ImageFormat made[] = {
        [FORMAT_WEBP] = IMAGE_WEBP, [FORMAT_AVIF] = IMAGE_AVIF, [FORMAT_JPEG] = IMAGE_JPEG,
        [FORMAT_PNG] = IMAGE_PNG,   [FORMAT_GIF] = IMAGE_GIF,   [FORMAT_TIFF] = IMAGE_TIFF,
    };
    if (choice != FORMAT_KEEP)
        return made[choice];
    if (source == IMAGE_HEIC)
        return IMAGE_JPEG;
    return image_format(source)->side_max > 0 ? source : IMAGE_PNG;
}

/* "holiday/DSC_1.JPG" becomes "DSC_1.webp". The host cleans the name; here it only has to make
 * sense. */
static Str output_name(Arena *a, Str input, const char *ext)
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
    int64_t pixels = w->img->width * w->img->height;
    if (pixels * w->frames > IMAGE_PIXELS_MAX && w->frames > 1)
        return err_set(c->err, ERR_LIMIT_PIXELS,
                       "%d frames of %" PRId64 " pixels, the limit is %d in all", w->frames, pixels,
                       IMAGE_PIXELS_MAX);
    if (pixels > IMAGE_PIXELS_MAX)
        return err_set(c->err, ERR_LIMIT_PIXELS,
                       "%" PRId64 " x %" PRId64 " pixels, the limit is %d", w->img->width,
                       w->img->height, IMAGE_PIXELS_MAX);
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

static ErrCode bad_param(StepCtx *c, const char *param, const char *detail)
{
    err_set(c->err, ERR_BAD_PARAM, "%s", detail);
    err_param(c->err, param);
    return ERR_BAD_PARAM;
}

static ErrCode plan_work(StepCtx *c, Work *w)
{
    const ConvertArgs *a = w->args;
    w->save = (ImageSave){.format = target_format(a->format, w->img->format),
                          .quality = (int)a->quality,
                          .effort = (int)a->effort,
                          .lossless = a->lossless,
                          .keep_metadata = a->metadata == METADATA_KEEP};
    if (!parse_colour(a->background, w->save.background))
        return bad_param(c, "background", "must be a colour such as #ffcc00");
    if (a->page > w->img->pages) {
        err_set(c->err, ERR_BAD_PARAM, "page %" PRId64 " of %d", a->page, w->img->pages);
        err_param(c->err, "page");
        return ERR_BAD_PARAM;
    }
    if (a->animated && !image_format(w->save.format)->animates)
        return bad_param(c, "animated", "only webp and gif can be animated");
    bool frames = a->animated && image_format(w->img->format)->animates;
    w->frames = frames ? w->img->pages - (int)a->page + 1 : 1;
    w->plan = convert_plan((Size){w->img->width, w->img->height}, a);
    return check_limits(c, w);
}

/* Scale to the plan and stand the picture upright. */
static ErrCode scale_upright(StepCtx *c, const Work *w, VipsImage **v)
{
    VipsImage *out = NULL;
    Size now = {(*v)->Xsize, vips_image_get_page_height(*v)}, want = w->plan.scale;
    int orientation = vips_image_get_orientation(*v);
    if (orientation >= 5)
        now = (Size){now.h, now.w};
    if (now.w != want.w || now.h != want.h) {
        /* libvips rotates as well, after scaling, when there is less to rotate */
        if (vips_thumbnail_image(*v, &out, (int)want.w, "height", (int)want.h, "size",
                                 VIPS_SIZE_FORCE, NULL) != 0) {
            image_unref(&out);
            return image_fail(c, "scaling the picture");
        }
        image_replace(v, out);
        return OK;
    }
    if (orientation == 1)
        return OK;
    /* Rotation reads lines out of order, and the decoder delivers them in order: so all pixels
     * first. */
    out = vips_image_copy_memory(*v);
    if (out == NULL)
        return image_fail(c, "decoding the picture");
    image_replace(v, out);
    out = NULL;
    if (vips_autorot(*v, &out, NULL) != 0) {
        image_unref(&out);
        return image_fail(c, "rotating the picture");
    }
    image_replace(v, out);
    return OK;
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
        rc = scale_upright(c, w, &v);
    if (rc == OK)
        rc = crop(c, w, &v);
    if (rc == OK)
        rc = image_to_srgb(c, &v, w->save.keep_metadata, image_format(w->save.format)->deep);
    if (rc != OK)
        return rc;
    Str name = output_name(c->arena, c->inputs[0].name, image_format(w->save.format)->ext);
    return image_save(c, v, &w->save, name, bytes);
}

static void put_result(StepCtx *c, const Work *w, int64_t bytes)
{
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
    .version = 1,
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

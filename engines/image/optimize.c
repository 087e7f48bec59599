/* image.optimize: the smallest file that still looks the same.
 *
 * What    one image in, one out: each format that may be made is tried, and for each the lowest
 *         quality is searched whose likeness to the picture (likeness.h) meets the target. Never
 *         larger than the source: then the source is given back, and a note says so.
 * Why     one quality for all pictures is too much for most and too little for some.
 * Speed   of a large picture the search sees tiles from all over it, a megapixel together; what it
 *         finds is made and measured once on the whole, and raised when that falls short. */
#include "image/edit.h"
#include "image/likeness.h"

enum {
    TILE = 256,
    SAMPLE_PIXELS = 1024 * 1024,
    SAMPLE_FROM_PIXELS = 1536 * 1024, /* smaller pictures are searched whole */
    RAISES_MAX = 5,                   /* after the search, on the whole picture */
    RAISE_BY = 3,
    CANDIDATES_MAX = 5,
    AVIF_PIXELS_MAX = 16 * 1000 * 1000, /* more would take minutes */
};

enum Format { FORMAT_AUTO, FORMAT_WEBP, FORMAT_AVIF, FORMAT_JPEG, FORMAT_PNG, FORMAT_KEEP };
static const Choice format_choices[] = {
    [FORMAT_AUTO] = {"auto", "The smaller one of webp and avif; webp above 16 megapixels."},
    [FORMAT_WEBP] = {"webp", "Read by every browser, and quick to make."},
    [FORMAT_AVIF] = {"avif", "Mostly the smallest, and slow to make."},
    [FORMAT_JPEG] = {"jpeg", "Read by everything; no transparency."},
    [FORMAT_PNG] = {"png", "Exact, or with 256 colours where that is not seen."},
    [FORMAT_KEEP] = {"keep", "That of the input; HEIC becomes jpeg, SVG and JPEG XL become png."},
    {0},
};

enum Target { TARGET_SMALL, TARGET_GOOD, TARGET_HIGH, TARGET_EXACT };
static const Choice target_choices[] = {
    [TARGET_SMALL] = {"small", "A likeness of 0.97: differences are seen side by side."},
    [TARGET_GOOD] = {"good",
                     "A likeness of 0.98: differences are seen by those who look for them."},
    [TARGET_HIGH] = {"high", "A likeness of 0.99: hard to tell apart side by side."},
    [TARGET_EXACT] = {"exact", "Every pixel as it is."},
    {0},
};
static const double target_values[] = {0.97, 0.98, 0.99, 1};

typedef struct OptimizeArgs {
    int format, target, metadata;
    double likeness;
    int64_t width, height;
    Str background;
} OptimizeArgs;

static const Param optimize_params[] = {
    PARAM_CHOICE(OptimizeArgs, target, .choices = target_choices, .def = TARGET_GOOD,
                 .help = "How alike the result must look."),
    PARAM_NUMBER(OptimizeArgs, likeness, .min_num = 0.7, .max_num = 0.9999, .example = "0.985",
                 .help = "The same as a number, instead of target: multi-scale SSIM."),
    PARAM_CHOICE(OptimizeArgs, format, .choices = format_choices, .def = FORMAT_AUTO,
                 .help = "Format to make."),
    PARAM_INT(OptimizeArgs, width, .min = 1, .max = EDIT_SIDE_MAX, .unit = "px", .example = "1600",
              .help = "First scale down to this width; left out: any."),
    PARAM_INT(OptimizeArgs, height, .min = 1, .max = EDIT_SIDE_MAX, .unit = "px", .example = "1200",
              .help = "First scale down to this height; left out: any."),
    PARAM_CHOICE(OptimizeArgs, metadata, .choices = edit_metadata_choices, .def = EDIT_STRIP,
                 .help = "What happens to EXIF, XMP and colour profile."),
    PARAM_TEXT(OptimizeArgs, background, .def_text = "#ffffff", .max_len = 7, .example = "#f4f1ea",
               .help = "Colour behind transparent parts in jpeg, as #rrggbb."),
    PARAM_END,
};

static const Field optimize_fields[] = {
    EDIT_FIELDS,
    {"quality", FIELD_TYPE_INT, "Quality that was found; missing when every pixel is kept.",
     .optional = true},
    {"likeness", FIELD_TYPE_NUMBER, "How alike the result looks, 1 for the same."},
    {"kept_source", FIELD_TYPE_BOOL, "Nothing smaller was found: the output is the input."},
    {"saved_bytes", FIELD_TYPE_INT, "How much smaller the output is."},
    {"saved_percent", FIELD_TYPE_NUMBER, "The same in percent of the input."},
    {"tries", FIELD_TYPE_INT, "Encodings made on the way."},
    {0},
};

/* A way to write the picture, and how it did on what the search looks at. */
typedef struct Candidate {
    ImageSave how;
    ImageBytes bytes;
    double likeness; /* -1: the target cannot be met this way */
} Candidate;

/* A picture and what it is compared by. */
typedef struct View {
    VipsImage *v;
    Likeness look;
} View;

typedef struct Optimize {
    StepCtx *c;
    const OptimizeArgs *args;
    Image *img;
    View whole, sample; /* sample.v is NULL when the whole is searched */
    int frames;
    double target;
    int tries;
    Candidate candidates[CANDIDATES_MAX];
    size_t candidates_len;
} Optimize;

static void view_close(View *w)
{
    image_unref(&w->v);
    likeness_free(&w->look);
}

static void optimize_close(Optimize *o)
{
    for (size_t i = 0; i < o->candidates_len; i++)
        image_bytes_free(&o->candidates[i].bytes);
    view_close(&o->sample);
    view_close(&o->whole);
    image_close(&o->img);
}

static ErrCode no_memory(StepCtx *c)
{
    return err_set(c->err, ERR_LIMIT_MEMORY, "comparing pictures");
}

static const View *searched(const Optimize *o)
{
    return o->sample.v != NULL ? &o->sample : &o->whole;
}

/* --- what the search looks at --- */

static ErrCode cut_tiles(Optimize *o, int across, int down, int tile_w, int tile_h)
{
    VipsImage *v = o->whole.v, *joined = NULL;
    int count = across * down;
    VipsImage **tiles = arena_new(o->c->arena, VipsImage *, (size_t)count);
    if (tiles == NULL)
        return no_memory(o->c);
    int rc = 0;
    for (int i = 0; i < count && rc == 0; i++) {
        /* On the grid of the encoders' blocks, as in the whole picture. */
        int x = across > 1 ? (int)((int64_t)(v->Xsize - tile_w) * (i % across) / (across - 1)) : 0;
        int y = down > 1 ? (int)((int64_t)(v->Ysize - tile_h) * (i / across) / (down - 1)) : 0;
        rc = vips_crop(v, &tiles[i], x & ~15, y & ~15, tile_w, tile_h, NULL);
    }
    if (rc == 0)
        rc = vips_arrayjoin(tiles, &joined, count, "across", across, NULL);
    for (int i = 0; i < count; i++)
        image_unref(&tiles[i]);
    ErrCode code = edit_done(o->c, rc, joined, "cutting samples", &o->sample.v);
    return code != OK ? code : edit_to_memory(o->c, &o->sample.v);
}

static ErrCode make_sample(Optimize *o)
{
    VipsImage *v = o->whole.v;
    if (o->frames > 1 || (int64_t)v->Xsize * v->Ysize <= SAMPLE_FROM_PIXELS)
        return OK;
    int tile_w = v->Xsize < TILE ? v->Xsize : TILE, tile_h = v->Ysize < TILE ? v->Ysize : TILE;
    int across = v->Xsize / tile_w, down = v->Ysize / tile_h;
    while (across > 1 && (int64_t)across * down * tile_w * tile_h > SAMPLE_PIXELS) {
        across = across >= down ? across - 1 : across;
        down = down > across ? down - 1 : down;
    }
    while (down > 1 && (int64_t)across * down * tile_w * tile_h > SAMPLE_PIXELS)
        down--;
    ErrCode rc = cut_tiles(o, across, down, tile_w, tile_h);
    return rc == OK && !likeness_of(o->sample.v, &o->sample.look) ? no_memory(o->c) : rc;
}

/* --- one try --- */

/* Encoders leave out frames that show nothing new: then the first frames are compared. */
static ErrCode compare_first(Optimize *o, VipsImage *a, VipsImage *b, double *out)
{
    CLEANUP(likeness_free) Likeness la = {0};
    CLEANUP(likeness_free) Likeness lb = {0};
    CLEANUP(image_unref) VipsImage *fa = NULL;
    CLEANUP(image_unref) VipsImage *fb = NULL;
    int height = vips_image_get_page_height(a);
    if (vips_crop(a, &fa, 0, 0, a->Xsize, height, NULL) != 0 ||
        vips_crop(b, &fb, 0, 0, a->Xsize, height, NULL) != 0)
        return image_fail(o->c, "comparing frames");
    ErrCode rc = edit_to_memory(o->c, &fa);
    if (rc == OK)
        rc = edit_to_memory(o->c, &fb);
    if (rc == OK && (!likeness_of(fa, &la) || !likeness_of(fb, &lb)))
        rc = no_memory(o->c);
    *out = rc == OK ? likeness_compare(&la, &lb) : -1;
    return rc;
}

static ErrCode measure(Optimize *o, const View *w, const ImageSave *how, const ImageBytes *bytes,
                       double *out)
{
    CLEANUP(image_unref) VipsImage *made = NULL;
    CLEANUP(likeness_free) Likeness look = {0};
    ErrCode rc = image_decode(o->c, how->format, bytes, o->frames > 1, &made);
    if (rc != OK)
        return rc;
    if (made->Xsize != w->v->Xsize || made->Ysize != w->v->Ysize)
        return compare_first(o, w->v, made, out);
    if (!likeness_of(made, &look))
        return no_memory(o->c);
    *out = likeness_compare(&w->look, &look);
    return *out >= 0 ? OK : no_memory(o->c);
}

static ErrCode try_once(Optimize *o, const View *w, const ImageSave *how, ImageBytes *bytes,
                        double *likeness)
{
    if (step_canceled(o->c))
        return err_set(o->c->err, ERR_CANCELED, "cancelled while searching");
    step_progress(o->c, ++o->tries, 0, image_format(how->format)->name);
    ErrCode rc = image_encode(o->c, w->v, how, bytes);
    *likeness = 1;
    return rc == OK && !how->lossless ? measure(o, w, how, bytes, likeness) : rc;
}

/* --- the search --- */

/* The lowest quality that meets the target; none does: likeness stays -1. */
static ErrCode search(Optimize *o, Candidate *k)
{
    static const struct {
        int low, high;
    } ranges[IMAGE_FORMATS] = {
        [IMAGE_JPEG] = {40, 97},
        [IMAGE_WEBP] = {25, 98},
        [IMAGE_AVIF] = {25, 95},
        [IMAGE_PNG] = {40, 100},
    };
    int low = ranges[k->how.format].low, high = ranges[k->how.format].high;
    k->likeness = -1;
    for (ErrCode rc; low <= high;) {
        CLEANUP(image_bytes_free) ImageBytes bytes = {0};
        ImageSave how = k->how;
        double likeness;
        how.quality = (low + high) / 2;
        rc = try_once(o, searched(o), &how, &bytes, &likeness);
        if (rc != OK)
            return rc;
        if (likeness < o->target) {
            low = how.quality + 1;
            continue;
        }
        high = how.quality - 1;
        k->how.quality = how.quality;
        k->likeness = likeness;
        image_bytes_free(&k->bytes);
        k->bytes = bytes;
        bytes = (ImageBytes){0};
    }
    return OK;
}

static ErrCode add_candidate(Optimize *o, ImageSave how)
{
    Candidate *k = &o->candidates[o->candidates_len++];
    how.keep_metadata = o->args->metadata == EDIT_KEEP_METADATA;
    how.small = true;
    *k = (Candidate){.how = how};
    if (!how.lossless)
        return search(o, k);
    return try_once(o, searched(o), &how, &k->bytes, &k->likeness);
}

/* Pictures that come out of a camera or an encoder are never small without loss. */
static bool may_be_drawn(const Optimize *o)
{
    return o->img->format != IMAGE_JPEG && o->img->format != IMAGE_HEIC &&
           o->img->format != IMAGE_AVIF;
}

static ErrCode try_format(Optimize *o, ImageFormat f, ImageSave how)
{
    bool exact = o->target >= 1, always_exact = f == IMAGE_GIF || f == IMAGE_TIFF;
    ErrCode rc = OK;
    how.format = f;
    if (!exact && !always_exact && (f != IMAGE_PNG || o->frames == 1)) {
        how.palette = f == IMAGE_PNG;
        rc = add_candidate(o, how);
    }
    how.palette = false;
    how.lossless = true;
    bool drawn = f == IMAGE_PNG || (f == IMAGE_WEBP && may_be_drawn(o));
    if (rc == OK && f != IMAGE_JPEG && (exact || always_exact || drawn))
        rc = add_candidate(o, how);
    return rc;
}

static ErrCode try_formats(Optimize *o, const ImageSave *how)
{
    static const ImageFormat asked[] = {[FORMAT_WEBP] = IMAGE_WEBP,
                                        [FORMAT_AVIF] = IMAGE_AVIF,
                                        [FORMAT_JPEG] = IMAGE_JPEG,
                                        [FORMAT_PNG] = IMAGE_PNG};
    if (o->args->format == FORMAT_KEEP)
        return try_format(o, edit_format(EDIT_KEEP, o->img->format), *how);
    if (o->args->format != FORMAT_AUTO)
        return try_format(o, asked[o->args->format], *how);
    ErrCode rc = try_format(o, IMAGE_WEBP, *how);
    int64_t pixels = (int64_t)o->whole.v->Xsize * o->whole.v->Ysize;
    if (rc == OK && o->frames == 1 && pixels <= AVIF_PIXELS_MAX)
        rc = try_format(o, IMAGE_AVIF, *how);
    return rc;
}

static Candidate *best_of(Optimize *o)
{
    Candidate *best = NULL;
    for (size_t i = 0; i < o->candidates_len; i++) {
        Candidate *k = &o->candidates[i];
        if (k->likeness >= 0 && (best == NULL || k->bytes.len < best->bytes.len))
            best = k;
    }
    return best;
}

/* What was found on tiles, on the whole picture. */
static ErrCode make_whole(Optimize *o, Candidate *k)
{
    for (int i = 0; i < RAISES_MAX; i++) {
        image_bytes_free(&k->bytes);
        ErrCode rc = try_once(o, &o->whole, &k->how, &k->bytes, &k->likeness);
        if (rc != OK || k->likeness >= o->target || k->how.lossless)
            return rc;
        k->how.quality = k->how.quality + RAISE_BY < 100 ? k->how.quality + RAISE_BY : 100;
    }
    return OK;
}

/* --- in and out --- */

static ErrCode load(Optimize *o)
{
    const OptimizeArgs *a = o->args;
    ErrCode rc = image_open(o->c, o->c->input_fd, &o->img);
    if (rc != OK)
        return rc;
    const ImageFormatInfo *from = image_format(o->img->format);
    int to = a->format == FORMAT_KEEP ? (int)o->img->format : (int)IMAGE_WEBP;
    bool holds = (a->format == FORMAT_AUTO || a->format == FORMAT_WEBP || a->format == FORMAT_KEEP);
    bool frames = holds && from->animates && image_format((ImageFormat)to)->animates;
    o->frames = frames ? o->img->pages : 1;
    rc = edit_check_pixels(o->c, o->img, o->frames);
    if (rc != OK)
        return rc;
    if (o->img->pages > o->frames)
        step_note(o->c, str_printf(o->c->arena, "only the first of %d pages or frames is kept",
                                   o->img->pages));
    Size in = {o->img->width, o->img->height}, want = edit_inside(in, a->width, a->height);
    double x = (double)want.w / (double)in.w, y = (double)want.h / (double)in.h;
    ImageLoad how = {.animated = o->frames > 1, .scale = x > y ? x : y};
    rc = image_load(o->c, o->img, &how, &o->whole.v);
    if (rc == OK)
        rc = edit_upright(o->c, want, &o->whole.v);
    if (rc == OK)
        rc = image_to_srgb(o->c, &o->whole.v, a->metadata == EDIT_KEEP_METADATA, false);
    if (rc == OK)
        rc = edit_to_memory(o->c, &o->whole.v);
    if (rc == OK && !likeness_of(o->whole.v, &o->whole.look))
        rc = no_memory(o->c);
    return rc == OK ? make_sample(o) : rc;
}

static void put_result(Optimize *o, const Candidate *k, Size size, int64_t bytes)
{
    JsonOut *d = o->c->data;
    int64_t source = (int64_t)o->img->map_size;
    ImageFormat f = k != NULL ? k->how.format : o->img->format;
    json_kv_int(d, "width", size.w);
    json_kv_int(d, "height", size.h);
    json_kv_c(d, "format", image_format(f)->name);
    json_kv_int(d, "bytes", bytes);
    json_kv_int(d, "source_width", o->img->width);
    json_kv_int(d, "source_height", o->img->height);
    json_kv_c(d, "source_format", image_format(o->img->format)->name);
    json_kv_int(d, "source_bytes", source);
    if (k != NULL && !k->how.lossless)
        json_kv_int(d, "quality", k->how.quality);
    json_kv_double(d, "likeness", k != NULL ? (double)(int)(k->likeness * 10000) / 10000 : 1);
    json_kv_bool(d, "kept_source", k == NULL);
    json_kv_int(d, "saved_bytes", source - bytes);
    json_kv_double(d, "saved_percent",
                   (double)((source - bytes) * 1000 / (source > 0 ? source : 1)) / 10);
    json_kv_int(d, "tries", o->tries);
    step_usage(o->c, "images", 1);
    step_usage(o->c, "megapixels", (o->img->width * o->img->height * o->frames + 999999) / 1000000);
}

static ErrCode give_source_back(Optimize *o, const Candidate *best)
{
    StepCtx *c = o->c;
    const ImageFormatInfo *f = image_format(o->img->format);
    step_note(c, best == NULL ? STR("no quality meets the target: the source is given back")
                              : str_printf(c->arena,
                                           "the source is already small (%zu bytes against %zu): "
                                           "it is given back as it is, with its metadata",
                                           o->img->map_size, best->bytes.len));
    put_result(o, NULL, (Size){o->img->width, o->img->height}, (int64_t)o->img->map_size);
    return step_output_bytes(c, edit_name(c->arena, c->inputs[0].name, f->ext), str_from_c(f->type),
                             (Str){o->img->map, o->img->map_size});
}

static ErrCode give(Optimize *o, const Candidate *best)
{
    StepCtx *c = o->c;
    if (best == NULL || best->bytes.len >= o->img->map_size)
        return give_source_back(o, best);
    const ImageFormatInfo *f = image_format(best->how.format);
    if (best->likeness < o->target)
        step_note(c, STR("the target is just missed on the whole picture"));
    put_result(o, best, (Size){o->whole.v->Xsize, vips_image_get_page_height(o->whole.v)},
               (int64_t)best->bytes.len);
    return step_output_bytes(c, edit_name(c->arena, c->inputs[0].name, f->ext), str_from_c(f->type),
                             (Str){best->bytes.ptr, best->bytes.len});
}

static ErrCode optimize_run(StepCtx *c, const void *args)
{
    CLEANUP(optimize_close) Optimize o = {.c = c, .args = args};
    o.target = o.args->likeness > 0 ? o.args->likeness : target_values[o.args->target];
    ImageSave how = {0};
    if (!edit_colour(o.args->background, how.background))
        return edit_bad_param(c, "background", "must be a colour such as #ffcc00");
    if (o.target >= 1 && o.args->format == FORMAT_JPEG)
        return edit_bad_param(c, "format", "jpeg cannot keep every pixel exactly");
    ErrCode rc = load(&o);
    if (rc == OK)
        rc = try_formats(&o, &how);
    if (rc != OK)
        return rc;
    Candidate *best = best_of(&o);
    if (best != NULL && o.sample.v != NULL)
        rc = make_whole(&o, best);
    return rc == OK ? give(&o, best) : rc;
}

const Step step_image_optimize = {
    .name = "image.optimize",
    .title = "Optimize image",
    .summary = "Make the smallest file that still looks like the original.",
    .since = "0.2",
    .accepts = "image/*",
    .returns = "image/webp,image/avif,image/jpeg,image/png,image/gif,image/tiff,image/heic,"
               "image/jxl,image/svg+xml",
    .version = 1,
    .cacheable = true,
    .limits = {.time_ms = 300 * 1000, .cpu_ms = 300 * 1000, .memory_bytes = (int64_t)2 << 30},
    .params = optimize_params,
    .args_size = sizeof(OptimizeArgs),
    .data = optimize_fields,
    .errors = EDIT_ERRORS,
    .examples =
        (const Example[]){{.title = "As small as it gets without anybody noticing",
                           .input = "photo.jpg",
                           .expect = "kept_source=false; saved_percent>=30; likeness>=0.98"},
                          {.title = "For a page that shows it 320 pixels wide",
                           .input = "photo.jpg",
                           .args = "{\"width\": 320, \"format\": \"webp\", \"target\": \"high\"}",
                           .expect = "image/webp; width=320; likeness>=0.99"},
                          {.title = "A drawing, with every pixel as it is",
                           .input = "picture.png",
                           .args = "{\"target\": \"exact\"}",
                           .expect = "likeness=1; saved_bytes>=1"},
                          {0}},
    .run = optimize_run,
};

/* image.info: what a picture is, from its header.
 *
 * What    one image in, data out; no pixels are decoded, so it takes milliseconds whatever the
 * size. Why     to decide before working: is it large enough, does it stand upright, does it say
 * where it was taken. Privacy the position is given only when asked for; `has_position` says
 * whether there is one. */
#include "image/metadata.h"

#include <math.h>

typedef struct InfoArgs {
    bool position;
} InfoArgs;

static const Param info_params[] = {
    PARAM_BOOL(InfoArgs, position, .help = "Also give the place where the photo was taken."),
    PARAM_END,
};

static const Field info_fields[] = {
    {"width", FIELD_TYPE_INT, "Pixels across, as shown: after EXIF rotation."},
    {"height", FIELD_TYPE_INT, "Pixels down, as shown."},
    {"format", FIELD_TYPE_TEXT, "One of jpeg, png, webp, avif, heic, gif, tiff, jxl, svg."},
    {"bytes", FIELD_TYPE_INT, "Size of the file."},
    {"bands", FIELD_TYPE_INT, "Numbers per pixel: 1 grey, 3 colour, 4 colour and alpha or CMYK."},
    {"bits", FIELD_TYPE_INT, "Bits per number."},
    {"alpha", FIELD_TYPE_BOOL, "The format of its pixels can be transparent."},
    {"colour_space", FIELD_TYPE_TEXT,
     "As libvips names it: srgb, b-w, cmyk, rgb16, lab and others."},
    {"profile", FIELD_TYPE_TEXT, "Name of the embedded ICC profile.", .optional = true},
    {"orientation", FIELD_TYPE_INT, "EXIF orientation, 1 (upright) to 8."},
    {"pages", FIELD_TYPE_INT, "Pages or frames."},
    {"animated", FIELD_TYPE_BOOL, "The pages are frames with a duration."},
    {"duration_ms", FIELD_TYPE_INT, "Length of the animation.", .optional = true},
    {"dpi", FIELD_TYPE_NUMBER, "Resolution for printing, when the file states one.",
     .optional = true},
    {"camera", FIELD_TYPE_TEXT, "Make and model.", .optional = true},
    {"taken_at", FIELD_TYPE_TEXT, "When the photo was taken, local time of the camera.",
     .optional = true},
    {"has_position", FIELD_TYPE_BOOL, "The file says where the photo was taken."},
    {"latitude", FIELD_TYPE_NUMBER, "Degrees north; only when asked for.", .optional = true},
    {"longitude", FIELD_TYPE_NUMBER, "Degrees east; only when asked for.", .optional = true},
    {0},
};

/* Cameras repeat the make in the model: "Canon" and "Canon PowerShot" make "Canon PowerShot". */
static Str camera_name(Arena *a, Str make, Str model)
{
    if (make.len == 0 || model.len == 0)
        return make.len == 0 ? model : make;
    Str first = str_slice(make, 0, str_find_char(make, ' '));
    if (model.len >= first.len && str_eq_nocase(str_slice(model, 0, first.len), first))
        return model;
    return str_printf(a, STR_FMT " " STR_FMT, STR_ARG(make), STR_ARG(model));
}

/* As stored: libvips widens 10 and 12 bits to 16. */
static int bits_of(VipsImage *v)
{
    static const char *const fields[] = {"bits-per-sample", "heif-bitdepth"};
    int bits;
    for (size_t i = 0; i < COUNT_OF(fields); i++)
        if (vips_image_get_typeof(v, fields[i]) != 0 &&
            vips_image_get_int(v, fields[i], &bits) == 0)
            return bits;
    return (int)vips_format_sizeof(v->BandFmt) * 8;
}

static void put_optional(JsonOut *data, const char *key, Str text)
{
    if (text.len > 0)
        json_kv_str(data, key, text);
}

static void put_animation(JsonOut *data, const Image *img)
{
    int *delays, delays_len;
    bool animated = img->pages > 1 && image_format(img->format)->animates;
    json_kv_bool(data, "animated", animated);
    if (!animated || vips_image_get_typeof(img->header, "delay") == 0 ||
        vips_image_get_array_int(img->header, "delay", &delays, &delays_len) != 0)
        return;
    int64_t sum = 0;
    for (int i = 0; i < delays_len; i++)
        sum += delays[i];
    json_kv_int(data, "duration_ms", sum);
}

static void put_exif(StepCtx *c, VipsImage *v, const InfoArgs *a)
{
    double lat, lon;
    Str make = metadata_exif(c->arena, v, "exif-ifd0-Make"),
        model = metadata_exif(c->arena, v, "exif-ifd0-Model");
    bool placed = metadata_position(c->arena, v, &lat, &lon);
    put_optional(c->data, "camera", camera_name(c->arena, make, model));
    put_optional(c->data, "taken_at", metadata_taken_at(c->arena, v));
    json_kv_bool(c->data, "has_position", placed);
    if (placed && a->position) {
        json_kv_double(c->data, "latitude", lat);
        json_kv_double(c->data, "longitude", lon);
    }
}

static ErrCode info_run(StepCtx *c, const void *args)
{
    CLEANUP(image_close) Image *img = NULL;
    ErrCode rc = image_open(c, c->input_fd, &img);
    if (rc != OK)
        return rc;
    VipsImage *v = img->header;
    json_kv_int(c->data, "width", img->width);
    json_kv_int(c->data, "height", img->height);
    json_kv_c(c->data, "format", image_format(img->format)->name);
    json_kv_int(c->data, "bytes", (int64_t)img->map_size);
    json_kv_int(c->data, "bands", v->Bands);
    json_kv_int(c->data, "bits", bits_of(v));
    json_kv_bool(c->data, "alpha", vips_image_hasalpha(v));
    json_kv_c(c->data, "colour_space", vips_enum_nick(VIPS_TYPE_INTERPRETATION, v->Type));
    put_optional(c->data, "profile", metadata_profile_name(c->arena, v));
    json_kv_int(c->data, "orientation", img->orientation);
    json_kv_int(c->data, "pages", img->pages);
    put_animation(c->data, img);
    if (v->Xres != 1.0) /* what libvips says when the file says nothing */
        json_kv_double(c->data, "dpi",
                       round(v->Xres * 254) / 10); /* libvips counts per millimetre */
    put_exif(c, v, args);
    step_usage(c, "images", 1);
    return OK;
}

const Step step_image_info = {
    .name = "image.info",
    .title = "Inspect image",
    .summary = "Say what an image is: size, format, colours, orientation, frames and camera.",
    .since = "0.1",
    .accepts = "image/*",
    .version = 1,
    .cacheable = true,
    .limits = {.time_ms = 30 * 1000, .cpu_ms = 20 * 1000, .memory_bytes = 512 << 20},
    .params = info_params,
    .args_size = sizeof(InfoArgs),
    .data = info_fields,
    .errors = (const ErrCode[]){ERR_UNSUPPORTED_TYPE, ERR_INPUT_EMPTY, ERR_INPUT_DAMAGED,
                                ERR_LIMIT_PIXELS, OK},
    .examples =
        (const Example[]){{.title = "What the camera wrote",
                           .input = "photo.jpg",
                           .args = "{\"position\": true}",
                           .expect = "format=jpeg; orientation=6; width>=400; has_position=true"},
                          {.title = "Count the frames of an animation",
                           .input = "animated.gif",
                           .expect = "format=gif; pages>=4; animated=true"},
                          {0}},
    .run = info_run,
};

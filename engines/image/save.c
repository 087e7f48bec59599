/* save.c: encode into one of the formats that are written, straight into the host's descriptor. */
#include "image/image.h"
#include "base/fault.h"
#include "base/fd.h"

#include <unistd.h>

/* Called by libvips on the main thread while it works. */
static void on_eval(VipsImage *v, VipsProgress *p, void *data)
{
    StepCtx *c = data;
    static const int every_percent = 10;
    int last = GPOINTER_TO_INT(g_object_get_data(G_OBJECT(v), "platen-percent"));
    if (p->percent < last + every_percent)
        return;
    g_object_set_data(G_OBJECT(v), "platen-percent", GINT_TO_POINTER(p->percent));
    step_progress(c, p->percent, 100, NULL);
    if (step_canceled(c))
        vips_image_set_kill(v, TRUE);
}

/* platen's effort is 1 (fast) to 6 (small) for every format; each encoder has a scale of its own.
 */
static int encoder_effort(ImageFormat f, int effort)
{
    static const int avif[] = {0, 1, 2, 3, 4, 6, 9}, gif[] = {1, 1, 3, 5, 7, 8, 10},
                     png[] = {0, 1, 3, 5, 6, 8, 9};
    switch (f) {
    case IMAGE_AVIF:
        return avif[effort];
    case IMAGE_GIF:
        return gif[effort];
    case IMAGE_PNG:
        return png[effort];
    default:
        return effort;
    }
}

static int encode_png(VipsImage *v, VipsTarget *to, const ImageSave *how, int effort)
{
    gboolean strip = !how->keep_metadata;
    if (how->palette)
        return vips_pngsave_target(v, to, "compression", effort, "strip", strip, "palette", TRUE,
                                   "Q", how->quality, "effort", 7, NULL);
    return vips_pngsave_target(
        v, to, "compression", effort, "strip", strip, "filter",
        how->small ? VIPS_FOREIGN_PNG_FILTER_ALL : VIPS_FOREIGN_PNG_FILTER_NONE, NULL);
}

static int encode(VipsImage *v, VipsTarget *to, const ImageSave *how)
{
    const ImageFormatInfo *f = image_format(how->format);
    int quality = how->quality > 0 ? how->quality : f->quality;
    int effort = encoder_effort(how->format, how->effort > 0 ? how->effort : f->effort);
    gboolean strip = !how->keep_metadata, lossless = how->lossless;
    switch (how->format) {
    case IMAGE_JPEG:
        return vips_jpegsave_target(v, to, "Q", quality, "strip", strip, "optimize_coding", TRUE,
                                    "interlace", (gboolean)how->small, NULL);
    case IMAGE_PNG:
        return encode_png(v, to, how, effort);
    case IMAGE_WEBP:
        return vips_webpsave_target(v, to, "Q", quality, "effort", effort, "lossless", lossless,
                                    "strip", strip, NULL);
    case IMAGE_AVIF:
        return vips_heifsave_target(v, to, "Q", quality, "effort", effort, "lossless", lossless,
                                    "bitdepth", 8, "compression", VIPS_FOREIGN_HEIF_COMPRESSION_AV1,
                                    "strip", strip, NULL);
    case IMAGE_GIF:
        return vips_gifsave_target(v, to, "effort", effort, "strip", strip, NULL);
    default: /* TIFF */
        return vips_tiffsave_target(v, to, "compression", VIPS_FOREIGN_TIFF_COMPRESSION_DEFLATE,
                                    "predictor", VIPS_FOREIGN_TIFF_PREDICTOR_HORIZONTAL, "strip",
                                    strip, NULL);
    }
}

/* libvips' own "strip" leaves EXIF in WebP (8.14), position and all; so what is to go is taken off
 * before the encoder sees the picture. */
static ErrCode strip(StepCtx *c, VipsImage **v)
{
    VipsImage *bare = NULL;
    if (vips_copy(*v, &bare, NULL) != 0)
        return image_fail(c, "removing metadata");
    g_auto(GStrv) fields = vips_image_get_fields(bare);
    static const char *const prefixes[] = {"exif-",         "xmp-",       "iptc-",
                                           "icc-",          "photoshop-", "png-comment",
                                           "gif-comment",   "image-desc", VIPS_META_ORIENTATION,
                                           "jpeg-thumbnail"};
    for (size_t i = 0; fields != NULL && fields[i] != NULL; i++)
        for (size_t k = 0; k < COUNT_OF(prefixes); k++)
            if (str_starts(str_from_c(fields[i]), str_from_c(prefixes[k])))
                vips_image_remove(bare, fields[i]);
    image_replace(v, bare);
    return OK;
}

/* Lay the picture on its background when the format cannot hold transparency, and take off what is
 * not to be kept. */
static ErrCode prepare(StepCtx *c, VipsImage *v, const ImageSave *how, VipsImage **out)
{
    if (image_format(how->format)->alpha || !vips_image_hasalpha(v)) {
        g_object_ref(v);
        *out = v;
        return how->keep_metadata ? OK : strip(c, out);
    }
    VipsArrayDouble *colour =
        v->Bands <= 2 ? vips_array_double_newv(
                            1, (how->background[0] + how->background[1] + how->background[2]) / 3)
                      : vips_array_double_new(how->background, 3);
    int rc = vips_flatten(v, out, "background", colour, NULL);
    vips_area_unref(VIPS_AREA(colour));
    if (rc != 0)
        return image_fail(c, "laying the picture on its background");
    return how->keep_metadata ? OK : strip(c, out);
}

static void target_unref(VipsTarget **t)
{
    if (*t != NULL)
        g_object_unref(*t);
}

ErrCode image_save(StepCtx *c, VipsImage *v, const ImageSave *how, Str name, int64_t *bytes)
{
    CLEANUP(fd_close) int fd = -1;
    CLEANUP(image_unref) VipsImage *flat = NULL;
    ErrCode rc = prepare(c, v, how, &flat);
    if (rc == OK)
        rc = step_output(c, name, str_from_c(image_format(how->format)->type), &fd);
    if (rc != OK)
        return rc;

    CLEANUP(target_unref)
    VipsTarget *to = fault_hit("image.target") ? NULL : vips_target_new_to_descriptor(fd);
    if (to == NULL)
        return err_set(c->err, ERR_NO_MEMORY, "writing the picture");
    vips_image_set_progress(flat, TRUE);
    g_signal_connect(flat, "eval", G_CALLBACK(on_eval), c);
    if (encode(flat, to, how) != 0)
        return image_fail(c, "converting the picture");
    if (how->keep_metadata && (how->format == IMAGE_GIF || how->format == IMAGE_TIFF) &&
        vips_image_get_typeof(v, VIPS_META_EXIF_NAME) != 0)
        step_note(c, str_printf(c->arena, "EXIF is not kept: %s is written without",
                                image_format(how->format)->name));
    *bytes = fd_size(fd);
    return *bytes > 0 ? OK : err_set(c->err, ERR_INTERNAL, "the encoder wrote nothing");
}

void image_bytes_free(ImageBytes *b)
{
    if (b->blob != NULL)
        vips_area_unref(VIPS_AREA(b->blob));
    *b = (ImageBytes){0};
}

ErrCode image_encode(StepCtx *c, VipsImage *v, const ImageSave *how, ImageBytes *out)
{
    CLEANUP(image_unref) VipsImage *flat = NULL;
    ErrCode rc = prepare(c, v, how, &flat);
    if (rc != OK)
        return rc;
    CLEANUP(target_unref)
    VipsTarget *to = fault_hit("image.target") ? NULL : vips_target_new_to_memory();
    if (to == NULL)
        return err_set(c->err, ERR_NO_MEMORY, "writing the picture");
    if (encode(flat, to, how) != 0)
        return image_fail(c, "converting the picture");
    g_object_get(to, "blob", &out->blob, NULL);
    if (out->blob != NULL)
        out->ptr = vips_blob_get(out->blob, &out->len);
    return out->len > 0 ? OK : err_set(c->err, ERR_INTERNAL, "the encoder wrote nothing");
}

ErrCode image_decode(StepCtx *c, ImageFormat format, const ImageBytes *bytes, bool animated,
                     VipsImage **out)
{
    Image img = {.map = bytes->ptr, .map_size = bytes->len, .format = format};
    CLEANUP(image_unref) VipsImage *v = NULL;
    ErrCode rc = image_load(c, &img, &(ImageLoad){.animated = animated, .scale = 1}, &v);
    if (rc != OK)
        return rc;
    *out = vips_image_copy_memory(v);
    return *out != NULL ? OK : image_fail(c, "reading what was made");
}

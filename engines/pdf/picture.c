/* picture.c: pictures as plain pixels: from PNG, smaller, to JPEG. */
#include "pdf/pdf.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>
#include <png.h>

enum { PIXELS_MAX = 100 * 1000 * 1000, SIDE_MAX = 60000 };

/* Rows and columns of the target that a pixel belongs to have weights that add up to the area, so
 * the mean stays the mean. Sums are exact in 64 bits. */
Picture picture_scale(Arena *a, const Picture *p, int64_t width, int64_t height)
{
    Picture out = {.width = width, .height = height, .channels = p->channels};
    size_t row = (size_t)(width * p->channels);
    uint64_t *sums = arena_new(a, uint64_t, row);
    uint8_t *pixels = arena_alloc_raw(a, row * (size_t)height);
    if (sums == NULL || pixels == NULL)
        return out;
    uint64_t area = (uint64_t)p->width * (uint64_t)p->height;
    for (int64_t y = 0; y < height; y++) {
        memset(sums, 0, row * sizeof *sums);
        int64_t y0 = y * p->height, y1 = y0 + p->height; /* in units of 1/height source rows */
        for (int64_t sy = y0 / height; sy * height < y1; sy++) {
            int64_t top = sy * height > y0 ? sy * height : y0,
                    bottom = (sy + 1) * height < y1 ? (sy + 1) * height : y1;
            uint64_t wy = (uint64_t)(bottom - top);
            const uint8_t *in = p->pixels + sy * p->width * p->channels;
            for (int64_t x = 0; x < width; x++) {
                int64_t x0 = x * p->width, x1 = x0 + p->width;
                for (int64_t sx = x0 / width; sx * width < x1; sx++) {
                    int64_t left = sx * width > x0 ? sx * width : x0,
                            right = (sx + 1) * width < x1 ? (sx + 1) * width : x1;
                    uint64_t weight = wy * (uint64_t)(right - left);
                    for (int ch = 0; ch < p->channels; ch++)
                        sums[x * p->channels + ch] += weight * in[sx * p->channels + ch];
                }
            }
        }
        for (size_t i = 0; i < row; i++)
            pixels[(size_t)y * row + i] = (uint8_t)((sums[i] + area / 2) / area);
    }
    out.pixels = pixels;
    return out;
}

typedef struct JpegError {
    struct jpeg_error_mgr base;
    jmp_buf back;
} JpegError;

static void jpeg_gave_up(j_common_ptr info)
{
    longjmp(((JpegError *)info->err)->back, 1);
}

static void jpeg_is_quiet(j_common_ptr info)
{
    (void)info;
}

bool picture_to_jpeg(Arena *a, const Picture *p, int quality, Str *out)
{
    struct jpeg_compress_struct j = {0};
    JpegError error;
    unsigned char *volatile bytes = NULL;
    unsigned char *made = NULL;
    unsigned long len = 0;
    j.err = jpeg_std_error(&error.base);
    error.base.error_exit = jpeg_gave_up;
    error.base.output_message = jpeg_is_quiet;
    if (setjmp(error.back) != 0) {
        jpeg_destroy_compress(&j);
        free(bytes);
        return false;
    }
    jpeg_create_compress(&j);
    jpeg_mem_dest(&j, &made, &len);
    j.image_width = (JDIMENSION)p->width;
    j.image_height = (JDIMENSION)p->height;
    j.input_components = p->channels;
    j.in_color_space = p->channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
    jpeg_set_defaults(&j);
    jpeg_set_quality(&j, quality, TRUE);
    j.optimize_coding = TRUE;
    jpeg_start_compress(&j, TRUE);
    while (j.next_scanline < j.image_height) {
        JSAMPROW row = p->pixels + (int64_t)j.next_scanline * p->width * p->channels;
        jpeg_write_scanlines(&j, &row, 1);
    }
    jpeg_finish_compress(&j);
    bytes = made;
    jpeg_destroy_compress(&j);
    *out = str_copy(a, (Str){(char *)bytes, len});
    free(bytes);
    return out->ptr != NULL;
}

/* Markers up to the frame header. */
bool picture_jpeg_size(Str s, int64_t *width, int64_t *height, int *components, bool *inverted)
{
    const uint8_t *b = (const uint8_t *)s.ptr;
    *inverted = false;
    if (s.len < 4 || b[0] != 0xff || b[1] != 0xd8)
        return false;
    for (size_t at = 2; at + 4 <= s.len;) {
        if (b[at] != 0xff) {
            at++;
            continue;
        }
        uint8_t marker = b[at + 1];
        if (marker == 0xff || marker == 0 || marker == 0x01 || (marker >= 0xd0 && marker <= 0xd8)) {
            at += marker == 0xff ? 1 : 2;
            continue;
        }
        size_t len = (size_t)b[at + 2] << 8 | b[at + 3];
        if (marker == 0xee && len >= 14 && at + 16 <= s.len && memcmp(b + at + 4, "Adobe", 5) == 0)
            *inverted = true; /* Adobe writes four inks the other way round */
        bool frame =
            marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc;
        if (frame && at + 10 <= s.len) {
            *height = b[at + 5] << 8 | b[at + 6];
            *width = b[at + 7] << 8 | b[at + 8];
            *components = b[at + 9];
            return b[at + 4] == 8 && *width > 0 && *height > 0 &&
                   (*components == 1 || *components == 3 || *components == 4);
        }
        if (marker == 0xda || len < 2)
            return false;
        at += 2 + len;
    }
    return false;
}

static void split_alpha(Arena *a, const uint8_t *rgba, Picture *out, Picture *alpha)
{
    size_t count = (size_t)(out->width * out->height);
    uint8_t *rgb = arena_alloc_raw(a, count * 3), *mask = arena_alloc_raw(a, count);
    bool clear = false;
    if (rgb == NULL || mask == NULL)
        return;
    for (size_t i = 0; i < count; i++) {
        memcpy(rgb + 3 * i, rgba + 4 * i, 3);
        mask[i] = rgba[4 * i + 3];
        clear |= mask[i] != 255;
    }
    out->pixels = rgb;
    *alpha = (Picture){
        .pixels = clear ? mask : NULL, .width = out->width, .height = out->height, .channels = 1};
}

ErrCode picture_from_png(Arena *a, Str bytes, Picture *out, Picture *alpha, Err *err)
{
    if (!str_starts(bytes, (Str){"\x89PNG\r\n\x1a\n", 8})) {
        err_set(err, ERR_UNSUPPORTED_TYPE, "the second file is no PDF, JPEG or PNG");
        err_hint(err, "image.convert makes a PNG of other pictures");
        return ERR_UNSUPPORTED_TYPE;
    }
    png_image image = {.version = PNG_IMAGE_VERSION};
    if (!png_image_begin_read_from_memory(&image, bytes.ptr, bytes.len))
        return err_set(err, ERR_INPUT_DAMAGED, "the picture: %.100s", image.message);
    if (image.width > SIDE_MAX || image.height > SIDE_MAX ||
        (int64_t)image.width * image.height > PIXELS_MAX) {
        png_image_free(&image);
        return err_set(err, ERR_LIMIT_PIXELS, "%u x %u pixels, the limit is %d", image.width,
                       image.height, PIXELS_MAX);
    }
    image.format = PNG_FORMAT_RGBA;
    uint8_t *rgba = arena_alloc_raw(a, PNG_IMAGE_SIZE(image));
    if (rgba == NULL || !png_image_finish_read(&image, NULL, rgba, 0, NULL)) {
        png_image_free(&image);
        return rgba == NULL ? err_set(err, ERR_NO_MEMORY, "no memory for the picture")
                            : err_set(err, ERR_INPUT_DAMAGED, "the picture: %.100s", image.message);
    }
    *out = (Picture){.width = image.width, .height = image.height, .channels = 3};
    *alpha = (Picture){0};
    split_alpha(a, rgba, out, alpha);
    return out->pixels != NULL ? OK : err_set(err, ERR_NO_MEMORY, "no memory for the picture");
}

/* pictures.h: pictures for tests, made by libvips. */
#ifndef PLATEN_TESTS_PICTURES_H
#define PLATEN_TESTS_PICTURES_H

#include "image/image.h"
#include "step_runner.h"

/* Four quarters in four colours (red, green / blue, white), so that any turn of the picture shows.
 */
static VipsImage *make_quarters(int width, int height)
{
    static const double colours[4][3] = {
        {220, 30, 30}, {30, 200, 30}, {30, 30, 220}, {250, 250, 250}};
    VipsImage *v = NULL, *rgb = NULL;
    assert_int_equal(vips_black(&v, width, height, "bands", 3, NULL), 0);
    rgb = vips_image_copy_memory(v);
    g_object_unref(v);
    for (int i = 0; i < 4; i++)
        vips_draw_rect(rgb, (double *)(uintptr_t)colours[i], 3, i % 2 * (width / 2),
                       i / 2 * (height / 2), width - width / 2, height - height / 2, "fill", TRUE,
                       NULL);
    assert_int_equal(vips_copy(rgb, &v, "interpretation", VIPS_INTERPRETATION_sRGB, NULL), 0);
    g_object_unref(rgb);
    return v;
}

/* Encoded by the name of its ending: ".jpg[Q=90]". Takes v. */
static Str encode_picture(Arena *a, VipsImage *v, const char *suffix)
{
    void *bytes = NULL;
    size_t size = 0;
    if (vips_image_write_to_buffer(v, suffix, &bytes, &size, NULL) != 0)
        fail_msg("%s: %s", suffix, vips_error_buffer());
    Str out = str_copy(a, (Str){bytes, size});
    g_free(bytes);
    g_object_unref(v);
    return out;
}

static VipsImage *decode_picture(Str bytes, const char *options)
{
    VipsImage *v = vips_image_new_from_buffer(bytes.ptr, bytes.len, options, NULL);
    if (v == NULL)
        fail_msg("%s", vips_error_buffer());
    return v;
}

/* 'r', 'g', 'b' or 'w': the quarter's colour at these shares of width and height, in percent. */
static char colour_at(VipsImage *v, int x, int y)
{
    double *p = NULL;
    int n = 0;
    assert_int_equal(vips_getpoint(v, &p, &n, v->Xsize * x / 100, v->Ysize * y / 100, NULL), 0);
    char c = '?';
    if (n >= 3 && p[0] > 150 && p[1] > 150 && p[2] > 150)
        c = 'w';
    else if (n >= 3) /* the strongest: no pure blue can be printed in CMYK */
        c = p[0] > p[1] + 30 && p[0] > p[2] + 30 ? 'r'
            : p[1] > p[2] + 20                   ? 'g'
            : p[2] > p[0] + 30                   ? 'b'
                                                 : '?';
    g_free(p);
    return c;
}

static void assert_quarters(VipsImage *v, const char *want, const char *why)
{
    char got[5] = {colour_at(v, 25, 25), colour_at(v, 75, 25), colour_at(v, 25, 75),
                   colour_at(v, 75, 75), 0};
    if (strcmp(got, want) != 0)
        fail_msg("%s: quarters are %s, not %s", why, got, want);
}

static int pictures_begin(void **state)
{
    (void)state;
    Err err = {0};
    assert_ok(image_warm(&err), &err);
    return 0;
}

#endif

#include "edits.h"
#include "image/optimize.c"

static Arena *arena;

/* How alike a picture and its JPEG of this quality look. */
static double likeness_at(VipsImage *v, int quality)
{
    Likeness a = {0}, b = {0};
    char suffix[32];
    snprintf(suffix, sizeof suffix, ".jpg[Q=%d]", quality);
    g_object_ref(v);
    VipsImage *made = decode_picture(encode_picture(arena, v, suffix), "");
    VipsImage *whole = vips_image_copy_memory(made);
    assert_true(likeness_of(v, &a) && likeness_of(whole, &b));
    double l = likeness_compare(&a, &b);
    likeness_free(&a);
    likeness_free(&b);
    g_object_unref(whole);
    g_object_unref(made);
    return l;
}

static VipsImage *sample_pixels(const char *name)
{
    VipsImage *v = decode_picture(edit_sample(arena, name), "");
    VipsImage *whole = vips_image_copy_memory(v);
    g_object_unref(v);
    return whole;
}

TEST(likeness_falls_with_quality)
{
    VipsImage *v = sample_pixels("photo.jpg");
    Likeness same = {0};
    assert_true(likeness_of(v, &same));
    assert_true(likeness_compare(&same, &same) == 1);
    likeness_free(&same);
    double best = likeness_at(v, 95), middle = likeness_at(v, 60), worst = likeness_at(v, 10);
    if (!(best > middle && middle > worst && best > 0.98 && worst < 0.97))
        fail_msg("95: %f, 60: %f, 10: %f", best, middle, worst);
    g_object_unref(v);
}

TEST(likeness_sees_colour)
{
    VipsImage *v = make_quarters(64, 64), *grey = NULL, *back = NULL;
    VipsImage *a = vips_image_copy_memory(v);
    assert_int_equal(vips_colourspace(v, &grey, VIPS_INTERPRETATION_B_W, NULL), 0);
    assert_int_equal(vips_colourspace(grey, &back, VIPS_INTERPRETATION_sRGB, NULL), 0);
    VipsImage *b = vips_image_copy_memory(back);
    Likeness la = {0}, lb = {0};
    assert_true(likeness_of(a, &la) && likeness_of(b, &lb));
    assert_true(likeness_compare(&la, &lb) < 0.95);
    likeness_free(&la);
    likeness_free(&lb);
    g_object_unref(v);
    g_object_unref(grey);
    g_object_unref(back);
    g_object_unref(a);
    g_object_unref(b);
}

TEST(likeness_of_any_size)
{
    static const int sizes[][2] = {{1, 1}, {7, 3}, {8, 8}, {9, 2000}, {3000, 5}, {33, 65}};
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        VipsImage *v = make_quarters(sizes[i][0] + 1, sizes[i][1] + 1);
        VipsImage *whole = vips_image_copy_memory(v);
        Likeness l = {0};
        assert_true(likeness_of(whole, &l));
        assert_true(likeness_compare(&l, &l) > 0.9999);
        likeness_free(&l);
        g_object_unref(v);
        g_object_unref(whole);
    }
}

static double number(const EditRun *e, const char *key)
{
    double d = -1;
    assert_true(json_double(json_get(e->r.data, key), &d));
    return d;
}

TEST(every_format_meets_its_target)
{
    static const char *const formats[] = {"webp", "avif", "jpeg", "png"};
    VipsImage *v = sample_pixels("photo.jpg");
    VipsImage *small = NULL;
    assert_int_equal(vips_thumbnail_image(v, &small, 120, NULL), 0);
    Str source = encode_picture(arena, small, ".png");
    g_object_unref(v);
    for (size_t f = 0; f < COUNT_OF(formats); f++) {
        char params[100];
        snprintf(params, sizeof params, "{\"format\":\"%s\",\"target\":\"good\"}", formats[f]);
        EditRun e = edit_run_one(&step_image_optimize, params, "a.png", source);
        assert_int_equal(e.r.code, OK);
        assert_int_equal(e.r.outputs_len, 1);
        assert_true(e.r.outputs[0].bytes.len <= source.len);
        assert_int_equal(edit_run_int(&e, "bytes"), (int64_t)e.r.outputs[0].bytes.len);
        assert_int_equal(edit_run_int(&e, "saved_bytes"),
                         (int64_t)(source.len - e.r.outputs[0].bytes.len));
        if (!json_bool(json_get(e.r.data, "kept_source"), true))
            assert_true(number(&e, "likeness") >= 0.9799);
        edit_run_free(&e);
    }
}

TEST(targets_are_in_order)
{
    static const char *const targets[] = {"small", "good", "high"};
    Str source = edit_sample(arena, "photo.jpg");
    int64_t before = 0;
    for (size_t i = 0; i < COUNT_OF(targets); i++) {
        char params[100];
        snprintf(params, sizeof params, "{\"format\":\"webp\",\"target\":\"%s\",\"width\":200}",
                 targets[i]);
        EditRun e = edit_run_one(&step_image_optimize, params, "a.jpg", source);
        assert_int_equal(e.r.code, OK);
        assert_true(edit_run_int(&e, "bytes") > before);
        assert_int_equal(edit_run_int(&e, "width"), 200);
        before = edit_run_int(&e, "bytes");
        edit_run_free(&e);
    }
}

TEST(never_larger_than_the_source)
{
    Str tiny = edit_sample(arena, "photo.jpg"); /* exactly, it takes four times as much */
    EditRun e = edit_run_one(&step_image_optimize, "{\"format\":\"webp\",\"target\":\"exact\"}",
                             "x/small.jpeg", tiny);
    assert_int_equal(e.r.code, OK);
    assert_true(json_bool(json_get(e.r.data, "kept_source"), false));
    assert_true(str_eq(e.r.outputs[0].bytes, tiny));
    assert_str_equal(e.r.outputs[0].name, "small.jpg");
    assert_str_equal(e.r.outputs[0].type, "image/jpeg");
    assert_int_equal(edit_run_int(&e, "saved_bytes"), 0);
    assert_true(edit_run_noted(&e, "given back"));
    edit_run_free(&e);
}

TEST(exact_is_exact)
{
    Str source = edit_sample(arena, "picture.png");
    EditRun e = edit_run_one(&step_image_optimize, "{\"target\":\"exact\"}", "p.png", source);
    assert_int_equal(e.r.code, OK);
    assert_false(json_bool(json_get(e.r.data, "kept_source"), true));
    VipsImage *before = decode_picture(source, ""),
              *after = decode_picture(e.r.outputs[0].bytes, "");
    VipsImage *difference = NULL, *sum = NULL;
    double most = -1;
    assert_int_equal(vips_subtract(before, after, &difference, NULL), 0);
    assert_int_equal(vips_abs(difference, &sum, NULL), 0);
    assert_int_equal(vips_max(sum, &most, NULL), 0);
    assert_true(most == 0);
    g_object_unref(before);
    g_object_unref(after);
    g_object_unref(difference);
    g_object_unref(sum);
    edit_run_free(&e);
    e = edit_run_one(&step_image_optimize, "{\"target\":\"exact\",\"format\":\"jpeg\"}", "p.png",
                     source);
    assert_int_equal(e.r.code, ERR_BAD_PARAM);
    edit_run_free(&e);
}

TEST(large_pictures_are_searched_in_tiles)
{
    VipsImage *noise = NULL, *soft = NULL, *rgb = NULL;
    assert_int_equal(
        vips_gaussnoise(&noise, 1600, 1000, "sigma", 60.0, "mean", 128.0, "seed", 7, NULL), 0);
    assert_int_equal(vips_gaussblur(noise, &soft, 2.0, NULL), 0);
    assert_int_equal(vips_cast_uchar(soft, &rgb, NULL), 0);
    g_object_unref(noise);
    g_object_unref(soft);
    Str source = encode_picture(arena, rgb, ".png");
    EditRun e = edit_run_one(&step_image_optimize, "{\"format\":\"webp\",\"likeness\":0.95}",
                             "n.png", source);
    assert_int_equal(e.r.code, OK);
    assert_int_equal(edit_run_int(&e, "width"), 1600);
    assert_true(number(&e, "likeness") >= 0.9499);
    assert_true(edit_run_int(&e, "bytes") < (int64_t)source.len);
    edit_run_free(&e);
}

TEST(animations_stay_animations)
{
    EditRun e = edit_run_one(&step_image_optimize, "{\"format\":\"webp\",\"target\":\"small\"}",
                             "a.gif", edit_sample(arena, "animated.gif"));
    assert_int_equal(e.r.code, OK);
    VipsImage *v = decode_picture(e.r.outputs[0].bytes, "[n=-1]");
    assert_int_equal(vips_image_get_page_height(v), 64);
    assert_true(v->Ysize > 64);
    g_object_unref(v);
    edit_run_free(&e);
}

TEST(survives_every_failure)
{
    step_runner_every_failure(&step_image_optimize, "{\"width\":40,\"format\":\"webp\"}", "a.png",
                              encode_picture(arena, make_quarters(64, 48), ".png"));
}

static int open_arena(void **state)
{
    (void)state;
    arena = arena_open(256 * MIB);
    return arena == NULL;
}

static int close_arena(void **state)
{
    (void)state;
    arena_close(&arena);
    return 0;
}

#define ENTRY(name) cmocka_unit_test_setup_teardown(name, open_arena, close_arena)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ENTRY(likeness_falls_with_quality),
        ENTRY(likeness_sees_colour),
        ENTRY(likeness_of_any_size),
        ENTRY(every_format_meets_its_target),
        ENTRY(targets_are_in_order),
        ENTRY(never_larger_than_the_source),
        ENTRY(exact_is_exact),
        ENTRY(large_pictures_are_searched_in_tiles),
        ENTRY(animations_stay_animations),
        ENTRY(survives_every_failure),
    };
    return cmocka_run_group_tests(tests, pictures_begin, NULL);
}

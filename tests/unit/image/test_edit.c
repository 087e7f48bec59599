/* Cropping, filtering, marking, sheets: what comes out is where it belongs. */
#include "edits.h"
#include "image/crop.c"
#include "image/filter.c"
#include "image/filter_ops.c"

static Arena *arena;
/* Files with static functions of the same names cannot all be included. */
extern const Step step_image_watermark, step_image_montage;

static VipsImage *result(const EditRun *e)
{
    assert_int_equal(e->r.code, OK);
    assert_int_equal(e->r.outputs_len, 1);
    return decode_picture(e->r.outputs[0].bytes, "");
}

TEST(boxes_are_inside)
{
    static const struct {
        Size in;
        int64_t w, h;
        Size want;
    } cases[] = {
        {{4000, 1000}, 400, 400, {400, 100}}, {{1000, 4000}, 400, 400, {100, 400}},
        {{100, 100}, 400, 400, {100, 100}},   {{4000, 1000}, 0, 500, {2000, 500}},
        {{4000, 1000}, 500, 0, {500, 125}},   {{4000, 1000}, 0, 0, {4000, 1000}},
        {{16384, 1}, 10, 10, {10, 1}},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        Size got = edit_inside(cases[i].in, cases[i].w, cases[i].h);
        if (got.w != cases[i].want.w || got.h != cases[i].want.h)
            fail_msg("%zu: %d x %d", i, (int)got.w, (int)got.h);
    }
}

TEST(shapes)
{
    static const struct {
        const char *text;
        bool ok;
        int64_t w, h;
    } cases[] = {{"16:9", true, 1600, 900},  {"1:1", true, 1000, 1000}, {"9:16", true, 562, 1000},
                 {"16:", false, 0, 0},       {"0:1", false, 0, 0},      {"x", false, 0, 0},
                 {"10000:1", true, 1600, 1}, {"-1:1", false, 0, 0}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        Box box = {0};
        bool ok = aspect_box(str_from_c(cases[i].text), (Size){1600, 1000}, &box);
        if (ok != cases[i].ok || (ok && (box.width != cases[i].w || box.height != cases[i].h)))
            fail_msg("%s: %d, %d x %d", cases[i].text, ok, (int)box.width, (int)box.height);
    }
}

TEST(crops_are_where_they_belong)
{
    static const struct {
        const char *params, *want; /* the quarters that are seen, from the top left */
        int w, h;
    } cases[] = {
        {"{\"box\":[\"0\",\"0\",\"40\",\"30\"]}", "rrrr", 40, 30},
        {"{\"box\":[\"40\",\"30\",\"40\",\"30\"]}", "wwww", 40, 30},
        {"{\"width\":40,\"height\":30}", "rgbw", 40, 30},
        {"{\"width\":40,\"height\":30,\"gravity\":\"north-east\"}", "gggg", 40, 30},
        {"{\"width\":40,\"height\":30,\"gravity\":\"south-west\"}", "bbbb", 40, 30},
        {"{\"width\":40,\"gravity\":\"west\"}", "rrbb", 40, 60},
        {"{\"height\":30,\"gravity\":\"south\"}", "bwbw", 80, 30},
        {"{\"aspect\":\"1:1\"}", "rgbw", 60, 60},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        EditRun e = edit_run_one(&step_image_crop, cases[i].params, "a.png",
                                 encode_picture(arena, make_quarters(80, 60), ".png"));
        VipsImage *v = result(&e);
        assert_int_equal(v->Xsize, cases[i].w);
        assert_int_equal(v->Ysize, cases[i].h);
        assert_quarters(v, cases[i].want, cases[i].params);
        g_object_unref(v);
        edit_run_free(&e);
    }
}

/* A noisy patch in an empty picture is what there is to see. */
TEST(crops_find_what_is_interesting)
{
    static const char *const gravities[] = {"attention", "entropy"};
    VipsImage *noise = NULL, *spot = NULL;
    assert_int_equal(vips_gaussnoise(&noise, 50, 50, "sigma", 90.0, "mean", 128.0, "seed", 3, NULL),
                     0);
    VipsImage *sheet = NULL, *paper = NULL;
    assert_int_equal(vips_cast_uchar(noise, &spot, NULL), 0);
    assert_int_equal(vips_black(&sheet, 400, 60, NULL), 0);
    assert_int_equal(vips_insert(sheet, spot, &paper, 320, 5, NULL), 0);
    Str bytes = encode_picture(arena, paper, ".png");
    g_object_unref(noise);
    g_object_unref(spot);
    g_object_unref(sheet);
    for (size_t i = 0; i < COUNT_OF(gravities); i++) {
        char params[100];
        double spread = 0;
        snprintf(params, sizeof params, "{\"width\":60,\"height\":60,\"gravity\":\"%s\"}",
                 gravities[i]);
        EditRun e = edit_run_one(&step_image_crop, params, "a.png", bytes);
        VipsImage *v = result(&e);
        assert_int_equal(vips_deviate(v, &spread, NULL), 0);
        if (spread < 30)
            fail_msg("%s: %f", gravities[i], spread);
        g_object_unref(v);
        edit_run_free(&e);
    }
}

TEST(borders_are_trimmed)
{
    VipsImage *inner = make_quarters(40, 30), *framed = NULL;
    VipsArrayDouble *white = vips_array_double_newv(3, 255.0, 255.0, 255.0);
    assert_int_equal(vips_embed(inner, &framed, 11, 7, 80, 60, "extend", VIPS_EXTEND_BACKGROUND,
                                "background", white, NULL),
                     0);
    vips_area_unref(VIPS_AREA(white));
    g_object_unref(inner);
    /* The white quarter goes with the border: three quarters are left to hold the box. */
    EditRun e = edit_run_one(&step_image_crop, "{\"trim\":true}", "a.png",
                             encode_picture(arena, framed, ".png"));
    VipsImage *v = result(&e);
    assert_int_equal(v->Xsize, 40);
    assert_int_equal(v->Ysize, 30);
    assert_int_equal(edit_run_int(&e, "left"), 11);
    assert_int_equal(edit_run_int(&e, "top"), 7);
    g_object_unref(v);
    edit_run_free(&e);
}

TEST(wrong_crops_are_refused)
{
    static const char *const cases[] = {
        "{}",
        "{\"box\":[\"70\",\"0\",\"40\",\"30\"]}",
        "{\"box\":[\"0\",\"0\",\"40\"]}",
        "{\"box\":[\"0\",\"0\",\"0\",\"30\"]}",
        "{\"box\":[\"0\",\"0\",\"4\",\"x\"]}",
        "{\"box\":[\"0\",\"0\",\"4\",\"4\"],\"width\":3}",
        "{\"aspect\":\"1:1\",\"width\":3}",
        "{\"aspect\":\"wide\"}",
        "{\"width\":81}",
        "{\"height\":61}",
        "{\"width\":10,\"background\":\"red\"}",
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        EditRun e = edit_run_one(&step_image_crop, cases[i], "a.png",
                                 encode_picture(arena, make_quarters(80, 60), ".png"));
        if (e.r.code != ERR_BAD_PARAM || e.r.err.param[0] == 0)
            fail_msg("%s: %s", cases[i], err_reason(e.r.code));
        edit_run_free(&e);
    }
}

/* Every operation, on colour, grey, and with transparency; the size is as it should be. */
TEST(every_filter_on_every_kind)
{
    static const char *const suffixes[] = {".jpg", ".png", ".webp"};
    for (size_t i = 0; i < COUNT_OF(kinds); i++)
        for (size_t s = 0; s < 3; s++) {
            VipsImage *v = make_quarters(40, 24), *other = NULL;
            if (s == 0)
                assert_int_equal(vips_colourspace(v, &other, VIPS_INTERPRETATION_B_W, NULL), 0);
            if (s == 2)
                assert_int_equal(vips_bandjoin_const1(v, &other, 128, NULL), 0);
            if (other != NULL) {
                g_object_unref(v);
                v = other;
            }
            char params[100];
            snprintf(params, sizeof params, "{\"operations\":[\"%s\"],\"format\":\"png\"}",
                     kinds[i].name);
            EditRun e = edit_run_one(&step_image_filter, params, "a",
                                     encode_picture(arena, v, suffixes[s]));
            VipsImage *made = result(&e);
            bool turned = strcmp(kinds[i].name, "rotate") == 0,
                 grown = strcmp(kinds[i].name, "border") == 0;
            if (made->Xsize != (turned ? 24 : grown ? 60 : 40))
                fail_msg("%s on %s: %d wide", kinds[i].name, suffixes[s], made->Xsize);
            g_object_unref(made);
            edit_run_free(&e);
        }
}

TEST(filters_do_what_they_say)
{
    static const struct {
        const char *operations, *want;
    } cases[] = {
        {"\"flip\"", "bwrg"},
        {"\"mirror\"", "grwb"},
        {"\"rotate:90\"", "brwg"},
        {"\"flip\",\"mirror\"", "wbgr"},
        {"\"hue:120\"", "gbrw"},
        {"\"saturation:1.2\"", "rgbw"},
        {"\"rotate:-90\",\"rotate\"", "rgbw"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char params[100];
        snprintf(params, sizeof params, "{\"operations\":[%s]}", cases[i].operations);
        EditRun e = edit_run_one(&step_image_filter, params, "a.png",
                                 encode_picture(arena, make_quarters(48, 48), ".png"));
        VipsImage *v = result(&e);
        assert_quarters(v, cases[i].want, cases[i].operations);
        g_object_unref(v);
        edit_run_free(&e);
    }
}

TEST(round_corners_are_clear)
{
    EditRun e = edit_run_one(&step_image_filter, "{\"operations\":[\"round:30%\"]}", "a.png",
                             encode_picture(arena, make_quarters(60, 60), ".png"));
    VipsImage *lazy = result(&e), *v = vips_image_copy_memory(lazy);
    assert_int_equal(v->Bands, 4);
    assert_int_equal(VIPS_IMAGE_ADDR(v, 0, 0)[3], 0);
    assert_int_equal(VIPS_IMAGE_ADDR(v, 59, 59)[3], 0);
    assert_int_equal(VIPS_IMAGE_ADDR(v, 30, 30)[3], 255);
    g_object_unref(v);
    g_object_unref(lazy);
    edit_run_free(&e);
}

TEST(wrong_filters_are_refused)
{
    static const struct {
        const char *operation, *says;
    } cases[] = {
        {"bluur", "only blur"},       {"blur:0", "0.3 to 100"}, {"blur:x", "no number"},
        {"grayscale:2", "no number"}, {"round:60%", "0 to 50"}, {"", "no operation"},
        {"sepia:nan", "sepia"},       {"blur:1e9", "0.3 to"},   {"blur:5%", "no number"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char params[100];
        snprintf(params, sizeof params, "{\"operations\":[\"%s\"]}", cases[i].operation);
        EditRun e = edit_run_one(&step_image_filter, params, "a.png", STR("never read"));
        if (e.r.code != ERR_BAD_PARAM || strstr(e.r.err.text, cases[i].says) == NULL)
            fail_msg("%s: %s %s", cases[i].operation, err_reason(e.r.code), e.r.err.text);
        assert_string_equal(e.r.err.param, "operations");
        edit_run_free(&e);
    }
}

/* How much changed between the two, per quarter. */
static double change(VipsImage *a, VipsImage *b, int x, int y)
{
    VipsImage *difference = NULL, *positive = NULL, *part = NULL;
    double mean = 0;
    assert_int_equal(vips_subtract(a, b, &difference, NULL), 0);
    assert_int_equal(vips_abs(difference, &positive, NULL), 0);
    assert_int_equal(vips_crop(positive, &part, x * a->Xsize / 2, y * a->Ysize / 2, a->Xsize / 2,
                               a->Ysize / 2, NULL),
                     0);
    assert_int_equal(vips_avg(part, &mean, NULL), 0);
    g_object_unref(difference);
    g_object_unref(positive);
    g_object_unref(part);
    return mean;
}

TEST(marks_lie_where_they_belong)
{
    static const struct {
        const char *params;
        bool changed[4];
    } cases[] = {
        {"{\"text\":\"Mark\",\"colour\":\"#000000\",\"position\":\"south-east\"}", {0, 0, 0, 1}},
        {"{\"text\":\"Mark\",\"colour\":\"#000000\",\"position\":\"north-west\"}", {1, 0, 0, 0}},
        {"{\"text\":\"Mark\",\"colour\":\"#000000\",\"tile\":true,\"size\":15}", {1, 1, 1, 1}},
        {"{\"text\":\"علامة\",\"colour\":\"#000000\",\"position\":\"north-east\",\"angle\":20}",
         {0, 1, 0, 0}},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        Str source = encode_picture(arena, make_quarters(400, 300), ".png");
        EditRun e = edit_run_one(&step_image_watermark, cases[i].params, "a.png", source);
        VipsImage *after = result(&e), *before = decode_picture(source, "");
        for (int q = 0; q < 4; q++)
            if ((change(before, after, q % 2, q / 2) > 0) != cases[i].changed[q])
                fail_msg("%s: quarter %d", cases[i].params, q);
        g_object_unref(before);
        g_object_unref(after);
        edit_run_free(&e);
    }
}

TEST(a_second_picture_is_a_mark)
{
    const EditInput files[] = {
        {"a.png", encode_picture(arena, make_quarters(200, 200), ".png")},
        {"logo.svg", edit_sample(arena, "logo.svg")},
    };
    EditRun e =
        edit_run(&step_image_watermark,
                 "{\"opacity\":1,\"size\":50,\"position\":\"north-west\",\"margin\":0}", files, 2);
    VipsImage *v = result(&e);
    assert_int_equal(edit_run_int(&e, "mark_width"), 100);
    g_object_unref(v);
    edit_run_free(&e);
    e = edit_run(&step_image_watermark, "{\"text\":\"both\"}", files, 2);
    assert_int_equal(e.r.code, ERR_BAD_PARAM);
    edit_run_free(&e);
    e = edit_run(&step_image_watermark, "{}", files, 1);
    assert_int_equal(e.r.code, ERR_BAD_PARAM);
    edit_run_free(&e);
    e = edit_run(&step_image_watermark, "{\"text\":\" \\n\"}", files, 1);
    assert_int_equal(e.r.code, ERR_BAD_PARAM);
    edit_run_free(&e);
}

TEST(a_sheet_has_its_cells)
{
    Str quarters = encode_picture(arena, make_quarters(64, 64), ".png");
    const EditInput files[] = {
        {"a.png", quarters}, {"b.txt", STR("no picture")}, {"c.png", quarters}};
    EditRun e = edit_run(
        &step_image_montage,
        "{\"cell_width\":32,\"columns\":2,\"gap\":4,\"format\":\"png\",\"labels\":true}", files, 3);
    VipsImage *v = result(&e), *cell = NULL;
    assert_int_equal(v->Xsize, 2 * 32 + 3 * 4);
    assert_int_equal(edit_run_int(&e, "rows"), 2);
    assert_int_equal(edit_run_int(&e, "pictures"), 2);
    assert_int_equal(edit_run_int(&e, "failed"), 1);
    assert_true(edit_run_noted(&e, "b.txt"));
    assert_int_equal(vips_crop(v, &cell, 4, 4, 32, 32, NULL), 0);
    assert_quarters(cell, "rgbw", "the first cell");
    g_object_unref(cell);
    g_object_unref(v);
    edit_run_free(&e);
    e = edit_run(&step_image_montage, "{}", &files[1], 1);
    assert_int_equal(e.r.code, ERR_UNSUPPORTED_TYPE);
    edit_run_free(&e);
    e = edit_run(&step_image_montage, "{\"cell_width\":2048,\"gap\":200,\"columns\":1}", files, 3);
    assert_int_equal(e.r.code, OK);
    edit_run_free(&e);
}

TEST(a_cut_gif_is_noticed)
{
    Str whole = edit_sample(arena, "animated.gif");
    assert_false(image_gif_is_cut((const unsigned char *)whole.ptr, whole.len));
    for (size_t len = 0; len < whole.len; len++)
        if (!image_gif_is_cut((const unsigned char *)whole.ptr, len))
            fail_msg("cut to %zu of %zu bytes", len, whole.len);
    EditRun e = edit_run_one(&step_image_filter, "{\"operations\":[\"flip\"]}", "a.gif",
                             str_slice(whole, 0, whole.len - 40));
    assert_int_equal(e.r.code, OK);
    assert_true(edit_run_noted(&e, "cut short"));
    assert_true(edit_run_noted(&e, "only the first"));
    edit_run_free(&e);
}

/* Position and camera are gone, in every format that could hold them. */
TEST(what_is_private_goes)
{
    static const char *const formats[] = {"webp", "avif", "jpeg", "png", "gif", "tiff"};
    static const char *const fields[] = {"exif-ifd0-Make", "exif-ifd3-GPSLatitude",
                                         VIPS_META_XMP_NAME, VIPS_META_ICC_NAME};
    Str photo = edit_sample(arena, "photo.jpg");
    VipsImage *before = decode_picture(photo, "");
    assert_true(vips_image_get_typeof(before, "exif-ifd3-GPSLatitude") != 0);
    g_object_unref(before);
    for (size_t f = 0; f < COUNT_OF(formats); f++) {
        char params[100];
        snprintf(params, sizeof params, "{\"width\":40,\"format\":\"%s\"}", formats[f]);
        EditRun e = edit_run_one(&step_image_crop, params, "a.jpg", photo);
        VipsImage *v = result(&e);
        for (size_t i = 0; i < COUNT_OF(fields); i++)
            if (vips_image_get_typeof(v, fields[i]) != 0)
                fail_msg("%s: %s is still there", formats[f], fields[i]);
        g_object_unref(v);
        edit_run_free(&e);
    }
    EditRun e =
        edit_run_one(&step_image_crop, "{\"width\":40,\"format\":\"webp\",\"metadata\":\"keep\"}",
                     "a.jpg", photo);
    VipsImage *v = result(&e);
    assert_true(vips_image_get_typeof(v, "exif-ifd3-GPSLatitude") != 0);
    g_object_unref(v);
    edit_run_free(&e);
}

TEST(survive_every_failure)
{
    Str png = encode_picture(arena, make_quarters(48, 32), ".png");
    step_runner_every_failure(&step_image_crop,
                              "{\"width\":20,\"height\":20,\"gravity\":\"entropy\"}", "a.png", png);
    step_runner_every_failure(&step_image_filter,
                              "{\"operations\":[\"round\",\"sepia\",\"blur:1\",\"rotate:30\"]}",
                              "a.png", png);
    step_runner_every_failure(&step_image_watermark, "{\"text\":\"x\",\"tile\":true}", "a.png",
                              png);
    step_runner_every_failure(&step_image_montage, "{\"cell_width\":20,\"labels\":true}", "a.png",
                              png);
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
        ENTRY(boxes_are_inside),
        ENTRY(shapes),
        ENTRY(crops_are_where_they_belong),
        ENTRY(crops_find_what_is_interesting),
        ENTRY(borders_are_trimmed),
        ENTRY(wrong_crops_are_refused),
        ENTRY(every_filter_on_every_kind),
        ENTRY(filters_do_what_they_say),
        ENTRY(round_corners_are_clear),
        ENTRY(wrong_filters_are_refused),
        ENTRY(marks_lie_where_they_belong),
        ENTRY(a_second_picture_is_a_mark),
        ENTRY(a_sheet_has_its_cells),
        ENTRY(a_cut_gif_is_noticed),
        ENTRY(what_is_private_goes),
        ENTRY(survive_every_failure),
    };
    return cmocka_run_group_tests(tests, pictures_begin, NULL);
}

#include "image/convert.c" /* white box: static functions are in reach */
#include "pictures.h"

static Arena *arena;

TEST(plan_meets_the_box)
{
    static const struct {
        const char *why;
        Size in;
        ConvertArgs args;
        Plan want;
    } cases[] = {
        {"no box", {400, 300}, {0}, {{400, 300}, {400, 300}}},
        {"a wide image", {4000, 1000}, {.width = 400, .height = 400}, {{400, 100}, {400, 100}}},
        {"a tall image", {1000, 4000}, {.width = 400, .height = 400}, {{100, 400}, {100, 400}}},
        {"only a width", {4000, 3000}, {.width = 1600}, {{1600, 1200}, {1600, 1200}}},
        {"only a height", {4000, 3000}, {.height = 1200}, {{1600, 1200}, {1600, 1200}}},
        {"cover",
         {4000, 1000},
         {.width = 400, .height = 400, .fit = FIT_COVER},
         {{1600, 400}, {1600, 400}}},
        {"crop",
         {4000, 1000},
         {.width = 400, .height = 400, .fit = FIT_CROP},
         {{1600, 400}, {400, 400}}},
        {"crop of something small",
         {300, 500},
         {.width = 400, .height = 400, .fit = FIT_CROP},
         {{300, 500}, {300, 400}}},
        {"crop, enlarged",
         {300, 500},
         {.width = 600, .height = 600, .fit = FIT_CROP, .enlarge = true},
         {{600, 1000}, {600, 600}}},
        {"stretch",
         {4000, 1000},
         {.width = 400, .height = 400, .fit = FIT_STRETCH},
         {{400, 400}, {400, 400}}},
        {"small stays small", {10, 10}, {.width = 40, .height = 40}, {{10, 10}, {10, 10}}},
        {"small stays small by width", {10, 10}, {.width = 40}, {{10, 10}, {10, 10}}},
        {"unless asked",
         {10, 10},
         {.width = 40, .height = 40, .enlarge = true},
         {{40, 40}, {40, 40}}},
        {"never zero pixels", {16384, 1}, {.width = 1, .height = 1}, {{1, 1}, {1, 1}}},
        {"the very largest",
         {1000000, 100},
         {.width = 16384, .height = 16384},
         {{16384, 2}, {16384, 2}}},
        {"the same size", {400, 300}, {.width = 400, .height = 300}, {{400, 300}, {400, 300}}},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        Plan got = convert_plan(cases[i].in, &cases[i].args), want = cases[i].want;
        if (memcmp(&got, &want, sizeof got) != 0)
            fail_msg("%s: got %" PRId64 "x%" PRId64 " cut to %" PRId64 "x%" PRId64, cases[i].why,
                     got.scale.w, got.scale.h, got.crop.w, got.crop.h);
    }
}

TEST(colours_are_read)
{
    static const struct {
        const char *text;
        bool ok;
        double want[3];
    } cases[] = {
        {"#ffffff", true, {255, 255, 255}},
        {"#0A7bc3", true, {10, 123, 195}},
        {"#fc0", true, {255, 204, 0}},
        {"#fffff", false, {0}},
        {"ffffff0", false, {0}},
        {"#ggg", false, {0}},
        {"", false, {0}},
        {"#", false, {0}},
        {"#12 456", false, {0}},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        double got[3] = {0};
        assert_int_equal(edit_colour(str_from_c(cases[i].text), got), cases[i].ok);
        if (cases[i].ok)
            assert_memory_equal(got, cases[i].want, sizeof got);
    }
}

TEST(outputs_are_named_after_inputs)
{
    static const struct {
        const char *input, *want;
    } cases[] = {
        {"photo.jpg", "photo.webp"},
        {"a/b/DSC_1.JPG", "DSC_1.webp"},
        {"C:\\x\\y.png", "y.webp"},
        {"archive.tar.gz", "archive.tar.webp"},
        {"", "image.webp"},
        {".hidden", ".hidden.webp"},
        {"no ending", "no ending.webp"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_str_equal(edit_name(arena, str_from_c(cases[i].input), "webp"), cases[i].want);
}

static StepRun convert(const char *params, Str bytes)
{
    StepRun r = step_runner_do(&step_image_convert, params, "in.bin", bytes);
    assert_int_equal(r.leaked_fds, 0);
    return r;
}

static void assert_code(const StepRun *r, ErrCode want, const char *why)
{
    if (r->code != want)
        fail_msg("%s: got %s (%s), want %s", why, err_reason(r->code), r->err.text,
                 err_reason(want));
    if (want != OK)
        step_runner_assert_explained(&step_image_convert, r);
}

TEST(every_format_in_and_out)
{
    static const char *const in[] = {".jpg", ".png", ".webp", ".gif", ".tif", ".avif", ".jxl"};
    static const char *const out[] = {"webp", "avif", "jpeg", "png", "gif", "tiff", "keep"};
    for (size_t i = 0; i < COUNT_OF(in); i++)
        for (size_t o = 0; o < COUNT_OF(out); o++) {
            char params[100], why[64];
            snprintf(params, sizeof params, "{\"format\":\"%s\",\"width\":60,\"quality\":90}",
                     out[o]);
            snprintf(why, sizeof why, "%s to %s", in[i], out[o]);
            StepRun r = convert(params, encode_picture(arena, make_quarters(120, 80), in[i]));
            assert_code(&r, OK, why);
            assert_int_equal(r.outputs_len, 1);
            VipsImage *v = decode_picture(r.outputs[0].bytes, "");
            if (v->Xsize != 60 || v->Ysize != 40)
                fail_msg("%s: %d x %d", why, v->Xsize, v->Ysize);
            assert_quarters(v, "rgbw", why);
            g_object_unref(v);
            step_runner_free(&r);
        }
}

TEST(all_eight_orientations)
{
    /* where the four colours lie when the picture is shown as EXIF says */
    static const char *const want[] = {NULL,   "rgbw", "grwb", "wbgr", "bwrg",
                                       "rbgw", "brwg", "wgbr", "gwrb"};
    static const char *const params[] = {"{\"format\":\"png\"}",
                                         "{\"format\":\"png\",\"width\":64,\"height\":64}",
                                         "{\"format\":\"png\",\"metadata\":\"keep\"}"};
    for (int orientation = 1; orientation <= 8; orientation++)
        for (size_t p = 0; p < COUNT_OF(params); p++) {
            char why[64];
            snprintf(why, sizeof why, "orientation %d, %s", orientation, params[p]);
            VipsImage *v = make_quarters(128, 64);
            vips_image_set_int(v, VIPS_META_ORIENTATION, orientation);
            StepRun r = convert(params[p], encode_picture(arena, v, ".jpg[Q=95]"));
            assert_code(&r, OK, why);
            VipsImage *made = decode_picture(r.outputs[0].bytes, "");
            assert_int_equal(vips_image_get_orientation(made), 1);
            assert_quarters(made, want[orientation], why);
            bool tall = orientation >= 5;
            assert_int_equal(made->Xsize < made->Ysize, tall);
            assert_int_equal(json_int(json_get(r.data, "source_width"), 0), tall ? 64 : 128);
            g_object_unref(made);
            step_runner_free(&r);
        }
}

TEST(fits_and_crops)
{
    Str wide = encode_picture(arena, make_quarters(400, 200), ".png");
    static const struct {
        const char *params;
        int width, height;
    } cases[] = {
        {"{\"width\":100,\"height\":100}", 100, 50},
        {"{\"width\":100,\"height\":100,\"fit\":\"cover\"}", 200, 100},
        {"{\"width\":100,\"height\":100,\"fit\":\"crop\"}", 100, 100},
        {"{\"width\":100,\"height\":100,\"fit\":\"stretch\"}", 100, 100},
        {"{\"width\":800}", 400, 200},
        {"{\"width\":800,\"enlarge\":true}", 800, 400},
        {"{\"width\":1,\"height\":1}", 1, 1},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        StepRun r = convert(cases[i].params, wide);
        assert_code(&r, OK, cases[i].params);
        VipsImage *v = decode_picture(r.outputs[0].bytes, "");
        if (v->Xsize != cases[i].width || v->Ysize != cases[i].height)
            fail_msg("%s: %d x %d", cases[i].params, v->Xsize, v->Ysize);
        if (v->Xsize > 1)
            assert_quarters(v, "rgbw", cases[i].params);
        g_object_unref(v);
        step_runner_free(&r);
    }
}

/* Three frames with a bar that grows. (Equal frames would become one.) */
static Str make_animation(const char *suffix)
{
    VipsImage *frames[3], *strip = NULL, *quarters = make_quarters(60, 40);
    for (int i = 0; i < 3; i++) {
        double black[] = {0, 0, 0};
        frames[i] = vips_image_copy_memory(quarters);
        vips_draw_rect(frames[i], black, 3, 28, 0, 4, 10 * (i + 1), "fill", TRUE, NULL);
    }
    g_object_unref(quarters);
    assert_int_equal(vips_arrayjoin(frames, &strip, 3, "across", 1, NULL), 0);
    for (int i = 0; i < 3; i++)
        g_object_unref(frames[i]);
    static int delays[] = {100, 200, 300};
    vips_image_set_int(strip, VIPS_META_PAGE_HEIGHT, 40);
    vips_image_set_array_int(strip, "delay", delays, 3);
    return encode_picture(arena, strip, suffix);
}

TEST(animations)
{
    static const struct {
        const char *in, *params, *options;
        int pages, width, height;
    } cases[] = {
        {".gif", "{\"animated\":true}", "n=-1", 3, 60, 40},
        {".gif", "{\"animated\":true,\"width\":30}", "n=-1", 3, 30, 20},
        {".webp",
         "{\"animated\":true,\"format\":\"gif\",\"width\":20,\"height\":20,\"fit\":\"crop\"}",
         "n=-1", 3, 20, 20},
        {".webp", "{\"animated\":true,\"page\":2}", "n=-1", 2, 60, 40},
        {".gif", "{}", "", 1, 60, 40},
        {".gif", "{\"page\":3,\"format\":\"png\"}", "", 1, 60, 40},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        StepRun r = convert(cases[i].params, make_animation(cases[i].in));
        assert_code(&r, OK, cases[i].params);
        assert_int_equal(json_int(json_get(r.data, "pages"), 0), cases[i].pages);
        VipsImage *v = decode_picture(r.outputs[0].bytes, cases[i].options);
        int tall = vips_image_get_page_height(v);
        if (v->Xsize != cases[i].width || tall != cases[i].height ||
            v->Ysize != cases[i].height * cases[i].pages)
            fail_msg("%s: %d x %d of %d", cases[i].params, v->Xsize, tall, v->Ysize);
        g_object_unref(v);
        step_runner_free(&r);
    }
    StepRun r = convert("{\"page\":4}", make_animation(".gif"));
    assert_code(&r, ERR_BAD_PARAM, "there is no fourth frame");
    assert_string_equal(r.err.param, "page");
    step_runner_free(&r);
    r = convert("{\"animated\":true,\"format\":\"png\"}", make_animation(".gif"));
    assert_code(&r, ERR_BAD_PARAM, "png is not animated");
    step_runner_free(&r);
}

/* The mean of a band of the output. */
static double mean_of(const StepRun *r, int band)
{
    VipsImage *v = decode_picture(r->outputs[0].bytes, ""), *one = NULL;
    double mean = -1;
    assert_int_equal(vips_extract_band(v, &one, band, NULL), 0);
    assert_int_equal(vips_avg(one, &mean, NULL), 0);
    g_object_unref(one);
    g_object_unref(v);
    return mean;
}

TEST(colours_come_out_right)
{
    /* Pure green of a wide profile lies outside sRGB: stripped, the numbers change; kept, the
     * profile stays. */
    VipsImage *v = make_quarters(64, 64), *p3 = NULL, *cmyk = NULL;
    assert_int_equal(vips_icc_transform(v, &p3, "p3", "input-profile", "srgb", NULL), 0);
    Str wide = encode_picture(arena, p3, ".png");
    StepRun stripped = convert("{\"format\":\"png\"}", wide),
            kept = convert("{\"format\":\"png\",\"metadata\":\"keep\"}", wide);
    assert_code(&stripped, OK, "p3 stripped");
    assert_code(&kept, OK, "p3 kept");
    VipsImage *a = decode_picture(stripped.outputs[0].bytes, ""),
              *b = decode_picture(kept.outputs[0].bytes, "");
    assert_int_equal(vips_image_get_typeof(a, VIPS_META_ICC_NAME), 0);
    assert_true(vips_image_get_typeof(b, VIPS_META_ICC_NAME) != 0);
    double want = (220 + 30 + 30 + 250) / 4.0;
    assert_true(mean_of(&stripped, 0) > want - 2 && mean_of(&stripped, 0) < want + 2);
    double apart = mean_of(&kept, 0) - mean_of(&stripped, 0);
    assert_true(apart > 1 || apart < -1);
    g_object_unref(a);
    g_object_unref(b);
    step_runner_free(&stripped);
    step_runner_free(&kept);

    assert_int_equal(vips_icc_transform(v, &cmyk, "cmyk", "input-profile", "srgb", NULL), 0);
    g_object_unref(v);
    Str press = encode_picture(arena, cmyk, ".jpg[Q=95]");
    static const char *const params[] = {"{\"format\":\"webp\"}",
                                         "{\"format\":\"png\",\"metadata\":\"keep\"}",
                                         "{\"format\":\"jpeg\",\"width\":32}"};
    for (size_t i = 0; i < COUNT_OF(params); i++) {
        StepRun r = convert(params[i], press);
        assert_code(&r, OK, params[i]);
        VipsImage *made = decode_picture(r.outputs[0].bytes, "");
        assert_int_equal(made->Bands, 3);
        assert_quarters(made, "rgbw", params[i]);
        g_object_unref(made);
        step_runner_free(&r);
    }
}

TEST(depth_grey_and_transparency)
{
    VipsImage *v = make_quarters(32, 32), *deep = NULL, *grey = NULL, *clear = NULL;
    assert_int_equal(vips_colourspace(v, &deep, VIPS_INTERPRETATION_RGB16, NULL), 0);
    assert_int_equal(vips_colourspace(v, &grey, VIPS_INTERPRETATION_B_W, NULL), 0);
    assert_int_equal(vips_bandjoin_const1(v, &clear, 0, NULL), 0);
    g_object_unref(v);
    const struct {
        Str in;
        const char *params;
        int bands, bits;
        double mean;
    } cases[] = {
        {encode_picture(arena, deep, ".png"), "{\"format\":\"png\"}", 3, 16, -1},
        {encode_picture(arena,
                        decode_picture(encode_picture(arena, make_quarters(32, 32), ".png"), ""),
                        ".tif"),
         "{\"format\":\"tiff\"}", 3, 8, -1},
        {encode_picture(arena, grey, ".png"), "{\"format\":\"jpeg\"}", 1, 8, -1},
        {encode_picture(arena, clear, ".png"), "{\"format\":\"jpeg\",\"background\":\"#008000\"}",
         3, 8, 0},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        StepRun r = convert(cases[i].params, cases[i].in);
        assert_code(&r, OK, cases[i].params);
        VipsImage *made = decode_picture(r.outputs[0].bytes, "");
        assert_int_equal(made->Bands, cases[i].bands);
        assert_int_equal(vips_format_sizeof(made->BandFmt) * 8, cases[i].bits);
        g_object_unref(made);
        if (cases[i].mean >= 0)
            assert_true(mean_of(&r, 0) < 3 && mean_of(&r, 1) > 125 && mean_of(&r, 1) < 131);
        step_runner_free(&r);
    }
}

static void put_be32(unsigned char *at, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        at[i] = (unsigned char)(v >> (24 - 8 * i));
}

static uint32_t crc_png(const unsigned char *bytes, size_t len)
{
    uint32_t c = 0xffffffff;
    for (size_t i = 0; i < len; i++) {
        c ^= bytes[i];
        for (int k = 0; k < 8; k++)
            c = c & 1 ? 0xedb88320 ^ (c >> 1) : c >> 1;
    }
    return ~c;
}

/* A PNG whose header says other sizes than its data has. */
static Str png_claiming(uint32_t width, uint32_t height)
{
    Str png = encode_picture(arena, make_quarters(8, 8), ".png");
    unsigned char *bytes = (unsigned char *)str_to_c(arena, png);
    memcpy(bytes, png.ptr, png.len);
    put_be32(bytes + 16, width);
    put_be32(bytes + 20, height);
    put_be32(bytes + 29, crc_png(bytes + 12, 17));
    return (Str){(char *)bytes, png.len};
}

TEST(too_many_pixels)
{
    static const char big_svg[] =
        "<svg xmlns='http://www.w3.org/2000/svg' width='100000' height='100000'/>";
    const struct {
        const char *why, *params;
        Str bytes;
        ErrCode want;
    } cases[] = {
        {"100,000 x 100,000", "{}", png_claiming(100000, 100000), ERR_LIMIT_PIXELS},
        {"a thumbnail of it", "{\"width\":10}", png_claiming(100000, 100000), ERR_LIMIT_PIXELS},
        {"just over the limit", "{}", png_claiming(10001, 10000), ERR_LIMIT_PIXELS},
        {"just at the limit, without data", "{}", png_claiming(10000, 10000), ERR_INPUT_DAMAGED},
        {"a huge drawing", "{}", str_from_c(big_svg), ERR_LIMIT_PIXELS},
        {"enlarged beyond it", "{\"width\":16384,\"enlarge\":true}",
         encode_picture(arena, make_quarters(64, 64), ".png"), ERR_LIMIT_PIXELS},
        {"too wide for webp", "{\"format\":\"webp\"}",
         encode_picture(arena, make_quarters(17000, 2), ".png"), ERR_BAD_PARAM},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        StepRun r = convert(cases[i].params, cases[i].bytes);
        assert_code(&r, cases[i].want, cases[i].why);
        step_runner_free(&r);
    }
}

TEST(damaged_and_strange_inputs)
{
    const struct {
        const char *why;
        Str bytes;
        ErrCode want;
    } cases[] = {
        {"nothing", STR(""), ERR_INPUT_EMPTY},
        {"text", STR("not a picture"), ERR_UNSUPPORTED_TYPE},
        {"a BMP", STR("BM\0\0\0\0\0\0\0\0\0\0\0\0"), ERR_UNSUPPORTED_TYPE},
        {"two bytes of JPEG", STR("\xff\xd8\xff"), ERR_INPUT_DAMAGED},
        {"an empty AVIF",
         STR("\0\0\0\x10"
             "ftypavif\0\0\0\0"),
         ERR_INPUT_DAMAGED},
        {"XML that ends", STR("<svg xmlns='http://www.w3.org/2000/svg' width='10' height='10'><g>"),
         ERR_INPUT_DAMAGED},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        StepRun r = convert("{}", cases[i].bytes);
        assert_code(&r, cases[i].want, cases[i].why);
        step_runner_free(&r);
    }
    static const char *const suffixes[] = {".jpg", ".png", ".webp", ".gif", ".tif", ".avif"};
    for (size_t s = 0; s < COUNT_OF(suffixes); s++) {
        Str whole = encode_picture(arena, make_quarters(64, 64), suffixes[s]);
        for (size_t len = 1; len < whole.len; len += 1 + whole.len / 40) {
            StepRun r = convert("{\"format\":\"png\"}", str_slice(whole, 0, len));
            if (r.code != OK)
                step_runner_assert_explained(&step_image_convert, &r);
            step_runner_free(&r);
        }
    }
}

TEST(survives_every_failure)
{
    step_runner_every_failure(&step_image_convert, "{\"width\":32,\"height\":32,\"fit\":\"crop\"}",
                              "a.jpg", encode_picture(arena, make_quarters(64, 48), ".jpg"));
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
        ENTRY(plan_meets_the_box),
        ENTRY(colours_are_read),
        ENTRY(outputs_are_named_after_inputs),
        ENTRY(every_format_in_and_out),
        ENTRY(all_eight_orientations),
        ENTRY(fits_and_crops),
        ENTRY(animations),
        ENTRY(colours_come_out_right),
        ENTRY(depth_grey_and_transparency),
        ENTRY(too_many_pixels),
        ENTRY(damaged_and_strange_inputs),
        ENTRY(survives_every_failure),
    };
    return cmocka_run_group_tests(tests, pictures_begin, NULL);
}

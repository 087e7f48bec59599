#include "image/info.c"
#include "image/metadata.c"
#include "pictures.h"

static Arena *arena;

TEST(exif_values_are_cut_out)
{
    static const struct {
        const char *field, *want;
    } cases[] = {
        {"Canon (Canon, ASCII, 6 components, 6 bytes)", "Canon"},
        {"A (b), c (A (b), c, ASCII, 9 components, 9 bytes)", "A (b), c"},
        {"  x  (  x , ASCII, 5 components, 5 bytes)", "x"},
        {"51/1 30/1 2650/100 (51, 30, 26.50, Rational, 3 components, 24 bytes)",
         "51/1 30/1 2650/100"},
        {"6 (Right-top, Short, 1 components, 2 bytes)", "6"},
        {"a, ASCII, b (a, ASCII, b, ASCII, 11 components, 11 bytes)", "a, ASCII, b"},
        {"", ""},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_str_equal(exif_value(str_from_c(cases[i].field)), cases[i].want);
}

TEST(positions)
{
    static const struct {
        const char *text;
        bool ok;
        double want;
    } cases[] = {
        {"51/1 30/1 0/1", true, 51.5},
        {"51/1 30/1", true, 51.5},
        {"18000/100 0/1 0/1", true, 180},
        {"181/1 0/1 0/1", false, 0},
        {"1/0 0/1 0/1", false, 0},
        {"0/0 0/0 0/0", true, 0},
        {"x", false, 0},
        {"", false, 0},
        {"-5/1 0/1 0/1", false, 0},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        double got = -1;
        bool ok = parse_degrees(str_from_c(cases[i].text), &got);
        if (ok != cases[i].ok || (ok && got != cases[i].want))
            fail_msg("\"%s\": %d, %f", cases[i].text, ok, got);
    }
}

TEST(times_and_cameras)
{
    assert_true(is_exif_time(STR("2026:05:17 18:42:10")));
    assert_false(is_exif_time(STR("0000:00:00 00:00:00")));
    assert_false(is_exif_time(STR("2026-05-17 18:42:10")));
    assert_false(is_exif_time(STR("    :  :     :  :  ")));
    assert_str_equal(camera_name(arena, STR("Canon"), STR("Canon EOS")), "Canon EOS");
    assert_str_equal(camera_name(arena, STR("NIKON CORPORATION"), STR("NIKON D50")), "NIKON D50");
    assert_str_equal(camera_name(arena, STR("Apple"), STR("iPhone 8")), "Apple iPhone 8");
    assert_str_equal(camera_name(arena, STR(""), STR("X")), "X");
    assert_str_equal(camera_name(arena, STR("Leica"), STR("")), "Leica");
}

static Str sample(const char *name)
{
    char path[512];
    Str bytes = {0};
    Err err = {0};
    snprintf(path, sizeof path, "%s/samples/%s", getenv("PLATEN_ROOT"), name);
    assert_ok(fd_read_path(path, arena, 16 * MIB, &bytes, &err), &err);
    return bytes;
}

static void assert_text(const StepRun *r, const char *key, const char *want)
{
    assert_str_equal(json_text(json_get(r->data, key)), want);
}

TEST(a_photo)
{
    StepRun r = step_runner_do(&step_image_info, "{}", "photo.jpg", sample("photo.jpg"));
    assert_int_equal(r.code, OK);
    assert_text(&r, "format", "jpeg");
    assert_text(&r, "camera", "Platen Sample 1");
    assert_text(&r, "taken_at", "2026-05-17T18:42:10+02:00");
    assert_int_equal(json_int(json_get(r.data, "width"), 0), 780);
    assert_int_equal(json_int(json_get(r.data, "orientation"), 0), 6);
    assert_true(json_bool(json_get(r.data, "has_position"), false));
    assert_null(json_get(r.data, "latitude")); /* only when asked for */
    assert_int_equal(r.outputs_len, 0);
    step_runner_free(&r);
    double latitude = 0;
    r = step_runner_do(&step_image_info, "{\"position\":true}", "photo.jpg", sample("photo.jpg"));
    assert_true(json_double(json_get(r.data, "latitude"), &latitude));
    assert_true(latitude > 48.2087 && latitude < 48.2088);
    step_runner_free(&r);
}

TEST(an_animation_a_drawing_and_a_profile)
{
    StepRun r = step_runner_do(&step_image_info, "{}", "animated.gif", sample("animated.gif"));
    assert_int_equal(json_int(json_get(r.data, "pages"), 0), 6);
    assert_int_equal(json_int(json_get(r.data, "duration_ms"), 0), 720);
    step_runner_free(&r);
    r = step_runner_do(&step_image_info, "{}", "logo.svg", sample("logo.svg"));
    assert_text(&r, "format", "svg");
    assert_int_equal(json_int(json_get(r.data, "height"), 0), 80);
    step_runner_free(&r);
    VipsImage *v = make_quarters(16, 16), *p3 = NULL;
    assert_int_equal(vips_icc_transform(v, &p3, "p3", "input-profile", "srgb", NULL), 0);
    g_object_unref(v);
    r = step_runner_do(&step_image_info, "{}", "p3.png", encode_picture(arena, p3, ".png"));
    assert_true(json_text(json_get(r.data, "profile")).len > 0);
    step_runner_free(&r);
}

TEST(survives_every_failure)
{
    step_runner_every_failure(&step_image_info, "{\"position\":true}", "photo.jpg",
                              sample("photo.jpg"));
}

static int open_arena(void **state)
{
    (void)state;
    arena = arena_open(64 * MIB);
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
        ENTRY(exif_values_are_cut_out),
        ENTRY(positions),
        ENTRY(times_and_cameras),
        ENTRY(a_photo),
        ENTRY(an_animation_a_drawing_and_a_profile),
        ENTRY(survives_every_failure),
    };
    return cmocka_run_group_tests(tests, pictures_begin, NULL);
}

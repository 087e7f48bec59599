/* Every format in and out through the closed sandbox: whatever a library opens on first use shows
 * here. */
#include "desk.h"
#include "pictures.h"

#include <sys/stat.h>

static Arena *arena;
static char dir[] = "/tmp/platen-image-XXXXXX";

static const char *write_file(const char *name, Str bytes)
{
    const char *path = str_to_c(arena, str_printf(arena, "%s/%s", dir, name));
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    Err err = {0};
    assert_true(fd >= 0);
    assert_ok(fd_write_all(fd, bytes.ptr, bytes.len, &err), &err);
    close(fd);
    return path;
}

static Str read_file(const char *name)
{
    Str bytes = {0};
    Err err = {0};
    assert_ok(fd_read_path(str_to_c(arena, str_printf(arena, "%s/%s", dir, name)), arena, 64 * MIB,
                           &bytes, &err),
              &err);
    return bytes;
}

TEST(every_format_in_and_out)
{
    static const char *const in[] = {"jpg", "png", "webp", "gif", "tif", "avif", "jxl"};
    static const char *const out[] = {"webp", "avif", "jpeg", "png", "gif", "tiff"};
    static const char *const ext[] = {"webp", "avif", "jpg", "png", "gif", "tif"};
    for (size_t i = 0; i < COUNT_OF(in); i++) {
        char suffix[16], name[16];
        snprintf(suffix, sizeof suffix, ".%s", in[i]);
        snprintf(name, sizeof name, "in.%s", in[i]);
        const char *path = write_file(name, encode_picture(arena, make_quarters(200, 100), suffix));
        for (size_t o = 0; o < COUNT_OF(out); o++) {
            char params[100], made[16];
            snprintf(params, sizeof params, "{\"format\":\"%s\",\"width\":100}", out[o]);
            snprintf(made, sizeof made, "in.%s", ext[o]);
            char *outs = str_to_c(arena, str_printf(arena, "%s/out", dir));
            DeskRun r = desk_run(arena, "image", "image.convert", params, path, outs);
            if (!r.ended_well || r.result == NULL)
                fail_msg("%s to %s: " STR_FMT " " STR_FMT, in[i], out[o], STR_ARG(r.reason),
                         STR_ARG(r.message));
            VipsImage *v =
                decode_picture(read_file(str_to_c(arena, str_printf(arena, "out/%s", made))), "");
            assert_int_equal(v->Xsize, 100);
            assert_quarters(v, "rgbw", out[o]);
            g_object_unref(v);
        }
    }
}

/* Black pixels of a line of text: none would mean that no font could be opened. */
TEST(text_in_drawings)
{
    static const char *const families[] = {"sans-serif", "serif", "monospace",
                                           "Nonexistent Family"};
    for (size_t i = 0; i < COUNT_OF(families); i++) {
        Str svg = str_printf(
            arena,
            "<svg xmlns='http://www.w3.org/2000/svg' width='300' height='60'><rect width='300' "
            "height='60' "
            "fill='#fff'/><text x='5' y='40' font-size='37' font-family='%s'>MMMM %zu</text></svg>",
            families[i], i);
        const char *path = write_file("text.svg", svg);
        DeskRun r = desk_run(arena, "image", "image.convert", "{\"format\":\"png\"}", path, dir);
        assert_true(r.result != NULL);
        VipsImage *inside = decode_picture(read_file("text.png"), ""),
                  *outside = decode_picture(svg, ""), *flat = NULL, *difference = NULL;
        double apart = -1, light = -1;
        /* The same picture as outside the sandbox, and not an empty one. */
        assert_int_equal(vips_subtract(inside, outside, &difference, NULL), 0);
        assert_int_equal(vips_flatten(inside, &flat, NULL), 0);
        assert_int_equal(vips_deviate(difference, &apart, NULL), 0);
        assert_int_equal(vips_avg(flat, &light, NULL), 0);
        if (apart > 0.01 || light > 240)
            fail_msg("%s: differs by %f, light %f", families[i], apart, light);
        g_object_unref(inside);
        g_object_unref(outside);
        g_object_unref(flat);
        g_object_unref(difference);
    }
}

TEST(drawings_read_no_files)
{
    const char *path = write_file(
        "x.svg",
        STR("<svg xmlns='http://www.w3.org/2000/svg' xmlns:xlink='http://www.w3.org/1999/xlink' "
            "width='64' height='64'><rect width='64' height='64' fill='#fff'/><image "
            "href='in.png' xlink:href='in.png' width='64' height='64'/></svg>"));
    write_file("in.png", encode_picture(arena, make_quarters(64, 64), ".png"));
    DeskRun r = desk_run(arena, "image", "image.convert", "{\"format\":\"png\"}", path, dir);
    assert_true(r.result != NULL);
    VipsImage *v = decode_picture(read_file("x.png"), "");
    assert_quarters(v, "wwww", "nothing of in.png");
    g_object_unref(v);
}

/* The hostile and odd files of the corpus: a result or a reason, never a crash. */
TEST(corpus_gives_results_or_reasons)
{
    static const char *const folders[] = {"image", "malformed", "malicious"};
    int seen = 0;
    for (size_t i = 0; i < COUNT_OF(folders); i++) {
        char folder[512];
        snprintf(folder, sizeof folder, "%s/../shared/corpus/%s", getenv("PLATEN_ROOT"),
                 folders[i]);
        DIR *d = opendir(folder);
        for (struct dirent *e; d != NULL && (e = readdir(d)) != NULL;) {
            if (e->d_name[0] == '.')
                continue;
            ArenaMark mark = arena_mark(arena);
            const char *path = str_to_c(arena, str_printf(arena, "%s/%s", folder, e->d_name));
            DeskRun r = desk_run(arena, "image", "image.convert", "{\"width\":64,\"height\":64}",
                                 path, dir);
            if (!r.ended_well)
                fail_msg("%s: no result and no reason", e->d_name);
            seen++;
            arena_rewind(arena, mark);
        }
        if (d != NULL)
            closedir(d);
    }
    if (seen == 0)
        skip();
}

static int count_tasks(void)
{
    int n = -2; /* "." and ".." */
    DIR *d = opendir("/proc/self/task");
    assert_non_null(d);
    while (readdir(d) != NULL)
        n++;
    closedir(d);
    return n;
}

/* A process with threads cannot be forked safely, and code shared between tasks could be changed by
 * one of them. */
TEST(warming_leaves_no_thread_and_no_shared_code)
{
    FILE *maps = fopen("/proc/self/maps", "re");
    char line[512];
    /* A worker of the library may still be on its way out; the kit waits for it in the same way. */
    for (int i = 0; i < 20000 && count_tasks() > 1; i++)
        usleep(1000);
    assert_int_equal(count_tasks(), 1);
    assert_non_null(maps);
    while (fgets(line, sizeof line, maps) != NULL) {
        const char *mode = strchr(line, ' '); /* " r-xp" */
        if (mode != NULL && mode[3] == 'x' && mode[4] == 's')
            fail_msg("shared code: %s", line);
    }
    fclose(maps);
}

static int begin(void **state)
{
    arena = arena_open(256 * MIB);
    return arena == NULL || mkdtemp(dir) == NULL || pictures_begin(state) != 0;
}

static int end(void **state)
{
    (void)state;
    desk_remove(dir);
    arena_close(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_ENTRY(warming_leaves_no_thread_and_no_shared_code),
        TEST_ENTRY(every_format_in_and_out), TEST_ENTRY(text_in_drawings),
        TEST_ENTRY(drawings_read_no_files), TEST_ENTRY(corpus_gives_results_or_reasons)};
    return cmocka_run_group_tests(tests, begin, end);
}

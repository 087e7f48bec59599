/* warm.c: everything that libvips opens on first use, opened now.
 *
 * Modules. vips_init would load all modules of its folder, ImageMagick, Poppler and OpenSlide among
 * them: 60 libraries that no step uses, but every task would inherit. So libvips is told to look
 * for modules where there are none, and the two that are wanted are loaded by name.
 *
 * Code made at run time. libvips compiles its inner loops with Orc (resizing takes twice as long
 * without), and Orc first tries to keep that code in a file shared between processes, which would
 * let one task write into the code of the next. With files limited to no bytes it falls back to
 * private memory; that memory is taken here, once, because the sandbox may refuse executable pages
 * later.
 *
 * Threads. Building an operation starts none; only evaluating pixels does. What has to be evaluated
 * here goes through a region on this thread. Pango asks fontconfig in threads that it does not
 * join; a process must not be forked while one of them is still on its way out, possibly with a
 * lock in its hand, so they are waited for. */
#include "image/warm_in.h"
#include "base/clock.h"

#include <dirent.h>
#include <gmodule.h>
#include <lcms2.h>
#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

static ErrCode load_module(const char *name, Err *err)
{
    g_autofree char *path = g_strdup_printf("%s/%s.so", PLATEN_VIPS_MODULES, name);
    GModule *module = g_module_open(path, G_MODULE_BIND_LAZY);
    if (module == NULL)
        return err_set(err, ERR_ENGINE_MISSING, "loading the libvips module %s: %s", name,
                       g_module_error());
    g_module_make_resident(module);
    return OK;
}

static ErrCode warm_vips(Err *err)
{
    setlocale(LC_ALL, "C.UTF-8");
    setenv("VIPSHOME", "/nonexistent", 1); /* no modules but ours */
    setenv("VIPS_CONCURRENCY", "1", 1);
    setenv("VIPS_DISC_THRESHOLD", "1000g", 1); /* large pictures stay in memory: there is no disk */
    setenv("VIPS_WARNING", "1", 1);            /* no warnings on standard error */
    setenv("RAYON_NUM_THREADS", "1", 1);       /* librsvg's filters */
    if (vips_init("platen-engine-image") != 0)
        return err_set(err, ERR_ENGINE_MISSING, "starting libvips: %.150s", vips_error_buffer());
    vips_concurrency_set(1);
    vips_cache_set_max(0);
    ErrCode rc = load_module("vips-heif", err);
    if (rc == OK)
        rc = load_module("vips-jxl", err);
    return rc;
}

/* Compile one resize, so that Orc has taken its memory. */
static void warm_orc(void)
{
    struct rlimit before, none;
    if (getrlimit(RLIMIT_FSIZE, &before) != 0)
        return;
    none = before;
    none.rlim_cur = 0;
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &none);

    VipsImage *black = NULL, *small = NULL;
    if (vips_black(&black, 64, 64, "bands", 3, NULL) == 0 &&
        vips_reducev(black, &small, 2.0, NULL) != 0)
        vips_error_clear();
    image_unref(&small);
    image_unref(&black);

    setrlimit(RLIMIT_FSIZE, &before);
    signal(SIGXFSZ, handler);
}

/* Draw a little text in the generic families. */
static void warm_svg(void)
{
    static const char svg[] =
        "<svg xmlns='http://www.w3.org/2000/svg' width='64' height='64'><filter "
        "id='f'><feGaussianBlur "
        "stdDeviation='1'/></filter><text y='9' font-family='sans-serif'>Ag</text><text y='19' "
        "font-family='serif'>Ag</text><text y='29' font-family='monospace'>Ag</text></svg>";
    VipsImage *v = NULL;
    if (vips_svgload_buffer((void *)(uintptr_t)svg, sizeof(svg) - 1, &v, NULL) == 0) {
        VipsRegion *region = vips_region_new(v);
        VipsRect all = {0, 0, v->Xsize, v->Ysize};
        if (region != NULL && vips_region_prepare(region, &all) != 0)
            vips_error_clear();
        if (region != NULL)
            g_object_unref(region);
    }
    image_unref(&v);
}

/* The profiles that libvips has inside itself, and the first transform of lcms. */
static void warm_colour(void)
{
    static const char *const names[] = {"srgb", "cmyk", "p3"};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        VipsBlob *blob = NULL;
        if (vips_profile_load(names[i], &blob, NULL) == 0 && blob != NULL)
            vips_area_unref(VIPS_AREA(blob));
        vips_error_clear();
    }
    cmsHPROFILE p = cmsCreate_sRGBProfile();
    if (p != NULL)
        cmsCloseProfile(p);
}

static int count_threads(void)
{
    int count = 0;
    DIR *d = opendir("/proc/self/task");
    if (d == NULL)
        return 1; /* no /proc: nothing can be said */
    for (struct dirent *e; (e = readdir(d)) != NULL;)
        count += e->d_name[0] != '.';
    closedir(d);
    return count;
}

static ErrCode wait_for_threads(Err *err)
{
    static const int64_t longest_us = 10 * 1000 * 1000;
    int64_t started = clock_mono_us();
    while (count_threads() > 1) {
        if (clock_mono_us() - started > longest_us)
            return err_set(err, ERR_INTERNAL,
                           "a library keeps a thread, so the engine cannot fork");
        nanosleep(&(struct timespec){.tv_nsec = 1000 * 1000}, NULL);
    }
    return OK;
}

ErrCode image_warm(Err *err)
{
    ErrCode rc = warm_vips(err);
    if (rc != OK)
        return rc;
    warm_orc();
    warm_colour();
    image_warm_fonts();
    warm_svg();
    vips_error_clear();
    return wait_for_threads(err);
}

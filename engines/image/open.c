/* open.c: from a descriptor to pixels. */
#include "image/image.h"
#include "base/fault.h"
#include "base/fd.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

void image_unref(VipsImage **v)
{
    if (*v != NULL)
        g_object_unref(*v);
    *v = NULL;
}

void image_replace(VipsImage **v, VipsImage *next)
{
    image_unref(v);
    *v = next;
}

void image_close(Image **img)
{
    if (*img == NULL)
        return;
    image_unref(&(*img)->header);
    if ((*img)->map != NULL)
        munmap((void *)(uintptr_t)(*img)->map, (*img)->map_size);
    *img = NULL; /* the struct lives in the task's arena */
}

/* The line of libvips' text that says most: readers that jump about fill it with notes about that.
 */
static Str said_line(Str said)
{
    Str line, first = {0};
    while (str_next(&said, '\n', &line)) {
        if (first.len == 0)
            first = line;
        if (line.len > 0 && !str_starts(line, STR("source: bad seek")))
            return line;
    }
    return first;
}

/* libvips says what failed in words only; these are the ones that have a reason of their own. */
ErrCode image_fail(StepCtx *c, const char *doing)
{
    static const struct {
        const char *words;
        ErrCode code;
    } known[] = {
        {"out of memory", ERR_LIMIT_MEMORY},
        {"unable to allocate", ERR_LIMIT_MEMORY},
        {"Memory allocation", ERR_LIMIT_MEMORY},
        {"ecurity limit", ERR_LIMIT_PIXELS},
        {"dimensions too", ERR_LIMIT_PIXELS},
        {"too many pixels", ERR_LIMIT_PIXELS},
        {"exceeds the maximum image size", ERR_LIMIT_PIXELS},
        {"No space left", ERR_DISK_FULL},
        {"write error", ERR_IO},
        {"killed", ERR_CANCELED},
        {"encrypted", ERR_INPUT_ENCRYPTED},
        {"nsupported", ERR_UNSUPPORTED_TYPE},
        {"not supported", ERR_UNSUPPORTED_TYPE},
    };
    const char *said = vips_error_buffer();
    ErrCode code = ERR_INPUT_DAMAGED;
    for (size_t i = 0; i < COUNT_OF(known) && code == ERR_INPUT_DAMAGED; i++)
        if (strstr(said, known[i].words) != NULL)
            code = known[i].code;
    Str line = said_line(str_from_c(said));
    err_set(c->err, code, "%s: " STR_FMT, doing, STR_ARG(str_slice(line, 0, 180)));
    vips_error_clear();
    return code;
}

static ErrCode map_input(StepCtx *c, int fd, Image *img)
{
    int64_t size = fd_size(fd);
    if (size < 0)
        return err_set(c->err, ERR_IO, "could not read the size of the input");
    if (size == 0)
        return err_set(c->err, ERR_INPUT_EMPTY, "the picture has 0 bytes");
    void *map = fault_hit("image.map") ? MAP_FAILED
                                       : mmap(NULL, (size_t)size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (map == MAP_FAILED)
        return err_set(c->err, ERR_NO_MEMORY, "mapping the input of %" PRId64 " bytes", size);
    img->map = map;
    img->map_size = (size_t)size;
    return OK;
}

static void source_unref(VipsSource **s)
{
    if (*s != NULL)
        g_object_unref(*s);
}

/* Call the loader of img's format. `scale`, `page` and `n` are passed on where the format knows
 * them. */
static VipsImage *call_loader(const Image *img, int page, int n, double scale, bool strict)
{
    if (fault_hit("image.load")) {
        vips_error("load", "out of memory");
        return NULL;
    }
    CLEANUP(source_unref) VipsSource *source = vips_source_new_from_memory(img->map, img->map_size);
    if (source == NULL)
        return NULL;
    const ImageFormatInfo *f = image_format(img->format);
    VipsImage *out = NULL;
    vips_error_clear(); /* it keeps what earlier calls have said */
    /* In steps of a power of two, and never below the size that is asked for. The decoder leaves
     * out frequencies instead of averaging blocks, so nothing is lost that the scaling after it
     * would keep. */
    int shrink = scale <= 1.0 / 8 ? 8 : scale <= 1.0 / 4 ? 4 : scale <= 1.0 / 2 ? 2 : 1;
    VipsFailOn fail_on = strict ? VIPS_FAIL_ON_TRUNCATED : VIPS_FAIL_ON_NONE;
    VipsAccess access = VIPS_ACCESS_SEQUENTIAL;
    int rc;
    if (img->format == IMAGE_JPEG)
        rc = vips_call(f->loader, source, &out, "access", access, "fail_on", fail_on, "shrink",
                       shrink, NULL);
    else if (img->format == IMAGE_WEBP)
        rc = vips_call(f->loader, source, &out, "access", access, "fail_on", fail_on, "page", page,
                       "n", n, "scale", 1.0 / shrink, NULL);
    else if (img->format == IMAGE_SVG)
        rc = vips_call(f->loader, source, &out, "fail_on", fail_on, "scale", scale, NULL);
    else if (f->pages)
        rc = vips_call(f->loader, source, &out, "access", access, "fail_on", fail_on, "page", page,
                       "n", n, NULL);
    else
        rc = vips_call(f->loader, source, &out, "access", access, "fail_on", fail_on, NULL);
    if (rc != 0)
        image_unref(&out);
    return out;
}

ErrCode image_open(StepCtx *c, int fd, Image **out)
{
    CLEANUP(image_close) Image *img = arena_new(c->arena, Image, 1);
    if (img == NULL)
        return err_set(c->err, ERR_NO_MEMORY, "opening the picture");
    ErrCode rc = map_input(c, fd, img);
    if (rc != OK)
        return rc;

    const char *other;
    img->format = image_sniff(img->map, img->map_size, &other);
    if (img->format == IMAGE_NONE && other != NULL)
        return err_set(c->err, ERR_UNSUPPORTED_TYPE, "%s is not read by this step", other);
    if (img->format == IMAGE_NONE)
        return err_set(c->err, ERR_UNSUPPORTED_TYPE,
                       "these bytes are no picture of a known format");

    img->header = call_loader(img, 0, 1, 1, false);
    if (img->header == NULL)
        return image_fail(c, "reading the picture's header");
    img->orientation = vips_image_get_orientation(img->header);
    img->pages = vips_image_get_n_pages(img->header);
    img->width = vips_image_get_width(img->header);
    img->height = vips_image_get_page_height(img->header);
    if (img->orientation >= 5) { /* lies on its side */
        int64_t w = img->width;
        img->width = img->height;
        img->height = w;
    }
    *out = img;
    img = NULL;
    return OK;
}

/* Every pixel of v, computed on this thread. */
static VipsImage *render_here(VipsImage *v)
{
    enum { STRIP = 256 };
    VipsImage *mem = vips_image_new_memory();
    VipsRegion *region = vips_region_new(v);
    bool ok = mem != NULL && region != NULL &&
              vips_image_pipelinev(mem, VIPS_DEMAND_STYLE_ANY, v, NULL) == 0 &&
              vips_image_write_prepare(mem) == 0;
    size_t line_bytes = VIPS_IMAGE_SIZEOF_LINE(v);
    for (int top = 0; ok && top < v->Ysize; top += STRIP) {
        VipsRect strip = {0, top, v->Xsize, VIPS_MIN(STRIP, v->Ysize - top)};
        ok = vips_region_prepare(region, &strip) == 0;
        for (int y = top; ok && y < top + strip.height; y++)
            memcpy(VIPS_IMAGE_ADDR(mem, 0, y), VIPS_REGION_ADDR(region, 0, y), line_bytes);
    }
    if (region != NULL)
        g_object_unref(region);
    if (!ok)
        image_unref(&mem);
    return mem;
}

ErrCode image_load(StepCtx *c, const Image *img, const ImageLoad *how, VipsImage **out)
{
    CLEANUP(image_unref)
    VipsImage *v = call_loader(img, how->page, how->animated ? -1 : 1, how->scale, true);
    if (v == NULL)
        return image_fail(c, "reading the picture");
    if (img->format == IMAGE_SVG) {
        image_replace(&v, render_here(v));
        if (v == NULL)
            return image_fail(c, "drawing the picture");
    }
    if (img->format == IMAGE_GIF && image_gif_is_cut(img->map, img->map_size))
        step_note(c, STR("the GIF is cut short: frames are missing, or the last one is not whole"));
    *out = v;
    v = NULL;
    return OK;
}

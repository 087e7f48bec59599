/* convert_page.c: which pages, how large, under which name. */
#include "document/convert_page_in.h"

#include "base/fd.h"

#include <stdio.h>
#include <unistd.h>

enum { PIXELS_MAX = 100 * 1000 * 1000, SIDE_MAX = 30000, OUTPUTS_MAX = 1000 };

ErrCode page_scale(const Job *j, float width, float height, float *scale, PageDrawn *out)
{
    *out = (PageDrawn){0};
    width = width > 1 ? width : 1;
    height = height > 1 ? height : 1;
    *scale = j->a->width > 0 ? (float)j->a->width / width : (float)j->a->dpi / 72;
    double w = (double)width * (double)*scale, h = (double)height * (double)*scale;
    out->picture.dpi = j->a->width > 0 ? 0 : (int)j->a->dpi;
    if (w * h <= PIXELS_MAX && w <= SIDE_MAX && h <= SIDE_MAX)
        return OK;
    err_set(j->c->err, ERR_LIMIT_PIXELS, "a page would have %.0f x %.0f pixels; the limit is %d", w,
            h, PIXELS_MAX);
    err_hint(j->c->err, "lower `dpi`, or say `width`");
    return ERR_LIMIT_PIXELS;
}

/* report-07.png of a report with 12 pages, report.png of one with a single page. */
static Str page_name(const Job *j, int64_t page_no, int64_t pages)
{
    int digits = 1;
    for (int64_t n = pages; n >= 10; n /= 10)
        digits++;
    Str base = convert_base(j->c);
    if (pages == 1)
        return str_printf(j->c->arena, STR_FMT ".%s", STR_ARG(base), convert_extension(j->to));
    return str_printf(j->c->arena, STR_FMT "-%0*" PRId64 ".%s", STR_ARG(base), digits, page_no,
                      convert_extension(j->to));
}

static ErrCode put_webp(Job *j, const Picture *p, int fd)
{
    StepCtx *c = j->c;
    CLEANUP(fd_close) int png = -1;
    CLEANUP(fd_close) int webp = -1;
    ErrCode rc = step_scratch(c, &png);
    if (rc == OK)
        rc = picture_put_png(p, png, c->err);
    if (rc != OK)
        return rc;
    const StepInput in = {
        .name = STR("page.png"), .type = STR("image/png"), .fd = png, .size_bytes = fd_size(png)};
    rc = convert_image(c, &in, "webp", j->a->quality, &webp);
    return rc == OK ? convert_copy(webp, fd, c->err) : rc;
}

static ErrCode put_picture(Job *j, const Picture *p, Str name)
{
    CLEANUP(fd_close) int fd = -1;
    StepCtx *c = j->c;
    if (name.ptr == NULL)
        return err_set(c->err, ERR_NO_MEMORY, "naming a page");
    ErrCode rc = step_output(c, name, str_from_c(convert_media_type(j->to)), &fd);
    if (rc != OK)
        return rc;
    if (j->to == TO_PNG)
        return picture_put_png(p, fd, c->err);
    if (j->to == TO_JPEG)
        return picture_put_jpeg(p, (int)j->a->quality, fd, c->err);
    return put_webp(j, p, fd);
}

static int64_t count_wanted(const Job *j, int64_t pages)
{
    int64_t wanted = 0;
    for (int64_t n = 1; n <= pages; n++)
        wanted += pages_wanted(j->a->pages, n);
    return wanted;
}

static ErrCode check_wanted(const Job *j, int64_t wanted, int64_t pages)
{
    if (wanted == 0) {
        err_set(j->c->err, ERR_BAD_PARAM,
                "there are %" PRId64 " pages, none of them in \"" STR_FMT "\"", pages,
                STR_ARG(j->a->pages));
        err_param(j->c->err, "pages");
        return ERR_BAD_PARAM;
    }
    if (wanted <= OUTPUTS_MAX)
        return OK;
    err_set(j->c->err, ERR_LIMIT_COUNT, "%" PRId64 " pages; at most %d become pictures at once",
            wanted, OUTPUTS_MAX);
    err_hint(j->c->err, "choose fewer with `pages`");
    return ERR_LIMIT_COUNT;
}

static void note_failed(const Job *j, int64_t failed, int64_t first)
{
    Str text = str_printf(j->c->arena,
                          "%" PRId64 " pages could not be drawn, the first of them page %" PRId64,
                          failed, first);
    if (failed > 0 && text.ptr != NULL)
        step_note(j->c, text);
}

ErrCode convert_each_page(Job *j, int64_t pages, const PageDrawer *drawer)
{
    StepCtx *c = j->c;
    int64_t wanted = count_wanted(j, pages), seen = 0, failed = 0, first_failed = 0;
    ErrCode rc = check_wanted(j, wanted, pages);
    for (int64_t n = 1; n <= pages && rc == OK; n++) {
        if (!pages_wanted(j->a->pages, n))
            continue;
        if (step_canceled(c))
            return err_set(c->err, ERR_CANCELED, "stopped at page %" PRId64, n);
        PageDrawn drawn = {0};
        rc = drawer->draw(drawer->arg, j, n, &drawn);
        if (rc == OK) {
            Picture p = picture_as_grey(drawn.picture, drawn.samples);
            rc = put_picture(j, &p, page_name(j, n, pages));
            j->outputs++;
        } else if (rc == ERR_INPUT_DAMAGED) {
            first_failed = failed++ == 0 ? n : first_failed;
            rc = failed < wanted ? OK : rc;
        }
        drawer->release(drawer->arg, &drawn);
        step_progress(c, ++seen, wanted, "pages");
    }
    if (rc != OK)
        return rc;
    note_failed(j, failed, first_failed);
    j->pages = j->outputs;
    j->how = "pages";
    return OK;
}

#include "ocr/picture.h"
#include "base/fault.h"
#include "base/fd.h"

#include <errno.h>
#include <leptonica/allheaders.h>
#include <string.h>
#include <sys/mman.h>

ErrCode picture_map(StepCtx *c, Str *out)
{
    int64_t size = fd_size(c->input_fd);
    if (size < 0)
        return err_set(c->err, ERR_IO, "could not read the input's size");
    if (size == 0)
        return err_set(c->err, ERR_INPUT_EMPTY, "\"" STR_FMT "\" has no bytes",
                       STR_ARG(str_slice(c->inputs[0].name, 0, 80)));
    void *p = fault_hit("ocr.map")
                  ? MAP_FAILED
                  : mmap(NULL, (size_t)size, PROT_READ, MAP_PRIVATE, c->input_fd, 0);
    if (p == MAP_FAILED)
        return err_set_errno(c->err, ERR_IO, errno, "could not map the input");
    *out = (Str){p, (size_t)size};
    return OK;
}

void picture_unmap(Str *bytes)
{
    if (bytes->ptr != NULL)
        munmap((void *)(uintptr_t)bytes->ptr, bytes->len);
    *bytes = (Str){0};
}

void picture_unref(struct Pix **p)
{
    pixDestroy(p);
}

ErrCode picture_open(Str bytes, Picture *out, Err *err)
{
    PictureKind kind = picture_kind(bytes);
    if (kind == PICTURE_NONE) {
        const char *other = picture_other(bytes);
        err_set(err, ERR_UNSUPPORTED_TYPE, "%s, which this step does not read",
                other != NULL ? other : "these bytes are no picture of a known format");
        err_hint(err, "send JPEG, PNG, TIFF, WebP, GIF, BMP or PNM; image.convert makes them");
        return ERR_UNSUPPORTED_TYPE;
    }
    *out = (Picture){.bytes = bytes,
                     .kind = kind,
                     .pages = picture_pages(kind, bytes),
                     .orientation = picture_orientation(kind, bytes)};
    return OK;
}

static int64_t le32(Str s, size_t at)
{
    const uint8_t *p = (const uint8_t *)s.ptr + at;
    return (int32_t)((uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
                     (uint32_t)p[3] << 24);
}

/* Of these leptonica would decode the whole picture to learn its size. */
static bool size_by_hand(const Picture *p, int64_t *w, int64_t *h)
{
    if (p->kind == PICTURE_BMP) {
        *w = le32(p->bytes, 18);
        *h = le32(p->bytes, 22);
        *h = *h < 0 ? -*h : *h;
        return true;
    }
    if (p->kind == PICTURE_GIF && p->bytes.len >= 10) {
        const uint8_t *b = (const uint8_t *)p->bytes.ptr;
        *w = b[6] | b[7] << 8;
        *h = b[8] | b[9] << 8;
        return true;
    }
    return false;
}

static bool size_of(const Picture *p, int64_t page_index, int64_t *w, int64_t *h)
{
    const l_uint8 *bytes = (const l_uint8 *)p->bytes.ptr;
    l_int32 iw = 0, ih = 0;
    if (size_by_hand(p, w, h))
        return *w > 0 && *h > 0;
    l_ok bad = p->kind == PICTURE_TIFF
                   ? readHeaderMemTiff(bytes, p->bytes.len, (l_int32)page_index, &iw, &ih, NULL,
                                       NULL, NULL, NULL, NULL)
                   : pixReadHeaderMem(bytes, p->bytes.len, NULL, &iw, &ih, NULL, NULL, NULL);
    *w = iw;
    *h = ih;
    return bad == 0 && iw > 0 && ih > 0;
}

/* EXIF's eight ways of holding a camera. */
static struct Pix *turn_upright(struct Pix *pix, int orientation)
{
    struct Pix *flipped = NULL, *turned;
    int quads = orientation == 3                       ? 2
                : orientation == 6 || orientation == 5 ? 1
                : orientation == 8 || orientation == 7 ? 3
                                                       : 0;
    if (orientation == 2 || orientation == 5 || orientation == 7 || orientation == 4)
        flipped = orientation == 4 ? pixFlipTB(NULL, pix) : pixFlipLR(NULL, pix);
    struct Pix *from = flipped != NULL ? flipped : pix;
    if (orientation == 5 || orientation == 7) /* mirrored, then turned the other way */
        quads = orientation == 5 ? 3 : 1;
    turned = quads != 0 ? pixRotateOrth(from, quads) : pixClone(from);
    pixDestroy(&flipped);
    return turned;
}

static double credible_dpi(const struct Pix *pix)
{
    int x = pixGetXRes(pix), y = pixGetYRes(pix);
    int dpi = x > y ? x : y;
    /* 72 and 96 are what programs write that know nothing. */
    return dpi > 100 && dpi <= 4800 ? dpi : 0;
}

ErrCode picture_load(const Picture *p, int64_t page_index, struct Pix **out, double *dpi, Err *err)
{
    const l_uint8 *bytes = (const l_uint8 *)p->bytes.ptr;
    int64_t w, h;
    if (!size_of(p, page_index, &w, &h))
        return err_set(err, ERR_INPUT_DAMAGED, "the header of the picture is not readable");
    if (w * h > OCR_PIXELS_MAX)
        return err_set(err, ERR_LIMIT_PIXELS, "%" PRId64 " x %" PRId64 " pixels, the limit is %d",
                       w, h, OCR_PIXELS_MAX);
    CLEANUP(picture_unref)
    struct Pix *pix = fault_hit("ocr.decode") ? NULL
                      : p->kind == PICTURE_TIFF
                          ? pixReadMemTiff(bytes, p->bytes.len, (l_int32)page_index)
                          : pixReadMem(bytes, p->bytes.len);
    if (pix == NULL)
        return err_set(err, errno == ENOMEM ? ERR_LIMIT_MEMORY : ERR_INPUT_DAMAGED,
                       "the picture could not be decoded");
    *dpi = credible_dpi(pix);
    *out = p->orientation != 1 ? turn_upright(pix, p->orientation) : pixClone(pix);
    return *out != NULL ? OK : err_set(err, ERR_LIMIT_MEMORY, "no memory to turn the picture");
}

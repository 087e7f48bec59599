#include "image/likeness.h"
#include "base/fault.h"

#include <math.h>
#include <stdlib.h>

enum { THIN_MAX = 1024, BLOCK = 4, WINDOW = 8, WINDOW_PIXELS = WINDOW * WINDOW };

void likeness_free(Likeness *l)
{
    for (int i = 0; i < LIKENESS_SCALES; i++)
        free(l->luma[i]);
    *l = (Likeness){0};
}

/* One line of pixels to brightness (the weights of BT.601, as JPEG and WebP use them). */
static void line_to_luma(const unsigned char *p, int bands, int width, unsigned char *out)
{
    bool colour = bands >= 3, alpha = bands == 2 || bands == 4;
    for (int x = 0; x < width; x++, p += bands) {
        int y = colour ? (77 * p[0] + 150 * p[1] + 29 * p[2] + 128) >> 8 : p[0];
        if (alpha)
            y = (y * p[bands - 1] + 128 * (255 - p[bands - 1]) + 127) / 255;
        out[x] = (unsigned char)y;
    }
}

static void halve(const unsigned char *from, int width, unsigned char *to, int to_width,
                  int to_height)
{
    for (int y = 0; y < to_height; y++) {
        const unsigned char *a = from + (size_t)(2 * y) * (size_t)width, *b = a + width;
        for (int x = 0; x < to_width; x++)
            to[x] = (unsigned char)((a[2 * x] + a[2 * x + 1] + b[2 * x] + b[2 * x + 1] + 2) >> 2);
        to += to_width;
    }
}

static unsigned char *new_plane(int width, int height)
{
    return fault_hit("image.luma") ? NULL : malloc((size_t)width * (size_t)height);
}

bool likeness_of(VipsImage *v, Likeness *out)
{
    CLEANUP(likeness_free) Likeness l = {.width = {v->Xsize}, .height = {v->Ysize}, .scales = 1};
    l.luma[0] = new_plane(v->Xsize, v->Ysize);
    if (l.luma[0] == NULL)
        return false;
    for (int y = 0; y < v->Ysize; y++)
        line_to_luma(VIPS_IMAGE_ADDR(v, 0, y), v->Bands, v->Xsize,
                     l.luma[0] + (size_t)y * (size_t)v->Xsize);
    for (int i = 1; i < LIKENESS_SCALES; i++) {
        int w = l.width[i - 1] / 2, h = l.height[i - 1] / 2;
        if (w < WINDOW || h < WINDOW)
            break;
        l.luma[i] = new_plane(w, h);
        if (l.luma[i] == NULL)
            return false;
        halve(l.luma[i - 1], l.width[i - 1], l.luma[i], w, h);
        l.width[i] = w;
        l.height[i] = h;
        l.scales++;
    }
    *out = l;
    l = (Likeness){0};
    return true;
}

/* Sums over pixels of both pictures: a, b, a² + b², a · b. */
typedef struct Sums {
    int a, b, squares, product;
} Sums;

static Sums sum_block(const unsigned char *a, const unsigned char *b, int stride, int w, int h)
{
    Sums s = {0};
    for (int y = 0; y < h; y++, a += stride, b += stride)
        for (int x = 0; x < w; x++) {
            s.a += a[x];
            s.b += b[x];
            s.squares += a[x] * a[x] + b[x] * b[x];
            s.product += a[x] * b[x];
        }
    return s;
}

typedef struct Ssim {
    double brightness, structure;
} Ssim;

/* Of `n` pixels; the constants keep flat areas from dividing by nothing. */
static Ssim ssim_of(Sums s, double n)
{
    static const double c1 = 0.01 * 255 * 0.01 * 255, c2 = 0.03 * 255 * 0.03 * 255;
    double a = s.a / n, b = s.b / n;
    double variances = s.squares / n - a * a - b * b, covariance = s.product / n - a * b;
    return (Ssim){(2 * a * b + c1) / (a * a + b * b + c1),
                  (2 * covariance + c2) / (variances + c2)};
}

/* The blocks of one line of blocks. */
static void sum_line(const unsigned char *a, const unsigned char *b, int stride, int blocks,
                     Sums *out)
{
    for (int i = 0; i < blocks; i++)
        out[i] =
            sum_block(a + (ptrdiff_t)i * BLOCK, b + (ptrdiff_t)i * BLOCK, stride, BLOCK, BLOCK);
}

static Sums add4(const Sums *p, const Sums *q)
{
    return (Sums){p[0].a + p[1].a + q[0].a + q[1].a, p[0].b + p[1].b + q[0].b + q[1].b,
                  p[0].squares + p[1].squares + q[0].squares + q[1].squares,
                  p[0].product + p[1].product + q[0].product + q[1].product};
}

/* The mean over all windows of one size. `lines` is room for two lines of blocks. */
static Ssim compare_scale(const Likeness *a, const Likeness *b, int scale, Sums *lines)
{
    int w = a->width[scale], h = a->height[scale], across = w / BLOCK, down = h / BLOCK;
    const unsigned char *pa = a->luma[scale], *pb = b->luma[scale];
    if (w < WINDOW || h < WINDOW) { /* one window; of a thread of pixels, its beginning */
        int some_w = w < THIN_MAX ? w : THIN_MAX, some_h = h < THIN_MAX ? h : THIN_MAX;
        return ssim_of(sum_block(pa, pb, w, some_w, some_h), (double)some_w * some_h);
    }
    Ssim sum = {0};
    Sums *above = lines, *here = lines + across;
    sum_line(pa, pb, w, across, above);
    for (int y = 1; y < down; y++) {
        size_t at = (size_t)y * BLOCK * (size_t)w;
        sum_line(pa + at, pb + at, w, across, here);
        for (int x = 0; x + 1 < across; x++) {
            Ssim one = ssim_of(add4(above + x, here + x), WINDOW_PIXELS);
            sum.brightness += one.brightness;
            sum.structure += one.structure;
        }
        Sums *old = above;
        above = here;
        here = old;
    }
    double windows = (double)(across - 1) * (down - 1);
    return (Ssim){sum.brightness / windows, sum.structure / windows};
}

double likeness_compare(const Likeness *a, const Likeness *b)
{
    /* The published weights, from the full size to the smallest. */
    static const double weights[LIKENESS_SCALES] = {0.0448, 0.2856, 0.3001, 0.2363, 0.1333};
    Sums *lines = fault_hit("image.sums")
                      ? NULL
                      : calloc((size_t)(a->width[0] / BLOCK + 1) * 2, sizeof *lines);
    if (lines == NULL)
        return -1;
    double product = 1, weight = 0;
    for (int i = 0; i < a->scales; i++)
        weight += weights[i];
    for (int i = 0; i < a->scales; i++) {
        Ssim s = compare_scale(a, b, i, lines);
        double value = i + 1 == a->scales ? s.structure * s.brightness : s.structure;
        product *= pow(value > 0 ? value : 0, weights[i] / weight);
    }
    free(lines);
    return product < 1 ? product : 1;
}

#include "image/likeness.h"
#include "base/fault.h"

#include <math.h>
#include <stdlib.h>

static const double flat_weight = 0.1, colour_weight = 0.2;
enum { THIN_MAX = 1024, BLOCK = 4, WINDOW = 8, WINDOW_PIXELS = WINDOW * WINDOW };

void likeness_free(Likeness *l)
{
    for (int i = 0; i < LIKENESS_SCALES; i++)
        free(l->luma[i]);
    free(l->blue);
    free(l->red);
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

/* Of two lines, the mean of each four pixels as differences of blue and red from brightness. */
static void lines_to_colour(const unsigned char *a, const unsigned char *b, int bands, int width,
                            unsigned char *blue, unsigned char *red)
{
    bool alpha = bands == 4;
    for (int x = 0; x < width; x++, a += 2 * bands, b += 2 * bands) {
        int sum[3];
        for (int k = 0; k < 3; k++)
            sum[k] = a[k] + a[bands + k] + b[k] + b[bands + k];
        int clear = alpha ? (a[3] + a[7] + b[3] + b[7] + 2) / 4 : 255;
        int cb = (-43 * sum[0] - 85 * sum[1] + 128 * sum[2]) / 1024;
        int cr = (128 * sum[0] - 107 * sum[1] - 21 * sum[2]) / 1024;
        blue[x] = (unsigned char)(128 + cb * clear / 256);
        red[x] = (unsigned char)(128 + cr * clear / 256);
    }
}

static bool colour_of(VipsImage *v, Likeness *l)
{
    int w = v->Xsize / 2, h = v->Ysize / 2;
    if (v->Bands < 3 || w < WINDOW || h < WINDOW)
        return true;
    l->blue = new_plane(w, h);
    l->red = new_plane(w, h);
    if (l->blue == NULL || l->red == NULL)
        return false;
    for (int y = 0; y < h; y++)
        lines_to_colour(VIPS_IMAGE_ADDR(v, 0, 2 * y), VIPS_IMAGE_ADDR(v, 0, 2 * y + 1), v->Bands, w,
                        l->blue + (size_t)y * (size_t)w, l->red + (size_t)y * (size_t)w);
    return true;
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
    if (!colour_of(v, &l))
        return false;
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
    double brightness, structure, weight;
} Ssim;

/* Of `n` pixels; the constants keep flat areas from dividing by nothing. The weight is what there is
 * to see: a page is mostly white, and yet its letters are what counts. */
static Ssim ssim_of(Sums s, double n)
{
    static const double c1 = 0.01 * 255 * 0.01 * 255, c2 = 0.03 * 255 * 0.03 * 255;
    double a = s.a / n, b = s.b / n;
    double variances = s.squares / n - a * a - b * b, covariance = s.product / n - a * b;
    return (Ssim){(2 * a * b + c1) / (a * a + b * b + c1), (2 * covariance + c2) / (variances + c2),
                  log2(1 + variances / c2) + flat_weight};
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

/* The mean over all windows. `lines` is room for two lines of blocks. */
static Ssim compare_plane(const unsigned char *pa, const unsigned char *pb, int w, int h,
                          Sums *lines)
{
    int across = w / BLOCK, down = h / BLOCK;
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
            sum.structure += one.structure * one.weight;
            sum.weight += one.weight;
        }
        Sums *old = above;
        above = here;
        here = old;
    }
    double windows = (double)(across - 1) * (down - 1);
    return (Ssim){sum.brightness / windows, sum.structure / sum.weight, 1};
}

double likeness_compare(const Likeness *a, const Likeness *b)
{
    /* From the full size to the smallest. Finer ones count for more than in the paper, whose viewers
     * sat far from low screens. */
    static const double weights[LIKENESS_SCALES] = {0.25, 0.30, 0.20, 0.15, 0.10};
    Sums *lines = fault_hit("image.sums")
                      ? NULL
                      : calloc((size_t)(a->width[0] / BLOCK + 1) * 2, sizeof *lines);
    if (lines == NULL)
        return -1;
    double product = 1, weight = 0;
    for (int i = 0; i < a->scales; i++)
        weight += weights[i];
    for (int i = 0; i < a->scales; i++) {
        Ssim s = compare_plane(a->luma[i], b->luma[i], a->width[i], a->height[i], lines);
        double value = i + 1 == a->scales ? s.structure * s.brightness : s.structure;
        product *= pow(value > 0 ? value : 0, weights[i] / weight);
    }
    if (a->blue != NULL && b->blue != NULL) {
        int w = a->width[0] / 2, h = a->height[0] / 2;
        double blue = compare_plane(a->blue, b->blue, w, h, lines).structure,
               red = compare_plane(a->red, b->red, w, h, lines).structure;
        product *= pow(blue > 0 && red > 0 ? blue * red : 0, colour_weight / 2);
    }
    free(lines);
    return product < 1 ? product : 1;
}

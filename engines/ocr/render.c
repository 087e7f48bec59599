/* render.c: the decisions about a page that need no PDF library. */
#include "ocr/render.h"

#include <math.h>

static const double dpi_plain = 300, dpi_most = 350, dpi_least = 72, pixels_most = 30e6;
static const double scan_covers = 0.6, picture_counts = 0.25;
enum { STAMP_CHARACTERS = 50 };

double render_dpi(const RenderPage *p)
{
    double dpi = p->picture_covers >= picture_counts ? p->picture_dpi : dpi_plain;
    if (dpi > dpi_most || dpi <= 0)
        dpi = dpi_plain;
    if (dpi < dpi_least)
        dpi = dpi_least;
    double pixels = p->width / 72 * dpi * (p->height / 72 * dpi);
    return pixels > pixels_most ? dpi * sqrt(pixels_most / pixels) : dpi;
}

bool render_has_text(const RenderPage *p)
{
    if (p->picture_covers >= scan_covers)
        return p->characters >= STAMP_CHARACTERS;
    return p->characters > 0;
}

#include "document/pdf_profile.h"

#include "base/buf.h"

#include <math.h>

enum { HEAD = 128, TAGS = 9, CURVE = 1024, XYZ_BYTES = 20, TEXT_BYTES = 24, DESC_BYTES = 104 };

static void add(Buf *b, uint32_t v, int bytes)
{
    while (bytes-- > 0)
        buf_add_char(b, (char)(v >> (8 * bytes)));
}

static void add_fixed(Buf *b, double v)
{
    add(b, (uint32_t)(int32_t)lround(v * 65536), 4);
}

static void add_zeros(Buf *b, size_t upto)
{
    while (b->len < upto && !b->failed)
        buf_add_char(b, 0);
}

static void add_head(Buf *b, uint32_t size)
{
    add(b, size, 4);
    add(b, 0, 4);
    add(b, 0x02100000, 4);
    buf_add_c(b, "mntrRGB XYZ ");
    add(b, 2026 << 16 | 1, 4); /* a date; year and month */
    add(b, 1 << 16, 4);
    add(b, 0, 4);
    buf_add_c(b, "acsp");
    add_zeros(b, 68);
    add_fixed(b, 0.9642); /* D50, in which profiles are connected */
    add_fixed(b, 1);
    add_fixed(b, 0.8249);
    add_zeros(b, HEAD);
}

static void add_tag(Buf *b, const char *name, size_t at, size_t size)
{
    buf_add_c(b, name);
    add(b, (uint32_t)at, 4);
    add(b, (uint32_t)size, 4);
}

static void add_xyz(Buf *b, double x, double y, double z)
{
    buf_add_c(b, "XYZ ");
    add(b, 0, 4);
    add_fixed(b, x);
    add_fixed(b, y);
    add_fixed(b, z);
}

/* IEC 61966-2-1 */
static double linear(double v)
{
    return v <= 0.04045 ? v / 12.92 : pow((v + 0.055) / 1.055, 2.4);
}

static void add_curve(Buf *b)
{
    buf_add_c(b, "curv");
    add(b, 0, 4);
    add(b, CURVE, 4);
    for (int i = 0; i < CURVE; i++)
        add(b, (uint32_t)lround(linear(i / (CURVE - 1.0)) * 65535), 2);
}

static void add_texts(Buf *b, size_t desc)
{
    buf_add_c(b, "desc");
    add(b, 0, 4);
    add(b, 5, 4);
    buf_add(b, (Str){"sRGB", 5});
    add_zeros(b, desc + DESC_BYTES);
    buf_add_c(b, "text");
    add(b, 0, 4);
    buf_add(b, (Str){"Public domain\0\0", 16});
}

Str pdf_profile(Arena *a)
{
    enum {
        DESC = HEAD + 4 + TAGS * 12,
        TEXT = DESC + DESC_BYTES,
        WHITE = TEXT + TEXT_BYTES,
        CURVES = WHITE + 4 * XYZ_BYTES,
        CURVE_BYTES = 12 + 2 * CURVE,
    };
    Buf b = buf_init(a, 16 * KIB);
    add_head(&b, CURVES + CURVE_BYTES);
    add(&b, TAGS, 4);
    add_tag(&b, "desc", DESC, 95);
    add_tag(&b, "cprt", TEXT, 22);
    add_tag(&b, "wtpt", WHITE, XYZ_BYTES);
    add_tag(&b, "rXYZ", WHITE + XYZ_BYTES, XYZ_BYTES);
    add_tag(&b, "gXYZ", WHITE + 2 * XYZ_BYTES, XYZ_BYTES);
    add_tag(&b, "bXYZ", WHITE + 3 * XYZ_BYTES, XYZ_BYTES);
    add_tag(&b, "rTRC", CURVES, CURVE_BYTES);
    add_tag(&b, "gTRC", CURVES, CURVE_BYTES);
    add_tag(&b, "bTRC", CURVES, CURVE_BYTES);
    add_texts(&b, DESC);
    add_xyz(&b, 0.9642, 1, 0.8249);
    add_xyz(&b, 0.4360747, 0.2225045, 0.0139322);
    add_xyz(&b, 0.3850649, 0.7168786, 0.0971045);
    add_xyz(&b, 0.1430804, 0.0606169, 0.7141733);
    add_curve(&b);
    return b.failed ? (Str){0} : buf_str(&b);
}

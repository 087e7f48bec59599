/* metadata.c: EXIF through libvips' text form of it, ICC through lcms. */
#include "image/metadata.h"

#include <lcms2.h>
#include <math.h>

/* libvips writes "VALUE (READABLE, TYPE, n components, n bytes)". For text VALUE and READABLE are
 * the same, so the middle is known even when the value has parentheses itself. */
static Str exif_value(Str field)
{
    size_t ascii = STR_NONE;
    for (size_t from = 0, at;
         (at = str_find(str_slice(field, from, field.len), STR(", ASCII, "))) != STR_NONE;
         from = ascii + 1)
        ascii = from + at;
    if (ascii != STR_NONE && ascii >= 2)
        return str_trim(str_slice(field, 0, (ascii - 2) / 2));
    size_t open = str_find(field, STR(" ("));
    return str_trim(str_slice(field, 0, open));
}

Str metadata_exif(Arena *a, VipsImage *v, const char *field)
{
    const char *text;
    if (vips_image_get_typeof(v, field) == 0 || vips_image_get_string(v, field, &text) != 0)
        return (Str){0};
    return str_copy(a, exif_value(str_from_c(text)));
}

/* "2016:04:02 14:25:01" is the only form EXIF allows; anything else is not repeated. */
static bool is_exif_time(Str s)
{
    static const char form[] = "dddd:dd:dd dd:dd:dd";
    if (s.len != sizeof(form) - 1)
        return false;
    for (size_t i = 0; i < s.len; i++)
        if (form[i] == 'd' ? s.ptr[i] < '0' || s.ptr[i] > '9' : s.ptr[i] != form[i])
            return false;
    return !str_starts(s, STR("0000"));
}

Str metadata_taken_at(Arena *a, VipsImage *v)
{
    Str t = metadata_exif(a, v, "exif-ifd2-DateTimeOriginal");
    if (!is_exif_time(t))
        t = metadata_exif(a, v, "exif-ifd0-DateTime");
    if (!is_exif_time(t))
        return (Str){0};
    Str zone = metadata_exif(a, v, "exif-ifd2-OffsetTimeOriginal");
    if (zone.len != 6 || (zone.ptr[0] != '+' && zone.ptr[0] != '-'))
        zone = (Str){0};
    return str_printf(a, "%.4s-%.2s-%.2sT%.8s" STR_FMT, t.ptr, t.ptr + 5, t.ptr + 8, t.ptr + 11,
                      STR_ARG(zone));
}

/* "51/1 30/1 2650/100": degrees, minutes and seconds as fractions. */
static bool parse_degrees(Str text, double *out)
{
    double sum = 0, unit = 1;
    Str part;
    int parts = 0;
    while (parts < 3 && str_next(&text, ' ', &part)) {
        int64_t over, under;
        size_t slash = str_find_char(part, '/');
        if (slash == STR_NONE || !str_to_i64(str_slice(part, 0, slash), &over) ||
            !str_to_i64(str_slice(part, slash + 1, part.len), &under) || (under == 0 && over != 0))
            return false;
        sum += under == 0 ? 0 : (double)over / (double)under / unit;
        unit *= 60;
        parts++;
    }
    *out = sum;
    return parts > 0 && isfinite(sum) && sum >= 0 && sum <= 180;
}

bool metadata_position(Arena *a, VipsImage *v, double *latitude, double *longitude)
{
    double lat, lon;
    if (!parse_degrees(metadata_exif(a, v, "exif-ifd3-GPSLatitude"), &lat) ||
        !parse_degrees(metadata_exif(a, v, "exif-ifd3-GPSLongitude"), &lon) || lat > 90)
        return false;
    *latitude = str_starts(metadata_exif(a, v, "exif-ifd3-GPSLatitudeRef"), STR("S")) ? -lat : lat;
    *longitude =
        str_starts(metadata_exif(a, v, "exif-ifd3-GPSLongitudeRef"), STR("W")) ? -lon : lon;
    return true;
}

Str metadata_profile_name(Arena *a, VipsImage *v)
{
    const void *bytes;
    size_t size;
    char name[128];
    if (vips_image_get_typeof(v, VIPS_META_ICC_NAME) == 0 ||
        vips_image_get_blob(v, VIPS_META_ICC_NAME, &bytes, &size) != 0 || size > UINT32_MAX)
        return (Str){0};
    cmsHPROFILE p = cmsOpenProfileFromMem(bytes, (cmsUInt32Number)size);
    if (p == NULL)
        return (Str){0};
    cmsUInt32Number len =
        cmsGetProfileInfoASCII(p, cmsInfoDescription, "en", "US", name, sizeof(name));
    cmsCloseProfile(p);
    return len > 1 ? str_copy(a, str_trim(str_from_c(name))) : (Str){0};
}

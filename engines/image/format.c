/* format.c: which formats there are, and how to tell them apart. */
#include "image/image.h"

#include <string.h>

static const ImageFormatInfo formats[IMAGE_FORMATS] = {
    [IMAGE_NONE] = {"none", "application/octet-stream", "bin", NULL},
    [IMAGE_JPEG] = {"jpeg", "image/jpeg", "jpg", "jpegload_source", .side_max = 65500,
                    .quality = 82},
    [IMAGE_PNG] = {"png", "image/png", "png", "pngload_source", .side_max = 1000000, .effort = 4,
                   .alpha = true, .deep = true},
    [IMAGE_WEBP] = {"webp", "image/webp", "webp", "webpload_source", .side_max = 16383,
                    .quality = 80, .effort = 2, .alpha = true, .pages = true, .animates = true},
    [IMAGE_AVIF] = {"avif", "image/avif", "avif", "heifload_source", .side_max = 16384,
                    .quality = 60, .effort = 2, .alpha = true, .pages = true},
    [IMAGE_HEIC] = {"heic", "image/heic", "heic", "heifload_source", .pages = true},
    [IMAGE_GIF] = {"gif", "image/gif", "gif", "gifload_source", .side_max = 65535, .effort = 4,
                   .alpha = true, .pages = true, .animates = true},
    [IMAGE_TIFF] = {"tiff", "image/tiff", "tif", "tiffload_source", .side_max = 1000000,
                    .alpha = true, .pages = true, .deep = true},
    [IMAGE_JXL] = {"jxl", "image/jxl", "jxl", "jxlload_source"},
    [IMAGE_SVG] = {"svg", "image/svg+xml", "svg", "svgload_source"},
};

const ImageFormatInfo *image_format(ImageFormat f)
{
    return &formats[f];
}

/* ISO base media: the major brand, then the compatible ones, tell AVIF from HEIC. */
static ImageFormat sniff_heif(const unsigned char *bytes, size_t size)
{
    static const struct {
        char brand[5];
        ImageFormat format;
    } brands[] = {
        {"avif", IMAGE_AVIF}, {"avis", IMAGE_AVIF}, {"heic", IMAGE_HEIC}, {"heix", IMAGE_HEIC},
        {"heim", IMAGE_HEIC}, {"heis", IMAGE_HEIC}, {"hevc", IMAGE_HEIC}, {"hevx", IMAGE_HEIC},
    };
    if (size < 16 || memcmp(bytes + 4, "ftyp", 4) != 0)
        return IMAGE_NONE;
    size_t box =
        ((size_t)bytes[0] << 24) | ((size_t)bytes[1] << 16) | ((size_t)bytes[2] << 8) | bytes[3];
    if (box > size)
        box = size;
    for (size_t at = 8; at + 4 <= box; at += at == 8 ? 8 : 4)
        for (size_t i = 0; i < COUNT_OF(brands); i++)
            if (memcmp(bytes + at, brands[i].brand, 4) == 0)
                return brands[i].format;
    return IMAGE_NONE;
}

/* XML whose first element is <svg>, or <prefix:svg>. Looks at the first kilobytes only. */
static bool sniff_svg(Str s)
{
    s = str_slice(s, 0, 16 * KIB);
    if (str_starts(s, STR("\xef\xbb\xbf")))
        s = str_slice(s, 3, s.len);
    for (;;) {
        s = str_trim(s);
        size_t skip = STR_NONE;
        if (str_starts(s, STR("<?")))
            skip = str_find(s, STR("?>")) + 2;
        else if (str_starts(s, STR("<!--")))
            skip = str_find(s, STR("-->")) + 3;
        else if (str_starts(s, STR("<!DOCTYPE"))) {
            size_t subset = str_find_char(s, '['), close = str_find_char(s, '>');
            skip = (subset < close ? str_find(s, STR("]")) : close) + 1;
            if (subset < close)
                skip += str_find_char(str_slice(s, skip, s.len), '>') + 1;
        } else
            break;
        if (skip < 4 || skip >= s.len) /* STR_NONE + n wraps to a small number */
            return false;
        s = str_slice(s, skip, s.len);
    }
    if (!str_starts(s, STR("<")))
        return false;
    size_t end = 1;
    while (end < s.len && strchr(" \t\r\n/>", s.ptr[end]) == NULL)
        end++;
    Str tag = str_slice(s, 1, end);
    return str_eq(tag, STR("svg")) || str_ends(tag, STR(":svg"));
}

ImageFormat image_sniff(const unsigned char *bytes, size_t size, const char **other)
{
    static const struct {
        size_t at, len;
        const char *magic;
        ImageFormat format;
        const char *other;
    } kinds[] = {
        {0, 3, "\xff\xd8\xff", IMAGE_JPEG, NULL},
        {0, 8, "\x89PNG\r\n\x1a\n", IMAGE_PNG, NULL},
        {0, 6, "GIF87a", IMAGE_GIF, NULL},
        {0, 6, "GIF89a", IMAGE_GIF, NULL},
        {0, 4, "II*\0", IMAGE_TIFF, NULL},
        {0, 4, "MM\0*", IMAGE_TIFF, NULL},
        {0, 4, "II+\0", IMAGE_TIFF, NULL},
        {0, 4, "MM\0+", IMAGE_TIFF, NULL},
        {8, 4, "WEBP", IMAGE_WEBP, NULL},
        {0, 2, "\xff\x0a", IMAGE_JXL, NULL},
        {0, 12, "\0\0\0\x0cJXL \r\n\x87\n", IMAGE_JXL, NULL},
        {0, 12, "\0\0\0\x0cjP  \r\n\x87\n", IMAGE_NONE, "JPEG 2000"},
        {0, 2, "BM", IMAGE_NONE, "BMP"},
        {0, 4, "\0\0\1\0", IMAGE_NONE, "ICO"},
        {0, 4, "8BPS", IMAGE_NONE, "Photoshop"},
        {0, 5, "%PDF-", IMAGE_NONE, "PDF"},
        {0, 4, "%!PS", IMAGE_NONE, "PostScript"},
        {0, 4, "v/1\1", IMAGE_NONE, "OpenEXR"},
    };
    *other = NULL;
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        if (size < kinds[i].at + kinds[i].len ||
            memcmp(bytes + kinds[i].at, kinds[i].magic, kinds[i].len) != 0)
            continue;
        *other = kinds[i].other;
        return kinds[i].format;
    }
    ImageFormat heif = sniff_heif(bytes, size);
    if (heif != IMAGE_NONE)
        return heif;
    return sniff_svg((Str){(const char *)bytes, size}) ? IMAGE_SVG : IMAGE_NONE;
}

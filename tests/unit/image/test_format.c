#include "image/image.h"
#include "harness.h"

TEST(known_by_their_first_bytes)
{
    static const struct {
        Str bytes;
        ImageFormat want;
        const char *other;
    } cases[] = {
        {STR("\xff\xd8\xff\xe0"), IMAGE_JPEG, NULL},
        {STR("\x89PNG\r\n\x1a\n...."), IMAGE_PNG, NULL},
        {STR("GIF87a"), IMAGE_GIF, NULL},
        {STR("GIF89a"), IMAGE_GIF, NULL},
        {STR("GIF88a"), IMAGE_NONE, NULL},
        {STR("RIFF\0\0\0\0WEBPVP8 "), IMAGE_WEBP, NULL},
        {STR("RIFF\0\0\0\0WAVEfmt "), IMAGE_NONE, NULL},
        {STR("II*\0"), IMAGE_TIFF, NULL},
        {STR("MM\0*"), IMAGE_TIFF, NULL},
        {STR("\xff\x0a"), IMAGE_JXL, NULL},
        {STR("\0\0\0\x1c"
             "ftypavif\0\0\0\0mif1"),
         IMAGE_AVIF, NULL},
        {STR("\0\0\0\x18"
             "ftypmif1\0\0\0\0heicmif1"),
         IMAGE_HEIC, NULL},
        {STR("\0\0\0\x18"
             "ftypisom\0\0\0\0mp41isom"),
         IMAGE_NONE, NULL},
        {STR("\0\0\0\x10"
             "ftypmif1\0\0\0\0avif"),
         IMAGE_NONE, NULL}, /* the brand lies behind the box */
        {STR("<svg xmlns='http://www.w3.org/2000/svg'/>"), IMAGE_SVG, NULL},
        {STR("\xef\xbb\xbf<?xml version='1.0'?>\n<!-- x -->\n<svg>"), IMAGE_SVG, NULL},
        {STR("<!DOCTYPE svg PUBLIC '-//W3C//DTD SVG 1.1//EN' 'x.dtd'><svg>"), IMAGE_SVG, NULL},
        {STR("<!DOCTYPE svg [<!ENTITY a 'b>c'>]>\n<svg:svg>"), IMAGE_SVG, NULL},
        {STR("<html><svg></svg></html>"), IMAGE_NONE, NULL},
        {STR("<svgs>"), IMAGE_NONE, NULL},
        {STR("<?xml"), IMAGE_NONE, NULL},
        {STR("<!--"), IMAGE_NONE, NULL},
        {STR("<!DOCTYPE svg ["), IMAGE_NONE, NULL},
        {STR("BM......"), IMAGE_NONE, "BMP"},
        {STR("%PDF-1.7"), IMAGE_NONE, "PDF"},
        {STR("8BPS"), IMAGE_NONE, "Photoshop"},
        {STR("x"), IMAGE_NONE, NULL},
        {STR(""), IMAGE_NONE, NULL},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const char *other = "?";
        ImageFormat got =
            image_sniff((const unsigned char *)cases[i].bytes.ptr, cases[i].bytes.len, &other);
        if (got != cases[i].want)
            fail_msg("case %zu: %s, not %s", i, image_format(got)->name,
                     image_format(cases[i].want)->name);
        if (cases[i].other != NULL)
            assert_string_equal(other, cases[i].other);
        else
            assert_null(other);
    }
}

TEST(formats_are_complete)
{
    for (ImageFormat f = IMAGE_JPEG; f < IMAGE_FORMATS; f++) {
        const ImageFormatInfo *i = image_format(f);
        assert_non_null(i->name);
        assert_non_null(i->loader);
        assert_true(strncmp(i->type, "image/", 6) == 0);
        assert_true(i->effort >= 0 && i->effort <= 6);
    }
}

TEST_MAIN(known_by_their_first_bytes, formats_are_complete)

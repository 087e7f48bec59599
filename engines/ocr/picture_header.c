/* picture_header.c: what a picture's bytes say before anything is decoded. */
#include "ocr/picture.h"

#include <string.h>

static bool begins(Str s, const char *magic, size_t len)
{
    return s.len >= len && memcmp(s.ptr, magic, len) == 0;
}
#define BEGINS(s, magic) begins((s), (magic), sizeof(magic) - 1)

static bool box_of(Str s, const char *brand)
{
    return s.len >= 12 && memcmp(s.ptr + 4, "ftyp", 4) == 0 && memcmp(s.ptr + 8, brand, 4) == 0;
}

PictureKind picture_kind(Str s)
{
    if (BEGINS(s, "\xff\xd8\xff"))
        return PICTURE_JPEG;
    if (BEGINS(s, "\x89PNG\r\n\x1a\n"))
        return PICTURE_PNG;
    if (BEGINS(s, "II*\0") || BEGINS(s, "MM\0*") || BEGINS(s, "II+\0") || BEGINS(s, "MM\0+"))
        return PICTURE_TIFF;
    if (BEGINS(s, "RIFF") && s.len >= 12 && memcmp(s.ptr + 8, "WEBP", 4) == 0)
        return PICTURE_WEBP;
    if (BEGINS(s, "GIF87a") || BEGINS(s, "GIF89a"))
        return PICTURE_GIF;
    if (BEGINS(s, "BM") && s.len >= 26)
        return PICTURE_BMP;
    if (s.len >= 3 && s.ptr[0] == 'P' && s.ptr[1] >= '1' && s.ptr[1] <= '6' &&
        strchr(" \t\r\n", s.ptr[2]) != NULL && s.ptr[2] != 0)
        return PICTURE_PNM;
    if (BEGINS(s, "\0\0\0\x0cjP  \r\n\x87\n") || BEGINS(s, "\xff\x4f\xff\x51"))
        return PICTURE_JP2;
    return PICTURE_NONE;
}

const char *picture_other(Str s)
{
    if (box_of(s, "heic") || box_of(s, "heix") || box_of(s, "mif1"))
        return "a HEIC picture";
    if (box_of(s, "avif"))
        return "an AVIF picture";
    if (BEGINS(s, "\0\0\0\x0cJXL ") || BEGINS(s, "\xff\x0a"))
        return "a JPEG XL picture";
    if (BEGINS(s, "8BPS"))
        return "a Photoshop picture";
    if (BEGINS(s, "AT&TFORM"))
        return "a DjVu document";
    if (BEGINS(s, "<svg") || BEGINS(s, "<?xml"))
        return "a drawing or XML";
    return NULL;
}

/* --- TIFF and EXIF: numbers of either byte order, and 0 beyond the end */

typedef struct Tiff {
    Str s;
    bool big_endian, big_tiff;
} Tiff;

static uint64_t number(const Tiff *t, uint64_t at, size_t size)
{
    uint64_t v = 0;
    if (at > t->s.len || t->s.len - at < size)
        return 0;
    for (size_t i = 0; i < size; i++)
        v = v << 8 | (uint8_t)t->s.ptr[at + (t->big_endian ? i : size - 1 - i)];
    return v;
}

static bool tiff_begin(Str s, Tiff *out)
{
    if (s.len < 8 || (s.ptr[0] != 'I' && s.ptr[0] != 'M'))
        return false;
    *out = (Tiff){.s = s, .big_endian = s.ptr[0] == 'M'};
    uint64_t version = number(out, 2, 2);
    out->big_tiff = version == 43;
    return version == 42 || version == 43;
}

static uint64_t first_folder(const Tiff *t)
{
    return t->big_tiff ? number(t, 8, 8) : number(t, 4, 4);
}

static uint64_t folder_entries(const Tiff *t, uint64_t folder)
{
    return t->big_tiff ? number(t, folder, 8) : number(t, folder, 2);
}

static uint64_t next_folder(const Tiff *t, uint64_t folder)
{
    uint64_t n = folder_entries(t, folder);
    if (n > 65535)
        return 0;
    return t->big_tiff ? number(t, folder + 8 + n * 20, 8) : number(t, folder + 2 + n * 12, 4);
}

int64_t picture_pages(PictureKind kind, Str bytes)
{
    Tiff t;
    int64_t n = 0;
    if (kind != PICTURE_TIFF || !tiff_begin(bytes, &t))
        return 1;
    /* A chain that bites its own tail ends at the most there may be. */
    for (uint64_t f = first_folder(&t); f != 0 && f < bytes.len && n < PICTURE_PAGES_MAX;
         f = next_folder(&t, f))
        n++;
    return n > 0 ? n : 1;
}

static int exif_orientation(Str exif)
{
    Tiff t;
    if (!tiff_begin(exif, &t) || t.big_tiff)
        return 1;
    uint64_t folder = first_folder(&t), n = folder_entries(&t, folder);
    for (uint64_t i = 0; i < n && i < 512; i++) {
        uint64_t entry = folder + 2 + i * 12;
        if (number(&t, entry, 2) != 0x112)
            continue;
        uint64_t v = number(&t, entry + 8, 2);
        return v >= 1 && v <= 8 ? (int)v : 1;
    }
    return 1;
}

int picture_orientation(PictureKind kind, Str s)
{
    if (kind != PICTURE_JPEG)
        return 1; /* leptonica turns TIFF itself */
    for (size_t at = 2; at + 4 <= s.len && (uint8_t)s.ptr[at] == 0xff;) {
        uint8_t marker = (uint8_t)s.ptr[at + 1];
        size_t len = (size_t)((uint8_t)s.ptr[at + 2] << 8 | (uint8_t)s.ptr[at + 3]);
        if (marker == 0xda || len < 2)
            break;
        Str part = str_slice(s, at + 4, at + 2 + len);
        if (marker == 0xe1 && begins(part, "Exif\0\0", 6))
            return exif_orientation(str_slice(part, 6, part.len));
        at += 2 + len;
    }
    return 1;
}

#include "document/picture_out.h"

#include "base/fault.h"
#include "base/fd.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
/* jpeglib.h wants stdio.h before it */
#include <jpeglib.h>

Picture picture_as_grey(Picture p, unsigned char *samples)
{
    if (p.channels != 3)
        return p;
    for (int y = 0; y < p.height; y++) {
        const unsigned char *s = p.samples + (size_t)y * p.stride;
        for (int x = 0; x < p.width; x++, s += 3)
            if (s[0] != s[1] || s[1] != s[2])
                return p;
    }
    for (int y = 0; y < p.height; y++) {
        const unsigned char *s = p.samples + (size_t)y * p.stride;
        unsigned char *to = samples + (size_t)y * (size_t)p.width;
        for (int x = 0; x < p.width; x++)
            to[x] = s[3 * x];
    }
    p.channels = 1;
    p.stride = (size_t)p.width;
    return p;
}

/* --- PNG
 *
 * Rows are filtered by "up": pages are mostly white and ruled, so rows repeat. Level 4 of zlib is a
 * third of the time of level 6 for a few per cent more. */

enum { PNG_CHUNK = 128 << 10, PNG_LEVEL = 4, PNG_FILTER_UP = 2 };

typedef struct PngOut {
    int fd;
    Err *err;
    ErrCode rc;
    z_stream z;
    unsigned char chunk[PNG_CHUNK];
} PngOut;

static void be32(unsigned char *p, uint32_t v)
{
    p[0] = (unsigned char)(v >> 24);
    p[1] = (unsigned char)(v >> 16);
    p[2] = (unsigned char)(v >> 8);
    p[3] = (unsigned char)v;
}

static void put(PngOut *o, const void *bytes, size_t len)
{
    if (o->rc == OK)
        o->rc = fd_write_all(o->fd, bytes, len, o->err);
}

static void put_chunk(PngOut *o, const char name[4], const unsigned char *bytes, size_t len)
{
    unsigned char head[8], tail[4];
    be32(head, (uint32_t)len);
    memcpy(head + 4, name, 4);
    uLong crc = crc32(0, head + 4, 4);
    be32(tail, (uint32_t)(len > 0 ? crc32(crc, bytes, (uInt)len) : crc));
    put(o, head, sizeof head);
    if (len > 0)
        put(o, bytes, len);
    put(o, tail, sizeof tail);
}

static void put_head(PngOut *o, const Picture *p)
{
    unsigned char ihdr[13] = {0}, phys[9];
    put(o, "\x89PNG\r\n\x1a\n", 8);
    be32(ihdr, (uint32_t)p->width);
    be32(ihdr + 4, (uint32_t)p->height);
    ihdr[8] = 8;
    ihdr[9] = p->channels == 1 ? 0 : 2;
    put_chunk(o, "IHDR", ihdr, sizeof ihdr);
    if (p->dpi <= 0)
        return;
    uint32_t per_metre = (uint32_t)(p->dpi / 0.0254 + 0.5);
    be32(phys, per_metre);
    be32(phys + 4, per_metre);
    phys[8] = 1;
    put_chunk(o, "pHYs", phys, sizeof phys);
}

static void pack(PngOut *o, const unsigned char *bytes, size_t len, int flush)
{
    o->z.next_in = (Bytef *)(uintptr_t)bytes;
    o->z.avail_in = (uInt)len;
    do {
        if (o->z.avail_out == 0) {
            put_chunk(o, "IDAT", o->chunk, PNG_CHUNK);
            o->z.next_out = o->chunk;
            o->z.avail_out = PNG_CHUNK;
        }
        deflate(&o->z, flush);
    } while (o->rc == OK && (o->z.avail_out == 0 || o->z.avail_in > 0));
}

static void put_rows(PngOut *o, const Picture *p, unsigned char *line)
{
    size_t len = (size_t)p->width * (size_t)p->channels;
    line[0] = PNG_FILTER_UP;
    for (int y = 0; y < p->height && o->rc == OK; y++) {
        const unsigned char *row = p->samples + (size_t)y * p->stride;
        if (y == 0)
            memcpy(line + 1, row, len);
        for (size_t x = 0; x < len && y > 0; x++)
            line[1 + x] = (unsigned char)(row[x] - (row - p->stride)[x]);
        pack(o, line, len + 1, Z_NO_FLUSH);
    }
    pack(o, line, 0, Z_FINISH);
    put_chunk(o, "IDAT", o->chunk, PNG_CHUNK - o->z.avail_out);
}

ErrCode picture_put_png(const Picture *p, int fd, Err *err)
{
    PngOut *o = fault_hit("picture.png") ? NULL : calloc(1, sizeof *o);
    unsigned char *line = malloc((size_t)p->width * (size_t)p->channels + 1);
    bool ready = o != NULL && line != NULL && deflateInit(&o->z, PNG_LEVEL) == Z_OK;
    ErrCode rc = ERR_NO_MEMORY;
    if (ready) {
        o->fd = fd;
        o->err = err;
        o->z.next_out = o->chunk;
        o->z.avail_out = PNG_CHUNK;
        put_head(o, p);
        put_rows(o, p, line);
        put_chunk(o, "IEND", NULL, 0);
        rc = o->rc;
        deflateEnd(&o->z);
    } else {
        err_set(err, ERR_NO_MEMORY, "packing a picture");
    }
    free(line);
    free(o);
    return rc;
}

/* --- JPEG */

typedef struct JpegOut {
    struct jpeg_compress_struct jpeg;
    struct jpeg_error_mgr errors;
    jmp_buf failed;
    unsigned char *bytes;
    unsigned long len;
} JpegOut;

static void jpeg_gave_up(j_common_ptr jpeg)
{
    longjmp(((JpegOut *)(void *)jpeg)->failed, 1);
}

static void jpeg_said(j_common_ptr jpeg)
{
    (void)jpeg;
}

static bool jpeg_pack(JpegOut *o, const Picture *p, int quality)
{
    struct jpeg_compress_struct *j = &o->jpeg;
    j->err = jpeg_std_error(&o->errors);
    o->errors.error_exit = jpeg_gave_up;
    o->errors.output_message = jpeg_said;
    if (setjmp(o->failed) != 0) {
        jpeg_destroy_compress(j);
        return false;
    }
    jpeg_create_compress(j);
    jpeg_mem_dest(j, &o->bytes, &o->len);
    j->image_width = (JDIMENSION)p->width;
    j->image_height = (JDIMENSION)p->height;
    j->input_components = p->channels;
    j->in_color_space = p->channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
    jpeg_set_defaults(j);
    jpeg_set_quality(j, quality, TRUE);
    j->density_unit = 1;
    j->X_density = j->Y_density = (UINT16)(p->dpi > 0 ? p->dpi : 72);
    jpeg_start_compress(j, TRUE);
    while (j->next_scanline < j->image_height) {
        JSAMPROW row = (JSAMPROW)(uintptr_t)(p->samples + j->next_scanline * p->stride);
        jpeg_write_scanlines(j, &row, 1);
    }
    jpeg_finish_compress(j);
    jpeg_destroy_compress(j);
    return true;
}

ErrCode picture_put_jpeg(const Picture *p, int quality, int fd, Err *err)
{
    JpegOut *o = fault_hit("picture.jpeg") ? NULL : calloc(1, sizeof *o);
    if (o == NULL)
        return err_set(err, ERR_NO_MEMORY, "packing a picture");
    ErrCode rc = jpeg_pack(o, p, quality)
                     ? fd_write_all(fd, o->bytes, o->len, err)
                     : err_set(err, ERR_INTERNAL, "the picture could not be packed as JPEG");
    free(o->bytes);
    free(o);
    return rc;
}

/* cut.c: does the file end before its format says so?
 *
 * libvips notices by itself for formats that say how long they are. A GIF does not, and its reader
 * takes what is there; so here its blocks are walked to the mark that ends them. */
#include "image/image.h"

#include <string.h>

typedef struct Gif {
    const unsigned char *bytes;
    size_t size, at;
} Gif;

static bool gif_skip(Gif *g, size_t n)
{
    if (g->size - g->at < n)
        return false;
    g->at += n;
    return true;
}

/* A colour table, when the packed byte says that one follows. */
static bool gif_skip_colours(Gif *g, unsigned char packed)
{
    return (packed & 0x80) == 0 || gif_skip(g, (size_t)3 << ((packed & 7) + 1));
}

static bool gif_skip_blocks(Gif *g)
{
    while (g->at < g->size) {
        size_t n = g->bytes[g->at++];
        if (n == 0)
            return true;
        if (!gif_skip(g, n))
            return false;
    }
    return false;
}

static bool gif_skip_picture(Gif *g)
{
    enum { PLACE = 8, CODE_SIZE = 1 };
    if (g->size - g->at < PLACE + 1)
        return false;
    unsigned char packed = g->bytes[g->at + PLACE];
    return gif_skip(g, PLACE + 1) && gif_skip_colours(g, packed) && gif_skip(g, CODE_SIZE) &&
           gif_skip_blocks(g);
}

bool image_gif_is_cut(const unsigned char *bytes, size_t size)
{
    enum { HEAD = 13, PACKED = 10, EXTENSION = 0x21, PICTURE = 0x2c, END = 0x3b };
    Gif g = {bytes, size, HEAD};
    if (size < HEAD || memcmp(bytes, "GIF8", 4) != 0 || !gif_skip_colours(&g, bytes[PACKED]))
        return true;
    while (g.at < size) {
        unsigned char kind = bytes[g.at++];
        bool whole = true;
        if (kind == END)
            return false;
        if (kind == EXTENSION)
            whole = gif_skip(&g, 1) && gif_skip_blocks(&g);
        else if (kind == PICTURE)
            whole = gif_skip_picture(&g);
        if (!whole) /* other bytes between blocks are passed over, as readers do */
            return true;
    }
    return true;
}

/* convert_page_in.h: pages as pictures, whichever library draws them. */
#ifndef PLATEN_DOCUMENT_CONVERT_PAGE_IN_H
#define PLATEN_DOCUMENT_CONVERT_PAGE_IN_H

#include "document/convert_in.h"
#include "document/picture_out.h"

typedef struct PageDrawn {
    Picture picture;
    unsigned char *samples; /* of the picture, to be changed in place */
    void *held;             /* the drawer's own */
} PageDrawn;

typedef struct PageDrawer {
    /* INPUT_DAMAGED costs this page only. */
    ErrCode (*draw)(void *arg, const Job *j, int64_t page_no, PageDrawn *out);
    void (*release)(void *arg, PageDrawn *drawn);
    void *arg;
} PageDrawer;

/* Pixels per point for a page of this size in points; sets the picture's dpi. LIMIT_PIXELS. */
MUST_CHECK ErrCode page_scale(const Job *j, float width, float height, float *scale,
                              PageDrawn *out);
/* Draw and write the wanted ones of `pages` pages. */
MUST_CHECK ErrCode convert_each_page(Job *j, int64_t pages, const PageDrawer *drawer);

#endif

/* tess_shim.h: the few C++ calls behind tess.c, where Tesseract's C interface falls short (language
 * files from memory) and for CLD2. Plain C types only: our own headers are no C++.
 *
 * No exception leaves these functions; memory that runs out is SHIM_NO_MEMORY. */
#ifndef PLATEN_OCR_TESS_SHIM_H
#define PLATEN_OCR_TESS_SHIM_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

struct Pix;
typedef struct ShimReader ShimReader;

enum { SHIM_OK, SHIM_FAILED, SHIM_NO_MEMORY };

/* One word, in the order of reading. Pixels of the picture that was read. */
typedef struct ShimWord {
    const char *text; /* until the callback returns */
    int x0, y0, x1, y1;
    float confidence; /* 0 to 100 */
    bool starts_block, starts_paragraph, starts_line;
    int line[4];     /* box of its line */
    int baseline[4]; /* x, y where the line's letters begin; x, y where they end */
    bool space_before, rtl, vertical;
    int turned; /* degrees its block must be turned clockwise to stand upright */
} ShimWord;

ShimReader *shim_new(void); /* NULL: no memory */
void shim_free(ShimReader *r);
/* `file` gives the bytes of "eng.traineddata"; NULL: there is none. "eng+deu" or "osd". */
typedef const char *(*ShimFile)(const char *name, size_t *size);
int shim_init(ShimReader *r, const char *languages, ShimFile file);
/* `take` answers false to stop, which makes this SHIM_NO_MEMORY. */
int shim_read(ShimReader *r, struct Pix *picture, int layout, int dpi,
              bool (*take)(void *ctx, const ShimWord *w), void *ctx);
/* Needs "osd". SHIM_FAILED: too little on the page to tell. */
int shim_pose(ShimReader *r, struct Pix *picture, int dpi, int *turn, float *turn_confidence,
              char *script, size_t script_size, float *script_confidence);
/* "de", "zh-Hant" …; NULL: cannot be told. */
const char *shim_language_of(const char *text, size_t len);

#ifdef __cplusplus
}
#endif
#endif

/* render.h: what a file looks like, made by the steps that there are anyway.
 *
 *   kind      made by                                                    answer
 *   picture   image.convert, media.thumbnail, document.convert           WebP
 *   text      document.extract                                           Markdown
 *   wave      media.waveform                                             JSON
 *   entries   archive.list                                               JSON
 *   info      file.detect, then image.info, media.probe or the pages     JSON, schema PreviewInfo
 *
 * The type is told from the bytes, not from what somebody called them. Every step runs in its
 * engine's sandbox, as it does for a job, but no job is made: nothing is kept but the bytes, which
 * nobody names, so that the sweep takes them after its grace of an hour. A small table in memory
 * remembers which bytes answered what (RENDER_SLOTS answers, one another's place at random); a file
 * that was swept is made again. So the cache on disk is bounded by what is looked at in an hour or
 * two, and there is no second store.
 *
 * Office files, books and mail become a PDF first, which the next pages are drawn from.
 *
 * Threads: any. */
#ifndef PLATEN_API_RENDER_H
#define PLATEN_API_RENDER_H

#include "api/app.h"

typedef enum RenderKind {
    RENDER_PICTURE,
    RENDER_TEXT,
    RENDER_INFO,
    RENDER_WAVE,
    RENDER_ENTRIES,
    RENDER_TYPE, /* only inside: what file.detect says */
    RENDER_PDF,  /* only inside: the file as a PDF */
} RenderKind;

typedef struct RenderAsk {
    Str hash, name; /* name: only its ending counts, where the bytes do not say what they are */
    RenderKind kind;
    int64_t page;  /* from 1; 0: the first picture, the whole text */
    int64_t width; /* pixels, of RENDER_WIDTHS */
} RenderAsk;

typedef struct Rendered {
    char hash[BLOB_HASH_LEN + 1];
    char type[64];
} Rendered;

enum { RENDER_SLOTS = 4096, RENDER_TIME_MS = 60 * 1000 };

typedef struct RenderCache RenderCache;
RenderCache *render_cache_open(void); /* NULL: no memory */
void render_cache_close(RenderCache **c);

/* The next width that is drawn: few of them, so that answers are found again. */
int64_t render_width(int64_t width);
/* An answer from before whose bytes are still there: *fd is open. False: there is none. */
bool render_known(const App *app, const RenderAsk *ask, Rendered *out, int *fd, int64_t *size);
/* Make it (or find it). Blocks for as long as the steps take; `canceled` ends it. */
MUST_CHECK ErrCode render(const App *app, const RenderAsk *ask, const atomic_bool *canceled,
                          Arena *a, Rendered *out, Err *err);

#endif

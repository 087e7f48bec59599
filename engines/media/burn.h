/* burn.h: subtitles drawn onto pictures, by libass. */
#ifndef PLATEN_MEDIA_BURN_H
#define PLATEN_MEDIA_BURN_H

#include "media/media.h"

#include <ass/ass.h>

typedef struct Burner {
    StepCtx *c;
    ASS_Library *library;
    ASS_Renderer *renderer;
    ASS_Track *track;
} Burner;

/* `script` is a whole ASS file. ERR_ENGINE_MISSING: the system has no font. */
MUST_CHECK ErrCode burner_open(StepCtx *c, Str script, Burner *out);
void burner_done(Burner *b);
/* TrackPlan.draw: a frame of YUV 4:2:0, 8 bits. */
MUST_CHECK ErrCode burner_draw(void *burner, AVFrame *frame, int64_t ms);

#endif

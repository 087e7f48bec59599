/* preview.h: pictures, texts and facts of files for people who look at them (render.h makes them).
 *
 * What is known is answered at once. The rest is made by PREVIEW_THREADS threads of its own: a
 * request waits parked, without a thread of the pool, so previews never keep the API from answering;
 * when PREVIEW_WAITING wait already, the next is refused with `overloaded` and Retry-After.
 *
 * quiet=true, for small pictures in lists: where a file has no such preview the answer is 204, not a
 * problem that the browser would write to its console. */
#ifndef PLATEN_API_PREVIEW_H
#define PLATEN_API_PREVIEW_H

#include "api/app.h"

enum { PREVIEW_THREADS = 3, PREVIEW_WAITING = 64 };

MUST_CHECK ErrCode previews_open(App *app, Previews **out, Err *err);
/* Those that wait are answered, running ones are ended. Before http_close. */
void previews_stop(Previews *p);
void previews_close(Previews **p); /* after http_close */

typedef struct PreviewAskQuery {
    int kind; /* RenderKind */
    int64_t page, width;
    Str name;
    bool quiet;
} PreviewAskQuery;
extern const Param preview_ask_params[];

void blobs_preview(HttpRequest *req);
void documents_preview(HttpRequest *req);

#endif

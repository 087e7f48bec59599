/* crew.h: several pages read at once, one thread each, and given back in the order in which they
 * were put.
 *
 *   crew_open ── crew_put … crew_take … ── crew_close
 *
 * Why threads and not processes: Tesseract's readers share nothing, so two threads read twice as
 * much as one (bench/ocr.py), and a thread needs no further hole in the sandbox: memory, CPU time
 * and the end of the task hold for all of them by themselves.
 *
 * Threads: one puts and takes. The ring has a fixed size, whatever the machine, because what a page
 * may know of those before it (its language) depends on it. */
#ifndef PLATEN_OCR_CREW_H
#define PLATEN_OCR_CREW_H

#include "ocr/read.h"

enum { CREW_RING = 8, CREW_WORKERS_MAX = 8 };

typedef struct CrewPage {
    OcrPage *page;       /* owned through its arena; taken back by crew_take */
    struct Pix *picture; /* NULL: there is nothing to read; owned */
    double dpi;
    double width, height; /* of the page as it is shown, for the one who takes it */
    char before[LANGUAGES_TEXT_MAX];
    ErrCode rc;
    Err err;
} CrewPage;

typedef struct Crew Crew;
/* `options` must outlive the crew. `workers` 0: one per core. */
MUST_CHECK ErrCode crew_open(const ReadOptions *options, size_t workers, Crew **out, Err *err);
bool crew_full(const Crew *c); /* take one before the next is put */
bool crew_empty(const Crew *c);
void crew_put(Crew *c, const CrewPage *p); /* the crew owns page and picture now */
void crew_take(Crew *c, CrewPage *out);    /* waits; the caller owns the page */
/* Waits for what is being read, and drops it. */
void crew_close(Crew **c);

#endif

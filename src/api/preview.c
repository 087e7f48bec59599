#include "api/preview.h"
#include "api/files.h"
#include "api/render.h"
#include "base/fd.h"
#include "base/thread.h"

#include <stdlib.h>

/* A parked request; in its own arena. */
typedef struct Waiting {
    struct Waiting *next;
    HttpRequest *req;
    RenderAsk ask;
    bool quiet;
} Waiting;

struct Previews {
    App *app;
    pthread_t threads[PREVIEW_THREADS];
    int threads_len;
    atomic_bool stopping;
    Mutex lock; /* guards the rest */
    Cond changed;
    Waiting *first, *last;
    int waiting; /* in the list, and on their way into it */
};

static const Choice preview_kinds[] = {
    [RENDER_PICTURE] = {"picture", "A picture of the file, or of one of its pages, as WebP."},
    [RENDER_TEXT] = {"text", "Its text as Markdown."},
    [RENDER_INFO] = {"info", "What it is and which previews there are, as JSON."},
    [RENDER_WAVE] = {"wave", "The shape of its sound, as JSON."},
    [RENDER_ENTRIES] = {"entries", "What lies in an archive, as JSON."},
    {0},
};

const Param preview_ask_params[] = {
    PARAM_CHOICE(PreviewAskQuery, kind, .choices = preview_kinds, .help = "What to show."),
    PARAM_INT(PreviewAskQuery, page, .min = 1, .max = 100000, .def = 0,
              .help = "Page, slide or frame; of a text all of them when left out."),
    PARAM_INT(PreviewAskQuery, width, .min = 16, .max = 2000, .def = 1200, .unit = "px",
              .help = "Width of a picture: at least this, of 160, 320, 640, 1200 and 2000."),
    PARAM_TEXT(PreviewAskQuery, name, .max_len = 255, .example = "report.pdf",
               .help =
                   "Name of the file: its ending helps where the bytes do not say what they are."),
    PARAM_BOOL(PreviewAskQuery, quiet,
               .help = "Answer 204 instead of a problem where the file has no such preview."),
    PARAM_END,
};

/* --- answering --- */

/* The same bytes always look the same, so they may be kept; for a day, because a newer platen may
 * draw them better. */
static void answer(HttpRequest *req, const Rendered *r, int fd, int64_t size)
{
    http_set_header(req, "Cache-Control", STR("private, max-age=86400, immutable"));
    Str hash = str_copy(req->arena, str_from_c(r->hash));
    Str type = str_copy(req->arena, str_from_c(r->type));
    http_answer_file(req, fd, size, type, hash, STR("preview"));
}

/* Asked quietly, what will never be is nothing, for an hour; what may be the next time is told. */
static void refuse(HttpRequest *req, bool quiet, const Err *err)
{
    if (quiet && err_retry(err->code) == RETRY_NEVER && err->code != ERR_CANCELED) {
        http_set_header(req, "Cache-Control", STR("private, max-age=3600"));
        req->res.status = 204;
        return;
    }
    if (err->code == ERR_OVERLOADED || err->code == ERR_SHUTTING_DOWN)
        http_set_header(req, "Retry-After", STR("2"));
    http_answer_err(req, err, (Str){0});
}

/* --- the threads --- */

static void serve(Previews *p, const Waiting *w)
{
    Err err = {0};
    Rendered r;
    int fd = -1;
    int64_t size = 0;
    ErrCode rc = render(p->app, &w->ask, &p->stopping, w->req->arena, &r, &err);
    if (rc == OK)
        rc = blob_open(p->app->blobs, str_from_c(r.hash), &fd, &size, &err);
    if (rc == OK)
        answer(w->req, &r, fd, size);
    else
        refuse(w->req, w->quiet, &err);
    http_reply(p->app->http, w->req);
}

static Waiting *take_locked(Previews *p)
{
    mutex_assert_held(&p->lock);
    Waiting *w = p->first;
    if (w == NULL)
        return NULL;
    p->first = w->next;
    if (p->first == NULL)
        p->last = NULL;
    p->waiting--;
    return w;
}

static Waiting *next(Previews *p)
{
    MUTEX_HELD(&p->lock);
    while (p->first == NULL && !atomic_load(&p->stopping))
        cond_wait(&p->changed, &p->lock);
    return atomic_load(&p->stopping) ? NULL : take_locked(p);
}

static void *work(void *arg)
{
    Previews *p = arg;
    for (Waiting *w = next(p); w != NULL; w = next(p))
        serve(p, w);
    return NULL;
}

ErrCode previews_open(App *app, Previews **out, Err *err)
{
    Previews *p = calloc(1, sizeof *p);
    app->rendered = p != NULL ? render_cache_open() : NULL;
    if (app->rendered == NULL) {
        free(p);
        return err_set(err, ERR_NO_MEMORY, "no memory for previews");
    }
    p->app = app;
    mutex_init(&p->lock);
    cond_init(&p->changed);
    ErrCode rc = OK;
    for (int i = 0; rc == OK && i < PREVIEW_THREADS; i++) {
        rc = thread_start(&p->threads[i], "preview", work, p, err);
        p->threads_len += rc == OK;
    }
    if (rc == OK)
        *out = p;
    else
        previews_close(&p);
    return rc;
}

static void turn_away(Previews *p, Waiting *w)
{
    Err err = {0};
    err_set(&err, ERR_SHUTTING_DOWN, "the server is stopping");
    refuse(w->req, false, &err);
    http_reply(p->app->http, w->req);
}

static Waiting *take_any(Previews *p)
{
    MUTEX_HELD(&p->lock);
    return take_locked(p);
}

void previews_stop(Previews *p)
{
    {
        MUTEX_HELD(&p->lock);
        atomic_store(&p->stopping, true);
        cond_broadcast(&p->changed);
    }
    for (int i = 0; i < p->threads_len; i++)
        pthread_join(p->threads[i], NULL);
    p->threads_len = 0;
    for (Waiting *w = take_any(p); w != NULL; w = take_any(p))
        turn_away(p, w);
}

void previews_close(Previews **slot)
{
    Previews *p = *slot;
    if (p == NULL)
        return;
    previews_stop(p);
    render_cache_close(&p->app->rendered);
    cond_done(&p->changed);
    mutex_done(&p->lock);
    free(p);
    *slot = NULL;
}

/* --- asking --- */

/* Room for one more? It counts from now on. */
static ErrCode reserve(Previews *p, Err *err)
{
    MUTEX_HELD(&p->lock);
    if (atomic_load(&p->stopping))
        return err_set(err, ERR_SHUTTING_DOWN, "the server is stopping");
    if (p->waiting >= PREVIEW_WAITING)
        return err_set(err, ERR_OVERLOADED, "%d previews wait to be made already", p->waiting);
    p->waiting++;
    return OK;
}

/* False: the server began to stop since; nobody would take it. */
static bool hand_over(Previews *p, Waiting *w)
{
    MUTEX_HELD(&p->lock);
    if (atomic_load(&p->stopping))
        return false;
    if (p->last != NULL)
        p->last->next = w;
    else
        p->first = w;
    p->last = w;
    cond_signal(&p->changed);
    return true;
}

static void wait_for(Call *c, const RenderAsk *ask, bool quiet)
{
    Previews *p = c->app->previews;
    Waiting *w = arena_new(c->arena, Waiting, 1);
    ErrCode rc = w != NULL ? reserve(p, &c->err)
                           : err_set(&c->err, ERR_NO_MEMORY, "no memory for a preview");
    if (rc != OK) {
        refuse(c->req, false, &c->err);
        return;
    }
    *w = (Waiting){.req = c->req, .ask = *ask, .quiet = quiet};
    http_park(c->req);
    if (!hand_over(p, w))
        turn_away(p, w);
}

static void preview(Call *c, Str hash, Str name)
{
    PreviewAskQuery q = {0};
    ParamFaults faults = {0};
    Blob blob;
    Rendered known;
    int fd = -1;
    int64_t size = 0;
    ErrCode rc = call_query(c, preview_ask_params, &q, &faults);
    if (rc == OK)
        rc = blob_row_get(c->reader, c->who.project, hash, &blob, &c->err);
    if (rc != OK) {
        call_refuse(c, rc, &faults);
        return;
    }
    if (q.kind == RENDER_PICTURE && q.page == 0)
        q.page = 1;
    const RenderAsk ask = {.hash = hash,
                           .name = q.name.len > 0 ? q.name : name,
                           .kind = (RenderKind)q.kind,
                           .page = q.page,
                           .width = render_width(q.width)};
    if (render_known(c->app, &ask, &known, &fd, &size))
        answer(c->req, &known, fd, size);
    else
        wait_for(c, &ask, q.quiet);
}

void blobs_preview(HttpRequest *req)
{
    Call c;
    if (call_begin(req, &c))
        preview(&c, req->params[0], STR(""));
}

void documents_preview(HttpRequest *req)
{
    Call c;
    if (!call_begin(req, &c))
        return;
    int64_t id;
    Document *d = arena_new(c.arena, Document, 1);
    ErrCode rc = d != NULL ? call_path_id(&c, 0, "doc", &id)
                           : err_set(&c.err, ERR_NO_MEMORY, "no memory for a preview");
    if (rc == OK)
        rc = document_get(c.reader, c.who.project, id, c.arena, d, &c.err);
    if (rc != OK)
        call_fail(&c);
    else
        preview(&c, d->hash, d->name);
}

#include "api/sweep.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/thread.h"
#include "db/queries.h"

#include <stdlib.h>

static const int64_t EVERY_US = INT64_C(3600) * 1000000, ROW_GRACE_MS = INT64_C(24) * 3600 * 1000,
                     FILE_GRACE_MS = INT64_C(3600) * 1000;

struct Sweeper {
    App *app;
    Mutex lock;
    Cond changed;
    bool stopping;
    pthread_t thread;
};

/* Rows go a page at a time: found by a reader, so that the writer, for which others wait, only
 * deletes. */
enum { PAGE_ROWS = 500 };
typedef struct Page {
    int64_t before_ms, from_ms; /* from_ms: where the next page begins */
    size_t len;
    struct {
        int64_t project;
        Str hash;
    } rows[PAGE_ROWS];
} Page;

static ErrCode find_page(App *app, Arena *a, Page *page, Err *err)
{
    CLEANUP(db_rows_done) DbRows rows = {0};
    DbConn *reader = NULL;
    page->len = 0;
    ErrCode rc = db_reader(app->db, &reader, err);
    if (rc == OK)
        rc = db_query(reader, &sql_blob_unreferenced,
                      DB_ARGS(DB_I(page->from_ms), DB_I(page->before_ms), DB_I(PAGE_ROWS)), &rows,
                      err);
    while (rc == OK && db_next(&rows, &rc, err)) {
        page->rows[page->len].project = db_int(&rows, 0);
        page->rows[page->len].hash = db_str_copy(&rows, 1, a);
        page->from_ms = db_int(&rows, 2);
        if (page->rows[page->len++].hash.ptr == NULL)
            rc = err_set(err, ERR_NO_MEMORY, "no memory for the sweep");
    }
    return rc;
}

static ErrCode forget_page(DbConn *tx, void *arg, Err *err)
{
    const Page *page = arg;
    ErrCode rc = OK;
    for (size_t i = 0; rc == OK && i < page->len; i++)
        rc = db_exec(
            tx, &sql_blob_forget,
            DB_ARGS(DB_I(page->rows[i].project), DB_S(page->rows[i].hash), DB_I(page->before_ms)),
            NULL, err);
    return rc;
}

static ErrCode release_rows(App *app, int64_t before_ms, Err *err)
{
    CLEANUP(arena_close) Arena *a = arena_open(128 * KIB);
    Page page = {.before_ms = before_ms};
    if (a == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for the sweep");
    do {
        arena_reset(a);
        ErrCode rc = find_page(app, a, &page, err);
        if (rc == OK && page.len > 0)
            rc = db_write(app->db, forget_page, &page, err);
        if (rc != OK)
            return rc;
    } while (page.len == PAGE_ROWS);
    return OK;
}

/* When it cannot be asked, the file stays. */
static bool is_kept(void *ctx, Str hash)
{
    App *app = ctx;
    DbConn *reader = NULL;
    int64_t count = 1;
    if (db_reader(app->db, &reader, NULL) != OK ||
        db_get_int(reader, &sql_blob_kept, DB_ARGS(DB_S(hash)), 0, &count, NULL) != OK)
        return true;
    return count > 0;
}

ErrCode sweep_once(App *app, int64_t row_grace_ms, int64_t file_grace_ms, BlobSweep *out, Err *err)
{
    int64_t before_ms = clock_now_ms() - row_grace_ms;
    ErrCode rc = release_rows(app, before_ms, err);
    return rc != OK ? rc : blob_sweep(app->blobs, file_grace_ms, is_kept, app, out, err);
}

static void *sweep_hourly(void *arg)
{
    Sweeper *s = arg;
    MUTEX_HELD(&s->lock);
    for (int64_t next = clock_mono_us() + EVERY_US; !s->stopping;) {
        if (cond_wait_until(&s->changed, &s->lock, next))
            continue;
        BlobSweep swept;
        Err err = {0};
        mutex_unlock(&s->lock);
        if (access_sessions_sweep(s->app->access, &err) != OK)
            LOG(ERROR, DB_FAILED, KV("detail", (const char *)err.text));
        if (sweep_once(s->app, ROW_GRACE_MS, FILE_GRACE_MS, &swept, &err) != OK)
            LOG(ERROR, BLOB_FAILED, KV("detail", (const char *)err.text));
        else
            LOG(INFO, BLOB_SWEPT, KV("seen", swept.seen), KV("removed", swept.removed),
                KV("bytes", swept.removed_bytes));
        mutex_lock(&s->lock);
        next = clock_mono_us() + EVERY_US;
    }
    return NULL;
}

ErrCode sweeper_open(App *app, Sweeper **out, Err *err)
{
    Sweeper *s = calloc(1, sizeof *s);
    if (s == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory");
    s->app = app;
    mutex_init(&s->lock);
    cond_init(&s->changed);
    ErrCode rc = thread_start(&s->thread, "platen-sweep", sweep_hourly, s, err);
    if (rc != OK) {
        cond_done(&s->changed);
        mutex_done(&s->lock);
        free(s);
        return rc;
    }
    *out = s;
    return OK;
}

void sweeper_close(Sweeper **slot)
{
    Sweeper *s = *slot;
    if (s == NULL)
        return;
    *slot = NULL;
    mutex_lock(&s->lock);
    s->stopping = true;
    cond_signal(&s->changed);
    mutex_unlock(&s->lock);
    pthread_join(s->thread, NULL);
    cond_done(&s->changed);
    mutex_done(&s->lock);
    free(s);
}

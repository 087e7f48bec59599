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

static ErrCode release_rows(DbConn *tx, void *arg, Err *err)
{
    const int64_t *before_ms = arg;
    return db_exec(tx, &sql_blob_release, DB_ARGS(DB_I(*before_ms)), NULL, err);
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
    ErrCode rc = db_write(app->db, release_rows, &before_ms, err);
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
        if (sweep_once(s->app, ROW_GRACE_MS, FILE_GRACE_MS, &swept, &err) != OK)
            LOG(ERROR, BLOB_FAILED, KV("detail", (const char *)err.text));
        else
            LOG(INFO, BLOB_SWEPT, KV("seen", swept.seen), KV("removed", swept.removed), KV("bytes", swept.removed_bytes));
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

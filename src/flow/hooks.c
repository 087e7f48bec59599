/* hooks.c: whom to tell after a commit. The database carries the pointer, so that a write function
 * finds it. */
#include "flow/flow_in.h"
#include "flow/pipeline.h"

void flow_set_hooks(Db *db, const FlowHooks *hooks)
{
    db_attach(db, hooks);
}

static ErrCode tell(DbConn *tx, DbAfterFn fn, void *ctx, int64_t a, int64_t b, Err *err)
{
    return fn != NULL ? db_after_commit(tx, fn, ctx, a, b, err) : OK;
}

ErrCode flow_tell_news(DbConn *tx, int64_t project, int64_t job, Err *err)
{
    const FlowHooks *h = db_attached(tx);
    return h != NULL ? tell(tx, h->news, h->ctx, project, job, err) : OK;
}

ErrCode flow_tell_ready(DbConn *tx, Str queue, int64_t run_at_ms, Err *err)
{
    const FlowHooks *h = db_attached(tx);
    return h != NULL ? tell(tx, h->ready, h->ctx, queue_hash(queue), run_at_ms, err) : OK;
}

ErrCode flow_tell_due(DbConn *tx, int64_t due_ms, Err *err)
{
    const FlowHooks *h = db_attached(tx);
    return h != NULL ? tell(tx, h->due, h->ctx, due_ms, 0, err) : OK;
}

ErrCode flow_tell_cancel(DbConn *tx, int64_t task, int64_t attempt, Err *err)
{
    const FlowHooks *h = db_attached(tx);
    return h != NULL ? tell(tx, h->cancel, h->ctx, task, attempt, err) : OK;
}

ErrCode flow_tell_room(DbConn *tx, int64_t queue, Err *err)
{
    const FlowHooks *h = db_attached(tx);
    return h != NULL ? tell(tx, h->ready, h->ctx, queue, 0, err) : OK;
}

ErrCode flow_tell_runners(DbConn *tx, Str queue, int64_t runners, Err *err)
{
    const FlowHooks *h = db_attached(tx);
    return h != NULL ? tell(tx, h->runners, h->ctx, queue_hash(queue), runners, err) : OK;
}

const char *flow_public_url(const DbConn *c)
{
    const FlowHooks *h = db_attached(c);
    return h != NULL && h->public_url != NULL ? h->public_url : "";
}

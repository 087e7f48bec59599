#include "api/enqueue.h"
#include "api/routes.h"
#include "api/wait.h"
#include "api/write.h"

#include <openssl/evp.h>

ErrCode enqueue_hash(Call *c, Str name, Str params, const JobFile *inputs, size_t inputs_len,
                     Str *out)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int len = 0;
    Buf hex = buf_init(c->arena, KIB);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool ok = ctx != NULL && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1 &&
              EVP_DigestUpdate(ctx, name.ptr, name.len) == 1 && EVP_DigestUpdate(ctx, "", 1) == 1 &&
              EVP_DigestUpdate(ctx, params.ptr, params.len) == 1;
    for (size_t i = 0; ok && i < inputs_len; i++)
        ok = EVP_DigestUpdate(ctx, inputs[i].hash.ptr, inputs[i].hash.len) == 1;
    ok = ok && EVP_DigestFinal_ex(ctx, digest, &len) == 1;
    EVP_MD_CTX_free(ctx);
    for (unsigned int i = 0; ok && i < len; i++)
        buf_addf(&hex, "%02x", digest[i]);
    if (!ok || hex.failed)
        return err_set(&c->err, ERR_NO_MEMORY, "no memory to hash the request");
    *out = buf_str(&hex);
    return OK;
}

static ErrCode add(DbConn *tx, void *arg, Err *err)
{
    Enqueue *e = arg;
    return e->add(tx, e, err);
}

/* On the pool, after the commit: wait for the end, or show the job as it is, also the earlier one
 * that an idempotency key named. */
static void go_on(HttpRequest *req)
{
    Call c;
    const Enqueue *e = req->state;
    call_begin_public(req, &c);
    c.json = json_out(&c.body);
    c.who.project = e->project;
    Job job;
    if (db_reader(c.app->db, &c.reader, &c.err) != OK ||
        flow_get(c.reader, e->project, e->added.job, c.arena, &job, &c.err) != OK) {
        call_fail(&c);
        return;
    }
    if (e->wait > 0 && !job_state_ended(job.state)) {
        wait_for_job(&c, e->added.job, e->wait);
        return;
    }
    nodes_read_waits(&c, &job);
    write_job(&c.json, &job, c.app->registry, c.arena, true);
    call_answer(&c, job_state_ended(job.state) ? 200 : 202);
}

/* On the writer's thread: hand over and return. */
static void done(DbWrite *w, ErrCode rc, const Err *err)
{
    Enqueue *e = w->arg;
    if (rc == OK && (e->wait > 0 || e->added.existed || e->accepted.len == 0)) {
        http_resume(e->app->http, e->req->ticket, go_on);
        return;
    }
    if (rc == OK)
        http_answer_json(e->req, 202, e->accepted);
    else
        http_answer_err(e->req, err, (Str){0});
    http_reply(e->app->http, e->req);
}

void enqueue(Call *c, Enqueue *e)
{
    e->app = c->app;
    e->req = c->req;
    e->project = c->who.project;
    e->write = (DbWrite){.fn = add, .done = done, .arg = e};
    c->req->state = e;
    http_park(c->req);
    db_write_async(c->app->db, &e->write);
}

/* dead letters: tasks that used up their attempts. */
#include "api/params.h"
#include "api/routes.h"
#include "api/write.h"

static void write_dead(JsonOut *j, const DeadLetter *d)
{
    json_begin(j, '{');
    write_id(j, "id", "task", d->id);
    write_id(j, "job", "job", d->job);
    json_kv_str(j, "step", d->step);
    json_kv_str(j, "queue", d->queue);
    write_time(j, "died", d->died_ms);
    json_kv_int(j, "attempts", d->attempts);
    json_kv_str(j, "reason", d->reason);
    json_kv_str(j, "detail", d->detail);
    json_end(j, '}');
}

void dead_list(HttpRequest *req)
{
    Call c;
    if (!call_begin(req, &c))
        return;
    DeadQuery q = {0};
    ParamFaults faults = {0};
    int64_t before = 0;
    DeadLetter *letters = NULL;
    size_t len = 0;
    bool more = false;
    ErrCode rc = call_query(&c, dead_query_params, &q, &faults);
    if (rc == OK)
        rc = call_cursor(&c, "task", q.cursor, &before);
    if (rc == OK)
        rc = flow_dead_list(c.reader,
                            &(DeadFilter){.project = c.who.project,
                                          .queue = q.queue,
                                          .step = q.step,
                                          .reason = q.reason,
                                          .before = before,
                                          .limit = (int)q.limit},
                            c.arena, &letters, &len, &more, &c.err);
    if (rc != OK) {
        call_refuse(&c, rc, &faults);
        return;
    }
    json_begin(&c.json, '{');
    json_key(&c.json, "dead_letters");
    json_begin(&c.json, '[');
    for (size_t i = 0; i < len; i++)
        write_dead(&c.json, &letters[i]);
    json_end(&c.json, ']');
    if (more)
        write_id(&c.json, "next", "task", letters[len - 1].id);
    json_end(&c.json, '}');
    call_answer(&c, 200);
}

typedef ErrCode (*DeadVerb)(Db *db, int64_t project, int64_t task, int64_t *count, Err *err);

/* Redrive or delete the one that the path names. */
static void act(HttpRequest *req, DeadVerb verb)
{
    Call c;
    if (!call_begin(req, &c))
        return;
    int64_t task = 0, count = 0;
    ErrCode rc = call_path_id(&c, 0, "task", &task);
    if (rc == OK)
        rc = verb(c.app->db, c.who.project, task, &count, &c.err);
    if (rc == OK && count == 0)
        rc = err_set(&c.err, ERR_NOT_FOUND, "there is no such dead letter");
    if (rc != OK) {
        call_fail(&c);
        return;
    }
    json_begin(&c.json, '{');
    json_kv_int(&c.json, "count", count);
    json_end(&c.json, '}');
    call_answer(&c, 200);
}

void dead_redrive(HttpRequest *req)
{
    act(req, flow_dead_redrive);
}

void dead_delete(HttpRequest *req)
{
    act(req, flow_dead_delete);
}

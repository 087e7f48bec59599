/* events of a job: as a list, as a stream (SSE, resumed by Last-Event-ID), over a WebSocket. A stream
 * ends by itself after the job's last event. */
#include "api/params.h"
#include "api/routes.h"
#include "api/stream.h"
#include "api/write.h"

enum { EVENTS_AT_ONCE = 200 };

static bool send_one(const Stream *s, const JobEvent *e, Arena *a)
{
    Buf b = buf_init(a, MIB);
    JsonOut j = json_out(&b);
    write_event(&j, e);
    Str id = str_printf(a, "%" PRId64, e->seq);
    return !b.failed && id.ptr != NULL && stream_send(s, a, id, e->type, buf_str(&b));
}

/* True: the job has ended and all of it was sent, or nobody can be reached any more. */
static bool send_news(Stream *s, Arena *a)
{
    DbConn *reader = NULL;
    JobEvent *events = NULL;
    size_t len = EVENTS_AT_ONCE;
    while (len == EVENTS_AT_ONCE) {
        JobStand now;
        arena_reset(a);
        if (db_reader(stream_app(s)->db, &reader, NULL) != OK ||
            flow_stand(reader, s->project, s->job, &now, NULL) != OK ||
            flow_events(reader, s->project, s->job, s->sent, EVENTS_AT_ONCE, a, &events, &len,
                        NULL) != OK)
            return true;
        for (size_t i = 0; i < len; i++) {
            if (!send_one(s, &events[i], a))
                return true;
            s->sent = events[i].seq;
        }
        if (job_state_ended(now.state) && s->sent >= now.events)
            return true;
    }
    return false;
}

static void follow(Call *c, int64_t job, int64_t after, bool socket)
{
    Stream *s = stream_new(c, send_news, job, STR(""), socket);
    if (s == NULL) {
        call_fail(c);
        return;
    }
    s->sent = after;
    stream_start(c, s);
}

static void list_events(Call *c, int64_t job, int64_t after, int limit)
{
    JobEvent *events = NULL;
    size_t len = 0;
    if (flow_events(c->reader, c->who.project, job, after, limit, c->arena, &events, &len,
                    &c->err) != OK) {
        call_fail(c);
        return;
    }
    json_begin(&c->json, '{');
    json_key(&c->json, "events");
    json_begin(&c->json, '[');
    for (size_t i = 0; i < len; i++)
        write_event(&c->json, &events[i]);
    json_end(&c->json, ']');
    json_end(&c->json, '}');
    call_answer(c, 200);
}

/* The job, the place to go on from, and whether it is this project's. */
static ErrCode find_place(Call *c, EventsQuery *q, int64_t *job, ParamFaults *faults)
{
    Job found;
    int64_t last = 0;
    ErrCode rc = call_path_id(c, 0, "job", job);
    if (rc == OK)
        rc = call_query(c, events_query_params, q, faults);
    if (rc == OK)
        rc = flow_get(c->reader, c->who.project, *job, c->arena, &found, &c->err);
    Str last_id = http_header(c->req, "last-event-id");
    if (rc == OK && last_id.len > 0) {
        if (!str_to_i64(last_id, &last) || last < 0)
            return err_set(&c->err, ERR_BAD_REQUEST, "Last-Event-ID must be an event's number");
        q->after = last;
    }
    return rc;
}

void events_get(HttpRequest *req)
{
    Call c;
    if (!call_begin(req, &c))
        return;
    EventsQuery q = {0};
    ParamFaults faults = {0};
    int64_t job;
    ErrCode rc = find_place(&c, &q, &job, &faults);
    if (rc != OK)
        call_refuse(&c, rc, &faults);
    else if (str_find(http_header(req, "accept"), STR("text/event-stream")) != STR_NONE)
        follow(&c, job, q.after, false);
    else
        list_events(&c, job, q.after, (int)q.limit);
}

void events_socket(HttpRequest *req)
{
    Call c;
    if (!call_begin(req, &c))
        return;
    EventsQuery q = {0};
    ParamFaults faults = {0};
    int64_t job;
    ErrCode rc = find_place(&c, &q, &job, &faults);
    if (rc != OK)
        call_refuse(&c, rc, &faults);
    else
        follow(&c, job, q.after, true);
}

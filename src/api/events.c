/* events of a job: as a list, as a stream (SSE, resumed by Last-Event-ID), over a WebSocket.
 *
 * A stream is a subscription to the job's news. News only marks it; a thread of its own reads what
 * is new since the number sent last and sends it, so the writer never waits for a reader of
 * streams. A stream ends by itself after the job's last event. */
#include "api/events.h"
#include "api/params.h"
#include "api/routes.h"
#include "api/write.h"
#include "base/clock.h"
#include "base/thread.h"

#include <stdlib.h>

enum { EVENTS_AT_ONCE = 200, SEND_ARENA = 4 * 1024 * 1024 };

typedef struct Stream {
    HubSub sub;
    Streams *all;
    HttpTicket ticket;
    int64_t project, job, sent; /* sent: number of the last event sent */
    bool socket;                /* WebSocket, else SSE */
    bool due, gone, setting_up; /* guarded by all->lock */
    struct Stream *next_due;
} Stream;

struct Streams {
    App *app;
    Mutex lock;
    Cond changed;
    Stream *first_due, **last_due;
    bool stopping;
    pthread_t thread;
};

/* Put it on the list of those with something to send, once. A stream that is still being set up is
 * put there at the end of that: until then nobody else may use it, as it could be freed. */
static void add_due_locked(Stream *s)
{
    mutex_assert_held(&s->all->lock);
    if (s->due || s->setting_up)
        return;
    s->due = true;
    s->next_due = NULL;
    *s->all->last_due = s;
    s->all->last_due = &s->next_due;
    cond_signal(&s->all->changed);
}

static void mark_due(Stream *s)
{
    MUTEX_HELD(&s->all->lock);
    add_due_locked(s);
}

/* The last thing its maker does with it. */
static void start(Stream *s)
{
    MUTEX_HELD(&s->all->lock);
    s->setting_up = false;
    add_due_locked(s);
}

static void on_news(void *ctx, int64_t project, int64_t job)
{
    (void)project;
    (void)job;
    mark_due(ctx);
}

/* The reader went away: the sending thread frees it, so that it is never freed while in use. */
static void on_gone(void *ctx, HttpTicket t)
{
    Stream *s = ctx;
    (void)t;
    MUTEX_HELD(&s->all->lock);
    s->gone = true;
    add_due_locked(s);
}

static void put_frame(const Stream *s, const JobEvent *e, Buf *b)
{
    if (!s->socket)
        buf_addf(b, "id: %" PRId64 "\nevent: " STR_FMT "\ndata: ", e->seq, STR_ARG(e->type));
    JsonOut j = json_out(b);
    write_event(&j, e);
    if (!s->socket)
        buf_add(b, STR("\n\n"));
}

static bool send_one(const Stream *s, const JobEvent *e, Arena *a)
{
    Buf b = buf_init(a, MIB);
    put_frame(s, e, &b);
    HttpServer *http = s->all->app->http;
    if (b.failed)
        return false;
    return s->socket ? http_socket_send(http, s->ticket, true, buf_str(&b))
                     : http_stream_send(http, s->ticket, buf_str(&b));
}

/* True: the job has ended and all of it was sent, or nobody can be reached any more. */
static bool send_news(Stream *s, Arena *a)
{
    DbConn *reader = NULL;
    JobEvent *events = NULL;
    size_t len = EVENTS_AT_ONCE;
    while (len == EVENTS_AT_ONCE) {
        Job job;
        arena_reset(a);
        if (db_reader(s->all->app->db, &reader, NULL) != OK ||
            flow_get(reader, s->project, s->job, a, &job, NULL) != OK ||
            flow_events(reader, s->project, s->job, s->sent, EVENTS_AT_ONCE, a, &events, &len,
                        NULL) != OK)
            return true;
        for (size_t i = 0; i < len; i++) {
            if (!send_one(s, &events[i], a))
                return true;
            s->sent = events[i].seq;
        }
        if (job_state_ended(job.state) && s->sent >= job.events)
            return true;
    }
    return false;
}

static void end_stream(Stream *s)
{
    enum { NORMAL_CLOSURE = 1000 };
    if (s->socket)
        http_socket_close(s->all->app->http, s->ticket, NORMAL_CLOSURE);
    else
        http_stream_end(s->all->app->http, s->ticket);
}

static Stream *take_due(Streams *all)
{
    MUTEX_HELD(&all->lock);
    while (all->first_due == NULL && !all->stopping)
        cond_wait(&all->changed, &all->lock);
    Stream *s = all->first_due;
    if (s == NULL)
        return NULL;
    all->first_due = s->next_due;
    if (all->first_due == NULL)
        all->last_due = &all->first_due;
    s->due = false;
    return s;
}

static bool is_gone(Stream *s)
{
    MUTEX_HELD(&s->all->lock);
    return s->gone && !s->due;
}

static void *send_all(void *arg)
{
    Streams *all = arg;
    CLEANUP(arena_close) Arena *a = arena_open(SEND_ARENA);
    for (Stream *s; a != NULL && (s = take_due(all)) != NULL;) {
        if (is_gone(s)) {
            hub_unsubscribe(all->app->hub, &s->sub);
            if (is_gone(s)) /* news between the two looks puts it on the list once more */
                free(s);
        } else if (send_news(s, a)) {
            end_stream(s); /* on_gone follows */
        }
    }
    return NULL;
}

ErrCode streams_open(App *app, Streams **out, Err *err)
{
    Streams *all = calloc(1, sizeof *all);
    if (all == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory");
    all->app = app;
    all->last_due = &all->first_due;
    mutex_init(&all->lock);
    cond_init(&all->changed);
    ErrCode rc = thread_start(&all->thread, "platen-events", send_all, all, err);
    if (rc != OK) {
        cond_done(&all->changed);
        mutex_done(&all->lock);
        free(all);
        return rc;
    }
    *out = all;
    return OK;
}

void streams_close(Streams **all)
{
    if (*all == NULL)
        return;
    {
        MUTEX_HELD(&(*all)->lock);
        (*all)->stopping = true;
        cond_signal(&(*all)->changed);
    }
    pthread_join((*all)->thread, NULL);
    cond_done(&(*all)->changed);
    mutex_done(&(*all)->lock);
    free(*all);
    *all = NULL;
}

static Stream *new_stream(Call *c, int64_t job, int64_t after, bool socket)
{
    Stream *s = calloc(1, sizeof *s);
    if (s == NULL) {
        err_set(&c->err, ERR_NO_MEMORY, "no memory for a stream");
        return NULL;
    }
    *s = (Stream){.all = c->app->streams,
                  .project = c->who.project,
                  .job = job,
                  .sent = after,
                  .socket = socket,
                  .setting_up = true};
    s->sub = (HubSub){.fn = on_news, .ctx = s};
    return s;
}

static void start_stream(Call *c, int64_t job, int64_t after)
{
    Stream *s = new_stream(c, job, after, false);
    if (s == NULL) {
        call_fail(c);
        return;
    }
    s->ticket = http_stream(c->req, on_gone, s);
    hub_subscribe(c->app->hub, HUB_JOB, job, &s->sub);
    start(s);
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
        start_stream(&c, job, q.after);
    else
        list_events(&c, job, q.after, (int)q.limit);
}

static void ignore_message(void *ctx, HttpTicket t, bool text, Str payload)
{
    (void)ctx;
    (void)t;
    (void)text;
    (void)payload;
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
    Stream *s = rc == OK ? new_stream(&c, job, q.after, true) : NULL;
    if (s == NULL) {
        call_refuse(&c, c.err.code, &faults);
        return;
    }
    const HttpSocketHandler handler = {.message = ignore_message, .gone = on_gone, .ctx = s};
    s->ticket = http_websocket(req, &handler);
    if (s->ticket.generation == 0) { /* it has refused, and will not say that it is gone */
        free(s);
        return;
    }
    hub_subscribe(c.app->hub, HUB_JOB, job, &s->sub);
    start(s);
}

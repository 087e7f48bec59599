#include "api/stream.h"
#include "base/thread.h"

#include <stdlib.h>
#include <string.h>

enum { SEND_ARENA = 4 * 1024 * 1024, PAGE_ARENA = 24 * 1024 * 1024, PAGE_ROWS = 1000 };

/* A project whose feed is followed. They stay until the end: there are few. */
typedef struct Topic {
    HubSub sub;
    Streams *all;
    int64_t project;
    Stream *streams;
    int64_t news; /* how often there was some */
    bool due;
    struct Topic *next, *next_due;
} Topic;

struct Streams {
    App *app;
    Mutex lock; /* inside the hub's: the hub is not called with it held */
    Cond changed;
    Stream *first_due, **last_due;
    Topic *topics, *due_topics;
    bool stopping;
    pthread_t thread;

    /* The sending thread's: the page of a feed that was read last. */
    Arena *page_arena;
    FeedPage page;
    int64_t page_project, page_after, page_news;
};

App *stream_app(const Stream *s)
{
    return s->all->app;
}

/* --- who has something to send --- */

/* Put it on the list, once. A stream that is still being set up is put there at the end of that:
 * until then nobody else may use it, as it could be freed. */
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

static void on_job_news(void *ctx, int64_t project, int64_t job)
{
    Stream *s = ctx;
    (void)project;
    (void)job;
    MUTEX_HELD(&s->all->lock);
    add_due_locked(s);
}

/* On the writer's thread, for each row: as short as can be. */
static void on_feed_news(void *ctx, int64_t project, int64_t id)
{
    Topic *t = ctx;
    (void)project;
    (void)id;
    MUTEX_HELD(&t->all->lock);
    t->news++;
    if (t->due || t->streams == NULL)
        return;
    t->due = true;
    t->next_due = t->all->due_topics;
    t->all->due_topics = t;
    cond_signal(&t->all->changed);
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

static void mark_topics_locked(Streams *all)
{
    mutex_assert_held(&all->lock);
    for (Topic *t; (t = all->due_topics) != NULL;) {
        all->due_topics = t->next_due;
        t->due = false;
        for (Stream *s = t->streams; s != NULL; s = s->next_of_topic)
            add_due_locked(s);
    }
}

static Stream *take_due(Streams *all)
{
    MUTEX_HELD(&all->lock);
    mark_topics_locked(all);
    while (all->first_due == NULL && !all->stopping) {
        cond_wait(&all->changed, &all->lock);
        mark_topics_locked(all);
    }
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

/* --- topics --- */

static Topic *find_topic(Streams *all, int64_t project)
{
    MUTEX_HELD(&all->lock);
    for (Topic *t = all->topics; t != NULL; t = t->next)
        if (t->project == project)
            return t;
    return NULL;
}

/* Two threads may make one each for the same project: both work, the newer one is found. */
static Topic *get_topic(Streams *all, int64_t project)
{
    Topic *t = find_topic(all, project);
    if (t != NULL || (t = calloc(1, sizeof *t)) == NULL)
        return t;
    *t = (Topic){.all = all, .project = project};
    t->sub = (HubSub){.fn = on_feed_news, .ctx = t};
    hub_subscribe(all->app->hub, HUB_FEED, project, &t->sub);
    MUTEX_HELD(&all->lock);
    t->next = all->topics;
    all->topics = t;
    return t;
}

static void join_topic(Stream *s, Topic *t)
{
    MUTEX_HELD(&s->all->lock);
    s->next_of_topic = t->streams;
    s->topic_link = &t->streams;
    if (t->streams != NULL)
        t->streams->topic_link = &s->next_of_topic;
    t->streams = s;
}

static void leave_topic(Stream *s)
{
    MUTEX_HELD(&s->all->lock);
    if (s->topic_link == NULL)
        return;
    *s->topic_link = s->next_of_topic;
    if (s->next_of_topic != NULL)
        s->next_of_topic->topic_link = s->topic_link;
    s->topic_link = NULL;
}

static int64_t news_of(Streams *all, int64_t project)
{
    MUTEX_HELD(&all->lock);
    int64_t news = 0;
    for (Topic *t = all->topics; t != NULL; t = t->next)
        if (t->project == project)
            news += t->news;
    return news;
}

bool stream_feed(Stream *s, FeedPage *out)
{
    Streams *all = s->all;
    DbConn *reader = NULL;
    FeedRow *rows = NULL;
    int64_t news = news_of(all, s->project);
    if (all->page_project != s->project || all->page_after != s->sent || all->page_news != news) {
        arena_reset(all->page_arena);
        all->page_project = 0;
        if (db_reader(all->app->db, &reader, NULL) != OK ||
            feed_read(reader, s->project, s->sent, STR(""), PAGE_ROWS, all->page_arena, &rows,
                      &all->page.len, &all->page.next, &all->page.gap, NULL) != OK)
            return false;
        all->page.rows = rows;
        all->page_project = s->project;
        all->page_after = s->sent;
        all->page_news = news;
    }
    *out = all->page;
    return true;
}

/* --- making and ending --- */

Stream *stream_new(Call *c, StreamSend send, int64_t job, Str types, bool socket)
{
    Stream *s = calloc(1, sizeof *s + types.len);
    if (s == NULL) {
        err_set(&c->err, ERR_NO_MEMORY, "no memory for a stream");
        return NULL;
    }
    *s = (Stream){.all = c->app->streams,
                  .send = send,
                  .project = c->who.project,
                  .job = job,
                  .types = {(char *)(s + 1), types.len},
                  .socket = socket,
                  .setting_up = true};
    if (types.len > 0)
        memcpy(s + 1, types.ptr, types.len);
    s->sub = (HubSub){.fn = on_job_news, .ctx = s};
    return s;
}

void stream_free(Stream **s)
{
    free(*s);
    *s = NULL;
}

static void ignore_message(void *ctx, HttpTicket t, bool text, Str payload)
{
    (void)ctx;
    (void)t;
    (void)text;
    (void)payload;
}

static bool answer(Call *c, Stream *s)
{
    const HttpSocketHandler handler = {.message = ignore_message, .gone = on_gone, .ctx = s};
    s->ticket = s->socket ? http_websocket(c->req, &handler) : http_stream(c->req, on_gone, s);
    return s->ticket.generation != 0; /* it has refused, and will not say that it is gone */
}

void stream_start(Call *c, Stream *s)
{
    Topic *topic = s->job == 0 ? get_topic(s->all, s->project) : NULL;
    if (s->job == 0 && topic == NULL) {
        stream_free(&s);
        err_set(&c->err, ERR_NO_MEMORY, "no memory for a stream");
        call_fail(c);
        return;
    }
    if (!answer(c, s)) {
        stream_free(&s);
        return;
    }
    if (topic != NULL)
        join_topic(s, topic);
    else
        hub_subscribe(c->app->hub, HUB_JOB, s->job, &s->sub);
    MUTEX_HELD(&s->all->lock); /* the last thing its maker does with it */
    s->setting_up = false;
    add_due_locked(s);
}

bool stream_send(const Stream *s, Arena *a, Str id, Str type, Str json)
{
    HttpServer *http = s->all->app->http;
    if (s->socket)
        return json.len == 0 || http_socket_send(http, s->ticket, true, json);
    Buf b = buf_init(a, MIB);
    buf_addf(&b, "id: " STR_FMT "\n", STR_ARG(id));
    if (json.len > 0)
        buf_addf(&b, "event: " STR_FMT "\ndata: " STR_FMT "\n", STR_ARG(type), STR_ARG(json));
    buf_add_char(&b, '\n');
    return !b.failed && http_stream_send(http, s->ticket, buf_str(&b));
}

static void end_stream(Stream *s)
{
    enum { NORMAL_CLOSURE = 1000 };
    if (s->socket)
        http_socket_close(s->all->app->http, s->ticket, NORMAL_CLOSURE);
    else
        http_stream_end(s->all->app->http, s->ticket);
}

/* --- the sending thread --- */

static void *send_all(void *arg)
{
    Streams *all = arg;
    CLEANUP(arena_close) Arena *a = arena_open(SEND_ARENA);
    for (Stream *s; a != NULL && (s = take_due(all)) != NULL;) {
        arena_reset(a);
        if (is_gone(s)) {
            leave_topic(s);
            hub_unsubscribe(all->app->hub, &s->sub);
            if (is_gone(s)) /* news between the two looks puts it on the list once more */
                stream_free(&s);
        } else if (s->send(s, a)) {
            end_stream(s); /* on_gone follows */
        }
    }
    return NULL;
}

static void free_all(Streams **all)
{
    for (Topic *t; (t = (*all)->topics) != NULL;) {
        (*all)->topics = t->next;
        hub_unsubscribe((*all)->app->hub, &t->sub);
        free(t);
    }
    cond_done(&(*all)->changed);
    mutex_done(&(*all)->lock);
    arena_close(&(*all)->page_arena);
    free(*all);
    *all = NULL;
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
    all->page_arena = arena_open(PAGE_ARENA);
    ErrCode rc = all->page_arena != NULL
                     ? thread_start(&all->thread, "platen-events", send_all, all, err)
                     : err_set(err, ERR_NO_MEMORY, "no memory");
    if (rc != OK)
        free_all(&all);
    else
        *out = all;
    return rc;
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
    free_all(all);
}

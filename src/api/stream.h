/* stream.h: answers that go on: SSE and WebSockets, of a job's events or of a project's feed.
 *
 *   Stream *s = stream_new(c, send_news, key, types, socket);   // key: job
 *   s->sent = where to go on;
 *   stream_start(c, s)                                          // from here on it is not the handler's
 *
 * News only marks a stream; one thread reads what is new and sends it (`send`), so the writer never
 * waits for a reader of streams. News of a feed marks a project once, however many follow it; that
 * thread then marks its streams. An idle stream costs 150 bytes and nothing else.
 *
 * Threads: request threads make streams; `send` runs on the sending thread alone. */
#ifndef PLATEN_API_STREAM_H
#define PLATEN_API_STREAM_H

#include "api/call.h"

typedef struct Stream Stream;
/* Send what is new after s->sent, and set that. True: the stream has ended, or cannot go on. */
typedef bool (*StreamSend)(Stream *s, Arena *a);

struct Stream {
    HubSub sub;
    Streams *all;
    StreamSend send;
    HttpTicket ticket;
    int64_t project, job, sent; /* job 0: the project's feed */
    Str types;                  /* of a feed: patterns; "": all */
    bool socket;                /* WebSocket, else SSE */
    bool begun;                 /* the sending thread's: something was sent */
    bool due, gone, setting_up; /* guarded by all->lock */
    Stream *next_due;
    Stream *next_of_topic, **topic_link; /* of a feed; guarded by all->lock */
};

/* NULL: c->err says why. `types` is copied. */
Stream *stream_new(Call *c, StreamSend send, int64_t job, Str types, bool socket);
/* Answer with it. A WebSocket that the client did not ask for properly is refused here. */
void stream_start(Call *c, Stream *s);
void stream_free(Stream **s); /* one that was not started */
App *stream_app(const Stream *s);
/* One message: `id` and `type` are fields of SSE; a WebSocket gets the JSON alone. An empty `json`:
 * only the id, which SSE clients remember for resuming. False: nobody can be reached any more. */
bool stream_send(const Stream *s, Arena *a, Str id, Str type, Str json);

/* Rows of the project's feed after s->sent, whatever their types: streams that stand at the same
 * place share one reading. Valid until the next call. False: the database failed. */
typedef struct FeedPage {
    const FeedRow *rows;
    size_t len;
    int64_t next;
    bool gap;
} FeedPage;
bool stream_feed(Stream *s, FeedPage *out);

MUST_CHECK ErrCode streams_open(App *app, Streams **out, Err *err);
/* After http_close, whose ending streams it frees. */
void streams_close(Streams **s);

#endif

#include "base/log.h"
#include "base/clock.h"
#include "base/json.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

typedef struct EventInfo {
    const char *name, *meaning, *remedy;
} EventInfo;

static const EventInfo events[EVENT_COUNT] = {
#define EVENT(name, meaning, remedy) [EVENT_##name] = {#name, meaning, remedy},
#include "base/events.def"
#undef EVENT
};

enum { NAME_MAX_LEN = 32, LINE_MAX = 4096, TRACE_MAX = 32 };
static char names[EVENT_COUNT][NAME_MAX_LEN];
static pthread_once_t names_once = PTHREAD_ONCE_INIT;
static _Atomic int lowest_level = LOG_INFO;
static const char *const level_names[] = {"debug", "info", "warn", "error", "off"};

/* Guards listener and its ctx: held while it is called, so that it is not called any more once
 * another is set. */
static pthread_mutex_t listener_lock = PTHREAD_MUTEX_INITIALIZER;
static LogListener listener;
static void *listener_ctx;

static _Thread_local char trace[TRACE_MAX];
static _Thread_local size_t trace_len;

static void make_names(void)
{
    for (int e = 0; e < EVENT_COUNT; e++) {
        bool dotted = false;
        for (size_t i = 0; i + 1 < NAME_MAX_LEN && events[e].name[i] != 0; i++) {
            char c = events[e].name[i];
            bool dot = c == '_' && !dotted;
            dotted |= dot;
            names[e][i] = dot ? '.' : c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
        }
    }
}

const char *log_event_name(Event e)
{
    pthread_once(&names_once, make_names);
    return e < EVENT_COUNT ? names[e] : "unknown";
}

const char *log_event_meaning(Event e)
{
    return e < EVENT_COUNT ? events[e].meaning : "";
}

const char *log_event_remedy(Event e)
{
    return e < EVENT_COUNT ? events[e].remedy : "";
}

Event log_event_from(Str name)
{
    for (int e = 0; e < EVENT_COUNT; e++)
        if (str_eq_c(name, log_event_name((Event)e)))
            return (Event)e;
    return EVENT_COUNT;
}

void log_set_level(LogLevel lowest)
{
    lowest_level = (int)lowest;
}

LogLevel log_level_from(Str name)
{
    for (size_t i = 0; i < COUNT_OF(level_names); i++)
        if (str_eq_c(name, level_names[i]))
            return (LogLevel)i;
    return LOG_INFO;
}

void log_set_trace(Str id)
{
    trace_len = id.len < TRACE_MAX ? id.len : TRACE_MAX;
    if (trace_len > 0)
        memcpy(trace, id.ptr, trace_len);
}

Str log_trace(void)
{
    return (Str){trace, trace_len};
}

static void put_line(Buf *b, LogLevel level, Event event, const LogKv *kv, size_t count)
{
    char time_text[CLOCK_TEXT_SIZE];
    clock_text(clock_now_ms(), time_text);
    JsonOut j = json_out(b);
    json_begin(&j, '{');
    json_kv_c(&j, "time", time_text);
    json_kv_c(&j, "level", level_names[level]);
    json_kv_c(&j, "event", log_event_name(event));
    if (trace_len > 0)
        json_kv_str(&j, "trace", log_trace());
    for (size_t i = 0; i < count; i++)
        if (kv[i].is_int)
            json_kv_int(&j, kv[i].key, kv[i].integer);
        else
            json_kv_str(&j, kv[i].key, str_slice(kv[i].text, 0, 1024));
    json_end(&j, '}');
    buf_add_char(b, '\n');
}

void log_set_listener(LogListener fn, void *ctx)
{
    pthread_mutex_lock(&listener_lock);
    listener = fn;
    listener_ctx = ctx;
    pthread_mutex_unlock(&listener_lock);
}

static void tell(LogLevel level, Event event, const LogKv *kv, size_t count)
{
    pthread_mutex_lock(&listener_lock);
    if (listener != NULL)
        listener(listener_ctx, level, event, kv, count);
    pthread_mutex_unlock(&listener_lock);
}

void log_write(LogLevel level, Event event, const LogKv *kv, size_t count)
{
    if (level >= LOG_WARN)
        tell(level, event, kv, count);
    if ((int)level < lowest_level)
        return;
    char line[LINE_MAX];
    Buf b = {.ptr = line, .cap = sizeof line, .ceiling = sizeof line};
    put_line(&b, level, event, kv, count);
    if (b.failed) { /* too long: the line without its values is better than none */
        buf_clear(&b);
        put_line(&b, level, event, NULL, 0);
    }
    ssize_t ignored = write(STDERR_FILENO, b.ptr, b.len);
    (void)ignored; /* there is nowhere to report that the log cannot be written */
}

/* log.h: one event, one line, one code from events.def.
 *
 *   LOG(WARN, TASK_LEASE_LOST, KV("job", job_text), KV("held_ms", held_ms));
 *
 * writes {"time":…,"level":"warn","event":"task.lease_lost","trace":…,"job":…,"held_ms":…} and a
 * newline to standard error in one write. No document content, prompt, key or token ever goes into
 * a value. events.def is also the catalogue of a job's history: log_event_name gives the stored
 * name.
 *
 * Threads: any. The trace id is per thread: log_set_trace at the start of a request or task. */
#ifndef PLATEN_BASE_LOG_H
#define PLATEN_BASE_LOG_H

#include "base/str.h"

typedef enum Event {
#define EVENT(name, meaning, remedy) EVENT_##name,
#include "base/events.def"
#undef EVENT
    EVENT_COUNT
} Event;

typedef enum LogLevel { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR, LOG_OFF } LogLevel;

typedef struct LogKv {
    const char *key;
    bool is_int;
    int64_t integer;
    Str text;
} LogKv;

static inline LogKv log_kv_int(const char *k, int64_t v)
{
    return (LogKv){.key = k, .is_int = true, .integer = v};
}
static inline LogKv log_kv_c(const char *k, const char *v)
{
    return (LogKv){.key = k, .text = str_from_c(v)};
}
static inline LogKv log_kv_str(const char *k, Str v)
{
    return (LogKv){.key = k, .text = v};
}
/* clang-format off */
#define KV(key, value) _Generic((value), \
    Str: log_kv_str, char *: log_kv_c, const char *: log_kv_c, default: log_kv_int)((key), (value))
/* clang-format on */

#define LOG(level, event, ...)                                                                     \
    log_write(LOG_##level, EVENT_##event, (const LogKv[]){__VA_ARGS__},                            \
              sizeof((const LogKv[]){__VA_ARGS__}) / sizeof(LogKv))

void log_write(LogLevel level, Event event, const LogKv *kv, size_t count);
/* Who hears of lines of level warn and error besides standard error, whatever log_set_level says;
 * NULL: nobody. Called on the thread that logs, one call at a time; it must not log, and is not
 * called any more when log_set_listener has returned. */
typedef void (*LogListener)(void *ctx, LogLevel level, Event event, const LogKv *kv, size_t count);
void log_set_listener(LogListener fn, void *ctx);
void log_set_level(LogLevel lowest); /* LOG_INFO at start */
LogLevel log_level_from(Str name);   /* "debug" … "error", "off"; LOG_INFO when unknown */
/* Correlation id of what this thread works on now; copied, at most 32 characters. Empty: none. */
void log_set_trace(Str trace);
Str log_trace(void);

const char *
log_event_name(Event e); /* JOB_ADDED: "job.added"; only the first underscore becomes a dot */
const char *log_event_meaning(Event e);
const char *log_event_remedy(Event e); /* "" when there is nothing to do */
/* The event of that name, or EVENT_COUNT. */
Event log_event_from(Str name);

#endif

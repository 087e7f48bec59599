#include "trace/alerts.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/thread.h"

#include <stdlib.h>
#include <string.h>

struct Alerts {
    Mutex lock;              /* guards the rest */
    Alert items[ALERTS_MAX]; /* said last first */
    size_t len;
};

static Str value_of(const LogKv *kv, size_t count, const char *key)
{
    for (size_t i = 0; i < count; i++)
        if (!kv[i].is_int && strcmp(kv[i].key, key) == 0)
            return kv[i].text;
    return (Str){0};
}

/* What the line is about: the first of these that it names. */
static Str subject_of(const LogKv *kv, size_t count)
{
    static const char *const keys[] = {"engine", "queue", "trigger", "pipeline", "schedule"};
    Str s = {0};
    for (size_t i = 0; i < COUNT_OF(keys) && s.len == 0; i++)
        s = value_of(kv, count, keys[i]);
    return s;
}

/* Cut where a character begins. */
static void keep(char *to, size_t max, Str text)
{
    size_t n = text.len < max ? text.len : max;
    while (n < text.len && n > 0 && ((unsigned char)text.ptr[n] & 0xc0) == 0x80)
        n--;
    if (n > 0)
        memcpy(to, text.ptr, n);
    to[n] = 0;
}

static size_t place_of_locked(Alerts *a, Event event, const char *subject)
{
    mutex_assert_held(&a->lock);
    for (size_t i = 0; i < a->len; i++)
        if (a->items[i].event == event && strcmp(a->items[i].subject, subject) == 0)
            return i;
    if (a->len < ALERTS_MAX)
        a->len++;
    a->items[a->len - 1] = (Alert){.event = event};
    return a->len - 1;
}

static void hear(void *ctx, LogLevel level, Event event, const LogKv *kv, size_t count)
{
    Alerts *a = ctx;
    char subject[ALERT_SUBJECT_MAX + 1];
    int64_t now_ms = clock_now_ms();
    Str detail = value_of(kv, count, "detail");
    if (detail.len == 0)
        detail = value_of(kv, count, "end");
    keep(subject, ALERT_SUBJECT_MAX, subject_of(kv, count));
    MUTEX_HELD(&a->lock);
    size_t at = place_of_locked(a, event, subject);
    Alert x = a->items[at];
    x.level = level;
    x.first_ms = x.count == 0 ? now_ms : x.first_ms;
    x.last_ms = now_ms;
    x.count++;
    keep(x.subject, ALERT_SUBJECT_MAX, str_from_c(subject));
    keep(x.detail, ALERT_DETAIL_MAX, detail);
    memmove(&a->items[1], &a->items[0], at * sizeof *a->items);
    a->items[0] = x;
}

ErrCode alerts_open(Alerts **out, Err *err)
{
    Alerts *a = fault_hit("alerts.open") ? NULL : calloc(1, sizeof *a);
    if (a == NULL)
        return err_set(err, ERR_NO_MEMORY, "keeping alerts");
    mutex_init(&a->lock);
    log_set_listener(hear, a);
    *out = a;
    return OK;
}

void alerts_close(Alerts **alerts)
{
    Alerts *a = *alerts;
    if (a == NULL)
        return;
    log_set_listener(NULL, NULL);
    mutex_done(&a->lock);
    free(a);
    *alerts = NULL;
}

size_t alerts_read(Alerts *a, Alert out[ALERTS_MAX])
{
    MUTEX_HELD(&a->lock);
    memcpy(out, a->items, a->len * sizeof *out);
    return a->len;
}

#include "core/expr_in.h"

#include <string.h>
#include <time.h>

#include "base/clock.h"

/* Years with four digits, as RFC 3339 has them. */
static const int64_t FIRST_MS = -62167219200000, LAST_MS = 253402300799999;

/* A day alone is its first instant. */
static bool parse(Str text, int64_t *ms)
{
    enum { DAY_LEN = 10 };
    static const char midnight[] = "T00:00:00Z";
    char whole[DAY_LEN + sizeof midnight];
    if (text.len != DAY_LEN)
        return clock_parse(text, ms);
    memcpy(whole, text.ptr, DAY_LEN);
    memcpy(whole + DAY_LEN, midnight, sizeof midnight);
    return clock_parse(str_from_c(whole), ms);
}

static bool read_time(const Json *v, int64_t *ms)
{
    bool read = v->type == JSON_TEXT ? parse(v->text, ms) : expr_whole(v, ms);
    return read && *ms >= FIRST_MS && *ms <= LAST_MS;
}

/* strftime's conversions that have one meaning everywhere. */
static bool put_conversion(Buf *b, char c, const struct tm *tm)
{
    char format[] = {'%', c, 0}, text[32];
    if (c == 0 || strchr("YmdHMSjuVyeaAbBFT%", c) == NULL)
        return false;
    buf_add(b, (Str){text, strftime(text, sizeof text, format, tm)});
    return true;
}

static const Json *format_as(Arena *a, Str format, int64_t ms)
{
    time_t seconds = (time_t)((ms - (ms % 1000 + 1000) % 1000) / 1000);
    struct tm tm;
    gmtime_r(&seconds, &tm);
    Buf b = buf_init(a, EXPR_VALUE_MAX);
    for (size_t i = 0; i < format.len && !b.failed; i++) {
        if (format.ptr[i] != '%')
            buf_add_char(&b, format.ptr[i]);
        else if (++i == format.len || !put_conversion(&b, format.ptr[i], &tm))
            return &expr_null;
    }
    return expr_built(&b);
}

const Json *expr_format_time(Arena *a, const Json *const *args, size_t len)
{
    int64_t ms;
    if (!read_time(args[0], &ms) || (len > 1 && args[1]->type != JSON_TEXT))
        return &expr_null;
    if (len > 1)
        return format_as(a, args[1]->text, ms);
    char text[CLOCK_TEXT_SIZE];
    clock_text(ms, text);
    Str copy = str_copy(a, str_from_c(text));
    return copy.ptr != NULL ? expr_text(a, copy) : NULL;
}

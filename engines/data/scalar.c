/* scalar.c: what a scalar without quotes is (YAML 1.2.2, section 10.3.2, the core schema). */
#include "data/tree.h"

#include <math.h>

static bool one_of(Str s, const char *list)
{
    Str rest = str_from_c(list), item;
    while (str_next(&rest, ' ', &item))
        if (str_eq(s, item))
            return true;
    return false;
}

static size_t digits(Str s, size_t at)
{
    size_t from = at;
    while (at < s.len && s.ptr[at] >= '0' && s.ptr[at] <= '9')
        at++;
    return at - from;
}

/* 0o17 and 0x1F; false: it is none of them, or larger than 64 bits hold. */
static bool based(Str s, int64_t *out, bool *too_large)
{
    bool hex = str_starts(s, STR("0x"));
    if (s.len < 3 || (!hex && !str_starts(s, STR("0o"))))
        return false;
    int64_t base = hex ? 16 : 8, v = 0;
    for (size_t i = 2; i < s.len; i++) {
        char c = s.ptr[i];
        int64_t d = c >= '0' && c <= '9'   ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : 99;
        if (d >= base)
            return false;
        if (v > (INT64_MAX - d) / base)
            *too_large = true;
        else
            v = v * base + d;
    }
    *out = v;
    return true;
}

/* The parts of a decimal number; false: it is none. */
typedef struct Decimal {
    bool minus, fraction, exponent;
    Str whole, after, power; /* power: with its sign */
} Decimal;

static bool decimal(Str s, Decimal *d)
{
    size_t at = 0, n;
    if (s.len > 0 && (s.ptr[0] == '-' || s.ptr[0] == '+'))
        d->minus = s.ptr[at++] == '-';
    n = digits(s, at);
    d->whole = str_slice(s, at, at + n);
    at += n;
    if (at < s.len && s.ptr[at] == '.') {
        d->fraction = true;
        n = digits(s, ++at);
        d->after = str_slice(s, at, at + n);
        at += n;
    }
    if (d->whole.len == 0 && d->after.len == 0)
        return false;
    if (at < s.len && (s.ptr[at] == 'e' || s.ptr[at] == 'E')) {
        d->exponent = true;
        size_t from = ++at;
        if (at < s.len && (s.ptr[at] == '-' || s.ptr[at] == '+'))
            at++;
        n = digits(s, at);
        if (n == 0)
            return false;
        at += n;
        d->power = str_slice(s, from, at);
    }
    return at == s.len;
}

/* JSON has no leading zeros, no plus, and digits on both sides of the point. */
static Str rewrite(Arena *a, const Decimal *d)
{
    Str whole = d->whole;
    while (whole.len > 1 && whole.ptr[0] == '0')
        whole = str_slice(whole, 1, whole.len);
    if (whole.len == 0)
        whole = STR("0");
    return str_printf(a, "%s" STR_FMT "%s" STR_FMT "%s" STR_FMT, d->minus ? "-" : "",
                      STR_ARG(whole), d->fraction ? "." : "",
                      STR_ARG(d->fraction && d->after.len == 0 ? STR("0") : d->after),
                      d->exponent ? "e" : "", STR_ARG(d->power));
}

static ScalarIs number(Arena *a, Str s, Str *json)
{
    Decimal d = {0};
    int64_t v = 0;
    double approximate = 0;
    bool too_large = false;
    if (based(s, &v, &too_large)) {
        *json = str_printf(a, "%" PRId64, v);
        return too_large ? SCALAR_BEYOND : SCALAR_INT;
    }
    if (!decimal(s, &d))
        return SCALAR_TEXT;
    *json = rewrite(a, &d);
    if (!d.fraction && !d.exponent)
        return SCALAR_INT;
    if (json->ptr != NULL && (!str_to_double(*json, &approximate) || !isfinite(approximate)))
        return SCALAR_BEYOND;
    return SCALAR_FLOAT;
}

ScalarIs scalar_read(Arena *a, Str s, Str *json)
{
    if (s.len == 0 || one_of(s, "~ null Null NULL")) {
        *json = STR("null");
        return SCALAR_NULL;
    }
    if (one_of(s, "true True TRUE false False FALSE")) {
        *json = s.ptr[0] == 't' || s.ptr[0] == 'T' ? STR("true") : STR("false");
        return SCALAR_BOOL;
    }
    if (one_of(s, ".inf .Inf .INF +.inf +.Inf +.INF -.inf -.Inf -.INF .nan .NaN .NAN")) {
        *json = STR("null");
        return SCALAR_BEYOND;
    }
    return number(a, s, json);
}

#include "http/trace_in.h"

#include <string.h>

static bool hex_field(Str s, size_t from, size_t len)
{
    bool some = false;
    for (size_t i = from; i < from + len; i++) {
        char c = s.ptr[i];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
            return false;
        some |= c != '0';
    }
    return some;
}

/* version - trace id - parent id - flags; later versions may have more behind. */
bool http_trace_from(Str h, char trace[33])
{
    enum { TRACE_AT = 3, PARENT_AT = 36, FLAGS_AT = 53, LEN = 55 };
    if (h.len < LEN || h.ptr[2] != '-' || h.ptr[PARENT_AT - 1] != '-' || h.ptr[FLAGS_AT - 1] != '-')
        return false;
    bool version_0 = memcmp(h.ptr, "00", 2) == 0;
    if ((version_0 && h.len != LEN) || (!version_0 && !hex_field(h, 0, 2)) ||
        memcmp(h.ptr, "ff", 2) == 0 || (h.len > LEN && h.ptr[LEN] != '-'))
        return false;
    if (!hex_field(h, TRACE_AT, 32) || !hex_field(h, PARENT_AT, 16) ||
        http_hex(h.ptr[FLAGS_AT]) < 0 || http_hex(h.ptr[FLAGS_AT + 1]) < 0)
        return false;
    memcpy(trace, h.ptr + TRACE_AT, 32);
    trace[32] = 0;
    return true;
}

void http_trace_hex(uint64_t v, char out[16])
{
    static const char digits[] = "0123456789abcdef";
    for (int i = 15; i >= 0; i--, v >>= 4)
        out[i] = digits[v & 15];
}

void http_trace_new(HttpLoop *l, char trace[33])
{
    http_trace_hex(http_random(l), trace);
    http_trace_hex(http_random(l) | 1, trace + 16); /* all zeros would not be valid */
    trace[32] = 0;
}

/* request.c: what handlers ask a request. */
#include "http/http_in.h"

Str http_header(const HttpRequest *req, const char *name)
{
    Str key = str_from_c(name);
    for (size_t i = 0; i < req->headers_len; i++)
        if (req->headers[i].name.len == key.len && str_eq_nocase(req->headers[i].name, key))
            return req->headers[i].value;
    return STR("");
}

/* `raw` itself when there is nothing to decode. .ptr NULL: no memory. */
static Str decoded(Arena *a, Str raw)
{
    if (str_find_char(raw, '%') == STR_NONE && str_find_char(raw, '+') == STR_NONE)
        return raw;
    char *out = arena_alloc_raw(a, raw.len);
    return out != NULL ? (Str){out, http_decode_form(raw, out)} : (Str){0};
}

static bool next_pair(const HttpRequest *req, Arena *a, size_t *at, Str *name, Str *raw_value)
{
    while (*at < req->query.len) {
        Str rest = str_slice(req->query, *at, req->query.len), pair;
        str_next(&rest, '&', &pair);
        *at += pair.len + 1;
        if (pair.len == 0)
            continue;
        size_t equals = str_find_char(pair, '=');
        *name = decoded(a, str_slice(pair, 0, equals));
        *raw_value = equals == STR_NONE ? STR("") : str_slice(pair, equals + 1, pair.len);
        return name->ptr != NULL;
    }
    return false;
}

bool http_query_next(const HttpRequest *req, size_t *at, Str *name, Str *value)
{
    Str raw;
    if (!next_pair(req, req->arena, at, name, &raw))
        return false;
    *value = decoded(req->arena, raw);
    return value->ptr != NULL;
}

Str http_query(const HttpRequest *req, const char *want, Arena *a)
{
    Str name, raw;
    for (size_t at = 0; next_pair(req, a, &at, &name, &raw);)
        if (str_eq_c(name, want))
            return decoded(a, raw);
    return (Str){0};
}
